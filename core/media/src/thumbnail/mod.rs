//! Small JPEG pictures of large ones, for `jpegThumbnail` of a message (media document §12.1).

mod decode;
mod encode;
mod gif;
mod scale;
mod webp;

use scale::Fit;

use crate::probe::{ImageFormat, Media, ProbeError, probe};

/// How a thumbnail is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThumbnailOptions {
    /// The longest edge in pixels; smaller pictures keep their size.
    pub longest_edge: u16,
    /// From 1 to 100, as other programs count.
    pub quality: u8,
    /// Larger pictures are refused before anything is decoded. A JPEG or WebP is held whole, with up to
    /// four octets for every pixel, a GIF with one; a PNG line by line.
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

/// Why there is no thumbnail. A message is sent without one then, or with one that the host made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ThumbnailError {
    /// Nothing is known of the file.
    #[error(transparent)]
    Probe(#[from] ProbeError),
    /// It is sound or a film: no pictures are taken out of films here.
    #[error("no picture is taken out of a film or a sound; give one")]
    NoPicture,
    /// The picture has more pixels than was allowed.
    #[error("the picture is larger than allowed")]
    TooLarge,
    /// The picture was not decoded.
    #[error("the picture is damaged")]
    Damaged,
}

/// Makes a thumbnail of a JPEG, PNG, WebP or GIF, turned as the picture is shown; what is transparent
/// becomes white. Of an animation it is the first picture.
///
/// # Errors
/// [`ThumbnailError`].
pub fn thumbnail(picture: &[u8], options: &ThumbnailOptions) -> Result<Thumbnail, ThumbnailError> {
    made(picture, options, Fit::Whole(options.longest_edge.max(1).into()))
}

/// Makes a square picture of the middle of another one, as profile pictures are; otherwise as
/// [`thumbnail`].
///
/// # Errors
/// [`ThumbnailError`].
pub fn square(picture: &[u8], options: &ThumbnailOptions) -> Result<Thumbnail, ThumbnailError> {
    made(picture, options, Fit::Square(options.longest_edge.max(1).into()))
}

fn made(mut picture: &[u8], options: &ThumbnailOptions, fit: Fit) -> Result<Thumbnail, ThumbnailError> {
    let Media::Image(image) = probe(&mut picture)? else { return Err(ThumbnailError::NoPicture) };
    let most = options.max_pixels;
    if u64::from(image.width).saturating_mul(image.height.into()) > most {
        return Err(ThumbnailError::TooLarge);
    }
    let small = match image.format {
        ImageFormat::Jpeg => decode::jpeg(picture, most, fit)?,
        ImageFormat::Png => decode::png(picture, most, fit)?,
        ImageFormat::WebP => webp::webp(picture, most, fit)?,
        ImageFormat::Gif => gif::gif(picture, most, fit)?,
    };
    let small = small.turned(image.orientation);
    let size = |length: usize| u16::try_from(length).map_err(|_| ThumbnailError::TooLarge);
    let (width, height) = (size(small.width)?, size(small.height)?);
    Ok(Thumbnail { jpeg: encode::jpeg(&small, width, height, options.quality), width, height })
}
