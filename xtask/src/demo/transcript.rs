//! What the demo prints about texts, and what they add up to.

use std::time::Duration;

/// Prints texts as they arrive, and remembers how long each took.
#[derive(Default)]
pub(super) struct Transcript {
    latencies: Vec<Duration>,
}

impl Transcript {
    /// Prints a text that arrived.
    pub(super) fn arrived(&mut self, from: &str, to: &str, text: &str, latency: Duration) {
        println!("  {from:>6} → {to:<6}  {:>7.1} ms   {text}", milliseconds(latency));
        self.latencies.push(latency);
    }

    /// The closing line.
    pub(super) fn summary(&self, total: Duration) -> String {
        let mut sorted = self.latencies.clone();
        sorted.sort_unstable();
        format!(
            "{} texts arrived; latency p50 {:.1} ms, max {:.1} ms; {:.1} s in all, without the build",
            sorted.len(),
            milliseconds(median(&sorted)),
            milliseconds(sorted.last().copied().unwrap_or_default()),
            total.as_secs_f64(),
        )
    }
}

/// The lower of the two in the middle, if there are two.
fn median(sorted: &[Duration]) -> Duration {
    sorted.get(sorted.len().saturating_sub(1) / 2).copied().unwrap_or_default()
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summarises_latencies() {
        let mut transcript = Transcript::default();
        for latency in [30, 10, 40, 20] {
            transcript.arrived("C", "Dana", "hello", Duration::from_millis(latency));
        }
        assert_eq!(
            transcript.summary(Duration::from_secs(3)),
            "4 texts arrived; latency p50 20.0 ms, max 40.0 ms; 3.0 s in all, without the build"
        );
        assert_eq!(median(&[]), Duration::ZERO);
    }
}
