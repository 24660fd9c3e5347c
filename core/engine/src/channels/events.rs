//! What the host hears of channels.

use whimbrel_content::Content;
use whimbrel_wire::Jid;

use super::channel::{Channel, ChannelActivity, ChannelPicture, ChannelReactions, ChannelState, PinnedPost};
use crate::events::Identity;

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

/// This account follows a channel now, or posts in it: it did so on another device, or made it there.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChannelJoined {
    /// The channel.
    pub channel: Channel,
    /// The service's time, seconds since 1970.
    pub timestamp: i64,
}

/// This account follows a channel no more.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChannelLeft {
    /// The channel.
    pub channel: Jid,
    /// The service's time, seconds since 1970.
    pub timestamp: i64,
}

/// A channel changed. `None`: not told; what was told before stays.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChannelChanged {
    /// The channel.
    pub channel: Jid,
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

/// Somebody has another role in a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChannelRoleChanged {
    /// The channel.
    pub channel: Jid,
    /// Who it is.
    pub who: Identity,
    /// Who did it, if known.
    pub author: Option<Identity>,
    /// What changed.
    pub change: ChannelRoleChange,
    /// The service's time, seconds since 1970.
    pub timestamp: i64,
}

/// What changed about somebody in a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChannelRoleChange {
    /// Is an admin now.
    Promoted,
    /// Is no admin any more.
    Demoted,
    /// Is the owner now.
    BecameOwner,
    /// Is invited to be an admin no more.
    InvitationRevoked,
}

/// Another device of this account muted something of a channel, or wants to hear of it again.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChannelMuted {
    /// The channel.
    pub channel: Jid,
    /// What it is about.
    pub activity: ChannelActivity,
    /// Nothing is to be shown on account of it.
    pub muted: bool,
    /// The service's time, seconds since 1970.
    pub timestamp: i64,
}
