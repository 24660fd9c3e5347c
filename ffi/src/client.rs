//! Clients: opening, closing, acknowledging.

use std::sync::Arc;

use safer_ffi::prelude::*;
use whimbrel::Error;

use crate::bytes::put;
use crate::engine::whimbrel_engine;
use crate::error::whimbrel_error;
use crate::fork::Birth;
use crate::guard::{entry, null, shielded};
use crate::handler::{EventHandler, whimbrel_event_handler};
use crate::host::{CLOSE, ClientHost};
use crate::options::{duration, whimbrel_client_options};
use crate::sized;

/// One account on an engine, with its store.
#[derive_ReprC]
#[repr(opaque)]
pub struct whimbrel_client {
    birth: Birth,
    host: Arc<ClientHost>,
}

impl whimbrel_client {
    pub(crate) fn get(client: Option<&Self>) -> Result<&Arc<ClientHost>, Error> {
        let client = client.ok_or_else(|| null("the client is null"))?;
        client.birth.check()?;
        Ok(&client.host)
    }
}

/// Opens the client whose store is the file that the options name, making a new one if there is
/// none. The handler is taken whatever is returned; it may be called before this function
/// returns. Its last event is `WHIMBREL_KIND_CLOSED`, then it is released.
#[ffi_export]
#[must_use]
pub extern "C" fn whimbrel_client_open(
    engine: Option<&whimbrel_engine>,
    options: *const whimbrel_client_options,
    handler: whimbrel_event_handler,
    client: *mut Option<repr_c::Box<whimbrel_client>>,
) -> Option<repr_c::Box<whimbrel_error>> {
    let handler = EventHandler::take(handler);
    let mut opened = None;
    let error = entry(|| {
        let engine = whimbrel_engine::get(engine)?;
        if handler.is_null() {
            return Err(null("the function of the event handler is null"));
        }
        if client.is_null() {
            return Err(null("the place for the client is null"));
        }
        // SAFETY: the header asks for a struct whose first field is its size, and for readable
        // views in it.
        let (path, options) = unsafe { sized::read(options)?.read()? };
        let host = engine.open(path, options, handler)?;
        opened = Some(Box::new(whimbrel_client { birth: Birth::now(), host }).into());
        Ok(())
    });
    // SAFETY: the header asks for a writable place, or null.
    unsafe { put(client, opened) };
    error
}

/// Closes a client: refuses new calls, finishes the running ones, writes what is owed,
/// disconnects, and delivers the last event. Calls that still run at the deadline fail with
/// `CANCELLED`. Zero is five seconds. When it returns without an error no callback of this
/// client runs any more, its handlers are released, and its store can be opened again. Blocks:
/// not for callbacks of this engine.
#[ffi_export]
#[must_use]
pub extern "C" fn whimbrel_client_close(
    client: Option<&whimbrel_client>,
    timeout_ms: u32,
) -> Option<repr_c::Box<whimbrel_error>> {
    entry(|| whimbrel_client::get(client)?.close(duration(timeout_ms).unwrap_or(CLOSE)))
}

/// Acknowledges all journaled events up to a sequence number: they are not offered again. For
/// clients opened with `manual_acknowledge`.
#[ffi_export]
#[must_use]
pub extern "C" fn whimbrel_client_acknowledge(
    client: Option<&whimbrel_client>,
    sequence: u64,
) -> Option<repr_c::Box<whimbrel_error>> {
    entry(|| {
        let host = whimbrel_client::get(client)?;
        host.run(|| {
            host.client.acknowledge(sequence);
            Ok(())
        })
    })
}

/// Releases a client, closing it within five seconds if that was not done. In a callback of its
/// engine it closes after the callback returns. Null is allowed.
#[ffi_export]
pub extern "C" fn whimbrel_client_free(client: Option<repr_c::Box<whimbrel_client>>) {
    shielded((), || {
        let Some(client) = client else { return };
        let client: Box<whimbrel_client> = client.into();
        if client.birth.is_before_fork() {
            // Its threads are in the other process: nothing can be ended or given back here.
            let _ = Box::into_raw(client);
            return;
        }
        client.host.close_for_good();
    });
}
