//! Errors of the engine as exceptions of the package.

use std::error::Error as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use whimbrel::{Code, Error};
use whimbrel_api::error::ErrorJson;

/// The exception for an error, an instance of the class for its code.
pub(crate) fn exception(py: Python<'_>, error: &Error) -> PyResult<Py<PyAny>> {
    static MAKE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let make = MAKE.get_or_try_init(py, || {
        py.import("whimbrel.errors").and_then(|module| module.getattr("_from_native")).map(Bound::unbind)
    })?;
    let shown = ErrorJson::from(error);
    let fields = (
        shown.code,
        shown.message,
        shown.operation,
        shown.service_status,
        shown.retry_after_ms,
        shown.outcome,
        causes(error),
    );
    make.call1(py, fields)
}

/// The texts of the underlying errors, outermost first.
fn causes(error: &Error) -> Vec<String> {
    let mut texts = Vec::new();
    let mut source = error.source();
    while let Some(cause) = source {
        texts.push(cause.to_string());
        source = cause.source();
    }
    texts
}

/// The same, to be raised.
pub(crate) fn raise(py: Python<'_>, error: &Error) -> PyErr {
    match exception(py, error) {
        Ok(exception) => PyErr::from_value(exception.into_bound(py)),
        Err(failure) => failure,
    }
}

/// Runs code of the engine, so that neither its errors nor a panic leave as anything but an
/// exception of the package.
pub(crate) fn guard<T>(py: Python<'_>, code: impl FnOnce() -> Result<T, Error>) -> PyResult<T> {
    let result = catch_unwind(AssertUnwindSafe(code))
        .unwrap_or_else(|_| Err(Error::new(Code::Internal, "the call panicked")));
    result.map_err(|error| raise(py, &error))
}
