//! Opus in Ogg: the duration is the count of samples at the end of the file (media document §11).

use crate::probe::{ProbeError, Sound, SoundFormat, seconds};
use crate::source::{MAX_HELD, Reader, after};

/// Opus counts its samples as if there were so many in a second, whatever was recorded.
const RATE: u64 = 48_000;
/// No sound is longer: a count beyond a year is damage.
const MAX_SAMPLES: u64 = RATE * 86_400 * 366;

/// The longest packet: 48 frames of 1275 octets, and their lengths.
const MAX_PACKET: usize = 62_000;

/// A packet of sound.
pub(crate) struct Packet {
    /// Its octets, if they were asked for.
    pub(crate) content: Vec<u8>,
    pub(crate) size: u32,
    /// How long it sounds, at 48 kHz.
    pub(crate) samples: u32,
}

/// The header of a page.
struct Page {
    /// Samples up to the end of the last packet that ends here; `None` if none does.
    granule: Option<u64>,
    serial: u32,
    /// The lengths of the segments, of which those below 255 end a packet.
    segments: Vec<u8>,
    /// Where the packets begin.
    content: u64,
    next: u64,
}

pub(crate) fn probe(reader: &mut Reader<'_>) -> Result<Sound, ProbeError> {
    let first = page(reader, 0)?;
    if &reader.array::<8>(first.content)? != b"OpusHead" {
        return Err(ProbeError::Unknown);
    }
    let channels = reader.u8(after(first.content, 9_u8)?)?;
    let skipped = u64::from(reader.u16_le(after(first.content, 10_u8)?)?);
    let last = match last_granule(reader, first.serial)? {
        Some(last) => last,
        None => walk(reader, &first)?,
    };
    if last > MAX_SAMPLES {
        return Err(ProbeError::Damaged("a sound of years"));
    }
    let duration = seconds(last.saturating_sub(skipped), RATE);
    Ok(Sound { format: SoundFormat::OggOpus, duration, channels: Some(channels.into()) })
}

fn page(reader: &mut Reader<'_>, offset: u64) -> Result<Page, ProbeError> {
    reader.step()?;
    let header: [u8; 27] = reader.array(offset)?;
    let [b'O', b'g', b'g', b'S', 0, _, rest @ ..] = header else {
        return Err(ProbeError::Damaged("no page where one must be"));
    };
    let [g0, g1, g2, g3, g4, g5, g6, g7, s0, s1, s2, s3, .., segments] = rest;
    let table_start = after(offset, 27_u8)?;
    let table = reader.bytes(table_start, segments.into())?;
    let length: u32 = table.iter().map(|length| u32::from(*length)).sum();
    let content = after(table_start, segments)?;
    Ok(Page {
        granule: granule([g0, g1, g2, g3, g4, g5, g6, g7]),
        serial: u32::from_le_bytes([s0, s1, s2, s3]),
        segments: table,
        content,
        next: after(content, length)?,
    })
}

fn granule(bytes: [u8; 8]) -> Option<u64> {
    u64::try_from(i64::from_le_bytes(bytes)).ok()
}

/// The count at the last page, which lies within the last 64 KiB: a page is no longer.
fn last_granule(reader: &mut Reader<'_>, serial: u32) -> Result<Option<u64>, ProbeError> {
    let held = usize::try_from(reader.length()).unwrap_or(MAX_HELD).min(MAX_HELD);
    let start = reader.length().saturating_sub(u64::try_from(held).unwrap_or(0));
    let end = reader.bytes(start, held)?;
    let found = end.windows(18).rev().find_map(|window| match window {
        [b'O', b'g', b'g', b'S', 0, _, g0, g1, g2, g3, g4, g5, g6, g7, serial_of @ ..] => {
            let same = serial_of == serial.to_le_bytes();
            granule([*g0, *g1, *g2, *g3, *g4, *g5, *g6, *g7]).filter(|_| same)
        }
        _ => None,
    });
    Ok(found)
}

/// The greatest count of all pages, for files with something else behind the last page.
fn walk(reader: &mut Reader<'_>, first: &Page) -> Result<u64, ProbeError> {
    let mut last = 0;
    let mut offset = first.next;
    while offset < reader.length() {
        let page = page(reader, offset)?;
        if page.serial == first.serial {
            last = last.max(page.granule.unwrap_or(0));
        }
        offset = page.next;
    }
    Ok(last)
}

/// How many channels a sound has, and how many of its first samples are not to be heard.
pub(crate) fn head(reader: &mut Reader<'_>) -> Result<(u8, u32), ProbeError> {
    let first = page(reader, 0)?;
    if &reader.array::<8>(first.content)? != b"OpusHead" {
        return Err(ProbeError::Unknown);
    }
    let skipped = reader.u16_le(after(first.content, 10_u8)?)?;
    Ok((reader.u8(after(first.content, 9_u8)?)?, skipped.into()))
}

/// Gives every packet of sound to `give`, with its octets if they are wanted.
pub(crate) fn packets(
    reader: &mut Reader<'_>,
    wanted: bool,
    give: &mut dyn FnMut(Packet) -> Result<(), ProbeError>,
) -> Result<(), ProbeError> {
    let first = page(reader, 0)?;
    if &reader.array::<8>(first.content)? != b"OpusHead" {
        return Err(ProbeError::Unknown);
    }
    // The two headers come first.
    let mut number = 0_u32;
    let (mut start, mut size) = (first.content, 0_u32);
    let mut content = Vec::new();
    let mut offset = 0;
    while offset < reader.length() {
        let page = page(reader, offset)?;
        offset = page.next;
        if page.serial != first.serial {
            continue;
        }
        let mut at = page.content;
        for segment in &page.segments {
            if size == 0 {
                start = at;
            }
            size = size.saturating_add(u32::from(*segment));
            if wanted && number >= 2 {
                content.extend_from_slice(&reader.bytes(at, usize::from(*segment))?);
                if content.len() > MAX_PACKET {
                    return Err(ProbeError::Damaged("a packet longer than any"));
                }
            }
            at = after(at, *segment)?;
            if *segment == 255 {
                continue;
            }
            reader.step()?;
            if number >= 2 && size > 0 {
                let content = std::mem::take(&mut content);
                give(Packet { content, size, samples: samples(reader, start, size)? })?;
            }
            number = number.saturating_add(1);
            size = 0;
        }
    }
    Ok(())
}

/// How long a packet sounds: its first octet says how long a frame is, and how many there are.
fn samples(reader: &mut Reader<'_>, start: u64, size: u32) -> Result<u32, ProbeError> {
    let contents = reader.u8(start)?;
    let frame = match (contents >> 3, contents >> 3 & 3) {
        (0..=11, index) => *[480, 960, 1920, 2880].get(usize::from(index)).unwrap_or(&0),
        (12..=15, index) => 480 << (index & 1),
        (_, index) => 120_u32 << index,
    };
    let frames = match contents & 3 {
        0 => 1,
        1 | 2 => 2,
        // What is written behind the first octet; no packet has more than 120 ms.
        _ if size > 1 => u32::from(reader.u8(after(start, 1_u8)?)? & 0x3f),
        _ => 0,
    };
    Ok(frame.saturating_mul(frames).min(5760))
}
