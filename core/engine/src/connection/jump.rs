//! Notices that the machine was asleep: timers stand still meanwhile, the clock does not, and
//! connections that look alive may be dead.

use std::time::{Duration, Instant, SystemTime};

/// How often to look.
pub(crate) const LOOK: Duration = Duration::from_secs(2);

/// A clock that runs ahead of the timers by more than this was not just corrected a little.
const JUMP: Duration = Duration::from_secs(10);

/// Compares the clock with the timers.
pub(crate) struct JumpDetector {
    clock: SystemTime,
    timer: Instant,
}

impl JumpDetector {
    pub(crate) fn new(clock: SystemTime, timer: Instant) -> Self {
        Self { clock, timer }
    }

    /// Whether the clock ran ahead since the last look. That it was set back says nothing.
    pub(crate) fn jumped(&mut self, clock: SystemTime, timer: Instant) -> bool {
        let by_clock = clock.duration_since(self.clock).unwrap_or_default();
        let by_timer = timer.saturating_duration_since(self.timer);
        (self.clock, self.timer) = (clock, timer);
        by_clock.saturating_sub(by_timer) > JUMP
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clock_that_runs_ahead_is_a_sign_of_sleep() {
        let (clock, timer) = (SystemTime::now(), Instant::now());
        let mut detector = JumpDetector::new(clock, timer);
        let seconds = Duration::from_secs;
        assert!(!detector.jumped(clock + seconds(2), timer + seconds(2)));
        assert!(!detector.jumped(clock + seconds(9), timer + seconds(4)), "a small correction");
        assert!(detector.jumped(clock + seconds(3600), timer + seconds(6)));
        assert!(!detector.jumped(clock + seconds(3602), timer + seconds(8)), "told once");
        assert!(!detector.jumped(clock, timer + seconds(10)), "set back");
        assert!(!detector.jumped(clock + seconds(2), timer + seconds(40)), "a busy machine");
    }
}
