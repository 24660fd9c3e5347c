//! The stored form of what changes or annotates messages, and of control messages. What they say is
//! read again from their raw forms.

use whimbrel_content::addons::Addon as What;
use whimbrel_content::classify::{Class, reread};

use super::messages::content_of;
use super::record::{IdentityRow, UnreadableRow, device_of, identity_of, identity_row, jid_of};
use crate::addons::{Addon, Control, Target};

#[derive(Clone, PartialEq, prost::Message)]
struct TargetRow {
    #[prost(string, tag = "1")]
    message_id: String,
    #[prost(string, optional, tag = "2")]
    author: Option<String>,
    #[prost(bool, tag = "3")]
    from_me: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct AddonRow {
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
    #[prost(bool, tag = "7")]
    offline: bool,
    #[prost(string, optional, tag = "8")]
    completes: Option<String>,
    #[prost(bytes = "vec", tag = "9")]
    raw: Vec<u8>,
    /// Absent for control messages.
    #[prost(message, optional, tag = "10")]
    target: Option<TargetRow>,
    /// The text of the envelope.
    #[prost(bytes = "vec", optional, tag = "11")]
    opened: Option<Vec<u8>>,
    #[prost(string, repeated, tag = "12")]
    options: Vec<String>,
}

impl From<&Addon> for AddonRow {
    fn from(event: &Addon) -> Self {
        Self {
            message_id: event.message_id.clone(),
            chat: Some(identity_row(&event.chat)),
            sender: Some(identity_row(&event.sender)),
            sender_device: event.sender_device.into(),
            from_me: event.from_me,
            timestamp: event.timestamp,
            offline: event.offline,
            completes: event.completes.clone(),
            raw: event.raw.clone(),
            target: Some(TargetRow {
                message_id: event.target.message_id.clone(),
                author: event.target.author.as_ref().map(ToString::to_string),
                from_me: event.target.from_me,
            }),
            opened: event.opened.clone(),
            options: event.options.clone(),
        }
    }
}

impl TryFrom<AddonRow> for Addon {
    type Error = UnreadableRow;

    fn try_from(row: AddonRow) -> Result<Self, UnreadableRow> {
        let chat = identity_of(row.chat)?;
        let Class::Addon(what) = reread(content_of(&row.raw)?, &chat.id, row.from_me).class else {
            return Err(UnreadableRow);
        };
        let what = match (*what, &row.opened) {
            (What::Sealed(sealed), Some(text)) => sealed.read(text).map_err(|_| UnreadableRow)?,
            (what, _) => what,
        };
        let target = row.target.ok_or(UnreadableRow)?;
        Ok(Self {
            message_id: row.message_id,
            chat,
            sender: identity_of(row.sender)?,
            sender_device: device_of(row.sender_device)?,
            from_me: row.from_me,
            timestamp: row.timestamp,
            offline: row.offline,
            completes: row.completes,
            target: Target {
                message_id: target.message_id,
                author: target.author.as_deref().map(jid_of).transpose()?,
                from_me: target.from_me,
            },
            what,
            options: row.options,
            raw: row.raw,
            opened: row.opened,
        })
    }
}

impl From<&Control> for AddonRow {
    fn from(event: &Control) -> Self {
        Self {
            message_id: event.message_id.clone(),
            chat: Some(identity_row(&event.chat)),
            sender: Some(identity_row(&event.sender)),
            sender_device: event.sender_device.into(),
            from_me: event.from_me,
            timestamp: event.timestamp,
            offline: event.offline,
            completes: event.completes.clone(),
            raw: event.raw.clone(),
            target: None,
            opened: None,
            options: Vec::new(),
        }
    }
}

impl TryFrom<AddonRow> for Control {
    type Error = UnreadableRow;

    fn try_from(row: AddonRow) -> Result<Self, UnreadableRow> {
        let chat = identity_of(row.chat)?;
        let Class::Protocol(what) = reread(content_of(&row.raw)?, &chat.id, row.from_me).class else {
            return Err(UnreadableRow);
        };
        Ok(Self {
            message_id: row.message_id,
            chat,
            sender: identity_of(row.sender)?,
            sender_device: device_of(row.sender_device)?,
            from_me: row.from_me,
            timestamp: row.timestamp,
            offline: row.offline,
            completes: row.completes,
            what: *what,
            raw: row.raw,
        })
    }
}
