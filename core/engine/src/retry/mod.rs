//! Retries: asking for a message again, and sending one again.
