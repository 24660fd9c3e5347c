//! Events about channels.

use schemars::JsonSchema;
use serde::Serialize;
use whimbrel::events;

use crate::content::{Content, Source};

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

fn hexadecimal(octets: &[u8]) -> String {
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
