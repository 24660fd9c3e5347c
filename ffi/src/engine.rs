//! Engines.

use std::sync::Arc;

use safer_ffi::prelude::*;
use whimbrel::Error;

use crate::bytes::{put, whimbrel_buffer, whimbrel_str};
use crate::error::whimbrel_error;
use crate::fork::Birth;
use crate::guard::{entry, null, shielded};
use crate::host::{CLOSE, EngineHost};
use crate::options::{duration, whimbrel_engine_options};
use crate::{log, sized};

/// Threads and limits for any number of clients. All functions may be called from any thread at
/// the same time, except that a handle must not be freed while another thread uses it.
#[derive_ReprC]
#[repr(opaque)]
pub struct whimbrel_engine {
    birth: Birth,
    host: Arc<EngineHost>,
}

impl whimbrel_engine {
    pub(crate) fn get(engine: Option<&Self>) -> Result<&Arc<EngineHost>, Error> {
        let engine = engine.ok_or_else(|| null("the engine is null"))?;
        engine.birth.check()?;
        Ok(&engine.host)
    }
}

/// Starts an engine. Null options are all defaults.
#[ffi_export]
#[must_use]
pub extern "C" fn whimbrel_engine_new(
    options: *const whimbrel_engine_options,
    engine: *mut Option<repr_c::Box<whimbrel_engine>>,
) -> Option<repr_c::Box<whimbrel_error>> {
    let mut made = None;
    let error = entry(|| {
        // SAFETY: the header asks for a struct whose first field is its size, or null, and for
        // readable views in it.
        let mut options = unsafe { sized::read(options)?.read()? };
        options.log = Some(log::dispatch());
        let birth = Birth::now();
        if engine.is_null() {
            return Err(null("the place for the engine is null"));
        }
        made = Some(Box::new(whimbrel_engine { birth, host: Arc::new(EngineHost::start(options)?) }).into());
        Ok(())
    });
    // SAFETY: the header asks for a writable place, or null.
    unsafe { put(engine, made) };
    error
}

/// Makes a store of a link from elsewhere, and answers with a report in JSON; open the store
/// afterwards. What fails leaves nothing at its path. The request is one of
/// `{"from":"baileys","folder":…,"store":…}`,
/// `{"from":"whatsmeow","database":…,"account":…,"store":…}` and
/// `{"from":"export","file":…,"passphrase":…,"store":…}`. Whatever used the source before must
/// not use it again. Blocks while it reads the disk.
#[ffi_export]
#[must_use]
pub extern "C" fn whimbrel_engine_import(
    engine: Option<&whimbrel_engine>,
    request: whimbrel_str,
    report: *mut whimbrel_buffer,
) -> Option<repr_c::Box<whimbrel_error>> {
    let mut json = whimbrel_buffer::EMPTY;
    let error = entry(|| {
        let host = whimbrel_engine::get(engine)?;
        if report.is_null() {
            return Err(null("the place for the report is null"));
        }
        // SAFETY: the header asks for a readable view.
        let request = unsafe { request.read()? }.to_owned();
        json = whimbrel_buffer::new(whimbrel_api::import::import(&host.engine, request)?);
        Ok(())
    });
    // SAFETY: the header asks for a writable place, or null.
    unsafe { put(report, json) };
    error
}

/// Closes all clients of an engine as whimbrel_client_close() does, then ends its threads. Zero
/// is five seconds. Handles stay valid until freed; their calls fail with `CLOSED`. Blocks: not
/// for callbacks of this engine.
#[ffi_export]
#[must_use]
pub extern "C" fn whimbrel_engine_close(
    engine: Option<&whimbrel_engine>,
    timeout_ms: u32,
) -> Option<repr_c::Box<whimbrel_error>> {
    entry(|| whimbrel_engine::get(engine)?.close(duration(timeout_ms).unwrap_or(CLOSE)))
}

/// Releases an engine, closing it within five seconds if that was not done. In a callback of
/// this engine it closes after the callback returns. Its clients' handles may be freed before or
/// after. Null is allowed.
#[ffi_export]
pub extern "C" fn whimbrel_engine_free(engine: Option<repr_c::Box<whimbrel_engine>>) {
    shielded((), || {
        let Some(engine) = engine else { return };
        let engine: Box<whimbrel_engine> = engine.into();
        if engine.birth.is_before_fork() {
            // Its threads are in the other process: nothing can be ended or given back here.
            let _ = Box::into_raw(engine);
            return;
        }
        let host = Arc::clone(&engine.host);
        drop(engine);
        if host.thread.is_current() {
            let close = std::thread::Builder::new().name("whimbrel-close".to_owned());
            // Without a thread the engine stays, which is better than a wait that never ends.
            let _ = close.spawn(move || host.close(CLOSE));
        } else if let Err(error) = host.close(CLOSE) {
            tracing::warn!(%error, "An engine was freed before it had closed.");
        }
    });
}
