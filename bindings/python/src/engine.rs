//! Engines.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use pyo3::prelude::*;
use whimbrel::{ClientOptions, Code, Endpoint, Engine, EngineOptions, Error, Proxy};
use whimbrel_api::calls::Calls;

use crate::client::Parts;
use crate::errors::guard;
use crate::lifecycle::{self, CLOSE_TIMEOUT, Process};
use crate::mailbox::{Letter, NativeMailbox};
use crate::values::duration;

/// How often a waiting call looks for signals such as Ctrl-C.
const SIGNAL_INTERVAL: Duration = Duration::from_millis(100);

/// An engine: threads and limits.
#[pyclass(frozen, name = "Engine", module = "whimbrel._whimbrel")]
pub(crate) struct NativeEngine {
    /// Absent only while it is being dropped.
    engine: Option<Engine>,
    id: u64,
    calls: Calls,
    process: Process,
}

impl NativeEngine {
    fn engine(&self) -> Result<&Engine, Error> {
        self.process.check()?;
        self.engine.as_ref().ok_or_else(|| Error::new(Code::Closed, "the engine is closed"))
    }
}

#[pymethods]
impl NativeEngine {
    /// Starts an engine.
    #[new]
    #[pyo3(signature = (*, worker_threads=None, url=None, noise_root=None, extra_ca_pem=None,
                        client_version=None, keep_alive=None, insecure_seed=None, version_url=None,
                        find_version=None, connect_limit=None))]
    #[expect(clippy::too_many_arguments, reason = "they are the keyword arguments of the Python class")]
    fn new(
        py: Python<'_>,
        worker_threads: Option<usize>,
        url: Option<String>,
        noise_root: Option<(Vec<u8>, u32)>,
        extra_ca_pem: Option<String>,
        client_version: Option<(u32, u32, u32)>,
        keep_alive: Option<f64>,
        insecure_seed: Option<u64>,
        version_url: Option<String>,
        find_version: Option<bool>,
        connect_limit: Option<usize>,
    ) -> PyResult<Self> {
        guard(py, || {
            let mut options = EngineOptions::default();
            options.worker_threads = worker_threads.unwrap_or(options.worker_threads);
            options.client_version = client_version.map(Into::into);
            options.insecure_seed = insecure_seed;
            options.find_version = find_version.unwrap_or(options.find_version);
            options.connect_limit = connect_limit.unwrap_or(options.connect_limit);
            if let Some(seconds) = keep_alive {
                options.keep_alive = duration(seconds)?;
            }
            let mut endpoint = Endpoint::default();
            endpoint.url = url.unwrap_or(endpoint.url);
            endpoint.extra_ca_pem = extra_ca_pem;
            endpoint.version_url = version_url;
            if let Some((key, serial)) = noise_root {
                let key = key
                    .try_into()
                    .map_err(|_| Error::new(Code::InvalidArgument, "the Noise root key has not 32 bytes"))?;
                endpoint.noise_root = Some((key, serial));
            }
            options.endpoint = endpoint;
            let engine = Engine::new(options)?;
            let id = lifecycle::add_engine(&engine);
            Ok(Self { engine: Some(engine), id, calls: Calls::default(), process: Process::current() })
        })
    }

    /// Opens the client whose store is at `path`. Returns the id of the call.
    #[pyo3(signature = (mailbox, ticket, path, *, auto_start=None, request_timeout=None, device_name=None,
                        journal_limit=None, journal_limit_bytes=None, sync_to_disk=None, proxy=None,
                        archive=None, archive_days=None, full_history=None, history_days=None,
                        temporary_folder=None))]
    #[expect(clippy::too_many_arguments, reason = "they are the keyword arguments of the Python class")]
    fn open(
        &self,
        py: Python<'_>,
        mailbox: &NativeMailbox,
        ticket: u64,
        path: PathBuf,
        auto_start: Option<bool>,
        request_timeout: Option<f64>,
        device_name: Option<String>,
        journal_limit: Option<u64>,
        journal_limit_bytes: Option<u64>,
        sync_to_disk: Option<bool>,
        proxy: Option<String>,
        archive: Option<bool>,
        archive_days: Option<u32>,
        full_history: Option<bool>,
        history_days: Option<u32>,
        temporary_folder: Option<PathBuf>,
    ) -> PyResult<u64> {
        guard(py, || {
            let engine = self.engine()?.clone();
            let mut options = ClientOptions::default();
            // The Python layer acknowledges, event by event, when the loop has taken them.
            options.manual_acknowledge = true;
            options.auto_start = auto_start.unwrap_or(options.auto_start);
            options.device_name = device_name.unwrap_or(options.device_name);
            options.journal_limit = journal_limit.unwrap_or(options.journal_limit);
            options.journal_limit_bytes = journal_limit_bytes.unwrap_or(options.journal_limit_bytes);
            options.sync_to_disk = sync_to_disk.unwrap_or(options.sync_to_disk);
            options.archive = archive.unwrap_or(options.archive);
            options.full_history = full_history.unwrap_or(options.full_history);
            options.archive_days = archive_days;
            options.history_days = history_days;
            options.temporary_folder = temporary_folder;
            options.proxy = proxy.as_deref().map(Proxy::parse).transpose()?;
            if let Some(seconds) = request_timeout {
                options.request_timeout = duration(seconds)?;
            }
            let reply = mailbox.reply(ticket)?;
            let runtime = engine.handle().clone();
            let open = {
                let runtime = runtime.clone();
                async move {
                    let client = engine.open_async(path, options).await?;
                    Ok(Letter::Opened(Arc::new(Parts::new(client, runtime))))
                }
            };
            Ok(self.calls.start(&runtime, open, |result| reply.send(result)))
        })
    }

    /// Makes a store of a link from elsewhere; request and report are JSON. Returns the id of the call.
    fn import_link(
        &self,
        py: Python<'_>,
        mailbox: &NativeMailbox,
        ticket: u64,
        request: String,
    ) -> PyResult<u64> {
        guard(py, || {
            let engine = self.engine()?.clone();
            let reply = mailbox.reply(ticket)?;
            let runtime = engine.handle().clone();
            let import =
                async move { whimbrel_api::import::import_async(engine, request).await.map(Letter::Json) };
            Ok(self.calls.start(&runtime, import, |result| reply.send(result)))
        })
    }

    /// Cancels a call that this engine started.
    fn cancel(&self, call: u64) {
        if self.process.is_current() {
            self.calls.cancel(call);
        }
    }

    /// Closes the clients and ends the threads, and waits for it. Ctrl-C ends the waiting; the
    /// closing goes on.
    fn close(&self, py: Python<'_>, timeout: f64) -> PyResult<()> {
        let (done, mut result) = sync_channel(1);
        guard(py, || {
            let engine = self.engine()?.clone();
            // The receiver is gone when the waiting was ended.
            let done = move |result| drop(done.send(result));
            lifecycle::close_engine(engine, duration(timeout)?, done)
        })?;
        lifecycle::remove_engine(self.id);
        loop {
            let waited;
            (waited, result) = py.detach(move || (result.recv_timeout(SIGNAL_INTERVAL), result));
            match waited {
                Ok(result) => return guard(py, || result),
                Err(RecvTimeoutError::Timeout) => py.check_signals()?,
                Err(RecvTimeoutError::Disconnected) => {
                    return guard(py, || Err(Error::new(Code::Internal, "closing the engine panicked")));
                }
            }
        }
    }

    /// The same without waiting: the result goes into the mailbox.
    fn close_async(
        &self,
        py: Python<'_>,
        mailbox: &NativeMailbox,
        ticket: u64,
        timeout: f64,
    ) -> PyResult<()> {
        guard(py, || {
            let engine = self.engine()?.clone();
            let timeout = duration(timeout)?;
            let reply = mailbox.reply(ticket)?;
            lifecycle::close_engine(engine, timeout, |result| reply.send(result.map(|()| Letter::Done)))
        })?;
        lifecycle::remove_engine(self.id);
        Ok(())
    }
}

impl Drop for NativeEngine {
    fn drop(&mut self) {
        let Some(engine) = self.engine.take() else { return };
        if self.process.is_current() {
            lifecycle::remove_engine(self.id);
            // Without a thread the drop of the engine closes it.
            let _ = lifecycle::close_engine(engine, CLOSE_TIMEOUT, drop);
        } else {
            // Its threads are the parent's: nothing to release, nothing to wait for.
            let _leaked = std::mem::ManuallyDrop::new(engine);
        }
    }
}
