//! Invitations to groups, and who waits to be let in.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use whimbrel::{CallOptions, Client, Error, Invitation, parse_address};

use super::groups::{Group, ParticipantResults, addresses};
use super::{Done, Operation};
use crate::events::Identity;

/// An invitation link of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InviteLink {
    /// Its code.
    pub code: String,
    /// The whole link.
    pub url: String,
}

impl From<whimbrel::InviteLink> for InviteLink {
    fn from(link: whimbrel::InviteLink) -> Self {
        Self { code: link.code, url: link.url }
    }
}

/// What came of joining a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct JoinedGroup {
    /// Address of the group.
    pub group: String,
    /// This account is not in it yet: an admin has to let it in.
    pub waiting: bool,
}

impl From<whimbrel::Joined> for JoinedGroup {
    fn from(joined: whimbrel::Joined) -> Self {
        Self { group: joined.group.to_string(), waiting: joined.waiting }
    }
}

/// Returns a group's invitation link.
///
/// Fails with `FORBIDDEN` if this account may not have it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetInviteLink {
    /// Address of the group.
    #[schemars(extend("format" = "address"))]
    pub group: String,
}

impl Operation for GetInviteLink {
    const NAME: &'static str = "get_invite_link";
    type Output = InviteLink;

    async fn run(self, client: &Client, options: CallOptions) -> Result<InviteLink, Error> {
        client.invite_link(&parse_address(&self.group)?, options).await.map(Into::into)
    }
}

/// Makes a group's invitation link void and returns the new one.
///
/// Fails with `FORBIDDEN` if this account is no admin.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResetInviteLink {
    /// Address of the group.
    #[schemars(extend("format" = "address"))]
    pub group: String,
}

impl Operation for ResetInviteLink {
    const NAME: &'static str = "reset_invite_link";
    type Output = InviteLink;

    async fn run(self, client: &Client, options: CallOptions) -> Result<InviteLink, Error> {
        client.reset_invite_link(&parse_address(&self.group)?, options).await.map(Into::into)
    }
}

/// Returns what an invitation link leads to, without joining. Not all members are listed.
///
/// Fails with `NOT_FOUND` and the service's number 410 if the link was made void, and with `REFUSED` and
/// 406 if there never was such a link.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PreviewInviteLink {
    /// The whole link, or its code.
    pub link: String,
}

impl Operation for PreviewInviteLink {
    const NAME: &'static str = "preview_invite_link";
    type Output = Group;

    async fn run(self, client: &Client, options: CallOptions) -> Result<Group, Error> {
        client.preview_invite_link(&self.link, options).await.map(|group| (&group).into())
    }
}

/// Joins a group by an invitation link.
///
/// Fails as `preview_invite_link` does, and with `REFUSED` and the service's number 304 or 409 if this
/// account is in it already, 405 if it was removed, 412 or 419 if the community or group is full.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct JoinByLink {
    /// The whole link, or its code.
    pub link: String,
}

impl Operation for JoinByLink {
    const NAME: &'static str = "join_by_link";
    type Output = JoinedGroup;

    async fn run(self, client: &Client, options: CallOptions) -> Result<JoinedGroup, Error> {
        client.join_by_link(&self.link, options).await.map(Into::into)
    }
}

/// Returns what an invitation for this account leads to, without accepting it. Not all members are
/// listed.
///
/// Fails with `NOT_FOUND` if there is no such invitation, with the service's number 410 if it is over.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PreviewInvitation {
    /// Address of the group.
    #[schemars(extend("format" = "address"))]
    pub group: String,
    /// The invitation's code.
    pub code: String,
    /// Until when it can be used, seconds since 1970, as the invitation says.
    pub expires_at: i64,
    /// Address of who sent it.
    #[schemars(extend("format" = "address"))]
    pub admin: String,
}

impl Operation for PreviewInvitation {
    const NAME: &'static str = "preview_invitation";
    type Output = Group;

    async fn run(self, client: &Client, options: CallOptions) -> Result<Group, Error> {
        let invitation = invitation(&self.group, &self.code, self.expires_at, &self.admin)?;
        client.preview_invitation(&invitation, options).await.map(|group| (&group).into())
    }
}

/// Accepts an invitation for this account: the content `group_invite` of a message has all of it.
///
/// Fails as `preview_invitation` does, and with `REFUSED` and the service's number 304 or 409 if this
/// account is in the group already, 419 if it is full.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AcceptInvitation {
    /// Address of the group.
    #[schemars(extend("format" = "address"))]
    pub group: String,
    /// The invitation's code.
    pub code: String,
    /// Until when it can be used, seconds since 1970, as the invitation says.
    pub expires_at: i64,
    /// Address of who sent it.
    #[schemars(extend("format" = "address"))]
    pub admin: String,
}

impl Operation for AcceptInvitation {
    const NAME: &'static str = "accept_invitation";
    type Output = JoinedGroup;

    async fn run(self, client: &Client, options: CallOptions) -> Result<JoinedGroup, Error> {
        let invitation = invitation(&self.group, &self.code, self.expires_at, &self.admin)?;
        client.accept_invitation(&invitation, options).await.map(Into::into)
    }
}

fn invitation(group: &str, code: &str, expires_at: i64, admin: &str) -> Result<Invitation, Error> {
    Ok(Invitation::new(parse_address(group)?, code, expires_at, parse_address(admin)?))
}

/// Makes the invitations of people void whom this account could not add.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RevokeInvitations {
    /// Address of the group.
    #[schemars(extend("format" = "address"))]
    pub group: String,
    /// Addresses of the people.
    pub people: Vec<String>,
}

impl Operation for RevokeInvitations {
    const NAME: &'static str = "revoke_invitations";
    type Output = Done;

    async fn run(self, client: &Client, options: CallOptions) -> Result<Done, Error> {
        let (group, people) = (parse_address(&self.group)?, addresses(&self.people)?);
        client.revoke_invitations(&group, &people, options).await.map(|()| Done {})
    }
}

/// Returns who waits to be let into a group.
///
/// Fails with `FORBIDDEN` if this account is no admin.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListJoinRequests {
    /// Address of the group.
    #[schemars(extend("format" = "address"))]
    pub group: String,
}

/// Somebody who waits to be let into a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WaitingRequest {
    /// Who wants to get in.
    pub who: Identity,
    /// Since when, seconds since 1970; 0 if unknown.
    pub requested_at: i64,
    /// How it came about: `invite_link`, `linked_group_join`, `non_admin_add` or another word.
    pub method: Option<String>,
    /// The member who wanted to add this person, if it was one.
    pub requestor: Option<Identity>,
    /// Address of the community through which it came.
    pub community: Option<String>,
}

/// Those who wait to be let into a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WaitingRequests {
    /// The requests.
    pub requests: Vec<WaitingRequest>,
}

impl Operation for ListJoinRequests {
    const NAME: &'static str = "list_join_requests";
    type Output = WaitingRequests;

    async fn run(self, client: &Client, options: CallOptions) -> Result<WaitingRequests, Error> {
        let waiting = client.join_requests(&parse_address(&self.group)?, options).await?;
        let request = |request: whimbrel::WaitingRequest| WaitingRequest {
            who: (&request.who).into(),
            requested_at: request.requested_at,
            method: request.method,
            requestor: request.requestor.as_ref().map(Into::into),
            community: request.community.map(|jid| jid.to_string()),
        };
        Ok(WaitingRequests { requests: waiting.into_iter().map(request).collect() })
    }
}

/// Lets people into a group who wait for it, or does not.
///
/// What failed for single people is in the results: 404 whoever does not wait any more, 419 the group is
/// full.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DecideJoinRequests {
    /// Address of the group.
    #[schemars(extend("format" = "address"))]
    pub group: String,
    /// Addresses of the people.
    pub people: Vec<String>,
    /// Let them in.
    pub approve: bool,
}

impl Operation for DecideJoinRequests {
    const NAME: &'static str = "decide_join_requests";
    type Output = ParticipantResults;

    async fn run(self, client: &Client, options: CallOptions) -> Result<ParticipantResults, Error> {
        let (group, people) = (parse_address(&self.group)?, addresses(&self.people)?);
        client.decide_join_requests(&group, &people, self.approve, options).await.map(Into::into)
    }
}

/// Takes back this account's request to be let into a group.
///
/// Fails with `NOT_FOUND` if there is none.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CancelJoinRequest {
    /// Address of the group.
    #[schemars(extend("format" = "address"))]
    pub group: String,
}

impl Operation for CancelJoinRequest {
    const NAME: &'static str = "cancel_join_request";
    type Output = Done;

    async fn run(self, client: &Client, options: CallOptions) -> Result<Done, Error> {
        client.cancel_join_request(&parse_address(&self.group)?, options).await.map(|()| Done {})
    }
}
