//! Making a pack out of WebP files, and uploading it with its picture.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use whimbrel_content::kinds::media::{Media, Thumbnail};
use whimbrel_content::kinds::sticker::{PackItem, StickerPack, StickerPackOrigin};
use whimbrel_content::{Content, MediaKind};
use whimbrel_media::{
    NewPackSticker, PACK_STICKERS, PackError, PackedStickers, ThumbnailOptions, make_sticker_pack, square,
};

use super::{StickerInfo, not_made};
use crate::client::{Client, Inner};
use crate::error::{Code, Error};
use crate::media::{MediaSource, UploadOptions, read_whole, upload_with_key};

/// Longest sticker that is read, in octets: a MiB, and what it says of itself.
const LONGEST: u64 = 1 << 20;

/// Edge of the picture of a pack, in pixels.
const PICTURE: u16 = 252;

/// Most pixels of a sticker that becomes the picture of its pack.
const MOST_PIXELS: u64 = 25_000_000;

/// What the archive is.
const ZIP: &str = "application/zip";

/// A pack to be made.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct NewStickerPack {
    /// Its id: at most 128 letters, digits, `-`, `_` and `.`. `None`: one is drawn.
    pub id: Option<String>,
    /// Its name, which is not empty.
    pub name: String,
    /// Who made it.
    pub publisher: Option<String>,
    /// About it.
    pub description: Option<String>,
    /// Words below it.
    pub caption: Option<String>,
    /// From 1 to 60 stickers, each at most a MiB.
    pub stickers: Vec<NewSticker>,
    /// The WebP that stands for the pack, and of which its picture is made. `None`: the first sticker.
    pub tray_icon: Option<MediaSource>,
}

/// A sticker of a pack to be made.
#[derive(Debug)]
#[non_exhaustive]
pub struct NewSticker {
    /// The WebP, 512 by 512 pixels as a rule.
    pub file: MediaSource,
    /// Emojis to find it by; those that the file says if there are none.
    pub emojis: Vec<String>,
    /// A description for those who do not see it; the one that the file says if there is none.
    pub accessibility_label: Option<String>,
}

impl NewSticker {
    /// A sticker that says no more than its file does.
    #[must_use]
    pub fn new(file: impl Into<MediaSource>) -> Self {
        Self { file: file.into(), emojis: Vec::new(), accessibility_label: None }
    }
}

impl Client {
    /// Makes a pack out of WebP files and uploads it: every sticker gets the name and the publisher of the
    /// pack, and is named by its hash. [`send`](Self::send) the result. The archive is in memory meanwhile.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] for a pack without a name or stickers, with more than 60, with the same one
    /// twice, and for an id that cannot be a part of a file name; [`Code::MediaUnsupported`] for files that
    /// are no WebP pictures; [`Code::MediaTooLarge`] for one longer than a MiB; [`Code::NotSupported`] with
    /// [`newsletter`](UploadOptions::newsletter); and those of [`upload`](Self::upload). Repeating is safe.
    pub async fn make_sticker_pack(
        &self,
        pack: NewStickerPack,
        options: UploadOptions,
    ) -> Result<Content, Error> {
        if pack.name.is_empty() {
            return Err(Error::new(Code::InvalidArgument, "the pack has no name").in_operation(OPERATION));
        }
        if options.newsletter {
            let message = "packs are not made for channels; upload the archive itself";
            return Err(Error::new(Code::NotSupported, message).in_operation(OPERATION));
        }
        let (timeout, cancel) = (options.timeout, options.cancel.clone());
        let made = move |client: Arc<Inner>, deadline| async move {
            let id = pack.id.unwrap_or_else(|| drawn_id(&client));
            let says = StickerInfo {
                id: Some(id.clone()),
                name: Some(pack.name.clone()),
                publisher: pack.publisher.clone(),
                ..StickerInfo::default()
            };
            let (made, picture) = archive(&client, says, pack.stickers, pack.tray_icon).await?;
            let key = crate::random::bytes(&mut client.rng());
            let PackedStickers { archive, stickers, tray_icon, length } = made;
            let preview = preview(&client, picture, &key, deadline).await?;
            let options = UploadOptions { mimetype: Some(ZIP.to_owned()), ..options };
            let kind = MediaKind::StickerPack;
            let uploaded = upload_with_key(client, archive.into(), kind, options, key, deadline).await?;
            let stickers = stickers.into_iter().map(|sticker| PackItem {
                file_name: sticker.file_name,
                is_animated: sticker.is_animated,
                is_lottie: false,
                emojis: sticker.emojis,
                accessibility_label: sticker.accessibility_text,
                mimetype: Some("image/webp".to_owned()),
            });
            Ok(Content::StickerPack(StickerPack {
                id,
                name: pack.name,
                publisher: pack.publisher,
                description: pack.description,
                caption: pack.caption,
                stickers: stickers.collect(),
                // Messages with packs say neither.
                media: Media { url: None, mimetype: None, ..uploaded.reference.media },
                tray_icon: Some(tray_icon),
                image_data_hash: Some(preview.1),
                preview: Some(preview.0),
                size: Some(length),
                origin: Some(StickerPackOrigin::UserCreated),
            }))
        };
        self.transfer(OPERATION, timeout, cancel, made).await
    }
}

const OPERATION: &str = "make_sticker_pack";

/// An id that no other pack has.
fn drawn_id(client: &Inner) -> String {
    let drawn: [u8; 16] = crate::random::bytes(&mut client.rng());
    drawn.iter().fold(String::from("whimbrel-"), |id, octet| format!("{id}{octet:02x}"))
}

/// Reads the files, and puts them together off the engine's own threads. Returns the picture of the pack too.
async fn archive(
    client: &Inner,
    says: StickerInfo,
    stickers: Vec<NewSticker>,
    tray_icon: Option<MediaSource>,
) -> Result<(PackedStickers, whimbrel_media::Thumbnail), Error> {
    if stickers.is_empty() || stickers.len() > PACK_STICKERS {
        return Err(not_made(PackError::Count));
    }
    let mut read = Vec::with_capacity(stickers.len());
    for sticker in stickers {
        read.push(NewPackSticker {
            webp: read_whole(sticker.file, LONGEST).await?,
            emojis: sticker.emojis,
            accessibility_text: sticker.accessibility_label,
        });
    }
    let tray_icon = match tray_icon {
        Some(tray_icon) => Some(read_whole(tray_icon, LONGEST).await?),
        None => None,
    };
    let _turn = client.media.decoding_turn().await?;
    let made = tokio::task::spawn_blocking(move || {
        let shown = tray_icon.clone().or_else(|| read.first().map(|sticker| sticker.webp.clone()));
        let made = make_sticker_pack(&says, read, tray_icon).map_err(not_made)?;
        let options = ThumbnailOptions { longest_edge: PICTURE, max_pixels: MOST_PIXELS, quality: 80 };
        let picture = square(&shown.unwrap_or_default(), &options).map_err(|error| {
            let message = "the sticker that stands for the pack cannot be decoded";
            Error::new(Code::MediaUnsupported, message).because(error)
        })?;
        Ok((made, picture))
    });
    made.await.map_err(crate::media::failure::worker)?
}

/// Uploads the picture of a pack, and says where it is and what it is.
async fn preview(
    client: &Arc<Inner>,
    picture: whimbrel_media::Thumbnail,
    key: &[u8; 32],
    deadline: tokio::time::Instant,
) -> Result<(Thumbnail, String), Error> {
    let hash = STANDARD.encode(Sha256::digest(&picture.jpeg));
    let options = UploadOptions { mimetype: Some("image/jpeg".to_owned()), ..UploadOptions::default() };
    let (client, kind) = (Arc::clone(client), MediaKind::StickerPackThumbnail);
    let uploaded = upload_with_key(client, picture.jpeg.into(), kind, options, *key, deadline).await?;
    let media = uploaded.reference.media;
    let thumbnail = Thumbnail {
        direct_path: media.direct_path,
        sha256: media.sha256,
        encrypted_sha256: media.encrypted_sha256,
        height: Some(picture.height.into()),
        width: Some(picture.width.into()),
    };
    Ok((thumbnail, hash))
}

/// Says in a sticker to which pack it belongs, if it is a WebP.
pub(crate) async fn with_info(source: MediaSource, info: StickerInfo) -> Result<MediaSource, Error> {
    let file = read_whole(source, LONGEST).await?;
    let written = tokio::task::spawn_blocking(move || whimbrel_media::write_sticker_pack(&file, &info));
    let written = written.await.map_err(crate::media::failure::worker)?.map_err(|error| {
        let message = "only a sticker that is a WebP says to which pack it belongs";
        Error::new(Code::MediaUnsupported, message).because(error)
    })?;
    Ok(written.into())
}
