//! The key that we encrypt to a group with.

use core::fmt;

use rand_core::CryptoRng;
use whimbrel_crypto::curve::KeyPair;

use crate::cipher;
use crate::kdf::ChainKey;
use crate::message::{SIGNATURE_LEN, SenderKeyDistributionMessage, SenderKeyHeader};
use crate::sending::SendingChain;
use crate::store::{KEY_PAIR_LEN, Reader, Writer};
use crate::{EncryptError, MAX_PLAINTEXT, RecordError};

const FORMAT: u8 = 1;

/// Our own sender key for one group.
///
/// Members can read what is encrypted after the distribution message that they got. A new key (and
/// new distribution) is needed when somebody may no longer read.
///
/// As with [`SessionRecord`](crate::SessionRecord#durability), what [`encrypt`](Self::encrypt) returns
/// must not leave before the key's state is durable or covered by a stored lease.
#[derive(Clone)]
pub struct OwnSenderKey {
    key_id: u32,
    chain: SendingChain,
    signing: KeyPair,
}

impl OwnSenderKey {
    /// A new key. Draws its id (four octets, again if zero), its chain key and its signing key.
    pub fn generate<R: CryptoRng>(rng: &mut R) -> Self {
        let key_id = loop {
            let mut octets = [0; 4];
            rng.fill_bytes(&mut octets);
            match u32::from_le_bytes(octets) & 0x7fff_ffff {
                0 => {}
                id => break id,
            }
        };
        let mut chain = [0; 32];
        rng.fill_bytes(&mut chain);
        Self::from_parts(key_id, chain, 0, KeyPair::generate(rng))
    }

    /// A key taken over from another store; `iteration` is the one that the next message takes.
    pub fn from_parts(key_id: u32, chain_key: [u8; 32], iteration: u32, signing: KeyPair) -> Self {
        OwnSenderKey { key_id, chain: SendingChain::new(ChainKey::new(chain_key), iteration), signing }
    }

    /// The key's id.
    pub fn key_id(&self) -> u32 {
        self.key_id
    }

    /// The iteration that the next message takes.
    pub fn iteration(&self) -> u32 {
        self.chain.position()
    }

    /// Key of the chain at [`iteration`](Self::iteration), for moving it to another store.
    pub fn chain_key(&self) -> &[u8; 32] {
        self.chain.key().as_bytes()
    }

    /// The signing key, for moving it to another store.
    pub fn signing_key(&self) -> &KeyPair {
        &self.signing
    }

    /// What a member needs to read from the next message on: make it *before* encrypting that message.
    pub fn distribution(&self) -> SenderKeyDistributionMessage {
        SenderKeyDistributionMessage {
            key_id: self.key_id,
            iteration: self.chain.position(),
            chain: self.chain.key().clone(),
            signing_key: self.signing.public,
        }
    }

    /// Encrypts one message to the group and signs it. Draws the 64 octets of the signature's nonce.
    pub fn encrypt<R: CryptoRng>(&mut self, plaintext: &[u8], rng: &mut R) -> Result<Vec<u8>, EncryptError> {
        if plaintext.len() > MAX_PLAINTEXT {
            return Err(EncryptError::TooLong);
        }
        let (iteration, seed) = self.chain.take().ok_or(EncryptError::ChainUsedUp)?;
        let keys = seed.group_keys();
        let ciphertext_len = cipher::encrypted_len(plaintext.len());
        let header = SenderKeyHeader { key_id: self.key_id, iteration, ciphertext_len };
        let mut out = Vec::with_capacity(header.message_len());
        header.put(&mut out);
        cipher::encrypt_onto(&mut out, &keys.cipher, &keys.iv, plaintext);
        let mut nonce = [0; SIGNATURE_LEN];
        rng.fill_bytes(&mut nonce);
        let signature = self.signing.private.sign(&[&out], &nonce);
        out.extend_from_slice(&signature);
        Ok(out)
    }

    /// Declares the next `count` iterations as used up in the stored form; at most
    /// [`MAX_LEASE`](crate::MAX_LEASE).
    pub fn lease(&mut self, count: u32) {
        self.chain.lease(count);
    }

    /// How many encryptions the stored lease still covers.
    pub fn lease_left(&self) -> u32 {
        self.chain.lease_left()
    }

    /// Gives unused iterations back; store the key afterwards.
    pub fn end_lease(&mut self) {
        self.chain.end_lease();
    }

    /// The form to store. It holds secrets, and it counts leased iterations as used.
    pub fn serialize(&self) -> Vec<u8> {
        let mut out = Writer::new(FORMAT, 4 + SendingChain::STORED_LEN + KEY_PAIR_LEN);
        out.u32(self.key_id);
        self.chain.write(&mut out);
        out.key_pair(&self.signing);
        out.finish()
    }

    /// Reads the stored form and continues behind the lease that was stored with it.
    pub fn deserialize(bytes: &[u8]) -> Result<Self, RecordError> {
        let mut input = Reader::new(bytes, FORMAT)?;
        let key_id = input.u32()?;
        let chain = SendingChain::read(&mut input)?;
        let signing = input.key_pair()?;
        input.finish()?;
        Ok(OwnSenderKey { key_id, chain, signing })
    }
}

impl fmt::Debug for OwnSenderKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnSenderKey")
            .field("key_id", &self.key_id)
            .field("iteration", &self.chain.position())
            .finish_non_exhaustive()
    }
}
