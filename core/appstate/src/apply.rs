//! What a patch makes of a collection (app-state document §6.3–§6.5).

use std::collections::{BTreeMap, BTreeSet};

use crate::key::same;
use crate::{Collection, Entry, IndexMac, KeyId, Keys, LtHash, Operation, Patch, SyncError, ValueMac};

/// How far a collection is held: its version, and the hash of its entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct State {
    /// Patches so far; 0 for a collection that was never written.
    pub version: u64,
    /// The sum of the values.
    pub hash: LtHash,
}

/// An entry of a collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// What the service knows it by.
    pub index_mac: IndexMac,
    /// The code of its value, which went into the hash.
    pub value_mac: ValueMac,
    /// The key that it is written with.
    pub key_id: KeyId,
    /// What it says.
    pub entry: Entry,
}

/// One thing that a patch did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mutation {
    /// What was done.
    pub operation: Operation,
    /// With which entry. A removed one may have no value.
    pub entry: Entry,
}

/// What becomes of a collection. Write everything down in one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// How far the collection is held then.
    pub state: State,
    /// Entries that are gone. Delete them before the new ones are put in.
    pub removed: Vec<IndexMac>,
    /// Entries that are new or have a new value.
    pub put: Vec<Held>,
    /// What was done, as an account's user would see it: removals first, and none for an entry that
    /// only changed its key. Empty for a snapshot, where all of `put` may be new.
    pub mutations: Vec<Mutation>,
    /// Entries were to be removed that are not there; all clients let this pass.
    pub missing_removes: usize,
    /// The code of the whole does not match: this device and the author see different collections.
    /// Look at the whole collection once.
    pub diverged: bool,
}

impl Patch {
    /// Checks the patch against what is held and decrypts it. `held` tells the code of the value that
    /// is held under an index.
    ///
    /// # Errors
    /// The first check that fails. A wrong code of the whole is none: see [`Applied::diverged`].
    /// `Ok(None)` for a patch that is older than what is held.
    pub fn check<'k>(
        self,
        collection: Collection,
        state: &State,
        keys: impl Fn(KeyId) -> Option<&'k Keys>,
        held: impl Fn(&IndexMac) -> Option<ValueMac>,
    ) -> Result<Option<Applied>, SyncError> {
        if let Some(code) = self.exit_code {
            return Err(SyncError::GivenUp(code));
        }
        let next = state.version.saturating_add(1);
        let version = self.version.unwrap_or(next);
        if version < next {
            return Ok(None);
        }
        if version > next {
            return Err(SyncError::VersionGap { held: state.version, offered: version });
        }
        if self.external().is_some() {
            return Err(SyncError::Malformed("a patch without its file"));
        }
        let missing: BTreeSet<_> = self.key_ids().into_iter().filter(|id| keys(*id).is_none()).collect();
        let Some(own) = keys(self.key_id) else { return Err(SyncError::MissingKeys(missing)) };
        if !missing.is_empty() {
            return Err(SyncError::MissingKeys(missing));
        }
        let values = self.records.iter().map(|(_, record)| &record.value_mac);
        if !same(&own.patch_mac(&self.snapshot_mac, values, version, collection), &self.patch_mac) {
            return Err(SyncError::PatchMac);
        }
        let mut opened = Vec::with_capacity(self.records.len());
        for (operation, record) in self.records {
            let keys = keys(record.key_id).ok_or(SyncError::Malformed("a record without key"))?;
            let entry = record.open(operation, keys)?;
            let (index_mac, value_mac, key_id) = (record.index_mac, record.value_mac, record.key_id);
            opened.push((operation, Held { index_mac, value_mac, key_id, entry }));
        }
        let applied = apply(state, version, opened, held)?;
        let expected = own.snapshot_mac(&applied.state.hash, version, collection);
        Ok(Some(Applied { diverged: !same(&expected, &self.snapshot_mac), ..applied }))
    }
}

/// Works out what mutations make of a collection.
pub(crate) fn apply(
    state: &State,
    version: u64,
    opened: Vec<(Operation, Held)>,
    held: impl Fn(&IndexMac) -> Option<ValueMac>,
) -> Result<Applied, SyncError> {
    let mut removed = BTreeSet::new();
    let mut set = BTreeMap::new();
    for (operation, record) in &opened {
        let fresh = match operation {
            Operation::Remove => removed.insert(record.index_mac),
            Operation::Set => set.insert(record.index_mac, record.entry.index.clone()).is_none(),
        };
        if !fresh {
            return Err(SyncError::Duplicate);
        }
    }
    let written: BTreeSet<Vec<u8>> = set.into_values().collect();
    let mut hash = state.hash;
    let mut missing_removes = 0;
    let mut put = Vec::new();
    let mut mutations = Vec::with_capacity(opened.len());
    let mut settings = Vec::new();
    for (operation, record) in opened {
        match operation {
            Operation::Remove => {
                match held(&record.index_mac) {
                    Some(old) => hash.subtract(&old),
                    None => missing_removes += 1,
                }
                // The other half of a change of keys: the entry lives on under its new code.
                if !written.contains(&record.entry.index) {
                    mutations.push(Mutation { operation, entry: record.entry });
                }
            }
            Operation::Set => {
                hash.add(&record.value_mac);
                // What is removed here as well was taken out there already.
                if !removed.contains(&record.index_mac)
                    && let Some(old) = held(&record.index_mac)
                {
                    hash.subtract(&old);
                }
                settings.push(Mutation { operation, entry: record.entry.clone() });
                put.push(record);
            }
        }
    }
    mutations.append(&mut settings);
    let state = State { version, hash };
    let removed = removed.into_iter().collect();
    Ok(Applied { state, removed, put, mutations, missing_removes, diverged: false })
}
