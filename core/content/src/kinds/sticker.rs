//! Stickers, packs of them, and the head of an album (messages document §9.2).

use whimbrel_proto::e2e::message::sticker_pack_message::Sticker as WireItem;
use whimbrel_proto::e2e::message::{AlbumMessage, StickerMessage, StickerPackMessage};

pub use crate::names::StickerPackOrigin;

use super::media::{Media, Thumbnail};
use crate::secret::Secret;

/// A sticker.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sticker {
    /// The file: WebP, or for those that are drawn `application/was`.
    pub media: Media,
    /// Height in pixels; 512 as a rule.
    pub height: Option<u32>,
    /// Width in pixels; 512 as a rule.
    pub width: Option<u32>,
    /// It moves.
    pub is_animated: bool,
    /// It is drawn, not a picture; it is sent in a wrapper.
    pub is_lottie: bool,
    /// It is made from somebody's avatar.
    pub is_avatar: bool,
    /// A machine made it.
    pub is_ai: bool,
    /// Length of the first picture of one that moves, in octets.
    pub first_frame_length: Option<u32>,
    /// Code of that picture.
    pub first_frame_sidecar: Option<Vec<u8>>,
    /// A small picture, PNG.
    pub thumbnail: Option<Vec<u8>>,
    /// When its sender last used it, in milliseconds since 1970.
    pub sent_at_ms: Option<i64>,
    /// What it stands for.
    pub emojis: Option<String>,
    /// A description for those who do not see it.
    pub accessibility_label: Option<String>,
    /// Number of its price class.
    pub premium: Option<i32>,
}

impl Sticker {
    pub(crate) fn read(sticker: StickerMessage) -> Self {
        Self {
            media: Media {
                url: sticker.url,
                direct_path: sticker.direct_path,
                key: sticker.media_key.map(Secret::new),
                key_timestamp: sticker.media_key_timestamp,
                sha256: sticker.file_sha256,
                encrypted_sha256: sticker.file_enc_sha256,
                length: sticker.file_length,
                mimetype: sticker.mimetype,
            },
            height: sticker.height,
            width: sticker.width,
            is_animated: sticker.is_animated.unwrap_or_default(),
            is_lottie: sticker.is_lottie.unwrap_or_default(),
            is_avatar: sticker.is_avatar.unwrap_or_default(),
            is_ai: sticker.is_ai_sticker.unwrap_or_default(),
            first_frame_length: sticker.first_frame_length,
            first_frame_sidecar: sticker.first_frame_sidecar,
            thumbnail: sticker.png_thumbnail,
            sent_at_ms: sticker.sticker_sent_ts,
            emojis: sticker.emojis,
            accessibility_label: sticker.accessibility_label,
            premium: sticker.premium,
        }
    }

    pub(crate) fn write(self) -> StickerMessage {
        StickerMessage {
            url: self.media.url,
            direct_path: self.media.direct_path,
            media_key: self.media.key.map(|key| key.to_wire()),
            media_key_timestamp: self.media.key_timestamp,
            file_sha256: self.media.sha256,
            file_enc_sha256: self.media.encrypted_sha256,
            file_length: self.media.length,
            mimetype: self.media.mimetype,
            height: self.height,
            width: self.width,
            is_animated: self.is_animated.then_some(true),
            is_lottie: self.is_lottie.then_some(true),
            is_avatar: self.is_avatar.then_some(true),
            is_ai_sticker: self.is_ai.then_some(true),
            first_frame_length: self.first_frame_length,
            first_frame_sidecar: self.first_frame_sidecar,
            png_thumbnail: self.thumbnail,
            sticker_sent_ts: self.sent_at_ms,
            emojis: self.emojis,
            accessibility_label: self.accessibility_label,
            premium: self.premium,
            ..StickerMessage::default()
        }
    }
}

/// A pack of stickers: one file with all of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StickerPack {
    /// The pack's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Who made it.
    pub publisher: Option<String>,
    /// About it.
    pub description: Option<String>,
    /// Words below it.
    pub caption: Option<String>,
    /// What is in the file.
    pub stickers: Vec<PackItem>,
    /// The file: a zip.
    pub media: Media,
    /// Name of the file in the pack that stands for it.
    pub tray_icon: Option<String>,
    /// A picture of the pack to be downloaded.
    pub preview: Option<Thumbnail>,
    /// Hash of the pictures, as text.
    pub image_data_hash: Option<String>,
    /// Length of all stickers, in octets.
    pub size: Option<u64>,
    /// Where the pack is from.
    pub origin: Option<StickerPackOrigin>,
}

/// A sticker of a pack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PackItem {
    /// Name of its file in the pack.
    pub file_name: String,
    /// It moves.
    pub is_animated: bool,
    /// It is drawn, not a picture.
    pub is_lottie: bool,
    /// What it stands for.
    pub emojis: Vec<String>,
    /// A description for those who do not see it.
    pub accessibility_label: Option<String>,
    /// What its file is.
    pub mimetype: Option<String>,
}

impl StickerPack {
    pub(crate) fn read(pack: StickerPackMessage) -> Self {
        let stickers = pack.stickers.into_iter().map(|item| PackItem {
            file_name: item.file_name.unwrap_or_default(),
            is_animated: item.is_animated.unwrap_or_default(),
            is_lottie: item.is_lottie.unwrap_or_default(),
            emojis: item.emojis,
            accessibility_label: item.accessibility_label,
            mimetype: item.mimetype,
        });
        Self {
            id: pack.sticker_pack_id.unwrap_or_default(),
            name: pack.name.unwrap_or_default(),
            publisher: pack.publisher,
            description: pack.pack_description,
            caption: pack.caption,
            stickers: stickers.collect(),
            media: Media {
                url: None,
                direct_path: pack.direct_path,
                key: pack.media_key.map(Secret::new),
                key_timestamp: pack.media_key_timestamp,
                sha256: pack.file_sha256,
                encrypted_sha256: pack.file_enc_sha256,
                length: pack.file_length,
                mimetype: None,
            },
            tray_icon: pack.tray_icon_file_name,
            preview: Thumbnail {
                direct_path: pack.thumbnail_direct_path,
                sha256: pack.thumbnail_sha256,
                encrypted_sha256: pack.thumbnail_enc_sha256,
                height: pack.thumbnail_height,
                width: pack.thumbnail_width,
            }
            .some(),
            image_data_hash: pack.image_data_hash,
            size: pack.sticker_pack_size,
            origin: pack.sticker_pack_origin.and_then(|number| StickerPackOrigin::try_from(number).ok()),
        }
    }

    pub(crate) fn write(self) -> StickerPackMessage {
        let preview = self.preview.unwrap_or_default();
        let stickers = self.stickers.into_iter().map(|item| WireItem {
            file_name: Some(item.file_name),
            is_animated: Some(item.is_animated),
            is_lottie: item.is_lottie.then_some(true),
            emojis: item.emojis,
            accessibility_label: item.accessibility_label,
            mimetype: item.mimetype,
            ..WireItem::default()
        });
        StickerPackMessage {
            sticker_pack_id: Some(self.id),
            name: Some(self.name),
            publisher: self.publisher,
            pack_description: self.description,
            caption: self.caption,
            stickers: stickers.collect(),
            direct_path: self.media.direct_path,
            media_key: self.media.key.map(|key| key.to_wire()),
            media_key_timestamp: self.media.key_timestamp,
            file_sha256: self.media.sha256,
            file_enc_sha256: self.media.encrypted_sha256,
            file_length: self.media.length,
            tray_icon_file_name: self.tray_icon,
            thumbnail_direct_path: preview.direct_path,
            thumbnail_sha256: preview.sha256,
            thumbnail_enc_sha256: preview.encrypted_sha256,
            thumbnail_height: preview.height,
            thumbnail_width: preview.width,
            image_data_hash: self.image_data_hash,
            sticker_pack_size: self.size,
            sticker_pack_origin: self.origin.map(|origin| origin as i32),
            ..StickerPackMessage::default()
        }
    }
}

/// The head of an album. Each picture follows in a message of its own that names this one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Album {
    /// How many pictures follow.
    pub images: u32,
    /// How many videos follow.
    pub videos: u32,
}

impl Album {
    pub(crate) fn read(album: &AlbumMessage) -> Self {
        Self {
            images: album.expected_image_count.unwrap_or_default(),
            videos: album.expected_video_count.unwrap_or_default(),
        }
    }

    pub(crate) fn write(self) -> AlbumMessage {
        AlbumMessage {
            expected_image_count: Some(self.images),
            expected_video_count: Some(self.videos),
            ..AlbumMessage::default()
        }
    }
}
