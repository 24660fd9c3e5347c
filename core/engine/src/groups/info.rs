//! A group as the host sees it.

use whimbrel_wire::Jid;

use super::row::{Addressing, GroupRow, Role};
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
    /// After how many seconds new messages disappear; 0: never.
    pub ephemeral_seconds: u32,
    /// It is a community: its chats are the groups in it.
    pub is_community: bool,
    /// The community that it belongs to.
    pub community: Option<Jid>,
    /// It is the group in which a community's admins announce.
    pub is_announcements: bool,
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
        announce: row.announce,
        locked: row.locked,
        approval_required: row.approval,
        members_may_add: row.members_add,
        ephemeral_seconds: row.ephemeral,
        is_community: row.is_community,
        community: row.community.clone(),
        is_announcements: row.is_announcements,
    })
}
