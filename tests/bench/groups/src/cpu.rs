//! What the engine's threads have used of the processor.

/// Nanoseconds that threads whose names begin with `whimbrel-` have run. Linux only: elsewhere 0.
pub fn engine() -> f64 {
    let Ok(threads) = std::fs::read_dir("/proc/self/task") else { return 0.0 };
    let of = |thread: std::fs::DirEntry| {
        let path = thread.path();
        let name = std::fs::read_to_string(path.join("comm")).ok()?;
        let used = std::fs::read_to_string(path.join("schedstat")).ok()?;
        let used: f64 = used.split(' ').next()?.parse().ok()?;
        name.starts_with("whimbrel-").then_some(used)
    };
    threads.flatten().filter_map(of).sum()
}
