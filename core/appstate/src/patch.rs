//! Patches as they come (app-state document §6.3).

use std::collections::BTreeSet;

use whimbrel_proto::syncd;

use crate::record::{self, Operation, Record};
use crate::{IndexMac, KeyId, MAC, SyncError};

/// Mutations of one patch; the service takes no more of a client (app-state document §11.3), and what
/// comes may be ten times as long.
const MAX_MUTATIONS: usize = 20_000;

/// A patch of the right shape; see [`check`](Self::check).
#[derive(Debug, Clone, PartialEq)]
pub struct Patch {
    pub(crate) version: Option<u64>,
    pub(crate) records: Vec<(Operation, Record)>,
    external: Option<syncd::ExternalBlobReference>,
    pub(crate) snapshot_mac: [u8; MAC],
    pub(crate) patch_mac: [u8; MAC],
    pub(crate) key_id: KeyId,
    pub(crate) exit_code: Option<u64>,
}

impl Patch {
    /// Reads a patch.
    ///
    /// # Errors
    /// [`SyncError::Malformed`]; [`SyncError::GivenUp`] for a patch that says only that.
    pub fn decode(bytes: &[u8]) -> Result<Self, SyncError> {
        let patch: syncd::SyncdPatch =
            whimbrel_proto::decode(bytes).map_err(|_| SyncError::Malformed("not a patch"))?;
        let exit_code = patch.exit_code.and_then(|exit| exit.code).filter(|code| *code != 0);
        if let Some(code) = exit_code {
            // Such a patch may lack everything else.
            return Err(SyncError::GivenUp(code));
        }
        Ok(Self {
            version: patch.version.and_then(|version| version.version),
            records: read(patch.mutations)?,
            external: patch.external_mutations.map(|reference| *reference),
            snapshot_mac: mac(patch.snapshot_mac)?,
            patch_mac: mac(patch.patch_mac)?,
            key_id: record::key_id(patch.key_id.as_ref())?,
            exit_code,
        })
    }

    /// The version that the patch makes; the service fills it in.
    pub const fn version(&self) -> Option<u64> {
        self.version
    }

    /// The code of the patch: it tells a patch of ours from others.
    pub const fn mac(&self) -> &[u8; MAC] {
        &self.patch_mac
    }

    /// The file that holds the mutations, if they are not in the patch. Download and decrypt it
    /// (`md-app-state`), then [`add`](Self::add) it.
    pub const fn external(&self) -> Option<&syncd::ExternalBlobReference> {
        self.external.as_ref()
    }

    /// Adds the mutations that were in the file.
    ///
    /// # Errors
    /// [`SyncError::Malformed`] when the file is none of mutations.
    pub fn add(&mut self, file: &[u8]) -> Result<(), SyncError> {
        let file: syncd::SyncdMutations =
            whimbrel_proto::decode(file).map_err(|_| SyncError::Malformed("not a file of mutations"))?;
        self.records.extend(read(file.mutations)?);
        self.external = None;
        if self.records.len() > MAX_MUTATIONS {
            return Err(SyncError::Malformed("too many mutations"));
        }
        Ok(())
    }

    /// The keys that are needed to read the patch.
    pub fn key_ids(&self) -> BTreeSet<KeyId> {
        let records = self.records.iter().map(|(_, record)| record.key_id);
        records.chain([self.key_id]).collect()
    }

    /// The entries that the patch touches.
    pub fn index_macs(&self) -> impl Iterator<Item = &IndexMac> {
        self.records.iter().map(|(_, record)| &record.index_mac)
    }
}

/// The file for mutations that are too many for a patch.
pub fn mutations(mutations: Vec<syncd::SyncdMutation>) -> Vec<u8> {
    whimbrel_proto::encode(&syncd::SyncdMutations { mutations })
}

fn read(mutations: Vec<syncd::SyncdMutation>) -> Result<Vec<(Operation, Record)>, SyncError> {
    if mutations.len() > MAX_MUTATIONS {
        return Err(SyncError::Malformed("too many mutations"));
    }
    let read = |mutation: syncd::SyncdMutation| {
        let operation = Operation::from_wire(mutation.operation.unwrap_or_default())
            .ok_or(SyncError::Malformed("an operation that is not known"))?;
        let record = mutation.record.ok_or(SyncError::Malformed("a mutation without record"))?;
        Ok((operation, Record::read(record)?))
    };
    mutations.into_iter().map(read).collect()
}

pub(crate) fn mac(bytes: Option<Vec<u8>>) -> Result<[u8; MAC], SyncError> {
    let wrong = SyncError::Malformed("a code of another length than 32");
    bytes.unwrap_or_default().try_into().map_err(|_| wrong)
}
