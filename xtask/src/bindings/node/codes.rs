//! `codes.ts`: the error codes, by name.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::super::api::Api;
use super::super::words::pascal;
use super::{comment, head};

/// The text of the file.
pub(super) fn file(api: &Api) -> String {
    let mut text = head("Stable numbers of errors, the same in every language.");
    text.push_str("/** Stable numbers of errors, the same in every language. */\nexport const Code = {\n");
    for code in &api.codes {
        text.push_str(&comment(&code.doc, 2));
        let _ = writeln!(text, "  {}: {},", pascal(&code.name), code.number);
    }
    text.push_str(
        "} as const\n\n/** Number of an error. */\nexport type Code = (typeof Code)[keyof typeof Code]\n",
    );
    text.push_str("\n/** Stable name of an error, such as `TIMED_OUT`. */\nexport type CodeName =\n");
    for code in &api.codes {
        let _ = writeln!(text, "  | '{}'", code.name);
    }
    text.push_str("\n/** Coarse kind of an error. */\nexport type Category =\n");
    for category in api.codes.iter().map(|code| code.category.as_str()).collect::<BTreeSet<_>>() {
        let _ = writeln!(text, "  | '{category}'");
    }
    text
}
