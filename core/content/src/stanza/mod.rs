//! What the stanza around a message must say, derived from the message (messages document §3.2 to
//! §3.7). The service cannot read the content; it routes, wakes and refuses by these attributes.

use whimbrel_proto::common::MessageKey;
use whimbrel_proto::e2e::message::protocol_message::Type;
use whimbrel_proto::e2e::message::secret_encrypted_message::SecretEncType;
use whimbrel_proto::e2e::message::{PeerDataOperationRequestType, PollUpdateMessage, ProtocolMessage};
use whimbrel_proto::e2e::{KeepType, Message};
use whimbrel_wire::Node;

use crate::unwrap::{self, MAX_WRAPPERS};

mod biz;

pub use biz::Biz;

/// The attribute `type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StanzaType {
    /// Words, control messages, and whatever has a `<biz>` child.
    Text,
    /// Everything without a type of its own.
    Media,
    /// Polls, votes and changes of polls.
    Poll,
    /// Reactions.
    Reaction,
    /// Events, answers and changes of events.
    Event,
}

impl StanzaType {
    /// Its word on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Media => "media",
            Self::Poll => "poll",
            Self::Reaction => "reaction",
            Self::Event => "event",
        }
    }
}

/// The attribute `edit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edit {
    /// Another message is changed.
    Message,
    /// Another message is pinned or unpinned.
    Pin,
    /// The author takes something back.
    Revoke,
    /// An administrator takes somebody else's message back.
    AdminRevoke,
}

impl Edit {
    /// Its number on the wire.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Message => 1,
            Self::Pin => 2,
            Self::Revoke => 7,
            Self::AdminRevoke => 8,
        }
    }
}

/// The child `<meta>`. Who posts a status adds `status_setting`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Meta {
    /// `creation`, `vote` or `edit`.
    pub polltype: Option<&'static str>,
    /// `creation`, `response` or `edit`.
    pub event_type: Option<&'static str>,
    /// The content is to be seen once.
    pub view_once: bool,
    /// `default`, `member_tag` or `group_history`.
    pub appdata: Option<&'static str>,
    /// `user_update` or `user_delete`.
    pub tag_reason: Option<&'static str>,
}

impl Meta {
    /// The child, unless it would say nothing.
    #[must_use]
    pub fn node(&self) -> Option<Node> {
        (*self != Self::default()).then(|| {
            Node::new("meta")
                .attr_opt("polltype", self.polltype)
                .attr_opt("event_type", self.event_type)
                .attr_opt("view_once", self.view_once.then_some("true"))
                .attr_opt("appdata", self.appdata)
                .attr_opt("tag_reason", self.tag_reason)
        })
    }
}

/// What the stanza says when the message is between devices of one account only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Peer {
    /// `push_priority`: `high` or `high_force`.
    pub push_priority: Option<&'static str>,
    /// `privacy_sensitive="1"`.
    pub privacy_sensitive: bool,
}

/// Everything about a stanza that depends on the content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attributes {
    /// `type`.
    pub kind: StanzaType,
    /// `mediatype` of the ciphertexts.
    pub mediatype: Option<&'static str>,
    /// `native_flow_name` of the ciphertexts.
    pub native_flow_name: Option<String>,
    /// `edit`.
    pub edit: Option<Edit>,
    /// `decrypt-fail="hide"` of the ciphertexts: nobody shall see that it could not be read.
    pub hide: bool,
    /// The child `<meta>`.
    pub meta: Meta,
    /// The child `<biz>`.
    pub biz: Option<Biz>,
    /// Present for messages between devices of one account; `category="peer"`.
    pub peer: Option<Peer>,
}

/// The attributes for a message to be sent.
#[must_use]
pub fn attributes(message: &Message) -> Attributes {
    let content = unwrap::outgoing(message);
    let biz = Biz::of(content);
    let peer = content.protocol_message.as_deref().and_then(peer);
    Attributes {
        kind: kind(content, biz.is_some()),
        // A drawn sticker is told by its wrapper; what is in it is a sticker anyway.
        mediatype: mediatype(content).filter(|_| biz.is_none()),
        native_flow_name: native_flow_name(content),
        edit: edit(content),
        hide: hide(content),
        meta: meta(message, content, peer.is_some()),
        biz,
        peer,
    }
}

fn sealed(content: &Message) -> Option<SecretEncType> {
    let sealed = content.secret_encrypted_message.as_ref()?;
    SecretEncType::try_from(sealed.secret_enc_type?).ok()
}

/// An absent type means the one with number zero, which some peers leave out.
pub(crate) fn protocol_type(protocol: &ProtocolMessage) -> Option<Type> {
    Type::try_from(protocol.r#type.unwrap_or(Type::Revoke as i32)).ok()
}

fn is_poll(content: &Message) -> bool {
    content.poll_creation_message.is_some()
        || content.poll_creation_message_v2.is_some()
        || content.poll_creation_message_v3.is_some()
        || content.poll_creation_message_v5.is_some()
        || content.poll_creation_message_v6.is_some()
}

fn has_link(content: &Message) -> bool {
    let extended = content.extended_text_message.as_ref();
    extended.and_then(|text| text.matched_text.as_deref()).is_some_and(|link| !link.trim().is_empty())
}

fn kind(content: &Message, has_biz: bool) -> StanzaType {
    use SecretEncType::{EventEdit, MessageEdit, MessageSchedule, PollAddOption, PollEdit};

    let sealed = sealed(content);
    if content.reaction_message.is_some() || content.enc_reaction_message.is_some() {
        StanzaType::Reaction
    } else if content.event_message.is_some()
        || content.enc_event_response_message.is_some()
        || sealed == Some(EventEdit)
    {
        StanzaType::Event
    } else if is_poll(content)
        || content.poll_update_message.is_some()
        || matches!(sealed, Some(PollEdit | PollAddOption))
    {
        StanzaType::Poll
    } else if has_biz {
        StanzaType::Text
    } else if has_link(content) {
        StanzaType::Media
    } else if matches!(sealed, Some(MessageEdit | MessageSchedule)) || is_text(content) {
        StanzaType::Text
    } else {
        StanzaType::Media
    }
}

/// Payments are here although they are no text: the service drops `media` without a media type.
fn is_text(content: &Message) -> bool {
    content.conversation.is_some()
        || content.extended_text_message.is_some()
        || content.protocol_message.is_some()
        || content.keep_in_chat_message.is_some()
        || content.pin_in_chat_message.is_some()
        || content.edited_message.is_some()
        || content.interactive_message.is_some()
        || content.template_button_reply_message.is_some()
        || content.request_phone_number_message.is_some()
        || content.enc_comment_message.is_some()
        || content.newsletter_admin_invite_message.is_some()
        || content.newsletter_follower_invite_message_v2.is_some()
        || content.message_history_notice.is_some()
        || content.album_message.is_some()
        || content.poll_result_snapshot_message.is_some()
        || content.poll_result_snapshot_message_v3.is_some()
        || content.send_payment_message.is_some()
        || content.request_payment_message.is_some()
        || content.decline_payment_request_message.is_some()
        || content.cancel_payment_request_message.is_some()
        || content.payment_invite_message.is_some()
}

fn mediatype(content: &Message) -> Option<&'static str> {
    if content.image_message.is_some() {
        Some("image")
    } else if let Some(video) = &content.video_message {
        Some(if video.gif_playback() { "gif" } else { "video" })
    } else if content.ptv_message.is_some() {
        Some("ptv")
    } else if let Some(audio) = &content.audio_message {
        Some(if audio.ptt() { "ptt" } else { "audio" })
    } else if content.document_message.is_some() {
        Some("document")
    } else if content.sticker_message.is_some() {
        Some("sticker")
    } else if content.sticker_pack_message.is_some() {
        Some("sticker_pack")
    } else if let Some(place) = &content.location_message {
        Some(if place.is_live() { "livelocation" } else { "location" })
    } else if content.live_location_message.is_some() {
        Some("livelocation")
    } else if content.contact_message.is_some() {
        Some("vcard")
    } else if content.contacts_array_message.is_some() {
        Some("contact_array")
    } else if has_link(content) || content.group_invite_message.is_some() {
        Some("url")
    } else if content.list_response_message.is_some() {
        Some("list_response")
    } else if content.buttons_response_message.is_some() {
        Some("buttons_response")
    } else if content.order_message.is_some() {
        Some("order")
    } else if content.product_message.is_some() {
        Some("product")
    } else if content.interactive_response_message.is_some() {
        Some("native_flow_response")
    } else if content.message_history_bundle.is_some() {
        Some("group_history")
    } else {
        None
    }
}

fn native_flow_name(content: &Message) -> Option<String> {
    use whimbrel_proto::e2e::message::interactive_response_message::InteractiveResponseMessage;

    let response = content.interactive_response_message.as_ref()?.interactive_response_message.as_ref()?;
    let InteractiveResponseMessage::NativeFlowResponseMessage(flow) = response;
    flow.name.clone()
}

fn is_own(key: Option<&MessageKey>) -> bool {
    key.is_some_and(MessageKey::from_me)
}

fn edit(content: &Message) -> Option<Edit> {
    if let Some(protocol) = &content.protocol_message {
        return match protocol_type(protocol)? {
            Type::MessageEdit => Some(Edit::Message),
            Type::Revoke if is_own(protocol.key.as_ref()) => Some(Edit::Revoke),
            Type::Revoke => Some(Edit::AdminRevoke),
            _ => None,
        };
    }
    if let Some(keep) = &content.keep_in_chat_message {
        let undone = keep.keep_type == Some(KeepType::UndoKeepForAll as i32);
        return (undone && is_own(keep.key.as_ref())).then_some(Edit::Revoke);
    }
    let edited = matches!(sealed(content), Some(SecretEncType::MessageEdit | SecretEncType::EventEdit));
    if content.edited_message.is_some() || edited {
        Some(Edit::Message)
    } else if content.pin_in_chat_message.is_some() {
        Some(Edit::Pin)
    } else {
        let removed =
            content.reaction_message.as_ref().and_then(|reaction| reaction.text.as_deref()) == Some("");
        removed.then_some(Edit::Revoke)
    }
}

fn has_vote(update: &PollUpdateMessage) -> bool {
    update.vote.is_some()
}

/// Never on revokes: there are reports that the service drops those that carry it.
fn hide(content: &Message) -> bool {
    let protocol = content.protocol_message.as_deref().and_then(protocol_type);
    content.reaction_message.is_some()
        || content.enc_reaction_message.is_some()
        || content.poll_update_message.as_deref().is_some_and(has_vote)
        || content.pin_in_chat_message.is_some()
        || content.keep_in_chat_message.is_some()
        || content.edited_message.is_some()
        || content.enc_event_response_message.is_some()
        || content.enc_comment_message.is_some()
        || content.message_history_notice.is_some()
        || content.conditional_reveal_message.is_some()
        || matches!(
            sealed(content),
            Some(
                SecretEncType::EventEdit
                    | SecretEncType::MessageEdit
                    | SecretEncType::PollEdit
                    | SecretEncType::PollAddOption
            )
        )
        || matches!(
            protocol,
            Some(
                Type::MessageEdit
                    | Type::EphemeralSyncResponse
                    | Type::RequestWelcomeMessage
                    | Type::GroupMemberLabelChange
            )
        )
}

fn meta(message: &Message, content: &Message, is_peer: bool) -> Meta {
    let sealed = sealed(content);
    let protocol = content.protocol_message.as_deref();
    let control = protocol.and_then(protocol_type);
    let polltype = if is_poll(content) {
        Some("creation")
    } else if content.poll_update_message.as_deref().is_some_and(has_vote) {
        Some("vote")
    } else {
        matches!(sealed, Some(SecretEncType::PollEdit | SecretEncType::PollAddOption)).then_some("edit")
    };
    let event_type = if content.event_message.is_some() {
        Some("creation")
    } else if content.enc_event_response_message.is_some() {
        Some("response")
    } else {
        (sealed == Some(SecretEncType::EventEdit)).then_some("edit")
    };
    let is_label = control == Some(Type::GroupMemberLabelChange);
    let appdata = if is_peer || control == Some(Type::EphemeralSyncResponse) {
        Some("default")
    } else if is_label {
        Some("member_tag")
    } else {
        content.message_history_notice.is_some().then_some("group_history")
    };
    let label = protocol.and_then(|protocol| protocol.member_label.as_ref()?.label.as_deref());
    let reason = if label.unwrap_or_default().is_empty() { "user_delete" } else { "user_update" };
    Meta {
        polltype,
        event_type,
        view_once: is_view_once(message),
        appdata,
        tag_reason: is_label.then_some(reason),
    }
}

/// Whether the content is to be seen once, by its wrappers or by its own word.
pub(crate) fn is_view_once(message: &Message) -> bool {
    let mut content = message;
    for _ in 0..MAX_WRAPPERS {
        match unwrap::inner(content, true) {
            Some((Some(wrapper), _)) if wrapper.is_view_once() => return true,
            Some((_, next)) => content = next,
            None => break,
        }
    }
    content.image_message.as_ref().is_some_and(|image| image.view_once())
        || content.video_message.as_ref().is_some_and(|video| video.view_once())
        || content.ptv_message.as_ref().is_some_and(|video| video.view_once())
        || content.audio_message.as_ref().is_some_and(|audio| audio.view_once())
        || content.extended_text_message.as_ref().is_some_and(|text| text.view_once())
}

/// How a message between own devices is marked (messages document §10.1).
fn peer(protocol: &ProtocolMessage) -> Option<Peer> {
    let push_priority = match protocol_type(protocol)? {
        Type::HistorySyncNotification
        | Type::InitialSecurityNotificationSettingSync
        | Type::PeerDataOperationRequestResponseMessage
        | Type::LidMigrationMappingSync => None,
        Type::AppStateSyncKeyShare
        | Type::AppStateSyncKeyRequest
        | Type::AppStateFatalExceptionNotification => Some("high"),
        Type::PeerDataOperationRequestMessage => return Some(request(protocol)),
        _ => return None,
    };
    Some(Peer { push_priority, privacy_sensitive: false })
}

fn request(protocol: &ProtocolMessage) -> Peer {
    use PeerDataOperationRequestType::{
        CompanionCanonicalUserNonceFetch, GenerateLinkPreview, HistorySyncOnDemand, PlaceholderMessageResend,
    };

    let request = protocol.peer_data_operation_request_message.as_ref();
    let kind = request
        .and_then(|request| request.peer_data_operation_request_type)
        .and_then(|kind| PeerDataOperationRequestType::try_from(kind).ok());
    let urgent = matches!(
        kind,
        Some(
            GenerateLinkPreview
                | HistorySyncOnDemand
                | PlaceholderMessageResend
                | CompanionCanonicalUserNonceFetch
        )
    );
    Peer {
        push_priority: Some(if urgent { "high_force" } else { "high" }),
        privacy_sensitive: kind == Some(HistorySyncOnDemand),
    }
}
