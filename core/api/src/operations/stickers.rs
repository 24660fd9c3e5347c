//! Packs of stickers, and those that were used lately.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use whimbrel::stickers;
use whimbrel::{CallOptions, Client, Error};

use super::Operation;
use crate::content::{Content, Source, StickerContent};

/// Writes the stickers of a pack into a folder. Download the pack first, with the reference of its message.
///
/// Packs come from anybody: everything in one is looked at before the first file is written, and nothing is
/// taken out of one that is damaged, has more than 100 files or one longer than a MiB, or names that lead
/// elsewhere. What is no WebP picture is left out. The folder is made if it does not exist; files of the same
/// name are replaced.
///
/// Fails with `MEDIA_UNSUPPORTED` or `MEDIA_TOO_LARGE` for what is no such pack, and with `FILE_FAILED` when
/// it cannot be read or a file cannot be written. Repeating is safe.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UnpackStickerPack {
    /// Path of the pack, which was downloaded.
    pub path: String,
    /// Path of the folder.
    pub folder: String,
}

/// The stickers of a pack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UnpackedStickers {
    /// They, in the order of the pack. The tray icon is among them.
    pub items: Vec<UnpackedSticker>,
}

/// A sticker that was written into a folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UnpackedSticker {
    /// Its name in the pack, by which the message tells of it.
    pub file_name: String,
    /// Where it is now.
    pub path: String,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// It moves.
    pub is_animated: bool,
    /// What it says of itself; absent if it says nothing.
    pub info: Option<StickerInfo>,
}

/// What a sticker says of itself and of its pack. Nobody checks it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StickerInfo {
    /// Id of the pack.
    pub pack_id: Option<String>,
    /// Name of the pack.
    pub pack_name: Option<String>,
    /// Who made the pack.
    pub pack_publisher: Option<String>,
    /// Emojis to find the sticker by.
    pub emojis: Vec<String>,
    /// A description for those who do not see it.
    pub accessibility_label: Option<String>,
}

impl From<stickers::StickerInfo> for StickerInfo {
    fn from(info: stickers::StickerInfo) -> Self {
        Self {
            pack_id: info.id,
            pack_name: info.name,
            pack_publisher: info.publisher,
            emojis: info.emojis,
            accessibility_label: info.accessibility_text,
        }
    }
}

impl Operation for UnpackStickerPack {
    const NAME: &'static str = "unpack_sticker_pack";
    type Output = UnpackedStickers;

    async fn run(self, client: &Client, _: CallOptions) -> Result<UnpackedStickers, Error> {
        let unpacked = client.unpack_sticker_pack(PathBuf::from(self.path), self.folder).await?;
        let items = unpacked.into_iter().map(|sticker| UnpackedSticker {
            file_name: sticker.name,
            path: sticker.path.to_string_lossy().into_owned(),
            width: sticker.width,
            height: sticker.height,
            is_animated: sticker.is_animated,
            info: sticker.info.map(Into::into),
        });
        Ok(UnpackedStickers { items: items.collect() })
    }
}

/// Lists the stickers that the account used lately, the latest first, as far as the phone told: it hands them
/// over with the history. One can be sent again as it is told here, or downloaded with its `media`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListRecentStickers {}

/// Stickers that were used lately.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecentStickers {
    /// They, the latest first.
    pub items: Vec<RecentSticker>,
}

/// A sticker that was used lately.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecentSticker {
    /// The sticker, as `send_message` takes it.
    pub sticker: Content,
    /// When it was last used, milliseconds since 1970, if the phone told.
    pub used_at_ms: Option<i64>,
}

impl Operation for ListRecentStickers {
    const NAME: &'static str = "list_recent_stickers";
    type Output = RecentStickers;

    async fn run(self, client: &Client, _: CallOptions) -> Result<RecentStickers, Error> {
        let stickers = client.recent_stickers().await?;
        let recent = |sticker: &whimbrel::content::kinds::sticker::Sticker| RecentSticker {
            sticker: Content::Sticker(StickerContent::of(sticker, Source { message: None })),
            used_at_ms: sticker.sent_at_ms,
        };
        Ok(RecentStickers { items: stickers.iter().map(recent).collect() })
    }
}
