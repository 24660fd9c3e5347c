//! The stored form of events about channels.

use whimbrel_content::Content;
use whimbrel_content::classify::{Class, reread};

use super::messages::content_of;
use super::record::{IdentityRow, UnreadableRow, identity_of, identity_row, jid_of};
use crate::channels::{
    Channel, ChannelActivity, ChannelPicture, ChannelReactions, ChannelRole, ChannelState, PinnedPost,
};
use crate::events::{
    ChannelChanged, ChannelCounts, ChannelJoined, ChannelLeft, ChannelMuted, ChannelPost, ChannelRoleChange,
    ChannelRoleChanged, PostChange, PostCounts,
};

#[derive(Clone, PartialEq, prost::Message)]
struct CountRow {
    /// An emoji, or the hash of an option.
    #[prost(bytes = "vec", tag = "1")]
    what: Vec<u8>,
    #[prost(uint64, tag = "2")]
    count: u64,
}

#[derive(Clone, PartialEq, prost::Message)]
struct CountListRow {
    #[prost(message, repeated, tag = "1")]
    items: Vec<CountRow>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct PostCountsRow {
    #[prost(uint64, tag = "1")]
    server_id: u64,
    #[prost(uint64, optional, tag = "2")]
    views: Option<u64>,
    #[prost(uint64, optional, tag = "3")]
    forwards: Option<u64>,
    #[prost(uint64, optional, tag = "4")]
    responses: Option<u64>,
    #[prost(message, optional, tag = "5")]
    reactions: Option<CountListRow>,
    #[prost(message, optional, tag = "6")]
    votes: Option<CountListRow>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct PostRow {
    #[prost(string, tag = "1")]
    channel: String,
    #[prost(string, tag = "2")]
    message_id: String,
    /// 0 new, 1 edited, 2 taken back.
    #[prost(uint32, tag = "3")]
    change: u32,
    #[prost(bool, tag = "4")]
    from_me: bool,
    #[prost(int64, tag = "5")]
    timestamp: i64,
    #[prost(int64, optional, tag = "6")]
    edited_at_ms: Option<i64>,
    #[prost(bool, tag = "7")]
    offline: bool,
    #[prost(bytes = "vec", tag = "8")]
    raw: Vec<u8>,
    #[prost(message, optional, tag = "9")]
    counts: Option<PostCountsRow>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct CountsRow {
    #[prost(string, tag = "1")]
    channel: String,
    #[prost(message, repeated, tag = "2")]
    posts: Vec<PostCountsRow>,
    #[prost(int64, tag = "3")]
    timestamp: i64,
}

impl From<&PostCounts> for PostCountsRow {
    fn from(counts: &PostCounts) -> Self {
        let row = |what: &[u8], count: u64| CountRow { what: what.to_vec(), count };
        Self {
            server_id: counts.server_id,
            views: counts.views,
            forwards: counts.forwards,
            responses: counts.responses,
            reactions: counts.reactions.as_ref().map(|reactions| CountListRow {
                items: reactions.iter().map(|(code, count)| row(code.as_bytes(), *count)).collect(),
            }),
            votes: counts.votes.as_ref().map(|votes| CountListRow {
                items: votes.iter().map(|(option, count)| row(option, *count)).collect(),
            }),
        }
    }
}

impl TryFrom<PostCountsRow> for PostCounts {
    type Error = UnreadableRow;

    fn try_from(row: PostCountsRow) -> Result<Self, UnreadableRow> {
        let code = |row: CountRow| Ok((String::from_utf8(row.what).map_err(|_| UnreadableRow)?, row.count));
        let reactions = row.reactions.map(|list| list.items.into_iter().map(code).collect());
        let votes = row.votes.map(|list| list.items.into_iter().map(|row| (row.what, row.count)).collect());
        Ok(Self {
            server_id: row.server_id,
            views: row.views,
            forwards: row.forwards,
            responses: row.responses,
            reactions: reactions.transpose()?,
            votes,
        })
    }
}

impl From<&ChannelPost> for PostRow {
    fn from(event: &ChannelPost) -> Self {
        Self {
            channel: event.channel.to_string(),
            message_id: event.message_id.clone(),
            change: match event.change {
                PostChange::New => 0,
                PostChange::Edited => 1,
                PostChange::Revoked => 2,
            },
            from_me: event.from_me,
            timestamp: event.timestamp,
            edited_at_ms: event.edited_at_ms,
            offline: event.offline,
            raw: event.raw.clone(),
            counts: Some((&event.counts).into()),
        }
    }
}

impl TryFrom<PostRow> for ChannelPost {
    type Error = UnreadableRow;

    fn try_from(row: PostRow) -> Result<Self, UnreadableRow> {
        let channel = jid_of(&row.channel)?;
        let change = match row.change {
            0 => PostChange::New,
            1 => PostChange::Edited,
            2 => PostChange::Revoked,
            _ => return Err(UnreadableRow),
        };
        let content = if row.raw.is_empty() {
            None
        } else {
            let class = reread(content_of(&row.raw)?, &channel, row.from_me).class;
            Some(match class {
                Class::Message(shown) => shown.content,
                _ => Content::Unsupported,
            })
        };
        let counts: PostCounts = row.counts.ok_or(UnreadableRow)?.try_into()?;
        Ok(Self {
            channel,
            message_id: row.message_id,
            server_id: counts.server_id,
            change,
            from_me: row.from_me,
            timestamp: row.timestamp,
            edited_at_ms: row.edited_at_ms,
            offline: row.offline,
            text: content.as_ref().and_then(Content::body),
            content,
            counts,
            raw: row.raw,
        })
    }
}

impl From<&ChannelCounts> for CountsRow {
    fn from(event: &ChannelCounts) -> Self {
        Self {
            channel: event.channel.to_string(),
            posts: event.posts.iter().map(Into::into).collect(),
            timestamp: event.timestamp,
        }
    }
}

impl TryFrom<CountsRow> for ChannelCounts {
    type Error = UnreadableRow;

    fn try_from(row: CountsRow) -> Result<Self, UnreadableRow> {
        Ok(Self {
            channel: jid_of(&row.channel)?,
            posts: row.posts.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?,
            timestamp: row.timestamp,
        })
    }
}

#[derive(Clone, PartialEq, prost::Message)]
struct PictureRow {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(string, optional, tag = "2")]
    direct_path: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct PinnedRow {
    #[prost(string, tag = "1")]
    message_id: String,
    #[prost(int64, optional, tag = "2")]
    until: Option<i64>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct PinnedListRow {
    #[prost(message, repeated, tag = "1")]
    items: Vec<PinnedRow>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct ChannelRow {
    #[prost(string, tag = "1")]
    id: String,
    /// As [`state_number`].
    #[prost(uint32, tag = "2")]
    state: u32,
    #[prost(string, tag = "3")]
    name: String,
    #[prost(string, optional, tag = "4")]
    description: Option<String>,
    #[prost(message, optional, tag = "5")]
    picture: Option<PictureRow>,
    #[prost(message, optional, tag = "6")]
    preview: Option<PictureRow>,
    #[prost(string, optional, tag = "7")]
    invite: Option<String>,
    #[prost(string, optional, tag = "8")]
    handle: Option<String>,
    #[prost(uint64, optional, tag = "9")]
    followers: Option<u64>,
    #[prost(bool, tag = "10")]
    is_verified: bool,
    #[prost(int64, optional, tag = "11")]
    created_at: Option<i64>,
    /// As [`reactions_number`].
    #[prost(uint32, optional, tag = "12")]
    reactions: Option<u32>,
    #[prost(message, repeated, tag = "13")]
    pinned: Vec<PinnedRow>,
    /// 0 unknown, 1 owner, 2 admin, 3 follower, 4 guest.
    #[prost(uint32, optional, tag = "14")]
    role: Option<u32>,
    #[prost(bool, optional, tag = "15")]
    posts_muted: Option<bool>,
    #[prost(bool, optional, tag = "16")]
    followers_muted: Option<bool>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct JoinedRow {
    #[prost(message, optional, tag = "1")]
    channel: Option<ChannelRow>,
    #[prost(int64, tag = "2")]
    timestamp: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct LeftRow {
    #[prost(string, tag = "1")]
    channel: String,
    #[prost(int64, tag = "2")]
    timestamp: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct ChangedRow {
    #[prost(string, tag = "1")]
    channel: String,
    #[prost(uint32, optional, tag = "2")]
    state: Option<u32>,
    #[prost(string, optional, tag = "3")]
    name: Option<String>,
    #[prost(string, optional, tag = "4")]
    description: Option<String>,
    #[prost(message, optional, tag = "5")]
    picture: Option<PictureRow>,
    #[prost(bool, tag = "6")]
    picture_removed: bool,
    #[prost(uint32, optional, tag = "7")]
    reactions: Option<u32>,
    #[prost(message, optional, tag = "8")]
    pinned: Option<PinnedListRow>,
    #[prost(int64, tag = "9")]
    timestamp: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct RoleRow {
    #[prost(string, tag = "1")]
    channel: String,
    #[prost(message, optional, tag = "2")]
    who: Option<IdentityRow>,
    #[prost(message, optional, tag = "3")]
    author: Option<IdentityRow>,
    /// 1 promoted, 2 demoted, 3 owner, 4 invited no more.
    #[prost(uint32, tag = "4")]
    change: u32,
    #[prost(int64, tag = "5")]
    timestamp: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct MutedRow {
    #[prost(string, tag = "1")]
    channel: String,
    /// 1 posts, 2 followers.
    #[prost(uint32, tag = "2")]
    activity: u32,
    #[prost(bool, tag = "3")]
    muted: bool,
    #[prost(int64, tag = "4")]
    timestamp: i64,
}

const fn state_number(state: ChannelState) -> u32 {
    match state {
        ChannelState::Unknown => 0,
        ChannelState::Active => 1,
        ChannelState::Suspended => 2,
        ChannelState::SuspendedHere => 3,
        ChannelState::Deleted => 4,
        ChannelState::Missing => 5,
    }
}

const fn state_of(number: u32) -> ChannelState {
    match number {
        1 => ChannelState::Active,
        2 => ChannelState::Suspended,
        3 => ChannelState::SuspendedHere,
        4 => ChannelState::Deleted,
        5 => ChannelState::Missing,
        _ => ChannelState::Unknown,
    }
}

const fn reactions_number(reactions: ChannelReactions) -> u32 {
    match reactions {
        ChannelReactions::Unknown => 0,
        ChannelReactions::All => 1,
        ChannelReactions::Basic => 2,
        ChannelReactions::None => 3,
        ChannelReactions::Blocklist => 4,
    }
}

const fn reactions_of(number: u32) -> ChannelReactions {
    match number {
        1 => ChannelReactions::All,
        2 => ChannelReactions::Basic,
        3 => ChannelReactions::None,
        4 => ChannelReactions::Blocklist,
        _ => ChannelReactions::Unknown,
    }
}

const fn role_number(role: ChannelRole) -> u32 {
    match role {
        ChannelRole::Unknown => 0,
        ChannelRole::Owner => 1,
        ChannelRole::Admin => 2,
        ChannelRole::Follower => 3,
        ChannelRole::Guest => 4,
    }
}

const fn role_of(number: u32) -> ChannelRole {
    match number {
        1 => ChannelRole::Owner,
        2 => ChannelRole::Admin,
        3 => ChannelRole::Follower,
        4 => ChannelRole::Guest,
        _ => ChannelRole::Unknown,
    }
}

fn picture_row(picture: &ChannelPicture) -> PictureRow {
    PictureRow { id: picture.id.clone(), direct_path: picture.direct_path.clone() }
}

fn picture_of(row: PictureRow) -> ChannelPicture {
    ChannelPicture { id: row.id, direct_path: row.direct_path }
}

fn pinned_rows(pinned: &[PinnedPost]) -> Vec<PinnedRow> {
    pinned.iter().map(|post| PinnedRow { message_id: post.message_id.clone(), until: post.until }).collect()
}

fn pinned_of(rows: Vec<PinnedRow>) -> Vec<PinnedPost> {
    rows.into_iter().map(|row| PinnedPost { message_id: row.message_id, until: row.until }).collect()
}

impl From<&ChannelJoined> for JoinedRow {
    fn from(event: &ChannelJoined) -> Self {
        let channel = &event.channel;
        let row = ChannelRow {
            id: channel.id.to_string(),
            state: state_number(channel.state),
            name: channel.name.clone(),
            description: channel.description.clone(),
            picture: channel.picture.as_ref().map(picture_row),
            preview: channel.preview.as_ref().map(picture_row),
            invite: channel.invite.clone(),
            handle: channel.handle.clone(),
            followers: channel.followers,
            is_verified: channel.is_verified,
            created_at: channel.created_at,
            reactions: channel.reactions.map(reactions_number),
            pinned: pinned_rows(&channel.pinned),
            role: channel.role.map(role_number),
            posts_muted: channel.posts_muted,
            followers_muted: channel.followers_muted,
        };
        Self { channel: Some(row), timestamp: event.timestamp }
    }
}

impl TryFrom<JoinedRow> for ChannelJoined {
    type Error = UnreadableRow;

    fn try_from(row: JoinedRow) -> Result<Self, UnreadableRow> {
        let channel = row.channel.ok_or(UnreadableRow)?;
        let channel = Channel {
            id: jid_of(&channel.id)?,
            state: state_of(channel.state),
            name: channel.name,
            description: channel.description,
            picture: channel.picture.map(picture_of),
            preview: channel.preview.map(picture_of),
            invite: channel.invite,
            handle: channel.handle,
            followers: channel.followers,
            is_verified: channel.is_verified,
            created_at: channel.created_at,
            reactions: channel.reactions.map(reactions_of),
            pinned: pinned_of(channel.pinned),
            role: channel.role.map(role_of),
            posts_muted: channel.posts_muted,
            followers_muted: channel.followers_muted,
        };
        Ok(Self { channel, timestamp: row.timestamp })
    }
}

impl From<&ChannelLeft> for LeftRow {
    fn from(event: &ChannelLeft) -> Self {
        Self { channel: event.channel.to_string(), timestamp: event.timestamp }
    }
}

impl TryFrom<LeftRow> for ChannelLeft {
    type Error = UnreadableRow;

    fn try_from(row: LeftRow) -> Result<Self, UnreadableRow> {
        Ok(Self { channel: jid_of(&row.channel)?, timestamp: row.timestamp })
    }
}

impl From<&ChannelChanged> for ChangedRow {
    fn from(event: &ChannelChanged) -> Self {
        Self {
            channel: event.channel.to_string(),
            state: event.state.map(state_number),
            name: event.name.clone(),
            description: event.description.clone(),
            picture: event.picture.as_ref().map(picture_row),
            picture_removed: event.picture_removed,
            reactions: event.reactions.map(reactions_number),
            pinned: event.pinned.as_ref().map(|pinned| PinnedListRow { items: pinned_rows(pinned) }),
            timestamp: event.timestamp,
        }
    }
}

impl TryFrom<ChangedRow> for ChannelChanged {
    type Error = UnreadableRow;

    fn try_from(row: ChangedRow) -> Result<Self, UnreadableRow> {
        Ok(Self {
            channel: jid_of(&row.channel)?,
            state: row.state.map(state_of),
            name: row.name,
            description: row.description,
            picture: row.picture.map(picture_of),
            picture_removed: row.picture_removed,
            reactions: row.reactions.map(reactions_of),
            pinned: row.pinned.map(|pinned| pinned_of(pinned.items)),
            timestamp: row.timestamp,
        })
    }
}

impl From<&ChannelRoleChanged> for RoleRow {
    fn from(event: &ChannelRoleChanged) -> Self {
        Self {
            channel: event.channel.to_string(),
            who: Some(identity_row(&event.who)),
            author: event.author.as_ref().map(identity_row),
            change: match event.change {
                ChannelRoleChange::Promoted => 1,
                ChannelRoleChange::Demoted => 2,
                ChannelRoleChange::BecameOwner => 3,
                ChannelRoleChange::InvitationRevoked => 4,
            },
            timestamp: event.timestamp,
        }
    }
}

impl TryFrom<RoleRow> for ChannelRoleChanged {
    type Error = UnreadableRow;

    fn try_from(row: RoleRow) -> Result<Self, UnreadableRow> {
        Ok(Self {
            channel: jid_of(&row.channel)?,
            who: identity_of(row.who)?,
            author: row.author.map(|author| identity_of(Some(author))).transpose()?,
            change: match row.change {
                1 => ChannelRoleChange::Promoted,
                2 => ChannelRoleChange::Demoted,
                3 => ChannelRoleChange::BecameOwner,
                4 => ChannelRoleChange::InvitationRevoked,
                _ => return Err(UnreadableRow),
            },
            timestamp: row.timestamp,
        })
    }
}

impl From<&ChannelMuted> for MutedRow {
    fn from(event: &ChannelMuted) -> Self {
        Self {
            channel: event.channel.to_string(),
            activity: match event.activity {
                ChannelActivity::Posts => 1,
                ChannelActivity::Followers => 2,
            },
            muted: event.muted,
            timestamp: event.timestamp,
        }
    }
}

impl TryFrom<MutedRow> for ChannelMuted {
    type Error = UnreadableRow;

    fn try_from(row: MutedRow) -> Result<Self, UnreadableRow> {
        Ok(Self {
            channel: jid_of(&row.channel)?,
            activity: match row.activity {
                1 => ChannelActivity::Posts,
                2 => ChannelActivity::Followers,
                _ => return Err(UnreadableRow),
            },
            muted: row.muted,
            timestamp: row.timestamp,
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use whimbrel_wire::Jid;

    use super::*;
    use crate::events::{EventKind, Identity};

    /// One event of every kind about channels themselves.
    pub(crate) fn every_kind(who: &Identity) -> Vec<EventKind> {
        let id = Jid::newsletter("120363000000000002");
        let picture = ChannelPicture { id: "3".to_owned(), direct_path: Some("/p".to_owned()) };
        let pinned = vec![PinnedPost { message_id: "A".to_owned(), until: Some(8) }];
        let channel = Channel {
            id: id.clone(),
            state: ChannelState::SuspendedHere,
            name: "Finches".to_owned(),
            description: Some("of all kinds".to_owned()),
            picture: Some(picture.clone()),
            preview: None,
            invite: Some("0029Va".to_owned()),
            handle: Some("finches".to_owned()),
            followers: Some(12),
            is_verified: true,
            created_at: Some(5),
            reactions: Some(ChannelReactions::Basic),
            pinned: pinned.clone(),
            role: Some(ChannelRole::Admin),
            posts_muted: Some(true),
            followers_muted: None,
        };
        let changed = ChannelChanged {
            channel: id.clone(),
            state: Some(ChannelState::Deleted),
            name: Some("Sparrows".to_owned()),
            description: Some(String::new()),
            picture: Some(picture),
            picture_removed: false,
            reactions: Some(ChannelReactions::None),
            pinned: Some(pinned),
            timestamp: 9,
        };
        let role = |change| ChannelRoleChanged {
            channel: id.clone(),
            who: who.clone(),
            author: Some(who.clone()),
            change,
            timestamp: 9,
        };
        let muted = |activity| ChannelMuted { channel: id.clone(), activity, muted: true, timestamp: 9 };
        vec![
            EventKind::ChannelJoined(Box::new(ChannelJoined { channel, timestamp: 9 })),
            EventKind::ChannelLeft(ChannelLeft { channel: id.clone(), timestamp: 9 }),
            EventKind::ChannelChanged(Box::new(changed)),
            EventKind::ChannelRoleChanged(role(ChannelRoleChange::Promoted)),
            EventKind::ChannelRoleChanged(role(ChannelRoleChange::Demoted)),
            EventKind::ChannelRoleChanged(role(ChannelRoleChange::BecameOwner)),
            EventKind::ChannelRoleChanged(role(ChannelRoleChange::InvitationRevoked)),
            EventKind::ChannelMuted(muted(ChannelActivity::Posts)),
            EventKind::ChannelMuted(muted(ChannelActivity::Followers)),
        ]
    }
}
