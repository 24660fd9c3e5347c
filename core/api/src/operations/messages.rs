//! Messages.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use whimbrel::content::compose::Draft;
use whimbrel::content::context::{self, Forwarded};
use whimbrel::content::key::Key;
use whimbrel::media::UploadOptions;
use whimbrel::{CallOptions, Client, Error, Fallback, Jid, MessageKey, SendOptions, parse_address};

use super::{Done, Operation};
use crate::content::{Content, put_thumbnail};
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
    /// The chat of the quoted message, if it is another one: `status@broadcast` for an answer to a status.
    #[serde(default)]
    pub quoted_chat: Option<String>,
    /// Addresses of those who see a status; absent: those whom the account's own setting means. Only for
    /// `status@broadcast`.
    #[serde(default)]
    pub audience: Option<Vec<String>>,
    /// Id of the new message; a repetition under the same id is never a second message. The
    /// engine makes one if it is absent.
    #[serde(default)]
    pub message_id: Option<String>,
    /// What to wait for; the service's word if it is absent.
    #[serde(default)]
    pub wait: Option<SendWait>,
}

/// Sends a message of any kind, and returns when the service has it, or as `wait` says. Its fate is told
/// as that of `send_text`. In a chat with a timer the message says so by itself.
///
/// Fails with `INVALID_ARGUMENT` for what receivers would not show, and with `NOT_SUPPORTED` for kinds that
/// are only received; nothing has happened then.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SendMessage {
    /// Address of the chat: a JID, or a phone number with its country code.
    #[schemars(extend("format" = "address"))]
    pub chat: String,
    /// What to send.
    pub content: Content,
    /// Message to quote.
    #[serde(default)]
    pub quote: Option<QuotedMessage>,
    /// The chat of the quoted message, if it is another one: `status@broadcast` for an answer to a status.
    #[serde(default)]
    pub quoted_chat: Option<String>,
    /// Addresses of those who see a status; absent: those whom the account's own setting means. Only for
    /// `status@broadcast`.
    #[serde(default)]
    pub audience: Option<Vec<String>>,
    /// Addresses of the users who are mentioned in the words, which have `@` and the address' user part for each.
    #[serde(default)]
    pub mentions: Vec<String>,
    /// Everyone in the group is mentioned.
    #[serde(default)]
    pub mentions_everyone: bool,
    /// Groups of the community that are mentioned in the words, which have `@` and the user part of its address
    /// for each.
    #[serde(default)]
    pub group_mentions: Vec<GroupMention>,
    /// It is shown as forwarded.
    #[serde(default)]
    pub forwarded: bool,
    /// It is to be seen once: pictures, videos and voice notes.
    #[serde(default)]
    pub view_once: bool,
    /// Message with the head of the album that it belongs to, sent by this account to the same chat.
    #[serde(default)]
    pub album_id: Option<String>,
    /// Needed for content of best effort: what is sent behind it.
    #[serde(default)]
    pub fallback: Option<FallbackChoice>,
    /// The words of a fallback of its own.
    #[serde(default)]
    pub fallback_text: Option<String>,
    /// Id of the new message; a repetition under the same id is never a second message. The
    /// engine makes one if it is absent.
    #[serde(default)]
    pub message_id: Option<String>,
    /// What to wait for; the service's word if it is absent.
    #[serde(default)]
    pub wait: Option<SendWait>,
    /// A name for the upload of a local file: `media_progress` events with it tell how far it is.
    #[serde(default)]
    pub transfer: Option<String>,
}

/// A group that is mentioned.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GroupMention {
    /// Address of the group.
    #[schemars(extend("format" = "address"))]
    pub group: String,
    /// Its name, which is shown in place of the address.
    #[serde(default)]
    pub subject: Option<String>,
}

impl GroupMention {
    fn named(self) -> Result<context::GroupMention, Error> {
        Ok(context::GroupMention { group: parse_address(&self.group)?, subject: self.subject })
    }
}

/// What is sent behind content that receivers may not see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FallbackChoice {
    /// Nothing: nobody may see the content.
    Nothing,
    /// A text that says what the content says.
    Composed,
    /// The text in `fallbackText`.
    Text,
}

impl Operation for SendMessage {
    const NAME: &'static str = "send_message";
    type Output = SentMessage;

    async fn run(self, client: &Client, options: CallOptions) -> Result<SentMessage, Error> {
        let chat = parse_address(&self.chat)?;
        let path = self.content.path().map(std::path::PathBuf::from);
        let mut media_handle = None;
        let thumbnail = self.content.thumbnail_path().map(std::path::PathBuf::from);
        let sticker = self.content.sticker_info();
        let mut upload = UploadOptions::default();
        upload.transfer = self.transfer;
        upload.timeout = options.timeout;
        upload.cancel = options.cancel.clone();
        upload.newsletter = chat.is_newsletter();
        let mut content = match self.content.pack_to_make()? {
            Some(pack) => client.make_sticker_pack(pack, upload.clone()).await?,
            None => self.content.try_into()?,
        };
        if let Some(thumbnail) = thumbnail {
            put_thumbnail(&mut content, client.preview(thumbnail).await?.jpeg)?;
        }
        if let Some(path) = path {
            upload.sticker = sticker;
            let attached = client.attach_with_handle(content, path, upload).await?;
            content = attached.content;
            media_handle = attached.handle;
        }
        let mut draft = Draft::new(content);
        let mentions = self.mentions.iter().map(|user| parse_address(user));
        draft.context.mentions = mentions.collect::<Result<Vec<Jid>, Error>>()?;
        draft.context.mentions_everyone = self.mentions_everyone;
        let groups = self.group_mentions.into_iter().map(GroupMention::named);
        draft.context.group_mentions = groups.collect::<Result<_, Error>>()?;
        draft.context.forwarded = self.forwarded.then(Forwarded::default);
        draft.view_once = self.view_once;
        if let Some(album) = self.album_id {
            draft = draft.in_album(Key::own(&chat, &album), None);
        }
        let mut send = SendOptions::default();
        send.timeout = options.timeout;
        send.cancel = options.cancel;
        send.wait = self.wait.map(Into::into).unwrap_or_default();
        send.message_id = self.message_id;
        send.media_handle = media_handle;
        send.quote = self.quote.map(QuotedMessage::key).transpose()?;
        send.quoted_chat = self.quoted_chat.as_deref().map(parse_address).transpose()?;
        send.audience = self.audience.map(people).transpose()?;
        send.fallback = match (self.fallback, self.fallback_text) {
            (Some(FallbackChoice::Nothing), _) => Some(Fallback::Nothing),
            (Some(FallbackChoice::Composed), _) => Some(Fallback::Composed),
            (Some(FallbackChoice::Text) | None, Some(text)) => Some(Fallback::Text(text)),
            (Some(FallbackChoice::Text), None) => Some(Fallback::Text(String::new())),
            (None, None) => None,
        };
        client.send(&chat, draft, send).await.map(|sent| (&sent).into())
    }
}

/// The people of an audience.
fn people(audience: Vec<String>) -> Result<Vec<Jid>, Error> {
    audience.iter().map(|person| parse_address(person)).collect()
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

impl QuotedMessage {
    fn key(self) -> Result<MessageKey, Error> {
        let sender = self.sender.as_deref().map(parse_address).transpose()?;
        Ok(MessageKey { message_id: self.message_id, sender })
    }
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
    /// The number that a channel gave its post, by which reactions and votes name it.
    pub server_id: Option<u64>,
}

impl From<&whimbrel::SentMessage> for SentMessage {
    fn from(sent: &whimbrel::SentMessage) -> Self {
        Self {
            message_id: sent.message_id.clone(),
            chat: (&sent.chat).into(),
            timestamp: sent.timestamp,
            server_id: sent.server_id,
        }
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
        send.quote = self.quote.map(QuotedMessage::key).transpose()?;
        send.quoted_chat = self.quoted_chat.as_deref().map(parse_address).transpose()?;
        send.audience = self.audience.map(people).transpose()?;
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
