//! Errors on their way to JavaScript: JSON text in the message of a plain error, of which the
//! TypeScript part makes its own class.

use std::error::Error as _;
use std::time::Duration;

use serde::Serialize;
use whimbrel::{Code, Error};
use whimbrel_api::error::ErrorJson;

#[derive(Serialize)]
struct Full {
    #[serde(flatten)]
    error: ErrorJson,
    /// Texts of the underlying errors, the nearest first.
    causes: Vec<String>,
}

/// The error as the TypeScript part reads it.
pub(crate) fn to_js(error: &Error) -> napi::Error {
    let mut causes = Vec::new();
    let mut source = error.source();
    while let Some(cause) = source {
        causes.push(cause.to_string());
        source = cause.source();
    }
    let full = Full { error: error.into(), causes };
    // Text and numbers can always be written.
    napi::Error::from_reason(serde_json::to_string(&full).unwrap_or_default())
}

/// Milliseconds as JavaScript has them.
pub(crate) fn duration(millis: f64) -> napi::Result<Duration> {
    Duration::try_from_secs_f64(millis / 1000.0).map_err(|_| {
        to_js(&Error::new(Code::InvalidArgument, "a time must be a number of milliseconds, not negative"))
    })
}
