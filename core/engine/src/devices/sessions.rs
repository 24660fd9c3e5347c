//! Beginning sessions with devices whose keys the service hands out (pairing document §8.6).

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt as _, stream};
use whimbrel_crypto::curve::KeyPair;
use whimbrel_signal::SessionRecord;
use whimbrel_wire::{Jid, Server};

use super::bundles::{self, DeviceBundle, ProofInvalid, Reason};
use super::{filter, lists, many, usync};
use crate::client::Inner;
use crate::connection::Connection;
use crate::error::{Code, Error};
use crate::messages::Unit;
use crate::repair::Repair;
use crate::store::{DeviceListEntry, StoreError};

/// A device as keys are kept for it, and as stanzas address it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) key: Jid,
    pub(crate) wire: Jid,
}

/// A listed device of a user. `wire` is the user in the namespace of the stanza.
pub(crate) fn target(user: &Jid, wire: &Jid, entry: &DeviceListEntry) -> Target {
    let wire = match (entry.hosted, wire.server()) {
        (true, Server::Lid) => Jid::new(wire.user(), Server::HostedLid),
        (true, Server::Pn) => Jid::new(wire.user(), Server::Hosted),
        _ => wire.clone(),
    };
    Target { key: user.with_device(entry.device), wire: wire.with_device(entry.device) }
}

/// Whether the keys of a companion are vouched for by another key than the known one of its account.
pub(crate) fn is_of_other_account(
    unit: &Unit<'_>,
    device: &Jid,
    keys: &DeviceBundle,
) -> Result<bool, StoreError> {
    let Some(proof) = keys.proof.as_deref().filter(|_| device.has_device()) else { return Ok(false) };
    let account = unit.identity(&device.to_bare())?;
    let checked = bundles::check_proof(proof, &keys.bundle.identity, account.as_ref());
    Ok(checked == Err(ProofInvalid::OtherAccount))
}

/// Whether a companion's proof names a key index that counts by what is known of its account's devices.
/// If not, the list is asked for: what is known may be out of date.
pub(crate) fn is_listed(unit: &mut Unit<'_>, device: &Jid, proof: &[u8]) -> Result<bool, StoreError> {
    let user = device.to_bare();
    let Some(key_index) = bundles::key_index(proof) else { return Ok(true) };
    let Some(list) = lists::fresh(unit, &user)? else { return Ok(true) };
    let listed = filter::admits(&list, device.device(), key_index);
    if !listed {
        tracing::warn!("A companion's proof is not that of a device which its account lists.");
        unit.wish(Repair::Devices(user));
    }
    Ok(listed)
}

/// Begins a session with a device from its keys. Returns whether they are usable.
pub(crate) fn begin(unit: &mut Unit<'_>, device: &Jid, keys: &DeviceBundle) -> Result<bool, StoreError> {
    let identity = &keys.bundle.identity;
    if let Some(proof) = keys.proof.as_deref().filter(|_| device.has_device()) {
        let account = unit.identity(&device.to_bare())?;
        if let Err(error) = bundles::check_proof(proof, identity, account.as_ref()) {
            tracing::warn!(%error, "The keys of a device are not used.");
            return Ok(false);
        }
        if !is_listed(unit, device, proof)? {
            return Ok(false);
        }
    }
    let own: KeyPair = unit.account.keys.identity.clone();
    let registration_id = unit.account.keys.registration_id;
    let begun = match unit.session_mut(device)? {
        Some((record, rng)) => record.process_bundle(&own, registration_id, &keys.bundle, rng),
        None => {
            let mut record = SessionRecord::new();
            let begun = record.process_bundle(&own, registration_id, &keys.bundle, unit.rng());
            if begun.is_ok() {
                unit.put_session(device, record);
            }
            begun
        }
    };
    if let Err(error) = begun {
        tracing::warn!(%error, "The keys of a device are not used.");
        return Ok(false);
    }
    unit.identity_proved(device, identity.as_bytes())?;
    Ok(true)
}

/// Fetches the keys of devices and begins sessions with those that have usable ones. Devices
/// that the service does not know any more make their lists void. Where companions are vouched for by
/// another key than the known one of their account, the account's phone is asked first, and they are
/// tried once more (delivery document §1.11).
pub(crate) async fn fetch(
    client: &Inner,
    connection: &Connection,
    targets: Vec<Target>,
    reason: Reason,
) -> Result<(), Error> {
    let doubtful = fetch_once(client, connection, targets, reason).await?;
    if doubtful.is_empty() {
        return Ok(());
    }
    let users: BTreeSet<Jid> = doubtful.iter().map(|target| target.key.to_bare()).collect();
    for user in &users {
        refresh_phone(client, connection, user).await?;
    }
    fetch_once(client, connection, doubtful, Reason::Identity).await.map(drop)
}

/// Fetches the keys of devices with which there is no session. Who does so for another chat, perhaps by another
/// address of the same person, is waited for.
pub(crate) async fn fetch_missing(
    client: &Inner,
    connection: &Connection,
    targets: Vec<Target>,
) -> Result<(), Error> {
    let devices: BTreeSet<Jid> = client
        .unit(|unit| targets.iter().map(|target| unit.canonical(&target.key)).collect::<Result<_, _>>())
        .await?;
    let _claim = client.fetching.claim(devices).await;
    let missing = client.unit(|unit| {
        let mut missing = Vec::with_capacity(targets.len());
        for target in targets {
            let key = unit.canonical(&target.key)?;
            if !unit.has_session(&key)? {
                missing.push(Target { key, ..target });
            }
        }
        Ok(missing)
    });
    let missing = missing.await?;
    if missing.is_empty() { Ok(()) } else { fetch(client, connection, missing, Reason::NoSession).await }
}

/// Asks for the identity of somebody's phone. If it has another one than is known, a session is begun with
/// it.
pub(crate) async fn refresh_phone(client: &Inner, connection: &Connection, user: &Jid) -> Result<(), Error> {
    tracing::info!("A companion's account may have been set up anew; its phone is asked.");
    let by_phone = client.unit(|unit| unit.prefers_phone()).await?;
    let (key, wire) = client
        .unit(|unit| Ok((unit.canonical(&user.to_bare())?, wire_user(unit, &user.to_bare(), by_phone)?)))
        .await?;
    let query = bundles::query(std::slice::from_ref(&wire), Reason::Identity);
    let answer = connection.request(client.request_ids.next(), query, lists::TIMEOUT).await?;
    let told = bundles::parse(&answer).into_iter().find(|(device, _)| *device == wire);
    let Some((_, Ok(keys))) = told else { return Ok(()) };
    client
        .unit(|unit| {
            if unit.identity(&key)?.as_ref() != Some(keys.bundle.identity.as_bytes()) {
                begin(unit, &key, &keys)?;
            }
            Ok(())
        })
        .await
}

/// Returns the devices whose keys are vouched for by another key than the known one of their account.
async fn fetch_once(
    client: &Inner,
    connection: &Connection,
    mut targets: Vec<Target>,
    reason: Reason,
) -> Result<Vec<Target>, Error> {
    // A phone's identity comes first: the proofs of its companions are checked against it.
    targets.sort_by(|one, other| {
        one.key.has_device().cmp(&other.key.has_device()).then_with(|| one.key.cmp(&other.key))
    });
    let mut requests = Vec::new();
    for targets in targets.chunks(bundles::DEVICES) {
        let wire: Vec<Jid> = targets.iter().map(|target| target.wire.clone()).collect();
        let query = bundles::query(&wire, reason);
        requests.push(connection.request(client.request_ids.next(), query, lists::TIMEOUT));
    }
    let mut doubtful = Vec::new();
    let mut answers = stream::iter(requests).buffered(lists::AT_ONCE);
    for targets in targets.chunks(bundles::DEVICES) {
        let answer = match answers.next().await {
            Some(Ok(answer)) => answer,
            Some(Err(error)) if error.service_status() == 406 => {
                client.unit(|unit| forget_lists(unit, targets)).await?;
                return Err(error);
            }
            Some(Err(error)) => return Err(error),
            None => break,
        };
        doubtful.extend(take(client, targets, bundles::parse(&answer)).await?);
    }
    Ok(doubtful)
}

/// Begins sessions with the devices that an answer has usable keys of. Returns those whose keys are vouched
/// for by another key than the known one of their account.
async fn take(
    client: &Inner,
    targets: &[Target],
    mut answers: Vec<(Jid, Result<DeviceBundle, bundles::NoBundle>)>,
) -> Result<Vec<Target>, Error> {
    answers.sort_by_key(|(device, _)| device.has_device());
    let by_wire: BTreeMap<&Jid, &Target> = targets.iter().map(|target| (&target.wire, target)).collect();
    let (mut usable, mut gone) = (Vec::with_capacity(answers.len()), Vec::new());
    for (device, keys) in answers {
        let Some(target) = by_wire.get(&device) else { continue };
        match keys {
            Ok(keys) => usable.push((target.key.clone(), keys)),
            Err(error) => {
                tracing::info!(%error, "There are no keys of a device.");
                if error.is_unregistered() {
                    gone.push((*target).clone());
                }
            }
        }
    }
    let mut begun = Vec::new();
    if usable.len() >= many::MANY {
        let account = client.linked_account()?;
        let tasks = client.unit(|unit| many::tasks(unit, std::mem::take(&mut usable))).await?;
        let (own, registration_id) = (account.keys.identity.clone(), account.keys.registration_id);
        begun = many::run(&client.engine.handle, own, registration_id, tasks).await;
    }
    client
        .unit(|unit| {
            let (mut met, mut doubtful) = (BTreeSet::new(), BTreeSet::new());
            for (device, keys) in &usable {
                if begin(unit, device, keys)? {
                    met.insert(device.clone());
                } else if is_of_other_account(unit, device, keys)? {
                    doubtful.insert(device.clone());
                }
            }
            for begun in begun {
                let device = begun.device.clone();
                let is_doubtful = begun.is_of_other_account(unit)?;
                if begun.put(unit)? {
                    met.insert(device);
                } else if is_doubtful {
                    doubtful.insert(device);
                }
            }
            leave_out(unit, &gone)?;
            for target in targets.iter().filter(|target| !met.contains(&target.key)) {
                unit.has_no_keys(&target.key);
            }
            Ok(targets.iter().filter(|target| doubtful.contains(&target.key)).cloned().collect())
        })
        .await
}

/// Devices that the service does not know any more are left out until the lists are asked for again. The
/// others of their accounts are reached meanwhile.
fn leave_out(unit: &mut Unit<'_>, gone: &[Target]) -> Result<(), StoreError> {
    for target in gone {
        let (user, number) = (target.key.to_bare(), target.key.device());
        let Some(mut list) = unit.device_list(&user)? else { continue };
        list.devices.retain(|entry| entry.device != number);
        list.fetched_at = 0;
        if list.devices.is_empty() {
            unit.give_up_list(&user)?;
        } else {
            unit.changes.device_lists.insert(user, Some(list));
        }
    }
    Ok(())
}

fn forget_lists(unit: &mut Unit<'_>, targets: &[Target]) -> Result<(), StoreError> {
    for target in targets {
        unit.give_up_list(&target.key.to_bare())?;
    }
    Ok(())
}

/// Makes sure that the lists of users are known and that there are sessions with their devices,
/// this one left out. `by_phone`: address them by phone number.
pub(crate) async fn prepare(
    client: &Inner,
    connection: &Connection,
    users: &[Jid],
    by_phone: bool,
) -> Result<(), Error> {
    let stale = client
        .unit(|unit| {
            let mut stale = Vec::new();
            for user in users {
                let user = unit.canonical(user)?;
                if lists::fresh(unit, &user)?.is_none() && !stale.contains(&user) {
                    stale.push(user);
                }
            }
            Ok(stale)
        })
        .await?;
    if !stale.is_empty() {
        lists::query(client, connection, &stale, usync::Context::Message).await?;
    }
    let mut found = client.unit(|unit| missing(unit, users, by_phone)).await?;
    if found.is_none() && look_up_anew(client, connection, users).await? {
        found = client.unit(|unit| missing(unit, users, by_phone)).await?;
    }
    let missing =
        found.ok_or_else(|| Error::new(Code::NoDevice, "the service lists no device of the recipient"))?;
    if missing.is_empty() { Ok(()) } else { fetch_missing(client, connection, missing).await }
}

/// Begins the sessions with a user anew whose phone has another identity: its list is asked for, and the keys
/// of its devices.
pub(crate) async fn renew(client: &Inner, connection: &Connection, user: &Jid) -> Result<(), Error> {
    lists::query(client, connection, std::slice::from_ref(user), usync::Context::Notification).await?;
    let missing = client.unit(|unit| missing(unit, std::slice::from_ref(user), false)).await?;
    match missing.filter(|missing| !missing.is_empty()) {
        Some(missing) => fetch(client, connection, missing, Reason::Identity).await,
        None => Ok(()),
    }
}

/// Users of whom the service knows nothing under their LID may have got another one: they are asked
/// for by phone number. Returns whether there was somebody to ask for.
async fn look_up_anew(client: &Inner, connection: &Connection, users: &[Jid]) -> Result<bool, Error> {
    let numbers = client
        .unit(|unit| {
            let mut numbers = Vec::new();
            for user in users {
                let user = unit.canonical(user)?;
                if user.is_lid() && unit.device_list(&user)?.is_none() {
                    numbers.extend(unit.phone_of(&user)?);
                }
            }
            Ok(numbers)
        })
        .await?;
    if numbers.is_empty() {
        return Ok(false);
    }
    lists::query(client, connection, &numbers, usync::Context::Message).await?;
    Ok(true)
}

/// Devices without a session; `None` if a list is missing.
fn missing(unit: &mut Unit<'_>, users: &[Jid], by_phone: bool) -> Result<Option<Vec<Target>>, StoreError> {
    let by_phone = by_phone || unit.prefers_phone()?;
    let mut missing = Vec::new();
    for user in users {
        let user = unit.canonical(user)?;
        let Some(list) = unit.device_list(&user)? else { return Ok(None) };
        let wire = wire_user(unit, &user, by_phone)?;
        for entry in &list.devices {
            let target = target(&user, &wire, entry);
            if !is_this_device(unit, &target.key)
                && !unit.has_session(&target.key)?
                && !missing.contains(&target)
            {
                missing.push(target);
            }
        }
    }
    Ok(Some(missing))
}

/// A user as a stanza of a namespace addresses it.
pub(crate) fn wire_user(unit: &mut Unit<'_>, user: &Jid, by_phone: bool) -> Result<Jid, StoreError> {
    let user = unit.canonical(user)?;
    let phone = if by_phone && user.is_lid() { unit.phone_of(&user)? } else { None };
    Ok(phone.unwrap_or(user))
}

/// Whether a device is the one that this client is.
pub(crate) fn is_this_device(unit: &Unit<'_>, device: &Jid) -> bool {
    let number = unit.account.phone.as_ref().map(Jid::device);
    unit.is_own(device) && number == Some(device.device())
}
