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
    /// The request that it answers, if one was made.
    pub request_id: Option<String>,
    /// Why it could not be read to its end: the name of the error code. What was read is in the archive.
    pub error: Option<&'static str>,
}

impl From<&events::HistorySync> for History {
    fn from(event: &events::HistorySync) -> Self {
        use events::HistoryKind as Kind;
        Self {
            history: match event.kind {
                Kind::Bootstrap => HistoryType::Bootstrap,
                Kind::Status => HistoryType::Status,
                Kind::Full => HistoryType::Full,
                Kind::Recent => HistoryType::Recent,
                Kind::PushNames => HistoryType::PushNames,
                Kind::Other => HistoryType::Other,
                Kind::OnDemand => HistoryType::OnDemand,
                _ => HistoryType::Unknown,
            },
            chunk: event.chunk,
            progress: event.progress,
            chats: event.chats,
            messages: event.messages,
            damaged: event.damaged,
            request_id: event.request_id.clone(),
            error: event.error.map(|code| crate::codes::info(code).name),
        }
    }
}
