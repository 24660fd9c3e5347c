//! Names and kinds of fields, for everything that treats messages without knowing their type: the
//! JSON forms, `Debug`, the depth check.

/// A message type that carries its description.
pub trait Described: prost::Message {
    /// The description of this type.
    const DESCRIPTOR: &'static MessageDescriptor;
}

/// One message type.
#[derive(Debug)]
pub struct MessageDescriptor {
    /// The full name without package; nested names are dotted (`Message.ImageMessage`).
    pub name: &'static str,
    /// The fields in the order of their numbers.
    pub fields: &'static [FieldDescriptor],
}

/// One field of a message type.
pub struct FieldDescriptor {
    /// The number on the wire.
    pub number: u32,
    /// The name in JSON, in the spelling of the JavaScript clients.
    pub name: &'static str,
    /// What the field holds.
    pub kind: Kind,
    /// How often it occurs.
    pub label: Label,
}

/// One enum type.
#[derive(Debug)]
pub struct EnumDescriptor {
    /// The full name without package; nested names are dotted.
    pub name: &'static str,
    /// Number and name of each value.
    pub values: &'static [(i32, &'static str)],
}

/// What a field holds.
#[derive(Clone, Copy)]
pub enum Kind {
    /// A flag.
    Bool,
    /// Text.
    String,
    /// Raw bytes.
    Bytes,
    /// A signed number of 32 bits as a varint.
    Int32,
    /// A signed number of 64 bits as a varint.
    Int64,
    /// An unsigned number of 32 bits as a varint.
    Uint32,
    /// An unsigned number of 64 bits as a varint.
    Uint64,
    /// An unsigned number in four bytes.
    Fixed32,
    /// A signed number in four bytes.
    Sfixed32,
    /// A signed number in eight bytes.
    Sfixed64,
    /// A floating-point number in four bytes.
    Float,
    /// A floating-point number in eight bytes.
    Double,
    /// A message.
    Message(&'static MessageDescriptor),
    /// An enum; numbers that it does not name are kept.
    Enum(&'static EnumDescriptor),
}

/// How often a field occurs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    /// At most once.
    Optional,
    /// Any number of times.
    Repeated,
    /// A map from numbers of 32 bits.
    MapByNumber,
    /// A map from texts.
    MapByText,
}

impl FieldDescriptor {
    /// A field; the generated table is made of these.
    pub(crate) const fn new(number: u32, name: &'static str, kind: Kind, label: Label) -> Self {
        Self { number, name, kind, label }
    }
}

impl MessageDescriptor {
    /// The field with this number.
    #[must_use]
    pub fn field(&self, number: u32) -> Option<&'static FieldDescriptor> {
        let at = self.fields.binary_search_by_key(&number, |field| field.number).ok()?;
        self.fields.get(at)
    }

    /// The field with this name, in camelCase or snake_case; upper and lower case are not
    /// distinguished, so the spellings of other clients (`fileSHA256`, `deviceId`) are found too.
    #[must_use]
    pub fn field_by_name(&self, name: &str) -> Option<&'static FieldDescriptor> {
        let exact = self.fields.iter().find(|field| field.name == name);
        exact.or_else(|| self.fields.iter().find(|field| same_name(field.name, name)))
    }

    /// The last part of the name.
    #[must_use]
    pub fn short_name(&self) -> &'static str {
        self.name.rsplit('.').next().unwrap_or(self.name)
    }

    /// The message type with this full name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        let table = &crate::generated::table::MESSAGES;
        let at = table.binary_search_by_key(&name, |message| message.name).ok()?;
        table.get(at)
    }
}

impl EnumDescriptor {
    /// The name of a number.
    #[must_use]
    pub fn name_of(&self, number: i32) -> Option<&'static str> {
        self.values.iter().find(|(known, _)| *known == number).map(|(_, name)| *name)
    }

    /// The number of a name.
    #[must_use]
    pub fn number_of(&self, name: &str) -> Option<i32> {
        self.values.iter().find(|(_, known)| *known == name).map(|(number, _)| *number)
    }
}

// By hand, because a message may contain itself and a derived implementation would not end.
impl std::fmt::Debug for FieldDescriptor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} {:?} {} = {}", self.label, self.kind, self.name, self.number)
    }
}

impl std::fmt::Debug for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Bool => "bool",
            Self::String => "string",
            Self::Bytes => "bytes",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Uint32 => "uint32",
            Self::Uint64 => "uint64",
            Self::Fixed32 => "fixed32",
            Self::Sfixed32 => "sfixed32",
            Self::Sfixed64 => "sfixed64",
            Self::Float => "float",
            Self::Double => "double",
            Self::Message(message) => message.name,
            Self::Enum(found) => found.name,
        })
    }
}

/// Whether two names are equal but for upper case and underscores.
fn same_name(left: &str, right: &str) -> bool {
    let plain = |name: &str| -> Vec<u8> {
        name.bytes().filter(|byte| *byte != b'_').map(|byte| byte.to_ascii_lowercase()).collect()
    };
    plain(left) == plain(right)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::generated::table::{ENUMS, MESSAGES};

    #[test]
    fn tables_are_sorted_and_names_are_unique_in_every_spelling() {
        assert!(MESSAGES.is_sorted_by_key(|message| message.name));
        assert!(ENUMS.is_sorted_by_key(|found| found.name));
        for message in &MESSAGES {
            assert!(message.fields.is_sorted_by_key(|field| field.number), "{}", message.name);
            let plain: BTreeSet<String> =
                message.fields.iter().map(|field| field.name.replace('_', "").to_lowercase()).collect();
            assert_eq!(plain.len(), message.fields.len(), "{}", message.name);
        }
    }

    #[test]
    fn names_are_found_in_all_spellings() {
        let image = MessageDescriptor::find("Message.ImageMessage").unwrap();
        for name in ["fileEncSha256", "file_enc_sha256", "fileEncSHA256"] {
            assert_eq!(image.field_by_name(name).unwrap().name, "fileEncSha256");
        }
        let agent = MessageDescriptor::find("SyncActionValue.AgentAction").unwrap();
        assert_eq!(agent.field_by_name("deviceId").unwrap().name, "deviceID");
        assert!(agent.field_by_name("device").is_none());
    }
}
