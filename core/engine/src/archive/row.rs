//! What the archive keeps, and the changes that are made to it. Chats and people stand under the
//! addresses that identify them; see [`Identity`](crate::events::Identity).

use whimbrel_content::addons::Going;
use whimbrel_wire::Jid;

/// Who wrote something: `None` is this account.
pub(crate) type Author = Option<Jid>;

/// How far a message of this account came. The numbers are those of the history (media document §19.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SentStatus {
    /// It was refused, or will not be sent.
    Failed = 0,
    /// It is on its way to the service.
    Pending = 1,
    /// The service has it.
    Sent = 2,
    /// A device of a recipient has it.
    Delivered = 3,
    /// A recipient read it.
    Read = 4,
    /// A recipient played or opened it.
    Played = 5,
}

impl SentStatus {
    /// The status of a number.
    pub(crate) const fn of_number(number: u64) -> Option<Self> {
        Some(match number {
            0 => Self::Failed,
            1 => Self::Pending,
            2 => Self::Sent,
            3 => Self::Delivered,
            4 => Self::Read,
            5 => Self::Played,
            _ => return None,
        })
    }
}

/// Names a message of the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) chat: Jid,
    pub(crate) message_id: String,
    /// Who wrote it, if that is known.
    pub(crate) author: Option<Author>,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MessageRow {
    pub(crate) chat: Jid,
    pub(crate) author: Author,
    pub(crate) message_id: String,
    /// Seconds since 1970.
    pub(crate) timestamp: i64,
    /// The `Message`, encoded; empty for one that is of the service, such as "the subject was changed".
    pub(crate) content: Vec<u8>,
    /// Of messages of this account.
    pub(crate) status: Option<SentStatus>,
    pub(crate) starred: bool,
    /// It makes the chat one message less read.
    pub(crate) unread: bool,
    /// What the service wrote in the chat, by number, with its parameters (messages document §15.2).
    pub(crate) notice: Option<(u32, Vec<String>)>,
}

/// A person's reaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReactionRow {
    pub(crate) sender: Author,
    /// `None`: taken back.
    pub(crate) emoji: Option<String>,
    pub(crate) at_ms: i64,
}

/// A person's vote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct VoteRow {
    pub(crate) voter: Author,
    /// Hashes of the options; none: taken back.
    pub(crate) options: Vec<[u8; 32]>,
    pub(crate) at_ms: i64,
}

/// A message was pinned, or no longer is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PinRow {
    /// Who did it, where that is known.
    pub(crate) sender: Option<Author>,
    /// Until when it is pinned, seconds; `None`: it is not.
    pub(crate) until: Option<i64>,
    pub(crate) at_ms: i64,
}

/// A disappearing message was kept, or no longer is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeepRow {
    /// Who did it, where that is known.
    pub(crate) sender: Option<Author>,
    pub(crate) kept: bool,
    pub(crate) at_ms: i64,
}

/// A person's answer to an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AnswerRow {
    pub(crate) person: Author,
    /// `None`: of a kind that this version does not know.
    pub(crate) answer: Option<Going>,
    /// How many others they bring.
    pub(crate) guests: u32,
    pub(crate) at_ms: i64,
}

/// Somebody who is in a group no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PastMemberRow {
    pub(crate) person: Author,
    /// Somebody else removed them.
    pub(crate) removed: bool,
    /// When, seconds; 0 if that is not known.
    pub(crate) at: i64,
}

/// How far a recipient's devices are with a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Times {
    pub(crate) delivered_at: Option<i64>,
    pub(crate) read_at: Option<i64>,
    pub(crate) played_at: Option<i64>,
}

/// What is known of a chat. Only what is said here is changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ChatRow {
    pub(crate) name: Option<String>,
    /// At least as new as this, seconds.
    pub(crate) latest_at: Option<i64>,
    pub(crate) unread: Option<u32>,
    pub(crate) archived: Option<bool>,
    /// When it was pinned, seconds; 0: it is not.
    pub(crate) pinned_at: Option<i64>,
    /// Until when it is muted, seconds; 0: it is not.
    pub(crate) muted_until: Option<i64>,
    /// Seconds after which its messages disappear; 0: never.
    pub(crate) timer: Option<u32>,
    /// Why there is no older history of it here, by number (media document §19.2).
    pub(crate) history_end: Option<u32>,
    /// It is behind the phone's lock.
    pub(crate) locked: Option<bool>,
    /// It comes from the history, and does not count against what was learned since.
    pub(crate) is_old: bool,
}

/// What is known of a person. Only what is said here is changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PersonRow {
    /// As the address book of the phone has it.
    pub(crate) name: Option<String>,
    pub(crate) first_name: Option<String>,
    /// As the person says.
    pub(crate) push_name: Option<String>,
    pub(crate) username: Option<String>,
}

/// A label, or list, for chats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LabelRow {
    pub(crate) name: String,
    /// Number of its colour.
    pub(crate) color: Option<i32>,
    /// Which of the labels it is that every account has.
    pub(crate) predefined: Option<i32>,
    /// Its place among the labels.
    pub(crate) order: Option<i32>,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ArchiveChange {
    /// A message that is new, or comes again.
    Message(Box<MessageRow>),
    /// A message of this account is as far as this, at this time in seconds.
    Status(Target, SentStatus, i64),
    /// Somebody's devices have messages of this account, or its devices have read theirs.
    Times { chat: Jid, message_ids: Vec<String>, who: Author, times: Times },
    /// A message has a star, or no longer.
    Starred(Target, bool),
    /// A message is gone for this account.
    Deleted(Target),
    /// A chat is read up to a time in seconds; `None`: it is marked as unread.
    MarkedRead(Jid, Option<i64>),
    /// The messages of a chat are gone.
    Cleared {
        chat: Jid,
        /// Up to this time, seconds.
        until: i64,
        /// Those with a star as well.
        starred: bool,
        /// The chat as well, if nothing is left in it.
        chat_too: bool,
    },
    /// A chat is put into the archive of chats, unless somebody wrote in it after this time in seconds.
    PutAway(Jid, i64),
    /// A chat is taken out of the archive of chats, if it is there.
    TakenOut(Jid),
    /// A label is made or changed; `None`: it is gone.
    Label(String, Option<LabelRow>),
    /// The labels in their order, by their ids.
    LabelOrder(Vec<String>),
    /// A chat has a label, or no longer.
    Labelled(String, Jid, bool),
    /// Somebody reacted.
    Reaction(Target, ReactionRow),
    /// Somebody voted.
    Vote(Target, VoteRow),
    /// A message was pinned or unpinned. Like what follows, it may come before the message.
    Pinned(Target, PinRow),
    /// A message was kept, or no longer is.
    Kept(Target, KeepRow),
    /// Somebody commented on a message, by a message with this id.
    Commented(Target, Author, String),
    /// Somebody answered an event.
    Answered(Target, AnswerRow),
    /// A poll has another option.
    OptionAdded(Target, String),
    /// A call of the phone's log. Phones know no message of its id.
    Call(Box<MessageRow>),
    /// Somebody left a group.
    PastMember(Jid, PastMemberRow),
    /// A message was edited: the edit's `Message`, encoded, and its time in milliseconds.
    Edited(Target, Vec<u8>, i64),
    /// A message was taken back, by whom and when in seconds.
    Revoked(Target, Author, i64),
    /// Something about a chat.
    Chat(Jid, Box<ChatRow>),
    /// Something about a person.
    Person(Jid, Box<PersonRow>),
    /// A chat or person has another address now: (former, present).
    Moved(Jid, Jid),
    /// Whose it is, by phone number and LID. What was there of another account goes.
    Owner(Option<Jid>, Option<Jid>),
}
