//! What others do, as the host is told.

use crate::events::Identity;

/// When a person was last online.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LastSeen {
    /// Not said.
    #[default]
    Unknown,
    /// The person does not let this account see it.
    Hidden,
    /// Seconds since 1970.
    At(i64),
}

/// Who is online.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PresenceChanged {
    /// The person or group.
    pub who: Identity,
    /// Whether the person is online, or anybody in the group.
    pub available: bool,
    /// When the person was last online.
    pub last_seen: LastSeen,
    /// How many members of the group are online; `None` of people.
    pub members_online: Option<u32>,
}

/// What somebody does in a chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChatState {
    /// Writes.
    Composing,
    /// Records a voice message.
    Recording,
    /// Neither any more.
    Paused,
}

/// Somebody writes or records, or stops.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ChatStateChanged {
    /// The chat.
    pub chat: Identity,
    /// Who it is.
    pub sender: Identity,
    /// What is done.
    pub state: ChatState,
}
