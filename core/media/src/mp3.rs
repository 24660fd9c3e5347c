//! MPEG audio: the count of frames where one is written down, else the rate of the first frame.

use crate::probe::{ProbeError, Sound, SoundFormat, seconds};
use crate::source::{Reader, after};

/// Kilobits in a second by index, for layers III of MPEG-1 and of MPEG-2.
const RATES: [u32; 15] = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
const LOW_RATES: [u32; 15] = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];

/// The header of a frame of layer III.
struct Frame {
    /// MPEG-1, and not one of the lower rates that came later.
    first_version: bool,
    bits_per_second: u64,
    samples_per_second: u64,
    mono: bool,
}

impl Frame {
    fn read(header: [u8; 4]) -> Option<Self> {
        let [0xff, version, rates, mode] = header else { return None };
        if version & 0xe6 != 0xe2 {
            return None;
        }
        let (first_version, divided) = match version >> 3 & 3 {
            3 => (true, 1),
            2 => (false, 2),
            0 => (false, 4),
            _ => return None,
        };
        let table = if first_version { &RATES } else { &LOW_RATES };
        let kilobits = *table.get(usize::from(rates >> 4))?;
        let samples = *[44_100_u64, 48_000, 32_000].get(usize::from(rates >> 2 & 3))?;
        (kilobits > 0).then_some(Self {
            first_version,
            bits_per_second: u64::from(kilobits) * 1000,
            samples_per_second: samples / divided,
            mono: mode >> 6 == 3,
        })
    }

    fn samples(&self) -> u64 {
        if self.first_version { 1152 } else { 576 }
    }
}

pub(crate) fn probe(reader: &mut Reader<'_>) -> Result<Sound, ProbeError> {
    let mut start = 0;
    if &reader.array::<3>(0)? == b"ID3" {
        let [a, b, c, d] = reader.array::<4>(6)?.map(u32::from);
        if (a | b | c | d) & 0x80 != 0 {
            return Err(ProbeError::Damaged("a tag without length"));
        }
        start = after(10, a << 21 | b << 14 | c << 7 | d)?;
    }
    let frame = Frame::read(reader.array(start)?).ok_or(ProbeError::Unknown)?;
    let duration = match frame_count(reader, start, &frame)? {
        Some(frames) => seconds(frames.saturating_mul(frame.samples()), frame.samples_per_second),
        None => {
            let bits = reader.length().saturating_sub(start).saturating_mul(8);
            seconds(bits, frame.bits_per_second)
        }
    };
    let channels = if frame.mono { 1 } else { 2 };
    Ok(Sound { format: SoundFormat::Mp3, duration, channels: Some(channels) })
}

/// What the first frame says when it is no sound but a table of contents.
fn frame_count(reader: &mut Reader<'_>, start: u64, frame: &Frame) -> Result<Option<u64>, ProbeError> {
    let side = match (frame.first_version, frame.mono) {
        (true, false) => 32_u8,
        (true, true) | (false, false) => 17,
        (false, true) => 9,
    };
    let table = after(after(start, 4_u8)?, side)?;
    let other = after(start, 36_u8)?;
    if after(other, 18_u8)? > reader.length() {
        return Ok(None);
    }
    let name: [u8; 4] = reader.array(table)?;
    if (&name == b"Xing" || &name == b"Info") && reader.u32_be(after(table, 4_u8)?)? & 1 == 1 {
        return reader.u32_be(after(table, 8_u8)?).map(|frames| Some(frames.into()));
    }
    if &reader.array::<4>(other)? == b"VBRI" {
        return reader.u32_be(after(other, 14_u8)?).map(|frames| Some(frames.into()));
    }
    Ok(None)
}
