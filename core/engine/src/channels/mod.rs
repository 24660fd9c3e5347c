//! Channels (newsletters): posts that everybody may read, the service too (messages document §14,
//! features document §4.4).

pub(crate) mod send;
mod stanza;
