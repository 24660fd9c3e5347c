//! Writes the descriptor table: what the JSON forms and `Debug` need to know about every type.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::rust_types::MARKER;
use super::schema::{Field, Kind, Label, Schema, json_name};

/// The text of `table.rs`.
pub(crate) fn generate(schema: &Schema) -> Result<String, String> {
    let messages: BTreeMap<&str, usize> =
        schema.messages.keys().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
    let enums: BTreeMap<&str, usize> =
        schema.enums.keys().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
    let mut text = String::from(MARKER);
    text.push_str("use crate::descriptor::{EnumDescriptor as E, FieldDescriptor as F, Kind, Label, MessageDescriptor as M};\n\n");
    put(
        &mut text,
        format_args!(
            "/// All messages, in the order of their names.\npub(crate) static MESSAGES: [M; {}] = [\n",
            messages.len()
        ),
    )?;
    for (name, message) in &schema.messages {
        put(&mut text, format_args!("M {{ name: {name:?}, fields: &[\n"))?;
        for field in &message.fields {
            put(
                &mut text,
                format_args!(
                    "F::new({}, {:?}, {}, {}),\n",
                    field.number,
                    json_name(name, field),
                    kind(field, &messages, &enums)?,
                    label(field)?,
                ),
            )?;
        }
        text.push_str("] },\n");
    }
    text.push_str("];\n\n");
    put(
        &mut text,
        format_args!(
            "/// All enums, in the order of their names.\npub(crate) static ENUMS: [E; {}] = [\n",
            enums.len()
        ),
    )?;
    for (name, found) in &schema.enums {
        put(&mut text, format_args!("E {{ name: {name:?}, values: &[\n"))?;
        for value in &found.values {
            put(&mut text, format_args!("({}, {:?}),\n", value.number, value.name))?;
        }
        text.push_str("] },\n");
    }
    text.push_str("];\n");
    Ok(text)
}

fn kind(
    field: &Field,
    messages: &BTreeMap<&str, usize>,
    enums: &BTreeMap<&str, usize>,
) -> Result<String, String> {
    let name = field.type_name.as_str();
    let missing = || format!("type {name} of field {} is not in the schema", field.name);
    Ok(match field.kind {
        Kind::Message => format!("Kind::Message(&MESSAGES[{}])", messages.get(name).ok_or_else(missing)?),
        Kind::Enum => format!("Kind::Enum(&ENUMS[{}])", enums.get(name).ok_or_else(missing)?),
        Kind::Scalar => {
            let mut letters = name.chars();
            let first = letters.next().map(|letter| letter.to_ascii_uppercase());
            format!("Kind::{}{}", first.map(String::from).unwrap_or_default(), letters.as_str())
        }
    })
}

fn label(field: &Field) -> Result<&'static str, String> {
    Ok(match (field.label, field.map_key.as_deref()) {
        (Label::Optional, _) => "Label::Optional",
        (Label::Repeated, _) => "Label::Repeated",
        (Label::Map, Some("uint32")) => "Label::MapByNumber",
        (Label::Map, Some("string")) => "Label::MapByText",
        (Label::Map, other) => return Err(format!("map key {other:?} of {} is not supported", field.name)),
    })
}

fn put(text: &mut String, arguments: std::fmt::Arguments<'_>) -> Result<(), String> {
    text.write_fmt(arguments).map_err(|error| error.to_string())
}
