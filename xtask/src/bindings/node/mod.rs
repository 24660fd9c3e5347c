//! The TypeScript sources: types, events, operations and codes.

mod codes;
mod events;
mod operations;
mod types;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::api::{Api, Field, Kind};
use super::words::{pascal, wrap};
use super::{Files, NOTICE};

const FOLDER: &str = "bindings/node/src";

/// The type of the empty answer, `void` in TypeScript.
const NOTHING: &str = "Done";

/// All generated TypeScript files.
pub(super) fn generate(api: &Api) -> Result<Files, String> {
    Ok(Files::from([
        (format!("{FOLDER}/types.ts"), types::file(api)),
        (format!("{FOLDER}/events.ts"), events::file(api)?),
        (format!("{FOLDER}/operations.ts"), operations::file(api)?),
        (format!("{FOLDER}/codes.ts"), codes::file(api)),
    ]))
}

/// First lines of a file.
fn head(about: &str) -> String {
    format!("// {NOTICE}\n\n/** @file {about} */\n\n")
}

/// `import type` of names, if there are any.
fn import(names: &BTreeSet<String>, from: &str) -> String {
    if names.is_empty() {
        return String::new();
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    format!("import type {{ {} }} from '{from}'\n", names.join(", "))
}

/// A documentation comment, indented.
fn comment(prose: &str, indent: usize) -> String {
    let space = " ".repeat(indent);
    let lines = wrap(&prose.replace("*/", "*\u{200b}/"), 92 - indent);
    match lines.as_slice() {
        [] => String::new(),
        [line] if line.is_empty() => String::new(),
        [line] => format!("{space}/** {line} */\n"),
        lines => {
            let mut text = format!("{space}/**\n");
            for line in lines {
                let _ = writeln!(text, "{space} * {line}");
            }
            text = text.replace(" * \n", " *\n");
            let _ = writeln!(text, "{space} */");
            text
        }
    }
}

/// `snake_case` as `camelCase`.
fn camel(name: &str) -> String {
    let name = pascal(name);
    let mut characters = name.chars();
    characters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(characters).collect()
}

/// Which way a value goes. Absence is written as the host likes when it gives, and is `null` when
/// it takes; an identity stands for an address only when it gives.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Given,
    Taken,
}

/// The types of a surface, and in which roles they occur.
struct Roles<'a> {
    api: &'a Api,
    given: BTreeSet<&'a str>,
    taken: BTreeSet<&'a str>,
}

impl<'a> Roles<'a> {
    fn new(api: &'a Api) -> Self {
        let given = reachable(api, api.operations.iter().map(|one| one.request.as_str()));
        let answers = api.operations.iter().map(|one| one.response.as_str());
        let taken = reachable(api, answers.chain(api.events.iter().map(|event| event.record.as_str())));
        Self { api, given, taken }
    }

    /// The name of a type in a role: a record in both roles has a form for each.
    fn name(&self, name: &str, role: Role) -> String {
        let has_forms = self.api.record(name).is_ok() || self.api.is_union(name);
        let both = self.given.contains(name) && self.taken.contains(name) && has_forms;
        if both && role == Role::Given { format!("{name}Input") } else { name.to_owned() }
    }

    /// The type of a field.
    fn kind(&self, kind: &Kind, role: Role) -> String {
        match kind {
            Kind::Address if role == Role::Given => String::from("Address"),
            Kind::Text | Kind::Address => String::from("string"),
            Kind::Integer | Kind::Number => String::from("number"),
            Kind::Boolean => String::from("boolean"),
            Kind::List(item) => format!("{}[]", self.kind(item, role)),
            Kind::Named(name) => self.name(name, role),
            Kind::Word(word) => format!("'{word}'"),
        }
    }

    /// Declarations of fields.
    fn fields(&self, fields: &[Field], role: Role) -> String {
        let mut text = String::new();
        for field in fields {
            text.push_str(&comment(&field.doc, 2));
            let mark = if role == Role::Given && field.optional { "?" } else { "" };
            let left_out = role == Role::Taken && field.optional && field.default.is_none();
            let absent = if field.nullable || left_out { " | null" } else { "" };
            let _ = writeln!(text, "  {}{mark}: {}{absent}", field.name, self.kind(&field.kind, role));
        }
        text
    }

    /// The names that fields mention, beside the built-in ones.
    fn mentioned(&self, fields: &[Field], role: Role) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for field in fields {
            names.extend(field.kind.named().map(|name| self.name(name, role)));
            if role == Role::Given && field.kind.has_address() {
                names.insert(String::from("Address"));
            }
        }
        names
    }
}

/// Types that can be reached from these.
fn reachable<'a>(api: &'a Api, from: impl Iterator<Item = &'a str>) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut waiting: Vec<&str> = from.collect();
    while let Some(name) = waiting.pop() {
        if !found.insert(name) {
            continue;
        }
        waiting.extend(api.parts(name));
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn api() -> Api {
        Api::parse(&json!({
            "operations": [{
                "name": "send_it",
                "request": { "$ref": "#/$defs/SendIt" },
                "response": { "$ref": "#/$defs/Done" },
            }],
            "events": [{ "number": 1, "name": "came", "journaled": true, "schema": { "$ref": "#/$defs/Came" } }],
            "codes": [{ "number": 102, "name": "TIMED_OUT", "category": "network", "httpStatus": 504, "doc": "Late." }],
            "types": {
                "Done": { "type": "object", "description": "Nothing." },
                "SendIt": {
                    "type": "object",
                    "description": "Sends it.\n\nAt once.",
                    "properties": {
                        "chat": { "type": "string", "format": "address", "description": "Where." },
                        "part": { "anyOf": [{ "$ref": "#/$defs/Part" }, { "type": "null" }] },
                    },
                    "required": ["chat"],
                },
                "Came": {
                    "type": "object",
                    "description": "Emitted when it came.",
                    "properties": { "part": { "anyOf": [{ "$ref": "#/$defs/Part" }, { "type": "null" }] } },
                },
                "Part": {
                    "type": "object",
                    "description": "A part.",
                    "properties": { "who": { "type": ["string", "null"], "format": "address" } },
                },
            },
        }))
        .unwrap()
    }

    #[test]
    fn a_record_in_both_roles_has_two_forms() {
        let text = types::file(&api());
        assert!(text.contains("export interface Part {\n  who: string | null\n}"), "{text}");
        assert!(text.contains("export interface PartInput {\n  who?: Address | null\n}"), "{text}");
    }

    #[test]
    fn requests_turn_identities_into_addresses() {
        let text = operations::file(&api()).unwrap();
        assert!(
            text.contains("async sendIt(request: SendIt, options?: CallOptions): Promise<void> {"),
            "{text}"
        );
        assert!(
            text.contains("return { ...value, chat: address(value.chat), part: part(value.part) }"),
            "{text}"
        );
        assert!(text.contains("return value && { ...value, who: address(value.who) }"), "{text}");
        assert!(text.contains("   * Sends it.\n   *\n   * At once.\n"), "{text}");
    }

    #[test]
    fn events_are_a_union_on_their_kind() {
        let text = events::file(&api()).unwrap();
        assert!(text.contains("export interface Came extends JournaledEvent {\n  kind: 'came'\n"), "{text}");
        assert!(text.contains("export type ClientEvent =\n  | Came\n  | UnknownEvent\n"), "{text}");
        assert!(text.contains("import type { Part } from './types.js'"), "{text}");
    }
}
