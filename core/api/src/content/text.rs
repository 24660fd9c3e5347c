//! Words.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use whimbrel::content::kinds::text::{FontType, Link, Style, Text};

use super::Source;
use super::media::{LINK, MediaFile, size};

/// Words, with or without a preview of a link.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TextContent {
    /// The words. Marks of formatting are part of them.
    pub text: String,
    /// The preview of a link in them.
    #[serde(default)]
    pub link: Option<LinkPreview>,
    /// How a status of words looks.
    #[serde(default)]
    pub style: Option<TextStyle>,
}

/// A link in a text, and what is behind it. Its sender made this; nobody has checked it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LinkPreview {
    /// The part of the text that is the link.
    pub url: String,
    /// Heading.
    #[serde(default)]
    pub title: Option<String>,
    /// Words.
    #[serde(default)]
    pub description: Option<String>,
    /// A picture to be downloaded; only in what comes.
    #[serde(default)]
    pub picture: Option<MediaFile>,
    /// Bytes of the small picture in the message; only in what comes.
    #[serde(default)]
    pub thumbnail_size: Option<u64>,
}

/// How a status of words looks. Colours are 0xAARRGGBB.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TextStyle {
    /// Colour behind the words.
    #[serde(default)]
    pub background: Option<u32>,
    /// Colour of the words.
    #[serde(default)]
    pub colour: Option<u32>,
    /// Number of the font, as the service counts them.
    #[serde(default)]
    pub font: Option<i32>,
}

impl TextContent {
    pub(super) fn of(text: &Text, source: Source<'_>) -> Self {
        Self {
            text: text.text.clone(),
            link: text.link.as_ref().map(|link| LinkPreview {
                url: link.matched.clone(),
                title: link.title.clone(),
                description: link.description.clone(),
                picture: link.picture_media().and_then(|media| MediaFile::of(&media, LINK, source)),
                thumbnail_size: size(link.thumbnail.as_deref()),
            }),
            style: text.style.map(|style| TextStyle {
                background: style.background,
                colour: style.colour,
                font: style.font.map(|font| font as i32),
            }),
        }
    }
}

impl From<TextContent> for Text {
    fn from(content: TextContent) -> Self {
        Self {
            text: content.text,
            link: content.link.map(|link| {
                Box::new(Link {
                    matched: link.url,
                    title: link.title,
                    description: link.description,
                    ..Link::default()
                })
            }),
            style: content.style.map(|style| Style {
                background: style.background,
                colour: style.colour,
                font: style.font.and_then(|font| FontType::try_from(font).ok()),
            }),
        }
    }
}
