//! The event journal: facts wait here, durable, until the host has taken them.

mod account;
mod addons;
mod appstate;
mod blocklist;
mod business;
mod calls;
mod channels;
mod communities;
mod groups;
mod history;
mod messages;
mod people;
mod pictures;
mod privacy;
mod profile;
mod queue;
mod record;
mod stream;

pub(crate) use queue::{EventQueue, Limits};
pub(crate) use record::encode;
pub use stream::EventStream;
