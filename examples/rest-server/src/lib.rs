#![forbid(unsafe_code)]
//! A REST server on the whimbrel engine.
//!
//! One process serves many accounts in several dialects at once: a native one, and those of APIs that people
//! have clients for already. A dialect is an adapter under [`dialects`]; what has behaviour lies below, once:
//!
//! ```text
//! web        requests: routes, bodies, keys, limits, repetitions      delivery   webhooks
//! dialects   adapters: request -> command -> answer, event -> event
//! commands   what can be done with an account      events   the log that feeds and webhooks follow
//! hosting    accounts on the engine, their links, what waits to be sent
//! access     keys, tenants, scopes        store   the server's file
//! ```

mod access;
mod commands;
mod config;
mod delivery;
mod dialects;
mod events;
mod failure;
mod fetching;
mod hosting;
mod metrics;
#[cfg(feature = "sandbox")]
pub mod sandbox;
mod server;
mod store;
mod upkeep;
mod web;

pub use config::{Flags, Settings, SettingsError};
pub use server::{RestServer, StartError};
