//! Key derivation: chains, message keys, root steps.
//!
//! Every derivation is a handful of HMAC-SHA256 over short inputs. The keyed state of an HMAC is made
//! once and used for all inputs under that key, and the state for the all-zero salt once per process:
//! together that is a third of the hashing of a message.

use core::fmt;
use std::sync::LazyLock;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use whimbrel_crypto::curve::SharedSecret;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

pub(crate) type HmacSha256 = Hmac<Sha256>;

/// HKDF without a salt is HKDF with 32 zero octets.
static ZERO_SALT: LazyLock<HmacSha256> = LazyLock::new(|| keyed(&[0; 32]));

pub(crate) fn keyed(key: &[u8; 32]) -> HmacSha256 {
    // A key of 32 octets is zero-padded to the block; this form of the constructor cannot fail.
    let mut block = Zeroizing::new([0; 64]);
    if let Some((head, _)) = block.split_first_chunk_mut::<32>() {
        *head = *key;
    }
    HmacSha256::new((&*block).into())
}

fn mac(keyed: &HmacSha256, parts: &[&[u8]]) -> [u8; 32] {
    let mut hmac = keyed.clone();
    for part in parts {
        hmac.update(part);
    }
    hmac.finalize().into_bytes().into()
}

/// HKDF-SHA256; `output` is at most 255 times 32 octets long, and here always of a fixed size.
fn hkdf(salt: &HmacSha256, input: &[u8], info: &[u8], output: &mut [u8]) {
    let prk = Zeroizing::new(mac(salt, &[input]));
    let expand = keyed(&prk);
    let mut previous = Zeroizing::new([0; 32]);
    let mut first = true;
    for (round, chunk) in (1u8..).zip(output.chunks_mut(32)) {
        let before: &[u8] = if first { &[] } else { &*previous };
        first = false;
        *previous = mac(&expand, &[before, info, &[round]]);
        for (to, from) in chunk.iter_mut().zip(previous.iter()) {
            *to = *from;
        }
    }
}

/// 32 secret octets of a chain.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub(crate) struct ChainKey([u8; 32]);

/// The one step a chain key allows: the seed of this position's message keys, and the next chain key.
pub(crate) struct ChainStep {
    pub(crate) seed: Seed,
    pub(crate) next: ChainKey,
}

impl ChainKey {
    pub(crate) fn new(bytes: [u8; 32]) -> Self {
        ChainKey(bytes)
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Seed and next key.
    pub(crate) fn step(&self) -> ChainStep {
        let chain = keyed(&self.0);
        ChainStep { seed: Seed(mac(&chain, &[&[1]])), next: ChainKey(mac(&chain, &[&[2]])) }
    }

    /// The next key alone.
    pub(crate) fn next(&self) -> ChainKey {
        ChainKey(mac(&keyed(&self.0), &[&[2]]))
    }

    /// The key `count` positions on.
    pub(crate) fn advanced(&self, count: u32) -> ChainKey {
        let mut key = self.clone();
        for _ in 0..count {
            key = key.next();
        }
        key
    }
}

impl fmt::Debug for ChainKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChainKey(..)")
    }
}

/// The secret that the keys of one message come from.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Seed([u8; 32]);

impl Seed {
    /// A seed from its octets.
    pub fn new(octets: [u8; 32]) -> Self {
        Seed(octets)
    }

    /// Its octets.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Keys of a 1:1 message.
    pub fn message_keys(&self) -> MessageKeys {
        let mut output = Zeroizing::new([0; 80]);
        hkdf(&ZERO_SALT, &self.0, b"WhisperMessageKeys", &mut *output);
        let mut keys = MessageKeys { cipher: [0; 32], mac: [0; 32], iv: [0; 16] };
        let mut from = output.iter();
        for (to, from) in keys.cipher.iter_mut().chain(&mut keys.mac).chain(&mut keys.iv).zip(&mut from) {
            *to = *from;
        }
        keys
    }

    /// Keys of a group message.
    pub fn group_keys(&self) -> GroupKeys {
        let mut output = Zeroizing::new([0; 48]);
        hkdf(&ZERO_SALT, &self.0, b"WhisperGroup", &mut *output);
        let mut keys = GroupKeys { iv: [0; 16], cipher: [0; 32] };
        for (to, from) in keys.iv.iter_mut().chain(&mut keys.cipher).zip(output.iter()) {
            *to = *from;
        }
        keys
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(..)")
    }
}

/// What one 1:1 message is encrypted and authenticated with.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct MessageKeys {
    /// AES key.
    pub cipher: [u8; 32],
    /// Key of the authentication code.
    pub mac: [u8; 32],
    /// Initialisation vector.
    pub iv: [u8; 16],
}

impl fmt::Debug for MessageKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MessageKeys(..)")
    }
}

/// What one group message is encrypted with.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct GroupKeys {
    /// Initialisation vector.
    pub iv: [u8; 16],
    /// AES key.
    pub cipher: [u8; 32],
}

impl fmt::Debug for GroupKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GroupKeys(..)")
    }
}

/// 32 secret octets that ratchet steps start from.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub(crate) struct RootKey([u8; 32]);

impl RootKey {
    pub(crate) fn new(bytes: [u8; 32]) -> Self {
        RootKey(bytes)
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Root and chain of a session from the concatenated agreements of X3DH.
    pub(crate) fn from_agreements(secret: &[u8]) -> (RootKey, ChainKey) {
        root_and_chain(&ZERO_SALT, secret, b"WhisperText")
    }

    /// The ratchet step under an agreement of two ratchet keys.
    pub(crate) fn step(&self, agreement: &SharedSecret) -> (RootKey, ChainKey) {
        root_and_chain(&keyed(&self.0), agreement.as_bytes(), b"WhisperRatchet")
    }
}

fn root_and_chain(salt: &HmacSha256, input: &[u8], info: &[u8]) -> (RootKey, ChainKey) {
    let mut output = Zeroizing::new([[0; 32]; 2]);
    hkdf(salt, input, info, output.as_flattened_mut());
    let [root, chain] = *output;
    (RootKey(root), ChainKey(chain))
}
