//! What the tests share: vectors, scripted randomness, two devices that can talk.

use std::collections::BTreeMap;
use std::convert::Infallible;

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_core::{TryCryptoRng, TryRng};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use whimbrel_crypto::curve::{KeyPair, PrivateKey, PublicKey};
use whimbrel_signal::{
    Bundle, CiphertextKind, CiphertextMessage, DecryptError, Decrypted, MAX_JUMP, OurKeys, ParseError,
    PreKeySignalMessage, SessionRecord, SignalMessage,
};

pub(crate) fn vectors<T: DeserializeOwned>(name: &str) -> T {
    let path = format!("{}/../../tests/vectors/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Octets written as hex.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hex(pub(crate) Vec<u8>);

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        hex::decode(text).map(Hex).map_err(serde::de::Error::custom)
    }
}

impl Hex {
    pub(crate) fn array<const N: usize>(&self) -> [u8; N] {
        self.0.as_slice().try_into().unwrap()
    }

    pub(crate) fn public(&self) -> PublicKey {
        PublicKey::parse(&self.0).unwrap()
    }
}

pub(crate) fn key_pair(private: &Hex) -> KeyPair {
    KeyPair::from_private(PrivateKey::from_bytes(private.array()))
}

/// Yields the octets it was given, in order, and panics when they are used up.
#[derive(Default)]
pub(crate) struct Scripted {
    octets: std::collections::VecDeque<u8>,
}

impl Scripted {
    pub(crate) fn push(&mut self, octets: &[u8]) {
        self.octets.extend(octets);
    }

    pub(crate) fn is_used_up(&self) -> bool {
        self.octets.is_empty()
    }
}

impl TryRng for Scripted {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        panic!("only octets are scripted")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        panic!("only octets are scripted")
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        for octet in out {
            *octet = self.octets.pop_front().expect("more randomness drawn than scripted");
        }
        Ok(())
    }
}

impl TryCryptoRng for Scripted {}

/// Any failure of receiving.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    Parse(ParseError),
    Decrypt(DecryptError),
}

/// A device with its keys and its record for one other device.
pub(crate) struct Device {
    pub(crate) identity: KeyPair,
    pub(crate) registration_id: u32,
    pub(crate) signed_prekey_id: u32,
    pub(crate) signed_prekey: KeyPair,
    pub(crate) one_time: BTreeMap<u32, KeyPair>,
    pub(crate) record: SessionRecord,
    pub(crate) rng: ChaCha20Rng,
}

impl Device {
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let mut pair = || KeyPair::generate(&mut rng);
        let (identity, signed_prekey) = (pair(), pair());
        let one_time = (1..=20).map(|id| (id, pair())).collect();
        Device {
            identity,
            registration_id: 1000 + seed as u32,
            signed_prekey_id: 7,
            signed_prekey,
            one_time,
            record: SessionRecord::new(),
            rng,
        }
    }

    /// The bundle that the service would hand out, with the one-time prekey `id`.
    pub(crate) fn bundle(&self, id: Option<u32>) -> Bundle {
        let typed = self.signed_prekey.public.to_typed();
        Bundle {
            registration_id: self.registration_id,
            identity: self.identity.public,
            signed_prekey_id: self.signed_prekey_id,
            signed_prekey: self.signed_prekey.public,
            signed_prekey_signature: self.identity.private.sign(&[&typed], &[9; 64]),
            one_time_prekey: id.map(|id| (id, self.one_time[&id].public)),
        }
    }

    pub(crate) fn start(&mut self, bundle: &Bundle) {
        self.record.process_bundle(&self.identity, self.registration_id, bundle, &mut self.rng).unwrap();
    }

    pub(crate) fn receive(&mut self, message: &CiphertextMessage) -> Result<Decrypted, Failure> {
        self.receive_bytes(message.kind, &message.bytes)
    }

    /// Receives as an engine would: looks prekeys up only if needed, deletes a consumed one.
    pub(crate) fn receive_bytes(&mut self, kind: CiphertextKind, bytes: &[u8]) -> Result<Decrypted, Failure> {
        match kind {
            CiphertextKind::Message => {
                let message = SignalMessage::parse(bytes).map_err(Failure::Parse)?;
                self.record.decrypt_message(&message, MAX_JUMP, &mut self.rng).map_err(Failure::Decrypt)
            }
            CiphertextKind::PreKey => {
                let message = PreKeySignalMessage::parse(bytes).map_err(Failure::Parse)?;
                let mut keys =
                    OurKeys { identity: &self.identity, signed_prekey: None, one_time_prekey: None };
                if !self.record.knows_base_key(message.base_key()) {
                    keys.signed_prekey =
                        (message.signed_prekey_id() == self.signed_prekey_id).then_some(&self.signed_prekey);
                    keys.one_time_prekey = message.prekey_id().and_then(|id| self.one_time.get(&id));
                }
                let decrypted = self.record.decrypt_prekey(&message, &keys, MAX_JUMP, &mut self.rng);
                let decrypted = decrypted.map_err(Failure::Decrypt)?;
                if let Some(id) = decrypted.consumed_prekey() {
                    self.one_time.remove(&id);
                }
                Ok(decrypted)
            }
        }
    }

    /// Stores and reads back, as a restart does.
    pub(crate) fn restart(&mut self) {
        self.record = SessionRecord::deserialize(&self.record.serialize()).unwrap();
    }
}
