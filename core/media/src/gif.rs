//! GIF: the header, and all blocks, since nothing says how many pictures there are.

use std::time::Duration;

use crate::probe::{Image, ImageFormat, ProbeError};
use crate::source::{Reader, after};

pub(crate) fn probe(reader: &mut Reader<'_>) -> Result<Image, ProbeError> {
    let (width, height) = (u32::from(reader.u16_le(6)?), u32::from(reader.u16_le(8)?));
    if width == 0 || height == 0 {
        return Err(ProbeError::Damaged("no dimensions"));
    }
    let mut image = Image { frames: 0, ..Image::still(ImageFormat::Gif, width, height) };
    let mut offset = after(13, colours(reader.u8(10)?))?;
    loop {
        reader.step()?;
        // Some programs leave out the end.
        if offset >= reader.length() && image.frames > 0 {
            return Ok(image);
        }
        match reader.u8(offset)? {
            0x2c => {
                image.frames = image.frames.saturating_add(1);
                let table = colours(reader.u8(after(offset, 9_u8)?)?);
                // The descriptor, its colours and the width of the codes.
                offset = skip_blocks(reader, after(after(offset, 11_u8)?, table)?)?;
            }
            0x21 => {
                if reader.u8(after(offset, 1_u8)?)? == 0xf9 {
                    let delay = reader.u16_le(after(offset, 4_u8)?)?;
                    let delay = Duration::from_millis(u64::from(delay).saturating_mul(10));
                    image.duration = image.duration.saturating_add(delay);
                }
                offset = skip_blocks(reader, after(offset, 2_u8)?)?;
            }
            0x3b if image.frames > 0 => return Ok(image),
            _ => return Err(ProbeError::Damaged("no block where one must be")),
        }
    }
}

/// Length of the table of colours that these flags announce.
fn colours(flags: u8) -> u32 {
    if flags & 0x80 == 0 { 0 } else { 3 << (u32::from(flags & 7) + 1) }
}

/// The offset behind blocks of up to 255 octets, of which the last is empty.
fn skip_blocks(reader: &mut Reader<'_>, mut offset: u64) -> Result<u64, ProbeError> {
    loop {
        reader.step()?;
        let length = reader.u8(offset)?;
        offset = after(after(offset, 1_u8)?, length)?;
        if length == 0 {
            return Ok(offset);
        }
    }
}
