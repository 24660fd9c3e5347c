//! Live feeds of the log. A reader that falls behind reads the log itself.

use std::sync::Arc;

use tokio::sync::broadcast;

use crate::server::Server;
use crate::store::events::EventRow;

/// How many events a reader may be behind before it has to read the log.
const BEHIND: usize = 1024;

/// Tells readers of events that are in the log.
pub(crate) struct Feed {
    events: broadcast::Sender<Arc<EventRow>>,
}

impl Default for Feed {
    fn default() -> Self {
        Self { events: broadcast::Sender::new(BEHIND) }
    }
}

impl Feed {
    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Arc<EventRow>> {
        self.events.subscribe()
    }
}

impl Server {
    /// Tells readers and webhooks of events that are in the log now.
    pub(crate) fn publish(&self, rows: Vec<EventRow>) {
        if rows.is_empty() {
            return;
        }
        for row in rows {
            // Nobody reads: it is in the log.
            let _ = self.feed.events.send(Arc::new(row));
        }
        self.deliveries.wake();
    }
}
