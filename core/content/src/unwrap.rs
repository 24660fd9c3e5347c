//! What content is wrapped in (messages document §1.1, §1.2).

use whimbrel_proto::e2e::message::{DeviceSentMessage, FutureProofMessage};
use whimbrel_proto::e2e::{Message, MessageContextInfo};
use whimbrel_wire::Jid;

/// Deepest nesting of wrappers that is read; deeper content is of an unknown kind.
pub const MAX_WRAPPERS: usize = 10;

/// A field of a message that has the content in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Wrapper {
    /// The old form of content in a chat with a timer.
    Ephemeral,
    /// Content to be seen once, first form.
    ViewOnce,
    /// Content to be seen once, second form.
    ViewOnceV2,
    /// A voice note to be heard once.
    ViewOnceV2Extension,
    /// A document whose caption is to be shown.
    DocumentWithCaption,
    /// A text that mentions a group of the community.
    GroupMentioned,
    /// A message that calls a bot.
    BotInvoke,
    /// Content that belongs to another message: of an album, or a better copy.
    AssociatedChild,
    /// The picture of an option of a poll.
    PollOptionImage,
    /// The picture of an event.
    EventCoverImage,
    /// A status in a group, first form.
    GroupStatus,
    /// A status in a group.
    GroupStatusV2,
    /// Tells a group that a status mentions it.
    GroupStatusMention,
    /// Tells a user that a status mentions them.
    StatusMention,
    /// An answer to a status that asks for one's own.
    StatusAddYours,
    /// A channel's question to its followers.
    Question,
    /// The channel's reply to an answer.
    QuestionReply,
    /// Content that is covered until it is tapped.
    Spoiler,
    /// A sticker that is drawn, not a picture.
    LottieSticker,
    /// Content of a chat with advanced privacy.
    LimitSharing,
    /// A card of a channel's administrator.
    ChannelAdminProfile,
    /// The same, second form.
    ChannelAdminProfileV2,
    /// The same, as a status.
    ChannelAdminProfileStatus,
    /// A poll, wrapped.
    PollV4,
    /// A task of a bot; unwrapped only when received.
    BotTask,
    /// Forwarded words of a bot; unwrapped only when received.
    BotForwarded,
    /// Unwrapped only when received.
    BotPlatformRegistration,
}

impl Wrapper {
    /// All of them, in the order in which they are looked for.
    pub const ALL: [Self; 27] = [
        Self::Ephemeral,
        Self::ViewOnce,
        Self::ViewOnceV2,
        Self::ViewOnceV2Extension,
        Self::DocumentWithCaption,
        Self::GroupMentioned,
        Self::BotInvoke,
        Self::AssociatedChild,
        Self::PollOptionImage,
        Self::EventCoverImage,
        Self::GroupStatus,
        Self::GroupStatusV2,
        Self::GroupStatusMention,
        Self::StatusMention,
        Self::StatusAddYours,
        Self::Question,
        Self::QuestionReply,
        Self::Spoiler,
        Self::LottieSticker,
        Self::LimitSharing,
        Self::ChannelAdminProfile,
        Self::ChannelAdminProfileV2,
        Self::ChannelAdminProfileStatus,
        Self::PollV4,
        Self::BotTask,
        Self::BotForwarded,
        Self::BotPlatformRegistration,
    ];

    /// Whether it is taken off in what others sent only: of a message to be sent it is the content.
    #[must_use]
    pub const fn is_received_only(self) -> bool {
        matches!(self, Self::BotTask | Self::BotForwarded | Self::BotPlatformRegistration)
    }

    /// Whether what is in it is to be seen once.
    #[must_use]
    pub const fn is_view_once(self) -> bool {
        matches!(self, Self::ViewOnce | Self::ViewOnceV2 | Self::ViewOnceV2Extension)
    }

    pub(crate) fn slot(self, message: &Message) -> &Option<Box<FutureProofMessage>> {
        match self {
            Self::Ephemeral => &message.ephemeral_message,
            Self::ViewOnce => &message.view_once_message,
            Self::ViewOnceV2 => &message.view_once_message_v2,
            Self::ViewOnceV2Extension => &message.view_once_message_v2_extension,
            Self::DocumentWithCaption => &message.document_with_caption_message,
            Self::GroupMentioned => &message.group_mentioned_message,
            Self::BotInvoke => &message.bot_invoke_message,
            Self::AssociatedChild => &message.associated_child_message,
            Self::PollOptionImage => &message.poll_creation_option_image_message,
            Self::EventCoverImage => &message.event_cover_image,
            Self::GroupStatus => &message.group_status_message,
            Self::GroupStatusV2 => &message.group_status_message_v2,
            Self::GroupStatusMention => &message.group_status_mention_message,
            Self::StatusMention => &message.status_mention_message,
            Self::StatusAddYours => &message.status_add_yours,
            Self::Question => &message.question_message,
            Self::QuestionReply => &message.question_reply_message,
            Self::Spoiler => &message.spoiler_message,
            Self::LottieSticker => &message.lottie_sticker_message,
            Self::LimitSharing => &message.limit_sharing_message,
            Self::ChannelAdminProfile => &message.newsletter_admin_profile_message,
            Self::ChannelAdminProfileV2 => &message.newsletter_admin_profile_message_v2,
            Self::ChannelAdminProfileStatus => &message.newsletter_admin_profile_status_message,
            Self::PollV4 => &message.poll_creation_message_v4,
            Self::BotTask => &message.bot_task_message,
            Self::BotForwarded => &message.bot_forwarded_message,
            Self::BotPlatformRegistration => &message.bot_platform_registration_success_message,
        }
    }

    pub(crate) fn slot_mut(self, message: &mut Message) -> &mut Option<Box<FutureProofMessage>> {
        match self {
            Self::Ephemeral => &mut message.ephemeral_message,
            Self::ViewOnce => &mut message.view_once_message,
            Self::ViewOnceV2 => &mut message.view_once_message_v2,
            Self::ViewOnceV2Extension => &mut message.view_once_message_v2_extension,
            Self::DocumentWithCaption => &mut message.document_with_caption_message,
            Self::GroupMentioned => &mut message.group_mentioned_message,
            Self::BotInvoke => &mut message.bot_invoke_message,
            Self::AssociatedChild => &mut message.associated_child_message,
            Self::PollOptionImage => &mut message.poll_creation_option_image_message,
            Self::EventCoverImage => &mut message.event_cover_image,
            Self::GroupStatus => &mut message.group_status_message,
            Self::GroupStatusV2 => &mut message.group_status_message_v2,
            Self::GroupStatusMention => &mut message.group_status_mention_message,
            Self::StatusMention => &mut message.status_mention_message,
            Self::StatusAddYours => &mut message.status_add_yours,
            Self::Question => &mut message.question_message,
            Self::QuestionReply => &mut message.question_reply_message,
            Self::Spoiler => &mut message.spoiler_message,
            Self::LottieSticker => &mut message.lottie_sticker_message,
            Self::LimitSharing => &mut message.limit_sharing_message,
            Self::ChannelAdminProfile => &mut message.newsletter_admin_profile_message,
            Self::ChannelAdminProfileV2 => &mut message.newsletter_admin_profile_message_v2,
            Self::ChannelAdminProfileStatus => &mut message.newsletter_admin_profile_status_message,
            Self::PollV4 => &mut message.poll_creation_message_v4,
            Self::BotTask => &mut message.bot_task_message,
            Self::BotForwarded => &mut message.bot_forwarded_message,
            Self::BotPlatformRegistration => &mut message.bot_platform_registration_success_message,
        }
    }

    /// Puts a message into this wrapper. Its envelope (`messageContextInfo`) is lifted out: a sender
    /// writes that at the top only.
    #[must_use]
    pub fn wrap(self, mut message: Message) -> Message {
        let message_context_info = message.message_context_info.take();
        let mut outer = Message { message_context_info, ..Message::default() };
        *self.slot_mut(&mut outer) = Some(Box::new(FutureProofMessage { message: Some(Box::new(message)) }));
        outer
    }
}

/// The content of a message to be sent, through its wrappers.
#[must_use]
pub fn outgoing(message: &Message) -> &Message {
    let mut content = message;
    for _ in 0..MAX_WRAPPERS {
        match inner(content, false) {
            Some((_, next)) => content = next,
            None => break,
        }
    }
    content
}

/// The content of a received message, through its wrappers.
#[must_use]
pub fn content(message: &Message) -> &Message {
    let mut content = message;
    for _ in 0..MAX_WRAPPERS {
        match inner(content, true) {
            Some((_, next)) => content = next,
            None => break,
        }
    }
    content
}

/// What is one level deeper. The wrapper is absent for the copy for own devices.
pub(crate) fn inner(message: &Message, received: bool) -> Option<(Option<Wrapper>, &Message)> {
    if let Some(content) = message.device_sent_message.as_ref().and_then(|sent| sent.message.as_deref()) {
        return Some((None, content));
    }
    Wrapper::ALL.into_iter().filter(|wrapper| received || !wrapper.is_received_only()).find_map(|wrapper| {
        let content = wrapper.slot(message).as_ref()?.message.as_deref()?;
        Some((Some(wrapper), content))
    })
}

/// A message with everything taken off that is around its content.
#[derive(Clone, Debug, PartialEq)]
pub struct Opened {
    /// The content: no wrapper, no envelope, no sender key.
    pub content: Message,
    /// The envelopes of all levels, merged.
    pub info: MessageContextInfo,
    /// What was taken off, from outside in.
    pub wrappers: Vec<Wrapper>,
    /// Chat of a copy for own devices, as the copy names it; present only for such a copy, and
    /// `Some(None)` when it names none that can be read.
    pub destination: Option<Option<Jid>>,
    /// There are more wrappers than are read.
    pub too_deep: bool,
}

/// Takes everything off that is around the content of a received message.
#[must_use]
pub fn open(mut message: Message) -> Opened {
    let mut info = message.message_context_info.take().map(|info| *info).unwrap_or_default();
    let outermost = info.limit_sharing_v2.take();
    let (mut wrappers, mut destination) = (Vec::new(), None);
    for _ in 0..MAX_WRAPPERS {
        let Some(next) = take_inner(&mut message, &mut wrappers, &mut destination) else { break };
        message = next;
        if let Some(inner) = message.message_context_info.take() {
            info = merge(info, *inner);
        }
    }
    info.limit_sharing_v2 = outermost;
    let too_deep = inner(&message, true).is_some();
    message.sender_key_distribution_message = None;
    message.fast_ratchet_key_sender_key_distribution_message = None;
    Opened { content: message, info, wrappers, destination, too_deep }
}

fn take_inner(
    message: &mut Message,
    wrappers: &mut Vec<Wrapper>,
    destination: &mut Option<Option<Jid>>,
) -> Option<Message> {
    let (wrapper, _) = inner(message, true)?;
    let inner = match wrapper {
        Some(wrapper) => {
            wrappers.push(wrapper);
            wrapper.slot_mut(message).take()?.message
        }
        None => {
            let DeviceSentMessage { destination_jid, message, .. } = *message.device_sent_message.take()?;
            let named = destination_jid.and_then(|jid| jid.parse::<Jid>().ok()).map(Jid::normalized);
            destination.get_or_insert(named);
            message
        }
    };
    inner.map(|inner| *inner)
}

/// What is said of a message at two levels: the inner one is right, the outer one fills gaps.
fn merge(outer: MessageContextInfo, inner: MessageContextInfo) -> MessageContextInfo {
    MessageContextInfo {
        device_list_metadata: inner.device_list_metadata.or(outer.device_list_metadata),
        device_list_metadata_version: inner
            .device_list_metadata_version
            .or(outer.device_list_metadata_version),
        message_secret: inner.message_secret.filter(|secret| !secret.is_empty()).or(outer.message_secret),
        padding_bytes: inner.padding_bytes.or(outer.padding_bytes),
        message_add_on_duration_in_secs: inner
            .message_add_on_duration_in_secs
            .or(outer.message_add_on_duration_in_secs),
        bot_message_secret: inner.bot_message_secret.or(outer.bot_message_secret),
        bot_metadata: inner.bot_metadata.or(outer.bot_metadata),
        reporting_token_version: inner.reporting_token_version.or(outer.reporting_token_version),
        message_add_on_expiry_type: inner.message_add_on_expiry_type.or(outer.message_add_on_expiry_type),
        message_association: inner.message_association.or(outer.message_association),
        capi_created_group: inner.capi_created_group.or(outer.capi_created_group),
        support_payload: inner.support_payload.or(outer.support_payload),
        limit_sharing: inner.limit_sharing.or(outer.limit_sharing),
        // Of the outermost level only; the caller sets it.
        limit_sharing_v2: None,
        thread_id: if inner.thread_id.is_empty() { outer.thread_id } else { inner.thread_id },
        weblink_render_config: inner.weblink_render_config.or(outer.weblink_render_config),
        tee_bot_metadata: inner.tee_bot_metadata.or(outer.tee_bot_metadata),
        account_encryption_attestation: inner
            .account_encryption_attestation
            .or(outer.account_encryption_attestation),
        associated_primary_identity_key: inner
            .associated_primary_identity_key
            .or(outer.associated_primary_identity_key),
    }
}

/// A decrypted message as hosts get it: without the copy for own devices around it, and without what
/// belongs to the Signal layer. Its wrappers stay.
#[must_use]
pub fn for_host(mut message: Message) -> Message {
    if let Some(sent) = message.device_sent_message.take() {
        let outer = message.message_context_info.take();
        message = sent.message.map(|inner| *inner).unwrap_or_default();
        if message.message_context_info.is_none() {
            message.message_context_info = outer;
        }
    }
    message.sender_key_distribution_message = None;
    message.fast_ratchet_key_sender_key_distribution_message = None;
    message
}

/// The form of a message for the account's own other devices: the envelope is lifted out of the
/// content. `chat` is written as the stanza addresses it.
#[must_use]
pub fn device_sent(chat: &Jid, mut content: Message) -> Message {
    let message_context_info = content.message_context_info.take();
    let sent = DeviceSentMessage {
        destination_jid: Some(chat.to_string()),
        message: Some(Box::new(content)),
        phash: None,
    };
    Message { device_sent_message: Some(Box::new(sent)), message_context_info, ..Message::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use whimbrel_proto::common::LimitSharing;
    use whimbrel_proto::e2e::message::SenderKeyDistributionMessage;

    fn text(words: &str) -> Message {
        Message { conversation: Some(words.to_owned()), ..Message::default() }
    }

    #[test]
    fn every_wrapper_is_taken_off_and_remembered() {
        for wrapper in Wrapper::ALL {
            let opened = open(wrapper.wrap(text("in")));
            assert_eq!((opened.content, opened.wrappers), (text("in"), vec![wrapper]));
            assert_eq!(outgoing(&wrapper.wrap(text("in"))) == &text("in"), !wrapper.is_received_only());
        }
    }

    #[test]
    fn nesting_is_read_to_a_limit() {
        let nested = |levels| (0..levels).fold(text("in"), |message, _| Wrapper::Ephemeral.wrap(message));
        assert_eq!(content(&nested(MAX_WRAPPERS)), &text("in"));
        assert!(!open(nested(MAX_WRAPPERS)).too_deep);
        let opened = open(nested(MAX_WRAPPERS + 1));
        assert!(opened.too_deep && opened.wrappers.len() == MAX_WRAPPERS && opened.content != text("in"));
    }

    #[test]
    fn an_empty_wrapper_is_content_of_an_unknown_kind() {
        let mut message = Message { spoiler_message: Some(Box::default()), ..Message::default() };
        assert_eq!(open(message.clone()).content, message);
        message.device_sent_message = Some(Box::default());
        assert_eq!(open(message.clone()).destination, None);
    }

    #[test]
    fn envelopes_are_merged_from_outside_in() {
        let limit = |limited| LimitSharing { sharing_limited: Some(limited), ..LimitSharing::default() };
        let inner = MessageContextInfo {
            message_secret: Some(vec![2]),
            limit_sharing_v2: Some(limit(true)),
            ..MessageContextInfo::default()
        };
        let outer = MessageContextInfo {
            message_secret: Some(vec![1]),
            support_payload: Some("{}".to_owned()),
            limit_sharing_v2: Some(limit(false)),
            ..MessageContextInfo::default()
        };
        let mut message = Wrapper::Spoiler.wrap(text("in"));
        let slot = message.spoiler_message.as_mut().and_then(|wrapper| wrapper.message.as_mut()).unwrap();
        slot.message_context_info = Some(Box::new(inner));
        message.message_context_info = Some(Box::new(outer));
        let info = open(message.clone()).info;
        assert_eq!(info.message_secret, Some(vec![2]));
        assert_eq!(info.support_payload.as_deref(), Some("{}"));
        assert_eq!(info.limit_sharing_v2, Some(limit(false)));
        message.message_context_info = None;
        assert_eq!(open(message).info.limit_sharing_v2, None);
    }

    #[test]
    fn copies_for_own_devices_open_to_the_same_content() {
        let info = MessageContextInfo { message_secret: Some(vec![5; 32]), ..MessageContextInfo::default() };
        let original = Message { message_context_info: Some(Box::new(info.clone())), ..text("hi") };
        let copy = device_sent(&Jid::lid("7"), original.clone());
        assert_eq!(copy.message_context_info.as_deref(), Some(&info));
        assert_eq!(for_host(copy.clone()), original);
        let opened = open(copy);
        assert_eq!((opened.content, opened.info), (text("hi"), info));
        assert_eq!(opened.destination, Some(Some(Jid::lid("7"))));
    }

    #[test]
    fn sender_keys_are_not_content() {
        let keys = SenderKeyDistributionMessage::default();
        let message = Message { sender_key_distribution_message: Some(Box::new(keys)), ..text("hi") };
        assert_eq!(for_host(message.clone()), text("hi"));
        assert_eq!(open(message).content, text("hi"));
    }
}
