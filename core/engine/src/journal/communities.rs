//! The stored form of events about communities and about who wants to be let in.

use super::record::{IdentityRow, UnreadableRow, identity_of, identity_row, jid_of, people_of};
use crate::events::{
    GroupLinked, GroupRelation, GroupSuggested, GroupSuggestion, Identity, JoinRequest, JoinRequestState,
    LinkedGroup,
};

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct JoinRequestRow {
    #[prost(message, optional, tag = "1")]
    chat: Option<IdentityRow>,
    #[prost(message, optional, tag = "2")]
    author: Option<IdentityRow>,
    #[prost(int64, tag = "3")]
    timestamp: i64,
    /// 1 created, 2 withdrawn, 3 rejected, 4 own.
    #[prost(uint32, tag = "4")]
    state: u32,
    #[prost(message, repeated, tag = "5")]
    people: Vec<IdentityRow>,
    #[prost(string, optional, tag = "6")]
    method: Option<String>,
    #[prost(string, optional, tag = "7")]
    community: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct LinkedRow {
    #[prost(message, optional, tag = "1")]
    chat: Option<IdentityRow>,
    #[prost(message, optional, tag = "2")]
    author: Option<IdentityRow>,
    #[prost(int64, tag = "3")]
    timestamp: i64,
    #[prost(bool, tag = "4")]
    linked: bool,
    /// 0 another one, 1 its community, 2 a group in it, 3 a group beside it.
    #[prost(uint32, tag = "5")]
    relation: u32,
    #[prost(message, repeated, tag = "6")]
    groups: Vec<LinkedGroupRow>,
    #[prost(string, optional, tag = "7")]
    reason: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct LinkedGroupRow {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(string, tag = "2")]
    subject: String,
    #[prost(bool, tag = "3")]
    is_hidden: bool,
    #[prost(bool, tag = "4")]
    is_announcements: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct SuggestedRow {
    #[prost(message, optional, tag = "1")]
    chat: Option<IdentityRow>,
    #[prost(message, optional, tag = "2")]
    author: Option<IdentityRow>,
    #[prost(int64, tag = "3")]
    timestamp: i64,
    #[prost(bool, tag = "4")]
    open: bool,
    #[prost(message, repeated, tag = "5")]
    suggestions: Vec<SuggestionRow>,
    #[prost(string, optional, tag = "6")]
    reason: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct SuggestionRow {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(string, tag = "2")]
    subject: String,
    #[prost(string, optional, tag = "3")]
    description: Option<String>,
    #[prost(message, optional, tag = "4")]
    creator: Option<IdentityRow>,
    #[prost(int64, tag = "5")]
    created_at: i64,
    #[prost(bool, tag = "6")]
    is_existing: bool,
    #[prost(bool, tag = "7")]
    is_hidden: bool,
    #[prost(uint32, optional, tag = "8")]
    size: Option<u32>,
}

fn optional(identity: Option<&Identity>) -> Option<IdentityRow> {
    identity.map(identity_row)
}

fn maybe(row: Option<IdentityRow>) -> Result<Option<Identity>, UnreadableRow> {
    row.map(|row| identity_of(Some(row))).transpose()
}

impl From<&JoinRequest> for JoinRequestRow {
    fn from(event: &JoinRequest) -> Self {
        Self {
            chat: Some(identity_row(&event.chat)),
            author: optional(event.author.as_ref()),
            timestamp: event.timestamp,
            state: match event.state {
                JoinRequestState::Created => 1,
                JoinRequestState::Withdrawn => 2,
                JoinRequestState::Rejected => 3,
                JoinRequestState::Own => 4,
            },
            people: event.people.iter().map(identity_row).collect(),
            method: event.method.clone(),
            community: event.community.as_ref().map(ToString::to_string),
        }
    }
}

impl TryFrom<JoinRequestRow> for JoinRequest {
    type Error = UnreadableRow;

    fn try_from(row: JoinRequestRow) -> Result<Self, UnreadableRow> {
        Ok(Self {
            chat: identity_of(row.chat)?,
            author: maybe(row.author)?,
            timestamp: row.timestamp,
            state: match row.state {
                1 => JoinRequestState::Created,
                2 => JoinRequestState::Withdrawn,
                3 => JoinRequestState::Rejected,
                4 => JoinRequestState::Own,
                _ => return Err(UnreadableRow),
            },
            people: people_of(row.people)?,
            method: row.method,
            community: row.community.as_deref().map(jid_of).transpose()?,
        })
    }
}

impl From<&GroupLinked> for LinkedRow {
    fn from(event: &GroupLinked) -> Self {
        let group = |group: &LinkedGroup| LinkedGroupRow {
            id: group.id.to_string(),
            subject: group.subject.clone(),
            is_hidden: group.is_hidden,
            is_announcements: group.is_announcements,
        };
        Self {
            chat: Some(identity_row(&event.chat)),
            author: optional(event.author.as_ref()),
            timestamp: event.timestamp,
            linked: event.linked,
            relation: match event.relation {
                GroupRelation::Other => 0,
                GroupRelation::Community => 1,
                GroupRelation::Group => 2,
                GroupRelation::Sibling => 3,
            },
            groups: event.groups.iter().map(group).collect(),
            reason: event.reason.clone(),
        }
    }
}

impl TryFrom<LinkedRow> for GroupLinked {
    type Error = UnreadableRow;

    fn try_from(row: LinkedRow) -> Result<Self, UnreadableRow> {
        let group = |row: LinkedGroupRow| {
            Ok(LinkedGroup {
                id: jid_of(&row.id)?,
                subject: row.subject,
                is_hidden: row.is_hidden,
                is_announcements: row.is_announcements,
            })
        };
        Ok(Self {
            chat: identity_of(row.chat)?,
            author: maybe(row.author)?,
            timestamp: row.timestamp,
            linked: row.linked,
            relation: match row.relation {
                1 => GroupRelation::Community,
                2 => GroupRelation::Group,
                3 => GroupRelation::Sibling,
                _ => GroupRelation::Other,
            },
            groups: row.groups.into_iter().map(group).collect::<Result<_, UnreadableRow>>()?,
            reason: row.reason,
        })
    }
}

impl From<&GroupSuggested> for SuggestedRow {
    fn from(event: &GroupSuggested) -> Self {
        let suggestion = |suggestion: &GroupSuggestion| SuggestionRow {
            id: suggestion.id.to_string(),
            subject: suggestion.subject.clone(),
            description: suggestion.description.clone(),
            creator: optional(suggestion.creator.as_ref()),
            created_at: suggestion.created_at,
            is_existing: suggestion.is_existing,
            is_hidden: suggestion.is_hidden,
            size: suggestion.size,
        };
        Self {
            chat: Some(identity_row(&event.chat)),
            author: optional(event.author.as_ref()),
            timestamp: event.timestamp,
            open: event.open,
            suggestions: event.suggestions.iter().map(suggestion).collect(),
            reason: event.reason.clone(),
        }
    }
}

impl TryFrom<SuggestedRow> for GroupSuggested {
    type Error = UnreadableRow;

    fn try_from(row: SuggestedRow) -> Result<Self, UnreadableRow> {
        let suggestion = |row: SuggestionRow| {
            Ok(GroupSuggestion {
                id: jid_of(&row.id)?,
                subject: row.subject,
                description: row.description,
                creator: maybe(row.creator)?,
                created_at: row.created_at,
                is_existing: row.is_existing,
                is_hidden: row.is_hidden,
                size: row.size,
            })
        };
        Ok(Self {
            chat: identity_of(row.chat)?,
            author: maybe(row.author)?,
            timestamp: row.timestamp,
            open: row.open,
            suggestions: row.suggestions.into_iter().map(suggestion).collect::<Result<_, UnreadableRow>>()?,
            reason: row.reason,
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::events::EventKind;

    /// One event of every kind and state.
    pub(in crate::journal) fn every_kind(person: &Identity) -> Vec<EventKind> {
        let chat = Identity { id: "1203@g.us".parse().unwrap(), phone: None, lid: None };
        let mut kinds = Vec::new();
        let states = [
            JoinRequestState::Created,
            JoinRequestState::Withdrawn,
            JoinRequestState::Rejected,
            JoinRequestState::Own,
        ];
        kinds.extend(states.map(|state| {
            EventKind::JoinRequest(JoinRequest {
                chat: chat.clone(),
                author: Some(person.clone()),
                state,
                people: vec![person.clone()],
                method: Some("invite_link".into()),
                community: Some("1204@g.us".parse().unwrap()),
                timestamp: 5,
            })
        }));
        let relations =
            [GroupRelation::Other, GroupRelation::Community, GroupRelation::Group, GroupRelation::Sibling];
        kinds.extend(relations.map(|relation| {
            EventKind::GroupLinked(GroupLinked {
                chat: chat.clone(),
                author: None,
                linked: relation == GroupRelation::Group,
                relation,
                groups: vec![LinkedGroup {
                    id: "1205@g.us".parse().unwrap(),
                    subject: "Owls".into(),
                    is_hidden: true,
                    is_announcements: true,
                }],
                reason: Some("unlink_group".into()),
                timestamp: 5,
            })
        }));
        let suggestion = GroupSuggestion {
            id: "1206@g.us".parse().unwrap(),
            subject: "Gulls".into(),
            description: Some("about".into()),
            creator: Some(person.clone()),
            created_at: 4,
            is_existing: true,
            is_hidden: true,
            size: Some(9),
        };
        kinds.extend([true, false].map(|open| {
            EventKind::GroupSuggested(GroupSuggested {
                chat: chat.clone(),
                author: Some(person.clone()),
                open,
                suggestions: vec![suggestion.clone()],
                reason: Some("approved".into()),
                timestamp: 5,
            })
        }));
        kinds
    }
}
