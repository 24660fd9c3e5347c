//! Pictures, videos, sounds, documents and stickers. The bytes are elsewhere; a reference says where.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use whimbrel::Error;
use whimbrel::content::kinds::media::{Audio, Document, Image, Media, Video};
use whimbrel::content::kinds::sticker::{Album, Sticker, StickerPack};
use whimbrel::content::reference::{MediaKind, MediaReference};
use whimbrel::stickers::{NewSticker, NewStickerPack, StickerInfo};

use super::{Source, wrong};

pub(super) const VIDEO: MediaKind = MediaKind::Video;
pub(super) const GIF: MediaKind = MediaKind::Gif;
pub(super) const NOTE: MediaKind = MediaKind::Ptv;
pub(super) const AUDIO: MediaKind = MediaKind::Audio;
pub(super) const VOICE: MediaKind = MediaKind::Ptt;
pub(super) const LINK: MediaKind = MediaKind::LinkThumbnail;

/// Length of what is not carried by JSON.
pub(super) fn size(bytes: Option<&[u8]>) -> Option<u64> {
    bytes.map(|bytes| u64::try_from(bytes.len()).unwrap_or(u64::MAX))
}

/// A file that is kept at the service, encrypted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MediaFile {
    /// Names the file, and lets whoever has it open it: a secret. Keep it as it is, and give it back to
    /// download the file or to send it on. Always there in what comes.
    #[serde(default)]
    #[schemars(extend("format" = "password"))]
    pub reference: String,
    /// A local file to be uploaded and sent, in place of a reference; only in what is sent, and for the
    /// message's own file. What the message does not say of it is found out: dimensions, duration,
    /// preview, waveform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// A local picture, from which the small one in the message is made; only in what is sent, for pictures,
    /// films and documents, of which a film has none otherwise: JPEG, PNG, WebP or GIF.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thumbnail_path: Option<String>,
    /// What the file is, such as `image/jpeg`. What is sent has the one of the reference.
    #[serde(default)]
    pub mimetype: Option<String>,
    /// Length of the file in bytes, as its sender says; only in what comes.
    #[serde(default)]
    pub length: Option<u64>,
}

impl MediaFile {
    /// The file of a message; `None` if there is nothing to download.
    pub(super) fn of(media: &Media, kind: MediaKind, source: Source<'_>) -> Option<Self> {
        media.url.as_ref().or(media.direct_path.as_ref())?;
        let reference = match source.message {
            Some(message) => MediaReference::of(kind, media.clone(), message.clone()),
            None => MediaReference::new(kind, media.clone()),
        };
        let (mimetype, length) = (media.mimetype.clone(), media.length);
        Some(Self { reference: reference.to_text(), path: None, thumbnail_path: None, mimetype, length })
    }

    pub(super) fn parse(&self) -> Result<MediaReference, Error> {
        MediaReference::parse(&self.reference)
            .map_err(|error| Error::new(whimbrel::Code::InvalidArgument, error.to_string()))
    }

    pub(super) fn media(self) -> Result<Media, Error> {
        if self.path.is_some() {
            return Err(wrong("a path is taken for the message's own file only"));
        }
        let mut media = self.parse()?.media;
        media.mimetype = self.mimetype.or(media.mimetype);
        Ok(media)
    }
}

fn needed(media: Option<MediaFile>) -> Result<Media, Error> {
    let media = media.ok_or_else(|| wrong("the file is missing"))?;
    if media.path.is_none() {
        return media.media();
    }
    if !media.reference.is_empty() {
        return Err(wrong("the file has a path and a reference"));
    }
    // What is known of it will be when it is uploaded.
    Ok(Media { mimetype: media.mimetype, ..Media::default() })
}

/// A picture.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ImageContent {
    /// The file; absent if the sender named none.
    #[serde(default)]
    pub media: Option<MediaFile>,
    /// Words below it.
    #[serde(default)]
    pub caption: Option<String>,
    /// Width in pixels.
    #[serde(default)]
    pub width: Option<u32>,
    /// Height in pixels.
    #[serde(default)]
    pub height: Option<u32>,
    /// A description for those who do not see it.
    #[serde(default)]
    pub accessibility_label: Option<String>,
    /// Bytes of the small picture in the message; only in what comes.
    #[serde(default)]
    pub thumbnail_size: Option<u64>,
}

impl ImageContent {
    pub(super) fn of(image: &Image, source: Source<'_>) -> Self {
        Self {
            media: MediaFile::of(&image.media, MediaKind::Image, source),
            caption: image.caption.clone(),
            width: image.width,
            height: image.height,
            accessibility_label: image.accessibility_label.clone(),
            thumbnail_size: size(image.thumbnail.as_deref()),
        }
    }
}

impl TryFrom<ImageContent> for Image {
    type Error = Error;

    fn try_from(content: ImageContent) -> Result<Self, Error> {
        Ok(Self {
            media: needed(content.media)?,
            caption: content.caption,
            width: content.width,
            height: content.height,
            accessibility_label: content.accessibility_label,
            ..Self::default()
        })
    }
}

/// A video, a silent loop or a round note.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VideoContent {
    /// The file; absent if the sender named none.
    #[serde(default)]
    pub media: Option<MediaFile>,
    /// Words below it. Round notes have none.
    #[serde(default)]
    pub caption: Option<String>,
    /// Length in seconds.
    #[serde(default)]
    pub seconds: Option<u32>,
    /// Width in pixels.
    #[serde(default)]
    pub width: Option<u32>,
    /// Height in pixels.
    #[serde(default)]
    pub height: Option<u32>,
    /// A description for those who do not see it.
    #[serde(default)]
    pub accessibility_label: Option<String>,
    /// Bytes of the small picture in the message; only in what comes.
    #[serde(default)]
    pub thumbnail_size: Option<u64>,
}

impl VideoContent {
    pub(super) fn of(video: &Video, kind: MediaKind, source: Source<'_>) -> Self {
        Self {
            media: MediaFile::of(&video.media, kind, source),
            caption: video.caption.clone(),
            seconds: video.seconds,
            width: video.width,
            height: video.height,
            accessibility_label: video.accessibility_label.clone(),
            thumbnail_size: size(video.thumbnail.as_deref()),
        }
    }
}

impl TryFrom<VideoContent> for Video {
    type Error = Error;

    fn try_from(content: VideoContent) -> Result<Self, Error> {
        Ok(Self {
            media: needed(content.media)?,
            caption: content.caption,
            seconds: content.seconds,
            width: content.width,
            height: content.height,
            accessibility_label: content.accessibility_label,
            ..Self::default()
        })
    }
}

/// A sound, or a voice note.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AudioContent {
    /// The file; absent if the sender named none. Voice notes are Opus in Ogg, mono.
    #[serde(default)]
    pub media: Option<MediaFile>,
    /// Length in seconds.
    #[serde(default)]
    pub seconds: Option<u32>,
    /// How a voice note is drawn: 64 values from 0 to 100.
    #[serde(default)]
    pub waveform: Option<Vec<u8>>,
    /// A description for those who do not hear it.
    #[serde(default)]
    pub accessibility_label: Option<String>,
}

impl AudioContent {
    pub(super) fn of(audio: &Audio, kind: MediaKind, source: Source<'_>) -> Self {
        Self {
            media: MediaFile::of(&audio.media, kind, source),
            seconds: audio.seconds,
            waveform: audio.waveform.clone(),
            accessibility_label: audio.accessibility_label.clone(),
        }
    }
}

impl TryFrom<AudioContent> for Audio {
    type Error = Error;

    fn try_from(content: AudioContent) -> Result<Self, Error> {
        Ok(Self {
            media: needed(content.media)?,
            seconds: content.seconds,
            waveform: content.waveform,
            accessibility_label: content.accessibility_label,
            ..Self::default()
        })
    }
}

/// A file of any kind.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DocumentContent {
    /// The file; absent if the sender named none.
    #[serde(default)]
    pub media: Option<MediaFile>,
    /// Its name.
    #[serde(default)]
    pub file_name: Option<String>,
    /// Its title.
    #[serde(default)]
    pub title: Option<String>,
    /// Words below it.
    #[serde(default)]
    pub caption: Option<String>,
    /// How many pages it has.
    #[serde(default)]
    pub page_count: Option<u32>,
    /// A description for those who do not see it.
    #[serde(default)]
    pub accessibility_label: Option<String>,
    /// Bytes of the small picture in the message; only in what comes.
    #[serde(default)]
    pub thumbnail_size: Option<u64>,
}

impl DocumentContent {
    pub(super) fn of(document: &Document, source: Source<'_>) -> Self {
        Self {
            media: MediaFile::of(&document.media, MediaKind::Document, source),
            file_name: document.file_name.clone(),
            title: document.title.clone(),
            caption: document.caption.clone(),
            page_count: document.page_count,
            accessibility_label: document.accessibility_label.clone(),
            thumbnail_size: size(document.thumbnail.as_deref()),
        }
    }
}

impl TryFrom<DocumentContent> for Document {
    type Error = Error;

    fn try_from(content: DocumentContent) -> Result<Self, Error> {
        Ok(Self {
            media: needed(content.media)?,
            file_name: content.file_name,
            title: content.title,
            caption: content.caption,
            page_count: content.page_count,
            accessibility_label: content.accessibility_label,
            ..Self::default()
        })
    }
}

/// A sticker.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StickerContent {
    /// The file; absent if the sender named none.
    #[serde(default)]
    pub media: Option<MediaFile>,
    /// Width in pixels; 512 as a rule.
    #[serde(default)]
    pub width: Option<u32>,
    /// Height in pixels; 512 as a rule.
    #[serde(default)]
    pub height: Option<u32>,
    /// It moves.
    #[serde(default)]
    pub animated: bool,
    /// It is drawn, not a picture (`application/was`).
    #[serde(default)]
    pub drawn: bool,
    /// It is made from somebody's avatar.
    #[serde(default)]
    pub avatar: bool,
    /// A machine made it.
    #[serde(default)]
    pub ai: bool,
    /// What it stands for.
    #[serde(default)]
    pub emojis: Option<String>,
    /// A description for those who do not see it.
    #[serde(default)]
    pub accessibility_label: Option<String>,
    /// Name of the pack that it says to belong to; only in what is sent, with a local WebP, into which it is
    /// written together with the emojis and the description. What comes says it in its file:
    /// `describe_media` reads it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pack_name: Option<String>,
    /// Who made that pack; only in what is sent, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pack_publisher: Option<String>,
    /// Bytes of the small picture in the message; only in what comes.
    #[serde(default)]
    pub thumbnail_size: Option<u64>,
}

impl StickerContent {
    /// What is to be written into its file.
    pub(super) fn info(&self) -> Option<StickerInfo> {
        if self.pack_name.is_none() && self.pack_publisher.is_none() {
            return None;
        }
        let words = self.emojis.as_deref().unwrap_or_default();
        let words = words.split(|character: char| character == ',' || character.is_whitespace());
        Some(StickerInfo {
            name: self.pack_name.clone(),
            publisher: self.pack_publisher.clone(),
            emojis: words.filter(|word| !word.is_empty()).map(str::to_owned).collect(),
            accessibility_text: self.accessibility_label.clone(),
            ..StickerInfo::default()
        })
    }

    pub(crate) fn of(sticker: &Sticker, source: Source<'_>) -> Self {
        Self {
            media: MediaFile::of(&sticker.media, MediaKind::Sticker, source),
            width: sticker.width,
            height: sticker.height,
            animated: sticker.is_animated,
            drawn: sticker.is_lottie,
            avatar: sticker.is_avatar,
            ai: sticker.is_ai,
            emojis: sticker.emojis.clone(),
            accessibility_label: sticker.accessibility_label.clone(),
            pack_name: None,
            pack_publisher: None,
            thumbnail_size: size(sticker.thumbnail.as_deref()),
        }
    }
}

impl TryFrom<StickerContent> for Sticker {
    type Error = Error;

    fn try_from(content: StickerContent) -> Result<Self, Error> {
        let local = content.media.as_ref().is_some_and(|media| media.path.is_some());
        if content.info().is_some() && !local {
            return Err(wrong("the name of a pack is written into a local file only"));
        }
        Ok(Self {
            media: needed(content.media)?,
            width: content.width,
            height: content.height,
            is_animated: content.animated,
            is_lottie: content.drawn,
            is_avatar: content.avatar,
            is_ai: content.ai,
            emojis: content.emojis,
            accessibility_label: content.accessibility_label,
            ..Self::default()
        })
    }
}

/// A pack of stickers: one file with all of them. `unpack_sticker_pack` takes them out of the file that was
/// downloaded. A pack is made of from 1 to 60 local stickers by giving the path of each.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StickerPackContent {
    /// The pack's id. Empty in what is sent: one is made.
    #[serde(default)]
    pub id: String,
    /// Its name.
    pub name: String,
    /// The file: a zip. Absent in what is sent if it is to be made of local stickers.
    #[serde(default)]
    pub media: Option<MediaFile>,
    /// Who made it.
    #[serde(default)]
    pub publisher: Option<String>,
    /// About it.
    #[serde(default)]
    pub description: Option<String>,
    /// Words below it.
    #[serde(default)]
    pub caption: Option<String>,
    /// What is in the file.
    #[serde(default)]
    pub stickers: Vec<PackSticker>,
    /// Name of the file in the pack that stands for it.
    #[serde(default)]
    pub tray_icon: Option<String>,
    /// A local WebP that is to stand for the pack; only in what is sent, when the pack is made. The first
    /// sticker does if it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tray_icon_path: Option<String>,
    /// Length of all stickers, in bytes.
    #[serde(default)]
    pub size: Option<u64>,
}

/// A sticker of a pack.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PackSticker {
    /// Name of its file in the pack. One that is made has a name of its own.
    #[serde(default)]
    pub file_name: String,
    /// A local WebP of at most a MiB, of which the pack is made; only in what is sent, and then of all
    /// stickers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// It moves.
    #[serde(default)]
    pub animated: bool,
    /// What it stands for.
    #[serde(default)]
    pub emojis: Vec<String>,
    /// A description for those who do not see it.
    #[serde(default)]
    pub accessibility_label: Option<String>,
    /// What its file is.
    #[serde(default)]
    pub mimetype: Option<String>,
}

impl StickerPackContent {
    /// The pack that is to be made, if it is.
    pub(super) fn to_make(&self) -> Result<Option<NewStickerPack>, Error> {
        if self.stickers.iter().all(|sticker| sticker.path.is_none()) && self.tray_icon_path.is_none() {
            return Ok(None);
        }
        if self.media.is_some() {
            return Err(wrong("the pack has a file, and is to be made"));
        }
        let mut pack = NewStickerPack::default();
        pack.id = Some(self.id.clone()).filter(|id| !id.is_empty());
        pack.name.clone_from(&self.name);
        pack.publisher.clone_from(&self.publisher);
        pack.description.clone_from(&self.description);
        pack.caption.clone_from(&self.caption);
        pack.tray_icon = self.tray_icon_path.as_ref().map(|path| PathBuf::from(path).into());
        for sticker in &self.stickers {
            let path = sticker.path.as_ref().ok_or_else(|| wrong("a sticker of the pack has no path"))?;
            let mut new = NewSticker::new(PathBuf::from(path));
            new.emojis.clone_from(&sticker.emojis);
            new.accessibility_label.clone_from(&sticker.accessibility_label);
            pack.stickers.push(new);
        }
        Ok(Some(pack))
    }

    pub(super) fn of(pack: &StickerPack, source: Source<'_>) -> Self {
        let stickers = pack.stickers.iter().map(|item| PackSticker {
            file_name: item.file_name.clone(),
            path: None,
            animated: item.is_animated,
            emojis: item.emojis.clone(),
            accessibility_label: item.accessibility_label.clone(),
            mimetype: item.mimetype.clone(),
        });
        Self {
            id: pack.id.clone(),
            name: pack.name.clone(),
            media: MediaFile::of(&pack.media, MediaKind::StickerPack, source),
            publisher: pack.publisher.clone(),
            description: pack.description.clone(),
            caption: pack.caption.clone(),
            stickers: stickers.collect(),
            tray_icon: pack.tray_icon.clone(),
            tray_icon_path: None,
            size: pack.size,
        }
    }
}

impl TryFrom<StickerPackContent> for StickerPack {
    type Error = Error;

    fn try_from(content: StickerPackContent) -> Result<Self, Error> {
        let stickers = content.stickers.into_iter().map(|item| whimbrel::content::kinds::sticker::PackItem {
            file_name: item.file_name,
            is_animated: item.animated,
            is_lottie: false,
            emojis: item.emojis,
            accessibility_label: item.accessibility_label,
            mimetype: item.mimetype,
        });
        Ok(Self {
            id: content.id,
            name: content.name,
            media: needed(content.media)?,
            publisher: content.publisher,
            description: content.description,
            caption: content.caption,
            stickers: stickers.collect(),
            tray_icon: content.tray_icon,
            size: content.size,
            ..Self::default()
        })
    }
}

/// The head of an album. Each picture follows in a message of its own that names this one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AlbumContent {
    /// How many pictures follow.
    #[serde(default)]
    pub images: u32,
    /// How many videos follow.
    #[serde(default)]
    pub videos: u32,
}

impl From<AlbumContent> for Album {
    fn from(content: AlbumContent) -> Self {
        Self { images: content.images, videos: content.videos }
    }
}
