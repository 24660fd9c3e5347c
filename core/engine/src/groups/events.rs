//! What the host is told about groups.

use std::borrow::Cow;

use super::row::Addressing;
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
}
