//! What a client remembers of its prekeys while the process lives.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::sync::Mutex;

/// How far the service has this device's prekeys.
#[derive(Default)]
pub(crate) struct Upkeep {
    /// One upload at a time.
    pub(super) uploading: Mutex<()>,
    /// This process has compared the prekeys with the service's, or need not.
    compared: AtomicBool,
    /// The connection on which the service last got new prekeys because it held others.
    repaired_on: AtomicU64,
}

impl Upkeep {
    /// Whether the prekeys are to be compared with the service's; once in the life of the process.
    pub(super) fn is_to_compare(&self) -> bool {
        !self.compared.swap(true, Ordering::AcqRel)
    }

    /// The service got all of them just now.
    pub(crate) fn need_not_compare(&self) {
        self.compared.store(true, Ordering::Release);
    }

    /// Whether this is the first time that the service gets others on a connection.
    pub(super) fn is_first_repair_on(&self, generation: u64) -> bool {
        self.repaired_on.swap(generation, Ordering::AcqRel) != generation
    }
}
