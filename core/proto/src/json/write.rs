//! From a message to JSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::ser::{Error as _, Serialize, SerializeMap as _, SerializeSeq as _, Serializer};

use crate::debug::low_32_bits;
use crate::descriptor::{Described, FieldDescriptor, Kind, Label, MessageDescriptor};
use crate::wire::{Malformed, Reader, Value};

/// A message nested deeper than this is not written: reading it back would be refused.
const MAX_DEPTH: usize = crate::MAX_DEPTH;

/// The largest integer that every reader of JSON represents exactly.
const LARGEST_EXACT: f64 = 9_007_199_254_740_992.0;

/// A spelling of messages in JSON (messages document, section 19.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// Long integers as decimal strings, bytes as base64, enums by name, absent fields omitted: what
    /// `JSON.stringify` makes of a message of the JavaScript clients. Messages that were first copied
    /// shallowly (`{...message}`) look the same, because a `Message` has no such field at its top.
    #[default]
    Named,
    /// Long integers as `{low, high, unsigned}`, bytes as an object of indices, enums by number, empty
    /// lists present: what a deep plain copy of such a message looks like.
    Plain,
}

/// A message on its way to JSON.
#[derive(Clone)]
pub struct View {
    descriptor: &'static MessageDescriptor,
    bytes: Vec<u8>,
    form: Form,
}

impl View {
    /// A view of a message.
    #[must_use]
    pub fn new<M: Described>(message: &M, form: Form) -> Self {
        Self { descriptor: M::DESCRIPTOR, bytes: message.encode_to_vec(), form }
    }
}

/// The message as a JSON value. Nesting beyond [`crate::MAX_DEPTH`] is the only error.
pub fn to_json<M: Described>(message: &M, form: Form) -> Result<serde_json::Value, serde_json::Error> {
    serde_json::to_value(View::new(message, form))
}

impl Serialize for View {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Node { descriptor: self.descriptor, bytes: &self.bytes, form: self.form, depth: 0 }
            .serialize(serializer)
    }
}

/// One message inside the view.
struct Node<'a> {
    descriptor: &'static MessageDescriptor,
    bytes: &'a [u8],
    form: Form,
    depth: usize,
}

impl Node<'_> {
    /// All known fields, in the order of their numbers.
    fn entries(&self) -> Result<Vec<(u32, Value<'_>)>, Malformed> {
        let mut reader = Reader(self.bytes);
        let mut entries = Vec::new();
        while let Some(entry) = reader.next()? {
            entries.push(entry);
        }
        entries.sort_by_key(|(number, _)| *number);
        Ok(entries)
    }
}

impl Serialize for Node<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.depth > MAX_DEPTH {
            return Err(S::Error::custom("messages nest too deep"));
        }
        let entries = self.entries().map_err(malformed)?;
        let of = |number: u32| {
            let start = entries.partition_point(|(found, _)| *found < number);
            entries.iter().skip(start).take_while(move |(found, _)| *found == number).map(|(_, value)| *value)
        };
        let mut object = serializer.serialize_map(None)?;
        // A plain copy starts with the lists, which its constructor sets before it reads anything.
        let passes: &[bool] = if self.form == Form::Plain { &[true, false] } else { &[false] };
        for lists_only in passes {
            for field in self.descriptor.fields {
                let is_list = field.label != Label::Optional;
                if self.form == Form::Plain && is_list != *lists_only {
                    continue;
                }
                let mut values = of(field.number).peekable();
                if values.peek().is_none() && !(is_list && self.form == Form::Plain) {
                    continue;
                }
                let context = Context { field, form: self.form, depth: self.depth };
                match field.label {
                    Label::Optional => {
                        if let Some(value) = values.last() {
                            object.serialize_entry(field.name, &Item { context, value })?;
                        }
                    }
                    Label::Repeated => {
                        let items = context.list(values).map_err(malformed)?;
                        object.serialize_entry(field.name, &List { context, items })?;
                    }
                    Label::MapByNumber | Label::MapByText => {
                        object.serialize_entry(field.name, &Entries { context, values: values.collect() })?;
                    }
                }
            }
        }
        object.end()
    }
}

#[derive(Clone, Copy)]
struct Context {
    field: &'static FieldDescriptor,
    form: Form,
    depth: usize,
}

impl Context {
    /// The items of a list, with packed ones taken apart.
    fn list<'a>(self, values: impl Iterator<Item = Value<'a>>) -> Result<Vec<Value<'a>>, Malformed> {
        let mut items = Vec::new();
        for value in values {
            let Value::Bytes(bytes) = value else {
                items.push(value);
                continue;
            };
            if matches!(self.field.kind, Kind::String | Kind::Bytes | Kind::Message(_)) {
                items.push(value);
                continue;
            }
            let mut packed = Reader(bytes);
            while !packed.0.is_empty() {
                items.push(match self.field.kind {
                    Kind::Fixed32 | Kind::Sfixed32 | Kind::Float => Value::Fixed32(packed.array()?),
                    Kind::Sfixed64 | Kind::Double => Value::Fixed64(packed.array()?),
                    _ => Value::Varint(packed.varint()?),
                });
            }
        }
        Ok(items)
    }
}

struct List<'a> {
    context: Context,
    items: Vec<Value<'a>>,
}

impl Serialize for List<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.items.len()))?;
        for value in &self.items {
            list.serialize_element(&Item { context: self.context, value: *value })?;
        }
        list.end()
    }
}

/// The entries of a map field: messages with key 1 and value 2.
struct Entries<'a> {
    context: Context,
    values: Vec<Value<'a>>,
}

impl Serialize for Entries<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(Some(self.values.len()))?;
        for value in &self.values {
            let Value::Bytes(bytes) = value else { return Err(malformed(Malformed)) };
            let mut reader = Reader(bytes);
            let mut key = if self.context.field.label == Label::MapByNumber {
                String::from("0")
            } else {
                String::new()
            };
            let mut content = match self.context.field.kind {
                Kind::String | Kind::Bytes | Kind::Message(_) => Value::Bytes(&[]),
                _ => Value::Varint(0),
            };
            while let Some((number, value)) = reader.next().map_err(malformed)? {
                match (number, value) {
                    (1, Value::Varint(found)) => key = found.to_string(),
                    (1, Value::Bytes(found)) => key = text(found)?.to_owned(),
                    (2, found) => content = found,
                    _ => {}
                }
            }
            object.serialize_entry(&key, &Item { context: self.context, value: content })?;
        }
        object.end()
    }
}

/// A single value of a field.
struct Item<'a> {
    context: Context,
    value: Value<'a>,
}

impl Serialize for Item<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Context { field, form, depth } = self.context;
        match (field.kind, self.value) {
            (Kind::Message(descriptor), Value::Bytes(bytes)) => {
                Node { descriptor, bytes, form, depth: depth + 1 }.serialize(serializer)
            }
            (Kind::String, Value::Bytes(bytes)) => serializer.serialize_str(text(bytes)?),
            (Kind::Bytes, Value::Bytes(bytes)) => match form {
                Form::Named => serializer.serialize_str(&STANDARD.encode(bytes)),
                Form::Plain => {
                    serializer.collect_map(bytes.iter().enumerate().map(|(at, byte)| (at.to_string(), byte)))
                }
            },
            (Kind::Bool, Value::Varint(number)) => serializer.serialize_bool(number != 0),
            (Kind::Enum(known), Value::Varint(number)) => {
                let number = low_32_bits(number);
                match known.name_of(number) {
                    Some(name) if form == Form::Named => serializer.serialize_str(name),
                    _ => serializer.serialize_i32(number),
                }
            }
            (Kind::Int32, Value::Varint(number)) => serializer.serialize_i32(low_32_bits(number)),
            (Kind::Uint32, Value::Varint(number)) => {
                serializer.serialize_u32(low_32_bits(number).cast_unsigned())
            }
            (Kind::Int64, Value::Varint(number)) => long(number, false, form, serializer),
            (Kind::Uint64, Value::Varint(number)) => long(number, true, form, serializer),
            (Kind::Sfixed64, Value::Fixed64(bytes)) => {
                long(u64::from_le_bytes(bytes), false, form, serializer)
            }
            (Kind::Fixed32, Value::Fixed32(bytes)) => serializer.serialize_u32(u32::from_le_bytes(bytes)),
            (Kind::Sfixed32, Value::Fixed32(bytes)) => serializer.serialize_i32(i32::from_le_bytes(bytes)),
            (Kind::Float, Value::Fixed32(bytes)) => {
                double(f64::from(f32::from_le_bytes(bytes)), form, serializer)
            }
            (Kind::Double, Value::Fixed64(bytes)) => double(f64::from_le_bytes(bytes), form, serializer),
            _ => Err(malformed(Malformed)),
        }
    }
}

/// A number of 64 bits, which JavaScript cannot represent.
fn long<S: Serializer>(number: u64, unsigned: bool, form: Form, serializer: S) -> Result<S::Ok, S::Error> {
    match form {
        Form::Named if unsigned => serializer.serialize_str(&number.to_string()),
        Form::Named => serializer.serialize_str(&number.cast_signed().to_string()),
        Form::Plain => {
            let mut object = serializer.serialize_map(Some(3))?;
            object.serialize_entry("low", &low_32_bits(number))?;
            object.serialize_entry("high", &low_32_bits(number >> 32))?;
            object.serialize_entry("unsigned", &unsigned)?;
            object.end()
        }
    }
}

/// A floating-point number; whole ones without a fraction, as JavaScript prints them.
fn double<S: Serializer>(number: f64, form: Form, serializer: S) -> Result<S::Ok, S::Error> {
    if number.is_finite() {
        #[expect(clippy::cast_possible_truncation, reason = "the range is checked beside it")]
        return if number.fract() == 0.0 && number.abs() < LARGEST_EXACT {
            serializer.serialize_i64(number as i64)
        } else {
            serializer.serialize_f64(number)
        };
    }
    match form {
        Form::Plain => serializer.serialize_none(),
        Form::Named if number.is_nan() => serializer.serialize_str("NaN"),
        Form::Named if number > 0.0 => serializer.serialize_str("Infinity"),
        Form::Named => serializer.serialize_str("-Infinity"),
    }
}

fn text<E: serde::ser::Error>(bytes: &[u8]) -> Result<&str, E> {
    std::str::from_utf8(bytes).map_err(E::custom)
}

fn malformed<E: serde::ser::Error>(_: Malformed) -> E {
    E::custom("the message is malformed")
}
