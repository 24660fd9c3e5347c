//! How many clients of an engine may be connecting at a time, so that thousands that lost the
//! service together do not come back as a storm.

use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

/// Places of clients that are connecting. Clients whose attempts fail again and again, for
/// example behind a dead proxy, have places of their own: they hold up each other at most.
pub(crate) struct Slots {
    sound: Semaphore,
    doubtful: Semaphore,
}

/// How long a place is held at most.
const HELD: Duration = Duration::from_secs(2);

/// Failed attempts in a row that make a client doubtful.
const DOUBTFUL: u32 = 2;

impl Slots {
    /// So many places for either kind.
    pub(crate) fn new(limit: usize) -> Self {
        let limit = limit.clamp(1, Semaphore::MAX_PERMITS);
        Self { sound: Semaphore::new(limit), doubtful: Semaphore::new(limit) }
    }

    /// Does the work in a place, waiting for one in the order of arrival. Work that takes long,
    /// which is mostly waiting for somebody who does not answer, goes on without it.
    pub(crate) async fn run<T>(&self, failures: u32, work: impl Future<Output = T>) -> T {
        let place = self.take(failures).await;
        tokio::pin!(work);
        tokio::select! {
            biased;
            done = &mut work => return done,
            () = tokio::time::sleep(HELD) => drop(place),
        }
        work.await
    }

    async fn take(&self, failures: u32) -> Option<SemaphorePermit<'_>> {
        let places = if failures < DOUBTFUL { &self.sound } else { &self.doubtful };
        // The semaphores are never closed.
        places.acquire().await.ok()
    }
}

#[cfg(test)]
mod tests {
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

    #[tokio::test(start_paused = true)]
    async fn work_that_takes_long_gives_its_place_up() {
        let slots = Slots::new(1);
        let began = tokio::time::Instant::now();
        let (slow, quick) = tokio::join!(
            slots.run(0, async {
                tokio::time::sleep(Duration::from_secs(20)).await;
                began.elapsed()
            }),
            slots.run(0, async { began.elapsed() }),
        );
        assert_eq!((slow, quick), (Duration::from_secs(20), HELD));
    }
}
