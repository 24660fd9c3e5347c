//! Words (messages document §9.1).

use whimbrel_proto::e2e::Message;
use whimbrel_proto::e2e::message::ExtendedTextMessage;

pub use crate::names::{FontType, InviteLinkGroupType, PreviewType};

use super::media::{Media, Thumbnail};
use crate::secret::Secret;

/// Words, with or without a preview of a link.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Text {
    /// The words. Marks of formatting are part of them.
    pub text: String,
    /// The link in them and what is behind it.
    pub link: Option<Box<Link>>,
    /// How a status of words looks.
    pub style: Option<Style>,
}

/// A link in a text. Its sender made the preview; nobody has checked it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Link {
    /// The part of the text that is the link.
    pub matched: String,
    /// Heading.
    pub title: Option<String>,
    /// Words.
    pub description: Option<String>,
    /// What is behind it.
    pub preview_type: Option<PreviewType>,
    /// A small picture, JPEG.
    pub thumbnail: Option<Vec<u8>>,
    /// A larger picture to be downloaded, JPEG.
    pub picture: Option<Thumbnail>,
    /// Key of the larger picture.
    pub picture_key: Option<Secret>,
    /// When that key was made, in seconds since 1970.
    pub picture_key_timestamp: Option<i64>,
    /// What kind of group a link to a group leads to.
    pub group_type: Option<InviteLinkGroupType>,
}

/// How a status of words looks. Colours are 0xAARRGGBB.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Colour behind the words.
    pub background: Option<u32>,
    /// Colour of the words.
    pub colour: Option<u32>,
    /// Font of the words.
    pub font: Option<FontType>,
}

impl Text {
    /// Words and nothing else.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    pub(crate) fn read(text: ExtendedTextMessage) -> Self {
        let style = Style {
            background: text.background_argb,
            colour: text.text_argb,
            font: text.font.and_then(|number| FontType::try_from(number).ok()),
        };
        let link = text.matched_text.filter(|link| !link.trim().is_empty()).map(|matched| {
            Box::new(Link {
                matched,
                title: text.title,
                description: text.description,
                preview_type: text.preview_type.and_then(|number| PreviewType::try_from(number).ok()),
                thumbnail: text.jpeg_thumbnail,
                picture: Thumbnail {
                    direct_path: text.thumbnail_direct_path,
                    sha256: text.thumbnail_sha256,
                    encrypted_sha256: text.thumbnail_enc_sha256,
                    height: text.thumbnail_height,
                    width: text.thumbnail_width,
                }
                .some(),
                picture_key: text.media_key.map(Secret::new),
                picture_key_timestamp: text.media_key_timestamp,
                group_type: text
                    .invite_link_group_type_v2
                    .and_then(|number| InviteLinkGroupType::try_from(number).ok()),
            })
        });
        Self {
            text: text.text.unwrap_or_default(),
            link,
            style: (style != Style::default()).then_some(style),
        }
    }

    /// As `conversation` if it is nothing but words, unless there is a context to be added.
    pub(crate) fn put(self, message: &mut Message, plain: bool) {
        if plain && self.link.is_none() && self.style.is_none() {
            message.conversation = Some(self.text);
        } else {
            message.extended_text_message = Some(Box::new(self.write()));
        }
    }

    fn write(self) -> ExtendedTextMessage {
        let mut text = ExtendedTextMessage { text: Some(self.text), ..ExtendedTextMessage::default() };
        if let Some(style) = self.style {
            text.background_argb = style.background;
            text.text_argb = style.colour;
            text.font = style.font.map(|font| font as i32);
        }
        if let Some(link) = self.link {
            let Thumbnail { direct_path, sha256, encrypted_sha256, height, width } =
                link.picture.unwrap_or_default();
            text.matched_text = Some(link.matched);
            text.title = link.title;
            text.description = link.description;
            text.preview_type = link.preview_type.map(|kind| kind as i32);
            text.jpeg_thumbnail = link.thumbnail;
            text.thumbnail_direct_path = direct_path;
            text.thumbnail_sha256 = sha256;
            text.thumbnail_enc_sha256 = encrypted_sha256;
            text.thumbnail_height = height;
            text.thumbnail_width = width;
            text.media_key = link.picture_key.map(|key| key.to_wire());
            text.media_key_timestamp = link.picture_key_timestamp;
            text.invite_link_group_type_v2 = link.group_type.map(|kind| kind as i32);
        }
        text
    }
}

impl Link {
    /// The larger picture as something to be downloaded.
    #[must_use]
    pub fn picture_media(&self) -> Option<Media> {
        let picture = self.picture.clone()?;
        Some(Media {
            direct_path: picture.direct_path,
            sha256: picture.sha256,
            encrypted_sha256: picture.encrypted_sha256,
            key: self.picture_key.clone(),
            key_timestamp: self.picture_key_timestamp,
            ..Media::default()
        })
    }
}
