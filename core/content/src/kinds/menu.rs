//! Lists, and the older forms of buttons (messages document §11.1).

use whimbrel_proto::e2e::hydrated_template_button::HydratedButton;
use whimbrel_proto::e2e::message::buttons_message::Header as ButtonsHeader;
use whimbrel_proto::e2e::message::list_message::{
    ListType, Product, ProductListHeaderImage, ProductListInfo, ProductSection, Row as WireRow,
    Section as WireSection,
};
use whimbrel_proto::e2e::message::template_message::hydrated_four_row_template::Title;
use whimbrel_proto::e2e::message::template_message::{Format, HydratedFourRowTemplate};
use whimbrel_proto::e2e::message::{ButtonsMessage, HighlyStructuredMessage, ListMessage, TemplateMessage};
use whimbrel_wire::Jid;

use super::interactive::{HeaderMedia, Interactive};
use super::media::{Document, Image, Video};
use super::place::Location;
use crate::key::jid;

/// Legacy buttons. They are read only: whether they are drawn is unknown.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Buttons {
    /// The words.
    pub text: String,
    /// Small words below them.
    pub footer: Option<String>,
    /// Large words above them.
    pub header: Option<String>,
    /// A picture or the like above them.
    pub media: Option<HeaderMedia>,
    /// Ids of the buttons, and what stands on them.
    pub buttons: Vec<(String, String)>,
}

impl Buttons {
    pub(crate) fn read(message: ButtonsMessage) -> Self {
        let (header, media) = match message.header {
            None => (None, None),
            Some(ButtonsHeader::Text(text)) => (Some(text), None),
            Some(ButtonsHeader::DocumentMessage(document)) => {
                (None, Some(HeaderMedia::Document(Box::new(Document::read(*document)))))
            }
            Some(ButtonsHeader::ImageMessage(image)) => {
                (None, Some(HeaderMedia::Image(Box::new(Image::read(*image)))))
            }
            Some(ButtonsHeader::VideoMessage(video)) => {
                (None, Some(HeaderMedia::Video(Box::new(Video::read(*video)))))
            }
            Some(ButtonsHeader::LocationMessage(place)) => {
                (None, Some(HeaderMedia::Location(Box::new(Location::read(*place)))))
            }
        };
        let buttons = message.buttons.into_iter().map(|button| {
            let text = button.button_text.and_then(|text| text.display_text);
            (button.button_id.unwrap_or_default(), text.unwrap_or_default())
        });
        Self {
            text: message.content_text.unwrap_or_default(),
            footer: message.footer_text,
            header,
            media,
            buttons: buttons.collect(),
        }
    }
}

/// A business's template. They are read only.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Template {
    /// Its id.
    pub id: Option<String>,
    /// The words.
    pub text: String,
    /// Small words below them.
    pub footer: Option<String>,
    /// Large words above them.
    pub title: Option<String>,
    /// A picture or the like above them.
    pub media: Option<HeaderMedia>,
    /// The buttons, from top to bottom.
    pub buttons: Vec<TemplateButton>,
    /// The newer form, which some templates have instead of words and buttons.
    pub interactive: Option<Box<Interactive>>,
    /// Of the oldest form: name of the template and its parameters, which stand for the words.
    pub parameters: Option<(String, Vec<String>)>,
}

/// A button of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TemplateButton {
    /// Answers with its id.
    Reply {
        /// What stands on it.
        text: String,
        /// Its id.
        id: String,
    },
    /// Opens an address.
    Url {
        /// What stands on it.
        text: String,
        /// The address.
        url: String,
    },
    /// Calls a number.
    Call {
        /// What stands on it.
        text: String,
        /// The number.
        phone_number: String,
    },
}

impl Template {
    pub(crate) fn read(message: TemplateMessage) -> Self {
        let (mut hydrated, mut interactive) = (message.hydrated_template, None);
        match message.format {
            Some(Format::HydratedFourRowTemplate(template)) if hydrated.is_none() => {
                hydrated = Some(template)
            }
            Some(Format::InteractiveMessageTemplate(template)) => {
                interactive = Some(Box::new(Interactive::read(*template)));
            }
            _ => {}
        }
        let mut read = hydrated.map(|template| Self::hydrated(*template)).unwrap_or_default();
        if let Some(interactive) = &interactive
            && read.text.is_empty()
        {
            read.text.clone_from(&interactive.body);
        }
        read.id = message.template_id.or(read.id);
        Self { interactive, ..read }
    }

    fn hydrated(template: HydratedFourRowTemplate) -> Self {
        let (title, media) = match template.title {
            None => (None, None),
            Some(Title::HydratedTitleText(text)) => (Some(text), None),
            Some(Title::DocumentMessage(document)) => {
                (None, Some(HeaderMedia::Document(Box::new(Document::read(*document)))))
            }
            Some(Title::ImageMessage(image)) => {
                (None, Some(HeaderMedia::Image(Box::new(Image::read(*image)))))
            }
            Some(Title::VideoMessage(video)) => {
                (None, Some(HeaderMedia::Video(Box::new(Video::read(*video)))))
            }
            Some(Title::LocationMessage(place)) => {
                (None, Some(HeaderMedia::Location(Box::new(Location::read(*place)))))
            }
        };
        let buttons = template.hydrated_buttons.into_iter().filter_map(|button| {
            let or_empty = Option::<String>::unwrap_or_default;
            Some(match button.hydrated_button? {
                HydratedButton::QuickReplyButton(reply) => {
                    TemplateButton::Reply { text: or_empty(reply.display_text), id: or_empty(reply.id) }
                }
                HydratedButton::UrlButton(url) => {
                    TemplateButton::Url { text: or_empty(url.display_text), url: or_empty(url.url) }
                }
                HydratedButton::CallButton(call) => TemplateButton::Call {
                    text: or_empty(call.display_text),
                    phone_number: or_empty(call.phone_number),
                },
            })
        });
        Self {
            id: template.template_id,
            text: template.hydrated_content_text.unwrap_or_default(),
            footer: template.hydrated_footer_text,
            title,
            media,
            buttons: buttons.collect(),
            ..Self::default()
        }
    }

    pub(crate) fn read_structured(message: HighlyStructuredMessage) -> Self {
        match message.hydrated_hsm {
            Some(template) => Self::read(*template),
            None => Self {
                parameters: Some((message.element_name.unwrap_or_default(), message.params)),
                ..Self::default()
            },
        }
    }
}

/// A list to choose from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct List {
    /// Large words.
    pub title: Option<String>,
    /// The words.
    pub description: String,
    /// What stands on the button that opens it.
    pub button: String,
    /// Small words below.
    pub footer: Option<String>,
    /// What is in it.
    pub sections: Vec<Section>,
    /// It is a list of products.
    pub products: Option<Products>,
}

/// Rows of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Section {
    /// Their heading.
    pub title: Option<String>,
    /// The rows.
    pub rows: Vec<Row>,
}

/// A row of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// Its id.
    pub id: String,
    /// What stands on it.
    pub title: String,
    /// Small words below.
    pub description: Option<String>,
}

/// Products of a list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Products {
    /// Headings, and the ids of the products below each.
    pub sections: Vec<(Option<String>, Vec<String>)>,
    /// The business.
    pub business: Option<Jid>,
    /// Id of the product on top, and its small picture, JPEG.
    pub header: Option<(String, Option<Vec<u8>>)>,
}

impl List {
    pub(crate) fn read(list: ListMessage) -> Self {
        let sections = list.sections.into_iter().map(|section| Section {
            title: section.title,
            rows: section
                .rows
                .into_iter()
                .map(|row| Row {
                    id: row.row_id.unwrap_or_default(),
                    title: row.title.unwrap_or_default(),
                    description: row.description,
                })
                .collect(),
        });
        Self {
            title: list.title,
            description: list.description.unwrap_or_default(),
            button: list.button_text.unwrap_or_default(),
            footer: list.footer_text,
            sections: sections.collect(),
            products: list.product_list_info.map(Products::read),
        }
    }

    pub(crate) fn write(self) -> ListMessage {
        let kind = if self.products.is_some() { ListType::ProductList } else { ListType::SingleSelect };
        let sections = self.sections.into_iter().map(|section| WireSection {
            title: section.title,
            rows: section
                .rows
                .into_iter()
                .map(|row| WireRow {
                    title: Some(row.title),
                    description: row.description,
                    row_id: Some(row.id),
                })
                .collect(),
        });
        ListMessage {
            title: self.title,
            description: Some(self.description),
            button_text: Some(self.button),
            list_type: Some(kind as i32),
            sections: sections.collect(),
            product_list_info: self.products.map(Products::write),
            footer_text: self.footer,
            ..ListMessage::default()
        }
    }
}

impl Products {
    fn read(info: ProductListInfo) -> Self {
        let sections = info.product_sections.into_iter().map(|section| {
            let ids = section.products.into_iter().map(|product| product.product_id.unwrap_or_default());
            (section.title, ids.collect())
        });
        Self {
            sections: sections.collect(),
            business: jid(info.business_owner_jid),
            header: info
                .header_image
                .map(|header| (header.product_id.unwrap_or_default(), header.jpeg_thumbnail)),
        }
    }

    fn write(self) -> ProductListInfo {
        let sections = self.sections.into_iter().map(|(title, ids)| ProductSection {
            title,
            products: ids.into_iter().map(|id| Product { product_id: Some(id) }).collect(),
        });
        ProductListInfo {
            product_sections: sections.collect(),
            header_image: self
                .header
                .map(|(id, jpeg_thumbnail)| ProductListHeaderImage { product_id: Some(id), jpeg_thumbnail }),
            business_owner_jid: self.business.as_ref().map(Jid::to_string),
        }
    }
}
