//! Makes everything that a companion may send. What would not be shown is refused before anything
//! is sent ([`Refused`]); what may not be shown is marked ([`Composed::best_effort`]).
//!
//! Time and randomness are parameters: a message's secret and the nonces of envelopes are random and
//! used once.

mod addons;
mod control;
mod fallback;
mod forward;
pub mod limits;

pub use addons::{
    Envelope, comment, edit, event_answer, event_edit, keep, pin, poll_edit, poll_option, reaction,
};
pub use addons::{Original, revoke, revoke_as_admin, sealed_reaction, vote};
pub use control::{chat_privacy, chat_timer, member_label, share_phone_number};
pub use forward::{forward, quote};
pub use limits::Refused;

use whimbrel_proto::e2e::{Message, MessageAssociation, MessageContextInfo};

use crate::classify::Association;
use crate::context::{Context, Quote, Timer};
use crate::key::Key;
use crate::kinds::Content;
use crate::kinds::text::{FontType, Style};
use crate::names::AssociationType;
use crate::unwrap::Wrapper;

/// Length of a message's secret, in octets.
pub use whimbrel_crypto::message_secret::SECRET;

/// Content that is to be sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// What it says.
    pub content: Content,
    /// What surrounds it.
    pub context: Context,
    /// It is to be seen once.
    pub view_once: bool,
    /// It is posted as a status.
    pub is_status: bool,
    /// Its chat is the announcement group of a community, where polls have a form of their own.
    pub in_announcement_group: bool,
    /// The message that it belongs to.
    pub association: Option<Association>,
}

/// A message that is ready to be encrypted.
#[derive(Clone, Debug, PartialEq)]
pub struct Composed {
    /// The message, as all others get it. Own devices get it in
    /// [`device_sent`](crate::unwrap::device_sent).
    pub message: Message,
    /// Nobody can say whether receivers will see it: the service may refuse it, and clients may not
    /// draw it.
    pub best_effort: bool,
    /// What to send as a text to those who must see it, for content of best effort.
    pub fallback: Option<String>,
}

impl Draft {
    /// Content with nothing around it.
    #[must_use]
    pub fn new(content: Content) -> Self {
        Self {
            content,
            context: Context::default(),
            view_once: false,
            is_status: false,
            in_announcement_group: false,
            association: None,
        }
    }

    /// Quotes a message; see [`quote`] for what may be quoted.
    #[must_use]
    pub fn quoting(mut self, quote: Quote) -> Self {
        self.context.quote = Some(quote);
        self
    }

    /// Says which timer the chat has, as everything sent in a chat with a timer must.
    #[must_use]
    pub fn with_timer(mut self, timer: Timer) -> Self {
        self.context.timer = Some(timer);
        self
    }

    /// Makes it one picture or video of an album, whose head is `album`.
    #[must_use]
    pub fn in_album(mut self, album: Key, index: Option<i32>) -> Self {
        let kind = Some(AssociationType::MediaAlbum);
        self.association = Some(Association { kind, parent: album, index });
        self
    }

    /// Checks it without making it.
    ///
    /// # Errors
    /// Why it would not be sent.
    pub fn validate(&self) -> Result<(), Refused> {
        limits::check(self)
    }

    /// Makes the message. `secret` is random; later reactions, votes, comments and edits are
    /// encrypted with it.
    ///
    /// # Errors
    /// Why it is not sent.
    pub fn compose(mut self, secret: [u8; SECRET]) -> Result<Composed, Refused> {
        self.validate()?;
        if let Content::Poll(poll) = &mut self.content {
            poll.form = poll.form_for(self.in_announcement_group);
        }
        if let Content::Text(text) = &mut self.content
            && self.is_status
        {
            // Bare words are not shown as a status.
            let style = text.style.get_or_insert(Style::default());
            style.colour.get_or_insert(0xFFFF_FFFF);
            style.font.get_or_insert(FontType::System);
        }
        let best_effort = matches!(self.content, Content::Interactive(_) | Content::List(_));
        let fallback = best_effort.then(|| fallback::text(&self.content));
        let wrapper = self.wrapper();
        let mut message = self.content.to_message(&self.context).map_err(|_| Refused::ReadOnly)?;
        if self.view_once {
            mark_view_once(&mut message);
        }
        if let Some(wrapper) = wrapper {
            message = wrapper.wrap(message);
        }
        message.message_context_info = Some(Box::new(MessageContextInfo {
            message_secret: Some(secret.to_vec()),
            message_association: self.association.map(|association| MessageAssociation {
                association_type: association.kind.map(|kind| kind as i32),
                parent_message_key: Some(association.parent.write()),
                message_index: association.index,
            }),
            ..MessageContextInfo::default()
        }));
        Ok(Composed { message, best_effort, fallback })
    }

    fn wrapper(&self) -> Option<Wrapper> {
        match &self.content {
            Content::Audio(_) | Content::Voice(_) if self.view_once => Some(Wrapper::ViewOnceV2Extension),
            _ if self.view_once => Some(Wrapper::ViewOnceV2),
            Content::Document(document) if document.caption.is_some() => Some(Wrapper::DocumentWithCaption),
            Content::Sticker(sticker) if sticker.is_lottie => Some(Wrapper::LottieSticker),
            _ if self.context.mentions.iter().any(whimbrel_wire::Jid::is_bot) => Some(Wrapper::BotInvoke),
            _ => None,
        }
    }
}

/// The wrapper alone is not enough for every client.
fn mark_view_once(message: &mut Message) {
    if let Some(image) = &mut message.image_message {
        image.view_once = Some(true);
    }
    for video in [&mut message.video_message, &mut message.ptv_message].into_iter().flatten() {
        video.view_once = Some(true);
    }
    if let Some(audio) = &mut message.audio_message {
        audio.view_once = Some(true);
    }
}
