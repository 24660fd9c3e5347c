//! The tasks of a client: every one is tracked, and joined before the client is closed.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;
use tokio::task::JoinSet;

/// The running tasks of one client.
pub(crate) struct Tasks {
    runtime: Handle,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    running: JoinSet<()>,
    panicked: bool,
    /// Joined for good: nothing may start any more.
    ended: bool,
}

impl Tasks {
    pub(crate) fn new(runtime: Handle) -> Self {
        Self { runtime, state: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a task. After [`join`](Self::join) nothing starts any more.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut state = self.lock();
        state.reap();
        if !state.ended {
            state.running.spawn_on(task, &self.runtime);
        }
    }

    /// Whether a task panicked, which is a bug of the engine.
    pub(crate) fn has_panicked(&self) -> bool {
        let mut state = self.lock();
        state.reap();
        state.panicked
    }

    /// Waits until all tasks have ended, those too that are started meanwhile.
    pub(crate) async fn join(&self) {
        loop {
            let mut running = {
                let mut state = self.lock();
                if state.running.is_empty() {
                    state.ended = true;
                    return;
                }
                std::mem::take(&mut state.running)
            };
            while let Some(ended) = running.join_next().await {
                if ended.is_err_and(|error| error.is_panic()) {
                    self.lock().panicked = true;
                }
            }
        }
    }

    /// Stops all tasks at their next await.
    pub(crate) fn abort(&self) {
        let mut state = self.lock();
        state.ended = true;
        state.running.abort_all();
    }
}

impl State {
    fn reap(&mut self) {
        while let Some(ended) = self.running.try_join_next() {
            if ended.is_err_and(|error| error.is_panic()) {
                self.panicked = true;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn join_waits_for_tasks_that_start_tasks() {
        let tasks = Arc::new(Tasks::new(Handle::current()));
        let ended = Arc::new(AtomicU32::new(0));
        let (inner, count) = (Arc::clone(&tasks), Arc::clone(&ended));
        tasks.spawn(async move {
            tokio::task::yield_now().await;
            let second = Arc::clone(&count);
            inner.spawn(async move {
                tokio::task::yield_now().await;
                second.fetch_add(1, Ordering::Relaxed);
            });
            count.fetch_add(1, Ordering::Relaxed);
        });
        tasks.join().await;
        assert_eq!(ended.load(Ordering::Relaxed), 2);
        tasks.spawn(async { unreachable!("nothing starts after the join") });
        assert!(!tasks.has_panicked());
    }

    #[tokio::test]
    async fn a_panic_is_noticed() {
        let tasks = Tasks::new(Handle::current());
        tasks.spawn(async { panic!("as a test") });
        tasks.join().await;
        assert!(tasks.has_panicked());
    }

    #[tokio::test]
    async fn abort_ends_tasks_that_would_wait_for_ever() {
        let tasks = Tasks::new(Handle::current());
        tasks.spawn(std::future::pending());
        tasks.abort();
        tasks.join().await;
        assert!(!tasks.has_panicked());
    }
}
