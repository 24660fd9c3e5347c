//! Sender keys: one encryption for a whole group.

mod own;
mod record;

pub use own::OwnSenderKey;
pub use record::{MAX_SENDER_KEY_STATES, SenderKeyParts, SenderKeyRecord};
