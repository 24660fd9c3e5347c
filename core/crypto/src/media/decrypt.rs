//! Decryption of a blob as it comes, and what is checked about it (media document §3.3).

use std::fmt;

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::cipher::{Decrypting, unpadded};
use super::keys::MediaKeys;
use super::{BLOCK, BLOCK_LENGTH, MAC, MAC_LENGTH, SHORTEST_BLOB, STEP, shortened};

/// What is kept back until the end is known: the last block and the code.
const KEPT: usize = BLOCK + MAC;

/// Why a blob was refused; the checks stand in the order in which they are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum MediaError {
    /// The blob is not the one the message names. Another host may have it.
    #[error("the encrypted file is not the one that was announced")]
    EncryptedHash,
    /// The blob is shorter than any can be. Another host may have all of it.
    #[error("the encrypted file is too short")]
    TooShort,
    /// The code does not match: another key, another type, or changed on the way.
    #[error("the encrypted file was not made with this key, or was changed")]
    Mac,
    /// The blob does not consist of whole blocks, although its sender made it so.
    #[error("the encrypted file does not consist of whole blocks")]
    Length,
    /// The last block is not padded as it should be, although its sender made it so.
    #[error("the encrypted file is not padded as it should be")]
    Padding,
    /// The file is not the one the message names, although its sender made it so.
    #[error("the file is not the one that was announced")]
    PlainHash,
}

/// What a message says about a file. What it leaves out is not checked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Expected {
    /// SHA-256 of the blob.
    pub file_enc_sha256: Option<[u8; 32]>,
    /// SHA-256 of the file.
    pub file_sha256: Option<[u8; 32]>,
}

/// What a blob turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decrypted {
    /// SHA-256 of the file.
    pub file_sha256: [u8; 32],
    /// SHA-256 of the blob.
    pub file_enc_sha256: [u8; 32],
    /// Length of the file.
    pub file_length: u64,
}

/// Decrypts a blob that comes in chunks. Keeps less than three blocks of it.
///
/// Nothing that [`update`](Self::update) gives out is authentic before [`finish`](Self::finish) has
/// said so: write it where nobody looks, and throw it away on an error. Where the blob can be read
/// twice, a [`BlobCheck`] before spares this care.
pub struct Decryptor {
    seal: Seal,
    cipher: Decrypting,
    plain: Sha256,
    expected: Option<[u8; 32]>,
    file_length: u64,
}

impl Decryptor {
    /// Begins a blob.
    pub fn new(keys: &MediaKeys, expected: &Expected) -> Self {
        Self {
            seal: Seal::new(keys, expected.file_enc_sha256),
            cipher: Decrypting::new(keys, keys.iv()),
            plain: Sha256::new(),
            expected: expected.file_sha256,
            file_length: 0,
        }
    }

    /// Takes the next octets of the blob and appends to `out` what there is of the file so far.
    pub fn update(&mut self, chunk: &[u8], out: &mut Vec<u8>) {
        out.reserve(chunk.len().saturating_add(KEPT));
        for part in chunk.chunks(STEP) {
            let start = out.len();
            self.seal.update(part, |blocks| out.extend_from_slice(blocks));
            let new = out.get_mut(start..).unwrap_or_default();
            self.cipher.blocks(new);
            self.plain.update(&*new);
            self.file_length = self.file_length.saturating_add(u64::try_from(new.len()).unwrap_or(u64::MAX));
        }
    }

    /// Ends the blob, makes all the checks and appends the rest of the file to `out`.
    ///
    /// # Errors
    /// The first check that fails; what was given out before is then worthless.
    pub fn finish(mut self, out: &mut Vec<u8>) -> Result<Decrypted, MediaError> {
        let (file_enc_sha256, last) = self.seal.finish()?;
        let mut last = Zeroizing::new(last);
        self.cipher.blocks(&mut *last);
        let text = unpadded(&*last).ok_or(MediaError::Padding)?;
        self.plain.update(text);
        let file_sha256 = self.plain.finalize().into();
        if self.expected.is_some_and(|expected| expected != file_sha256) {
            return Err(MediaError::PlainHash);
        }
        out.extend_from_slice(text);
        let file_length = self.file_length.saturating_add(u64::try_from(text.len()).unwrap_or(u64::MAX));
        Ok(Decrypted { file_sha256, file_enc_sha256, file_length })
    }
}

impl fmt::Debug for Decryptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decryptor").field("file_length", &self.file_length).finish_non_exhaustive()
    }
}

/// Makes the checks that need no decryption, on a blob that comes in chunks: what is read
/// afterwards is authentic from its first octet on, as the parser of a history chunk wants it.
pub struct BlobCheck(Seal);

impl BlobCheck {
    /// Begins a blob.
    pub fn new(keys: &MediaKeys, expected: &Expected) -> Self {
        Self(Seal::new(keys, expected.file_enc_sha256))
    }

    /// Takes the next octets of the blob.
    pub fn update(&mut self, chunk: &[u8]) {
        for part in chunk.chunks(STEP) {
            self.0.update(part, |_| ());
        }
    }

    /// Ends the blob and returns its SHA-256.
    ///
    /// # Errors
    /// The first check that fails, up to [`MediaError::Length`].
    pub fn finish(self) -> Result<[u8; 32], MediaError> {
        self.0.finish().map(|(hash, _)| hash)
    }
}

impl fmt::Debug for BlobCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlobCheck").field("blob_length", &self.0.length).finish_non_exhaustive()
    }
}

/// Everything about a blob but its decryption.
struct Seal {
    blob: Sha256,
    mac: Hmac<Sha256>,
    expected: Option<[u8; 32]>,
    /// Between `KEPT` octets and a block more, once there are as many.
    kept: [u8; KEPT + BLOCK],
    kept_length: usize,
    length: u64,
}

impl Seal {
    fn new(keys: &MediaKeys, expected: Option<[u8; 32]>) -> Self {
        let mut mac = keys.mac().begin();
        mac.update(keys.iv());
        Self { blob: Sha256::new(), mac, expected, kept: [0; KEPT + BLOCK], kept_length: 0, length: 0 }
    }

    /// Gives out whole blocks that are certainly not the last one.
    fn update(&mut self, chunk: &[u8], mut give: impl FnMut(&[u8])) {
        self.length = self.length.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
        let total = self.kept_length.saturating_add(chunk.len());
        let ready = total.saturating_sub(KEPT) / BLOCK * BLOCK;
        let of_kept = ready.min(self.kept_length);
        let (first, still_kept) = self.kept.split_at(of_kept);
        let still_kept = still_kept.get(..self.kept_length.saturating_sub(of_kept)).unwrap_or_default();
        let (second, new) = chunk.split_at(ready.saturating_sub(of_kept).min(chunk.len()));
        for blocks in [first, second] {
            self.blob.update(blocks);
            self.mac.update(blocks);
            give(blocks);
        }
        let mut kept = [0; KEPT + BLOCK];
        for (to, from) in kept.iter_mut().zip(still_kept.iter().chain(new)) {
            *to = *from;
        }
        self.kept = kept;
        self.kept_length = total.saturating_sub(ready);
    }

    /// The hash and the last block.
    fn finish(mut self) -> Result<([u8; 32], [u8; BLOCK]), MediaError> {
        let kept = self.kept.get(..self.kept_length).unwrap_or_default();
        self.blob.update(kept);
        let hash: [u8; 32] = self.blob.finalize().into();
        if self.expected.is_some_and(|expected| expected != hash) {
            return Err(MediaError::EncryptedHash);
        }
        if self.length < SHORTEST_BLOB {
            return Err(MediaError::TooShort);
        }
        let (rest, code) = kept.split_last_chunk::<MAC>().ok_or(MediaError::TooShort)?;
        self.mac.update(rest);
        if !bool::from(shortened(self.mac).ct_eq(code)) {
            return Err(MediaError::Mac);
        }
        if !self.length.saturating_sub(MAC_LENGTH).is_multiple_of(BLOCK_LENGTH) {
            return Err(MediaError::Length);
        }
        // A whole number of blocks leaves exactly one with the code.
        Ok((hash, rest.try_into().map_err(|_| MediaError::Length)?))
    }
}
