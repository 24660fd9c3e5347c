//! Sessions with devices.

use rand_chacha::ChaCha20Rng;
use whimbrel_signal::SessionRecord;
use whimbrel_wire::Jid;

use super::Unit;
use crate::store::StoreError;

impl Unit<'_> {
    fn load_session(&mut self, device: &Jid) -> Result<bool, StoreError> {
        if self.state.sessions.contains(device) {
            return Ok(true);
        }
        if matches!(self.changes.sessions.get(device), Some(None)) {
            return Ok(false);
        }
        let Some(bytes) = self.store.session(device)? else { return Ok(false) };
        match SessionRecord::deserialize(&bytes) {
            Ok(record) => {
                self.state.sessions.fill(device.clone(), record);
                Ok(true)
            }
            Err(error) => {
                // The other side finds out by our retry receipt, and a new session is made.
                tracing::error!(%error, "A session record is unreadable; the session is begun anew.");
                Ok(false)
            }
        }
    }

    /// Whether there is a session to encrypt in.
    pub(crate) fn has_session(&mut self, device: &Jid) -> Result<bool, StoreError> {
        Ok(self.session(device)?.is_some_and(SessionRecord::has_session))
    }

    /// The sessions with a device, to look at.
    pub(crate) fn session(&mut self, device: &Jid) -> Result<Option<&SessionRecord>, StoreError> {
        Ok(if self.load_session(device)? { self.state.sessions.get(device) } else { None })
    }

    /// The sessions with a device, to change; an empty record if there are none. The generator
    /// comes with it because ratchets draw from it.
    pub(crate) fn session_mut(
        &mut self,
        device: &Jid,
    ) -> Result<Option<(&mut SessionRecord, &mut ChaCha20Rng)>, StoreError> {
        if !self.load_session(device)? {
            return Ok(None);
        }
        Ok(self.state.sessions.change(device).map(|record| (record, &mut self.rng)))
    }

    /// Puts a record in the place of whatever there was.
    pub(crate) fn put_session(&mut self, device: &Jid, record: SessionRecord) {
        self.changes.sessions.remove(device);
        self.state.sessions.fill(device.clone(), record);
        self.state.sessions.change(device);
    }

    /// Takes the record of a device out, to be deleted or put elsewhere.
    pub(crate) fn take_session(&mut self, device: &Jid) -> Result<Option<SessionRecord>, StoreError> {
        if !self.load_session(device)? {
            return Ok(None);
        }
        self.changes.sessions.insert(device.clone(), None);
        Ok(self.state.sessions.remove(device))
    }

    /// Forgets what there is about a device: its sessions and its identity.
    pub(crate) fn forget_device(&mut self, device: &Jid) -> Result<(), StoreError> {
        self.take_session(device)?;
        self.key_holder_began_anew(device)?;
        if self.identity(device)?.is_some() {
            self.changes.identities.insert(device.clone(), None);
        }
        Ok(())
    }

    /// Devices of a user with which there are sessions.
    pub(crate) fn session_devices(&mut self, user: &Jid) -> Result<Vec<Jid>, StoreError> {
        let mut devices = self.store.session_devices(user)?;
        devices.retain(|device| !matches!(self.changes.sessions.get(device), Some(None)));
        for device in self.state.sessions.changed() {
            if device.same_bare(user) && !devices.contains(device) {
                devices.push(device.clone());
            }
        }
        Ok(devices)
    }

    /// Devices of a user whose identity is known.
    pub(crate) fn identity_devices(&self, user: &Jid) -> Result<Vec<Jid>, StoreError> {
        let mut devices = self.store.identity_devices(user)?;
        devices.retain(|device| !matches!(self.changes.identities.get(device), Some(None)));
        for (device, identity) in &self.changes.identities {
            if identity.is_some() && device.same_bare(user) && !devices.contains(device) {
                devices.push(device.clone());
            }
        }
        Ok(devices)
    }
}
