//! Waiting between attempts to connect (transport document §6.12): 1 1 2 3 5 … seconds, a
//! tenth more or less, never above 15 minutes.

use std::time::Duration;

use rand_core::Rng;

/// Longest wait, before the jitter.
const CAP: Duration = Duration::from_secs(900);

/// A connection that lasted this long logged in makes earlier failures forgotten.
pub(crate) const STABLE_AFTER: Duration = Duration::from_secs(30);

/// Steps that a rate limit of the service costs.
pub(crate) const RATE_LIMIT_STEPS: u32 = 5;

/// How long to wait before the next attempt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Backoff {
    step: u32,
}

impl Backoff {
    /// The wait after one more failure.
    pub(crate) fn next(&mut self, rng: &mut impl Rng) -> Duration {
        let base = Duration::from_secs(fibonacci(self.step)).min(CAP);
        self.step = self.step.saturating_add(1);
        // 900 to 1100 thousandths.
        let permille = 900 + rng.next_u32() % 201;
        base.saturating_mul(permille) / 1000
    }

    /// Makes the next wait longer.
    pub(crate) fn skip(&mut self, steps: u32) {
        self.step = self.step.saturating_add(steps);
    }

    /// Forgets earlier failures.
    pub(crate) fn reset(&mut self) {
        self.step = 0;
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
        backoff.skip(u32::MAX);
        assert!(backoff.next(&mut rng) <= CAP * 11 / 10);
        backoff.reset();
        assert!(backoff.next(&mut rng) <= Duration::from_millis(1100));
    }

    #[test]
    fn a_rate_limit_costs_five_steps() {
        let mut rng = random::generator(Some(1), 1).unwrap();
        let mut backoff = Backoff::default();
        backoff.skip(RATE_LIMIT_STEPS);
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
