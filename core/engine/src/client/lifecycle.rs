//! The end of a client, and the waiting of calls that must not outlive it.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::Inner;
use super::status::{Wish, not_connected_in_time};
use crate::error::{Code, Error};
use crate::events::ClosedReason;
use crate::store::Changes;

/// Time for what remains after the deadline: ending tasks, flushing acknowledgements.
const LAST: Duration = Duration::from_millis(500);

/// How long what may be lost waits for another commit to go with.
const LATER: Duration = Duration::from_secs(5);

/// How long acknowledgements are collected before they are written.
const ACKNOWLEDGE_DELAY: Duration = Duration::from_millis(200);

impl Inner {
    /// Closes in a task of the engine, so that the caller's executor does not matter and the
    /// close goes on when the caller does not wait.
    pub(crate) fn spawn_close(self: &Arc<Self>, timeout: Duration) -> JoinHandle<Result<(), Error>> {
        let client = Arc::clone(self);
        self.engine.handle.spawn(client.close(timeout))
    }

    async fn close(self: Arc<Self>, timeout: Duration) -> Result<(), Error> {
        let deadline = Instant::now() + timeout;
        if !self.gate.close() {
            let mut done = self.closed.subscribe();
            let waited = tokio::time::timeout_at(deadline + 2 * LAST, done.wait_for(|done| *done)).await;
            return waited.map(|_| ()).map_err(|_| late());
        }
        let idle = tokio::time::timeout_at(deadline, self.gate.idle()).await;
        if idle.is_err() {
            self.gate.cancel();
            // Cancelled calls end at their next await.
            let _ = tokio::time::timeout(LAST, self.gate.idle()).await;
        }
        self.set_closed();
        let joined = tokio::time::timeout_at(deadline.max(Instant::now() + LAST), self.tasks.join()).await;
        if joined.is_err() {
            self.tasks.abort();
            let _ = tokio::time::timeout(LAST, self.tasks.join()).await;
        }
        let flushed = self.flush_acknowledgement().await;
        let reason = if self.tasks.has_panicked() { ClosedReason::Internal } else { ClosedReason::Host };
        self.events.close(reason);
        self.store.close();
        self.closed.send_replace(true);
        if idle.is_err() || joined.is_err() { Err(late()) } else { flushed }
    }

    async fn flush_acknowledgement(&self) -> Result<(), Error> {
        if self.events.acknowledged_by_host().is_none() && !self.commit.has_later() {
            return Ok(());
        }
        self.commit.commit(Changes::default()).await
    }

    /// The host has taken events; the store is told soon, together with other acknowledgements.
    pub(crate) fn acknowledge(self: &Arc<Self>, sequence: u64) {
        if !self.events.acknowledge(sequence) {
            return;
        }
        let client = Arc::clone(self);
        self.spawn(async move {
            tokio::select! {
                () = tokio::time::sleep(ACKNOWLEDGE_DELAY) => {}
                () = client.gate.closed() => {}
            }
            if let Err(error) = client.flush_acknowledgement().await {
                tracing::warn!(%error, "Acknowledged events will be offered again.");
            }
        });
    }

    /// Writes what may be lost with the next commit, or at the latest in some seconds.
    pub(crate) fn commit_later(self: &Arc<Self>, changes: Changes) {
        if !self.commit.later(changes) || self.store_is_closed() {
            return;
        }
        let client = Arc::clone(self);
        self.spawn(async move {
            tokio::select! {
                () = tokio::time::sleep(LATER) => {}
                () = client.gate.closed() => {}
            }
            if let Err(error) = client.flush_acknowledgement().await {
                tracing::warn!(%error, "What the host was told may be told again.");
            }
        });
    }

    fn store_is_closed(&self) -> bool {
        *self.closed.borrow()
    }

    /// Waits until online, or until it is clear that this does not happen.
    pub(super) async fn wait_online(&self, wish: Wish, deadline: Instant) -> Result<(), Error> {
        let mut status = self.watch_status();
        let online = async {
            loop {
                if let Some(outcome) = status.borrow_and_update().outcome(wish) {
                    return outcome;
                }
                if status.changed().await.is_err() {
                    return Err(crate::engine::closed());
                }
            }
        };
        tokio::select! {
            biased;
            outcome = tokio::time::timeout_at(deadline, online) => match outcome {
                Ok(outcome) => outcome,
                Err(_) => Err(not_connected_in_time(self.status().failure)),
            },
            () = self.gate.closed() => Err(super::cancelled()),
        }
    }

    /// Waits for something that a wish brings about, or until it is clear that it does not.
    pub(super) async fn unless_hopeless<T>(
        &self,
        wish: Wish,
        deadline: Instant,
        waiting: impl Future<Output = T>,
    ) -> Result<T, Error> {
        tokio::select! {
            biased;
            value = waiting => Ok(value),
            outcome = self.wait_online(wish, deadline) => match outcome {
                // Somebody linked the client by other means in the meantime.
                Ok(()) => Err(linked_already()),
                Err(error) => Err(error),
            },
        }
    }

    pub(super) fn refuse_if_linked(&self) -> Result<(), Error> {
        if self.linked_account().is_ok() { Err(linked_already()) } else { Ok(()) }
    }
}

fn linked_already() -> Error {
    Error::new(Code::WrongState, "the client is linked already")
}

fn late() -> Error {
    Error::new(Code::TimedOut, "the client did not close before the deadline")
}
