//! Beginning sessions with many devices at once: key agreements and proofs cost a quarter of a
//! millisecond each and do not depend on each other, so they are spread over the processor's cores,
//! off the lanes and without holding anybody up.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use rand_chacha::ChaCha20Rng;
use tokio::runtime::Handle;
use whimbrel_crypto::curve::KeyPair;
use whimbrel_signal::SessionRecord;
use whimbrel_wire::Jid;

use super::bundles::{self, DeviceBundle};
use super::sessions;
use crate::messages::Unit;
use crate::store::StoreError;

/// Fewer sessions than this are not worth the threads.
pub(super) const MANY: usize = 8;

/// A session to be begun.
pub(super) struct Task {
    device: Jid,
    keys: DeviceBundle,
    /// The account's key that the device's proof is checked against.
    account: Option<[u8; 32]>,
    rng: ChaCha20Rng,
}

/// What came of it.
pub(super) struct Begun {
    pub(super) device: Jid,
    keys: DeviceBundle,
    account: Option<[u8; 32]>,
    /// `None` if the keys are not usable.
    record: Option<SessionRecord>,
}

/// Draws what the tasks need from the unit, in order. Phones come first in `all`: the proofs of
/// their companions are checked against the identities that they bring.
pub(super) fn tasks(unit: &mut Unit<'_>, all: Vec<(Jid, DeviceBundle)>) -> Result<Vec<Task>, StoreError> {
    let mut phones: BTreeMap<Jid, [u8; 32]> = BTreeMap::new();
    let mut tasks = Vec::with_capacity(all.len());
    for (device, keys) in all {
        let account = if device.has_device() {
            let bare = device.to_bare();
            match phones.get(&bare) {
                Some(brought) => Some(*brought),
                None => unit.identity(&bare)?,
            }
        } else {
            phones.insert(device.clone(), *keys.bundle.identity.as_bytes());
            None
        };
        tasks.push(Task { device, keys, account, rng: unit.fork_rng() });
    }
    Ok(tasks)
}

/// Does the work on blocking threads; the order stays.
pub(super) async fn run(
    runtime: &Handle,
    own: KeyPair,
    registration_id: u32,
    mut tasks: Vec<Task>,
) -> Vec<Begun> {
    let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let share = tasks.len().div_ceil(threads.max(1)).max(1);
    let mut working = Vec::new();
    while !tasks.is_empty() {
        let rest = tasks.split_off(share.min(tasks.len()));
        let share = std::mem::replace(&mut tasks, rest);
        let own = own.clone();
        working.push(runtime.spawn_blocking(move || {
            share.into_iter().map(|task| task.run(&own, registration_id)).collect::<Vec<_>>()
        }));
    }
    let mut begun = Vec::new();
    for work in working {
        // A thread that panicked, or a runtime that ends: these devices are left out.
        begun.extend(work.await.unwrap_or_default());
    }
    begun
}

impl Task {
    fn run(mut self, own: &KeyPair, registration_id: u32) -> Begun {
        let identity = &self.keys.bundle.identity;
        let proof = self.keys.proof.as_deref().filter(|_| self.device.has_device());
        let proved = proof.is_none_or(|proof| {
            let checked = bundles::check_proof(proof, identity, self.account.as_ref());
            checked.inspect_err(|error| tracing::warn!(%error, "The keys of a device are not used.")).is_ok()
        });
        let mut record = SessionRecord::new();
        let begun = proved && {
            let begun = record.process_bundle(own, registration_id, &self.keys.bundle, &mut self.rng);
            begun.inspect_err(|error| tracing::warn!(%error, "The keys of a device are not used.")).is_ok()
        };
        Begun { device: self.device, keys: self.keys, account: self.account, record: begun.then_some(record) }
    }
}

impl Begun {
    /// Whether it did not work because the keys are vouched for by another key than the known one of
    /// the account.
    pub(super) fn is_of_other_account(&self, unit: &Unit<'_>) -> Result<bool, StoreError> {
        Ok(self.record.is_none() && sessions::is_of_other_account(unit, &self.device, &self.keys)?)
    }

    /// Puts the session in place. Returns whether there is one now.
    pub(super) fn put(self, unit: &mut Unit<'_>) -> Result<bool, StoreError> {
        let Self { device, keys, account, record } = self;
        let moved = device.has_device() && unit.identity(&device.to_bare())? != account;
        if moved || unit.session(&device)?.is_some() {
            // Something has changed meanwhile.
            return sessions::begin(unit, &device, &keys);
        }
        let Some(record) = record else { return Ok(false) };
        let proof = keys.proof.as_deref().filter(|_| device.has_device());
        if let Some(proof) = proof
            && !sessions::is_listed(unit, &device, proof)?
        {
            return Ok(false);
        }
        unit.put_session(&device, record);
        unit.identity_proved(&device, keys.bundle.identity.as_bytes())?;
        Ok(true)
    }
}
