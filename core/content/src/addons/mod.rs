//! What changes or annotates another message (messages document §7). It never makes an entry in the
//! chat and never counts as unread.
//!
//! A target is as the sender names it; [`Key::resolve`](crate::key::Key::resolve) turns it, and
//! [`Actor`](crate::key::Actor) says who may do what. Envelopes are opened by
//! [`Sealed::open`] with the secret of the message they belong to.

mod comment;
mod edit;
mod mark;
mod sealed;
mod vote;

pub use comment::Comment;
pub use edit::{Edit, EditForm, EventEdit, PollEdit, PollOption, Revoke};
pub use mark::{EventAnswer, Going, Keep, PIN_DURATIONS, Pin, Reaction};
pub use sealed::{NotOpened, Parent, Sealed, SealedKind};
pub use vote::{OptionVotes, Tally, Vote};

use whimbrel_proto::e2e::message::protocol_message::Type;
use whimbrel_proto::e2e::{Message, MessageContextInfo};

use crate::key::Key;
use crate::stanza::protocol_type;

/// What changes or annotates another message.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Addon {
    /// A reaction, or its removal.
    Reaction(Reaction),
    /// New words for a text or a caption.
    Edit(Edit),
    /// A message is taken back.
    Revoke(Revoke),
    /// Somebody voted.
    Vote(Vote),
    /// A poll has new content.
    PollEdit(PollEdit),
    /// A poll has a new option.
    PollOption(PollOption),
    /// Somebody answered an event.
    EventAnswer(EventAnswer),
    /// An event has a new state.
    EventEdit(EventEdit),
    /// A message is pinned or unpinned.
    Pin(Pin),
    /// A disappearing message is kept, or no longer.
    Keep(Keep),
    /// Somebody commented on a post.
    Comment(Comment),
    /// An envelope that needs the secret of the message it belongs to.
    Sealed(Sealed),
}

impl Addon {
    /// The message that it is about, as its sender names it.
    #[must_use]
    pub const fn target(&self) -> &Key {
        match self {
            Self::Reaction(it) => &it.target,
            Self::Edit(it) => &it.target,
            Self::Revoke(it) => &it.target,
            Self::Vote(it) => &it.target,
            Self::PollEdit(it) => &it.target,
            Self::PollOption(it) => &it.target,
            Self::EventAnswer(it) => &it.target,
            Self::EventEdit(it) => &it.target,
            Self::Pin(it) => &it.target,
            Self::Keep(it) => &it.target,
            Self::Comment(it) => &it.target,
            Self::Sealed(it) => &it.target,
        }
    }

    /// The event family's word.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Reaction(_) => "reaction",
            Self::Edit(_) => "message_edited",
            Self::Revoke(_) => "message_revoked",
            Self::Vote(_) => "poll_vote",
            Self::PollEdit(_) => "poll_edited",
            Self::PollOption(_) => "poll_option_added",
            Self::EventAnswer(_) => "event_answer",
            Self::EventEdit(_) => "event_edited",
            Self::Pin(_) => "pinned",
            Self::Keep(_) => "kept",
            Self::Comment(_) => "comment",
            Self::Sealed(_) => "sealed",
        }
    }

    /// Reads unwrapped content, if it is an add-on, and takes it out of the message.
    pub(crate) fn take(content: &mut Message, info: &MessageContextInfo) -> Option<Self> {
        if let Some(reaction) = content.reaction_message.take() {
            return Some(Self::Reaction(Reaction::read(*reaction)));
        }
        if let Some(sealed) = Sealed::take(content) {
            return Some(Self::Sealed(sealed));
        }
        if let Some(keep) = content.keep_in_chat_message.take() {
            return Some(Self::Keep(Keep::read(*keep)));
        }
        if let Some(pin) = content.pin_in_chat_message.take() {
            return Some(Self::Pin(Pin::read(*pin, info.message_add_on_duration_in_secs)));
        }
        if let Some(comment) = content.comment_message.take() {
            return Some(Self::Comment(Comment::read(*comment)));
        }
        if let Some(wrapped) = content.edited_message.take() {
            return Edit::read_wrapped(wrapped.message.map(|inner| *inner)?).map(Self::Edit);
        }
        let control = content.protocol_message.as_deref().and_then(protocol_type);
        match control {
            Some(Type::Revoke) => {
                let protocol = content.protocol_message.take()?;
                Some(Self::Revoke(Revoke { target: Key::read(protocol.key) }))
            }
            Some(Type::MessageEdit) => {
                let protocol = content.protocol_message.take()?;
                Some(Self::Edit(Edit::read(*protocol, EditForm::Control)))
            }
            _ => None,
        }
    }
}
