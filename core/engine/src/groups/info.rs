//! A group as the host sees it.

use whimbrel_wire::Jid;

use super::row::{Addressing, GroupRow, GrowthLock, Role};
use super::switch::GroupSetting;
use crate::events::Identity;
use crate::messages::Unit;
use crate::store::StoreError;

/// A group that this account is in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Group {
    /// Its address.
    pub id: Jid,
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
    pub addressing: Addressing,
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
    /// After how many seconds new messages disappear; 0: never.
    pub ephemeral_seconds: u32,
    /// It is a community: its chats are the groups in it.
    pub is_community: bool,
    /// The community that it belongs to.
    pub community: Option<Jid>,
    /// It is the group in which a community's admins announce.
    pub is_announcements: bool,
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

/// A member of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Participant {
    /// The person.
    pub who: Identity,
    /// What it may do.
    pub role: Role,
}

/// The description of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
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

/// Makes what the host sees of a row.
pub(crate) fn group(unit: &mut Unit<'_>, id: &Jid, row: &GroupRow) -> Result<Group, StoreError> {
    let mut who = |jid: &Option<Jid>| jid.as_ref().map(|jid| unit.identity_of(jid)).transpose();
    let (subject_author, creator) = (who(&row.subject_author)?, who(&row.creator)?);
    let description = match &row.description {
        None => None,
        Some(description) => Some(GroupDescription {
            id: description.id.clone(),
            text: description.text.clone(),
            author: who(&description.author)?,
            changed_at: description.changed_at,
        }),
    };
    let mut participants = Vec::with_capacity(row.members.len());
    for member in &row.members {
        participants.push(Participant { who: unit.identity_of(&member.id)?, role: member.role });
    }
    let has = |setting| row.switches.has(setting);
    let listed = u32::try_from(row.members.len()).unwrap_or(u32::MAX);
    Ok(Group {
        id: id.clone(),
        subject: row.subject.clone(),
        subject_author,
        subject_changed_at: row.subject_changed_at,
        description,
        participants,
        addressing: row.addressing,
        creator,
        created_at: row.created_at,
        announce: has(GroupSetting::Announce),
        locked: has(GroupSetting::Locked),
        approval_required: has(GroupSetting::ApprovalRequired),
        members_may_add: has(GroupSetting::MembersMayAdd),
        members_may_invite: has(GroupSetting::MembersMayInvite),
        members_may_share_history: has(GroupSetting::MembersMayShareHistory),
        sharing_limited: has(GroupSetting::SharingLimited),
        forwarding_limited: has(GroupSetting::ForwardingLimited),
        history_shared: has(GroupSetting::HistoryShared),
        admin_reports: has(GroupSetting::AdminReports),
        members_may_create_groups: has(GroupSetting::MembersMayCreateGroups),
        ephemeral_seconds: row.ephemeral,
        is_community: row.is_community,
        community: row.community.clone(),
        is_announcements: row.is_announcements,
        is_general_chat: row.is_general_chat,
        is_hidden: row.is_hidden,
        is_suspended: row.suspended,
        growth_lock: row.growth_lock.clone(),
        // A count is only kept where the list is shorter.
        size: row.size.max(listed),
    })
}
