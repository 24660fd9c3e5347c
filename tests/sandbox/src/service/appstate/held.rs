//! What the service keeps of a collection.

use std::collections::BTreeMap;

use whimbrel_appstate::Collection;
use whimbrel_proto::syncd::{
    ExternalBlobReference, KeyId, SyncdMutation, SyncdPatch, SyncdRecord, SyncdSnapshot, SyncdVersion,
};
use whimbrel_wire::Node;

use super::faults::AppStateFault;

/// The collections of an account.
#[derive(Debug, Default)]
pub(crate) struct Collections(BTreeMap<Collection, Held>);

impl Collections {
    pub(super) fn get_mut(&mut self, collection: Collection) -> &mut Held {
        self.0.entry(collection).or_default()
    }

    pub(super) fn version(&self, collection: Collection) -> u64 {
        self.0.get(&collection).map_or(0, Held::version)
    }
}

/// A patch that passed the checks, with its version filled in.
#[derive(Debug)]
pub(super) struct Accepted {
    pub(super) bytes: Vec<u8>,
    pub(super) mutations: Vec<SyncdMutation>,
    pub(super) snapshot_mac: Vec<u8>,
    pub(super) key_id: KeyId,
}

/// One collection. Patches are never thrown away, so that a snapshot of any version can be made.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// The first one makes version 1.
    patches: Vec<Accepted>,
    /// The present entries, by the code of their index.
    records: BTreeMap<Vec<u8>, SyncdRecord>,
    /// The snapshot that was asked for last.
    blob: Option<(u64, ExternalBlobReference)>,
}

impl Held {
    pub(super) fn version(&self) -> u64 {
        self.patches.len() as u64
    }

    pub(super) fn accept(&mut self, patch: Accepted) {
        put(&mut self.records, &patch.mutations);
        self.patches.push(patch);
    }

    /// Patches after `version`, one page of them, and whether there are more.
    pub(super) fn page(&self, version: u64, page: usize) -> (Vec<Node>, bool) {
        let start = usize::try_from(version).unwrap_or(usize::MAX);
        let rest = self.patches.get(start..).unwrap_or_default();
        let page: Vec<Node> =
            rest.iter().take(page).map(|patch| Node::new("patch").bytes(patch.bytes.clone())).collect();
        let more = rest.len() > page.len();
        (page, more)
    }

    pub(super) fn blob(&self, version: u64) -> Option<&ExternalBlobReference> {
        self.blob.as_ref().filter(|(of, _)| *of == version).map(|(_, reference)| reference)
    }

    pub(super) fn keep_blob(&mut self, version: u64, reference: ExternalBlobReference) {
        self.blob = Some((version, reference));
    }

    /// The collection at a version. Its code is that of the patch which made the version: the same
    /// value, though a wrong one if its author was wrong (app-state document §11.2).
    pub(super) fn snapshot(&self, version: u64, damage: Option<&AppStateFault>) -> Option<Vec<u8>> {
        let place = usize::try_from(version).ok()?;
        let head = self.patches.get(place.checked_sub(1)?)?;
        let former;
        let records = if version == self.version() {
            &self.records
        } else {
            let mut records = BTreeMap::new();
            self.patches.iter().take(place).for_each(|patch| put(&mut records, &patch.mutations));
            former = records;
            &former
        };
        let mut snapshot = SyncdSnapshot {
            version: Some(SyncdVersion { version: Some(version) }),
            records: records.values().cloned().collect(),
            mac: Some(head.snapshot_mac.clone()),
            key_id: Some(head.key_id.clone()),
        };
        match damage {
            Some(AppStateFault::SnapshotMac) => flip(snapshot.mac.as_mut()),
            Some(AppStateFault::SnapshotRecord) => {
                let record = snapshot.records.first_mut().and_then(|record| record.value.as_mut());
                flip(record.and_then(|value| value.blob.as_mut()));
            }
            _ => {}
        }
        Some(whimbrel_proto::encode(&snapshot))
    }
}

/// Removals of a patch come before what it sets (app-state document §6.4).
fn put(records: &mut BTreeMap<Vec<u8>, SyncdRecord>, mutations: &[SyncdMutation]) {
    let record = |mutation: &SyncdMutation| {
        let record = mutation.record.clone()?;
        let index = record.index.as_ref()?.blob.clone()?;
        Some((mutation.operation.unwrap_or_default(), index, record))
    };
    let all: Vec<_> = mutations.iter().filter_map(record).collect();
    for (_, index, _) in all.iter().filter(|(operation, ..)| *operation == 1) {
        records.remove(index);
    }
    for (_, index, record) in all.into_iter().filter(|(operation, ..)| *operation == 0) {
        records.insert(index, record);
    }
}

/// Changes one bit at the end.
pub(super) fn flip(bytes: Option<&mut Vec<u8>>) {
    if let Some(last) = bytes.and_then(|bytes| bytes.last_mut()) {
        *last ^= 1;
    }
}

/// Changes a served patch.
pub(super) fn edited(bytes: &[u8], edit: impl FnOnce(&mut SyncdPatch)) -> Option<Vec<u8>> {
    let mut patch: SyncdPatch = whimbrel_proto::decode(bytes).ok()?;
    edit(&mut patch);
    Some(whimbrel_proto::encode(&patch))
}
