//! The archive: looking messages, chats and people up.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use whimbrel::content::addons::Going;
use whimbrel::content::key::Key;
use whimbrel::{CallOptions, Client, Error, Jid, parse_address};

use super::Operation;
use crate::content::{Content, MessageContext, Source};
use crate::events::{EventResponse, Identity};

fn address(text: Option<&String>) -> Result<Option<Jid>, Error> {
    text.map(|text| parse_address(text)).transpose()
}

/// Finds messages, newest first. What is absent is not looked at.
///
/// Fails with `NOT_SUPPORTED` if the client was opened without an archive.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FindMessages {
    /// In this chat.
    #[serde(default)]
    #[schemars(extend("format" = "address"))]
    pub chat: Option<String>,
    /// By this person; an address of this account stands for what it wrote itself.
    #[serde(default)]
    #[schemars(extend("format" = "address"))]
    pub sender: Option<String>,
    /// With all these words, or words that begin like them.
    #[serde(default)]
    pub text: Option<String>,
    /// With this id.
    #[serde(default)]
    pub message_id: Option<String>,
    /// Only those that are pinned in their chat now.
    #[serde(default)]
    pub pinned: bool,
    /// From this time on, seconds since 1970.
    #[serde(default)]
    pub after: Option<i64>,
    /// Before this time, seconds since 1970.
    #[serde(default)]
    pub before: Option<i64>,
    /// At most so many, 1 to 500; 50 if absent.
    #[serde(default)]
    pub limit: Option<u32>,
    /// `next` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

/// Finds chats, the one with the newest message first. What is absent is not looked at.
///
/// Fails with `NOT_SUPPORTED` if the client was opened without an archive.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FindChats {
    /// This chat.
    #[serde(default)]
    #[schemars(extend("format" = "address"))]
    pub chat: Option<String>,
    /// With this in its name.
    #[serde(default)]
    pub name: Option<String>,
    /// With unread messages only.
    #[serde(default)]
    pub unread: bool,
    /// Archived ones, or those that are not.
    #[serde(default)]
    pub archived: Option<bool>,
    /// Pinned ones, or those that are not.
    #[serde(default)]
    pub pinned: Option<bool>,
    /// Those behind the phone's lock, or those that are not.
    #[serde(default)]
    pub locked: Option<bool>,
    /// With the label of this id.
    #[serde(default)]
    pub label: Option<String>,
    /// At most so many, 1 to 500; 50 if absent.
    #[serde(default)]
    pub limit: Option<u32>,
    /// `next` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

/// Finds people, by name. What is absent is not looked at.
///
/// Fails with `NOT_SUPPORTED` if the client was opened without an archive.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FindContacts {
    /// This person.
    #[serde(default)]
    #[schemars(extend("format" = "address"))]
    pub person: Option<String>,
    /// With this in one of their names.
    #[serde(default)]
    pub name: Option<String>,
    /// At most so many, 1 to 500; 50 if absent.
    #[serde(default)]
    pub limit: Option<u32>,
    /// `next` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

/// Tells everything that is known of a message: who has it and read it, how the votes of a poll stand, and
/// who comes to an event.
///
/// Fails with `NOT_FOUND`, and with `NOT_SUPPORTED` if the client was opened without an archive.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetMessage {
    /// The chat.
    #[schemars(extend("format" = "address"))]
    pub chat: String,
    /// Id of the message.
    pub message_id: String,
    /// Who wrote it; needed only where two people used the same id in one chat.
    #[serde(default)]
    #[schemars(extend("format" = "address"))]
    pub sender: Option<String>,
}

/// Tells who is in a group no more, as far as the phone told when it handed over the history, the latest
/// first. Who left since came as `group_changed`.
///
/// Fails with `NOT_SUPPORTED` if the client was opened without an archive.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FindPastMembers {
    /// The group.
    #[schemars(extend("format" = "address"))]
    pub chat: String,
}

/// How far a message of this account came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SentStatus {
    /// It was refused, or will not be sent.
    Failed,
    /// It is on its way to the service.
    Pending,
    /// The service has it.
    Sent,
    /// A device of a recipient has it.
    Delivered,
    /// A recipient read it.
    Read,
    /// A recipient played or opened it.
    Played,
    /// A status that this version does not know.
    Unknown,
}

impl From<whimbrel::SentStatus> for SentStatus {
    fn from(status: whimbrel::SentStatus) -> Self {
        use whimbrel::SentStatus as Status;
        match status {
            Status::Failed => Self::Failed,
            Status::Pending => Self::Pending,
            Status::Sent => Self::Sent,
            Status::Delivered => Self::Delivered,
            Status::Read => Self::Read,
            Status::Played => Self::Played,
            _ => Self::Unknown,
        }
    }
}

/// A person's reaction to a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StoredReaction {
    /// Who.
    pub sender: Identity,
    /// With what.
    pub emoji: String,
    /// When, milliseconds since 1970.
    pub at_ms: i64,
}

/// How far a recipient is with a message; times in seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PollVotes {
    /// The option; absent for one that the poll does not have.
    pub option: Option<String>,
    /// Who voted for it.
    pub voters: Vec<Identity>,
}

/// A person's answer to an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StoredAnswer {
    /// Who.
    pub who: Identity,
    /// Whether they come; absent for an answer of an unknown kind.
    pub response: Option<EventResponse>,
    /// How many others they bring.
    pub extra_guests: u32,
    /// When, milliseconds since 1970.
    pub at_ms: i64,
}

/// A message is pinned in its chat, for everybody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StoredPin {
    /// Who pinned it, if that is known.
    pub by: Option<Identity>,
    /// When, milliseconds since 1970.
    pub at_ms: i64,
    /// Until when, seconds since 1970.
    pub until: i64,
}

/// A disappearing message is kept, for everybody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StoredKeep {
    /// Who kept it, if that is known.
    pub by: Option<Identity>,
    /// When, milliseconds since 1970.
    pub at_ms: i64,
}

/// Who took a message back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Revoked {
    /// Who: the sender, or an admin of the group.
    pub by: Identity,
    /// When, seconds since 1970.
    pub at: i64,
}

/// A message of the archive.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
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
    /// What it says, as last edited. Absent for one that was taken back, and for what the service wrote
    /// in the chat.
    pub content: Option<Content>,
    /// What surrounds it.
    pub context: MessageContext,
    /// Its words, if it has any, as last edited.
    pub text: Option<String>,
    /// It is to be seen once.
    pub view_once: bool,
    /// How far it came, of messages of this account.
    pub status: Option<SentStatus>,
    /// It has a star.
    pub starred: bool,
    /// When it was last edited, milliseconds since 1970.
    pub edited_at_ms: Option<i64>,
    /// Present on a message that was taken back.
    pub revoked: Option<Revoked>,
    /// What people reacted with, oldest first.
    pub reactions: Vec<StoredReaction>,
    /// How far each recipient is with it. Only `get_message` says it.
    pub recipients: Vec<Recipient>,
    /// The count of a poll. Only `get_message` says it.
    pub votes: Vec<PollVotes>,
    /// What people answered to an event, the first answer first. Only `get_message` says it.
    pub answers: Vec<StoredAnswer>,
    /// How many people come to an event, with those whom they bring. Only `get_message` says it.
    pub expected: u32,
    /// Present on a message that is pinned in its chat.
    pub pinned: Option<StoredPin>,
    /// Present on a disappearing message that is kept.
    pub kept: Option<StoredKeep>,
    /// Comments on it.
    pub comments: u32,
}

impl From<&whimbrel::StoredMessage> for StoredMessage {
    fn from(message: &whimbrel::StoredMessage) -> Self {
        let key = match message.from_me {
            true => Key::own(&message.chat.id, &message.message_id),
            false => Key::foreign(&message.chat.id, &message.message_id, &message.sender.id),
        };
        let source = Source { message: Some(&key) };
        Self {
            message_id: message.message_id.clone(),
            chat: (&message.chat).into(),
            sender: (&message.sender).into(),
            from_me: message.from_me,
            timestamp: message.timestamp,
            content: message.content.as_ref().map(|content| Content::of(content, source)),
            context: (&message.context).into(),
            text: message.text.clone(),
            view_once: message.view_once,
            status: message.status.map(Into::into),
            starred: message.starred,
            edited_at_ms: message.edited_at_ms,
            revoked: message.revoked.as_ref().map(|(by, at)| Revoked { by: by.into(), at: *at }),
            reactions: message
                .reactions
                .iter()
                .map(|reaction| StoredReaction {
                    sender: (&reaction.sender).into(),
                    emoji: reaction.emoji.clone(),
                    at_ms: reaction.at_ms,
                })
                .collect(),
            recipients: message
                .recipients
                .iter()
                .map(|recipient| Recipient {
                    who: (&recipient.who).into(),
                    delivered_at: recipient.delivered_at,
                    read_at: recipient.read_at,
                    played_at: recipient.played_at,
                })
                .collect(),
            votes: message
                .votes
                .iter()
                .map(|vote| PollVotes {
                    option: vote.option.clone(),
                    voters: vote.voters.iter().map(Into::into).collect(),
                })
                .collect(),
            answers: message
                .answers
                .iter()
                .map(|answer| StoredAnswer {
                    who: (&answer.who).into(),
                    response: answer.answer.map(Into::into),
                    extra_guests: answer.guests,
                    at_ms: answer.at_ms,
                })
                .collect(),
            expected: message
                .answers
                .iter()
                .filter(|answer| answer.answer == Some(Going::Going))
                .fold(0, |count, answer| answer.guests.saturating_add(1).saturating_add(count)),
            pinned: message.pinned.as_ref().map(|pin| StoredPin {
                by: pin.by.as_ref().map(Into::into),
                at_ms: pin.at_ms,
                until: pin.until,
            }),
            kept: message
                .kept
                .as_ref()
                .map(|(by, at_ms)| StoredKeep { by: by.as_ref().map(Into::into), at_ms: *at_ms }),
            comments: message.comments,
        }
    }
}

/// A chat of the archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
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
    /// Ids of its labels; `list_labels` has their names.
    pub labels: Vec<String>,
    /// How long its messages stay, seconds; 0: for ever.
    pub timer: u32,
    /// The phone has older messages of it; absent if that is not known.
    pub has_older: Option<bool>,
}

impl From<&whimbrel::Chat> for Chat {
    fn from(chat: &whimbrel::Chat) -> Self {
        Self {
            chat: (&chat.chat).into(),
            name: chat.name.clone(),
            latest_at: chat.latest_at,
            unread: chat.unread,
            archived: chat.archived,
            pinned_at: chat.pinned_at,
            muted_until: chat.muted_until,
            locked: chat.locked,
            marked_unread: chat.marked_unread,
            labels: chat.labels.clone(),
            timer: chat.timer,
            has_older: chat.has_older,
        }
    }
}

/// A person of the archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
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

impl From<&whimbrel::Contact> for Contact {
    fn from(contact: &whimbrel::Contact) -> Self {
        Self {
            who: (&contact.who).into(),
            name: contact.name.clone(),
            first_name: contact.first_name.clone(),
            push_name: contact.push_name.clone(),
            username: contact.username.clone(),
        }
    }
}

/// Somebody who is in a group no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PastMember {
    /// Who.
    pub who: Identity,
    /// Somebody else removed them; otherwise they left.
    pub removed: bool,
    /// When, seconds since 1970; 0 if that is not known.
    pub at: i64,
}

/// People who are in a group no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PastMembers {
    /// The people, who left last first.
    pub items: Vec<PastMember>,
}

/// Messages that were found.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessagePage {
    /// The messages, newest first.
    pub items: Vec<StoredMessage>,
    /// Where the next page begins; absent: this is all.
    pub next: Option<String>,
}

/// Chats that were found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChatPage {
    /// The chats, the one with the newest message first.
    pub items: Vec<Chat>,
    /// Where the next page begins; absent: this is all.
    pub next: Option<String>,
}

/// People who were found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ContactPage {
    /// The people, by name.
    pub items: Vec<Contact>,
    /// Where the next page begins; absent: this is all.
    pub next: Option<String>,
}

impl Operation for FindMessages {
    const NAME: &'static str = "find_messages";
    type Output = MessagePage;

    async fn run(self, client: &Client, options: CallOptions) -> Result<MessagePage, Error> {
        let mut find = whimbrel::FindMessages::default();
        find.chat = address(self.chat.as_ref())?;
        find.sender = address(self.sender.as_ref())?;
        find.text = self.text;
        (find.message_id, find.pinned) = (self.message_id, self.pinned);
        (find.after, find.before) = (self.after, self.before);
        (find.limit, find.cursor) = (self.limit, self.cursor);
        let page = client.find_messages(find, options).await?;
        Ok(MessagePage { items: page.items.iter().map(Into::into).collect(), next: page.next })
    }
}

impl Operation for GetMessage {
    const NAME: &'static str = "get_message";
    type Output = StoredMessage;

    async fn run(self, client: &Client, options: CallOptions) -> Result<StoredMessage, Error> {
        let chat = parse_address(&self.chat)?;
        let sender = address(self.sender.as_ref())?;
        let message = client.stored_message(&chat, &self.message_id, sender.as_ref(), options).await?;
        Ok((&message).into())
    }
}

impl Operation for FindPastMembers {
    const NAME: &'static str = "find_past_members";
    type Output = PastMembers;

    async fn run(self, client: &Client, options: CallOptions) -> Result<PastMembers, Error> {
        let members = client.past_members(&parse_address(&self.chat)?, options).await?;
        let item = |member: &whimbrel::PastMember| PastMember {
            who: (&member.who).into(),
            removed: member.removed,
            at: member.at,
        };
        Ok(PastMembers { items: members.iter().map(item).collect() })
    }
}

impl Operation for FindChats {
    const NAME: &'static str = "find_chats";
    type Output = ChatPage;

    async fn run(self, client: &Client, options: CallOptions) -> Result<ChatPage, Error> {
        let mut find = whimbrel::FindChats::default();
        find.chat = address(self.chat.as_ref())?;
        find.name = self.name;
        (find.unread, find.archived) = (self.unread, self.archived);
        (find.pinned, find.locked, find.label) = (self.pinned, self.locked, self.label);
        (find.limit, find.cursor) = (self.limit, self.cursor);
        let page = client.find_chats(find, options).await?;
        Ok(ChatPage { items: page.items.iter().map(Into::into).collect(), next: page.next })
    }
}

impl Operation for FindContacts {
    const NAME: &'static str = "find_contacts";
    type Output = ContactPage;

    async fn run(self, client: &Client, options: CallOptions) -> Result<ContactPage, Error> {
        let mut find = whimbrel::FindContacts::default();
        find.person = address(self.person.as_ref())?;
        find.name = self.name;
        (find.limit, find.cursor) = (self.limit, self.cursor);
        let page = client.find_contacts(find, options).await?;
        Ok(ContactPage { items: page.items.iter().map(Into::into).collect(), next: page.next })
    }
}
