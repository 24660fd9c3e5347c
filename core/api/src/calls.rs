//! Running calls of a binding: started from any thread, completed exactly once, cancelled by id.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use whimbrel::{CallOptions, Client, Code, Error, Outcome};

use crate::operations;

/// The calls that a client's host has under way.
#[derive(Clone, Default)]
pub struct Calls {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    last_id: u64,
    running: BTreeMap<u64, oneshot::Sender<()>>,
}

impl Calls {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a call on the engine's threads. `done` gets its result exactly once: the call's own,
    /// or [`Code::Cancelled`] after [`cancel`](Self::cancel), or [`Code::Internal`] if the call
    /// panicked. Returns the id for cancelling.
    pub fn start<T, F, D>(&self, runtime: &Handle, call: F, done: D) -> u64
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Error>> + Send + 'static,
        D: FnOnce(Result<T, Error>) + Send + 'static,
    {
        let (cancel, cancelled) = oneshot::channel();
        let id = {
            let mut state = self.lock();
            state.last_id = state.last_id.saturating_add(1);
            let id = state.last_id;
            state.running.insert(id, cancel);
            id
        };
        let calls = self.clone();
        runtime.spawn(async move {
            let result = tokio::select! {
                result = AssertUnwindSafe(call).catch_unwind() => result.unwrap_or_else(|_| {
                    Err(Error::new(Code::Internal, "the call panicked").with_outcome(Outcome::Unknown))
                }),
                Ok(()) = cancelled => {
                    Err(Error::new(Code::Cancelled, "the call was cancelled").with_outcome(Outcome::Unknown))
                }
            };
            calls.lock().running.remove(&id);
            done(result);
        });
        id
    }

    /// Runs an operation by name, with its request and answer in JSON.
    ///
    /// # Errors
    /// [`Code::UnknownOperation`]; `done` is not called then. A malformed request is reported
    /// through `done`.
    pub fn request<D>(
        &self,
        runtime: &Handle,
        client: &Client,
        name: &str,
        request: String,
        options: CallOptions,
        done: D,
    ) -> Result<u64, Error>
    where
        D: FnOnce(Result<String, Error>) + Send + 'static,
    {
        let entry = operations::find(name)?;
        let client = client.clone();
        let call = async move { entry.start(&client, &request, options)?.await };
        Ok(self.start(runtime, call, done))
    }

    /// Cancels a call. Whether it had an effect already is what its error's `outcome` says.
    /// Unknown ids and ended calls are ignored.
    pub fn cancel(&self, id: u64) {
        if let Some(cancel) = self.lock().running.remove(&id) {
            // The call may have ended this moment.
            let _ = cancel.send(());
        }
    }
}
