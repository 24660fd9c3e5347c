//! Moving what is kept under one address of a person to another, and how the account stands with
//! LIDs (delivery document §2.2, §2.4).

use whimbrel_proto::lid::LidMigrationMappingSyncPayload;
use whimbrel_signal::{SenderKeyRecord, SessionRecord};
use whimbrel_wire::Jid;

use super::identity::Source;
use crate::events::{ChatMoved, EventKind};
use crate::messages::Unit;
use crate::store::{LidMigration, StoreError};

/// How long people are addressed by phone number after the service refused a LID, in seconds.
const REFUSAL_LIFE: i64 = 24 * 60 * 60;

impl Unit<'_> {
    /// Moves everything that is kept about a person's devices from one bare address to another.
    /// The host is told if there was something: it may know the person by the old address.
    pub(super) fn move_person(&mut self, from: &Jid, to: &Jid) -> Result<(), StoreError> {
        let mut devices = self.session_devices(from)?;
        for device in self.identity_devices(from)? {
            if !devices.contains(&device) {
                devices.push(device);
            }
        }
        let mut moved = !devices.is_empty();
        for old in devices {
            self.move_device(&old, &to.with_device(old.device()))?;
        }
        for (chat, old) in self.sender_keys_of(from)? {
            moved = true;
            self.move_sender_key(&chat, &old, &to.with_device(old.device()))?;
        }
        if let Some(list) = self.device_list(from)? {
            moved = true;
            self.changes.device_lists.insert(from.clone(), None);
            if self.device_list(to)?.is_none() {
                self.changes.device_lists.insert(to.clone(), Some(list));
            }
        }
        if moved {
            let to = self.identity_of(to)?;
            self.event(EventKind::ChatMoved(ChatMoved { former: from.clone(), chat: to }));
        }
        Ok(())
    }

    /// Moves the sessions and the identity of one device.
    pub(crate) fn move_device(&mut self, old: &Jid, new: &Jid) -> Result<(), StoreError> {
        if let Some(record) = self.take_session(old)? {
            let record = match self.take_session(new)? {
                Some(present) => merge(record, &present),
                None => record,
            };
            self.put_session(new, record);
        }
        if let Some(identity) = self.identity(old)? {
            self.changes.identities.insert(old.clone(), None);
            // What was proved under the new address is newer.
            if self.identity(new)?.is_none() {
                self.changes.identities.insert(new.clone(), Some(identity));
            }
        }
        Ok(())
    }

    fn move_sender_key(&mut self, chat: &Jid, old: &Jid, new: &Jid) -> Result<(), StoreError> {
        let Some(record) = self.take_sender_key_record(chat, old)? else { return Ok(()) };
        let record = match self.sender_key_mut(chat, new)? {
            Some(present) => merge_sender_keys(present, &record),
            None => record,
        };
        self.put_sender_key(chat, new, record);
        Ok(())
    }

    // --- how the account stands with LIDs ---

    /// Whether people are to be addressed by phone number where both are known.
    pub(crate) fn prefers_phone(&self) -> Result<bool, StoreError> {
        let LidMigration { migrated, refused_at } = self.lid_migration()?;
        // A clock that went back must not keep the refusal alive for ever.
        let age = self.now().saturating_sub(refused_at);
        Ok(!migrated && refused_at != 0 && (0..REFUSAL_LIFE).contains(&age))
    }

    fn lid_migration(&self) -> Result<LidMigration, StoreError> {
        match self.changes.lid_migration {
            Some(changed) => Ok(changed),
            None => self.store.lid_migration(),
        }
    }

    /// The service took as a phone number what it had refused as a LID.
    pub(crate) fn lid_refused(&mut self) -> Result<(), StoreError> {
        let refused_at = self.now();
        // Whatever was said before, this account may not address people by LID.
        self.changes.lid_migration = Some(LidMigration { migrated: false, refused_at });
        tracing::info!("The account is not migrated; people are addressed by phone number.");
        Ok(())
    }

    /// The account has moved to LIDs.
    fn account_migrated(&mut self) -> Result<(), StoreError> {
        let migrated = LidMigration { migrated: true, refused_at: 0 };
        if self.lid_migration()? != migrated {
            self.changes.lid_migration = Some(migrated);
            tracing::info!("The account addresses people by LID from now on.");
        }
        Ok(())
    }

    /// Takes in the pairs that the own phone sends when the account moves to LIDs (media and
    /// history document §22).
    pub(crate) fn take_migration_payload(&mut self, payload: &[u8]) -> Result<(), StoreError> {
        let Ok(payload) = whimbrel_proto::decode::<LidMigrationMappingSyncPayload>(payload) else {
            tracing::warn!("The phone's list of addresses is unreadable.");
            return Ok(());
        };
        for mapping in &payload.pn_to_lid_mappings {
            let present = |number: Option<u64>| number.filter(|number| *number != 0);
            let lid = present(mapping.latest_lid).or_else(|| present(mapping.assigned_lid));
            if let (Some(phone), Some(lid)) = (present(mapping.pn), lid) {
                self.learn(&Jid::lid(&lid.to_string()), &Jid::pn(&phone.to_string()), Source::Current)?;
            }
        }
        if payload.chat_db_migration_timestamp.is_some_and(|time| time != 0) {
            self.account_migrated()?;
        }
        Ok(())
    }
}

/// All sessions of both records. Those of the address that is left come first: they are what both
/// sides have used so far.
pub(super) fn merge(left: SessionRecord, present: &SessionRecord) -> SessionRecord {
    let mut sessions = left
        .current_parts()
        .into_iter()
        .chain(present.current_parts())
        .chain(left.archived_parts())
        .chain(present.archived_parts());
    let current = sessions.next();
    SessionRecord::from_parts(current, sessions.collect())
}

/// All sender keys of both records, those of the present address first. One key may have gone on
/// under either address: the one that is further counts.
fn merge_sender_keys(present: &SenderKeyRecord, left: &SenderKeyRecord) -> SenderKeyRecord {
    let mut keys: Vec<_> = present.parts().collect();
    for other in left.parts() {
        let same = keys.iter_mut().find(|key| {
            key.key_id == other.key_id && key.signing_key.as_bytes() == other.signing_key.as_bytes()
        });
        match same {
            Some(key) if key.next < other.next => *key = other,
            Some(_) => {}
            None => keys.push(other),
        }
    }
    SenderKeyRecord::from_parts(keys)
}
