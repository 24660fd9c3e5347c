//! Clients: calls by name, cancelling, events and the end.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use napi::bindgen_prelude::{Buffer, Function, Object, ToNapiValue, Unknown};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Env, Status};
use napi_derive::napi;
use whimbrel::{CallOptions, Cancel, Code, Error};
use whimbrel_api::calls::{Calls, cancellable};
use whimbrel_api::{media, operations};

use crate::engine::{CLOSE, Shared};
use crate::error::{duration, to_js};
use crate::events::{Batch, Subscription};
use crate::promise::Promise;

/// The greatest integer up to which JavaScript's numbers have no gaps.
const MAX_SAFE_INTEGER: f64 = 9_007_199_254_740_991.0;

/// Tells JavaScript that there is something to fetch. Ringing it twice is ringing it once.
#[derive(Clone)]
pub(crate) struct Bell {
    function: Arc<Mutex<RawBell>>,
}

/// Weak, so that it does not keep the process; one place in its queue, which is all a bell needs.
type RawBell = ThreadsafeFunction<(), Unknown<'static>, (), Status, false, true, 1>;

impl Bell {
    pub(crate) fn new(function: &Function<'_, (), Unknown<'static>>) -> napi::Result<Self> {
        let function = function.build_threadsafe_function().weak::<true>().max_queue_size::<1>().build()?;
        Ok(Self { function: Arc::new(Mutex::new(function)) })
    }

    fn lock(&self) -> MutexGuard<'_, RawBell> {
        self.function.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Rings it, from any thread.
    pub(crate) fn ring(&self) {
        // A full queue means that it rings already, a closing one that nobody listens any more.
        let _ = self.lock().call((), ThreadsafeFunctionCallMode::NonBlocking);
    }

    #[expect(deprecated, reason = "dropping the function, which is advised instead, would silence the bell")]
    fn hold(&self, env: &Env, hold: bool) -> napi::Result<()> {
        if hold { self.lock().refer(env) } else { self.lock().unref(env) }
    }
}

/// One account, opened.
#[napi]
pub struct Client {
    client: whimbrel::Client,
    engine: Arc<Shared>,
    bell: Bell,
    calls: Calls,
    manual_acknowledge: bool,
    subscription: Mutex<Option<Subscription>>,
}

#[napi]
impl Client {
    pub(crate) fn open(
        client: whimbrel::Client,
        engine: Arc<Shared>,
        bell: Bell,
        manual_acknowledge: bool,
    ) -> Self {
        let subscription = Mutex::new(None);
        Self { client, engine, bell, calls: Calls::default(), manual_acknowledge, subscription }
    }

    fn subscription(&self) -> MutexGuard<'_, Option<Subscription>> {
        self.subscription.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs an operation by name. The answer has the `promise` and the `id` for cancelling.
    #[napi(catch_unwind)]
    pub fn call<'env>(
        &self,
        env: &'env Env,
        operation: String,
        request: String,
        timeout_ms: Option<f64>,
    ) -> napi::Result<Object<'env>> {
        operations::find(&operation).map_err(|error| to_js(&error))?;
        let mut options = CallOptions::default();
        options.timeout = timeout_ms.map(duration).transpose()?;
        let runtime = self.engine.runtime()?;
        let (promise, object) = Promise::new(env)?;
        let done = move |result| promise.settle(result);
        let id = self
            .calls
            .request(&runtime, &self.client, &operation, request, options, done)
            .map_err(|error| to_js(&error))?;
        let mut started = Object::new(env)?;
        started.set("promise", object)?;
        started.set("id", id_to_js(id))?;
        Ok(started)
    }

    /// Uploads bytes, which are copied; request and answer are JSON.
    #[napi(catch_unwind)]
    pub fn upload<'env>(
        &self,
        env: &'env Env,
        bytes: &[u8],
        request: String,
        timeout_ms: Option<f64>,
    ) -> napi::Result<Object<'env>> {
        let (client, bytes) = (self.client.clone(), bytes.to_vec());
        self.transfer(env, timeout_ms, |options| async move {
            media::upload(&client, &request, bytes, options).await
        })
    }

    /// Downloads a file into memory; the request is JSON.
    #[napi(catch_unwind)]
    pub fn download<'env>(
        &self,
        env: &'env Env,
        request: String,
        timeout_ms: Option<f64>,
    ) -> napi::Result<Object<'env>> {
        let client = self.client.clone();
        self.transfer(env, timeout_ms, |options| async move {
            media::download(&client, &request, options).await.map(File::from)
        })
    }

    /// Cancels a call.
    #[napi(catch_unwind)]
    pub fn cancel(&self, id: f64) {
        self.calls.cancel(integer(id));
    }

    /// Becomes the one consumer of the events.
    #[napi(catch_unwind)]
    pub fn subscribe(&self) -> napi::Result<()> {
        let stream = self.client.events().map_err(|error| to_js(&error))?;
        let runtime = self.engine.runtime()?;
        *self.subscription() = Some(Subscription::start(&runtime, stream, self.bell.clone()));
        Ok(())
    }

    /// Stops being it. The promise is for the moment when another one can.
    #[napi(catch_unwind)]
    pub fn unsubscribe<'env>(&self, env: &'env Env) -> napi::Result<Object<'env>> {
        let (promise, object) = Promise::new(env)?;
        match (self.subscription().take(), self.engine.runtime()) {
            (Some(subscription), Ok(runtime)) => {
                runtime.spawn(async move {
                    subscription.stop().await;
                    promise.settle(Ok(()));
                });
            }
            // The end of the engine has ended the subscription, too.
            _ => promise.settle(Ok(())),
        }
        Ok(object)
    }

    /// The batch that waits, if one does. Unless the host acknowledges itself, this says that it
    /// has taken them.
    #[napi(catch_unwind)]
    pub fn drain(&self) -> Option<Batch> {
        let (waiting, ended) = self.subscription().as_ref()?.fetch();
        let sequence = waiting.as_ref().and_then(|waiting| waiting.sequence);
        if let Some(sequence) = sequence.filter(|_| !self.manual_acknowledge) {
            self.client.acknowledge(sequence);
        }
        Batch::of(waiting, ended)
    }

    /// Says that the host is done with the events up to a sequence number.
    #[napi(catch_unwind)]
    pub fn acknowledge(&self, sequence: f64) -> napi::Result<()> {
        // What is no position in the journal would acknowledge something else when rounded.
        if sequence.fract() != 0.0 || !(0.0..=MAX_SAFE_INTEGER).contains(&sequence) {
            return Err(to_js(&Error::new(
                Code::InvalidArgument,
                "a sequence number is a whole number, not negative",
            )));
        }
        self.client.acknowledge(integer(sequence));
        Ok(())
    }

    /// Whether the process stays for the sake of this client's events.
    #[napi(catch_unwind)]
    pub fn hold(&self, env: &Env, hold: bool) -> napi::Result<()> {
        self.bell.hold(env, hold)
    }

    /// Closes the client.
    #[napi(catch_unwind)]
    pub fn close<'env>(&self, env: &'env Env, timeout_ms: Option<f64>) -> napi::Result<Object<'env>> {
        let timeout = timeout_ms.map_or(Ok(CLOSE), duration)?;
        let (promise, object) = Promise::new(env)?;
        match self.engine.runtime() {
            Ok(runtime) => {
                let client = self.client.clone();
                runtime.spawn(async move {
                    let closed = client.close(timeout).await;
                    drop(client);
                    promise.settle(closed);
                });
            }
            // The engine closed it.
            Err(_) => promise.settle(Ok(())),
        }
        Ok(object)
    }
}

impl Client {
    /// Starts a transfer. The answer has the `promise` and the `id` for cancelling.
    fn transfer<'env, T, F>(
        &self,
        env: &'env Env,
        timeout_ms: Option<f64>,
        call: impl FnOnce(CallOptions) -> F,
    ) -> napi::Result<Object<'env>>
    where
        T: ToNapiValue + Send + 'static,
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        let mut options = CallOptions::default();
        options.timeout = timeout_ms.map(duration).transpose()?;
        let runtime = self.engine.runtime()?;
        let signal = Cancel::default();
        let call = call(cancellable(options, &signal));
        let (promise, object) = Promise::new(env)?;
        let done = move |result| promise.settle(result);
        let id = self.calls.start_cancellable(&runtime, signal, call, done);
        let mut started = Object::new(env)?;
        started.set("promise", object)?;
        started.set("id", id_to_js(id))?;
        Ok(started)
    }
}

/// A file in memory.
#[napi(object, object_from_js = false)]
pub(crate) struct File {
    /// Its bytes.
    pub data: Buffer,
    /// The reference from now on, if that changed.
    pub moved: Option<String>,
}

impl From<media::Downloaded> for File {
    fn from(file: media::Downloaded) -> Self {
        Self { data: file.bytes.into(), moved: file.moved }
    }
}

#[expect(clippy::cast_precision_loss, reason = "ids count calls of one client, which stay far below 2^53")]
fn id_to_js(id: u64) -> f64 {
    id as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, and callers check what matters"
)]
fn integer(number: f64) -> u64 {
    number as u64
}
