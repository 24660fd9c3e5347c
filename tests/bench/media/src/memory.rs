//! The memory of this process, as Linux counts it; elsewhere 0.

/// Bytes that are in memory now.
pub fn now() -> u64 {
    status("VmRSS:")
}

/// The most that there were since [`forget_peak`].
pub fn peak() -> u64 {
    status("VmHWM:")
}

/// Begins to count the peak anew.
pub fn forget_peak() {
    // Elsewhere than on Linux there is nothing to forget.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

fn status(name: &str) -> u64 {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else { return 0 };
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kib: Option<u64> = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
    kib.unwrap_or(0) * 1024
}
