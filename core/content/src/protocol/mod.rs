//! Control messages (messages document §10): what they say, and from whom it is believed.

mod trust;

pub use trust::{Speaker, is_trusted};

use whimbrel_proto::common::LimitSharing;
use whimbrel_proto::e2e::message::protocol_message::Type;
use whimbrel_proto::e2e::message::{
    AppStateSyncKeyRequest, AppStateSyncKeyShare, HistorySyncNotification, PeerDataOperationRequestMessage,
    PeerDataOperationRequestResponseMessage, ProtocolMessage,
};
use whimbrel_wire::Jid;

use crate::context::Timer;
use crate::key::{Key, jid};
use crate::stanza::protocol_type;

/// What a control message says. Those that change another message are
/// [add-ons](crate::addons::Addon).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Protocol {
    /// The timer of a direct chat was set.
    ChatTimer {
        /// The timer.
        timer: Timer,
        /// It answers a message with another timer: nobody has touched it, and nobody is told.
        is_answer: bool,
    },
    /// Content of the chat may be shared, or no longer.
    ChatPrivacy {
        /// It may not.
        limited: bool,
        /// When it was set, in milliseconds since 1970.
        set_at_ms: Option<i64>,
        /// The account that wrote it down set it.
        initiated_by_me: Option<bool>,
    },
    /// The sender no longer hides their phone number.
    PhoneShared,
    /// The sender's label in the group.
    MemberLabel {
        /// The label; `None`: it is removed.
        label: Option<String>,
        /// When it was set, in seconds since 1970.
        set_at: Option<i64>,
    },
    /// A status mentions the receiver.
    StatusMention {
        /// The status.
        status: Key,
    },
    /// A part of the history can be downloaded.
    History(Box<HistorySyncNotification>),
    /// Keys of the app state.
    KeyShare(AppStateSyncKeyShare),
    /// Keys of the app state are asked for.
    KeyRequest(AppStateSyncKeyRequest),
    /// The app state cannot be read any more.
    AppStateFatal {
        /// Names of its collections.
        collections: Vec<String>,
        /// When, in milliseconds since 1970.
        at_ms: Option<i64>,
    },
    /// Whether changes of identities are shown.
    SecurityNotifications {
        /// They are.
        enabled: bool,
    },
    /// The phone is asked for data.
    PeerRequest(Box<PeerDataOperationRequestMessage>),
    /// The phone hands data over.
    PeerAnswer(Box<PeerDataOperationRequestResponseMessage>),
    /// Phone numbers and the LIDs that belong to them, encoded.
    LidMapping {
        /// A `LIDMigrationMappingSyncPayload`.
        payload: Vec<u8>,
    },
    /// A bot is to greet.
    BotWelcome,
    /// What somebody thinks of a bot's answer.
    BotFeedback {
        /// The answer.
        target: Key,
    },
    /// A bot is to stop.
    StopGeneration {
        /// Its answer.
        target: Key,
    },
    /// A bot reminds of a message.
    Reminder {
        /// The message.
        target: Key,
    },
    /// A business's chat changes hands between machines and people.
    ThreadControl {
        /// What happened: 1 passed on, 2 taken, 3 told.
        status: Option<i32>,
        /// The customer by LID.
        consumer: Option<Jid>,
        /// The customer by phone number, digits.
        consumer_phone: Option<String>,
        /// When, in milliseconds since 1970.
        at_ms: Option<i64>,
    },
    /// A planned message is taken back.
    Unschedule {
        /// The message.
        target: Key,
    },
    /// An identity was verified on another device.
    Verified {
        /// Whose.
        user: Option<Jid>,
        /// It was; otherwise the verification was taken back.
        verified: bool,
    },
    /// Something without meaning for this client, by its number.
    Ignored(i32),
    /// Something that this version does not know, by its number.
    Unknown(i32),
}

impl Protocol {
    /// Reads a control message that is no add-on.
    pub(crate) fn read(protocol: ProtocolMessage) -> Self {
        let number = protocol.r#type.unwrap_or_default();
        let Some(kind) = protocol_type(&protocol) else { return Self::Unknown(number) };
        match kind {
            Type::EphemeralSetting | Type::EphemeralSyncResponse => {
                let seconds = Some(protocol.ephemeral_expiration.unwrap_or_default());
                let timer =
                    Timer::read(seconds, protocol.ephemeral_setting_timestamp, protocol.disappearing_mode);
                let is_answer = kind == Type::EphemeralSyncResponse;
                Self::ChatTimer { timer: timer.unwrap_or_default(), is_answer }
            }
            Type::LimitSharing => {
                let LimitSharing {
                    sharing_limited, limit_sharing_setting_timestamp, initiated_by_me, ..
                } = protocol.limit_sharing.unwrap_or_default();
                Self::ChatPrivacy {
                    limited: sharing_limited.unwrap_or_default(),
                    set_at_ms: limit_sharing_setting_timestamp,
                    initiated_by_me,
                }
            }
            Type::SharePhoneNumber => Self::PhoneShared,
            Type::GroupMemberLabelChange => {
                let label = protocol.member_label.unwrap_or_default();
                Self::MemberLabel {
                    label: label.label.filter(|label| !label.is_empty()),
                    set_at: label.label_timestamp,
                }
            }
            Type::StatusMentionMessage => Self::StatusMention { status: Key::read(protocol.key) },
            Type::HistorySyncNotification
            | Type::AppStateSyncKeyShare
            | Type::AppStateSyncKeyRequest
            | Type::AppStateFatalExceptionNotification
            | Type::InitialSecurityNotificationSettingSync
            | Type::PeerDataOperationRequestMessage
            | Type::PeerDataOperationRequestResponseMessage
            | Type::LidMigrationMappingSync => Self::read_internal(kind, protocol),
            Type::RequestWelcomeMessage => Self::BotWelcome,
            Type::BotFeedbackMessage => Self::BotFeedback { target: Key::read(protocol.key) },
            Type::StopGenerationMessage => Self::StopGeneration { target: Key::read(protocol.key) },
            Type::ReminderMessage => Self::Reminder { target: Key::read(protocol.key) },
            Type::MessageUnschedule => Self::Unschedule { target: Key::read(protocol.key) },
            Type::CloudApiThreadControlNotification => {
                let control = protocol.cloud_api_thread_control_notification.unwrap_or_default();
                Self::ThreadControl {
                    status: control.status,
                    consumer: jid(control.consumer_lid),
                    consumer_phone: control.consumer_phone_number,
                    at_ms: control.sender_notification_timestamp_ms,
                }
            }
            Type::MarkAsVerifiedAction => {
                let action = protocol.mark_as_verified_action.unwrap_or_default();
                let verified = action.verified.unwrap_or_default();
                Self::Verified { user: jid(action.user_jid_string), verified }
            }
            _ => Self::Ignored(number),
        }
    }

    /// What only own devices say to each other.
    fn read_internal(kind: Type, protocol: ProtocolMessage) -> Self {
        match kind {
            Type::HistorySyncNotification => {
                Self::History(Box::new(protocol.history_sync_notification.map(|it| *it).unwrap_or_default()))
            }
            Type::AppStateSyncKeyShare => {
                Self::KeyShare(protocol.app_state_sync_key_share.unwrap_or_default())
            }
            Type::AppStateSyncKeyRequest => {
                Self::KeyRequest(protocol.app_state_sync_key_request.unwrap_or_default())
            }
            Type::AppStateFatalExceptionNotification => {
                let fatal = protocol.app_state_fatal_exception_notification.unwrap_or_default();
                Self::AppStateFatal { collections: fatal.collection_names, at_ms: fatal.timestamp }
            }
            Type::InitialSecurityNotificationSettingSync => {
                let setting = protocol.initial_security_notification_setting_sync.unwrap_or_default();
                Self::SecurityNotifications {
                    enabled: setting.security_notification_enabled.unwrap_or_default(),
                }
            }
            Type::PeerDataOperationRequestMessage => Self::PeerRequest(Box::new(
                protocol.peer_data_operation_request_message.map(|it| *it).unwrap_or_default(),
            )),
            Type::PeerDataOperationRequestResponseMessage => Self::PeerAnswer(Box::new(
                protocol.peer_data_operation_request_response_message.unwrap_or_default(),
            )),
            Type::LidMigrationMappingSync => {
                let mapping = protocol.lid_migration_mapping_sync_message.unwrap_or_default();
                Self::LidMapping { payload: mapping.encoded_mapping_payload.unwrap_or_default() }
            }
            _ => Self::Ignored(kind as i32),
        }
    }
}
