//! `_events.py`: one class per kind of event, and the table that decodes them.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::super::api::{Api, Event, Field};
use super::{docstring, exports, head, python_name, read, union_decoder};

/// The field by which JSON says how many raw bytes there are; in Python they are an attribute.
const RAW_SIZE: &str = "rawSize";

/// What every event has.
const BASE: &str = r#"@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What every event has. An event that is nothing but this is of a kind that this version
    does not know: ignore it.
    """

    kind: ClassVar[str] = "unknown"
    """Stable name of the kind."""

    journaled: ClassVar[bool] = False
    """Whether events of this kind are facts: durable, numbered, and offered again until
    acknowledged.
    """

    sequence: int | None
    """Position in the journal, from 1, without gaps; ``None`` for moments."""

    id: str
    """Stable id of a fact, the same on every delivery: compare it to act once. Empty for moments."""

    recorded_at_ms: int
    """When the engine recorded it, milliseconds since 1970."""

    @classmethod
    def _decode(cls, data: dict[str, Any], raw: bytes) -> Event:
        return Event(
            sequence=data.get("sequence"),
            id=data["id"],
            recorded_at_ms=data["recordedAtMs"],
        )
"#;

/// The text of the file.
pub(super) fn file(api: &Api) -> Result<String, String> {
    let mut text = head("What a client tells its host.");
    text.push_str("from dataclasses import dataclass\nfrom typing import Any, ClassVar\n\n");
    let mut used = BTreeSet::new();
    for event in &api.events {
        used.extend(api.record(&event.record)?.1.iter().filter_map(|field| field.kind.named()));
    }
    let mut imported: Vec<String> = used.iter().map(|name| (*name).to_owned()).collect();
    imported.extend(used.iter().filter(|name| api.is_union(name)).map(|name| union_decoder(name)));
    text.push_str("from ._types import (\n");
    for name in imported {
        let _ = writeln!(text, "    {name},");
    }
    text.push_str(")\n\n");
    let mut names: Vec<String> = api.events.iter().map(|event| event.record.clone()).collect();
    names.push(String::from("Event"));
    text.push_str(&exports(&names));
    text.push_str("\n\n");
    text.push_str(BASE);
    for event in &api.events {
        let (doc, fields) = api.record(&event.record)?;
        text.push_str("\n\n");
        text.push_str(&class(api, event, doc, fields));
    }
    text.push_str("\n\n_BY_KIND: dict[str, type[Event]] = {\n");
    for event in &api.events {
        let _ = writeln!(text, "    \"{}\": {},", event.name, event.record);
    }
    text.push_str("}\n\n\n");
    text.push_str(
        "def decode(data: dict[str, Any], raw: bytes) -> Event:\n    \
         \"\"\"Makes an event from decoded JSON and its raw bytes.\"\"\"\n    \
         return _BY_KIND.get(data[\"kind\"], Event)._decode(data, raw)\n",
    );
    Ok(text)
}

fn class(api: &Api, event: &Event, doc: &str, fields: &[Field]) -> String {
    let name = &event.record;
    let (raw, plain): (Vec<&Field>, Vec<&Field>) = fields.iter().partition(|field| field.name == RAW_SIZE);
    let mut text = format!("@dataclass(frozen=True, slots=True, kw_only=True)\nclass {name}(Event):\n");
    text.push_str(&docstring(doc, 4));
    let _ = writeln!(text, "\n    kind: ClassVar[str] = \"{}\"", event.name);
    if event.journaled {
        text.push_str("    journaled: ClassVar[bool] = True\n");
    }
    for field in &plain {
        let nullable = field.nullable || field.optional;
        let annotation = super::annotation(&field.kind, nullable, false);
        let _ = writeln!(text, "\n    {}: {annotation}", python_name(&field.name));
        text.push_str(&docstring(&field.doc, 4));
    }
    if !raw.is_empty() {
        text.push_str("\n    raw: bytes\n");
        text.push_str(&docstring(
            "The whole content as protobuf, for what the other attributes do not say.",
            4,
        ));
    }
    let _ = write!(
        text,
        "\n    @classmethod\n    def _decode(cls, data: dict[str, Any], raw: bytes) -> {name}:\n        return cls(\n"
    );
    text.push_str("            sequence=data.get(\"sequence\"),\n            id=data[\"id\"],\n");
    text.push_str("            recorded_at_ms=data[\"recordedAtMs\"],\n");
    for field in &plain {
        let _ = writeln!(text, "            {}={},", python_name(&field.name), read(api, field));
    }
    if !raw.is_empty() {
        text.push_str("            raw=raw,\n");
    }
    text.push_str("        )\n");
    text
}
