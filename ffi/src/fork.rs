//! Forks of the process. Threads do not survive a fork, so in the child nothing that was made
//! before it can work: its handles are refused, and freeing them releases nothing.

use whimbrel::{Code, Error};

/// The process in which something was made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Birth(u64);

impl Birth {
    /// Of now.
    pub(crate) fn now() -> Self {
        counter::watch();
        Self(counter::forks())
    }

    /// Whether the process has forked since, and this is the child.
    pub(crate) fn is_before_fork(self) -> bool {
        counter::forks() != self.0
    }

    /// # Errors
    /// [`Code::Forked`] in a child process of the one that this is from.
    pub(crate) fn check(self) -> Result<(), Error> {
        if self.is_before_fork() {
            return Err(Error::new(Code::Forked, "the handle was made before the process forked"));
        }
        Ok(())
    }
}

#[cfg(unix)]
mod counter {
    use std::sync::Once;
    use std::sync::atomic::{AtomicU64, Ordering};

    static FORKS: AtomicU64 = AtomicU64::new(0);
    static WATCHED: Once = Once::new();

    extern "C" fn in_the_child() {
        FORKS.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn watch() {
        WATCHED.call_once(|| {
            // SAFETY: the function does nothing but an atomic addition, which is allowed in the
            // child of a process with threads. Without memory for it, forks go unnoticed.
            unsafe { libc::pthread_atfork(None, None, Some(in_the_child)) };
        });
    }

    pub(super) fn forks() -> u64 {
        FORKS.load(Ordering::Relaxed)
    }
}

#[cfg(not(unix))]
mod counter {
    pub(super) fn watch() {}

    pub(super) fn forks() -> u64 {
        0
    }
}
