//! The C interface of the whimbrel engine. `include/whimbrel.h` is generated from this crate, in
//! the order of the modules below, and a test keeps the two equal.
//!
//! Every item has the name that C sees. Every entry point goes through [`guard`]: a panic never
//! crosses the boundary, and a handle from before a fork is refused. Unsafe code reads what C
//! passes ([`bytes`], [`sized`]) and calls what C gave ([`handler`]); nothing else needs it.
#![expect(non_camel_case_types, reason = "the items have the names that C sees")]
#![expect(clippy::mem_forget, reason = "safer-ffi's guard against unwinding forgets itself when all is well")]
#![expect(clippy::not_unsafe_ptr_arg_deref, reason = "the callers are C; the header states the contract")]

pub mod version;

pub mod bytes;
pub mod code;
pub mod error;
pub mod kind;

pub mod handler;
pub mod options;
pub mod views;

pub mod engine;

pub mod client;

pub mod call;

pub mod event;

pub mod queue;

pub mod log;
pub mod qr;

mod fork;
mod guard;
mod host;
mod outstanding;
mod pump;
mod sized;
mod thread;
