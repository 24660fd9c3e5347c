//! The schema as the JSON file states it.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Messages and enums by full name; nested names are dotted (`Message.ImageMessage`).
#[derive(Debug, Deserialize)]
pub(crate) struct Schema {
    sources: Vec<Source>,
    pub(crate) messages: BTreeMap<String, Message>,
    pub(crate) enums: BTreeMap<String, Enum>,
}

/// One description of the protocol that the schema was compared with.
#[derive(Debug, Deserialize)]
struct Source {
    app_version: String,
}

/// One message type.
#[derive(Debug, Deserialize)]
pub(crate) struct Message {
    pub(crate) fields: Vec<Field>,
    pub(crate) origin: Option<String>,
    #[serde(default)]
    pub(crate) retired: bool,
    #[serde(default)]
    pub(crate) proto3_upstream: bool,
}

/// One field of a message.
#[derive(Debug, Deserialize)]
pub(crate) struct Field {
    pub(crate) number: u32,
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) type_name: String,
    pub(crate) kind: Kind,
    pub(crate) label: Label,
    pub(crate) map_key: Option<String>,
    pub(crate) oneof: Option<String>,
    pub(crate) default: Option<String>,
    #[serde(default)]
    pub(crate) packed: bool,
    #[serde(default)]
    pub(crate) retired: bool,
    #[serde(default)]
    pub(crate) declared_required: bool,
    pub(crate) moved_to: Option<u32>,
}

/// What a field's type name refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Scalar,
    Message,
    Enum,
}

/// How often a field occurs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Label {
    Optional,
    Repeated,
    Map,
}

/// One enum type.
#[derive(Debug, Deserialize)]
pub(crate) struct Enum {
    pub(crate) values: Vec<Value>,
    pub(crate) origin: Option<String>,
}

/// One value of an enum.
#[derive(Debug, Deserialize)]
pub(crate) struct Value {
    pub(crate) name: String,
    pub(crate) number: i32,
    #[serde(default)]
    pub(crate) retired: bool,
}

/// Fields whose JSON name in the JavaScript clients differs from the schema's spelling, and that
/// spelling (messages document, sections 19 and 22).
const JSON_NAMES: [(&str, &str, &str); 3] = [
    ("Message.ExtendedTextMessage", "faviconMmsMetadata", "faviconMMSMetadata"),
    ("SyncActionValue.AgentAction", "deviceId", "deviceID"),
    ("SyncActionValue.ChatAssignmentAction", "deviceAgentId", "deviceAgentID"),
];

impl Schema {
    /// Reads the file and puts fields and values into the order of their numbers.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut schema: Self =
            serde_json::from_str(text).map_err(|error| format!("the schema is not readable: {error}"))?;
        for message in schema.messages.values_mut() {
            message.fields.sort_by_key(|field| field.number);
        }
        Ok(schema)
    }

    /// The newest version of the official client that the schema describes.
    pub(crate) fn app_version(&self) -> Result<&str, String> {
        let parts = |version: &str| -> Vec<u64> {
            version.split('.').map(|part| part.parse().unwrap_or_default()).collect()
        };
        let versions = self.sources.iter().map(|source| source.app_version.as_str());
        versions
            .max_by_key(|version| parts(version))
            .ok_or_else(|| String::from("the schema names no source"))
    }

    /// The origin that the schema gives for a top-level name.
    pub(crate) fn origin(&self, name: &str) -> Option<&str> {
        let message = self.messages.get(name).and_then(|message| message.origin.as_deref());
        message.or_else(|| self.enums.get(name).and_then(|found| found.origin.as_deref()))
    }
}

/// The name a field carries in JSON.
pub(crate) fn json_name<'a>(message: &str, field: &'a Field) -> &'a str {
    JSON_NAMES
        .iter()
        .find(|(owner, name, _)| *owner == message && *name == field.name)
        .map_or(field.name.as_str(), |(_, _, json)| json)
}

/// The outermost part of a dotted name.
pub(crate) fn outermost(name: &str) -> &str {
    name.split('.').next().unwrap_or(name)
}
