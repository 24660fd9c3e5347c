//! A bounded, numbered record of what happened, which can be waited on.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

/// Entries kept; older ones are dropped, their numbers are never used again.
const KEPT: usize = 50_000;

/// Numbered entries, oldest first. The first number is 1.
#[derive(Debug)]
pub(crate) struct Journal<T> {
    entries: Mutex<VecDeque<(u64, T)>>,
    newest: watch::Sender<u64>,
}

impl<T: Clone> Journal<T> {
    /// An empty journal.
    pub(crate) fn new() -> Self {
        Self { entries: Mutex::new(VecDeque::new()), newest: watch::Sender::new(0) }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(u64, T)>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an entry and wakes whoever waits.
    pub(crate) fn push(&self, entry: T) -> u64 {
        let mut entries = self.lock();
        let number = *self.newest.borrow() + 1;
        entries.push_back((number, entry));
        if entries.len() > KEPT {
            entries.pop_front();
        }
        self.newest.send_replace(number);
        number
    }

    /// Number of the newest entry, 0 if there was none.
    pub(crate) fn newest(&self) -> u64 {
        *self.newest.borrow()
    }

    /// All entries with a greater number than `after`.
    pub(crate) fn after(&self, after: u64) -> Vec<(u64, T)> {
        let entries = self.lock();
        let start = entries.partition_point(|(number, _)| *number <= after);
        entries.iter().skip(start).cloned().collect()
    }

    /// The newest entry that `wanted` accepts.
    pub(crate) fn find(&self, mut wanted: impl FnMut(&T) -> bool) -> Option<T> {
        self.lock().iter().rev().map(|(_, entry)| entry).find(|entry| wanted(entry)).cloned()
    }

    /// As [`Journal::after`], but waits up to `deadline` for the first such entry.
    pub(crate) async fn wait_after(&self, after: u64, deadline: Duration) -> Vec<(u64, T)> {
        let mut newest = self.newest.subscribe();
        // Time running out is an answer here: the list is then empty.
        let _ = tokio::time::timeout(deadline, newest.wait_for(|newest| *newest > after)).await;
        self.after(after)
    }

    /// The first entry after `after` that `wanted` accepts, waiting up to `deadline` for it.
    pub(crate) async fn wait_for(
        &self,
        mut after: u64,
        deadline: Duration,
        mut wanted: impl FnMut(&T) -> bool,
    ) -> Option<(u64, T)> {
        let end = tokio::time::Instant::now() + deadline;
        loop {
            for (number, entry) in self.after(after) {
                if wanted(&entry) {
                    return Some((number, entry));
                }
                after = number;
            }
            let mut newest = self.newest.subscribe();
            tokio::time::timeout_at(end, newest.wait_for(|newest| *newest > after)).await.ok()?.ok()?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[tokio::test]
    async fn waits_for_the_entry_that_is_wanted() {
        let journal = Arc::new(Journal::new());
        let waiting = {
            let journal = Arc::clone(&journal);
            tokio::spawn(
                async move { journal.wait_for(0, Duration::from_secs(10), |entry| *entry == "b").await },
            )
        };
        journal.push("a");
        journal.push("b");
        assert_eq!(waiting.await.unwrap(), Some((2, "b")));
        assert_eq!(journal.after(1), [(2, "b")]);
        assert_eq!(
            (journal.find(|entry| *entry == "a"), journal.find(|entry| *entry == "c")),
            (Some("a"), None)
        );
        assert_eq!(journal.wait_for(2, Duration::ZERO, |_| true).await, None);
    }

    #[tokio::test]
    async fn stays_bounded_and_keeps_counting() {
        let journal = Journal::new();
        for number in 0..KEPT + 5 {
            journal.push(number);
        }
        let all = journal.wait_after(0, Duration::ZERO).await;
        assert_eq!(all.len(), KEPT);
        assert_eq!(all.first(), Some(&(6, 5)));
        assert_eq!(journal.newest(), KEPT as u64 + 5);
    }
}
