//! A message as it stands in a chunk.

use std::str;

use whimbrel_proto::web::WebMessageInfo;
use whimbrel_proto::{DecodeError, decode};

use crate::wire::{Fields, Value};

/// A message that is not decoded yet: most of the time of reading history would go there, and
/// whoever stores messages as they came needs only the head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawMessage<'a>(pub(crate) &'a [u8]);

/// What a message is stored under.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MessageHead<'a> {
    /// Address of the chat.
    pub chat: &'a str,
    /// Id of the message.
    pub id: &'a str,
    /// Whether the own account wrote it.
    pub from_me: bool,
    /// Who wrote it in a group.
    pub participant: Option<&'a str>,
    /// When, in seconds since 1970; 0 if that is not said.
    pub timestamp: u64,
    /// How far it got, by number.
    pub status: Option<u64>,
}

impl<'a> RawMessage<'a> {
    /// A message by its octets.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The octets of the message.
    pub fn bytes(self) -> &'a [u8] {
        self.0
    }

    /// Reads only what the message is stored under; `None` if it is not a message.
    pub fn head(self) -> Option<MessageHead<'a>> {
        let mut head = MessageHead::default();
        let mut outer = None;
        let mut fields = Fields(self.0);
        while let Some((number, value)) = fields.next().ok()? {
            match (number, value) {
                (1, Value::Bytes(key)) => read_key(&mut head, key)?,
                (3, Value::Varint(timestamp)) => head.timestamp = timestamp,
                (4, Value::Varint(status)) => head.status = Some(status),
                (5, Value::Bytes(participant)) => outer = Some(str::from_utf8(participant).ok()?),
                _ => {}
            }
        }
        head.participant = head.participant.or(outer);
        Some(head)
    }

    /// Decodes the message.
    ///
    /// # Errors
    /// [`DecodeError`]; count it and go on with the next one.
    pub fn decode(self) -> Result<WebMessageInfo, DecodeError> {
        decode(self.0)
    }
}

fn read_key<'a>(head: &mut MessageHead<'a>, key: &'a [u8]) -> Option<()> {
    let mut fields = Fields(key);
    while let Some((number, value)) = fields.next().ok()? {
        match (number, value) {
            (1, Value::Bytes(chat)) => head.chat = str::from_utf8(chat).ok()?,
            (2, Value::Varint(from_me)) => head.from_me = from_me != 0,
            (3, Value::Bytes(id)) => head.id = str::from_utf8(id).ok()?,
            (4, Value::Bytes(participant)) => head.participant = Some(str::from_utf8(participant).ok()?),
            _ => {}
        }
    }
    Some(())
}
