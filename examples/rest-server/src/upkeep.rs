//! What the server forgets, and when.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::server::Server;
use crate::store::{events, now_ms, outbox, webhooks};

/// How often it looks.
const EVERY: Duration = Duration::from_secs(60);

/// Deliveries that came through are shown for a day; dead ones can be replayed for a week.
const DELIVERED_MS: i64 = 24 * 3600 * 1000;
const DEAD_MS: i64 = 7 * DELIVERED_MS;

/// A file that nobody needs is left for so long: a request that is under way may have just written it.
const FRESH: Duration = Duration::from_secs(3600);

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
            outbox::forget(unit, now - kept)?;
            outbox::needed_files(unit, now)
        });
        match done.await {
            Err(failure) => tracing::warn!(%failure, "Old things could not be forgotten."),
            Ok(needed) => {
                let folder = server.settings.data.join("files");
                let swept = tokio::task::spawn_blocking(move || sweep(&folder, &needed, FRESH));
                if let Ok(Err(error)) = swept.await {
                    tracing::warn!(%error, "Files that nobody needs could not be removed.");
                }
            }
        }
    }
}

/// Removes the files of a folder that nobody needs and that are older than a time.
fn sweep(folder: &Path, needed: &BTreeSet<String>, fresh: Duration) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let written = entry.metadata()?.modified()?;
        let age = SystemTime::now().duration_since(written).unwrap_or_default();
        let is_needed = entry.file_name().to_str().is_some_and(|name| needed.contains(name));
        if !is_needed && age >= fresh {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_nobody_needs_go_and_others_stay() {
        let folder = std::env::temp_dir().join(format!("whimbrel-rest-sweep-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        for name in ["needed", "left"] {
            std::fs::write(folder.join(name), name).unwrap();
        }
        let needed = BTreeSet::from(["needed".to_owned()]);
        sweep(&folder, &needed, FRESH).unwrap();
        assert!(folder.join("left").exists(), "it may be on its way");
        sweep(&folder, &needed, Duration::ZERO).unwrap();
        assert!(folder.join("needed").exists() && !folder.join("left").exists());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
