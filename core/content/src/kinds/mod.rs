//! Every kind of content (messages document §9): one struct each, with how it is read from a message
//! and how it is put into one beside each other. The words are the document's.
//!
//! Numbers with names are in [`names`](crate::names); one without is `None`. Texts are what the sender
//! wrote, without any check.

pub mod call;
pub mod choice;
pub mod commerce;
pub mod event;
pub mod interactive;
pub mod invite;
pub mod media;
pub mod menu;
pub mod payment;
pub mod place;
pub mod poll;
pub mod special;
pub mod sticker;
pub mod text;

mod body;

use whimbrel_proto::e2e::Message;
use whimbrel_proto::e2e::message::{PlaceholderMessage, RequestPhoneNumberMessage, ScheduledCallEditMessage};

use crate::context::{Context, slot};
use crate::key::Key;
use call::{BroadcastCall, CallLog, ScheduledCall};
use choice::Choice;
use commerce::{Card, Catalog, Invoice, Order, Product};
use event::Event;
use interactive::Interactive;
use invite::{ChannelInvite, EventInvite, GroupInvite};
use media::{Audio, Document, Image, Video};
use menu::{Buttons, List, Template};
use payment::Payment;
use place::{Contact, Contacts, LiveLocation, Location};
use poll::{Poll, PollResult};
use special::{AiRich, GroupHistory, Music, QuestionResponse, Scheduled, StatusNotice};
use sticker::{Album, Sticker, StickerPack};
use text::Text;

/// What a message says.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Content {
    /// Words.
    Text(Text),
    /// A picture.
    Image(Image),
    /// A video.
    Video(Video),
    /// A silent video that plays in a loop.
    Gif(Video),
    /// A round video.
    VideoNote(Video),
    /// A sound.
    Audio(Audio),
    /// A voice note.
    Voice(Audio),
    /// A file of any kind.
    Document(Document),
    /// A sticker.
    Sticker(Sticker),
    /// A pack of stickers.
    StickerPack(StickerPack),
    /// The head of an album.
    Album(Album),
    /// Somebody's card.
    Contact(Contact),
    /// Several cards.
    Contacts(Contacts),
    /// A place.
    Location(Location),
    /// A moving place, at its first point.
    LiveLocation(LiveLocation),
    /// A personal invitation to a group.
    GroupInvite(GroupInvite),
    /// An invitation to administer a channel.
    ChannelAdminInvite(ChannelInvite),
    /// An invitation to follow a channel.
    ChannelFollowerInvite(ChannelInvite),
    /// An invitation to an event of another chat.
    EventInvite(EventInvite),
    /// Asks the other person for their phone number.
    RequestPhone,
    /// A poll or a quiz.
    Poll(Poll),
    /// A poll's result at one moment.
    PollResult(PollResult),
    /// An event.
    Event(Event),
    /// A product.
    Product(Product),
    /// A catalogue.
    Catalog(Catalog),
    /// An order, or a cart.
    Order(Order),
    /// A bill.
    Invoice(Invoice),
    /// A step of a payment.
    Payment(Payment),
    /// Words and buttons.
    Interactive(Interactive),
    /// A list to choose from.
    List(List),
    /// Legacy buttons; read only.
    Buttons(Buttons),
    /// A business's template; read only.
    Template(Template),
    /// An answer to buttons, a list or a native flow.
    Choice(Choice),
    /// A call that was.
    CallLog(CallLog),
    /// A key or a mark of a call; not for people.
    CallMarker,
    /// A call that is planned.
    ScheduledCall(ScheduledCall),
    /// A planned call does not take place.
    ScheduledCallCancelled(Key),
    /// A call to many.
    BroadcastCall(BroadcastCall),
    /// Past messages for a new member.
    GroupHistory(GroupHistory),
    /// Tells the group that a new member got past messages.
    GroupHistoryNotice(GroupHistory),
    /// A rich answer of the AI; read only.
    AiRich(AiRich),
    /// A piece of music.
    Music(Music),
    /// Something happened to a status.
    StatusNotice(StatusNotice),
    /// A follower's answer to the question of a channel.
    QuestionResponse(QuestionResponse),
    /// A message that will be readable later.
    Scheduled(Scheduled),
    /// Content that is shown on the phone only.
    Placeholder,
    /// Content of a kind that this version does not know; the raw form has it.
    Unsupported,
}

impl Content {
    /// Reads unwrapped content, the first kind in the order of the fields' numbers, and takes it out
    /// of the message.
    pub(crate) fn take(content: &mut Message) -> Self {
        if let Some(text) = content.conversation.take() {
            return Self::Text(Text::new(text));
        }
        if let Some(it) = content.image_message.take() {
            return Self::Image(Image::read(*it));
        }
        if let Some(it) = content.contact_message.take() {
            return Self::Contact(Contact::read(*it));
        }
        if let Some(it) = content.location_message.take() {
            return Self::Location(Location::read(*it));
        }
        if let Some(it) = content.extended_text_message.take() {
            return Self::Text(Text::read(*it));
        }
        if let Some(it) = content.document_message.take() {
            return Self::Document(Document::read(*it));
        }
        if let Some(it) = content.audio_message.take() {
            let voice = it.ptt();
            let audio = Audio::read(*it);
            return if voice { Self::Voice(audio) } else { Self::Audio(audio) };
        }
        if let Some(it) = content.video_message.take() {
            let gif = it.gif_playback();
            let video = Video::read(*it);
            return if gif { Self::Gif(video) } else { Self::Video(video) };
        }
        if content.call.take().is_some() {
            return Self::CallMarker;
        }
        if let Some(it) = content.contacts_array_message.take() {
            return Self::Contacts(Contacts::read(*it));
        }
        if let Some(it) = content.highly_structured_message.take() {
            return Self::Template(Template::read_structured(*it));
        }
        if let Some(payment) = Payment::take(content) {
            return Self::Payment(payment);
        }
        if let Some(it) = content.live_location_message.take() {
            return Self::LiveLocation(LiveLocation::read(*it));
        }
        if let Some(it) = content.template_message.take() {
            return Self::Template(Template::read(*it));
        }
        if let Some(it) = content.sticker_message.take() {
            return Self::Sticker(Sticker::read(*it));
        }
        if let Some(it) = content.group_invite_message.take() {
            return Self::GroupInvite(GroupInvite::read(*it));
        }
        if let Some(choice) = Choice::take(content) {
            return Self::Choice(choice);
        }
        if let Some(it) = content.product_message.take() {
            return match commerce::read(*it) {
                Card::Product(product) => Self::Product(product),
                Card::Catalog(catalog) => Self::Catalog(catalog),
            };
        }
        if let Some(it) = content.list_message.take() {
            return Self::List(List::read(*it));
        }
        if let Some(it) = content.order_message.take() {
            return Self::Order(Order::read(*it));
        }
        if let Some(it) = content.invoice_message.take() {
            return Self::Invoice(Invoice::read(*it));
        }
        if let Some(it) = content.buttons_message.take() {
            return Self::Buttons(Buttons::read(*it));
        }
        if let Some(it) = content.interactive_message.take() {
            return Self::Interactive(Interactive::read(*it));
        }
        if let Some(poll) = Poll::take(content) {
            return Self::Poll(poll);
        }
        Self::take_later(content)
    }

    /// The kinds with the higher field numbers.
    fn take_later(content: &mut Message) -> Self {
        if content.request_phone_number_message.take().is_some() {
            return Self::RequestPhone;
        }
        if let Some(it) = content.scheduled_call_creation_message.take() {
            return Self::ScheduledCall(ScheduledCall::read(*it));
        }
        if let Some(it) = content.scheduled_call_edit_message.take() {
            return Self::ScheduledCallCancelled(Key::read(it.key));
        }
        if let Some(it) = content.ptv_message.take() {
            return Self::VideoNote(Video::read(*it));
        }
        if let Some(it) = content.call_log_messsage.take() {
            return Self::CallLog(CallLog::read(*it));
        }
        if let Some(it) = content.message_history_bundle.take() {
            return Self::GroupHistory(GroupHistory::read(*it));
        }
        if let Some(it) = content.bcall_message.take() {
            return Self::BroadcastCall(BroadcastCall::read(*it));
        }
        if let Some(it) = content.event_message.take() {
            return Self::Event(Event::read(*it));
        }
        if let Some(it) = content.newsletter_admin_invite_message.take() {
            return Self::ChannelAdminInvite(ChannelInvite::read_admin(*it));
        }
        if content.placeholder_message.take().is_some() {
            return Self::Placeholder;
        }
        if let Some(it) = content.album_message.take() {
            return Self::Album(Album::read(&it));
        }
        if let Some(it) = content.sticker_pack_message.take() {
            return Self::StickerPack(StickerPack::read(*it));
        }
        let result = content.poll_result_snapshot_message.take();
        let result = result.or_else(|| content.poll_result_snapshot_message_v3.take());
        if let Some(it) = result.or_else(|| content.poll_result_snapshot_message_v3_old.take()) {
            return Self::PollResult(PollResult::read(*it));
        }
        if let Some(it) = content.rich_response_message.take() {
            return Self::AiRich(AiRich::read(*it));
        }
        if let Some(it) = content.status_notification_message.take() {
            return Self::StatusNotice(StatusNotice::read_notification(*it));
        }
        if let Some(it) = content.message_history_notice.take() {
            return Self::GroupHistoryNotice(GroupHistory::read_notice(*it));
        }
        if let Some(it) = content.status_question_answer_message.take() {
            return Self::StatusNotice(StatusNotice::read_answer(*it));
        }
        if let Some(it) = content.question_response_message.take() {
            return Self::QuestionResponse(QuestionResponse::read(*it));
        }
        if let Some(it) = content.status_quoted_message.take() {
            return Self::StatusNotice(StatusNotice::read_quoted(*it));
        }
        if let Some(it) = content.status_sticker_interaction_message.take() {
            return Self::StatusNotice(StatusNotice::read_sticker(*it));
        }
        if let Some(it) = content.newsletter_follower_invite_message_v2.take() {
            return Self::ChannelFollowerInvite(ChannelInvite::read_follower(*it));
        }
        if let Some(it) = content.conditional_reveal_message.take() {
            return Self::Scheduled(Scheduled::read(*it));
        }
        if let Some(it) = content.event_invite_message.take() {
            return Self::EventInvite(EventInvite::read(*it));
        }
        if let Some(it) = content.music_message.take() {
            return Self::Music(Music::read(*it));
        }
        Self::Unsupported
    }

    /// Its kind, in the document's word.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Image(_) => "image",
            Self::Video(_) => "video",
            Self::Gif(_) => "gif",
            Self::VideoNote(_) => "video_note",
            Self::Audio(_) => "audio",
            Self::Voice(_) => "voice",
            Self::Document(_) => "document",
            Self::Sticker(_) => "sticker",
            Self::StickerPack(_) => "sticker_pack",
            Self::Album(_) => "album",
            Self::Contact(_) => "contact",
            Self::Contacts(_) => "contacts",
            Self::Location(_) => "location",
            Self::LiveLocation(_) => "live_location",
            Self::GroupInvite(_) => "group_invite",
            Self::ChannelAdminInvite(_) => "channel_admin_invite",
            Self::ChannelFollowerInvite(_) => "channel_follower_invite",
            Self::EventInvite(_) => "event_invite",
            Self::RequestPhone => "request_phone",
            Self::Poll(_) => "poll",
            Self::PollResult(_) => "poll_result",
            Self::Event(_) => "event",
            Self::Product(_) => "product",
            Self::Catalog(_) => "catalog",
            Self::Order(_) => "order",
            Self::Invoice(_) => "invoice",
            Self::Payment(_) => "payment",
            Self::Interactive(_) => "interactive",
            Self::List(_) => "list",
            Self::Buttons(_) => "buttons",
            Self::Template(_) => "template",
            Self::Choice(_) => "choice",
            Self::CallLog(_) => "call_log",
            Self::CallMarker => "call_marker",
            Self::ScheduledCall(_) => "scheduled_call",
            Self::ScheduledCallCancelled(_) => "scheduled_call_cancel",
            Self::BroadcastCall(_) => "broadcast_call",
            Self::GroupHistory(_) => "group_history",
            Self::GroupHistoryNotice(_) => "group_history_notice",
            Self::AiRich(_) => "ai_rich",
            Self::Music(_) => "music",
            Self::StatusNotice(_) => "status_notice",
            Self::QuestionResponse(_) => "question_response",
            Self::Scheduled(_) => "scheduled",
            Self::Placeholder => "placeholder",
            Self::Unsupported => "unsupported",
        }
    }

    /// The message with this content and this context, without an envelope.
    ///
    /// # Errors
    /// [`ReadOnly`] for kinds that are only read.
    pub fn to_message(self, context: &Context) -> Result<Message, ReadOnly> {
        let mut message = Message::default();
        let context = context.write();
        self.put(&mut message, context.is_none())?;
        if let Some(slot) = slot::slot(&mut message) {
            *slot = context;
        }
        Ok(message)
    }

    fn put(self, content: &mut Message, plain: bool) -> Result<(), ReadOnly> {
        match self {
            Self::Text(it) => it.put(content, plain),
            Self::Image(it) => content.image_message = Some(Box::new(it.write())),
            Self::Video(it) => content.video_message = Some(Box::new(it.write(false))),
            Self::Gif(it) => content.video_message = Some(Box::new(it.write(true))),
            Self::Audio(it) => content.audio_message = Some(Box::new(it.write(false))),
            Self::Voice(it) => content.audio_message = Some(Box::new(it.write(true))),
            Self::Payment(it) => it.put(content),
            Self::Product(it) => content.product_message = Some(Box::new(it.write())),
            Self::Catalog(it) => content.product_message = Some(Box::new(it.write())),
            Self::Choice(it) => it.put(content),
            Self::Poll(it) => it.put(content),
            Self::PollResult(it) => content.poll_result_snapshot_message = Some(Box::new(it.write())),
            Self::RequestPhone => {
                content.request_phone_number_message = Some(Box::<RequestPhoneNumberMessage>::default());
            }
            Self::ScheduledCallCancelled(key) => {
                let edit = ScheduledCallEditMessage { key: Some(key.write()), edit_type: Some(1) };
                content.scheduled_call_edit_message = Some(Box::new(edit));
            }
            Self::Placeholder => {
                content.placeholder_message = Some(Box::new(PlaceholderMessage { r#type: Some(0) }));
            }
            Self::StatusNotice(it) => it.put(content),
            Self::Contact(it) => content.contact_message = Some(Box::new(it.write())),
            Self::Location(it) => content.location_message = Some(Box::new(it.write())),
            Self::Document(it) => content.document_message = Some(Box::new(it.write())),
            Self::Contacts(it) => content.contacts_array_message = Some(Box::new(it.write())),
            Self::LiveLocation(it) => content.live_location_message = Some(Box::new(it.write())),
            Self::Sticker(it) => content.sticker_message = Some(Box::new(it.write())),
            Self::GroupInvite(it) => content.group_invite_message = Some(Box::new(it.write())),
            Self::List(it) => content.list_message = Some(Box::new(it.write())),
            Self::Order(it) => content.order_message = Some(Box::new(it.write())),
            Self::Invoice(it) => content.invoice_message = Some(Box::new(it.write())),
            Self::Interactive(it) => content.interactive_message = Some(Box::new(it.write())),
            Self::ScheduledCall(it) => content.scheduled_call_creation_message = Some(Box::new(it.write())),
            Self::VideoNote(it) => content.ptv_message = Some(Box::new(it.write(false))),
            Self::CallLog(it) => content.call_log_messsage = Some(Box::new(it.write())),
            Self::GroupHistory(it) => content.message_history_bundle = Some(Box::new(it.write())),
            Self::BroadcastCall(it) => content.bcall_message = Some(Box::new(it.write())),
            Self::Event(it) => content.event_message = Some(Box::new(it.write())),
            Self::ChannelAdminInvite(it) => {
                content.newsletter_admin_invite_message = Some(Box::new(it.write_admin()))
            }
            Self::Album(it) => content.album_message = Some(Box::new(it.write())),
            Self::StickerPack(it) => content.sticker_pack_message = Some(Box::new(it.write())),
            Self::GroupHistoryNotice(it) => {
                content.message_history_notice = Some(Box::new(it.write_notice()))
            }
            Self::QuestionResponse(it) => content.question_response_message = Some(Box::new(it.write())),
            Self::ChannelFollowerInvite(it) => {
                content.newsletter_follower_invite_message_v2 = Some(Box::new(it.write_follower()))
            }
            Self::Scheduled(it) => content.conditional_reveal_message = Some(Box::new(it.write())),
            Self::EventInvite(it) => content.event_invite_message = Some(Box::new(it.write())),
            Self::Music(it) => content.music_message = Some(Box::new(it.write())),
            Self::Template(_) | Self::Buttons(_) | Self::AiRich(_) | Self::CallMarker | Self::Unsupported => {
                return Err(ReadOnly);
            }
        }
        Ok(())
    }
}

/// Content of this kind is only read, never written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("content of this kind is only read")]
pub struct ReadOnly;
