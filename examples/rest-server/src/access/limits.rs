//! Limits on how often something may be asked: token buckets by name. Buckets do not touch each other.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often something may happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate {
    /// So many times at once.
    pub(crate) burst: u32,
    /// And so many again in this time.
    pub(crate) per: Duration,
}

impl Rate {
    pub(crate) const fn per_minute(burst: u32) -> Self {
        Self { burst, per: Duration::from_secs(60) }
    }

    /// The time in which one more becomes possible.
    fn interval(self) -> Duration {
        self.per / self.burst.max(1)
    }
}

/// How a bucket stands after it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// What there is in all.
    pub(crate) limit: u32,
    /// What is left.
    pub(crate) remaining: u32,
    /// How long until the bucket is full again.
    pub(crate) full_in: Duration,
    /// Refused: how long until one more passes.
    pub(crate) refused: Option<Duration>,
}

/// How many buckets are kept. Full ones are forgotten first; they say nothing.
const MAX_BUCKETS: usize = 100_000;

/// Buckets, by name. Each keeps the moment at which it is full.
#[derive(Default)]
pub(crate) struct Limits {
    full_at: Mutex<BTreeMap<String, Instant>>,
}

impl Limits {
    /// Takes one from a bucket, if there is one.
    pub(crate) fn take(&self, bucket: &str, rate: Rate, now: Instant) -> Standing {
        let mut buckets = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MAX_BUCKETS && !buckets.contains_key(bucket) {
            buckets.retain(|_, full_at| *full_at > now);
        }
        let missing = buckets.get(bucket).map_or(Duration::ZERO, |at| at.saturating_duration_since(now));
        let interval = rate.interval();
        let after = missing.saturating_add(interval);
        // One interval of grace for rounding: a full bucket gives its whole burst.
        if after > rate.per {
            let refused = Some(after.saturating_sub(rate.per));
            return Standing { limit: rate.burst, remaining: 0, full_in: missing, refused };
        }
        buckets.insert(bucket.to_owned(), now.checked_add(after).unwrap_or(now));
        let left = rate.per.saturating_sub(after).as_nanos().checked_div(interval.as_nanos()).unwrap_or(0);
        Standing {
            limit: rate.burst,
            remaining: u32::try_from(left).unwrap_or(u32::MAX),
            full_in: after,
            refused: None,
        }
    }

    /// Looks at a bucket without taking from it.
    pub(crate) fn refusal(&self, bucket: &str, rate: Rate, now: Instant) -> Option<Duration> {
        let buckets = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let missing = buckets.get(bucket).map_or(Duration::ZERO, |at| at.saturating_duration_since(now));
        let after = missing.saturating_add(rate.interval());
        (after > rate.per).then(|| after.saturating_sub(rate.per))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gives_its_burst_and_then_says_when_one_more_passes() {
        let (limits, start) = (Limits::default(), Instant::now());
        let rate = Rate::per_minute(10);
        for left in (0..10).rev() {
            let standing = limits.take("a", rate, start);
            assert_eq!((standing.remaining, standing.refused), (left, None));
        }
        let refused = limits.take("a", rate, start).refused.unwrap();
        assert_eq!(refused, Duration::from_secs(6));
        assert!(limits.take("b", rate, start).refused.is_none(), "buckets do not touch each other");
        assert!(limits.take("a", rate, start + refused - Duration::from_millis(1)).refused.is_some());
        assert!(limits.take("a", rate, start + refused).refused.is_none(), "the told time is enough");
    }

    #[test]
    fn a_bucket_fills_again_and_no_further() {
        let (limits, start) = (Limits::default(), Instant::now());
        let rate = Rate { burst: 3, per: Duration::from_secs(3600) };
        for _ in 0..3 {
            limits.take("a", rate, start);
        }
        let later = start + Duration::from_secs(86_400);
        let passed = (0..5).filter(|_| limits.take("a", rate, later).refused.is_none()).count();
        assert_eq!(passed, 3);
    }
}
