//! The pages of the reference: operations, events, errors, and the types between them.

use std::fmt::Write as _;

use crate::bindings::api::{Api, Definition, Field, Kind};

/// The type of the empty answer.
const NOTHING: &str = "Done";

/// File names, with their text.
pub(super) fn pages(api: &Api) -> Result<Vec<(&'static str, String)>, String> {
    Ok(vec![
        ("operations.md", operations(api)?),
        ("events.md", events(api)?),
        ("errors.md", errors(api)),
        ("types.md", types(api)),
    ])
}

fn operations(api: &Api) -> Result<String, String> {
    let mut text = String::from(
        "# Operations\n\nNames are those of C, Python and the table; in Node.js they are in camelCase. Members \
         of requests and answers are as JSON has them; in Python they are in snake_case. Every call also \
         has a deadline.\n\n```{toctree}\n:hidden:\ntypes\n```\n",
    );
    for operation in &api.operations {
        let (doc, fields) = api.record(&operation.request)?;
        let _ = write!(text, "\n## {}\n\n{}\n", operation.name, escaped(doc));
        if !fields.is_empty() {
            let _ = write!(text, "\n{}", table(api, fields, true));
        }
        if operation.response == NOTHING {
            text.push_str("\nAnswers nothing.\n");
        } else {
            let _ = write!(text, "\nAnswers {}.\n", link(&operation.response));
        }
    }
    Ok(text)
}

fn events(api: &Api) -> Result<String, String> {
    let mut text = String::from(
        "# Events\n\nFacts have a `sequence` and an `id`, survive crashes, and are offered again until they are \
         acknowledged. Moments are gone when nobody takes them.\n",
    );
    for event in &api.events {
        let (doc, fields) = api.record(&event.record)?;
        let class = if event.journaled { "A fact" } else { "A moment" };
        let _ = write!(text, "\n## {}\n\n{class}, number {}. {}\n", event.name, event.number, escaped(doc));
        if !fields.is_empty() {
            let _ = write!(text, "\n{}", table(api, fields, false));
        }
    }
    Ok(text)
}

fn errors(api: &Api) -> String {
    let mut text = String::from(
        "# Errors\n\nThe code tells what happened and never changes its number; the category is the coarse kind, \
         and the class of the error in Python.\n\n| Code | Name | Category | What it says |\n\
         | ---: | --- | --- | --- |\n",
    );
    for code in &api.codes {
        let _ =
            writeln!(text, "| {} | `{}` | {} | {} |", code.number, code.name, code.category, cell(&code.doc));
    }
    text
}

fn types(api: &Api) -> String {
    let mut text = String::from("# Types\n\nWhat requests, answers and events are made of.\n");
    for (name, definition) in &api.types {
        match definition {
            Definition::Record { doc, fields } => {
                let _ = write!(text, "\n## {name}\n\n{}\n", escaped(doc));
                if !fields.is_empty() {
                    let _ = write!(text, "\n{}", table(api, fields, false));
                }
            }
            Definition::Enumeration { doc, words } => {
                let _ =
                    write!(text, "\n## {name}\n\n{}\n\n| Word | Meaning |\n| --- | --- |\n", escaped(doc));
                for word in words {
                    let _ = writeln!(text, "| `{}` | {} |", word.name, cell(&word.doc));
                }
            }
            Definition::Union { doc, tag, variants } => {
                let _ = write!(text, "\n## {name}\n\n{}\n\n| `{tag}` | Then it is |\n", escaped(doc));
                text.push_str("| --- | --- |\n");
                for variant in variants {
                    let _ = writeln!(text, "| `{}` | {} |", variant.word, link(&variant.record));
                }
            }
        }
    }
    text
}

/// The members of a record. In requests some may be left out.
fn table(api: &Api, fields: &[Field], request: bool) -> String {
    let mut text = String::from("| Member | Type | |\n| --- | --- | --- |\n");
    for field in fields {
        let absent = if request && field.optional {
            ", may be left out"
        } else if field.nullable || field.optional {
            ", may be absent"
        } else {
            ""
        };
        let kind = kind(api, &field.kind);
        let _ = writeln!(text, "| `{}` | {kind}{absent} | {} |", field.name, cell(&field.doc));
    }
    text
}

fn kind(api: &Api, of: &Kind) -> String {
    match of {
        Kind::Text => String::from("text"),
        Kind::Address => String::from("address"),
        Kind::Integer => String::from("integer"),
        Kind::Number => String::from("number"),
        Kind::Boolean => String::from("true or false"),
        Kind::List(item) => format!("list of {}", kind(api, item)),
        Kind::Named(name) if api.types.contains_key(name) => link(name),
        Kind::Named(name) => name.clone(),
        Kind::Word(word) => format!("`{word}`"),
    }
}

/// A type, with the way to it.
fn link(name: &str) -> String {
    format!("[{name}](types.md#{})", name.to_lowercase())
}

/// Prose in a cell of a table.
fn cell(prose: &str) -> String {
    escaped(prose).replace('\n', " ").replace('|', "\\|")
}

/// Prose outside of ticks must not be taken for markup.
fn escaped(prose: &str) -> String {
    let parts = prose.split('`').enumerate().map(|(index, part)| {
        if index % 2 == 1 { format!("`{part}`") } else { part.replace('<', "\\<").replace('[', "\\[") }
    });
    parts.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn everything_that_is_described_has_a_place() {
        let api = Api::parse(&json!({
            "codes": [{ "number": 1, "name": "BAD", "category": "usage", "doc": "A | b." }],
            "events": [{ "number": 7, "name": "rain", "journaled": true, "schema": { "$ref": "#/$defs/Rain" } }],
            "operations": [{ "name": "ask", "request": { "$ref": "#/$defs/Ask" },
                             "response": { "$ref": "#/$defs/Told" } }],
            "types": {
                "Ask": { "description": "Asks <b>.", "properties": { "way": { "$ref": "#/$defs/Way" } } },
                "Told": { "properties": { "words": { "type": "array", "items": { "type": "string" } } },
                          "required": ["words"] },
                "Rain": { "description": "Emitted when it rains." },
                "Way": { "enum": ["by_foot"] },
            },
        }))
        .unwrap();
        let pages: std::collections::BTreeMap<_, _> = pages(&api).unwrap().into_iter().collect();
        for (page, part) in [
            ("operations.md", "## ask\n\nAsks \\<b>.\n"),
            ("operations.md", "| `way` | [Way](types.md#way), may be left out |  |"),
            ("operations.md", "Answers [Told](types.md#told)."),
            ("events.md", "## rain\n\nA fact, number 7. Emitted when it rains."),
            ("errors.md", "| 1 | `BAD` | usage | A \\| b. |"),
            ("types.md", "| `words` | list of text |  |"),
            ("types.md", "| `by_foot` |"),
        ] {
            assert!(pages[page].contains(part), "{page}: {part}\n{}", pages[page]);
        }
    }
}
