//! What a client tells its host. Journaled events are facts: they have a sequence number and a
//! stable id, and are offered again after a restart until acknowledged. Ephemeral events are
//! moments.

use std::borrow::Cow;
use std::time::Duration;

use whimbrel_content::Content;
use whimbrel_content::classify::Association;
use whimbrel_content::context::Context;
use whimbrel_wire::jid::Jid;

use crate::error::Code;
pub use crate::journal::EventStream;
use crate::messages::MessageKey;

pub use crate::addons::{Addon, Control, Target};
pub use crate::appstate::{StateChange, StateSynced, StateTrouble, StateTroubled, StateWritten};
pub use crate::blocklist::BlockedChanged;
pub use crate::business::{BusinessChange, BusinessChanged};
pub use crate::calls::{CallEnded, CallOffered, CallProgress, CallStep};
pub use crate::channels::{
    ChannelChanged, ChannelCounts, ChannelJoined, ChannelLeft, ChannelMuted, ChannelPost, ChannelRoleChange,
    ChannelRoleChanged, PostChange, PostCounts,
};
pub use crate::groups::{
    GroupChange, GroupChanged, GroupJoined, GroupLeft, GroupLinked, GroupRelation, GroupSuggested,
    GroupSuggestion, GrowthLock, JoinRequest, JoinRequestState, LinkedGroup,
};
pub use crate::history::{HistoryKind, HistoryProgress, HistorySync};
pub use crate::pictures::PictureChanged;
pub use crate::presence::{ChatState, ChatStateChanged, LastSeen, PresenceChanged};
pub use crate::privacy::{DefaultTimerChanged, PrivacyChanged};
pub use crate::profile::{AboutChanged, UsernameChanged};
pub use crate::restrictions::{Restriction, RestrictionKind};

/// A chat or a person under every address known for it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity {
    /// The address that identifies it in this engine: the LID when known, else the phone
    /// number's; for groups and other chats their own address. Never has a device.
    pub id: Jid,
    /// Address by phone number, if known.
    pub phone: Option<Jid>,
    /// Address by hidden id, if known.
    pub lid: Option<Jid>,
}

/// One event as the host gets it.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Position in the journal, from 1, gap-free over journaled events; `None` for ephemeral ones.
    pub sequence: Option<u64>,
    /// Stable id of a journaled event, the same on every delivery; compare it to act once.
    /// Empty for ephemeral ones.
    pub id: String,
    /// When the engine recorded it, milliseconds since 1970.
    pub recorded_at_ms: i64,
    /// What happened.
    pub kind: EventKind,
}

/// What happened. New kinds and fields may be added; ignore what you do not know.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum EventKind {
    /// Emitted when a message arrived, or one of the account's other devices sent one.
    /// Journaled. Answer it, show it, or ignore it.
    Message(Box<Message>),
    /// Emitted when somebody changed or annotated a message: a reaction, an edit, a vote and the like.
    /// Journaled. Look at [`what`](Addon::what); it never makes a message of its own, and never counts as
    /// unread.
    Addon(Box<Addon>),
    /// Emitted when a control message came that hosts may want to know of: a chat's timer, a label and the
    /// like. Journaled. Look at [`what`](Control::what).
    Control(Box<Control>),
    /// Emitted when a message arrived that could not be decrypted. The engine asks the sender
    /// to send it again; when that works a [`EventKind::Message`] follows whose `completes` is
    /// this event's id. Journaled. Show a placeholder if you show chats.
    Undecryptable(Undecryptable),
    /// Emitted when somebody's device received, read or played messages of this account.
    /// Journaled.
    Receipt(Receipt),
    /// Emitted when the fate of a sent message is known and no call told it: the service has it, or it
    /// cannot be sent. Journaled. Messages for whose fate nobody waited end in one of these, also
    /// those of an earlier process; what a recipient does with them comes as
    /// [`EventKind::Receipt`]. Receipts may come before this.
    SendStatus(SendStatus),
    /// Emitted when the identity key of a person's device changed, as after a re-installation.
    /// Journaled. Show it where people rely on security codes.
    IdentityChanged(IdentityChanged),
    /// Emitted when the [`id`](Identity::id) changes that identifies a person or chat, because
    /// its other address was learned or a person got a new one. Journaled. If you keep a chat or
    /// person under `from`, keep it under `to.id` from now on, and merge the two if you have
    /// both. Every operation goes on taking the old address.
    ChatMoved(ChatMoved),
    /// Emitted when a person changed the phone number. The person's `id` stays. Journaled. Show
    /// the new number.
    NumberChanged(NumberChanged),
    /// Emitted when a person whose number was hidden shared it. Journaled. Show the number.
    NumberShared(NumberShared),
    /// Emitted when this client was linked to a phone. Journaled.
    Linked(Linked),
    /// Emitted when the service removed this device from the account, or the host logged out.
    /// Journaled. The old keys are set aside; link again to go on.
    LoggedOut(LoggedOut),
    /// Emitted when another connection with this client's keys took over. Journaled. Find the
    /// second process; this client stays disconnected until `connect`.
    Replaced,
    /// Emitted when the service refuses the account or this version for now: temporary ban,
    /// outdated client, other refusals. Journaled. The client stays disconnected.
    ConnectionRefused(ConnectionRefused),
    /// Emitted when the service says when it stops accepting the version that this client
    /// presents, or takes that back. Journaled. The engine looks for a newer version by itself
    /// unless told otherwise; if the time stays, set one with
    /// [`Engine::set_client_version`](crate::Engine::set_client_version) before it comes.
    VersionExpires(VersionExpires),
    /// Emitted when the service restricts the account, says until when, or lifts that: messages that
    /// would begin chats fail at once with [`Code::Restricted`] while it lasts; chats that exist and
    /// groups go on. Journaled. Stop writing to strangers, and tell the account's owner. With
    /// `until` it ends then without another event; without, the engine lets a message through now
    /// and then to find out.
    Restriction(Restriction),
    /// Emitted when this account was added to a group, or another device of it made one. Journaled.
    /// [`Client::group`](crate::Client::group) tells who is in it.
    GroupJoined(GroupJoined),
    /// Emitted when this account is in a group no more. Journaled. Messages to it are refused from
    /// now on.
    GroupLeft(GroupLeft),
    /// Emitted when somebody changed a group: its members or its settings. Journaled.
    GroupChanged(GroupChanged),
    /// Emitted when the picture of a person who is known, of this account or of a group was set or removed.
    /// Journaled. [`Client::picture`](crate::Client::picture) tells where the new one is.
    PictureChanged(PictureChanged),
    /// Emitted when another device of this account changed who sees or may do something. Journaled.
    /// [`Client::privacy`](crate::Client::privacy) tells all settings.
    PrivacyChanged(PrivacyChanged),
    /// Emitted when another device of this account blocked people, or blocks them no more. Journaled.
    /// [`Client::blocked`](crate::Client::blocked) tells all.
    BlockedChanged(BlockedChanged),
    /// Emitted when somebody who knows this account, or this account on another device, says something else
    /// of itself. Journaled. Show it anew.
    AboutChanged(AboutChanged),
    /// Emitted when somebody who knows this account, or this account on another device, has another user
    /// name. Journaled.
    UsernameChanged(UsernameChanged),
    /// Emitted when this account, on another device, or somebody who knows it wants another timer in new
    /// chats. Journaled. Chats that exist keep theirs.
    DefaultTimerChanged(DefaultTimerChanged),
    /// Emitted when somebody wants to be let into a group, takes that back, or is not let in; who is let
    /// in comes as a change of members. Journaled. Admins decide with
    /// [`decide_join_requests`](crate::Client::decide_join_requests).
    JoinRequest(JoinRequest),
    /// Emitted when groups were put into a community or taken out: told of the community, of the groups
    /// and of those beside them. Journaled.
    GroupLinked(GroupLinked),
    /// Emitted when a member of a community suggests groups for it, or suggestions are over. Journaled.
    /// [`group_suggestions`](crate::Client::group_suggestions) tells all that wait.
    GroupSuggested(GroupSuggested),
    /// Emitted when a piece of the history that the phone handed over is in the archive, or could not
    /// be read to its end. Journaled. Look again at what you show of chats.
    History(HistorySync),
    /// Emitted when a channel that this account follows or owns has a new post, or one has another content or
    /// was taken back. Journaled. Show it, or show it anew.
    ChannelPost(Box<ChannelPost>),
    /// Emitted when the service tells how posts of a channel are received. Journaled. Replace what you show of
    /// what is told.
    ChannelCounts(ChannelCounts),
    /// Emitted when this account follows a channel, or posts in it, that it did not before: it did so on
    /// another device, or was invited to. Journaled.
    ChannelJoined(Box<ChannelJoined>),
    /// Emitted when this account follows a channel no more. Journaled.
    ChannelLeft(ChannelLeft),
    /// Emitted when a channel has another name, picture or the like, or goes on no more. Journaled.
    ChannelChanged(Box<ChannelChanged>),
    /// Emitted when somebody has another role in a channel. Journaled.
    ChannelRoleChanged(ChannelRoleChanged),
    /// Emitted when another device of this account muted something of a channel, or wants to hear of it
    /// again. Journaled.
    ChannelMuted(ChannelMuted),
    /// Emitted when somebody calls, or a call goes on that this account may join. Journaled. Ring unless it
    /// waited at the service or is only a notice.
    CallOffered(Box<CallOffered>),
    /// Emitted when a call got on. Journaled.
    CallProgress(CallProgress),
    /// Emitted when a call is over, or over for this device. Journaled.
    CallEnded(Box<CallEnded>),
    /// Emitted when something about a business changed. Journaled. Fetch again what you show of it.
    BusinessChanged(BusinessChanged),
    /// Emitted when a chat was archived, pinned, muted, locked, marked, cleared or deleted, or the status
    /// posts of a person were muted, on a device of the account. Journaled. Show the chat as it is now.
    ChatChanged(Box<StateChange>),
    /// Emitted when a message got or lost its star, or was deleted for this account only. Journaled.
    MessageMarked(Box<StateChange>),
    /// Emitted when a contact of the account's address book was saved or removed. Journaled.
    ContactChanged(Box<StateChange>),
    /// Emitted when a setting that the account's devices share has another value. Journaled.
    SettingChanged(Box<StateChange>),
    /// Emitted when a label was made, changed or deleted, or a chat or message got or lost one. Journaled.
    LabelChanged(Box<StateChange>),
    /// Emitted when a quick reply of a business was made, changed or deleted. Journaled.
    QuickReplyChanged(Box<StateChange>),
    /// Emitted when something is wrong with what the account's devices share. Journaled. Only
    /// [`GivenUp`](crate::appstate::StateTrouble::GivenUp) asks for something: link the client anew.
    StateTrouble(StateTroubled),
    /// Emitted when something else changed that the account's devices share. Journaled. Look at the
    /// action; ignore what you do not know.
    StateChanged(Box<StateChange>),
    /// Emitted when the fate of a change is known that this client asked for: the account's devices see
    /// it, or it could not be written. Journaled.
    StateWritten(StateWritten),
    /// Emitted when what the account's devices share was read for the first time, collection by
    /// collection: there are no events about each of its entries. Journaled. Look into the archive.
    StateSynced(StateSynced),

    /// Emitted when there is a QR text to show, and again whenever it changes. Ephemeral.
    Qr(QrText),
    /// Emitted when the service asks for another pairing code than the one that
    /// [`link_with_code`](crate::Client::link_with_code) returned. Ephemeral. Show it instead.
    PairingCode(PairingCodeText),
    /// Emitted when a pairing code is over without a link. Ephemeral. QR codes go on; ask for
    /// another code if the person wants one.
    PairingCodeFailed(PairingCodeFailed),
    /// Emitted when the service demands a passkey of the account's owner for this link. Ephemeral. Let
    /// the owner's authenticator answer, and go on with
    /// [`answer_passkey`](crate::Client::answer_passkey). The codes go on meanwhile.
    PasskeyRequired(PasskeyRequired),
    /// Emitted when a linking attempt ended without a link. Ephemeral. Start another one.
    LinkFailed(LinkFailed),
    /// Emitted when a transfer of a file got on that was given a name; about ten times a second, and at
    /// its end. Ephemeral; only the latest of each transfer counts.
    MediaProgress(MediaProgress),
    /// Emitted when the download or the reading of a piece of the history got on; about ten times a second, and
    /// at the end of each piece. Ephemeral; only the latest counts.
    HistoryProgress(HistoryProgress),
    /// Emitted when a watched person comes online or goes, or the number of members of a watched group
    /// changes who are; at once after [`watch_presence`](crate::Client::watch_presence), and only while
    /// this account is available. Ephemeral; only the latest of each counts, and only while the
    /// connection lasts.
    Presence(PresenceChanged),
    /// Emitted when somebody begins to write or record in a chat, goes on with it, or stops. Ephemeral;
    /// only the latest of each person and chat counts. It always ends: whoever does not say so again
    /// within 25 s is told as paused, and so is everybody when the connection ends.
    ChatState(ChatStateChanged),
    /// Emitted when the connection changes its state. Ephemeral; only the latest counts.
    Connection(ConnectionState),
    /// Emitted last, when the client is closed. Ephemeral; nothing follows.
    Closed(ClosedReason),
}

impl EventKind {
    /// The message that brought it as protobuf, for what its fields do not say; of events that a
    /// message brought.
    #[must_use]
    pub fn raw(&self) -> Option<&[u8]> {
        match self {
            Self::Message(message) => Some(&message.raw),
            Self::Addon(addon) => Some(&addon.raw),
            Self::Control(control) => Some(&control.raw),
            Self::ChannelPost(post) => Some(&post.raw),
            _ => None,
        }
    }
}

/// A message.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Message {
    /// Id within the chat and sender.
    pub message_id: String,
    /// The chat.
    pub chat: Identity,
    /// Who wrote it.
    pub sender: Identity,
    /// Number of the sender's device: 0 is the phone.
    pub sender_device: u16,
    /// Written by this account, on another device of it.
    pub from_me: bool,
    /// The service's time, seconds since 1970.
    pub timestamp: i64,
    /// Name that the sender gives itself, if the service told it.
    pub push_name: Option<String>,
    /// What it says.
    pub content: Content,
    /// What surrounds it: mentions, forwarding, the chat's timer and the like.
    pub context: Context,
    /// Its words: a text, a caption, a question. `None` for content without any.
    pub text: Option<String>,
    /// The message that this one quotes.
    pub quoted: Option<MessageKey>,
    /// It is to be seen once.
    pub view_once: bool,
    /// It is a status.
    pub is_status: bool,
    /// It mentions this account, by name or with everyone.
    pub mentions_me: bool,
    /// The message that it belongs to, as its sender names it: an album, a better copy.
    pub association: Option<Association>,
    /// It counts as unread.
    pub unread: bool,
    /// It waited at the service while this client was away.
    pub offline: bool,
    /// Id of the [`Undecryptable`] event that this message completes.
    pub completes: Option<String>,
    /// The whole content as protobuf (`Message`), for what the fields above do not say.
    pub raw: Vec<u8>,
}

/// A message that could not be decrypted.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
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
    pub reason: Cow<'static, str>,
}

/// Kinds of receipts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReceiptKind {
    /// A device has it.
    Delivered,
    /// The person read it.
    Read,
    /// The person played or opened it.
    Played,
    /// Read on another device of this account.
    ReadSelf,
}

/// Somebody's device received, read or played messages.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
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
    pub kind: ReceiptKind,
    /// The service's time, seconds since 1970.
    pub timestamp: i64,
}

/// The fate of a sent message.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SendStatus {
    /// The chat.
    pub chat: Identity,
    /// The message.
    pub message_id: String,
    /// `None`: the service has it. Otherwise why not.
    pub error: Option<Code>,
    /// The number that the service refused it with, if it was the service.
    pub refused: Option<u16>,
    /// The service's time, seconds since 1970.
    pub timestamp: i64,
}

/// A person's device has another identity key.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct IdentityChanged {
    /// The person.
    pub who: Identity,
    /// The device.
    pub device: u16,
}

/// A person or chat is identified by another address than before.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ChatMoved {
    /// The address that identified it so far. Never has a device.
    pub former: Jid,
    /// The person or chat as it is known now.
    pub chat: Identity,
}

/// A person has another phone number.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct NumberChanged {
    /// The person, with the new number.
    pub who: Identity,
    /// Address by the old number.
    pub former: Jid,
}

/// A person shared a number that was hidden.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct NumberShared {
    /// The person, with the number.
    pub who: Identity,
}

/// The client was linked.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
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

/// Why a link ended.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct LoggedOut {
    /// A stable lowercase word: `removed`, `host`, `locked`, `banned`, `primary_gone`.
    pub reason: Cow<'static, str>,
    /// The number that the service gave, 0 if none.
    pub service_status: u16,
    /// What the service says about it to people, if it does.
    pub message: Option<String>,
}

/// The service refuses connections.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ConnectionRefused {
    /// The number that the service gave (402 temporary ban, 405 client outdated, …), 0 if none.
    pub service_status: u16,
    /// Detail code of a temporary ban, 0 if none.
    pub detail: u16,
    /// When the refusal is said to end.
    pub expires_in: Option<Duration>,
    /// The raw type of a conflict that this version does not know.
    pub conflict: Option<String>,
    /// What the service says about it to people, if it does.
    pub message: Option<String>,
    /// Where people read more, if the service says so.
    pub url: Option<String>,
}

/// When the version that this client presents stops being accepted.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct VersionExpires {
    /// Seconds since 1970; `None`: the service took an earlier date back.
    pub at: Option<i64>,
    /// The version, such as `2.3000.1`.
    pub version: String,
}

/// A pairing code that replaces the one before.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PairingCodeText {
    /// Eight characters as `XXXX-XXXX`.
    pub code: String,
    /// How long it will be valid.
    pub valid_for: Duration,
}

/// Why a pairing code did not lead to a link.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PairingCodeFailed {
    /// A stable lowercase word: `expired`, `ended` (by the service), `not_proved` (most likely
    /// the code was mistyped), `refused`, `disconnected`.
    pub reason: &'static str,
    /// The number that the service gave, 0 if none.
    pub service_status: u16,
}

/// The service demands a passkey.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PasskeyRequired {
    /// The WebAuthn request options as JSON, if the service gave them.
    pub options: Option<String>,
}

/// A QR text.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct QrText {
    /// What the QR symbol has to hold.
    pub text: String,
    /// How long it will be valid.
    pub valid_for: Duration,
}

/// Why linking failed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LinkFailed {
    /// A stable lowercase word: `codes_expired`, `hmac_mismatch`, `signature_mismatch`, `refused`,
    /// `phone_too_old`.
    pub reason: &'static str,
}

/// Which way a file goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MediaDirection {
    /// To the media hosts.
    Upload,
    /// From them.
    Download,
}

/// How far a transfer is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MediaProgress {
    /// The name that the host gave it.
    pub transfer: String,
    /// Which way the file goes.
    pub direction: MediaDirection,
    /// Octets of the encrypted file that are transferred.
    pub done: u64,
    /// Of so many; 0 while that is not known.
    pub total: u64,
}

/// State of the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectionState {
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
    Waiting {
        /// When.
        retry_in: Duration,
        /// Why the last one ended, as a stable lowercase word.
        reason: &'static str,
    },
}

/// Why a client is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ClosedReason {
    /// The host closed it.
    Host,
    /// Its store cannot be written any more.
    StoreFailed,
    /// A bug of the engine.
    Internal,
}
