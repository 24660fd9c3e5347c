//! Decoding of JPEG and PNG by libraries, with bounds, straight into the scaler.

use std::io::Cursor;

use png::{ColorType, Transformations};
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use super::ThumbnailError;
use super::scale::{Fit, Pixels, Scaler};

pub(super) fn jpeg(picture: &[u8], max_pixels: u64, fit: Fit) -> Result<Pixels, ThumbnailError> {
    let options = DecoderOptions::default()
        .set_max_width(usize::from(u16::MAX))
        .set_max_height(usize::from(u16::MAX))
        // Each scan of a progressive picture goes over all of it.
        .jpeg_set_max_scans(64)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(picture), options);
    decoder.decode_headers().map_err(|_| ThumbnailError::Damaged)?;
    let info = decoder.info().ok_or(ThumbnailError::Damaged)?;
    let (width, height) = (usize::from(info.width), usize::from(info.height));
    // The frame that is decoded need not be the one that was probed.
    allowed(width, height, max_pixels)?;
    let pixels = decoder.decode().map_err(|_| ThumbnailError::Damaged)?;
    let (pixels, _) = pixels.as_chunks::<3>();
    let mut scaler = Scaler::new(width, height, fit);
    for line in pixels.chunks(width.max(1)) {
        scaler.line(line.iter().copied());
    }
    scaler.finish().ok_or(ThumbnailError::Damaged)
}

pub(super) fn png(picture: &[u8], max_pixels: u64, fit: Fit) -> Result<Pixels, ThumbnailError> {
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(picture), png::Limits { bytes: 64 << 20 });
    decoder.set_transformations(Transformations::EXPAND | Transformations::STRIP_16);
    let mut reader = decoder.read_info().map_err(|_| ThumbnailError::Damaged)?;
    let size = reader.info().size();
    let (width, height) = match (usize::try_from(size.0), usize::try_from(size.1)) {
        (Ok(width), Ok(height)) => (width, height),
        _ => return Err(ThumbnailError::TooLarge),
    };
    allowed(width, height, max_pixels)?;
    let (colours, _) = reader.output_color_type();
    let mut scaler = Scaler::new(width, height, fit);
    if reader.info().interlaced {
        // Its lines come in several passes: it must be held whole.
        let length = reader.output_buffer_size().filter(|length| *length <= 256 << 20);
        let mut whole = vec![0; length.ok_or(ThumbnailError::TooLarge)?];
        reader.next_frame(&mut whole).map_err(|_| ThumbnailError::Damaged)?;
        for line in whole.chunks(reader.output_line_size(size.0).unwrap_or(0).max(1)) {
            scale(&mut scaler, line, colours);
        }
    } else {
        while let Some(row) = reader.next_row().map_err(|_| ThumbnailError::Damaged)? {
            scale(&mut scaler, row.data(), colours);
        }
    }
    scaler.finish().ok_or(ThumbnailError::Damaged)
}

/// Holds a picture to the limit on its pixels.
pub(super) fn allowed(width: usize, height: usize, max_pixels: u64) -> Result<(), ThumbnailError> {
    let pixels = width.checked_mul(height).and_then(|pixels| u64::try_from(pixels).ok());
    if pixels.is_some_and(|pixels| pixels <= max_pixels) { Ok(()) } else { Err(ThumbnailError::TooLarge) }
}

fn scale(scaler: &mut Scaler, line: &[u8], colours: ColorType) {
    match colours {
        ColorType::Rgb => scaler.line(line.as_chunks::<3>().0.iter().copied()),
        ColorType::Rgba => {
            let pixels = line.as_chunks::<4>().0.iter();
            scaler.line(
                pixels.map(|[red, green, blue, alpha]| [red, green, blue].map(|c| on_white(*c, *alpha))),
            );
        }
        ColorType::GrayscaleAlpha => {
            let pixels = line.as_chunks::<2>().0.iter();
            scaler.line(pixels.map(|[grey, alpha]| [on_white(*grey, *alpha); 3]));
        }
        // Palettes are expanded.
        ColorType::Grayscale | ColorType::Indexed => scaler.line(line.iter().map(|grey| [*grey; 3])),
    }
}

/// A colour over white.
pub(super) fn on_white(colour: u8, alpha: u8) -> u8 {
    let mixed = u32::from(colour) * u32::from(alpha) + 255 * (255 - u32::from(alpha));
    u8::try_from(mixed / 255).unwrap_or(u8::MAX)
}
