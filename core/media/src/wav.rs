//! WAV: how fast its octets are played, and how many there are.

use crate::probe::{ProbeError, Sound, SoundFormat, seconds};
use crate::riff;
use crate::source::{Reader, after};

pub(crate) fn probe(reader: &mut Reader<'_>) -> Result<Sound, ProbeError> {
    let mut format = None;
    let mut offset = riff::FIRST;
    while let Some(chunk) = riff::chunk(reader, offset)? {
        match &chunk.name {
            b"fmt " => {
                let channels = reader.u16_le(after(chunk.start, 2_u8)?)?;
                format = Some((channels, reader.u32_le(after(chunk.start, 8_u8)?)?));
            }
            b"data" => {
                let (channels, rate) = format.ok_or(ProbeError::Damaged("no format"))?;
                // A program that could not go back leaves the length at its greatest.
                let length = u64::from(chunk.length).min(reader.length().saturating_sub(chunk.start));
                let duration = seconds(length, rate.into());
                return Ok(Sound { format: SoundFormat::Wav, duration, channels: Some(channels) });
            }
            _ => {}
        }
        offset = chunk.next;
    }
    Err(ProbeError::Truncated)
}
