//! Events between the commit and the host: bounded memory over the unbounded journal.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use whimbrel_wire::Jid;

use super::record;
use crate::clock;
use crate::error::{Code, Error};
use crate::events::{
    ChatStateChanged, ClosedReason, ConnectionState, Event, EventKind, HistoryProgress, LinkFailed,
    MediaProgress, PasskeyRequired, PresenceChanged, QrText,
};
use crate::store::{Store, StoreError};

/// Journaled events held in memory; what is beyond stays in the store until it is its turn.
const IN_MEMORY: usize = 256;

/// Transfers of files of which the host may be told at a time.
const TRANSFERS: usize = 256;

/// People and groups of whose presence the host may be told at a time, and people who write.
const SIGNS: usize = 512;

/// The events of one client on their way to its host.
///
/// A host that keeps up is served from memory. One that falls behind is served from the
/// journal, page by page, so that a slow host costs disk, not memory; at the journal's limit
/// the engine stops reading from the service ([`EventQueue::wait_for_room`]).
pub(crate) struct EventQueue {
    store: Arc<dyn Store>,
    limits: Limits,
    state: Mutex<State>,
    readable: Notify,
    room: Notify,
}

/// What may wait in the journal before the engine stops reading from the service.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) events: u64,
    /// Of the events as the journal has them.
    pub(crate) bytes: u64,
}

struct State {
    /// Journaled events in order, directly after `taken`.
    live: VecDeque<Event>,
    /// Highest sequence number given to the host or lying in `live`.
    loaded: u64,
    /// Highest sequence number in the journal.
    last: u64,
    /// Highest sequence number given to the host, by any of its streams.
    given: u64,
    /// Acknowledged by the host, durable or not.
    acknowledged: u64,
    /// Bytes of each event after `acknowledged`, in order, and of all together.
    sizes: VecDeque<u64>,
    bytes: u64,
    /// Acknowledged in the store.
    acknowledged_durably: u64,
    /// Latest-value events that the host has not seen yet.
    qr: Option<QrText>,
    /// A pairing code, or its end.
    code: Option<EventKind>,
    passkey: Option<PasskeyRequired>,
    link_failed: Option<LinkFailed>,
    connection: Option<ConnectionState>,
    /// By the name of the transfer.
    transfers: BTreeMap<String, MediaProgress>,
    history: Option<HistoryProgress>,
    /// By who it is.
    presences: BTreeMap<Jid, PresenceChanged>,
    /// By the chat and who it is.
    chat_states: BTreeMap<(Jid, Jid), ChatStateChanged>,
    closed: Option<ClosedReason>,
    closed_taken: bool,
    consumer: bool,
    /// The journal could not be read; the host is told by a `Closed`.
    unreadable: bool,
}

impl EventQueue {
    /// Makes the queue of a client; what the host had not acknowledged comes first.
    pub(crate) fn new(store: Arc<dyn Store>, limits: Limits) -> Result<Self, StoreError> {
        let (last, acknowledged) = store.journal_bounds()?;
        let sizes: VecDeque<u64> = store.journal_sizes()?.into();
        Ok(Self {
            store,
            limits: Limits { events: limits.events.max(1), bytes: limits.bytes.max(1) },
            state: Mutex::new(State {
                live: VecDeque::new(),
                loaded: acknowledged,
                last,
                given: acknowledged,
                acknowledged,
                acknowledged_durably: acknowledged,
                bytes: sizes.iter().sum(),
                sizes,
                qr: None,
                code: None,
                passkey: None,
                link_failed: None,
                connection: None,
                transfers: BTreeMap::new(),
                history: None,
                presences: BTreeMap::new(),
                chat_states: BTreeMap::new(),
                closed: None,
                closed_taken: false,
                consumer: false,
                unreadable: false,
            }),
            readable: Notify::new(),
            room: Notify::new(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the one place of a consumer. What an earlier consumer took without acknowledging
    /// is offered again.
    pub(super) fn subscribe(&self) -> Result<(), Error> {
        let mut state = self.lock();
        if state.consumer {
            return Err(Error::new(Code::WrongState, "the client's events have a consumer already"));
        }
        state.consumer = true;
        state.live.clear();
        state.loaded = state.acknowledged;
        Ok(())
    }

    pub(super) fn unsubscribe(&self) {
        self.lock().consumer = false;
    }

    /// Adds journaled events that have just become durable, numbered and in order, with their sizes.
    pub(crate) fn publish(&self, events: Vec<Event>, sizes: &[u64]) {
        if events.is_empty() {
            return;
        }
        {
            let mut state = self.lock();
            state.sizes.extend(sizes);
            state.bytes = state.bytes.saturating_add(sizes.iter().sum());
            for event in events {
                let Some(sequence) = event.sequence else { continue };
                let follows = state.loaded == state.last;
                state.last = sequence;
                if follows && state.live.len() < IN_MEMORY {
                    state.loaded = sequence;
                    state.live.push_back(event);
                }
            }
        }
        self.readable.notify_one();
    }

    /// Shows a QR text, replacing one that was not taken.
    pub(crate) fn qr(&self, qr: QrText) {
        self.lock().qr = Some(qr);
        self.readable.notify_one();
    }

    /// Shows a pairing code or says that one is over, replacing what was not taken.
    pub(crate) fn pairing_code(&self, code: EventKind) {
        self.lock().code = Some(code);
        self.readable.notify_one();
    }

    /// Says that the service demands a passkey.
    pub(crate) fn passkey_required(&self, required: PasskeyRequired) {
        self.lock().passkey = Some(required);
        self.readable.notify_one();
    }

    /// Says that linking ended without a link; a code that was not taken is void.
    pub(crate) fn link_failed(&self, failed: LinkFailed) {
        let mut state = self.lock();
        state.qr = None;
        state.code = None;
        state.link_failed = Some(failed);
        drop(state);
        self.readable.notify_one();
    }

    /// Says how the connection is, replacing what was not taken.
    pub(crate) fn connection(&self, connection: ConnectionState) {
        let mut state = self.lock();
        if !matches!(connection, ConnectionState::Linking) {
            state.qr = None;
        }
        state.connection = Some(connection);
        drop(state);
        self.readable.notify_one();
    }

    /// Says how far a transfer is, replacing what was not taken about it.
    pub(crate) fn media_progress(&self, progress: MediaProgress) {
        let mut state = self.lock();
        // A host that takes no events must not gather them.
        if state.transfers.len() >= TRANSFERS && !state.transfers.contains_key(&progress.transfer) {
            state.transfers.pop_first();
        }
        state.transfers.insert(progress.transfer.clone(), progress);
        drop(state);
        self.readable.notify_one();
    }

    /// Says how far the present piece of the history is, replacing what was not taken.
    pub(crate) fn history_progress(&self, progress: HistoryProgress) {
        self.lock().history = Some(progress);
        self.readable.notify_one();
    }

    /// Says who is online, replacing what was not taken about the same person.
    pub(crate) fn presence(&self, presence: PresenceChanged) {
        let mut state = self.lock();
        if state.presences.len() >= SIGNS && !state.presences.contains_key(&presence.who.id) {
            state.presences.pop_first();
        }
        state.presences.insert(presence.who.id.clone(), presence);
        drop(state);
        self.readable.notify_one();
    }

    /// Says who writes, replacing what was not taken about the same person and chat.
    pub(crate) fn chat_state(&self, chat_state: ChatStateChanged) {
        let mut state = self.lock();
        let key = (chat_state.chat.id.clone(), chat_state.sender.id.clone());
        if state.chat_states.len() >= SIGNS && !state.chat_states.contains_key(&key) {
            state.chat_states.pop_first();
        }
        state.chat_states.insert(key, chat_state);
        drop(state);
        self.readable.notify_one();
    }

    /// Ends the stream; `Closed` is its last event. The first reason counts.
    pub(crate) fn close(&self, reason: ClosedReason) {
        self.lock().closed.get_or_insert(reason);
        self.readable.notify_one();
        self.room.notify_waiters();
    }

    /// The next event, if there is one now.
    fn try_next(&self) -> Option<Event> {
        let mut state = self.lock();
        if let Some(kind) = state.next_ephemeral() {
            return Some(ephemeral(kind));
        }
        // After the close the store cannot be read: what is not here is offered at the next open.
        let behind = state.live.is_empty() && state.loaded < state.last;
        if behind && !state.unreadable && state.closed.is_none() {
            self.load_page(&mut state);
        }
        if let Some(event) = state.live.pop_front() {
            state.given = state.given.max(event.sequence.unwrap_or(0));
            return Some(event);
        }
        if state.closed_taken {
            return None;
        }
        let reason = if state.unreadable { Some(ClosedReason::StoreFailed) } else { state.closed };
        reason.map(|reason| {
            state.closed_taken = true;
            ephemeral(EventKind::Closed(reason))
        })
    }

    /// Whether `Closed` was given out: nothing follows.
    fn ended(&self) -> bool {
        self.lock().closed_taken
    }

    fn load_page(&self, state: &mut State) {
        let rows = match self.store.journal_after(state.loaded, IN_MEMORY) {
            Ok(rows) => rows,
            Err(error) => {
                tracing::error!(%error, "The event journal could not be read.");
                state.unreadable = true;
                return;
            }
        };
        if rows.is_empty() {
            state.loaded = state.last;
        }
        for row in rows {
            state.loaded = row.sequence;
            match record::decode(row.sequence, &row.payload) {
                Ok(event) => state.live.push_back(event),
                // A newer version wrote it; this one has no name for it.
                Err(error) => tracing::warn!(sequence = row.sequence, %error, "An event was skipped."),
            }
        }
    }

    /// Waits for the next event; `None` after `Closed`.
    pub(super) async fn next(&self) -> Option<Event> {
        loop {
            let readable = self.readable.notified();
            if let Some(event) = self.try_next() {
                return Some(event);
            }
            if self.ended() {
                return None;
            }
            readable.await;
        }
    }

    /// Adds what is there without waiting, at most `max` events in all.
    pub(super) fn take_ready(&self, into: &mut Vec<Event>, max: usize) {
        while into.len() < max {
            match self.try_next() {
                Some(event) => into.push(event),
                None => return,
            }
        }
    }

    /// The host has taken everything up to a sequence number; what it was not given, it has not
    /// taken, whatever it says. Returns whether the store should be told soon.
    pub(crate) fn acknowledge(&self, sequence: u64) -> bool {
        let mut state = self.lock();
        let sequence = sequence.min(state.given);
        if sequence <= state.acknowledged {
            return false;
        }
        let first = state.acknowledged == state.acknowledged_durably;
        let taken = usize::try_from(sequence.saturating_sub(state.acknowledged)).unwrap_or(usize::MAX);
        let taken = taken.min(state.sizes.len());
        let freed: u64 = state.sizes.drain(..taken).sum();
        state.bytes = state.bytes.saturating_sub(freed);
        state.acknowledged = sequence;
        drop(state);
        self.room.notify_waiters();
        first
    }

    /// What the next commit should write as acknowledged, if anything.
    pub(crate) fn acknowledged_by_host(&self) -> Option<u64> {
        let state = self.lock();
        (state.acknowledged > state.acknowledged_durably).then_some(state.acknowledged)
    }

    /// A commit wrote an acknowledgement.
    pub(crate) fn acknowledged_durably(&self, sequence: u64) {
        let mut state = self.lock();
        state.acknowledged_durably = state.acknowledged_durably.max(sequence);
    }

    /// Whether the journal is below its limits, or the client is closing.
    pub(crate) fn has_room(&self) -> bool {
        let state = self.lock();
        let outstanding = state.last.saturating_sub(state.acknowledged);
        (outstanding < self.limits.events && state.bytes < self.limits.bytes) || state.closed.is_some()
    }

    /// Waits until the journal is below its limits, or the client is closing.
    pub(crate) async fn wait_for_room(&self) {
        loop {
            let room = self.room.notified();
            tokio::pin!(room);
            room.as_mut().enable();
            if self.has_room() {
                return;
            }
            room.await;
        }
    }
}

impl State {
    fn next_ephemeral(&mut self) -> Option<EventKind> {
        if let Some(connection) = self.connection.take() {
            return Some(EventKind::Connection(connection));
        }
        if let Some(qr) = self.qr.take() {
            return Some(EventKind::Qr(qr));
        }
        if let Some(code) = self.code.take() {
            return Some(code);
        }
        if let Some(required) = self.passkey.take() {
            return Some(EventKind::PasskeyRequired(required));
        }
        if let Some(failed) = self.link_failed.take() {
            return Some(EventKind::LinkFailed(failed));
        }
        if let Some(progress) = self.history.take() {
            return Some(EventKind::HistoryProgress(progress));
        }
        if let Some((_, presence)) = self.presences.pop_first() {
            return Some(EventKind::Presence(presence));
        }
        if let Some((_, state)) = self.chat_states.pop_first() {
            return Some(EventKind::ChatState(state));
        }
        self.transfers.pop_first().map(|(_, progress)| EventKind::MediaProgress(progress))
    }
}

fn ephemeral(kind: EventKind) -> Event {
    Event { sequence: None, id: String::new(), recorded_at_ms: clock::now_ms(), kind }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Changes, JournalRow, MemoryStore};

    /// A queue over a journal with this many events, of which none is acknowledged.
    fn queue(events: u64, limit: u64) -> EventQueue {
        limited(events, Limits { events: limit, bytes: u64::MAX })
    }

    fn limited(events: u64, limits: Limits) -> EventQueue {
        let store = MemoryStore::default();
        let event = |sequence| Event {
            sequence: Some(sequence),
            id: sequence.to_string(),
            recorded_at_ms: 0,
            kind: EventKind::Replaced,
        };
        let journal =
            (1..=events).map(|sequence| JournalRow { sequence, payload: record::encode(&event(sequence)) });
        store.commit(&Changes { journal: journal.collect(), ..Changes::default() }).unwrap();
        EventQueue::new(Arc::new(store), limits).unwrap()
    }

    #[test]
    fn what_the_host_was_not_given_it_cannot_acknowledge() {
        let queue = queue(5, 100);
        queue.subscribe().unwrap();
        let mut taken = Vec::new();
        queue.take_ready(&mut taken, 2);
        assert!(queue.acknowledge(u64::MAX));
        assert_eq!(queue.acknowledged_by_host(), Some(2));
        queue.take_ready(&mut taken, 5);
        let sequences: Vec<_> = taken.iter().filter_map(|event| event.sequence).collect();
        assert_eq!(sequences, [1, 2, 3, 4, 5]);
    }

    #[tokio::test]
    async fn a_full_journal_has_room_again_when_events_are_acknowledged() {
        let queue = queue(2, 2);
        queue.subscribe().unwrap();
        let mut taken = Vec::new();
        queue.take_ready(&mut taken, 2);
        tokio::join!(queue.wait_for_room(), async {
            assert!(queue.acknowledge(1));
        });
    }

    #[tokio::test]
    async fn the_bytes_of_the_journal_are_limited_too_and_counted_over_restarts() {
        let size = limited(1, Limits { events: 9, bytes: 9 }).lock().bytes;
        assert!(size > 4);
        let queue = limited(4, Limits { events: 100, bytes: 3 * size });
        assert!(!queue.has_room());
        queue.subscribe().unwrap();
        let mut taken = Vec::new();
        queue.take_ready(&mut taken, 4);
        queue.acknowledge(1);
        assert!(!queue.has_room(), "the limit itself is full");
        queue.acknowledge(2);
        assert!(queue.has_room());
        let event = Event { sequence: Some(5), id: "5".into(), recorded_at_ms: 0, kind: EventKind::Replaced };
        queue.publish(vec![event], &[size]);
        assert!(!queue.has_room());
        queue.take_ready(&mut taken, 5);
        queue.acknowledge(5);
        let state = queue.lock();
        assert_eq!((state.bytes, state.sizes.len()), (0, 0));
    }
}
