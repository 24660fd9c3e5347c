//! Time as the engine sees it: the system's clock, which people set and which may jump.

use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970, by the system's clock.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Seconds since 1970, by the system's clock.
pub(crate) fn now_seconds() -> i64 {
    now_ms().div_euclid(1000)
}
