//! How far a transfer is.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::client::Inner;
use crate::events::{MediaDirection, MediaProgress};

/// The host is told no more often than this by events.
const PAUSE: Duration = Duration::from_millis(100);

/// Watches the call that was given a clone of it. Nothing of the host runs on the engine's threads:
/// ask [`now`](Self::now), or wait for [`changed`](Self::changed).
#[derive(Clone, Debug)]
pub struct Progress(Arc<watch::Sender<Transferred>>);

impl Default for Progress {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(Transferred::default())))
    }
}

/// How far a transfer is, in octets of the encrypted file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Transferred {
    /// So many are transferred. It may go back when something has to be done again.
    pub done: u64,
    /// Of so many; 0 while that is not known.
    pub total: u64,
}

impl Progress {
    /// How far the transfer is now.
    pub fn now(&self) -> Transferred {
        *self.0.borrow()
    }

    /// Waits until the transfer is elsewhere than it was at `since`.
    pub async fn changed(&self, since: Transferred) -> Transferred {
        let mut watching = self.0.subscribe();
        let changed = watching.wait_for(|now| *now != since).await.map(|now| *now);
        // The sender is a field of this, so there is no error.
        changed.unwrap_or(since)
    }
}

/// Tells whoever wants to know how far a transfer is.
pub(super) struct Meter {
    client: Arc<Inner>,
    transfer: Option<String>,
    direction: MediaDirection,
    progress: Option<Progress>,
    done: AtomicU64,
    total: AtomicU64,
    told: Mutex<Option<Instant>>,
}

impl Meter {
    pub(super) fn new(
        client: Arc<Inner>,
        direction: MediaDirection,
        transfer: Option<String>,
        progress: Option<Progress>,
    ) -> Self {
        let (done, total) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { client, transfer, direction, progress, done, total, told: Mutex::default() }
    }

    pub(super) fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    pub(super) fn set_total(&self, total: u64) {
        self.total.store(total, Ordering::Relaxed);
        self.tell();
    }

    pub(super) fn set_done(&self, done: u64) {
        self.done.store(done, Ordering::Relaxed);
        self.tell();
    }

    pub(super) fn advance(&self, by: usize) {
        self.done.fetch_add(by as u64, Ordering::Relaxed);
        self.tell();
    }

    fn tell(&self) {
        let now = Transferred { done: self.done(), total: self.total.load(Ordering::Relaxed) };
        if let Some(progress) = &self.progress {
            progress.0.send_replace(now);
        }
        let Some(transfer) = &self.transfer else { return };
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let complete = now.done == now.total && now.total > 0;
        if !complete && told.is_some_and(|told| told.elapsed() < PAUSE) {
            return;
        }
        *told = Some(Instant::now());
        drop(told);
        let Transferred { done, total } = now;
        let progress = MediaProgress { transfer: transfer.clone(), direction: self.direction, done, total };
        self.client.events.media_progress(progress);
    }
}
