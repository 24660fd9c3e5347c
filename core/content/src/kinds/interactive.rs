//! Native flows, carousels, collections and shops (messages document §11).

use whimbrel_proto::e2e::message::InteractiveMessage;
use whimbrel_proto::e2e::message::interactive_message as wire;
use whimbrel_proto::e2e::message::interactive_message::carousel_message::CarouselCardType;
use whimbrel_proto::e2e::message::interactive_message::header::Media as WireMedia;
use whimbrel_proto::e2e::message::interactive_message::native_flow_message::NativeFlowButton;
use whimbrel_wire::Jid;

use super::commerce::{self, Card, Product};
use super::media::{Audio, Document, Image, Video};
use super::place::Location;
use crate::key::jid;

/// Words and buttons. Whether phones draw them changes often.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Interactive {
    /// What stands above the words.
    pub header: Option<Header>,
    /// The words.
    pub body: String,
    /// Small words below them.
    pub footer: Option<String>,
    /// A sound below the words.
    pub footer_audio: Option<Box<Audio>>,
    /// What it is about.
    pub action: Option<Action>,
}

/// What stands above the words.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Header {
    /// Large words.
    pub title: Option<String>,
    /// Smaller words.
    pub subtitle: Option<String>,
    /// A picture or the like.
    pub media: Option<HeaderMedia>,
}

/// A picture or the like above the words.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum HeaderMedia {
    /// A file.
    Document(Box<Document>),
    /// A picture.
    Image(Box<Image>),
    /// A small picture, JPEG.
    Thumbnail(Vec<u8>),
    /// A video.
    Video(Box<Video>),
    /// A place.
    Location(Box<Location>),
    /// A product.
    Product(Box<Product>),
}

/// What an interactive message is about.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Action {
    /// Buttons.
    NativeFlow(NativeFlow),
    /// Cards to be leafed through.
    Carousel {
        /// The cards, each with words and buttons of its own.
        cards: Vec<Interactive>,
        /// The cards are pictures of one album.
        is_album: bool,
    },
    /// A collection of a catalogue.
    Collection {
        /// The business.
        business: Option<Jid>,
        /// The collection's id.
        id: Option<String>,
        /// Version of the form.
        version: Option<i32>,
    },
    /// A shop.
    Shop {
        /// The shop's id.
        id: Option<String>,
        /// Where it is: 1 Facebook, 2 Instagram, 3 WhatsApp.
        surface: Option<i32>,
        /// Version of the form.
        version: Option<i32>,
    },
}

/// Buttons.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NativeFlow {
    /// From top to bottom.
    pub buttons: Vec<Button>,
    /// Parameters of all of them, JSON.
    pub params_json: Option<String>,
    /// Version of the form.
    pub version: Option<i32>,
}

/// A button.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Button {
    /// What it does, such as `quick_reply` or `cta_url`.
    pub name: String,
    /// Its parameters, a JSON object as text; unknown ones are ignored.
    pub params_json: String,
}

impl Button {
    fn with(name: &str, params: &serde_json::Value) -> Self {
        Self { name: name.to_owned(), params_json: params.to_string() }
    }

    /// Answers with its id.
    #[must_use]
    pub fn quick_reply(text: &str, id: &str) -> Self {
        Self::with("quick_reply", &serde_json::json!({ "display_text": text, "id": id }))
    }

    /// Opens an address.
    #[must_use]
    pub fn url(text: &str, url: &str) -> Self {
        Self::with("cta_url", &serde_json::json!({ "display_text": text, "url": url, "merchant_url": url }))
    }

    /// Calls a number.
    #[must_use]
    pub fn call(text: &str, phone_number: &str) -> Self {
        Self::with("cta_call", &serde_json::json!({ "display_text": text, "phone_number": phone_number }))
    }

    /// Copies a code.
    #[must_use]
    pub fn copy(text: &str, code: &str) -> Self {
        Self::with("cta_copy", &serde_json::json!({ "display_text": text, "copy_code": code }))
    }

    /// What stands on it, as far as its parameters say.
    #[must_use]
    pub fn label(&self) -> Option<String> {
        let params = serde_json::from_str::<serde_json::Value>(&self.params_json).ok()?;
        let text = params.get("display_text").or_else(|| params.get("title"))?;
        Some(text.as_str()?.to_owned())
    }
}

impl Interactive {
    pub(crate) fn read(message: InteractiveMessage) -> Self {
        let (footer, footer_audio) = match message.footer {
            None => (None, None),
            Some(footer) => {
                let audio = footer
                    .media
                    .map(|wire::footer::Media::AudioMessage(audio)| Box::new(Audio::read(*audio)));
                (footer.text, audio)
            }
        };
        Self {
            header: message.header.map(|header| Header::read(*header)),
            body: message.body.and_then(|body| body.text).unwrap_or_default(),
            footer,
            footer_audio,
            action: message.interactive_message.map(Action::read),
        }
    }

    pub(crate) fn write(self) -> InteractiveMessage {
        let has_media = self.footer_audio.is_some();
        let footer = (self.footer.is_some() || has_media).then(|| {
            Box::new(wire::Footer {
                text: self.footer,
                has_media_attachment: has_media.then_some(true),
                media: self
                    .footer_audio
                    .map(|audio| wire::footer::Media::AudioMessage(Box::new(audio.write(false)))),
            })
        });
        InteractiveMessage {
            header: self.header.map(|header| Box::new(header.write())),
            body: Some(wire::Body { text: Some(self.body) }),
            footer,
            interactive_message: self.action.map(Action::write),
            ..InteractiveMessage::default()
        }
    }
}

impl Header {
    fn read(header: wire::Header) -> Self {
        let media = header.media.map(|media| match media {
            WireMedia::DocumentMessage(document) => {
                HeaderMedia::Document(Box::new(Document::read(*document)))
            }
            WireMedia::ImageMessage(image) => HeaderMedia::Image(Box::new(Image::read(*image))),
            WireMedia::JpegThumbnail(picture) => HeaderMedia::Thumbnail(picture),
            WireMedia::VideoMessage(video) => HeaderMedia::Video(Box::new(Video::read(*video))),
            WireMedia::LocationMessage(place) => HeaderMedia::Location(Box::new(Location::read(*place))),
            WireMedia::ProductMessage(product) => {
                HeaderMedia::Product(Box::new(match commerce::read(*product) {
                    Card::Product(product) => product,
                    Card::Catalog(catalog) => Product {
                        image: catalog.image,
                        title: catalog.title,
                        description: catalog.description,
                        business: catalog.business,
                        ..Product::default()
                    },
                }))
            }
        });
        Self { title: header.title, subtitle: header.subtitle, media }
    }

    fn write(self) -> wire::Header {
        let media = self.media.map(|media| match media {
            HeaderMedia::Document(document) => WireMedia::DocumentMessage(Box::new(document.write())),
            HeaderMedia::Image(image) => WireMedia::ImageMessage(Box::new(image.write())),
            HeaderMedia::Thumbnail(picture) => WireMedia::JpegThumbnail(picture),
            HeaderMedia::Video(video) => WireMedia::VideoMessage(Box::new(video.write(false))),
            HeaderMedia::Location(place) => WireMedia::LocationMessage(Box::new(place.write())),
            HeaderMedia::Product(product) => WireMedia::ProductMessage(Box::new(product.write())),
        });
        wire::Header {
            title: self.title,
            subtitle: self.subtitle,
            has_media_attachment: Some(media.is_some()),
            media,
            ..wire::Header::default()
        }
    }
}

impl Action {
    fn read(action: wire::InteractiveMessage) -> Self {
        match action {
            wire::InteractiveMessage::NativeFlowMessage(flow) => Self::NativeFlow(NativeFlow {
                buttons: flow
                    .buttons
                    .into_iter()
                    .map(|button| Button {
                        name: button.name.unwrap_or_default(),
                        params_json: button.button_params_json.unwrap_or_default(),
                    })
                    .collect(),
                params_json: flow.message_params_json,
                version: flow.message_version,
            }),
            wire::InteractiveMessage::CarouselMessage(carousel) => Self::Carousel {
                cards: carousel.cards.into_iter().map(Interactive::read).collect(),
                is_album: carousel.carousel_card_type == Some(CarouselCardType::AlbumImage as i32),
            },
            wire::InteractiveMessage::CollectionMessage(collection) => Self::Collection {
                business: jid(collection.biz_jid),
                id: collection.id,
                version: collection.message_version,
            },
            wire::InteractiveMessage::ShopStorefrontMessage(shop) => {
                Self::Shop { id: shop.id, surface: shop.surface, version: shop.message_version }
            }
        }
    }

    fn write(self) -> wire::InteractiveMessage {
        match self {
            Self::NativeFlow(flow) => {
                let buttons = flow.buttons.into_iter().map(|button| NativeFlowButton {
                    name: Some(button.name),
                    button_params_json: Some(button.params_json),
                });
                wire::InteractiveMessage::NativeFlowMessage(wire::NativeFlowMessage {
                    buttons: buttons.collect(),
                    message_params_json: flow.params_json,
                    message_version: flow.version,
                })
            }
            Self::Carousel { cards, is_album } => {
                wire::InteractiveMessage::CarouselMessage(wire::CarouselMessage {
                    cards: cards.into_iter().map(Interactive::write).collect(),
                    message_version: Some(1),
                    carousel_card_type: is_album.then_some(CarouselCardType::AlbumImage as i32),
                })
            }
            Self::Collection { business, id, version } => {
                wire::InteractiveMessage::CollectionMessage(wire::CollectionMessage {
                    biz_jid: business.as_ref().map(Jid::to_string),
                    id,
                    message_version: version,
                })
            }
            Self::Shop { id, surface, version } => {
                wire::InteractiveMessage::ShopStorefrontMessage(wire::ShopMessage {
                    id,
                    surface,
                    message_version: version,
                })
            }
        }
    }
}
