//! The stored form of events about groups.

use whimbrel_wire::Jid;

use super::record::{IdentityRow, UnreadableRow, identity_of, identity_row, jid_of, people_of};
use crate::events::{GroupChange, GroupChanged, GroupJoined, GroupLeft, GrowthLock, Identity};
use crate::groups::Addressing;

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct JoinedRow {
    #[prost(message, optional, tag = "1")]
    chat: Option<IdentityRow>,
    #[prost(message, optional, tag = "2")]
    author: Option<IdentityRow>,
    #[prost(string, optional, tag = "3")]
    subject: Option<String>,
    #[prost(string, optional, tag = "4")]
    reason: Option<String>,
    #[prost(int64, tag = "5")]
    timestamp: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct LeftRow {
    #[prost(message, optional, tag = "1")]
    chat: Option<IdentityRow>,
    #[prost(message, optional, tag = "2")]
    author: Option<IdentityRow>,
    #[prost(string, tag = "3")]
    reason: String,
    #[prost(int64, tag = "4")]
    timestamp: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct ChangedRow {
    #[prost(message, optional, tag = "1")]
    chat: Option<IdentityRow>,
    #[prost(message, optional, tag = "2")]
    author: Option<IdentityRow>,
    #[prost(int64, tag = "3")]
    timestamp: i64,
    #[prost(
        oneof = "ChangeRow",
        tags = "10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38"
    )]
    change: Option<ChangeRow>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum ChangeRow {
    #[prost(message, tag = "10")]
    Added(PeopleRow),
    #[prost(message, tag = "11")]
    Removed(PeopleRow),
    #[prost(message, tag = "12")]
    Left(PeopleRow),
    #[prost(message, tag = "13")]
    Promoted(PeopleRow),
    #[prost(message, tag = "14")]
    Demoted(PeopleRow),
    #[prost(message, tag = "15")]
    NumberChanged(PeopleRow),
    #[prost(string, tag = "16")]
    Subject(String),
    #[prost(message, tag = "17")]
    Description(DescriptionRow),
    #[prost(bool, tag = "18")]
    Announce(bool),
    #[prost(bool, tag = "19")]
    Locked(bool),
    #[prost(bool, tag = "20")]
    ApprovalRequired(bool),
    #[prost(bool, tag = "21")]
    MembersMayAdd(bool),
    #[prost(uint32, tag = "22")]
    Ephemeral(u32),
    /// 0 by phone number, 1 by LID.
    #[prost(uint32, tag = "23")]
    Addressing(u32),
    #[prost(string, tag = "24")]
    Other(String),
    #[prost(string, tag = "25")]
    InviteLink(String),
    #[prost(message, tag = "26")]
    InvitationsRevoked(PeopleRow),
    #[prost(bool, tag = "27")]
    MembersMayInvite(bool),
    #[prost(bool, tag = "28")]
    MembersMayShareHistory(bool),
    #[prost(bool, tag = "29")]
    SharingLimited(bool),
    #[prost(bool, tag = "30")]
    ForwardingLimited(bool),
    #[prost(bool, tag = "31")]
    HistoryShared(bool),
    #[prost(bool, tag = "32")]
    AdminReports(bool),
    #[prost(bool, tag = "33")]
    MembersMayCreateGroups(bool),
    #[prost(message, tag = "34")]
    GrowthLock(GrowthLockRow),
    #[prost(bool, tag = "35")]
    Suspended(bool),
    #[prost(message, tag = "36")]
    LinkedPromoted(LinkedRolesRow),
    #[prost(message, tag = "37")]
    LinkedDemoted(LinkedRolesRow),
    /// 1 reported, 2 nobody is added by itself, 3 hosted for a business, 4 safety check, 5 somebody
    /// unidentified.
    #[prost(uint32, tag = "38")]
    Remark(u32),
}

#[derive(Clone, PartialEq, prost::Message)]
struct GrowthLockRow {
    #[prost(bool, tag = "1")]
    locked: bool,
    #[prost(string, optional, tag = "2")]
    reason: Option<String>,
    #[prost(int64, optional, tag = "3")]
    until: Option<i64>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct LinkedRolesRow {
    #[prost(string, optional, tag = "1")]
    group: Option<String>,
    #[prost(message, repeated, tag = "2")]
    people: Vec<IdentityRow>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct PeopleRow {
    #[prost(message, repeated, tag = "1")]
    people: Vec<IdentityRow>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct DescriptionRow {
    #[prost(string, optional, tag = "1")]
    text: Option<String>,
}

fn optional(identity: Option<&Identity>) -> Option<IdentityRow> {
    identity.map(identity_row)
}

fn author(row: Option<IdentityRow>) -> Result<Option<Identity>, UnreadableRow> {
    row.map(|row| identity_of(Some(row))).transpose()
}

impl From<&GroupJoined> for JoinedRow {
    fn from(event: &GroupJoined) -> Self {
        Self {
            chat: Some(identity_row(&event.chat)),
            author: optional(event.author.as_ref()),
            subject: event.subject.clone(),
            reason: event.reason.clone(),
            timestamp: event.timestamp,
        }
    }
}

impl TryFrom<JoinedRow> for GroupJoined {
    type Error = UnreadableRow;

    fn try_from(row: JoinedRow) -> Result<Self, UnreadableRow> {
        Ok(Self {
            chat: identity_of(row.chat)?,
            author: author(row.author)?,
            subject: row.subject,
            reason: row.reason,
            timestamp: row.timestamp,
        })
    }
}

impl From<&GroupLeft> for LeftRow {
    fn from(event: &GroupLeft) -> Self {
        Self {
            chat: Some(identity_row(&event.chat)),
            author: optional(event.author.as_ref()),
            reason: event.reason.clone().into_owned(),
            timestamp: event.timestamp,
        }
    }
}

impl TryFrom<LeftRow> for GroupLeft {
    type Error = UnreadableRow;

    fn try_from(row: LeftRow) -> Result<Self, UnreadableRow> {
        Ok(Self {
            chat: identity_of(row.chat)?,
            author: author(row.author)?,
            reason: row.reason.into(),
            timestamp: row.timestamp,
        })
    }
}

impl From<&GroupChanged> for ChangedRow {
    fn from(event: &GroupChanged) -> Self {
        let people = |people: &[Identity]| PeopleRow { people: people.iter().map(identity_row).collect() };
        let linked = |group: &Option<Jid>, people: &[Identity]| LinkedRolesRow {
            group: group.as_ref().map(ToString::to_string),
            people: people.iter().map(identity_row).collect(),
        };
        Self {
            chat: Some(identity_row(&event.chat)),
            author: optional(event.author.as_ref()),
            timestamp: event.timestamp,
            change: Some(match &event.change {
                GroupChange::Added(who) => ChangeRow::Added(people(who)),
                GroupChange::Removed(who) => ChangeRow::Removed(people(who)),
                GroupChange::Left(who) => ChangeRow::Left(people(who)),
                GroupChange::Promoted(who) => ChangeRow::Promoted(people(who)),
                GroupChange::Demoted(who) => ChangeRow::Demoted(people(who)),
                GroupChange::NumberChanged(who) => ChangeRow::NumberChanged(people(who)),
                GroupChange::Subject(subject) => ChangeRow::Subject(subject.clone()),
                GroupChange::Description(text) => {
                    ChangeRow::Description(DescriptionRow { text: text.clone() })
                }
                GroupChange::Announce(on) => ChangeRow::Announce(*on),
                GroupChange::Locked(on) => ChangeRow::Locked(*on),
                GroupChange::ApprovalRequired(on) => ChangeRow::ApprovalRequired(*on),
                GroupChange::MembersMayAdd(on) => ChangeRow::MembersMayAdd(*on),
                GroupChange::Ephemeral(seconds) => ChangeRow::Ephemeral(*seconds),
                GroupChange::Addressing(addressing) => {
                    ChangeRow::Addressing(u32::from(*addressing == Addressing::Lid))
                }
                GroupChange::Other(name) => ChangeRow::Other(name.clone()),
                GroupChange::InviteLink(code) => ChangeRow::InviteLink(code.clone()),
                GroupChange::InvitationsRevoked(who) => ChangeRow::InvitationsRevoked(people(who)),
                GroupChange::MembersMayInvite(on) => ChangeRow::MembersMayInvite(*on),
                GroupChange::MembersMayShareHistory(on) => ChangeRow::MembersMayShareHistory(*on),
                GroupChange::SharingLimited(on) => ChangeRow::SharingLimited(*on),
                GroupChange::ForwardingLimited(on) => ChangeRow::ForwardingLimited(*on),
                GroupChange::HistoryShared(on) => ChangeRow::HistoryShared(*on),
                GroupChange::AdminReports(on) => ChangeRow::AdminReports(*on),
                GroupChange::MembersMayCreateGroups(on) => ChangeRow::MembersMayCreateGroups(*on),
                GroupChange::GrowthLock(lock) => ChangeRow::GrowthLock(GrowthLockRow {
                    locked: lock.is_some(),
                    reason: lock.as_ref().and_then(|lock| lock.reason.clone()),
                    until: lock.as_ref().and_then(|lock| lock.until),
                }),
                GroupChange::Suspended(on) => ChangeRow::Suspended(*on),
                GroupChange::LinkedPromoted(group, who) => ChangeRow::LinkedPromoted(linked(group, who)),
                GroupChange::LinkedDemoted(group, who) => ChangeRow::LinkedDemoted(linked(group, who)),
                GroupChange::Reported => ChangeRow::Remark(1),
                GroupChange::AutoAddDisabled => ChangeRow::Remark(2),
                GroupChange::BusinessHosted => ChangeRow::Remark(3),
                GroupChange::SafetyCheck => ChangeRow::Remark(4),
                GroupChange::ParticipantUnidentified => ChangeRow::Remark(5),
            }),
        }
    }
}

impl TryFrom<ChangedRow> for GroupChanged {
    type Error = UnreadableRow;

    fn try_from(row: ChangedRow) -> Result<Self, UnreadableRow> {
        let people = |row: PeopleRow| people_of(row.people);
        let group = |group: Option<String>| group.as_deref().map(jid_of).transpose();
        Ok(Self {
            chat: identity_of(row.chat)?,
            author: author(row.author)?,
            timestamp: row.timestamp,
            change: match row.change.ok_or(UnreadableRow)? {
                ChangeRow::Added(row) => GroupChange::Added(people(row)?),
                ChangeRow::Removed(row) => GroupChange::Removed(people(row)?),
                ChangeRow::Left(row) => GroupChange::Left(people(row)?),
                ChangeRow::Promoted(row) => GroupChange::Promoted(people(row)?),
                ChangeRow::Demoted(row) => GroupChange::Demoted(people(row)?),
                ChangeRow::NumberChanged(row) => GroupChange::NumberChanged(people(row)?),
                ChangeRow::Subject(subject) => GroupChange::Subject(subject),
                ChangeRow::Description(row) => GroupChange::Description(row.text),
                ChangeRow::Announce(on) => GroupChange::Announce(on),
                ChangeRow::Locked(on) => GroupChange::Locked(on),
                ChangeRow::ApprovalRequired(on) => GroupChange::ApprovalRequired(on),
                ChangeRow::MembersMayAdd(on) => GroupChange::MembersMayAdd(on),
                ChangeRow::Ephemeral(seconds) => GroupChange::Ephemeral(seconds),
                ChangeRow::Addressing(0) => GroupChange::Addressing(Addressing::PhoneNumber),
                ChangeRow::Addressing(1) => GroupChange::Addressing(Addressing::Lid),
                ChangeRow::Addressing(_) => return Err(UnreadableRow),
                ChangeRow::Other(name) => GroupChange::Other(name),
                ChangeRow::InviteLink(code) => GroupChange::InviteLink(code),
                ChangeRow::InvitationsRevoked(row) => GroupChange::InvitationsRevoked(people(row)?),
                ChangeRow::MembersMayInvite(on) => GroupChange::MembersMayInvite(on),
                ChangeRow::MembersMayShareHistory(on) => GroupChange::MembersMayShareHistory(on),
                ChangeRow::SharingLimited(on) => GroupChange::SharingLimited(on),
                ChangeRow::ForwardingLimited(on) => GroupChange::ForwardingLimited(on),
                ChangeRow::HistoryShared(on) => GroupChange::HistoryShared(on),
                ChangeRow::AdminReports(on) => GroupChange::AdminReports(on),
                ChangeRow::MembersMayCreateGroups(on) => GroupChange::MembersMayCreateGroups(on),
                ChangeRow::GrowthLock(row) => {
                    let lock = GrowthLock { reason: row.reason, until: row.until };
                    GroupChange::GrowthLock(row.locked.then_some(lock))
                }
                ChangeRow::Suspended(on) => GroupChange::Suspended(on),
                ChangeRow::LinkedPromoted(row) => {
                    GroupChange::LinkedPromoted(group(row.group)?, people_of(row.people)?)
                }
                ChangeRow::LinkedDemoted(row) => {
                    GroupChange::LinkedDemoted(group(row.group)?, people_of(row.people)?)
                }
                ChangeRow::Remark(1) => GroupChange::Reported,
                ChangeRow::Remark(2) => GroupChange::AutoAddDisabled,
                ChangeRow::Remark(3) => GroupChange::BusinessHosted,
                ChangeRow::Remark(4) => GroupChange::SafetyCheck,
                ChangeRow::Remark(5) => GroupChange::ParticipantUnidentified,
                ChangeRow::Remark(_) => return Err(UnreadableRow),
            },
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::events::EventKind;

    /// One event of every kind and change.
    pub(in crate::journal) fn every_kind(person: &Identity) -> Vec<EventKind> {
        let chat = Identity { id: "1203@g.us".parse().unwrap(), phone: None, lid: None };
        let who = || vec![person.clone(), chat.clone()];
        let mut kinds = vec![
            EventKind::GroupJoined(GroupJoined {
                chat: chat.clone(),
                author: Some(person.clone()),
                subject: Some("Birds".into()),
                reason: Some("invite".into()),
                timestamp: 4,
            }),
            EventKind::GroupLeft(GroupLeft {
                chat: chat.clone(),
                author: None,
                reason: "removed".into(),
                timestamp: 4,
            }),
        ];
        let changes = [
            GroupChange::Added(who()),
            GroupChange::Removed(who()),
            GroupChange::Left(who()),
            GroupChange::Promoted(who()),
            GroupChange::Demoted(Vec::new()),
            GroupChange::NumberChanged(who()),
            GroupChange::Subject(String::new()),
            GroupChange::Description(None),
            GroupChange::Description(Some("about".into())),
            GroupChange::Announce(false),
            GroupChange::Locked(true),
            GroupChange::ApprovalRequired(true),
            GroupChange::MembersMayAdd(true),
            GroupChange::Ephemeral(86_400),
            GroupChange::Addressing(Addressing::PhoneNumber),
            GroupChange::Addressing(Addressing::Lid),
            GroupChange::Other("something_new".into()),
            GroupChange::InviteLink("CODE".into()),
            GroupChange::InvitationsRevoked(who()),
            GroupChange::MembersMayInvite(true),
            GroupChange::MembersMayShareHistory(true),
            GroupChange::SharingLimited(true),
            GroupChange::ForwardingLimited(true),
            GroupChange::HistoryShared(true),
            GroupChange::AdminReports(true),
            GroupChange::MembersMayCreateGroups(true),
            GroupChange::GrowthLock(None),
            GroupChange::GrowthLock(Some(GrowthLock { reason: Some("invite".into()), until: Some(7) })),
            GroupChange::Suspended(true),
            GroupChange::LinkedPromoted(Some("1204@g.us".parse().unwrap()), who()),
            GroupChange::LinkedDemoted(None, Vec::new()),
            GroupChange::Reported,
            GroupChange::AutoAddDisabled,
            GroupChange::BusinessHosted,
            GroupChange::SafetyCheck,
            GroupChange::ParticipantUnidentified,
        ];
        kinds.extend(changes.map(|change| {
            EventKind::GroupChanged(GroupChanged {
                chat: chat.clone(),
                author: Some(person.clone()),
                change,
                timestamp: 5,
            })
        }));
        kinds
    }
}
