//! Identities, prekeys and sender keys.

use whimbrel_signal::SenderKeyRecord;
use whimbrel_wire::Jid;

use super::Unit;
use crate::store::{PreKeyRow, SignedPreKeyRow, StoreError};

impl Unit<'_> {
    /// Identity key of a device.
    pub(crate) fn identity(&self, device: &Jid) -> Result<Option<[u8; 32]>, StoreError> {
        match self.changes.identities.get(device) {
            Some(changed) => Ok(*changed),
            None => self.store.identity(device),
        }
    }

    /// Stores the identity that a device proved. Returns whether it had another one before.
    pub(crate) fn trust(&mut self, device: &Jid, identity: &[u8; 32]) -> Result<bool, StoreError> {
        let known = self.identity(device)?;
        if known.as_ref() == Some(identity) {
            return Ok(false);
        }
        self.changes.identities.insert(device.clone(), Some(*identity));
        Ok(known.is_some())
    }

    /// A one-time prekey of ours.
    pub(crate) fn pre_key(&self, id: u32) -> Result<Option<PreKeyRow>, StoreError> {
        match self.changes.pre_keys.get(&id) {
            Some(changed) => Ok(changed.clone()),
            None => self.store.pre_key(id),
        }
    }

    /// A signed prekey of ours.
    pub(crate) fn signed_pre_key(&self, id: u32) -> Result<Option<SignedPreKeyRow>, StoreError> {
        match self.changes.signed_pre_keys.get(&id) {
            Some(changed) => Ok(changed.clone()),
            None => self.store.signed_pre_key(id),
        }
    }

    /// The sender keys that a device gave us for a chat, to change.
    pub(crate) fn sender_key_mut(
        &mut self,
        chat: &Jid,
        device: &Jid,
    ) -> Result<Option<&mut SenderKeyRecord>, StoreError> {
        let key = (chat.clone(), device.clone());
        if !self.state.sender_keys.contains(&key) {
            let stored = match self.changes.sender_keys.get(&key) {
                Some(changed) => changed.clone(),
                None => self.store.sender_key(chat, device)?,
            };
            let Some(bytes) = stored else { return Ok(None) };
            match SenderKeyRecord::deserialize(&bytes) {
                Ok(record) => self.state.sender_keys.fill(key.clone(), record),
                Err(error) => {
                    tracing::error!(%error, "A sender key record is unreadable; the key is asked for again.");
                    return Ok(None);
                }
            }
        }
        Ok(self.state.sender_keys.change(&key))
    }

    /// Puts sender keys of a device in place.
    pub(crate) fn put_sender_key(&mut self, chat: &Jid, device: &Jid, record: SenderKeyRecord) {
        let key = (chat.clone(), device.clone());
        self.changes.sender_keys.remove(&key);
        self.state.sender_keys.fill(key.clone(), record);
        self.state.sender_keys.change(&key);
    }

    /// Takes the sender keys of a device out, to be put elsewhere.
    pub(crate) fn take_sender_key_record(
        &mut self,
        chat: &Jid,
        device: &Jid,
    ) -> Result<Option<SenderKeyRecord>, StoreError> {
        if self.sender_key_mut(chat, device)?.is_none() {
            return Ok(None);
        }
        let key = (chat.clone(), device.clone());
        self.changes.sender_keys.insert(key.clone(), None);
        Ok(self.state.sender_keys.remove(&key))
    }

    /// The sender keys that devices of a user gave us, as (chat, device).
    pub(crate) fn sender_keys_of(&self, user: &Jid) -> Result<Vec<(Jid, Jid)>, StoreError> {
        let mut keys = self.store.sender_keys_of(user)?;
        keys.retain(|key| !matches!(self.changes.sender_keys.get(key), Some(None)));
        for key in self.state.sender_keys.changed() {
            if key.1.same_bare(user) && !keys.contains(key) {
                keys.push(key.clone());
            }
        }
        Ok(keys)
    }
}
