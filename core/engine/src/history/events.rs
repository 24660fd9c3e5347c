//! What the host is told of the history.

use crate::error::Code;

/// What a piece of the history is (media document §17).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HistoryKind {
    /// Chats with what is known of them, and their newest messages.
    Bootstrap,
    /// Statuses.
    Status,
    /// Older messages, as far back as the client asked for when it was linked.
    Full,
    /// Messages of the last weeks.
    Recent,
    /// Names that people give themselves.
    PushNames,
    /// Calls, stickers and the like.
    Other,
    /// Messages that were asked for.
    OnDemand,
    /// A kind that this version does not know.
    Unknown,
}

impl HistoryKind {
    /// The kind of a number.
    pub(crate) const fn of_number(number: i32) -> Self {
        match number {
            0 => Self::Bootstrap,
            1 => Self::Status,
            2 => Self::Full,
            3 => Self::Recent,
            4 => Self::PushNames,
            5 => Self::Other,
            6 => Self::OnDemand,
            _ => Self::Unknown,
        }
    }

    /// The number of a kind; -1 for unknown ones.
    pub(crate) const fn number(self) -> i32 {
        match self {
            Self::Bootstrap => 0,
            Self::Status => 1,
            Self::Full => 2,
            Self::Recent => 3,
            Self::PushNames => 4,
            Self::Other => 5,
            Self::OnDemand => 6,
            Self::Unknown => -1,
        }
    }
}

/// How far the present piece of the history is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HistoryProgress {
    /// What it is.
    pub kind: HistoryKind,
    /// Which piece of its kind, from 1.
    pub chunk: u32,
    /// How much of the recent or full history there is with it, in percent, as the phone says.
    pub progress: Option<u32>,
    /// It is downloaded; afterwards it is read.
    pub downloading: bool,
    /// Messages of it that were read.
    pub messages: u64,
    /// Octets that were downloaded or read.
    pub done: u64,
    /// Of so many; 0 while that is not known.
    pub total: u64,
}

/// A piece of the history was dealt with.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HistorySync {
    /// What it is.
    pub kind: HistoryKind,
    /// Which piece of its kind, from 1.
    pub chunk: u32,
    /// How much of the recent or full history there is with it, in percent.
    pub progress: Option<u32>,
    /// Chats in it.
    pub chats: u64,
    /// Messages in it.
    pub messages: u64,
    /// Records that were left out, since they are damaged.
    pub damaged: u64,
    /// Calls of the phone's log in it. They are in the archive as messages.
    pub calls: u64,
    /// Stickers in it that were used lately; [`recent_stickers`](crate::Client::recent_stickers) has them.
    pub stickers: u64,
    /// The request that it answers, if one was made.
    pub request_id: Option<String>,
    /// Why it could not be read to its end. What was read is in the archive.
    pub error: Option<Code>,
}
