//! Reading a channel: what was posted, how it is received, and that it was seen (features document §4.4).

use std::sync::Arc;

use tokio::time::Instant;
use whimbrel_content::Content;
use whimbrel_wire::{Jid, Node, NodeRef};

use super::events::{PostChange, PostCounts};
use super::{address, receive, stanza};
use crate::client::{Client, Inner};
use crate::error::{Code, Error};
use crate::groups::{left, unclear};
use crate::messages::outbox::fate::refusal;
use crate::messages::stanza::ack;
use crate::options::CallOptions;

/// Posts in one answer.
const MOST: u32 = 100;

/// A post as it was fetched.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Post {
    /// Its id, by which its admins change it.
    pub message_id: String,
    /// Its number, by which readers react and vote.
    pub server_id: u64,
    /// This account wrote it.
    pub from_me: bool,
    /// The service's time of it, seconds since 1970.
    pub timestamp: i64,
    /// When it was edited last, milliseconds since 1970.
    pub edited_at_ms: Option<i64>,
    /// It was taken back.
    pub revoked: bool,
    /// What it says; `None` if it was taken back, and where only counts are told.
    pub content: Option<Content>,
    /// Its words, if it has any.
    pub text: Option<String>,
    /// How it is received.
    pub counts: PostCounts,
    /// The content as protobuf (`Message`).
    pub raw: Vec<u8>,
}

/// Which posts are wanted.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FindPosts {
    /// At most so many, 1 to 100; default 50.
    pub limit: u32,
    /// Only those with lower numbers.
    pub before: Option<u64>,
    /// Only those with higher numbers. Not together with `before`.
    pub after: Option<u64>,
}

impl Default for FindPosts {
    fn default() -> Self {
        Self { limit: 50, before: None, after: None }
    }
}

/// What this account did to a post.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OwnPostAct {
    /// The channel.
    pub channel: Jid,
    /// Number of the post.
    pub server_id: u64,
    /// The emoji it reacted with.
    pub emoji: Option<String>,
    /// The options it voted for, by the SHA-256 of their words.
    pub votes: Vec<Vec<u8>>,
}

impl Client {
    /// Fetches posts of a channel, oldest first: the latest ones, or those before or after a number. Also of
    /// channels that this account does not follow.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] for a limit that is not between 1 and 100, or both bounds;
    /// [`Code::NotFound`]; [`Code::Forbidden`]; [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn posts(
        &self,
        channel: &Jid,
        find: FindPosts,
        options: CallOptions,
    ) -> Result<Vec<Post>, Error> {
        let operation = "get_posts";
        let channel = checked(channel, &find).map_err(|error| error.in_operation(operation))?;
        self.ask_for_posts(operation, stanza::posts(&channel, &find), channel, options).await
    }

    /// Fetches what changed since a time about posts of a channel that this account follows: counts, as a
    /// rule without the content. `since` is in seconds since 1970.
    ///
    /// # Errors
    /// Those of [`posts`](Self::posts).
    pub async fn post_updates(
        &self,
        channel: &Jid,
        since: i64,
        find: FindPosts,
        options: CallOptions,
    ) -> Result<Vec<Post>, Error> {
        let operation = "get_post_updates";
        let channel = checked(channel, &find).map_err(|error| error.in_operation(operation))?;
        let request = stanza::updates(&channel, since, &find);
        self.ask_for_posts(operation, request, channel, options).await
    }

    /// Says that this account saw posts of a channel; each counts once.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] for none or more than 100 posts; [`Code::NotFound`]; [`Code::Forbidden`];
    /// [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn mark_posts_viewed(
        &self,
        channel: &Jid,
        server_ids: &[u64],
        options: CallOptions,
    ) -> Result<(), Error> {
        let operation = "mark_posts_viewed";
        let channel = address(channel).map_err(|error| error.in_operation(operation))?;
        if server_ids.is_empty() || server_ids.len() > MOST as usize {
            let message = "none or more than 100 posts are named";
            return Err(Error::new(Code::InvalidArgument, message).in_operation(operation));
        }
        let receipt = stanza::viewed(&channel, &self.fresh_id(), server_ids);
        self.call(operation, options.timeout, move |client: Arc<Inner>, deadline: Instant| async move {
            client.linked_account()?;
            let connection = client.wait_for_connection(deadline).await?;
            let answer = connection.send_awaiting_ack(receipt, left(deadline)).await?;
            match ack(&answer).and_then(|ack| ack.error) {
                Some(status) => Err(refusal(status)),
                None => Ok(()),
            }
        })
        .await
    }

    /// What this account did to posts of channels, on all its devices: the latest of each channel, at most so
    /// many of each, 1 to 100.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] for the limit; [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn own_post_acts(&self, limit: u32, options: CallOptions) -> Result<Vec<OwnPostAct>, Error> {
        let operation = "list_own_post_acts";
        limited(limit).map_err(|error| error.in_operation(operation))?;
        self.call(operation, options.timeout, move |client, deadline| async move {
            client.linked_account()?;
            let connection = client.wait_for_connection(deadline).await?;
            let request = stanza::own_acts(limit);
            let answer = connection.request(client.request_ids.next(), request, left(deadline)).await?;
            own_acts(&answer).ok_or_else(|| unclear("the service did not tell what this account did"))
        })
        .await
    }

    async fn ask_for_posts(
        &self,
        operation: &'static str,
        request: Node,
        channel: Jid,
        options: CallOptions,
    ) -> Result<Vec<Post>, Error> {
        self.call(operation, options.timeout, move |client, deadline| async move {
            client.linked_account()?;
            let connection = client.wait_for_connection(deadline).await?;
            let answer = connection.request(client.request_ids.next(), request, left(deadline)).await?;
            let posts = posts(&answer, &channel);
            let mut posts = posts.ok_or_else(|| unclear("the service did not tell its posts"))?;
            posts.sort_by_key(|post| post.server_id);
            Ok(posts)
        })
        .await
    }
}

fn limited(limit: u32) -> Result<(), Error> {
    if (1..=MOST).contains(&limit) {
        return Ok(());
    }
    Err(Error::new(Code::InvalidArgument, "the limit is not between 1 and 100"))
}

fn checked(channel: &Jid, find: &FindPosts) -> Result<Jid, Error> {
    limited(find.limit)?;
    if find.before.is_some() && find.after.is_some() {
        return Err(Error::new(Code::InvalidArgument, "posts are wanted before and after something"));
    }
    address(channel)
}

/// Reads posts, of either answer.
pub(super) fn posts(answer: &NodeRef<'_>, channel: &Jid) -> Option<Vec<Post>> {
    let list = answer.child_named("messages").or_else(|| {
        let updates = answer.child_named("message_updates")?;
        Some(updates.child_named("messages").unwrap_or(updates))
    })?;
    Some(list.children_named("message").take(MOST as usize).filter_map(|node| post(node, channel)).collect())
}

fn post(node: &NodeRef<'_>, channel: &Jid) -> Option<Post> {
    let counts = receive::counts(node)?;
    let from_me = node.attr_true("is_sender");
    let revoked = receive::change(node) == PostChange::Revoked;
    let said = receive::plaintext(node).filter(|_| !revoked);
    let (content, raw) = match said.and_then(|bytes| receive::read(bytes, channel, from_me)) {
        Some((content, raw)) => (Some(content), raw),
        None => (None, Vec::new()),
    };
    Some(Post {
        message_id: node.attr_text("id").unwrap_or_default().into_owned(),
        server_id: counts.server_id,
        from_me,
        timestamp: receive::time(node, 0),
        edited_at_ms: receive::edited_at_ms(node),
        revoked,
        text: content.as_ref().and_then(Content::body),
        content,
        counts,
        raw,
    })
}

/// Reads what this account did.
fn own_acts(answer: &NodeRef<'_>) -> Option<Vec<OwnPostAct>> {
    let told = answer.child_named("my_addons")?;
    let mut acts = Vec::new();
    for list in told.children_named("messages") {
        let Some(channel) = list.attr_jid("jid").filter(Jid::is_newsletter) else { continue };
        for node in list.children_named("message") {
            let Some(server_id) = node.attr_u64("server_id") else { continue };
            let emoji = node.child_named("reaction").and_then(|reaction| reaction.attr_text("code"));
            let votes = node.child_named("votes").into_iter().flat_map(|votes| votes.child_nodes());
            let votes = votes.filter_map(|vote| vote.content_bytes().map(<[u8]>::to_vec));
            acts.push(OwnPostAct {
                channel: channel.to_bare(),
                server_id,
                emoji: emoji.map(std::borrow::Cow::into_owned).filter(|emoji| !emoji.is_empty()),
                votes: votes.take(receive::ENTRIES).collect(),
            });
        }
    }
    Some(acts)
}
