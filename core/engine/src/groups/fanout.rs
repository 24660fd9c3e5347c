//! Whom a message to a group goes to: every device of every member, in the group's way of
//! addressing (delivery document §2.9, §3.6).

use std::sync::Arc;

use whimbrel_crypto::phash;
use whimbrel_wire::Jid;

use super::holders::Holders;
use super::row::{Addressing, GroupRow, Member};
use crate::devices::lists;
use crate::devices::sessions::{self, Target};
use crate::error::{Code, Error};
use crate::messages::Unit;
use crate::store::{DeviceList, DeviceListEntry, StoreError};

/// How a message to a group is to be made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Manner {
    /// Something said that what is known of the group is out of date: ask before sending.
    pub(crate) refresh: bool,
    /// How the service wants the members to be addressed, if it said so.
    pub(crate) addressing: Option<Addressing>,
    /// The service has the message; it is for those who have not got the key.
    pub(crate) only_missing: bool,
}

/// Whom messages go to, remembered between them.
pub(crate) struct Fanout {
    pub(crate) addressing: Addressing,
    pub(crate) phash: String,
    key_id: u32,
    /// Everybody whose devices count, sorted.
    users: Vec<Jid>,
    /// Devices that the service has not yet been seen to have the key for, sorted.
    lacking: Vec<Jid>,
    /// Until when what it rests on is believed, seconds.
    good_until: i64,
}

impl Fanout {
    /// Whether it rests on what is known of this person.
    pub(crate) fn has(&self, user: &Jid) -> bool {
        self.users.binary_search(user).is_ok()
    }

    pub(crate) const fn key_id(&self) -> u32 {
        self.key_id
    }

    /// Whether everybody holds the key, and nothing has to be asked.
    pub(crate) const fn is_good_at(&self, now: i64) -> bool {
        self.lacking.is_empty() && now < self.good_until
    }

    /// The service has the message that handed the key to these devices, which are sorted.
    pub(crate) fn handed_out(&mut self, key_id: u32, devices: &[Jid]) {
        if self.key_id == key_id {
            self.lacking.retain(|device| devices.binary_search(device).is_err());
        }
    }
}

/// What a message to a group needs.
pub(crate) struct Plan {
    pub(crate) addressing: Addressing,
    pub(crate) phash: String,
    /// Devices that do not hold the key and can be given it.
    pub(crate) lacking: Vec<Target>,
    /// Devices that do not hold the key and with which there is no session.
    pub(crate) unmet: Vec<Target>,
    /// Whether there is nobody else in the group, or somebody else can read the message.
    pub(crate) reaches: bool,
    users: Vec<Jid>,
    good_until: i64,
}

impl Plan {
    /// What to remember after a message was made whose key went to these devices.
    pub(crate) fn remember(self, key_id: u32, mut handed: Vec<Jid>) -> Fanout {
        handed.sort_unstable();
        let Self { addressing, phash, mut users, good_until, .. } = self;
        users.sort_unstable();
        Fanout { addressing, phash, key_id, users, lacking: handed, good_until }
    }
}

/// What came of looking whom a message goes to.
pub(crate) enum Planned {
    Plan(Plan),
    /// The service has to be asked first.
    Prepare,
    Failed(Error),
}

/// Whether this account is in a group.
pub(crate) fn is_member(unit: &Unit<'_>, row: &GroupRow) -> bool {
    row.members
        .iter()
        .any(|member| unit.is_own(&member.id) || member.twin.as_ref().is_some_and(|twin| unit.is_own(twin)))
}

/// A member as everything is kept, and as stanzas of the group name it.
pub(crate) fn addresses(
    unit: &mut Unit<'_>,
    member: &Member,
    addressing: Addressing,
) -> Result<(Jid, Jid), StoreError> {
    let user = unit.canonical(&member.id)?;
    let by_lid = addressing == Addressing::Lid;
    if member.id.is_lid() == by_lid {
        return Ok((user, member.id.clone()));
    }
    let told = if by_lid { member.lid() } else { member.phone() };
    let wire = match told {
        Some(told) => Some(told.clone()),
        None if by_lid => Some(user.clone()).filter(Jid::is_lid),
        None => unit.phone_of(&user)?,
    };
    Ok((user, wire.unwrap_or_else(|| member.id.clone())))
}

/// The hash over the members themselves, without their devices, as the service names them.
pub(crate) fn members_hash(row: &GroupRow) -> String {
    let all = row.members.iter().map(|member| &member.id);
    phash::phash(all.map(|jid| (jid.user(), jid.device(), jid.server_name())))
}

/// Finds out whom a message goes to. `asked`: the service was asked, and what is missing now stays
/// missing.
pub(crate) fn plan(
    unit: &mut Unit<'_>,
    group: &Jid,
    manner: Manner,
    asked: bool,
) -> Result<Planned, StoreError> {
    let row = match unit.group(group)? {
        Some(row) if asked || !(row.stale || manner.refresh) => row,
        None if asked => return Ok(Planned::Failed(not_a_member())),
        _ => return Ok(Planned::Prepare),
    };
    if !is_member(unit, &row) {
        return Ok(if asked { Planned::Failed(not_a_member()) } else { Planned::Prepare });
    }
    plan_among(unit, group, &row, manner, asked)
}

/// The same among these members, whoever they are: a status has an audience instead.
pub(crate) fn plan_among(
    unit: &mut Unit<'_>,
    group: &Jid,
    row: &Arc<GroupRow>,
    manner: Manner,
    asked: bool,
) -> Result<Planned, StoreError> {
    let holders = holders(unit, group)?;
    let Some(mut devices) = Devices::of(unit, row, manner, asked, &holders)? else {
        return Ok(Planned::Prepare);
    };
    let all = devices.targets.iter().map(|target| &target.wire);
    let phash = phash::phash(all.map(|wire| (wire.user(), wire.device(), wire.server_name())));
    devices.targets.sort_unstable_by(|one, other| one.key.cmp(&other.key));
    devices.targets.dedup_by(|one, other| one.key == other.key);
    let holders = if !manner.only_missing && devices.somebody_left(&holders) {
        unit.rotate(group)?;
        Holders::default()
    } else {
        holders
    };
    let (mut lacking, mut unmet) = (Vec::new(), Vec::new());
    let (mut others, mut reaches) = (false, false);
    let mut good_until = devices.good_until;
    for target in devices.targets {
        if sessions::is_this_device(unit, &target.key) {
            continue;
        }
        let other = !unit.is_own(&target.key);
        others |= other;
        if holders.contains(&target.key) {
            reaches |= other;
        } else if unit.has_session(&target.key)? {
            reaches |= other;
            lacking.push(target);
        } else if let Some(until) = unit.keyless_until(&target.key) {
            good_until = good_until.min(until);
        } else {
            good_until = 0;
            unmet.push(target);
        }
    }
    let (addressing, users) = (devices.addressing, devices.users);
    let reaches = reaches || !others;
    Ok(Planned::Plan(Plan { addressing, phash, lacking, unmet, reaches, users, good_until }))
}

fn holders(unit: &mut Unit<'_>, group: &Jid) -> Result<Holders, StoreError> {
    let Some(key_id) = unit.own_key_id(group)? else { return Ok(Holders::default()) };
    match unit.key_holders(group, key_id) {
        // Not known who can read: as if somebody had left.
        Err(StoreError::Corrupt(what)) => {
            tracing::error!(what, "It is not known who holds the key for a group; a new one is made.");
            unit.rotate(group)?;
            Ok(Holders::default())
        }
        holders => holders,
    }
}

/// The devices of the members.
struct Devices {
    addressing: Addressing,
    users: Vec<Jid>,
    targets: Vec<Target>,
    good_until: i64,
}

impl Devices {
    /// `None` if a list has to be asked for.
    fn of(
        unit: &mut Unit<'_>,
        row: &Arc<GroupRow>,
        manner: Manner,
        asked: bool,
        holders: &Holders,
    ) -> Result<Option<Self>, StoreError> {
        let addressing = manner.addressing.unwrap_or(row.addressing);
        let members = row.members.len();
        let mut devices = Self {
            addressing,
            users: Vec::with_capacity(members),
            targets: Vec::with_capacity(members.saturating_mul(2)),
            good_until: i64::MAX,
        };
        for member in &row.members {
            let (user, wire) = addresses(unit, member, addressing)?;
            // Bots have no part in the keys of a group.
            if !wire.is_account() {
                continue;
            }
            let list = match lists::fresh(unit, &user)? {
                Some(list) => list,
                None if !asked => return Ok(None),
                None => match unit.device_list(&user)? {
                    Some(list) => list,
                    None => guess(&user, holders),
                },
            };
            devices.good_until = devices.good_until.min(lists::good_until(&list));
            // Hosted devices have no part in groups (delivery document §2.8).
            let own = list.devices.iter().filter(|entry| !entry.hosted);
            devices.targets.extend(own.map(|entry| sessions::target(&user, &wire, entry)));
            devices.users.push(user);
        }
        Ok(Some(devices))
    }

    /// Whether a device holds the key that is none of these, which are sorted by their keys.
    fn somebody_left(&self, holders: &Holders) -> bool {
        let is_here = |device: &Jid| self.targets.binary_search_by(|target| target.key.cmp(device)).is_ok();
        !holders.devices().iter().all(is_here)
    }
}

/// The devices of somebody of whom the service says nothing: the phone, which always exists, and
/// whatever holds the key.
fn guess(user: &Jid, holders: &Holders) -> DeviceList {
    let entry = |device| DeviceListEntry { device, key_index: 0, hosted: false };
    let held = holders.devices().iter().filter(|device| device.same_bare(user) && device.has_device());
    let devices = std::iter::once(entry(0)).chain(held.map(|device| entry(device.device()))).collect();
    DeviceList { devices, raw_id: 0, signed_at: 0, fetched_at: 0 }
}

/// The error of a message to a group that this account is not in.
pub(crate) fn not_a_member() -> Error {
    Error::new(Code::Forbidden, "this account is not a member of the group")
}
