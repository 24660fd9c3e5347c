//! What changes or annotates messages, in both directions: reactions, edits, revokes, votes, answers,
//! pins, and control messages of chats (messages document §5, §7, §10).
//!
//! Envelopes are opened with the secrets of the messages they belong to, which are [kept](parents) for
//! that; who may do what is [checked](receive) before the host hears of it.

pub(crate) mod parents;
pub(crate) mod receive;
mod send;
mod target;
pub(crate) mod waiting;

use whimbrel_content::addons::{Addon as What, SealedKind};
use whimbrel_content::protocol::Protocol;
use whimbrel_wire::Jid;

use crate::events::Identity;

/// Something that changes or annotates a message.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Addon {
    /// Id of the message that brought it.
    pub message_id: String,
    /// The chat.
    pub chat: Identity,
    /// Whose act it is.
    pub sender: Identity,
    /// Number of the sender's device: 0 is the phone.
    pub sender_device: u16,
    /// An act of this account, on another device of it.
    pub from_me: bool,
    /// The service's time, seconds since 1970.
    pub timestamp: i64,
    /// It waited at the service while this client was away.
    pub offline: bool,
    /// Id of the [`Undecryptable`](crate::events::Undecryptable) event that this completes.
    pub completes: Option<String>,
    /// The message that it is about.
    pub target: Target,
    /// What it is. [`Sealed`](What::Sealed) if nothing that is known opens it: it is of a kind that this
    /// version does not open; or the message that it is about is known, and its secret does not open it; or
    /// that message did not come within 14 days, or before more than a thousand others waited likewise.
    pub what: What,
    /// Of a vote: the options' words, as far as the poll is known and has them.
    pub options: Vec<String>,
    /// The message that brought it as protobuf (`Message`). What was sealed is still sealed in it.
    pub raw: Vec<u8>,
    /// What was in the envelope, for those that came in one and were opened.
    pub opened: Option<Vec<u8>>,
}

impl Addon {
    /// What it is, or would be if its envelope were opened.
    #[must_use]
    pub const fn family(&self) -> Family {
        match &self.what {
            What::Reaction(_) => Family::Reaction,
            What::Edit(_) => Family::Edit,
            What::Revoke(_) => Family::Revoke,
            What::Vote(_) => Family::Vote,
            What::PollEdit(_) => Family::PollEdit,
            What::PollOption(_) => Family::PollOption,
            What::EventAnswer(_) => Family::EventAnswer,
            What::EventEdit(_) => Family::EventEdit,
            What::Pin(_) => Family::Pin,
            What::Keep(_) => Family::Keep,
            What::Comment(_) => Family::Comment,
            What::Sealed(sealed) => match sealed.kind {
                SealedKind::Vote => Family::Vote,
                SealedKind::EventAnswer => Family::EventAnswer,
                SealedKind::Reaction => Family::Reaction,
                SealedKind::Comment => Family::Comment,
                SealedKind::EventEdit => Family::EventEdit,
                SealedKind::MessageEdit => Family::Edit,
                SealedKind::PollEdit => Family::PollEdit,
                SealedKind::PollOption => Family::PollOption,
                _ => Family::Other,
            },
            _ => Family::Other,
        }
    }
}

/// Families of [`Addon`]s.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Family {
    /// A reaction, or its removal.
    Reaction,
    /// New words for a message.
    Edit,
    /// A message is taken back.
    Revoke,
    /// A vote.
    Vote,
    /// New content for a poll.
    PollEdit,
    /// A new option for a poll.
    PollOption,
    /// An answer to an event.
    EventAnswer,
    /// A new state of an event.
    EventEdit,
    /// A message is pinned, or no longer.
    Pin,
    /// A disappearing message is kept, or no longer.
    Keep,
    /// A comment on a post.
    Comment,
    /// An envelope of a kind that this version does not open.
    Other,
}

/// The message that something is about, from this account's point of view. It is in the same chat.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Target {
    /// Its id.
    pub message_id: String,
    /// Who wrote it, by the address that identifies them here; `None` when nothing tells.
    pub author: Option<Jid>,
    /// This account wrote it.
    pub from_me: bool,
}

/// A control message that hosts may want to know of.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Control {
    /// Its id.
    pub message_id: String,
    /// The chat.
    pub chat: Identity,
    /// Who says it.
    pub sender: Identity,
    /// Number of the sender's device: 0 is the phone.
    pub sender_device: u16,
    /// Said by this account, on another device of it.
    pub from_me: bool,
    /// The service's time, seconds since 1970.
    pub timestamp: i64,
    /// It waited at the service while this client was away.
    pub offline: bool,
    /// Id of the [`Undecryptable`](crate::events::Undecryptable) event that this completes.
    pub completes: Option<String>,
    /// What it says.
    pub what: Protocol,
    /// It as protobuf (`Message`).
    pub raw: Vec<u8>,
}
