//! The description of the surface (`bindings/api.json`) as the generators read it.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Operations, events, codes and the types between them.
pub(crate) struct Api {
    pub(crate) operations: Vec<Operation>,
    pub(crate) events: Vec<Event>,
    pub(crate) codes: Vec<Code>,
    pub(crate) types: BTreeMap<String, Definition>,
}

/// One operation: the names of its request and response types.
pub(crate) struct Operation {
    pub(crate) name: String,
    pub(crate) request: String,
    pub(crate) response: String,
}

/// One kind of event.
pub(crate) struct Event {
    pub(crate) number: u64,
    pub(crate) name: String,
    pub(crate) journaled: bool,
    /// Name of the type with its fields.
    pub(crate) record: String,
}

/// One error code.
pub(crate) struct Code {
    pub(crate) number: u64,
    pub(crate) name: String,
    pub(crate) category: String,
    pub(crate) doc: String,
}

/// A named type.
pub(crate) enum Definition {
    Record {
        doc: String,
        fields: Vec<Field>,
    },
    Enumeration {
        doc: String,
        words: Vec<Word>,
    },
    /// One of several records, told apart by a field with a word of each one's own.
    Union {
        doc: String,
        tag: String,
        variants: Vec<Variant>,
    },
}

/// A record of a union.
pub(crate) struct Variant {
    /// The word that tells it.
    pub(crate) word: String,
    /// Name of the record.
    pub(crate) record: String,
}

/// A field of a record.
pub(crate) struct Field {
    /// As in JSON: camelCase.
    pub(crate) name: String,
    pub(crate) doc: String,
    pub(crate) kind: Kind,
    /// It may be null.
    pub(crate) nullable: bool,
    /// It may be left out.
    pub(crate) optional: bool,
    /// What it is then, unless it is absent.
    pub(crate) default: Option<Value>,
    /// It is not printed where that can be helped.
    pub(crate) secret: bool,
}

/// A value of an enumeration.
pub(crate) struct Word {
    pub(crate) name: String,
    pub(crate) doc: String,
}

/// What a field holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    /// Text that is an address; surfaces take identities in its place.
    Address,
    Integer,
    Number,
    Boolean,
    List(Box<Kind>),
    Named(String),
    /// The one word that tells a record of a union from the others.
    Word(String),
}

impl Api {
    /// Reads the description.
    pub(crate) fn parse(description: &Value) -> Result<Self, String> {
        let mut types = BTreeMap::new();
        for (name, schema) in object(description, "types")? {
            let wrong = |reason: String| format!("type {name}: {reason}");
            let found = match union(name, schema).map_err(wrong)? {
                Some((union, records)) => {
                    for (record, definition) in records {
                        if types.insert(record.clone(), definition).is_some() {
                            return Err(format!("two types have the name {record}"));
                        }
                    }
                    union
                }
                None => definition(schema).map_err(wrong)?,
            };
            if types.insert(name.clone(), found).is_some() {
                return Err(format!("two types have the name {name}"));
            }
        }
        let operations = list(description, "operations")?
            .iter()
            .map(|operation| {
                Ok(Operation {
                    name: text(operation, "name")?,
                    request: reference(member(operation, "request")?)?,
                    response: reference(member(operation, "response")?)?,
                })
            })
            .collect::<Result<Vec<_>, String>>()?;
        let events = list(description, "events")?
            .iter()
            .map(|event| {
                Ok(Event {
                    number: member(event, "number")?.as_u64().ok_or("an event has no number")?,
                    name: text(event, "name")?,
                    journaled: member(event, "journaled")?.as_bool().ok_or("journaled is no truth value")?,
                    record: reference(member(event, "schema")?)?,
                })
            })
            .collect::<Result<Vec<_>, String>>()?;
        let codes = list(description, "codes")?
            .iter()
            .map(|code| {
                Ok(Code {
                    number: member(code, "number")?.as_u64().ok_or("a code has no number")?,
                    name: text(code, "name")?,
                    category: text(code, "category")?,
                    doc: text(code, "doc")?,
                })
            })
            .collect::<Result<Vec<_>, String>>()?;
        let api = Self { operations, events, codes, types };
        for operation in &api.operations {
            api.record(&operation.request)?;
            api.record(&operation.response)?;
        }
        for event in &api.events {
            api.record(&event.record)?;
            if api.operations.iter().any(|one| one.response == event.record) {
                return Err(format!("{} is an event, and cannot be an answer", event.record));
            }
        }
        Ok(api)
    }

    /// Documentation and fields of a record.
    pub(crate) fn record(&self, name: &str) -> Result<(&str, &[Field]), String> {
        match self.types.get(name) {
            Some(Definition::Record { doc, fields }) => Ok((doc, fields)),
            _ => Err(format!("{name} is no record")),
        }
    }

    /// Whether `name` is a union.
    pub(crate) fn is_union(&self, name: &str) -> bool {
        matches!(self.types.get(name), Some(Definition::Union { .. }))
    }

    /// The types that a type mentions by name.
    pub(crate) fn parts(&self, name: &str) -> Vec<&str> {
        match self.types.get(name) {
            Some(Definition::Record { fields, .. }) => {
                fields.iter().filter_map(|field| field.kind.named()).collect()
            }
            Some(Definition::Union { variants, .. }) => {
                variants.iter().map(|variant| variant.record.as_str()).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Whether `name` is an enumeration.
    pub(crate) fn is_enumeration(&self, name: &str) -> bool {
        matches!(self.types.get(name), Some(Definition::Enumeration { .. }))
    }
}

impl Kind {
    /// The name of the type that a field mentions, in lists too.
    pub(crate) fn named(&self) -> Option<&str> {
        match self {
            Self::Named(name) => Some(name),
            Self::List(item) => item.named(),
            _ => None,
        }
    }

    /// Whether a field mentions an address, in lists too.
    pub(crate) fn has_address(&self) -> bool {
        match self {
            Self::Address => true,
            Self::List(item) => item.has_address(),
            _ => false,
        }
    }
}

fn member<'a>(value: &'a Value, name: &str) -> Result<&'a Value, String> {
    value.get(name).ok_or_else(|| format!("{name} is missing"))
}

fn text(value: &Value, name: &str) -> Result<String, String> {
    member(value, name)?.as_str().map(str::to_owned).ok_or_else(|| format!("{name} is no text"))
}

fn list<'a>(value: &'a Value, name: &str) -> Result<&'a Vec<Value>, String> {
    member(value, name)?.as_array().ok_or_else(|| format!("{name} is no list"))
}

fn object<'a>(value: &'a Value, name: &str) -> Result<&'a Map<String, Value>, String> {
    member(value, name)?.as_object().ok_or_else(|| format!("{name} is no object"))
}

/// The type that a `$ref` points to.
fn reference(schema: &Value) -> Result<String, String> {
    schema
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|path| path.rsplit('/').next())
        .map(str::to_owned)
        .ok_or_else(|| format!("a reference was expected: {schema}"))
}

/// Documentation with each paragraph on one line.
fn doc(schema: &Value) -> String {
    let text = schema.get("description").and_then(Value::as_str).unwrap_or_default();
    let paragraphs: Vec<String> = text
        .split("\n\n")
        .map(|paragraph| paragraph.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    paragraphs.join("\n\n")
}

fn definition(schema: &Value) -> Result<Definition, String> {
    if let Some(words) = words(schema) {
        return Ok(Definition::Enumeration { doc: doc(schema), words: words? });
    }
    let empty = Map::new();
    let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&empty);
    let required: Vec<&str> = schema
        .get("required")
        .and_then(Value::as_array)
        .map(|names| names.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    let mut fields = properties
        .iter()
        .map(|(name, schema)| {
            let optional = !required.contains(&name.as_str());
            field(name, schema, optional).map_err(|reason| format!("{name}: {reason}"))
        })
        .collect::<Result<Vec<_>, String>>()?;
    // The order of the declaration, as far as the description keeps it: required ones first.
    fields.sort_by_key(|field| required.iter().position(|name| *name == field.name).unwrap_or(usize::MAX));
    Ok(Definition::Record { doc: doc(schema), fields })
}

/// A union with its records, if the schema is one: every choice is an object with a word of its own in
/// the same field.
#[expect(clippy::type_complexity, reason = "taken apart at once")]
fn union(name: &str, schema: &Value) -> Result<Option<(Definition, Vec<(String, Definition)>)>, String> {
    let Some(choices) = schema.get("oneOf").and_then(Value::as_array) else { return Ok(None) };
    if choices.iter().any(|choice| choice.get("properties").is_none()) {
        return Ok(None);
    }
    let (mut variants, mut records) = (Vec::new(), Vec::new());
    let mut told_by = None;
    for choice in choices {
        let tags = object(choice, "properties")?.iter();
        let mut tags = tags.filter_map(|(field, schema)| Some((field, schema.get("const")?.as_str()?)));
        let (Some((field, word)), None) = (tags.next(), tags.next()) else {
            return Err(String::from("a choice has no word of its own"));
        };
        if told_by.get_or_insert_with(|| field.clone()) != field {
            return Err(String::from("the choices are told apart by different fields"));
        }
        let record = format!("{}{name}", super::words::pascal(word));
        records.push((record.clone(), definition(choice)?));
        variants.push(Variant { word: word.to_owned(), record });
    }
    let tag = told_by.ok_or("a union has no choices")?;
    Ok(Some((Definition::Union { doc: doc(schema), tag, variants }, records)))
}

/// The values of an enumeration, if the schema is one.
fn words(schema: &Value) -> Option<Result<Vec<Word>, String>> {
    if let Some(names) = schema.get("enum").and_then(Value::as_array) {
        return Some(names.iter().map(|name| word(name, String::new())).collect());
    }
    let choices = schema.get("oneOf").and_then(Value::as_array)?;
    let one = |choice: &Value| match (choice.get("const"), choice.get("enum").and_then(Value::as_array)) {
        (Some(name), _) => vec![word(name, doc(choice))],
        (None, Some(names)) => names.iter().map(|name| word(name, String::new())).collect(),
        (None, None) => vec![Err(format!("not a word: {choice}"))],
    };
    Some(choices.iter().flat_map(one).collect())
}

fn word(name: &Value, doc: String) -> Result<Word, String> {
    let name = name.as_str().ok_or("a word is no text")?.to_owned();
    Ok(Word { name, doc })
}

fn field(name: &str, schema: &Value, optional: bool) -> Result<Field, String> {
    let (kind, nullable) = kind(schema)?;
    let default = schema.get("default").filter(|default| optional && !default.is_null()).cloned();
    let secret = schema.get("format").and_then(Value::as_str) == Some("password");
    Ok(Field { name: name.to_owned(), doc: doc(schema), kind, nullable, optional, default, secret })
}

/// What a schema describes, and whether null is one of its values.
fn kind(schema: &Value) -> Result<(Kind, bool), String> {
    if schema.get("$ref").is_some() {
        return Ok((Kind::Named(reference(schema)?), false));
    }
    if let Some(choices) = schema.get("anyOf").and_then(Value::as_array) {
        let is_null = |choice: &&Value| choice.get("type").and_then(Value::as_str) == Some("null");
        let nullable = choices.iter().any(|choice| is_null(&choice));
        let rest: Vec<&Value> = choices.iter().filter(|choice| !is_null(choice)).collect();
        return match rest.as_slice() {
            [one] => Ok((kind(one)?.0, nullable)),
            _ => Err(format!("a union that no generator knows: {schema}")),
        };
    }
    if let Some(word) = schema.get("const").and_then(Value::as_str) {
        return Ok((Kind::Word(word.to_owned()), false));
    }
    let (name, nullable) = match member(schema, "type")? {
        Value::String(name) => (name.as_str(), false),
        Value::Array(names) => {
            let names: Vec<&str> = names.iter().filter_map(Value::as_str).collect();
            match names.iter().filter(|name| **name != "null").collect::<Vec<_>>().as_slice() {
                [one] => (**one, names.contains(&"null")),
                _ => return Err(format!("a union that no generator knows: {schema}")),
            }
        }
        _ => return Err(format!("a type that no generator knows: {schema}")),
    };
    let kind = match name {
        "string" if schema.get("format").and_then(Value::as_str) == Some("address") => Kind::Address,
        "string" => Kind::Text,
        "integer" => Kind::Integer,
        "number" => Kind::Number,
        "boolean" => Kind::Boolean,
        "array" => Kind::List(Box::new(kind(member(schema, "items")?)?.0)),
        _ => return Err(format!("a type that no generator knows: {schema}")),
    };
    Ok((kind, nullable))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn schemas_become_fields() {
        let schema = json!({
            "type": "object",
            "description": "A thing\nof two lines.\n\nMore.",
            "properties": {
                "chat": { "type": "string", "format": "address", "description": "Where." },
                "ids": { "type": "array", "items": { "type": "array", "items": { "type": "integer" } } },
                "maybe": { "anyOf": [{ "$ref": "#/$defs/Other" }, { "type": "null" }] },
                "name": { "type": ["string", "null"], "default": null },
            },
            "required": ["ids", "chat"],
        });
        let Definition::Record { doc, fields } = definition(&schema).unwrap() else { panic!("a record") };
        assert_eq!(doc, "A thing of two lines.\n\nMore.");
        let seen: Vec<_> = fields
            .iter()
            .map(|field| (field.name.as_str(), &field.kind, field.nullable, field.optional))
            .collect();
        let lists = Kind::List(Box::new(Kind::List(Box::new(Kind::Integer))));
        assert_eq!(
            seen,
            [
                ("ids", &lists, false, false),
                ("chat", &Kind::Address, false, false),
                ("maybe", &Kind::Named(String::from("Other")), true, true),
                ("name", &Kind::Text, true, true),
            ]
        );
    }

    #[test]
    fn words_become_enumerations_and_unknown_shapes_are_refused() {
        let schema = json!({ "oneOf": [{ "type": "string", "const": "read", "description": "Seen." }] });
        let Definition::Enumeration { words, .. } = definition(&schema).unwrap() else {
            panic!("an enumeration")
        };
        assert_eq!((words[0].name.as_str(), words[0].doc.as_str()), ("read", "Seen."));
        let choice = |word: &str| {
            let kind = json!({ "type": "string", "const": word });
            json!({ "type": "object", "properties": { "type": kind, "size": { "type": "integer", "default": 0 } },
                    "required": ["type"] })
        };
        let schema = json!({ "oneOf": [choice("big_box"), choice("bag")], "description": "A thing." });
        let (Definition::Union { tag, variants, .. }, records) = union("Thing", &schema).unwrap().unwrap()
        else {
            panic!("a union")
        };
        let told: Vec<_> = variants.iter().map(|one| (one.word.as_str(), one.record.as_str())).collect();
        assert_eq!((tag.as_str(), told), ("type", vec![("big_box", "BigBoxThing"), ("bag", "BagThing")]));
        let Definition::Record { fields, .. } = &records[0].1 else { panic!("a record") };
        assert_eq!(fields[0].kind, Kind::Word(String::from("big_box")));
        assert_eq!(fields[1].default, Some(json!(0)));
        let union = json!({ "type": ["string", "integer"] });
        assert!(kind(&union).is_err());
    }
}
