#![forbid(unsafe_code)]
//! What is inside a message, in both directions: received messages become types that can be matched
//! on without protobuf, and the same types become messages.
//!
//! - [`classify()`] says what a received message is: [content](kinds::Content) for people with its
//!   [context](context::Context), an [add-on](addons::Addon) to another message, or a
//!   [control message](protocol::Protocol). [`unwrap`](mod@unwrap) takes off what is around it.
//! - [`compose`] makes everything that a companion may send, and refuses what would not be shown.
//! - [`stanza`] says what the stanza around a message must say.
//! - [`key`] names messages from both points of view, and says who may do what to them.
//!
//! Nothing here reads a clock, draws random numbers or does input and output: time and randomness are
//! parameters. Nothing decides about chats, stores or devices either.

pub mod addons;
pub mod classify;
pub mod compose;
pub mod context;
pub mod key;
pub mod kinds;
pub mod names;
pub mod protocol;
pub mod reference;
mod secret;
pub mod stanza;
pub mod unwrap;

pub use classify::{classify, reread};
pub use kinds::Content;
pub use reference::{MediaKind, MediaReference};
pub use secret::{Code, Secret};
