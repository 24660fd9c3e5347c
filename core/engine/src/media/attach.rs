//! Putting a file into a message: uploading it, and filling in what the message says about it (media
//! document §11).

use std::time::Duration;

use whimbrel_content::kinds::media::Media;
use whimbrel_content::{Content, MediaKind};

use super::describe::Description;
use super::options::{MediaSource, UploadOptions};
use super::upload::Uploaded;
use crate::client::Client;
use crate::error::{Code, Error};

/// Content with its file.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Attached {
    /// It, ready to be sent.
    pub content: Content,
    /// What posts of channels name the file by.
    pub handle: Option<String>,
}

impl Client {
    /// Uploads a file and puts it into content of a kind that has one: a picture, video, loop, round
    /// note, sound, voice note, document, sticker or sticker pack. Dimensions, duration, preview,
    /// waveform and codes are filled in as far as they can be found out and the content does not say
    /// them. [`send`](Self::send) the result. Packs are made of their stickers by
    /// [`make_sticker_pack`](Self::make_sticker_pack).
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] for content without a file; [`Code::MediaUnsupported`] when nothing is
    /// known of the format and the content says no [`mimetype`](Media::mimetype), unless it is a
    /// document or a sound; and those of [`upload`](Self::upload).
    pub async fn attach(
        &self,
        content: Content,
        source: impl Into<MediaSource>,
        options: UploadOptions,
    ) -> Result<Content, Error> {
        self.attach_with_handle(content, source, options).await.map(|attached| attached.content)
    }

    /// The same, with the name that the media hosts gave the file: posts of channels need it
    /// ([`SendOptions::media_handle`](crate::SendOptions::media_handle)), with
    /// [`newsletter`](UploadOptions::newsletter) set.
    ///
    /// # Errors
    /// Those of [`attach`](Self::attach).
    pub async fn attach_with_handle(
        &self,
        mut content: Content,
        source: impl Into<MediaSource>,
        mut options: UploadOptions,
    ) -> Result<Attached, Error> {
        let Some((kind, media)) = file_of(&mut content) else {
            return Err(Error::new(Code::InvalidArgument, "content of this kind has no file"));
        };
        let said = media.mimetype.take();
        let mut source = source.into();
        if let Some(info) = options.sticker.take() {
            if kind != MediaKind::Sticker {
                return Err(Error::new(Code::InvalidArgument, "only stickers belong to packs"));
            }
            source = crate::stickers::with_info(source, info).await?;
        }
        let (again, name) = match &source {
            MediaSource::Path(path) => {
                let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
                (Some(MediaSource::Path(path.clone())), name)
            }
            MediaSource::Bytes(bytes) => (Some(MediaSource::Bytes(bytes.clone())), None),
            MediaSource::Reader(_) => (None, None),
        };
        let known = match again {
            Some(again) => match self.describe(again).await {
                Ok(found) => found,
                Err(error) if error.code() == Code::MediaUnsupported => {
                    let plain =
                        matches!(kind, MediaKind::Document | MediaKind::Audio | MediaKind::StickerPack);
                    if !plain && said.is_none() && options.mimetype.is_none() {
                        return Err(error.in_operation("attach"));
                    }
                    Description::default()
                }
                Err(error) => return Err(error),
            },
            None => Description::default(),
        };
        let found = Some(known.mimetype.clone()).filter(|mimetype| !mimetype.is_empty());
        options.mimetype = options.mimetype.or(said).or(found);
        options.first_frame_length = options.first_frame_length.or(known.first_frame_length);
        let first_frame = options.first_frame_length;
        let uploaded = self.upload(source, kind, options).await?;
        let handle = uploaded.handle.clone();
        fill(&mut content, uploaded, known, name, first_frame);
        Ok(Attached { content, handle })
    }
}

/// The file of content, and what it is to it.
pub(crate) fn file_of(content: &mut Content) -> Option<(MediaKind, &mut Media)> {
    Some(match content {
        Content::Image(it) => (MediaKind::Image, &mut it.media),
        Content::Video(it) => (MediaKind::Video, &mut it.media),
        Content::Gif(it) => (MediaKind::Gif, &mut it.media),
        Content::VideoNote(it) => (MediaKind::Ptv, &mut it.media),
        Content::Audio(it) => (MediaKind::Audio, &mut it.media),
        Content::Voice(it) => (MediaKind::Ptt, &mut it.media),
        Content::Document(it) => (MediaKind::Document, &mut it.media),
        Content::Sticker(it) => (MediaKind::Sticker, &mut it.media),
        Content::StickerPack(it) => (MediaKind::StickerPack, &mut it.media),
        _ => return None,
    })
}

fn fill(
    content: &mut Content,
    uploaded: Uploaded,
    known: Description,
    name: Option<String>,
    first_frame: Option<u64>,
) {
    let Uploaded { reference, streaming_sidecar, first_frame_sidecar, .. } = uploaded;
    if let Some((_, media)) = file_of(content) {
        *media = reference.media;
    }
    let preview = known.preview.map(|preview| preview.jpeg);
    match content {
        Content::Image(it) => {
            it.width = it.width.or(known.width);
            it.height = it.height.or(known.height);
            it.thumbnail = it.thumbnail.take().or(preview);
        }
        Content::Video(it) | Content::Gif(it) | Content::VideoNote(it) => {
            it.width = it.width.or(known.width);
            it.height = it.height.or(known.height);
            // A video of no length is not played.
            it.seconds = it.seconds.or(known.duration.map(|duration| seconds(duration).max(1)));
            it.streaming_sidecar = streaming_sidecar;
        }
        Content::Audio(it) => {
            it.seconds = it.seconds.or(known.duration.map(seconds));
            it.streaming_sidecar = streaming_sidecar;
        }
        Content::Voice(it) => {
            it.seconds = it.seconds.or(known.duration.map(seconds));
            it.waveform = it.waveform.take().or(known.waveform);
            it.streaming_sidecar = streaming_sidecar;
        }
        Content::Document(it) => {
            it.file_name = it.file_name.take().or(name);
            it.title = it.title.take().or_else(|| it.file_name.clone());
            it.thumbnail = it.thumbnail.take().or(preview);
        }
        Content::Sticker(it) => {
            it.width = it.width.or(known.width);
            it.height = it.height.or(known.height);
            it.is_animated |= known.is_animated;
            it.first_frame_length = first_frame.and_then(|length| u32::try_from(length).ok());
            it.first_frame_sidecar = first_frame_sidecar;
        }
        _ => {}
    }
}

fn seconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_secs()).unwrap_or(u32::MAX)
}
