//! The streaming sidecar: a code for every 64 KiB of a blob, so that a player can trust a part of
//! it before it has all of it (media document §5.1).

use std::fmt;

use hmac::{Hmac, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::keys::MediaKeys;
use super::{BLOCK, MAC, shortened};
use crate::kdf::HmacKey;

/// How much of a blob one entry covers.
pub const PIECE: usize = 65_536;
const PIECE_LENGTH: u64 = 65_536;

/// How many pieces a blob of this length has; the last one ends with the code of the blob.
pub fn pieces(blob_length: u64) -> u64 {
    blob_length.div_ceil(PIECE_LENGTH)
}

/// Makes the sidecar of a blob that comes in chunks.
pub struct SidecarBuilder {
    key: HmacKey,
    /// The code of the current piece, if it has begun, and how much of it there was.
    piece: Option<(Hmac<Sha256>, usize)>,
    /// What stands before the next octet.
    before: [u8; BLOCK],
    entries: Vec<u8>,
}

impl SidecarBuilder {
    /// Begins a blob.
    pub fn new(keys: &MediaKeys) -> Self {
        Self { key: keys.mac(), piece: None, before: *keys.iv(), entries: Vec::new() }
    }

    /// Takes the next octets of the blob.
    pub fn update(&mut self, mut chunk: &[u8]) {
        while !chunk.is_empty() {
            let (mut mac, covered) = self.piece.take().unwrap_or_else(|| {
                let mut mac = self.key.begin();
                mac.update(&self.before);
                (mac, 0)
            });
            let (taken, rest) = chunk.split_at(chunk.len().min(PIECE.saturating_sub(covered)));
            mac.update(taken);
            self.remember(taken);
            let covered = covered.saturating_add(taken.len());
            if covered < PIECE {
                self.piece = Some((mac, covered));
            } else {
                self.entries.extend_from_slice(&shortened(mac));
            }
            chunk = rest;
        }
    }

    /// Ends the blob and returns its sidecar: ten octets for every piece.
    pub fn finish(mut self) -> Vec<u8> {
        if let Some((mac, _)) = self.piece {
            self.entries.extend_from_slice(&shortened(mac));
        }
        self.entries
    }

    fn remember(&mut self, bytes: &[u8]) {
        if let Some(last) = bytes.last_chunk::<BLOCK>() {
            self.before = *last;
            return;
        }
        self.before.rotate_left(bytes.len());
        for (to, from) in self.before.iter_mut().rev().zip(bytes.iter().rev()) {
            *to = *from;
        }
    }
}

impl fmt::Debug for SidecarBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SidecarBuilder(..)")
    }
}

/// A sidecar does not belong to a blob of this length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the sidecar does not belong to a file of this length")]
pub struct SidecarError;

/// The sidecar of a received message, ready to check pieces of the blob.
#[derive(Clone)]
pub struct Sidecar {
    key: HmacKey,
    entries: Vec<[u8; MAC]>,
}

impl Sidecar {
    /// Takes the sidecar of a message whose blob has this length.
    ///
    /// # Errors
    /// [`SidecarError`] when it has not an entry for every piece.
    pub fn new(keys: &MediaKeys, sidecar: &[u8], blob_length: u64) -> Result<Self, SidecarError> {
        let (entries, rest) = sidecar.as_chunks::<MAC>();
        let fits = u64::try_from(entries.len()).is_ok_and(|count| count == pieces(blob_length));
        if !fits || !rest.is_empty() {
            return Err(SidecarError);
        }
        Ok(Self { key: keys.mac(), entries: entries.to_vec() })
    }

    /// Whether a piece is the one of the sender. `before` are the 16 octets in front of it: the end
    /// of the piece before, or [`MediaKeys::iv`].
    pub fn verifies(&self, index: u64, before: &[u8; BLOCK], piece: &[u8]) -> bool {
        let entry = usize::try_from(index).ok().and_then(|index| self.entries.get(index));
        entry.is_some_and(|entry| {
            let mut mac = self.key.begin();
            mac.update(before);
            mac.update(piece);
            shortened(mac).ct_eq(entry).into()
        })
    }
}

impl fmt::Debug for Sidecar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sidecar").field("pieces", &self.entries.len()).finish_non_exhaustive()
    }
}
