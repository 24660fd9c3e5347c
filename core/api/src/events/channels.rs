//! Events about channels.

use schemars::JsonSchema;
use serde::Serialize;
use whimbrel::events;

use super::Identity;
use crate::content::{Content, Source};
use crate::operations::{
    Channel, ChannelActivity, ChannelPicture, ChannelReactions, ChannelState, PinnedPost,
};

/// What a post comes for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PostChangeType {
    /// It is new.
    New,
    /// It has another content now.
    Edited,
    /// It was taken back.
    Revoked,
    /// A kind that this version does not know.
    Unknown,
}

/// Emitted when a channel that this account follows or owns has a new post, or one has another content or
/// was taken back. Show it, or show it anew.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChannelPost {
    /// Address of the channel.
    pub channel: String,
    /// Id of the post, by which its admins change it.
    pub message_id: String,
    /// Number of the post, by which readers react and vote.
    pub server_id: u64,
    /// Whether it is new.
    pub change: PostChangeType,
    /// This account wrote it.
    pub from_me: bool,
    /// The service's time of the post, seconds since 1970.
    pub timestamp: i64,
    /// When it was edited last, milliseconds since 1970, if the service told it.
    pub edited_at_ms: Option<i64>,
    /// It waited at the service while this client was away.
    pub offline: bool,
    /// What it says; absent once it was taken back.
    pub content: Option<Content>,
    /// Its words, if it has any.
    pub text: Option<String>,
    /// How it is received, as far as the service told it.
    pub counts: PostCounts,
}

/// Emitted when the service tells how posts of a channel are received. Replace what you show of what is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChannelCounts {
    /// Address of the channel.
    pub channel: String,
    /// The posts.
    pub posts: Vec<PostCounts>,
    /// The service's time, seconds since 1970.
    pub timestamp: i64,
}

/// How one post is received. What is absent was not told: what was told before stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PostCounts {
    /// Number of the post.
    pub server_id: u64,
    /// How often it was seen.
    pub views: Option<u64>,
    /// How often it was forwarded.
    pub forwards: Option<u64>,
    /// How many answers a question has.
    pub responses: Option<u64>,
    /// How many people chose which emoji.
    pub reactions: Option<Vec<PostReactionCount>>,
    /// How many people chose which option of a poll.
    pub votes: Option<Vec<PostVoteCount>>,
}

/// How many people reacted with an emoji.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PostReactionCount {
    /// The emoji.
    pub emoji: String,
    /// How many people chose it.
    pub count: u64,
}

/// How many people voted for an option.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PostVoteCount {
    /// SHA-256 of the option's words, in lower-case hexadecimal digits.
    pub option: String,
    /// How many people chose it.
    pub count: u64,
}

pub(crate) fn hexadecimal(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

impl From<&events::PostCounts> for PostCounts {
    fn from(counts: &events::PostCounts) -> Self {
        let reaction =
            |(emoji, count): &(String, u64)| PostReactionCount { emoji: emoji.clone(), count: *count };
        let vote =
            |(option, count): &(Vec<u8>, u64)| PostVoteCount { option: hexadecimal(option), count: *count };
        Self {
            server_id: counts.server_id,
            views: counts.views,
            forwards: counts.forwards,
            responses: counts.responses,
            reactions: counts.reactions.as_ref().map(|all| all.iter().map(reaction).collect()),
            votes: counts.votes.as_ref().map(|all| all.iter().map(vote).collect()),
        }
    }
}

impl From<&events::ChannelCounts> for ChannelCounts {
    fn from(event: &events::ChannelCounts) -> Self {
        Self {
            channel: event.channel.to_string(),
            posts: event.posts.iter().map(Into::into).collect(),
            timestamp: event.timestamp,
        }
    }
}

impl From<&events::ChannelPost> for ChannelPost {
    fn from(event: &events::ChannelPost) -> Self {
        Self {
            channel: event.channel.to_string(),
            message_id: event.message_id.clone(),
            server_id: event.server_id,
            change: match event.change {
                events::PostChange::New => PostChangeType::New,
                events::PostChange::Edited => PostChangeType::Edited,
                events::PostChange::Revoked => PostChangeType::Revoked,
                _ => PostChangeType::Unknown,
            },
            from_me: event.from_me,
            timestamp: event.timestamp,
            edited_at_ms: event.edited_at_ms,
            offline: event.offline,
            content: event.content.as_ref().map(|content| Content::of(content, Source::default())),
            text: event.text.clone(),
            counts: (&event.counts).into(),
        }
    }
}

/// Emitted when this account follows a channel, or posts in it, that it did not before: it did so on another
/// device, or accepted an invitation. Show it among its channels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChannelJoined {
    /// The channel.
    pub channel: Channel,
    /// The service's time, seconds since 1970.
    pub timestamp: i64,
}

/// Emitted when this account follows a channel no more, because another device of it gave it up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChannelLeft {
    /// Address of the channel.
    pub channel: String,
    /// The service's time, seconds since 1970.
    pub timestamp: i64,
}

/// Emitted when a channel has another name, picture or the like, or goes on no more. What is absent was not
/// told: what was told before stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChannelChanged {
    /// Address of the channel.
    pub channel: String,
    /// Whether it goes on.
    pub state: Option<ChannelState>,
    /// Its name.
    pub name: Option<String>,
    /// Its description; empty: it has none any more.
    pub description: Option<String>,
    /// Its picture.
    pub picture: Option<ChannelPicture>,
    /// It has no picture any more.
    pub picture_removed: bool,
    /// Which reactions its posts take.
    pub reactions: Option<ChannelReactions>,
    /// The posts that are pinned in it.
    pub pinned: Option<Vec<PinnedPost>>,
    /// The service's time, seconds since 1970.
    pub timestamp: i64,
}

/// What changed about somebody in a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChannelRoleChangeType {
    /// Is an admin now.
    Promoted,
    /// Is no admin any more.
    Demoted,
    /// Is the owner now.
    BecameOwner,
    /// Is invited to be an admin no more.
    InvitationRevoked,
    /// A change that this version does not know.
    Unknown,
}

/// Emitted when somebody has another role in a channel. The service tells it to those who post there, and to
/// whom it is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChannelRoleChanged {
    /// Address of the channel.
    pub channel: String,
    /// Who it is.
    pub who: Identity,
    /// Who did it, if known.
    pub author: Option<Identity>,
    /// What changed.
    pub change: ChannelRoleChangeType,
    /// The service's time, seconds since 1970.
    pub timestamp: i64,
}

/// Emitted when another device of this account muted something of a channel, or wants to hear of it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChannelMuted {
    /// Address of the channel.
    pub channel: String,
    /// What it is about.
    pub activity: ChannelActivity,
    /// Nothing is to be shown on account of it.
    pub muted: bool,
    /// The service's time, seconds since 1970.
    pub timestamp: i64,
}

impl From<&events::ChannelJoined> for ChannelJoined {
    fn from(event: &events::ChannelJoined) -> Self {
        Self { channel: (&event.channel).into(), timestamp: event.timestamp }
    }
}

impl From<&events::ChannelLeft> for ChannelLeft {
    fn from(event: &events::ChannelLeft) -> Self {
        Self { channel: event.channel.to_string(), timestamp: event.timestamp }
    }
}

impl From<&events::ChannelChanged> for ChannelChanged {
    fn from(event: &events::ChannelChanged) -> Self {
        Self {
            channel: event.channel.to_string(),
            state: event.state.map(Into::into),
            name: event.name.clone(),
            description: event.description.clone(),
            picture: event.picture.as_ref().map(Into::into),
            picture_removed: event.picture_removed,
            reactions: event.reactions.map(Into::into),
            pinned: event.pinned.as_ref().map(|pinned| pinned.iter().map(Into::into).collect()),
            timestamp: event.timestamp,
        }
    }
}

impl From<&events::ChannelRoleChanged> for ChannelRoleChanged {
    fn from(event: &events::ChannelRoleChanged) -> Self {
        Self {
            channel: event.channel.to_string(),
            who: (&event.who).into(),
            author: event.author.as_ref().map(Into::into),
            change: match event.change {
                events::ChannelRoleChange::Promoted => ChannelRoleChangeType::Promoted,
                events::ChannelRoleChange::Demoted => ChannelRoleChangeType::Demoted,
                events::ChannelRoleChange::BecameOwner => ChannelRoleChangeType::BecameOwner,
                events::ChannelRoleChange::InvitationRevoked => ChannelRoleChangeType::InvitationRevoked,
                _ => ChannelRoleChangeType::Unknown,
            },
            timestamp: event.timestamp,
        }
    }
}

impl From<&events::ChannelMuted> for ChannelMuted {
    fn from(event: &events::ChannelMuted) -> Self {
        Self {
            channel: event.channel.to_string(),
            activity: event.activity.into(),
            muted: event.muted,
            timestamp: event.timestamp,
        }
    }
}
