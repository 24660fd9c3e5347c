//! This device's prekeys: the keys with which others begin a session while it is away (pairing
//! document §8). Generated here, uploaded in batches, never offered twice.

mod rotate;
mod stanza;
mod upkeep;
mod upload;

pub(crate) use rotate::keep_young;
pub(crate) use upkeep::Upkeep;
pub(crate) use upload::{check_at_login, on_notification, provide};

use rand_chacha::ChaCha20Rng;
use whimbrel_crypto::curve::KeyPair;

use crate::clock;
use crate::random;
use crate::store::{PreKeyRow, SignedPreKeyRow, Store, StoreError};

/// Highest id; ids have 24 bits, and 0 is never used.
const MAX_ID: u32 = 0x00ff_ffff;

/// Keys in one upload.
const BATCH: usize = 812;

/// With fewer keys than this at the service, more are uploaded.
const LOW: u64 = 5;

/// Makes a signed prekey.
pub(crate) fn sign(identity: &KeyPair, id: u32, rng: &mut ChaCha20Rng) -> SignedPreKeyRow {
    let pair = KeyPair::generate(rng);
    let signature = identity.private.sign(&[&pair.public.to_typed()], &random::bytes(rng));
    SignedPreKeyRow { id, pair, signature, created_at: clock::now_ms() / 1000 }
}

/// The id after another one.
const fn next_id(id: u32) -> u32 {
    if id == 0 || id >= MAX_ID { 1 } else { id + 1 }
}

/// Makes a batch of one-time keys, marked as offered, from `first` on; ids still in the store
/// are skipped. Returns the next id too.
fn generate(
    store: &dyn Store,
    first: u32,
    count: usize,
    rng: &mut ChaCha20Rng,
) -> Result<(Vec<PreKeyRow>, u32), StoreError> {
    let mut rows = Vec::with_capacity(count);
    let mut id = if first == 0 || first > MAX_ID { 1 } else { first };
    while rows.len() < count {
        if store.pre_key(id)?.is_none() {
            rows.push(PreKeyRow { id, pair: KeyPair::generate(rng), offered: true });
        }
        id = next_id(id);
    }
    Ok((rows, id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Changes, MemoryStore};

    #[test]
    fn a_signed_prekey_verifies_under_the_identity() {
        let mut rng = random::generator(Some(1), 1).unwrap();
        let identity = KeyPair::generate(&mut rng);
        let signed = sign(&identity, 3, &mut rng);
        assert!(identity.public.verify(&[&signed.pair.public.to_typed()], &signed.signature).is_ok());
        assert_eq!(signed.id, 3);
    }

    #[test]
    fn ids_wrap_and_skip_what_is_still_stored() {
        let mut rng = random::generator(Some(1), 1).unwrap();
        let store = MemoryStore::default();
        let mut changes = Changes::default();
        let kept = PreKeyRow { id: 1, pair: KeyPair::generate(&mut rng), offered: true };
        changes.pre_keys.insert(1, Some(kept));
        store.commit(&changes).unwrap();
        let (rows, next) = generate(&store, MAX_ID - 1, 4, &mut rng).unwrap();
        let ids: Vec<u32> = rows.iter().map(|row| row.id).collect();
        assert_eq!(ids, [MAX_ID - 1, MAX_ID, 2, 3]);
        assert_eq!(next, 4);
        assert!(rows.iter().all(|row| row.offered));
        assert_eq!((next_id(0), next_id(MAX_ID), next_id(7)), (1, 1, 8));
    }
}
