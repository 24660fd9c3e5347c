//! How far the present piece is, for hosts that show it.

use std::time::Duration;

use tokio::time::Instant;
use whimbrel_proto::e2e::message::HistorySyncNotification;

use super::events::{HistoryKind, HistoryProgress};
use crate::client::Inner;
use crate::error::Error;
use crate::media::Progress;

/// The host is told no more often than this.
const PAUSE: Duration = Duration::from_millis(100);

/// Tells how far the reading of a piece is.
pub(super) struct Meter {
    progress: HistoryProgress,
    told: Option<Instant>,
}

impl Meter {
    /// Begins a piece with so many octets.
    pub(super) fn new(notification: &HistorySyncNotification, total: u64) -> Self {
        Self { progress: HistoryProgress { total, ..start(notification) }, told: None }
    }

    /// So many more octets were read, and so many messages in all.
    pub(super) fn advance(&mut self, client: &Inner, octets: usize, messages: u64) {
        self.progress.done = self.progress.done.saturating_add(octets as u64);
        self.progress.messages = messages;
        if self.told.is_none_or(|told| told.elapsed() >= PAUSE) {
            self.told = Some(Instant::now());
            client.events.history_progress(self.progress.clone());
        }
    }

    /// All of it was read.
    pub(super) fn end(mut self, client: &Inner, messages: u64) {
        (self.progress.done, self.progress.messages) = (self.progress.total, messages);
        client.events.history_progress(self.progress);
    }
}

fn start(notification: &HistorySyncNotification) -> HistoryProgress {
    HistoryProgress {
        kind: HistoryKind::of_number(notification.sync_type.unwrap_or_default()),
        chunk: notification.chunk_order.unwrap_or_default(),
        progress: notification.progress,
        downloading: false,
        messages: 0,
        done: 0,
        total: 0,
    }
}

/// Tells how far a download is until it ends.
pub(super) async fn of_download(
    client: &Inner,
    notification: &HistorySyncNotification,
    progress: &Progress,
    download: impl Future<Output = Result<(), Error>>,
) -> Result<(), Error> {
    tokio::pin!(download);
    let mut seen = progress.now();
    loop {
        tokio::select! {
            biased;
            done = &mut download => return done,
            now = progress.changed(seen) => seen = now,
        }
        let told =
            HistoryProgress { downloading: true, done: seen.done, total: seen.total, ..start(notification) };
        client.events.history_progress(told);
        tokio::select! {
            biased;
            done = &mut download => return done,
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}
