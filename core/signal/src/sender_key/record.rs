//! The keys that one other device encrypts to a group with.

use core::fmt;
use std::sync::OnceLock;

use whimbrel_crypto::curve::{PublicKey, Verifier};
use zeroize::Zeroizing;

use crate::cipher;
use crate::kdf::{ChainKey, ChainStep, GroupKeys, Seed};
use crate::message::{SenderKeyDistributionMessage, SenderKeyMessage};
use crate::skipped::SkippedKeys;
use crate::store::{Reader, Writer, skipped_len};
use crate::{GroupDecryptError, MAX_JUMP, RecordError};

const FORMAT: u8 = 1;

/// Keys kept per sender and group; the oldest go first.
pub const MAX_SENDER_KEY_STATES: usize = 5;

/// The sender keys of one other device for one group.
///
/// **No call that returns an error changes the record.**
#[derive(Clone, Default)]
pub struct SenderKeyRecord {
    /// Newest first.
    states: Vec<State>,
}

#[derive(Clone)]
struct State {
    key_id: u32,
    signing_key: PublicKey,
    /// The signing key made ready, at the first message.
    verifier: OnceLock<Verifier>,
    /// Chain key of `next`.
    chain: ChainKey,
    /// The iteration expected next.
    next: u32,
    skipped: SkippedKeys<Seed>,
}

/// One key of a record in plain fields, for moving it from and to the stores of other clients.
#[derive(Clone)]
pub struct SenderKeyParts {
    /// The key's id.
    pub key_id: u32,
    /// The owner's signing key.
    pub signing_key: PublicKey,
    /// Key of the chain at `next`.
    pub chain_key: Zeroizing<[u8; 32]>,
    /// The iteration expected next.
    pub next: u32,
    /// Iterations below `next` whose messages have not come.
    pub skipped: Vec<(u32, Seed)>,
}

impl SenderKeyRecord {
    /// A record without keys.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the key is known.
    pub fn knows_key(&self, key_id: u32) -> bool {
        self.states.iter().any(|state| state.key_id == key_id)
    }

    /// Takes a key in, as the newest.
    ///
    /// A known key with the same id is replaced. If it has the same owner, which sends its key again
    /// to answer a retry, messages before the new beginning that may still be under way stay readable.
    pub fn process(&mut self, distribution: &SenderKeyDistributionMessage) {
        let SenderKeyDistributionMessage { key_id, iteration, chain, signing_key } = distribution;
        let former = self.states.iter().position(|state| state.key_id == *key_id);
        let skipped = match former.map(|index| self.states.remove(index)) {
            Some(former) if former.signing_key == *signing_key => former.left_behind(*iteration),
            _ => SkippedKeys::default(),
        };
        let state = State {
            key_id: *key_id,
            signing_key: *signing_key,
            verifier: OnceLock::new(),
            chain: chain.clone(),
            next: *iteration,
            skipped,
        };
        self.states.insert(0, state);
        self.states.truncate(MAX_SENDER_KEY_STATES);
    }

    /// Verifies and decrypts a message. The signature is verified before anything is derived.
    ///
    /// `max_jump` is how many iterations may be passed at once: [`MAX_JUMP`].
    pub fn decrypt(
        &mut self,
        message: &SenderKeyMessage<'_>,
        max_jump: u32,
    ) -> Result<Vec<u8>, GroupDecryptError> {
        let (key_id, iteration) = (message.key_id, message.iteration);
        let state = self.states.iter_mut().find(|state| state.key_id == key_id);
        let state = state.ok_or(GroupDecryptError::NoSenderKey { key_id })?;
        if !state.is_signed(message) {
            return Err(GroupDecryptError::InvalidSignature);
        }
        if let Some(ahead) = iteration.checked_sub(state.next) {
            if ahead > max_jump || iteration == u32::MAX {
                return Err(GroupDecryptError::FutureMessage { ahead });
            }
            let ChainStep { seed, next } = state.chain.advanced(ahead).step();
            let plaintext = open(&seed.group_keys(), message)?;
            state.skipped.walk(&state.chain, state.next, iteration);
            state.chain = next;
            state.next = iteration.saturating_add(1);
            Ok(plaintext)
        } else {
            let seed = state.skipped.get(iteration).ok_or(GroupDecryptError::Duplicate { iteration })?;
            let plaintext = open(&seed.group_keys(), message)?;
            state.skipped.remove(iteration);
            Ok(plaintext)
        }
    }

    /// The form to store. It holds secrets.
    pub fn serialize(&self) -> Vec<u8> {
        let stored_len = |state: &State| 4 + 32 + 32 + 4 + skipped_len(&state.skipped);
        let mut out = Writer::new(FORMAT, 1 + self.states.iter().map(stored_len).sum::<usize>());
        out.u8(self.states.len() as u8);
        for state in &self.states {
            out.u32(state.key_id);
            out.bytes(state.signing_key.as_bytes());
            out.bytes(state.chain.as_bytes());
            out.u32(state.next);
            out.skipped(&state.skipped);
        }
        out.finish()
    }

    /// Reads the stored form.
    pub fn deserialize(bytes: &[u8]) -> Result<Self, RecordError> {
        let mut input = Reader::new(bytes, FORMAT)?;
        let count = input.count(MAX_SENDER_KEY_STATES)?;
        let mut states = Vec::with_capacity(count);
        for _ in 0..count {
            let key_id = input.u32()?;
            let signing_key = input.public_key()?;
            let chain = ChainKey::new(input.array()?);
            let next = input.u32()?;
            let skipped = input.skipped(next)?;
            states.push(State { key_id, signing_key, verifier: OnceLock::new(), chain, next, skipped });
        }
        input.finish()?;
        Ok(SenderKeyRecord { states })
    }

    /// A record of keys taken over from another store, newest first. What is more than this library
    /// keeps is left out.
    pub fn from_parts(parts: Vec<SenderKeyParts>) -> Self {
        let states = parts.into_iter().take(MAX_SENDER_KEY_STATES).map(|parts| State {
            key_id: parts.key_id,
            signing_key: parts.signing_key,
            verifier: OnceLock::new(),
            chain: ChainKey::new(*parts.chain_key),
            next: parts.next,
            skipped: SkippedKeys::from_entries(parts.skipped, parts.next),
        });
        SenderKeyRecord { states: states.collect() }
    }

    /// The keys in plain fields, newest first.
    pub fn parts(&self) -> impl Iterator<Item = SenderKeyParts> {
        self.states.iter().map(|state| SenderKeyParts {
            key_id: state.key_id,
            signing_key: state.signing_key,
            chain_key: Zeroizing::new(*state.chain.as_bytes()),
            next: state.next,
            skipped: state.skipped.iter().map(|(iteration, seed)| (iteration, seed.clone())).collect(),
        })
    }
}

impl State {
    fn is_signed(&self, message: &SenderKeyMessage<'_>) -> bool {
        let verifier = match self.verifier.get() {
            Some(verifier) => verifier,
            None => match self.signing_key.verifier() {
                Ok(verifier) => self.verifier.get_or_init(|| verifier),
                Err(_) => return false,
            },
        };
        verifier.verify(&[message.signed], message.signature).is_ok()
    }

    /// The keys below `iteration` that this state has or can still derive.
    fn left_behind(mut self, iteration: u32) -> SkippedKeys<Seed> {
        // The iteration is the sender's word: derive no more than a message could make us derive.
        if iteration.saturating_sub(self.next) <= MAX_JUMP {
            self.skipped.walk(&self.chain, self.next, iteration);
        }
        self.skipped.keep_below(iteration);
        self.skipped
    }
}

fn open(keys: &GroupKeys, message: &SenderKeyMessage<'_>) -> Result<Vec<u8>, GroupDecryptError> {
    cipher::decrypt(&keys.cipher, &keys.iv, message.ciphertext).ok_or(GroupDecryptError::InvalidCiphertext)
}

impl fmt::Debug for SenderKeyRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.states.iter().map(|state| (state.key_id, state.next))).finish()
    }
}

impl fmt::Debug for SenderKeyParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SenderKeyParts")
            .field("key_id", &self.key_id)
            .field("signing_key", &self.signing_key)
            .field("next", &self.next)
            .field("skipped", &self.skipped.len())
            .finish_non_exhaustive()
    }
}
