//! Reading and writing of stored records.
//!
//! One octet of format number, then fixed-width little-endian fields in a fixed order. A record of an
//! ordinary contact is a few hundred octets and is written without intermediate structures.

use whimbrel_crypto::curve::{KeyPair, PrivateKey, PublicKey};

use crate::RecordError;
use crate::kdf::{MessageKeys, Seed};
use crate::session::SkippedKey;
use crate::skipped::{MAX_SKIPPED, SkippedKeys};

/// Writes into a buffer of the right size: a buffer that grew would leave copies of secrets behind.
pub(crate) struct Writer {
    out: Vec<u8>,
}

impl Writer {
    pub(crate) fn new(format: u8, capacity: usize) -> Self {
        let mut out = Vec::with_capacity(1 + capacity);
        out.push(format);
        Writer { out }
    }

    pub(crate) fn u8(&mut self, value: u8) {
        self.out.push(value);
    }

    pub(crate) fn u32(&mut self, value: u32) {
        self.out.extend_from_slice(&value.to_le_bytes());
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    pub(crate) fn key_pair(&mut self, pair: &KeyPair) {
        self.bytes(pair.private.as_bytes());
        self.bytes(pair.public.as_bytes());
    }

    pub(crate) fn skipped<K: StoredKey>(&mut self, keys: &SkippedKeys<K>) {
        self.u32(keys.len() as u32);
        for (position, key) in keys.iter() {
            self.u32(position);
            key.write(self);
        }
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.out
    }
}

/// The key of a passed position in its stored form.
pub(crate) trait StoredKey: From<Seed> {
    fn stored_len(&self) -> usize;
    fn write(&self, out: &mut Writer);
    fn read(input: &mut Reader<'_>) -> Result<Self, RecordError>;
}

impl StoredKey for Seed {
    fn stored_len(&self) -> usize {
        32
    }

    fn write(&self, out: &mut Writer) {
        out.bytes(self.as_bytes());
    }

    fn read(input: &mut Reader<'_>) -> Result<Self, RecordError> {
        input.array().map(Seed::new)
    }
}

impl StoredKey for SkippedKey {
    fn stored_len(&self) -> usize {
        match self {
            SkippedKey::Seed(seed) => 1 + seed.stored_len(),
            SkippedKey::Derived(_) => 1 + 80,
        }
    }

    fn write(&self, out: &mut Writer) {
        match self {
            SkippedKey::Seed(seed) => {
                out.u8(0);
                seed.write(out);
            }
            SkippedKey::Derived(keys) => {
                out.u8(1);
                out.bytes(&keys.cipher);
                out.bytes(&keys.mac);
                out.bytes(&keys.iv);
            }
        }
    }

    fn read(input: &mut Reader<'_>) -> Result<Self, RecordError> {
        match input.u8()? {
            0 => Seed::read(input).map(SkippedKey::Seed),
            1 => Ok(SkippedKey::Derived(Box::new(MessageKeys {
                cipher: input.array()?,
                mac: input.array()?,
                iv: input.array()?,
            }))),
            _ => Err(RecordError::Damaged("a passed position has an unknown kind of key")),
        }
    }
}

/// Octets that [`Writer::skipped`] appends.
pub(crate) fn skipped_len<K: StoredKey>(keys: &SkippedKeys<K>) -> usize {
    4 + keys.iter().map(|(_, key)| 4 + key.stored_len()).sum::<usize>()
}

/// Octets that [`Writer::key_pair`] appends.
pub(crate) const KEY_PAIR_LEN: usize = 64;

/// Reads fields one after the other.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Starts behind the format octet, which must be `format`.
    pub(crate) fn new(input: &'a [u8], format: u8) -> Result<Self, RecordError> {
        match input.split_first() {
            Some((found, rest)) if *found == format => Ok(Reader { rest }),
            Some((found, _)) if *found > format => Err(RecordError::NewerFormat(*found)),
            Some(_) => Err(RecordError::Damaged("format zero was never written")),
            None => Err(RecordError::Damaged("it is empty")),
        }
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], RecordError> {
        let (head, rest) = self.rest.split_first_chunk().ok_or(RecordError::Damaged("it ends too early"))?;
        self.rest = rest;
        Ok(*head)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, RecordError> {
        self.array::<1>().map(|[octet]| octet)
    }

    /// An octet that says yes or no.
    pub(crate) fn flag(&mut self) -> Result<bool, RecordError> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(RecordError::Damaged("a flag is neither set nor clear")),
        }
    }

    pub(crate) fn u32(&mut self) -> Result<u32, RecordError> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn public_key(&mut self) -> Result<PublicKey, RecordError> {
        self.array().map(PublicKey::from_bytes)
    }

    pub(crate) fn key_pair(&mut self) -> Result<KeyPair, RecordError> {
        // Both halves are stored: deriving the public one costs as much as an agreement.
        let private = PrivateKey::from_bytes(self.array()?);
        Ok(KeyPair { private, public: self.public_key()? })
    }

    /// A count that must not exceed `most`.
    pub(crate) fn count(&mut self, most: usize) -> Result<usize, RecordError> {
        let count = self.u8()?.into();
        if count > most {
            return Err(RecordError::Damaged("it holds more entries than are ever kept"));
        }
        Ok(count)
    }

    pub(crate) fn skipped<K: StoredKey>(&mut self, below: u32) -> Result<SkippedKeys<K>, RecordError> {
        let count = self.u32()?;
        if count as usize > MAX_SKIPPED {
            return Err(RecordError::Damaged("it holds more passed positions than are ever kept"));
        }
        let mut keys = SkippedKeys::default();
        let mut lowest = 0;
        for _ in 0..count {
            let position = self.u32()?;
            if position < lowest || position >= below {
                return Err(RecordError::Damaged("a passed position is out of order"));
            }
            lowest = position.saturating_add(1);
            let key = K::read(self)?;
            keys.push(position, key);
        }
        Ok(keys)
    }

    pub(crate) fn finish(self) -> Result<(), RecordError> {
        if self.rest.is_empty() { Ok(()) } else { Err(RecordError::Damaged("it goes on too long")) }
    }
}
