//! Channels (newsletters): posts that everybody may read, the service too (messages document §14,
//! features document §4.4).

mod acts;
mod events;
pub(crate) mod receive;
pub(crate) mod send;
mod stanza;

pub use events::{ChannelCounts, ChannelPost, PostChange, PostCounts};
