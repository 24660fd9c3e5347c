//! The hash of a collection: a sum over its values, so that it follows a change without a look at the
//! rest (app-state document §5).

use std::fmt;
use std::sync::LazyLock;

use whimbrel_crypto::kdf::HmacKey;

use crate::ValueMac;

/// Octets of a hash.
const LENGTH: usize = 128;
const INFO: &[u8] = b"WhatsApp Patch Integrity";

/// The extraction key of every item: an empty salt. Kept, as setting it up costs as much as using it.
static EXTRACT: LazyLock<HmacKey> = LazyLock::new(|| HmacKey::new(&[]));

/// The hash of a collection: 64 sums modulo 65,536. The order of what was added does not matter.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct LtHash([u8; LENGTH]);

impl LtHash {
    /// The hash of an empty collection.
    pub const EMPTY: Self = Self([0; LENGTH]);

    /// The octets of the hash.
    pub const fn as_bytes(&self) -> &[u8; LENGTH] {
        &self.0
    }

    /// A hash that was kept; `None` if it has another length.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Adds a value.
    pub fn add(&mut self, value: &ValueMac) {
        self.combine(value, u16::wrapping_add);
    }

    /// Takes a value out that was added before.
    pub fn subtract(&mut self, value: &ValueMac) {
        self.combine(value, u16::wrapping_sub);
    }

    fn combine(&mut self, value: &ValueMac, operation: fn(u16, u16) -> u16) {
        let item = item(value);
        for (lane, other) in self.0.as_chunks_mut::<2>().0.iter_mut().zip(item.as_chunks::<2>().0) {
            *lane = operation(u16::from_le_bytes(*lane), u16::from_le_bytes(*other)).to_le_bytes();
        }
    }
}

/// What a value adds to the hash: HKDF-SHA-256 of its code.
fn item(value: &ValueMac) -> [u8; LENGTH] {
    let expand = HmacKey::new(&EXTRACT.mac(&[value]));
    let mut item = [0; LENGTH];
    let mut before: &[u8] = &[];
    let mut block;
    for (round, part) in (1_u8..).zip(item.as_chunks_mut::<32>().0) {
        block = expand.mac(&[before, INFO, &[round]]);
        *part = block;
        before = &block;
    }
    item
}

impl Default for LtHash {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl fmt::Debug for LtHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, second, ..] = self.0;
        write!(f, "LtHash({first:02x}{second:02x}…)")
    }
}
