//! What the host is told about groups.

use std::borrow::Cow;

use whimbrel_wire::Jid;

use super::row::{Addressing, GrowthLock};
use crate::events::Identity;

/// This account is in a new group, or in one again.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct GroupJoined {
    /// The group.
    pub chat: Identity,
    /// Who made it or added this account, if known.
    pub author: Option<Identity>,
    /// Its name, if it was told.
    pub subject: Option<String>,
    /// How it came about, if the service says so: a word such as `invite`.
    pub reason: Option<String>,
    /// The service's time, seconds since 1970.
    pub timestamp: i64,
}

/// This account is in a group no more.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct GroupLeft {
    /// The group.
    pub chat: Identity,
    /// Who removed this account, if known.
    pub author: Option<Identity>,
    /// A stable lowercase word: `left` on another device of this account, `removed`, `deleted`.
    pub reason: Cow<'static, str>,
    /// The service's time, seconds since 1970.
    pub timestamp: i64,
}

/// A group changed.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct GroupChanged {
    /// The group.
    pub chat: Identity,
    /// Who changed it, if known.
    pub author: Option<Identity>,
    /// What changed.
    pub change: GroupChange,
    /// The service's time, seconds since 1970.
    pub timestamp: i64,
}

/// What changed in a group.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum GroupChange {
    /// These joined or were added.
    Added(Vec<Identity>),
    /// These were removed by somebody.
    Removed(Vec<Identity>),
    /// These left by themselves.
    Left(Vec<Identity>),
    /// These are admins now.
    Promoted(Vec<Identity>),
    /// These are no admins any more.
    Demoted(Vec<Identity>),
    /// These have another phone number or hidden id than before.
    NumberChanged(Vec<Identity>),
    /// It has this name now.
    Subject(String),
    /// It has this description now, or none.
    Description(Option<String>),
    /// Whether only admins may send.
    Announce(bool),
    /// Whether only admins may change subject, description and picture.
    Locked(bool),
    /// Whether admins have to approve who joins.
    ApprovalRequired(bool),
    /// Whether every member may add others.
    MembersMayAdd(bool),
    /// After how many seconds new messages disappear; 0: never.
    Ephemeral(u32),
    /// Its members are addressed in another way now.
    Addressing(Addressing),
    /// Something else, under the service's name for it.
    Other(String),
    /// Its invitation link was made anew, with this code. The former one is void.
    InviteLink(String),
    /// The invitations of these are void.
    InvitationsRevoked(Vec<Identity>),
    /// Whether every member may hand out the invitation link.
    MembersMayInvite(bool),
    /// Whether every member may hand earlier messages to new ones.
    MembersMayShareHistory(bool),
    /// Whether what is said in it may not be exported or taken out.
    SharingLimited(bool),
    /// Whether messages that were forwarded many times may not be sent to it.
    ForwardingLimited(bool),
    /// Whether new members get earlier messages.
    HistoryShared(bool),
    /// Whether members may report messages to its admins.
    AdminReports(bool),
    /// Whether every member of the community may make groups in it.
    MembersMayCreateGroups(bool),
    /// Nobody can join by its link for some time, or again everybody.
    GrowthLock(Option<GrowthLock>),
    /// Whether the service has suspended it.
    Suspended(bool),
    /// These are admins of another group of its community now.
    LinkedPromoted(Option<Jid>, Vec<Identity>),
    /// These are no admins of another group of its community any more.
    LinkedDemoted(Option<Jid>, Vec<Identity>),
    /// Members reported messages to its admins.
    Reported,
    /// People are no longer added to it by themselves.
    AutoAddDisabled,
    /// A business has it served by somebody else.
    BusinessHosted,
    /// The service advises to look at who is in it.
    SafetyCheck,
    /// The service does not know who a member is.
    ParticipantUnidentified,
}

/// Somebody wants to get into a group, or no longer.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct JoinRequest {
    /// The group.
    pub chat: Identity,
    /// Who did it, if known.
    pub author: Option<Identity>,
    /// What happened to the request.
    pub state: JoinRequestState,
    /// Who wants to get in.
    pub people: Vec<Identity>,
    /// How it came about, if the service says so: `invite_link`, `linked_group_join`, `non_admin_add` or
    /// another word.
    pub method: Option<String>,
    /// The community through which it came.
    pub community: Option<Jid>,
    /// The service's time, seconds since 1970.
    pub timestamp: i64,
}

/// What happened to the request of somebody who wants to get into a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum JoinRequestState {
    /// It waits for an admin.
    Created,
    /// Who made it took it back.
    Withdrawn,
    /// An admin did not let them in.
    Rejected,
    /// A request of this account waits for an admin.
    Own,
}

/// Groups were put into a community, or taken out.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct GroupLinked {
    /// The group or community that it was told of.
    pub chat: Identity,
    /// Who did it, if known.
    pub author: Option<Identity>,
    /// They belong together now; `false`: no more.
    pub linked: bool,
    /// What the others are to it.
    pub relation: GroupRelation,
    /// The others.
    pub groups: Vec<LinkedGroup>,
    /// Why they were taken apart, if the service says so: `unlink_group`, `delete_parent` or another word.
    pub reason: Option<String>,
    /// The service's time, seconds since 1970.
    pub timestamp: i64,
}

/// What one group is to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GroupRelation {
    /// Its community.
    Community,
    /// A group in it.
    Group,
    /// Another group of its community.
    Sibling,
    /// A relation that this version does not know.
    Other,
}

/// A group in a community, as far as others are told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LinkedGroup {
    /// Its address.
    pub id: Jid,
    /// Its name; empty if it was not told.
    pub subject: String,
    /// Only its members see it in the community.
    pub is_hidden: bool,
    /// It is the group in which the community's admins announce.
    pub is_announcements: bool,
}

/// A member of a community suggested groups for it, or suggestions are over.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct GroupSuggested {
    /// The community.
    pub chat: Identity,
    /// Who did it, if known.
    pub author: Option<Identity>,
    /// The suggestions wait for an admin; `false`: they are over.
    pub open: bool,
    /// The suggestions.
    pub suggestions: Vec<GroupSuggestion>,
    /// Why they are over, if the service says so.
    pub reason: Option<String>,
    /// The service's time, seconds since 1970.
    pub timestamp: i64,
}

/// A group that somebody suggests for a community.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GroupSuggestion {
    /// Its address, which it keeps if it comes to be.
    pub id: Jid,
    /// What it is to be called; empty if it was not told.
    pub subject: String,
    /// Its description, if it has one.
    pub description: Option<String>,
    /// Who suggests it, if known.
    pub creator: Option<Identity>,
    /// When it was suggested, seconds since 1970; 0 if unknown.
    pub created_at: i64,
    /// It exists already, outside of the community.
    pub is_existing: bool,
    /// Only its members will see it in the community.
    pub is_hidden: bool,
    /// How many are in it, if it was told.
    pub size: Option<u32>,
}
