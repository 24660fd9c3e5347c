//! Events about communities, and about who wants to be let into a group.

use schemars::JsonSchema;
use serde::Serialize;
use whimbrel::events;

use super::Identity;

/// What happened to the request of somebody who wants to get into a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum JoinRequestState {
    /// It waits for an admin.
    Created,
    /// Who made it took it back.
    Withdrawn,
    /// An admin did not let them in.
    Rejected,
    /// A request of this account waits for an admin.
    Own,
    /// A state that this version does not know.
    Unknown,
}

/// Emitted when somebody wants to be let into a group, takes that back, or is not let in; who is let in
/// comes as a change of members. Admins decide with `decide_join_requests`.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
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
    /// Address of the community through which it came.
    pub community: Option<String>,
    /// The service's time, seconds since 1970.
    pub timestamp: i64,
}

/// What one group is to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LinkedGroup {
    /// Its address.
    pub id: String,
    /// Its name; empty if it was not told.
    pub subject: String,
    /// Only its members see it in the community.
    pub is_hidden: bool,
    /// It is the group in which the community's admins announce.
    pub is_announcements: bool,
}

/// Emitted when groups were put into a community or taken out: told of the community, of the groups and
/// of those beside them.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
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

/// A group that somebody suggests for a community.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GroupSuggestion {
    /// Its address, which it keeps if it comes to be.
    pub id: String,
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

impl From<&events::GroupSuggestion> for GroupSuggestion {
    fn from(suggestion: &events::GroupSuggestion) -> Self {
        Self {
            id: suggestion.id.to_string(),
            subject: suggestion.subject.clone(),
            description: suggestion.description.clone(),
            creator: suggestion.creator.as_ref().map(Into::into),
            created_at: suggestion.created_at,
            is_existing: suggestion.is_existing,
            is_hidden: suggestion.is_hidden,
            size: suggestion.size,
        }
    }
}

/// Emitted when a member of a community suggests groups for it, or suggestions are over.
/// `list_group_suggestions` tells all that wait.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
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

impl From<&events::JoinRequest> for JoinRequest {
    fn from(event: &events::JoinRequest) -> Self {
        use events::JoinRequestState as State;
        Self {
            chat: (&event.chat).into(),
            author: event.author.as_ref().map(Into::into),
            state: match event.state {
                State::Created => JoinRequestState::Created,
                State::Withdrawn => JoinRequestState::Withdrawn,
                State::Rejected => JoinRequestState::Rejected,
                State::Own => JoinRequestState::Own,
                _ => JoinRequestState::Unknown,
            },
            people: event.people.iter().map(Into::into).collect(),
            method: event.method.clone(),
            community: event.community.as_ref().map(ToString::to_string),
            timestamp: event.timestamp,
        }
    }
}

impl From<&events::GroupLinked> for GroupLinked {
    fn from(event: &events::GroupLinked) -> Self {
        let group = |group: &events::LinkedGroup| LinkedGroup {
            id: group.id.to_string(),
            subject: group.subject.clone(),
            is_hidden: group.is_hidden,
            is_announcements: group.is_announcements,
        };
        Self {
            chat: (&event.chat).into(),
            author: event.author.as_ref().map(Into::into),
            linked: event.linked,
            relation: match event.relation {
                events::GroupRelation::Community => GroupRelation::Community,
                events::GroupRelation::Group => GroupRelation::Group,
                events::GroupRelation::Sibling => GroupRelation::Sibling,
                _ => GroupRelation::Other,
            },
            groups: event.groups.iter().map(group).collect(),
            reason: event.reason.clone(),
            timestamp: event.timestamp,
        }
    }
}

impl From<&events::GroupSuggested> for GroupSuggested {
    fn from(event: &events::GroupSuggested) -> Self {
        Self {
            chat: (&event.chat).into(),
            author: event.author.as_ref().map(Into::into),
            open: event.open,
            suggestions: event.suggestions.iter().map(Into::into).collect(),
            reason: event.reason.clone(),
            timestamp: event.timestamp,
        }
    }
}
