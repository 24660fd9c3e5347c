//! What stands inside the encryption: building and reading of `Message`s.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use whimbrel_content::addons::Addon;
use whimbrel_content::classify::Class;
use whimbrel_content::protocol::Protocol;
use whimbrel_content::unwrap;
use whimbrel_proto::e2e::message::protocol_message::Type;
use whimbrel_proto::e2e::message::{
    AppStateSyncKey, AppStateSyncKeyId, AppStateSyncKeyShare, DeviceSentMessage, HistorySyncNotification,
    HistorySyncType, InitialSecurityNotificationSettingSync, PeerDataOperationRequestMessage,
    PeerDataOperationRequestResponseMessage, ProtocolMessage,
};
use whimbrel_proto::e2e::{DeviceListMetadata, LidMigrationMappingSyncMessage, Message, MessageContextInfo};
use whimbrel_proto::history::{HistorySync, PhoneNumberToLidMapping, Pushname, history_sync};
use whimbrel_proto::lid::{LidMigrationMapping, LidMigrationMappingSyncPayload};
use whimbrel_wire::Jid;

/// Version of what a message tells about lists of devices.
const LIST_METADATA: i32 = 2;

/// A text with its message secret, as every official client adds one.
///
/// `signed_at`: when the account's list of devices was signed, if that is told.
pub(crate) fn text(text: &str, secret: [u8; 32], signed_at: Option<u64>) -> Message {
    let metadata = signed_at.map(|signed_at| {
        Box::new(DeviceListMetadata { sender_timestamp: Some(signed_at), ..DeviceListMetadata::default() })
    });
    Message {
        conversation: Some(text.to_owned()),
        message_context_info: Some(Box::new(MessageContextInfo {
            message_secret: Some(secret.to_vec()),
            device_list_metadata_version: metadata.is_some().then_some(LIST_METADATA),
            device_list_metadata: metadata,
            ..MessageContextInfo::default()
        })),
        ..Message::default()
    }
}

/// The form in which the account's own other devices get a message that went to `chat`.
///
/// The context info moves to the outside (message document §1.2).
pub(crate) fn device_sent(chat: &str, mut message: Message) -> Message {
    let context = message.message_context_info.take();
    Message {
        device_sent_message: Some(Box::new(DeviceSentMessage {
            destination_jid: Some(chat.to_owned()),
            message: Some(Box::new(message)),
            phash: None,
        })),
        message_context_info: context,
        ..Message::default()
    }
}

fn protocol(message: ProtocolMessage) -> Message {
    Message { protocol_message: Some(Box::new(message)), ..Message::default() }
}

/// Hands app-state keys to a companion.
pub(crate) fn key_share(keys: Vec<AppStateSyncKey>) -> Message {
    protocol(ProtocolMessage {
        r#type: Some(Type::AppStateSyncKeyShare.into()),
        app_state_sync_key_share: Some(AppStateSyncKeyShare { keys }),
        ..ProtocolMessage::default()
    })
}

/// Tells a companion which addresses belong together, and when the account moved to LIDs (media and
/// history document §22).
pub(crate) fn migration(pairs: &[(String, String)], now: u64) -> Message {
    let number = |address: &str| address.split('@').next().and_then(|user| user.parse().ok());
    let mappings = pairs.iter().map(|(pn, lid)| LidMigrationMapping {
        pn: number(pn),
        assigned_lid: number(lid),
        latest_lid: None,
    });
    let payload = LidMigrationMappingSyncPayload {
        pn_to_lid_mappings: mappings.collect(),
        chat_db_migration_timestamp: Some(now),
    };
    protocol(ProtocolMessage {
        r#type: Some(Type::LidMigrationMappingSync.into()),
        lid_migration_mapping_sync_message: Some(LidMigrationMappingSyncMessage {
            encoded_mapping_payload: Some(whimbrel_proto::encode(&payload)),
        }),
        ..ProtocolMessage::default()
    })
}

/// Tells somebody the phone number behind a LID; the number stands outside, in the stanza.
pub(crate) fn shared_number() -> Message {
    protocol(ProtocolMessage { r#type: Some(Type::SharePhoneNumber.into()), ..ProtocolMessage::default() })
}

/// Answers a companion's request for data.
pub(crate) fn data(response: PeerDataOperationRequestResponseMessage) -> Message {
    protocol(ProtocolMessage {
        r#type: Some(Type::PeerDataOperationRequestResponseMessage.into()),
        peer_data_operation_request_response_message: Some(response),
        ..ProtocolMessage::default()
    })
}

/// Tells a companion whether changed identities shall be shown.
pub(crate) fn security_setting(enabled: bool) -> Message {
    protocol(ProtocolMessage {
        r#type: Some(Type::InitialSecurityNotificationSettingSync.into()),
        initial_security_notification_setting_sync: Some(InitialSecurityNotificationSettingSync {
            security_notification_enabled: Some(enabled),
        }),
        ..ProtocolMessage::default()
    })
}

/// What a companion is told about the account when it starts.
#[derive(Debug, Clone)]
pub(crate) struct History {
    /// Pairs of phone-number and hidden addresses that the phone knows, its own among them.
    pub(crate) people: Vec<(String, String)>,
    /// Own address and push name.
    pub(crate) own_name: (String, String),
}

/// History of an account without chats, small enough to travel inside the message.
///
/// Companions wait for a history notification before they call themselves ready (Baileys: 20 s).
pub(crate) fn history(history: &History, kind: history_sync::HistorySyncType) -> Message {
    let blob = HistorySync {
        sync_type: Some(kind.into()),
        chunk_order: Some(1),
        progress: Some(100),
        pushnames: match kind {
            history_sync::HistorySyncType::PushName => vec![Pushname {
                id: Some(history.own_name.0.clone()),
                pushname: Some(history.own_name.1.clone()),
            }],
            _ => Vec::new(),
        },
        phone_number_to_lid_mappings: history
            .people
            .iter()
            .map(|(pn, lid)| PhoneNumberToLidMapping { pn_jid: Some(pn.clone()), lid_jid: Some(lid.clone()) })
            .collect(),
        ..HistorySync::default()
    };
    let payload = deflate(&whimbrel_proto::encode(&blob));
    let kind = match kind {
        history_sync::HistorySyncType::PushName => HistorySyncType::PushName,
        history_sync::HistorySyncType::Recent => HistorySyncType::Recent,
        _ => HistorySyncType::InitialBootstrap,
    };
    protocol(ProtocolMessage {
        r#type: Some(Type::HistorySyncNotification.into()),
        history_sync_notification: Some(Box::new(HistorySyncNotification {
            file_length: Some(payload.len() as u64),
            sync_type: Some(kind.into()),
            chunk_order: Some(1),
            progress: Some(100),
            initial_hist_bootstrap_inline_payload: Some(payload),
            ..HistorySyncNotification::default()
        })),
        ..ProtocolMessage::default()
    })
}

/// zlib form (RFC 1950), the only one that clients inflate.
fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    // Writing to memory cannot fail; an empty result would be refused by the reader's checksum.
    encoder.write_all(bytes).and_then(|()| encoder.finish()).unwrap_or_default()
}

/// Something for a chat.
#[derive(Debug, PartialEq)]
pub(crate) struct Shown {
    /// What kind of content, add-on or control message it is: a word of the messages document.
    pub(crate) kind: &'static str,
    /// Its words, or the emoji of a reaction; may be empty.
    pub(crate) text: String,
    /// The message, encoded, without what is for devices.
    pub(crate) raw: Vec<u8>,
}

/// What a decrypted message turned out to be.
#[derive(Debug, PartialEq)]
pub(crate) enum Content {
    /// Something for a chat.
    Shown(Shown),
    /// Something that another own device sent to the chat named here.
    Sent {
        /// Address of the chat.
        chat: String,
        /// What it sent.
        shown: Shown,
    },
    /// A companion asks for app-state keys.
    KeyRequest(Vec<Vec<u8>>),
    /// A companion asks the phone for data.
    DataRequest(Box<PeerDataOperationRequestMessage>),
    /// A companion hands app-state keys over.
    KeyShare(Vec<AppStateSyncKey>),
    /// A companion gave app state up.
    AppStateGivenUp,
    /// A kind that simulated phones do not show.
    Unsupported,
    /// From a stranger, although only own devices may say it.
    Forged,
}

/// Reads a decrypted message. `own` tells whether a device of the own account wrote it.
pub(crate) fn read(message: Message, own: bool) -> Content {
    if let Some(sent) = &message.device_sent_message {
        if !own {
            return Content::Forged;
        }
        let chat = sent.destination_jid.clone();
        return match (chat, shown(unwrap::for_host(message))) {
            (Some(chat), Some(shown)) => Content::Sent { chat, shown },
            _ => Content::Unsupported,
        };
    }
    if let Some(protocol) = &message.protocol_message {
        match read_protocol(protocol.as_ref().clone(), own) {
            Content::Unsupported => {}
            known => return known,
        }
    }
    shown(unwrap::for_host(message)).map_or(Content::Unsupported, Content::Shown)
}

/// What the chat shows of a message, as far as it is for people.
fn shown(message: Message) -> Option<Shown> {
    let raw = whimbrel_proto::encode(&message);
    let (kind, text) = match whimbrel_content::reread(message, &Jid::SERVER, false).class {
        Class::Message(it) => (it.content.kind(), it.content.body()),
        Class::Addon(addon) => match addon.as_ref() {
            Addon::Reaction(reaction) => (addon.kind(), reaction.emoji.clone()),
            Addon::Edit(edit) => (addon.kind(), edit.content.body()),
            _ => (addon.kind(), None),
        },
        Class::Protocol(protocol) => match *protocol {
            Protocol::ChatTimer { timer, .. } => ("chat_timer", Some(timer.seconds.to_string())),
            Protocol::ChatPrivacy { .. } => ("chat_privacy", None),
            Protocol::MemberLabel { label, .. } => ("member_label", label),
            _ => return None,
        },
        _ => return None,
    };
    Some(Shown { kind, text: text.unwrap_or_default(), raw })
}

fn read_protocol(protocol: ProtocolMessage, own: bool) -> Content {
    // Only what own devices may say is of interest to the phone (message document §10).
    let kind = protocol.r#type.and_then(|kind| Type::try_from(kind).ok());
    match kind {
        Some(Type::AppStateSyncKeyRequest | Type::PeerDataOperationRequestMessage) if !own => Content::Forged,
        Some(Type::AppStateSyncKeyRequest) => {
            let ids = protocol.app_state_sync_key_request.map(|request| request.key_ids).unwrap_or_default();
            Content::KeyRequest(ids.into_iter().filter_map(|id| id.key_id).collect())
        }
        Some(Type::PeerDataOperationRequestMessage) => match protocol.peer_data_operation_request_message {
            Some(request) => Content::DataRequest(request),
            None => Content::Unsupported,
        },
        Some(Type::AppStateSyncKeyShare) if own => {
            let shared = protocol.app_state_sync_key_share.map(|share| share.keys).unwrap_or_default();
            Content::KeyShare(shared)
        }
        Some(Type::AppStateFatalExceptionNotification) if own => Content::AppStateGivenUp,
        _ => Content::Unsupported,
    }
}

/// The id of a key in the form that messages carry.
pub(crate) fn key_id(id: &[u8]) -> AppStateSyncKeyId {
    AppStateSyncKeyId { key_id: Some(id.to_vec()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;
    use whimbrel_proto::e2e::message::{AppStateSyncKeyRequest, ExtendedTextMessage};

    #[test]
    fn reads_both_kinds_of_text() {
        let seen = |message: Message| match read(message, false) {
            Content::Shown(shown) => Some((shown.kind, shown.text)),
            _ => None,
        };
        assert_eq!(seen(text("hi", [7; 32], None)), Some(("text", "hi".into())));
        let extended = Message {
            extended_text_message: Some(Box::new(ExtendedTextMessage {
                text: Some("hello".into()),
                ..ExtendedTextMessage::default()
            })),
            ..Message::default()
        };
        assert_eq!(seen(extended), Some(("text", "hello".into())));
        assert_eq!(read(Message::default(), false), Content::Unsupported);
    }

    #[test]
    fn own_copies_carry_the_secret_outside_and_come_from_own_devices_only() {
        let copy = device_sent("240000000000009@lid", text("hi", [7; 32], None));
        let secret = copy.message_context_info.as_ref().unwrap().message_secret.clone();
        assert_eq!(secret, Some(vec![7; 32]));
        assert_eq!(read(copy.clone(), false), Content::Forged);
        let Content::Sent { chat, shown } = read(copy, true) else { panic!("a copy") };
        assert_eq!((chat.as_str(), shown.kind, shown.text.as_str()), ("240000000000009@lid", "text", "hi"));
        assert_eq!(whimbrel_proto::decode::<Message>(&shown.raw).unwrap(), text("hi", [7; 32], None));
    }

    #[test]
    fn key_requests_are_taken_from_own_devices_only() {
        let request = || {
            protocol(ProtocolMessage {
                r#type: Some(Type::AppStateSyncKeyRequest.into()),
                app_state_sync_key_request: Some(AppStateSyncKeyRequest { key_ids: vec![key_id(&[1, 2])] }),
                ..ProtocolMessage::default()
            })
        };
        assert_eq!(read(request(), true), Content::KeyRequest(vec![vec![1, 2]]));
        assert_eq!(read(request(), false), Content::Forged);
    }

    #[test]
    fn the_inline_history_inflates_to_what_it_was() {
        let people = vec![("15550001111@s.whatsapp.net".to_owned(), "240000000000001@lid".to_owned())];
        let told = History { people, own_name: ("15550001111@s.whatsapp.net".into(), "Ana".into()) };
        let message = history(&told, history_sync::HistorySyncType::PushName);
        let notification = message.protocol_message.unwrap().history_sync_notification.unwrap();
        let payload = notification.initial_hist_bootstrap_inline_payload.unwrap();
        let mut inflated = Vec::new();
        flate2::read::ZlibDecoder::new(payload.as_slice()).read_to_end(&mut inflated).unwrap();
        let read: HistorySync = whimbrel_proto::decode(&inflated).unwrap();
        assert_eq!(read.pushnames.first().and_then(|name| name.pushname.as_deref()), Some("Ana"));
        assert_eq!(read.phone_number_to_lid_mappings.len(), 1);
    }
}
