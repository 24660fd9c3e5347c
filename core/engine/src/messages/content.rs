//! What is inside a message (messages document §1, §6). Pure.

use whimbrel_proto::e2e::message::protocol_message::Type;
use whimbrel_proto::e2e::message::{
    DeviceSentMessage, ExtendedTextMessage, FutureProofMessage, PeerDataOperationRequestResponseMessage,
};
use whimbrel_proto::e2e::{ContextInfo, Message, MessageContextInfo};
use whimbrel_proto::encode;
use whimbrel_wire::Jid;

use super::MessageKey;

/// Deepest nesting of wrappers that is read; deeper content is shown as content of an unknown
/// kind.
const WRAPPERS: usize = 10;

/// The message that a new one quotes.
#[derive(Clone, Debug)]
pub(crate) struct Quote {
    pub(crate) message_id: String,
    /// Who wrote it, without device.
    pub(crate) author: Jid,
    /// Its content, if this client has it. Receivers look the message up by its id first.
    pub(crate) content: Option<Message>,
}

/// Makes a text. `secret` is what later reactions, comments and edits are encrypted with.
pub(crate) fn text(text: &str, quote: Option<Quote>, secret: [u8; 32]) -> Message {
    let context = MessageContextInfo { message_secret: Some(secret.to_vec()), ..Default::default() };
    let mut message = Message { message_context_info: Some(context.into()), ..Default::default() };
    match quote {
        None => message.conversation = Some(text.to_owned()),
        Some(quote) => {
            let context = ContextInfo {
                stanza_id: Some(quote.message_id),
                participant: Some(quote.author.to_string()),
                quoted_message: Some(Box::new(quote.content.map(quotable).unwrap_or_default())),
                ..Default::default()
            };
            let extended = ExtendedTextMessage {
                text: Some(text.to_owned()),
                context_info: Some(Box::new(context)),
                ..Default::default()
            };
            message.extended_text_message = Some(Box::new(extended));
        }
    }
    message
}

/// What a quote keeps of a text: no secret, no quote of its own.
fn quotable(message: Message) -> Message {
    let text = read(&message).text;
    Message { conversation: text, ..Default::default() }
}

/// The form for the account's own other devices: the context is lifted out of the content.
/// `chat` is written as the stanza addresses it.
pub(crate) fn device_sent(chat: &Jid, mut content: Message) -> Message {
    let message_context_info = content.message_context_info.take();
    let sent = DeviceSentMessage {
        destination_jid: Some(chat.to_string()),
        message: Some(Box::new(content)),
        phash: None,
    };
    Message { device_sent_message: Some(Box::new(sent)), message_context_info, ..Default::default() }
}

/// A decrypted message without the envelope for own devices.
pub(crate) struct Opened {
    /// The content.
    pub(crate) message: Message,
    /// The content, encoded, as the host gets it.
    pub(crate) raw: Vec<u8>,
    /// Chat that the envelope names; present only if there was one.
    pub(crate) destination: Option<Jid>,
}

/// Takes the envelope for own devices and what belongs to the Signal layer off. `raw` is the
/// encoded form of `message`.
pub(crate) fn open(mut message: Message, raw: Vec<u8>) -> Opened {
    let Some(sent) = message.device_sent_message.take() else {
        let had_keys = message.sender_key_distribution_message.take().is_some();
        let raw = if had_keys { encode(&message) } else { raw };
        return Opened { message, raw, destination: None };
    };
    let DeviceSentMessage { destination_jid, message: inner, .. } = *sent;
    let mut inner = inner.map(|inner| *inner).unwrap_or_default();
    if inner.message_context_info.is_none() {
        inner.message_context_info = message.message_context_info.take();
    }
    inner.sender_key_distribution_message = None;
    let destination = destination_jid.and_then(|jid| jid.parse::<Jid>().ok()).map(Jid::normalized);
    Opened { raw: encode(&inner), message: inner, destination }
}

/// What the host reads of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) text: Option<String>,
    pub(crate) quoted: Option<MessageKey>,
}

/// Reads text and quote, through any wrappers.
pub(crate) fn read(message: &Message) -> Text {
    let content = unwrap(message);
    if let Some(text) = &content.conversation {
        return Text { text: Some(text.clone()), quoted: None };
    }
    let Some(extended) = &content.extended_text_message else { return Text::default() };
    Text { text: extended.text.clone(), quoted: extended.context_info.as_deref().and_then(quoted) }
}

fn quoted(context: &ContextInfo) -> Option<MessageKey> {
    let message_id = context.stanza_id.clone().filter(|id| !id.is_empty())?;
    let sender = context.participant.as_deref().and_then(|jid| jid.parse::<Jid>().ok());
    Some(MessageKey { message_id, sender: sender.map(|jid| jid.to_bare().normalized()) })
}

/// Whether there is anything in it for a person: context and keys alone are not shown.
pub(crate) fn is_empty(message: &Message) -> bool {
    let bare = Message {
        message_context_info: message.message_context_info.clone(),
        sender_key_distribution_message: message.sender_key_distribution_message.clone(),
        fast_ratchet_key_sender_key_distribution_message: message
            .fast_ratchet_key_sender_key_distribution_message
            .clone(),
        ..Default::default()
    };
    *message == bare
}

/// The type of a control message.
pub(crate) fn protocol_type(message: &Message) -> Option<i32> {
    // An absent type means the one with number zero, which some peers leave out.
    unwrap(message).protocol_message.as_ref().map(|protocol| protocol.r#type.unwrap_or(Type::Revoke as i32))
}

/// The pairs of addresses in a control message that brings them.
pub(crate) fn migration_payload(message: &Message) -> Option<&[u8]> {
    let protocol = unwrap(message).protocol_message.as_ref()?;
    protocol.lid_migration_mapping_sync_message.as_ref()?.encoded_mapping_payload.as_deref()
}

/// What the phone hands over on request.
pub(crate) fn peer_data(message: &Message) -> Option<&PeerDataOperationRequestResponseMessage> {
    unwrap(message).protocol_message.as_ref()?.peer_data_operation_request_response_message.as_ref()
}

/// Takes wrappers off.
fn unwrap(message: &Message) -> &Message {
    let mut content = message;
    for _ in 0..WRAPPERS {
        match wrapped(content) {
            Some(inner) => content = inner,
            None => return content,
        }
    }
    content
}

/// The content of a wrapper (messages document §1.1).
fn wrapped(message: &Message) -> Option<&Message> {
    let wrappers: [&Option<Box<FutureProofMessage>>; 26] = [
        &message.ephemeral_message,
        &message.view_once_message,
        &message.view_once_message_v2,
        &message.view_once_message_v2_extension,
        &message.document_with_caption_message,
        &message.group_mentioned_message,
        &message.bot_invoke_message,
        &message.associated_child_message,
        &message.poll_creation_option_image_message,
        &message.event_cover_image,
        &message.group_status_message,
        &message.group_status_message_v2,
        &message.group_status_mention_message,
        &message.status_mention_message,
        &message.status_add_yours,
        &message.question_message,
        &message.question_reply_message,
        &message.spoiler_message,
        &message.lottie_sticker_message,
        &message.limit_sharing_message,
        &message.newsletter_admin_profile_message,
        &message.newsletter_admin_profile_message_v2,
        &message.newsletter_admin_profile_status_message,
        &message.poll_creation_message_v4,
        &message.bot_task_message,
        &message.bot_forwarded_message,
    ];
    wrappers.into_iter().find_map(|wrapper| wrapper.as_ref()?.message.as_deref())
}

#[cfg(test)]
mod tests {
    use super::*;
    use whimbrel_proto::decode;
    use whimbrel_proto::e2e::message::{ImageMessage, ProtocolMessage, SenderKeyDistributionMessage};

    fn quote(content: Option<Message>) -> Quote {
        Quote { message_id: "3EB0AA".to_owned(), author: Jid::lid("7"), content }
    }

    #[test]
    fn a_text_is_a_conversation_with_a_secret() {
        let message = text("hi", None, [5; 32]);
        assert_eq!(message.conversation.as_deref(), Some("hi"));
        assert_eq!(message.message_context_info.as_ref().unwrap().message_secret, Some(vec![5; 32]));
        assert_eq!(read(&message), Text { text: Some("hi".to_owned()), quoted: None });
    }

    #[test]
    fn a_quote_makes_it_an_extended_text_and_is_stripped() {
        let inner = text("second", Some(quote(Some(text("first", None, [1; 32])))), [2; 32]);
        let message = text("third", Some(quote(Some(inner))), [3; 32]);
        let read_back = read(&message);
        assert_eq!(read_back.text.as_deref(), Some("third"));
        let key = MessageKey { message_id: "3EB0AA".to_owned(), sender: Some(Jid::lid("7")) };
        assert_eq!(read_back.quoted, Some(key));
        let extended = message.extended_text_message.unwrap();
        let quoted = extended.context_info.unwrap().quoted_message.unwrap();
        assert_eq!(*quoted, Message { conversation: Some("second".to_owned()), ..Default::default() });
        let without = text("x", Some(quote(None)), [0; 32]);
        let context = without.extended_text_message.unwrap().context_info.unwrap();
        assert_eq!(context.quoted_message, Some(Box::default()));
    }

    #[test]
    fn copies_for_own_devices_open_to_the_same_content() {
        let original = text("hi", None, [5; 32]);
        let copy = device_sent(&Jid::lid("7"), original.clone());
        assert!(copy.message_context_info.is_some());
        assert_eq!(copy.device_sent_message.as_ref().unwrap().destination_jid.as_deref(), Some("7@lid"));
        let raw = encode(&copy);
        let opened = open(copy, raw);
        assert_eq!((&opened.message, opened.destination), (&original, Some(Jid::lid("7"))));
        assert_eq!(decode::<Message>(&opened.raw).unwrap(), original);
    }

    #[test]
    fn the_host_does_not_get_sender_keys() {
        let plain = text("hi", None, [5; 32]);
        let keys = SenderKeyDistributionMessage { group_id: Some("1@g.us".to_owned()), ..Default::default() };
        let message = Message { sender_key_distribution_message: Some(keys.into()), ..plain.clone() };
        let raw = encode(&message);
        let opened = open(message, raw);
        assert_eq!((opened.raw, opened.message), (encode(&plain), plain));
    }

    #[test]
    fn wrappers_are_taken_off_to_a_limit() {
        let wrap = |message: Message| Message {
            ephemeral_message: Some(Box::new(FutureProofMessage { message: Some(Box::new(message)) })),
            ..Default::default()
        };
        let nested = |levels| (0..levels).fold(text("in", None, [0; 32]), |message, _| wrap(message));
        assert_eq!(read(&nested(10)).text.as_deref(), Some("in"));
        assert_eq!(read(&nested(11)).text, None);
    }

    #[test]
    fn what_is_not_for_people_is_known() {
        assert!(is_empty(&Message::default()));
        let keys = Message { sender_key_distribution_message: Some(Box::default()), ..Default::default() };
        assert!(is_empty(&keys));
        assert!(!is_empty(&text("", None, [0; 32])));
        let image = Message { image_message: Some(Box::<ImageMessage>::default()), ..Default::default() };
        assert!(!is_empty(&image) && read(&image) == Text::default());
    }

    #[test]
    fn control_messages_have_a_type_also_when_it_is_left_out() {
        let control = |kind| {
            let protocol = ProtocolMessage { r#type: kind, ..Default::default() };
            Message { protocol_message: Some(protocol.into()), ..Default::default() }
        };
        assert_eq!(protocol_type(&control(Some(6))), Some(6));
        assert_eq!(protocol_type(&control(None)), Some(0));
        assert_eq!(protocol_type(&Message::default()), None);
    }
}
