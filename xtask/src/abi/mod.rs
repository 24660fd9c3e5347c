//! `cargo xtask abi`: the surface beside the one that was last released.
//!
//! `bindings/released.json` is `bindings/api.json` of that release without its words. What callers
//! and hosts of it relied on must still be so: removing, renaming, a new required field or a
//! narrower type is breaking; what is only more is listed. `--release` makes the present surface
//! the one that later ones are held to.

mod compare;

use std::path::Path;

use serde_json::{Map, Value};

use crate::bindings::api::Api;
use crate::{TaskResult, workspace};

/// The surface of the last release.
const RELEASED: &str = "bindings/released.json";

/// Says in the file where it comes from.
const NOTICE: &str = "Written by `cargo xtask abi --release` from bindings/api.json; do not edit.";

/// Runs the task.
pub(crate) fn run(arguments: &[String]) -> TaskResult {
    let root = workspace::root()?;
    match arguments {
        [] => check(&root),
        [flag] if flag == "--release" => release(&root),
        _ => Err(String::from("the only option is --release")),
    }
}

/// Fails when a caller of the released surface would break.
pub(crate) fn check(root: &Path) -> TaskResult {
    let released = Api::parse(&read(root, RELEASED)?)?;
    let present = Api::parse(&read(root, "bindings/api.json")?)?;
    let found = compare::surfaces(&released, &present);
    let (breaking, more): (Vec<_>, Vec<_>) = found.into_iter().partition(|one| one.breaking);
    for one in &more {
        println!("more: {}", one.what);
    }
    for one in &breaking {
        println!("breaking: {}", one.what);
    }
    match breaking.len() {
        0 => Ok(()),
        count => Err(format!("{count} breaking, compared with {RELEASED}")),
    }
}

fn release(root: &Path) -> TaskResult {
    let mut surface = read(root, "bindings/api.json")?;
    if let Some(members) = surface.as_object_mut() {
        members.insert(String::from("$comment"), Value::String(NOTICE.to_owned()));
        for code in members.get_mut("codes").and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(doc) = code.get_mut("doc") {
                *doc = Value::String(String::new());
            }
        }
        if let Some(types) = members.get_mut("types").and_then(Value::as_object_mut) {
            types.values_mut().for_each(without_words);
        }
    }
    let text = lines(&surface);
    std::fs::write(root.join(RELEASED), text).map_err(|error| format!("{RELEASED}: {error}"))?;
    println!("wrote {RELEASED}");
    Ok(())
}

/// A schema without its documentation.
fn without_words(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            members.remove("description");
            for (name, value) in members.iter_mut() {
                match (name.as_str(), value) {
                    // A field may have any name, that of a keyword too.
                    ("properties", Value::Object(fields)) => fields.values_mut().for_each(without_words),
                    ("default", _) => {}
                    (_, value) => without_words(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(without_words),
        _ => {}
    }
}

/// JSON with a line for each operation, event, code and type, so that differences can be read.
fn lines(surface: &Value) -> String {
    let empty = Map::new();
    let parts = surface.as_object().unwrap_or(&empty).iter().map(|(name, part)| {
        let key = Value::String(name.clone());
        match part {
            Value::Array(items) => {
                let items: Vec<String> = items.iter().map(|item| format!("  {item}")).collect();
                format!("{key}: [\n{}\n]", items.join(",\n"))
            }
            Value::Object(members) => {
                let member =
                    |(name, value): (&String, &Value)| format!("  {}: {value}", Value::String(name.clone()));
                let members: Vec<String> = members.iter().map(member).collect();
                format!("{key}: {{\n{}\n}}", members.join(",\n"))
            }
            other => format!("{key}: {other}"),
        }
    });
    format!("{{\n{}\n}}\n", parts.collect::<Vec<_>>().join(",\n"))
}

fn read(root: &Path, name: &str) -> Result<Value, String> {
    let text = std::fs::read_to_string(root.join(name)).map_err(|error| format!("{name}: {error}"))?;
    serde_json::from_str(&text).map_err(|error| format!("{name}: {error}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn words_go_and_fields_stay() {
        let mut schema = json!({
            "description": "A thing.",
            "properties": { "description": { "type": "string", "description": "What it is." } },
            "required": ["description"],
        });
        without_words(&mut schema);
        let left =
            json!({ "properties": { "description": { "type": "string" } }, "required": ["description"] });
        assert_eq!(schema, left);
        let text = lines(&json!({ "types": { "A": schema }, "codes": [1, 2], "x": "y" }));
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["types"]["A"], left);
        assert_eq!(text.lines().count(), 10);
    }
}
