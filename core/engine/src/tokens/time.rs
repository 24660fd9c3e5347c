//! How long tokens are good for: time is cut into buckets (features document §9). Pure.

/// A bucket unless the service says otherwise: a week, in seconds.
const SPAN: i64 = 604_800;
/// The longest one that is believed: 180 days.
const LONGEST: i64 = 15_552_000;
/// For how many buckets a token is good.
const BUCKETS: i64 = 4;

/// The cut of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Buckets {
    span: i64,
    count: i64,
}

impl Buckets {
    /// By what the service says.
    pub(super) fn of(span: Option<i64>, count: Option<i64>) -> Self {
        Self { span: span.unwrap_or(SPAN).clamp(1, LONGEST), count: count.unwrap_or(BUCKETS).max(1) }
    }

    fn bucket(self, time: i64) -> i64 {
        time.div_euclid(self.span)
    }

    /// The earliest time of a token that is still good.
    pub(super) fn cutoff(self, now: i64) -> i64 {
        self.bucket(now).saturating_sub(self.count.saturating_sub(1)).saturating_mul(self.span)
    }

    /// Whether a token is to be given, when the last one was given at some time.
    pub(super) fn is_due(self, last: Option<i64>, now: i64) -> bool {
        last.is_none_or(|last| self.bucket(now) > self.bucket(last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::groups::tests::forms::vectors;

    #[test]
    fn buckets_are_those_of_the_vectors() {
        let vectors = vectors("features");
        let rule = &vectors["tctoken"];
        let buckets = Buckets::of(rule["duration"].as_i64(), rule["num_buckets"].as_i64());
        assert_eq!(buckets, Buckets::of(None, None), "the defaults are those of the vectors");
        let cases = rule["cases"].as_array().unwrap();
        assert!(cases.len() > 3);
        for case in cases {
            let now = case["now"].as_i64().unwrap();
            assert_eq!(buckets.bucket(now), case["bucket"].as_i64().unwrap());
            assert_eq!(buckets.cutoff(now), case["cutoff"].as_i64().unwrap());
            for (last, due) in case["reissue_if_last_issue_at"].as_object().unwrap() {
                let last = last.parse().unwrap();
                assert_eq!(buckets.is_due(Some(last), now), due.as_bool().unwrap(), "{last} at {now}");
            }
            assert!(buckets.is_due(None, now));
        }
        let longest = rule["clamped"]["max_duration"].as_i64().unwrap();
        assert_eq!(Buckets::of(Some(i64::MAX), Some(0)), Buckets { span: longest, count: 1 });
        assert_eq!(Buckets::of(Some(0), None).span, 1);
    }
}
