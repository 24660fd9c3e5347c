//! What stands behind the handles of an engine and of a client.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use whimbrel::{Client, ClientOptions, Code, Engine, EngineOptions, Error};
use whimbrel_api::calls::Calls;

use crate::guard;
use crate::handler::EventHandler;
use crate::outstanding::Outstanding;
use crate::pump;
use crate::thread::EventsThread;

/// How long a close takes at most when the host says nothing else.
pub(crate) const CLOSE: Duration = Duration::from_secs(5);

/// What a close may take beyond its deadline to end what it gave up.
const GRACE: Duration = Duration::from_secs(2);

/// An engine and the thread of its callbacks.
pub(crate) struct EngineHost {
    pub(crate) engine: Engine,
    pub(crate) thread: Arc<EventsThread>,
    closed: AtomicBool,
    clients: Mutex<Vec<Arc<ClientHost>>>,
}

/// A client, its calls, and what it owes.
pub(crate) struct ClientHost {
    pub(crate) client: Client,
    pub(crate) calls: Calls,
    pub(crate) engine: Arc<EngineHost>,
    pub(crate) outstanding: Arc<Outstanding>,
    closing: AtomicBool,
    closed: watch::Sender<bool>,
    broken: AtomicBool,
}

impl EngineHost {
    pub(crate) fn start(options: EngineOptions) -> Result<Self, Error> {
        Ok(Self {
            engine: Engine::new(options)?,
            thread: Arc::new(EventsThread::start()?),
            closed: AtomicBool::new(false),
            clients: Mutex::default(),
        })
    }

    fn clients(&self) -> MutexGuard<'_, Vec<Arc<ClientHost>>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn open(
        self: &Arc<Self>,
        path: &str,
        options: ClientOptions,
        handler: EventHandler,
    ) -> Result<Arc<ClientHost>, Error> {
        if self.closed.load(Ordering::Acquire) {
            return Err(closed());
        }
        let client = self.engine.open(path, options)?;
        let events = client.events()?;
        let host = Arc::new(ClientHost {
            client,
            calls: Calls::default(),
            engine: Arc::clone(self),
            outstanding: Arc::default(),
            closing: AtomicBool::new(false),
            closed: watch::Sender::new(false),
            broken: AtomicBool::new(false),
        });
        {
            let mut clients = self.clients();
            // Those that were freed from a callback, and have closed since.
            clients.retain(|client| !client.has_ended());
            clients.push(Arc::clone(&host));
        }
        let ended = host.outstanding.owe();
        let closed = host.closed.subscribe();
        pump::start(self.engine.handle(), Arc::clone(&self.thread), events, handler, closed, ended);
        Ok(host)
    }

    /// Closes all clients, then the engine, and waits until the host has been told everything.
    pub(crate) fn close(&self, timeout: Duration) -> Result<(), Error> {
        self.thread.refuse_blocking()?;
        let deadline = Instant::now() + timeout;
        self.closed.store(true, Ordering::Release);
        let clients = std::mem::take(&mut *self.clients());
        let closings: Vec<_> = clients.iter().map(|client| client.begin_close(timeout)).collect();
        let mut result = Ok(());
        for (client, closing) in clients.iter().zip(closings) {
            result = result.and(client.finish_close(closing.as_ref(), deadline));
        }
        let left = deadline.saturating_duration_since(Instant::now());
        let engine = self.engine.close_blocking(left.max(Duration::from_millis(100)));
        self.thread.end();
        if result.is_ok() {
            self.thread.join();
        }
        result.and(engine)
    }

    fn forget(&self, client: &Arc<ClientHost>) {
        self.clients().retain(|other| !Arc::ptr_eq(other, client));
    }
}

impl ClientHost {
    /// Runs the body of a call; one that panics is the last.
    pub(crate) fn run<T>(&self, body: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        if self.broken.load(Ordering::Acquire) {
            return Err(guard::panicked());
        }
        if self.closing.load(Ordering::Acquire) {
            return Err(closed());
        }
        let result = guard::caught(|| Ok(body()));
        if result.is_err() {
            self.broken.store(true, Ordering::Release);
        }
        result.and_then(|result| result)
    }

    fn has_ended(&self) -> bool {
        self.closing.load(Ordering::Acquire) && self.outstanding.is_zero()
    }

    /// Begins to close; `None` if that has begun before.
    pub(crate) fn begin_close(&self, timeout: Duration) -> Option<mpsc::Receiver<Result<(), Error>>> {
        if self.closing.swap(true, Ordering::AcqRel) {
            return None;
        }
        let (done, result) = mpsc::sync_channel(1);
        let (client, closed) = (self.client.clone(), self.closed.clone());
        self.engine.engine.handle().spawn(async move {
            let result = client.close(timeout).await;
            closed.send_replace(true);
            // Nobody waits any more if this fails.
            let _ = done.send(result);
        });
        Some(result)
    }

    fn finish_close(
        &self,
        closing: Option<&mpsc::Receiver<Result<(), Error>>>,
        deadline: Instant,
    ) -> Result<(), Error> {
        let late = || Error::new(Code::TimedOut, "the client did not close before the deadline");
        let mut result = Ok(());
        if let Some(closing) = closing {
            let left = deadline.saturating_duration_since(Instant::now()) + GRACE;
            result = match closing.recv_timeout(left) {
                Ok(result) => result,
                Err(mpsc::RecvTimeoutError::Timeout) => Err(late()),
                // The engine was closed meanwhile, and the client with it.
                Err(mpsc::RecvTimeoutError::Disconnected) => Ok(()),
            };
        }
        // What the client told at the very end still has to reach the host.
        let told = self.outstanding.wait(deadline.max(Instant::now() + Duration::from_millis(100)));
        if told { result } else { result.and(Err(late())) }
    }

    /// Closes, and waits until the host has got its last event and its handlers are released.
    pub(crate) fn close(self: &Arc<Self>, timeout: Duration) -> Result<(), Error> {
        self.engine.thread.refuse_blocking()?;
        let deadline = Instant::now() + timeout;
        let result = self.finish_close(self.begin_close(timeout).as_ref(), deadline);
        if self.has_ended() {
            self.engine.forget(self);
        }
        result
    }

    /// Closes as far as the calling thread allows: in a callback the close goes on after it.
    pub(crate) fn close_for_good(self: &Arc<Self>) {
        if self.engine.thread.is_current() {
            drop(self.begin_close(CLOSE));
        } else if let Err(error) = self.close(CLOSE) {
            tracing::warn!(%error, "A client was freed before it had closed.");
        }
    }
}

fn closed() -> Error {
    Error::new(Code::Closed, "the engine or client is closed")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::whimbrel_event;
    use crate::handler::whimbrel_event_handler;

    unsafe extern "C" fn ignore(_: *mut std::ffi::c_void, _: *const *const whimbrel_event, _: usize) {}

    #[test]
    fn a_client_whose_call_panicked_refuses_further_ones_but_closes() {
        let mut options = EngineOptions::default();
        options.endpoint.url = "ws://127.0.0.1:1/".to_owned();
        let engine = Arc::new(EngineHost::start(options).unwrap());
        let mut options = ClientOptions::default();
        options.auto_start = false;
        let handler =
            whimbrel_event_handler { user_data: std::ptr::null_mut(), function: Some(ignore), release: None };
        let client = engine.open(":memory:", options, EventHandler::take(handler)).unwrap();
        assert_eq!(client.run(|| Ok(7)).unwrap(), 7);
        let panicked = client.run(|| -> Result<(), Error> { panic!("as a test") });
        assert_eq!(panicked.unwrap_err().code(), Code::Internal);
        assert_eq!(client.run(|| Ok(7)).unwrap_err().code(), Code::Internal);
        client.close(CLOSE).unwrap();
        engine.close(CLOSE).unwrap();
    }
}
