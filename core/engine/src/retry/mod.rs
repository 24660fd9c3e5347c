//! Retries: asking for a message again, and sending one again.

pub(crate) mod incoming;
mod limits;
pub(crate) mod outgoing;
pub(crate) mod phone;
pub(crate) mod stanza;

pub(crate) use limits::Limits;
