//! Events about groups.

use schemars::JsonSchema;
use serde::Serialize;
use whimbrel::events::{self, GroupChange};

use super::Identity;
use crate::operations::GroupAddressing;

/// Emitted when this account was added to a group, or another device of it made one. `get_group`
/// tells who is in it.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
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

/// Emitted when this account is in a group no more. Messages to it are refused from now on.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GroupLeft {
    /// The group.
    pub chat: Identity,
    /// Who removed this account, if known.
    pub author: Option<Identity>,
    /// A stable lowercase word: `left` on another device of this account, `removed`, `deleted`.
    pub reason: String,
    /// The service's time, seconds since 1970.
    pub timestamp: i64,
}

/// What changed in a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GroupChangeType {
    /// `participants` joined or were added.
    Added,
    /// `participants` were removed by somebody.
    Removed,
    /// `participants` left by themselves.
    Left,
    /// `participants` are admins now.
    Promoted,
    /// `participants` are no admins any more.
    Demoted,
    /// `participants` have another phone number or hidden id than before.
    NumberChanged,
    /// `text` is its name now.
    Subject,
    /// `text` is its description now; absent: it has none.
    Description,
    /// `enabled`: only admins may send.
    Announce,
    /// `enabled`: only admins may change subject, description and picture.
    Locked,
    /// `enabled`: admins have to approve who joins.
    ApprovalRequired,
    /// `enabled`: every member may add others.
    MembersMayAdd,
    /// `seconds` after which new messages disappear; 0: never.
    Ephemeral,
    /// `addressing`: its members are addressed in another way now.
    Addressing,
    /// Something else; `text` is the service's name for it.
    Other,
    /// A change that this version does not know.
    Unknown,
}

/// Emitted when somebody changed a group: its members or its settings.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GroupChanged {
    /// The group.
    pub chat: Identity,
    /// Who changed it, if known.
    pub author: Option<Identity>,
    /// What changed; it says which of the fields below count.
    pub change: GroupChangeType,
    /// People that it is about.
    pub participants: Vec<Identity>,
    /// A new text.
    pub text: Option<String>,
    /// Whether something is on now.
    pub enabled: Option<bool>,
    /// A new time, in seconds.
    pub seconds: Option<u32>,
    /// How members are addressed now.
    pub addressing: Option<GroupAddressing>,
    /// The service's time, seconds since 1970.
    pub timestamp: i64,
}

impl From<&events::GroupJoined> for GroupJoined {
    fn from(event: &events::GroupJoined) -> Self {
        Self {
            chat: (&event.chat).into(),
            author: event.author.as_ref().map(Into::into),
            subject: event.subject.clone(),
            reason: event.reason.clone(),
            timestamp: event.timestamp,
        }
    }
}

impl From<&events::GroupLeft> for GroupLeft {
    fn from(event: &events::GroupLeft) -> Self {
        Self {
            chat: (&event.chat).into(),
            author: event.author.as_ref().map(Into::into),
            reason: event.reason.clone().into_owned(),
            timestamp: event.timestamp,
        }
    }
}

impl From<&events::GroupChanged> for GroupChanged {
    fn from(event: &events::GroupChanged) -> Self {
        use GroupChangeType as Type;
        let mut changed = Self {
            chat: (&event.chat).into(),
            author: event.author.as_ref().map(Into::into),
            change: Type::Unknown,
            participants: Vec::new(),
            text: None,
            enabled: None,
            seconds: None,
            addressing: None,
            timestamp: event.timestamp,
        };
        let mut people =
            |who: &[events::Identity]| changed.participants = who.iter().map(Into::into).collect();
        changed.change = match &event.change {
            GroupChange::Added(who) => {
                people(who);
                Type::Added
            }
            GroupChange::Removed(who) => {
                people(who);
                Type::Removed
            }
            GroupChange::Left(who) => {
                people(who);
                Type::Left
            }
            GroupChange::Promoted(who) => {
                people(who);
                Type::Promoted
            }
            GroupChange::Demoted(who) => {
                people(who);
                Type::Demoted
            }
            GroupChange::NumberChanged(who) => {
                people(who);
                Type::NumberChanged
            }
            GroupChange::Subject(subject) => {
                changed.text = Some(subject.clone());
                Type::Subject
            }
            GroupChange::Description(text) => {
                changed.text.clone_from(text);
                Type::Description
            }
            GroupChange::Announce(on) => {
                changed.enabled = Some(*on);
                Type::Announce
            }
            GroupChange::Locked(on) => {
                changed.enabled = Some(*on);
                Type::Locked
            }
            GroupChange::ApprovalRequired(on) => {
                changed.enabled = Some(*on);
                Type::ApprovalRequired
            }
            GroupChange::MembersMayAdd(on) => {
                changed.enabled = Some(*on);
                Type::MembersMayAdd
            }
            GroupChange::Ephemeral(seconds) => {
                changed.seconds = Some(*seconds);
                Type::Ephemeral
            }
            GroupChange::Addressing(addressing) => {
                changed.addressing = Some((*addressing).into());
                Type::Addressing
            }
            GroupChange::Other(name) => {
                changed.text = Some(name.clone());
                Type::Other
            }
            _ => Type::Unknown,
        };
        changed
    }
}
