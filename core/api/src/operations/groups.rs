//! Groups.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use whimbrel::{Addressing, CallOptions, Client, Error, Jid, Role, parse_address};

use super::{Done, Operation};
use crate::events::Identity;

/// How the members of a group are addressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GroupAddressing {
    /// By phone number; groups made before 2025.
    PhoneNumber,
    /// By hidden id.
    Lid,
    /// A way that this version does not know.
    Unknown,
}

impl From<Addressing> for GroupAddressing {
    fn from(addressing: Addressing) -> Self {
        match addressing {
            Addressing::PhoneNumber => Self::PhoneNumber,
            Addressing::Lid => Self::Lid,
            _ => Self::Unknown,
        }
    }
}

/// What a member of a group may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GroupRole {
    /// Nothing special.
    Member,
    /// Changes members and settings.
    Admin,
    /// An admin whom no other admin can remove: the creator or its successor.
    SuperAdmin,
    /// A role that this version does not know.
    Unknown,
}

/// A member of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Participant {
    /// The person.
    pub who: Identity,
    /// What it may do.
    pub role: GroupRole,
}

/// The description of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GroupDescription {
    /// Id of this version.
    pub id: String,
    /// The text.
    pub text: String,
    /// Who wrote it, if known.
    pub author: Option<Identity>,
    /// When, seconds since 1970; 0 if unknown.
    pub changed_at: i64,
}

/// A group that this account is in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Group {
    /// Its address.
    pub id: String,
    /// Its name; empty if it has none.
    pub subject: String,
    /// Who gave it that name, if known.
    pub subject_author: Option<Identity>,
    /// When it got that name, seconds since 1970; 0 if unknown.
    pub subject_changed_at: i64,
    /// Its description, if it has one.
    pub description: Option<GroupDescription>,
    /// Its members, this account among them.
    pub participants: Vec<Participant>,
    /// How members are addressed.
    pub addressing: GroupAddressing,
    /// Who made it, if known.
    pub creator: Option<Identity>,
    /// When it was made, seconds since 1970; 0 if unknown.
    pub created_at: i64,
    /// Only admins may send.
    pub announce: bool,
    /// Only admins may change its subject, description and picture.
    pub locked: bool,
    /// Admins have to approve who joins.
    pub approval_required: bool,
    /// Every member may add others, not only admins.
    pub members_may_add: bool,
    /// After how many seconds new messages disappear; 0: never.
    pub ephemeral_seconds: u32,
    /// It is a community: its chats are the groups in it.
    pub is_community: bool,
    /// Address of the community that it belongs to.
    pub community: Option<String>,
    /// It is the group in which a community's admins announce.
    pub is_announcements: bool,
    /// Every member may hand out the invitation link, not only admins.
    pub members_may_invite: bool,
    /// Every member may hand earlier messages to new ones, not only admins.
    pub members_may_share_history: bool,
    /// What is said in it may not be exported or taken out.
    pub sharing_limited: bool,
    /// Messages that were forwarded many times may not be sent to it.
    pub forwarding_limited: bool,
    /// New members get earlier messages.
    pub history_shared: bool,
    /// Members may report messages to its admins.
    pub admin_reports: bool,
    /// In a community: every member may make groups in it, not only admins.
    pub members_may_create_groups: bool,
    /// It is the chat of a whole community.
    pub is_general_chat: bool,
    /// Only its members see it in its community.
    pub is_hidden: bool,
    /// The service has suspended it.
    pub is_suspended: bool,
    /// Set while nobody can join by the link.
    pub growth_lock: Option<GrowthLock>,
    /// Members, as the service counts them. More than `participants` where it does not list all: in
    /// previews and very large groups.
    pub size: u32,
}

/// That nobody can join a group by its link for some time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GrowthLock {
    /// The service's word for its reason, if it gave one.
    pub reason: Option<String>,
    /// When it ends, seconds since 1970, if the service said so.
    pub until: Option<i64>,
}

impl From<&whimbrel::GrowthLock> for GrowthLock {
    fn from(lock: &whimbrel::GrowthLock) -> Self {
        Self { reason: lock.reason.clone(), until: lock.until }
    }
}

impl From<&whimbrel::Group> for Group {
    fn from(group: &whimbrel::Group) -> Self {
        let identity = |identity: &Option<whimbrel::Identity>| identity.as_ref().map(Into::into);
        Self {
            id: group.id.to_string(),
            subject: group.subject.clone(),
            subject_author: identity(&group.subject_author),
            subject_changed_at: group.subject_changed_at,
            description: group.description.as_ref().map(|description| GroupDescription {
                id: description.id.clone(),
                text: description.text.clone(),
                author: identity(&description.author),
                changed_at: description.changed_at,
            }),
            participants: group
                .participants
                .iter()
                .map(|participant| Participant {
                    who: (&participant.who).into(),
                    role: match participant.role {
                        Role::Member => GroupRole::Member,
                        Role::Admin => GroupRole::Admin,
                        Role::SuperAdmin => GroupRole::SuperAdmin,
                        _ => GroupRole::Unknown,
                    },
                })
                .collect(),
            addressing: group.addressing.into(),
            creator: identity(&group.creator),
            created_at: group.created_at,
            announce: group.announce,
            locked: group.locked,
            approval_required: group.approval_required,
            members_may_add: group.members_may_add,
            ephemeral_seconds: group.ephemeral_seconds,
            is_community: group.is_community,
            community: group.community.as_ref().map(ToString::to_string),
            is_announcements: group.is_announcements,
            members_may_invite: group.members_may_invite,
            members_may_share_history: group.members_may_share_history,
            sharing_limited: group.sharing_limited,
            forwarding_limited: group.forwarding_limited,
            history_shared: group.history_shared,
            admin_reports: group.admin_reports,
            members_may_create_groups: group.members_may_create_groups,
            is_general_chat: group.is_general_chat,
            is_hidden: group.is_hidden,
            is_suspended: group.is_suspended,
            growth_lock: group.growth_lock.as_ref().map(Into::into),
            size: group.size,
        }
    }
}

/// Returns a group that this account is in.
///
/// Fails with `NOT_FOUND` if there is no such group, and with `FORBIDDEN` if this account is not in it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetGroup {
    /// Address of the group.
    #[schemars(extend("format" = "address"))]
    pub group: String,
    /// Ask the service in any case; otherwise it is asked only when nothing reliable is known.
    #[serde(default)]
    pub fresh: bool,
}

impl Operation for GetGroup {
    const NAME: &'static str = "get_group";
    type Output = Group;

    async fn run(self, client: &Client, options: CallOptions) -> Result<Group, Error> {
        let group = parse_address(&self.group)?;
        client.group(&group, self.fresh, options).await.map(|group| (&group).into())
    }
}

/// Returns all groups that this account is in, as the service has them now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListGroups {}

/// All groups of the account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GroupList {
    /// The groups.
    pub groups: Vec<Group>,
}

impl Operation for ListGroups {
    const NAME: &'static str = "list_groups";
    type Output = GroupList;

    async fn run(self, client: &Client, options: CallOptions) -> Result<GroupList, Error> {
        let groups = client.groups(options).await?;
        Ok(GroupList { groups: groups.iter().map(Into::into).collect() })
    }
}

/// Makes a group of this account and the given people.
///
/// People whose settings forbid it are left out and listed in `refused`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateGroup {
    /// Its name; may be empty.
    pub subject: String,
    /// Addresses of the people.
    pub participants: Vec<String>,
    /// Only admins may send.
    #[serde(default)]
    pub announce: bool,
    /// Only admins may change subject, description and picture.
    #[serde(default)]
    pub locked: bool,
    /// Admins have to approve who joins.
    #[serde(default)]
    pub approval_required: bool,
    /// After how many seconds new messages disappear: 86400, 604800 or 7776000; 0: never.
    #[serde(default)]
    pub ephemeral_seconds: u32,
    /// Its description, at most 2,048 characters.
    #[serde(default)]
    pub description: Option<String>,
    /// Every member may add others, not only admins; absent: as the service has it.
    #[serde(default)]
    pub members_may_add: Option<bool>,
    /// Every member may hand out the invitation link, not only admins; absent: as the service has it.
    #[serde(default)]
    pub members_may_invite: Option<bool>,
    /// Address of the community that it is to be in.
    #[serde(default)]
    #[schemars(extend("format" = "address"))]
    pub community: Option<String>,
    /// Only its members see it in that community.
    #[serde(default)]
    pub hidden: bool,
}

/// A new group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreatedGroup {
    /// The group, with those who are in it.
    pub group: Group,
    /// Those who could not be added, and why.
    pub refused: Vec<ParticipantResult>,
}

impl From<&whimbrel::CreatedGroup> for CreatedGroup {
    fn from(created: &whimbrel::CreatedGroup) -> Self {
        Self { group: (&created.group).into(), refused: created.refused.iter().map(Into::into).collect() }
    }
}

/// What the service gives for somebody who cannot be added: send it in a group invitation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InvitationCode {
    /// The code, which is for this person alone.
    pub code: String,
    /// Until when it can be used, seconds since 1970; 0 if the service did not say.
    pub expires_at: i64,
}

/// What came of a change for one person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ParticipantResult {
    /// The person.
    pub who: Identity,
    /// Absent: it is as wanted. Otherwise the service's number: 401 the person blocked this account,
    /// 403 the person's settings or this account's rights forbid it, 404 there is no such person or
    /// member, 408 left too recently, 419 the group is full.
    pub refused: Option<u16>,
    /// With it the person can be invited instead; only when the person's settings forbid to be added.
    pub invitation: Option<InvitationCode>,
}

impl From<&whimbrel::ParticipantResult> for ParticipantResult {
    fn from(result: &whimbrel::ParticipantResult) -> Self {
        let invitation = result.invitation.as_ref();
        Self {
            who: (&result.who).into(),
            refused: result.refused,
            invitation: invitation
                .map(|found| InvitationCode { code: found.code.clone(), expires_at: found.expires_at }),
        }
    }
}

impl Operation for CreateGroup {
    const NAME: &'static str = "create_group";
    type Output = CreatedGroup;

    async fn run(self, client: &Client, options: CallOptions) -> Result<CreatedGroup, Error> {
        let participants = addresses(&self.participants)?;
        let mut setup = whimbrel::GroupOptions::default();
        setup.announce = self.announce;
        setup.locked = self.locked;
        setup.approval_required = self.approval_required;
        setup.ephemeral_seconds = self.ephemeral_seconds;
        setup.description = self.description;
        setup.members_may_add = self.members_may_add;
        setup.members_may_invite = self.members_may_invite;
        setup.community = self.community.as_deref().map(parse_address).transpose()?;
        setup.hidden = self.hidden;
        let created = client.create_group(&self.subject, &participants, setup, options).await?;
        Ok((&created).into())
    }
}

pub(super) fn addresses(texts: &[String]) -> Result<Vec<Jid>, Error> {
    texts.iter().map(|text| parse_address(text)).collect()
}

/// What came of a change of members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ParticipantResults {
    /// One entry for each person.
    pub results: Vec<ParticipantResult>,
}

impl From<Vec<whimbrel::ParticipantResult>> for ParticipantResults {
    fn from(results: Vec<whimbrel::ParticipantResult>) -> Self {
        Self { results: results.iter().map(Into::into).collect() }
    }
}

/// Adds people to a group.
///
/// What failed for single people is in the results; it fails as a whole when this account may not
/// add anybody.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AddParticipants {
    /// Address of the group.
    #[schemars(extend("format" = "address"))]
    pub group: String,
    /// Addresses of the people.
    pub participants: Vec<String>,
}

impl Operation for AddParticipants {
    const NAME: &'static str = "add_participants";
    type Output = ParticipantResults;

    async fn run(self, client: &Client, options: CallOptions) -> Result<ParticipantResults, Error> {
        let (group, people) = (parse_address(&self.group)?, addresses(&self.participants)?);
        client.add_participants(&group, &people, options).await.map(Into::into)
    }
}

/// Removes members from a group.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RemoveParticipants {
    /// Address of the group.
    #[schemars(extend("format" = "address"))]
    pub group: String,
    /// Addresses of the members.
    pub participants: Vec<String>,
}

impl Operation for RemoveParticipants {
    const NAME: &'static str = "remove_participants";
    type Output = ParticipantResults;

    async fn run(self, client: &Client, options: CallOptions) -> Result<ParticipantResults, Error> {
        let (group, people) = (parse_address(&self.group)?, addresses(&self.participants)?);
        client.remove_participants(&group, &people, options).await.map(Into::into)
    }
}

/// Makes members of a group admins.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PromoteParticipants {
    /// Address of the group.
    #[schemars(extend("format" = "address"))]
    pub group: String,
    /// Addresses of the members.
    pub participants: Vec<String>,
}

impl Operation for PromoteParticipants {
    const NAME: &'static str = "promote_participants";
    type Output = ParticipantResults;

    async fn run(self, client: &Client, options: CallOptions) -> Result<ParticipantResults, Error> {
        let (group, people) = (parse_address(&self.group)?, addresses(&self.participants)?);
        client.promote_participants(&group, &people, options).await.map(Into::into)
    }
}

/// Makes admins of a group ordinary members.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DemoteParticipants {
    /// Address of the group.
    #[schemars(extend("format" = "address"))]
    pub group: String,
    /// Addresses of the admins.
    pub participants: Vec<String>,
}

impl Operation for DemoteParticipants {
    const NAME: &'static str = "demote_participants";
    type Output = ParticipantResults;

    async fn run(self, client: &Client, options: CallOptions) -> Result<ParticipantResults, Error> {
        let (group, people) = (parse_address(&self.group)?, addresses(&self.participants)?);
        client.demote_participants(&group, &people, options).await.map(Into::into)
    }
}

/// Leaves a group.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LeaveGroup {
    /// Address of the group.
    #[schemars(extend("format" = "address"))]
    pub group: String,
}

impl Operation for LeaveGroup {
    const NAME: &'static str = "leave_group";
    type Output = Done;

    async fn run(self, client: &Client, options: CallOptions) -> Result<Done, Error> {
        client.leave_group(&parse_address(&self.group)?, options).await.map(|()| Done {})
    }
}

/// Returns a group after comparing its members with those that the service has; it is fetched only if
/// they differ.
///
/// Cheaper than a fresh `get_group` where there are many members; settings that changed unheard do not
/// show.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CheckGroup {
    /// Address of the group.
    #[schemars(extend("format" = "address"))]
    pub group: String,
}

impl Operation for CheckGroup {
    const NAME: &'static str = "check_group";
    type Output = Group;

    async fn run(self, client: &Client, options: CallOptions) -> Result<Group, Error> {
        let group = parse_address(&self.group)?;
        client.check_group(&group, options).await.map(|group| (&group).into())
    }
}

/// Returns several groups, at most 10,000, as the service has them now.
///
/// What is wrong with single groups is in the results.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetGroups {
    /// Addresses of the groups.
    pub groups: Vec<String>,
}

/// What is known of one of several groups that were asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GroupLookup {
    /// Its address.
    pub id: String,
    /// The group; of a very large one without some of its members.
    pub group: Option<Group>,
    /// Why there is none: the service's number, 403 this account is not in it, 404 there is no such group.
    pub refused: Option<u16>,
}

/// What is known of several groups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GroupLookups {
    /// One entry for each group.
    pub results: Vec<GroupLookup>,
}

impl Operation for GetGroups {
    const NAME: &'static str = "get_groups";
    type Output = GroupLookups;

    async fn run(self, client: &Client, options: CallOptions) -> Result<GroupLookups, Error> {
        let found = client.groups_named(&addresses(&self.groups)?, options).await?;
        let lookup = |lookup: &whimbrel::GroupLookup| GroupLookup {
            id: lookup.id.to_string(),
            group: lookup.group.as_ref().map(Into::into),
            refused: lookup.refused,
        };
        Ok(GroupLookups { results: found.iter().map(lookup).collect() })
    }
}

/// Returns the small pictures of several groups, at most 1,000; groups without a picture are left out.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetGroupPictures {
    /// Addresses of the groups.
    pub groups: Vec<String>,
}

/// The small picture of a group, on the media hosts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GroupPicture {
    /// Address of the group.
    pub group: String,
    /// Id of the picture: another one means another picture.
    pub id: String,
    /// Where it is, for some time.
    pub url: Option<String>,
    /// Its path on any media host.
    pub direct_path: Option<String>,
}

/// Pictures of groups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GroupPictures {
    /// The pictures.
    pub pictures: Vec<GroupPicture>,
}

impl Operation for GetGroupPictures {
    const NAME: &'static str = "get_group_pictures";
    type Output = GroupPictures;

    async fn run(self, client: &Client, options: CallOptions) -> Result<GroupPictures, Error> {
        let found = client.group_pictures(&addresses(&self.groups)?, options).await?;
        let picture = |picture: whimbrel::GroupPicture| GroupPicture {
            group: picture.group.to_string(),
            id: picture.id,
            url: picture.url,
            direct_path: picture.direct_path,
        };
        Ok(GroupPictures { pictures: found.into_iter().map(picture).collect() })
    }
}
