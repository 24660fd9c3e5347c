//! The first picture of a GIF.

use gif::{ColorOutput, DecodeOptions, MemoryLimit};

use super::ThumbnailError;
use super::decode::allowed;
use super::scale::{Fit, Pixels, Scaler};

pub(super) fn gif(file: &[u8], max_pixels: u64, fit: Fit) -> Result<Pixels, ThumbnailError> {
    let damaged = |_| ThumbnailError::Damaged;
    let mut options = DecodeOptions::new();
    // One octet for a pixel; the colours are looked up line by line.
    options.set_color_output(ColorOutput::Indexed);
    options.check_frame_consistency(true);
    if let Some(most) = std::num::NonZeroU64::new(max_pixels) {
        options.set_memory_limit(MemoryLimit::Bytes(most));
    }
    let mut decoder = options.read_info(file).map_err(damaged)?;
    let (width, height) = (usize::from(decoder.width()), usize::from(decoder.height()));
    allowed(width, height, max_pixels)?;
    let Some(frame) = decoder.next_frame_info().map_err(damaged)? else {
        return Err(ThumbnailError::Damaged);
    };
    let (left, top) = (usize::from(frame.left), usize::from(frame.top));
    let (inner_width, inner_height) = (usize::from(frame.width), usize::from(frame.height));
    let transparent = frame.transparent;
    let own = frame.palette.clone();
    let colours = match own {
        Some(own) => own,
        None => decoder.global_palette().map(<[u8]>::to_vec).unwrap_or_default(),
    };
    let length = inner_width.checked_mul(inner_height).ok_or(ThumbnailError::TooLarge)?;
    if length == 0 || decoder.buffer_size() != length {
        return Err(ThumbnailError::Damaged);
    }
    let mut pixels = vec![0; length];
    decoder.read_into_buffer(&mut pixels).map_err(damaged)?;

    let (colours, _) = colours.as_chunks::<3>();
    let colour = |number: &u8| match transparent {
        Some(transparent) if transparent == *number => [255; 3],
        _ => colours.get(usize::from(*number)).copied().unwrap_or([255; 3]),
    };
    let mut scaler = Scaler::new(width, height, fit);
    for y in 0..height {
        let row = y.checked_sub(top).filter(|row| *row < inner_height);
        let start = row.map(|row| row.saturating_mul(inner_width));
        let line = start.and_then(|start| pixels.get(start..)).unwrap_or_default();
        let line = line.get(..inner_width).unwrap_or_default();
        let white = std::iter::repeat([255; 3]);
        scaler.line(white.clone().take(left).chain(line.iter().map(colour)).chain(white).take(width));
    }
    scaler.finish().ok_or(ThumbnailError::Damaged)
}
