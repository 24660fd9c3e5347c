//! Reactions, pins, keeping, and answers to events (messages document §7.1, §7.5, §7.6).

use whimbrel_proto::e2e::KeepType;
use whimbrel_proto::e2e::message::event_response_message::EventResponseType;
use whimbrel_proto::e2e::message::pin_in_chat_message::Type as PinType;
use whimbrel_proto::e2e::message::{
    EventResponseMessage, KeepInChatMessage, PinInChatMessage, ReactionMessage,
};

use crate::key::Key;

/// A reaction. The newest of one person to one message holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Reaction {
    /// The message.
    pub target: Key,
    /// The emoji; `None`: the reaction is removed.
    pub emoji: Option<String>,
    /// What it is counted with, where it is given.
    pub grouping: Option<String>,
    /// The sender's time, in milliseconds since 1970.
    pub sent_at_ms: Option<i64>,
}

impl Reaction {
    pub(crate) fn read(reaction: ReactionMessage) -> Self {
        Self {
            target: Key::read(reaction.key),
            emoji: reaction.text.filter(|emoji| !emoji.is_empty()),
            grouping: reaction.grouping_key,
            sent_at_ms: reaction.sender_timestamp_ms,
        }
    }

    pub(crate) fn write(&self) -> ReactionMessage {
        ReactionMessage { key: Some(self.target.write()), ..self.write_without_key() }
    }

    /// What an envelope has in it: the target stands beside.
    pub(crate) fn write_without_key(&self) -> ReactionMessage {
        ReactionMessage {
            key: None,
            // Empty words remove a reaction; absent ones would be no reaction at all.
            text: Some(self.emoji.clone().unwrap_or_default()),
            grouping_key: self.grouping.clone(),
            sender_timestamp_ms: self.sent_at_ms,
        }
    }
}

/// How long a message may be pinned, in seconds: a day, a week, thirty days.
pub const PIN_DURATIONS: [u32; 3] = [86_400, 604_800, 2_592_000];

/// A message is pinned or unpinned, for everybody.
#[derive(Clone, Debug, PartialEq)]
pub struct Pin {
    /// The message.
    pub target: Key,
    /// It is pinned; otherwise it no longer is.
    pub pinned: bool,
    /// For how long, in seconds. Receivers ignore a pin without it.
    pub duration: Option<u32>,
    /// The sender's time, in milliseconds since 1970.
    pub sent_at_ms: Option<i64>,
}

impl Pin {
    pub(crate) fn read(pin: PinInChatMessage, duration: Option<u32>) -> Self {
        Self {
            target: Key::read(pin.key),
            pinned: pin.r#type == Some(PinType::PinForAll as i32),
            duration,
            sent_at_ms: pin.sender_timestamp_ms,
        }
    }

    pub(crate) fn write(&self) -> PinInChatMessage {
        let kind = if self.pinned { PinType::PinForAll } else { PinType::UnpinForAll };
        PinInChatMessage {
            key: Some(self.target.write()),
            r#type: Some(kind as i32),
            sender_timestamp_ms: self.sent_at_ms,
        }
    }
}

/// A disappearing message is kept for everybody, or no longer.
#[derive(Clone, Debug, PartialEq)]
pub struct Keep {
    /// The message.
    pub target: Key,
    /// It is kept; otherwise it no longer is.
    pub kept: bool,
    /// The sender's time, in milliseconds since 1970.
    pub sent_at_ms: Option<i64>,
}

impl Keep {
    pub(crate) fn read(keep: KeepInChatMessage) -> Self {
        Self {
            target: Key::read(keep.key),
            kept: keep.keep_type == Some(KeepType::KeepForAll as i32),
            sent_at_ms: keep.timestamp_ms,
        }
    }

    pub(crate) fn write(&self) -> KeepInChatMessage {
        let kind = if self.kept { KeepType::KeepForAll } else { KeepType::UndoKeepForAll };
        KeepInChatMessage {
            key: Some(self.target.write()),
            keep_type: Some(kind as i32),
            timestamp_ms: self.sent_at_ms,
        }
    }
}

/// Whether somebody comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Going {
    /// Yes.
    Going,
    /// No.
    NotGoing,
    /// Perhaps.
    Maybe,
}

/// An answer to an event. The newest of one person holds.
#[derive(Clone, Debug, PartialEq)]
pub struct EventAnswer {
    /// The event's message.
    pub target: Key,
    /// Whether they come; `None` for an answer of an unknown kind.
    pub answer: Option<Going>,
    /// The sender's time, in milliseconds since 1970.
    pub sent_at_ms: Option<i64>,
    /// How many others they bring.
    pub extra_guests: Option<i32>,
}

impl EventAnswer {
    /// What somebody said of the event of a message.
    #[must_use]
    pub fn said(target: Key, answer: &EventResponseMessage) -> Self {
        Self::read(target, answer)
    }

    pub(crate) fn read(target: Key, answer: &EventResponseMessage) -> Self {
        let kind = answer.response.and_then(|number| EventResponseType::try_from(number).ok());
        Self {
            target,
            answer: match kind {
                Some(EventResponseType::Going) => Some(Going::Going),
                Some(EventResponseType::NotGoing) => Some(Going::NotGoing),
                Some(EventResponseType::Maybe) => Some(Going::Maybe),
                Some(EventResponseType::Unknown) | None => None,
            },
            sent_at_ms: answer.timestamp_ms,
            extra_guests: answer.extra_guest_count,
        }
    }

    pub(crate) fn write(&self) -> EventResponseMessage {
        let kind = match self.answer {
            Some(Going::Going) => EventResponseType::Going,
            Some(Going::NotGoing) => EventResponseType::NotGoing,
            Some(Going::Maybe) => EventResponseType::Maybe,
            None => EventResponseType::Unknown,
        };
        EventResponseMessage {
            response: Some(kind as i32),
            timestamp_ms: self.sent_at_ms,
            extra_guest_count: self.extra_guests,
        }
    }
}
