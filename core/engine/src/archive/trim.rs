//! Forgetting what is older than the host wants to keep.

use std::sync::Arc;
use std::time::Duration;

use crate::client::{Goal, Inner};
use crate::clock;
use crate::store::StoreError;

/// Messages that are forgotten at a time; others may write in between.
const AT_ONCE: u32 = 256;

/// How often it is looked for what is too old.
const PAUSE: Duration = Duration::from_secs(3600);

/// Messages from before this time, in seconds, are not kept.
pub(crate) fn oldest(client: &Inner) -> Option<i64> {
    let days = client.options.archive_days.filter(|_| client.options.archive)?;
    Some(clock::now_seconds().saturating_sub(i64::from(days).saturating_mul(86_400)))
}

/// Forgets everything that is too old, some at a time.
pub(super) fn all(client: &Inner) -> Result<(), StoreError> {
    if let Some(before) = oldest(client) {
        while client.store.trim_archive(before, AT_ONCE)? {}
    }
    Ok(())
}

/// Forgets what becomes too old, until the client closes.
pub(crate) async fn run(client: Arc<Inner>) {
    if oldest(&client).is_none() {
        return;
    }
    let mut goal = client.watch_goal();
    loop {
        if *goal.borrow_and_update() == Goal::Closed {
            return;
        }
        let step = {
            let client = Arc::clone(&client);
            move || match oldest(&client) {
                Some(before) => client.store.trim_archive(before, AT_ONCE),
                None => Ok(false),
            }
        };
        match client.engine.handle.clone().spawn_blocking(step).await {
            Ok(Ok(true)) => continue,
            Ok(Ok(false)) => {}
            Ok(Err(error)) => tracing::warn!(%error, "Old messages could not be forgotten."),
            Err(_) => return,
        }
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            changed = goal.changed() => if changed.is_err() { return },
        }
    }
}
