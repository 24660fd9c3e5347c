//! New content for messages, events and polls, and taking messages back (messages document §7.2 to
//! §7.5).

use whimbrel_proto::e2e::Message;
use whimbrel_proto::e2e::message::ProtocolMessage;

use crate::context::{Context, slot};
use crate::key::Key;
use crate::kinds::Content;
use crate::kinds::event::Event;
use crate::kinds::poll::Poll;
use crate::stanza::protocol_type;
use crate::unwrap;

/// Which of the three forms an edit came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EditForm {
    /// A control message: what is sent.
    Control,
    /// A control message in `editedMessage`.
    Wrapped,
    /// An envelope under the secret of the message.
    Sealed,
}

/// New words for a text or a caption. The newest one holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Edit {
    /// The message.
    pub target: Key,
    /// Its complete new content. Of pictures and the like only the caption counts.
    pub content: Box<Content>,
    /// What surrounds it.
    pub context: Box<Context>,
    /// The same as a message, as it came.
    pub message: Box<Message>,
    /// The sender's time, in milliseconds since 1970.
    pub sent_at_ms: Option<i64>,
    /// Which form it came in.
    pub form: EditForm,
}

impl Edit {
    pub(crate) fn read(protocol: ProtocolMessage, form: EditForm) -> Self {
        let message = protocol.edited_message.map(|message| *message).unwrap_or_default();
        Self::new(Key::read(protocol.key), message, protocol.timestamp_ms, form)
    }

    fn new(target: Key, message: Message, sent_at_ms: Option<i64>, form: EditForm) -> Self {
        let message = unwrap::open(message).content;
        let mut content = message.clone();
        let context = slot::take(&mut content).map(Context::read).unwrap_or_default();
        Self {
            target,
            content: Box::new(Content::take(&mut content)),
            context: Box::new(context),
            message: Box::new(message),
            sent_at_ms,
            form,
        }
    }

    pub(crate) fn read_wrapped(message: Message) -> Option<Self> {
        let mut content = unwrap::open(message).content;
        Some(Self::read(*content.protocol_message.take()?, EditForm::Wrapped))
    }

    /// The text of an envelope: a control message, or the new content itself.
    pub(crate) fn read_sealed(target: Key, message: Message) -> Self {
        let mut content = unwrap::open(message).content;
        let is_control = content.protocol_message.as_deref().and_then(protocol_type)
            == Some(whimbrel_proto::e2e::message::protocol_message::Type::MessageEdit);
        match content.protocol_message.take().filter(|_| is_control) {
            // What the envelope stands beside is meant, whatever the text in it says.
            Some(protocol) => Self { target, ..Self::read(*protocol, EditForm::Sealed) },
            None => Self::new(target, content, None, EditForm::Sealed),
        }
    }

    /// Whether what it says may replace a message: words, or something with a caption.
    #[must_use]
    pub fn is_editable(&self) -> bool {
        is_editable(&self.content)
    }
}

/// Whether content of this kind may be edited in its words.
pub(crate) const fn is_editable(content: &Content) -> bool {
    matches!(
        content,
        Content::Text(_) | Content::Image(_) | Content::Video(_) | Content::Gif(_) | Content::Document(_)
    )
}

/// A message is taken back. It may come before the message itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Revoke {
    /// The message; of the sender if they take their own back, otherwise an administrator's act.
    pub target: Key,
}

/// A poll has new content.
#[derive(Clone, Debug, PartialEq)]
pub struct PollEdit {
    /// The poll's message.
    pub target: Key,
    /// All of its new content.
    pub poll: Poll,
}

/// A poll has a new option.
#[derive(Clone, Debug, PartialEq)]
pub struct PollOption {
    /// The poll's message.
    pub target: Key,
    /// The option.
    pub option: String,
}

/// An event has a new state.
#[derive(Clone, Debug, PartialEq)]
pub struct EventEdit {
    /// The event's message.
    pub target: Key,
    /// All of its new state.
    pub event: Event,
}
