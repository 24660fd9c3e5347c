//! What the host hears of channels.

use whimbrel_content::Content;
use whimbrel_wire::Jid;

/// A post of a channel, as it is now.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ChannelPost {
    /// The channel.
    pub channel: Jid,
    /// Id of the post, by which its admins change it.
    pub message_id: String,
    /// Number of the post, by which readers react and vote.
    pub server_id: u64,
    /// Whether it is new.
    pub change: PostChange,
    /// This account wrote it.
    pub from_me: bool,
    /// The service's time of the post, seconds since 1970.
    pub timestamp: i64,
    /// When it was edited last, milliseconds since 1970, if the service told it.
    pub edited_at_ms: Option<i64>,
    /// It waited at the service while this client was away.
    pub offline: bool,
    /// What it says; `None` once it was taken back.
    pub content: Option<Content>,
    /// Its words, if it has any.
    pub text: Option<String>,
    /// How it is received, as far as the service told it.
    pub counts: PostCounts,
    /// The content as protobuf (`Message`).
    pub raw: Vec<u8>,
}

/// What a post comes for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PostChange {
    /// It is new.
    New,
    /// It has another content now.
    Edited,
    /// It was taken back.
    Revoked,
}

/// How posts of a channel are received. What is told replaces what was told before.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChannelCounts {
    /// The channel.
    pub channel: Jid,
    /// The posts.
    pub posts: Vec<PostCounts>,
    /// The service's time, seconds since 1970.
    pub timestamp: i64,
}

/// How one post is received. `None`: not told; what was told before stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PostCounts {
    /// Number of the post.
    pub server_id: u64,
    /// How often it was seen.
    pub views: Option<u64>,
    /// How often it was forwarded.
    pub forwards: Option<u64>,
    /// How many answers a question has.
    pub responses: Option<u64>,
    /// Emojis, and how many people chose each.
    pub reactions: Option<Vec<(String, u64)>>,
    /// Options of a poll by the SHA-256 of their words, and how many people chose each.
    pub votes: Option<Vec<(Vec<u8>, u64)>>,
}

impl PostCounts {
    /// Whether anything is told.
    pub(crate) fn tell(&self) -> bool {
        *self != Self { server_id: self.server_id, ..Self::default() }
    }
}
