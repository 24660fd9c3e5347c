//! `types.ts`: enumerations and records that requests, answers and events share.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::super::api::{Api, Definition, Word};
use super::operations::BY_HAND;
use super::{NOTHING, Role, Roles, comment, head};

/// The text of the file.
pub(super) fn file(api: &Api) -> String {
    let roles = Roles::new(api);
    // Nobody sees the requests without a field, and those of methods that are written by hand.
    let unseen = api.operations.iter().filter(|one| {
        BY_HAND.contains(&one.name.as_str())
            || api.record(&one.request).is_ok_and(|(_, fields)| fields.is_empty())
    });
    let elsewhere: BTreeSet<&str> = api
        .events
        .iter()
        .map(|event| event.record.as_str())
        .chain(unseen.map(|one| one.request.as_str()))
        .chain([NOTHING])
        .collect();
    let mut text = head("Values in requests, answers and events.");
    text.push_str(
        "/**\n * Names a chat or person in requests: a JID, a phone number with its country code, or the\n \
         * identity from an event.\n */\nexport type Address = string | Identity\n",
    );
    for (name, definition) in api.types.iter().filter(|(name, _)| !elsewhere.contains(name.as_str())) {
        match definition {
            Definition::Enumeration { doc, words } => text.push_str(&enumeration(name, doc, words)),
            Definition::Union { doc, variants, .. } => {
                for (role, present) in [(Role::Given, &roles.given), (Role::Taken, &roles.taken)] {
                    if present.contains(name.as_str()) {
                        let _ =
                            write!(text, "\n{}export type {} =\n", comment(doc, 0), roles.name(name, role));
                        for variant in variants {
                            let _ = writeln!(text, "  | {}", roles.name(&variant.record, role));
                        }
                    }
                }
            }
            Definition::Record { doc, fields } => {
                for (role, present) in [(Role::Given, &roles.given), (Role::Taken, &roles.taken)] {
                    if present.contains(name.as_str()) {
                        let name = roles.name(name, role);
                        let fields = roles.fields(fields, role);
                        let _ = write!(text, "\n{}export interface {name} {{\n{fields}}}\n", comment(doc, 0));
                    }
                }
            }
        }
    }
    text
}

fn enumeration(name: &str, doc: &str, words: &[Word]) -> String {
    let mut text = format!("\n{}export type {name} =\n", comment(doc, 0));
    for word in words {
        text.push_str(&comment(&word.doc, 2));
        let _ = writeln!(text, "  | '{}'", word.name);
    }
    text
}
