//! What messages say, as JSON: one struct per kind, and their union, told apart by `type`. What comes
//! in events has the same form as what is sent.

mod choices;
mod commerce;
mod context;
mod media;
mod people;
mod polls;
mod special;
mod text;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use whimbrel::content::Content as Kind;
use whimbrel::content::compose::Refused;
use whimbrel::content::key::Key;
use whimbrel::stickers::{NewStickerPack, StickerInfo};
use whimbrel::{Code, Error, Jid, parse_address};

pub use choices::{
    ButtonsContent, CarouselCard, CarouselContent, ChoiceContent, ChoiceSource, FlowButton,
    InteractiveContent, InteractiveHeader, ListContent, ListRow, ListSection, PlainButton, TemplateContent,
};
pub use commerce::{
    CatalogContent, InvoiceContent, Money, OrderContent, PaymentContent, PaymentStep, ProductContent,
};
pub use context::{Advertisement, ChatTimer, Forwarded, MessageAssociation, MessageContext, NamedMessage};
pub use media::{
    AlbumContent, AudioContent, DocumentContent, ImageContent, MediaFile, PackSticker, StickerContent,
    StickerPackContent, VideoContent,
};
pub use people::{
    ChannelInviteContent, ContactContent, ContactsContent, EventInviteContent, GroupInviteContent,
    LiveLocationContent, LocationContent, Place,
};
pub use polls::{EventDetails, Poll, PollResultContent, PollResultOption};
pub use special::{
    AiRichContent, BroadcastCallContent, CallLogContent, CallParticipant, CodeBlock, GroupHistoryContent,
    MusicContent, QuestionResponseContent, ScheduledCallCancelContent, ScheduledCallContent,
    ScheduledContent, StatusNoticeContent,
};
pub use text::{LinkPreview, TextContent, TextStyle};

/// What a message says: look at `type`. More kinds will be added; ignore what you do not know. Kinds
/// marked "only received" are refused with `NOT_SUPPORTED` when they are sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Content {
    /// Words, with or without a preview of a link.
    Text(TextContent),
    /// A picture.
    Image(ImageContent),
    /// A video.
    Video(VideoContent),
    /// A silent video that plays in a loop.
    Gif(VideoContent),
    /// A round video.
    VideoNote(VideoContent),
    /// A sound.
    Audio(AudioContent),
    /// A voice note.
    Voice(AudioContent),
    /// A file of any kind.
    Document(DocumentContent),
    /// A sticker.
    Sticker(StickerContent),
    /// A pack of stickers.
    StickerPack(StickerPackContent),
    /// The head of an album; its pictures are messages of their own.
    Album(AlbumContent),
    /// Somebody's card.
    Contact(ContactContent),
    /// Several cards.
    Contacts(ContactsContent),
    /// A place.
    Location(LocationContent),
    /// A moving place, at its first point. No linked device gets the ones that follow.
    LiveLocation(LiveLocationContent),
    /// A personal invitation to a group.
    GroupInvite(GroupInviteContent),
    /// An invitation to administer a channel.
    ChannelAdminInvite(ChannelInviteContent),
    /// An invitation to follow a channel.
    ChannelFollowerInvite(ChannelInviteContent),
    /// An invitation to an event of another chat. Only received.
    EventInvite(EventInviteContent),
    /// Asks the other person for their phone number.
    RequestPhone,
    /// A poll or a quiz.
    Poll(Poll),
    /// A poll's result at one moment.
    PollResult(PollResultContent),
    /// An event.
    Event(EventDetails),
    /// A product.
    Product(ProductContent),
    /// A catalogue.
    Catalog(CatalogContent),
    /// An order, or a cart.
    Order(OrderContent),
    /// A bill. Only received.
    Invoice(InvoiceContent),
    /// A step of a payment. Only received: a linked device cannot move money.
    Payment(PaymentContent),
    /// Words and buttons. Best effort: phones may not draw them, so that a fallback has to be chosen.
    Interactive(InteractiveContent),
    /// Cards to be leafed through. Best effort, as `interactive`.
    Carousel(CarouselContent),
    /// A list to choose from. Best effort, as `interactive`.
    List(ListContent),
    /// Legacy buttons. Only received.
    Buttons(ButtonsContent),
    /// A business's template. Only received.
    Template(TemplateContent),
    /// An answer to buttons, a list or a native flow.
    Choice(ChoiceContent),
    /// A call that was. Only received.
    CallLog(CallLogContent),
    /// A mark of a call, not for people. Only received.
    CallMarker,
    /// A call that is planned. Only received.
    ScheduledCall(ScheduledCallContent),
    /// A planned call does not take place. Only received.
    ScheduledCallCancel(ScheduledCallCancelContent),
    /// A call to many. Only received.
    BroadcastCall(BroadcastCallContent),
    /// Past messages for a new member. Only received.
    GroupHistory(GroupHistoryContent),
    /// Tells the group that a new member got past messages. Only received.
    GroupHistoryNotice(GroupHistoryContent),
    /// A rich answer of the AI. Only received.
    AiRich(AiRichContent),
    /// A piece of music. Only received.
    Music(MusicContent),
    /// Something happened to a status. Only received.
    StatusNotice(StatusNoticeContent),
    /// A follower's answer to the question of a channel. Only received: this version writes to no channels.
    QuestionResponse(QuestionResponseContent),
    /// A message that will be readable later. Only received.
    Scheduled(ScheduledContent),
    /// Content that is shown on the phone only. Only received.
    Placeholder,
    /// Content of a kind that this version does not know; the raw form has it. Only received.
    Unsupported,
}

/// The message that content is in, which its files remember: the phone can be asked for them by it.
#[derive(Clone, Copy, Default)]
pub(crate) struct Source<'a> {
    pub(crate) message: Option<&'a Key>,
}

/// An address in JSON.
pub(crate) fn address(jid: &Option<Jid>) -> Option<String> {
    jid.as_ref().map(ToString::to_string)
}

/// Reads an address that may be absent.
pub(crate) fn read_address(text: Option<&str>) -> Result<Option<Jid>, Error> {
    text.map(parse_address).transpose()
}

pub(crate) fn wrong(message: &'static str) -> Error {
    Error::new(Code::InvalidArgument, message)
}

fn only_received() -> Error {
    Error::new(Code::NotSupported, Refused::ReadOnly.to_string())
}

impl Content {
    /// What a message says. `source` is the message that it is in.
    pub(crate) fn of(content: &Kind, source: Source<'_>) -> Self {
        match content {
            Kind::Text(it) => Self::Text(TextContent::of(it, source)),
            Kind::Image(it) => Self::Image(ImageContent::of(it, source)),
            Kind::Video(it) => Self::Video(VideoContent::of(it, media::VIDEO, source)),
            Kind::Gif(it) => Self::Gif(VideoContent::of(it, media::GIF, source)),
            Kind::VideoNote(it) => Self::VideoNote(VideoContent::of(it, media::NOTE, source)),
            Kind::Audio(it) => Self::Audio(AudioContent::of(it, media::AUDIO, source)),
            Kind::Voice(it) => Self::Voice(AudioContent::of(it, media::VOICE, source)),
            Kind::Document(it) => Self::Document(DocumentContent::of(it, source)),
            Kind::Sticker(it) => Self::Sticker(StickerContent::of(it, source)),
            Kind::StickerPack(it) => Self::StickerPack(StickerPackContent::of(it, source)),
            Kind::Album(it) => Self::Album(AlbumContent { images: it.images, videos: it.videos }),
            Kind::Contact(it) => Self::Contact(it.into()),
            Kind::Contacts(it) => Self::Contacts(it.into()),
            Kind::Location(it) => Self::Location(it.into()),
            Kind::LiveLocation(it) => Self::LiveLocation(it.into()),
            Kind::GroupInvite(it) => Self::GroupInvite(it.into()),
            Kind::ChannelAdminInvite(it) => Self::ChannelAdminInvite(it.into()),
            Kind::ChannelFollowerInvite(it) => Self::ChannelFollowerInvite(it.into()),
            Kind::EventInvite(it) => Self::EventInvite(it.into()),
            Kind::RequestPhone => Self::RequestPhone,
            Kind::Poll(it) => Self::Poll(it.into()),
            Kind::PollResult(it) => Self::PollResult(it.into()),
            Kind::Event(it) => Self::Event(it.into()),
            Kind::Product(it) => Self::Product(ProductContent::of(it, source)),
            Kind::Catalog(it) => Self::Catalog(CatalogContent::of(it, source)),
            Kind::Order(it) => Self::Order(it.into()),
            Kind::Invoice(it) => Self::Invoice(InvoiceContent::of(it, source)),
            Kind::Payment(it) => Self::Payment(it.into()),
            Kind::Interactive(it) => match CarouselContent::of(it, source) {
                Some(carousel) => Self::Carousel(carousel),
                None => Self::Interactive(InteractiveContent::of(it, source)),
            },
            Kind::List(it) => Self::List(it.into()),
            Kind::Buttons(it) => Self::Buttons(ButtonsContent::of(it, source)),
            Kind::Template(it) => Self::Template(TemplateContent::of(it, source)),
            Kind::Choice(it) => Self::Choice(it.into()),
            Kind::CallLog(it) => Self::CallLog(it.into()),
            Kind::CallMarker => Self::CallMarker,
            Kind::ScheduledCall(it) => Self::ScheduledCall(it.into()),
            Kind::ScheduledCallCancelled(key) => {
                Self::ScheduledCallCancel(ScheduledCallCancelContent { call: key.into() })
            }
            Kind::BroadcastCall(it) => Self::BroadcastCall(it.into()),
            Kind::GroupHistory(it) => Self::GroupHistory(GroupHistoryContent::of(it, source)),
            Kind::GroupHistoryNotice(it) => Self::GroupHistoryNotice(GroupHistoryContent::of(it, source)),
            Kind::AiRich(it) => Self::AiRich(it.into()),
            Kind::Music(it) => Self::Music(it.into()),
            Kind::StatusNotice(it) => Self::StatusNotice(it.into()),
            Kind::QuestionResponse(it) => Self::QuestionResponse(it.into()),
            Kind::Scheduled(it) => Self::Scheduled(ScheduledContent { key_id: it.key_id.clone() }),
            Kind::Placeholder => Self::Placeholder,
            _ => Self::Unsupported,
        }
    }
}

impl Content {
    fn file(&self) -> Option<&MediaFile> {
        match self {
            Self::Image(it) => it.media.as_ref(),
            Self::Video(it) | Self::Gif(it) | Self::VideoNote(it) => it.media.as_ref(),
            Self::Audio(it) | Self::Voice(it) => it.media.as_ref(),
            Self::Document(it) => it.media.as_ref(),
            Self::Sticker(it) => it.media.as_ref(),
            Self::StickerPack(it) => it.media.as_ref(),
            _ => None,
        }
    }

    /// The pack of stickers that is to be made for it.
    pub(crate) fn pack_to_make(&self) -> Result<Option<NewStickerPack>, Error> {
        match self {
            Self::StickerPack(it) => it.to_make(),
            _ => Ok(None),
        }
    }

    /// What is to be written into the file of a sticker.
    pub(crate) fn sticker_info(&self) -> Option<StickerInfo> {
        match self {
            Self::Sticker(it) => it.info(),
            _ => None,
        }
    }

    /// The local file that is to be uploaded for it.
    pub(crate) fn path(&self) -> Option<&str> {
        self.file()?.path.as_deref()
    }

    /// The local picture that its small one is made from.
    pub(crate) fn thumbnail_path(&self) -> Option<&str> {
        self.file()?.thumbnail_path.as_deref()
    }
}

/// Puts a small picture into a message.
pub(crate) fn put_thumbnail(content: &mut Kind, jpeg: Vec<u8>) -> Result<(), Error> {
    let place = match content {
        Kind::Image(it) => &mut it.thumbnail,
        Kind::Video(it) | Kind::Gif(it) | Kind::VideoNote(it) => &mut it.thumbnail,
        Kind::Document(it) => &mut it.thumbnail,
        _ => return Err(wrong("content of this kind has no small picture")),
    };
    *place = Some(jpeg);
    Ok(())
}

impl TryFrom<Content> for Kind {
    type Error = Error;

    fn try_from(content: Content) -> Result<Self, Error> {
        Ok(match content {
            Content::Text(it) => Self::Text(it.into()),
            Content::Image(it) => Self::Image(it.try_into()?),
            Content::Video(it) => Self::Video(it.try_into()?),
            Content::Gif(it) => Self::Gif(it.try_into()?),
            Content::VideoNote(it) => Self::VideoNote(it.try_into()?),
            Content::Audio(it) => Self::Audio(it.try_into()?),
            Content::Voice(it) => Self::Voice(it.try_into()?),
            Content::Document(it) => Self::Document(it.try_into()?),
            Content::Sticker(it) => Self::Sticker(it.try_into()?),
            Content::StickerPack(it) => Self::StickerPack(it.try_into()?),
            Content::Album(it) => Self::Album(it.into()),
            Content::Contact(it) => Self::Contact(it.into()),
            Content::Contacts(it) => Self::Contacts(it.into()),
            Content::Location(it) => Self::Location(it.into()),
            Content::LiveLocation(it) => Self::LiveLocation(it.into()),
            Content::GroupInvite(it) => Self::GroupInvite(it.try_into()?),
            Content::ChannelAdminInvite(it) => Self::ChannelAdminInvite(it.try_into()?),
            Content::ChannelFollowerInvite(it) => Self::ChannelFollowerInvite(it.try_into()?),
            Content::RequestPhone => Self::RequestPhone,
            Content::Poll(it) => Self::Poll(it.into()),
            Content::PollResult(it) => Self::PollResult(it.into()),
            Content::Event(it) => Self::Event(it.into()),
            Content::Product(it) => Self::Product(it.try_into()?),
            Content::Catalog(it) => Self::Catalog(it.try_into()?),
            Content::Order(it) => Self::Order(it.try_into()?),
            Content::Interactive(it) => Self::Interactive(it.try_into()?),
            Content::Carousel(it) => Self::Interactive(it.try_into()?),
            Content::List(it) => Self::List(it.into()),
            Content::Choice(it) => Self::Choice(it.into()),
            Content::QuestionResponse(it) => Self::QuestionResponse(it.try_into()?),
            Content::Payment(_)
            | Content::Buttons(_)
            | Content::CallLog(_)
            | Content::EventInvite(_)
            | Content::Invoice(_)
            | Content::Music(_)
            | Content::ScheduledCall(_)
            | Content::ScheduledCallCancel(_)
            | Content::Template(_)
            | Content::CallMarker
            | Content::BroadcastCall(_)
            | Content::GroupHistory(_)
            | Content::GroupHistoryNotice(_)
            | Content::AiRich(_)
            | Content::StatusNotice(_)
            | Content::Scheduled(_)
            | Content::Placeholder
            | Content::Unsupported => return Err(only_received()),
        })
    }
}
