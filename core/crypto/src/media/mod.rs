//! Encryption of media: attachments, thumbnails, history and app-state blobs (media document §3–§5, §9).
//!
//! A blob is AES-256-CBC with padding, followed by ten octets of an HMAC. [`Encryptor`] and
//! [`Decryptor`] take a file in chunks of any size and never hold more than a few blocks of it;
//! [`BlobCheck`] reads a blob without decrypting it, for callers that can read it twice;
//! [`Sidecar`] and [`RangeReader`] are for reading parts; [`FileHash`] is for media without keys
//! (newsletters); [`RetryKey`] is for asking the phone to upload again.

mod cipher;
mod decrypt;
mod encrypt;
mod file;
mod keys;
mod range;
mod retry;
mod sidecar;

pub use decrypt::{BlobCheck, Decrypted, Decryptor, Expected, MediaError};
pub use encrypt::{Encrypted, Encryptor};
pub use file::{FileHash, Hashed};
pub use keys::{MediaKeys, MediaType};
pub use range::{RangeError, RangePlan, RangeReader};
pub use retry::RetryKey;
pub use sidecar::{PIECE, Sidecar, SidecarBuilder, SidecarError, pieces};

/// Length of the code at the end of a blob, and of every entry of a sidecar.
pub const MAC: usize = 10;
/// Length of the shortest blob: one block, which is padding, and the code.
pub const SHORTEST_BLOB: u64 = 26;

const BLOCK: usize = 16;
const BLOCK_LENGTH: u64 = 16;
const MAC_LENGTH: u64 = 10;
/// How much goes through the ciphers at once, so that each finds it in the processor's cache.
const STEP: usize = 8192;

/// Length of the blob of a file, `None` beyond what a number holds.
pub fn blob_length(file_length: u64) -> Option<u64> {
    let blocks = (file_length / BLOCK_LENGTH).checked_add(1)?;
    blocks.checked_mul(BLOCK_LENGTH)?.checked_add(MAC_LENGTH)
}

/// Whether a blob of this length can hold a file of this length. A sender may still be wrong about
/// the length of a file, which other clients ignore.
pub fn lengths_fit(blob_length: u64, file_length: u64) -> bool {
    self::blob_length(file_length) == Some(blob_length)
}

/// Ten octets of an HMAC, which is what the protocol keeps of it.
fn shortened(mac: hmac::Hmac<sha2::Sha256>) -> [u8; MAC] {
    use hmac::Mac;
    let full: [u8; 32] = mac.finalize().into_bytes().into();
    let mut short = [0; MAC];
    for (to, from) in short.iter_mut().zip(full) {
        *to = from;
    }
    short
}
