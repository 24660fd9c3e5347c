//! Group commit: whatever waits while a transaction runs goes into the next one.
//!
//! Lanes submit units of work and wait until they are durable. One transaction at a time runs
//! on a blocking thread of the engine, so a burst of inbound messages costs one write to disk,
//! and an idle client costs no thread.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;
use tokio::sync::{Notify, oneshot};

use super::{Changes, JournalRow, Store, StoreError};
use crate::archive;
use crate::error::{Code, Error};
use crate::events::Event;
use crate::journal::{self, EventQueue};

/// The one writer of a client's store.
#[derive(Clone)]
pub(crate) struct Committer {
    shared: Arc<Shared>,
}

struct Shared {
    store: Arc<dyn Store>,
    events: Arc<EventQueue>,
    runtime: Handle,
    /// Whether there is an archive to keep.
    archive: bool,
    state: Mutex<State>,
    failed: Notify,
}

#[derive(Default)]
struct State {
    waiting: Vec<Unit>,
    /// Goes with the next transaction, whatever that is for.
    later: Changes,
    /// A blocking task is at work and will look at `waiting` again before it ends.
    running: bool,
    /// Set by a failed commit: what comes later may rest on what was lost.
    failed: Option<StoreError>,
    last_sequence: u64,
    /// Transactions that were carried out.
    commits: u64,
}

struct Unit {
    changes: Changes,
    done: oneshot::Sender<Result<(), StoreError>>,
}

impl Committer {
    /// Makes the writer of a store; journaled events go to `events` once they are durable, and into
    /// the archive if there is to be one.
    pub(crate) fn new(
        store: Arc<dyn Store>,
        events: Arc<EventQueue>,
        runtime: Handle,
        archive: bool,
    ) -> Result<Self, StoreError> {
        let (last_sequence, _) = store.journal_bounds()?;
        let state = Mutex::new(State { last_sequence, ..State::default() });
        Ok(Self {
            shared: Arc::new(Shared { store, events, runtime, archive, state, failed: Notify::new() }),
        })
    }

    /// Makes a unit of work durable, together with whatever else waits. The order of calls is
    /// the order of commits, so events get their numbers in that order.
    ///
    /// The unit is submitted at once, not when the future is first polled, and is carried out
    /// even if the future is dropped.
    pub(crate) fn commit(
        &self,
        changes: Changes,
    ) -> impl Future<Output = Result<(), Error>> + Send + 'static {
        let outcome = self.submit(changes);
        async move {
            match outcome.await {
                Ok(Ok(())) => Ok(()),
                Ok(Err(error)) => Err(error.into()),
                Err(_) => Err(Error::new(Code::Internal, "the writer of the store ended without an answer")),
            }
        }
    }

    /// Leaves changes that may be lost for the next transaction. Returns whether none were waiting, so
    /// that the caller sees to it that there is a transaction some time.
    pub(crate) fn later(&self, changes: Changes) -> bool {
        let mut state = self.shared.lock();
        let first = state.later.is_empty();
        state.later.absorb(changes);
        first
    }

    /// Transactions that were carried out so far.
    pub(crate) fn commits(&self) -> u64 {
        self.shared.lock().commits
    }

    /// Whether changes wait for a transaction to go with.
    pub(crate) fn has_later(&self) -> bool {
        !self.shared.lock().later.is_empty()
    }

    /// Allows commits again after a failed one. The caller has dropped everything that it
    /// derived from the failed unit.
    pub(crate) fn reset(&self) {
        self.shared.lock().failed = None;
    }

    /// Whether a commit failed since the last [`reset`](Self::reset).
    pub(crate) fn has_failed(&self) -> bool {
        self.shared.lock().failed.is_some()
    }

    /// Ends when a commit has failed. Nothing is committed any more until the [`reset`](Self::reset).
    pub(crate) async fn failed(&self) {
        loop {
            let failed = self.shared.failed.notified();
            tokio::pin!(failed);
            failed.as_mut().enable();
            if self.has_failed() {
                return;
            }
            failed.await;
        }
    }

    fn submit(&self, changes: Changes) -> oneshot::Receiver<Result<(), StoreError>> {
        let (done, outcome) = oneshot::channel();
        let mut state = self.shared.lock();
        if let Some(error) = &state.failed {
            // The receiver is alive: it is returned below.
            let _ = done.send(Err(error.clone()));
            return outcome;
        }
        state.waiting.push(Unit { changes, done });
        if !state.running {
            state.running = true;
            let shared = Arc::clone(&self.shared);
            self.shared.runtime.spawn_blocking(move || shared.drain());
        }
        outcome
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Commits until nothing waits.
    fn drain(&self) {
        loop {
            let (units, later, first_sequence) = {
                let mut state = self.lock();
                if state.waiting.is_empty() {
                    state.running = false;
                    return;
                }
                let units = take_group(&mut state.waiting);
                (units, std::mem::take(&mut state.later), state.last_sequence.saturating_add(1))
            };
            self.commit_group(units, later, first_sequence);
        }
    }

    fn commit_group(&self, units: Vec<Unit>, later: Changes, first_sequence: u64) {
        let mut all = later;
        let mut waiters = Vec::with_capacity(units.len());
        for unit in units {
            all.absorb(unit.changes);
            waiters.push(unit.done);
        }
        if self.archive {
            archive::project::project(&mut all, &*self.store);
        } else {
            all.archive.clear();
        }
        let events = number(&mut all, first_sequence);
        let acknowledged = self.events.acknowledged_by_host();
        all.acknowledged = all.acknowledged.max(acknowledged);
        let sizes: Vec<u64> = all.journal.iter().map(|row| row.payload.len() as u64).collect();
        let result = self.store.commit(&all);
        match &result {
            Ok(()) => {
                {
                    let mut state = self.lock();
                    state.commits = state.commits.saturating_add(1);
                    if let Some(last) = events.last().and_then(|event| event.sequence) {
                        state.last_sequence = last;
                    }
                }
                if let Some(sequence) = all.acknowledged {
                    self.events.acknowledged_durably(sequence);
                }
                self.events.publish(events, &sizes);
            }
            Err(error) => {
                tracing::error!(%error, "The store refused a commit; nothing of it is acknowledged.");
                let later = {
                    let mut state = self.lock();
                    state.failed = Some(error.clone());
                    std::mem::take(&mut state.waiting)
                };
                for unit in later {
                    let _ = unit.done.send(Err(error.clone()));
                }
                self.failed.notify_waiters();
            }
        }
        for done in waiters {
            // A waiter may have gone away; its work is done all the same.
            let _ = done.send(result.clone());
        }
    }
}

/// Takes what can share a transaction: everything, except that a unit which sets the link
/// aside goes alone.
fn take_group(waiting: &mut Vec<Unit>) -> Vec<Unit> {
    match waiting.iter().position(|unit| unit.changes.forget_link) {
        None => std::mem::take(waiting),
        Some(0) => waiting.drain(..1).collect(),
        Some(before) => waiting.drain(..before).collect(),
    }
}

/// Numbers the events and encodes them as journal rows; returns them numbered.
fn number(changes: &mut Changes, first: u64) -> Vec<Event> {
    let mut events = std::mem::take(&mut changes.events);
    let mut sequence = first;
    for event in &mut events {
        event.sequence = Some(sequence);
        changes.journal.push(JournalRow { sequence, payload: journal::encode(event) });
        sequence = sequence.saturating_add(1);
    }
    events
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        let (code, message) = match &error {
            StoreError::Failed(_) => (Code::StoreFailed, "the store could not be read or written"),
            StoreError::Corrupt(_) => (Code::StoreCorrupt, "the store file is damaged or is not a store"),
            StoreError::Locked => {
                (Code::StoreLocked, "the store file is in use by another client or process")
            }
            StoreError::Moved => (Code::StoreMoved, "the store was exported, and its link lives there now"),
            StoreError::TooNew(_) => (Code::StoreTooNew, "the store was written by a newer version"),
        };
        Self::new(code, message).because(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::EventKind;
    use crate::journal::Limits;
    use crate::store::failing::FailingStore;
    use crate::store::{MemoryStore, OutboxRow};
    use whimbrel_wire::Jid;

    fn event(id: &str) -> Changes {
        let event = Event { sequence: None, id: id.to_owned(), recorded_at_ms: 0, kind: EventKind::Replaced };
        Changes { events: vec![event], ..Changes::default() }
    }

    #[tokio::test]
    async fn after_a_failure_nothing_is_committed_until_the_reset() {
        let store = Arc::new(FailingStore::default());
        let events = Arc::new(
            EventQueue::new(Arc::clone(&store) as Arc<dyn Store>, Limits { events: 100, bytes: 1 << 20 })
                .unwrap(),
        );
        let commit = Committer::new(
            Arc::clone(&store) as Arc<dyn Store>,
            Arc::clone(&events),
            Handle::current(),
            true,
        )
        .unwrap();
        commit.commit(event("A")).await.unwrap();
        store.fail_next(1);
        let (noticed, refused) = tokio::join!(commit.failed(), commit.commit(event("B")));
        assert_eq!((noticed, refused.unwrap_err().code()), ((), Code::StoreFailed));
        // The store is well again, but what is in memory may rest on what was lost.
        assert!(commit.commit(event("C")).await.is_err() && commit.has_failed());
        commit.reset();
        commit.commit(event("D")).await.unwrap();
        assert_eq!(store.journal_bounds().unwrap(), (2, 0), "no number is left out");
        assert_eq!(store.journal_after(0, 10).unwrap().len(), 2);
    }

    #[test]
    fn in_one_transaction_the_later_word_on_a_message_counts() {
        let key = || (Jid::lid("7"), "A".to_owned());
        let row = || OutboxRow::new(Jid::lid("7"), "A".to_owned(), Vec::new(), 0);
        let kept = || Changes { outbox: vec![row()], ..Changes::default() };
        let dropped = || Changes { outbox_dropped: vec![key()], ..Changes::default() };
        for (first, later, rows) in [(kept(), dropped(), 0), (dropped(), kept(), 1)] {
            let mut all = first;
            all.absorb(later);
            let store = MemoryStore::default();
            store.commit(&all).unwrap();
            assert_eq!(store.outbox_pending().unwrap().len(), rows);
        }
    }
}
