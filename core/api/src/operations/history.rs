//! The history that the phone has.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use whimbrel::{CallOptions, Client, Error, parse_address};

use super::Operation;

/// Asks the phone for messages of a chat that are older than the oldest one in the archive, 50 at a
/// time, and returns when they are there. The answer counts 0 messages if there are no older ones. The
/// phone has to be online.
///
/// Fails with `NOT_FOUND` if the archive has no message of the chat to count from, with `TIMED_OUT` if the
/// phone does not answer, and with `NOT_SUPPORTED` if the client was opened without an archive.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RequestHistory {
    /// The chat.
    #[schemars(extend("format" = "address"))]
    pub chat: String,
}

/// Older messages that were asked for and are in the archive now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OlderHistory {
    /// How many there are; 0: there are no older ones.
    pub messages: u64,
    /// Records that were left out, since they are damaged.
    pub damaged: u64,
    /// Id of the request, which the `history` event has too.
    pub request_id: Option<String>,
}

impl Operation for RequestHistory {
    const NAME: &'static str = "request_history";
    type Output = OlderHistory;

    async fn run(self, client: &Client, options: CallOptions) -> Result<OlderHistory, Error> {
        let chat = parse_address(&self.chat)?;
        let sync = client.request_history(&chat, options).await?;
        Ok(OlderHistory { messages: sync.messages, damaged: sync.damaged, request_id: sync.request_id })
    }
}

/// Asks the phone for all messages that it has, long after linking, and returns when it has agreed. They come
/// as after linking: a `history` event of the kind `full` for each piece, with the id of this request. The
/// phone has to be online, and be one of a business.
///
/// Fails with `NOT_SUPPORTED` if the phone is no business phone or the client was opened without an archive,
/// with `HISTORY_DECLINED` if the phone does not hand its history over, and with `TIMED_OUT` if it does not
/// answer. Repeating is safe, though the phone may hand everything over once more.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RequestFullHistory {
    /// How many days back, at least 1; absent: all that there is.
    #[serde(default)]
    pub days: Option<u32>,
}

/// The phone agreed to hand all of its history over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FullHistory {
    /// Id of the request, which the `history` events have too.
    pub request_id: String,
}

impl Operation for RequestFullHistory {
    const NAME: &'static str = "request_full_history";
    type Output = FullHistory;

    async fn run(self, client: &Client, options: CallOptions) -> Result<FullHistory, Error> {
        client.request_full_history(self.days, options).await.map(|request_id| FullHistory { request_id })
    }
}
