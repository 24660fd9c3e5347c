//! Clients.

use std::sync::Arc;
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use tokio::runtime::Handle;
use tokio::sync::Mutex;
use whimbrel::{
    CallOptions, Cancel, Client, Code, Error, EventStream, MessageKey, SendOptions, SendWait, parse_address,
};
use whimbrel_api::calls::{Calls, cancellable};
use whimbrel_api::media;

use crate::errors::guard;
use crate::lifecycle::{CLOSE_TIMEOUT, Process};
use crate::mailbox::{Letter, NativeMailbox};
use crate::values::{Batch, duration};

/// A client and what its host has under way.
pub(crate) struct Parts {
    client: Client,
    runtime: Handle,
    calls: Calls,
    /// The one subscription, made when events are first asked for.
    stream: Arc<Mutex<Option<EventStream>>>,
}

impl Parts {
    pub(crate) fn new(client: Client, runtime: Handle) -> Self {
        Self { client, runtime, calls: Calls::default(), stream: Arc::default() }
    }

    /// Closes without waiting.
    pub(crate) fn close_soon(&self, timeout: Duration) {
        let client = self.client.clone();
        self.runtime.spawn(async move {
            // Nobody is left to be told.
            let _ = client.close(timeout).await;
        });
    }
}

/// A client: one linked account.
#[pyclass(frozen, name = "Client", module = "whimbrel._whimbrel")]
pub(crate) struct NativeClient {
    /// Absent only while it is being dropped.
    parts: Option<Arc<Parts>>,
    process: Process,
}

impl NativeClient {
    pub(crate) fn new(parts: Arc<Parts>) -> Self {
        Self { parts: Some(parts), process: Process::current() }
    }

    fn parts(&self) -> Result<&Parts, Error> {
        self.process.check()?;
        self.parts.as_deref().ok_or_else(|| Error::new(Code::Closed, "the client is closed"))
    }

    /// Starts a call whose result goes into the mailbox.
    fn start<F>(
        &self,
        mailbox: &NativeMailbox,
        ticket: u64,
        call: impl FnOnce(&Parts, &Cancel) -> Result<F, Error>,
    ) -> Result<u64, Error>
    where
        F: Future<Output = Result<Letter, Error>> + Send + 'static,
    {
        let parts = self.parts()?;
        let signal = Cancel::default();
        let call = call(parts, &signal)?;
        let reply = mailbox.reply(ticket)?;
        Ok(parts.calls.start_cancellable(&parts.runtime, signal, call, |result| reply.send(result)))
    }
}

fn send_wait(name: &str) -> Result<SendWait, Error> {
    match name {
        "queued" => Ok(SendWait::Queued),
        "sent" => Ok(SendWait::Sent),
        "delivered" => Ok(SendWait::Delivered),
        _ => Err(Error::new(Code::InvalidArgument, "there is nothing of that name to wait for")),
    }
}

fn call_options(timeout: Option<f64>) -> Result<CallOptions, Error> {
    let mut options = CallOptions::default();
    options.timeout = timeout.map(duration).transpose()?;
    Ok(options)
}

#[pymethods]
impl NativeClient {
    /// Runs an operation by name, with its request and answer in JSON. Returns the id of the
    /// call, as all calls do.
    fn request(
        &self,
        py: Python<'_>,
        mailbox: &NativeMailbox,
        ticket: u64,
        name: &str,
        request: String,
        timeout: Option<f64>,
    ) -> PyResult<u64> {
        guard(py, || {
            let parts = self.parts()?;
            let options = call_options(timeout)?;
            let reply = mailbox.reply(ticket)?;
            let done = |result: Result<String, Error>| reply.send(result.map(Letter::Json));
            parts.calls.request(&parts.runtime, &parts.client, name, request, options, done)
        })
    }

    /// Sends text, without JSON.
    #[expect(clippy::too_many_arguments, reason = "they are the arguments of the Python method")]
    fn send_text(
        &self,
        py: Python<'_>,
        mailbox: &NativeMailbox,
        ticket: u64,
        chat: &str,
        text: String,
        quote: Option<(String, Option<String>)>,
        message_id: Option<String>,
        wait: Option<&str>,
        timeout: Option<f64>,
    ) -> PyResult<u64> {
        guard(py, || {
            self.start(mailbox, ticket, |parts, signal| {
                let chat = parse_address(chat)?;
                let mut options = SendOptions::default();
                options.cancel = Some(signal.clone());
                options.wait = wait.map(send_wait).transpose()?.unwrap_or_default();
                options.timeout = timeout.map(duration).transpose()?;
                options.message_id = message_id;
                if let Some((message_id, sender)) = quote {
                    let sender = sender.as_deref().map(parse_address).transpose()?;
                    options.quote = Some(MessageKey { message_id, sender });
                }
                let client = parts.client.clone();
                Ok(async move { client.send_text(&chat, &text, options).await.map(Letter::Sent) })
            })
            .map_err(|error| error.in_operation("send_text"))
        })
    }

    /// Marks messages as read, without JSON.
    #[expect(clippy::too_many_arguments, reason = "they are the arguments of the Python method")]
    fn mark_read(
        &self,
        py: Python<'_>,
        mailbox: &NativeMailbox,
        ticket: u64,
        chat: &str,
        sender: Option<&str>,
        message_ids: Vec<String>,
        timeout: Option<f64>,
    ) -> PyResult<u64> {
        guard(py, || {
            self.start(mailbox, ticket, |parts, _| {
                let chat = parse_address(chat)?;
                let sender = sender.map(parse_address).transpose()?;
                let options = call_options(timeout)?;
                let client = parts.client.clone();
                Ok(async move {
                    client
                        .mark_read(&chat, sender.as_ref(), &message_ids, options)
                        .await
                        .map(|()| Letter::Done)
                })
            })
            .map_err(|error| error.in_operation("mark_read"))
        })
    }

    /// Uploads bytes, which are copied; request and answer in JSON.
    fn upload(
        &self,
        py: Python<'_>,
        mailbox: &NativeMailbox,
        ticket: u64,
        bytes: PyBackedBytes,
        request: String,
        timeout: Option<f64>,
    ) -> PyResult<u64> {
        guard(py, || {
            self.start(mailbox, ticket, |parts, signal| {
                let options = cancellable(call_options(timeout)?, signal);
                let (client, bytes) = (parts.client.clone(), bytes.to_vec());
                Ok(async move { media::upload(&client, &request, bytes, options).await.map(Letter::Json) })
            })
        })
    }

    /// Downloads a file into memory: its bytes, and the reference from now on if that changed.
    fn download(
        &self,
        py: Python<'_>,
        mailbox: &NativeMailbox,
        ticket: u64,
        request: String,
        timeout: Option<f64>,
    ) -> PyResult<u64> {
        guard(py, || {
            self.start(mailbox, ticket, |parts, signal| {
                let options = cancellable(call_options(timeout)?, signal);
                let client = parts.client.clone();
                Ok(async move { media::download(&client, &request, options).await.map(Letter::File) })
            })
        })
    }

    /// Waits for events and takes at most `most` of them; an empty list says that the client is
    /// closed and nothing follows.
    fn next_events(
        &self,
        py: Python<'_>,
        mailbox: &NativeMailbox,
        ticket: u64,
        most: usize,
    ) -> PyResult<u64> {
        guard(py, || {
            self.start(mailbox, ticket, |parts, _| {
                let (client, stream) = (parts.client.clone(), Arc::clone(&parts.stream));
                Ok(async move {
                    let mut stream = stream
                        .try_lock_owned()
                        .map_err(|_| Error::new(Code::WrongState, "the events are being taken already"))?;
                    if stream.is_none() {
                        *stream = Some(client.events()?);
                    }
                    // Waiting for events must not keep the client.
                    drop(client);
                    let events = match stream.as_mut() {
                        Some(stream) => stream.next_batch(most).await,
                        None => Vec::new(),
                    };
                    Batch::new(events).map(Letter::Events)
                })
            })
        })
    }

    /// Says that all events up to a sequence number are taken.
    fn acknowledge(&self, py: Python<'_>, sequence: u64) -> PyResult<()> {
        guard(py, || {
            self.parts()?.client.acknowledge(sequence);
            Ok(())
        })
    }

    /// Cancels a call.
    fn cancel(&self, call: u64) {
        if let Ok(parts) = self.parts() {
            parts.calls.cancel(call);
        }
    }

    /// Closes; the result goes into the mailbox.
    fn close(&self, py: Python<'_>, mailbox: &NativeMailbox, ticket: u64, timeout: f64) -> PyResult<u64> {
        guard(py, || {
            self.start(mailbox, ticket, |parts, _| {
                let timeout = duration(timeout)?;
                let client = parts.client.clone();
                Ok(async move { client.close(timeout).await.map(|()| Letter::Done) })
            })
        })
    }

    /// Begins to close, without waiting.
    fn close_soon(&self) {
        if let Ok(parts) = self.parts() {
            parts.close_soon(CLOSE_TIMEOUT);
        }
    }
}

impl Drop for NativeClient {
    fn drop(&mut self) {
        let Some(parts) = self.parts.take() else { return };
        if !self.process.is_current() {
            // Its threads are the parent's: nothing to release, nothing to wait for.
            let _leaked = std::mem::ManuallyDrop::new(parts);
        }
    }
}
