//! A store in memory whose commits fail when a test wants it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use whimbrel_wire::jid::Jid;

use super::{
    Account, Changes, DeviceList, InboxEntry, JournalRow, MemoryStore, OutboxRow, PreKeyRow, SignedPreKeyRow,
    Store, StoreError,
};
use crate::groups::GroupRow;

/// A store that refuses commits.
#[derive(Default)]
pub(crate) struct FailingStore {
    kept: MemoryStore,
    failures: AtomicU32,
}

impl FailingStore {
    /// The next commits fail, so many of them.
    pub(crate) fn fail_next(&self, commits: u32) {
        self.failures.store(commits, Ordering::SeqCst);
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

    fn pre_key(&self, id: u32) -> Result<Option<PreKeyRow>, StoreError> {
        self.kept.pre_key(id)
    }

    fn signed_pre_key(&self, id: u32) -> Result<Option<SignedPreKeyRow>, StoreError> {
        self.kept.signed_pre_key(id)
    }

    fn sender_key(&self, group: &Jid, device: &Jid) -> Result<Option<Vec<u8>>, StoreError> {
        self.kept.sender_key(group, device)
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

    fn inbox(&self, chat: &Jid, author: &Jid, message_id: &str) -> Result<Option<InboxEntry>, StoreError> {
        self.kept.inbox(chat, author, message_id)
    }

    fn outbox(&self, chat: &Jid, message_id: &str) -> Result<Option<OutboxRow>, StoreError> {
        self.kept.outbox(chat, message_id)
    }

    fn outbox_pending(&self) -> Result<Vec<OutboxRow>, StoreError> {
        self.kept.outbox_pending()
    }

    fn retry_base_key(&self, device: &Jid, message_id: &str) -> Result<Option<[u8; 32]>, StoreError> {
        self.kept.retry_base_key(device, message_id)
    }

    fn journal_after(&self, sequence: u64, limit: usize) -> Result<Vec<JournalRow>, StoreError> {
        self.kept.journal_after(sequence, limit)
    }

    fn journal_bounds(&self) -> Result<(u64, u64), StoreError> {
        self.kept.journal_bounds()
    }

    fn commit(&self, changes: &Changes) -> Result<(), StoreError> {
        let one_less = |left: u32| left.checked_sub(1);
        match self.failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less) {
            Ok(_) => Err(StoreError::Failed("as a test".to_owned())),
            Err(_) => self.kept.commit(changes),
        }
    }
}
