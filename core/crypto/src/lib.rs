#![forbid(unsafe_code)]
//! Cryptography of the WhatsApp protocol: curve keys and XEdDSA; a module for each other piece.
//!
//! Nothing here reads a clock, draws random numbers or does input and output: randomness and
//! time are parameters, so that everything is checked byte for byte against vectors.

pub mod adv;
pub mod aead;
pub mod curve;
pub mod digest;
pub mod kdf;
pub mod media;
pub mod message_id;
pub mod message_secret;
pub mod padding;
pub mod pairing_code;
pub mod passkey;
pub mod phash;
