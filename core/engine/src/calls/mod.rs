//! Calls as far as they are signalling (features document §12): who calls, how it ends, saying no, and links
//! to calls. There are no media here: a call is neither begun nor taken by this engine.

mod act;
mod events;
pub(crate) mod receive;
mod stanza;

pub use act::{CallLink, CallPreview, is_call_link};
pub use events::{CallEnded, CallOffered, CallProgress, CallStep};
