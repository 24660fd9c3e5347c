//! The list of members of a group, and how changes fit it.

use super::notice::{Versions, What};
use super::row::{Addressing, GroupRow, Member, Role};

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

pub(super) fn apply(row: &mut GroupRow, what: What, members: &[Member], versions: &Versions, time: i64) {
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
