//! The key that this device encrypts to a group with: made when it is needed, made anew when
//! somebody may no longer read (delivery document §1.6, §3.6).
//!
//! To rotate is to delete: the next message finds no key and makes one. Which devices hold a key
//! is kept apart from it, because the key changes with every message and its holders hardly ever.

use std::collections::BTreeMap;

use whimbrel_signal::OwnSenderKey;
use whimbrel_wire::Jid;

use super::fanout::Fanout;
use super::holders::Holders;
use crate::messages::{Cache, Unit};
use crate::store::{Changes, StoreError};

/// Keys kept in memory, about two hundred bytes each.
const KEYS: usize = 16;

/// Groups of which it is remembered whom a message goes to, up to 32 KiB each.
const FANOUTS: usize = 8;

/// How long a device without usable keys is not asked for them again, seconds. Dead devices stay
/// in lists for months; each would cost a request with every message.
const KEYLESS: i64 = 600;

/// Devices without keys that are remembered.
const KEYLESS_DEVICES: usize = 2048;

/// What is kept in memory about sending to groups.
pub(crate) struct SendingState {
    keys: Cache<Jid, OwnSenderKey>,
    /// The group that was used last is last.
    fanouts: Vec<(Jid, Fanout)>,
    /// Devices that have no usable keys, and until when that is believed.
    keyless: BTreeMap<Jid, i64>,
    /// The participant hash by which a group was last looked up anew.
    chased: BTreeMap<Jid, String>,
}

impl Default for SendingState {
    fn default() -> Self {
        Self {
            keys: Cache::new(KEYS),
            fanouts: Vec::new(),
            keyless: BTreeMap::new(),
            chased: BTreeMap::new(),
        }
    }
}

impl SendingState {
    /// Hands what changed to the unit's changes, and forgets what the changes made wrong.
    pub(crate) fn finish(&mut self, changes: &mut Changes) {
        self.keys.flush(|group, key| {
            changes.own_sender_keys.insert(group, Some(key.serialize()));
        });
        let (lists, pairs) = (&changes.device_lists, &changes.lid_pairs);
        let same = changes.groups.is_empty() && lists.is_empty() && pairs.is_empty();
        if !same {
            self.fanouts.retain(|(group, fanout)| {
                !changes.groups.contains_key(group)
                    && !lists.keys().any(|user| fanout.has(user))
                    && !pairs.iter().any(|(lid, phone)| fanout.has(lid) || fanout.has(phone))
            });
        }
        let beyond = self.fanouts.len().saturating_sub(FANOUTS);
        self.fanouts.drain(..beyond);
        if !self.keyless.is_empty() {
            self.keyless.retain(|device, _| !lists.contains_key(&device.to_bare()));
        }
        if self.keyless.len() > KEYLESS_DEVICES {
            self.keyless.clear();
        }
        if self.chased.len() > KEYLESS_DEVICES {
            self.chased.clear();
        }
    }
}

impl Unit<'_> {
    fn load_own_key(&mut self, group: &Jid) -> Result<bool, StoreError> {
        if self.sending().keys.contains(group) {
            return Ok(true);
        }
        if matches!(self.changes.own_sender_keys.get(group), Some(None)) {
            return Ok(false);
        }
        let Some(bytes) = self.store.own_sender_key(group)? else { return Ok(false) };
        match OwnSenderKey::deserialize(&bytes) {
            Ok(key) => {
                self.sending().keys.fill(group.clone(), key);
                Ok(true)
            }
            Err(error) => {
                tracing::error!(%error, "The key for a group is unreadable; a new one is made.");
                Ok(false)
            }
        }
    }

    /// Id of the key for a group, if there is one.
    pub(crate) fn own_key_id(&mut self, group: &Jid) -> Result<Option<u32>, StoreError> {
        let loaded = self.load_own_key(group)?;
        Ok(if loaded { self.sending().keys.get(group).map(OwnSenderKey::key_id) } else { None })
    }

    /// The key for a group, to encrypt with; a new one if there is none.
    pub(crate) fn own_sender_key(&mut self, group: &Jid) -> Result<&mut OwnSenderKey, StoreError> {
        if !self.load_own_key(group)? {
            let key = OwnSenderKey::generate(self.rng());
            self.changes.own_sender_keys.remove(group);
            self.sending().keys.fill(group.clone(), key);
        }
        let key = self.sending().keys.change(group);
        key.ok_or_else(|| StoreError::Failed("the key for a group was lost".to_owned()))
    }

    /// Makes the key for a group void: the next message makes a new one, which nobody holds.
    pub(crate) fn rotate(&mut self, group: &Jid) -> Result<(), StoreError> {
        if self.load_own_key(group)? || self.store.own_sender_key(group)?.is_some() {
            tracing::debug!("The key for a group is made anew with the next message.");
            self.sending().keys.remove(group);
            self.changes.own_sender_keys.insert(group.clone(), None);
        }
        if self.packed_holders(group)?.is_some() {
            self.changes.key_holders.insert(group.clone(), None);
        }
        self.forget_fanout(group);
        Ok(())
    }

    fn packed_holders(&self, group: &Jid) -> Result<Option<Vec<u8>>, StoreError> {
        match self.changes.key_holders.get(group) {
            Some(changed) => Ok(changed.clone()),
            None => self.store.key_holders(group),
        }
    }

    /// Who holds the key of this id; nobody, if what is written down is about another one.
    pub(crate) fn key_holders(&mut self, group: &Jid, key_id: u32) -> Result<Holders, StoreError> {
        let Some(packed) = self.packed_holders(group)? else { return Ok(Holders::of(key_id)) };
        let mut holders = match Holders::unpack(&packed) {
            Ok(holders) if holders.key_id == key_id => holders,
            Ok(_) => return Ok(Holders::of(key_id)),
            Err(error) => return Err(StoreError::Corrupt(error.to_string())),
        };
        // The LID of a member may have been learned since.
        if holders.devices().iter().any(Jid::is_pn) {
            holders.map(|device| self.canonical(device))?;
        }
        Ok(holders)
    }

    /// The service has a message that handed the key of this id to these devices.
    pub(crate) fn key_handed_out(
        &mut self,
        group: &Jid,
        key_id: u32,
        devices: &[Jid],
    ) -> Result<(), StoreError> {
        if devices.is_empty() || self.own_key_id(group)? != Some(key_id) {
            return Ok(());
        }
        let mut holders = self.key_holders(group, key_id)?;
        let mut added = Vec::with_capacity(devices.len());
        for device in devices {
            added.push(self.canonical(device)?);
        }
        if let Some(fanout) = self.fanout_mut(group) {
            added.sort_unstable();
            fanout.handed_out(key_id, &added);
        }
        if holders.add(added) {
            self.changes.key_holders.insert(group.clone(), Some(holders.pack()));
        }
        Ok(())
    }

    /// A device turned out not to hold the key for a group: it gets it with the next message.
    pub(crate) fn key_missing(&mut self, group: &Jid, device: &Jid) -> Result<(), StoreError> {
        let Some(key_id) = self.own_key_id(group)? else { return Ok(()) };
        let mut holders = self.key_holders(group, key_id)?;
        if holders.remove(device) {
            self.changes.key_holders.insert(group.clone(), Some(holders.pack()));
            self.forget_fanout(group);
        }
        Ok(())
    }

    /// Groups whose key a device holds.
    fn held_by(&mut self, device: &Jid) -> Result<Vec<Jid>, StoreError> {
        let mut groups = self.store.held_groups()?;
        let changed = self.changes.key_holders.keys();
        groups.extend(changed.filter(|group| !groups.contains(*group)).cloned().collect::<Vec<_>>());
        let mut held = Vec::new();
        for group in groups {
            if let Some(key_id) = self.own_key_id(&group)?
                && self.key_holders(&group, key_id)?.contains(device)
            {
                held.push(group);
            }
        }
        Ok(held)
    }

    /// A device has lost its keys but is still its account's: it gets every group's key anew.
    pub(crate) fn key_holder_began_anew(&mut self, device: &Jid) -> Result<(), StoreError> {
        for group in self.held_by(device)? {
            self.key_missing(&group, device)?;
        }
        Ok(())
    }

    /// A device does not belong to its account any more: what it held is made anew, and what else
    /// there is about it is forgotten.
    pub(crate) fn device_gone(&mut self, device: &Jid) -> Result<(), StoreError> {
        for group in self.held_by(device)? {
            self.rotate(&group)?;
        }
        self.forget_device(device)
    }

    // --- whom messages go to ---

    /// Whom messages to a group go to, if that was found out and nothing has changed since.
    pub(crate) fn known_fanout(&mut self, group: &Jid) -> Option<&Fanout> {
        let Changes { groups, device_lists, lid_pairs, .. } = &self.changes;
        if !(groups.is_empty() && device_lists.is_empty() && lid_pairs.is_empty()) {
            return None;
        }
        let now = self.now();
        let fanouts = &mut self.sending().fanouts;
        let at = fanouts.iter().position(|(id, _)| id == group)?;
        let found = fanouts.remove(at);
        fanouts.push(found);
        fanouts.last().map(|(_, fanout)| fanout).filter(|fanout| fanout.is_good_at(now))
    }

    fn fanout_mut(&mut self, group: &Jid) -> Option<&mut Fanout> {
        self.sending().fanouts.iter_mut().find(|(id, _)| id == group).map(|(_, fanout)| fanout)
    }

    pub(crate) fn remember_fanout(&mut self, group: &Jid, fanout: Fanout) {
        self.forget_fanout(group);
        self.sending().fanouts.push((group.clone(), fanout));
    }

    fn forget_fanout(&mut self, group: &Jid) {
        self.sending().fanouts.retain(|(id, _)| id != group);
    }

    // --- what failed ---

    /// The service has no usable keys of a device.
    pub(crate) fn has_no_keys(&mut self, device: &Jid) {
        let until = self.now().saturating_add(KEYLESS);
        self.sending().keyless.insert(device.clone(), until);
    }

    /// Until when it is believed that a device has no usable keys.
    pub(crate) fn keyless_until(&mut self, device: &Jid) -> Option<i64> {
        let now = self.now();
        self.sending().keyless.get(device).copied().filter(|until| now < *until)
    }

    /// Whether a group is to be looked up because the service reckons with this participant hash.
    /// Once for each: what a look does not settle, another one does not either.
    pub(crate) fn chase(&mut self, group: &Jid, phash: &str) -> bool {
        let former = self.sending().chased.insert(group.clone(), phash.to_owned());
        former.as_deref() != Some(phash)
    }
}
