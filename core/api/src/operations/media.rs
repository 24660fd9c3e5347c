//! Files of messages.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use whimbrel::media::{self, DownloadOptions, MediaReference, MediaTarget, UploadOptions};
use whimbrel::{CallOptions, Client, Code, Error};

use super::{Operation, StickerInfo};
use crate::events::millis;

/// What a file is to its message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MediaKind {
    /// A picture.
    Image,
    /// A film.
    Video,
    /// A short film without sound that repeats.
    Gif,
    /// A round video note.
    VideoNote,
    /// A piece of sound.
    Audio,
    /// A voice note.
    Voice,
    /// Any file.
    Document,
    /// A sticker.
    Sticker,
    /// The archive of a sticker pack.
    StickerPack,
    /// The picture of a sticker pack.
    StickerPackThumbnail,
    /// The picture of a link preview.
    LinkThumbnail,
}

impl From<MediaKind> for media::MediaKind {
    fn from(kind: MediaKind) -> Self {
        match kind {
            MediaKind::Image => Self::Image,
            MediaKind::Video => Self::Video,
            MediaKind::Gif => Self::Gif,
            MediaKind::VideoNote => Self::Ptv,
            MediaKind::Audio => Self::Audio,
            MediaKind::Voice => Self::Ptt,
            MediaKind::Document => Self::Document,
            MediaKind::Sticker => Self::Sticker,
            MediaKind::StickerPack => Self::StickerPack,
            MediaKind::StickerPackThumbnail => Self::StickerPackThumbnail,
            MediaKind::LinkThumbnail => Self::LinkThumbnail,
        }
    }
}

/// Encrypts a file and uploads it, to be sent in messages. The service keeps it for some weeks.
///
/// An upload that breaks goes on where it was, at the same media host or another one, as long as
/// there is progress; without a deadline of the call that is the only limit. Repeating a call that
/// failed is safe. Native calls take the file from memory instead.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UploadMedia {
    /// Path of the file.
    pub path: String,
    /// What it is to its message.
    pub kind: MediaKind,
    /// What the file is, such as `image/jpeg`; what its first bytes say if it is absent.
    #[serde(default)]
    pub mimetype: Option<String>,
    /// For a channel: the file is not encrypted, as everybody may read it.
    #[serde(default)]
    pub newsletter: bool,
    /// A name for this transfer: `media_progress` events with it tell how far it is.
    #[serde(default)]
    pub transfer: Option<String>,
}

/// A file on the media hosts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UploadedMedia {
    /// Says where the file is and how it is opened. **It contains the file's key**: who has it can
    /// open the file. It stays valid across restarts and versions.
    pub reference: String,
    /// What the file is.
    pub mimetype: Option<String>,
    /// Its length in bytes.
    pub length: u64,
    /// What messages of channels name it by.
    pub handle: Option<String>,
}

impl From<media::Uploaded> for UploadedMedia {
    fn from(uploaded: media::Uploaded) -> Self {
        Self {
            reference: uploaded.reference.to_text(),
            length: uploaded.reference.media.length.unwrap_or_default(),
            mimetype: uploaded.reference.media.mimetype,
            handle: uploaded.handle,
        }
    }
}

impl Operation for UploadMedia {
    const NAME: &'static str = "upload_media";
    type Output = UploadedMedia;

    async fn run(self, client: &Client, options: CallOptions) -> Result<UploadedMedia, Error> {
        let mut upload = UploadOptions::default();
        upload.mimetype = self.mimetype;
        upload.newsletter = self.newsletter;
        upload.transfer = self.transfer;
        upload.timeout = options.timeout;
        upload.cancel = options.cancel;
        client.upload(PathBuf::from(self.path), self.kind.into(), upload).await.map(Into::into)
    }
}

/// Downloads the file of a message, decrypts it, and checks that it is the one that was sent.
///
/// The file appears at its path when all of it was checked; what stood there is replaced then. A
/// download that breaks goes on where it was. When the file is gone from the service, the phone is
/// asked to upload it again. Repeating a call that failed is safe. Native calls give the file into
/// memory instead.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DownloadMedia {
    /// What says where the file is, from a message or an upload.
    pub reference: String,
    /// Where to.
    pub path: String,
    /// Longest file to take, in bytes; 2 GiB if it is absent.
    #[serde(default)]
    pub max_length: Option<u64>,
    /// Whether the phone may be asked to upload the file again; true if it is absent.
    #[serde(default)]
    pub ask_phone: Option<bool>,
    /// A name for this transfer: `media_progress` events with it tell how far it is.
    #[serde(default)]
    pub transfer: Option<String>,
}

/// A file that was downloaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DownloadedMedia {
    /// Its length in bytes.
    pub length: u64,
    /// The phone uploaded it again: keep this in place of the reference that was given.
    pub moved: Option<String>,
}

impl From<&media::Downloaded> for DownloadedMedia {
    fn from(downloaded: &media::Downloaded) -> Self {
        let moved = downloaded.moved.as_ref().map(MediaReference::to_text);
        Self { length: downloaded.length, moved }
    }
}

/// Reads a reference.
pub(crate) fn media_reference(text: &str) -> Result<MediaReference, Error> {
    MediaReference::parse(text).map_err(|error| {
        let message = "the reference was not made by this engine, or was cut or changed";
        Error::new(Code::InvalidArgument, message).because(error)
    })
}

impl Operation for DownloadMedia {
    const NAME: &'static str = "download_media";
    type Output = DownloadedMedia;

    async fn run(self, client: &Client, options: CallOptions) -> Result<DownloadedMedia, Error> {
        let reference = media_reference(&self.reference)?;
        let mut download = DownloadOptions::default();
        download.max_length = self.max_length.unwrap_or(download.max_length);
        download.ask_phone = self.ask_phone.unwrap_or(download.ask_phone);
        download.transfer = self.transfer;
        download.timeout = options.timeout;
        download.cancel = options.cancel;
        let target = MediaTarget::Path(PathBuf::from(self.path));
        client.download(&reference, target, download).await.map(|downloaded| (&downloaded).into())
    }
}

/// Looks at a file: what it is, how large, how long. Nothing is uploaded.
///
/// Fails with `MEDIA_UNSUPPORTED` for formats that are not known: such files can still be sent as
/// documents.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DescribeMedia {
    /// Path of the file.
    pub path: String,
}

/// What is known of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MediaDescription {
    /// What it is, such as `image/jpeg`.
    pub mimetype: String,
    /// Its length in bytes.
    pub length: u64,
    /// Width in pixels, as it is shown.
    pub width: Option<u32>,
    /// Height in pixels, as it is shown.
    pub height: Option<u32>,
    /// How long it plays, in milliseconds.
    pub duration_ms: Option<u64>,
    /// It is a picture that moves.
    pub is_animated: bool,
    /// Whether a small picture of it can be made.
    pub has_preview: bool,
    /// Why none can be made of a picture or film, as a lowercase fragment; `thumbnailPath` gives a message
    /// one all the same.
    pub no_preview: Option<String>,
    /// How a voice note is drawn: 64 values from 0 to 100.
    pub waveform: Option<Vec<u8>>,
    /// What a sticker says of itself and of its pack, if it is a WebP that does.
    pub sticker: Option<StickerInfo>,
}

impl Operation for DescribeMedia {
    const NAME: &'static str = "describe_media";
    type Output = MediaDescription;

    async fn run(self, client: &Client, _: CallOptions) -> Result<MediaDescription, Error> {
        let found = client.describe(PathBuf::from(self.path)).await?;
        Ok(MediaDescription {
            mimetype: found.mimetype,
            length: found.length,
            width: found.width,
            height: found.height,
            duration_ms: found.duration.map(millis),
            is_animated: found.is_animated,
            has_preview: found.preview.is_some(),
            no_preview: found.no_preview,
            waveform: found.waveform,
            sticker: found.sticker.map(Into::into),
        })
    }
}
