#![forbid(unsafe_code)]
//! Reads a chunk of message history as it streams (media document §18–§20, §23).
//!
//! A chunk is a protobuf message of any size, compressed. [`Reader`] takes the compressed octets in
//! parts of any size and tells of what they hold record by record, so that memory does not grow with
//! the chunk: a chat with 100,000 messages comes message by message. [`Inflater`] and [`Walker`] are
//! its two halves.
//!
//! What is damaged within one chat or record costs only that; see [`Event::Damaged`]. Records are
//! counted, and a chunk that was read in part before a crash is read again with
//! [`Walker::skip_records`].

mod event;
mod inflate;
mod message;
mod reader;
mod walker;
mod wire;

pub use event::{Damage, Event};
pub use inflate::{InflateError, InflateLimits, Inflater};
pub use message::{MessageHead, RawMessage};
pub use reader::{Limits, ReadError, Reader};
pub use walker::{WalkError, WalkLimits, Walker};
