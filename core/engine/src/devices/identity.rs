//! The two addresses of a person, and moving what is kept under the one to the other (delivery
//! document §2.2, §2.4).

use whimbrel_signal::SessionRecord;
use whimbrel_wire::Jid;

use crate::messages::Unit;
use crate::store::StoreError;

/// How far a source of address pairs is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// An answer of the service, or a live stanza: replaces what was known.
    Current,
    /// A stanza that waited for this client, and may be old: counts only where nothing is known.
    Replayed,
}

impl Unit<'_> {
    /// Learns that two addresses, one by LID and one by phone number, are the same person's.
    pub(crate) fn learn(&mut self, one: &Jid, other: &Jid, source: Source) -> Result<(), StoreError> {
        let (one, other) = (one.to_account(), other.to_account());
        let (lid, phone) = match (one.is_lid() && other.is_pn(), one.is_pn() && other.is_lid()) {
            (true, _) => (one, other),
            (_, true) => (other, one),
            _ => return Ok(()),
        };
        // Our own pair is what the service said at login.
        if self.is_own(&lid) || self.is_own(&phone) {
            return Ok(());
        }
        let known = self.lid_of(&phone)?;
        if known.as_ref() == Some(&lid) {
            return Ok(());
        }
        if source == Source::Replayed && (known.is_some() || self.phone_of(&lid)?.is_some()) {
            return Ok(());
        }
        self.set_pair(&lid, &phone)?;
        self.migrate(&phone, &lid)
    }

    /// Moves sessions, identities and the device list of a person to the LID.
    fn migrate(&mut self, phone: &Jid, lid: &Jid) -> Result<(), StoreError> {
        let mut devices = self.session_devices(phone)?;
        if !devices.contains(phone) {
            devices.push(phone.clone());
        }
        for old in devices {
            let new = lid.with_device(old.device());
            if let Some(record) = self.take_session(&old)? {
                let record = match self.take_session(&new)? {
                    Some(present) => merge(record, &present),
                    None => record,
                };
                self.put_session(&new, record);
            }
            if let Some(identity) = self.identity(&old)? {
                self.changes.identities.insert(old, None);
                if self.identity(&new)?.is_none() {
                    self.changes.identities.insert(new, Some(identity));
                }
            }
        }
        if let Some(list) = self.device_list(phone)? {
            self.changes.device_lists.insert(phone.clone(), None);
            if self.device_list(lid)?.is_none() {
                self.changes.device_lists.insert(lid.clone(), Some(list));
            }
        }
        Ok(())
    }
}

/// All sessions of both records. Those by phone number come first: they are what both sides
/// have used so far.
fn merge(by_phone: SessionRecord, by_lid: &SessionRecord) -> SessionRecord {
    let mut sessions = by_phone
        .current_parts()
        .into_iter()
        .chain(by_lid.current_parts())
        .chain(by_phone.archived_parts())
        .chain(by_lid.archived_parts());
    let current = sessions.next();
    SessionRecord::from_parts(current, sessions.collect())
}
