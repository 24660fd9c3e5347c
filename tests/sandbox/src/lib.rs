//! The service's side of the WhatsApp protocol for tests: a listener that unmodified clients
//! link with and log in to, the rules that the real service applies to their stanzas, faults on
//! demand, and simulated phones that companions are linked to.
//!
//! The service stores only what the real one could see: public keys, ciphertexts and queues.
//! Plaintext exists in the simulated phones alone.

mod attach;

pub use attach::{AttachError, PhoneKeys, PhoneLink};
