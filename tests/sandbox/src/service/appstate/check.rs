//! What the service can check of a patch without keys (app-state document §11.3).

use std::collections::BTreeSet;

use whimbrel_crypto::media::{Decryptor, Expected, MediaKeys, MediaType};
use whimbrel_proto::syncd::{ExternalBlobReference, SyncdMutation, SyncdMutations, SyncdPatch, SyncdVersion};

use super::held::Accepted;
use crate::media::Shelf;

/// Mutations of a patch.
const MUTATIONS: usize = 2000;
/// Octets of a patch.
const LENGTH: usize = 100_000;

/// Checks a patch that would make `version`, and fills the version in.
pub(super) fn patch(bytes: &[u8], version: u64, files: &Shelf) -> Result<Accepted, &'static str> {
    if bytes.len() > LENGTH {
        return Err("longer than 100 KB");
    }
    let mut patch: SyncdPatch = whimbrel_proto::decode(bytes).map_err(|_| "no patch")?;
    for mac in [&patch.snapshot_mac, &patch.patch_mac] {
        if mac.as_ref().is_none_or(|mac| mac.len() != 32) {
            return Err("a code that is not of 32 octets");
        }
    }
    let key_id = patch.key_id.clone().filter(|key| key.id.as_ref().is_some_and(|id| id.len() == 6));
    let key_id = key_id.ok_or("a key id that is not of 6 octets")?;
    let stated = patch.version.as_ref().and_then(|stated| stated.version);
    if stated.is_some_and(|stated| stated != version) {
        return Err("a version that does not follow");
    }
    let mutations = match (&patch.external_mutations, patch.mutations.is_empty()) {
        (None, false) => patch.mutations.clone(),
        (Some(reference), true) => file(reference, files)?,
        _ => return Err("mutations neither inside nor in a file, or both"),
    };
    all(&mutations)?;
    patch.version = Some(SyncdVersion { version: Some(version) });
    let snapshot_mac = patch.snapshot_mac.clone().unwrap_or_default();
    Ok(Accepted { bytes: whimbrel_proto::encode(&patch), mutations, snapshot_mac, key_id })
}

fn all(mutations: &[SyncdMutation]) -> Result<(), &'static str> {
    if mutations.is_empty() || mutations.len() > MUTATIONS {
        return Err("no mutation, or more than 2000");
    }
    let mut seen = BTreeSet::new();
    for mutation in mutations {
        let operation = mutation.operation.unwrap_or_default();
        let record = mutation.record.as_ref().ok_or("a mutation without record")?;
        let index = record.index.as_ref().and_then(|index| index.blob.as_ref());
        let index = index.filter(|index| index.len() == 32).ok_or("an index that is not of 32 octets")?;
        let value = record.value.as_ref().and_then(|value| value.blob.as_ref());
        let whole = |value: &&Vec<u8>| value.len() >= 64 && (value.len() - 48).is_multiple_of(16);
        value.filter(whole).ok_or("a value that is not of whole blocks")?;
        let key = record.key_id.as_ref().and_then(|key| key.id.as_ref());
        if key.is_none_or(|id| id.len() != 6) {
            return Err("a key id that is not of 6 octets");
        }
        if !matches!(operation, 0 | 1) {
            return Err("an operation that nobody knows");
        }
        if !seen.insert((operation, index.clone())) {
            return Err("an entry that is written twice");
        }
    }
    Ok(())
}

/// The mutations of a patch that has them in a file; the key to it stands in the patch.
fn file(reference: &ExternalBlobReference, files: &Shelf) -> Result<Vec<SyncdMutation>, &'static str> {
    let octets = |bytes: &Option<Vec<u8>>| -> Option<[u8; 32]> { bytes.as_deref()?.try_into().ok() };
    let key = octets(&reference.media_key).ok_or("a file without key")?;
    let file_sha256 = octets(&reference.file_sha256).ok_or("a file without hash")?;
    let file_enc_sha256 = octets(&reference.file_enc_sha256).ok_or("a file without hash")?;
    reference.direct_path.as_ref().ok_or("a file without path")?;
    let sealed = files.content(&file_enc_sha256).ok_or("a file that is not on the media host")?;
    let expected = Expected { file_enc_sha256: Some(file_enc_sha256), file_sha256: Some(file_sha256) };
    let mut decryptor = Decryptor::new(&MediaKeys::expand(&key, MediaType::AppState), &expected);
    let mut plain = Vec::new();
    decryptor.update(&sealed, &mut plain);
    let done = decryptor.finish(&mut plain).map_err(|_| "a file that does not decrypt")?;
    if reference.file_size_bytes != Some(done.file_length) {
        return Err("a file of another length");
    }
    let file: SyncdMutations = whimbrel_proto::decode(&plain).map_err(|_| "a file without mutations")?;
    Ok(file.mutations)
}
