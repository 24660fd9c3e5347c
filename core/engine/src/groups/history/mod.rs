//! What was written in a group before somebody joined, handed to them by a member (features document §2.10,
//! messages document §9.7): a file for the new members, and a notice to the group.

mod bundle;
pub(crate) mod send;
mod share;
mod take;

pub use share::SharedHistory;
pub use take::FetchedHistory;
