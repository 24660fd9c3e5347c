//! Events about what changes or annotates messages, and about what is set in chats.

use schemars::JsonSchema;
use serde::Serialize;
use whimbrel::addons::{self, Family};
use whimbrel::content::addons::{Addon as What, EditForm as Form, Going};
use whimbrel::content::protocol::Protocol;
use whimbrel::events;

use super::{EventBody, Identity};
use crate::content::{Content, EventDetails, MessageContext, NamedMessage, Poll, Source};

/// A message that something is about. It is in the same chat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TargetMessage {
    /// Its id.
    pub message_id: String,
    /// Address of whoever wrote it, if anything tells.
    pub sender: Option<String>,
    /// This account wrote it.
    pub from_me: bool,
}

/// Whose act something is, and how it came.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Act {
    /// Id of the message that brought it.
    pub message_id: String,
    /// The chat.
    pub chat: Identity,
    /// Whose act it is.
    pub sender: Identity,
    /// Number of the sender's device; 0 is the phone.
    pub sender_device: u16,
    /// An act of this account, on another device of it.
    pub from_me: bool,
    /// The service's time, seconds since 1970.
    pub timestamp: i64,
    /// It waited at the service while this client was away.
    pub offline: bool,
    /// Id of the `undecryptable` event that this completes.
    pub completes: Option<String>,
    /// Size of the raw protobuf; a native call fetches it.
    pub raw_size: usize,
}

/// What an act is about, and whether it could be read.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ActOnMessage {
    /// Whose act it is.
    #[serde(flatten)]
    pub act: Act,
    /// The message that it is about.
    pub target: TargetMessage,
    /// It is in an envelope that nothing that is known opens: what it says is absent here. One whose message
    /// may still come, with the history or because it is asked for again, waits for it, and is told opened
    /// when it came. It is told sealed after 14 days, when more than 1,000 wait (that which waits longest),
    /// when the link ends, and at once when the message is known and does not open it.
    pub sealed: bool,
}

/// Emitted when somebody reacted to a message, or took a reaction back. The newest of one person to one
/// message holds.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Reaction {
    /// Whose act, on which message.
    #[serde(flatten)]
    pub on: ActOnMessage,
    /// The emoji; absent: the reaction is taken back.
    pub emoji: Option<String>,
    /// The sender's time, milliseconds since 1970.
    pub sent_at_ms: Option<i64>,
}

/// Which form an edit came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EditForm {
    /// A control message.
    Control,
    /// A control message in a wrapper.
    Wrapped,
    /// An envelope under the secret of the message.
    Sealed,
}

/// Emitted when the author of a message gave it new words. The newest edit holds; of pictures and the
/// like only the caption changes.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessageEdited {
    /// Whose act, on which message.
    #[serde(flatten)]
    pub on: ActOnMessage,
    /// The message's new content.
    pub content: Option<Content>,
    /// Its new words.
    pub text: Option<String>,
    /// What surrounds it now.
    pub context: Option<MessageContext>,
    /// Which form it came in.
    pub form: EditForm,
    /// The sender's time, milliseconds since 1970.
    pub sent_at_ms: Option<i64>,
}

/// Emitted when a message was taken back. It may come before the message itself. Delete what you kept
/// of it.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessageRevoked {
    /// Whose act, on which message.
    #[serde(flatten)]
    pub on: ActOnMessage,
    /// An administrator of the group did it; otherwise the message's author.
    pub by_admin: bool,
}

/// Emitted when somebody voted in a poll. It replaces what the same person voted before.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PollVote {
    /// Whose act, on which message.
    #[serde(flatten)]
    pub on: ActOnMessage,
    /// The options that were chosen, in their own words, as far as the poll has them. None and no unknown
    /// ones: the vote is taken back.
    pub options: Vec<String>,
    /// How many more were chosen that the poll, as it is known, does not have.
    pub unknown_options: usize,
    /// The sender's time, milliseconds since 1970.
    pub sent_at_ms: Option<i64>,
}

/// Emitted when a poll has new content.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PollEdited {
    /// Whose act, on which message.
    #[serde(flatten)]
    pub on: ActOnMessage,
    /// All of the poll as it is now.
    pub poll: Option<Poll>,
}

/// Emitted when a poll has a new option.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PollOptionAdded {
    /// Whose act, on which message.
    #[serde(flatten)]
    pub on: ActOnMessage,
    /// The option.
    pub option: Option<String>,
}

/// Whether somebody comes to an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, serde::Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EventResponse {
    /// Yes.
    Going,
    /// No.
    NotGoing,
    /// Perhaps.
    Maybe,
}

impl From<Going> for EventResponse {
    fn from(going: Going) -> Self {
        match going {
            Going::Going => Self::Going,
            Going::NotGoing => Self::NotGoing,
            Going::Maybe => Self::Maybe,
        }
    }
}

/// Emitted when somebody answered an event. The newest answer of one person holds.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventAnswer {
    /// Whose act, on which message.
    #[serde(flatten)]
    pub on: ActOnMessage,
    /// The answer; absent for one of an unknown kind.
    pub response: Option<EventResponse>,
    /// How many others come along.
    pub extra_guests: Option<i32>,
    /// The sender's time, milliseconds since 1970.
    pub sent_at_ms: Option<i64>,
}

/// Emitted when an event has a new state, such as another time, or was cancelled.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventEdited {
    /// Whose act, on which message.
    #[serde(flatten)]
    pub on: ActOnMessage,
    /// All of the event as it is now.
    pub event: Option<EventDetails>,
}

/// Emitted when a message was pinned for everybody in the chat, or unpinned.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessagePinned {
    /// Whose act, on which message.
    #[serde(flatten)]
    pub on: ActOnMessage,
    /// It is pinned; otherwise it no longer is.
    pub pinned: bool,
    /// For how long, in seconds.
    pub seconds: Option<u32>,
}

/// Emitted when a message of a chat with a timer is kept for everybody, or no longer.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessageKept {
    /// Whose act, on which message.
    #[serde(flatten)]
    pub on: ActOnMessage,
    /// It is kept; otherwise it no longer is.
    pub kept: bool,
}

/// Emitted when somebody commented on a post.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Comment {
    /// Whose act, on which message.
    #[serde(flatten)]
    pub on: ActOnMessage,
    /// What they say.
    pub content: Option<Content>,
    /// Its words.
    pub text: Option<String>,
}

/// Emitted when an envelope to a message came that this version does not open, such as a planned
/// message. The raw form has it.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SealedAddon {
    /// Whose act, on which message.
    #[serde(flatten)]
    pub on: ActOnMessage,
}

/// Emitted when somebody set the timer of a chat: messages disappear after that time. What is sent there
/// says it by itself.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChatTimerChanged {
    /// Whose act it is.
    #[serde(flatten)]
    pub act: Act,
    /// How long messages stay, in seconds; 0: for ever.
    pub seconds: u32,
    /// When it was set, seconds since 1970.
    pub set_at: Option<i64>,
}

/// Emitted when somebody said whether content of a chat may be shared.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChatPrivacyChanged {
    /// Whose act it is.
    #[serde(flatten)]
    pub act: Act,
    /// It may not.
    pub limited: bool,
}

/// Emitted when a member of a group has another label.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MemberLabelChanged {
    /// Whose act it is.
    #[serde(flatten)]
    pub act: Act,
    /// The label; absent: it is removed.
    pub label: Option<String>,
}

/// Emitted when a control message came that has no event of its own. The raw form has it.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ControlMessage {
    /// Whose act it is.
    #[serde(flatten)]
    pub act: Act,
    /// What it is, a stable lowercase word: `status_mention`, `bot_welcome`, `bot_feedback`,
    /// `stop_generation`, `reminder`, `thread_control`, `unschedule`, `unknown`.
    pub control: String,
    /// The message that it is about, as its sender names it.
    pub about: Option<NamedMessage>,
}

fn act_on(event: &addons::Addon) -> ActOnMessage {
    ActOnMessage {
        act: Act {
            message_id: event.message_id.clone(),
            chat: (&event.chat).into(),
            sender: (&event.sender).into(),
            sender_device: event.sender_device,
            from_me: event.from_me,
            timestamp: event.timestamp,
            offline: event.offline,
            completes: event.completes.clone(),
            raw_size: event.raw.len(),
        },
        target: TargetMessage {
            message_id: event.target.message_id.clone(),
            sender: event.target.author.as_ref().map(ToString::to_string),
            from_me: event.target.from_me,
        },
        sealed: matches!(event.what, What::Sealed(_)),
    }
}

/// What changes or annotates a message.
pub(super) fn addon(event: &addons::Addon) -> EventBody {
    let on = act_on(event);
    let source = Source::default();
    let what = &event.what;
    match event.family() {
        Family::Reaction => {
            let reaction = if let What::Reaction(it) = what { Some(it) } else { None };
            EventBody::Reaction(Box::new(Reaction {
                on,
                emoji: reaction.and_then(|it| it.emoji.clone()),
                sent_at_ms: reaction.and_then(|it| it.sent_at_ms),
            }))
        }
        Family::Edit => {
            let edit = if let What::Edit(it) = what { Some(it) } else { None };
            EventBody::MessageEdited(Box::new(MessageEdited {
                on,
                content: edit.map(|it| Content::of(&it.content, source)),
                text: edit.and_then(|it| it.content.body()),
                context: edit.map(|it| (&*it.context).into()),
                form: match edit.map(|it| it.form) {
                    Some(Form::Control) => EditForm::Control,
                    Some(Form::Wrapped) => EditForm::Wrapped,
                    Some(Form::Sealed) | None => EditForm::Sealed,
                },
                sent_at_ms: edit.and_then(|it| it.sent_at_ms),
            }))
        }
        Family::Revoke => {
            let by_admin = matches!(what, What::Revoke(it) if !it.target.from_me);
            EventBody::MessageRevoked(Box::new(MessageRevoked { on, by_admin }))
        }
        Family::Vote => {
            let vote = if let What::Vote(it) = what { Some(it) } else { None };
            let selected = vote.map_or(0, |it| it.selected.len());
            EventBody::PollVote(Box::new(PollVote {
                on,
                unknown_options: selected.saturating_sub(event.options.len()),
                options: event.options.clone(),
                sent_at_ms: vote.and_then(|it| it.sent_at_ms),
            }))
        }
        Family::PollEdit => {
            let poll = if let What::PollEdit(it) = what { Some((&it.poll).into()) } else { None };
            EventBody::PollEdited(Box::new(PollEdited { on, poll }))
        }
        Family::PollOption => {
            let option = if let What::PollOption(it) = what { Some(it.option.clone()) } else { None };
            EventBody::PollOptionAdded(Box::new(PollOptionAdded { on, option }))
        }
        Family::EventAnswer => {
            let answer = if let What::EventAnswer(it) = what { Some(it) } else { None };
            EventBody::EventAnswer(Box::new(EventAnswer {
                on,
                response: answer.and_then(|it| it.answer).map(Into::into),
                extra_guests: answer.and_then(|it| it.extra_guests),
                sent_at_ms: answer.and_then(|it| it.sent_at_ms),
            }))
        }
        Family::EventEdit => {
            let event = if let What::EventEdit(it) = what { Some((&it.event).into()) } else { None };
            EventBody::EventEdited(Box::new(EventEdited { on, event }))
        }
        Family::Pin => {
            let pin = if let What::Pin(it) = what { Some(it) } else { None };
            let (pinned, seconds) = (pin.is_some_and(|it| it.pinned), pin.and_then(|it| it.duration));
            EventBody::MessagePinned(Box::new(MessagePinned { on, pinned, seconds }))
        }
        Family::Keep => {
            let kept = matches!(what, What::Keep(it) if it.kept);
            EventBody::MessageKept(Box::new(MessageKept { on, kept }))
        }
        Family::Comment => {
            let comment = if let What::Comment(it) = what { Some(it) } else { None };
            EventBody::Comment(Box::new(Comment {
                on,
                content: comment.map(|it| Content::of(&it.content, source)),
                text: comment.and_then(|it| it.content.body()),
            }))
        }
        _ => EventBody::SealedAddon(Box::new(SealedAddon { on })),
    }
}

/// A control message.
pub(super) fn control(event: &events::Control) -> EventBody {
    let act = Act {
        message_id: event.message_id.clone(),
        chat: (&event.chat).into(),
        sender: (&event.sender).into(),
        sender_device: event.sender_device,
        from_me: event.from_me,
        timestamp: event.timestamp,
        offline: event.offline,
        completes: event.completes.clone(),
        raw_size: event.raw.len(),
    };
    let (word, about) = match &event.what {
        Protocol::ChatTimer { timer, .. } => {
            let changed = ChatTimerChanged { act, seconds: timer.seconds, set_at: timer.set_at };
            return EventBody::ChatTimerChanged(Box::new(changed));
        }
        Protocol::ChatPrivacy { limited, .. } => {
            return EventBody::ChatPrivacyChanged(Box::new(ChatPrivacyChanged { act, limited: *limited }));
        }
        Protocol::MemberLabel { label, .. } => {
            let changed = MemberLabelChanged { act, label: label.clone() };
            return EventBody::MemberLabelChanged(Box::new(changed));
        }
        Protocol::StatusMention { status } => ("status_mention", Some(status)),
        Protocol::BotWelcome => ("bot_welcome", None),
        Protocol::BotFeedback { target } => ("bot_feedback", Some(target)),
        Protocol::StopGeneration { target } => ("stop_generation", Some(target)),
        Protocol::Reminder { target } => ("reminder", Some(target)),
        Protocol::ThreadControl { .. } => ("thread_control", None),
        Protocol::Unschedule { target } => ("unschedule", Some(target)),
        _ => ("unknown", None),
    };
    let control = ControlMessage { act, control: word.to_owned(), about: about.map(Into::into) };
    EventBody::ControlMessage(Box::new(control))
}

/// The stable number of an add-on's kind.
pub(super) fn addon_number(event: &addons::Addon) -> u16 {
    match event.family() {
        Family::Reaction => 40,
        Family::Edit => 41,
        Family::Revoke => 42,
        Family::Vote => 43,
        Family::PollEdit => 44,
        Family::PollOption => 45,
        Family::EventAnswer => 46,
        Family::EventEdit => 47,
        Family::Pin => 48,
        Family::Keep => 49,
        Family::Comment => 50,
        _ => 51,
    }
}

/// The stable number of a control message's kind.
pub(super) const fn control_number(event: &events::Control) -> u16 {
    match &event.what {
        Protocol::ChatTimer { .. } => 52,
        Protocol::ChatPrivacy { .. } => 53,
        Protocol::MemberLabel { .. } => 54,
        _ => 55,
    }
}
