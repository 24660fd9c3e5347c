//! What the server forgets, and when.

use std::sync::Arc;
use std::time::Duration;

use crate::server::Server;
use crate::store::{events, now_ms, outbox, webhooks};

/// How often it looks.
const EVERY: Duration = Duration::from_secs(60);

/// Deliveries that came through are shown for a day; dead ones can be replayed for a week.
const DELIVERED_MS: i64 = 24 * 3600 * 1000;
const DEAD_MS: i64 = 7 * DELIVERED_MS;

/// At most so many events are forgotten in one transaction.
const AT_ONCE: u32 = 1000;

/// Forgets what is old, until the server stops.
pub(crate) async fn run(server: Arc<Server>) {
    let mut stopping = server.stopping();
    loop {
        tokio::select! {
            () = crate::server::stopped(&mut stopping) => return,
            () = tokio::time::sleep(EVERY) => {}
        }
        let kept = i64::from(server.settings.event_hours) * 3600 * 1000;
        let now = now_ms();
        let done = server.store.unit(move |unit| {
            webhooks::forget(unit, now - DELIVERED_MS, now - DEAD_MS)?;
            events::forget(unit, now - kept, AT_ONCE)?;
            outbox::forget(unit, now - kept)
        });
        match done.await {
            Err(failure) => tracing::warn!(%failure, "Old things could not be forgotten."),
            Ok(files) => {
                for file in files {
                    // It may be gone already.
                    let _ = tokio::fs::remove_file(server.settings.data.join("files").join(file)).await;
                }
            }
        }
    }
}
