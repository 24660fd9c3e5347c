//! Events about the history.

use schemars::JsonSchema;
use serde::Serialize;
use whimbrel::events;

/// What a piece of the history is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HistoryType {
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

impl From<events::HistoryKind> for HistoryType {
    fn from(kind: events::HistoryKind) -> Self {
        use events::HistoryKind as Kind;
        match kind {
            Kind::Bootstrap => Self::Bootstrap,
            Kind::Status => Self::Status,
            Kind::Full => Self::Full,
            Kind::Recent => Self::Recent,
            Kind::PushNames => Self::PushNames,
            Kind::Other => Self::Other,
            Kind::OnDemand => Self::OnDemand,
            _ => Self::Unknown,
        }
    }
}

/// Emitted when the download or the reading of a piece of the history got on; about ten times a second, and
/// at the end of each piece. Only the latest counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryProgress {
    /// What it is.
    pub history: HistoryType,
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

impl From<&events::HistoryProgress> for HistoryProgress {
    fn from(event: &events::HistoryProgress) -> Self {
        Self {
            history: event.kind.into(),
            chunk: event.chunk,
            progress: event.progress,
            downloading: event.downloading,
            messages: event.messages,
            done: event.done,
            total: event.total,
        }
    }
}

/// Emitted when a piece of the history that the phone handed over is in the archive, or could not be
/// read to its end. Look again at what you show of chats.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct History {
    /// What it is.
    pub history: HistoryType,
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
    /// Calls of the phone's log in it; they are in the archive as messages.
    pub calls: u64,
    /// Stickers in it that were used lately; `list_recent_stickers` has them.
    pub stickers: u64,
    /// The request that it answers, if one was made.
    pub request_id: Option<String>,
    /// Why it could not be read to its end: the name of the error code. What was read is in the archive.
    pub error: Option<&'static str>,
}

impl From<&events::HistorySync> for History {
    fn from(event: &events::HistorySync) -> Self {
        Self {
            history: event.kind.into(),
            chunk: event.chunk,
            progress: event.progress,
            chats: event.chats,
            messages: event.messages,
            damaged: event.damaged,
            calls: event.calls,
            stickers: event.stickers,
            request_id: event.request_id.clone(),
            error: event.error.map(|code| crate::codes::info(code).name),
        }
    }
}
