//! What has to end before the interpreter does, and what a fork leaves behind.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use pyo3::prelude::*;
use whimbrel::{Code, Engine, Error};

use crate::mailbox::Mailbox;

/// What closing may take when nobody gave a time.
pub(crate) const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// What ending the threads may take after that.
const LAST: Duration = Duration::from_secs(1);

/// How often this process has forked, counted in the children.
static FORKS: AtomicUsize = AtomicUsize::new(0);

/// Which process made a handle. Those from before a fork are dead in the child: their threads
/// exist only in the parent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Process(usize);

impl Process {
    pub(crate) fn current() -> Self {
        Self(FORKS.load(Ordering::Relaxed))
    }

    pub(crate) fn is_current(self) -> bool {
        self == Self::current()
    }

    /// # Errors
    /// [`Code::Forked`] in a child of the process that made the handle.
    pub(crate) fn check(self) -> Result<(), Error> {
        if self.is_current() {
            return Ok(());
        }
        Err(Error::new(Code::Forked, "the handle was made before the process forked"))
    }
}

/// Counts a fork; the package registers it to run in the child.
#[pyfunction]
pub(crate) fn forked() {
    FORKS.fetch_add(1, Ordering::Relaxed);
}

/// What is alive in this process.
struct Live {
    last_id: u64,
    engines: BTreeMap<u64, Engine>,
    mailboxes: Vec<(Arc<Mailbox>, JoinHandle<()>)>,
    /// One for each engine that is being closed; disconnected when that is done.
    closing: Vec<Receiver<()>>,
}

impl Live {
    const fn new() -> Self {
        Self { last_id: 0, engines: BTreeMap::new(), mailboxes: Vec::new(), closing: Vec::new() }
    }
}

/// Nested forks that have a list of their own.
const GENERATIONS: usize = 16;

/// One list per generation of forks: the lock of the parent's may be held, for ever, in a child.
static LIVE: [Mutex<Live>; GENERATIONS] = [const { Mutex::new(Live::new()) }; GENERATIONS];

fn live() -> Option<MutexGuard<'static, Live>> {
    let Process(forks) = Process::current();
    Some(LIVE.get(forks % GENERATIONS)?.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Remembers an engine, to close it at exit.
pub(crate) fn add_engine(engine: &Engine) -> u64 {
    let Some(mut live) = live() else { return 0 };
    live.last_id = live.last_id.wrapping_add(1);
    let id = live.last_id;
    live.engines.insert(id, engine.clone());
    id
}

/// Forgets an engine that is being closed.
pub(crate) fn remove_engine(id: u64) {
    // The engine is dropped outside the lock.
    let _engine = live().and_then(|mut live| live.engines.remove(&id));
}

/// Remembers a mailbox and its thread, which must be gone before the interpreter is.
pub(crate) fn add_mailbox(mailbox: &Arc<Mailbox>, thread: JoinHandle<()>) {
    let Some(mut live) = live() else { return };
    live.mailboxes.retain(|(_, thread)| !thread.is_finished());
    live.mailboxes.push((Arc::clone(mailbox), thread));
}

/// Closes an engine on a thread of its own; `done` gets the result.
pub(crate) fn close_engine(
    engine: Engine,
    timeout: Duration,
    done: impl FnOnce(Result<(), Error>) + Send + 'static,
) -> Result<(), Error> {
    let (running, ended) = channel::<()>();
    let close = move || {
        done(engine.close_blocking(timeout));
        drop(running);
    };
    std::thread::Builder::new()
        .name("whimbrel-close".to_owned())
        .spawn(close)
        .map_err(|error| Error::new(Code::Internal, "the system gave no thread").because(error))?;
    if let Some(mut live) = live() {
        live.closing.retain(|ended| ended.try_recv() != Err(TryRecvError::Disconnected));
        live.closing.push(ended);
    }
    Ok(())
}

/// Closes everything that is open and joins the threads that could enter the interpreter; the
/// package registers it with `atexit`.
#[pyfunction]
pub(crate) fn shutdown(py: Python<'_>) {
    py.detach(|| {
        let (mailboxes, engines) = match live() {
            Some(mut live) => (std::mem::take(&mut live.mailboxes), std::mem::take(&mut live.engines)),
            None => return,
        };
        for (mailbox, _) in &mailboxes {
            mailbox.close();
        }
        for (_, thread) in mailboxes {
            // A panic in it is nothing that the exit could mend.
            let _ = thread.join();
        }
        for engine in engines.into_values() {
            // Without a thread the drop of the engine closes it.
            let _ = close_engine(engine, CLOSE_TIMEOUT, drop);
        }
        // These threads never enter the interpreter, so one that is late cannot hurt the exit.
        let deadline = Instant::now() + CLOSE_TIMEOUT + LAST;
        let closing = live().map(|mut live| std::mem::take(&mut live.closing)).unwrap_or_default();
        for ended in closing {
            let _ = ended.recv_timeout(deadline.saturating_duration_since(Instant::now()));
        }
    });
}
