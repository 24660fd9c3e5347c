//! PNG: the header, and the count of pictures of an animation.

use crate::probe::{Image, ImageFormat, ProbeError};
use crate::source::{Reader, after};

pub(crate) fn probe(reader: &mut Reader<'_>) -> Result<Image, ProbeError> {
    if &reader.array::<8>(8)? != b"\0\0\0\x0dIHDR" {
        return Err(ProbeError::Damaged("no header"));
    }
    let (width, height) = (reader.u32_be(16)?, reader.u32_be(20)?);
    if width == 0 || height == 0 || width > 1 << 31 || height > 1 << 31 {
        return Err(ProbeError::Damaged("no dimensions"));
    }
    let mut image = Image::still(ImageFormat::Png, width, height);
    let mut offset = 33;
    // The count stands before the first picture.
    while offset < reader.length() {
        reader.step()?;
        let length = reader.u32_be(offset)?;
        let kind: [u8; 4] = reader.array(after(offset, 4_u8)?)?;
        match &kind {
            b"acTL" => image.frames = reader.u32_be(after(offset, 8_u8)?)?.max(1),
            b"IDAT" => return Ok(image),
            _ => {}
        }
        offset = after(after(offset, 12_u8)?, length)?;
    }
    Err(ProbeError::Truncated)
}
