//! Pull instead of push: a queue that is an event handler on one side, for hosts whose code must
//! not be called from foreign threads.
//!
//! It holds one batch. The client offers the next one when that is taken, which acknowledges it.

use std::ffi::c_void;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use safer_ffi::prelude::*;
use tokio::sync::{Notify, watch};
use whimbrel::{Code, Error};

use crate::bytes::put;
use crate::error::whimbrel_error;
use crate::event::whimbrel_event;
use crate::fork::Birth;
use crate::guard::{entry, null, shielded};
use crate::handler::{EventHandler, whimbrel_event_handler};
use crate::thread;

/// The host's end of a queue of events. One thread waits on it at a time.
#[derive_ReprC]
#[repr(opaque)]
pub struct whimbrel_queue {
    birth: Birth,
    shared: Arc<Shared>,
}

/// Events that were taken from a queue together.
#[derive_ReprC]
#[repr(opaque)]
pub struct whimbrel_batch {
    events: Vec<whimbrel_event>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    filled: Condvar,
    emptied: Condvar,
    emptied_async: Notify,
    bell: bell::Bell,
}

#[derive(Default)]
struct State {
    batch: Option<Vec<whimbrel_event>>,
    /// The client is closed: nothing follows.
    ended: bool,
    /// The host is gone: batches are not kept.
    abandoned: bool,
}

/// Makes a queue. `handler` gets its other end, for one client: pass it to
/// whimbrel_client_open(), which takes it; one that is not passed on has to be released by
/// calling its `release`.
#[ffi_export]
#[must_use]
pub extern "C" fn whimbrel_queue_new(
    handler: *mut whimbrel_event_handler,
    queue: *mut Option<repr_c::Box<whimbrel_queue>>,
) -> Option<repr_c::Box<whimbrel_error>> {
    let mut made = None;
    let error = entry(|| {
        if handler.is_null() || queue.is_null() {
            return Err(null("the place for the handler or for the queue is null"));
        }
        let shared = Arc::new(Shared::default());
        let user_data = Arc::into_raw(Arc::clone(&shared)).cast_mut().cast();
        // SAFETY: not null, and the header asks for a writable place.
        unsafe {
            handler.write(whimbrel_event_handler {
                user_data,
                function: Some(deliver),
                release: Some(release),
            })
        };
        made = Some(Box::new(whimbrel_queue { birth: Birth::now(), shared }).into());
        Ok(())
    });
    // SAFETY: the header asks for a writable place, or null.
    unsafe { put(queue, made) };
    error
}

/// Waits for events, at most so many milliseconds; zero only looks. The batch is null if there
/// were none in time. After the last event (`WHIMBREL_KIND_CLOSED`) the result is `CLOSED`.
/// Blocks unless the time is zero: not for callbacks.
#[ffi_export]
#[must_use]
pub extern "C" fn whimbrel_queue_wait(
    queue: Option<&whimbrel_queue>,
    timeout_ms: u32,
    batch: *mut Option<repr_c::Box<whimbrel_batch>>,
) -> Option<repr_c::Box<whimbrel_error>> {
    let mut taken = None;
    let error = entry(|| {
        let queue = queue.ok_or_else(|| null("the queue is null"))?;
        queue.birth.check()?;
        if batch.is_null() {
            return Err(null("the place for the batch is null"));
        }
        if timeout_ms > 0 && thread::is_callback() {
            return Err(Error::new(Code::WouldDeadlock, "a blocking call was made from a callback"));
        }
        let events = queue.shared.wait(Duration::from_millis(u64::from(timeout_ms)))?;
        taken = events.map(|events| Box::new(whimbrel_batch { events }).into());
        Ok(())
    });
    // SAFETY: the header asks for a writable place, or null.
    unsafe { put(batch, taken) };
    error
}

/// Returns a file descriptor that is readable whenever whimbrel_queue_wait() would not wait, for
/// poll() and its kin; -1 where there is none (Windows). It belongs to the queue: do not read
/// from it and do not close it.
#[ffi_export]
pub extern "C" fn whimbrel_queue_fd(queue: Option<&whimbrel_queue>) -> i32 {
    shielded(-1, || {
        let usable = queue.filter(|queue| !queue.birth.is_before_fork());
        usable.map_or(-1, |queue| {
            let state = queue.shared.lock();
            queue.shared.bell.descriptor(state.batch.is_some() || state.ended)
        })
    })
}

/// Releases a queue. Events that its client offers afterwards are taken and dropped, so close the
/// client first. Null is allowed.
#[ffi_export]
pub extern "C" fn whimbrel_queue_free(queue: Option<repr_c::Box<whimbrel_queue>>) {
    shielded((), || {
        let Some(queue) = queue else { return };
        let queue: Box<whimbrel_queue> = queue.into();
        if queue.birth.is_before_fork() {
            let _ = Box::into_raw(queue);
            return;
        }
        queue.shared.abandon();
    });
}

/// Returns the number of events in a batch.
#[ffi_export]
pub extern "C" fn whimbrel_batch_count(batch: Option<&whimbrel_batch>) -> usize {
    batch.map_or(0, |batch| batch.events.len())
}

/// Returns an event of a batch, lent as long as the batch; null beyond its end.
#[ffi_export]
pub extern "C" fn whimbrel_batch_event(
    batch: Option<&whimbrel_batch>,
    index: usize,
) -> *const whimbrel_event {
    batch.and_then(|batch| batch.events.get(index)).map_or(std::ptr::null(), std::ptr::from_ref)
}

/// Releases a batch. Null is allowed.
#[ffi_export]
pub extern "C" fn whimbrel_batch_free(batch: Option<repr_c::Box<whimbrel_batch>>) {
    drop(batch);
}

/// The client's end of a queue, without the detour over the thread of callbacks, which it would
/// hold up until the host takes the batch.
pub(crate) struct Feed(Arc<Shared>);

impl Feed {
    /// The queue behind a handler, if it is a queue's.
    pub(crate) fn behind(handler: &EventHandler) -> Option<Self> {
        let shared = handler.user_data_of(deliver)?.cast_const().cast::<Shared>();
        // SAFETY: a handler with this function has a queue as its user data, whose count the
        // handler holds; the count is raised for the second owner.
        unsafe {
            Arc::increment_strong_count(shared);
            Some(Self(Arc::from_raw(shared)))
        }
    }

    /// Gives a batch and waits until the host has taken it. After the client's close there are
    /// few events left, which wait together until the host comes for them.
    pub(crate) async fn give(&self, events: Vec<whimbrel_event>, closed: &mut watch::Receiver<bool>) {
        self.0.offer(events);
        let taken = async {
            while self.0.lock().batch.is_some() {
                // One waits here at most, so a notification in between is kept for it.
                self.0.emptied_async.notified().await;
            }
        };
        tokio::select! {
            () = taken => {}
            // An error is the end of the client, too.
            _ = closed.wait_for(|closed| *closed) => {}
        }
    }
}

/// The function of the queue's handler, for hosts that call it through a handler of their own.
unsafe extern "C" fn deliver(user_data: *mut c_void, events: *const *const whimbrel_event, count: usize) {
    shielded((), || {
        // SAFETY: the user data is the queue that the handler was made with, which it holds.
        let shared = unsafe { &*user_data.cast::<Shared>() };
        // SAFETY: whoever calls a handler passes so many events.
        let events = unsafe { std::slice::from_raw_parts(events, count) };
        // SAFETY: as above; each lives until this returns.
        let events = events.iter().filter_map(|event| unsafe { event.as_ref() });
        shared.offer(events.map(whimbrel_event::keep).collect());
        let mut state = shared.lock();
        while state.batch.is_some() {
            state = shared.emptied.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    });
}

unsafe extern "C" fn release(user_data: *mut c_void) {
    shielded((), || {
        // SAFETY: the user data was made by `into_raw`, and a handler is released once.
        let shared = unsafe { Arc::from_raw(user_data.cast_const().cast::<Shared>()) };
        shared.end();
    });
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn offer(&self, events: Vec<whimbrel_event>) {
        let mut state = self.lock();
        if state.abandoned {
            return;
        }
        match &mut state.batch {
            Some(batch) => batch.extend(events),
            None => {
                state.batch = Some(events);
                self.bell.ring();
                self.filled.notify_all();
            }
        }
    }

    fn end(&self) {
        let mut state = self.lock();
        state.ended = true;
        self.bell.ring();
        self.filled.notify_all();
    }

    fn abandon(&self) {
        let mut state = self.lock();
        state.abandoned = true;
        state.batch = None;
        self.emptied.notify_all();
        self.emptied_async.notify_one();
    }

    fn wait(&self, timeout: Duration) -> Result<Option<Vec<whimbrel_event>>, Error> {
        let deadline = Instant::now() + timeout;
        let mut state = self.lock();
        loop {
            if let Some(batch) = state.batch.take() {
                if !state.ended {
                    self.bell.quiet();
                }
                self.emptied.notify_all();
                self.emptied_async.notify_one();
                return Ok(Some(batch));
            }
            if state.ended {
                return Err(Error::new(Code::Closed, "the client is closed"));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            state = self.filled.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// A pipe with one byte in it whenever there is something to take. Made when first asked for.
#[cfg(unix)]
mod bell {
    use std::io::{PipeReader, PipeWriter, Read as _, Write as _, pipe};
    use std::os::fd::AsRawFd as _;
    use std::sync::OnceLock;

    #[derive(Default)]
    pub(super) struct Bell(OnceLock<Option<(PipeReader, PipeWriter)>>);

    impl Bell {
        pub(super) fn descriptor(&self, ringing: bool) -> i32 {
            let mut made = false;
            let pipe = self.0.get_or_init(|| {
                made = true;
                pipe().ok()
            });
            if made && ringing {
                self.ring();
            }
            pipe.as_ref().map_or(-1, |(reader, _)| reader.as_raw_fd())
        }

        /// Called when it is quiet, under the queue's lock; the end rings without a batch being
        /// taken first, so that there are two bytes in it at most.
        pub(super) fn ring(&self) {
            if let Some(Some((_, writer))) = self.0.get() {
                let mut writer: &PipeWriter = writer;
                // A pipe with a byte of room takes it.
                let _ = writer.write(&[1]);
            }
        }

        /// Called when it is ringing, under the queue's lock.
        pub(super) fn quiet(&self) {
            if let Some(Some((reader, _))) = self.0.get() {
                let mut reader: &PipeReader = reader;
                let _ = reader.read(&mut [0]);
            }
        }
    }
}

#[cfg(not(unix))]
mod bell {
    #[derive(Default)]
    pub(super) struct Bell;

    impl Bell {
        pub(super) fn descriptor(&self, _: bool) -> i32 {
            -1
        }

        pub(super) fn ring(&self) {}

        pub(super) fn quiet(&self) {}
    }
}
