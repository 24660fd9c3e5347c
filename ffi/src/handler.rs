//! Functions that C gives us to call.
//!
//! A function that takes a handler keeps it, also when it fails: `release` runs exactly once,
//! after the last call.

use std::ffi::c_void;

use safer_ffi::prelude::*;

use crate::bytes::whimbrel_str;
use crate::call::whimbrel_reply;
use crate::event::whimbrel_event;

/// Takes events. Called on the thread `whimbrel-events` of the engine, never twice at the same
/// time for one engine. Any call that does not block is allowed in it.
#[derive_ReprC]
#[repr(C)]
#[derive(Clone, Copy)]
pub struct whimbrel_event_handler {
    /// Passed to both functions; may be null.
    pub user_data: *mut c_void,
    /// Gets a batch of at least one event, in order; they are lent until it returns, which
    /// acknowledges them unless the client was opened with `manual_acknowledge`.
    pub function: Option<
        unsafe extern "C" fn(user_data: *mut c_void, events: *const *const whimbrel_event, count: usize),
    >,
    /// Runs once, after the last call; may be null.
    pub release: Option<unsafe extern "C" fn(user_data: *mut c_void)>,
}

/// Takes the reply of a call, exactly once if the function that began the call succeeded, and
/// never otherwise. It may be called before that function returns. Called on the thread
/// `whimbrel-events` of the engine.
#[derive_ReprC]
#[repr(C)]
#[derive(Clone, Copy)]
pub struct whimbrel_reply_handler {
    /// Passed to both functions; may be null.
    pub user_data: *mut c_void,
    /// Gets the reply, which is lent until it returns. Null: the reply does not matter.
    pub function: Option<unsafe extern "C" fn(user_data: *mut c_void, reply: *const whimbrel_reply)>,
    /// Runs once, after the call; may be null.
    pub release: Option<unsafe extern "C" fn(user_data: *mut c_void)>,
}

/// Takes the log of all engines. Called on any thread, several at the same time; must not call
/// back into the library.
#[derive_ReprC]
#[repr(C)]
#[derive(Clone, Copy)]
pub struct whimbrel_log_handler {
    /// Passed to both functions; may be null.
    pub user_data: *mut c_void,
    /// Gets one record: a number of `whimbrel_level`, the part of the engine, and the text.
    pub function: Option<
        unsafe extern "C" fn(user_data: *mut c_void, level: u32, target: whimbrel_str, message: whimbrel_str),
    >,
    /// Runs once, after the last call; may be null.
    pub release: Option<unsafe extern "C" fn(user_data: *mut c_void)>,
}

/// What the host passes along, and the duty to release it once.
struct UserData {
    pointer: *mut c_void,
    release: Option<unsafe extern "C" fn(*mut c_void)>,
}

// SAFETY: the header says on which threads the functions are called, so the host gives user data
// that may be used there.
unsafe impl Send for UserData {}
// SAFETY: as above; only the log handler is called on several threads at the same time, and the
// header says so.
unsafe impl Sync for UserData {}

impl Drop for UserData {
    fn drop(&mut self) {
        if let Some(release) = self.release.take() {
            // SAFETY: the host gave this function for this user data, and it runs once: it has
            // just been taken.
            unsafe { release(self.pointer) };
        }
    }
}

/// An event handler that was taken.
pub(crate) struct EventHandler {
    user_data: UserData,
    function: Option<unsafe extern "C" fn(*mut c_void, *const *const whimbrel_event, usize)>,
}

impl EventHandler {
    pub(crate) fn take(handler: whimbrel_event_handler) -> Self {
        let user_data = UserData { pointer: handler.user_data, release: handler.release };
        Self { user_data, function: handler.function }
    }

    pub(crate) fn is_null(&self) -> bool {
        self.function.is_none()
    }

    /// The queue behind the handler, if it is a queue's.
    pub(crate) fn user_data_of(
        &self,
        function: unsafe extern "C" fn(*mut c_void, *const *const whimbrel_event, usize),
    ) -> Option<*mut c_void> {
        let same = self.function.is_some_and(|own| std::ptr::fn_addr_eq(own, function));
        same.then_some(self.user_data.pointer)
    }

    pub(crate) fn call(&self, events: &[whimbrel_event]) {
        let events: Vec<*const whimbrel_event> = events.iter().map(std::ptr::from_ref).collect();
        if let Some(function) = self.function {
            // SAFETY: the host gave this function for this user data; the events live until it
            // returns.
            unsafe { function(self.user_data.pointer, events.as_ptr(), events.len()) };
        }
    }
}

/// A reply handler that was taken.
pub(crate) struct ReplyHandler {
    user_data: UserData,
    function: Option<unsafe extern "C" fn(*mut c_void, *const whimbrel_reply)>,
}

impl ReplyHandler {
    pub(crate) fn take(handler: whimbrel_reply_handler) -> Self {
        let user_data = UserData { pointer: handler.user_data, release: handler.release };
        Self { user_data, function: handler.function }
    }

    /// Calls, then releases.
    pub(crate) fn call(self, reply: &whimbrel_reply) {
        if let Some(function) = self.function {
            // SAFETY: the host gave this function for this user data; the reply lives until it
            // returns.
            unsafe { function(self.user_data.pointer, std::ptr::from_ref(reply)) };
        }
    }
}

/// A log handler that was taken.
pub(crate) struct LogHandler {
    user_data: UserData,
    function: unsafe extern "C" fn(*mut c_void, u32, whimbrel_str, whimbrel_str),
}

impl LogHandler {
    /// Takes a handler; one without a function is released at once.
    pub(crate) fn take(handler: whimbrel_log_handler) -> Option<Self> {
        let user_data = UserData { pointer: handler.user_data, release: handler.release };
        handler.function.map(|function| Self { user_data, function })
    }

    pub(crate) fn call(&self, level: u32, target: &str, message: &str) {
        // SAFETY: the host gave this function for this user data; the texts live until it returns.
        unsafe {
            (self.function)(
                self.user_data.pointer,
                level,
                whimbrel_str::of(target),
                whimbrel_str::of(message),
            )
        };
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    unsafe extern "C" fn count(user_data: *mut c_void) {
        // SAFETY: the tests pass a counter.
        unsafe { &*user_data.cast::<AtomicUsize>() }.fetch_add(1, Ordering::Relaxed);
    }

    #[test]
    fn release_runs_once_also_without_a_call() {
        let released = AtomicUsize::new(0);
        let user_data = std::ptr::from_ref(&released).cast_mut().cast::<c_void>();
        drop(EventHandler::take(whimbrel_event_handler { user_data, function: None, release: Some(count) }));
        assert_eq!(released.load(Ordering::Relaxed), 1);
        drop(ReplyHandler::take(whimbrel_reply_handler { user_data, function: None, release: Some(count) }));
        assert_eq!(released.load(Ordering::Relaxed), 2);
        assert!(
            LogHandler::take(whimbrel_log_handler { user_data, function: None, release: Some(count) })
                .is_none()
        );
        assert_eq!(released.load(Ordering::Relaxed), 3);
        drop(EventHandler::take(whimbrel_event_handler { user_data, function: None, release: None }));
        assert_eq!(released.load(Ordering::Relaxed), 3);
    }
}
