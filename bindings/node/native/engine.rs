//! Engines: made and closed on Node's thread, running on their own.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use napi::Env;
use napi::bindgen_prelude::{Function, Object, Unknown};
use napi_derive::napi;
use tokio::runtime::Handle;
use whimbrel::{Code, Error};

use crate::client::{Bell, Client};
use crate::error::{duration, to_js};
use crate::options;
use crate::promise::Promise;

/// Deadline of closing, unless the caller gives one.
pub(crate) const CLOSE: Duration = Duration::from_secs(5);

thread_local! {
    /// The engines of the environment that runs on this thread.
    static ENGINES: RefCell<Vec<Weak<Shared>>> = const { RefCell::new(Vec::new()) };
}

/// Ends all engines of the calling environment.
pub(crate) fn end_all() {
    let engines: Vec<_> = ENGINES.with_borrow(|engines| engines.iter().filter_map(Weak::upgrade).collect());
    for engine in engines {
        engine.end();
    }
}

/// What the JavaScript object, its clients and the end of the environment share.
pub(crate) struct Shared {
    /// `None` only while it is dropped.
    engine: Option<whimbrel::Engine>,
    closed: AtomicBool,
    /// Held by the one that closes; others wait for it.
    closing: Mutex<()>,
}

impl Shared {
    /// The engine, unless it is closed.
    fn get(&self) -> napi::Result<&whimbrel::Engine> {
        let open = self.engine.as_ref().filter(|_| !self.closed.load(Ordering::Acquire));
        open.ok_or_else(|| to_js(&Error::new(Code::Closed, "the engine is closed")))
    }

    /// Where calls run.
    pub(crate) fn runtime(&self) -> napi::Result<Handle> {
        self.get().map(|engine| engine.handle().clone())
    }

    /// Ends all clients and threads. Returns when they have ended.
    fn close(&self, timeout: Duration) -> Result<(), Error> {
        self.closed.store(true, Ordering::Release);
        let _closing = self.closing.lock().unwrap_or_else(PoisonError::into_inner);
        self.engine.as_ref().map_or(Ok(()), |engine| engine.close_blocking(timeout))
    }

    /// The environment ends: nothing of this engine may run after this, and no promise is left to settle.
    fn end(&self) {
        // There is nobody to tell about clients that did not close in time; their stores are whole.
        let _ = self.close(CLOSE);
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // Closing takes time, which the garbage collector's thread must not spend.
        if let Some(engine) = self.engine.take().filter(|_| !self.closed.load(Ordering::Acquire)) {
            let spawned =
                thread::Builder::new().name(String::from("whimbrel-close")).spawn(move || drop(engine));
            // Without a thread the closure, and with it the engine, was dropped here after all.
            let _ = spawned;
        }
    }
}

/// Threads and limits for any number of clients.
#[napi]
pub struct Engine {
    shared: Arc<Shared>,
}

#[napi]
impl Engine {
    /// Starts an engine with options in JSON.
    #[napi(constructor, catch_unwind)]
    pub fn new(env: &Env, options: String) -> napi::Result<Self> {
        let options = options::engine(&options).map_err(|error| to_js(&error))?;
        let engine = whimbrel::Engine::new(options).map_err(|error| to_js(&error))?;
        let shared = Arc::new(Shared {
            engine: Some(engine),
            closed: AtomicBool::new(false),
            closing: Mutex::new(()),
        });
        let weak = Arc::downgrade(&shared);
        ENGINES.with_borrow_mut(|engines| {
            engines.retain(|engine| engine.strong_count() > 0);
            engines.push(Weak::clone(&weak));
        });
        env.add_env_cleanup_hook(weak, |weak| {
            if let Some(shared) = weak.upgrade() {
                shared.end();
            }
        })?;
        Ok(Self { shared })
    }

    /// Opens a client; the promise yields it. `bell` is called when events can be drained.
    #[napi(catch_unwind)]
    pub fn open<'env>(
        &self,
        env: &'env Env,
        path: String,
        options: String,
        bell: Function<'_, (), Unknown<'static>>,
    ) -> napi::Result<Object<'env>> {
        let engine = self.shared.get()?.clone();
        let options = options::client(&options).map_err(|error| to_js(&error))?;
        let bell = Bell::new(&bell)?;
        let (promise, object) = Promise::new(env)?;
        let shared = Arc::clone(&self.shared);
        self.shared.runtime()?.spawn(async move {
            let manual = options.manual_acknowledge;
            let opened = engine.open_async(path, options).await;
            // Not the last handle: a thread of the engine must not have to wait for itself.
            drop(engine);
            promise.settle(opened.map(|client| Client::open(client, shared, bell, manual)));
        });
        Ok(object)
    }

    /// Makes a store of a link from elsewhere; request and report are JSON.
    #[napi(catch_unwind)]
    pub fn import_link<'env>(&self, env: &'env Env, request: String) -> napi::Result<Object<'env>> {
        let engine = self.shared.get()?.clone();
        let (promise, object) = Promise::new(env)?;
        self.shared.runtime()?.spawn(async move {
            promise.settle(whimbrel_api::import::import_async(engine, request).await);
        });
        Ok(object)
    }

    /// Closes all clients and ends the threads.
    #[napi(catch_unwind)]
    pub fn close<'env>(&self, env: &'env Env, timeout_ms: Option<f64>) -> napi::Result<Object<'env>> {
        let timeout = timeout_ms.map_or(Ok(CLOSE), duration)?;
        let (promise, object) = Promise::new(env)?;
        let shared = Arc::clone(&self.shared);
        thread::Builder::new()
            .name(String::from("whimbrel-close"))
            .spawn(move || promise.settle(shared.close(timeout)))
            .map_err(|error| {
                to_js(&Error::new(Code::Internal, "the system gave no thread").because(error))
            })?;
        Ok(object)
    }
}
