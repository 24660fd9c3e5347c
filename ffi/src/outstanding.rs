//! What a client still owes to its host: replies, and the end of its events. A close waits for
//! it.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Counts what is owed.
#[derive(Debug, Default)]
pub(crate) struct Outstanding {
    count: Mutex<usize>,
    paid: Condvar,
}

/// One thing that is owed, until dropped.
#[derive(Debug)]
pub(crate) struct Owed(Arc<Outstanding>);

impl Outstanding {
    fn lock(&self) -> MutexGuard<'_, usize> {
        self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn owe(self: &Arc<Self>) -> Owed {
        *self.lock() += 1;
        Owed(Arc::clone(self))
    }

    pub(crate) fn is_zero(&self) -> bool {
        *self.lock() == 0
    }

    /// Waits until nothing is owed. Whether that was before the deadline.
    pub(crate) fn wait(&self, deadline: Instant) -> bool {
        let mut count = self.lock();
        while *count > 0 {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            count = self.paid.wait_timeout(count, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}

impl Drop for Owed {
    fn drop(&mut self) {
        let mut count = self.0.lock();
        *count = count.saturating_sub(1);
        if *count == 0 {
            self.0.paid.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn waiting_ends_when_all_is_paid_or_at_the_deadline() {
        let outstanding = Arc::new(Outstanding::default());
        let (first, second) = (outstanding.owe(), outstanding.owe());
        drop(first);
        assert!(!outstanding.wait(Instant::now()));
        let payer = std::thread::spawn(move || drop(second));
        assert!(outstanding.wait(Instant::now() + Duration::from_secs(60)));
        assert!(outstanding.is_zero());
        payer.join().unwrap();
    }
}
