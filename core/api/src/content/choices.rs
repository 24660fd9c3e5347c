//! Buttons, lists, native flows, carousels, and the answers to them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use whimbrel::Error;
use whimbrel::content::kinds::choice::{self, Choice};
use whimbrel::content::kinds::interactive::{self, Action, Button, HeaderMedia, Interactive, NativeFlow};
use whimbrel::content::kinds::media::{Document, Image, Video};
use whimbrel::content::kinds::menu::{Buttons, List, Row, Section, Template, TemplateButton};
use whimbrel::content::reference::MediaKind;

use super::{MediaFile, Place, Source, wrong};

/// What stands above words and buttons.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InteractiveHeader {
    /// Large words.
    #[serde(default)]
    pub title: Option<String>,
    /// Smaller words.
    #[serde(default)]
    pub subtitle: Option<String>,
    /// A picture, video or document.
    #[serde(default)]
    pub media: Option<MediaFile>,
    /// A place.
    #[serde(default)]
    pub location: Option<Place>,
}

impl InteractiveHeader {
    fn of_media(media: Option<&HeaderMedia>, source: Source<'_>) -> Self {
        let file = |media, kind| MediaFile::of(media, kind, source);
        let mut header = Self::default();
        match media {
            Some(HeaderMedia::Image(it)) => header.media = file(&it.media, MediaKind::Image),
            Some(HeaderMedia::Video(it)) => header.media = file(&it.media, MediaKind::Video),
            Some(HeaderMedia::Document(it)) => header.media = file(&it.media, MediaKind::Document),
            Some(HeaderMedia::Location(it)) => header.location = Some(it.as_ref().into()),
            Some(HeaderMedia::Product(it)) => header.title.clone_from(&it.title),
            _ => {}
        }
        header
    }

    fn of(header: &interactive::Header, source: Source<'_>) -> Self {
        let media = Self::of_media(header.media.as_ref(), source);
        Self {
            title: header.title.clone().or(media.title.clone()),
            subtitle: header.subtitle.clone(),
            ..media
        }
    }
}

impl TryFrom<InteractiveHeader> for interactive::Header {
    type Error = Error;

    fn try_from(header: InteractiveHeader) -> Result<Self, Error> {
        let media = match (header.media, header.location) {
            (Some(_), Some(_)) => return Err(wrong("a header has a file or a place, not both")),
            (None, None) => None,
            (None, Some(place)) => Some(HeaderMedia::Location(Box::new(place.into()))),
            (Some(file), None) => {
                let kind = file.parse()?.kind;
                let media = file.media()?;
                Some(match kind {
                    MediaKind::Image => HeaderMedia::Image(Box::new(Image { media, ..Image::default() })),
                    MediaKind::Video => HeaderMedia::Video(Box::new(Video { media, ..Video::default() })),
                    MediaKind::Document => {
                        HeaderMedia::Document(Box::new(Document { media, ..Document::default() }))
                    }
                    _ => return Err(wrong("a header has a picture, a video or a document")),
                })
            }
        };
        Ok(Self { title: header.title, subtitle: header.subtitle, media })
    }
}

/// A button of a native flow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FlowButton {
    /// What it does, such as `quick_reply`, `cta_url`, `cta_call`, `cta_copy`, `single_select`.
    pub name: String,
    /// Its parameters, a JSON object as text.
    pub params_json: String,
    /// What stands on it, as the parameters say; only in what comes.
    #[serde(default)]
    pub label: Option<String>,
}

impl From<&Button> for FlowButton {
    fn from(button: &Button) -> Self {
        Self { name: button.name.clone(), params_json: button.params_json.clone(), label: button.label() }
    }
}

fn flow(buttons: Vec<FlowButton>) -> Option<Action> {
    let buttons = buttons.into_iter().map(|it| Button { name: it.name, params_json: it.params_json });
    let flow = NativeFlow { buttons: buttons.collect(), ..NativeFlow::default() };
    (!flow.buttons.is_empty()).then_some(Action::NativeFlow(flow))
}

fn flow_buttons(message: &Interactive) -> Vec<FlowButton> {
    match &message.action {
        Some(Action::NativeFlow(flow)) => flow.buttons.iter().map(Into::into).collect(),
        _ => Vec::new(),
    }
}

/// Words and buttons.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InteractiveContent {
    /// The words.
    pub body: String,
    /// What stands above them.
    #[serde(default)]
    pub header: Option<InteractiveHeader>,
    /// Small words below them.
    #[serde(default)]
    pub footer: Option<String>,
    /// The buttons, from top to bottom.
    #[serde(default)]
    pub buttons: Vec<FlowButton>,
}

impl InteractiveContent {
    pub(super) fn of(message: &Interactive, source: Source<'_>) -> Self {
        Self {
            body: message.body.clone(),
            header: message.header.as_ref().map(|header| InteractiveHeader::of(header, source)),
            footer: message.footer.clone(),
            buttons: flow_buttons(message),
        }
    }
}

impl TryFrom<InteractiveContent> for Interactive {
    type Error = Error;

    fn try_from(content: InteractiveContent) -> Result<Self, Error> {
        Ok(Self {
            header: content.header.map(TryInto::try_into).transpose()?,
            body: content.body,
            footer: content.footer,
            footer_audio: None,
            action: flow(content.buttons),
        })
    }
}

/// Cards to be leafed through.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CarouselContent {
    /// The words above the cards.
    pub body: String,
    /// Small words below.
    #[serde(default)]
    pub footer: Option<String>,
    /// The cards, at most ten.
    #[serde(default)]
    pub cards: Vec<CarouselCard>,
}

/// A card of a carousel.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CarouselCard {
    /// The words.
    pub body: String,
    /// What stands above them.
    #[serde(default)]
    pub header: Option<InteractiveHeader>,
    /// Small words below them.
    #[serde(default)]
    pub footer: Option<String>,
    /// The buttons, from top to bottom.
    #[serde(default)]
    pub buttons: Vec<FlowButton>,
}

impl CarouselContent {
    /// The carousel that an interactive message is, if it is one.
    pub(super) fn of(message: &Interactive, source: Source<'_>) -> Option<Self> {
        let Some(Action::Carousel { cards, .. }) = &message.action else { return None };
        let cards = cards.iter().map(|card| {
            let InteractiveContent { body, header, footer, buttons } = InteractiveContent::of(card, source);
            CarouselCard { body, header, footer, buttons }
        });
        Some(Self { body: message.body.clone(), footer: message.footer.clone(), cards: cards.collect() })
    }
}

impl TryFrom<CarouselContent> for Interactive {
    type Error = Error;

    fn try_from(content: CarouselContent) -> Result<Self, Error> {
        let cards = content.cards.into_iter().map(|card| {
            let CarouselCard { body, header, footer, buttons } = card;
            InteractiveContent { body, header, footer, buttons }.try_into()
        });
        let cards = cards.collect::<Result<Vec<Self>, Error>>()?;
        Ok(Self {
            body: content.body,
            footer: content.footer,
            action: Some(Action::Carousel { cards, is_album: false }),
            ..Self::default()
        })
    }
}

/// A list to choose from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListContent {
    /// The words.
    pub description: String,
    /// What stands on the button that opens it.
    pub button: String,
    /// Large words.
    #[serde(default)]
    pub title: Option<String>,
    /// Small words below.
    #[serde(default)]
    pub footer: Option<String>,
    /// What is in it.
    #[serde(default)]
    pub sections: Vec<ListSection>,
}

/// Rows of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListSection {
    /// Their heading.
    #[serde(default)]
    pub title: Option<String>,
    /// The rows.
    #[serde(default)]
    pub rows: Vec<ListRow>,
}

/// A row of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListRow {
    /// Its id, which the answer names.
    pub id: String,
    /// What stands on it.
    pub title: String,
    /// Small words below.
    #[serde(default)]
    pub description: Option<String>,
}

impl From<&List> for ListContent {
    fn from(list: &List) -> Self {
        let row = |row: &Row| ListRow {
            id: row.id.clone(),
            title: row.title.clone(),
            description: row.description.clone(),
        };
        let sections = list.sections.iter().map(|section| ListSection {
            title: section.title.clone(),
            rows: section.rows.iter().map(row).collect(),
        });
        Self {
            description: list.description.clone(),
            button: list.button.clone(),
            title: list.title.clone(),
            footer: list.footer.clone(),
            sections: sections.collect(),
        }
    }
}

impl From<ListContent> for List {
    fn from(content: ListContent) -> Self {
        let row = |row: ListRow| Row { id: row.id, title: row.title, description: row.description };
        let sections = content.sections.into_iter().map(|section| Section {
            title: section.title,
            rows: section.rows.into_iter().map(row).collect(),
        });
        Self {
            title: content.title,
            description: content.description,
            button: content.button,
            footer: content.footer,
            sections: sections.collect(),
            products: None,
        }
    }
}

/// A button of a legacy form.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlainButton {
    /// What stands on it.
    pub text: String,
    /// Its id, which the answer names.
    #[serde(default)]
    pub id: Option<String>,
    /// The address that it opens.
    #[serde(default)]
    pub url: Option<String>,
    /// The number that it calls.
    #[serde(default)]
    pub phone_number: Option<String>,
}

/// Legacy buttons.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ButtonsContent {
    /// The words.
    pub text: String,
    /// What stands above them.
    #[serde(default)]
    pub header: Option<InteractiveHeader>,
    /// Small words below them.
    #[serde(default)]
    pub footer: Option<String>,
    /// The buttons.
    #[serde(default)]
    pub buttons: Vec<PlainButton>,
}

impl ButtonsContent {
    pub(super) fn of(buttons: &Buttons, source: Source<'_>) -> Self {
        let media = InteractiveHeader::of_media(buttons.media.as_ref(), source);
        let header = InteractiveHeader { title: buttons.header.clone().or(media.title.clone()), ..media };
        let plain = |(id, text): &(String, String)| PlainButton {
            text: text.clone(),
            id: Some(id.clone()),
            ..PlainButton::default()
        };
        Self {
            text: buttons.text.clone(),
            header: (header != InteractiveHeader::default()).then_some(header),
            footer: buttons.footer.clone(),
            buttons: buttons.buttons.iter().map(plain).collect(),
        }
    }
}

/// A business's template.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TemplateContent {
    /// Its id.
    #[serde(default)]
    pub id: Option<String>,
    /// The words.
    pub text: String,
    /// What stands above them.
    #[serde(default)]
    pub header: Option<InteractiveHeader>,
    /// Small words below them.
    #[serde(default)]
    pub footer: Option<String>,
    /// The buttons.
    #[serde(default)]
    pub buttons: Vec<PlainButton>,
}

impl TemplateContent {
    pub(super) fn of(template: &Template, source: Source<'_>) -> Self {
        let media = InteractiveHeader::of_media(template.media.as_ref(), source);
        let header = InteractiveHeader { title: template.title.clone().or(media.title.clone()), ..media };
        Self {
            id: template.id.clone(),
            text: template.text.clone(),
            header: (header != InteractiveHeader::default()).then_some(header),
            footer: template.footer.clone(),
            buttons: template.buttons.iter().map(plain).collect(),
        }
    }
}

fn plain(button: &TemplateButton) -> PlainButton {
    match button {
        TemplateButton::Reply { text, id } => {
            PlainButton { text: text.clone(), id: Some(id.clone()), ..PlainButton::default() }
        }
        TemplateButton::Url { text, url } => {
            PlainButton { text: text.clone(), url: Some(url.clone()), ..PlainButton::default() }
        }
        TemplateButton::Call { text, phone_number } => PlainButton {
            text: text.clone(),
            phone_number: Some(phone_number.clone()),
            ..PlainButton::default()
        },
        _ => PlainButton::default(),
    }
}

/// What was chosen from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChoiceSource {
    /// Legacy buttons.
    #[default]
    Buttons,
    /// The buttons of a template.
    Template,
    /// A list.
    List,
    /// A native flow.
    NativeFlow,
    /// Something that this version does not know.
    Unknown,
}

/// An answer to buttons, a list or a native flow. What was chosen from is the message that it quotes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChoiceContent {
    /// What was chosen from.
    #[serde(default)]
    pub source: ChoiceSource,
    /// The id that the maker of the buttons gave to this one.
    #[serde(default)]
    pub id: Option<String>,
    /// What stood on it.
    #[serde(default)]
    pub text: Option<String>,
    /// Small words of a list's row.
    #[serde(default)]
    pub description: Option<String>,
    /// Which button of a template, counted from 0.
    #[serde(default)]
    pub index: Option<u32>,
    /// Name of a native flow, such as `quick_reply`.
    #[serde(default)]
    pub flow_name: Option<String>,
    /// What a native flow answered, JSON as text.
    #[serde(default)]
    pub params_json: Option<String>,
}

impl From<&Choice> for ChoiceContent {
    fn from(choice: &Choice) -> Self {
        let mut read = Self { id: choice.id.clone(), text: choice.text.clone(), ..Self::default() };
        match &choice.source {
            choice::ChoiceSource::Buttons => read.source = ChoiceSource::Buttons,
            choice::ChoiceSource::Template { index, .. } => {
                read.source = ChoiceSource::Template;
                read.index = *index;
            }
            choice::ChoiceSource::List { description } => {
                read.source = ChoiceSource::List;
                read.description.clone_from(description);
            }
            choice::ChoiceSource::NativeFlow { name, params_json, .. } => {
                read.source = ChoiceSource::NativeFlow;
                read.flow_name = Some(name.clone());
                read.params_json = Some(params_json.clone());
            }
            _ => read.source = ChoiceSource::Unknown,
        }
        read
    }
}

impl From<ChoiceContent> for Choice {
    fn from(content: ChoiceContent) -> Self {
        let source = match content.source {
            ChoiceSource::Buttons | ChoiceSource::Unknown => choice::ChoiceSource::Buttons,
            ChoiceSource::Template => choice::ChoiceSource::Template { index: content.index, card: None },
            ChoiceSource::List => choice::ChoiceSource::List { description: content.description },
            ChoiceSource::NativeFlow => choice::ChoiceSource::NativeFlow {
                name: content.flow_name.unwrap_or_default(),
                params_json: content.params_json.unwrap_or_default(),
                version: Some(3),
            },
        };
        Self { id: content.id, text: content.text, source }
    }
}
