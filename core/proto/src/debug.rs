//! `Debug` of all messages: shape without content.
//!
//! Messages carry keys and people's words, and whatever can be printed ends up in a log. Texts and
//! bytes are therefore shown by their length only; numbers, flags and enums are shown. Whoever needs
//! the content asks for it, as JSON.

use std::fmt;

use crate::descriptor::{Described, FieldDescriptor, Kind, Label, MessageDescriptor};
use crate::wire::{Reader, Value};

/// What the generated implementations call.
pub(crate) fn fmt<M: Described>(message: &M, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    fmt::Debug::fmt(&Shape { descriptor: M::DESCRIPTOR, bytes: &message.encode_to_vec() }, f)
}

struct Shape<'a> {
    descriptor: &'static MessageDescriptor,
    bytes: &'a [u8],
}

impl fmt::Debug for Shape<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct(self.descriptor.short_name());
        let mut reader = Reader(self.bytes);
        while let Ok(Some((number, value))) = reader.next() {
            if let Some(field) = self.descriptor.field(number) {
                shown.field(field.name, &Content { field, value });
            }
        }
        shown.finish()
    }
}

struct Content<'a> {
    field: &'static FieldDescriptor,
    value: Value<'a>,
}

impl fmt::Debug for Content<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.field.kind, self.value) {
            (Kind::Message(descriptor), Value::Bytes(bytes))
                if matches!(self.field.label, Label::Optional | Label::Repeated) =>
            {
                fmt::Debug::fmt(&Shape { descriptor, bytes }, f)
            }
            (_, Value::Bytes(bytes)) => write!(f, "<{} bytes>", bytes.len()),
            (Kind::Enum(known), Value::Varint(number)) => {
                let number = low_32_bits(number);
                match known.name_of(number) {
                    Some(name) => f.write_str(name),
                    None => write!(f, "{number}"),
                }
            }
            (Kind::Bool, Value::Varint(number)) => write!(f, "{}", number != 0),
            (Kind::Int32 | Kind::Int64, Value::Varint(number)) => write!(f, "{}", number.cast_signed()),
            (_, Value::Varint(number)) => write!(f, "{number}"),
            (Kind::Float, Value::Fixed32(bytes)) => write!(f, "{}", f32::from_le_bytes(bytes)),
            (Kind::Sfixed32, Value::Fixed32(bytes)) => write!(f, "{}", i32::from_le_bytes(bytes)),
            (_, Value::Fixed32(bytes)) => write!(f, "{}", u32::from_le_bytes(bytes)),
            (Kind::Double, Value::Fixed64(bytes)) => write!(f, "{}", f64::from_le_bytes(bytes)),
            (_, Value::Fixed64(bytes)) => write!(f, "{}", i64::from_le_bytes(bytes)),
        }
    }
}

/// A 32-bit number as protobuf readers take it from a longer varint.
pub(crate) fn low_32_bits(number: u64) -> i32 {
    let [a, b, c, d, ..] = number.to_le_bytes();
    i32::from_le_bytes([a, b, c, d])
}

#[cfg(test)]
mod tests {
    use crate::e2e::{Message, MessageContextInfo};

    #[test]
    fn debug_shows_the_shape_and_neither_words_nor_keys() {
        let message = Message {
            conversation: Some(String::from("meet me at nine")),
            message_context_info: Some(Box::new(MessageContextInfo {
                message_secret: Some(vec![0xab; 32]),
                message_add_on_duration_in_secs: Some(7),
                ..Default::default()
            })),
            ..Default::default()
        };
        assert_eq!(
            format!("{message:?}"),
            "Message { conversation: <15 bytes>, messageContextInfo: MessageContextInfo { messageSecret: \
             <32 bytes>, messageAddOnDurationInSecs: 7 } }"
        );
    }
}
