//! The stored form of events about messages.

use whimbrel_content::classify::{Class, Shown, reread};
use whimbrel_proto::e2e::Message as Content;

use super::record::{IdentityRow, UnreadableRow, device_of, identity_of, identity_row, jid_of, status_of};
use crate::error::Code;
use crate::events::{Message, Receipt, ReceiptKind, SendStatus, Undecryptable};
use crate::messages::MessageKey;
use crate::messages::arrival::unsupported;

#[derive(Clone, PartialEq, prost::Message)]
struct KeyRow {
    #[prost(string, tag = "1")]
    message_id: String,
    #[prost(string, optional, tag = "2")]
    sender: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct MessageRow {
    #[prost(string, tag = "1")]
    message_id: String,
    #[prost(message, optional, tag = "2")]
    chat: Option<IdentityRow>,
    #[prost(message, optional, tag = "3")]
    sender: Option<IdentityRow>,
    #[prost(uint32, tag = "4")]
    sender_device: u32,
    #[prost(bool, tag = "5")]
    from_me: bool,
    #[prost(int64, tag = "6")]
    timestamp: i64,
    #[prost(string, optional, tag = "7")]
    push_name: Option<String>,
    #[prost(message, optional, tag = "9")]
    quoted: Option<KeyRow>,
    #[prost(bool, tag = "10")]
    offline: bool,
    #[prost(string, optional, tag = "11")]
    completes: Option<String>,
    #[prost(bytes = "vec", tag = "12")]
    raw: Vec<u8>,
    #[prost(bool, tag = "13")]
    mentions_me: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct UndecryptableRow {
    #[prost(string, tag = "1")]
    message_id: String,
    #[prost(message, optional, tag = "2")]
    chat: Option<IdentityRow>,
    #[prost(message, optional, tag = "3")]
    sender: Option<IdentityRow>,
    #[prost(uint32, tag = "4")]
    sender_device: u32,
    #[prost(int64, tag = "5")]
    timestamp: i64,
    #[prost(string, tag = "6")]
    reason: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct ReceiptRow {
    #[prost(message, optional, tag = "1")]
    chat: Option<IdentityRow>,
    #[prost(message, optional, tag = "2")]
    sender: Option<IdentityRow>,
    #[prost(uint32, tag = "3")]
    sender_device: u32,
    #[prost(string, repeated, tag = "4")]
    message_ids: Vec<String>,
    /// 1 delivered, 2 read, 3 played, 4 read on an own device.
    #[prost(uint32, tag = "5")]
    kind: u32,
    #[prost(int64, tag = "6")]
    timestamp: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct SendStatusRow {
    #[prost(message, optional, tag = "1")]
    chat: Option<IdentityRow>,
    #[prost(string, tag = "2")]
    message_id: String,
    #[prost(uint32, optional, tag = "3")]
    refused: Option<u32>,
    #[prost(int64, tag = "4")]
    timestamp: i64,
    #[prost(uint32, optional, tag = "5")]
    error: Option<u32>,
}

impl From<&Message> for MessageRow {
    fn from(event: &Message) -> Self {
        Self {
            message_id: event.message_id.clone(),
            chat: Some(identity_row(&event.chat)),
            sender: Some(identity_row(&event.sender)),
            sender_device: event.sender_device.into(),
            from_me: event.from_me,
            timestamp: event.timestamp,
            push_name: event.push_name.clone(),
            quoted: event.quoted.as_ref().map(|key| KeyRow {
                message_id: key.message_id.clone(),
                sender: key.sender.as_ref().map(ToString::to_string),
            }),
            offline: event.offline,
            completes: event.completes.clone(),
            raw: event.raw.clone(),
            mentions_me: event.mentions_me,
        }
    }
}

impl TryFrom<MessageRow> for Message {
    type Error = UnreadableRow;

    fn try_from(row: MessageRow) -> Result<Self, UnreadableRow> {
        let chat = identity_of(row.chat)?;
        // What it says is read again from the raw form, so that nothing is stored twice.
        let shown = match reread(content_of(&row.raw)?, &chat.id, row.from_me).class {
            Class::Message(shown) => *shown,
            Class::Nothing => unsupported(!row.from_me),
            _ => return Err(UnreadableRow),
        };
        let Shown { content, context, view_once, association, unread } = shown;
        Ok(Self {
            message_id: row.message_id,
            is_status: chat.id.is_status(),
            chat,
            sender: identity_of(row.sender)?,
            sender_device: device_of(row.sender_device)?,
            from_me: row.from_me,
            timestamp: row.timestamp,
            push_name: row.push_name,
            text: content.body(),
            content,
            context,
            quoted: row.quoted.map(key_of).transpose()?,
            view_once,
            mentions_me: row.mentions_me,
            association,
            unread,
            offline: row.offline,
            completes: row.completes,
            raw: row.raw,
        })
    }
}

/// The message in its raw form.
pub(super) fn content_of(raw: &[u8]) -> Result<Content, UnreadableRow> {
    whimbrel_proto::decode(raw).map_err(|_| UnreadableRow)
}

impl From<&Undecryptable> for UndecryptableRow {
    fn from(event: &Undecryptable) -> Self {
        Self {
            message_id: event.message_id.clone(),
            chat: Some(identity_row(&event.chat)),
            sender: Some(identity_row(&event.sender)),
            sender_device: event.sender_device.into(),
            timestamp: event.timestamp,
            reason: event.reason.clone().into_owned(),
        }
    }
}

impl TryFrom<UndecryptableRow> for Undecryptable {
    type Error = UnreadableRow;

    fn try_from(row: UndecryptableRow) -> Result<Self, UnreadableRow> {
        Ok(Self {
            message_id: row.message_id,
            chat: identity_of(row.chat)?,
            sender: identity_of(row.sender)?,
            sender_device: device_of(row.sender_device)?,
            timestamp: row.timestamp,
            reason: row.reason.into(),
        })
    }
}

impl From<&Receipt> for ReceiptRow {
    fn from(event: &Receipt) -> Self {
        Self {
            chat: Some(identity_row(&event.chat)),
            sender: Some(identity_row(&event.sender)),
            sender_device: event.sender_device.into(),
            message_ids: event.message_ids.clone(),
            kind: match event.kind {
                ReceiptKind::Delivered => 1,
                ReceiptKind::Read => 2,
                ReceiptKind::Played => 3,
                ReceiptKind::ReadSelf => 4,
            },
            timestamp: event.timestamp,
        }
    }
}

impl TryFrom<ReceiptRow> for Receipt {
    type Error = UnreadableRow;

    fn try_from(row: ReceiptRow) -> Result<Self, UnreadableRow> {
        Ok(Self {
            chat: identity_of(row.chat)?,
            sender: identity_of(row.sender)?,
            sender_device: device_of(row.sender_device)?,
            message_ids: row.message_ids,
            kind: match row.kind {
                1 => ReceiptKind::Delivered,
                2 => ReceiptKind::Read,
                3 => ReceiptKind::Played,
                4 => ReceiptKind::ReadSelf,
                _ => return Err(UnreadableRow),
            },
            timestamp: row.timestamp,
        })
    }
}

impl From<&SendStatus> for SendStatusRow {
    fn from(event: &SendStatus) -> Self {
        Self {
            chat: Some(identity_row(&event.chat)),
            message_id: event.message_id.clone(),
            refused: event.refused.map(u32::from),
            timestamp: event.timestamp,
            error: event.error.map(|code| u32::from(code.number())),
        }
    }
}

impl TryFrom<SendStatusRow> for SendStatus {
    type Error = UnreadableRow;

    fn try_from(row: SendStatusRow) -> Result<Self, UnreadableRow> {
        Ok(Self {
            chat: identity_of(row.chat)?,
            message_id: row.message_id,
            refused: row.refused.map(status_of).transpose()?,
            // A newer version may have codes that this one does not know.
            error: row
                .error
                .map(|number| status_of(number).ok().and_then(Code::of_number).unwrap_or(Code::Refused)),
            timestamp: row.timestamp,
        })
    }
}

fn key_of(row: KeyRow) -> Result<MessageKey, UnreadableRow> {
    Ok(MessageKey { message_id: row.message_id, sender: row.sender.as_deref().map(jid_of).transpose()? })
}
