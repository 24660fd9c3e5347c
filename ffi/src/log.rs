//! The log of all engines of the process. The subscriber is installed on the engines' own threads
//! only, so that one of the host is never replaced.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use safer_ffi::prelude::*;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Dispatch, Event, Level, Metadata, Subscriber};
use whimbrel::{Code, Error};

use crate::error::whimbrel_error;
use crate::guard::entry;
use crate::handler::{LogHandler, whimbrel_log_handler};

static LEVEL: AtomicU32 = AtomicU32::new(0);
static HANDLER: RwLock<Option<Arc<LogHandler>>> = RwLock::new(None);

/// Sends the log of all engines to a handler, from a level (a number of `whimbrel_level`) upwards
/// in importance, in place of the handler before. A null function ends the log. Off at start.
/// What is logged at info and above has no message text, keys or full addresses in it.
#[ffi_export]
#[must_use]
pub extern "C" fn whimbrel_log_set(
    level: u32,
    handler: whimbrel_log_handler,
) -> Option<repr_c::Box<whimbrel_error>> {
    let handler = LogHandler::take(handler);
    entry(|| {
        if level > 5 {
            return Err(Error::new(Code::InvalidArgument, "there is no such level of the log"));
        }
        LEVEL.store(if handler.is_some() { level } else { 0 }, Ordering::Relaxed);
        let mut place = HANDLER.write().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *place, handler.map(Arc::new));
        drop(place);
        // Released outside the lock, here or on the thread that is just calling it.
        drop(before);
        tracing::callsite::rebuild_interest_cache();
        Ok(())
    })
}

/// Where an engine's threads log to; one for all of them, because it is never unregistered.
pub(crate) fn dispatch() -> Dispatch {
    static DISPATCH: OnceLock<Dispatch> = OnceLock::new();
    DISPATCH.get_or_init(|| Dispatch::new(ToHandler)).clone()
}

struct ToHandler;

impl Subscriber for ToHandler {
    // Asked again at every record: a call site may first be met on a thread of the host, whose
    // own subscriber says something else.
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(match LEVEL.load(Ordering::Relaxed) {
            0 => LevelFilter::OFF,
            1 => LevelFilter::ERROR,
            2 => LevelFilter::WARN,
            3 => LevelFilter::INFO,
            4 => LevelFilter::DEBUG,
            _ => LevelFilter::TRACE,
        })
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        number(*metadata.level()) <= LEVEL.load(Ordering::Relaxed)
    }

    fn event(&self, event: &Event<'_>) {
        let handler = HANDLER.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(handler) = handler {
            let mut line = Line::default();
            event.record(&mut line);
            let metadata = event.metadata();
            handler.call(number(*metadata.level()), metadata.target(), &line.text());
        }
    }

    // Spans are not told apart: the engine's lines say what they are about.
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

fn number(level: Level) -> u32 {
    match level {
        Level::ERROR => 1,
        Level::WARN => 2,
        Level::INFO => 3,
        Level::DEBUG => 4,
        Level::TRACE => 5,
    }
}

/// A record as one line: the message, then the fields.
#[derive(Default)]
struct Line {
    message: String,
    fields: String,
}

impl Line {
    fn text(mut self) -> String {
        self.message.push_str(&self.fields);
        self.message
    }
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        // Writing to a string does not fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::c_void;
    use std::sync::Mutex;

    use super::*;
    use crate::bytes::whimbrel_str;

    type Lines = Mutex<Vec<(u32, String)>>;

    unsafe extern "C" fn keep(user_data: *mut c_void, level: u32, _: whimbrel_str, message: whimbrel_str) {
        // SAFETY: the test passes its lines, and the text is lent for the call.
        let (lines, message) = unsafe { (&*user_data.cast::<Lines>(), message.read().unwrap()) };
        lines.lock().unwrap().push((level, message.to_owned()));
    }

    #[test]
    fn lines_arrive_from_their_level_upwards_until_it_is_ended() {
        let lines = Lines::default();
        let user_data = std::ptr::from_ref(&lines).cast_mut().cast::<c_void>();
        let handler = whimbrel_log_handler { user_data, function: Some(keep), release: None };
        let none = whimbrel_log_handler { user_data, function: None, release: None };
        tracing::dispatcher::with_default(&dispatch(), || {
            tracing::error!("before");
            assert!(whimbrel_log_set(2, handler).is_none());
            tracing::warn!(count = 3, "with a field");
            tracing::info!("too small");
            assert!(whimbrel_log_set(2, none).is_none());
            tracing::error!("after");
        });
        assert_eq!(*lines.lock().unwrap(), [(2, "with a field count=3".to_owned())]);
        assert!(whimbrel_log_set(6, none).is_some());
    }
}
