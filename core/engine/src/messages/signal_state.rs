//! Sessions and keys of the Signal protocol, and the unit of work that changes them.
//!
//! A lane locks the state, does a unit of work, and commits what it changed *before it unlocks*:
//! whoever locks it next reads either from memory or from a store that is up to date. After a
//! failed commit the state is ahead of the store and is thrown away.

use std::collections::{BTreeMap, VecDeque};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use tokio::runtime::Handle;
use tokio::sync::OwnedMutexGuard;
use whimbrel_signal::{SenderKeyRecord, SessionRecord};
use whimbrel_wire::Jid;

use super::cache::Cache;
use super::peer::PeerMessages;
use crate::client::Inner;
use crate::clock;
use crate::devices::identity::Addresses;
use crate::error::Error;
use crate::events::{Event, EventKind};
use crate::groups::{GroupRow, SendingState};
use crate::repair::Repair;
use crate::restrictions::{Lock, RestrictionKind};
use crate::retry::Limits;
use crate::statistics::Statistics;
use crate::store::{
    Account, Changes, DeviceList, InboxEntry, InboxState, OutboxRow, PreKeyRow, SignedPreKeyRow, Store,
    StoreError,
};

/// Session records kept in memory, a few hundred bytes each.
const SESSIONS: usize = 32;

/// Sender keys kept in memory.
const SENDER_KEYS: usize = 16;

/// Groups kept in memory.
const GROUPS: usize = 16;

/// Members of groups kept in memory, about a hundred bytes each; one group of any size stays.
const MEMBERS: usize = 2048;

/// Announcements about groups that are remembered.
const ANNOUNCED: usize = 32;

/// What the lanes of a client share under one lock.
pub(crate) struct SignalState {
    sessions: Cache<Jid, SessionRecord>,
    sender_keys: Cache<(Jid, Jid), SenderKeyRecord>,
    addresses: Addresses,
    /// A group that was used lately is last.
    groups: Vec<(Jid, Option<Arc<GroupRow>>)>,
    sending: SendingState,
    /// Groups about which something was announced lately, and how often that was so in all.
    announced: (VecDeque<Jid>, u64),
    /// Restrictions of the account, once they were read.
    locks: Option<Vec<Lock>>,
    /// When the service was last asked about restrictions, seconds.
    restrictions_asked: BTreeMap<RestrictionKind, i64>,
    rng: Option<ChaCha20Rng>,
    /// Counted from the opening of the client.
    pub(crate) statistics: Statistics,
    limits: Limits,
    peer_messages: PeerMessages,
}

impl Default for SignalState {
    fn default() -> Self {
        Self {
            sessions: Cache::new(SESSIONS),
            sender_keys: Cache::new(SENDER_KEYS),
            addresses: Addresses::default(),
            groups: Vec::new(),
            sending: SendingState::default(),
            announced: (VecDeque::new(), 0),
            locks: None,
            restrictions_asked: BTreeMap::new(),
            rng: None,
            statistics: Statistics::default(),
            limits: Limits::default(),
            peer_messages: PeerMessages::default(),
        }
    }
}

impl SignalState {
    /// Forgets what may be ahead of the store. What was never stored stays.
    pub(crate) fn reset(&mut self) {
        let Self { statistics, limits, peer_messages, .. } = std::mem::take(self);
        *self = Self { statistics, limits, peer_messages, ..Self::default() };
    }

    /// Makes room: the groups that were not used for longest go first.
    fn forget_groups(&mut self) {
        let size =
            |(_, group): &(Jid, Option<Arc<GroupRow>>)| group.as_ref().map_or(0, |group| group.members.len());
        let mut members: usize = self.groups.iter().map(size).sum();
        while self.groups.len() > GROUPS || (members > MEMBERS && self.groups.len() > 1) {
            members = members.saturating_sub(size(&self.groups.remove(0)));
        }
    }
}

/// Changes that become durable together. Reads see what this unit has changed.
pub(crate) struct Unit<'a> {
    pub(crate) store: &'a dyn Store,
    pub(crate) account: &'a Account,
    pub(crate) changes: Changes,
    /// What has to be asked of the service because of it; for the lane to take.
    pub(crate) repairs: Vec<Repair>,
    state: &'a mut SignalState,
    rng: ChaCha20Rng,
    now_ms: i64,
}

impl<'a> Unit<'a> {
    /// Begins a unit of work; `rng` is asked for a seed once in the life of the state.
    pub(crate) fn begin(
        store: &'a dyn Store,
        account: &'a Account,
        state: &'a mut SignalState,
        seed: impl FnOnce() -> ChaCha20Rng,
    ) -> Self {
        let rng = state.rng.take().unwrap_or_else(seed);
        Self {
            store,
            account,
            changes: Changes::default(),
            repairs: Vec::new(),
            state,
            rng,
            now_ms: clock::now_ms(),
        }
    }

    /// Ends the unit: what there is to commit.
    pub(crate) fn finish(self) -> Changes {
        let Self { mut changes, state, rng, .. } = self;
        state.sessions.flush(|device, record| {
            changes.sessions.insert(device, Some(record.serialize()));
        });
        state.sender_keys.flush(|key, record| {
            changes.sender_keys.insert(key, Some(record.serialize()));
        });
        state.sending.finish(&mut changes);
        state.forget_groups();
        state.addresses.trim();
        state.rng = Some(rng);
        changes
    }

    /// Seconds since 1970 at the beginning of the unit.
    pub(crate) fn now(&self) -> i64 {
        self.now_ms.div_euclid(1000)
    }

    /// Milliseconds since 1970 at the beginning of the unit.
    pub(crate) fn now_ms(&self) -> i64 {
        self.now_ms
    }

    /// What is counted for the host.
    pub(crate) fn statistics(&mut self) -> &mut Statistics {
        &mut self.state.statistics
    }

    /// What was used of the limits of repair.
    pub(crate) fn limits(&mut self) -> &mut Limits {
        &mut self.state.limits
    }

    /// Messages to own devices that may be asked for again.
    pub(crate) fn peer_messages(&mut self) -> &mut PeerMessages {
        &mut self.state.peer_messages
    }

    /// Asks for a repair, once however often it is wished for.
    pub(crate) fn wish(&mut self, repair: Repair) {
        if !self.repairs.contains(&repair) {
            self.repairs.push(repair);
        }
    }

    pub(crate) fn rng(&mut self) -> &mut ChaCha20Rng {
        &mut self.rng
    }

    /// A generator of its own, for what borrows the unit while it draws.
    pub(crate) fn fork_rng(&mut self) -> ChaCha20Rng {
        ChaCha20Rng::from_rng(&mut self.rng)
    }

    /// Journals an event, and returns its id.
    pub(crate) fn event(&mut self, kind: EventKind) -> String {
        let id = format!("{:016x}", self.rng.next_u64());
        self.changes.events.push(Event { sequence: None, id: id.clone(), recorded_at_ms: self.now_ms, kind });
        id
    }

    // --- sessions ---

    fn load_session(&mut self, device: &Jid) -> Result<bool, StoreError> {
        if self.state.sessions.contains(device) {
            return Ok(true);
        }
        if matches!(self.changes.sessions.get(device), Some(None)) {
            return Ok(false);
        }
        let Some(bytes) = self.store.session(device)? else { return Ok(false) };
        match SessionRecord::deserialize(&bytes) {
            Ok(record) => {
                self.state.sessions.fill(device.clone(), record);
                Ok(true)
            }
            Err(error) => {
                // The other side finds out by our retry receipt, and a new session is made.
                tracing::error!(%error, "A session record is unreadable; the session is begun anew.");
                Ok(false)
            }
        }
    }

    /// Whether there is a session to encrypt in.
    pub(crate) fn has_session(&mut self, device: &Jid) -> Result<bool, StoreError> {
        Ok(self.session(device)?.is_some_and(SessionRecord::has_session))
    }

    /// The sessions with a device, to look at.
    pub(crate) fn session(&mut self, device: &Jid) -> Result<Option<&SessionRecord>, StoreError> {
        Ok(if self.load_session(device)? { self.state.sessions.get(device) } else { None })
    }

    /// The sessions with a device, to change; an empty record if there are none. The generator
    /// comes with it because ratchets draw from it.
    pub(crate) fn session_mut(
        &mut self,
        device: &Jid,
    ) -> Result<Option<(&mut SessionRecord, &mut ChaCha20Rng)>, StoreError> {
        if !self.load_session(device)? {
            return Ok(None);
        }
        Ok(self.state.sessions.change(device).map(|record| (record, &mut self.rng)))
    }

    /// Puts a record in the place of whatever there was.
    pub(crate) fn put_session(&mut self, device: &Jid, record: SessionRecord) {
        self.changes.sessions.remove(device);
        self.state.sessions.fill(device.clone(), record);
        self.state.sessions.change(device);
    }

    /// Takes the record of a device out, to be deleted or put elsewhere.
    pub(crate) fn take_session(&mut self, device: &Jid) -> Result<Option<SessionRecord>, StoreError> {
        if !self.load_session(device)? {
            return Ok(None);
        }
        self.changes.sessions.insert(device.clone(), None);
        Ok(self.state.sessions.remove(device))
    }

    /// Forgets what there is about a device: its sessions and its identity.
    pub(crate) fn forget_device(&mut self, device: &Jid) -> Result<(), StoreError> {
        self.take_session(device)?;
        self.key_holder_began_anew(device)?;
        if self.identity(device)?.is_some() {
            self.changes.identities.insert(device.clone(), None);
        }
        Ok(())
    }

    /// Devices of a user with which there are sessions.
    pub(crate) fn session_devices(&mut self, user: &Jid) -> Result<Vec<Jid>, StoreError> {
        let mut devices = self.store.session_devices(user)?;
        devices.retain(|device| !matches!(self.changes.sessions.get(device), Some(None)));
        for device in self.state.sessions.changed() {
            if device.same_bare(user) && !devices.contains(device) {
                devices.push(device.clone());
            }
        }
        Ok(devices)
    }

    /// Devices of a user whose identity is known.
    pub(crate) fn identity_devices(&self, user: &Jid) -> Result<Vec<Jid>, StoreError> {
        let mut devices = self.store.identity_devices(user)?;
        devices.retain(|device| !matches!(self.changes.identities.get(device), Some(None)));
        for (device, identity) in &self.changes.identities {
            if identity.is_some() && device.same_bare(user) && !devices.contains(device) {
                devices.push(device.clone());
            }
        }
        Ok(devices)
    }

    // --- identities and keys ---

    /// Identity key of a device.
    pub(crate) fn identity(&self, device: &Jid) -> Result<Option<[u8; 32]>, StoreError> {
        match self.changes.identities.get(device) {
            Some(changed) => Ok(*changed),
            None => self.store.identity(device),
        }
    }

    /// Stores the identity that a device proved. Returns whether it had another one before.
    pub(crate) fn trust(&mut self, device: &Jid, identity: &[u8; 32]) -> Result<bool, StoreError> {
        let known = self.identity(device)?;
        if known.as_ref() == Some(identity) {
            return Ok(false);
        }
        self.changes.identities.insert(device.clone(), Some(*identity));
        Ok(known.is_some())
    }

    /// A one-time prekey of ours.
    pub(crate) fn pre_key(&self, id: u32) -> Result<Option<PreKeyRow>, StoreError> {
        match self.changes.pre_keys.get(&id) {
            Some(changed) => Ok(changed.clone()),
            None => self.store.pre_key(id),
        }
    }

    /// A signed prekey of ours.
    pub(crate) fn signed_pre_key(&self, id: u32) -> Result<Option<SignedPreKeyRow>, StoreError> {
        match self.changes.signed_pre_keys.get(&id) {
            Some(changed) => Ok(changed.clone()),
            None => self.store.signed_pre_key(id),
        }
    }

    /// The sender keys that a device gave us for a chat, to change.
    pub(crate) fn sender_key_mut(
        &mut self,
        chat: &Jid,
        device: &Jid,
    ) -> Result<Option<&mut SenderKeyRecord>, StoreError> {
        let key = (chat.clone(), device.clone());
        if !self.state.sender_keys.contains(&key) {
            let stored = match self.changes.sender_keys.get(&key) {
                Some(changed) => changed.clone(),
                None => self.store.sender_key(chat, device)?,
            };
            let Some(bytes) = stored else { return Ok(None) };
            match SenderKeyRecord::deserialize(&bytes) {
                Ok(record) => self.state.sender_keys.fill(key.clone(), record),
                Err(error) => {
                    tracing::error!(%error, "A sender key record is unreadable; the key is asked for again.");
                    return Ok(None);
                }
            }
        }
        Ok(self.state.sender_keys.change(&key))
    }

    /// Puts sender keys of a device in place.
    pub(crate) fn put_sender_key(&mut self, chat: &Jid, device: &Jid, record: SenderKeyRecord) {
        let key = (chat.clone(), device.clone());
        self.changes.sender_keys.remove(&key);
        self.state.sender_keys.fill(key.clone(), record);
        self.state.sender_keys.change(&key);
    }

    /// Takes the sender keys of a device out, to be put elsewhere.
    pub(crate) fn take_sender_key_record(
        &mut self,
        chat: &Jid,
        device: &Jid,
    ) -> Result<Option<SenderKeyRecord>, StoreError> {
        if self.sender_key_mut(chat, device)?.is_none() {
            return Ok(None);
        }
        let key = (chat.clone(), device.clone());
        self.changes.sender_keys.insert(key.clone(), None);
        Ok(self.state.sender_keys.remove(&key))
    }

    /// The sender keys that devices of a user gave us, as (chat, device).
    pub(crate) fn sender_keys_of(&self, user: &Jid) -> Result<Vec<(Jid, Jid)>, StoreError> {
        let mut keys = self.store.sender_keys_of(user)?;
        keys.retain(|key| !matches!(self.changes.sender_keys.get(key), Some(None)));
        for key in self.state.sender_keys.changed() {
            if key.1.same_bare(user) && !keys.contains(key) {
                keys.push(key.clone());
            }
        }
        Ok(keys)
    }

    // --- addresses ---

    /// What is known of addresses, in memory.
    pub(crate) fn addresses(&mut self) -> &mut Addresses {
        &mut self.state.addresses
    }

    // --- groups ---

    /// What is kept in memory about sending to groups.
    pub(crate) fn sending(&mut self) -> &mut SendingState {
        &mut self.state.sending
    }

    /// What is known of a group; look at its `stale` before relying on the members.
    pub(crate) fn group(&mut self, group: &Jid) -> Result<Option<Arc<GroupRow>>, StoreError> {
        let known = self.state.groups.iter().position(|(id, _)| id == group);
        let (id, row) = match known {
            Some(at) => self.state.groups.remove(at),
            None => (group.clone(), self.store.group(group)?),
        };
        self.state.groups.push((id, row.clone()));
        Ok(row)
    }

    /// Writes down what is known of a group; `None` when this account is in it no more.
    pub(crate) fn put_group(&mut self, group: &Jid, row: Option<GroupRow>) {
        let row = row.map(Arc::new);
        self.state.groups.retain(|(id, _)| id != group);
        self.state.groups.push((group.clone(), row.clone()));
        self.changes.groups.insert(group.clone(), row);
    }

    /// Remembers that the service announced something about a group.
    pub(crate) fn group_announced(&mut self, group: &Jid) {
        let (groups, count) = &mut self.state.announced;
        *count = count.saturating_add(1);
        groups.push_back(group.clone());
        if groups.len() > ANNOUNCED {
            groups.pop_front();
        }
    }

    /// How often something was announced about any group; for [`announced_since`](Self::announced_since).
    pub(crate) fn announcements(&self) -> u64 {
        self.state.announced.1
    }

    /// Whether something may have been announced about a group since a count: an answer of the service
    /// that was asked for then may be older.
    pub(crate) fn announced_since(&self, group: &Jid, count: u64) -> bool {
        let (groups, now) = &self.state.announced;
        let Some(missed) = now.checked_sub(count).and_then(|missed| usize::try_from(missed).ok()) else {
            return true;
        };
        missed > groups.len() || groups.iter().rev().take(missed).any(|announced| announced == group)
    }

    // --- restrictions ---

    /// Restrictions of the account, also those that are over but not known to be lifted.
    pub(crate) fn locks(&mut self) -> Result<Vec<Lock>, StoreError> {
        if self.state.locks.is_none() {
            self.state.locks = Some(self.store.restrictions()?);
        }
        Ok(self.state.locks.clone().unwrap_or_default())
    }

    /// Puts a restriction in the place of one of its kind.
    pub(crate) fn set_lock(&mut self, lock: Lock) -> Result<(), StoreError> {
        self.drop_lock(lock.kind)?;
        self.state.locks.get_or_insert_default().push(lock);
        self.changes.restrictions.insert(lock.kind, Some(lock));
        Ok(())
    }

    /// Forgets a restriction.
    pub(crate) fn drop_lock(&mut self, kind: RestrictionKind) -> Result<(), StoreError> {
        let mut locks = self.locks()?;
        locks.retain(|lock| lock.kind != kind);
        self.state.locks = Some(locks);
        self.changes.restrictions.insert(kind, None);
        Ok(())
    }

    /// When the service was last asked about a restriction, seconds; far in the past if it was not.
    pub(crate) fn restriction_asked(&mut self, kind: RestrictionKind) -> &mut i64 {
        self.state.restrictions_asked.entry(kind).or_insert(i64::MIN)
    }

    // --- lists and messages ---

    /// Devices of a user, as last told.
    pub(crate) fn device_list(&self, user: &Jid) -> Result<Option<DeviceList>, StoreError> {
        match self.changes.device_lists.get(user) {
            Some(changed) => Ok(changed.clone()),
            None => self.store.device_list(user),
        }
    }

    /// What is known of a received message, whichever addresses its chat and author had when it
    /// came: of several, what came furthest.
    pub(crate) fn inbox(
        &mut self,
        chat: &Jid,
        author: &Jid,
        id: &str,
    ) -> Result<Option<InboxEntry>, StoreError> {
        let changed = self.changes.inbox.iter().rev().filter(|entry| entry.message_id == id).cloned();
        let entries: Vec<InboxEntry> = changed.chain(self.store.inbox_of(id)?).collect();
        let mut best: Option<InboxEntry> = None;
        for entry in entries {
            let same = (entry.chat == *chat || self.canonical(&entry.chat)? == *chat)
                && (entry.author == *author || self.canonical(&entry.author)? == *author);
            if same && best.as_ref().is_none_or(|best| progress(&entry) > progress(best)) {
                best = Some(entry);
            }
        }
        Ok(best)
    }

    /// What is known of received messages with an id, whatever their chats and authors. Of a message
    /// that this unit has dealt with, the latest entry.
    pub(crate) fn inbox_of(&self, id: &str) -> Result<Vec<InboxEntry>, StoreError> {
        let mut entries: Vec<InboxEntry> = Vec::new();
        let changed = self.changes.inbox.iter().rev().filter(|entry| entry.message_id == id).cloned();
        for entry in changed.chain(self.store.inbox_of(id)?) {
            if !entries.iter().any(|newer| newer.chat == entry.chat && newer.author == entry.author) {
                entries.push(entry);
            }
        }
        Ok(entries)
    }

    /// A sent message, whichever address its chat had when it was accepted.
    pub(crate) fn outbox(&mut self, chat: &Jid, id: &str) -> Result<Option<OutboxRow>, StoreError> {
        let chat = self.canonical(&chat.to_bare())?;
        for row in self.store.outbox_of(id)? {
            if row.chat == chat || self.canonical(&row.chat)? == chat {
                return Ok(Some(row));
            }
        }
        Ok(None)
    }

    /// Base key saved at an earlier retry of a message, whichever address the device had then.
    pub(crate) fn retry_base_key(&mut self, device: &Jid, id: &str) -> Result<Option<[u8; 32]>, StoreError> {
        if let Some(key) = self.store.retry_base_key(device, id)? {
            return Ok(Some(key));
        }
        for other in self.other_addresses(device)? {
            if let Some(key) = self.store.retry_base_key(&other, id)? {
                return Ok(Some(key));
            }
        }
        Ok(None)
    }
}

/// How far a received message came.
fn progress(entry: &InboxEntry) -> u16 {
    match entry.state {
        InboxState::Failed { retries, .. } => u16::from(retries),
        InboxState::Done | InboxState::History => u16::MAX,
    }
}

impl Inner {
    /// Does a unit of work and commits it. What `work` returns is handed on only when the unit
    /// is durable. Dropping the future ends the waiting; nobody else gets at the state before the
    /// commit is over.
    pub(crate) async fn unit<T>(
        &self,
        work: impl FnOnce(&mut Unit<'_>) -> Result<T, StoreError> + Send,
    ) -> Result<T, Error>
    where
        T: Send,
    {
        let mut state = Arc::clone(&self.signal).lock_owned().await;
        let account = self.linked_account()?;
        let worked = {
            let seed = || ChaCha20Rng::from_rng(&mut *self.rng());
            let mut unit = Unit::begin(&*self.store, &account, &mut state, seed);
            work(&mut unit).map(|value| (value, unit.finish()))
        };
        match worked {
            Ok((value, changes)) if changes.is_empty() => Ok(value),
            Ok((value, changes)) => {
                let outcome = Box::pin(self.commit.commit(changes));
                let runtime = self.engine.handle.clone();
                Committing { waiting: Some((state, outcome)), runtime }.await.map(|()| value)
            }
            Err(error) => {
                state.reset();
                Err(error.into())
            }
        }
    }
}

type Outcome = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

/// A commit under way, with the lock on the state that it is made from. Dropped, it goes on by
/// itself: the lock is held until the store is up to date.
struct Committing {
    waiting: Option<(OwnedMutexGuard<SignalState>, Outcome)>,
    runtime: Handle,
}

impl Future for Committing {
    type Output = Result<(), Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some((_, outcome)) = &mut self.waiting else { return Poll::Pending };
        let result = std::task::ready!(outcome.as_mut().poll(cx));
        if let Some((mut state, _)) = self.waiting.take()
            && result.is_err()
        {
            state.reset();
        }
        Poll::Ready(result)
    }
}

impl Drop for Committing {
    fn drop(&mut self) {
        if let Some((mut state, outcome)) = self.waiting.take() {
            self.runtime.spawn(async move {
                if outcome.await.is_err() {
                    state.reset();
                }
            });
        }
    }
}
