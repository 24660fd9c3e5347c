//! What the service announces about groups, applied to what is kept and told to the host (features
//! document §2.11).
//!
//! A list of members that is wrong loses messages, so whatever cannot be applied for certain only marks
//! the group: the service is asked before the next use.

use sha2::{Digest as _, Sha256};
use whimbrel_wire::{Jid, NodeRef};

use super::communities;
use super::communities::notice::Suggested;
use super::events::{
    GroupChange, GroupChanged, GroupJoined, GroupLeft, GroupLinked, GroupRelation, GroupSuggested,
    JoinRequest, JoinRequestState, LinkedGroup,
};
use super::members::apply;
use super::notice::{self, Notice, Remark, Requests, Setting, Versions, What};
use super::row::{Addressing, GroupRow, Member};
use super::switch::GroupSetting;
use super::{query, stanza};
use crate::devices::identity::Source;
use crate::events::{EventKind, Identity};
use crate::messages::Unit;
use crate::store::{InboxEntry, InboxState, StoreError};

/// One announcement: where, by whom, when.
struct Announcement<'a> {
    group: &'a Jid,
    author: Option<Jid>,
    time: i64,
}

/// Deals with a `w:gp2` notification of a group.
pub(crate) fn notification(unit: &mut Unit<'_>, node: &NodeRef<'_>, group: &Jid) -> Result<(), StoreError> {
    let announcement =
        Announcement { group, author: stanza::account(node, "participant"), time: stanza::time(node, "t") };
    if came_before(unit, node, group)? {
        return Ok(());
    }
    unit.group_announced(group);
    let twin = ["participant_pn", "participant_lid"].into_iter().find_map(|key| stanza::account(node, key));
    if let (Some(author), Some(twin)) = (&announcement.author, twin) {
        unit.learn(author, &twin, Source::Seed)?;
    }
    let mode = node.attr_text("addressing_mode");
    if let Some(mode) = mode.as_deref().and_then(Addressing::from_name) {
        announcement.addressed(unit, mode)?;
    }
    for child in node.child_nodes() {
        let said = notice::notice(child, announcement.author.as_ref(), announcement.time);
        announcement.take(unit, said)?;
    }
    Ok(())
}

/// Whether the same announcement was dealt with already and only its ack was lost. If not, remembers it.
fn came_before(unit: &mut Unit<'_>, node: &NodeRef<'_>, group: &Jid) -> Result<bool, StoreError> {
    let Some(id) = node.attr_text("id") else { return Ok(false) };
    let mut hash = Sha256::new();
    for child in node.child_nodes() {
        hash.update(child.to_string());
    }
    let hash: [u8; 32] = hash.finalize().into();
    let hash: [u8; 16] = hash.first_chunk().copied().unwrap_or_default();
    // Beside received messages, under an author that no message has.
    let known = unit.inbox(group, &Jid::SERVER, &id)?;
    if known.is_some_and(|known| known.ciphertext_hash == hash) {
        tracing::debug!("An announcement about a group came again.");
        return Ok(true);
    }
    let entry = InboxEntry {
        chat: group.clone(),
        author: Jid::SERVER,
        message_id: id.into_owned(),
        ciphertext_hash: hash,
        state: InboxState::Done,
        seen_at: unit.now(),
    };
    unit.changes.inbox.push(entry);
    Ok(false)
}

impl Announcement<'_> {
    fn take(&self, unit: &mut Unit<'_>, said: Notice) -> Result<(), StoreError> {
        match said {
            Notice::Created { group, row, reason } if group == *self.group => {
                self.created(unit, *row, reason)
            }
            Notice::Created { .. } => self.distrust(unit),
            Notice::Members { what, members, reason, versions } => {
                self.members(unit, what, members, reason, &versions)
            }
            Notice::Setting(setting) => self.setting(unit, setting),
            Notice::Deleted => self.left(unit, "deleted"),
            Notice::Unknown(name) => {
                tracing::info!(name, "An announcement about a group is not understood.");
                self.distrust(unit)?;
                self.changed(unit, GroupChange::Other(name))
            }
            Notice::Requests { what, people, method, community } => {
                self.requests(unit, what, &people, method, community)
            }
            Notice::Links { linked, relation, groups, reason } => {
                self.links(unit, linked, relation, groups, reason)
            }
            Notice::Suggestions { open, suggestions, reason } => {
                self.suggested(unit, open, suggestions, reason)
            }
            Notice::InviteLink(code) => self.changed(unit, GroupChange::InviteLink(code)),
            Notice::InvitationsRevoked(members) => {
                let people = self.people(unit, &members)?;
                self.changed(unit, GroupChange::InvitationsRevoked(people))
            }
            Notice::LinkedRoles { promoted, group, members } => {
                let people = self.people(unit, &members)?;
                let change = if promoted { GroupChange::LinkedPromoted } else { GroupChange::LinkedDemoted };
                self.changed(unit, change(group, people))
            }
            Notice::Growth(lock) => {
                self.edit(unit, |row| row.growth_lock.clone_from(&lock))?;
                self.changed(unit, GroupChange::GrowthLock(lock))
            }
            Notice::Suspended(on) => {
                self.edit(unit, |row| row.suspended = on)?;
                self.changed(unit, GroupChange::Suspended(on))
            }
            Notice::Remark(remark) => self.changed(unit, remark_change(remark)),
        }
    }

    /// The group has to be asked for before it is used.
    fn distrust(&self, unit: &mut Unit<'_>) -> Result<(), StoreError> {
        self.edit(unit, |row| row.stale = true)
    }

    /// Changes what is known of the group, if anything is.
    fn edit(&self, unit: &mut Unit<'_>, edit: impl FnOnce(&mut GroupRow)) -> Result<(), StoreError> {
        if let Some(known) = unit.group(self.group)? {
            let mut row = (*known).clone();
            edit(&mut row);
            if row != *known {
                unit.put_group(self.group, Some(row));
            }
        }
        Ok(())
    }

    fn addressed(&self, unit: &mut Unit<'_>, mode: Addressing) -> Result<(), StoreError> {
        let known = unit.group(self.group)?;
        if known.is_none_or(|row| row.addressing == mode) {
            return Ok(());
        }
        self.edit(unit, |row| {
            row.addressing = mode;
            row.stale = true;
        })?;
        self.changed(unit, GroupChange::Addressing(mode))
    }

    fn created(&self, unit: &mut Unit<'_>, row: GroupRow, reason: Option<String>) -> Result<(), StoreError> {
        let subject = Some(row.subject.clone()).filter(|subject| !subject.is_empty());
        // What is known already was told after the group was made, and is newer than this.
        if unit.group(self.group)?.is_none() {
            query::store(unit, self.group, row)?;
        }
        self.joined(unit, subject, reason)
    }

    fn members(
        &self,
        unit: &mut Unit<'_>,
        what: What,
        members: Vec<Member>,
        reason: Option<String>,
        versions: &Versions,
    ) -> Result<(), StoreError> {
        learn(unit, &members)?;
        let own = members.iter().any(|member| is_own(unit, member));
        if what == What::Removed && own {
            let left = self.author.as_ref().is_some_and(|author| unit.is_own(author));
            return self.left(unit, if left { "left" } else { "removed" });
        }
        if matches!(what, What::Removed | What::NumberChanged) {
            unit.rotate(self.group)?;
        }
        let known = unit.group(self.group)?;
        let joins = what == What::Added && own && known.as_ref().is_none_or(|row| !has_own(unit, row));
        if joins {
            // The others are not listed.
            self.distrust(unit)?;
            let subject = known.map(|row| row.subject.clone()).filter(|subject| !subject.is_empty());
            return self.joined(unit, subject, reason);
        }
        self.edit(unit, |row| apply(row, what, &members, versions, self.time))?;
        self.tell(unit, what, &members)
    }

    fn tell(&self, unit: &mut Unit<'_>, what: What, members: &[Member]) -> Result<(), StoreError> {
        if members.is_empty() {
            return Ok(());
        }
        let people = self.people(unit, members)?;
        match what {
            What::Added => self.changed(unit, GroupChange::Added(people)),
            What::Promoted => self.changed(unit, GroupChange::Promoted(people)),
            What::Demoted => self.changed(unit, GroupChange::Demoted(people)),
            What::NumberChanged => self.changed(unit, GroupChange::NumberChanged(people)),
            What::Removed => {
                let author = self.author(unit)?;
                let (left, removed): (Vec<Identity>, Vec<Identity>) =
                    people.into_iter().partition(|person| author.as_ref() == Some(person));
                if !left.is_empty() {
                    self.changed(unit, GroupChange::Left(left))?;
                }
                if !removed.is_empty() {
                    self.changed(unit, GroupChange::Removed(removed))?;
                }
                Ok(())
            }
        }
    }

    fn setting(&self, unit: &mut Unit<'_>, setting: Setting) -> Result<(), StoreError> {
        let change = match &setting {
            Setting::Subject { subject, .. } => GroupChange::Subject(subject.clone()),
            Setting::Description(description) => {
                GroupChange::Description(description.as_ref().map(|description| description.text.clone()))
            }
            Setting::Switch(setting, on) => switch_change(*setting, *on),
            Setting::Ephemeral(seconds) => GroupChange::Ephemeral(*seconds),
        };
        self.edit(unit, |row| {
            // Settings have no versions: what was told later than this counts.
            if self.time < row.fetched_at {
                row.stale = true;
                return;
            }
            match setting {
                Setting::Subject { subject, author, changed_at } => {
                    if changed_at >= row.subject_changed_at {
                        (row.subject, row.subject_author, row.subject_changed_at) =
                            (subject, author, changed_at);
                    }
                }
                Setting::Description(description) => row.description = description,
                Setting::Switch(setting, on) => row.switches.set(setting, on),
                Setting::Ephemeral(seconds) => row.ephemeral = seconds,
            }
        })?;
        self.changed(unit, change)
    }

    /// The people in an announcement, whose addresses are learned.
    fn people(&self, unit: &mut Unit<'_>, members: &[Member]) -> Result<Vec<Identity>, StoreError> {
        learn(unit, members)?;
        members.iter().map(|member| unit.identity_of(&member.id)).collect()
    }

    fn requests(
        &self,
        unit: &mut Unit<'_>,
        what: Requests,
        people: &[Member],
        method: Option<String>,
        community: Option<Jid>,
    ) -> Result<(), StoreError> {
        let (people, author) = (self.people(unit, people)?, self.author(unit)?);
        let state = match what {
            Requests::Created => JoinRequestState::Created,
            Requests::Own => JoinRequestState::Own,
            // Who takes back the own one is the author and the only one named.
            Requests::Revoked if people.iter().all(|person| author.as_ref() == Some(person)) => {
                JoinRequestState::Withdrawn
            }
            Requests::Revoked => JoinRequestState::Rejected,
        };
        let chat = unit.identity_of(self.group)?;
        let timestamp = self.time;
        let request = JoinRequest { chat, author, state, people, method, community, timestamp };
        unit.event(EventKind::JoinRequest(request));
        Ok(())
    }

    fn links(
        &self,
        unit: &mut Unit<'_>,
        linked: bool,
        relation: GroupRelation,
        groups: Vec<LinkedGroup>,
        reason: Option<String>,
    ) -> Result<(), StoreError> {
        match (relation, groups.first()) {
            (GroupRelation::Community, Some(community)) => {
                let community = linked.then(|| community.id.clone());
                self.edit(unit, |row| {
                    row.community = community;
                    row.is_hidden &= linked;
                })?;
            }
            (GroupRelation::Group | GroupRelation::Sibling, _) => {}
            // Which group it is in now cannot be told.
            _ => self.distrust(unit)?,
        }
        let linked = GroupLinked {
            chat: unit.identity_of(self.group)?,
            author: self.author(unit)?,
            linked,
            relation,
            groups,
            reason,
            timestamp: self.time,
        };
        unit.event(EventKind::GroupLinked(linked));
        Ok(())
    }

    fn suggested(
        &self,
        unit: &mut Unit<'_>,
        open: bool,
        suggestions: Vec<Suggested>,
        reason: Option<String>,
    ) -> Result<(), StoreError> {
        let suggested = GroupSuggested {
            chat: unit.identity_of(self.group)?,
            author: self.author(unit)?,
            open,
            suggestions: communities::told(unit, suggestions)?,
            reason,
            timestamp: self.time,
        };
        unit.event(EventKind::GroupSuggested(suggested));
        Ok(())
    }

    fn joined(
        &self,
        unit: &mut Unit<'_>,
        subject: Option<String>,
        reason: Option<String>,
    ) -> Result<(), StoreError> {
        let joined = GroupJoined {
            chat: unit.identity_of(self.group)?,
            author: self.author(unit)?,
            subject,
            reason,
            timestamp: self.time,
        };
        unit.event(EventKind::GroupJoined(joined));
        Ok(())
    }

    fn left(&self, unit: &mut Unit<'_>, reason: &'static str) -> Result<(), StoreError> {
        super::forget(unit, self.group)?;
        let left = GroupLeft {
            chat: unit.identity_of(self.group)?,
            author: self.author(unit)?,
            reason: reason.into(),
            timestamp: self.time,
        };
        unit.event(EventKind::GroupLeft(left));
        Ok(())
    }

    fn changed(&self, unit: &mut Unit<'_>, change: GroupChange) -> Result<(), StoreError> {
        let changed = GroupChanged {
            chat: unit.identity_of(self.group)?,
            author: self.author(unit)?,
            change,
            timestamp: self.time,
        };
        unit.event(EventKind::GroupChanged(changed));
        Ok(())
    }

    fn author(&self, unit: &mut Unit<'_>) -> Result<Option<Identity>, StoreError> {
        self.author.as_ref().map(|author| unit.identity_of(author)).transpose()
    }
}

fn learn(unit: &mut Unit<'_>, members: &[Member]) -> Result<(), StoreError> {
    for member in members {
        if let Some(twin) = &member.twin {
            unit.learn(&member.id, twin, Source::Seed)?;
        }
    }
    Ok(())
}

const fn switch_change(setting: GroupSetting, on: bool) -> GroupChange {
    match setting {
        GroupSetting::Announce => GroupChange::Announce(on),
        GroupSetting::Locked => GroupChange::Locked(on),
        GroupSetting::ApprovalRequired => GroupChange::ApprovalRequired(on),
        GroupSetting::MembersMayAdd => GroupChange::MembersMayAdd(on),
        GroupSetting::MembersMayInvite => GroupChange::MembersMayInvite(on),
        GroupSetting::MembersMayShareHistory => GroupChange::MembersMayShareHistory(on),
        GroupSetting::SharingLimited => GroupChange::SharingLimited(on),
        GroupSetting::ForwardingLimited => GroupChange::ForwardingLimited(on),
        GroupSetting::HistoryShared => GroupChange::HistoryShared(on),
        GroupSetting::AdminReports => GroupChange::AdminReports(on),
        GroupSetting::MembersMayCreateGroups => GroupChange::MembersMayCreateGroups(on),
    }
}

const fn remark_change(remark: Remark) -> GroupChange {
    match remark {
        Remark::Reported => GroupChange::Reported,
        Remark::AutoAddDisabled => GroupChange::AutoAddDisabled,
        Remark::BusinessHosted => GroupChange::BusinessHosted,
        Remark::SafetyCheck => GroupChange::SafetyCheck,
        Remark::ParticipantUnidentified => GroupChange::ParticipantUnidentified,
    }
}

pub(super) fn is_own(unit: &Unit<'_>, member: &Member) -> bool {
    unit.is_own(&member.id) || member.twin.as_ref().is_some_and(|twin| unit.is_own(twin))
}

fn has_own(unit: &Unit<'_>, row: &GroupRow) -> bool {
    row.members.iter().any(|member| is_own(unit, member))
}
