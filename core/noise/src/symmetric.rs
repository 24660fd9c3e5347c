//! The state that both sides of a handshake share (transport document §2.1).

use std::fmt;

use sha2::{Digest, Sha256};
use whimbrel_crypto::aead::{Aes256Gcm, TAG};
use whimbrel_crypto::curve::SharedSecret;
use whimbrel_crypto::kdf::hkdf_sha256;
use zeroize::Zeroizing;

use crate::PROLOGUE;
use crate::error::{HandshakeError, Part};
use crate::transport::{Opener, Sealer, nonce};

/// The three handshakes, by the names that begin their transcripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pattern {
    Xx,
    Ik,
    XxFallback,
}

impl Pattern {
    const fn name(self) -> &'static [u8] {
        match self {
            Self::Xx => b"Noise_XX_25519_AESGCM_SHA256",
            Self::Ik => b"Noise_IK_25519_AESGCM_SHA256",
            Self::XxFallback => b"Noise_XXfallback_25519_AESGCM_SHA256",
        }
    }
}

type Key = Zeroizing<[u8; 32]>;

/// Transcript hash, chaining key and the current cipher key.
pub(crate) struct Symmetric {
    hash: [u8; 32],
    chaining: Key,
    /// Key and number of uses. There is none before the first agreement.
    cipher: Option<(Key, u32)>,
}

impl Symmetric {
    /// Begins a transcript; the prologue is mixed in.
    pub(crate) fn new(pattern: Pattern) -> Self {
        let name = pattern.name();
        let mut hash = [0; 32];
        match hash.get_mut(..name.len()) {
            Some(start) => start.copy_from_slice(name),
            None => hash = Sha256::digest(name).into(),
        }
        let mut state = Self { hash, chaining: Zeroizing::new(hash), cipher: None };
        state.mix_hash(&PROLOGUE);
        state
    }

    pub(crate) fn mix_hash(&mut self, data: &[u8]) {
        self.hash = Sha256::new().chain_update(self.hash).chain_update(data).finalize().into();
    }

    pub(crate) fn mix_key(&mut self, agreement: &SharedSecret) {
        let (chaining, key) = self.derive(agreement.as_bytes());
        self.chaining = chaining;
        self.cipher = Some((key, 0));
    }

    fn derive(&self, input: &[u8]) -> (Key, Key) {
        let output = hkdf_sha256::<64>(input, &*self.chaining, &[]);
        let (mut first, mut second) = (Key::default(), Key::default());
        if let Some((head, tail)) = output.split_first_chunk::<32>() {
            *first = *head;
            if let Some(tail) = tail.first_chunk::<32>() {
                *second = *tail;
            }
        }
        (first, second)
    }

    /// The cipher under the current key, with the nonce of its next use.
    fn cipher(&self) -> Result<(Aes256Gcm, [u8; 12]), HandshakeError> {
        let (key, uses) = self.cipher.as_ref().ok_or(HandshakeError::Cipher)?;
        let cipher = Aes256Gcm::new(key).map_err(|_| HandshakeError::Cipher)?;
        Ok((cipher, nonce(*uses)))
    }

    fn used(&mut self, sealed: &[u8]) {
        if let Some((_, uses)) = &mut self.cipher {
            // At most two texts go under one key.
            *uses = uses.saturating_add(1);
        }
        self.mix_hash(sealed);
    }

    pub(crate) fn seal(&mut self, text: &[u8]) -> Result<Vec<u8>, HandshakeError> {
        let (cipher, nonce) = self.cipher()?;
        let mut sealed = Vec::with_capacity(text.len().saturating_add(TAG));
        sealed.extend_from_slice(text);
        let tag = cipher.seal(&nonce, &self.hash, &mut sealed).map_err(|_| HandshakeError::Cipher)?;
        sealed.extend_from_slice(&tag);
        self.used(&sealed);
        Ok(sealed)
    }

    /// Opens `part`. After a failure the state is as it was, and of no more use.
    pub(crate) fn open(&mut self, part: Part, sealed: &[u8]) -> Result<Vec<u8>, HandshakeError> {
        let (cipher, nonce) = self.cipher()?;
        let mut text = sealed.to_vec();
        let length = match cipher.open(&nonce, &self.hash, &mut text) {
            Ok(text) => text.len(),
            Err(_) => return Err(HandshakeError::Decrypt(part)),
        };
        text.truncate(length);
        self.used(sealed);
        Ok(text)
    }

    /// Ends the handshake: the cipher from client to server, and the one back.
    pub(crate) fn split(self) -> Result<(FrameKey, FrameKey), HandshakeError> {
        let (to_server, to_client) = self.derive(&[]);
        Ok((FrameKey(to_server), FrameKey(to_client)))
    }
}

impl fmt::Debug for Symmetric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Symmetric(..)")
    }
}

/// The key of one direction.
pub(crate) struct FrameKey(Key);

impl FrameKey {
    fn cipher(&self) -> Result<Aes256Gcm, HandshakeError> {
        Aes256Gcm::new(&self.0).map_err(|_| HandshakeError::Cipher)
    }

    pub(crate) fn sealer(&self) -> Result<Sealer, HandshakeError> {
        self.cipher().map(Sealer::new)
    }

    pub(crate) fn opener(&self) -> Result<Opener, HandshakeError> {
        self.cipher().map(Opener::new)
    }
}

#[cfg(test)]
mod tests;
