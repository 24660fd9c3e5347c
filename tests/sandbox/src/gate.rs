//! The service's door: closed while it restarts, and counting who is in it.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde::Serialize;

/// The door of a service.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    closed: AtomicBool,
    inside: AtomicUsize,
    most: AtomicUsize,
    total: AtomicUsize,
}

/// Connections that shook hands, as far as the service saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Handshakes {
    /// Most of them at a time.
    pub most: usize,
    /// All of them.
    pub total: usize,
}

impl Gate {
    pub(crate) fn set_closed(&self, closed: bool) {
        self.closed.store(closed, Ordering::SeqCst);
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    /// A connection begins its handshake, which lasts as long as what is returned.
    pub(crate) fn enter(&self) -> Inside<'_> {
        let inside = self.inside.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(inside, Ordering::SeqCst);
        self.total.fetch_add(1, Ordering::SeqCst);
        Inside { gate: self }
    }

    /// What was counted since this was last asked.
    pub(crate) fn take(&self) -> Handshakes {
        let inside = self.inside.load(Ordering::SeqCst);
        Handshakes {
            most: self.most.swap(inside, Ordering::SeqCst),
            total: self.total.swap(0, Ordering::SeqCst),
        }
    }
}

/// A handshake that is being made.
pub(crate) struct Inside<'g> {
    gate: &'g Gate,
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.gate.inside.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handshakes_are_counted_until_they_end() {
        let gate = Gate::default();
        let (first, second) = (gate.enter(), gate.enter());
        drop(first);
        drop(gate.enter());
        assert_eq!(gate.take(), Handshakes { most: 2, total: 3 });
        assert_eq!(gate.take(), Handshakes { most: 1, total: 0 });
        drop(second);
        gate.set_closed(true);
        assert!(gate.is_closed());
    }
}
