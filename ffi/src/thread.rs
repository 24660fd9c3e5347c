//! The thread `whimbrel-events` of an engine, on which alone the host's code runs: callbacks
//! never overlap, and no lock of ours is held meanwhile.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread::{self, JoinHandle};

use whimbrel::{Code, Error};

static STARTED: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// Number of the engine whose callbacks this thread runs; 0 on all other threads.
    static CURRENT: Cell<u64> = const { Cell::new(0) };
}

enum Job {
    Run(Box<dyn FnOnce() + Send>),
    End,
}

/// The thread, as seen from others. What waits on it is bounded: one batch of events per client,
/// and one reply per call that the host began.
pub(crate) struct EventsThread {
    jobs: mpsc::Sender<Job>,
    number: u64,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl EventsThread {
    pub(crate) fn start() -> Result<Self, Error> {
        let (jobs, waiting) = mpsc::channel();
        let number = STARTED.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        let thread = thread::Builder::new()
            .name("whimbrel-events".to_owned())
            .spawn(move || {
                CURRENT.set(number);
                run(&waiting);
            })
            .map_err(|error| Error::new(Code::Internal, "the system gave no thread").because(error))?;
        Ok(Self { jobs, number, thread: Mutex::new(Some(thread)) })
    }

    /// Whether the caller is a callback of this engine.
    pub(crate) fn is_current(&self) -> bool {
        CURRENT.get() == self.number
    }

    /// Refuses what would wait for the thread that it is called on.
    ///
    /// # Errors
    /// [`Code::WouldDeadlock`].
    pub(crate) fn refuse_blocking(&self) -> Result<(), Error> {
        if self.is_current() {
            return Err(Error::new(
                Code::WouldDeadlock,
                "a blocking call was made from a callback of its engine",
            ));
        }
        Ok(())
    }

    /// Runs a job after those before it. When the thread has ended the job is dropped.
    pub(crate) fn run(&self, job: impl FnOnce() + Send + 'static) {
        // Dropping the job releases what it holds, which is all that can be done then.
        let _ = self.jobs.send(Job::Run(Box::new(job)));
    }

    /// Ends the thread after the jobs that wait. Does not wait.
    pub(crate) fn end(&self) {
        // An error means that it has ended.
        let _ = self.jobs.send(Job::End);
    }

    /// Waits for the end, unless called on the thread itself.
    pub(crate) fn join(&self) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread.filter(|_| !self.is_current()) {
            // Its panics were caught job by job.
            let _ = thread.join();
        }
    }
}

/// Whether the caller is a callback of any engine.
pub(crate) fn is_callback() -> bool {
    CURRENT.get() != 0
}

fn run(jobs: &mpsc::Receiver<Job>) {
    while let Ok(Job::Run(job)) = jobs.recv() {
        if catch_unwind(AssertUnwindSafe(job)).is_err() {
            tracing::error!("A callback panicked.");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_run_in_order_on_one_thread_and_outlive_a_panic() {
        let thread = EventsThread::start().unwrap();
        let (send, received) = mpsc::channel();
        for number in 0..100 {
            let send = send.clone();
            thread.run(move || {
                send.send((number, CURRENT.get())).unwrap();
                assert!(number != 50, "as a test");
            });
        }
        thread.end();
        thread.run(move || drop(send));
        thread.join();
        let ran: Vec<_> = received.iter().collect();
        assert!(ran.iter().map(|(number, _)| *number).eq(0..100));
        assert!(ran.iter().all(|(_, current)| *current == thread.number));
        assert!(thread.refuse_blocking().is_ok() && !is_callback());
    }
}
