//! The block cipher on whole blocks in a buffer, and its padding.

use aes::{Aes256Dec, Aes256Enc};
use cbc::cipher::array::Array;
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};

use super::BLOCK;
use super::keys::MediaKeys;

pub(super) struct Encrypting(cbc::Encryptor<Aes256Enc>);

impl Encrypting {
    pub(super) fn new(keys: &MediaKeys) -> Self {
        Self(cbc::Encryptor::new((&keys.cipher).into(), (&keys.iv).into()))
    }

    /// Encrypts whole blocks where they stand.
    pub(super) fn blocks(&mut self, blocks: &mut [u8]) {
        let (blocks, rest) = Array::slice_as_chunks_mut(blocks);
        debug_assert!(rest.is_empty());
        self.0.encrypt_blocks(blocks);
    }
}

pub(super) struct Decrypting(cbc::Decryptor<Aes256Dec>);

impl Decrypting {
    /// Decrypts blocks that follow `before`: the initial vector, or the block before the first one.
    pub(super) fn new(keys: &MediaKeys, before: &[u8; BLOCK]) -> Self {
        Self(cbc::Decryptor::new((&keys.cipher).into(), before.into()))
    }

    /// Decrypts whole blocks where they stand, several at once.
    pub(super) fn blocks(&mut self, blocks: &mut [u8]) {
        let (blocks, rest) = Array::slice_as_chunks_mut(blocks);
        debug_assert!(rest.is_empty());
        self.0.decrypt_blocks(blocks);
    }
}

/// The last block of a file, padded: every added octet is their number.
pub(super) fn padded(rest: &[u8]) -> [u8; BLOCK] {
    let missing = BLOCK.saturating_sub(rest.len());
    let mut block = [u8::try_from(missing).unwrap_or(0); BLOCK];
    for (to, from) in block.iter_mut().zip(rest) {
        *to = *from;
    }
    block
}

/// What of a last block belongs to the file; `None` if it is not padded as it should be.
pub(super) fn unpadded(block: &[u8]) -> Option<&[u8]> {
    let last = *block.last()?;
    let added = usize::from(last);
    if added == 0 || added > BLOCK {
        return None;
    }
    let (text, padding) = block.split_at_checked(block.len().checked_sub(added)?)?;
    padding.iter().all(|octet| *octet == last).then_some(text)
}
