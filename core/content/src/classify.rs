//! What a received message is (messages document §18).

use whimbrel_proto::e2e::{Message, MessageContextInfo};
use whimbrel_wire::Jid;

use crate::addons::Addon;
use crate::context::{Context, slot};
use crate::key::{Arrival, Key};
use crate::kinds::Content;
use crate::names::AssociationType;
use crate::protocol::{Protocol, Speaker, is_trusted};
use crate::secret::Secret;
use crate::stanza;
use crate::unwrap::{self, Opened, Wrapper};

/// A received message, typed.
#[derive(Clone, Debug, PartialEq)]
pub struct Received {
    /// The chat: of a copy from an own device the one that the copy names.
    pub chat: Jid,
    /// This account wrote it.
    pub from_me: bool,
    /// What its content was wrapped in, from outside in.
    pub wrappers: Vec<Wrapper>,
    /// The secret that later add-ons to it are encrypted with.
    pub secret: Option<Secret>,
    /// What it is.
    pub class: Class,
}

/// What a received message is.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Class {
    /// Something for people.
    Message(Box<Shown>),
    /// Something that changes or annotates another message.
    Addon(Box<Addon>),
    /// A control message.
    Protocol(Box<Protocol>),
    /// Nothing for people: keys and envelopes.
    Nothing,
    /// It claims what its sender may not claim. It is acknowledged as any other.
    Dropped(Dropped),
}

/// Why a message is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dropped {
    /// A copy for own devices that no own device sent.
    ForeignCopy,
    /// A control message that its sender is not believed.
    Untrusted,
}

/// Something for people.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// What it says.
    pub content: Content,
    /// What surrounds it.
    pub context: Context,
    /// It is to be seen once.
    pub view_once: bool,
    /// The message that it belongs to.
    pub association: Option<Association>,
    /// It counts as unread.
    pub unread: bool,
}

/// That a message belongs to another one.
#[derive(Clone, Debug, PartialEq)]
pub struct Association {
    /// How; `None` for a way that this version does not know.
    pub kind: Option<AssociationType>,
    /// The other message, as the sender names it.
    pub parent: Key,
    /// Place among those that belong to it, counted from 0.
    pub index: Option<i32>,
}

impl Association {
    /// Whether it is another copy of the parent's picture or video, and no message of its own.
    #[must_use]
    pub const fn replaces_media(&self) -> bool {
        matches!(
            self.kind,
            Some(
                AssociationType::HdVideoDualUpload
                    | AssociationType::HdImageDualUpload
                    | AssociationType::MotionPhoto
                    | AssociationType::HevcVideoDualUpload
            )
        )
    }

    fn read(info: &mut MessageContextInfo) -> Option<Self> {
        let association = info.message_association.take()?;
        let kind = association.association_type.unwrap_or_default();
        Some(Self {
            kind: AssociationType::try_from(kind).ok(),
            parent: Key::read(association.parent_message_key),
            index: association.message_index,
        })
    }
}

/// Types a received message. The sender's device number decides about trust, so that
/// `arrival.sender` has one.
#[must_use]
pub fn classify(message: Message, arrival: &Arrival<'_>) -> Received {
    let view_once = stanza::is_view_once(&message);
    let Opened { mut content, mut info, wrappers, destination, too_deep } = unwrap::open(message);
    let is_own = arrival.is_own();
    let is_copy = destination.is_some();
    let chat = destination.flatten().filter(|_| is_own).unwrap_or_else(|| arrival.chat.clone());
    let secret = info.message_secret.take().filter(|secret| !secret.is_empty()).map(Secret::new);
    let class = if is_copy && !is_own {
        Class::Dropped(Dropped::ForeignCopy)
    } else if too_deep {
        shown(Content::Unsupported, Context::default(), view_once, None, is_own, &chat)
    } else {
        let speaker = Speaker { is_own, device: arrival.sender.device() };
        class(&mut content, &mut info, speaker, view_once, &chat)
    };
    Received { chat, from_me: is_own, wrappers, secret, class }
}

/// Types a message again that was typed, and believed, when it came: out of a store that has its raw
/// form. `chat` and `from_me` are what was found then.
#[must_use]
pub fn reread(message: Message, chat: &Jid, from_me: bool) -> Received {
    let view_once = stanza::is_view_once(&message);
    let Opened { mut content, mut info, wrappers, destination: _, too_deep } = unwrap::open(message);
    let secret = info.message_secret.take().filter(|secret| !secret.is_empty()).map(Secret::new);
    let class = if too_deep {
        shown(Content::Unsupported, Context::default(), view_once, None, from_me, chat)
    } else {
        typed(&mut content, &mut info, from_me, view_once, chat)
    };
    Received { chat: chat.clone(), from_me, wrappers, secret, class }
}

fn class(
    content: &mut Message,
    info: &mut MessageContextInfo,
    speaker: Speaker,
    view_once: bool,
    chat: &Jid,
) -> Class {
    let number = content.protocol_message.as_ref().map(|protocol| protocol.r#type.unwrap_or_default());
    if number.is_some_and(|number| !is_trusted(number, speaker)) {
        return Class::Dropped(Dropped::Untrusted);
    }
    typed(content, info, speaker.is_own, view_once, chat)
}

fn typed(
    content: &mut Message,
    info: &mut MessageContextInfo,
    is_own: bool,
    view_once: bool,
    chat: &Jid,
) -> Class {
    // Between own devices, and of no meaning to this client.
    content.sticker_sync_rmr_message = None;
    content.group_root_key_share = None;
    content.root_secret_distribute_message = None;
    content.status_link_preview_metadata = None;
    if *content == Message::default() {
        return Class::Nothing;
    }
    if let Some(addon) = Addon::take(content, info) {
        return Class::Addon(Box::new(addon));
    }
    if let Some(protocol) = content.protocol_message.take() {
        return Class::Protocol(Box::new(Protocol::read(*protocol)));
    }
    let context = slot::take(content).map(Context::read).unwrap_or_default();
    shown(Content::take(content), context, view_once, Association::read(info), is_own, chat)
}

fn shown(
    content: Content,
    context: Context,
    view_once: bool,
    association: Option<Association>,
    from_me: bool,
    chat: &Jid,
) -> Class {
    let is_copy = association.as_ref().is_some_and(Association::replaces_media);
    let unread = !from_me && !is_copy && content.counts_as_unread() && !chat.is_status();
    Class::Message(Box::new(Shown { content, context, view_once, association, unread }))
}
