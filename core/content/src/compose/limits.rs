//! What is refused before it is sent (messages document §21.1, §21.4): receivers would not show it,
//! or the service would not take it. Lengths are in characters unless said otherwise.

use unicode_segmentation::UnicodeSegmentation;

use super::Draft;
use crate::addons::PIN_DURATIONS;
use crate::kinds::Content;
use crate::kinds::event::Event;
use crate::kinds::interactive::{Action, Interactive};
use crate::kinds::poll::Poll;

/// Longest text.
pub const TEXT: usize = 65_536;
/// Longest question of a poll.
pub const POLL_NAME: usize = 255;
/// Longest option of a poll.
pub const POLL_OPTION: usize = 100;
/// Fewest and most options of a poll.
pub const POLL_OPTIONS: [usize; 2] = [2, 12];
/// Longest name of an event.
pub const EVENT_NAME: usize = 100;
/// Longest description of an event.
pub const EVENT_DESCRIPTION: usize = 2048;
/// Most buttons of the kind `quick_reply`.
pub const QUICK_REPLIES: usize = 3;
/// Most cards of a carousel.
pub const CARDS: usize = 10;
/// Most contacts of one message.
pub const CONTACTS: usize = 257;
/// Octets of a voice note's waveform; each is from 0 to 100.
pub const WAVEFORM: usize = 64;
/// Longest answer of a native flow, in octets.
pub const FLOW_ANSWER: usize = 262_144;
/// Longest label of a member.
pub const MEMBER_LABEL: usize = 30;
/// Timers that chats may have, in seconds; 0: none.
pub const CHAT_TIMERS: [u32; 4] = [0, 86_400, 604_800, 7_776_000];

/// Why something is not sent. Nothing has happened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// There are no words.
    #[error("the text is empty")]
    EmptyText,
    /// Something is longer than it may be.
    #[error("{what} is longer than {limit}")]
    TooLong {
        /// What, in a word of the interface.
        what: &'static str,
        /// How long it may be.
        limit: usize,
    },
    /// Something is missing.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// There are too few or too many of something.
    #[error("there may be {fewest} to {most} {what}")]
    Count {
        /// Of what.
        what: &'static str,
        /// How many there are at least.
        fewest: usize,
        /// How many there are at most.
        most: usize,
    },
    /// An option of a poll stands there twice.
    #[error("two options of the poll are the same")]
    SameOption,
    /// The right answer of a quiz is none of its options.
    #[error("the right answer is none of the options")]
    NoSuchAnswer,
    /// An event ends before it begins.
    #[error("the event ends before it begins")]
    EndsBeforeStart,
    /// Content of this kind has no caption.
    #[error("content of this kind has no caption")]
    NoCaption,
    /// Content of this kind cannot be seen once.
    #[error("content of this kind cannot be sent to be seen once")]
    NotViewOnce,
    /// Content of this kind is not posted as a status.
    #[error("content of this kind is not posted as a status")]
    NotForStatus,
    /// A place is not on the earth.
    #[error("the coordinates are not on the earth")]
    Coordinates,
    /// A waveform is not 64 values from 0 to 100.
    #[error("a waveform is 64 values from 0 to 100")]
    Waveform,
    /// A reaction is one emoji.
    #[error("a reaction is one emoji")]
    NotOneEmoji,
    /// A pin has one of three durations.
    #[error("a pin lasts a day, a week or thirty days")]
    PinDuration,
    /// A chat's timer has one of four values.
    #[error("a chat has no such timer")]
    ChatTimer,
    /// An administrator's revoke has no meaning in a direct chat.
    #[error("only one's own messages are taken back in a direct chat")]
    RevokeInDirectChat,
    /// Only what one wrote oneself is edited.
    #[error("only own messages are edited")]
    NotOwn,
    /// The time for edits is over.
    #[error("the time for edits is over")]
    TooLate,
    /// Only texts and captions are edited.
    #[error("only texts and captions are edited")]
    NotEditable,
    /// There is nothing in it to be quoted.
    #[error("a message of this kind is not quoted")]
    NotQuotable,
    /// It was meant for its receiver only.
    #[error("this message must not be forwarded")]
    NotForwardable,
    /// Companions do not send content of this kind.
    #[error("content of this kind is only read")]
    ReadOnly,
    /// Parameters of a button are not a JSON object.
    #[error("the parameters of a button are not a JSON object")]
    ButtonParameters,
    /// The poll does not have the option, or not so many may be selected.
    #[error("the poll does not allow this vote")]
    NotAnOption,
    /// The cipher's provider has failed.
    #[error("the cipher does not work")]
    Cipher,
}

fn within(what: &'static str, text: &str, limit: usize) -> Result<(), Refused> {
    if text.chars().nth(limit).is_some() { Err(Refused::TooLong { what, limit }) } else { Ok(()) }
}

fn some(what: &'static str, text: &str) -> Result<(), Refused> {
    if text.trim().is_empty() { Err(Refused::Missing(what)) } else { Ok(()) }
}

/// Words that may not be empty.
pub(crate) fn words(text: &str) -> Result<(), Refused> {
    if text.trim().is_empty() { Err(Refused::EmptyText) } else { within("text", text, TEXT) }
}

/// Whether it is one emoji.
///
/// # Errors
/// [`Refused::NotOneEmoji`].
pub fn emoji(emoji: &str) -> Result<(), Refused> {
    if emoji.graphemes(true).count() == 1 && !emoji.trim().is_empty() {
        Ok(())
    } else {
        Err(Refused::NotOneEmoji)
    }
}

pub(crate) fn pin(duration: u32) -> Result<(), Refused> {
    if PIN_DURATIONS.contains(&duration) { Ok(()) } else { Err(Refused::PinDuration) }
}

pub(crate) fn chat_timer(seconds: u32) -> Result<(), Refused> {
    if CHAT_TIMERS.contains(&seconds) { Ok(()) } else { Err(Refused::ChatTimer) }
}

pub(crate) fn label(label: &str) -> Result<(), Refused> {
    within("label", label, MEMBER_LABEL)
}

pub(crate) fn poll(poll: &Poll) -> Result<(), Refused> {
    some("name", &poll.name)?;
    within("name", &poll.name, POLL_NAME)?;
    let [fewest, most] = POLL_OPTIONS;
    if !(fewest..=most).contains(&poll.options.len()) {
        return Err(Refused::Count { what: "options", fewest, most });
    }
    for (at, option) in poll.options.iter().enumerate() {
        some("option", option)?;
        within("option", option, POLL_OPTION)?;
        if poll.options.iter().take(at).any(|earlier| earlier == option) {
            return Err(Refused::SameOption);
        }
    }
    if usize::try_from(poll.selectable).is_ok_and(|selectable| selectable > poll.options.len()) {
        return Err(Refused::Count { what: "selectable options", fewest: 0, most: poll.options.len() });
    }
    match &poll.correct {
        Some(correct) if !poll.options.contains(correct) => Err(Refused::NoSuchAnswer),
        None if poll.is_quiz => Err(Refused::Missing("correct")),
        Some(_) if !poll.is_quiz => Err(Refused::NoSuchAnswer),
        _ => Ok(()),
    }
}

pub(crate) fn event(event: &Event) -> Result<(), Refused> {
    some("name", &event.name)?;
    within("name", &event.name, EVENT_NAME)?;
    within("description", event.description.as_deref().unwrap_or_default(), EVENT_DESCRIPTION)?;
    let starts_at = event.starts_at.ok_or(Refused::Missing("starts_at"))?;
    if event.ends_at.is_some_and(|ends_at| ends_at < starts_at) {
        return Err(Refused::EndsBeforeStart);
    }
    Ok(())
}

fn interactive(message: &Interactive) -> Result<(), Refused> {
    match &message.action {
        Some(Action::NativeFlow(flow)) => {
            if flow.buttons.is_empty() {
                return Err(Refused::Missing("buttons"));
            }
            let replies = flow.buttons.iter().filter(|button| button.name == "quick_reply").count();
            if replies > QUICK_REPLIES {
                return Err(Refused::Count { what: "quick replies", fewest: 0, most: QUICK_REPLIES });
            }
            let is_object = |json: &str| {
                serde_json::from_str::<serde_json::Value>(json).is_ok_and(|params| params.is_object())
            };
            if flow.buttons.iter().any(|button| !is_object(&button.params_json)) {
                return Err(Refused::ButtonParameters);
            }
            Ok(())
        }
        Some(Action::Carousel { cards, .. }) => {
            if cards.is_empty() || cards.len() > CARDS {
                return Err(Refused::Count { what: "cards", fewest: 1, most: CARDS });
            }
            cards.iter().try_for_each(interactive)
        }
        Some(_) => Ok(()),
        None => Err(Refused::Missing("action")),
    }
}

fn choice(choice: &crate::kinds::choice::Choice) -> Result<(), Refused> {
    use crate::kinds::choice::ChoiceSource;

    match &choice.source {
        ChoiceSource::NativeFlow { name, params_json, .. } => {
            some("name", name)?;
            if params_json.len() > FLOW_ANSWER {
                return Err(Refused::TooLong { what: "params_json", limit: FLOW_ANSWER });
            }
            Ok(())
        }
        _ => some("id", choice.id.as_deref().unwrap_or_default()),
    }
}

fn coordinates(point: crate::kinds::place::Point) -> Result<(), Refused> {
    let on_earth = (-90.0..=90.0).contains(&point.latitude) && (-180.0..=180.0).contains(&point.longitude);
    if on_earth { Ok(()) } else { Err(Refused::Coordinates) }
}

/// Whether it is for phones, businesses or the service to send. Its form is known nevertheless, for
/// whoever plays their part.
const fn is_read_only(content: &Content) -> bool {
    matches!(
        content,
        Content::Buttons(_)
            | Content::Template(_)
            | Content::AiRich(_)
            | Content::CallLog(_)
            | Content::CallMarker
            | Content::ScheduledCall(_)
            | Content::ScheduledCallCancelled(_)
            | Content::BroadcastCall(_)
            | Content::GroupHistory(_)
            | Content::GroupHistoryNotice(_)
            | Content::EventInvite(_)
            | Content::Invoice(_)
            | Content::Payment(_)
            | Content::Music(_)
            | Content::StatusNotice(_)
            | Content::Scheduled(_)
            | Content::Placeholder
            | Content::Unsupported
    )
}

/// Checks what is to be sent.
pub(crate) fn check(draft: &Draft) -> Result<(), Refused> {
    let caption = |caption: &Option<String>| within("caption", caption.as_deref().unwrap_or_default(), TEXT);
    if is_read_only(&draft.content) {
        return Err(Refused::ReadOnly);
    }
    let mut can_be_seen_once = false;
    let mut can_be_status = false;
    match &draft.content {
        Content::Text(text) => {
            can_be_status = true;
            words(&text.text)?;
        }
        Content::Image(image) => {
            (can_be_seen_once, can_be_status) = (true, true);
            caption(&image.caption)?;
        }
        Content::Video(video) | Content::Gif(video) => {
            (can_be_seen_once, can_be_status) = (true, true);
            caption(&video.caption)?;
        }
        Content::VideoNote(video) => {
            can_be_seen_once = true;
            if video.caption.is_some() {
                return Err(Refused::NoCaption);
            }
        }
        Content::Audio(audio) | Content::Voice(audio) => {
            (can_be_seen_once, can_be_status) = (true, true);
            let valid = |wave: &Vec<u8>| wave.len() == WAVEFORM && wave.iter().all(|value| *value <= 100);
            if audio.waveform.as_ref().is_some_and(|wave| !valid(wave)) {
                return Err(Refused::Waveform);
            }
        }
        Content::Document(document) => caption(&document.caption)?,
        Content::StickerPack(pack) => {
            some("id", &pack.id)?;
            some("name", &pack.name)?;
        }
        Content::Contact(contact) => some("vcard", &contact.vcard)?,
        Content::Contacts(contacts) => {
            let count = contacts.contacts.len();
            if count == 0 || count > CONTACTS {
                return Err(Refused::Count { what: "contacts", fewest: 1, most: CONTACTS });
            }
        }
        Content::Location(place) => coordinates(place.point)?,
        Content::LiveLocation(place) => coordinates(place.point)?,
        Content::GroupInvite(invite) => {
            some("code", invite.code.expose())?;
            invite.group.as_ref().ok_or(Refused::Missing("group"))?;
        }
        Content::ChannelAdminInvite(invite) | Content::ChannelFollowerInvite(invite) => {
            invite.channel.as_ref().ok_or(Refused::Missing("channel"))?;
        }
        Content::Poll(it) => poll(it)?,
        Content::Event(it) => event(it)?,
        Content::Product(product) => {
            some("id", &product.id)?;
            product.business.as_ref().ok_or(Refused::Missing("business"))?;
        }
        Content::Order(order) => {
            some("id", &order.id)?;
            some("token", order.token.expose())?;
        }
        Content::Interactive(it) => interactive(it)?,
        Content::List(list) => {
            some("description", &list.description)?;
            some("button", &list.button)?;
            if list.sections.iter().all(|section| section.rows.is_empty()) && list.products.is_none() {
                return Err(Refused::Missing("rows"));
            }
        }
        Content::Choice(it) => choice(it)?,
        Content::Album(album) if album.images.saturating_add(album.videos) < 2 => {
            return Err(Refused::Missing("items"));
        }
        _ => {}
    }
    if draft.view_once && (!can_be_seen_once || draft.is_status) {
        return Err(Refused::NotViewOnce);
    }
    if draft.is_status && !can_be_status {
        return Err(Refused::NotForStatus);
    }
    Ok(())
}
