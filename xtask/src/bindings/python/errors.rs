//! `_errors.py`: the error codes, and one exception class for each.

use std::fmt::Write as _;

use super::super::api::{Api, Code};
use super::super::words::pascal;
use super::{docstring, exports, head};

/// The text of the file.
pub(super) fn file(api: &Api) -> String {
    let mut text = head("Error codes, and one class for each.");
    text.push_str("from enum import IntEnum\n\nfrom . import errors\n\n");
    let mut names: Vec<String> = api.codes.iter().filter_map(class_name).collect();
    names.push(String::from("Code"));
    text.push_str(&exports(&names));
    text.push_str("\n\nclass Code(IntEnum):\n");
    text.push_str(&docstring("Stable numbers of errors, the same in every language.", 4));
    for code in &api.codes {
        let _ = writeln!(text, "\n    {} = {}", code.name, code.number);
        text.push_str(&docstring(&code.doc, 4));
    }
    for code in &api.codes {
        let Some(name) = class_name(code) else { continue };
        let base = format!("errors.{}Error", pascal(&code.category));
        // The built-in class by which Python programs know this one, beside the category's.
        let extra = if code.name == "TIMED_OUT" { ", TimeoutError" } else { "" };
        let _ = write!(text, "\n\nclass {name}({base}{extra}, number={}):\n", code.number);
        text.push_str(&docstring(&code.doc, 4));
    }
    text
}

/// The class of a code; codes that are the only one of their category are the category's class.
fn class_name(code: &Code) -> Option<String> {
    if code.name.eq_ignore_ascii_case(&code.category) {
        return None;
    }
    // Python has exceptions of this name, which mean a task and not a call.
    let name = if code.name == "CANCELLED" { "CALL_CANCELLED" } else { &code.name };
    Some(format!("{}Error", pascal(name)))
}
