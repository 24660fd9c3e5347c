//! Communities: groups of groups (features document §3).

mod look;
mod manage;
mod members;
pub(super) mod notice;
pub(super) mod stanza;

use whimbrel_wire::Jid;

use super::events::GroupSuggestion;
use crate::events::Identity;
use crate::messages::Unit;
use crate::store::StoreError;

/// How a new community is set up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CommunityOptions {
    /// Its description, at most 2,048 characters. Default: none.
    pub description: Option<String>,
    /// Admins have to approve who joins. Default `false`.
    pub approval_required: bool,
    /// Every member may make groups in it, not only admins. Default `false`.
    pub members_may_create_groups: bool,
    /// It gets a chat for everybody. Default `false`.
    pub general_chat: bool,
}

/// A group in a community, as the community's members see it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CommunityGroup {
    /// Its address.
    pub id: Jid,
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

/// How many are in a group of a community.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GroupSize {
    /// The group.
    pub group: Jid,
    /// Members.
    pub size: u32,
}

/// What came of putting one group into a community, or of taking it out.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LinkResult {
    /// The group.
    pub group: Jid,
    /// `None`: it is as wanted. Otherwise the service's number: 403 this account is no admin of the group,
    /// 404 there is no such group, 406 the community is full, 409 it is in another community.
    pub refused: Option<u16>,
}

/// Suggested groups, as the host sees them.
pub(super) fn told(
    unit: &mut Unit<'_>,
    suggestions: Vec<notice::Suggested>,
) -> Result<Vec<GroupSuggestion>, StoreError> {
    let tell = |suggested: notice::Suggested| {
        Ok(GroupSuggestion {
            id: suggested.id,
            subject: suggested.subject,
            description: suggested.description,
            creator: suggested.creator.map(|jid| unit.identity_of(&jid)).transpose()?,
            created_at: suggested.created_at,
            is_existing: suggested.is_existing,
            is_hidden: suggested.is_hidden,
            size: suggested.size,
        })
    };
    suggestions.into_iter().map(tell).collect()
}

/// The groups of a community that are known here.
fn known_groups(unit: &mut Unit<'_>, community: &Jid) -> Result<Vec<Jid>, StoreError> {
    let mut known = Vec::new();
    for group in unit.store.groups()? {
        if unit.group(&group)?.is_some_and(|row| row.community.as_ref() == Some(community)) {
            known.push(group);
        }
    }
    Ok(known)
}
