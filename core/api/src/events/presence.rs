//! Presence and chat state as events.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use whimbrel::events;

use super::Identity;

/// Emitted when a watched person comes online or goes, or the number of members of a watched group
/// changes who are; at once after `watch_presence`, and only while this account is available. Only the
/// latest of each counts, and only while the connection lasts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PresenceChanged {
    /// The person or group.
    pub who: Identity,
    /// Whether the person is online, or anybody in the group.
    pub available: bool,
    /// When the person was last online, seconds since 1970; absent if nobody says so.
    pub last_seen: Option<i64>,
    /// The person does not let this account see when that was.
    pub last_seen_hidden: bool,
    /// How many members of the group are online; absent for people.
    pub members_online: Option<u32>,
}

impl From<&events::PresenceChanged> for PresenceChanged {
    fn from(event: &events::PresenceChanged) -> Self {
        let (last_seen, last_seen_hidden) = match event.last_seen {
            events::LastSeen::At(time) => (Some(time), false),
            events::LastSeen::Hidden => (None, true),
            _ => (None, false),
        };
        let (available, members_online) = (event.available, event.members_online);
        Self { who: (&event.who).into(), available, last_seen, last_seen_hidden, members_online }
    }
}

/// What somebody does in a chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChatState {
    /// Writes.
    Composing,
    /// Records a voice message.
    Recording,
    /// Neither any more.
    Paused,
}

impl From<ChatState> for events::ChatState {
    fn from(state: ChatState) -> Self {
        match state {
            ChatState::Composing => Self::Composing,
            ChatState::Recording => Self::Recording,
            ChatState::Paused => Self::Paused,
        }
    }
}

impl From<events::ChatState> for ChatState {
    fn from(state: events::ChatState) -> Self {
        match state {
            events::ChatState::Composing => Self::Composing,
            events::ChatState::Recording => Self::Recording,
            events::ChatState::Paused => Self::Paused,
        }
    }
}

/// Emitted when somebody begins to write or record in a chat, goes on with it, or stops. Only the latest
/// of each person and chat counts. It always ends: whoever does not say so again within 25 s is told as
/// paused, and so is everybody when the connection ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChatStateChanged {
    /// The chat.
    pub chat: Identity,
    /// Who it is.
    pub sender: Identity,
    /// What is done.
    pub state: ChatState,
}

impl From<&events::ChatStateChanged> for ChatStateChanged {
    fn from(event: &events::ChatStateChanged) -> Self {
        Self { chat: (&event.chat).into(), sender: (&event.sender).into(), state: event.state.into() }
    }
}
