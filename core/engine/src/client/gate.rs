//! The calls of the host that are under way: counted, so that a close can wait for them.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::sync::{Notify, watch};

/// Lets calls in until the client closes.
#[derive(Debug)]
pub(crate) struct Gate {
    closed: watch::Sender<bool>,
    running: AtomicUsize,
    idle: Notify,
    cancelled: AtomicBool,
    cancel: Notify,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            closed: watch::Sender::new(false),
            running: AtomicUsize::new(0),
            idle: Notify::new(),
            cancelled: AtomicBool::new(false),
            cancel: Notify::new(),
        }
    }
}

/// A call that is under way.
pub(crate) struct Entered<'a> {
    gate: &'a Gate,
}

impl Gate {
    /// Lets a call in; `None` once closed.
    pub(crate) fn enter(&self) -> Option<Entered<'_>> {
        self.running.fetch_add(1, Ordering::AcqRel);
        let entered = Entered { gate: self };
        // Looked at after counting: a close either sees this call or is seen by it.
        if self.is_closed() { None } else { Some(entered) }
    }

    pub(crate) fn is_closed(&self) -> bool {
        *self.closed.borrow()
    }

    /// Lets no call in any more. Whether this was the first time.
    pub(crate) fn close(&self) -> bool {
        !self.closed.send_replace(true)
    }

    /// Ends when no call is let in any more: for calls that only wait for something to happen.
    pub(crate) async fn closed(&self) {
        // The sender is a field of this, so there is no error.
        let _ = self.closed.subscribe().wait_for(|closed| *closed).await;
    }

    /// Waits until no call is under way.
    pub(crate) async fn idle(&self) {
        loop {
            let idle = self.idle.notified();
            tokio::pin!(idle);
            idle.as_mut().enable();
            if self.running.load(Ordering::Acquire) == 0 {
                return;
            }
            idle.await;
        }
    }

    /// Ends the calls that are still under way.
    pub(crate) fn cancel(&self) {
        self.cancelled.store(true, Ordering::Release);
        self.cancel.notify_waiters();
    }

    /// Ends when the calls are cancelled.
    pub(crate) async fn cancelled(&self) {
        loop {
            let cancel = self.cancel.notified();
            tokio::pin!(cancel);
            cancel.as_mut().enable();
            if self.cancelled.load(Ordering::Acquire) {
                return;
            }
            cancel.await;
        }
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        if self.gate.running.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.gate.idle.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_close_waits_for_the_calls_and_lets_none_in() {
        let gate = Gate::default();
        let call = gate.enter().unwrap();
        assert!(gate.close() && !gate.close());
        assert!(gate.enter().is_none());
        gate.closed().await;
        let (idle, ()) = tokio::join!(gate.idle(), async { drop(call) });
        assert_eq!(idle, ());
    }

    #[tokio::test]
    async fn cancelling_reaches_those_who_wait_and_those_who_come_later() {
        let gate = Gate::default();
        tokio::join!(gate.cancelled(), async { gate.cancel() });
        gate.cancelled().await;
    }
}
