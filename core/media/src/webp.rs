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

/// Flag of the extended header: parts are transparent.
const HAS_ALPHA: u8 = 0x10;

/// The first picture of a file, as a file of its own.
pub(crate) struct First {
    /// Width and height of what the picture is a part of.
    pub(crate) canvas: (u32, u32),
    /// Where in it the picture is: left and top.
    pub(crate) place: (u32, u32),
    /// Width and height of the picture.
    pub(crate) size: (u32, u32),
    /// A WebP of this picture alone.
    pub(crate) file: Vec<u8>,
}

/// Takes the first picture out. What its chunks say of its size has to agree.
pub(crate) fn first_picture(reader: &mut Reader<'_>, whole: &[u8]) -> Result<First, ProbeError> {
    let first = riff::chunk(reader, riff::FIRST)?.ok_or(ProbeError::Truncated)?;
    if &first.name != b"VP8X" {
        let (width, height, _) = picture(reader, &first)?;
        let size = (width, height);
        return Ok(First {
            canvas: size,
            place: (0, 0),
            size,
            file: riff::file(&[(first.name, riff::content(whole, &first)?)])?,
        });
    }
    let animated = reader.u8(first.start)? & 2 != 0;
    let three = |reader: &mut Reader<'_>, offset: u64, add: u8| reader.array(after(offset, add)?).map(u24);
    let canvas = (three(reader, first.start, 4)? + 1, three(reader, first.start, 7)? + 1);
    let (mut offset, mut end) = (first.next, reader.length());
    let (mut place, mut size) = ((0, 0), canvas);
    if animated {
        loop {
            let frame = riff::chunk(reader, offset)?.ok_or(ProbeError::Truncated)?;
            if &frame.name != b"ANMF" {
                offset = frame.next;
                continue;
            }
            place = (three(reader, frame.start, 0)? * 2, three(reader, frame.start, 3)? * 2);
            size = (three(reader, frame.start, 6)? + 1, three(reader, frame.start, 9)? + 1);
            (offset, end) = (after(frame.start, 16_u8)?, after(frame.start, frame.length)?.min(end));
            break;
        }
        if place.0 + size.0 > canvas.0 || place.1 + size.1 > canvas.1 {
            return Err(ProbeError::Damaged("a picture beside its place"));
        }
    }
    let mut transparency = None;
    while offset < end {
        let Some(chunk) = riff::chunk(reader, offset)? else { break };
        match &chunk.name {
            b"ALPH" => transparency = Some(riff::content(whole, &chunk)?),
            b"VP8 " | b"VP8L" => {
                let (width, height, alpha) = picture(reader, &chunk)?;
                if (width, height) != size {
                    return Err(ProbeError::Damaged("a picture of another size than announced"));
                }
                let transparency = transparency.filter(|_| &chunk.name == b"VP8 ");
                let flags = if alpha || transparency.is_some() { HAS_ALPHA } else { 0 };
                let [w0, w1, w2, _] = (width - 1).to_le_bytes();
                let [h0, h1, h2, _] = (height - 1).to_le_bytes();
                let header = [flags, 0, 0, 0, w0, w1, w2, h0, h1, h2];
                let mut chunks = vec![(*b"VP8X", header.as_slice())];
                chunks.extend(transparency.map(|content| (*b"ALPH", content)));
                chunks.push((chunk.name, riff::content(whole, &chunk)?));
                return Ok(First { canvas, place, size, file: riff::file(&chunks)? });
            }
            _ => {}
        }
        offset = chunk.next;
    }
    Err(ProbeError::Damaged("no picture"))
}
