//! Messages.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use whimbrel::{CallOptions, Client, Error, MessageKey, SendOptions, parse_address};

use super::{Done, Operation};
use crate::events::Identity;

/// Sends a text message, and returns when the service has it, or as `wait` says.
///
/// Accepted messages survive a crash of the process: they are sent at the next start, under the
/// same id. A call that is cancelled before its message has left withdraws the message. The fate
/// of a message that no call told comes as a `send_status` event.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SendText {
    /// Address of the chat: a JID, or a phone number with its country code.
    #[schemars(extend("format" = "address"))]
    pub chat: String,
    /// The text.
    pub text: String,
    /// Message to quote.
    #[serde(default)]
    pub quote: Option<QuotedMessage>,
    /// Id of the new message; a repetition under the same id is never a second message. The
    /// engine makes one if it is absent.
    #[serde(default)]
    pub message_id: Option<String>,
    /// What to wait for; the service's word if it is absent.
    #[serde(default)]
    pub wait: Option<SendWait>,
}

/// What a send waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SendWait {
    /// The message is durable and will be sent, whatever happens to the process.
    Queued,
    /// The service has it.
    Sent,
    /// A device of the recipient has it; in a group, a device of any other member.
    Delivered,
}

impl From<SendWait> for whimbrel::SendWait {
    fn from(wait: SendWait) -> Self {
        match wait {
            SendWait::Queued => Self::Queued,
            SendWait::Sent => Self::Sent,
            SendWait::Delivered => Self::Delivered,
        }
    }
}

/// A message that is quoted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct QuotedMessage {
    /// Its id.
    pub message_id: String,
    /// Who wrote it; absent for the other person of a direct chat.
    #[serde(default)]
    #[schemars(extend("format" = "address"))]
    pub sender: Option<String>,
}

/// A message that was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SentMessage {
    /// Its id.
    pub message_id: String,
    /// The chat.
    pub chat: Identity,
    /// The service's time, seconds since 1970; 0 if only the queue was waited for.
    pub timestamp: i64,
}

impl From<&whimbrel::SentMessage> for SentMessage {
    fn from(sent: &whimbrel::SentMessage) -> Self {
        Self { message_id: sent.message_id.clone(), chat: (&sent.chat).into(), timestamp: sent.timestamp }
    }
}

impl Operation for SendText {
    const NAME: &'static str = "send_text";
    type Output = SentMessage;

    async fn run(self, client: &Client, options: CallOptions) -> Result<SentMessage, Error> {
        let chat = parse_address(&self.chat)?;
        let mut send = SendOptions::default();
        send.timeout = options.timeout;
        send.cancel = options.cancel;
        send.wait = self.wait.map(Into::into).unwrap_or_default();
        send.message_id = self.message_id;
        send.quote = match self.quote {
            None => None,
            Some(quoted) => Some(MessageKey {
                message_id: quoted.message_id,
                sender: quoted.sender.as_deref().map(parse_address).transpose()?,
            }),
        };
        client.send_text(&chat, &self.text, send).await.map(|sent| (&sent).into())
    }
}

/// Takes back a message that was accepted but has not left yet, as while there is no connection.
/// It will not be sent; calls that wait for it fail with `CANCELLED`.
///
/// Fails with `WRONG_STATE` if the message has left, or may have, and with `NOT_FOUND` if there is
/// none.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CancelSend {
    /// Address of the chat.
    #[schemars(extend("format" = "address"))]
    pub chat: String,
    /// Id of the message.
    pub message_id: String,
}

impl Operation for CancelSend {
    const NAME: &'static str = "cancel_send";
    type Output = Done;

    async fn run(self, client: &Client, options: CallOptions) -> Result<Done, Error> {
        let chat = parse_address(&self.chat)?;
        client.cancel_send(&chat, &self.message_id, options).await.map(|()| Done {})
    }
}

/// Marks messages of a chat as read, and tells their sender so.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MarkRead {
    /// Address of the chat.
    #[schemars(extend("format" = "address"))]
    pub chat: String,
    /// Who wrote the messages; needed in groups, absent in direct chats.
    #[serde(default)]
    #[schemars(extend("format" = "address"))]
    pub sender: Option<String>,
    /// Ids of the messages, all by that sender.
    pub message_ids: Vec<String>,
}

impl Operation for MarkRead {
    const NAME: &'static str = "mark_read";
    type Output = Done;

    async fn run(self, client: &Client, options: CallOptions) -> Result<Done, Error> {
        let chat = parse_address(&self.chat)?;
        let sender = self.sender.as_deref().map(parse_address).transpose()?;
        client.mark_read(&chat, sender.as_ref(), &self.message_ids, options).await.map(|()| Done {})
    }
}
