//! The keys of an account (app-state document §4.1, §5).

use std::cmp::Reverse;
use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha512;
use subtle::ConstantTimeEq;
use whimbrel_crypto::kdf::{HmacKey, hkdf_sha256};
use zeroize::Zeroizing;

use crate::{Collection, IndexMac, LtHash, MAC, Operation, ValueMac};

const INFO: &[u8] = b"WhatsApp Mutation Keys";

/// The name of a key: the device that made it, and its epoch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; Self::LENGTH]);

impl KeyId {
    /// Octets of a name; all others are refused.
    pub const LENGTH: usize = 6;

    /// The name of a key that `device` made.
    pub fn new(device: u16, epoch: u32) -> Self {
        let [a, b] = device.to_be_bytes();
        let [c, d, e, f] = epoch.to_be_bytes();
        Self([a, b, c, d, e, f])
    }

    /// A name as it came; `None` if it has another length.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The octets of the name.
    pub const fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }

    /// The device that made the key.
    pub const fn device(&self) -> u16 {
        let [a, b, ..] = self.0;
        u16::from_be_bytes([a, b])
    }

    /// The epoch of the key: newer ones are higher.
    pub const fn epoch(&self) -> u32 {
        let [_, _, c, d, e, f] = self.0;
        u32::from_be_bytes([c, d, e, f])
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({}/{})", self.device(), self.epoch())
    }
}

/// The key to write with: the one with the highest epoch; of several, that of the lowest device.
pub fn active_key(ids: impl IntoIterator<Item = KeyId>) -> Option<KeyId> {
    ids.into_iter().max_by_key(|id| (id.epoch(), Reverse(id.device())))
}

/// What is derived from one key of the account. Wiped when dropped, and never printed.
#[derive(Clone)]
pub struct Keys {
    index: HmacKey,
    cipher: Zeroizing<[u8; 32]>,
    value: Hmac<Sha512>,
    snapshot: HmacKey,
    patch: HmacKey,
}

impl Keys {
    /// Derives them from the 32 octets that devices share.
    pub fn expand(data: &[u8; 32]) -> Self {
        let expanded = hkdf_sha256::<160>(data, &[], INFO);
        let mut parts = expanded.as_chunks::<32>().0.iter();
        // The five parts are there, by the length above.
        let mut next = || Zeroizing::new(parts.next().copied().unwrap_or_default());
        let index = HmacKey::new(&*next());
        let cipher = next();
        let mut block = Zeroizing::new([0; 128]);
        if let Some(start) = block.first_chunk_mut::<32>() {
            *start = *next();
        }
        let value = Hmac::new((&*block).into());
        Self { index, cipher, value, snapshot: HmacKey::new(&*next()), patch: HmacKey::new(&*next()) }
    }

    pub(crate) fn cipher(&self) -> &[u8; 32] {
        &self.cipher
    }

    /// The code under which the service keeps the entry with this index.
    pub fn index_mac(&self, index: &[u8]) -> IndexMac {
        self.index.mac(&[index])
    }

    /// The code of a value: `sealed` is the initial vector with the ciphertext behind it.
    pub fn value_mac(&self, operation: Operation, id: KeyId, sealed: &[u8]) -> ValueMac {
        let mut mac = self.value.clone();
        mac.update(&[operation.octet()]);
        mac.update(id.as_bytes());
        mac.update(sealed);
        // The length of what stands before the ciphertext, in eight octets.
        mac.update(&[0, 0, 0, 0, 0, 0, 0, 7]);
        let full: [u8; 64] = mac.finalize().into_bytes().into();
        full.first_chunk::<MAC>().copied().unwrap_or_default()
    }

    /// The code of a whole collection at a version.
    pub fn snapshot_mac(&self, hash: &LtHash, version: u64, collection: Collection) -> [u8; MAC] {
        self.snapshot.mac(&[hash.as_bytes(), &version.to_be_bytes(), collection.name().as_bytes()])
    }

    /// The code of a patch: over its snapshot code and the codes of all its values, in their order.
    pub fn patch_mac<'m>(
        &self,
        snapshot_mac: &[u8; MAC],
        values: impl IntoIterator<Item = &'m ValueMac>,
        version: u64,
        collection: Collection,
    ) -> [u8; MAC] {
        let version = version.to_be_bytes();
        let mut parts: Vec<&[u8]> = vec![snapshot_mac];
        parts.extend(values.into_iter().map(|value| &value[..]));
        parts.extend([&version[..], collection.name().as_bytes()]);
        self.patch.mac(&parts)
    }
}

/// Whether two codes are the same, in constant time.
pub(crate) fn same(one: &[u8; MAC], other: &[u8; MAC]) -> bool {
    one.ct_eq(other).into()
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(..)")
    }
}
