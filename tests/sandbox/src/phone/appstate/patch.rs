//! Patches as the phone sends them: whole, in a file if they are large, or wrong on purpose.

use serde::{Deserialize, Serialize};
use whimbrel_appstate::{Built, Collection, Keys, Limits, State};
use whimbrel_crypto::media::{Decryptor, Encryptor, Expected, MediaKeys, MediaType};
use whimbrel_proto::syncd::{ExternalBlobReference, SyncdPatch};

use crate::media::{Kind, Shelf};

/// What is wrong with a patch that the phone writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PatchFault {
    /// The code of the whole is wrong, and the patch is signed with it: its author has diverged.
    SnapshotMac,
    /// The code of the patch is wrong.
    PatchMac,
    /// Its first value is not what its code says.
    Value,
    /// Its first entry stands under the name of another one.
    Index,
    /// Its mutations are in a file that the media host has lost.
    FileGone,
}

/// Puts the mutations of a patch into a file.
pub(super) fn upload(built: &Built, key: [u8; 32], files: &Shelf) -> Option<Vec<u8>> {
    let mut encryptor = Encryptor::new(&MediaKeys::expand(&key, MediaType::AppState));
    let mut sealed = Vec::new();
    encryptor.update(&built.file(), &mut sealed);
    let made = encryptor.finish(&mut sealed);
    let (_, path) = files.put(&Kind::encrypted(MediaType::AppState.name()), &sealed).ok()?;
    let reference = ExternalBlobReference {
        media_key: Some(key.to_vec()),
        direct_path: Some(path),
        handle: None,
        file_size_bytes: Some(made.file_length),
        file_sha256: Some(made.file_sha256.to_vec()),
        file_enc_sha256: Some(made.file_enc_sha256.to_vec()),
    };
    Some(built.external(reference))
}

/// The mutations in a file.
pub(super) fn open(reference: &ExternalBlobReference, sealed: &[u8]) -> Option<Vec<u8>> {
    let key: [u8; 32] = reference.media_key.as_deref()?.try_into().ok()?;
    let mut decryptor = Decryptor::new(&MediaKeys::expand(&key, MediaType::AppState), &Expected::default());
    let mut plain = Vec::new();
    decryptor.update(sealed, &mut plain);
    decryptor.finish(&mut plain).ok()?;
    Some(plain)
}

/// The patch with its mutations inside, however many they are.
pub(super) fn inline(built: &Built) -> Vec<u8> {
    built.inline(Limits { mutations: usize::MAX, bytes: usize::MAX }).unwrap_or_default()
}

/// Makes a patch wrong.
pub(super) fn spoil(
    bytes: &[u8],
    fault: PatchFault,
    keys: &Keys,
    base: &State,
    collection: Collection,
) -> Option<Vec<u8>> {
    let mut patch: SyncdPatch = whimbrel_proto::decode(bytes).ok()?;
    match fault {
        PatchFault::PatchMac => flip(patch.patch_mac.as_mut()),
        PatchFault::SnapshotMac => flip(patch.snapshot_mac.as_mut()),
        PatchFault::Index => {
            let record = patch.mutations.first_mut()?.record.as_mut()?;
            flip(record.index.as_mut().and_then(|index| index.blob.as_mut()));
        }
        PatchFault::Value => {
            let record = patch.mutations.first_mut()?.record.as_mut()?;
            *record.value.as_mut()?.blob.as_mut()?.first_mut()? ^= 1;
        }
        PatchFault::FileGone => {}
    }
    if fault == PatchFault::SnapshotMac {
        let snapshot_mac: [u8; 32] = patch.snapshot_mac.as_deref()?.try_into().ok()?;
        let value = |mutation: &whimbrel_proto::syncd::SyncdMutation| {
            mutation.record.as_ref()?.value.as_ref()?.blob.as_ref()?.last_chunk::<32>().copied()
        };
        let values: Vec<[u8; 32]> = patch.mutations.iter().filter_map(value).collect();
        let mac = keys.patch_mac(&snapshot_mac, &values, base.version + 1, collection);
        patch.patch_mac = Some(mac.to_vec());
    }
    Some(whimbrel_proto::encode(&patch))
}

fn flip(bytes: Option<&mut Vec<u8>>) {
    if let Some(last) = bytes.and_then(|bytes| bytes.last_mut()) {
        *last ^= 1;
    }
}
