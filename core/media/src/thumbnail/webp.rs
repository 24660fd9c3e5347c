//! The first picture of a WebP. It is taken out of its animation and decoded by itself, so that all that was
//! announced of it can be checked before anything is decoded, and the pictures behind it cost nothing.

use std::io::Cursor;

use image_webp::WebPDecoder;

use super::ThumbnailError;
use super::decode::{allowed, on_white};
use super::scale::{Fit, Pixels, Scaler};
use crate::source::Reader;
use crate::webp::first_picture;

/// What the decoder may take for other things than pixels.
const MEMORY: usize = 64 << 20;

pub(super) fn webp(mut file: &[u8], max_pixels: u64, fit: Fit) -> Result<Pixels, ThumbnailError> {
    let whole = file;
    let first = first_picture(&mut Reader::new(&mut file), whole)?;
    let size = |length: u32| usize::try_from(length).map_err(|_| ThumbnailError::TooLarge);
    let (width, height) = (size(first.canvas.0)?, size(first.canvas.1)?);
    allowed(width, height, max_pixels)?;
    let damaged = |_| ThumbnailError::Damaged;
    let mut decoder = WebPDecoder::new(Cursor::new(first.file.as_slice())).map_err(damaged)?;
    decoder.set_memory_limit(MEMORY);
    if decoder.dimensions() != first.size || decoder.is_animated() {
        return Err(ThumbnailError::Damaged);
    }
    let (inner_width, inner_height) = (size(first.size.0)?, size(first.size.1)?);
    allowed(inner_width, inner_height, max_pixels)?;
    let mut pixels = vec![0; decoder.output_buffer_size().ok_or(ThumbnailError::TooLarge)?];
    decoder.read_image(&mut pixels).map_err(damaged)?;

    let alpha = decoder.has_alpha();
    let depth = if alpha { 4 } else { 3 };
    let (left, top) = (size(first.place.0)?, size(first.place.1)?);
    let mut scaler = Scaler::new(width, height, fit);
    for y in 0..height {
        let row = y.checked_sub(top).filter(|row| *row < inner_height);
        let start = row.map(|row| row.saturating_mul(inner_width).saturating_mul(depth));
        let line = start.and_then(|start| pixels.get(start..)).unwrap_or_default();
        let line = line.get(..inner_width.saturating_mul(depth)).unwrap_or_default();
        let inner = line.chunks_exact(depth).map(|pixel| match *pixel {
            [red, green, blue, alpha] => [red, green, blue].map(|colour| on_white(colour, alpha)),
            [red, green, blue] => [red, green, blue],
            _ => [255; 3],
        });
        let white = std::iter::repeat([255; 3]);
        scaler.line(white.clone().take(left).chain(inner).chain(white).take(width));
    }
    scaler.finish().ok_or(ThumbnailError::Damaged)
}
