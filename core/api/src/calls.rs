//! Running calls of a binding: started from any thread, completed exactly once, cancelled by id.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use whimbrel::{CallOptions, Cancel, Client, Code, Error, Outcome};

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
        self.start_cancellable(runtime, Cancel::default(), call, done)
    }

    /// Runs a call that was given `signal` with its options: should the call look at it, it ends by
    /// itself when it is cancelled, and knows what became of its work.
    pub fn start_cancellable<T, F, D>(&self, runtime: &Handle, signal: Cancel, call: F, done: D) -> u64
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
        // The first step is taken here: calls that are made one after the other begin in that
        // order, whichever thread of the engine goes on with each.
        let mut call = Box::pin(AssertUnwindSafe(call).catch_unwind());
        let first = {
            let _entered = runtime.enter();
            call.as_mut().poll(&mut Context::from_waker(Waker::noop()))
        };
        let call = async move {
            match first {
                Poll::Ready(result) => result,
                Poll::Pending => call.await,
            }
        };
        let calls = self.clone();
        runtime.spawn(async move {
            let mut call = std::pin::pin!(call);
            let ended = tokio::select! {
                biased;
                result = &mut call => Some(result),
                Ok(()) = cancelled => {
                    signal.cancel();
                    if signal.is_heeded() { tokio::time::timeout(LAST_WORDS, call).await.ok() } else { None }
                }
            };
            let result = match ended {
                Some(Ok(result)) => result,
                Some(Err(_)) => {
                    Err(Error::new(Code::Internal, "the call panicked").with_outcome(Outcome::Unknown))
                }
                None => {
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
        let signal = Cancel::default();
        let options = cancellable(options, &signal);
        let call = async move { entry.start(&client, &request, options)?.await };
        Ok(self.start_cancellable(runtime, signal, call, done))
    }

    /// Cancels a call. A send whose message has not left yet withdraws it and ends with
    /// [`Outcome::NotSent`]. Otherwise only the waiting ends, with [`Outcome::Unknown`], for what the
    /// call began may go on; the fate of a message follows as an event. Unknown ids and ended
    /// calls are ignored.
    pub fn cancel(&self, id: u64) {
        if let Some(cancel) = self.lock().running.remove(&id) {
            // The call may have ended this moment.
            let _ = cancel.send(());
        }
    }
}

/// How long a cancelled call may take to find out what became of its work.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// Options of a call that is cancelled by a signal.
#[must_use]
pub fn cancellable(mut options: CallOptions, signal: &Cancel) -> CallOptions {
    options.cancel = Some(signal.clone());
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn calls_begin_in_the_order_in_which_they_are_made_and_end_once_each() {
        let calls = Calls::default();
        let begun = Arc::new(Mutex::new(Vec::new()));
        let (ended, mut ends) = tokio::sync::mpsc::unbounded_channel();
        for number in 0..500 {
            let (begun, ended) = (Arc::clone(&begun), ended.clone());
            let call = async move {
                begun.lock().unwrap().push(number);
                if number % 2 == 0 {
                    tokio::task::yield_now().await;
                }
                Ok(number)
            };
            calls.start(&Handle::current(), call, move |result| ended.send(result.unwrap()).unwrap());
        }
        drop(ended);
        let mut numbers = Vec::new();
        while let Some(number) = ends.recv().await {
            numbers.push(number);
        }
        numbers.sort_unstable();
        assert_eq!(numbers, (0..500).collect::<Vec<_>>());
        assert_eq!(*begun.lock().unwrap(), numbers);
    }

    #[tokio::test]
    async fn a_panic_and_a_cancelled_call_are_reported() {
        let calls = Calls::default();
        let outcome = |call: std::pin::Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>,
                       cancel: bool| {
            let (done, result) = oneshot::channel();
            let id = calls.start(&Handle::current(), call, move |result| drop(done.send(result)));
            if cancel {
                calls.cancel(id);
            }
            async move { result.await.unwrap().unwrap_err().code() }
        };
        assert_eq!(outcome(Box::pin(async { panic!("as asked") }), false).await, Code::Internal);
        assert_eq!(outcome(Box::pin(std::future::pending()), true).await, Code::Cancelled);
    }
}
