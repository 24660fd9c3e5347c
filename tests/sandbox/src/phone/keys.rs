//! The keys that a phone owns, all of them drawn from the sandbox's seed.

use std::collections::BTreeMap;

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use whimbrel_crypto::curve::{KeyPair, PublicKey};
use whimbrel_signal::OurKeys;

use super::past;
use super::stanza::keys::SignedPrekey;
use crate::attach::PhoneKeys;
use crate::options::LidStanding;

/// Highest registration id that official clients use.
const REGISTRATION_IDS: u32 = 16_380;
/// Highest id of a prekey.
const LAST_PREKEY: u32 = (1 << 24) - 1;
const SIGNED_PREKEY_ID: u32 = 1;

/// Randomness of the phone with this number: the same for equal seeds.
pub(crate) fn rng(seed: u64, number: &str) -> ChaCha20Rng {
    let mut bytes = [0; 32];
    let number: u64 = number.parse().unwrap_or_default();
    for (to, from) in bytes.iter_mut().zip(seed.to_le_bytes().into_iter().chain(number.to_le_bytes())) {
        *to = from;
    }
    ChaCha20Rng::from_seed(bytes)
}

/// Draws an array.
pub(crate) fn draw<const N: usize>(rng: &mut ChaCha20Rng) -> [u8; N] {
    let mut bytes = [0; N];
    rng.fill_bytes(&mut bytes);
    bytes
}

/// A phone's private keys.
pub(crate) struct KeyRing {
    identity: KeyPair,
    registration_id: u32,
    signed_prekey: KeyPair,
    signature: [u8; 64],
    one_time: BTreeMap<u32, KeyPair>,
    last_one_time: u32,
}

impl std::fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyRing")
            .field("registration_id", &self.registration_id)
            .field("one_time", &self.one_time.len())
            .finish_non_exhaustive()
    }
}

impl KeyRing {
    /// Draws everything but one-time prekeys.
    pub(crate) fn generate(rng: &mut ChaCha20Rng) -> Self {
        let identity = KeyPair::generate(rng);
        let signed_prekey = KeyPair::generate(rng);
        let signature = identity.private.sign(&[&signed_prekey.public.to_typed()], &draw(rng));
        Self {
            registration_id: 1 + rng.next_u32() % REGISTRATION_IDS,
            identity,
            signed_prekey,
            signature,
            one_time: BTreeMap::new(),
            last_one_time: 0,
        }
    }

    pub(crate) fn identity(&self) -> &KeyPair {
        &self.identity
    }

    pub(crate) fn registration_id(&self) -> u32 {
        self.registration_id
    }

    /// Public half of the signed prekey.
    pub(crate) fn signed_prekey(&self) -> SignedPrekey {
        SignedPrekey { id: SIGNED_PREKEY_ID, public: self.signed_prekey.public, signature: self.signature }
    }

    /// What the phone registers with.
    pub(crate) fn public(&self, number: &str, standing: Option<LidStanding>, name: &str) -> PhoneKeys {
        PhoneKeys {
            number: number.to_owned(),
            lid: past::hidden_number(number),
            standing,
            name: name.to_owned(),
            identity: *self.identity.public.as_bytes(),
            registration_id: self.registration_id,
            signed_prekey_id: SIGNED_PREKEY_ID,
            signed_prekey: *self.signed_prekey.public.as_bytes(),
            signed_prekey_signature: self.signature,
        }
    }

    /// Makes new one-time prekeys. An id is never used for a second key.
    pub(crate) fn new_one_time(&mut self, count: usize, rng: &mut ChaCha20Rng) -> Vec<(u32, PublicKey)> {
        (0..count)
            .map(|_| {
                self.last_one_time =
                    if self.last_one_time == LAST_PREKEY { 1 } else { self.last_one_time + 1 };
                let pair = KeyPair::generate(rng);
                let public = pair.public;
                self.one_time.insert(self.last_one_time, pair);
                (self.last_one_time, public)
            })
            .collect()
    }

    /// The keys that a message names which begins a session.
    pub(crate) fn for_message(&self, signed_id: u32, one_time_id: Option<u32>) -> OurKeys<'_> {
        OurKeys {
            identity: &self.identity,
            signed_prekey: (signed_id == SIGNED_PREKEY_ID).then_some(&self.signed_prekey),
            one_time_prekey: one_time_id.and_then(|id| self.one_time.get(&id)),
        }
    }

    /// Forgets a one-time prekey that a session has used up.
    pub(crate) fn consumed(&mut self, id: u32) {
        self.one_time.remove(&id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_seeds_give_equal_keys() {
        let keys = |seed, number| {
            let ring = KeyRing::generate(&mut rng(seed, number));
            (ring.identity.public, ring.registration_id)
        };
        assert_eq!(keys(1, "15550001"), keys(1, "15550001"));
        assert_ne!(keys(1, "15550001").0, keys(2, "15550001").0);
        assert_ne!(keys(1, "15550001").0, keys(1, "15550002").0);
    }

    #[test]
    fn the_signed_prekey_is_signed_by_the_identity() {
        let ring = KeyRing::generate(&mut rng(1, "15550001"));
        let signed = ring.signed_prekey();
        let verified = ring.identity.public.verify(&[&signed.public.to_typed()], &signed.signature);
        assert_eq!(verified, Ok(()));
    }

    #[test]
    fn consumed_prekeys_are_gone_and_ids_go_on() {
        let mut rng = rng(1, "15550001");
        let mut ring = KeyRing::generate(&mut rng);
        let ids: Vec<u32> = ring.new_one_time(2, &mut rng).iter().map(|(id, _)| *id).collect();
        assert_eq!(ids, [1, 2]);
        assert!(ring.for_message(1, Some(2)).one_time_prekey.is_some());
        ring.consumed(2);
        assert!(ring.for_message(1, Some(2)).one_time_prekey.is_none());
        assert!(ring.for_message(9, None).signed_prekey.is_none());
        assert_eq!(ring.new_one_time(1, &mut rng)[0].0, 3);
    }

    #[test]
    fn debug_shows_no_key() {
        let ring = KeyRing::generate(&mut rng(1, "15550001"));
        let private = hex::encode(ring.identity.private.as_bytes());
        let printed = format!("{ring:?}");
        assert!(!printed.contains(&private) && !printed.contains("identity"), "{printed}");
    }
}
