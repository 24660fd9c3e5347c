//! The chunks of RIFF, which WebP and WAV are made of.

use crate::ProbeError;
use crate::source::{Reader, after};

/// A chunk.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chunk {
    pub(crate) name: [u8; 4],
    /// Where its content begins.
    pub(crate) start: u64,
    pub(crate) length: u32,
    /// Where the next chunk begins: contents are filled up to an even length.
    pub(crate) next: u64,
}

/// Where the first chunk of a file begins.
pub(crate) const FIRST: u64 = 12;

/// The chunk at an offset; `None` at the end of the file, where some programs leave a few octets.
pub(crate) fn chunk(reader: &mut Reader<'_>, offset: u64) -> Result<Option<Chunk>, ProbeError> {
    if reader.length().saturating_sub(offset) < 8 {
        return Ok(None);
    }
    reader.step()?;
    let name = reader.array(offset)?;
    let length = reader.u32_le(after(offset, 4_u8)?)?;
    let start = after(offset, 8_u8)?;
    let next = after(after(start, length)?, length & 1)?;
    Ok(Some(Chunk { name, start, length, next }))
}
