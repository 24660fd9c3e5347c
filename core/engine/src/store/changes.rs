//! A unit of work, and the rows that it is made of.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use whimbrel_content::Secret;
use whimbrel_crypto::curve::KeyPair;
use whimbrel_wire::jid::Jid;

use crate::addons::waiting::WaitingChange;
use crate::appstate::rows::AppStateChange;
use crate::archive::row::ArchiveChange;
use crate::error::Code;
use crate::events::Event;
use crate::groups::GroupRow;
use crate::history::HistoryChange;
use crate::messages::route::Route;
use crate::restrictions::{Lock, RestrictionKind};

/// Keys that this device owns for the whole life of a link (pairing document §1).
#[derive(Clone)]
pub(crate) struct DeviceKeys {
    pub(crate) noise: KeyPair,
    pub(crate) identity: KeyPair,
    pub(crate) registration_id: u32,
    pub(crate) adv_secret: [u8; 32],
}

/// The single row of a store: this device and the account it is linked to.
#[derive(Clone)]
pub(crate) struct Account {
    pub(crate) keys: DeviceKeys,
    /// Id of the current signed prekey.
    pub(crate) signed_pre_key_id: u32,
    /// Next id for a one-time prekey.
    pub(crate) next_pre_key_id: u32,
    /// Own device by phone number, once linked.
    pub(crate) phone: Option<Jid>,
    /// Own device by LID, once linked.
    pub(crate) lid: Option<Jid>,
    /// `ADVSignedDeviceIdentity` with all four fields, encoded.
    pub(crate) signed_identity: Option<Vec<u8>>,
    pub(crate) platform: String,
    pub(crate) business_name: Option<String>,
    pub(crate) push_name: Option<String>,
    /// `pair-device-sign` was answered but no login succeeded yet.
    pub(crate) pairing_unconfirmed: bool,
    /// The host asked to log out; the service may not know yet.
    pub(crate) logging_out: bool,
    /// The service removed the device: keys are kept for the record, not for use.
    pub(crate) logged_out: bool,
    /// The current ADV secret was already shown in a code.
    pub(crate) adv_secret_shown: bool,
    pub(crate) server_has_pre_keys: bool,
    /// Logins since linking, sent as `lc`.
    pub(crate) login_counter: u32,
    pub(crate) routing_info: Option<Vec<u8>>,
    /// Server static key with its validity window, for IK: (key, not before, not after).
    pub(crate) server_key: Option<([u8; 32], i64, i64)>,
    /// Version of the web client that was found to be the present one, and when, seconds.
    pub(crate) found_version: Option<([u32; 3], i64)>,
    /// When the service stops accepting a version, seconds, and which version that is.
    pub(crate) version_expires: Option<(i64, [u32; 3])>,
    /// A signed prekey that is on its way to the service; accepted like the current one.
    pub(crate) staged_signed_pre_key_id: Option<u32>,
    /// The id that was last given to a signed prekey.
    pub(crate) last_signed_pre_key_id: u32,
}

/// A one-time prekey of ours.
#[derive(Clone)]
pub(crate) struct PreKeyRow {
    pub(crate) id: u32,
    pub(crate) pair: KeyPair,
    /// It may have been handed out: never offer it again.
    pub(crate) offered: bool,
}

impl PreKeyRow {
    /// From here on ids are of keys that are made for retry receipts: uploads do not reach the upper
    /// half before eight million keys, so that both draw ids without waiting for each other.
    pub(crate) const FOR_RETRIES: u32 = 0x0080_0000;
    /// Keys for retry receipts that are kept; the oldest go first.
    pub(crate) const RETRIES_KEPT: usize = 1000;
}

/// A signed prekey of ours.
#[derive(Clone)]
pub(crate) struct SignedPreKeyRow {
    pub(crate) id: u32,
    pub(crate) pair: KeyPair,
    pub(crate) signature: [u8; 64],
    pub(crate) created_at: i64,
}

/// One device of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DeviceListEntry {
    pub(crate) device: u16,
    pub(crate) key_index: u32,
    pub(crate) hosted: bool,
}

/// Devices of a user as last told (delivery document §2.6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DeviceList {
    pub(crate) devices: Vec<DeviceListEntry>,
    pub(crate) raw_id: u32,
    /// Time of the signed key-index list, seconds.
    pub(crate) signed_at: i64,
    /// When this device learned it, seconds.
    pub(crate) fetched_at: i64,
}

/// How the account stands with LIDs: whether it may address people by them (delivery document §2.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LidMigration {
    /// The phone or the service said that the account has moved to LIDs.
    pub(crate) migrated: bool,
    /// When the service last refused a LID that it then took as a phone number, seconds; 0 if it
    /// never did.
    pub(crate) refused_at: i64,
}

/// How far a received message came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum InboxState {
    /// Decrypted and journaled, or needing no event.
    Done,
    /// As [`Done`](Self::Done), and it was a part of the history, which has a receipt of its own.
    History,
    /// Could not be decrypted; that many retry receipts went out.
    Failed {
        /// Retry receipts sent.
        retries: u8,
        /// Id of the `Undecryptable` event.
        event_id: String,
        /// The phone was asked for it.
        phone_asked: bool,
    },
}

/// What is known of a received message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InboxEntry {
    pub(crate) chat: Jid,
    pub(crate) author: Jid,
    pub(crate) message_id: String,
    /// First 16 bytes of SHA-256 over the ciphertexts.
    pub(crate) ciphertext_hash: [u8; 16],
    pub(crate) state: InboxState,
    pub(crate) seen_at: i64,
}

/// How far a sent message came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OutboxState {
    /// Accepted from the host; not confirmed by the service.
    Pending,
    /// Confirmed by the service.
    Confirmed,
    /// Refused for good, with the number of the service.
    Refused(u16),
    /// It never left, and never will.
    Failed(Code),
}

/// A sent message: source of resends and of retry answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OutboxRow {
    pub(crate) chat: Jid,
    pub(crate) message_id: String,
    /// Encoded `Message`, unpadded.
    pub(crate) content: Vec<u8>,
    /// How it gets where it goes, if the chat alone does not say so.
    pub(crate) route: Option<Route>,
    pub(crate) state: OutboxState,
    /// Accepted at, milliseconds.
    pub(crate) created_at_ms: i64,
    /// Time of the service's ack, seconds; 0 before.
    pub(crate) confirmed_at: i64,
    /// When a device of a recipient first said that it has it, seconds; 0 before.
    pub(crate) delivered_at: i64,
    /// The host knows its fate, by an answer or by an event in the journal.
    pub(crate) told: bool,
}

impl OutboxRow {
    /// A message that was just accepted.
    pub(crate) fn new(chat: Jid, message_id: String, content: Vec<u8>, created_at_ms: i64) -> Self {
        Self {
            chat,
            message_id,
            content,
            route: None,
            state: OutboxState::Pending,
            created_at_ms,
            confirmed_at: 0,
            delivered_at: 0,
            told: false,
        }
    }
}

/// Chat, author without device, and id of a message.
pub(crate) type ParentKey = (Jid, Jid, String);

/// What is kept of a message for what belongs to it later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ParentRow {
    pub(crate) chat: Jid,
    /// Without device.
    pub(crate) author: Jid,
    pub(crate) message_id: String,
    pub(crate) secret: Secret,
    /// A poll as it is now, as an encoded `Message`.
    pub(crate) poll: Option<Vec<u8>>,
    /// The service's time of the message, seconds; 0 if unknown.
    pub(crate) sent_at: i64,
    /// When it was written down, seconds.
    pub(crate) saved_at: i64,
}

/// The timer of a chat with a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TimerRow {
    pub(crate) chat: Jid,
    /// How long messages stay, seconds; 0: for ever.
    pub(crate) seconds: u32,
    /// When it was set, seconds; 0 if unknown.
    pub(crate) set_at: i64,
    /// Who set it and how, by the numbers of the protocol.
    pub(crate) initiator: Option<i32>,
    pub(crate) trigger: Option<i32>,
    pub(crate) initiated_by_me: Option<bool>,
}

/// The fate of a message that the outbox has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settlement {
    pub(crate) chat: Jid,
    pub(crate) message_id: String,
    pub(crate) state: OutboxState,
    pub(crate) confirmed_at: i64,
    pub(crate) told: bool,
}

/// A token that a person gave this account, with which it may write to them.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) token: Vec<u8>,
    /// When it was given, seconds.
    pub(crate) timestamp: i64,
    /// When this account last gave one, seconds.
    pub(crate) sender_timestamp: Option<i64>,
}

/// One event in the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JournalRow {
    pub(crate) sequence: u64,
    /// Event as the journal encodes it.
    pub(crate) payload: Vec<u8>,
}

/// Everything that one commit writes. `None` as a map's value deletes the row.
#[derive(Clone, Default)]
pub(crate) struct Changes {
    pub(crate) account: Option<Account>,
    pub(crate) sessions: BTreeMap<Jid, Option<Vec<u8>>>,
    pub(crate) identities: BTreeMap<Jid, Option<[u8; 32]>>,
    pub(crate) pre_keys: BTreeMap<u32, Option<PreKeyRow>>,
    pub(crate) signed_pre_keys: BTreeMap<u32, Option<SignedPreKeyRow>>,
    pub(crate) sender_keys: BTreeMap<(Jid, Jid), Option<Vec<u8>>>,
    /// The keys that this device encrypts to groups with, by group.
    pub(crate) own_sender_keys: BTreeMap<Jid, Option<Vec<u8>>>,
    /// Which devices hold those keys, by group; packed as the groups' code does it.
    pub(crate) key_holders: BTreeMap<Jid, Option<Vec<u8>>>,
    pub(crate) device_lists: BTreeMap<Jid, Option<DeviceList>>,
    pub(crate) groups: BTreeMap<Jid, Option<Arc<GroupRow>>>,
    /// (LID, phone number), both bare.
    pub(crate) lid_pairs: Vec<(Jid, Jid)>,
    /// LIDs of the people who had these addresses before; `None`: the address is in use again.
    pub(crate) former_addresses: BTreeMap<Jid, Option<Jid>>,
    pub(crate) lid_migration: Option<LidMigration>,
    pub(crate) restrictions: BTreeMap<RestrictionKind, Option<Lock>>,
    /// What is known of the account itself, by subject; each part of the engine packs its own.
    pub(crate) notes: BTreeMap<&'static str, Option<Vec<u8>>>,
    pub(crate) inbox: Vec<InboxEntry>,
    pub(crate) outbox: Vec<OutboxRow>,
    /// Fates of messages in the outbox.
    pub(crate) outbox_settled: Vec<Settlement>,
    /// (chat, message id, time) of messages that a recipient's device has; the first time counts.
    pub(crate) outbox_delivered: Vec<(Jid, String, i64)>,
    /// (chat, message id) of messages whose fate the host knows.
    pub(crate) outbox_told: Vec<(Jid, String)>,
    /// (chat, message id) of rows that never left.
    pub(crate) outbox_dropped: Vec<(Jid, String)>,
    pub(crate) retry_base_keys: BTreeMap<(Jid, String), [u8; 32]>,
    /// What is kept of messages for what belongs to them later.
    pub(crate) parents: BTreeMap<ParentKey, Option<ParentRow>>,
    /// Envelopes that wait for the message they belong to.
    pub(crate) waiting: Vec<WaitingChange>,
    /// Timers of chats with people.
    pub(crate) timers: BTreeMap<Jid, TimerRow>,
    /// Journaled events, not numbered yet; the committer makes `journal` of them, in commit order.
    pub(crate) events: Vec<Event>,
    /// Filled by the committer.
    pub(crate) journal: Vec<JournalRow>,
    /// Events up to this one were taken by the host.
    pub(crate) acknowledged: Option<u64>,
    /// Pieces of the history.
    pub(crate) history: Vec<HistoryChange>,
    /// What is learned of app state.
    pub(crate) app_state: Vec<AppStateChange>,
    /// Tokens that people gave this account; a newer one counts.
    pub(crate) privacy_tokens: Vec<(Jid, Token)>,
    /// When this account gave people tokens, seconds; the latest counts.
    pub(crate) tokens_issued: BTreeMap<Jid, i64>,
    /// Tokens that were given before are good for nothing any more.
    pub(crate) tokens_before: Option<i64>,
    /// The salt of tokens for strangers; one that is there already counts.
    pub(crate) nct_salt: Option<Vec<u8>>,
    /// What is learned of chats, messages and people; the committer adds what follows from the rest.
    pub(crate) archive: Vec<ArchiveChange>,
    /// Set the whole link aside: sessions, identities, prekeys, sender keys, device lists, groups and the
    /// outbox go; the account row that comes with it is what remains. Such a unit is committed alone.
    pub(crate) forget_link: bool,
}

impl Changes {
    /// Adds a later unit of work; where both write a row, the later one counts.
    pub(crate) fn absorb(&mut self, later: Self) {
        if later.account.is_some() {
            self.account = later.account;
        }
        self.sessions.extend(later.sessions);
        self.identities.extend(later.identities);
        self.pre_keys.extend(later.pre_keys);
        self.signed_pre_keys.extend(later.signed_pre_keys);
        self.sender_keys.extend(later.sender_keys);
        self.own_sender_keys.extend(later.own_sender_keys);
        self.key_holders.extend(later.key_holders);
        self.device_lists.extend(later.device_lists);
        self.groups.extend(later.groups);
        self.lid_pairs.extend(later.lid_pairs);
        self.former_addresses.extend(later.former_addresses);
        self.lid_migration = later.lid_migration.or(self.lid_migration);
        self.restrictions.extend(later.restrictions);
        self.notes.extend(later.notes);
        self.inbox.extend(later.inbox);
        // Rows are written before others are dropped: one that comes back is not dropped any more.
        self.outbox_dropped
            .retain(|(chat, id)| !later.outbox.iter().any(|row| row.chat == *chat && row.message_id == *id));
        self.outbox.extend(later.outbox);
        self.outbox_settled.extend(later.outbox_settled);
        self.outbox_delivered.extend(later.outbox_delivered);
        self.outbox_told.extend(later.outbox_told);
        self.outbox_dropped.extend(later.outbox_dropped);
        self.retry_base_keys.extend(later.retry_base_keys);
        self.parents.extend(later.parents);
        self.waiting.extend(later.waiting);
        self.timers.extend(later.timers);
        self.events.extend(later.events);
        self.journal.extend(later.journal);
        self.acknowledged = self.acknowledged.max(later.acknowledged);
        self.history.extend(later.history);
        self.app_state.extend(later.app_state);
        self.privacy_tokens.extend(later.privacy_tokens);
        self.tokens_issued.extend(later.tokens_issued);
        self.tokens_before = self.tokens_before.max(later.tokens_before);
        self.nct_salt = self.nct_salt.take().or(later.nct_salt);
        self.archive.extend(later.archive);
        self.forget_link |= later.forget_link;
    }

    /// Chats with people of which a message came, or was taken by the service.
    pub(super) fn known_chats(&self) -> BTreeSet<Jid> {
        let received = self.inbox.iter().map(|entry| &entry.chat);
        let confirmed = |fate: &&Settlement| fate.state == OutboxState::Confirmed;
        let sent = self.outbox_settled.iter().filter(confirmed).map(|fate| &fate.chat);
        received.chain(sent).filter(|chat| chat.is_account()).map(Jid::to_bare).collect()
    }

    /// Whether there is nothing to write.
    pub(crate) fn is_empty(&self) -> bool {
        self.account.is_none()
            && self.sessions.is_empty()
            && self.identities.is_empty()
            && self.pre_keys.is_empty()
            && self.signed_pre_keys.is_empty()
            && self.sender_keys.is_empty()
            && self.own_sender_keys.is_empty()
            && self.key_holders.is_empty()
            && self.device_lists.is_empty()
            && self.groups.is_empty()
            && self.lid_pairs.is_empty()
            && self.former_addresses.is_empty()
            && self.lid_migration.is_none()
            && self.restrictions.is_empty()
            && self.notes.is_empty()
            && self.inbox.is_empty()
            && self.outbox.is_empty()
            && self.outbox_settled.is_empty()
            && self.outbox_delivered.is_empty()
            && self.outbox_told.is_empty()
            && self.outbox_dropped.is_empty()
            && self.retry_base_keys.is_empty()
            && self.parents.is_empty()
            && self.waiting.is_empty()
            && self.timers.is_empty()
            && self.events.is_empty()
            && self.journal.is_empty()
            && self.acknowledged.is_none()
            && self.history.is_empty()
            && self.app_state.is_empty()
            && self.privacy_tokens.is_empty()
            && self.tokens_issued.is_empty()
            && self.tokens_before.is_none()
            && self.nct_salt.is_none()
            && self.archive.is_empty()
            && !self.forget_link
    }
}
