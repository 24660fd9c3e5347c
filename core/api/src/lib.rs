#![forbid(unsafe_code)]
//! The table of operations, events and error codes from which every binding is derived.
//!
//! An operation is one request struct and one `impl Operation`; a binding calls it by name with
//! JSON, or finds its typed method generated from the description ([`describe`]). Bytes never
//! travel in JSON: an event or reply that has bytes says how many, and a native call fetches
//! them.

pub mod calls;
pub mod codes;
pub mod content;
pub mod describe;
pub mod error;
pub mod events;
pub mod import;
pub mod media;
pub mod operations;
pub mod qr;
