//! Message ranges: up to which message the author of an action saw a chat (app-state document §10.2).

use whimbrel_proto::common::MessageKey;
use whimbrel_proto::sync_action::sync_action_value::{SyncActionMessage, SyncActionMessageRange};

/// A message that a range names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RangedMessage {
    /// Chat of the message.
    pub chat: String,
    /// Its id.
    pub id: String,
    /// Whether the account wrote it.
    pub from_me: bool,
    /// Who wrote it, in groups.
    pub participant: Option<String>,
    /// Its time, seconds since 1970.
    pub timestamp: i64,
}

/// Up to which message the author of an action saw a chat.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MessageRange {
    /// Time of the last message, seconds since 1970; `None` if the author did not say.
    pub last_message_at: Option<i64>,
    /// Time of the last message that the service wrote itself, seconds since 1970.
    pub last_system_message_at: Option<i64>,
    /// The last messages.
    pub messages: Vec<RangedMessage>,
}

impl MessageRange {
    /// Reads a range; one that is missing says nothing.
    pub fn read(range: Option<&SyncActionMessageRange>) -> Self {
        let Some(range) = range else { return Self::default() };
        let message = |message: &SyncActionMessage| {
            let key = message.key.as_ref()?;
            Some(RangedMessage {
                chat: key.remote_jid.clone().unwrap_or_default(),
                id: key.id.clone()?,
                from_me: key.from_me.unwrap_or_default(),
                participant: key.participant.clone().filter(|participant| !participant.is_empty()),
                timestamp: message.timestamp.unwrap_or_default(),
            })
        };
        Self {
            last_message_at: range.last_message_timestamp.filter(|at| *at != 0),
            last_system_message_at: range.last_system_message_timestamp.filter(|at| *at != 0),
            messages: range.messages.iter().filter_map(message).collect(),
        }
    }

    /// The range on the wire.
    pub fn write(&self) -> SyncActionMessageRange {
        let message = |message: &RangedMessage| SyncActionMessage {
            key: Some(MessageKey {
                remote_jid: Some(message.chat.clone()),
                from_me: Some(message.from_me),
                id: Some(message.id.clone()),
                participant: message.participant.clone(),
            }),
            timestamp: Some(message.timestamp),
        };
        SyncActionMessageRange {
            last_message_timestamp: self.last_message_at,
            last_system_message_timestamp: self.last_system_message_at,
            messages: self.messages.iter().map(message).collect(),
        }
    }

    /// The time up to which messages belong to the range, seconds since 1970; `None` if the author
    /// named no message at all, so that all belong to it.
    pub fn end(&self) -> Option<i64> {
        let named = self.messages.iter().map(|message| message.timestamp).max();
        self.last_message_at.max(named)
    }
}
