//! Small JPEG pictures of large ones, for `jpegThumbnail` of a message (media document §12.1).

mod decode;
mod encode;
mod scale;

use crate::probe::{ImageFormat, Media, ProbeError, probe};

/// How a thumbnail is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThumbnailOptions {
    /// The longest edge in pixels; smaller pictures keep their size.
    pub longest_edge: u16,
    /// From 1 to 100, as other programs count.
    pub quality: u8,
    /// Larger pictures are refused before anything is decoded. A JPEG is held whole, with three
    /// octets for every pixel; a PNG line by line.
    pub max_pixels: u64,
}

impl Default for ThumbnailOptions {
    /// 100 pixels at quality 60: some three KiB. Pictures of up to 50 megapixels.
    fn default() -> Self {
        Self { longest_edge: 100, quality: 60, max_pixels: 50_000_000 }
    }
}

/// A thumbnail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thumbnail {
    /// The JPEG.
    pub jpeg: Vec<u8>,
    /// Its width in pixels.
    pub width: u16,
    /// Its height in pixels.
    pub height: u16,
}

/// Why there is no thumbnail. A message is sent without one then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ThumbnailError {
    /// Nothing is known of the file.
    #[error(transparent)]
    Probe(#[from] ProbeError),
    /// Only JPEG and PNG are decoded here.
    #[error("thumbnails are made of JPEG and PNG only")]
    Unsupported,
    /// The picture has more pixels than was allowed.
    #[error("the picture is larger than allowed")]
    TooLarge,
    /// The picture was not decoded.
    #[error("the picture is damaged")]
    Damaged,
}

/// Makes a thumbnail of a JPEG or PNG, turned as the picture is shown; what is transparent becomes
/// white.
///
/// # Errors
/// [`ThumbnailError`].
pub fn thumbnail(mut picture: &[u8], options: &ThumbnailOptions) -> Result<Thumbnail, ThumbnailError> {
    let Media::Image(image) = probe(&mut picture)? else { return Err(ThumbnailError::Unsupported) };
    if u64::from(image.width).saturating_mul(image.height.into()) > options.max_pixels {
        return Err(ThumbnailError::TooLarge);
    }
    let edge = usize::from(options.longest_edge.max(1));
    let small = match image.format {
        ImageFormat::Jpeg => decode::jpeg(picture, options.max_pixels, edge)?,
        ImageFormat::Png => decode::png(picture, options.max_pixels, edge)?,
        ImageFormat::WebP | ImageFormat::Gif => return Err(ThumbnailError::Unsupported),
    };
    let small = small.turned(image.orientation);
    let size = |length: usize| u16::try_from(length).map_err(|_| ThumbnailError::TooLarge);
    let (width, height) = (size(small.width)?, size(small.height)?);
    Ok(Thumbnail { jpeg: encode::jpeg(&small, width, height, options.quality), width, height })
}
