//! A store without a file: for tests, and for clients that need not outlive the process.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use whimbrel_appstate::{Collection, Held, IndexMac};
use whimbrel_wire::jid::Jid;

use super::sqlite::{appstate, archive};
use super::{
    Account, Changes, DeviceList, InboxEntry, InboxState, JournalRow, LidMigration, OutboxRow, OutboxState,
    ParentKey, ParentRow, PreKeyRow, SignedPreKeyRow, Store, StoreError, TimerRow, Token,
};
use crate::addons::waiting::{WaitingChange, WaitingRow, Which};
use crate::appstate::rows::{CollectionRow, KeyRow, PendingRow, WantedKey};
use crate::archive::query::{
    ChatQuery, ContactQuery, Details, FoundChat, FoundContact, FoundLabel, FoundMessage, MessageQuery,
};
use crate::archive::row::{PastMemberRow, Target};
use crate::groups::GroupRow;
use crate::history::{HistoryChange, OWED_RECEIPTS, PieceRow};
use crate::restrictions::{Lock, RestrictionKind};

/// Received messages that are remembered for the duplicate filter; the oldest go first.
const INBOX_ROWS: usize = 50_000;

/// Base keys that are remembered.
const BASE_KEYS: usize = 1_000;

/// Sent messages that are kept for retry receipts; the oldest go first.
const OUTBOX_ROWS: usize = 10_000;

/// Messages of which something is kept for what belongs to them later; the oldest go first.
const PARENTS: usize = 10_000;

/// A store in memory.
#[derive(Default)]
pub(crate) struct MemoryStore {
    tables: Mutex<Tables>,
    /// The archive, once there is something in it: the same tables as in a file.
    archive: Mutex<Option<Connection>>,
}

#[derive(Default)]
struct Tables {
    account: Option<Account>,
    sessions: BTreeMap<Jid, Vec<u8>>,
    identities: BTreeMap<Jid, [u8; 32]>,
    pre_keys: BTreeMap<u32, PreKeyRow>,
    signed_pre_keys: BTreeMap<u32, SignedPreKeyRow>,
    sender_keys: BTreeMap<(Jid, Jid), Vec<u8>>,
    own_sender_keys: BTreeMap<Jid, Vec<u8>>,
    key_holders: BTreeMap<Jid, Vec<u8>>,
    device_lists: BTreeMap<Jid, DeviceList>,
    groups: BTreeMap<Jid, Arc<GroupRow>>,
    phone_by_lid: BTreeMap<Jid, Jid>,
    lid_by_phone: BTreeMap<Jid, Jid>,
    former_addresses: BTreeMap<Jid, Jid>,
    lid_migration: LidMigration,
    restrictions: BTreeMap<RestrictionKind, Lock>,
    notes: BTreeMap<&'static str, Vec<u8>>,
    known_chats: BTreeSet<Jid>,
    /// By id first, so that all messages of one id stand together.
    inbox: BTreeMap<(String, Jid, Jid), (u64, InboxEntry)>,
    inbox_order: BTreeMap<u64, (String, Jid, Jid)>,
    outbox: BTreeMap<(String, Jid), (u64, OutboxRow)>,
    outbox_order: BTreeMap<u64, (String, Jid)>,
    counter: u64,
    retry_base_keys: BTreeMap<(Jid, String), [u8; 32]>,
    /// Pieces of the history, the first announced first.
    pieces: Vec<PieceRow>,
    /// Pieces whose receipts the service may not have, oldest first.
    owed_receipts: VecDeque<String>,
    tokens: BTreeMap<Jid, Token>,
    nct_salt: Option<Vec<u8>>,
    /// What the media hosts want to see when pieces of the history are deleted.
    nonce: Option<String>,
    /// Ids of prekeys that were made for retry receipts, oldest first.
    retry_keys: VecDeque<u32>,
    /// By id first, so that all messages of one id stand together.
    parents: BTreeMap<String, BTreeMap<(Jid, Jid), ParentRow>>,
    /// Ids of the messages of which something is kept, oldest first.
    parent_order: VecDeque<ParentKey>,
    /// Envelopes that wait, in the order of arrival.
    waiting: Vec<WaitingRow>,
    timers: BTreeMap<Jid, TimerRow>,
    journal: BTreeMap<u64, Vec<u8>>,
    last: u64,
    acknowledged: u64,
}

impl MemoryStore {
    fn lock(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something with the archive.
    fn with_archive<T>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut slot = self.archive.lock().unwrap_or_else(PoisonError::into_inner);
        let archive = match &mut *slot {
            Some(archive) => archive,
            empty => empty.insert(archive::in_memory()?),
        };
        work(archive)
    }
}

/// Applies rows to a table; `None` deletes.
fn apply<K: Ord + Clone, V: Clone>(table: &mut BTreeMap<K, V>, changes: &BTreeMap<K, Option<V>>) {
    for (key, value) in changes {
        match value {
            Some(value) => {
                table.insert(key.clone(), value.clone());
            }
            None => {
                table.remove(key);
            }
        }
    }
}

impl Tables {
    fn commit(&mut self, changes: &Changes) {
        if changes.forget_link {
            *self = Self {
                phone_by_lid: std::mem::take(&mut self.phone_by_lid),
                lid_by_phone: std::mem::take(&mut self.lid_by_phone),
                former_addresses: std::mem::take(&mut self.former_addresses),
                journal: std::mem::take(&mut self.journal),
                last: self.last,
                acknowledged: self.acknowledged,
                counter: self.counter,
                ..Self::default()
            };
        }
        if let Some(account) = &changes.account {
            self.account = Some(account.clone());
        }
        apply(&mut self.sessions, &changes.sessions);
        apply(&mut self.identities, &changes.identities);
        apply(&mut self.pre_keys, &changes.pre_keys);
        self.bound_retry_keys(changes);
        apply(&mut self.signed_pre_keys, &changes.signed_pre_keys);
        apply(&mut self.sender_keys, &changes.sender_keys);
        apply(&mut self.own_sender_keys, &changes.own_sender_keys);
        apply(&mut self.key_holders, &changes.key_holders);
        apply(&mut self.device_lists, &changes.device_lists);
        apply(&mut self.groups, &changes.groups);
        for (lid, phone) in &changes.lid_pairs {
            self.pair(lid, phone);
        }
        apply(&mut self.former_addresses, &changes.former_addresses);
        self.lid_migration = changes.lid_migration.unwrap_or(self.lid_migration);
        apply(&mut self.restrictions, &changes.restrictions);
        apply(&mut self.notes, &changes.notes);
        self.known_chats.extend(changes.known_chats());
        for entry in &changes.inbox {
            self.remember(entry);
        }
        for row in &changes.outbox {
            self.put_outbox(row);
        }
        for fate in &changes.outbox_settled {
            if let Some((_, row)) = self.outbox.get_mut(&(fate.message_id.clone(), fate.chat.clone())) {
                (row.state, row.confirmed_at, row.told) = (fate.state, fate.confirmed_at, fate.told);
            }
        }
        for (chat, id, time) in &changes.outbox_delivered {
            if let Some((_, row)) = self.outbox.get_mut(&(id.clone(), chat.clone()))
                && row.delivered_at == 0
            {
                row.delivered_at = *time;
            }
        }
        for (chat, id) in &changes.outbox_told {
            if let Some((_, row)) = self.outbox.get_mut(&(id.clone(), chat.clone())) {
                row.told = true;
            }
        }
        for (chat, id) in &changes.outbox_dropped {
            if let Some((order, _)) = self.outbox.remove(&(id.clone(), chat.clone())) {
                self.outbox_order.remove(&order);
            }
        }
        for (key, base_key) in &changes.retry_base_keys {
            self.retry_base_keys.insert(key.clone(), *base_key);
        }
        if self.retry_base_keys.len() > BASE_KEYS {
            // Forgetting costs another round of requests at most.
            self.retry_base_keys.clear();
        }
        self.keep_parents(changes);
        for change in &changes.waiting {
            let key = match change {
                WaitingChange::Waits(row) => row.key(),
                WaitingChange::Gone(key) => key.clone(),
            };
            self.waiting.retain(|row| row.key() != key);
            if let WaitingChange::Waits(row) = change {
                self.waiting.push(row.clone());
            }
        }
        self.timers.extend(changes.timers.clone());
        for change in &changes.history {
            self.change_piece(change);
        }
        for (user, token) in &changes.privacy_tokens {
            let known = self.tokens.get(user);
            if known.is_none_or(|known| known.timestamp < token.timestamp) {
                let issued = known.and_then(|known| known.sender_timestamp);
                let sender_timestamp = token.sender_timestamp.or(issued);
                self.tokens.insert(user.clone(), Token { sender_timestamp, ..token.clone() });
            }
        }
        for (user, issued) in &changes.tokens_issued {
            let known = self.tokens.remove(user);
            let known = known.unwrap_or(Token { token: Vec::new(), timestamp: 0, sender_timestamp: None });
            let sender_timestamp = known.sender_timestamp.max(Some(*issued));
            self.tokens.insert(user.clone(), Token { sender_timestamp, ..known });
        }
        if let Some(before) = changes.tokens_before {
            self.tokens.retain(|_, token| {
                token.timestamp >= before || token.sender_timestamp.is_some_and(|issued| issued >= before)
            });
        }
        self.nct_salt = self.nct_salt.take().or_else(|| changes.nct_salt.clone());
        for row in &changes.journal {
            self.journal.insert(row.sequence, row.payload.clone());
            self.last = row.sequence;
        }
        if let Some(sequence) = changes.acknowledged {
            self.acknowledged = self.acknowledged.max(sequence);
            self.journal = self.journal.split_off(&self.acknowledged.saturating_add(1));
        }
    }

    fn keep_parents(&mut self, changes: &Changes) {
        for ((chat, author, id), row) in &changes.parents {
            let of_id = self.parents.entry(id.clone()).or_default();
            let place = (chat.clone(), author.clone());
            match row {
                Some(row) => {
                    if of_id.insert(place, row.clone()).is_none() {
                        self.parent_order.push_back((chat.clone(), author.clone(), id.clone()));
                    }
                }
                None => {
                    of_id.remove(&place);
                }
            }
        }
        while self.parent_order.len() > PARENTS
            && let Some((chat, author, id)) = self.parent_order.pop_front()
        {
            if let Some(of_id) = self.parents.get_mut(&id) {
                of_id.remove(&(chat, author));
                if of_id.is_empty() {
                    self.parents.remove(&id);
                }
            }
        }
    }

    fn change_piece(&mut self, change: &HistoryChange) {
        match change {
            HistoryChange::Announced(row) => {
                if !self.pieces.iter().any(|piece| piece.message_id == row.message_id) {
                    self.pieces.push(row.clone());
                }
            }
            HistoryChange::Read(id, read) => {
                if let Some(piece) = self.pieces.iter_mut().find(|piece| piece.message_id == *id) {
                    piece.read = *read;
                }
            }
            HistoryChange::Nonce(nonce) => self.nonce = Some(nonce.clone()),
            HistoryChange::Done(id) => self.pieces.retain(|piece| piece.message_id != *id),
            HistoryChange::Owed(id) => {
                self.owed_receipts.retain(|owed| owed != id);
                self.owed_receipts.push_back(id.clone());
                if self.owed_receipts.len() > OWED_RECEIPTS {
                    self.owed_receipts.pop_front();
                }
            }
            HistoryChange::Receipted(id) => self.owed_receipts.retain(|owed| owed != id),
        }
    }

    /// One LID, one phone number: a new pair removes the stale one on either side.
    fn pair(&mut self, lid: &Jid, phone: &Jid) {
        if let Some(old) = self.phone_by_lid.insert(lid.clone(), phone.clone()) {
            self.lid_by_phone.remove(&old);
        }
        if let Some(old) = self.lid_by_phone.insert(phone.clone(), lid.clone()).filter(|old| old != lid) {
            self.phone_by_lid.remove(&old);
        }
    }

    fn bound_retry_keys(&mut self, changes: &Changes) {
        let made = changes.pre_keys.range(PreKeyRow::FOR_RETRIES..);
        self.retry_keys.extend(made.filter(|(_, row)| row.is_some()).map(|(id, _)| *id));
        while self.retry_keys.len() > PreKeyRow::RETRIES_KEPT {
            if let Some(oldest) = self.retry_keys.pop_front() {
                self.pre_keys.remove(&oldest);
            }
        }
    }

    fn next_counter(&mut self) -> u64 {
        self.counter = self.counter.saturating_add(1);
        self.counter
    }

    fn remember(&mut self, entry: &InboxEntry) {
        let key = (entry.message_id.clone(), entry.chat.clone(), entry.author.clone());
        let order = self.next_counter();
        if let Some((old, _)) = self.inbox.insert(key.clone(), (order, entry.clone())) {
            self.inbox_order.remove(&old);
        }
        self.inbox_order.insert(order, key);
        if self.inbox.len() > INBOX_ROWS
            && let Some((_, oldest)) = self.inbox_order.pop_first()
        {
            self.inbox.remove(&oldest);
        }
    }

    fn outbox_rows(&self, wanted: impl Fn(&OutboxRow) -> bool) -> Vec<OutboxRow> {
        let rows = self.outbox_order.values().filter_map(|key| self.outbox.get(key)).map(|(_, row)| row);
        rows.filter(|row| wanted(row)).cloned().collect()
    }

    fn put_outbox(&mut self, row: &OutboxRow) {
        let key = (row.message_id.clone(), row.chat.clone());
        // A later state of the same message keeps its place in the queue.
        let order = match self.outbox.get(&key) {
            Some((order, _)) => *order,
            None => self.next_counter(),
        };
        self.outbox.insert(key.clone(), (order, row.clone()));
        self.outbox_order.insert(order, key);
        if self.outbox.len() > OUTBOX_ROWS {
            let oldest = self
                .outbox_order
                .iter()
                .find(|(_, key)| {
                    self.outbox.get(*key).is_some_and(|(_, row)| row.state != OutboxState::Pending)
                })
                .map(|(order, key)| (*order, key.clone()));
            if let Some((order, key)) = oldest {
                self.outbox_order.remove(&order);
                self.outbox.remove(&key);
            }
        }
    }
}

impl Store for MemoryStore {
    fn account(&self) -> Result<Option<Account>, StoreError> {
        Ok(self.lock().account.clone())
    }

    fn session(&self, device: &Jid) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.lock().sessions.get(device).cloned())
    }

    fn identity(&self, device: &Jid) -> Result<Option<[u8; 32]>, StoreError> {
        Ok(self.lock().identities.get(device).copied())
    }

    fn session_devices(&self, user: &Jid) -> Result<Vec<Jid>, StoreError> {
        let user = user.to_bare();
        Ok(self.lock().sessions.keys().filter(|device| device.to_bare() == user).cloned().collect())
    }

    fn identity_devices(&self, user: &Jid) -> Result<Vec<Jid>, StoreError> {
        let user = user.to_bare();
        Ok(self.lock().identities.keys().filter(|device| device.to_bare() == user).cloned().collect())
    }

    fn pre_key(&self, id: u32) -> Result<Option<PreKeyRow>, StoreError> {
        Ok(self.lock().pre_keys.get(&id).cloned())
    }

    fn signed_pre_key(&self, id: u32) -> Result<Option<SignedPreKeyRow>, StoreError> {
        Ok(self.lock().signed_pre_keys.get(&id).cloned())
    }

    fn signed_pre_keys(&self) -> Result<Vec<SignedPreKeyRow>, StoreError> {
        Ok(self.lock().signed_pre_keys.values().cloned().collect())
    }

    fn sender_key(&self, group: &Jid, device: &Jid) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.lock().sender_keys.get(&(group.clone(), device.clone())).cloned())
    }

    fn sender_keys_of(&self, user: &Jid) -> Result<Vec<(Jid, Jid)>, StoreError> {
        let user = user.to_bare();
        Ok(self.lock().sender_keys.keys().filter(|(_, device)| device.to_bare() == user).cloned().collect())
    }

    fn own_sender_key(&self, group: &Jid) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.lock().own_sender_keys.get(group).cloned())
    }

    fn key_holders(&self, group: &Jid) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.lock().key_holders.get(group).cloned())
    }

    fn held_groups(&self) -> Result<Vec<Jid>, StoreError> {
        Ok(self.lock().key_holders.keys().cloned().collect())
    }

    fn device_list(&self, user: &Jid) -> Result<Option<DeviceList>, StoreError> {
        Ok(self.lock().device_lists.get(user).cloned())
    }

    fn group(&self, group: &Jid) -> Result<Option<Arc<GroupRow>>, StoreError> {
        Ok(self.lock().groups.get(group).cloned())
    }

    fn groups(&self) -> Result<Vec<Jid>, StoreError> {
        Ok(self.lock().groups.keys().cloned().collect())
    }

    fn lid_of(&self, phone: &Jid) -> Result<Option<Jid>, StoreError> {
        Ok(self.lock().lid_by_phone.get(phone).cloned())
    }

    fn phone_of(&self, lid: &Jid) -> Result<Option<Jid>, StoreError> {
        Ok(self.lock().phone_by_lid.get(lid).cloned())
    }

    fn successor_of(&self, former: &Jid) -> Result<Option<Jid>, StoreError> {
        Ok(self.lock().former_addresses.get(former).cloned())
    }

    fn former_addresses(&self, lid: &Jid) -> Result<Vec<Jid>, StoreError> {
        let tables = self.lock();
        let of = tables.former_addresses.iter().filter(|(_, successor)| *successor == lid);
        Ok(of.map(|(former, _)| former.clone()).collect())
    }

    fn lid_migration(&self) -> Result<LidMigration, StoreError> {
        Ok(self.lock().lid_migration)
    }

    fn restrictions(&self) -> Result<Vec<Lock>, StoreError> {
        Ok(self.lock().restrictions.values().copied().collect())
    }

    fn token(&self, user: &Jid) -> Result<Option<Token>, StoreError> {
        Ok(self.lock().tokens.get(user).cloned())
    }

    fn nct_salt(&self) -> Result<Option<Vec<u8>>, StoreError> {
        // App state has its own tables, also here; its salt is the newer one.
        let shared = self.with_archive(|connection| appstate::salt(connection))?;
        Ok(shared.or_else(|| self.lock().nct_salt.clone()))
    }

    fn note(&self, subject: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.lock().notes.get(subject).cloned())
    }

    fn is_known_chat(&self, chat: &Jid) -> Result<bool, StoreError> {
        Ok(self.lock().known_chats.contains(chat))
    }

    fn inbox_of(&self, message_id: &str) -> Result<Vec<InboxEntry>, StoreError> {
        let tables = self.lock();
        let from = (message_id.to_owned(), Jid::SERVER, Jid::SERVER);
        let found = tables.inbox.range(from..).take_while(|((id, ..), _)| id == message_id);
        Ok(found.map(|(_, (_, entry))| entry.clone()).collect())
    }

    fn inbox_missing(&self, since: i64, limit: usize) -> Result<Vec<InboxEntry>, StoreError> {
        let tables = self.lock();
        let latest = tables.inbox_order.values().rev().filter_map(|key| tables.inbox.get(key));
        let missing = latest.map(|(_, entry)| entry).filter(|entry| {
            let shown = matches!(&entry.state, InboxState::Failed { event_id, phone_asked: false, .. } if !event_id.is_empty());
            shown && entry.seen_at > since
        });
        let mut missing: Vec<InboxEntry> = missing.take(limit).cloned().collect();
        missing.reverse();
        Ok(missing)
    }

    fn outbox_of(&self, message_id: &str) -> Result<Vec<OutboxRow>, StoreError> {
        let tables = self.lock();
        let from = (message_id.to_owned(), Jid::SERVER);
        let found = tables.outbox.range(from..).take_while(|((id, _), _)| id == message_id);
        Ok(found.map(|(_, (_, row))| row.clone()).collect())
    }

    fn outbox_pending(&self) -> Result<Vec<OutboxRow>, StoreError> {
        Ok(self.lock().outbox_rows(|row| row.state == OutboxState::Pending))
    }

    fn outbox_untold(&self) -> Result<Vec<OutboxRow>, StoreError> {
        Ok(self.lock().outbox_rows(|row| row.state != OutboxState::Pending && !row.told))
    }

    fn retry_base_key(&self, device: &Jid, message_id: &str) -> Result<Option<[u8; 32]>, StoreError> {
        Ok(self.lock().retry_base_keys.get(&(device.clone(), message_id.to_owned())).copied())
    }

    fn parents_of(&self, message_id: &str) -> Result<Vec<ParentRow>, StoreError> {
        let tables = self.lock();
        Ok(tables.parents.get(message_id).map(|of_id| of_id.values().cloned().collect()).unwrap_or_default())
    }

    fn waiting(&self, which: Which<'_>) -> Result<Vec<WaitingRow>, StoreError> {
        let tables = self.lock();
        let limit = if let Which::Oldest(limit) = which { limit } else { usize::MAX };
        Ok(tables.waiting.iter().filter(|row| which.is(row)).take(limit).cloned().collect())
    }

    fn waiting_count(&self) -> Result<usize, StoreError> {
        Ok(self.lock().waiting.len())
    }

    fn waiting_targets(&self) -> Result<Vec<(Jid, String)>, StoreError> {
        let mut targets: Vec<(Jid, String)> = Vec::new();
        for row in &self.lock().waiting {
            let target = (row.chat.clone(), row.target_id.clone());
            if !targets.contains(&target) {
                targets.push(target);
            }
        }
        Ok(targets)
    }

    fn chat_timer(&self, chat: &Jid) -> Result<Option<TimerRow>, StoreError> {
        Ok(self.lock().timers.get(chat).cloned())
    }

    fn journal_after(&self, sequence: u64, limit: usize) -> Result<Vec<JournalRow>, StoreError> {
        let tables = self.lock();
        let rows = tables.journal.range(sequence.saturating_add(1)..).take(limit);
        Ok(rows
            .map(|(sequence, payload)| JournalRow { sequence: *sequence, payload: payload.clone() })
            .collect())
    }

    fn journal_sizes(&self) -> Result<Vec<u64>, StoreError> {
        Ok(self.lock().journal.values().map(|payload| payload.len() as u64).collect())
    }

    fn journal_bounds(&self) -> Result<(u64, u64), StoreError> {
        let tables = self.lock();
        Ok((tables.last, tables.acknowledged))
    }

    fn next_piece(&self, asked_before: i64) -> Result<Option<PieceRow>, StoreError> {
        let tables = self.lock();
        Ok(tables.pieces.iter().find(|piece| piece.read.asked_at < asked_before).cloned())
    }

    fn asked_pieces(&self) -> Result<Vec<PieceRow>, StoreError> {
        let tables = self.lock();
        Ok(tables.pieces.iter().filter(|piece| piece.read.asked_at > 0).cloned().collect())
    }

    fn history_nonce(&self) -> Result<Option<String>, StoreError> {
        Ok(self.lock().nonce.clone())
    }

    fn is_piece_waiting(&self, message_id: &str) -> Result<bool, StoreError> {
        Ok(self.lock().pieces.iter().any(|piece| piece.message_id == message_id))
    }

    fn owed_receipts(&self) -> Result<Vec<String>, StoreError> {
        Ok(self.lock().owed_receipts.iter().cloned().collect())
    }

    fn app_state_keys(&self) -> Result<Vec<KeyRow>, StoreError> {
        self.with_archive(|connection| appstate::keys(connection))
    }

    fn app_state_wanted(&self) -> Result<Vec<WantedKey>, StoreError> {
        self.with_archive(|connection| appstate::wanted(connection))
    }

    fn app_state_collection(&self, collection: Collection) -> Result<CollectionRow, StoreError> {
        self.with_archive(|connection| appstate::collection(connection, collection))
    }

    fn app_state_by_mac(
        &self,
        collection: Collection,
        index_mac: &IndexMac,
    ) -> Result<Option<Held>, StoreError> {
        self.with_archive(|connection| appstate::by_mac(connection, collection, index_mac))
    }

    fn app_state_by_name(&self, collection: Collection, name: &[u8]) -> Result<Vec<Held>, StoreError> {
        self.with_archive(|connection| appstate::by_name(connection, collection, name))
    }

    fn app_state_entries(&self, collection: Collection) -> Result<Vec<Held>, StoreError> {
        self.with_archive(|connection| appstate::entries(connection, collection))
    }

    fn app_state_pending(&self) -> Result<Vec<PendingRow>, StoreError> {
        self.with_archive(|connection| appstate::pending(connection))
    }

    fn find_messages(&self, query: &MessageQuery) -> Result<Vec<FoundMessage>, StoreError> {
        self.with_archive(|archive| archive::messages(archive, query))
    }

    fn oldest_message(&self, chat: &Jid) -> Result<Option<FoundMessage>, StoreError> {
        self.with_archive(|archive| archive::oldest(archive, chat))
    }

    fn message_details(&self, target: &Target) -> Result<Option<Details>, StoreError> {
        self.with_archive(|archive| archive::details(archive, target))
    }

    fn find_chats(&self, query: &ChatQuery) -> Result<Vec<FoundChat>, StoreError> {
        self.with_archive(|archive| archive::chats(archive, query))
    }

    fn labels(&self) -> Result<Vec<FoundLabel>, StoreError> {
        self.with_archive(|archive| archive::labels(archive))
    }

    fn find_contacts(&self, query: &ContactQuery) -> Result<Vec<FoundContact>, StoreError> {
        self.with_archive(|archive| archive::contacts(archive, query))
    }

    fn past_members(&self, group: &Jid) -> Result<Vec<PastMemberRow>, StoreError> {
        self.with_archive(|archive| archive::past_members(archive, group))
    }

    fn trim_archive(&self, before: i64, limit: u32) -> Result<bool, StoreError> {
        self.with_archive(|archive| archive::trim(archive, before, limit))
    }

    fn index_archive(&self, limit: u32) -> Result<bool, StoreError> {
        self.with_archive(|archive| archive::index(archive, limit))
    }

    fn commit(&self, changes: &Changes) -> Result<(), StoreError> {
        if !changes.archive.is_empty() {
            self.with_archive(|archive| archive::write(archive, &changes.archive))?;
        }
        if !changes.app_state.is_empty() || changes.forget_link {
            self.with_archive(|connection| appstate::write_alone(connection, changes))?;
        }
        self.lock().commit(changes);
        Ok(())
    }
}
