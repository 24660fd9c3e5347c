//! Inflating as a stream, with bounds against bombs.

use flate2::{Decompress, FlushDecompress, Status};

/// How much comes out at once.
const OUT: usize = 1 << 16;

/// How much may come out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InflateLimits {
    /// Octets in all.
    pub total: u64,
    /// Octets for each octet that went in; the first MiB is free.
    pub ratio: u64,
}

impl Default for InflateLimits {
    /// 512 MiB, two hundred for one.
    fn default() -> Self {
        Self { total: 512 << 20, ratio: 200 }
    }
}

/// Why compressed octets were not inflated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InflateError {
    /// They are not of this format, or their sum does not match.
    #[error("the compressed history is damaged")]
    Damaged,
    /// They end too early.
    #[error("the compressed history is cut off")]
    Truncated,
    /// More comes out than was allowed.
    #[error("the history is larger than allowed")]
    TooLarge,
}

/// Inflates zlib octets that come in parts. Holds one buffer of 64 KiB.
#[derive(Debug)]
pub struct Inflater {
    state: Decompress,
    limits: InflateLimits,
    buffer: Vec<u8>,
    ended: bool,
}

impl Inflater {
    /// Begins.
    pub fn new(limits: InflateLimits) -> Self {
        Self { state: Decompress::new(true), limits, buffer: vec![0; OUT], ended: false }
    }

    /// Takes the next octets and gives what they become to `give`, 64 KiB at most at once. What
    /// stands behind the end of the compressed octets is ignored, as by other clients.
    ///
    /// # Errors
    /// [`InflateError`], as that of `give`.
    pub fn update<E: From<InflateError>>(
        &mut self,
        mut chunk: &[u8],
        mut give: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        while !self.ended {
            let (in_before, out_before) = (self.state.total_in(), self.state.total_out());
            let status = self.state.decompress(chunk, &mut self.buffer, FlushDecompress::None);
            let status = status.map_err(|_| InflateError::Damaged)?;
            let taken = usize::try_from(self.state.total_in().saturating_sub(in_before)).unwrap_or(0);
            let made = usize::try_from(self.state.total_out().saturating_sub(out_before)).unwrap_or(0);
            let allowed = self.state.total_in().saturating_mul(self.limits.ratio).saturating_add(1 << 20);
            if self.state.total_out() > self.limits.total.min(allowed) {
                return Err(InflateError::TooLarge.into());
            }
            give(self.buffer.get(..made).unwrap_or_default())?;
            chunk = chunk.get(taken..).unwrap_or_default();
            self.ended = status == Status::StreamEnd;
            if taken == 0 && made == 0 || chunk.is_empty() && made < self.buffer.len() {
                break;
            }
        }
        Ok(())
    }

    /// Ends.
    ///
    /// # Errors
    /// [`InflateError::Truncated`].
    pub fn finish(self) -> Result<(), InflateError> {
        if self.ended { Ok(()) } else { Err(InflateError::Truncated) }
    }
}
