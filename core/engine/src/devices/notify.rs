//! Notifications about devices and identities (delivery document §1.9, §2.7; pairing document §9.2).

use std::collections::BTreeMap;

use whimbrel_crypto::{digest, phash};
use whimbrel_wire::{Jid, NodeRef};

use super::filter;
use super::identity::Source;
use super::lists;
use super::usync::{Devices, Listed};
use crate::messages::{Replies, Unit};
use crate::mex;
use crate::repair::Repair;
use crate::store::{DeviceList, StoreError};

/// Somebody has another phone number. Told without the LIDs, it is looked up at the next send.
pub(crate) fn number_changed(
    unit: &mut Unit<'_>,
    node: &NodeRef<'_>,
    change: &NodeRef<'_>,
) -> Result<(), StoreError> {
    let (Some(old), Some(new)) = (change.attr_jid("old"), change.attr_jid("new")) else { return Ok(()) };
    let (old, new) = (old.to_account(), new.to_account());
    let source = if node.attr_value("offline").is_some() { Source::Seed } else { Source::Current };
    let former = match change.attr_jid("old_lid") {
        Some(lid) => Some(lid.to_account()),
        None => unit.lid_of(&old)?,
    };
    let Some(lid) = change.attr_jid("new_lid").map(|lid| lid.to_account()).or_else(|| former.clone()) else {
        return Ok(());
    };
    unit.learn(&lid, &new, source)?;
    // The person may have a new LID as well, under which the chat goes on.
    if let Some(former) = former.filter(|former| *former != lid && former.is_lid() && lid.is_lid()) {
        unit.succeed(&former, &lid)?;
    }
    Ok(())
}

/// A person has another LID, told in the GraphQL interface: the chat goes on under it.
pub(crate) fn lid_changed(unit: &mut Unit<'_>, node: &NodeRef<'_>) -> Result<(), StoreError> {
    let body = node.child_bytes("update").and_then(mex::body);
    let change = body.as_ref().and_then(|body| body.pointer("/data/xwa2_notify_lid_change"));
    let lid = |name: &str| {
        let text = change?.get(name)?.as_str()?;
        Jid::parse(text).ok().map(|lid| lid.to_account()).filter(Jid::is_lid)
    };
    match (lid("old"), lid("new")) {
        (Some(old), Some(new)) if old != new => {
            if let Some(phone) = unit.identity_of(&old)?.phone {
                unit.learn(&new, &phone, Source::Current)?;
            }
            unit.succeed(&old, &new)
        }
        _ => Ok(()),
    }
}

/// One device came or went.
pub(crate) fn devices(unit: &mut Unit<'_>, node: &NodeRef<'_>, from: &Jid) -> Result<(), StoreError> {
    if let Some(lid) = node.attr_jid("lid") {
        unit.learn(from, &lid, Source::Seed)?;
    }
    let user = unit.canonical(&from.to_bare())?;
    if let Some(removed) = node.child_named("remove") {
        remove(unit, &user, removed)
    } else if let Some(added) = node.child_named("add") {
        add(unit, &user, added)
    } else if let Some(update) = node.child_named("update") {
        updated(unit, &user, update)
    } else {
        Ok(())
    }
}

/// The device that an operation is about, its key index, and whether it is hosted; its two addresses agree on
/// its number.
fn device(operation: &NodeRef<'_>) -> Option<(u16, Option<u32>, bool)> {
    let device = operation.child_named("device")?;
    let jid = device.attr_jid("jid")?;
    let agrees = device.attr_jid("lid").is_none_or(|lid| lid.device() == jid.device());
    let hosted = jid.is_hosted() || device.attr_true("is_hosted");
    (agrees && jid.has_device()).then(|| (jid.device(), device.attr_u32("key-index"), hosted))
}

fn remove(unit: &mut Unit<'_>, user: &Jid, operation: &NodeRef<'_>) -> Result<(), StoreError> {
    let timed = operation.child_named("key-index-list").and_then(|list| list.attr_u64("ts"));
    let Some((number, ..)) = device(operation).filter(|_| timed.is_some_and(|time| time > 0)) else {
        return Ok(());
    };
    unit.device_gone(&user.with_device(number))?;
    let Some(mut list) = unit.device_list(user)? else { return Ok(()) };
    list.devices.retain(|entry| entry.device != number);
    keep_if_hash_fits(unit, user, list, operation)
}

fn add(unit: &mut Unit<'_>, user: &Jid, operation: &NodeRef<'_>) -> Result<(), StoreError> {
    let Some(known) = unit.device_list(user)? else { return Ok(()) };
    let signed = operation.child_bytes("key-index-list").map(<[u8]>::to_vec);
    let (Some((number, key_index, hosted)), Some(signed)) = (device(operation), signed) else {
        return unit.give_up_list(user);
    };
    let mut listed: Vec<Listed> = known
        .devices
        .iter()
        .map(|entry| Listed { device: entry.device, key_index: Some(entry.key_index), hosted: entry.hosted })
        .filter(|entry| entry.device != number)
        .collect();
    listed.push(Listed { device: number, key_index, hosted });
    let account = unit.identity(user)?;
    let devices = Devices { listed, signed: Some(signed) };
    match filter::check(&devices, account.as_ref(), Some(&known), unit.now()) {
        Ok(checked) if !checked.registered_anew && has(&checked.list, number) => {
            let list = DeviceList { fetched_at: known.fetched_at, ..checked.list };
            keep_if_hash_fits(unit, user, list, operation)
        }
        // What was said does not hold together: ask at the next send.
        _ => unit.give_up_list(user),
    }
}

fn has(list: &DeviceList, number: u16) -> bool {
    list.devices.iter().any(|entry| entry.device == number)
}

/// A contact's list changed; which contact's is said by a hash of its address.
fn updated(unit: &mut Unit<'_>, user: &Jid, operation: &NodeRef<'_>) -> Result<(), StoreError> {
    let Some(hash) = operation.attr_text("hash") else { return Ok(()) };
    let phone = unit.phone_of(user)?;
    let names = [Some(user), phone.as_ref()];
    if names.into_iter().flatten().any(|name| digest::contact_hash(name.user()) == hash) {
        unit.give_up_list(user)?;
    }
    Ok(())
}

/// Keeps a changed list if the service means the same one.
fn keep_if_hash_fits(
    unit: &mut Unit<'_>,
    user: &Jid,
    list: DeviceList,
    operation: &NodeRef<'_>,
) -> Result<(), StoreError> {
    let said = operation.attr_text(if user.is_lid() { "device_lid_hash" } else { "device_hash" });
    if said.is_some_and(|said| said != hash_of(user, &list)) {
        return unit.give_up_list(user);
    }
    unit.changes.device_lists.insert(user.clone(), Some(list));
    Ok(())
}

fn hash_of(user: &Jid, list: &DeviceList) -> String {
    let devices = list.devices.iter().filter(|entry| !entry.hosted);
    phash::phash(devices.map(|entry| (user.user(), entry.device, user.server_name())))
}

/// The whole list of this account.
pub(crate) fn own_devices(
    unit: &mut Unit<'_>,
    list: &NodeRef<'_>,
    replies: &mut Replies,
) -> Result<(), StoreError> {
    let Some(own) = unit.account.phone.clone() else { return Ok(()) };
    let own = unit.canonical(&own.to_bare())?;
    let mut listed: BTreeMap<u16, Listed> = BTreeMap::new();
    for device in list.children_named("device") {
        if let Some(jid) = device.attr_jid("jid").filter(|jid| unit.is_own(jid)) {
            let key_index = device.attr_u32("key-index");
            listed.insert(jid.device(), Listed { device: jid.device(), key_index, hosted: jid.is_hosted() });
        }
    }
    let signed = list.child_bytes("key-index-list").map(<[u8]>::to_vec);
    let devices = Devices { listed: listed.into_values().collect(), signed };
    let (account, stored) = (unit.identity(&own)?, unit.last_device_list(&own)?);
    match filter::check(&devices, account.as_ref(), stored.as_ref(), unit.now()) {
        Ok(checked) if devices.signed.is_some() && own_hash_fits(unit, list, &checked.list) => {
            lists::apply(unit, &own, checked)?;
        }
        _ => {
            unit.give_up_list(&own)?;
            replies.repairs.push(Repair::Devices(own));
        }
    }
    Ok(())
}

/// Whether the service means the same list of this account's devices, by its phone number or its LID.
fn own_hash_fits(unit: &Unit<'_>, told: &NodeRef<'_>, list: &DeviceList) -> bool {
    let Some(said) = told.attr_text("dhash") else { return true };
    let own = [&unit.account.phone, &unit.account.lid];
    own.into_iter().flatten().any(|own| said == hash_of(&own.to_bare(), list))
}

/// Somebody's phone has new keys: what was made with the old ones is void.
pub(crate) fn identity(
    unit: &mut Unit<'_>,
    node: &NodeRef<'_>,
    from: &Jid,
    replies: &mut Replies,
) -> Result<(), StoreError> {
    if from.has_device() || unit.is_own(from) {
        return Ok(());
    }
    if let Some(lid) = node.attr_jid("lid") {
        unit.learn(from, &lid, Source::Seed)?;
    }
    let user = unit.canonical(from)?;
    // Lists that the former keys signed are void by themselves.
    if unit.last_device_list(&user)?.is_some() {
        unit.changes.device_lists.insert(user.clone(), None);
    }
    for device in unit.session_devices(&user)? {
        if device.has_device() {
            unit.forget_device(&device)?;
        }
    }
    unit.wish_token_again(&user)?;
    if unit.identity(&user)?.is_none() {
        return Ok(());
    }
    unit.forget_device(&user)?;
    let who = unit.identity_of(&user)?;
    unit.event(crate::events::EventKind::IdentityChanged(crate::events::IdentityChanged { who, device: 0 }));
    if node.attr_value("offline").is_none() {
        replies.repairs.push(Repair::Sessions(user));
    }
    Ok(())
}
