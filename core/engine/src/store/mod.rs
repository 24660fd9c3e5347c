//! What a client keeps: narrow reads, and one write that takes a whole unit of work.
//!
//! Everything that must be durable together is collected in one [`Changes`] and committed at
//! once; the order of "what is durable before what leaves" is in the architecture document,
//! "The commit".

mod changes;
mod committer;
mod memory;
pub(crate) mod sqlite;

#[cfg(test)]
mod conformance;
pub(crate) mod failing;

use std::path::Path;
use std::sync::Arc;

use whimbrel_appstate::{Collection, Held, IndexMac};
use whimbrel_wire::jid::Jid;

use crate::addons::waiting::{WaitingRow, Which};
use crate::appstate::rows::{CollectionRow, KeyRow, PendingRow, WantedKey};
use crate::archive::query::{
    ChatQuery, ContactQuery, Details, FoundChat, FoundContact, FoundLabel, FoundMessage, MessageQuery,
};
use crate::archive::row::{PastMemberRow, Target};
use crate::groups::GroupRow;
use crate::history::PieceRow;
use crate::restrictions::Lock;

pub(crate) use changes::{
    Account, Changes, DeviceKeys, DeviceList, DeviceListEntry, InboxEntry, InboxState, JournalRow,
    LidMigration, OutboxRow, OutboxState, ParentKey, ParentRow, PreKeyRow, Settlement, SignedPreKeyRow,
    TimerRow, Token,
};
pub(crate) use committer::Committer;
pub(crate) use memory::MemoryStore;
pub(crate) use sqlite::SqliteStore;

/// Why the store failed.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum StoreError {
    /// Reading or writing failed.
    #[error("the store failed: {0}")]
    Failed(String),
    /// The file is damaged, or no store.
    #[error("the store is damaged: {0}")]
    Corrupt(String),
    /// Somebody else has it open.
    #[error("the store is in use")]
    Locked,
    /// It has a newer layout than this version knows.
    #[error("the store was written by a newer version: layout {0}")]
    TooNew(u32),
    /// Its link was exported, and must not be used here any more.
    #[error("the store was exported")]
    Moved,
}

/// The reads and the one write of a client's store. Calls are short and synchronous; `commit`
/// runs on a blocking thread.
pub(crate) trait Store: Send + Sync + 'static {
    /// Keys of this device and the linked account; `None` in a new store.
    fn account(&self) -> Result<Option<Account>, StoreError>;
    /// Session record of a device.
    fn session(&self, device: &Jid) -> Result<Option<Vec<u8>>, StoreError>;
    /// Identity key of a device.
    fn identity(&self, device: &Jid) -> Result<Option<[u8; 32]>, StoreError>;
    /// Devices of a user for which a session exists.
    fn session_devices(&self, user: &Jid) -> Result<Vec<Jid>, StoreError>;
    /// Devices of a user whose identity key is known.
    fn identity_devices(&self, user: &Jid) -> Result<Vec<Jid>, StoreError>;
    /// A one-time prekey of ours.
    fn pre_key(&self, id: u32) -> Result<Option<PreKeyRow>, StoreError>;
    /// A signed prekey of ours, current or old.
    fn signed_pre_key(&self, id: u32) -> Result<Option<SignedPreKeyRow>, StoreError>;
    /// All signed prekeys of ours.
    fn signed_pre_keys(&self) -> Result<Vec<SignedPreKeyRow>, StoreError>;
    /// Record of a sender key.
    fn sender_key(&self, group: &Jid, device: &Jid) -> Result<Option<Vec<u8>>, StoreError>;
    /// The sender keys that devices of a user gave us, as (chat, device).
    fn sender_keys_of(&self, user: &Jid) -> Result<Vec<(Jid, Jid)>, StoreError>;
    /// The key that this device encrypts to a group with.
    fn own_sender_key(&self, group: &Jid) -> Result<Option<Vec<u8>>, StoreError>;
    /// Which devices hold that key, packed.
    fn key_holders(&self, group: &Jid) -> Result<Option<Vec<u8>>, StoreError>;
    /// Groups of which it is known which devices hold the key.
    fn held_groups(&self) -> Result<Vec<Jid>, StoreError>;
    /// Known devices of a user.
    fn device_list(&self, user: &Jid) -> Result<Option<DeviceList>, StoreError>;
    /// What is known of a group that this account is in.
    fn group(&self, group: &Jid) -> Result<Option<Arc<GroupRow>>, StoreError>;
    /// All groups of which something is known.
    fn groups(&self) -> Result<Vec<Jid>, StoreError>;
    /// LID of a phone number.
    fn lid_of(&self, phone: &Jid) -> Result<Option<Jid>, StoreError>;
    /// Phone number of a LID.
    fn phone_of(&self, lid: &Jid) -> Result<Option<Jid>, StoreError>;
    /// LID of the person who had an address that is no longer in use.
    fn successor_of(&self, former: &Jid) -> Result<Option<Jid>, StoreError>;
    /// Addresses that the person of a LID had before.
    fn former_addresses(&self, lid: &Jid) -> Result<Vec<Jid>, StoreError>;
    /// How the account stands with LIDs.
    fn lid_migration(&self) -> Result<LidMigration, StoreError>;
    /// Restrictions of the account, also those that are over.
    fn restrictions(&self) -> Result<Vec<Lock>, StoreError>;
    /// What is known of the account itself about a subject.
    fn note(&self, subject: &str) -> Result<Option<Vec<u8>>, StoreError>;
    /// Whether a message of a chat with a person ever came, or was taken by the service, under exactly
    /// this address. This is remembered for longer than the messages are.
    fn is_known_chat(&self, chat: &Jid) -> Result<bool, StoreError>;
    /// What is known of received messages with an id, whatever their chats and authors.
    fn inbox_of(&self, message_id: &str) -> Result<Vec<InboxEntry>, StoreError>;
    /// What is known of a received message under exactly these addresses.
    #[cfg(test)]
    fn inbox(&self, chat: &Jid, author: &Jid, message_id: &str) -> Result<Option<InboxEntry>, StoreError> {
        let same = |entry: &InboxEntry| entry.chat == *chat && entry.author == *author;
        Ok(self.inbox_of(message_id)?.into_iter().find(same))
    }
    /// Messages that were shown as undecryptable since a time in seconds, that are still missing, and
    /// that the phone was not asked for: the latest ones, oldest first.
    fn inbox_missing(&self, since: i64, limit: usize) -> Result<Vec<InboxEntry>, StoreError>;
    /// Sent messages with an id, whatever their chats; for resends.
    fn outbox_of(&self, message_id: &str) -> Result<Vec<OutboxRow>, StoreError>;
    /// A sent message under exactly this address.
    #[cfg(test)]
    fn outbox(&self, chat: &Jid, message_id: &str) -> Result<Option<OutboxRow>, StoreError> {
        Ok(self.outbox_of(message_id)?.into_iter().find(|row| row.chat == *chat))
    }
    /// Accepted messages that the service has not confirmed, oldest first.
    fn outbox_pending(&self) -> Result<Vec<OutboxRow>, StoreError>;
    /// Messages whose fate is known but not yet to the host, oldest first.
    fn outbox_untold(&self) -> Result<Vec<OutboxRow>, StoreError>;
    /// Base key saved at an earlier retry of (device, message).
    fn retry_base_key(&self, device: &Jid, message_id: &str) -> Result<Option<[u8; 32]>, StoreError>;
    /// What is kept of messages with an id for what belongs to them later, whatever their chats and authors.
    fn parents_of(&self, message_id: &str) -> Result<Vec<ParentRow>, StoreError>;
    /// Envelopes that wait for the message they belong to, the one that waits longest first.
    fn waiting(&self, which: Which<'_>) -> Result<Vec<WaitingRow>, StoreError>;
    /// How many envelopes wait.
    fn waiting_count(&self) -> Result<usize, StoreError>;
    /// The messages for which envelopes wait, by chat and id.
    fn waiting_targets(&self) -> Result<Vec<(Jid, String)>, StoreError>;
    /// The timer of a chat with a person.
    fn chat_timer(&self, chat: &Jid) -> Result<Option<TimerRow>, StoreError>;
    /// Journal rows after a sequence number, at most `limit`.
    fn journal_after(&self, sequence: u64, limit: usize) -> Result<Vec<JournalRow>, StoreError>;
    /// Bytes of the journal's rows that are not acknowledged, in order.
    fn journal_sizes(&self) -> Result<Vec<u64>, StoreError>;
    /// Highest sequence number given out and highest acknowledged.
    fn journal_bounds(&self) -> Result<(u64, u64), StoreError>;
    /// The piece of the history that was announced first and is not done with, but for those that the
    /// phone was asked for since a time in seconds.
    fn next_piece(&self, asked_before: i64) -> Result<Option<PieceRow>, StoreError>;
    /// Pieces of the history that the phone was asked for again, the first announced first.
    fn asked_pieces(&self) -> Result<Vec<PieceRow>, StoreError>;
    /// What the media hosts want to see when a piece is deleted there.
    fn history_nonce(&self) -> Result<Option<String>, StoreError>;
    /// Whether a piece that a message announced is not done with.
    fn is_piece_waiting(&self, message_id: &str) -> Result<bool, StoreError>;
    /// Pieces of the history whose receipts the service may not have, the one that was done with first first.
    fn owed_receipts(&self) -> Result<Vec<String>, StoreError>;
    /// Keys of app state.
    fn app_state_keys(&self) -> Result<Vec<KeyRow>, StoreError>;
    /// Keys of app state that are needed and not there.
    fn app_state_wanted(&self) -> Result<Vec<WantedKey>, StoreError>;
    /// How a collection of app state stands.
    fn app_state_collection(&self, collection: Collection) -> Result<CollectionRow, StoreError>;
    /// The entry with the code of an index.
    fn app_state_by_mac(
        &self,
        collection: Collection,
        index_mac: &IndexMac,
    ) -> Result<Option<Held>, StoreError>;
    /// The entries with an index.
    fn app_state_by_name(&self, collection: Collection, name: &[u8]) -> Result<Vec<Held>, StoreError>;
    /// All entries of a collection.
    fn app_state_entries(&self, collection: Collection) -> Result<Vec<Held>, StoreError>;
    /// Changes of app state that the service has not taken, in the order of wishes.
    fn app_state_pending(&self) -> Result<Vec<PendingRow>, StoreError>;
    /// Messages of the archive, newest first. The words of those that came since the last
    /// [`index_archive`](Self::index_archive) are not looked at.
    fn find_messages(&self, query: &MessageQuery) -> Result<Vec<FoundMessage>, StoreError>;
    /// The oldest message of a chat that people wrote, and phones know by its id.
    fn oldest_message(&self, chat: &Jid) -> Result<Option<FoundMessage>, StoreError>;
    /// A message of the archive, and what others did with it.
    fn message_details(&self, target: &Target) -> Result<Option<Details>, StoreError>;
    /// Chats of the archive, the one with the newest message first.
    fn find_chats(&self, query: &ChatQuery) -> Result<Vec<FoundChat>, StoreError>;
    /// What tokens were exchanged with a person under exactly this address.
    fn token(&self, user: &Jid) -> Result<Option<Token>, StoreError>;
    /// The salt of tokens for strangers.
    fn nct_salt(&self) -> Result<Option<Vec<u8>>, StoreError>;
    /// All labels for chats, in their order.
    fn labels(&self) -> Result<Vec<FoundLabel>, StoreError>;
    /// People of the archive, by name.
    fn find_contacts(&self, query: &ContactQuery) -> Result<Vec<FoundContact>, StoreError>;
    /// Who is in a group of the archive no more, the latest first.
    fn past_members(&self, group: &Jid) -> Result<Vec<PastMemberRow>, StoreError>;
    /// Forgets so many messages of the archive that are from before a time in seconds. Returns whether there
    /// are more.
    fn trim_archive(&self, before: i64, limit: u32) -> Result<bool, StoreError>;
    /// Takes the words of so many messages into the index. Returns whether there are more.
    fn index_archive(&self, limit: u32) -> Result<bool, StoreError>;
    /// Writes a unit of work; all of it or nothing.
    fn commit(&self, changes: &Changes) -> Result<(), StoreError>;
    /// The file that the store is in, if it is in one.
    fn file(&self) -> Option<&Path> {
        None
    }
    /// Lets go of files and locks, though handles of the client may live on. Later calls fail.
    fn close(&self) {}
}
