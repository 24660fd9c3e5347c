//! `_types.py`: enumerations and records that requests, answers and events share.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::super::api::{Api, Definition, Field, Kind, Word};
use super::{NOTHING, dataclass, docstring, exports, head, python_name, read};

/// The value of every enumeration that stands for those of later versions.
const UNKNOWN: &str = "unknown";

/// Longest line of code.
const WIDTH: usize = 100;

/// The record of a chat or person, which stands for an address in requests.
const IDENTITY: &str = "Identity";

/// The text of the file.
pub(super) fn file(api: &Api) -> Result<String, String> {
    let elsewhere: BTreeSet<&str> = api
        .events
        .iter()
        .map(|event| event.record.as_str())
        .chain(
            api.operations.iter().filter(|one| one.request != one.response).map(|one| one.request.as_str()),
        )
        .chain([NOTHING])
        .collect();
    let encoded = encoded(api);
    let mut text = head("Values in requests, answers and events.");
    text.push_str("from dataclasses import dataclass, field\nfrom enum import Enum\nfrom typing import Any, ClassVar\n\n");
    let mine: Vec<(&String, &Definition)> =
        api.types.iter().filter(|(name, _)| !elsewhere.contains(name.as_str())).collect();
    let mut names: Vec<String> = mine.iter().map(|(name, _)| (*name).clone()).collect();
    names.push(String::from("Address"));
    let unions: Vec<&str> =
        mine.iter().filter(|(name, _)| api.is_union(name)).map(|(name, _)| name.as_str()).collect();
    for name in &unions {
        names.extend([format!("Unknown{name}"), super::union_decoder(name)]);
    }
    text.push_str(&exports(&names));
    for (name, definition) in mine {
        if !api.is_union(name) {
            text.push_str("\n\n");
        }
        match definition {
            // Behind the records that it is made of.
            Definition::Union { .. } => {}
            Definition::Enumeration { doc, words } => text.push_str(&enumeration(name, doc, words)),
            Definition::Record { doc, fields } => {
                text.push_str(&dataclass(name, "", doc, fields, encoded.contains(name.as_str())));
                if name == IDENTITY {
                    text.push_str("\n    def __str__(self) -> str:\n        return self.id\n");
                }
                text.push_str(&decoder(api, name, fields));
                if encoded.contains(name.as_str()) {
                    text.push_str(&encoder(api, fields));
                }
            }
        }
    }
    for name in unions {
        text.push_str(&union(api, name));
    }
    text.push_str("\n\nAddress = str | Identity\n");
    text.push_str(
        "\"\"\"Names a chat or person in requests: a JID, a phone number with its country code, or the\n\
         ``Identity`` from an event.\"\"\"\n",
    );
    Ok(text)
}

/// A union: what stands for later choices, the alias, and the function that decodes.
fn union(api: &Api, name: &str) -> String {
    let Some(Definition::Union { doc, tag, variants }) = api.types.get(name) else { return String::new() };
    let unknown = format!("Unknown{name}");
    let mut text = format!(
        "\n\n@dataclass(frozen=True, slots=True, kw_only=True)\nclass {unknown}:\n{}\n    {tag}: str\n{}",
        docstring("One that this version does not know.", 4),
        docstring("What it is.", 4),
    );
    let _ = write!(
        text,
        "\n    @classmethod\n    def _decode(cls, data: dict[str, Any]) -> {unknown}:\n        \
         return cls({tag}=data[\"{tag}\"])\n\n    def _encode(self) -> dict[str, object]:\n        \
         return {{\"{tag}\": self.{tag}}}\n"
    );
    let _ = write!(text, "\n\n{name} = (\n    {unknown}\n");
    for variant in variants {
        let _ = writeln!(text, "    | {}", variant.record);
    }
    text.push_str(")\n");
    text.push_str(&docstring(doc, 0));
    let _ = write!(text, "\n_BY_{}: dict[str, Any] = {{\n", name.to_ascii_uppercase());
    for variant in variants {
        let _ = writeln!(text, "    \"{}\": {},", variant.word, variant.record);
    }
    let _ = write!(
        text,
        "}}\n\n\ndef {}(data: dict[str, Any]) -> {name}:\n    \
         \"\"\"Makes one from decoded JSON.\"\"\"\n    \
         made: {name} = _BY_{}.get(data[\"{tag}\"], {unknown})._decode(data)\n    return made\n",
        super::union_decoder(name),
        name.to_ascii_uppercase(),
    );
    text
}

/// Records that are parts of requests.
fn encoded(api: &Api) -> BTreeSet<&str> {
    let mut found: BTreeSet<&str> = BTreeSet::new();
    let mut waiting: Vec<&str> = api.operations.iter().map(|one| one.request.as_str()).collect();
    while let Some(name) = waiting.pop() {
        for part in api.parts(name) {
            if (api.record(part).is_ok() || api.is_union(part)) && found.insert(part) {
                waiting.push(part);
            }
        }
    }
    found
}

fn enumeration(name: &str, doc: &str, words: &[Word]) -> String {
    let mut text = format!("class {name}(str, Enum):\n{}", docstring(doc, 4));
    for word in words {
        let _ = write!(text, "\n    {} = \"{}\"\n", word.name.to_ascii_uppercase(), word.name);
        if !word.doc.is_empty() {
            text.push_str(&docstring(&word.doc, 4));
        }
    }
    if words.iter().all(|word| word.name != UNKNOWN) {
        let _ = write!(text, "\n    UNKNOWN = \"{UNKNOWN}\"\n");
        text.push_str(&docstring("A value that this version does not know.", 4));
    }
    let _ = write!(
        text,
        "\n    @classmethod\n    def _missing_(cls, value: object) -> {name}:\n        return cls.UNKNOWN\n"
    );
    text
}

/// `_decode`, which makes a record from decoded JSON and ignores what it does not know.
pub(super) fn decoder(api: &Api, name: &str, fields: &[Field]) -> String {
    let mut text = format!(
        "\n    @classmethod\n    def _decode(cls, data: dict[str, Any]) -> {name}:\n        return cls(\n"
    );
    for field in fields.iter().filter(|field| !matches!(field.kind, Kind::Word(_))) {
        let _ = writeln!(text, "            {}={},", python_name(&field.name), read(api, field));
    }
    text.push_str("        )\n");
    text
}

/// `_encode`, which makes what JSON can hold.
fn encoder(api: &Api, fields: &[Field]) -> String {
    let mut text = String::from("\n    def _encode(self) -> dict[str, object]:\n");
    text.push_str(&request_lines(api, fields, "self.", 8));
    text.push_str("        return request\n");
    text
}

/// Lines that fill the mapping `request` from variables or attributes.
pub(super) fn request_lines(api: &Api, fields: &[Field], prefix: &str, indent: usize) -> String {
    let space = " ".repeat(indent);
    let value =
        |field: &Field| encoded_value(api, &format!("{prefix}{}", python_name(&field.name)), &field.kind);
    let needed: Vec<String> = fields
        .iter()
        .filter(|field| !field.optional)
        .map(|field| format!("\"{}\": {}", field.name, value(field)))
        .collect();
    let one_line = format!("{space}request: dict[str, object] = {{{}}}\n", needed.join(", "));
    let mut text = if one_line.len() <= WIDTH {
        one_line
    } else {
        let entries: String = needed.iter().map(|entry| format!("{space}    {entry},\n")).collect();
        format!("{space}request: dict[str, object] = {{\n{entries}{space}}}\n")
    };
    for field in fields.iter().filter(|field| field.optional) {
        let attribute = format!("{prefix}{}", python_name(&field.name));
        let _ = writeln!(text, "{space}if {attribute} is not None:");
        let _ = writeln!(text, "{space}    request[\"{}\"] = {}", field.name, value(field));
    }
    text
}

fn encoded_value(api: &Api, value: &str, kind: &Kind) -> String {
    match kind {
        Kind::Address => format!("str({value})"),
        Kind::List(item) if item.has_address() || item.named().is_some() => {
            format!("[{} for item in {value}]", encoded_value(api, "item", item))
        }
        // Enumerations are texts of their own class.
        Kind::Named(name) if api.is_enumeration(name) => value.to_owned(),
        Kind::Named(_) => format!("{value}._encode()"),
        _ => value.to_owned(),
    }
}
