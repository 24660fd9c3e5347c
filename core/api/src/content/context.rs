//! What surrounds content.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use whimbrel::content::classify;
use whimbrel::content::context;
use whimbrel::content::key::Key;
use whimbrel::content::names::AssociationType;
use whimbrel::{Error, Jid};

use super::{address, read_address};

/// A message, as whoever names it sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NamedMessage {
    /// Its id.
    pub message_id: String,
    /// Its chat, as whoever names it sees that.
    #[serde(default)]
    pub chat: Option<String>,
    /// Who wrote it.
    #[serde(default)]
    pub sender: Option<String>,
    /// Whoever names it wrote it.
    #[serde(default)]
    pub from_me: bool,
}

impl From<&Key> for NamedMessage {
    fn from(key: &Key) -> Self {
        Self {
            message_id: key.id.clone(),
            chat: address(&key.chat),
            sender: address(&key.participant),
            from_me: key.from_me,
        }
    }
}

impl TryFrom<NamedMessage> for Key {
    type Error = Error;

    fn try_from(named: NamedMessage) -> Result<Self, Error> {
        Ok(Self {
            chat: read_address(named.chat.as_deref())?,
            from_me: named.from_me,
            id: named.message_id,
            participant: read_address(named.sender.as_deref())?,
        })
    }
}

/// What surrounds the content of a message.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessageContext {
    /// Addresses of the users who are mentioned.
    pub mentions: Vec<String>,
    /// Everyone in the group is mentioned.
    pub mentions_everyone: bool,
    /// Groups of the community that are mentioned.
    pub group_mentions: Vec<String>,
    /// Present on forwarded content.
    pub forwarded: Option<Forwarded>,
    /// The channel that it was forwarded from.
    pub channel: Option<String>,
    /// The chat's timer, as the sender knew it.
    pub timer: Option<ChatTimer>,
    /// The advertisement that the chat began with.
    pub advertisement: Option<Advertisement>,
    /// The sender's label in the group.
    pub member_label: Option<String>,
    /// The content is covered until it is tapped.
    pub spoiler: bool,
    /// The sender's clients offer no reactions to it.
    pub cannot_be_reacted_to: bool,
}

/// Where forwarded content comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Forwarded {
    /// Hops before this one; 127 stands for many.
    pub score: u32,
    /// It counts as forwarded many times.
    pub many: bool,
}

/// A chat's timer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChatTimer {
    /// How long messages stay, in seconds; 0: for ever.
    pub seconds: u32,
    /// When it was set, seconds since 1970.
    pub set_at: Option<i64>,
}

impl From<&context::Timer> for ChatTimer {
    fn from(timer: &context::Timer) -> Self {
        Self { seconds: timer.seconds, set_at: timer.set_at }
    }
}

/// The advertisement that a chat began with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Advertisement {
    /// Heading.
    pub title: Option<String>,
    /// Words.
    pub body: Option<String>,
    /// Where it is.
    pub source_url: Option<String>,
    /// Its id.
    pub source_id: Option<String>,
    /// What kind of thing it is, such as `ad` or `post`.
    pub source_type: Option<String>,
    /// Names the click.
    pub click_id: Option<String>,
}

impl From<&context::Context> for MessageContext {
    fn from(context: &context::Context) -> Self {
        let text = |jid: &Jid| jid.to_string();
        Self {
            mentions: context.mentions.iter().map(text).collect(),
            mentions_everyone: context.mentions_everyone,
            group_mentions: context.group_mentions.iter().map(|mention| text(&mention.group)).collect(),
            forwarded: context
                .forwarded
                .map(|forwarded| Forwarded { score: forwarded.score, many: forwarded.is_many() }),
            channel: context.channel_post.as_ref().map(|post| text(&post.channel)),
            timer: context.timer.as_ref().map(Into::into),
            advertisement: context.ad.as_ref().map(|ad| Advertisement {
                title: ad.title.clone(),
                body: ad.body.clone(),
                source_url: ad.source_url.clone(),
                source_id: ad.source_id.clone(),
                source_type: ad.source_type.clone(),
                click_id: ad.click_id.clone(),
            }),
            member_label: context.member_label.clone(),
            spoiler: context.is_spoiler,
            cannot_be_reacted_to: context.cannot_be_reacted_to,
        }
    }
}

/// That a message belongs to another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessageAssociation {
    /// How: `album`, `better_copy` (of the same picture or video), `status`, `poll`, `event`, `other`.
    pub how: String,
    /// The other message, as the sender names it.
    pub parent: NamedMessage,
    /// Place among those that belong to it, counted from 0.
    pub index: Option<i32>,
}

impl From<&classify::Association> for MessageAssociation {
    fn from(association: &classify::Association) -> Self {
        let how = match association.kind {
            _ if association.replaces_media() => "better_copy",
            Some(AssociationType::MediaAlbum) => "album",
            Some(AssociationType::MediaPoll | AssociationType::PollAddOption) => "poll",
            Some(AssociationType::EventCoverImage) => "event",
            Some(
                AssociationType::StatusPoll
                | AssociationType::StatusExternalReshare
                | AssociationType::StatusAddYours
                | AssociationType::StatusNotification
                | AssociationType::StatusLinkAction
                | AssociationType::StatusAddYoursAiImagine
                | AssociationType::StatusQuestion
                | AssociationType::StatusAddYoursDiwali
                | AssociationType::StatusReaction,
            ) => "status",
            _ => "other",
        };
        Self { how: how.to_owned(), parent: (&association.parent).into(), index: association.index }
    }
}
