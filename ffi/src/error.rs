//! Errors: one handle for every failing call.

use std::ptr;

use safer_ffi::prelude::*;
use whimbrel::Error;
use whimbrel_api::codes;

use crate::bytes::whimbrel_str;
use crate::code::{whimbrel_code, whimbrel_outcome};

/// Why a call failed. What it lends lives as long as it does. All its functions take null, which
/// is success.
#[derive_ReprC]
#[repr(opaque)]
pub struct whimbrel_error {
    error: Error,
}

impl whimbrel_error {
    pub(crate) fn new(error: Error) -> repr_c::Box<Self> {
        Box::new(Self::lent(error)).into()
    }

    /// An error that stays on this side.
    pub(crate) const fn lent(error: Error) -> Self {
        Self { error }
    }
}

/// Returns the code; `WHIMBREL_CODE_OK` for null.
#[ffi_export]
pub extern "C" fn whimbrel_error_code(error: Option<&whimbrel_error>) -> whimbrel_code {
    error.map_or(whimbrel_code::Ok, |error| error.error.code().into())
}

/// Returns the stable name of the code, such as `TIMED_OUT`.
#[ffi_export]
pub extern "C" fn whimbrel_error_name(error: Option<&whimbrel_error>) -> whimbrel_str {
    whimbrel_str::of(error.map_or("OK", |error| codes::info(error.error.code()).name))
}

/// Returns the coarse kind: `usage`, `network`, `account`, `service`, `crypto`, `store`, `media`
/// or `internal`.
#[ffi_export]
pub extern "C" fn whimbrel_error_category(error: Option<&whimbrel_error>) -> whimbrel_str {
    whimbrel_str::of(error.map_or("", |error| codes::category_name(error.error.category())))
}

/// Returns what went wrong: a lowercase fragment without user data.
#[ffi_export]
pub extern "C" fn whimbrel_error_message(error: Option<&whimbrel_error>) -> whimbrel_str {
    whimbrel_str::of(error.map_or("", |error| error.error.message()))
}

/// Returns the operation that failed; absent if there is none.
#[ffi_export]
pub extern "C" fn whimbrel_error_operation(error: Option<&whimbrel_error>) -> whimbrel_str {
    whimbrel_str::of_optional(error.and_then(|error| error.error.operation()))
}

/// Returns the number that the service answered with; 0 if it did not.
#[ffi_export]
pub extern "C" fn whimbrel_error_service_status(error: Option<&whimbrel_error>) -> u32 {
    error.map_or(0, |error| u32::from(error.error.service_status()))
}

/// Returns after how many milliseconds a repetition makes sense; 0 if that is not known.
#[ffi_export]
pub extern "C" fn whimbrel_error_retry_after_ms(error: Option<&whimbrel_error>) -> u64 {
    let after = error.and_then(|error| error.error.retry_after());
    after.map_or(0, |after| u64::try_from(after.as_millis()).unwrap_or(u64::MAX))
}

/// Returns whether repeating the call may do it twice.
#[ffi_export]
pub extern "C" fn whimbrel_error_outcome(error: Option<&whimbrel_error>) -> whimbrel_outcome {
    error.map_or(whimbrel_outcome::NotSent, |error| error.error.outcome().into())
}

/// Releases an error. Null is allowed.
#[ffi_export]
pub extern "C" fn whimbrel_error_free(error: Option<repr_c::Box<whimbrel_error>>) {
    drop(error);
}

/// An error lent to a callback, or null.
pub(crate) fn lend(error: Option<&whimbrel_error>) -> *const whimbrel_error {
    error.map_or(ptr::null(), ptr::from_ref)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use whimbrel::{Code, Outcome};

    use super::*;

    fn text(view: whimbrel_str) -> Option<String> {
        // SAFETY: the view is of a live error, or of nothing.
        unsafe { view.read_optional() }.unwrap().map(str::to_owned)
    }

    #[test]
    fn an_error_says_all_it_knows() {
        let error = Error::new(Code::RateLimited, "too many requests")
            .with_outcome(Outcome::Refused)
            .with_service_status(429)
            .with_retry_after(Duration::from_millis(1500))
            .in_operation("send_text");
        let error = whimbrel_error::lent(error);
        let error = Some(&error);
        assert_eq!(whimbrel_error_code(error), whimbrel_code::RateLimited);
        assert_eq!(text(whimbrel_error_name(error)).as_deref(), Some("RATE_LIMITED"));
        assert_eq!(text(whimbrel_error_category(error)).as_deref(), Some("service"));
        assert_eq!(text(whimbrel_error_message(error)).as_deref(), Some("too many requests"));
        assert_eq!(text(whimbrel_error_operation(error)).as_deref(), Some("send_text"));
        assert_eq!(whimbrel_error_service_status(error), 429);
        assert_eq!(whimbrel_error_retry_after_ms(error), 1500);
        assert_eq!(whimbrel_error_outcome(error), whimbrel_outcome::Refused);
    }

    #[test]
    fn null_is_success() {
        assert_eq!(whimbrel_error_code(None), whimbrel_code::Ok);
        assert_eq!(text(whimbrel_error_name(None)).as_deref(), Some("OK"));
        assert_eq!(text(whimbrel_error_operation(None)), None);
        assert_eq!(whimbrel_error_retry_after_ms(None), 0);
        whimbrel_error_free(None);
    }
}
