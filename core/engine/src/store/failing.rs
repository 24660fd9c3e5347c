//! A store whose commits fail, or are watched, when a test wants it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use whimbrel_appstate::{Collection, Held, IndexMac};
use whimbrel_wire::jid::Jid;

use super::{
    Account, Changes, DeviceList, InboxEntry, JournalRow, LidMigration, MemoryStore, OutboxRow, ParentRow,
    PreKeyRow, SignedPreKeyRow, Store, StoreError, TimerRow, Token,
};
use crate::addons::waiting::{WaitingRow, Which};
use crate::appstate::rows::{CollectionRow, KeyRow, PendingRow, WantedKey};
use crate::archive::query::{
    ChatQuery, ContactQuery, Details, FoundChat, FoundContact, FoundLabel, FoundMessage, MessageQuery,
};
use crate::archive::row::{PastMemberRow, Target};
use crate::groups::GroupRow;
use crate::history::PieceRow;
use crate::restrictions::Lock;

/// Sees every commit, before it is carried out and after.
pub(crate) type Watch = Box<dyn Fn(&dyn Store, &Changes, Moment) + Send + Sync>;

/// Where a commit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Nothing of it is durable.
    Before,
    /// All of it is durable, and nobody knows yet.
    After,
}

/// A store that refuses commits.
pub(crate) struct FailingStore {
    kept: Box<dyn Store>,
    failures: AtomicU32,
    watch: Option<Watch>,
}

impl Default for FailingStore {
    /// One in memory.
    fn default() -> Self {
        Self { kept: Box::<MemoryStore>::default(), failures: AtomicU32::new(0), watch: None }
    }
}

impl FailingStore {
    /// Another store, whose commits are watched.
    pub(crate) fn watched(kept: Box<dyn Store>, watch: Watch) -> Self {
        Self { kept, failures: AtomicU32::new(0), watch: Some(watch) }
    }

    /// The next commits fail, so many of them.
    pub(crate) fn fail_next(&self, commits: u32) {
        self.failures.store(commits, Ordering::SeqCst);
    }

    fn tell(&self, changes: &Changes, moment: Moment) {
        if let Some(watch) = &self.watch {
            watch(&*self.kept, changes, moment);
        }
    }
}

impl Store for FailingStore {
    fn account(&self) -> Result<Option<Account>, StoreError> {
        self.kept.account()
    }

    fn session(&self, device: &Jid) -> Result<Option<Vec<u8>>, StoreError> {
        self.kept.session(device)
    }

    fn identity(&self, device: &Jid) -> Result<Option<[u8; 32]>, StoreError> {
        self.kept.identity(device)
    }

    fn session_devices(&self, user: &Jid) -> Result<Vec<Jid>, StoreError> {
        self.kept.session_devices(user)
    }

    fn identity_devices(&self, user: &Jid) -> Result<Vec<Jid>, StoreError> {
        self.kept.identity_devices(user)
    }

    fn pre_key(&self, id: u32) -> Result<Option<PreKeyRow>, StoreError> {
        self.kept.pre_key(id)
    }

    fn signed_pre_key(&self, id: u32) -> Result<Option<SignedPreKeyRow>, StoreError> {
        self.kept.signed_pre_key(id)
    }

    fn signed_pre_keys(&self) -> Result<Vec<SignedPreKeyRow>, StoreError> {
        self.kept.signed_pre_keys()
    }

    fn sender_key(&self, group: &Jid, device: &Jid) -> Result<Option<Vec<u8>>, StoreError> {
        self.kept.sender_key(group, device)
    }

    fn sender_keys_of(&self, user: &Jid) -> Result<Vec<(Jid, Jid)>, StoreError> {
        self.kept.sender_keys_of(user)
    }

    fn own_sender_key(&self, group: &Jid) -> Result<Option<Vec<u8>>, StoreError> {
        self.kept.own_sender_key(group)
    }

    fn key_holders(&self, group: &Jid) -> Result<Option<Vec<u8>>, StoreError> {
        self.kept.key_holders(group)
    }

    fn held_groups(&self) -> Result<Vec<Jid>, StoreError> {
        self.kept.held_groups()
    }

    fn device_list(&self, user: &Jid) -> Result<Option<DeviceList>, StoreError> {
        self.kept.device_list(user)
    }

    fn group(&self, group: &Jid) -> Result<Option<Arc<GroupRow>>, StoreError> {
        self.kept.group(group)
    }

    fn groups(&self) -> Result<Vec<Jid>, StoreError> {
        self.kept.groups()
    }

    fn lid_of(&self, phone: &Jid) -> Result<Option<Jid>, StoreError> {
        self.kept.lid_of(phone)
    }

    fn phone_of(&self, lid: &Jid) -> Result<Option<Jid>, StoreError> {
        self.kept.phone_of(lid)
    }

    fn successor_of(&self, former: &Jid) -> Result<Option<Jid>, StoreError> {
        self.kept.successor_of(former)
    }

    fn former_addresses(&self, lid: &Jid) -> Result<Vec<Jid>, StoreError> {
        self.kept.former_addresses(lid)
    }

    fn lid_migration(&self) -> Result<LidMigration, StoreError> {
        self.kept.lid_migration()
    }

    fn restrictions(&self) -> Result<Vec<Lock>, StoreError> {
        self.kept.restrictions()
    }

    fn token(&self, user: &Jid) -> Result<Option<Token>, StoreError> {
        self.kept.token(user)
    }

    fn nct_salt(&self) -> Result<Option<Vec<u8>>, StoreError> {
        self.kept.nct_salt()
    }

    fn note(&self, subject: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.kept.note(subject)
    }

    fn is_known_chat(&self, chat: &Jid) -> Result<bool, StoreError> {
        self.kept.is_known_chat(chat)
    }

    fn inbox_of(&self, message_id: &str) -> Result<Vec<InboxEntry>, StoreError> {
        self.kept.inbox_of(message_id)
    }

    fn inbox_missing(&self, since: i64, limit: usize) -> Result<Vec<InboxEntry>, StoreError> {
        self.kept.inbox_missing(since, limit)
    }

    fn outbox_of(&self, message_id: &str) -> Result<Vec<OutboxRow>, StoreError> {
        self.kept.outbox_of(message_id)
    }

    fn outbox_pending(&self) -> Result<Vec<OutboxRow>, StoreError> {
        self.kept.outbox_pending()
    }

    fn outbox_untold(&self) -> Result<Vec<OutboxRow>, StoreError> {
        self.kept.outbox_untold()
    }

    fn retry_base_key(&self, device: &Jid, message_id: &str) -> Result<Option<[u8; 32]>, StoreError> {
        self.kept.retry_base_key(device, message_id)
    }

    fn parents_of(&self, message_id: &str) -> Result<Vec<ParentRow>, StoreError> {
        self.kept.parents_of(message_id)
    }

    fn waiting(&self, which: Which<'_>) -> Result<Vec<WaitingRow>, StoreError> {
        self.kept.waiting(which)
    }

    fn waiting_count(&self) -> Result<usize, StoreError> {
        self.kept.waiting_count()
    }

    fn waiting_targets(&self) -> Result<Vec<(Jid, String)>, StoreError> {
        self.kept.waiting_targets()
    }

    fn chat_timer(&self, chat: &Jid) -> Result<Option<TimerRow>, StoreError> {
        self.kept.chat_timer(chat)
    }

    fn journal_after(&self, sequence: u64, limit: usize) -> Result<Vec<JournalRow>, StoreError> {
        self.kept.journal_after(sequence, limit)
    }

    fn journal_sizes(&self) -> Result<Vec<u64>, StoreError> {
        self.kept.journal_sizes()
    }

    fn journal_bounds(&self) -> Result<(u64, u64), StoreError> {
        self.kept.journal_bounds()
    }

    fn next_piece(&self, asked_before: i64) -> Result<Option<PieceRow>, StoreError> {
        self.kept.next_piece(asked_before)
    }

    fn asked_pieces(&self) -> Result<Vec<PieceRow>, StoreError> {
        self.kept.asked_pieces()
    }

    fn history_nonce(&self) -> Result<Option<String>, StoreError> {
        self.kept.history_nonce()
    }

    fn is_piece_waiting(&self, message_id: &str) -> Result<bool, StoreError> {
        self.kept.is_piece_waiting(message_id)
    }

    fn owed_receipts(&self) -> Result<Vec<String>, StoreError> {
        self.kept.owed_receipts()
    }

    fn app_state_keys(&self) -> Result<Vec<KeyRow>, StoreError> {
        self.kept.app_state_keys()
    }

    fn app_state_wanted(&self) -> Result<Vec<WantedKey>, StoreError> {
        self.kept.app_state_wanted()
    }

    fn app_state_collection(&self, collection: Collection) -> Result<CollectionRow, StoreError> {
        self.kept.app_state_collection(collection)
    }

    fn app_state_by_mac(
        &self,
        collection: Collection,
        index_mac: &IndexMac,
    ) -> Result<Option<Held>, StoreError> {
        self.kept.app_state_by_mac(collection, index_mac)
    }

    fn app_state_by_name(&self, collection: Collection, name: &[u8]) -> Result<Vec<Held>, StoreError> {
        self.kept.app_state_by_name(collection, name)
    }

    fn app_state_entries(&self, collection: Collection) -> Result<Vec<Held>, StoreError> {
        self.kept.app_state_entries(collection)
    }

    fn app_state_pending(&self) -> Result<Vec<PendingRow>, StoreError> {
        self.kept.app_state_pending()
    }

    fn find_messages(&self, query: &MessageQuery) -> Result<Vec<FoundMessage>, StoreError> {
        self.kept.find_messages(query)
    }

    fn oldest_message(&self, chat: &Jid) -> Result<Option<FoundMessage>, StoreError> {
        self.kept.oldest_message(chat)
    }

    fn message_details(&self, target: &Target) -> Result<Option<Details>, StoreError> {
        self.kept.message_details(target)
    }

    fn find_chats(&self, query: &ChatQuery) -> Result<Vec<FoundChat>, StoreError> {
        self.kept.find_chats(query)
    }

    fn labels(&self) -> Result<Vec<FoundLabel>, StoreError> {
        self.kept.labels()
    }

    fn find_contacts(&self, query: &ContactQuery) -> Result<Vec<FoundContact>, StoreError> {
        self.kept.find_contacts(query)
    }

    fn past_members(&self, group: &Jid) -> Result<Vec<PastMemberRow>, StoreError> {
        self.kept.past_members(group)
    }

    fn trim_archive(&self, before: i64, limit: u32) -> Result<bool, StoreError> {
        self.kept.trim_archive(before, limit)
    }

    fn index_archive(&self, limit: u32) -> Result<bool, StoreError> {
        self.kept.index_archive(limit)
    }

    fn commit(&self, changes: &Changes) -> Result<(), StoreError> {
        let one_less = |left: u32| left.checked_sub(1);
        match self.failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less) {
            Ok(_) => Err(StoreError::Failed("as a test".to_owned())),
            Err(_) => {
                self.tell(changes, Moment::Before);
                self.kept.commit(changes)?;
                self.tell(changes, Moment::After);
                Ok(())
            }
        }
    }
}
