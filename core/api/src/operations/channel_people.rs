//! People of channels: admins, those who are invited to be, and followers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use whimbrel::{CallOptions, Client, Error, parse_address};

use super::channels::ChannelRole;
use super::{Done, Operation};
use crate::events::Identity;

/// Makes an admin of this account's channel its owner. This account stays an admin.
///
/// Fails with `FORBIDDEN` if the channel is not this account's, and with `NOT_FOUND` if the person is no
/// admin of it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TransferChannel {
    /// Address of the channel.
    #[schemars(extend("format" = "address"))]
    pub channel: String,
    /// Address of the admin.
    #[schemars(extend("format" = "address"))]
    pub to: String,
}

impl Operation for TransferChannel {
    const NAME: &'static str = "transfer_channel";
    type Output = Done;

    async fn run(self, client: &Client, options: CallOptions) -> Result<Done, Error> {
        let (channel, to) = (parse_address(&self.channel)?, parse_address(&self.to)?);
        client.transfer_channel(&channel, &to, options).await.map(|()| Done {})
    }
}

/// Makes an admin of a channel a follower again; oneself too.
///
/// Fails with `FORBIDDEN` if this account is not the owner, and with `NOT_FOUND` for who is no admin.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DemoteChannelAdmin {
    /// Address of the channel.
    #[schemars(extend("format" = "address"))]
    pub channel: String,
    /// Address of the admin.
    #[schemars(extend("format" = "address"))]
    pub person: String,
}

impl Operation for DemoteChannelAdmin {
    const NAME: &'static str = "demote_channel_admin";
    type Output = Done;

    async fn run(self, client: &Client, options: CallOptions) -> Result<Done, Error> {
        let (channel, person) = (parse_address(&self.channel)?, parse_address(&self.person)?);
        client.demote_channel_admin(&channel, &person, options).await.map(|()| Done {})
    }
}

/// Invites a person to be an admin of a channel of this account. The person learns of it by a message that
/// the host sends: `send_message` with content of the type `channel_admin_invite`.
///
/// Fails with `FORBIDDEN` if the channel is not this account's, and with `REFUSED` and the service's number
/// 419 when there are as many admins as there may be.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InviteChannelAdmin {
    /// Address of the channel.
    #[schemars(extend("format" = "address"))]
    pub channel: String,
    /// Address of the person.
    #[schemars(extend("format" = "address"))]
    pub person: String,
}

/// An invitation to be an admin of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChannelInvitation {
    /// Until when it holds, seconds since 1970, if the service says so.
    pub expires_at: Option<i64>,
}

impl Operation for InviteChannelAdmin {
    const NAME: &'static str = "invite_channel_admin";
    type Output = ChannelInvitation;

    async fn run(self, client: &Client, options: CallOptions) -> Result<ChannelInvitation, Error> {
        let (channel, person) = (parse_address(&self.channel)?, parse_address(&self.person)?);
        let expires_at = client.invite_channel_admin(&channel, &person, options).await?;
        Ok(ChannelInvitation { expires_at })
    }
}

/// Takes an invitation to be an admin of a channel back.
///
/// Fails with `FORBIDDEN` if the channel is not this account's, and with `NOT_FOUND` if there is none.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RevokeChannelInvitation {
    /// Address of the channel.
    #[schemars(extend("format" = "address"))]
    pub channel: String,
    /// Address of the person.
    #[schemars(extend("format" = "address"))]
    pub person: String,
}

impl Operation for RevokeChannelInvitation {
    const NAME: &'static str = "revoke_channel_invitation";
    type Output = Done;

    async fn run(self, client: &Client, options: CallOptions) -> Result<Done, Error> {
        let (channel, person) = (parse_address(&self.channel)?, parse_address(&self.person)?);
        client.revoke_channel_invitation(&channel, &person, options).await.map(|()| Done {})
    }
}

/// Becomes an admin of a channel to which this account was invited.
///
/// Fails with `FORBIDDEN` or `NOT_FOUND` if there is no invitation, and with `TERMS_NOT_ACCEPTED` if the
/// service wants its terms for admins accepted first: show them, and call again with `acceptTerms`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AcceptChannelInvitation {
    /// Address of the channel.
    #[schemars(extend("format" = "address"))]
    pub channel: String,
    /// The user has seen the service's terms for admins and accepts them.
    #[serde(default)]
    pub accept_terms: bool,
}

impl Operation for AcceptChannelInvitation {
    const NAME: &'static str = "accept_channel_invitation";
    type Output = Done;

    async fn run(self, client: &Client, options: CallOptions) -> Result<Done, Error> {
        let channel = parse_address(&self.channel)?;
        client.accept_channel_invitation(&channel, self.accept_terms, options).await.map(|()| Done {})
    }
}

/// Returns what admins of a channel are told of their like. Who they are is among its followers.
///
/// Fails with `FORBIDDEN` if this account is none.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetChannelAdmins {
    /// Address of the channel.
    #[schemars(extend("format" = "address"))]
    pub channel: String,
}

/// What admins of a channel are told of their like.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChannelAdmins {
    /// How many there are, the owner among them.
    pub count: u32,
    /// They may show who they are.
    pub profiles_shown: bool,
    /// What they may do in this channel, in the service's words in lower case, such as `pinned_messages`.
    pub capabilities: Vec<String>,
    /// Who was invited to be one and has not answered.
    pub invited: Vec<Identity>,
}

impl Operation for GetChannelAdmins {
    const NAME: &'static str = "get_channel_admins";
    type Output = ChannelAdmins;

    async fn run(self, client: &Client, options: CallOptions) -> Result<ChannelAdmins, Error> {
        let told = client.channel_admins(&parse_address(&self.channel)?, options).await?;
        Ok(ChannelAdmins {
            count: told.count,
            profiles_shown: told.profiles_shown,
            capabilities: told.capabilities,
            invited: told.invited.iter().map(Into::into).collect(),
        })
    }
}

/// Returns who follows a channel of this account, its admins and owner among them. The service shows only
/// those whom it wants to.
///
/// Fails with `FORBIDDEN` if this account does not post in it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListChannelFollowers {
    /// Address of the channel.
    #[schemars(extend("format" = "address"))]
    pub channel: String,
    /// At most so many, 1 to 5,000; 100 if it is absent.
    #[serde(default)]
    pub limit: Option<u32>,
}

/// Somebody who follows a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChannelFollower {
    /// The person.
    pub who: Identity,
    /// The name that it gives itself, if it was told.
    pub name: Option<String>,
    /// What it is in the channel.
    pub role: ChannelRole,
    /// Since when, seconds since 1970, if it was told.
    pub since: Option<i64>,
}

/// Those who follow a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChannelFollowers {
    /// The people.
    pub followers: Vec<ChannelFollower>,
}

impl Operation for ListChannelFollowers {
    const NAME: &'static str = "list_channel_followers";
    type Output = ChannelFollowers;

    async fn run(self, client: &Client, options: CallOptions) -> Result<ChannelFollowers, Error> {
        let channel = parse_address(&self.channel)?;
        let told = client.channel_followers(&channel, self.limit.unwrap_or(100), options).await?;
        let followers = told.into_iter().map(|told| ChannelFollower {
            who: (&told.who).into(),
            name: told.name,
            role: told.role.into(),
            since: told.since,
        });
        Ok(ChannelFollowers { followers: followers.collect() })
    }
}
