//! Packs of stickers: ZIP archives of WebP files, each named by its hash, and of one file more that stands
//! for the pack (media document §13.2).

mod zip;

use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use crate::probe::{Image, ImageFormat, Media, ProbeError, probe};
use crate::source::Source;
use crate::sticker::{StickerPack, read_sticker_pack, write_sticker_pack};

/// Stickers of a pack that is made.
pub const PACK_STICKERS: usize = 60;
/// Files of a pack that is read.
const FILES: usize = 100;
/// Longest sticker, in octets.
const LONGEST: usize = 1 << 20;
/// Longest id of a pack, which is a part of a file name.
const LONGEST_ID: usize = 128;

/// Why a pack is not made or read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PackError {
    /// The file could not be read.
    #[error("the file could not be read: {0}")]
    Read(io::ErrorKind),
    /// It is no archive, or a damaged one.
    #[error("the archive is damaged: {0}")]
    Damaged(&'static str),
    /// It has what no pack has, and what may do harm.
    #[error("the archive is no pack: {0}")]
    Refused(&'static str),
    /// There are no stickers, or more than a pack may have.
    #[error("a pack has from 1 to 60 stickers")]
    Count,
    /// A sticker or the tray icon is longer than a MiB.
    #[error("a sticker is longer than a MiB")]
    TooLong,
    /// A sticker, by its place, or the tray icon (`None`) is no WebP picture.
    #[error("a sticker is no WebP picture")]
    NoSticker(Option<usize>),
    /// Two stickers are the same, the second at this place.
    #[error("a sticker is there twice")]
    Twice(usize),
    /// The id of the pack has other characters than letters, digits, `-`, `_` and `.`, or too many of them.
    #[error("the id of the pack cannot be a part of a file name")]
    BadId,
}

/// A sticker for a pack.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewPackSticker {
    /// The WebP.
    pub webp: Vec<u8>,
    /// Emojis to find it by; those that it says itself if there are none.
    pub emojis: Vec<String>,
    /// A description for those who do not see it; the one that it says itself if there is none.
    pub accessibility_text: Option<String>,
}

/// What is said of a sticker in a pack that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackedSticker {
    /// The name of its file: its hash.
    pub file_name: String,
    /// It moves.
    pub is_animated: bool,
    /// Emojis to find it by.
    pub emojis: Vec<String>,
    /// A description for those who do not see it.
    pub accessibility_text: Option<String>,
}

/// A pack that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackedStickers {
    /// The ZIP.
    pub archive: Vec<u8>,
    /// Its stickers, in their order.
    pub stickers: Vec<PackedSticker>,
    /// The name of the file that stands for the pack.
    pub tray_icon: String,
    /// Length of all stickers, in octets.
    pub length: u64,
}

/// Whether an id of a pack can be a part of a file name.
fn is_id(id: &str) -> bool {
    let allowed = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_' | b'.');
    !id.is_empty() && id.len() <= LONGEST_ID && !id.starts_with('.') && id.bytes().all(allowed)
}

fn sticker(mut webp: &[u8]) -> Option<Image> {
    match probe(&mut webp) {
        Ok(Media::Image(image)) if image.format == ImageFormat::WebP => Some(image),
        _ => None,
    }
}

/// Makes a pack: every sticker says which pack it belongs to, and is named by its hash. `pack` says the id,
/// the name and the publisher; without a `tray_icon`, which is a WebP, the first sticker stands for it.
///
/// # Errors
/// [`PackError`].
pub fn make_sticker_pack(
    pack: &StickerPack,
    stickers: Vec<NewPackSticker>,
    tray_icon: Option<Vec<u8>>,
) -> Result<PackedStickers, PackError> {
    let id = pack.id.as_deref().filter(|id| is_id(id)).ok_or(PackError::BadId)?;
    if stickers.is_empty() || stickers.len() > PACK_STICKERS {
        return Err(PackError::Count);
    }
    let mut archive = zip::Writer::default();
    let mut packed: Vec<PackedSticker> = Vec::with_capacity(stickers.len());
    let (mut length, mut first) = (0_u64, None);
    for (at, new) in stickers.into_iter().enumerate() {
        if new.webp.len() > LONGEST {
            return Err(PackError::TooLong);
        }
        let image = sticker(&new.webp).ok_or(PackError::NoSticker(Some(at)))?;
        let said = read_sticker_pack(&mut new.webp.as_slice()).ok().flatten().unwrap_or_default();
        let emojis = if new.emojis.is_empty() { said.emojis } else { new.emojis };
        let accessibility_text = new.accessibility_text.or(said.accessibility_text);
        let says = StickerPack {
            emojis: emojis.clone(),
            accessibility_text: accessibility_text.clone(),
            ..pack.clone()
        };
        let webp = write_sticker_pack(&new.webp, &says).map_err(|_| PackError::NoSticker(Some(at)))?;
        if webp.len() > LONGEST {
            return Err(PackError::TooLong);
        }
        let file_name = format!("{}.webp", URL_SAFE_NO_PAD.encode(Sha256::digest(&webp)));
        if packed.iter().any(|earlier| earlier.file_name == file_name) {
            return Err(PackError::Twice(at));
        }
        length = length.saturating_add(webp.len() as u64);
        archive.add(&file_name, &webp)?;
        first.get_or_insert(webp);
        packed.push(PackedSticker { file_name, is_animated: image.frames > 1, emojis, accessibility_text });
    }
    let tray = match tray_icon {
        Some(tray) if tray.len() > LONGEST => return Err(PackError::TooLong),
        Some(tray) => sticker(&tray).map(|_| tray),
        None => first,
    };
    let tray_icon = format!("{id}.webp");
    archive.add(&tray_icon, &tray.ok_or(PackError::NoSticker(None))?)?;
    Ok(PackedStickers { archive: archive.finish()?, stickers: packed, tray_icon, length })
}

/// A file in a pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackFile {
    /// Its name: no path, nothing that a file system takes for something else, and no two names of a pack
    /// differ in case alone.
    pub name: String,
    /// What it is.
    pub image: Image,
    /// What it says of itself.
    pub pack: Option<StickerPack>,
    /// It.
    pub webp: Vec<u8>,
}

/// Reads a pack that somebody sent: its WebP pictures one after the other, in the order of the archive. Other
/// files in it are left out. Not more than one of them is in memory, and each has at most a MiB; `take` may
/// end the reading with an error of its own.
///
/// # Errors
/// [`PackError`], and that of `take`.
pub fn read_pack<E: From<PackError>>(
    source: &mut dyn Source,
    mut take: impl FnMut(PackFile) -> Result<(), E>,
) -> Result<(), E> {
    // All of it is judged before anything is handed out.
    for entry in zip::entries(source)? {
        let webp = zip::read(source, &entry)?;
        let Some(image) = sticker(&webp) else { continue };
        let pack = match read_sticker_pack(&mut webp.as_slice()) {
            Ok(pack) => pack,
            Err(ProbeError::Read(kind)) => return Err(PackError::Read(kind).into()),
            Err(_) => None,
        };
        take(PackFile { name: entry.name, image, pack, webp })?;
    }
    Ok(())
}
