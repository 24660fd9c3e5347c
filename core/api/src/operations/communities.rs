//! Communities: groups of groups.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use whimbrel::{CallOptions, Client, CommunityOptions, Error, parse_address};

use super::groups::{CreatedGroup, Group, ParticipantResults, addresses};
use super::invites::JoinedGroup;
use super::{Done, Operation};
use crate::events::{GroupSuggestion, Identity};

/// Makes a community.
///
/// The service makes the group for its announcements by itself, which is told as a group that this
/// account joined.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateCommunity {
    /// Its name.
    pub subject: String,
    /// Its description, at most 2,048 characters.
    #[serde(default)]
    pub description: Option<String>,
    /// Admins have to approve who joins.
    #[serde(default)]
    pub approval_required: bool,
    /// Every member may make groups in it, not only admins.
    #[serde(default)]
    pub members_may_create_groups: bool,
    /// It gets a chat for everybody.
    #[serde(default)]
    pub general_chat: bool,
}

impl Operation for CreateCommunity {
    const NAME: &'static str = "create_community";
    type Output = CreatedGroup;

    async fn run(self, client: &Client, options: CallOptions) -> Result<CreatedGroup, Error> {
        let mut setup = CommunityOptions::default();
        setup.description = self.description;
        setup.approval_required = self.approval_required;
        setup.members_may_create_groups = self.members_may_create_groups;
        setup.general_chat = self.general_chat;
        let created = client.create_community(&self.subject, setup, options).await?;
        Ok((&created).into())
    }
}

/// Puts groups into a community; this account has to be an admin of all. Their members become members of
/// the community.
///
/// What failed for single groups is in the results.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LinkGroups {
    /// Address of the community.
    #[schemars(extend("format" = "address"))]
    pub community: String,
    /// Addresses of the groups, at most 100.
    pub groups: Vec<String>,
    /// Only their members see them in the community.
    #[serde(default)]
    pub hidden: bool,
}

/// What came of putting one group into a community, or of taking it out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LinkResult {
    /// Address of the group.
    pub group: String,
    /// Absent: it is as wanted. Otherwise the service's number: 403 this account is no admin of the group,
    /// 404 there is no such group, 406 the community is full, 409 it is in another community.
    pub refused: Option<u16>,
}

/// What came of putting groups into a community, or of taking them out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LinkResults {
    /// One entry for each group.
    pub results: Vec<LinkResult>,
}

impl From<Vec<whimbrel::LinkResult>> for LinkResults {
    fn from(results: Vec<whimbrel::LinkResult>) -> Self {
        let result = |result: whimbrel::LinkResult| LinkResult {
            group: result.group.to_string(),
            refused: result.refused,
        };
        Self { results: results.into_iter().map(result).collect() }
    }
}

impl Operation for LinkGroups {
    const NAME: &'static str = "link_groups";
    type Output = LinkResults;

    async fn run(self, client: &Client, options: CallOptions) -> Result<LinkResults, Error> {
        let (community, groups) = (parse_address(&self.community)?, addresses(&self.groups)?);
        client.link_groups(&community, &groups, self.hidden, options).await.map(Into::into)
    }
}

/// Takes groups out of a community.
///
/// What failed for single groups is in the results.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UnlinkGroups {
    /// Address of the community.
    #[schemars(extend("format" = "address"))]
    pub community: String,
    /// Addresses of the groups, at most 100.
    pub groups: Vec<String>,
    /// Members who are in no other of its groups leave the community with them.
    #[serde(default)]
    pub remove_orphans: bool,
}

impl Operation for UnlinkGroups {
    const NAME: &'static str = "unlink_groups";
    type Output = LinkResults;

    async fn run(self, client: &Client, options: CallOptions) -> Result<LinkResults, Error> {
        let (community, groups) = (parse_address(&self.community)?, addresses(&self.groups)?);
        client.unlink_groups(&community, &groups, self.remove_orphans, options).await.map(Into::into)
    }
}

/// Returns the groups of a community that this account may see.
///
/// Fails with `FORBIDDEN` if this account is not in it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListCommunityGroups {
    /// Address of the community.
    #[schemars(extend("format" = "address"))]
    pub community: String,
    /// Also which of them are hidden, which want approval and how many wait for it, but not who made them.
    #[serde(default)]
    pub details: bool,
}

/// A group in a community, as the community's members see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CommunityGroup {
    /// Its address.
    pub id: String,
    /// Its name; empty if it has none.
    pub subject: String,
    /// When it got that name, seconds since 1970; 0 if unknown.
    pub subject_changed_at: i64,
    /// When it was made, seconds since 1970; 0 if unknown.
    pub created_at: i64,
    /// Who made it, if known.
    pub creator: Option<Identity>,
    /// Members, if the service told how many.
    pub size: Option<u32>,
    /// It is the group in which the community's admins announce.
    pub is_announcements: bool,
    /// It is the chat for everybody.
    pub is_general_chat: bool,
    /// Only its members see it.
    pub is_hidden: bool,
    /// Admins have to approve who joins, if the service told it.
    pub approval_required: Option<bool>,
    /// How many wait to be let in, if the service told it.
    pub waiting: Option<u32>,
}

impl From<&whimbrel::CommunityGroup> for CommunityGroup {
    fn from(group: &whimbrel::CommunityGroup) -> Self {
        Self {
            id: group.id.to_string(),
            subject: group.subject.clone(),
            subject_changed_at: group.subject_changed_at,
            created_at: group.created_at,
            creator: group.creator.as_ref().map(Into::into),
            size: group.size,
            is_announcements: group.is_announcements,
            is_general_chat: group.is_general_chat,
            is_hidden: group.is_hidden,
            approval_required: group.approval_required,
            waiting: group.waiting,
        }
    }
}

/// The groups of a community.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CommunityGroups {
    /// The groups.
    pub groups: Vec<CommunityGroup>,
}

impl Operation for ListCommunityGroups {
    const NAME: &'static str = "list_community_groups";
    type Output = CommunityGroups;

    async fn run(self, client: &Client, options: CallOptions) -> Result<CommunityGroups, Error> {
        let community = parse_address(&self.community)?;
        let found = client.community_groups(&community, self.details, options).await?;
        Ok(CommunityGroups { groups: found.iter().map(Into::into).collect() })
    }
}

/// Returns everybody who is in any group of a community.
///
/// Fails with `FORBIDDEN` if this account is not in it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListCommunityMembers {
    /// Address of the community.
    #[schemars(extend("format" = "address"))]
    pub community: String,
}

/// Everybody in any group of a community.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CommunityMembers {
    /// The people.
    pub members: Vec<Identity>,
}

impl Operation for ListCommunityMembers {
    const NAME: &'static str = "list_community_members";
    type Output = CommunityMembers;

    async fn run(self, client: &Client, options: CallOptions) -> Result<CommunityMembers, Error> {
        let found = client.community_members(&parse_address(&self.community)?, options).await?;
        Ok(CommunityMembers { members: found.iter().map(Into::into).collect() })
    }
}

/// Returns how many are in each group of a community.
///
/// Fails with `FORBIDDEN` if this account is not in it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CountCommunityMembers {
    /// Address of the community.
    #[schemars(extend("format" = "address"))]
    pub community: String,
}

/// How many are in a group of a community.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GroupSize {
    /// Address of the group.
    pub group: String,
    /// Members.
    pub size: u32,
}

/// How many are in each group of a community.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GroupSizes {
    /// The groups.
    pub groups: Vec<GroupSize>,
}

impl Operation for CountCommunityMembers {
    const NAME: &'static str = "count_community_members";
    type Output = GroupSizes;

    async fn run(self, client: &Client, options: CallOptions) -> Result<GroupSizes, Error> {
        let found = client.community_sizes(&parse_address(&self.community)?, options).await?;
        let size = |size: whimbrel::GroupSize| GroupSize { group: size.group.to_string(), size: size.size };
        Ok(GroupSizes { groups: found.into_iter().map(size).collect() })
    }
}

/// Returns a group of a community that this account is not in. Not all members are listed.
///
/// Fails with `FORBIDDEN` if this account is not in the community.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PreviewCommunityGroup {
    /// Address of the community.
    #[schemars(extend("format" = "address"))]
    pub community: String,
    /// Address of the group.
    #[schemars(extend("format" = "address"))]
    pub group: String,
}

impl Operation for PreviewCommunityGroup {
    const NAME: &'static str = "preview_community_group";
    type Output = Group;

    async fn run(self, client: &Client, options: CallOptions) -> Result<Group, Error> {
        let (community, group) = (parse_address(&self.community)?, parse_address(&self.group)?);
        client.preview_community_group(&community, &group, options).await.map(|group| (&group).into())
    }
}

/// Joins a group of a community that this account is in.
///
/// Fails with `FORBIDDEN` if this account is not in the community, and with `REFUSED` and the service's
/// number 409 if it is in the group already, 419 if that is full.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct JoinCommunityGroup {
    /// Address of the community.
    #[schemars(extend("format" = "address"))]
    pub community: String,
    /// Address of the group.
    #[schemars(extend("format" = "address"))]
    pub group: String,
}

impl Operation for JoinCommunityGroup {
    const NAME: &'static str = "join_community_group";
    type Output = JoinedGroup;

    async fn run(self, client: &Client, options: CallOptions) -> Result<JoinedGroup, Error> {
        let (community, group) = (parse_address(&self.community)?, parse_address(&self.group)?);
        client.join_community_group(&community, &group, options).await.map(Into::into)
    }
}

/// Removes people from a community and all groups in it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RemoveFromCommunity {
    /// Address of the community.
    #[schemars(extend("format" = "address"))]
    pub community: String,
    /// Addresses of the people.
    pub people: Vec<String>,
}

impl Operation for RemoveFromCommunity {
    const NAME: &'static str = "remove_from_community";
    type Output = ParticipantResults;

    async fn run(self, client: &Client, options: CallOptions) -> Result<ParticipantResults, Error> {
        let (community, people) = (parse_address(&self.community)?, addresses(&self.people)?);
        client.remove_from_community(&community, &people, options).await.map(Into::into)
    }
}

/// Makes another admin of a community its owner, in the place of this account.
///
/// Fails with `FORBIDDEN` if this account does not own it, and with `NOT_FOUND` if the other one is not
/// in it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TransferCommunity {
    /// Address of the community.
    #[schemars(extend("format" = "address"))]
    pub community: String,
    /// Address of the new owner.
    #[schemars(extend("format" = "address"))]
    pub to: String,
}

impl Operation for TransferCommunity {
    const NAME: &'static str = "transfer_community";
    type Output = Done;

    async fn run(self, client: &Client, options: CallOptions) -> Result<Done, Error> {
        let (community, to) = (parse_address(&self.community)?, parse_address(&self.to)?);
        client.transfer_community(&community, &to, options).await.map(|()| Done {})
    }
}

/// Returns the groups that members suggest for a community.
///
/// Fails with `FORBIDDEN` if this account is not in it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListGroupSuggestions {
    /// Address of the community.
    #[schemars(extend("format" = "address"))]
    pub community: String,
}

/// Groups that members suggest for a community.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GroupSuggestions {
    /// The suggestions.
    pub suggestions: Vec<GroupSuggestion>,
}

impl Operation for ListGroupSuggestions {
    const NAME: &'static str = "list_group_suggestions";
    type Output = GroupSuggestions;

    async fn run(self, client: &Client, options: CallOptions) -> Result<GroupSuggestions, Error> {
        let found = client.group_suggestions(&parse_address(&self.community)?, options).await?;
        Ok(GroupSuggestions { suggestions: found.iter().map(Into::into).collect() })
    }
}

/// Ends a community. Its groups go on without it, but for the one for announcements.
///
/// Fails with `FORBIDDEN` if this account does not own it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeactivateCommunity {
    /// Address of the community.
    #[schemars(extend("format" = "address"))]
    pub community: String,
}

impl Operation for DeactivateCommunity {
    const NAME: &'static str = "deactivate_community";
    type Output = Done;

    async fn run(self, client: &Client, options: CallOptions) -> Result<Done, Error> {
        client.deactivate_community(&parse_address(&self.community)?, options).await.map(|()| Done {})
    }
}

/// Leaves a community and all groups in it.
///
/// Fails with `NOT_FOUND` if this account is not in it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LeaveCommunity {
    /// Address of the community.
    #[schemars(extend("format" = "address"))]
    pub community: String,
}

impl Operation for LeaveCommunity {
    const NAME: &'static str = "leave_community";
    type Output = Done;

    async fn run(self, client: &Client, options: CallOptions) -> Result<Done, Error> {
        client.leave_community(&parse_address(&self.community)?, options).await.map(|()| Done {})
    }
}
