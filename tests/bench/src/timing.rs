//! Timing of two clients' operations in turns, so that both see the same machine.

use std::time::{Duration, Instant};

/// Rounds of which the median is taken.
const ROUNDS: usize = 101;

/// Something that is timed: runs `calls` calls and says how long they took.
pub type Timed<'a> = Box<dyn FnMut(u32) -> Duration + 'a>;

/// Times plain calls.
pub fn calls<'a>(mut call: impl FnMut() + 'a) -> Timed<'a> {
    Box::new(move |calls| {
        let start = Instant::now();
        for _ in 0..calls {
            call();
        }
        start.elapsed()
    })
}

/// One line of the result, in nanoseconds per call.
pub struct Row {
    /// Key by which results of several programs are joined.
    pub name: &'static str,
    /// Ours.
    pub ours: f64,
    /// The other client's.
    pub other: f64,
}

/// Times both in turns; medians per call.
pub fn compare(name: &'static str, calls: u32, mut ours: Timed<'_>, mut other: Timed<'_>) -> Row {
    // One round each to warm caches and tables.
    ours(calls);
    other(calls);
    let mut times = (Vec::with_capacity(ROUNDS), Vec::with_capacity(ROUNDS));
    for _ in 0..ROUNDS {
        times.0.push(ours(calls).as_secs_f64() * 1e9 / f64::from(calls));
        times.1.push(other(calls).as_secs_f64() * 1e9 / f64::from(calls));
    }
    Row { name, ours: median(times.0), other: median(times.1) }
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
