//! Reading a part of a file out of a part of its blob (media document §5.4).

use std::fmt;
use std::ops::Range;

use zeroize::{Zeroize, Zeroizing};

use super::cipher::{Decrypting, unpadded};
use super::keys::MediaKeys;
use super::sidecar::{PIECE, Sidecar};
use super::{BLOCK, BLOCK_LENGTH, MAC_LENGTH, SHORTEST_BLOB, STEP};

const PIECE_LENGTH: u64 = 65_536;

/// Why a part of a file was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RangeError {
    /// No blob has this length, or the part is empty or lies beyond the file.
    #[error("there is no such part of the file")]
    Bounds,
    /// The host answered with more or fewer octets than the plan asks for.
    #[error("the part has another length than was asked for")]
    Length,
    /// A piece is not the one of the sender: fetch the whole file, or from another host.
    #[error("piece {index} of the encrypted file was changed")]
    Piece {
        /// Which one, from zero.
        index: u64,
    },
    /// The end of the file is not padded as it should be.
    #[error("the encrypted file is not padded as it should be")]
    Padding,
}

/// What to fetch for a part of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RangePlan {
    fetch: Range<u64>,
    wanted: Range<u64>,
    /// Length of the blob without its code.
    ciphertext: u64,
    whole_pieces: bool,
}

impl RangePlan {
    /// The least that must be fetched. What comes of it cannot be checked, and must be shown as
    /// unchecked to whoever gets it.
    ///
    /// # Errors
    /// [`RangeError::Bounds`].
    pub fn unchecked(wanted: Range<u64>, blob_length: u64) -> Result<Self, RangeError> {
        let ciphertext = bounds(&wanted, blob_length)?;
        let start = wanted.start / BLOCK_LENGTH * BLOCK_LENGTH;
        let end = wanted.end.next_multiple_of(BLOCK_LENGTH).min(ciphertext);
        Ok(Self { fetch: start.saturating_sub(BLOCK_LENGTH)..end, wanted, ciphertext, whole_pieces: false })
    }

    /// Whole pieces, so that each can be checked with the sidecar before anything of it is given out.
    ///
    /// # Errors
    /// [`RangeError::Bounds`].
    pub fn checked(wanted: Range<u64>, blob_length: u64) -> Result<Self, RangeError> {
        let ciphertext = bounds(&wanted, blob_length)?;
        let start = wanted.start / PIECE_LENGTH * PIECE_LENGTH;
        let end = wanted.end.checked_next_multiple_of(PIECE_LENGTH).unwrap_or(blob_length).min(blob_length);
        Ok(Self { fetch: start.saturating_sub(BLOCK_LENGTH)..end, wanted, ciphertext, whole_pieces: true })
    }

    /// The octets of the blob to fetch; the last one is not included, unlike in an HTTP range.
    pub fn fetch(&self) -> Range<u64> {
        self.fetch.clone()
    }
}

fn bounds(wanted: &Range<u64>, blob_length: u64) -> Result<u64, RangeError> {
    let ciphertext = blob_length.checked_sub(MAC_LENGTH).ok_or(RangeError::Bounds)?;
    let possible = blob_length >= SHORTEST_BLOB && ciphertext.is_multiple_of(BLOCK_LENGTH);
    // At least one octet of the ciphertext is padding.
    if !possible || wanted.is_empty() || wanted.end >= ciphertext {
        return Err(RangeError::Bounds);
    }
    Ok(ciphertext)
}

/// Decrypts the fetched part of a blob, which comes in chunks. Keeps at most one piece.
pub struct RangeReader {
    plan: RangePlan,
    keys: MediaKeys,
    sidecar: Option<Sidecar>,
    cipher: Option<Decrypting>,
    /// The 16 octets in front of what comes next, and how many of them are known.
    before: [u8; BLOCK],
    before_length: usize,
    pending: Zeroizing<Vec<u8>>,
    /// Where in the blob `pending` begins.
    offset: u64,
}

impl RangeReader {
    /// Begins with the first fetched octet of a plan of [`RangePlan::unchecked`].
    pub fn unchecked(keys: &MediaKeys, plan: RangePlan) -> Self {
        Self::new(keys, plan, None)
    }

    /// Begins with the first fetched octet of a plan of [`RangePlan::checked`].
    ///
    /// # Errors
    /// [`RangeError::Bounds`] for a plan that does not fetch whole pieces.
    pub fn checked(keys: &MediaKeys, plan: RangePlan, sidecar: Sidecar) -> Result<Self, RangeError> {
        if !plan.whole_pieces {
            return Err(RangeError::Bounds);
        }
        Ok(Self::new(keys, plan, Some(sidecar)))
    }

    fn new(keys: &MediaKeys, plan: RangePlan, sidecar: Option<Sidecar>) -> Self {
        let from_start = plan.fetch.start == 0;
        Self {
            keys: keys.clone(),
            sidecar,
            cipher: None,
            before: *keys.iv(),
            before_length: if from_start { BLOCK } else { 0 },
            pending: Zeroizing::default(),
            offset: if from_start { 0 } else { plan.fetch.start.saturating_add(BLOCK_LENGTH) },
            plan,
        }
    }

    /// Takes the next fetched octets and appends to `out` what there is of the part so far. With a
    /// sidecar it is authentic.
    ///
    /// # Errors
    /// Any; the reader is then of no more use.
    pub fn update(&mut self, mut chunk: &[u8], out: &mut Vec<u8>) -> Result<(), RangeError> {
        if self.before_length < BLOCK {
            let free = self.before.get_mut(self.before_length..).unwrap_or_default();
            let (taken, rest) = chunk.split_at(chunk.len().min(free.len()));
            for (to, from) in free.iter_mut().zip(taken) {
                *to = *from;
            }
            self.before_length = self.before_length.saturating_add(taken.len());
            chunk = rest;
        }
        while !chunk.is_empty() {
            let unit = self.unit();
            if unit == 0 {
                return Err(RangeError::Length);
            }
            let missing = unit.saturating_sub(self.pending.len());
            let (taken, rest) = chunk.split_at(chunk.len().min(missing));
            self.pending.extend_from_slice(taken);
            chunk = rest;
            if self.pending.len() == unit {
                self.give(out)?;
            }
        }
        Ok(())
    }

    /// Ends the part.
    ///
    /// # Errors
    /// [`RangeError::Length`] when the host gave fewer octets than were asked for.
    pub fn finish(self) -> Result<(), RangeError> {
        let complete = self.before_length == BLOCK && self.offset == self.plan.fetch.end;
        if complete { Ok(()) } else { Err(RangeError::Length) }
    }

    /// How much is decrypted at once: a piece, or a few blocks.
    fn unit(&self) -> usize {
        let rest = self.plan.fetch.end.saturating_sub(self.offset);
        let most = if self.plan.whole_pieces { PIECE } else { STEP };
        usize::try_from(rest).unwrap_or(usize::MAX).min(most)
    }

    fn give(&mut self, out: &mut Vec<u8>) -> Result<(), RangeError> {
        let length = u64::try_from(self.pending.len()).unwrap_or(u64::MAX);
        let index = self.offset / PIECE_LENGTH;
        if let Some(sidecar) = &self.sidecar
            && !sidecar.verifies(index, &self.before, &self.pending)
        {
            return Err(RangeError::Piece { index });
        }
        let cipher = self.cipher.get_or_insert_with(|| Decrypting::new(&self.keys, &self.before));
        if let Some(last) = self.pending.last_chunk() {
            self.before = *last;
        }
        // The code at the end is no ciphertext.
        let blocks = self.plan.ciphertext.saturating_sub(self.offset).min(length);
        self.pending.truncate(usize::try_from(blocks).unwrap_or(usize::MAX));
        cipher.blocks(&mut self.pending);
        let end = self.offset.saturating_add(blocks);
        if end == self.plan.ciphertext
            && let Some(last) = self.pending.last_chunk::<BLOCK>()
        {
            let padding = BLOCK.saturating_sub(unpadded(last).ok_or(RangeError::Padding)?.len());
            let length = self.pending.len().saturating_sub(padding);
            self.pending.truncate(length);
        }
        let skipped = self.plan.wanted.start.saturating_sub(self.offset);
        let taken = self.plan.wanted.end.saturating_sub(self.offset.max(self.plan.wanted.start));
        let skipped = usize::try_from(skipped).unwrap_or(usize::MAX);
        let taken = usize::try_from(taken).unwrap_or(usize::MAX);
        out.extend(self.pending.iter().skip(skipped).take(taken));
        self.offset = self.offset.saturating_add(length);
        self.pending.zeroize();
        Ok(())
    }
}

impl fmt::Debug for RangeReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RangeReader").field("plan", &self.plan).finish_non_exhaustive()
    }
}
