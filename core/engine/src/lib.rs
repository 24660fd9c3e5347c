#![forbid(unsafe_code)]
//! An embeddable WhatsApp engine: links to a phone as a companion device, speaks the
//! multi-device protocol itself, and hands messages and events to the program that embeds it.
//!
//! An [`Engine`] owns threads and limits; a [`Client`] is one linked account on an engine, kept
//! in one store file. Facts arrive as [`Event`]s, at least once and in order, and are offered
//! again after a crash until the program has taken them.

mod address;
mod client;
mod clock;
mod connection;
mod devices;
mod engine;
mod error;
pub mod events;
mod journal;
mod link;
mod messages;
mod options;
mod prekeys;
mod random;
mod receipts;
mod repair;
mod retry;
mod store;

pub use address::parse_address;
pub use client::{AccountInfo, Client};
pub use engine::Engine;
pub use error::{Category, Code, Error, Outcome};
pub use events::{Event, EventStream, Identity};
pub use link::{PairingCode, QrCode};
pub use messages::{MessageKey, SentMessage};
pub use options::{CallOptions, ClientOptions, Endpoint, EngineOptions, SendOptions};
pub use whimbrel_wire::jid::Jid;
