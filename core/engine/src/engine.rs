//! The engine: threads, limits and what all of its clients share.

use std::cell::Cell;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant, SystemTime};

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::watch;
use tracing::dispatcher::{self, DefaultGuard};
use whimbrel_crypto::curve::PublicKey;
use whimbrel_noise::NoiseRoot;

use crate::client::{Client, Inner};
use crate::connection::jump::{self, JumpDetector};
use crate::connection::slots::Slots;
use crate::connection::{Route, Target, tls};
use crate::error::{Code, Error};
use crate::options::{ClientOptions, EngineOptions};
use crate::store::{MemoryStore, SqliteStore, Store};
use crate::version::{ClientVersion, Versions};

/// How long a dropped engine or client may take to close.
pub(crate) const CLOSE_ON_DROP: Duration = Duration::from_secs(5);

/// Threads for disk and key derivation, for all clients of an engine together.
const MAX_BLOCKING_THREADS: usize = 16;

thread_local! {
    /// Keeps the subscriber of an engine's thread installed until the thread ends.
    static LOG: Cell<Option<DefaultGuard>> = const { Cell::new(None) };
}

/// Owns threads and limits for any number of [`Client`]s. Cloning gives another handle to the
/// same engine.
///
/// The threads end when [`close`](Self::close) was called, or when the last handle of the
/// engine and of its clients is gone; the latter is a close with a deadline of five seconds.
#[derive(Clone)]
pub struct Engine {
    threads: Arc<Threads>,
}

/// The runtime, owned by the handles of the engine and its clients and never by a task in it.
pub(crate) struct Threads {
    runtime: Mutex<Option<Runtime>>,
    pub(crate) shared: Arc<EngineShared>,
}

/// What the clients of an engine share.
pub(crate) struct EngineShared {
    pub(crate) handle: Handle,
    pub(crate) target: Target,
    pub(crate) tls: Arc<rustls::ClientConfig>,
    /// Whether this is the service itself.
    pub(crate) is_real: bool,
    pub(crate) noise_root: NoiseRoot,
    pub(crate) versions: Versions,
    pub(crate) keep_alive: Duration,
    /// Places for clients that are connecting.
    pub(crate) slots: Slots,
    /// Grows when connections should be looked at, though they are quiet, and when waiting for
    /// the next attempt to connect makes no sense any more.
    wakes: watch::Sender<u64>,
    insecure_seed: Option<u64>,
    opened: AtomicU64,
    closed: AtomicBool,
    clients: Mutex<Vec<Weak<Inner>>>,
}

impl Engine {
    /// Starts an engine.
    pub fn new(options: EngineOptions) -> Result<Self, Error> {
        let target = Target::parse(&options.endpoint.url)?;
        let tls = tls::config(options.endpoint.extra_ca_pem.as_deref())?;
        let versions = Versions::new(
            options.client_version,
            options.endpoint.version_url.as_deref(),
            options.endpoint.is_real(),
            options.find_version,
        )?;
        let workers = options.worker_threads.clamp(1, 64);
        let mut builder = Builder::new_multi_thread();
        builder
            .worker_threads(workers)
            .max_blocking_threads(MAX_BLOCKING_THREADS)
            .thread_name_fn(thread_names(workers))
            .enable_all();
        if let Some(log) = options.log {
            builder.on_thread_start(move || LOG.set(Some(dispatcher::set_default(&log))));
        }
        let runtime = builder
            .build()
            .map_err(|error| Error::new(Code::Internal, "the system gave no threads").because(error))?;
        let shared = Arc::new(EngineShared {
            handle: runtime.handle().clone(),
            target,
            tls,
            is_real: options.endpoint.is_real(),
            noise_root: options.endpoint.noise_root.map_or(NoiseRoot::PRODUCTION, noise_root),
            versions,
            keep_alive: options.keep_alive.max(Duration::from_millis(100)),
            slots: Slots::new(options.connect_limit),
            wakes: watch::Sender::new(0),
            insecure_seed: options.insecure_seed,
            opened: AtomicU64::new(0),
            closed: AtomicBool::new(false),
            clients: Mutex::new(Vec::new()),
        });
        runtime.spawn(notice_sleep(Arc::downgrade(&shared)));
        Ok(Self { threads: Arc::new(Threads { runtime: Mutex::new(Some(runtime)), shared }) })
    }

    /// Opens the client whose store is the file at `path`, making a new one if there is none.
    /// The path `:memory:` stands for a store that ends with the client.
    ///
    /// Reads the disk on the calling thread; async callers use [`open_async`](Self::open_async).
    pub fn open(&self, path: impl AsRef<Path>, options: ClientOptions) -> Result<Client, Error> {
        let shared = &self.threads.shared;
        shared.refuse_if_closed()?;
        let path = path.as_ref();
        let store: Arc<dyn Store> = if path == Path::new(":memory:") {
            Arc::new(MemoryStore::default())
        } else {
            Arc::new(SqliteStore::open(path, options.sync_to_disk)?)
        };
        self.open_store(store, options)
    }

    /// A handle to the engine of these threads.
    pub(crate) fn of(threads: &Arc<Threads>) -> Self {
        Self { threads: Arc::clone(threads) }
    }

    pub(crate) fn refuse_if_closed(&self) -> Result<(), Error> {
        self.threads.shared.refuse_if_closed()
    }

    /// Opens the client of a store.
    pub(crate) fn open_store(&self, store: Arc<dyn Store>, options: ClientOptions) -> Result<Client, Error> {
        let shared = &self.threads.shared;
        let number = shared.opened.fetch_add(1, Ordering::Relaxed);
        let rng = crate::random::generator(shared.insecure_seed, number)?;
        let client = Client::start(Arc::clone(&self.threads), store, options, rng)?;
        let mut clients = shared.clients();
        clients.retain(|client| client.strong_count() > 0);
        clients.push(client.downgrade());
        drop(clients);
        if shared.closed.load(Ordering::Acquire) {
            client.begin_close();
            return Err(closed());
        }
        Ok(client)
    }

    /// [`open`](Self::open) without holding up the calling thread.
    pub async fn open_async(&self, path: impl AsRef<Path>, options: ClientOptions) -> Result<Client, Error> {
        let (engine, path) = (self.clone(), path.as_ref().to_owned());
        match self.threads.shared.handle.spawn_blocking(move || engine.open(path, options)).await {
            Ok(result) => result,
            Err(error) if error.is_cancelled() => Err(closed()),
            Err(error) => Err(Error::new(Code::Internal, "opening the client panicked").because(error)),
        }
    }

    /// The version of the web client that the next connection of each client presents.
    pub fn client_version(&self) -> ClientVersion {
        self.threads.shared.versions.current()
    }

    /// Sets the version of the web client that the next connections present; `None` leaves the
    /// choice to the engine again. Clients that are connected stay so.
    pub fn set_client_version(&self, version: Option<[u32; 3]>) {
        self.threads.shared.versions.set(version);
    }

    /// Says that the machine was asleep or changed its network: connections are probed now, and
    /// clients that wait for their next attempt to connect make it now. The engine notices sleep
    /// by itself within seconds; a host that is told earlier need not wait for that.
    pub fn wake(&self) {
        self.threads.shared.wake();
    }

    /// The runtime of the engine, for hosts that want to run futures on its threads.
    pub fn handle(&self) -> &Handle {
        &self.threads.shared.handle
    }

    /// Closes all clients, each as [`Client::close`] does, then ends the threads. Called from a
    /// task of the engine's own runtime it leaves the threads to the last handle's drop.
    pub async fn close(&self, timeout: Duration) -> Result<(), Error> {
        let started = Instant::now();
        let shared = &self.threads.shared;
        let result = shared.close_clients(timeout).await;
        if shared.is_current() {
            return result;
        }
        let Some(runtime) = self.threads.take_runtime() else { return result };
        let left = timeout.saturating_sub(started.elapsed());
        let (done, ended) = tokio::sync::oneshot::channel();
        let thread = std::thread::Builder::new().name("whimbrel-close".to_owned());
        let spawned = thread.spawn(move || {
            runtime.shutdown_timeout(left);
            let _ = done.send(());
        });
        if spawned.is_ok() {
            // The sender is dropped, not lost, should the thread die.
            let _ = ended.await;
        }
        result
    }

    /// [`close`](Self::close) for callers without a runtime. From inside any async runtime it
    /// returns [`Code::WouldDeadlock`].
    pub fn close_blocking(&self, timeout: Duration) -> Result<(), Error> {
        if Handle::try_current().is_ok() {
            return Err(Error::new(Code::WouldDeadlock, "a blocking call was made from async code"));
        }
        let started = Instant::now();
        let shared = &self.threads.shared;
        let result = if self.threads.is_running() {
            shared.handle.block_on(shared.close_clients(timeout))
        } else {
            Ok(())
        };
        if let Some(runtime) = self.threads.take_runtime() {
            runtime.shutdown_timeout(timeout.saturating_sub(started.elapsed()));
        }
        result
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("clients", &self.threads.shared.clients().len())
            .finish_non_exhaustive()
    }
}

impl EngineShared {
    fn clients(&self) -> MutexGuard<'_, Vec<Weak<Inner>>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn wake(&self) {
        self.wakes.send_modify(|wakes| *wakes = wakes.wrapping_add(1));
    }

    pub(crate) fn watch_wakes(&self) -> watch::Receiver<u64> {
        self.wakes.subscribe()
    }

    /// How the connections of a client with these options get out.
    pub(crate) fn route(&self, options: &ClientOptions) -> Route {
        Route { tls: Arc::clone(&self.tls), proxy: options.proxy.clone() }
    }

    fn refuse_if_closed(&self) -> Result<(), Error> {
        if self.closed.load(Ordering::Acquire) { Err(closed()) } else { Ok(()) }
    }

    /// Whether the calling thread runs a task of this engine.
    fn is_current(&self) -> bool {
        Handle::try_current().is_ok_and(|current| current.id() == self.handle.id())
    }

    async fn close_clients(&self, timeout: Duration) -> Result<(), Error> {
        self.closed.store(true, Ordering::Release);
        let clients: Vec<_> = self.clients().drain(..).filter_map(|client| client.upgrade()).collect();
        let closings: Vec<_> = clients.into_iter().map(|client| client.spawn_close(timeout)).collect();
        let mut result = Ok(());
        for closing in closings {
            let one = closing
                .await
                .unwrap_or_else(|_| Err(Error::new(Code::Internal, "closing a client panicked")));
            result = result.and(one);
        }
        result
    }
}

/// Wakes the clients when the machine was asleep.
async fn notice_sleep(engine: Weak<EngineShared>) {
    let mut detector = JumpDetector::new(SystemTime::now(), Instant::now());
    loop {
        tokio::time::sleep(jump::LOOK).await;
        let Some(engine) = engine.upgrade() else { return };
        if detector.jumped(SystemTime::now(), Instant::now()) {
            tracing::info!("The machine was asleep, or its clock was set; looking at the connections.");
            engine.wake();
        }
    }
}

impl Threads {
    fn runtime(&self) -> MutexGuard<'_, Option<Runtime>> {
        self.runtime.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_runtime(&self) -> Option<Runtime> {
        self.runtime().take()
    }

    fn is_running(&self) -> bool {
        self.runtime().is_some()
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        let Some(runtime) = self.take_runtime() else { return };
        let shared = Arc::clone(&self.shared);
        let own_thread = shared.is_current();
        // A runtime can neither be waited for nor dropped on a thread that runs async code.
        let slot = Arc::new(Mutex::new(Some(runtime)));
        let taken = Arc::clone(&slot);
        let close = move || {
            let runtime = taken.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(runtime) = runtime {
                // Nobody is left to be told.
                let _ = runtime.block_on(shared.close_clients(CLOSE_ON_DROP));
                runtime.shutdown_timeout(Duration::from_secs(1));
            }
        };
        match std::thread::Builder::new().name("whimbrel-close".to_owned()).spawn(close) {
            Ok(thread) if !own_thread => {
                // It panics only if a task did, which the client has reported.
                let _ = thread.join();
            }
            Ok(_) => {}
            Err(error) => {
                tracing::error!(%error, "The engine could not be closed in order for want of a thread.");
                if let Some(runtime) = slot.lock().unwrap_or_else(PoisonError::into_inner).take() {
                    runtime.shutdown_background();
                }
            }
        }
    }
}

fn noise_root((key, serial): ([u8; 32], u32)) -> NoiseRoot {
    NoiseRoot { public_key: PublicKey::from_bytes(key), serial }
}

/// Tokio names both kinds of threads by one function; the workers are the first it makes.
fn thread_names(workers: usize) -> impl Fn() -> String + Send + Sync + 'static {
    let made = AtomicUsize::new(0);
    move || {
        let worker = made.fetch_add(1, Ordering::Relaxed) < workers;
        if worker { "whimbrel-io".to_owned() } else { "whimbrel-blocking".to_owned() }
    }
}

pub(crate) fn closed() -> Error {
    Error::new(Code::Closed, "the engine or client is closed")
}

#[cfg(test)]
mod tests {
    use whimbrel_crypto::curve::KeyPair;
    use whimbrel_wire::Jid;

    use super::*;
    use crate::error::Outcome;
    use crate::options::SendOptions;
    use crate::store::failing::FailingStore;
    use crate::store::{Changes, DeviceKeys};

    /// The store of a linked client.
    fn linked() -> Arc<FailingStore> {
        let mut rng = crate::random::generator(Some(1), 1).unwrap();
        let mut account = crate::link::new_account(DeviceKeys {
            noise: KeyPair::generate(&mut rng),
            identity: KeyPair::generate(&mut rng),
            registration_id: 1,
            adv_secret: [0; 32],
        });
        account.phone = Some(Jid::pn("15550001111").with_device(1));
        account.lid = Some(Jid::lid("1").with_device(1));
        let store = Arc::new(FailingStore::default());
        store.commit(&Changes { account: Some(account), ..Changes::default() }).unwrap();
        store
    }

    #[test]
    fn a_unit_of_work_that_nobody_waits_for_is_durable_before_the_next_one() {
        let engine = Engine::new(EngineOptions::default()).unwrap();
        let options = ClientOptions { auto_start: false, ..ClientOptions::default() };
        let client = engine.open_store(linked(), options).unwrap();
        let inner = client.inner();
        engine.handle().block_on(async {
            for device in 1..200 {
                let device = Jid::lid("7").with_device(device);
                let mut dropped = Box::pin(inner.unit(|unit| {
                    unit.changes.identities.insert(device.clone(), Some([7; 32]));
                    Ok(())
                }));
                // Once, so that the commit begins, and never again.
                let mut context = std::task::Context::from_waker(std::task::Waker::noop());
                let _ = dropped.as_mut().poll(&mut context);
                drop(dropped);
                let seen = inner.unit(|unit| unit.identity(&device)).await.unwrap();
                assert_eq!(seen, Some([7; 32]), "{device}");
            }
        });
        engine.close_blocking(Duration::from_secs(10)).unwrap();
    }

    #[test]
    fn a_client_without_a_connection_gets_over_a_store_that_failed_once() {
        let engine = Engine::new(EngineOptions::default()).unwrap();
        let store = linked();
        let options = ClientOptions { auto_start: false, ..ClientOptions::default() };
        let client = engine.open_store(Arc::clone(&store) as Arc<dyn Store>, options).unwrap();
        let send = |id: &str| {
            let options = SendOptions {
                message_id: Some(id.to_owned()),
                timeout: Some(Duration::from_millis(50)),
                ..SendOptions::default()
            };
            let sent = engine.handle().block_on(client.send_text(&Jid::lid("7"), "hi", options));
            let error = sent.unwrap_err();
            (error.code(), error.outcome())
        };
        store.fail_next(1);
        assert_eq!(send("A"), (Code::StoreFailed, Outcome::NotSent));
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let said = send("B");
            if said == (Code::TimedOut, Outcome::NotSent) {
                break;
            }
            assert!(Instant::now() < deadline, "the client does not recover: {said:?}");
        }
        assert!(store.outbox_pending().unwrap().is_empty(), "what was given up is not sent later");
        engine.close_blocking(Duration::from_secs(10)).unwrap();
    }
}
