//! Facts about a file of any known format.

use std::io;
use std::time::Duration;

use crate::source::Reader;
use crate::{Source, gif, jpeg, mp3, mp4, ogg, png, wav, webp};

/// Why nothing is known of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProbeError {
    /// It is of no format that is known here; it can still be sent as a document.
    #[error("the format of the file is not known")]
    Unknown,
    /// It is a picture of a kind that phones do not show and that is not decoded here: HEIC, AVIF and the
    /// like. Convert it, or send it as a document, with a thumbnail of your own if you like.
    #[error("the picture is HEIC or AVIF, which is not decoded here; convert it, or give a thumbnail")]
    NotDecoded,
    /// It ends before its header does.
    #[error("the file is cut off")]
    Truncated,
    /// Its header contradicts itself or the format.
    #[error("the file is damaged: {0}")]
    Damaged(&'static str),
    /// It has more parts than a file of its kind ever needs.
    #[error("the file has too many parts")]
    TooComplex,
    /// It was not read.
    #[error("the file was not read: {0}")]
    Read(io::ErrorKind),
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Media {
    /// A picture, or several that make an animation.
    Image(Image),
    /// Moving pictures, with or without sound.
    Film(Film),
    /// Sound alone.
    Sound(Sound),
}

impl Media {
    /// The type as it is named in messages.
    pub fn mime(&self) -> &'static str {
        match self {
            Self::Image(image) => match image.format {
                ImageFormat::Jpeg => "image/jpeg",
                ImageFormat::Png => "image/png",
                ImageFormat::WebP => "image/webp",
                ImageFormat::Gif => "image/gif",
            },
            Self::Film(film) if film.quick_time => "video/quicktime",
            Self::Film(_) => "video/mp4",
            Self::Sound(sound) => match sound.format {
                // Exactly so: with another text, phones do not show a voice note.
                SoundFormat::OggOpus => "audio/ogg; codecs=opus",
                SoundFormat::Mp4 => "audio/mp4",
                SoundFormat::Mp3 => "audio/mpeg",
                SoundFormat::Wav => "audio/wav",
            },
        }
    }
}

/// The format of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageFormat {
    /// JPEG.
    Jpeg,
    /// PNG, also animated.
    Png,
    /// WebP, also animated.
    WebP,
    /// GIF, also animated.
    Gif,
}

/// A picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Image {
    /// Its format.
    pub format: ImageFormat,
    /// Width in pixels as it is shown: `orientation` is already applied.
    pub width: u32,
    /// Height in pixels as it is shown.
    pub height: u32,
    /// How the stored picture must be turned to be shown, as EXIF counts: 1 is not at all.
    pub orientation: u8,
    /// How many pictures follow each other; 1 when it does not move.
    pub frames: u32,
    /// How long an animation takes once.
    pub duration: Duration,
    /// Where in the file the first picture of an animated WebP ends, for `firstFrameLength` of a
    /// sticker.
    pub first_frame_length: Option<u64>,
}

impl Image {
    pub(crate) fn still(format: ImageFormat, width: u32, height: u32) -> Self {
        Self {
            format,
            width,
            height,
            orientation: 1,
            frames: 1,
            duration: Duration::ZERO,
            first_frame_length: None,
        }
    }
}

/// Moving pictures: MP4 and its relatives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Film {
    /// Width in pixels as it is shown: `rotation` is already applied.
    pub width: u32,
    /// Height in pixels as it is shown.
    pub height: u32,
    /// By how many degrees to the right the stored pictures are turned to be shown: 0, 90, 180 or 270.
    pub rotation: u16,
    /// How long it is; `None` if the file does not say.
    pub duration: Option<Duration>,
    /// Whether it has sound; a film without may be sent as `gif`.
    pub has_sound: bool,
    /// Whether the index stands before the pictures, so that a player can begin before it has all.
    pub streams: bool,
    /// Whether it calls itself a QuickTime film.
    pub quick_time: bool,
}

/// The format of a sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SoundFormat {
    /// Opus in Ogg: what voice notes are.
    OggOpus,
    /// Whatever codec in MP4.
    Mp4,
    /// MPEG audio.
    Mp3,
    /// WAV.
    Wav,
}

/// Sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sound {
    /// Its format.
    pub format: SoundFormat,
    /// How long it is; `None` if the file does not say.
    pub duration: Option<Duration>,
    /// How many channels it has; `None` if its header was not read so far. Voice notes have one.
    pub channels: Option<u16>,
}

/// Finds out what a file is.
///
/// # Errors
/// Any of [`ProbeError`]; what is not known can still be sent as a document.
pub fn probe(source: &mut dyn Source) -> Result<Media, ProbeError> {
    let reader = &mut Reader::new(source);
    if reader.length() < 12 {
        return Err(ProbeError::Unknown);
    }
    let start: [u8; 12] = reader.array(0)?;
    match &start {
        [0xff, 0xd8, 0xff, ..] => jpeg::probe(reader).map(Media::Image),
        [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => png::probe(reader).map(Media::Image),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => gif::probe(reader).map(Media::Image),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P'] => webp::probe(reader).map(Media::Image),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E'] => wav::probe(reader).map(Media::Sound),
        [b'O', b'g', b'g', b'S', ..] => ogg::probe(reader).map(Media::Sound),
        [_, _, _, _, b'f', b't', b'y', b'p', ..]
        | [_, _, _, _, b'm', b'o', b'o', b'v', ..]
        | [_, _, _, _, b'm', b'd', b'a', b't', ..] => mp4::probe(reader),
        [b'I', b'D', b'3', ..] | [0xff, 0xe2..=0xff, ..] => mp3::probe(reader).map(Media::Sound),
        _ => Err(ProbeError::Unknown),
    }
}

/// A quotient of whole numbers as a time; `None` if nothing is said.
pub(crate) fn seconds(count: u64, per_second: u64) -> Option<Duration> {
    if per_second == 0 {
        return None;
    }
    let nanos = u128::from(count % per_second) * 1_000_000_000 / u128::from(per_second);
    Some(Duration::new(count / per_second, u32::try_from(nanos).ok()?))
}
