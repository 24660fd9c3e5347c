//! The private extension of the Python package: engines, clients and mailboxes. What programs
//! use is the typed Python source beside it.
//!
//! Results and events go through a [mailbox]: the engine's threads push, one thread per event
//! loop wakes the loop once per batch, and the loop drains. The engine's threads never touch the
//! interpreter.

mod client;
mod engine;
mod errors;
mod lifecycle;
mod mailbox;
mod values;

use pyo3::pymodule;

/// The native half of the package `whimbrel`. Private: it changes without notice.
#[pymodule(gil_used = false)]
mod _whimbrel {
    #[pymodule_export]
    use super::client::NativeClient;
    #[pymodule_export]
    use super::engine::NativeEngine;
    #[pymodule_export]
    use super::lifecycle::{forked, shutdown};
    #[pymodule_export]
    use super::mailbox::NativeMailbox;
    #[pymodule_export]
    use super::values::draw_qr;
}
