//! Receipts: stanzas that say what became of messages, both ways.
