//! One double ratchet: a single session out of a record.
//!
//! Decryption is in two halves. [`SessionState::open`] takes `&self`, so a message that does not
//! authenticate cannot have changed anything; [`SessionState::accept`] moves the session on.

use core::fmt;

use hmac::Mac;
use rand_core::CryptoRng;
use whimbrel_crypto::curve::{KeyPair, PublicKey};

use crate::cipher;
use crate::kdf::{self, ChainKey, ChainStep, MessageKeys, RootKey};
use crate::message::{CiphertextKind, CiphertextMessage, MAC_LEN, PreKeyHeader, SignalHeader, SignalMessage};
use crate::sending::SendingChain;
use crate::session::SkippedKey;
use crate::skipped::SkippedKeys;
use crate::x3dh::{self, Bundle, Initiated, OurKeys};
use crate::{BundleError, DecryptError, EncryptError, MAX_PLAINTEXT, PreKeySignalMessage};

/// Receiving chains kept; messages of older ones cannot be read any more.
pub(crate) const MAX_RECEIVING_CHAINS: usize = 5;

/// A chain of the other side.
#[derive(Clone)]
pub(crate) struct ReceivingChain {
    /// The other side's ratchet key.
    pub(crate) ratchet_key: PublicKey,
    /// Chain key of `next`.
    pub(crate) key: ChainKey,
    /// The position expected next.
    pub(crate) next: u32,
    pub(crate) skipped: SkippedKeys<SkippedKey>,
}

/// What a session tells about its making until the other side has answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PendingPreKey {
    /// Our own registration id.
    pub registration_id: u32,
    /// The other device's signed prekey that we used.
    pub signed_prekey_id: u32,
    /// The other device's one-time prekey that we used, if it had one.
    pub one_time_prekey_id: Option<u32>,
}

#[derive(Clone)]
pub(crate) struct SessionState {
    pub(crate) local_identity: PublicKey,
    pub(crate) remote_identity: PublicKey,
    pub(crate) remote_registration_id: u32,
    /// The initiator's base key: the session's name.
    pub(crate) base_key: PublicKey,
    pub(crate) root: RootKey,
    pub(crate) ratchet: KeyPair,
    pub(crate) sending: SendingChain,
    /// Last position used in the sending chain before this one.
    pub(crate) previous_counter: u32,
    /// Oldest first.
    pub(crate) receiving: Vec<ReceivingChain>,
    pub(crate) pending: Option<PendingPreKey>,
}

/// A message that has authenticated, and what it does to its session.
pub(crate) struct Opened {
    plaintext: Vec<u8>,
    counter: u32,
    place: Place,
}

enum Place {
    /// A passed position of a known chain.
    Skipped { chain: usize },
    /// Ahead in a known chain; with the chain key behind the message.
    Ahead { chain: usize, after: ChainKey },
    /// First of a new chain: the step's root, the chain key of position 0 and that behind the message.
    NewChain { ratchet_key: PublicKey, root: RootKey, start: ChainKey, after: ChainKey },
}

impl SessionState {
    /// A session that we start.
    pub(crate) fn initiate<R: CryptoRng>(
        identity: &KeyPair,
        registration_id: u32,
        bundle: &Bundle,
        rng: &mut R,
    ) -> Result<Self, BundleError> {
        let Initiated { base_key, ratchet, root, sending } = x3dh::initiate(&identity.private, bundle, rng)?;
        Ok(SessionState {
            local_identity: identity.public,
            remote_identity: bundle.identity,
            remote_registration_id: bundle.registration_id,
            base_key,
            root,
            ratchet,
            sending: SendingChain::new(sending, 0),
            previous_counter: 0,
            receiving: Vec::new(),
            pending: Some(PendingPreKey {
                registration_id,
                signed_prekey_id: bundle.signed_prekey_id,
                one_time_prekey_id: bundle.one_time_prekey.map(|(id, _)| id),
            }),
        })
    }

    /// A session that the other side starts with `message`; nothing is proven until it opens.
    pub(crate) fn respond(
        message: &PreKeySignalMessage<'_>,
        keys: &OurKeys<'_>,
    ) -> Result<Self, DecryptError> {
        let signed_prekey =
            keys.signed_prekey.ok_or(DecryptError::InvalidSignedPreKeyId(message.signed_prekey_id))?;
        let one_time = match message.prekey_id {
            None => None,
            Some(id) => Some(&keys.one_time_prekey.ok_or(DecryptError::InvalidPreKeyId(id))?.private),
        };
        let (root, chain) = x3dh::respond(
            &keys.identity.private,
            &signed_prekey.private,
            one_time,
            &message.identity,
            &message.base_key,
        )?;
        Ok(SessionState {
            local_identity: keys.identity.public,
            remote_identity: message.identity,
            remote_registration_id: message.registration_id,
            base_key: message.base_key,
            root,
            ratchet: signed_prekey.clone(),
            sending: SendingChain::new(chain, 0),
            previous_counter: 0,
            receiving: Vec::new(),
            pending: None,
        })
    }

    pub(crate) fn encrypt(&mut self, plaintext: &[u8]) -> Result<CiphertextMessage, EncryptError> {
        if plaintext.len() > MAX_PLAINTEXT {
            return Err(EncryptError::TooLong);
        }
        let (counter, seed) = self.sending.take().ok_or(EncryptError::ChainUsedUp)?;
        let keys = seed.message_keys();
        let header = SignalHeader {
            ratchet_key: &self.ratchet.public,
            counter,
            previous_counter: self.previous_counter,
            ciphertext_len: cipher::encrypted_len(plaintext.len()),
        };
        let Some(pending) = &self.pending else {
            let mut bytes = Vec::with_capacity(header.message_len());
            self.put_message(&mut bytes, &header, &keys, plaintext);
            return Ok(CiphertextMessage { kind: CiphertextKind::Message, bytes });
        };
        let outer = PreKeyHeader {
            registration_id: pending.registration_id,
            prekey_id: pending.one_time_prekey_id,
            signed_prekey_id: pending.signed_prekey_id,
            base_key: &self.base_key,
            identity: &self.local_identity,
            message_len: header.message_len(),
        };
        let mut bytes = Vec::with_capacity(outer.len());
        outer.put(&mut bytes);
        self.put_message(&mut bytes, &header, &keys, plaintext);
        outer.put_end(&mut bytes);
        Ok(CiphertextMessage { kind: CiphertextKind::PreKey, bytes })
    }

    fn put_message(
        &self,
        out: &mut Vec<u8>,
        header: &SignalHeader<'_>,
        keys: &MessageKeys,
        plaintext: &[u8],
    ) {
        let start = out.len();
        header.put(out);
        cipher::encrypt_onto(out, &keys.cipher, &keys.iv, plaintext);
        let message = out.get(start..).unwrap_or_default();
        let mac =
            message_mac(keys, &self.local_identity, &self.remote_identity, message).finalize().into_bytes();
        out.extend(mac.iter().take(MAC_LEN));
    }

    /// Authenticates and decrypts without changing the session.
    pub(crate) fn open(&self, message: &SignalMessage<'_>, max_jump: u32) -> Result<Opened, DecryptError> {
        let mut known = self.receiving.iter().enumerate().rev();
        let known = known.find(|(_, chain)| chain.ratchet_key == message.ratchet_key);
        let counter = message.counter;
        let (keys, place) = match known {
            Some((index, chain)) if counter < chain.next => {
                let key = chain.skipped.get(counter).ok_or(DecryptError::Duplicate { counter })?;
                (key.message_keys(), Place::Skipped { chain: index })
            }
            Some((index, chain)) => {
                let ChainStep { seed, next } = step_ahead(&chain.key, chain.next, counter, max_jump)?;
                (seed.message_keys(), Place::Ahead { chain: index, after: next })
            }
            None => {
                let agreement = self.ratchet.private.agree(&message.ratchet_key);
                let agreement = agreement.map_err(|_| DecryptError::InvalidKey)?;
                let (root, start) = self.root.step(&agreement);
                let ChainStep { seed, next } = step_ahead(&start, 0, counter, max_jump)?;
                let ratchet_key = message.ratchet_key;
                (seed.message_keys(), Place::NewChain { ratchet_key, root, start, after: next })
            }
        };
        message_mac(&keys, &self.remote_identity, &self.local_identity, message.authenticated)
            .verify_truncated_left(message.mac)
            .map_err(|_| DecryptError::BadMac)?;
        let plaintext = cipher::decrypt(&keys.cipher, &keys.iv, message.ciphertext)
            .ok_or(DecryptError::InvalidCiphertext)?;
        Ok(Opened { plaintext, counter, place })
    }

    /// Moves the session behind a message that [`open`](Self::open) has authenticated, and returns the
    /// plaintext. Draws a ratchet key if the message began a new chain.
    pub(crate) fn accept<R: CryptoRng>(
        &mut self,
        opened: Opened,
        rng: &mut R,
    ) -> Result<Vec<u8>, DecryptError> {
        let Opened { plaintext, counter, place } = opened;
        match place {
            Place::Skipped { chain } => {
                if let Some(chain) = self.receiving.get_mut(chain) {
                    chain.skipped.remove(counter);
                }
            }
            Place::Ahead { chain, after } => {
                if let Some(chain) = self.receiving.get_mut(chain) {
                    chain.pass(counter, after);
                }
            }
            Place::NewChain { ratchet_key, root, start, after } => {
                // Whatever can fail comes before the first change.
                let ratchet = KeyPair::generate(rng);
                let agreement = ratchet.private.agree(&ratchet_key).map_err(|_| DecryptError::InvalidKey)?;
                let (root, sending) = root.step(&agreement);
                let mut chain =
                    ReceivingChain { ratchet_key, key: start, next: 0, skipped: SkippedKeys::default() };
                chain.pass(counter, after);
                if self.receiving.len() >= MAX_RECEIVING_CHAINS {
                    self.receiving.remove(0);
                }
                self.receiving.push(chain);
                self.root = root;
                self.previous_counter = self.sending.position().saturating_sub(1);
                self.ratchet = ratchet;
                self.sending = SendingChain::new(sending, 0);
            }
        }
        self.pending = None;
        Ok(plaintext)
    }
}

impl ReceivingChain {
    /// Moves behind `counter`, which is not below `next`, keeping the seeds of the positions between.
    fn pass(&mut self, counter: u32, after: ChainKey) {
        if counter > self.next {
            self.skipped.walk(&self.key, self.next, counter);
        }
        self.key = after;
        // `step_ahead` has refused the only counter that has no successor.
        self.next = counter.saturating_add(1);
    }
}

/// The step at `counter` of a chain that stands at `next`, if it is not too far.
///
/// Seeds of the positions between are not derived here: a forged message shall cost as little as possible.
fn step_ahead(key: &ChainKey, next: u32, counter: u32, max_jump: u32) -> Result<ChainStep, DecryptError> {
    let ahead = counter.saturating_sub(next);
    if ahead > max_jump || counter == u32::MAX {
        return Err(DecryptError::FutureMessage { ahead });
    }
    Ok(if ahead == 0 { key.step() } else { key.advanced(ahead).step() })
}

/// The code covers both identities of the session, sender first, and the message before the code.
fn message_mac(
    keys: &MessageKeys,
    sender: &PublicKey,
    receiver: &PublicKey,
    message: &[u8],
) -> kdf::HmacSha256 {
    let mut mac = kdf::keyed(&keys.mac);
    mac.update(&sender.to_typed());
    mac.update(&receiver.to_typed());
    mac.update(message);
    mac
}

impl fmt::Debug for SessionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionState")
            .field("base_key", &self.base_key)
            .field("remote_identity", &self.remote_identity)
            .field("sent", &self.sending.position())
            .field("receiving_chains", &self.receiving.len())
            .field("unacknowledged", &self.pending.is_some())
            .finish_non_exhaustive()
    }
}
