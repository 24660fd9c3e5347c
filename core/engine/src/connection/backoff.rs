//! Waiting between attempts to connect (transport document §6.12): 1 1 2 3 5 … seconds, a
//! tenth more or less, never above 15 minutes while the service cannot be reached or lets nobody in.
//!
//! Connections that log in and are cut soon are another thing: a phone's network that comes and
//! goes, a gateway that drops connections. Whoever is let in wants to be back soon, so the waits stay
//! below half a minute and begin anew when a connection lives longer than its wait was; a service that
//! drops everybody at login is still spared. Only 30 calm seconds make a rate limit forgotten.

use std::time::Duration;

use rand_core::Rng;

/// Longest wait, before the jitter.
const CAP: Duration = Duration::from_secs(900);

/// A connection that lasted this long logged in makes everything before forgotten.
const STABLE_AFTER: Duration = Duration::from_secs(30);

/// Steps that short connections cost at most: 21 seconds.
const SHORT_STEPS: u32 = 7;

/// Steps that a rate limit of the service costs.
pub(crate) const RATE_LIMIT_STEPS: u32 = 5;

/// How long to wait before the next attempt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Backoff {
    step: u32,
    /// The last wait.
    waited: Duration,
    /// Connections in a row that logged in and did not live as long as the wait before them.
    short: u32,
    /// Steps for rate limits since the last calm connection.
    limits: u32,
}

impl Backoff {
    /// The wait after one more failure.
    pub(crate) fn next(&mut self, rng: &mut impl Rng) -> Duration {
        let base = Duration::from_secs(fibonacci(self.step)).min(CAP);
        self.step = self.step.saturating_add(1);
        // 900 to 1100 thousandths.
        let permille = 900 + rng.next_u32() % 201;
        self.waited = base.saturating_mul(permille) / 1000;
        self.waited
    }

    /// A connection ended that had been logged in for this long.
    pub(crate) fn logged_in_for(&mut self, uptime: Duration) {
        if uptime >= STABLE_AFTER {
            return self.reset();
        }
        self.short = if uptime < self.waited { self.short.saturating_add(1) } else { 0 };
        // What kept the client from logging in before is over.
        self.step = self.short.min(SHORT_STEPS).saturating_add(self.limits);
    }

    /// The service wants to be left alone for longer.
    pub(crate) fn rate_limited(&mut self, steps: u32) {
        self.limits = self.limits.saturating_add(steps);
        self.step = self.step.saturating_add(steps);
    }

    /// Forgets earlier failures.
    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }
}

fn fibonacci(step: u32) -> u64 {
    let (mut this, mut next) = (1_u64, 1_u64);
    for _ in 0..step.min(40) {
        (this, next) = (next, this.saturating_add(next));
    }
    this
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random;

    #[test]
    fn waits_grow_like_fibonacci_with_a_tenth_of_jitter() {
        let mut rng = random::generator(Some(1), 1).unwrap();
        let mut backoff = Backoff::default();
        for seconds in [1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610, 900, 900] {
            let wait = backoff.next(&mut rng);
            let base = Duration::from_secs(seconds);
            assert!(wait >= base * 9 / 10 && wait <= base * 11 / 10, "{wait:?} for {base:?}");
        }
        backoff.rate_limited(u32::MAX);
        assert!(backoff.next(&mut rng) <= CAP * 11 / 10);
        backoff.reset();
        assert!(backoff.next(&mut rng) <= Duration::from_millis(1100));
    }

    /// Asserts the waits in seconds after connections that were logged in for so many milliseconds.
    fn assert_waits(backoff: &mut Backoff, expected: &[(u64, u64)]) {
        let mut rng = random::generator(Some(1), 1).unwrap();
        for (uptime, seconds) in expected {
            backoff.logged_in_for(Duration::from_millis(*uptime));
            let (wait, base) = (backoff.next(&mut rng), Duration::from_secs(*seconds));
            assert!(wait >= base * 9 / 10 && wait <= base * 11 / 10, "{wait:?} after {uptime} ms");
        }
    }

    #[test]
    fn whoever_is_let_in_and_cut_at_once_waits_less_than_half_a_minute() {
        let expected = [1, 1, 2, 3, 5, 8, 13, 21, 21, 21].map(|seconds| (200, seconds));
        assert_waits(&mut Backoff::default(), &expected);
    }

    #[test]
    fn a_connection_that_outlived_its_wait_begins_the_waits_anew() {
        let cut_every_few_seconds = [(4000, 1); 20];
        assert_waits(&mut Backoff::default(), &cut_every_few_seconds);
        let mut backoff = Backoff::default();
        assert_waits(&mut backoff, &[(200, 1), (200, 1), (200, 2), (200, 3), (1000, 5), (9000, 1)]);
    }

    #[test]
    fn a_login_ends_the_waits_of_an_outage() {
        let mut rng = random::generator(Some(1), 1).unwrap();
        let mut backoff = Backoff::default();
        for _ in 0..12 {
            backoff.next(&mut rng);
        }
        assert_waits(&mut backoff, &[(2000, 1)]);
    }

    #[test]
    fn a_rate_limit_is_forgotten_only_after_calm() {
        let mut backoff = Backoff::default();
        backoff.logged_in_for(Duration::from_secs(10));
        backoff.rate_limited(RATE_LIMIT_STEPS);
        assert!(backoff.next(&mut random::generator(Some(1), 1).unwrap()) >= Duration::from_millis(7200));
        assert_waits(&mut backoff, &[(20_000, 8)]);
        // The second limit weighs more.
        backoff.logged_in_for(Duration::from_secs(20));
        backoff.rate_limited(RATE_LIMIT_STEPS);
        assert!(backoff.next(&mut random::generator(Some(1), 1).unwrap()) >= Duration::from_secs(80));
        assert_waits(&mut backoff, &[(30_000, 1)]);
    }

    #[test]
    fn a_rate_limit_costs_five_steps() {
        let mut rng = random::generator(Some(1), 1).unwrap();
        let mut backoff = Backoff::default();
        backoff.rate_limited(RATE_LIMIT_STEPS);
        assert!(backoff.next(&mut rng) >= Duration::from_millis(7200));
    }

    #[test]
    fn many_clients_do_not_come_back_at_once() {
        let waits: std::collections::BTreeSet<_> = (0..50)
            .map(|client| Backoff::default().next(&mut random::generator(Some(1), client).unwrap()))
            .collect();
        assert!(waits.len() > 25, "{}", waits.len());
    }
}
