//! Values on their way between Rust and Python.

use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};
use whimbrel::{Code, Error, Event, SentMessage};
use whimbrel_api::events;
use whimbrel_api::media::Downloaded;

use crate::errors::guard;

/// Events for Python: one JSON text for all, and the bytes that JSON does not carry.
pub(crate) struct Batch {
    json: String,
    raw: Vec<Vec<u8>>,
}

impl Batch {
    /// Writes the batch; this happens on the engine's threads, not on the interpreter's.
    pub(crate) fn new(events: Vec<Event>) -> Result<Self, Error> {
        let shown: Vec<events::Event> = events.iter().map(events::Event::from).collect();
        let json = serde_json::to_string(&shown)
            .map_err(|error| Error::new(Code::Internal, "events could not be written").because(error))?;
        let raw = events
            .into_iter()
            .map(|event| event.kind.raw().map(<[u8]>::to_vec).unwrap_or_default())
            .collect();
        Ok(Self { json, raw })
    }

    /// `(json, [raw, …])`.
    pub(crate) fn into_python(self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let raw = PyList::new(py, self.raw.iter().map(|bytes| PyBytes::new(py, bytes)))?;
        Ok((self.json, raw).into_pyobject(py)?.into_any().unbind())
    }
}

/// `(message id, (id, phone, lid) of the chat, timestamp, number of a channel's post)`.
pub(crate) fn sent(py: Python<'_>, sent: SentMessage) -> PyResult<Py<PyAny>> {
    let chat = events::Identity::from(&sent.chat);
    let fields = (sent.message_id, (chat.id, chat.phone, chat.lid), sent.timestamp, sent.server_id);
    Ok(fields.into_pyobject(py)?.into_any().unbind())
}

/// `(bytes, reference or None)`.
pub(crate) fn file(py: Python<'_>, file: Downloaded) -> PyResult<Py<PyAny>> {
    Ok((PyBytes::new(py, &file.bytes), file.moved).into_pyobject(py)?.into_any().unbind())
}

/// Seconds as Python gives them.
pub(crate) fn duration(seconds: f64) -> Result<Duration, Error> {
    Duration::try_from_secs_f64(seconds)
        .map_err(|_| Error::new(Code::InvalidArgument, "a timeout is not a number of seconds from 0"))
}

/// A QR symbol as text for a terminal, two modules per character.
#[pyfunction]
pub(crate) fn draw_qr(py: Python<'_>, text: &str) -> PyResult<String> {
    guard(py, || whimbrel_api::qr::draw(text))
}
