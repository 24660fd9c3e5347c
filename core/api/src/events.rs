//! Events as JSON, and the table of their kinds.
//!
//! Numbers are append-only, and whether a kind is journaled never changes.

mod addons;
mod appstate;
mod blocklist;
mod business;
mod calls;
mod channels;
mod communities;
mod groups;
mod history;
mod pictures;
mod presence;
mod privacy;
mod profile;

use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use whimbrel::content::key::Key;
use whimbrel::events::{self, EventKind};

use crate::content::{Content, MessageAssociation, MessageContext, Source};
use crate::operations::QuotedMessage;

pub use addons::{
    Act, ActOnMessage, ChatPrivacyChanged, ChatTimerChanged, Comment, ControlMessage, EditForm, EventAnswer,
    EventEdited, EventResponse, MemberLabelChanged, MessageEdited, MessageKept, MessagePinned,
    MessageRevoked, PollEdited, PollOptionAdded, PollVote, Reaction, SealedAddon, TargetMessage,
};
pub use appstate::{
    AppStateChanged, AppStateSynced, AppStateTrouble, AppStateTroubleType, AppStateWritten, ChatChangeType,
    ChatChanged, ContactChanged, LabelChangeType, LabelChanged, MessageMarkType, MessageMarked,
    QuickReplyChanged, SettingChanged, SettingType,
};
pub use blocklist::BlockedChanged;
pub use business::{BusinessChangeType, BusinessChanged};
pub use calls::{CallEnded, CallOffered, CallProgress, CallStep};
pub(crate) use channels::hexadecimal;
pub use channels::{
    ChannelChanged, ChannelCounts, ChannelJoined, ChannelLeft, ChannelMuted, ChannelPost,
    ChannelRoleChangeType, ChannelRoleChanged, PostChangeType, PostCounts, PostReactionCount, PostVoteCount,
};
pub use communities::{
    GroupLinked, GroupRelation, GroupSuggested, GroupSuggestion, JoinRequest, JoinRequestState, LinkedGroup,
};
pub use groups::{GroupChangeType, GroupChanged, GroupJoined, GroupLeft};
pub use history::{History, HistoryProgress, HistoryType};
pub use pictures::PictureChanged;
pub use presence::{ChatState, ChatStateChanged, PresenceChanged};
pub use privacy::{DefaultTimerChanged, PrivacyChanged};
pub use profile::{AboutChanged, UsernameChanged};

/// Milliseconds, as JSON numbers.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A chat or a person under every address known for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    /// The address that identifies it: the hidden id when known, else the phone number's; for
    /// groups their own.
    pub id: String,
    /// Address by phone number, if known.
    pub phone: Option<String>,
    /// Address by hidden id, if known.
    pub lid: Option<String>,
}

impl From<&events::Identity> for Identity {
    fn from(identity: &events::Identity) -> Self {
        Self {
            id: identity.id.to_string(),
            phone: identity.phone.as_ref().map(ToString::to_string),
            lid: identity.lid.as_ref().map(ToString::to_string),
        }
    }
}

/// Emitted when a message arrived, or another device of this account sent one. Answer it, show
/// it, or ignore it.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// Id within the chat and sender.
    pub message_id: String,
    /// The chat.
    pub chat: Identity,
    /// Who wrote it.
    pub sender: Identity,
    /// Number of the sender's device; 0 is the phone.
    pub sender_device: u16,
    /// Written by this account, on another device of it.
    pub from_me: bool,
    /// The service's time, seconds since 1970.
    pub timestamp: i64,
    /// Name that the sender gives itself, if the service told it.
    pub push_name: Option<String>,
    /// What it says: look at its `type`.
    pub content: Content,
    /// What surrounds it: mentions, forwarding, the chat's timer and the like.
    pub context: MessageContext,
    /// Its words: a text, a caption, a question; absent for content without any.
    pub text: Option<String>,
    /// The message that this one quotes.
    pub quoted: Option<QuotedMessage>,
    /// It is to be seen once.
    pub view_once: bool,
    /// It is a status.
    pub is_status: bool,
    /// It mentions this account, by name or with everyone.
    pub mentions_me: bool,
    /// The message that it belongs to, such as the head of an album.
    pub association: Option<MessageAssociation>,
    /// It counts as unread.
    pub unread: bool,
    /// It waited at the service while this client was away.
    pub offline: bool,
    /// Id of the `undecryptable` event that this message completes.
    pub completes: Option<String>,
    /// Size of the raw protobuf; a native call fetches it.
    pub raw_size: usize,
}

/// Emitted when a message arrived that could not be decrypted. The sender is asked to send it
/// again; when that works a `message` follows whose `completes` is this event's id.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Undecryptable {
    /// Id within the chat and sender.
    pub message_id: String,
    /// The chat.
    pub chat: Identity,
    /// Who wrote it.
    pub sender: Identity,
    /// Number of the sender's device.
    pub sender_device: u16,
    /// The service's time, seconds since 1970.
    pub timestamp: i64,
    /// Why, as a stable lowercase word such as `no_session` or `bad_mac`.
    pub reason: String,
}

/// What happened to messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptType {
    /// A device has them.
    Delivered,
    /// The person read them.
    Read,
    /// The person played or opened them.
    Played,
    /// Read on another device of this account.
    ReadSelf,
    /// A kind that this version does not know.
    Unknown,
}

/// Emitted when somebody's device received, read or played messages of this account.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    /// The chat.
    pub chat: Identity,
    /// Whose device it was.
    pub sender: Identity,
    /// Number of that device.
    pub sender_device: u16,
    /// The messages.
    pub message_ids: Vec<String>,
    /// What happened to them.
    pub receipt: ReceiptType,
    /// The service's time, seconds since 1970.
    pub timestamp: i64,
}

/// Emitted when the fate of a sent message is known and no call told it: the service has it, or it
/// cannot be sent. Every accepted message for whose fate no call waits ends in one. What
/// recipients do with it comes as receipts, in any order: a message is as far as the furthest of
/// delivered, read and played that was ever told, and never goes back.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SendStatus {
    /// The chat.
    pub chat: Identity,
    /// The message.
    pub message_id: String,
    /// Absent: the service has it. Otherwise the name of the error code, such as `NO_DEVICE`.
    pub error: Option<&'static str>,
    /// The number that the service refused it with, if it was the service.
    pub refused: Option<u16>,
    /// The service's time, seconds since 1970.
    pub timestamp: i64,
}

/// Emitted when the identity key of a person's device changed, as after a re-installation. Show
/// it where people rely on security codes.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct IdentityChanged {
    /// The person.
    pub who: Identity,
    /// Number of the device.
    pub device: u16,
}

/// Emitted when the `id` changes that identifies a person or chat, because its other address was
/// learned or a person got a new one. If you keep a chat or person under `from`, keep it under
/// `to.id` from now on, and merge the two if you have both. Every operation goes on taking the old
/// address.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChatMoved {
    /// The address that identified it so far.
    pub former: String,
    /// The person or chat as it is known now.
    pub chat: Identity,
}

/// Emitted when a person changed the phone number. The person's `id` stays. Show the new number.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NumberChanged {
    /// The person, with the new number.
    pub who: Identity,
    /// Address by the old number.
    pub former: String,
}

/// Emitted when a person whose number was hidden shared it. Show the number.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NumberShared {
    /// The person, with the number.
    pub who: Identity,
}

/// Emitted when this client was linked to a phone.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Linked {
    /// The account.
    pub account: Identity,
    /// Number of this device in the account.
    pub device: u16,
    /// The phone's platform, such as `android` or `iphone`.
    pub platform: String,
    /// Verified business name, if the account is a business.
    pub business_name: Option<String>,
}

/// Emitted when this device is no longer part of the account. The old keys are set aside; link
/// again to go on.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LoggedOut {
    /// A stable lowercase word: `removed`, `host`, `locked`, `banned`, `primary_gone`.
    pub reason: String,
    /// The number that the service gave, 0 if none.
    pub service_status: u16,
    /// What the service says about it to people, if it does.
    pub message: Option<String>,
}

/// Emitted when another connection with this client's keys took over. Find the second process;
/// this client stays disconnected until `connect`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Replaced {}

/// Emitted when the service refuses the account or this version for now. The client stays
/// disconnected until `connect`.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionRefused {
    /// The number that the service gave: 402 temporary ban, 405 client outdated, others; 0 if none.
    pub service_status: u16,
    /// Detail code of a temporary ban, 0 if none.
    pub detail: u16,
    /// When the refusal is said to end, in milliseconds from the event.
    pub expires_in_ms: Option<u64>,
    /// The raw type of a conflict that this version does not know.
    pub conflict: Option<String>,
    /// What the service says about it to people, if it does.
    pub message: Option<String>,
    /// Where people read more, if the service says so.
    pub url: Option<String>,
}

/// What an account is restricted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RestrictionType {
    /// The account may not write to people whom it has had no contact with.
    ReachoutTimelock,
    /// The account has begun as many chats as it may for now.
    NewChatCap,
    /// A kind that this version does not know.
    Other,
}

/// Emitted when the service restricts the account, says until when, or lifts that: messages that
/// would begin chats fail at once with `RESTRICTED` while it lasts; chats that exist and groups go
/// on. Stop writing to strangers, and tell the account's owner. With `until` it ends then without
/// another event; without, the engine lets a message through now and then to find out.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Restriction {
    /// What it is restricted in.
    pub restriction: RestrictionType,
    /// Whether the restriction is in force; `false`: it was lifted.
    pub active: bool,
    /// When it ends by itself, seconds since 1970, if the service said so.
    pub until: Option<i64>,
    /// The service's word for its reason, such as `BIZ_QUALITY`, if it gave one.
    pub reason: Option<String>,
}

/// Emitted when the service says when it stops accepting the version that this client presents,
/// or takes that back. The engine looks for a newer version by itself unless told otherwise; if
/// the time stays, set one before it comes.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VersionExpires {
    /// Seconds since 1970; absent: the service took an earlier date back.
    pub at: Option<i64>,
    /// The version, such as `2.3000.1`.
    pub version: String,
}

/// Emitted when the service asks for another pairing code than the one that `link_with_code`
/// returned. Show it instead.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PairingCodeChanged {
    /// The code, as `ABCD-EFGH`.
    pub code: String,
    /// How long it is valid, in milliseconds.
    pub valid_for_ms: u64,
}

/// Emitted when a pairing code is over without a link. QR codes go on; ask for another code if
/// the person wants one.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PairingCodeFailed {
    /// A stable lowercase word: `expired`, `ended` (by the service), `not_proved` (most likely
    /// the code was mistyped), `refused`, `disconnected`.
    pub reason: String,
    /// The number that the service gave, 0 if none.
    pub service_status: u16,
}

/// Emitted when the service demands a passkey of the account's owner for this link. Let the owner's
/// authenticator answer, and go on with `answer_passkey`. The codes go on meanwhile.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PasskeyRequired {
    /// The WebAuthn request options as JSON, if the service gave them.
    pub options: Option<String>,
}

/// Emitted when there is a QR text to show, and again whenever it changes.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Qr {
    /// What the QR symbol has to hold.
    pub text: String,
    /// How long it is valid, in milliseconds.
    pub valid_for_ms: u64,
}

/// Emitted when a linking attempt ended without a link. Start another one.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LinkFailed {
    /// A stable lowercase word: `codes_expired`, `hmac_mismatch`, `signature_mismatch`, `refused`,
    /// `phone_too_old`.
    pub reason: String,
}

/// State of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionStateName {
    /// Disconnected, and staying so until the host asks.
    Stopped,
    /// Dialling, or shaking hands.
    Connecting,
    /// Connected without a link: codes are being shown.
    Linking,
    /// Logged in; what waited at the service is arriving.
    CatchingUp,
    /// Logged in, and up to date.
    Online,
    /// Logged in, but the service has not answered a probe for some seconds: back to the state
    /// before when anything comes, else a new connection is made.
    Unresponsive,
    /// Disconnected; the next attempt follows.
    Waiting,
    /// A state that this version does not know.
    Unknown,
}

/// Emitted when the connection changes its state; only the latest counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionChanged {
    /// The state.
    pub state: ConnectionStateName,
    /// When the next attempt follows, in milliseconds; only when waiting.
    pub retry_in_ms: Option<u64>,
    /// Why the last connection ended, as a stable lowercase word; only when waiting.
    pub reason: Option<String>,
}

impl From<&events::ConnectionState> for ConnectionChanged {
    fn from(state: &events::ConnectionState) -> Self {
        use events::ConnectionState as State;
        let plain = |state| Self { state, retry_in_ms: None, reason: None };
        match state {
            State::Stopped => plain(ConnectionStateName::Stopped),
            State::Connecting => plain(ConnectionStateName::Connecting),
            State::Linking => plain(ConnectionStateName::Linking),
            State::CatchingUp => plain(ConnectionStateName::CatchingUp),
            State::Online => plain(ConnectionStateName::Online),
            State::Unresponsive => plain(ConnectionStateName::Unresponsive),
            State::Waiting { retry_in, reason } => Self {
                state: ConnectionStateName::Waiting,
                retry_in_ms: Some(millis(*retry_in)),
                reason: Some((*reason).to_owned()),
            },
            _ => plain(ConnectionStateName::Unknown),
        }
    }
}

/// Which way a file goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MediaDirection {
    /// To the media hosts.
    Upload,
    /// From them.
    Download,
}

/// Emitted when a transfer of a file got on that was given a name: about ten times a second, and at
/// its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MediaProgress {
    /// The name that the transfer was given.
    pub transfer: String,
    /// Which way the file goes.
    pub direction: MediaDirection,
    /// Bytes of the encrypted file that are transferred. It may go back when something has to be
    /// done again.
    pub done: u64,
    /// Of so many; 0 while that is not known.
    pub total: u64,
}

impl From<&events::MediaProgress> for MediaProgress {
    fn from(progress: &events::MediaProgress) -> Self {
        let direction = match progress.direction {
            events::MediaDirection::Upload => MediaDirection::Upload,
            _ => MediaDirection::Download,
        };
        let events::MediaProgress { transfer, done, total, .. } = progress.clone();
        Self { transfer, direction, done, total }
    }
}

/// Emitted last, when the client is closed; nothing follows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Closed {
    /// A stable lowercase word: `host`, `store_failed`, `internal`.
    pub reason: String,
}

/// What happened, with its kind as a tag.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[expect(missing_docs, reason = "each variant is documented by its struct")]
pub enum EventBody {
    Message(Box<Message>),
    Undecryptable(Undecryptable),
    Receipt(Receipt),
    SendStatus(SendStatus),
    IdentityChanged(IdentityChanged),
    Linked(Linked),
    LoggedOut(LoggedOut),
    Replaced(Replaced),
    ConnectionRefused(ConnectionRefused),
    Restriction(Restriction),
    VersionExpires(VersionExpires),
    PairingCode(PairingCodeChanged),
    PairingCodeFailed(PairingCodeFailed),
    PasskeyRequired(PasskeyRequired),
    GroupJoined(GroupJoined),
    GroupLeft(GroupLeft),
    GroupChanged(Box<GroupChanged>),
    JoinRequest(Box<JoinRequest>),
    GroupLinked(Box<GroupLinked>),
    GroupSuggested(Box<GroupSuggested>),
    ChatMoved(ChatMoved),
    NumberChanged(NumberChanged),
    NumberShared(NumberShared),
    Reaction(Box<Reaction>),
    MessageEdited(Box<MessageEdited>),
    MessageRevoked(Box<MessageRevoked>),
    PollVote(Box<PollVote>),
    PollEdited(Box<PollEdited>),
    PollOptionAdded(Box<PollOptionAdded>),
    EventAnswer(Box<EventAnswer>),
    EventEdited(Box<EventEdited>),
    MessagePinned(Box<MessagePinned>),
    MessageKept(Box<MessageKept>),
    Comment(Box<Comment>),
    SealedAddon(Box<SealedAddon>),
    ChatTimerChanged(Box<ChatTimerChanged>),
    ChatPrivacyChanged(Box<ChatPrivacyChanged>),
    MemberLabelChanged(Box<MemberLabelChanged>),
    ControlMessage(Box<ControlMessage>),
    ChannelPost(Box<ChannelPost>),
    ChannelCounts(ChannelCounts),
    ChannelJoined(Box<ChannelJoined>),
    ChannelLeft(ChannelLeft),
    ChannelChanged(Box<ChannelChanged>),
    ChannelRoleChanged(ChannelRoleChanged),
    ChannelMuted(ChannelMuted),
    CallOffered(Box<CallOffered>),
    CallProgress(CallProgress),
    CallEnded(Box<CallEnded>),
    BusinessChanged(BusinessChanged),
    History(History),
    PictureChanged(PictureChanged),
    UsernameChanged(UsernameChanged),
    AboutChanged(AboutChanged),
    BlockedChanged(BlockedChanged),
    DefaultTimerChanged(DefaultTimerChanged),
    PrivacyChanged(PrivacyChanged),
    /// A chat was archived, pinned, muted, locked, marked, cleared or deleted.
    ChatChanged(Box<ChatChanged>),
    /// A message got or lost its star, or was deleted for this account.
    MessageMarked(Box<MessageMarked>),
    /// A contact was saved or removed.
    ContactChanged(Box<ContactChanged>),
    /// A setting that the account's devices share has another value.
    SettingChanged(SettingChanged),
    /// A label was changed, given or taken away.
    LabelChanged(Box<LabelChanged>),
    /// A quick reply was made, changed or deleted.
    QuickReplyChanged(QuickReplyChanged),
    /// Something is wrong with what the account's devices share.
    AppStateTrouble(AppStateTrouble),
    /// Something else changed that the account's devices share.
    AppStateChanged(Box<AppStateChanged>),
    /// The fate of a change that this client asked for is known.
    AppStateWritten(AppStateWritten),
    /// What the account's devices share was read for the first time.
    AppStateSynced(AppStateSynced),
    Qr(Qr),
    LinkFailed(LinkFailed),
    MediaProgress(MediaProgress),
    HistoryProgress(HistoryProgress),
    Presence(PresenceChanged),
    ChatState(ChatStateChanged),
    Connection(ConnectionChanged),
    Closed(Closed),
    /// A kind that this version of the table does not know.
    Unknown {},
}

/// One event.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// Position in the journal, from 1, gap-free; absent for ephemeral events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sequence: Option<u64>,
    /// Stable id of a journaled event, the same on every delivery; empty for ephemeral ones.
    pub id: String,
    /// When the engine recorded it, milliseconds since 1970.
    pub recorded_at_ms: i64,
    /// What happened.
    #[serde(flatten)]
    pub body: EventBody,
}

impl From<&whimbrel::Event> for Event {
    fn from(event: &whimbrel::Event) -> Self {
        Self {
            sequence: event.sequence,
            id: event.id.clone(),
            recorded_at_ms: event.recorded_at_ms,
            body: EventBody::from(&event.kind),
        }
    }
}

impl From<&EventKind> for EventBody {
    fn from(kind: &EventKind) -> Self {
        match kind {
            EventKind::Message(event) => Self::Message(Box::new(message(event))),
            EventKind::Addon(event) => addons::addon(event),
            EventKind::Control(event) => addons::control(event),
            EventKind::Undecryptable(event) => Self::Undecryptable(Undecryptable {
                message_id: event.message_id.clone(),
                chat: (&event.chat).into(),
                sender: (&event.sender).into(),
                sender_device: event.sender_device,
                timestamp: event.timestamp,
                reason: event.reason.clone().into_owned(),
            }),
            EventKind::Receipt(event) => Self::Receipt(Receipt {
                chat: (&event.chat).into(),
                sender: (&event.sender).into(),
                sender_device: event.sender_device,
                message_ids: event.message_ids.clone(),
                receipt: match event.kind {
                    events::ReceiptKind::Delivered => ReceiptType::Delivered,
                    events::ReceiptKind::Read => ReceiptType::Read,
                    events::ReceiptKind::Played => ReceiptType::Played,
                    events::ReceiptKind::ReadSelf => ReceiptType::ReadSelf,
                    _ => ReceiptType::Unknown,
                },
                timestamp: event.timestamp,
            }),
            EventKind::SendStatus(event) => Self::SendStatus(SendStatus {
                chat: (&event.chat).into(),
                message_id: event.message_id.clone(),
                error: event.error.map(|code| crate::codes::info(code).name),
                refused: event.refused,
                timestamp: event.timestamp,
            }),
            EventKind::IdentityChanged(event) => {
                Self::IdentityChanged(IdentityChanged { who: (&event.who).into(), device: event.device })
            }
            EventKind::Linked(event) => Self::Linked(Linked {
                account: (&event.account).into(),
                device: event.device,
                platform: event.platform.clone(),
                business_name: event.business_name.clone(),
            }),
            EventKind::LoggedOut(event) => Self::LoggedOut(LoggedOut {
                reason: event.reason.clone().into_owned(),
                service_status: event.service_status,
                message: event.message.clone(),
            }),
            EventKind::Replaced => Self::Replaced(Replaced {}),
            EventKind::ConnectionRefused(event) => Self::ConnectionRefused(ConnectionRefused {
                service_status: event.service_status,
                detail: event.detail,
                expires_in_ms: event.expires_in.map(millis),
                conflict: event.conflict.clone(),
                message: event.message.clone(),
                url: event.url.clone(),
            }),
            EventKind::Restriction(event) => Self::Restriction(Restriction {
                restriction: match event.kind {
                    events::RestrictionKind::ReachoutTimelock => RestrictionType::ReachoutTimelock,
                    events::RestrictionKind::NewChatCap => RestrictionType::NewChatCap,
                    _ => RestrictionType::Other,
                },
                active: event.active,
                until: event.until,
                reason: event.reason.clone(),
            }),
            EventKind::VersionExpires(event) => {
                Self::VersionExpires(VersionExpires { at: event.at, version: event.version.clone() })
            }
            EventKind::PairingCode(event) => Self::PairingCode(PairingCodeChanged {
                code: event.code.clone(),
                valid_for_ms: millis(event.valid_for),
            }),
            EventKind::PairingCodeFailed(event) => Self::PairingCodeFailed(PairingCodeFailed {
                reason: event.reason.to_owned(),
                service_status: event.service_status,
            }),
            EventKind::PasskeyRequired(event) => {
                Self::PasskeyRequired(PasskeyRequired { options: event.options.clone() })
            }
            EventKind::GroupJoined(event) => Self::GroupJoined(event.into()),
            EventKind::GroupLeft(event) => Self::GroupLeft(event.into()),
            EventKind::GroupChanged(event) => Self::GroupChanged(Box::new(event.into())),
            EventKind::JoinRequest(event) => Self::JoinRequest(Box::new(event.into())),
            EventKind::GroupLinked(event) => Self::GroupLinked(Box::new(event.into())),
            EventKind::GroupSuggested(event) => Self::GroupSuggested(Box::new(event.into())),
            EventKind::ChatMoved(event) => {
                Self::ChatMoved(ChatMoved { former: event.former.to_string(), chat: (&event.chat).into() })
            }
            EventKind::NumberChanged(event) => Self::NumberChanged(NumberChanged {
                who: (&event.who).into(),
                former: event.former.to_string(),
            }),
            EventKind::NumberShared(event) => Self::NumberShared(NumberShared { who: (&event.who).into() }),
            EventKind::ChannelPost(event) => Self::ChannelPost(Box::new(event.as_ref().into())),
            EventKind::ChannelCounts(event) => Self::ChannelCounts(event.into()),
            EventKind::ChannelJoined(event) => Self::ChannelJoined(Box::new(event.as_ref().into())),
            EventKind::ChannelLeft(event) => Self::ChannelLeft(event.into()),
            EventKind::ChannelChanged(event) => Self::ChannelChanged(Box::new(event.as_ref().into())),
            EventKind::ChannelRoleChanged(event) => Self::ChannelRoleChanged(event.into()),
            EventKind::ChannelMuted(event) => Self::ChannelMuted(event.into()),
            EventKind::CallOffered(event) => Self::CallOffered(Box::new(event.as_ref().into())),
            EventKind::CallProgress(event) => Self::CallProgress(event.into()),
            EventKind::CallEnded(event) => Self::CallEnded(Box::new(event.as_ref().into())),
            EventKind::BusinessChanged(event) => Self::BusinessChanged(event.into()),
            EventKind::History(event) => Self::History(event.into()),
            EventKind::PictureChanged(event) => Self::PictureChanged(event.into()),
            EventKind::UsernameChanged(event) => Self::UsernameChanged(event.into()),
            EventKind::AboutChanged(event) => Self::AboutChanged(event.into()),
            EventKind::BlockedChanged(event) => Self::BlockedChanged(event.into()),
            EventKind::DefaultTimerChanged(event) => Self::DefaultTimerChanged(event.into()),
            EventKind::PrivacyChanged(event) => Self::PrivacyChanged(event.into()),
            EventKind::ChatChanged(event) => Self::ChatChanged(Box::new(event.as_ref().into())),
            EventKind::MessageMarked(event) => Self::MessageMarked(Box::new(event.as_ref().into())),
            EventKind::ContactChanged(event) => Self::ContactChanged(Box::new(event.as_ref().into())),
            EventKind::SettingChanged(event) => Self::SettingChanged(event.as_ref().into()),
            EventKind::LabelChanged(event) => Self::LabelChanged(Box::new(event.as_ref().into())),
            EventKind::QuickReplyChanged(event) => Self::QuickReplyChanged(event.as_ref().into()),
            EventKind::StateTrouble(event) => Self::AppStateTrouble(event.into()),
            EventKind::StateChanged(event) => Self::AppStateChanged(Box::new(event.as_ref().into())),
            EventKind::StateWritten(event) => Self::AppStateWritten(event.into()),
            EventKind::StateSynced(event) => Self::AppStateSynced(event.into()),
            EventKind::Qr(event) => {
                Self::Qr(Qr { text: event.text.clone(), valid_for_ms: millis(event.valid_for) })
            }
            EventKind::LinkFailed(event) => Self::LinkFailed(LinkFailed { reason: event.reason.to_owned() }),
            EventKind::MediaProgress(progress) => Self::MediaProgress(progress.into()),
            EventKind::HistoryProgress(progress) => Self::HistoryProgress(progress.into()),
            EventKind::Presence(event) => Self::Presence(event.into()),
            EventKind::ChatState(event) => Self::ChatState(event.into()),
            EventKind::Connection(state) => Self::Connection(state.into()),
            EventKind::Closed(reason) => Self::Closed(Closed {
                reason: match reason {
                    events::ClosedReason::Host => "host",
                    events::ClosedReason::StoreFailed => "store_failed",
                    _ => "internal",
                }
                .to_owned(),
            }),
            _ => Self::Unknown {},
        }
    }
}

fn message(event: &events::Message) -> Message {
    let key = match event.from_me {
        true => Key::own(&event.chat.id, &event.message_id),
        false => Key::foreign(&event.chat.id, &event.message_id, &event.sender.id),
    };
    Message {
        content: Content::of(&event.content, Source { message: Some(&key) }),
        context: (&event.context).into(),
        view_once: event.view_once,
        is_status: event.is_status,
        mentions_me: event.mentions_me,
        association: event.association.as_ref().map(Into::into),
        unread: event.unread,
        message_id: event.message_id.clone(),
        chat: (&event.chat).into(),
        sender: (&event.sender).into(),
        sender_device: event.sender_device,
        from_me: event.from_me,
        timestamp: event.timestamp,
        push_name: event.push_name.clone(),
        text: event.text.clone(),
        quoted: event.quoted.as_ref().map(|key| QuotedMessage {
            message_id: key.message_id.clone(),
            sender: key.sender.as_ref().map(ToString::to_string),
        }),
        offline: event.offline,
        completes: event.completes.clone(),
        raw_size: event.raw.len(),
    }
}

/// A kind of event in the table.
#[derive(Clone, Copy)]
pub struct EventEntry {
    /// The stable number.
    pub number: u16,
    /// The stable name, the `kind` of the JSON form.
    pub name: &'static str,
    /// Whether it is journaled: durable, numbered and offered again until acknowledged.
    pub journaled: bool,
    schema: fn(&mut SchemaGenerator) -> Schema,
}

impl EventEntry {
    pub(crate) fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        (self.schema)(generator)
    }
}

const fn journaled<T: JsonSchema>(number: u16, name: &'static str) -> EventEntry {
    EventEntry { number, name, journaled: true, schema: schema::<T> }
}

const fn ephemeral<T: JsonSchema>(number: u16, name: &'static str) -> EventEntry {
    EventEntry { number, name, journaled: false, schema: schema::<T> }
}

fn schema<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

/// Every kind of event, by number.
pub static EVENTS: &[EventEntry] = &[
    journaled::<Message>(1, "message"),
    journaled::<Undecryptable>(2, "undecryptable"),
    journaled::<Receipt>(3, "receipt"),
    journaled::<SendStatus>(4, "send_status"),
    journaled::<IdentityChanged>(5, "identity_changed"),
    journaled::<Linked>(6, "linked"),
    journaled::<LoggedOut>(7, "logged_out"),
    journaled::<Replaced>(8, "replaced"),
    journaled::<ConnectionRefused>(9, "connection_refused"),
    journaled::<Restriction>(13, "restriction"),
    journaled::<VersionExpires>(16, "version_expires"),
    journaled::<GroupJoined>(20, "group_joined"),
    journaled::<GroupLeft>(21, "group_left"),
    journaled::<GroupChanged>(22, "group_changed"),
    journaled::<JoinRequest>(23, "join_request"),
    journaled::<GroupLinked>(24, "group_linked"),
    journaled::<GroupSuggested>(25, "group_suggested"),
    journaled::<ChatMoved>(30, "chat_moved"),
    journaled::<NumberChanged>(31, "number_changed"),
    journaled::<NumberShared>(32, "number_shared"),
    journaled::<Reaction>(40, "reaction"),
    journaled::<MessageEdited>(41, "message_edited"),
    journaled::<MessageRevoked>(42, "message_revoked"),
    journaled::<PollVote>(43, "poll_vote"),
    journaled::<PollEdited>(44, "poll_edited"),
    journaled::<PollOptionAdded>(45, "poll_option_added"),
    journaled::<EventAnswer>(46, "event_answer"),
    journaled::<EventEdited>(47, "event_edited"),
    journaled::<MessagePinned>(48, "message_pinned"),
    journaled::<MessageKept>(49, "message_kept"),
    journaled::<Comment>(50, "comment"),
    journaled::<SealedAddon>(51, "sealed_addon"),
    journaled::<ChatTimerChanged>(52, "chat_timer_changed"),
    journaled::<ChatPrivacyChanged>(53, "chat_privacy_changed"),
    journaled::<MemberLabelChanged>(54, "member_label_changed"),
    journaled::<ControlMessage>(55, "control_message"),
    journaled::<ChannelPost>(56, "channel_post"),
    journaled::<ChannelCounts>(57, "channel_counts"),
    journaled::<History>(60, "history"),
    journaled::<PictureChanged>(61, "picture_changed"),
    journaled::<PrivacyChanged>(62, "privacy_changed"),
    journaled::<DefaultTimerChanged>(63, "default_timer_changed"),
    journaled::<BlockedChanged>(64, "blocked_changed"),
    journaled::<AboutChanged>(65, "about_changed"),
    journaled::<UsernameChanged>(66, "username_changed"),
    journaled::<ChatChanged>(70, "chat_changed"),
    journaled::<MessageMarked>(71, "message_marked"),
    journaled::<ContactChanged>(72, "contact_changed"),
    journaled::<SettingChanged>(73, "setting_changed"),
    journaled::<LabelChanged>(74, "label_changed"),
    journaled::<QuickReplyChanged>(75, "quick_reply_changed"),
    journaled::<AppStateTrouble>(76, "app_state_trouble"),
    journaled::<AppStateChanged>(77, "app_state_changed"),
    journaled::<AppStateWritten>(78, "app_state_written"),
    journaled::<AppStateSynced>(79, "app_state_synced"),
    journaled::<ChannelJoined>(80, "channel_joined"),
    journaled::<ChannelLeft>(81, "channel_left"),
    journaled::<ChannelChanged>(82, "channel_changed"),
    journaled::<ChannelRoleChanged>(83, "channel_role_changed"),
    journaled::<ChannelMuted>(84, "channel_muted"),
    journaled::<CallOffered>(90, "call_offered"),
    journaled::<CallProgress>(91, "call_progress"),
    journaled::<CallEnded>(92, "call_ended"),
    journaled::<BusinessChanged>(93, "business_changed"),
    ephemeral::<Qr>(100, "qr"),
    ephemeral::<LinkFailed>(101, "link_failed"),
    ephemeral::<ConnectionChanged>(102, "connection"),
    ephemeral::<Closed>(103, "closed"),
    ephemeral::<PairingCodeChanged>(104, "pairing_code"),
    ephemeral::<PairingCodeFailed>(105, "pairing_code_failed"),
    ephemeral::<PasskeyRequired>(106, "passkey_required"),
    ephemeral::<MediaProgress>(107, "media_progress"),
    ephemeral::<HistoryProgress>(108, "history_progress"),
    ephemeral::<PresenceChanged>(109, "presence"),
    ephemeral::<ChatStateChanged>(110, "chat_state"),
];

/// The stable number of an event's kind; 0 for kinds that this table does not know.
pub fn number(kind: &EventKind) -> u16 {
    match kind {
        EventKind::Message(_) => 1,
        EventKind::Undecryptable(_) => 2,
        EventKind::Receipt(_) => 3,
        EventKind::SendStatus(_) => 4,
        EventKind::IdentityChanged(_) => 5,
        EventKind::Linked(_) => 6,
        EventKind::LoggedOut(_) => 7,
        EventKind::Replaced => 8,
        EventKind::ConnectionRefused(_) => 9,
        EventKind::Restriction(_) => 13,
        EventKind::VersionExpires(_) => 16,
        EventKind::GroupJoined(_) => 20,
        EventKind::GroupLeft(_) => 21,
        EventKind::GroupChanged(_) => 22,
        EventKind::JoinRequest(_) => 23,
        EventKind::GroupLinked(_) => 24,
        EventKind::GroupSuggested(_) => 25,
        EventKind::ChatMoved(_) => 30,
        EventKind::NumberChanged(_) => 31,
        EventKind::NumberShared(_) => 32,
        EventKind::Addon(event) => addons::addon_number(event),
        EventKind::Control(event) => addons::control_number(event),
        EventKind::ChannelPost(_) => 56,
        EventKind::ChannelCounts(_) => 57,
        EventKind::History(_) => 60,
        EventKind::PictureChanged(_) => 61,
        EventKind::PrivacyChanged(_) => 62,
        EventKind::DefaultTimerChanged(_) => 63,
        EventKind::BlockedChanged(_) => 64,
        EventKind::AboutChanged(_) => 65,
        EventKind::UsernameChanged(_) => 66,
        EventKind::ChatChanged(_) => 70,
        EventKind::MessageMarked(_) => 71,
        EventKind::ContactChanged(_) => 72,
        EventKind::SettingChanged(_) => 73,
        EventKind::LabelChanged(_) => 74,
        EventKind::QuickReplyChanged(_) => 75,
        EventKind::StateTrouble(_) => 76,
        EventKind::StateChanged(_) => 77,
        EventKind::StateWritten(_) => 78,
        EventKind::StateSynced(_) => 79,
        EventKind::ChannelJoined(_) => 80,
        EventKind::ChannelLeft(_) => 81,
        EventKind::ChannelChanged(_) => 82,
        EventKind::ChannelRoleChanged(_) => 83,
        EventKind::ChannelMuted(_) => 84,
        EventKind::CallOffered(_) => 90,
        EventKind::CallProgress(_) => 91,
        EventKind::CallEnded(_) => 92,
        EventKind::BusinessChanged(_) => 93,
        EventKind::Qr(_) => 100,
        EventKind::LinkFailed(_) => 101,
        EventKind::Connection(_) => 102,
        EventKind::Closed(_) => 103,
        EventKind::PairingCode(_) => 104,
        EventKind::PairingCodeFailed(_) => 105,
        EventKind::PasskeyRequired(_) => 106,
        EventKind::MediaProgress(_) => 107,
        EventKind::HistoryProgress(_) => 108,
        EventKind::Presence(_) => 109,
        EventKind::ChatState(_) => 110,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_in_json_are_the_names_of_the_table() {
        let closed = whimbrel::Event {
            sequence: None,
            id: String::new(),
            recorded_at_ms: 7,
            kind: EventKind::Closed(events::ClosedReason::Host),
        };
        let json = serde_json::to_string(&Event::from(&closed)).unwrap();
        assert_eq!(json, r#"{"id":"","recordedAtMs":7,"kind":"closed","reason":"host"}"#);
        let entry = EVENTS.iter().find(|entry| entry.number == number(&closed.kind)).unwrap();
        assert_eq!(entry.name, "closed");
        assert!(EVENTS.windows(2).all(|pair| pair[0].number < pair[1].number));
    }

    /// A second field of that name would make JSON of which half is lost, and Python that does not load.
    #[test]
    fn no_kind_has_a_field_that_every_event_has() {
        for entry in EVENTS {
            let mut generator = SchemaGenerator::default();
            let reference = entry.schema(&mut generator);
            let name = reference.get("$ref").and_then(|path| path.as_str()?.rsplit('/').next()).unwrap();
            let fields = generator.definitions()[name].get("properties").cloned().unwrap_or_default();
            for taken in ["sequence", "id", "recordedAtMs", "kind"] {
                assert!(fields.get(taken).is_none(), "{} has a field {taken}", entry.name);
            }
        }
    }
}
