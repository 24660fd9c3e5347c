//! Snapshots: a whole collection at one version (app-state document §6.2).

use std::collections::BTreeSet;

use whimbrel_proto::syncd;

use crate::key::same;
use crate::patch::mac;
use crate::record::{self, Operation, Record};
use crate::{Applied, Collection, Held, KeyId, Keys, LtHash, MAC, State, SyncError};

/// A snapshot of the right shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    version: u64,
    records: Vec<Record>,
    mac: [u8; MAC],
    key_id: KeyId,
}

impl Snapshot {
    /// Reads a snapshot.
    ///
    /// # Errors
    /// [`SyncError::Malformed`].
    pub fn decode(bytes: &[u8]) -> Result<Self, SyncError> {
        let snapshot: syncd::SyncdSnapshot =
            whimbrel_proto::decode(bytes).map_err(|_| SyncError::Malformed("not a snapshot"))?;
        let version = snapshot.version.and_then(|version| version.version);
        Ok(Self {
            version: version.ok_or(SyncError::Malformed("a snapshot without version"))?,
            records: snapshot.records.into_iter().map(Record::read).collect::<Result<_, _>>()?,
            mac: mac(snapshot.mac)?,
            key_id: record::key_id(snapshot.key_id.as_ref())?,
        })
    }

    /// The version of the collection.
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// The keys that are needed to read the snapshot.
    pub fn key_ids(&self) -> BTreeSet<KeyId> {
        self.records.iter().map(|record| record.key_id).chain([self.key_id]).collect()
    }

    /// Checks and decrypts everything: the result replaces what is held of the collection.
    ///
    /// # Errors
    /// The first check that fails. A wrong code of the whole is none: see [`Applied::diverged`].
    pub fn check<'k>(
        self,
        collection: Collection,
        keys: impl Fn(KeyId) -> Option<&'k Keys>,
    ) -> Result<Applied, SyncError> {
        let missing: BTreeSet<_> = self.key_ids().into_iter().filter(|id| keys(*id).is_none()).collect();
        let Some(own) = keys(self.key_id) else { return Err(SyncError::MissingKeys(missing)) };
        if !missing.is_empty() {
            return Err(SyncError::MissingKeys(missing));
        }
        let mut hash = LtHash::EMPTY;
        let mut seen = BTreeSet::new();
        let mut put = Vec::with_capacity(self.records.len());
        for record in self.records {
            let keys = keys(record.key_id).ok_or(SyncError::Malformed("a record without key"))?;
            let entry = record.open(Operation::Set, keys)?;
            if !seen.insert(record.index_mac) {
                return Err(SyncError::Duplicate);
            }
            hash.add(&record.value_mac);
            put.push(Held {
                index_mac: record.index_mac,
                value_mac: record.value_mac,
                key_id: record.key_id,
                entry,
            });
        }
        let diverged = !same(&own.snapshot_mac(&hash, self.version, collection), &self.mac);
        let state = State { version: self.version, hash };
        Ok(Applied { state, removed: Vec::new(), put, mutations: Vec::new(), missing_removes: 0, diverged })
    }
}
