//! What every entry point goes through: panics end here, and errors become handles.

use std::panic::{AssertUnwindSafe, catch_unwind};

use safer_ffi::prelude::*;
use whimbrel::{Code, Error, Outcome};

use crate::error::whimbrel_error;

/// Runs the body of a fallible entry point.
pub(crate) fn entry(body: impl FnOnce() -> Result<(), Error>) -> Option<repr_c::Box<whimbrel_error>> {
    caught(body).err().map(whimbrel_error::new)
}

/// Runs something that may panic.
///
/// # Errors
/// Its own; [`Code::Internal`] for a panic.
pub(crate) fn caught<T>(body: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    // What a panic left half done is behind locks that ignore poison, or of the one client that
    // is refused from then on.
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|payload| {
        let what = payload.downcast_ref::<&str>().copied().map(str::to_owned);
        let what = what.or_else(|| payload.downcast_ref::<String>().cloned());
        tracing::error!(panic = what.as_deref().unwrap_or("of another type"), "An entry point panicked.");
        Err(panicked())
    })
}

/// Runs the body of an entry point that cannot fail; `fallback` stands for its result if it
/// panics all the same.
pub(crate) fn shielded<T>(fallback: T, body: impl FnOnce() -> T) -> T {
    caught(|| Ok(body())).unwrap_or(fallback)
}

/// The error of a panic, and of every call to the same client after it.
pub(crate) fn panicked() -> Error {
    Error::new(Code::Internal, "the engine has a bug; this client refuses further calls")
        .with_outcome(Outcome::Unknown)
}

/// The error of an argument that must not be null.
pub(crate) fn null(what: &'static str) -> Error {
    Error::new(Code::InvalidArgument, what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::whimbrel_code;
    use crate::error::{whimbrel_error_code, whimbrel_error_free};

    #[test]
    fn panics_become_errors_and_success_is_null() {
        assert!(entry(|| Ok(())).is_none());
        for body in [|| panic!("as a test"), || Err(Error::new(Code::Internal, "as a test"))] {
            let error = entry(body);
            assert_eq!(whimbrel_error_code(error.as_deref()), whimbrel_code::Internal);
            whimbrel_error_free(error);
        }
        assert_eq!(shielded(7, || panic!("as a test")), 7);
        assert_eq!(shielded(7, || 8), 8);
    }
}
