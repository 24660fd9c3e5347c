//! Entries as the service keeps them: under the code of their index, with their value sealed
//! (app-state document §5).

use aes::{Aes256Dec, Aes256Enc};
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use whimbrel_proto::syncd;

use crate::key::same;
use crate::{Entry, IndexMac, KeyId, Keys, MAC, SyncError, ValueMac};

/// Octets of a block of the cipher, and of its initial vector.
const BLOCK: usize = 16;

/// What a patch does with an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// Puts it in, or replaces it.
    Set,
    /// Takes it out.
    Remove,
}

impl Operation {
    /// How the operation goes into the code of a value.
    pub(crate) const fn octet(self) -> u8 {
        match self {
            Self::Set => 1,
            Self::Remove => 2,
        }
    }

    pub(crate) fn wire(self) -> i32 {
        match self {
            Self::Set => syncd::syncd_mutation::SyncdOperation::Set.into(),
            Self::Remove => syncd::syncd_mutation::SyncdOperation::Remove.into(),
        }
    }

    pub(crate) fn from_wire(number: i32) -> Option<Self> {
        [Self::Set, Self::Remove].into_iter().find(|operation| operation.wire() == number)
    }
}

/// An entry in its sealed form, of the right shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) index_mac: IndexMac,
    pub(crate) key_id: KeyId,
    /// Initial vector and ciphertext.
    sealed: Vec<u8>,
    pub(crate) value_mac: ValueMac,
}

impl Record {
    pub(crate) fn read(record: syncd::SyncdRecord) -> Result<Self, SyncError> {
        let index = record.index.and_then(|index| index.blob).unwrap_or_default();
        let index_mac =
            index.try_into().map_err(|_| SyncError::Malformed("an index of another length than 32"))?;
        let mut sealed = record.value.and_then(|value| value.blob).unwrap_or_default();
        let key_id = key_id(record.key_id.as_ref())?;
        let length =
            sealed.len().checked_sub(MAC).ok_or(SyncError::Malformed("a value that is too short"))?;
        if length < 2 * BLOCK || !length.is_multiple_of(BLOCK) {
            return Err(SyncError::Malformed("a value that is not made of whole blocks"));
        }
        let value_mac = sealed.last_chunk().copied().unwrap_or_default();
        sealed.truncate(length);
        Ok(Self { index_mac, key_id, sealed, value_mac })
    }

    pub(crate) fn write(&self) -> syncd::SyncdRecord {
        let mut blob = self.sealed.clone();
        blob.extend_from_slice(&self.value_mac);
        syncd::SyncdRecord {
            index: Some(syncd::SyncdIndex { blob: Some(self.index_mac.to_vec()) }),
            value: Some(syncd::SyncdValue { blob: Some(blob) }),
            key_id: Some(wire_key_id(self.key_id)),
        }
    }

    /// Checks and decrypts the entry.
    pub(crate) fn open(&self, operation: Operation, keys: &Keys) -> Result<Entry, SyncError> {
        if !same(&keys.value_mac(operation, self.key_id, &self.sealed), &self.value_mac) {
            return Err(SyncError::ValueMac);
        }
        let (iv, ciphertext) = self
            .sealed
            .split_first_chunk::<BLOCK>()
            .ok_or(SyncError::Malformed("a value that is too short"))?;
        let mut buffer = ciphertext.to_vec();
        let cipher = cbc::Decryptor::<Aes256Dec>::new(keys.cipher().into(), iv.into());
        let plaintext = cipher
            .decrypt_padded::<Pkcs7>(&mut buffer)
            .map_err(|_| SyncError::Malformed("a value that is not padded as it should be"))?;
        let entry = Entry::decode(plaintext)?;
        if !same(&keys.index_mac(&entry.index), &self.index_mac) {
            return Err(SyncError::IndexMac);
        }
        Ok(entry)
    }

    /// Seals an entry. An initial vector must never be used for two of them.
    pub(crate) fn seal(
        operation: Operation,
        entry: &Entry,
        key_id: KeyId,
        keys: &Keys,
        iv: &[u8; BLOCK],
    ) -> Self {
        let plaintext = entry.encode();
        let padded = (plaintext.len() / BLOCK + 1) * BLOCK;
        let mut sealed = Vec::with_capacity(BLOCK + padded);
        sealed.extend_from_slice(iv);
        sealed.extend_from_slice(&plaintext);
        sealed.resize(BLOCK + padded, 0);
        if let Some(buffer) = sealed.get_mut(BLOCK..) {
            let cipher = cbc::Encryptor::<Aes256Enc>::new(keys.cipher().into(), iv.into());
            // The buffer has room for the padding, the only thing this can complain about.
            let done = cipher.encrypt_padded::<Pkcs7>(buffer, plaintext.len());
            debug_assert!(done.is_ok());
        }
        let value_mac = keys.value_mac(operation, key_id, &sealed);
        Self { index_mac: keys.index_mac(&entry.index), key_id, sealed, value_mac }
    }
}

/// The name of a key where one must stand.
pub(crate) fn key_id(id: Option<&syncd::KeyId>) -> Result<KeyId, SyncError> {
    let id = id.and_then(|id| id.id.as_deref()).unwrap_or_default();
    KeyId::from_slice(id).ok_or(SyncError::Malformed("a key id of another length than 6"))
}

pub(crate) fn wire_key_id(id: KeyId) -> syncd::KeyId {
    syncd::KeyId { id: Some(id.as_bytes().to_vec()) }
}
