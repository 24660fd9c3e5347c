//! From the key of a message to the keys of its file.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::kdf::{HmacKey, hkdf_sha256};

/// What kind of file a blob is; the keys depend on it, so that it is kept with the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MediaType {
    /// A picture.
    Image,
    /// A sticker; shares the keys of pictures.
    Sticker,
    /// A picture of a shared link of another service; shares the keys of pictures.
    XmaImage,
    /// A film.
    Video,
    /// A short film without sound that repeats; shares the keys of films.
    Gif,
    /// A round video note; shares the keys of films.
    Ptv,
    /// A piece of sound.
    Audio,
    /// A voice note; shares the keys of sound.
    Ptt,
    /// Any file.
    Document,
    /// A chunk of history.
    History,
    /// A snapshot or long patch of app state.
    AppState,
    /// The picture of a link preview.
    LinkThumbnail,
    /// The thumbnail of a picture (media document §12.3: known from one client only).
    ImageThumbnail,
    /// The thumbnail of a film (known from one client only).
    VideoThumbnail,
    /// The thumbnail of a document (known from one client only).
    DocumentThumbnail,
    /// The background of a payment (known from one client only).
    PaymentBackground,
    /// The archive of a sticker pack.
    StickerPack,
    /// The picture of a sticker pack.
    StickerPackThumbnail,
    /// Messages shared with a new member of a group (known from one client only).
    GroupHistory,
}

impl MediaType {
    /// Every type there is.
    pub const ALL: [Self; 19] = [
        Self::Image,
        Self::Sticker,
        Self::XmaImage,
        Self::Video,
        Self::Gif,
        Self::Ptv,
        Self::Audio,
        Self::Ptt,
        Self::Document,
        Self::History,
        Self::AppState,
        Self::LinkThumbnail,
        Self::ImageThumbnail,
        Self::VideoThumbnail,
        Self::DocumentThumbnail,
        Self::PaymentBackground,
        Self::StickerPack,
        Self::StickerPackThumbnail,
        Self::GroupHistory,
    ];

    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Sticker => "sticker",
            Self::XmaImage => "xma-image",
            Self::Video => "video",
            Self::Gif => "gif",
            Self::Ptv => "ptv",
            Self::Audio => "audio",
            Self::Ptt => "ptt",
            Self::Document => "document",
            Self::History => "md-msg-hist",
            Self::AppState => "md-app-state",
            Self::LinkThumbnail => "thumbnail-link",
            Self::ImageThumbnail => "thumbnail-image",
            Self::VideoThumbnail => "thumbnail-video",
            Self::DocumentThumbnail => "thumbnail-document",
            Self::PaymentBackground => "payment-bg-image",
            Self::StickerPack => "sticker-pack",
            Self::StickerPackThumbnail => "thumbnail-sticker-pack",
            Self::GroupHistory => "group-history",
        }
    }

    /// The type of a name on the wire.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// What goes into the derivation beside the key.
    pub fn info(self) -> &'static str {
        match self {
            Self::Image | Self::Sticker | Self::XmaImage => "WhatsApp Image Keys",
            Self::Video | Self::Gif | Self::Ptv => "WhatsApp Video Keys",
            Self::Audio | Self::Ptt => "WhatsApp Audio Keys",
            Self::Document => "WhatsApp Document Keys",
            Self::History => "WhatsApp History Keys",
            Self::AppState => "WhatsApp App State Keys",
            Self::LinkThumbnail => "WhatsApp Link Thumbnail Keys",
            Self::ImageThumbnail => "WhatsApp Image Thumbnail Keys",
            Self::VideoThumbnail => "WhatsApp Video Thumbnail Keys",
            Self::DocumentThumbnail => "WhatsApp Document Thumbnail Keys",
            Self::PaymentBackground => "WhatsApp Payment Background Keys",
            Self::StickerPack => "WhatsApp Sticker Pack Keys",
            Self::StickerPackThumbnail => "WhatsApp Sticker Pack Thumbnail Keys",
            Self::GroupHistory => "Group History",
        }
    }

    /// Whether a message of this type carries a streaming sidecar (§5.1).
    pub fn has_sidecar(self) -> bool {
        matches!(self, Self::Video | Self::Gif | Self::Ptv | Self::Audio | Self::Ptt)
    }

    /// The types whose keys a thumbnail beside a file of this type may have, in the order to try
    /// them: clients differ, and the code at the end of the blob decides (§12.3).
    pub fn thumbnail_types(self) -> &'static [Self] {
        match self {
            Self::Image | Self::Sticker | Self::XmaImage => &[Self::ImageThumbnail, Self::Image],
            Self::Video | Self::Gif | Self::Ptv => &[Self::VideoThumbnail, Self::Video],
            Self::Document => &[Self::DocumentThumbnail, Self::Document],
            Self::StickerPack => &[Self::StickerPackThumbnail],
            Self::LinkThumbnail => &[Self::LinkThumbnail],
            _ => &[],
        }
    }
}

/// The keys of one file. Wiped when dropped, and never printed.
///
/// Keys and a file belong together: another file under the same keys gives both away.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct MediaKeys {
    pub(super) iv: [u8; 16],
    pub(super) cipher: [u8; 32],
    mac: [u8; 32],
}

impl MediaKeys {
    /// Derives the keys from the 32 octets that a message carries.
    ///
    /// The derivation of the protocol goes on for 32 octets that nobody uses; they change nothing
    /// about those before.
    pub fn expand(media_key: &[u8; 32], kind: MediaType) -> Self {
        let expanded = hkdf_sha256::<80>(media_key, &[], kind.info().as_bytes());
        let mut keys = Self { iv: [0; 16], cipher: [0; 32], mac: [0; 32] };
        let all = keys.iv.iter_mut().chain(&mut keys.cipher).chain(&mut keys.mac);
        for (to, from) in all.zip(expanded.iter()) {
            *to = *from;
        }
        keys
    }

    /// What the first block is chained to; it also stands before the first piece of a sidecar.
    pub fn iv(&self) -> &[u8; 16] {
        &self.iv
    }

    pub(super) fn mac(&self) -> HmacKey {
        HmacKey::new(&self.mac)
    }
}

impl fmt::Debug for MediaKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MediaKeys(..)")
    }
}
