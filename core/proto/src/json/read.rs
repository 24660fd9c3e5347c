//! From JSON to a message.
//!
//! Everything that the forms of [`super::Form`] write is read, and what users of other clients write
//! by hand besides (messages document, section 19.1).

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};
use serde_json::{Map, Value};

use crate::descriptor::{Described, EnumDescriptor, FieldDescriptor, Kind, Label, MessageDescriptor};
use crate::wire::{put_bytes, put_key, put_varint};

/// Base64 after padding was taken off and the url-safe letters were replaced.
const BASE64: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, NO_PAD);

/// What to do with names that the schema does not know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownFields {
    /// Report them: most are typing errors.
    #[default]
    Refuse,
    /// Skip them, as the JavaScript clients do.
    Ignore,
}

/// Why JSON is not the expected message. Paths are made of field names (`imageMessage.fileLength`).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// A name that the schema does not know.
    #[error("no field is called {path}")]
    UnknownField {
        /// Where it stands.
        path: String,
    },
    /// A value of another type, or out of the type's range.
    #[error("{path} is not {expected}")]
    WrongType {
        /// Where it stands.
        path: String,
        /// What is expected instead.
        expected: &'static str,
    },
    /// An enum has no value of this name.
    #[error("{path} is no value of {expected}")]
    UnknownValue {
        /// Where it stands.
        path: String,
        /// The enum's name.
        expected: &'static str,
    },
    /// Messages are nested deeper than [`crate::MAX_DEPTH`].
    #[error("messages nest deeper than {} levels", crate::MAX_DEPTH)]
    TooDeep,
}

/// Reads a message.
///
/// Names may be in camelCase or snake_case; long integers are numbers, decimal strings or
/// `{low, high}`; bytes are base64 (standard or url-safe), `{"0": 1, …}`, a list of numbers or
/// `{"type": "Buffer", "data": …}`; enums are names or numbers; `null` is an absent field.
pub fn from_json<M: Described + Default>(value: &Value, unknown: UnknownFields) -> Result<M, ReadError> {
    let mut encoder = Encoder { unknown, path: Vec::new() };
    let mut bytes = Vec::new();
    encoder.message(&mut bytes, M::DESCRIPTOR, value, 0)?;
    // The depth is the only thing that can be wrong with bytes that were just encoded.
    M::decode(bytes.as_slice()).map_err(|_| ReadError::TooDeep)
}

struct Encoder {
    unknown: UnknownFields,
    path: Vec<String>,
}

impl Encoder {
    fn message(
        &mut self,
        out: &mut Vec<u8>,
        descriptor: &'static MessageDescriptor,
        value: &Value,
        depth: usize,
    ) -> Result<(), ReadError> {
        if depth > crate::MAX_DEPTH {
            return Err(ReadError::TooDeep);
        }
        let Value::Object(object) = value else { return Err(self.wrong("an object")) };
        for (name, value) in object {
            self.path.push(name.clone());
            match descriptor.field_by_name(name) {
                Some(field) => self.field(out, field, value, depth)?,
                None if self.unknown == UnknownFields::Ignore => {}
                None => return Err(ReadError::UnknownField { path: self.path.join(".") }),
            }
            self.path.pop();
        }
        Ok(())
    }

    fn field(
        &mut self,
        out: &mut Vec<u8>,
        field: &'static FieldDescriptor,
        value: &Value,
        depth: usize,
    ) -> Result<(), ReadError> {
        match (field.label, value) {
            (_, Value::Null) => Ok(()),
            (Label::Optional, _) => self.item(out, field.number, field.kind, value, depth),
            (Label::Repeated, Value::Array(items)) => {
                for (at, item) in items.iter().enumerate() {
                    self.path.push(at.to_string());
                    self.item(out, field.number, field.kind, item, depth)?;
                    self.path.pop();
                }
                Ok(())
            }
            (Label::Repeated, _) => Err(self.wrong("a list")),
            (Label::MapByNumber | Label::MapByText, Value::Object(entries)) => {
                for (key, item) in entries {
                    self.path.push(key.clone());
                    let mut entry = Vec::new();
                    if field.label == Label::MapByNumber {
                        let number: u32 =
                            key.parse().map_err(|_| self.wrong("a number of 32 bits as key"))?;
                        put_key(&mut entry, 1, 0);
                        put_varint(&mut entry, u64::from(number));
                    } else {
                        put_bytes(&mut entry, 1, key.as_bytes());
                    }
                    self.item(&mut entry, 2, field.kind, item, depth)?;
                    put_bytes(out, field.number, &entry);
                    self.path.pop();
                }
                Ok(())
            }
            (Label::MapByNumber | Label::MapByText, _) => Err(self.wrong("an object")),
        }
    }

    fn item(
        &mut self,
        out: &mut Vec<u8>,
        number: u32,
        kind: Kind,
        value: &Value,
        depth: usize,
    ) -> Result<(), ReadError> {
        match kind {
            Kind::Message(descriptor) => {
                let mut inner = Vec::new();
                self.message(&mut inner, descriptor, value, depth + 1)?;
                put_bytes(out, number, &inner);
            }
            Kind::String => {
                put_bytes(out, number, value.as_str().ok_or_else(|| self.wrong("a text"))?.as_bytes());
            }
            Kind::Bytes => {
                let bytes = bytes(value).ok_or_else(|| self.wrong("bytes (base64 or a list of numbers)"))?;
                put_bytes(out, number, &bytes);
            }
            Kind::Bool => {
                let flag = value.as_bool().ok_or_else(|| self.wrong("true or false"))?;
                varint(out, number, u64::from(flag));
            }
            Kind::Enum(known) => {
                let found = self.enumeration(known, value)?;
                varint(out, number, i64::from(found).cast_unsigned());
            }
            Kind::Int32 | Kind::Sfixed32 => {
                let found = integer(value)
                    .and_then(|found| i32::try_from(found).ok())
                    .ok_or_else(|| self.wrong("a signed number of 32 bits"))?;
                if matches!(kind, Kind::Int32) {
                    varint(out, number, i64::from(found).cast_unsigned());
                } else {
                    put_key(out, number, 5);
                    out.extend_from_slice(&found.to_le_bytes());
                }
            }
            Kind::Uint32 | Kind::Fixed32 => {
                let found = integer(value)
                    .and_then(|found| u32::try_from(found).ok())
                    .ok_or_else(|| self.wrong("an unsigned number of 32 bits"))?;
                if matches!(kind, Kind::Uint32) {
                    varint(out, number, u64::from(found));
                } else {
                    put_key(out, number, 5);
                    out.extend_from_slice(&found.to_le_bytes());
                }
            }
            Kind::Int64 | Kind::Sfixed64 => {
                let found = integer(value)
                    .and_then(|found| i64::try_from(found).ok())
                    .ok_or_else(|| self.wrong("a signed number of 64 bits"))?;
                if matches!(kind, Kind::Int64) {
                    varint(out, number, found.cast_unsigned());
                } else {
                    put_key(out, number, 1);
                    out.extend_from_slice(&found.to_le_bytes());
                }
            }
            Kind::Uint64 => {
                let found = integer(value)
                    .and_then(|found| u64::try_from(found).ok())
                    .ok_or_else(|| self.wrong("an unsigned number of 64 bits"))?;
                varint(out, number, found);
            }
            Kind::Float => {
                let found = double(value).ok_or_else(|| self.wrong("a number"))?;
                put_key(out, number, 5);
                #[expect(clippy::cast_possible_truncation, reason = "the field has this precision")]
                out.extend_from_slice(&(found as f32).to_le_bytes());
            }
            Kind::Double => {
                let found = double(value).ok_or_else(|| self.wrong("a number"))?;
                put_key(out, number, 1);
                out.extend_from_slice(&found.to_le_bytes());
            }
        }
        Ok(())
    }

    /// An enum's number, also one that the schema does not name.
    fn enumeration(&self, known: &'static EnumDescriptor, value: &Value) -> Result<i32, ReadError> {
        match value {
            Value::String(name) => known
                .number_of(name)
                .ok_or_else(|| ReadError::UnknownValue { path: self.path.join("."), expected: known.name }),
            _ => integer(value)
                .and_then(|found| i32::try_from(found).ok())
                .ok_or_else(|| self.wrong("the name or number of an enum value")),
        }
    }

    fn wrong(&self, expected: &'static str) -> ReadError {
        let path = if self.path.is_empty() { String::from("the message") } else { self.path.join(".") };
        ReadError::WrongType { path, expected }
    }
}

fn varint(out: &mut Vec<u8>, number: u32, value: u64) {
    put_key(out, number, 0);
    put_varint(out, value);
}

/// An integer as number, as decimal string, or as `{low, high, unsigned}`.
fn integer(value: &Value) -> Option<i128> {
    match value {
        Value::Number(number) => {
            let whole = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
            whole.or_else(|| whole_double(number.as_f64()?))
        }
        Value::String(text) => text.parse().ok(),
        Value::Object(parts) => {
            let half = |name: &str| {
                let number = parts.get(name)?.as_i64()?;
                // Both halves are printed as signed numbers, but unsigned ones are unambiguous too.
                i32::try_from(number).map(i32::cast_unsigned).or_else(|_| u32::try_from(number)).ok()
            };
            let joined = u64::from(half("high")?) << 32 | u64::from(half("low")?);
            let unsigned = parts.get("unsigned").and_then(Value::as_bool).unwrap_or(false);
            Some(if unsigned { i128::from(joined) } else { i128::from(joined.cast_signed()) })
        }
        _ => None,
    }
}

/// A number written with a fraction or an exponent that is whole nevertheless (`1e3`).
fn whole_double(number: f64) -> Option<i128> {
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked beside it")]
    (number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0).then_some(number as i128)
}

fn double(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn bytes(value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::String(text) => base64(text),
        Value::Array(items) => items.iter().map(byte).collect(),
        Value::Object(object) => match (object.get("type"), object.get("data")) {
            (Some(Value::String(kind)), Some(data @ (Value::Array(_) | Value::String(_))))
                if kind == "Buffer" =>
            {
                bytes(data)
            }
            _ => indexed(object),
        },
        _ => None,
    }
}

/// `{"0": 1, "1": 2, …}` without gaps.
fn indexed(object: &Map<String, Value>) -> Option<Vec<u8>> {
    (0..object.len()).map(|at| byte(object.get(&at.to_string())?)).collect()
}

fn byte(value: &Value) -> Option<u8> {
    u8::try_from(value.as_u64()?).ok()
}

fn base64(text: &str) -> Option<Vec<u8>> {
    let standard: Vec<u8> = text
        .trim_end_matches('=')
        .bytes()
        .map(|letter| match letter {
            b'-' => b'+',
            b'_' => b'/',
            other => other,
        })
        .collect();
    BASE64.decode(standard).ok()
}
