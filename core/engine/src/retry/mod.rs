//! Retries: asking for a message again, and sending one again.

pub(crate) mod incoming;
pub(crate) mod outgoing;
pub(crate) mod stanza;
