//! Whom this account does not want to hear of (features document §8.3). The list is asked for once and kept;
//! the service says when another device changes it, and by hashes whether both mean the same list.

mod change;
mod kept;
pub(crate) mod notify;
mod stanza;

pub use notify::BlockedChanged;

pub(crate) use kept::{fetch, is_due};
