//! The private addon under the `whimbrel` package for Node.js.
//!
//! It knows engines, clients, calls by name and batches of events; everything that a program sees
//! is TypeScript on top of it. Requests, answers and errors cross as JSON text, raw messages as
//! buffers. Work runs on the engine's threads, never on Node's; promises are settled from there.

mod client;
mod engine;
mod error;
mod events;
mod options;
mod promise;

use napi_derive::napi;

/// The version of the package, which its TypeScript part must have, too.
#[napi(catch_unwind)]
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// Draws a QR text for a terminal.
#[napi(catch_unwind)]
pub fn draw_qr(text: String) -> napi::Result<String> {
    whimbrel_api::qr::draw(&text).map_err(|error| error::to_js(&error))
}

/// Ends all engines of this environment, and returns when they have ended. Node runs no cleanup
/// hooks at `process.exit()`, so the TypeScript part calls this from its `exit` event.
#[napi(catch_unwind)]
pub fn end() {
    engine::end_all();
}
