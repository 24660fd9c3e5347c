//! Reading PCM out of WAV.

use super::Levels;
use crate::ProbeError;
use crate::riff;
use crate::source::{Reader, after};

/// Most octets of sound that are read: half an hour of a studio's quality.
const MOST: u64 = 512 << 20;
/// How much is read at once; whole frames of every depth.
const STEP: u64 = 48 * 1024;

/// How a sample is written.
#[derive(Clone, Copy)]
enum Depth {
    Unsigned8,
    Signed16,
    Signed24,
    Signed32,
    Float32,
}

impl Depth {
    fn of(format: u16, bits: u16) -> Option<Self> {
        Some(match (format, bits) {
            (1, 8) => Self::Unsigned8,
            (1, 16) => Self::Signed16,
            (1, 24) => Self::Signed24,
            (1, 32) => Self::Signed32,
            (3, 32) => Self::Float32,
            _ => return None,
        })
    }

    fn octets(self) -> u16 {
        match self {
            Self::Unsigned8 => 1,
            Self::Signed16 => 2,
            Self::Signed24 => 3,
            Self::Signed32 | Self::Float32 => 4,
        }
    }

    fn sample(self, octets: &[u8]) -> i16 {
        match (self, octets) {
            (Self::Unsigned8, [a]) => (i16::from(*a) - 128) * 256,
            (Self::Signed16, [a, b]) | (Self::Signed24, [_, a, b]) | (Self::Signed32, [_, _, a, b]) => {
                i16::from_le_bytes([*a, *b])
            }
            (Self::Float32, [a, b, c, d]) => rounded(f32::from_le_bytes([*a, *b, *c, *d])),
            _ => 0,
        }
    }
}

/// A sample between -1 and 1.
pub(super) fn rounded(sample: f32) -> i16 {
    let value = sample.clamp(-1.0, 1.0) * 32_767.0;
    #[expect(clippy::cast_possible_truncation, reason = "clamped; what is no number becomes 0")]
    let sample = value as i16;
    sample
}

/// How loud a sound is: of its first channel, as peers take it. `None` if it is not plain PCM, or too long.
pub(super) fn levels(reader: &mut Reader<'_>) -> Result<Option<Levels>, ProbeError> {
    if &reader.array::<4>(8)? != b"WAVE" {
        return Err(ProbeError::Unknown);
    }
    let mut format = None;
    let mut offset = riff::FIRST;
    while let Some(chunk) = riff::chunk(reader, offset)? {
        match &chunk.name {
            b"fmt " => {
                let plain = reader.u16_le(chunk.start)?;
                // The extended form has the plain one behind its header.
                let plain = match plain {
                    0xfffe if chunk.length >= 26 => reader.u16_le(after(chunk.start, 24_u8)?)?,
                    plain => plain,
                };
                let channels = reader.u16_le(after(chunk.start, 2_u8)?)?;
                let depth = Depth::of(plain, reader.u16_le(after(chunk.start, 14_u8)?)?);
                format = depth.filter(|_| (1..=8).contains(&channels)).map(|depth| (channels, depth));
            }
            b"data" => {
                let Some((channels, depth)) = format else { return Ok(None) };
                let length = u64::from(chunk.length).min(reader.length().saturating_sub(chunk.start));
                return read(reader, chunk.start, length, channels, depth);
            }
            _ => {}
        }
        offset = chunk.next;
    }
    Err(ProbeError::Truncated)
}

fn read(
    reader: &mut Reader<'_>,
    start: u64,
    length: u64,
    channels: u16,
    depth: Depth,
) -> Result<Option<Levels>, ProbeError> {
    let frame = channels.saturating_mul(depth.octets());
    let frames = length / u64::from(frame.max(1));
    if frames == 0 || length > MOST {
        return Ok(None);
    }
    let mut levels = Levels::new(frames);
    let step = STEP - STEP % u64::from(frame.max(1));
    let end = after(start, frames.saturating_mul(frame.into()))?;
    let mut at = start;
    while at < end {
        let wanted = end.saturating_sub(at).min(step);
        let held = reader.bytes(at, usize::try_from(wanted).unwrap_or(0))?;
        for octets in held.chunks_exact(usize::from(frame)) {
            levels.take(depth.sample(octets.get(..usize::from(depth.octets())).unwrap_or_default()));
        }
        at = after(at, wanted)?;
    }
    Ok(Some(levels))
}
