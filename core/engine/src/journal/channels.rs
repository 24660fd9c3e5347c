//! The stored form of events about channels.

use whimbrel_content::Content;
use whimbrel_content::classify::{Class, reread};

use super::messages::content_of;
use super::record::{UnreadableRow, jid_of};
use crate::events::{ChannelCounts, ChannelPost, PostChange, PostCounts};

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
