//! The way from the engine's threads to an event loop.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::Builder;

use pyo3::prelude::*;
use whimbrel::{Code, Error, SentMessage};
use whimbrel_api::media::Downloaded;

use crate::client::{NativeClient, Parts};
use crate::errors;
use crate::lifecycle::{self, CLOSE_TIMEOUT, Process};
use crate::values::{self, Batch};

/// What comes back to the loop.
pub(crate) enum Letter {
    /// The call is done and has no answer.
    Done,
    /// The answer of an operation.
    Json(String),
    /// A sent message.
    Sent(SentMessage),
    /// A file.
    File(Downloaded),
    /// Events.
    Events(Batch),
    /// An opened client.
    Opened(Arc<Parts>),
    /// The call failed.
    Failed(Error),
}

/// Results and events on their way to one event loop.
pub(crate) struct Mailbox {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Each with the ticket by which Python knows the call.
    letters: VecDeque<(u64, Letter)>,
    /// The loop was woken and has not drained yet.
    ringing: bool,
    closed: bool,
    /// Clients that belong to the loop and end with it.
    clients: Vec<Weak<Parts>>,
}

impl Mailbox {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, ticket: u64, letter: Letter) {
        let mut state = self.lock();
        if state.closed {
            // The letter may own a client: it is dropped outside the lock.
            drop(state);
            return drop(letter);
        }
        if let Letter::Opened(client) = &letter {
            state.clients.retain(|client| client.strong_count() > 0);
            state.clients.push(Arc::downgrade(client));
        }
        state.letters.push_back((ticket, letter));
        drop(state);
        self.changed.notify_one();
    }

    /// Ends the mailbox and its thread; letters that wait are dropped.
    pub(crate) fn close(&self) {
        let letters = {
            let mut state = self.lock();
            state.closed = true;
            std::mem::take(&mut state.letters)
        };
        drop(letters);
        self.changed.notify_all();
    }

    /// Waits until the loop has to be woken; false when the mailbox is closed.
    fn wait(&self) -> bool {
        let state = self.lock();
        let idle = |state: &mut State| !state.closed && (state.ringing || state.letters.is_empty());
        let mut state = self.changed.wait_while(state, idle).unwrap_or_else(PoisonError::into_inner);
        state.ringing = true;
        !state.closed
    }

    fn drain(&self) -> VecDeque<(u64, Letter)> {
        let mut state = self.lock();
        state.ringing = false;
        std::mem::take(&mut state.letters)
    }

    /// The loop is closed: nobody takes anything any more, so what it opened is closed.
    fn abandon(&self) {
        self.close();
        for client in std::mem::take(&mut self.lock().clients) {
            if let Some(client) = client.upgrade() {
                client.close_soon(CLOSE_TIMEOUT);
            }
        }
    }

    /// What the thread of the mailbox does: one wake-up per batch.
    fn run(&self, wake: Py<PyAny>) {
        while self.wait() {
            // `call_soon_threadsafe` refuses when the loop is closed.
            let woken = Python::try_attach(|py| wake.call0(py).is_ok());
            if woken != Some(true) {
                self.abandon();
            }
        }
        // Without an interpreter there is no count to decrease.
        let _ = Python::try_attach(|py| wake.drop_ref(py));
    }
}

/// Puts the result of one call into a mailbox, exactly once.
pub(crate) struct Reply {
    mailbox: Arc<Mailbox>,
    ticket: u64,
    sent: bool,
}

impl Reply {
    pub(crate) fn send(mut self, result: Result<Letter, Error>) {
        self.sent = true;
        self.mailbox.push(self.ticket, result.unwrap_or_else(Letter::Failed));
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        // The engine's threads have ended before the call did.
        if !self.sent {
            let error = Error::new(Code::Closed, "the engine or client is closed");
            self.mailbox.push(self.ticket, Letter::Failed(error));
        }
    }
}

/// A queue of results for one event loop, with the thread that wakes it.
#[pyclass(frozen, name = "Mailbox", module = "whimbrel._whimbrel")]
pub(crate) struct NativeMailbox {
    mailbox: Arc<Mailbox>,
    process: Process,
}

impl NativeMailbox {
    /// The reply for the call that Python knows by `ticket`.
    pub(crate) fn reply(&self, ticket: u64) -> Result<Reply, Error> {
        self.process.check()?;
        Ok(Reply { mailbox: Arc::clone(&self.mailbox), ticket, sent: false })
    }
}

#[pymethods]
impl NativeMailbox {
    /// Starts the thread. `wake` is called there without arguments, once per batch; when it
    /// raises, the mailbox closes.
    #[new]
    fn new(py: Python<'_>, wake: Py<PyAny>) -> PyResult<Self> {
        errors::guard(py, || {
            let mailbox = Arc::new(Mailbox { state: Mutex::default(), changed: Condvar::new() });
            let run = {
                let mailbox = Arc::clone(&mailbox);
                move || mailbox.run(wake)
            };
            let thread = Builder::new()
                .name("whimbrel-python".to_owned())
                .spawn(run)
                .map_err(|error| Error::new(Code::Internal, "the system gave no thread").because(error))?;
            lifecycle::add_mailbox(&mailbox, thread);
            Ok(Self { mailbox, process: Process::current() })
        })
    }

    /// Takes what has arrived: `(ticket, failed, value)` for each call that ended.
    fn drain(&self, py: Python<'_>) -> PyResult<Vec<(u64, bool, Py<PyAny>)>> {
        if !self.process.is_current() {
            return Ok(Vec::new());
        }
        let letters = self.mailbox.drain();
        letters
            .into_iter()
            .map(|(ticket, letter)| {
                let value = match letter {
                    Letter::Done => py.None(),
                    Letter::Json(text) => text.into_pyobject(py)?.into_any().unbind(),
                    Letter::Sent(message) => values::sent(py, message)?,
                    Letter::File(file) => values::file(py, file)?,
                    Letter::Events(batch) => batch.into_python(py)?,
                    Letter::Opened(parts) => Py::new(py, NativeClient::new(parts))?.into_any(),
                    Letter::Failed(error) => return Ok((ticket, true, errors::exception(py, &error)?)),
                };
                Ok((ticket, false, value))
            })
            .collect()
    }

    /// Ends the thread; what has not been drained is dropped.
    fn close(&self) {
        if self.process.is_current() {
            self.mailbox.close();
        }
    }

    /// Ends the mailbox because its loop is closed, and closes the clients of that loop.
    fn abandon(&self) {
        if self.process.is_current() {
            self.mailbox.abandon();
        }
    }

    /// Whether the mailbox is closed.
    fn is_closed(&self) -> bool {
        !self.process.is_current() || self.mailbox.lock().closed
    }
}

impl Drop for NativeMailbox {
    fn drop(&mut self) {
        self.close();
    }
}
