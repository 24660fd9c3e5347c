//! The pictures that the service has.

use std::collections::BTreeMap;

use whimbrel_media::{ImageFormat, Media, ThumbnailOptions, probe, square};

use super::super::accounts::AccountId;
use crate::media::{Kind, Shelf};

/// Longest edge of a picture, and that of its preview.
const EDGE: u32 = 640;
const PREVIEW: u16 = 96;

/// Whose picture.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Owner {
    Person(AccountId),
    /// By the digits of its address.
    Group(String),
}

/// A picture in both of its sizes, by the hashes of the files.
#[derive(Debug)]
pub(in crate::service) struct Picture {
    pub(in crate::service) id: String,
    pub(in crate::service) full: [u8; 32],
    pub(in crate::service) preview: [u8; 32],
}

impl Picture {
    /// Puts a picture onto the media hosts; `None` for what is no square JPEG of at most 640 pixels.
    pub(in crate::service) fn keep(shelf: &Shelf, id: String, jpeg: &[u8]) -> Option<Self> {
        let Ok(Media::Image(image)) = probe(&mut &*jpeg) else { return None };
        if image.format != ImageFormat::Jpeg || image.width != image.height || image.width > EDGE {
            return None;
        }
        let options = ThumbnailOptions { longest_edge: PREVIEW, ..ThumbnailOptions::default() };
        let preview = square(jpeg, &options).ok()?.jpeg;
        let kind = Kind::picture();
        let (full, _) = shelf.put(&kind, jpeg).ok()?;
        let (preview, _) = shelf.put(&kind, &preview).ok()?;
        Some(Self { id, full, preview })
    }
}

/// All pictures.
#[derive(Debug, Default)]
pub(in crate::service) struct Pictures(BTreeMap<Owner, Picture>);

impl Pictures {
    pub(super) fn get(&self, owner: &Owner) -> Option<&Picture> {
        self.0.get(owner)
    }

    pub(super) fn put(&mut self, owner: Owner, picture: Picture) {
        self.0.insert(owner, picture);
    }

    /// Tells whether there was one.
    pub(super) fn remove(&mut self, owner: &Owner) -> bool {
        self.0.remove(owner).is_some()
    }
}
