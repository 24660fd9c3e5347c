//! JPEG: the segments up to the frame header, and the orientation out of EXIF.

use crate::probe::{Image, ImageFormat, ProbeError};
use crate::source::{MAX_HELD, Reader, after};

pub(crate) fn probe(reader: &mut Reader<'_>) -> Result<Image, ProbeError> {
    let mut offset = 2;
    let mut orientation = 1;
    loop {
        reader.step()?;
        let [mark, marker] = reader.array(offset)?;
        if mark != 0xff {
            return Err(ProbeError::Damaged("no segment where one must be"));
        }
        match marker {
            // Fill octets, and markers without content.
            0xff => offset = after(offset, 1_u8)?,
            0x01 | 0xd0..=0xd8 => offset = after(offset, 2_u8)?,
            0xd9 | 0xda => return Err(ProbeError::Damaged("no frame header")),
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => {
                let height = u32::from(reader.u16_be(after(offset, 5_u8)?)?);
                let width = u32::from(reader.u16_be(after(offset, 7_u8)?)?);
                if width == 0 || height == 0 {
                    return Err(ProbeError::Damaged("no dimensions"));
                }
                let turned = orientation >= 5;
                let (width, height) = if turned { (height, width) } else { (width, height) };
                return Ok(Image { orientation, ..Image::still(ImageFormat::Jpeg, width, height) });
            }
            _ => {
                let length = reader.u16_be(after(offset, 2_u8)?)?;
                if length < 2 {
                    return Err(ProbeError::Damaged("a segment without length"));
                }
                if marker == 0xe1 {
                    let held = usize::from(length).saturating_sub(2).min(MAX_HELD);
                    // EXIF is an extra: a damaged one leaves the picture as it is.
                    let exif = reader.bytes(after(offset, 4_u8)?, held)?;
                    orientation = exif_orientation(&exif).unwrap_or(orientation);
                }
                offset = after(after(offset, 2_u8)?, length)?;
            }
        }
    }
}

/// The orientation, if this is EXIF and has one.
fn exif_orientation(segment: &[u8]) -> Option<u8> {
    let tiff = segment.strip_prefix(b"Exif\0\0")?;
    let big = match tiff.first_chunk()? {
        b"MM\0\x2a" => true,
        b"II\x2a\0" => false,
        _ => return None,
    };
    let u16_at = |at: usize| {
        let bytes = *tiff.get(at..)?.first_chunk()?;
        Some(if big { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
    };
    let directory = *tiff.get(4..)?.first_chunk()?;
    let directory = if big { u32::from_be_bytes(directory) } else { u32::from_le_bytes(directory) };
    let directory = usize::try_from(directory).ok()?;
    let entries = usize::from(u16_at(directory)?);
    (0..entries).find_map(|entry| {
        let at = entry.checked_mul(12)?.checked_add(directory)?.checked_add(2)?;
        if u16_at(at)? != 0x0112 {
            return None;
        }
        let value = u8::try_from(u16_at(at.checked_add(8)?)?).ok()?;
        (1..=8).contains(&value).then_some(value)
    })
}
