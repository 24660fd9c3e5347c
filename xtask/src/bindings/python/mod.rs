//! The Python sources: types, events, operations and errors.

mod errors;
mod events;
mod operations;
mod types;

use super::api::{Api, Field, Kind};
use super::words::{rename_in_ticks, snake, wrap};
use super::{Files, NOTICE};
use operations::Front;

const FOLDER: &str = "bindings/python/python/whimbrel";

/// The type of the empty answer, `None` in Python.
const NOTHING: &str = "Done";

/// All generated Python files.
pub(super) fn generate(api: &Api) -> Result<Files, String> {
    Ok(Files::from([
        (format!("{FOLDER}/_types.py"), types::file(api)?),
        (format!("{FOLDER}/_events.py"), events::file(api)?),
        (format!("{FOLDER}/_operations.py"), operations::file(api, Front::Async)?),
        (format!("{FOLDER}/_sync_operations.py"), operations::file(api, Front::Sync)?),
        (format!("{FOLDER}/_errors.py"), errors::file(api)),
    ]))
}

/// The name of a field: with an underscore behind it where Python has the word for itself.
fn python_name(field: &str) -> String {
    const KEYWORDS: [&str; 32] = [
        "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif", "else",
        "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal",
        "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
    ];
    let mut name = snake(field);
    if KEYWORDS.contains(&name.as_str()) {
        name.push('_');
    }
    name
}

/// First lines of a file.
fn head(about: &str) -> String {
    format!("# {NOTICE}\n\"\"\"{about}\"\"\"\n\nfrom __future__ import annotations\n\n")
}

/// `__all__` with these names.
fn exports(names: &[String]) -> String {
    let mut names = names.to_vec();
    names.sort();
    let mut text = String::from("__all__ = [\n");
    for name in names {
        text.push_str(&format!("    \"{name}\",\n"));
    }
    text.push_str("]\n");
    text
}

/// A docstring, indented.
fn docstring(prose: &str, indent: usize) -> String {
    let space = " ".repeat(indent);
    let prose = rename_in_ticks(prose, python_name).replace('\\', "\\\\").replace('`', "``");
    let lines = wrap(&prose, 96 - indent);
    let mut text = format!("{space}\"\"\"{}", lines.first().map(String::as_str).unwrap_or_default());
    for line in lines.iter().skip(1) {
        text.push('\n');
        if !line.is_empty() {
            text.push_str(&space);
            text.push_str(line);
        }
    }
    if lines.len() > 1 {
        text.push('\n');
        text.push_str(&space);
    }
    text.push_str("\"\"\"\n");
    text
}

/// The annotation of a field. What the host gives (`given`) may be an identity where an address
/// is meant.
fn annotation(kind: &Kind, nullable: bool, given: bool) -> String {
    let text = match kind {
        Kind::Address if given => String::from("Address"),
        Kind::Text | Kind::Address => String::from("str"),
        Kind::Integer => String::from("int"),
        Kind::Number => String::from("float"),
        Kind::Boolean => String::from("bool"),
        Kind::List(item) => format!("list[{}]", annotation(item, false, given)),
        Kind::Named(name) => name.clone(),
        Kind::Word(_) => String::from("str"),
    };
    if nullable { format!("{text} | None") } else { text }
}

/// The function that decodes a union.
fn union_decoder(name: &str) -> String {
    format!("decode{}", snake(name))
}

/// A value of JSON as Python writes it.
fn literal(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Bool(true) => String::from("True"),
        serde_json::Value::Bool(false) => String::from("False"),
        other => other.to_string(),
    }
}

/// The default of a field of a dataclass.
fn default_of(field: &Field) -> String {
    match (&field.default, field.kind.named()) {
        (None, _) => String::from(" = None"),
        (Some(serde_json::Value::Array(_)), _) => String::from(" = field(default_factory=list)"),
        (Some(serde_json::Value::String(word)), Some(enumeration)) => {
            // Its class may stand further down.
            format!(" = field(default_factory=lambda: {enumeration}.{})", word.to_ascii_uppercase())
        }
        (Some(default), _) => format!(" = {}", literal(default)),
    }
}

/// The default of a field that is left out where its record is printed.
fn unprinted(default: &str) -> String {
    match default.strip_prefix(" = ") {
        Some(default) => format!(" = field(default={default}, repr=False)"),
        None => String::from(" = field(repr=False)"),
    }
}

/// The expression that makes a value from decoded JSON.
fn decoded(api: &Api, value: &str, kind: &Kind) -> String {
    match kind {
        Kind::List(item) if item.named().is_some() => {
            format!("[{} for item in {value}]", decoded(api, "item", item))
        }
        Kind::Named(name) if api.is_enumeration(name) => format!("{name}({value})"),
        Kind::Named(name) if api.is_union(name) => format!("{}({value})", union_decoder(name)),
        Kind::Named(name) => format!("{name}._decode({value})"),
        _ => value.to_owned(),
    }
}

/// The expression that reads a field from the mapping `data`.
fn read(api: &Api, field: &Field) -> String {
    let name = &field.name;
    if let Some(default) = &field.default {
        return decoded(api, &format!("data.get(\"{name}\", {})", literal(default)), &field.kind);
    }
    let absent = field.optional || field.nullable;
    match (absent, field.kind.named()) {
        (false, _) => decoded(api, &format!("data[\"{name}\"]"), &field.kind),
        (true, None) => format!("data.get(\"{name}\")"),
        (true, Some(_)) => {
            let made = decoded(api, "value", &field.kind);
            format!("None if (value := data.get(\"{name}\")) is None else {made}")
        }
    }
}

/// A frozen dataclass: head, documentation and fields. Those that hosts make themselves (`given`)
/// have defaults.
fn dataclass(name: &str, base: &str, doc: &str, fields: &[Field], given: bool) -> String {
    let base = if base.is_empty() { String::new() } else { format!("({base})") };
    let mut text = format!("@dataclass(frozen=True, slots=True, kw_only=True)\nclass {name}{base}:\n");
    text.push_str(&docstring(doc, 4));
    for field in fields {
        if let Kind::Word(word) = &field.kind {
            text.push_str(&format!("\n    {}: ClassVar[str] = \"{word}\"\n", python_name(&field.name)));
            text.push_str(&docstring("What tells it from the others.", 4));
            continue;
        }
        let absent = field.nullable || field.optional;
        let annotation = annotation(&field.kind, absent && field.default.is_none(), given);
        let default = if given && absent { default_of(field) } else { String::new() };
        let default = if field.secret { unprinted(&default) } else { default };
        text.push_str(&format!("\n    {}: {annotation}{default}\n", python_name(&field.name)));
        text.push_str(&docstring(&field.doc, 4));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_field_has_the_name_of_a_keyword() {
        assert_eq!(python_name("recordedAtMs"), "recorded_at_ms");
        assert_eq!(python_name("from"), "from_");
        assert_eq!(
            docstring("under `from`, then `fromMe`", 0),
            "\"\"\"under ``from_``, then ``from_me``\"\"\"\n"
        );
    }
}
