//! The stored form of events about the history.

use super::record::{UnreadableRow, status_of};
use crate::error::Code;
use crate::events::{HistoryKind, HistorySync};

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct HistoryRow {
    #[prost(int32, tag = "1")]
    kind: i32,
    #[prost(uint32, tag = "2")]
    chunk: u32,
    #[prost(uint32, optional, tag = "3")]
    progress: Option<u32>,
    #[prost(uint64, tag = "4")]
    chats: u64,
    #[prost(uint64, tag = "5")]
    messages: u64,
    #[prost(uint64, tag = "6")]
    damaged: u64,
    #[prost(string, optional, tag = "7")]
    request_id: Option<String>,
    #[prost(uint32, optional, tag = "8")]
    error: Option<u32>,
    #[prost(uint64, tag = "9")]
    calls: u64,
    #[prost(uint64, tag = "10")]
    stickers: u64,
}

impl From<&HistorySync> for HistoryRow {
    fn from(event: &HistorySync) -> Self {
        Self {
            kind: event.kind.number(),
            chunk: event.chunk,
            progress: event.progress,
            chats: event.chats,
            messages: event.messages,
            damaged: event.damaged,
            calls: event.calls,
            stickers: event.stickers,
            request_id: event.request_id.clone(),
            error: event.error.map(|code| u32::from(code.number())),
        }
    }
}

impl TryFrom<HistoryRow> for HistorySync {
    type Error = UnreadableRow;

    fn try_from(row: HistoryRow) -> Result<Self, UnreadableRow> {
        let error = |number| status_of(number).ok().and_then(Code::of_number).unwrap_or(Code::Internal);
        Ok(Self {
            kind: HistoryKind::of_number(row.kind),
            chunk: row.chunk,
            progress: row.progress,
            chats: row.chats,
            messages: row.messages,
            damaged: row.damaged,
            calls: row.calls,
            stickers: row.stickers,
            request_id: row.request_id,
            // A newer version may have codes that this one does not know.
            error: row.error.map(error),
        })
    }
}
