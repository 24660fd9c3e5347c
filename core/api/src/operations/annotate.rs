//! What is done to messages: reactions, edits, votes, answers, pins.

use schemars::JsonSchema;
use serde::Deserialize;
use whimbrel::content::addons::Going;
use whimbrel::content::compose::Draft;
use whimbrel::{CallOptions, Client, Error, Jid, MessageKey, SendOptions, parse_address};

use super::{Operation, SendWait, SentMessage};
use crate::content::{Content, EventDetails, Poll};
use crate::events::EventResponse;

/// Options of the message that carries an act.
fn send_options(options: CallOptions, message_id: Option<String>, wait: Option<SendWait>) -> SendOptions {
    let mut send = SendOptions::default();
    send.timeout = options.timeout;
    send.cancel = options.cancel;
    send.message_id = message_id;
    send.wait = wait.map(Into::into).unwrap_or_default();
    send
}

fn key(target_id: String, sender: Option<&str>) -> Result<MessageKey, Error> {
    Ok(MessageKey { message_id: target_id, sender: sender.map(parse_address).transpose()? })
}

/// Reacts to a message with one emoji, or takes the reaction back.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct React {
    /// Address of the chat.
    #[schemars(extend("format" = "address"))]
    pub chat: String,
    /// Id of the message.
    pub target_id: String,
    /// Who wrote it; needed in groups for messages that this client has never seen.
    #[serde(default)]
    #[schemars(extend("format" = "address"))]
    pub sender: Option<String>,
    /// The emoji; absent: the reaction is taken back.
    #[serde(default)]
    pub emoji: Option<String>,
    /// Id of the message that carries it; the engine makes one if it is absent.
    #[serde(default)]
    pub message_id: Option<String>,
    /// What to wait for; the service's word if it is absent.
    #[serde(default)]
    pub wait: Option<SendWait>,
}

impl Operation for React {
    const NAME: &'static str = "react";
    type Output = SentMessage;

    async fn run(self, client: &Client, options: CallOptions) -> Result<SentMessage, Error> {
        let chat = parse_address(&self.chat)?;
        let key = key(self.target_id, self.sender.as_deref())?;
        let options = send_options(options, self.message_id, self.wait);
        client.react(&chat, &key, self.emoji.as_deref(), options).await.map(|sent| (&sent).into())
    }
}

/// Gives a text or a caption of this account new words. Receivers take edits for twenty minutes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EditMessage {
    /// Address of the chat.
    #[schemars(extend("format" = "address"))]
    pub chat: String,
    /// Id of the message.
    pub target_id: String,
    /// The new words.
    pub text: String,
    /// Addresses of the users who are mentioned in them.
    #[serde(default)]
    pub mentions: Vec<String>,
    /// Id of the message that carries it; the engine makes one if it is absent.
    #[serde(default)]
    pub message_id: Option<String>,
    /// What to wait for; the service's word if it is absent.
    #[serde(default)]
    pub wait: Option<SendWait>,
}

impl Operation for EditMessage {
    const NAME: &'static str = "edit_message";
    type Output = SentMessage;

    async fn run(self, client: &Client, options: CallOptions) -> Result<SentMessage, Error> {
        let chat = parse_address(&self.chat)?;
        let mentions = self.mentions.iter().map(|user| parse_address(user));
        let mentions = mentions.collect::<Result<Vec<Jid>, Error>>()?;
        let options = send_options(options, self.message_id, self.wait);
        let sent = client.edit_message(&chat, &self.target_id, &self.text, &mentions, options);
        sent.await.map(|sent| (&sent).into())
    }
}

/// Takes a message back: one of this account, or as an administrator of a group one of another member.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RevokeMessage {
    /// Address of the chat.
    #[schemars(extend("format" = "address"))]
    pub chat: String,
    /// Id of the message.
    pub target_id: String,
    /// Who wrote it; needed in groups for messages that this client has never seen.
    #[serde(default)]
    #[schemars(extend("format" = "address"))]
    pub sender: Option<String>,
    /// Id of the message that carries it; the engine makes one if it is absent.
    #[serde(default)]
    pub message_id: Option<String>,
    /// What to wait for; the service's word if it is absent.
    #[serde(default)]
    pub wait: Option<SendWait>,
}

impl Operation for RevokeMessage {
    const NAME: &'static str = "revoke_message";
    type Output = SentMessage;

    async fn run(self, client: &Client, options: CallOptions) -> Result<SentMessage, Error> {
        let chat = parse_address(&self.chat)?;
        let key = key(self.target_id, self.sender.as_deref())?;
        let options = send_options(options, self.message_id, self.wait);
        client.revoke_message(&chat, &key, options).await.map(|sent| (&sent).into())
    }
}

/// Votes for options of a poll; it replaces what was voted before.
///
/// Fails with `NOT_FOUND` if the poll never came to this client.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VotePoll {
    /// Address of the chat.
    #[schemars(extend("format" = "address"))]
    pub chat: String,
    /// Id of the poll's message.
    pub target_id: String,
    /// Who wrote it; needed only if several messages of the chat have the id.
    #[serde(default)]
    #[schemars(extend("format" = "address"))]
    pub sender: Option<String>,
    /// The options, in their own words; none takes the vote back.
    pub options: Vec<String>,
    /// Id of the message that carries it; the engine makes one if it is absent.
    #[serde(default)]
    pub message_id: Option<String>,
    /// What to wait for; the service's word if it is absent.
    #[serde(default)]
    pub wait: Option<SendWait>,
}

impl Operation for VotePoll {
    const NAME: &'static str = "vote_poll";
    type Output = SentMessage;

    async fn run(self, client: &Client, options: CallOptions) -> Result<SentMessage, Error> {
        let chat = parse_address(&self.chat)?;
        let key = key(self.target_id, self.sender.as_deref())?;
        let options = send_options(options, self.message_id, self.wait);
        client.vote_poll(&chat, &key, &self.options, options).await.map(|sent| (&sent).into())
    }
}

/// Gives a poll of this account other words or options.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EditPoll {
    /// Address of the chat.
    #[schemars(extend("format" = "address"))]
    pub chat: String,
    /// Id of the poll's message.
    pub target_id: String,
    /// All of the poll as it is to be.
    pub poll: Poll,
    /// Id of the message that carries it; the engine makes one if it is absent.
    #[serde(default)]
    pub message_id: Option<String>,
    /// What to wait for; the service's word if it is absent.
    #[serde(default)]
    pub wait: Option<SendWait>,
}

impl Operation for EditPoll {
    const NAME: &'static str = "edit_poll";
    type Output = SentMessage;

    async fn run(self, client: &Client, options: CallOptions) -> Result<SentMessage, Error> {
        let chat = parse_address(&self.chat)?;
        let options = send_options(options, self.message_id, self.wait);
        client.edit_poll(&chat, &self.target_id, self.poll.into(), options).await.map(|sent| (&sent).into())
    }
}

/// Adds an option to a poll that lets its voters do so, or to one of this account.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AddPollOption {
    /// Address of the chat.
    #[schemars(extend("format" = "address"))]
    pub chat: String,
    /// Id of the poll's message.
    pub target_id: String,
    /// Who wrote it; needed only if several messages of the chat have the id.
    #[serde(default)]
    #[schemars(extend("format" = "address"))]
    pub sender: Option<String>,
    /// The new option.
    pub option: String,
    /// Id of the message that carries it; the engine makes one if it is absent.
    #[serde(default)]
    pub message_id: Option<String>,
    /// What to wait for; the service's word if it is absent.
    #[serde(default)]
    pub wait: Option<SendWait>,
}

impl Operation for AddPollOption {
    const NAME: &'static str = "add_poll_option";
    type Output = SentMessage;

    async fn run(self, client: &Client, options: CallOptions) -> Result<SentMessage, Error> {
        let chat = parse_address(&self.chat)?;
        let key = key(self.target_id, self.sender.as_deref())?;
        let options = send_options(options, self.message_id, self.wait);
        client.add_poll_option(&chat, &key, &self.option, options).await.map(|sent| (&sent).into())
    }
}

/// Answers an event; it replaces what was answered before.
///
/// Fails with `NOT_FOUND` if the event never came to this client.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AnswerEvent {
    /// Address of the chat.
    #[schemars(extend("format" = "address"))]
    pub chat: String,
    /// Id of the event's message.
    pub target_id: String,
    /// Who wrote it; needed only if several messages of the chat have the id.
    #[serde(default)]
    #[schemars(extend("format" = "address"))]
    pub sender: Option<String>,
    /// Whether this account's owner comes.
    pub response: EventResponse,
    /// How many others come along.
    #[serde(default)]
    pub extra_guests: Option<u16>,
    /// Id of the message that carries it; the engine makes one if it is absent.
    #[serde(default)]
    pub message_id: Option<String>,
    /// What to wait for; the service's word if it is absent.
    #[serde(default)]
    pub wait: Option<SendWait>,
}

impl Operation for AnswerEvent {
    const NAME: &'static str = "answer_event";
    type Output = SentMessage;

    async fn run(self, client: &Client, options: CallOptions) -> Result<SentMessage, Error> {
        let chat = parse_address(&self.chat)?;
        let key = key(self.target_id, self.sender.as_deref())?;
        let going = match self.response {
            EventResponse::Going => Going::Going,
            EventResponse::NotGoing => Going::NotGoing,
            EventResponse::Maybe => Going::Maybe,
        };
        let options = send_options(options, self.message_id, self.wait);
        client.answer_event(&chat, &key, going, self.extra_guests, options).await.map(|sent| (&sent).into())
    }
}

/// Gives an event of this account a new state, such as another time; cancelling is one.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EditEvent {
    /// Address of the chat.
    #[schemars(extend("format" = "address"))]
    pub chat: String,
    /// Id of the event's message.
    pub target_id: String,
    /// All of the event as it is to be.
    pub event: EventDetails,
    /// Id of the message that carries it; the engine makes one if it is absent.
    #[serde(default)]
    pub message_id: Option<String>,
    /// What to wait for; the service's word if it is absent.
    #[serde(default)]
    pub wait: Option<SendWait>,
}

impl Operation for EditEvent {
    const NAME: &'static str = "edit_event";
    type Output = SentMessage;

    async fn run(self, client: &Client, options: CallOptions) -> Result<SentMessage, Error> {
        let chat = parse_address(&self.chat)?;
        let options = send_options(options, self.message_id, self.wait);
        client.edit_event(&chat, &self.target_id, self.event.into(), options).await.map(|sent| (&sent).into())
    }
}

/// Pins a message for everybody in the chat, or unpins it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PinMessage {
    /// Address of the chat.
    #[schemars(extend("format" = "address"))]
    pub chat: String,
    /// Id of the message.
    pub target_id: String,
    /// Who wrote it; needed in groups for messages that this client has never seen.
    #[serde(default)]
    #[schemars(extend("format" = "address"))]
    pub sender: Option<String>,
    /// For how long, in seconds: 86400, 604800 or 2592000. Absent: the message is unpinned.
    #[serde(default)]
    pub seconds: Option<u32>,
    /// Id of the message that carries it; the engine makes one if it is absent.
    #[serde(default)]
    pub message_id: Option<String>,
    /// What to wait for; the service's word if it is absent.
    #[serde(default)]
    pub wait: Option<SendWait>,
}

impl Operation for PinMessage {
    const NAME: &'static str = "pin_message";
    type Output = SentMessage;

    async fn run(self, client: &Client, options: CallOptions) -> Result<SentMessage, Error> {
        let chat = parse_address(&self.chat)?;
        let key = key(self.target_id, self.sender.as_deref())?;
        let options = send_options(options, self.message_id, self.wait);
        client.pin_message(&chat, &key, self.seconds, options).await.map(|sent| (&sent).into())
    }
}

/// Keeps a message of a chat with a timer for everybody, or no longer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeepMessage {
    /// Address of the chat.
    #[schemars(extend("format" = "address"))]
    pub chat: String,
    /// Id of the message.
    pub target_id: String,
    /// Who wrote it; needed in groups for messages that this client has never seen.
    #[serde(default)]
    #[schemars(extend("format" = "address"))]
    pub sender: Option<String>,
    /// It is kept; otherwise no longer.
    pub kept: bool,
    /// Id of the message that carries it; the engine makes one if it is absent.
    #[serde(default)]
    pub message_id: Option<String>,
    /// What to wait for; the service's word if it is absent.
    #[serde(default)]
    pub wait: Option<SendWait>,
}

impl Operation for KeepMessage {
    const NAME: &'static str = "keep_message";
    type Output = SentMessage;

    async fn run(self, client: &Client, options: CallOptions) -> Result<SentMessage, Error> {
        let chat = parse_address(&self.chat)?;
        let key = key(self.target_id, self.sender.as_deref())?;
        let options = send_options(options, self.message_id, self.wait);
        client.keep_message(&chat, &key, self.kept, options).await.map(|sent| (&sent).into())
    }
}

/// Comments on a post of a community's announcement group.
///
/// Fails with `NOT_FOUND` if the post never came to this client.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CommentMessage {
    /// Address of the group.
    #[schemars(extend("format" = "address"))]
    pub chat: String,
    /// Id of the post.
    pub target_id: String,
    /// Who wrote it; needed only if several messages of the chat have the id.
    #[serde(default)]
    #[schemars(extend("format" = "address"))]
    pub sender: Option<String>,
    /// What to say.
    pub content: Content,
    /// Id of the message that carries it; the engine makes one if it is absent.
    #[serde(default)]
    pub message_id: Option<String>,
    /// What to wait for; the service's word if it is absent.
    #[serde(default)]
    pub wait: Option<SendWait>,
}

impl Operation for CommentMessage {
    const NAME: &'static str = "comment_message";
    type Output = SentMessage;

    async fn run(self, client: &Client, options: CallOptions) -> Result<SentMessage, Error> {
        let chat = parse_address(&self.chat)?;
        let key = key(self.target_id, self.sender.as_deref())?;
        let draft = Draft::new(self.content.try_into()?);
        let options = send_options(options, self.message_id, self.wait);
        client.comment(&chat, &key, draft, options).await.map(|sent| (&sent).into())
    }
}

/// Forwards a message that this client has: one that it sent, or one of its archive. Its files are not sent
/// again.
///
/// Fails with `NOT_FOUND` if this client does not have the message any more.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ForwardMessage {
    /// Address of the chat that it is in.
    #[schemars(extend("format" = "address"))]
    pub chat: String,
    /// Id of the message.
    pub target_id: String,
    /// Address of the chat that it goes to.
    #[schemars(extend("format" = "address"))]
    pub to: String,
    /// Id of the new message; the engine makes one if it is absent.
    #[serde(default)]
    pub message_id: Option<String>,
    /// What to wait for; the service's word if it is absent.
    #[serde(default)]
    pub wait: Option<SendWait>,
}

impl Operation for ForwardMessage {
    const NAME: &'static str = "forward_message";
    type Output = SentMessage;

    async fn run(self, client: &Client, options: CallOptions) -> Result<SentMessage, Error> {
        let (chat, to) = (parse_address(&self.chat)?, parse_address(&self.to)?);
        let options = send_options(options, self.message_id, self.wait);
        client.forward_stored(&to, &chat, &self.target_id, options).await.map(|sent| (&sent).into())
    }
}

/// Sets the timer of a chat with a person: messages disappear after that time.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetChatTimer {
    /// Address of the chat.
    #[schemars(extend("format" = "address"))]
    pub chat: String,
    /// How long messages stay, in seconds: 0 for ever, 86400, 604800 or 7776000.
    pub seconds: u32,
    /// What to wait for; the service's word if it is absent.
    #[serde(default)]
    pub wait: Option<SendWait>,
}

impl Operation for SetChatTimer {
    const NAME: &'static str = "set_chat_timer";
    type Output = SentMessage;

    async fn run(self, client: &Client, options: CallOptions) -> Result<SentMessage, Error> {
        let chat = parse_address(&self.chat)?;
        let options = send_options(options, None, self.wait);
        client.set_chat_timer(&chat, self.seconds, options).await.map(|sent| (&sent).into())
    }
}

/// Says whether content of a chat with a person may be shared.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetChatPrivacy {
    /// Address of the chat.
    #[schemars(extend("format" = "address"))]
    pub chat: String,
    /// It may not.
    pub limited: bool,
    /// What to wait for; the service's word if it is absent.
    #[serde(default)]
    pub wait: Option<SendWait>,
}

impl Operation for SetChatPrivacy {
    const NAME: &'static str = "set_chat_privacy";
    type Output = SentMessage;

    async fn run(self, client: &Client, options: CallOptions) -> Result<SentMessage, Error> {
        let chat = parse_address(&self.chat)?;
        let options = send_options(options, None, self.wait);
        client.set_chat_privacy(&chat, self.limited, options).await.map(|sent| (&sent).into())
    }
}

/// Tells the other person of a chat this account's phone number.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SharePhoneNumber {
    /// Address of the chat.
    #[schemars(extend("format" = "address"))]
    pub chat: String,
    /// What to wait for; the service's word if it is absent.
    #[serde(default)]
    pub wait: Option<SendWait>,
}

impl Operation for SharePhoneNumber {
    const NAME: &'static str = "share_phone_number";
    type Output = SentMessage;

    async fn run(self, client: &Client, options: CallOptions) -> Result<SentMessage, Error> {
        let chat = parse_address(&self.chat)?;
        let options = send_options(options, None, self.wait);
        client.share_phone_number(&chat, options).await.map(|sent| (&sent).into())
    }
}

/// Sets this account's label in a group.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetMemberLabel {
    /// Address of the group.
    #[schemars(extend("format" = "address"))]
    pub chat: String,
    /// The label, at most 30 characters; an empty one removes it.
    pub label: String,
    /// What to wait for; the service's word if it is absent.
    #[serde(default)]
    pub wait: Option<SendWait>,
}

impl Operation for SetMemberLabel {
    const NAME: &'static str = "set_member_label";
    type Output = SentMessage;

    async fn run(self, client: &Client, options: CallOptions) -> Result<SentMessage, Error> {
        let chat = parse_address(&self.chat)?;
        let options = send_options(options, None, self.wait);
        client.set_member_label(&chat, &self.label, options).await.map(|sent| (&sent).into())
    }
}
