//! Messages: what the host names them by, how they are sent, and how they arrive.

pub(crate) mod arrival;
mod bot;
mod cache;
pub(crate) mod compose;
pub(crate) mod decrypt;
pub(crate) mod inbound;
pub(crate) mod outbox;
pub(crate) mod peer;
pub(crate) mod receive;
pub(crate) mod reporting;
pub(crate) mod route;
pub(crate) mod send;
pub(crate) mod sending;
mod signal_state;
pub(crate) mod stanza;
#[cfg(test)]
pub(crate) mod tests;
pub(crate) mod timers;

pub(crate) use cache::Cache;
pub(crate) use inbound::Replies;
pub(crate) use outbox::Outbox;
pub(crate) use signal_state::{SignalState, Unit};
pub(crate) use stanza::Received;

use whimbrel_wire::jid::Jid;

use crate::events::Identity;

/// Names a message within a chat.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageKey {
    /// Its id, as its sender made it.
    pub message_id: String,
    /// Who wrote it. `None`: the other person of a direct chat.
    pub sender: Option<Jid>,
}

/// A message that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentMessage {
    /// Its id, as the engine made it or the host gave it.
    pub message_id: String,
    /// The chat it went to.
    pub chat: Identity,
    /// The service's time, seconds since 1970; 0 if only the queue was waited for.
    pub timestamp: i64,
    /// The number that a channel gave its post, by which others name it; `None` for other chats, and for a
    /// post that had been sent before.
    pub server_id: Option<u64>,
}
