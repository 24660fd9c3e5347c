//! What the service announces about groups, applied to what is kept and told to the host (features
//! document §2.11).
//!
//! A list of members that is wrong loses messages, so whatever cannot be applied for certain only marks
//! the group: the service is asked before the next use.

use sha2::{Digest as _, Sha256};
use whimbrel_wire::{Jid, NodeRef};

use super::events::{GroupChange, GroupChanged, GroupJoined, GroupLeft};
use super::notice::{self, Notice, Setting, Versions, What};
use super::row::{Addressing, GroupRow, Member, Role};
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
            Notice::Other(name) => self.changed(unit, GroupChange::Other(name)),
            Notice::Unknown(name) => {
                tracing::info!(name, "An announcement about a group is not understood.");
                self.distrust(unit)?;
                self.changed(unit, GroupChange::Other(name))
            }
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
        for member in &members {
            if let Some(twin) = &member.twin {
                unit.learn(&member.id, twin, Source::Seed)?;
            }
        }
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
        let mut people = Vec::with_capacity(members.len());
        for member in members {
            people.push(unit.identity_of(&member.id)?);
        }
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
            Setting::Announce(on) => GroupChange::Announce(*on),
            Setting::Locked(on) => GroupChange::Locked(*on),
            Setting::Approval(on) => GroupChange::ApprovalRequired(*on),
            Setting::MembersAdd(on) => GroupChange::MembersMayAdd(*on),
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
                Setting::Announce(on) => row.announce = on,
                Setting::Locked(on) => row.locked = on,
                Setting::Approval(on) => row.approval = on,
                Setting::MembersAdd(on) => row.members_add = on,
                Setting::Ephemeral(seconds) => row.ephemeral = seconds,
            }
        })?;
        self.changed(unit, change)
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

pub(super) fn is_own(unit: &Unit<'_>, member: &Member) -> bool {
    unit.is_own(&member.id) || member.twin.as_ref().is_some_and(|twin| unit.is_own(twin))
}

fn has_own(unit: &Unit<'_>, row: &GroupRow) -> bool {
    row.members.iter().any(|member| is_own(unit, member))
}

/// How a change fits the list of members that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fit {
    /// It comes next.
    Next,
    /// The list has it already.
    Included,
    /// Something is missing in between, or nobody can tell.
    Unclear,
}

fn fit(row: &GroupRow, versions: &Versions, time: i64) -> Fit {
    let (known, after, before) = (row.version.as_ref(), versions.after.as_ref(), versions.before.as_ref());
    if let (Some(known), Some(after)) = (known, after) {
        let number = |version: &String| version.parse::<u64>().ok();
        let later = number(known).zip(number(after)).is_some_and(|(known, after)| known > after);
        if known == after || later {
            return Fit::Included;
        }
    }
    match (known, before) {
        (Some(known), Some(before)) if known == before => Fit::Next,
        (Some(_), Some(_)) => Fit::Unclear,
        // Without versions, in the order of time: announcements come in order, and after the list.
        _ if time >= row.fetched_at => Fit::Next,
        _ => Fit::Unclear,
    }
}

fn apply(row: &mut GroupRow, what: What, members: &[Member], versions: &Versions, time: i64) {
    match fit(row, versions, time) {
        Fit::Included => return,
        Fit::Unclear => {
            row.stale = true;
            return;
        }
        Fit::Next => {}
    }
    if versions.after.is_some() {
        row.version.clone_from(&versions.after);
    }
    // An entry that was not readable is missing here.
    let mut agrees = !members.is_empty();
    for member in members {
        agrees &= change(row, what, member);
    }
    row.stale |= !agrees;
}

/// Changes one member. Returns whether what is known agrees with that there was such a change.
pub(super) fn change(row: &mut GroupRow, what: What, member: &Member) -> bool {
    let at = row.members.iter().position(|known| known.is_same(member));
    let known = at.and_then(|at| row.members.get_mut(at));
    match (what, known) {
        (What::Added, None) => {
            let member = addressed(member, row.addressing);
            let fits = member.id.is_lid() == (row.addressing == Addressing::Lid) || !member.id.is_account();
            row.members.push(member);
            fits
        }
        (What::Added, Some(known)) => {
            known.role = member.role;
            if known.twin.is_none() {
                known.twin =
                    if member.id == known.id { member.twin.clone() } else { Some(member.id.clone()) };
            }
            true
        }
        (What::Removed, Some(known)) => {
            // Another one takes the creator's place, and the service does not say who.
            row.stale |= known.role == Role::SuperAdmin;
            row.members.retain(|known| !known.is_same(member));
            true
        }
        (What::Promoted, Some(known)) => {
            known.role = if member.role == Role::SuperAdmin { Role::SuperAdmin } else { Role::Admin };
            true
        }
        (What::Demoted, Some(known)) => {
            known.role = Role::Member;
            true
        }
        // Whether the old or the new address is told is not known for certain.
        (What::NumberChanged, _) | (_, None) => false,
    }
}

/// A member under the kind of address that the group uses, if both are known.
fn addressed(member: &Member, addressing: Addressing) -> Member {
    match &member.twin {
        Some(twin) if twin.is_lid() == (addressing == Addressing::Lid) => {
            Member { id: twin.clone(), twin: Some(member.id.clone()), role: member.role }
        }
        _ => member.clone(),
    }
}
