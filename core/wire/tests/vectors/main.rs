//! The vector files, both ways.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a panic is the test's report")]

mod codec;
mod jid;
mod reading;
