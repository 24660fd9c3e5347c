//! Posts of channels. New ones are sent as messages are.

use schemars::JsonSchema;
use serde::Deserialize;
use whimbrel::{CallOptions, Client, Error, parse_address};

use super::{Done, Operation};
use crate::content::Content;

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
