//! WebP: the two kinds of pictures, and the extended form with animations.

use std::time::Duration;

use crate::probe::{Image, ImageFormat, ProbeError};
use crate::riff::{self, Chunk};
use crate::source::{Reader, after};

pub(crate) fn probe(reader: &mut Reader<'_>) -> Result<Image, ProbeError> {
    let first = riff::chunk(reader, riff::FIRST)?.ok_or(ProbeError::Truncated)?;
    match &first.name {
        b"VP8X" => extended(reader, &first),
        b"VP8 " | b"VP8L" => {
            let (width, height, _) = picture(reader, &first)?;
            Ok(Image::still(ImageFormat::WebP, width, height))
        }
        _ => Err(ProbeError::Damaged("no picture")),
    }
}

/// Width, height, and whether parts are transparent, of a picture chunk.
pub(crate) fn picture(reader: &mut Reader<'_>, chunk: &Chunk) -> Result<(u32, u32, bool), ProbeError> {
    let (width, height, alpha) = if &chunk.name == b"VP8 " {
        if reader.array::<3>(after(chunk.start, 3_u8)?)? != [0x9d, 0x01, 0x2a] {
            return Err(ProbeError::Damaged("no key frame"));
        }
        let width = reader.u16_le(after(chunk.start, 6_u8)?)? & 0x3fff;
        let height = reader.u16_le(after(chunk.start, 8_u8)?)? & 0x3fff;
        (u32::from(width), u32::from(height), false)
    } else {
        if reader.u8(chunk.start)? != 0x2f {
            return Err(ProbeError::Damaged("no lossless picture"));
        }
        let bits = reader.u32_le(after(chunk.start, 1_u8)?)?;
        ((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1, bits >> 28 & 1 == 1)
    };
    if width == 0 || height == 0 {
        return Err(ProbeError::Damaged("no dimensions"));
    }
    Ok((width, height, alpha))
}

fn u24(bytes: [u8; 3]) -> u32 {
    let [a, b, c] = bytes;
    u32::from_le_bytes([a, b, c, 0])
}

fn extended(reader: &mut Reader<'_>, header: &Chunk) -> Result<Image, ProbeError> {
    let animated = reader.u8(header.start)? & 2 != 0;
    let width = u24(reader.array(after(header.start, 4_u8)?)?) + 1;
    let height = u24(reader.array(after(header.start, 7_u8)?)?) + 1;
    let mut image = Image::still(ImageFormat::WebP, width, height);
    if !animated {
        return Ok(image);
    }
    image.frames = 0;
    let mut offset = header.next;
    while let Some(chunk) = riff::chunk(reader, offset)? {
        if &chunk.name == b"ANMF" {
            image.frames = image.frames.saturating_add(1);
            let millis = u24(reader.array(after(chunk.start, 12_u8)?)?);
            image.duration = image.duration.saturating_add(Duration::from_millis(millis.into()));
            image.first_frame_length.get_or_insert(chunk.next.min(reader.length()));
        }
        offset = chunk.next;
    }
    if image.frames == 0 {
        return Err(ProbeError::Damaged("an animation without pictures"));
    }
    Ok(image)
}
