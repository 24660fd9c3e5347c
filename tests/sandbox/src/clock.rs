//! The sandbox's clock: the system's, or a fixed one, and in both cases one that a test may advance.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Time as the service sees it. Clones share their advance.
#[derive(Debug, Clone)]
pub struct Clock {
    source: Source,
    advanced_ms: Arc<AtomicU64>,
}

#[derive(Debug, Clone, Copy)]
enum Source {
    System,
    Fixed { unix_ms: u64 },
}

impl Clock {
    /// The system's time.
    #[must_use]
    pub fn system() -> Self {
        Self { source: Source::System, advanced_ms: Arc::default() }
    }

    /// A time that stands still until it is advanced.
    #[must_use]
    pub fn fixed(unix_ms: u64) -> Self {
        Self { source: Source::Fixed { unix_ms }, advanced_ms: Arc::default() }
    }

    /// Unix time in milliseconds.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        let base = match self.source {
            Source::Fixed { unix_ms } => unix_ms,
            // A system clock before 1970 reads as 1970.
            Source::System => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .ok()
                .and_then(|since| u64::try_from(since.as_millis()).ok())
                .unwrap_or_default(),
        };
        base.saturating_add(self.advanced_ms.load(Ordering::Relaxed))
    }

    /// Unix time in seconds.
    #[must_use]
    pub fn now(&self) -> u64 {
        self.now_ms() / 1000
    }

    /// Moves the time forward.
    pub fn advance(&self, by: Duration) {
        let ms = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        self.advanced_ms.fetch_add(ms, Ordering::Relaxed);
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_clock_moves_only_when_it_is_advanced() {
        let clock = Clock::fixed(1_795_168_800_500);
        let seen_elsewhere = clock.clone();
        assert_eq!(clock.now(), 1_795_168_800);
        clock.advance(Duration::from_millis(700));
        assert_eq!(seen_elsewhere.now_ms(), 1_795_168_801_200);
        assert_eq!(seen_elsewhere.now(), 1_795_168_801);
    }
}
