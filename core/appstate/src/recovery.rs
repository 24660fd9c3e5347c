//! A collection as the phone hands it over when it cannot be read otherwise (app-state document §7.4).

use std::collections::BTreeSet;

use whimbrel_proto::prost::Message as _;
use whimbrel_proto::syncd;

use crate::{Applied, Collection, Entry, Held, KeyId, Keys, LtHash, State, SyncError};

/// Entries that a phone hands over at most.
const MAX_ENTRIES: usize = 2000;

/// A collection in plain, of the right shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovery {
    /// Which collection.
    pub collection: Collection,
    state: State,
    records: Vec<(KeyId, [u8; crate::MAC], Entry)>,
}

impl Recovery {
    /// Reads what a phone handed over, inflated.
    ///
    /// # Errors
    /// [`SyncError::Malformed`].
    pub fn decode(bytes: &[u8]) -> Result<Self, SyncError> {
        let given: syncd::SyncdSnapshotRecovery =
            whimbrel_proto::decode(bytes).map_err(|_| SyncError::Malformed("not a recovery"))?;
        let name = given.collection_name.unwrap_or_default();
        let collection =
            Collection::named(&name).ok_or(SyncError::Malformed("a collection that is not known"))?;
        let version = given.version.and_then(|version| version.version);
        let version = version.ok_or(SyncError::Malformed("a recovery without version"))?;
        let hash = LtHash::from_slice(&given.collection_lthash.unwrap_or_default())
            .ok_or(SyncError::Malformed("a hash of another length than 128"))?;
        if given.mutation_records.len() > MAX_ENTRIES {
            return Err(SyncError::Malformed("too many entries"));
        }
        let mut records = Vec::with_capacity(given.mutation_records.len());
        for record in given.mutation_records {
            let id = KeyId::from_slice(&record.key_id.unwrap_or_default())
                .ok_or(SyncError::Malformed("a key id of another length than 6"))?;
            let mac = crate::patch::mac(record.mac)?;
            let value = record.value.ok_or(SyncError::Malformed("an entry without value"))?;
            records.push((id, mac, Entry::decode(&value.encode_to_vec())?));
        }
        Ok(Self { collection, state: State { version, hash }, records })
    }

    /// The version of the collection.
    pub const fn version(&self) -> u64 {
        self.state.version
    }

    /// The keys whose codes the entries stand under.
    pub fn key_ids(&self) -> BTreeSet<KeyId> {
        self.records.iter().map(|(id, ..)| *id).collect()
    }

    /// Works out under which codes the entries stand. Version and hash are those that the phone gave.
    ///
    /// # Errors
    /// [`SyncError::MissingKeys`]; [`SyncError::Duplicate`].
    pub fn check<'k>(self, keys: impl Fn(KeyId) -> Option<&'k Keys>) -> Result<Applied, SyncError> {
        let missing: BTreeSet<_> = self.key_ids().into_iter().filter(|id| keys(*id).is_none()).collect();
        if !missing.is_empty() {
            return Err(SyncError::MissingKeys(missing));
        }
        let mut seen = BTreeSet::new();
        let mut put = Vec::with_capacity(self.records.len());
        for (key_id, value_mac, entry) in self.records {
            let Some(keys) = keys(key_id) else { continue };
            let index_mac = keys.index_mac(&entry.index);
            if !seen.insert(index_mac) {
                return Err(SyncError::Duplicate);
            }
            put.push(Held { index_mac, value_mac, key_id, entry });
        }
        let state = self.state;
        Ok(Applied {
            state,
            removed: Vec::new(),
            put,
            mutations: Vec::new(),
            missing_removes: 0,
            diverged: false,
        })
    }
}
