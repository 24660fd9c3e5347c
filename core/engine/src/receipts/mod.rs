//! Receipts: stanzas that say what became of messages, both ways.

mod mark_read;
pub(crate) mod receive;
pub(crate) mod stanza;
