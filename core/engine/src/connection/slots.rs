//! How many clients of an engine may be connecting at a time, so that thousands that lost the
//! service together do not come back as a storm.

use tokio::sync::{Semaphore, SemaphorePermit};

/// Places of clients that are connecting. Clients whose attempts fail again and again, for
/// example behind a dead proxy, have places of their own: they hold up each other at most.
pub(crate) struct Slots {
    sound: Semaphore,
    doubtful: Semaphore,
}

/// Failed attempts in a row that make a client doubtful.
const DOUBTFUL: u32 = 2;

impl Slots {
    /// So many places for either kind.
    pub(crate) fn new(limit: usize) -> Self {
        let limit = limit.clamp(1, Semaphore::MAX_PERMITS);
        Self { sound: Semaphore::new(limit), doubtful: Semaphore::new(limit) }
    }

    /// Waits for a place, in the order of arrival.
    pub(crate) async fn take(&self, failures: u32) -> Option<SemaphorePermit<'_>> {
        let places = if failures < DOUBTFUL { &self.sound } else { &self.doubtful };
        // The semaphores are never closed.
        places.acquire().await.ok()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    async fn would_wait(slots: &Slots, failures: u32) -> bool {
        tokio::time::timeout(Duration::from_secs(1), slots.take(failures)).await.is_err()
    }

    #[tokio::test(start_paused = true)]
    async fn clients_that_fail_do_not_hold_up_the_others() {
        let slots = Slots::new(2);
        let (_first, second) = (slots.take(0).await, slots.take(1).await);
        assert!(would_wait(&slots, 0).await);
        let (_third, _fourth) = (slots.take(2).await, slots.take(100).await);
        assert!(would_wait(&slots, 2).await);
        drop(second);
        assert!(!would_wait(&slots, 0).await);
        assert!(would_wait(&slots, 2).await);
    }
}
