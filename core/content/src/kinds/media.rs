//! Pictures, videos, sounds and documents (messages document §9.2). The bytes are elsewhere: here is
//! where, and with which key they are opened.

use whimbrel_proto::e2e::message::{AudioMessage, DocumentMessage, ImageMessage, VideoMessage};

pub use crate::names::{Attribution, ImageSourceType};

use crate::secret::Secret;

/// Where an encrypted file is and how it is opened.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Media {
    /// Address of the file; the path is tried first.
    pub url: Option<String>,
    /// Path of the file on any media host.
    pub direct_path: Option<String>,
    /// The key. Absent for what is posted in channels, which is not encrypted.
    pub key: Option<Secret>,
    /// When the key was made, in seconds since 1970.
    pub key_timestamp: Option<i64>,
    /// Hash of the file.
    pub sha256: Option<Vec<u8>>,
    /// Hash of the encrypted file.
    pub encrypted_sha256: Option<Vec<u8>>,
    /// Length of the file, in octets.
    pub length: Option<u64>,
    /// What the file is.
    pub mimetype: Option<String>,
}

/// A picture of its own that is shown before the file is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Thumbnail {
    /// Path on any media host.
    pub direct_path: Option<String>,
    /// Hash of the picture.
    pub sha256: Option<Vec<u8>>,
    /// Hash of the encrypted picture.
    pub encrypted_sha256: Option<Vec<u8>>,
    /// Height in pixels.
    pub height: Option<u32>,
    /// Width in pixels.
    pub width: Option<u32>,
}

impl Thumbnail {
    pub(crate) fn some(self) -> Option<Self> {
        (self != Self::default()).then_some(self)
    }
}

/// A picture.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Image {
    /// The file.
    pub media: Media,
    /// Words below it.
    pub caption: Option<String>,
    /// Height in pixels.
    pub height: Option<u32>,
    /// Width in pixels.
    pub width: Option<u32>,
    /// A small picture, JPEG.
    pub thumbnail: Option<Vec<u8>>,
    /// A larger one to be downloaded.
    pub preview: Option<Thumbnail>,
    /// A description for those who do not see it.
    pub accessibility_label: Option<String>,
    /// Whether a person or a machine made it.
    pub source: Option<ImageSourceType>,
    /// Where it is without encryption.
    pub static_url: Option<String>,
    /// How a progressive JPEG is downloaded in steps: codes of the steps.
    pub scans_sidecar: Option<Vec<u8>>,
    /// Lengths of the steps, in octets.
    pub scan_lengths: Vec<u32>,
}

impl Image {
    pub(crate) fn read(image: ImageMessage) -> Self {
        Self {
            media: Media {
                url: image.url,
                direct_path: image.direct_path,
                key: image.media_key.map(Secret::new),
                key_timestamp: image.media_key_timestamp,
                sha256: image.file_sha256,
                encrypted_sha256: image.file_enc_sha256,
                length: image.file_length,
                mimetype: image.mimetype,
            },
            caption: image.caption,
            height: image.height,
            width: image.width,
            thumbnail: image.jpeg_thumbnail,
            preview: Thumbnail {
                direct_path: image.thumbnail_direct_path,
                sha256: image.thumbnail_sha256,
                encrypted_sha256: image.thumbnail_enc_sha256,
                height: None,
                width: None,
            }
            .some(),
            accessibility_label: image.accessibility_label,
            source: image.image_source_type.and_then(|number| ImageSourceType::try_from(number).ok()),
            static_url: image.static_url,
            scans_sidecar: image.scans_sidecar,
            scan_lengths: image.scan_lengths,
        }
    }

    pub(crate) fn write(self) -> ImageMessage {
        let preview = self.preview.unwrap_or_default();
        ImageMessage {
            url: self.media.url,
            direct_path: self.media.direct_path,
            media_key: self.media.key.map(|key| key.to_wire()),
            media_key_timestamp: self.media.key_timestamp,
            file_sha256: self.media.sha256,
            file_enc_sha256: self.media.encrypted_sha256,
            file_length: self.media.length,
            mimetype: self.media.mimetype,
            caption: self.caption,
            height: self.height,
            width: self.width,
            jpeg_thumbnail: self.thumbnail,
            thumbnail_direct_path: preview.direct_path,
            thumbnail_sha256: preview.sha256,
            thumbnail_enc_sha256: preview.encrypted_sha256,
            accessibility_label: self.accessibility_label,
            image_source_type: self.source.map(|source| source as i32),
            static_url: self.static_url,
            scans_sidecar: self.scans_sidecar,
            scan_lengths: self.scan_lengths,
            ..ImageMessage::default()
        }
    }
}

/// A video, a silent loop or a round note: the kind of content says which.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Video {
    /// The file.
    pub media: Media,
    /// Words below it. Round notes have none.
    pub caption: Option<String>,
    /// Length in seconds.
    pub seconds: Option<u32>,
    /// Height in pixels.
    pub height: Option<u32>,
    /// Width in pixels.
    pub width: Option<u32>,
    /// A small picture, JPEG.
    pub thumbnail: Option<Vec<u8>>,
    /// A larger one to be downloaded.
    pub preview: Option<Thumbnail>,
    /// Codes of the parts, so that it may be played while it is downloaded.
    pub streaming_sidecar: Option<Vec<u8>>,
    /// Where a loop is from.
    pub attribution: Option<Attribution>,
    /// A description for those who do not see it.
    pub accessibility_label: Option<String>,
    /// Where it is without encryption.
    pub static_url: Option<String>,
}

impl Video {
    pub(crate) fn read(video: VideoMessage) -> Self {
        Self {
            media: Media {
                url: video.url,
                direct_path: video.direct_path,
                key: video.media_key.map(Secret::new),
                key_timestamp: video.media_key_timestamp,
                sha256: video.file_sha256,
                encrypted_sha256: video.file_enc_sha256,
                length: video.file_length,
                mimetype: video.mimetype,
            },
            caption: video.caption,
            seconds: video.seconds,
            height: video.height,
            width: video.width,
            thumbnail: video.jpeg_thumbnail,
            preview: Thumbnail {
                direct_path: video.thumbnail_direct_path,
                sha256: video.thumbnail_sha256,
                encrypted_sha256: video.thumbnail_enc_sha256,
                height: None,
                width: None,
            }
            .some(),
            streaming_sidecar: video.streaming_sidecar,
            attribution: video.gif_attribution.and_then(|number| Attribution::try_from(number).ok()),
            accessibility_label: video.accessibility_label,
            static_url: video.static_url,
        }
    }

    pub(crate) fn write(self, gif: bool) -> VideoMessage {
        let preview = self.preview.unwrap_or_default();
        VideoMessage {
            url: self.media.url,
            direct_path: self.media.direct_path,
            media_key: self.media.key.map(|key| key.to_wire()),
            media_key_timestamp: self.media.key_timestamp,
            file_sha256: self.media.sha256,
            file_enc_sha256: self.media.encrypted_sha256,
            file_length: self.media.length,
            mimetype: self.media.mimetype,
            caption: self.caption,
            seconds: self.seconds,
            gif_playback: gif.then_some(true),
            height: self.height,
            width: self.width,
            jpeg_thumbnail: self.thumbnail,
            thumbnail_direct_path: preview.direct_path,
            thumbnail_sha256: preview.sha256,
            thumbnail_enc_sha256: preview.encrypted_sha256,
            streaming_sidecar: self.streaming_sidecar,
            gif_attribution: self.attribution.map(|attribution| attribution as i32),
            accessibility_label: self.accessibility_label,
            static_url: self.static_url,
            ..VideoMessage::default()
        }
    }
}

/// A sound, or a voice note: the kind of content says which.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Audio {
    /// The file. Voice notes are Opus in Ogg, mono.
    pub media: Media,
    /// Length in seconds.
    pub seconds: Option<u32>,
    /// How a voice note is drawn: 64 values from 0 to 100.
    pub waveform: Option<Vec<u8>>,
    /// Codes of the parts, so that it may be played while it is downloaded.
    pub streaming_sidecar: Option<Vec<u8>>,
    /// Colour behind a status of sound, 0xAARRGGBB.
    pub background: Option<u32>,
    /// A description for those who do not hear it.
    pub accessibility_label: Option<String>,
}

impl Audio {
    pub(crate) fn read(audio: AudioMessage) -> Self {
        Self {
            media: Media {
                url: audio.url,
                direct_path: audio.direct_path,
                key: audio.media_key.map(Secret::new),
                key_timestamp: audio.media_key_timestamp,
                sha256: audio.file_sha256,
                encrypted_sha256: audio.file_enc_sha256,
                length: audio.file_length,
                mimetype: audio.mimetype,
            },
            seconds: audio.seconds,
            waveform: audio.waveform,
            streaming_sidecar: audio.streaming_sidecar,
            background: audio.background_argb,
            accessibility_label: audio.accessibility_label,
        }
    }

    pub(crate) fn write(self, voice: bool) -> AudioMessage {
        AudioMessage {
            url: self.media.url,
            direct_path: self.media.direct_path,
            media_key: self.media.key.map(|key| key.to_wire()),
            media_key_timestamp: self.media.key_timestamp,
            file_sha256: self.media.sha256,
            file_enc_sha256: self.media.encrypted_sha256,
            file_length: self.media.length,
            mimetype: self.media.mimetype,
            seconds: self.seconds,
            ptt: voice.then_some(true),
            waveform: self.waveform,
            streaming_sidecar: self.streaming_sidecar,
            background_argb: self.background,
            accessibility_label: self.accessibility_label,
            ..AudioMessage::default()
        }
    }
}

/// A file of any kind.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Document {
    /// The file.
    pub media: Media,
    /// Its name.
    pub file_name: Option<String>,
    /// Its title.
    pub title: Option<String>,
    /// Words below it.
    pub caption: Option<String>,
    /// How many pages it has.
    pub page_count: Option<u32>,
    /// A small picture, JPEG.
    pub thumbnail: Option<Vec<u8>>,
    /// A larger one to be downloaded.
    pub preview: Option<Thumbnail>,
    /// It is a card with contacts.
    pub is_contact: bool,
    /// A description for those who do not see it.
    pub accessibility_label: Option<String>,
}

impl Document {
    pub(crate) fn read(document: DocumentMessage) -> Self {
        Self {
            media: Media {
                url: document.url,
                direct_path: document.direct_path,
                key: document.media_key.map(Secret::new),
                key_timestamp: document.media_key_timestamp,
                sha256: document.file_sha256,
                encrypted_sha256: document.file_enc_sha256,
                length: document.file_length,
                mimetype: document.mimetype,
            },
            file_name: document.file_name,
            title: document.title,
            caption: document.caption,
            page_count: document.page_count,
            thumbnail: document.jpeg_thumbnail,
            preview: Thumbnail {
                direct_path: document.thumbnail_direct_path,
                sha256: document.thumbnail_sha256,
                encrypted_sha256: document.thumbnail_enc_sha256,
                height: document.thumbnail_height,
                width: document.thumbnail_width,
            }
            .some(),
            is_contact: document.contact_vcard.unwrap_or_default(),
            accessibility_label: document.accessibility_label,
        }
    }

    pub(crate) fn write(self) -> DocumentMessage {
        let preview = self.preview.unwrap_or_default();
        DocumentMessage {
            url: self.media.url,
            direct_path: self.media.direct_path,
            media_key: self.media.key.map(|key| key.to_wire()),
            media_key_timestamp: self.media.key_timestamp,
            file_sha256: self.media.sha256,
            file_enc_sha256: self.media.encrypted_sha256,
            file_length: self.media.length,
            mimetype: self.media.mimetype,
            file_name: self.file_name,
            title: self.title,
            caption: self.caption,
            page_count: self.page_count,
            jpeg_thumbnail: self.thumbnail,
            thumbnail_direct_path: preview.direct_path,
            thumbnail_sha256: preview.sha256,
            thumbnail_enc_sha256: preview.encrypted_sha256,
            thumbnail_height: preview.height,
            thumbnail_width: preview.width,
            contact_vcard: self.is_contact.then_some(true),
            accessibility_label: self.accessibility_label,
            ..DocumentMessage::default()
        }
    }
}
