//! What a file says about itself, for the message around it (media document §11, §12). Files come from
//! anybody: they are looked at off the engine's own threads, and pictures are decoded within bounds.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use whimbrel_media::{ImageFormat, ProbeError, Source, Thumbnail, ThumbnailError, ThumbnailOptions};

use super::failure;
use super::options::MediaSource;
use crate::client::{Client, Inner};
use crate::error::{Code, Error};
use crate::stickers::StickerInfo;

/// Longest picture that is decoded for a preview.
const LONGEST_PICTURE: u64 = 16 << 20;
/// Most pixels of one: a camera's 24 megapixels take 72 MB for a moment.
const MOST_PIXELS: u64 = 25_000_000;

/// What is known of a file.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Description {
    /// What it is.
    pub mimetype: String,
    /// Length in bytes.
    pub length: u64,
    /// Width in pixels, as it is shown.
    pub width: Option<u32>,
    /// Height in pixels, as it is shown.
    pub height: Option<u32>,
    /// How long it plays.
    pub duration: Option<Duration>,
    /// A picture that moves.
    pub is_animated: bool,
    /// Where the first picture of an animation ends, in bytes.
    pub first_frame_length: Option<u64>,
    /// A small picture of a JPEG, PNG, WebP or GIF; of one that moves, the first.
    pub preview: Option<Preview>,
    /// How a voice note is drawn: 64 values from 0 to 100. They are those of the sound for Opus of at most ten
    /// minutes and for PCM in WAV; those of longer notes are guessed from their packets.
    pub waveform: Option<Vec<u8>>,
    /// What a sticker says of itself and of its pack, if it is a WebP that does.
    pub sticker: Option<StickerInfo>,
    /// Why there is no preview of a picture or film, as a lowercase fragment.
    pub no_preview: Option<String>,
}

/// A small picture.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Preview {
    /// JPEG.
    pub jpeg: Vec<u8>,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

impl Client {
    /// Makes the small picture that messages carry of a JPEG, PNG, WebP or GIF of at most 16 MiB and 25
    /// megapixels: for files of which [`describe`](Self::describe) makes none, such as films.
    ///
    /// # Errors
    /// [`Code::MediaUnsupported`] for what is no such picture; [`Code::FileFailed`] when it cannot be read.
    pub async fn preview(&self, picture: impl Into<MediaSource>) -> Result<Preview, Error> {
        let options = ThumbnailOptions::default();
        let picture = PictureInput::of(&picture.into());
        self.call("preview", None, move |client, _| async move {
            let made = picture.made(&client, move |picture, max_pixels| {
                whimbrel_media::thumbnail(picture, &ThumbnailOptions { max_pixels, ..options })
            });
            made.await.map(Into::into)
        })
        .await
    }

    /// Looks at a file: what it is, how large, how long, with a small picture or a waveform where one can
    /// be made. Nothing is decoded but pictures, of at most 16 MiB and 25
    /// megapixels, and voice notes of at most ten minutes.
    ///
    /// # Errors
    /// [`Code::MediaUnsupported`] for a format that is not known or a damaged file: it can still be sent
    /// as a document. [`Code::FileFailed`] when it cannot be read. [`Code::InvalidArgument`] for a reader,
    /// which could be read only once.
    pub async fn describe(&self, source: impl Into<MediaSource>) -> Result<Description, Error> {
        let source = Again::of(&source.into());
        let describe = |client: std::sync::Arc<Inner>, _| async move {
            let once = "a reader can be read only once; describe the file itself";
            run(&client, source.ok_or_else(|| Error::new(Code::InvalidArgument, once))?).await
        };
        self.call("describe", None, describe).await
    }
}

/// A source that can be read more than once.
#[derive(Clone)]
pub(crate) enum Again {
    Path(PathBuf),
    Bytes(Bytes),
}

impl Again {
    pub(crate) fn of(source: &MediaSource) -> Option<Self> {
        match source {
            MediaSource::Path(path) => Some(Self::Path(path.clone())),
            MediaSource::Bytes(bytes) => Some(Self::Bytes(bytes.clone())),
            MediaSource::Reader(_) => None,
        }
    }
}

impl From<Thumbnail> for Preview {
    fn from(made: Thumbnail) -> Self {
        Self { jpeg: made.jpeg, width: made.width.into(), height: made.height.into() }
    }
}

/// A picture that the host gave, to make smaller ones of.
pub(crate) struct PictureInput(Option<Again>);

impl PictureInput {
    pub(crate) fn of(source: &MediaSource) -> Self {
        Self(Again::of(source))
    }

    /// Makes something of the picture, which may have so many pixels.
    pub(crate) async fn made<T: Send + 'static>(
        self,
        client: &Inner,
        make: impl FnOnce(&[u8], u64) -> Result<T, ThumbnailError> + Send + 'static,
    ) -> Result<T, Error> {
        let once = "a reader can be read only once; give the picture itself";
        let source = self.0.ok_or_else(|| Error::new(Code::InvalidArgument, once))?;
        smaller(client, source, make).await
    }
}

async fn smaller<T: Send + 'static>(
    client: &Inner,
    source: Again,
    make: impl FnOnce(&[u8], u64) -> Result<T, ThumbnailError> + Send + 'static,
) -> Result<T, Error> {
    let _turn = client.media.decoding_turn().await?;
    let made = on(source, |source| {
        let picture = read_picture(source)?;
        make(&picture, MOST_PIXELS).map_err(|error| {
            if let ThumbnailError::Probe(ProbeError::Read(kind)) = error {
                return failure::local(kind.into());
            }
            let message = "no smaller picture can be made; give a JPEG, PNG, WebP or GIF";
            Error::new(Code::MediaUnsupported, message).because(error)
        })
    });
    made.await?
}

fn read_picture(source: &mut dyn Source) -> Result<Vec<u8>, Error> {
    let length = source.length();
    if length > LONGEST_PICTURE {
        return Err(Error::new(Code::MediaTooLarge, "the picture is longer than allowed"));
    }
    let mut picture = vec![0; usize::try_from(length).unwrap_or(0)];
    let read = source.read_at(0, &mut picture).map_err(failure::local)?;
    picture.truncate(read);
    Ok(picture)
}

/// Describes a file.
pub(super) async fn run(client: &Inner, source: Again) -> Result<Description, Error> {
    let _turn = client.media.decoding_turn().await?;
    on(source, |source| describe(source)).await?
}

/// What a file is, from its first bytes; `None` if that is not known.
pub(super) async fn mimetype(source: Again) -> Option<&'static str> {
    let probed = on(source, |source| whimbrel_media::probe(source).ok()).await;
    probed.ok().flatten().map(|media| media.mime())
}

/// Does something with a source off the engine's own threads.
pub(crate) async fn on<T: Send + 'static>(
    source: Again,
    work: impl FnOnce(&mut dyn Source) -> T + Send + 'static,
) -> Result<T, Error> {
    match source {
        Again::Path(path) => {
            let worked =
                tokio::task::spawn_blocking(move || OnDisk::open(&path).map(|mut file| work(&mut file)));
            worked.await.map_err(failure::worker)?.map_err(failure::local)
        }
        Again::Bytes(bytes) => {
            tokio::task::spawn_blocking(move || work(&mut &*bytes)).await.map_err(failure::worker)
        }
    }
}

/// Reads a short file whole.
pub(crate) async fn read_whole(source: MediaSource, longest: u64) -> Result<Vec<u8>, Error> {
    let reading = tokio::task::spawn_blocking(move || {
        let mut file = Vec::new();
        let most = longest.saturating_add(1);
        match source {
            MediaSource::Bytes(bytes) => return Ok(bytes.into()),
            MediaSource::Path(path) => File::open(path)?.take(most).read_to_end(&mut file)?,
            MediaSource::Reader(reader) => reader.take(most).read_to_end(&mut file)?,
        };
        Ok(file)
    });
    let file: io::Result<Vec<u8>> = reading.await.map_err(failure::worker)?;
    let file = file.map_err(failure::local)?;
    if u64::try_from(file.len()).is_ok_and(|length| length <= longest) {
        Ok(file)
    } else {
        Err(failure::too_large())
    }
}

fn describe(source: &mut dyn Source) -> Result<Description, Error> {
    let media = whimbrel_media::probe(source).map_err(unsupported)?;
    let length = source.length();
    let mut found = Description { mimetype: media.mime().to_owned(), length, ..Description::default() };
    match media {
        whimbrel_media::Media::Image(image) => {
            (found.width, found.height) = (Some(image.width), Some(image.height));
            found.is_animated = image.frames > 1;
            found.duration = Some(image.duration).filter(|duration| !duration.is_zero());
            found.first_frame_length = image.first_frame_length;
            if image.format == ImageFormat::WebP {
                found.sticker = whimbrel_media::read_sticker_pack(source).ok().flatten();
            }
            match preview(source) {
                Ok(preview) => found.preview = Some(preview),
                Err(why) => found.no_preview = Some(why),
            }
        }
        whimbrel_media::Media::Film(film) => {
            (found.width, found.height) = (Some(film.width), Some(film.height));
            found.duration = film.duration;
            found.no_preview = Some(ThumbnailError::NoPicture.to_string());
        }
        whimbrel_media::Media::Sound(sound) => {
            found.duration = sound.duration;
            let waveform = whimbrel_media::waveform(source).ok().flatten();
            found.waveform = waveform.map(|waveform| waveform.values.to_vec());
        }
    }
    Ok(found)
}

fn preview(source: &mut dyn Source) -> Result<Preview, String> {
    let picture = read_picture(source).map_err(|error| error.message().to_owned())?;
    let options = ThumbnailOptions { max_pixels: MOST_PIXELS, ..ThumbnailOptions::default() };
    let made = whimbrel_media::thumbnail(&picture, &options).map_err(|error| error.to_string())?;
    Ok(made.into())
}

fn unsupported(error: ProbeError) -> Error {
    if let ProbeError::Read(kind) = error {
        return failure::local(kind.into());
    }
    let message = match error {
        ProbeError::NotDecoded => {
            "pictures of this format are not decoded; convert it, or send it as a document"
        }
        _ => "the file is of no known format, or damaged; it can be sent as a document",
    };
    Error::new(Code::MediaUnsupported, message).because(error)
}

/// A file that is looked into.
struct OnDisk {
    file: File,
    length: u64,
}

impl OnDisk {
    fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        Ok(Self { file, length })
    }
}

impl Source for OnDisk {
    fn length(&self) -> u64 {
        self.length
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.seek(SeekFrom::Start(offset))?;
        let mut filled = 0;
        while let Some(free) = buffer.get_mut(filled..).filter(|free| !free.is_empty()) {
            match self.file.read(free) {
                Ok(0) => break,
                Ok(read) => filled = filled.saturating_add(read),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }
}
