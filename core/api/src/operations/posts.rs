//! Posts of channels. New ones are sent as messages are.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use whimbrel::{CallOptions, Client, Error, FindPosts, parse_address};

use super::channels::PinnedPost;
use super::{Done, Operation};
use crate::content::{Content, Source};
use crate::events::{Identity, PostCounts, hexadecimal};

/// Gives a post of this account's channel another content, all of it.
///
/// Fails with `FORBIDDEN` if this account may not change it.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EditPost {
    /// Address of the channel.
    #[schemars(extend("format" = "address"))]
    pub channel: String,
    /// Id of the post.
    pub message_id: String,
    /// What it says from now on.
    pub content: Content,
}

impl Operation for EditPost {
    const NAME: &'static str = "edit_post";
    type Output = Done;

    async fn run(self, client: &Client, options: CallOptions) -> Result<Done, Error> {
        let channel = parse_address(&self.channel)?;
        let content = self.content.try_into()?;
        client.edit_post(&channel, &self.message_id, content, options).await.map(|()| Done {})
    }
}

/// Takes a post of this account's channel back.
///
/// Fails with `FORBIDDEN` if this account may not change it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RevokePost {
    /// Address of the channel.
    #[schemars(extend("format" = "address"))]
    pub channel: String,
    /// Id of the post.
    pub message_id: String,
}

impl Operation for RevokePost {
    const NAME: &'static str = "revoke_post";
    type Output = Done;

    async fn run(self, client: &Client, options: CallOptions) -> Result<Done, Error> {
        let channel = parse_address(&self.channel)?;
        client.revoke_post(&channel, &self.message_id, options).await.map(|()| Done {})
    }
}

/// Reacts to a post of a channel with one emoji, or takes the reaction back.
///
/// Fails with `FORBIDDEN` if this account does not follow the channel.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReactToPost {
    /// Address of the channel.
    #[schemars(extend("format" = "address"))]
    pub channel: String,
    /// Number of the post.
    pub server_id: u64,
    /// The emoji; absent: the reaction is taken back.
    #[serde(default)]
    pub emoji: Option<String>,
}

impl Operation for ReactToPost {
    const NAME: &'static str = "react_to_post";
    type Output = Done;

    async fn run(self, client: &Client, options: CallOptions) -> Result<Done, Error> {
        let channel = parse_address(&self.channel)?;
        let emoji = self.emoji.as_deref();
        client.react_to_post(&channel, self.server_id, emoji, options).await.map(|()| Done {})
    }
}

/// Votes for options of a poll that a channel posted; it replaces what was voted before. Whether the poll has
/// such options nobody checks.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VoteInPost {
    /// Address of the channel.
    #[schemars(extend("format" = "address"))]
    pub channel: String,
    /// Number of the post.
    pub server_id: u64,
    /// The options, in their own words; none takes the vote back.
    pub choices: Vec<String>,
}

impl Operation for VoteInPost {
    const NAME: &'static str = "vote_in_post";
    type Output = Done;

    async fn run(self, client: &Client, options: CallOptions) -> Result<Done, Error> {
        let channel = parse_address(&self.channel)?;
        client.vote_in_post(&channel, self.server_id, &self.choices, options).await.map(|()| Done {})
    }
}

/// A post as it was fetched.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
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
    /// What it says; absent if it was taken back, and where only counts are told.
    pub content: Option<Content>,
    /// Its words, if it has any.
    pub text: Option<String>,
    /// How it is received.
    pub counts: PostCounts,
}

/// Posts of a channel.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PostList {
    /// The posts, oldest first.
    pub posts: Vec<Post>,
}

impl From<Vec<whimbrel::Post>> for PostList {
    fn from(posts: Vec<whimbrel::Post>) -> Self {
        let post = |post: whimbrel::Post| Post {
            content: post.content.as_ref().map(|content| Content::of(content, Source::default())),
            message_id: post.message_id,
            server_id: post.server_id,
            from_me: post.from_me,
            timestamp: post.timestamp,
            edited_at_ms: post.edited_at_ms,
            revoked: post.revoked,
            text: post.text,
            counts: (&post.counts).into(),
        };
        Self { posts: posts.into_iter().map(post).collect() }
    }
}

fn find(limit: Option<u32>, before: Option<u64>, after: Option<u64>) -> FindPosts {
    let mut find = FindPosts::default();
    find.limit = limit.unwrap_or(find.limit);
    find.before = before;
    find.after = after;
    find
}

/// Fetches posts of a channel: the latest ones, or those before or after a number. Also of channels that
/// this account does not follow. Nothing of it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetPosts {
    /// Address of the channel.
    #[schemars(extend("format" = "address"))]
    pub channel: String,
    /// At most so many, 1 to 100; 50 if it is absent.
    #[serde(default)]
    pub limit: Option<u32>,
    /// Only those with lower numbers.
    #[serde(default)]
    pub before: Option<u64>,
    /// Only those with higher numbers. Not together with `before`.
    #[serde(default)]
    pub after: Option<u64>,
}

impl Operation for GetPosts {
    const NAME: &'static str = "get_posts";
    type Output = PostList;

    async fn run(self, client: &Client, options: CallOptions) -> Result<PostList, Error> {
        let channel = parse_address(&self.channel)?;
        let find = find(self.limit, self.before, self.after);
        client.posts(&channel, find, options).await.map(Into::into)
    }
}

/// Fetches what changed since a time about posts of a channel: counts, as a rule without the content.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetPostUpdates {
    /// Address of the channel.
    #[schemars(extend("format" = "address"))]
    pub channel: String,
    /// Since when, seconds since 1970.
    pub since: i64,
    /// At most so many, 1 to 100; 50 if it is absent.
    #[serde(default)]
    pub limit: Option<u32>,
    /// Only of posts with lower numbers.
    #[serde(default)]
    pub before: Option<u64>,
    /// Only of posts with higher numbers. Not together with `before`.
    #[serde(default)]
    pub after: Option<u64>,
}

impl Operation for GetPostUpdates {
    const NAME: &'static str = "get_post_updates";
    type Output = PostList;

    async fn run(self, client: &Client, options: CallOptions) -> Result<PostList, Error> {
        let channel = parse_address(&self.channel)?;
        let find = find(self.limit, self.before, self.after);
        client.post_updates(&channel, self.since, find, options).await.map(Into::into)
    }
}

/// Watches how posts of a channel are received: `channel_counts` events tell it while this client is
/// connected.
///
/// The service is asked again in time and after each login until this process ends. At most 64 channels are
/// watched at a time; one more fails with `WRONG_STATE`. Fails with `FORBIDDEN` if this account does not
/// follow the channel.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WatchChannel {
    /// Address of the channel.
    #[schemars(extend("format" = "address"))]
    pub channel: String,
}

impl Operation for WatchChannel {
    const NAME: &'static str = "watch_channel";
    type Output = Done;

    async fn run(self, client: &Client, options: CallOptions) -> Result<Done, Error> {
        client.watch_channel(&parse_address(&self.channel)?, options).await.map(|()| Done {})
    }
}

/// Ends what `watch_channel` began. What the service still tells is told on, for some minutes at most.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UnwatchChannel {
    /// Address of the channel.
    #[schemars(extend("format" = "address"))]
    pub channel: String,
}

impl Operation for UnwatchChannel {
    const NAME: &'static str = "unwatch_channel";
    type Output = Done;

    async fn run(self, client: &Client, _: CallOptions) -> Result<Done, Error> {
        client.unwatch_channel(&parse_address(&self.channel)?).await.map(|()| Done {})
    }
}

/// Says that this account saw posts of a channel. Each counts once.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MarkPostsViewed {
    /// Address of the channel.
    #[schemars(extend("format" = "address"))]
    pub channel: String,
    /// Numbers of the posts, 1 to 100.
    pub server_ids: Vec<u64>,
}

impl Operation for MarkPostsViewed {
    const NAME: &'static str = "mark_posts_viewed";
    type Output = Done;

    async fn run(self, client: &Client, options: CallOptions) -> Result<Done, Error> {
        let channel = parse_address(&self.channel)?;
        client.mark_posts_viewed(&channel, &self.server_ids, options).await.map(|()| Done {})
    }
}

/// Pins a post of a channel, or takes the pin away.
///
/// Fails with `FORBIDDEN` if this account does not post in it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PinPost {
    /// Address of the channel.
    #[schemars(extend("format" = "address"))]
    pub channel: String,
    /// Id of the post.
    pub message_id: String,
    /// Whether it is pinned from now on.
    pub pinned: bool,
}

/// The posts that are pinned in a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PinnedPosts {
    /// The posts.
    pub pinned: Vec<PinnedPost>,
}

impl Operation for PinPost {
    const NAME: &'static str = "pin_post";
    type Output = PinnedPosts;

    async fn run(self, client: &Client, options: CallOptions) -> Result<PinnedPosts, Error> {
        let channel = parse_address(&self.channel)?;
        let pinned = client.pin_post(&channel, &self.message_id, self.pinned, options).await?;
        Ok(PinnedPosts { pinned: pinned.iter().map(Into::into).collect() })
    }
}

/// Returns who voted for an option of a poll that a channel of this account posted.
///
/// Fails with `FORBIDDEN` if this account does not post in it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListPostVoters {
    /// Address of the channel.
    #[schemars(extend("format" = "address"))]
    pub channel: String,
    /// Number of the post.
    pub server_id: u64,
    /// The option, in its own words.
    pub choice: String,
    /// At most so many, 1 to 5,000; 100 if it is absent.
    #[serde(default)]
    pub limit: Option<u32>,
}

/// Somebody who voted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PostVoter {
    /// The person.
    pub who: Identity,
    /// When, seconds since 1970, if it was told.
    pub voted_at: Option<i64>,
}

/// Those who voted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PostVoters {
    /// The people.
    pub voters: Vec<PostVoter>,
}

impl Operation for ListPostVoters {
    const NAME: &'static str = "list_post_voters";
    type Output = PostVoters;

    async fn run(self, client: &Client, options: CallOptions) -> Result<PostVoters, Error> {
        let channel = parse_address(&self.channel)?;
        let limit = self.limit.unwrap_or(100);
        let told = client.post_voters(&channel, self.server_id, &self.choice, limit, options).await?;
        let voters =
            told.iter().map(|voter| PostVoter { who: (&voter.who).into(), voted_at: voter.voted_at });
        Ok(PostVoters { voters: voters.collect() })
    }
}

/// Returns who reacted to a post of this account's channel.
///
/// Fails with `FORBIDDEN` if this account does not post in it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListPostReactions {
    /// Address of the channel.
    #[schemars(extend("format" = "address"))]
    pub channel: String,
    /// Number of the post.
    pub server_id: u64,
}

/// Those who reacted with an emoji.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PostReaction {
    /// The emoji.
    pub emoji: String,
    /// The people.
    pub senders: Vec<Identity>,
}

/// Reactions to a post.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PostReactions {
    /// By emoji.
    pub reactions: Vec<PostReaction>,
}

impl Operation for ListPostReactions {
    const NAME: &'static str = "list_post_reactions";
    type Output = PostReactions;

    async fn run(self, client: &Client, options: CallOptions) -> Result<PostReactions, Error> {
        let channel = parse_address(&self.channel)?;
        let told = client.post_reactions(&channel, self.server_id, options).await?;
        let reactions = told.into_iter().map(|reaction| PostReaction {
            emoji: reaction.emoji,
            senders: reaction.senders.iter().map(Into::into).collect(),
        });
        Ok(PostReactions { reactions: reactions.collect() })
    }
}

/// Returns what this account did to posts of channels, on all its devices: reactions and votes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListOwnPostActs {
    /// The latest of each channel, at most so many of each, 1 to 100; 25 if it is absent.
    #[serde(default)]
    pub limit: Option<u32>,
}

/// What this account did to a post.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OwnPostAct {
    /// Address of the channel.
    pub channel: String,
    /// Number of the post.
    pub server_id: u64,
    /// The emoji that it reacted with.
    pub emoji: Option<String>,
    /// The options that it voted for: the SHA-256 of their words, in lower-case hexadecimal digits.
    pub votes: Vec<String>,
}

/// What this account did to posts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OwnPostActs {
    /// The acts.
    pub acts: Vec<OwnPostAct>,
}

impl Operation for ListOwnPostActs {
    const NAME: &'static str = "list_own_post_acts";
    type Output = OwnPostActs;

    async fn run(self, client: &Client, options: CallOptions) -> Result<OwnPostActs, Error> {
        let told = client.own_post_acts(self.limit.unwrap_or(25), options).await?;
        let acts = told.into_iter().map(|act| OwnPostAct {
            channel: act.channel.to_string(),
            server_id: act.server_id,
            emoji: act.emoji,
            votes: act.votes.iter().map(|option| hexadecimal(option)).collect(),
        });
        Ok(OwnPostActs { acts: acts.collect() })
    }
}
