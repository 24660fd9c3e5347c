//! What comes from channels: posts, and how they are received (messages document §14, features document
//! §4.5).

use sha2::{Digest as _, Sha256};
use whimbrel_content::classify::{Class, reread};
use whimbrel_content::{Content, unwrap};
use whimbrel_proto::e2e::Message;
use whimbrel_wire::{Jid, NodeRef};

use super::events::{ChannelCounts, ChannelPost, PostChange, PostCounts};
use crate::events::EventKind;
use crate::messages::{Replies, Unit};
use crate::store::{InboxEntry, InboxState, StoreError};

/// Posts, reactions and options that one stanza tells of at most.
pub(super) const ENTRIES: usize = 500;

/// Deals with a `<message>` of a channel. It is acknowledged only: there are no receipts.
pub(crate) fn message(
    unit: &mut Unit<'_>,
    node: &NodeRef<'_>,
    channel: &Jid,
    replies: &mut Replies,
) -> Result<(), StoreError> {
    replies.ack(node, None);
    let Some(counts) = counts(node) else {
        tracing::debug!("Something of a channel has no number.");
        return Ok(());
    };
    let change = change(node);
    let plaintext = plaintext(node);
    if plaintext.is_none() && change != PostChange::Revoked {
        if counts.tell() {
            tell_counts(unit, channel, vec![counts], time(node, unit.now()));
        }
        return Ok(());
    }
    let Some(id) = node.attr_text("id").filter(|id| !id.is_empty()) else { return Ok(()) };
    if is_known(unit, channel, &id, change, plaintext.unwrap_or_default())? {
        return Ok(());
    }
    let from_me = node.attr_true("is_sender");
    let (content, raw) = match plaintext.map(|bytes| read(bytes, channel, from_me)) {
        Some(Some((content, raw))) => (Some(content), raw),
        Some(None) => {
            tracing::warn!("The content of a channel's post is unreadable.");
            return Ok(());
        }
        None => (None, Vec::new()),
    };
    let event = ChannelPost {
        channel: channel.clone(),
        message_id: id.into_owned(),
        server_id: counts.server_id,
        change,
        from_me,
        timestamp: time(node, unit.now()),
        edited_at_ms: edited_at_ms(node),
        offline: node.attr_value("offline").is_some(),
        text: content.as_ref().and_then(Content::body),
        content,
        counts,
        raw,
    };
    unit.event(EventKind::ChannelPost(Box::new(event)));
    Ok(())
}

/// What a stanza of a post comes for.
pub(super) fn change(node: &NodeRef<'_>) -> PostChange {
    match node.attr_text("edit").as_deref() {
        Some("3" | "1") => PostChange::Edited,
        Some("8" | "7") => PostChange::Revoked,
        _ => PostChange::New,
    }
}

/// What a post says, as protobuf.
pub(super) fn plaintext<'n>(node: &'n NodeRef<'_>) -> Option<&'n [u8]> {
    let plaintext = node.child_named("plaintext").and_then(|plaintext| plaintext.content_bytes());
    plaintext.filter(|bytes| !bytes.is_empty())
}

/// When a post was edited last, milliseconds since 1970.
pub(super) fn edited_at_ms(node: &NodeRef<'_>) -> Option<i64> {
    let edited = node.child_named("meta").and_then(|meta| meta.attr_u64("msg_edit_t"));
    edited.and_then(|time| i64::try_from(time).ok())
}

/// Whether this state of a post was told before; it is from now on.
fn is_known(
    unit: &mut Unit<'_>,
    channel: &Jid,
    id: &str,
    change: PostChange,
    content: &[u8],
) -> Result<bool, StoreError> {
    let mut hash = Sha256::new();
    hash.update([u8::from(change == PostChange::New), u8::from(change == PostChange::Revoked)]);
    hash.update(content);
    let hash: [u8; 32] = hash.finalize().into();
    let ciphertext_hash = hash.first_chunk().copied().unwrap_or_default();
    let known = unit.inbox(channel, channel, id)?;
    if known.is_some_and(|known| known.ciphertext_hash == ciphertext_hash) {
        return Ok(true);
    }
    let seen_at = unit.now();
    unit.changes.inbox.push(InboxEntry {
        chat: channel.clone(),
        author: channel.clone(),
        message_id: id.to_owned(),
        ciphertext_hash,
        state: InboxState::Done,
        seen_at,
    });
    Ok(false)
}

/// The content of a post. Some admins' clients send an edit in the form of other chats.
pub(super) fn read(bytes: &[u8], channel: &Jid, from_me: bool) -> Option<(Content, Vec<u8>)> {
    let mut message = whimbrel_proto::decode::<Message>(bytes).ok()?;
    let mut raw = bytes.to_vec();
    let inner = unwrap::open(message.clone()).content.protocol_message;
    if let Some(edited) = inner.and_then(|protocol| protocol.edited_message) {
        message = *edited;
        raw = whimbrel_proto::encode(&message);
    }
    let content = match reread(message, channel, from_me).class {
        Class::Message(shown) => shown.content,
        _ => Content::Unsupported,
    };
    Some((content, raw))
}

pub(super) fn tell_counts(unit: &mut Unit<'_>, channel: &Jid, posts: Vec<PostCounts>, timestamp: i64) {
    unit.event(EventKind::ChannelCounts(ChannelCounts { channel: channel.clone(), posts, timestamp }));
}

pub(super) fn time(node: &NodeRef<'_>, otherwise: i64) -> i64 {
    node.attr_u64("t").and_then(|time| i64::try_from(time).ok()).unwrap_or(otherwise)
}

/// How a post is received, as its stanza says it.
pub(super) fn counts(node: &NodeRef<'_>) -> Option<PostCounts> {
    let number = |tag: &str| node.child_named(tag).and_then(|child| child.attr_u64("count"));
    let reactions = node.child_named("reactions").map(|reactions| {
        let each = reactions.children_named("reaction").take(ENTRIES);
        each.filter_map(|one| Some((one.attr_text("code")?.into_owned(), one.attr_u64("count")?))).collect()
    });
    let votes = node.child_named("votes").map(|votes| {
        let each = votes.children_named("vote").take(ENTRIES);
        each.filter_map(|one| Some((one.content_bytes()?.to_vec(), one.attr_u64("count")?))).collect()
    });
    Some(PostCounts {
        server_id: node.attr_u64("server_id")?,
        views: number("views_count"),
        forwards: number("forwards_count"),
        responses: number("responses_count"),
        reactions,
        votes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use whimbrel_wire::Node;

    #[test]
    fn counts_are_read_and_what_is_not_told_is_left_open() {
        let reaction = Node::new("reaction").attr("code", "👍").attr("count", 3_u64);
        let node = Node::new("message")
            .attr("server_id", 101_u64)
            .child(Node::new("views_count").attr("count", 9_u64))
            .child(Node::new("reactions").child(reaction))
            .child(Node::new("votes").child(Node::new("vote").attr("count", 2_u64).bytes(vec![7; 32])));
        let read = counts(&node).unwrap();
        assert_eq!((read.server_id, read.views, read.forwards), (101, Some(9), None));
        assert_eq!(read.reactions, Some(vec![("👍".to_owned(), 3)]));
        assert_eq!(read.votes, Some(vec![(vec![7; 32], 2)]));
        assert!(read.tell());
        assert!(!counts(&Node::new("message").attr("server_id", 1_u64)).unwrap().tell());
        assert_eq!(counts(&Node::new("message")), None);
    }
}
