//! The thread `whimbrel-events` of an engine, on which alone the host's code runs: callbacks
//! never overlap, and no lock of ours is held meanwhile.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread::{self, JoinHandle, ThreadId};

use whimbrel::{Code, Error};

enum Job {
    Run(Box<dyn FnOnce() + Send>),
    End,
}

/// The thread, as seen from others. What waits on it is bounded: one batch of events per client,
/// and one reply per call that the host began.
pub(crate) struct EventsThread {
    jobs: mpsc::Sender<Job>,
    id: ThreadId,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl EventsThread {
    pub(crate) fn start() -> Result<Self, Error> {
        let (jobs, waiting) = mpsc::channel();
        let thread =
            thread::Builder::new()
                .name("whimbrel-events".to_owned())
                .spawn(move || run(&waiting))
                .map_err(|error| Error::new(Code::Internal, "the system gave no thread").because(error))?;
        Ok(Self { jobs, id: thread.thread().id(), thread: Mutex::new(Some(thread)) })
    }

    /// Whether the caller is a callback of this engine.
    pub(crate) fn is_current(&self) -> bool {
        thread::current().id() == self.id
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
                send.send((number, thread::current().id())).unwrap();
                assert!(number != 50, "as a test");
            });
        }
        thread.end();
        thread.run(move || drop(send));
        thread.join();
        let ran: Vec<_> = received.iter().collect();
        assert!(ran.iter().map(|(number, _)| *number).eq(0..100));
        assert!(ran.iter().all(|(_, id)| *id == thread.id));
        assert!(thread.refuse_blocking().is_ok());
    }
}
