//! Counts for Prometheus.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Upper ends of the buckets of durations, in seconds.
const BUCKETS: [f64; 9] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

#[derive(Default)]
struct Timing {
    buckets: [u64; BUCKETS.len()],
    count: u64,
    seconds: f64,
}

/// What the server counts.
#[derive(Default)]
pub(crate) struct Metrics {
    requests: Mutex<BTreeMap<(&'static str, &'static str, u16), Timing>>,
    deliveries: Mutex<BTreeMap<&'static str, u64>>,
    events: AtomicU64,
}

impl Metrics {
    /// Counts a request.
    pub(crate) fn request(&self, dialect: &'static str, route: &'static str, status: u16, took: Duration) {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let timing = requests.entry((dialect, route, status)).or_default();
        let seconds = took.as_secs_f64();
        for (bucket, end) in timing.buckets.iter_mut().zip(BUCKETS) {
            *bucket += u64::from(seconds <= end);
        }
        timing.count += 1;
        timing.seconds += seconds;
    }

    /// Counts a try to deliver.
    pub(crate) fn delivery(&self, result: &'static str) {
        *self.deliveries.lock().unwrap_or_else(PoisonError::into_inner).entry(result).or_default() += 1;
    }

    /// Counts events of the log.
    pub(crate) fn events(&self, count: usize) {
        self.events.fetch_add(u64::try_from(count).unwrap_or(0), Ordering::Relaxed);
    }

    /// All of them as text. `states`: how many accounts are in each state.
    pub(crate) fn render(&self, states: &BTreeMap<&'static str, u64>, outbox: i64) -> String {
        let mut text = String::new();
        // Writing into a text cannot fail.
        let _ = self.write(&mut text, states, outbox);
        text
    }

    fn write(
        &self,
        text: &mut String,
        states: &BTreeMap<&'static str, u64>,
        outbox: i64,
    ) -> std::fmt::Result {
        writeln!(text, "# TYPE whimbrel_accounts gauge")?;
        for (state, count) in states {
            writeln!(text, "whimbrel_accounts{{state=\"{state}\"}} {count}")?;
        }
        writeln!(text, "# TYPE whimbrel_outbox_depth gauge\nwhimbrel_outbox_depth {outbox}")?;
        let events = self.events.load(Ordering::Relaxed);
        writeln!(text, "# TYPE whimbrel_events_total counter\nwhimbrel_events_total {events}")?;
        writeln!(text, "# TYPE whimbrel_webhook_deliveries_total counter")?;
        for (result, count) in &*self.deliveries.lock().unwrap_or_else(PoisonError::into_inner) {
            writeln!(text, "whimbrel_webhook_deliveries_total{{result=\"{result}\"}} {count}")?;
        }
        writeln!(text, "# TYPE whimbrel_http_request_seconds histogram")?;
        for ((dialect, route, status), timing) in
            &*self.requests.lock().unwrap_or_else(PoisonError::into_inner)
        {
            let labels = format!("dialect=\"{dialect}\",route=\"{route}\",status=\"{status}\"");
            for (end, count) in BUCKETS.iter().zip(timing.buckets) {
                writeln!(text, "whimbrel_http_request_seconds_bucket{{{labels},le=\"{end}\"}} {count}")?;
            }
            let (count, seconds) = (timing.count, timing.seconds);
            writeln!(text, "whimbrel_http_request_seconds_bucket{{{labels},le=\"+Inf\"}} {count}")?;
            writeln!(text, "whimbrel_http_request_seconds_sum{{{labels}}} {seconds}")?;
            writeln!(text, "whimbrel_http_request_seconds_count{{{labels}}} {count}")?;
        }
        Ok(())
    }
}
