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

/// The content of a chunk of a file that is held whole.
pub(crate) fn content<'w>(whole: &'w [u8], chunk: &Chunk) -> Result<&'w [u8], ProbeError> {
    let start = usize::try_from(chunk.start).map_err(|_| ProbeError::Truncated)?;
    let length = usize::try_from(chunk.length).map_err(|_| ProbeError::Truncated)?;
    let rest = whole.get(start..).ok_or(ProbeError::Truncated)?;
    rest.get(..length).ok_or(ProbeError::Truncated)
}

/// Writes a chunk.
pub(crate) fn put(out: &mut Vec<u8>, name: [u8; 4], content: &[u8]) {
    out.extend_from_slice(&name);
    out.extend_from_slice(&u32::try_from(content.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend_from_slice(content);
    if content.len() % 2 == 1 {
        out.push(0);
    }
}

/// A WebP of these chunks.
pub(crate) fn webp(chunks: &[u8]) -> Result<Vec<u8>, ProbeError> {
    let length = u32::try_from(chunks.len()).ok().and_then(|length| length.checked_add(4));
    let mut out = Vec::with_capacity(chunks.len().saturating_add(12));
    out.extend_from_slice(b"RIFF");
    out.extend_from_slice(&length.ok_or(ProbeError::TooComplex)?.to_le_bytes());
    out.extend_from_slice(b"WEBP");
    out.extend_from_slice(chunks);
    Ok(out)
}

/// A WebP of chunks that are not written yet.
pub(crate) fn file(chunks: &[([u8; 4], &[u8])]) -> Result<Vec<u8>, ProbeError> {
    let mut written = Vec::new();
    for (name, content) in chunks {
        put(&mut written, *name, content);
    }
    webp(&written)
}
