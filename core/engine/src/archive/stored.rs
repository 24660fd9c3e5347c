//! What is found in the archive.

use whimbrel_content::Content;
use whimbrel_content::addons::Going;
use whimbrel_content::context::Context;

use super::row::SentStatus;
use crate::events::Identity;

/// A message of the archive.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct StoredMessage {
    /// Id within the chat and sender.
    pub message_id: String,
    /// The chat.
    pub chat: Identity,
    /// Who wrote it.
    pub sender: Identity,
    /// This account wrote it.
    pub from_me: bool,
    /// The service's time, seconds since 1970.
    pub timestamp: i64,
    /// What it says, as last edited. `None` for one that was taken back, and for a notice of the
    /// service.
    pub content: Option<Content>,
    /// What surrounds it.
    pub context: Context,
    /// Its words, if it has any.
    pub text: Option<String>,
    /// It is to be seen once.
    pub view_once: bool,
    /// How far it came, of messages of this account.
    pub status: Option<SentStatus>,
    /// It has a star.
    pub starred: bool,
    /// When it was last edited, milliseconds since 1970.
    pub edited_at_ms: Option<i64>,
    /// Who took it back, and when in seconds since 1970.
    pub revoked: Option<(Identity, i64)>,
    /// What the service wrote in the chat, by number, and its parameters.
    pub notice: Option<(u32, Vec<String>)>,
    /// What people reacted with, oldest first.
    pub reactions: Vec<StoredReaction>,
    /// How far each recipient is with it. Only [`Client::stored_message`](crate::Client::stored_message) says it.
    pub recipients: Vec<Recipient>,
    /// The count of a poll. Only [`Client::stored_message`](crate::Client::stored_message) says it.
    pub votes: Vec<PollVote>,
    /// What people answered to an event. Only [`Client::stored_message`](crate::Client::stored_message) says it.
    pub answers: Vec<StoredAnswer>,
    /// It is pinned in the chat.
    pub pinned: Option<StoredPin>,
    /// It disappears, and is kept: who kept it, if that is known, and when in milliseconds since 1970.
    pub kept: Option<(Option<Identity>, i64)>,
    /// Comments on it.
    pub comments: u32,
    /// The whole content as protobuf (`Message`).
    pub raw: Vec<u8>,
}

/// A person's reaction to a message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredReaction {
    /// Who.
    pub sender: Identity,
    /// With what.
    pub emoji: String,
    /// When, milliseconds since 1970.
    pub at_ms: i64,
}

/// A message is pinned in its chat, for everybody.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredPin {
    /// Who pinned it, if that is known.
    pub by: Option<Identity>,
    /// When, milliseconds since 1970.
    pub at_ms: i64,
    /// Until when, seconds since 1970.
    pub until: i64,
}

/// A person's answer to an event.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredAnswer {
    /// Who.
    pub who: Identity,
    /// Whether they come; `None` for an answer of an unknown kind.
    pub answer: Option<Going>,
    /// How many others they bring.
    pub guests: u32,
    /// When, milliseconds since 1970.
    pub at_ms: i64,
}

/// How far a recipient is with a message; times in seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recipient {
    /// Who.
    pub who: Identity,
    /// When a device of them first had it.
    pub delivered_at: Option<i64>,
    /// When they read it.
    pub read_at: Option<i64>,
    /// When they played or opened it.
    pub played_at: Option<i64>,
}

/// Who voted for an option of a poll.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PollVote {
    /// The option; `None` for one that the poll does not have.
    pub option: Option<String>,
    /// Who voted for it.
    pub voters: Vec<Identity>,
}

/// A chat of the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Chat {
    /// The chat.
    pub chat: Identity,
    /// Subject of a group, or name of the person.
    pub name: Option<String>,
    /// Time of its newest message, seconds since 1970; 0 if there is none.
    pub latest_at: i64,
    /// Messages that are not read.
    pub unread: u32,
    /// It is archived.
    pub archived: bool,
    /// When it was pinned, seconds since 1970.
    pub pinned_at: Option<i64>,
    /// Until when it is muted, seconds since 1970; -1: for ever.
    pub muted_until: Option<i64>,
    /// It is behind the phone's lock.
    pub locked: bool,
    /// Somebody marked it as unread.
    pub marked_unread: bool,
    /// Ids of its labels.
    pub labels: Vec<String>,
    /// How long its messages stay, seconds; 0: for ever.
    pub timer: u32,
    /// The phone has older messages of it, which can be asked for; `None` if that is not known.
    pub has_older: Option<bool>,
}

/// A label, or list, for chats and messages.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Label {
    /// Its id, a number.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Number of its colour.
    pub color: Option<i32>,
    /// Which of the labels it is that every account has.
    pub predefined: Option<i32>,
    /// Its place among the labels.
    pub order: Option<i32>,
}

/// A person of the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Contact {
    /// The person.
    pub who: Identity,
    /// Name in the phone's address book.
    pub name: Option<String>,
    /// First name in the phone's address book.
    pub first_name: Option<String>,
    /// Name that the person gives themselves.
    pub push_name: Option<String>,
    /// User name.
    pub username: Option<String>,
}

/// Somebody who is in a group no more.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PastMember {
    /// Who.
    pub who: Identity,
    /// Somebody else removed them; otherwise they left.
    pub removed: bool,
    /// When, seconds since 1970; 0 if that is not known.
    pub at: i64,
}
