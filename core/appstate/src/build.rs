//! Making patches (app-state document §8.2).

use whimbrel_proto::syncd;

use crate::apply::apply;
use crate::record::{Record, wire_key_id};
use crate::{
    Applied, Collection, Entry, Held, IndexMac, KeyId, Keys, MAC, Operation, State, SyncError, ValueMac,
};

/// One mutation to be written.
#[derive(Debug, Clone)]
pub struct Draft<'k> {
    /// What is to be done.
    pub operation: Operation,
    /// With which entry.
    pub entry: Entry,
    /// The key to write it with: the active one for what is set, that of the entry for what is removed.
    pub key: (KeyId, &'k Keys),
}

/// How much goes into a patch itself; more goes into a file (app-state document §8.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Mutations in a patch; official clients take 100 to 2,000.
    pub mutations: usize,
    /// Octets of a patch; official clients take 10,000 to 100,000.
    pub bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { mutations: 100, bytes: 10_000 }
    }
}

/// A patch that was made and not sent yet.
#[derive(Debug, Clone)]
pub struct Built {
    patch: syncd::SyncdPatch,
    /// What becomes of the collection once the service has taken the patch.
    pub applied: Applied,
    /// The code of the patch, by which it is known again when it comes back.
    pub mac: [u8; MAC],
}

/// Makes the patch that follows `state`. `key` signs it; `iv` gives fresh random octets for each
/// mutation. `held` tells the code of the value that is held under an index.
///
/// # Errors
/// [`SyncError::Duplicate`] when an entry is written twice.
pub fn build(
    collection: Collection,
    state: &State,
    key: (KeyId, &Keys),
    drafts: Vec<Draft<'_>>,
    held: impl Fn(&IndexMac) -> Option<ValueMac>,
    mut iv: impl FnMut() -> [u8; 16],
) -> Result<Built, SyncError> {
    let version = state.version.saturating_add(1);
    let mut opened = Vec::with_capacity(drafts.len());
    let mut mutations = Vec::with_capacity(drafts.len());
    let mut values = Vec::with_capacity(drafts.len());
    for Draft { operation, entry, key: (id, keys) } in drafts {
        let record = Record::seal(operation, &entry, id, keys, &iv());
        mutations
            .push(syncd::SyncdMutation { operation: Some(operation.wire()), record: Some(record.write()) });
        values.push(record.value_mac);
        let (index_mac, value_mac) = (record.index_mac, record.value_mac);
        opened.push((operation, Held { index_mac, value_mac, key_id: id, entry }));
    }
    let applied = apply(state, version, opened, held)?;
    let (id, keys) = key;
    let snapshot_mac = keys.snapshot_mac(&applied.state.hash, version, collection);
    let mac = keys.patch_mac(&snapshot_mac, &values, version, collection);
    let patch = syncd::SyncdPatch {
        mutations,
        snapshot_mac: Some(snapshot_mac.to_vec()),
        patch_mac: Some(mac.to_vec()),
        key_id: Some(wire_key_id(id)),
        ..syncd::SyncdPatch::default()
    };
    Ok(Built { patch, applied, mac })
}

impl Built {
    /// The patch with its mutations inside, if it is within the limits.
    pub fn inline(&self, limits: Limits) -> Option<Vec<u8>> {
        if self.patch.mutations.len() > limits.mutations {
            return None;
        }
        let bytes = whimbrel_proto::encode(&self.patch);
        (bytes.len() <= limits.bytes).then_some(bytes)
    }

    /// The file for the mutations of a patch that is too large. Encrypt (`md-app-state`) and upload it,
    /// then make the patch with [`external`](Self::external).
    pub fn file(&self) -> Vec<u8> {
        crate::mutations(self.patch.mutations.clone())
    }

    /// The patch with its mutations in a file.
    pub fn external(&self, file: syncd::ExternalBlobReference) -> Vec<u8> {
        let patch = syncd::SyncdPatch {
            mutations: Vec::new(),
            external_mutations: Some(Box::new(file)),
            ..self.patch.clone()
        };
        whimbrel_proto::encode(&patch)
    }
}
