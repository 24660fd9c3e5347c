#![forbid(unsafe_code)]
//! The protobuf messages of the WhatsApp protocol.
//!
//! The types are generated, one module per topic, from the schema in `data/schema.json` by
//! `cargo xtask proto`; the same facts stand readable in `proto/*.proto`. What to know about them:
//!
//! - Every field is optional, also those that are required upstream: older peers omit some.
//! - Enums are kept as numbers, so that a value from a newer peer survives. The getter of an enum
//!   field falls back to the enum's first value; use `try_from` where absence matters, above all
//!   for the enums that have no zero.
//! - Fields that are not in the schema are dropped. Bytes that somebody signed (the `details` of the
//!   `adv` and certificate types) are therefore fields of type `bytes`, to be verified before they
//!   are decoded and never to be encoded again.
//! - `Debug` shows shape, not content.
//!
//! Bytes from a peer go through [`decode`], which bounds the depth.

mod debug;
pub mod descriptor;
#[expect(missing_docs, reason = "the names are the protocol's, and that is all that is known of most")]
mod generated;
mod wire;

pub use descriptor::Described;
pub use generated::{
    adv, ai, client, common, companion, e2e, fingerprint, group_history, handshake, history, lid, media,
    quick_promotion, reporting, signal, sync_action, syncd, vname, web,
};
pub use prost;
pub use prost::Message as ProtoMessage;

/// How deep messages may nest (quotes nest at the sender's will).
pub const MAX_DEPTH: usize = 64;

/// Why bytes are not the expected message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Messages are nested deeper than [`MAX_DEPTH`].
    #[error("messages nest deeper than {MAX_DEPTH} levels")]
    TooDeep,
    /// The bytes are not valid protobuf, or a field has another type than the schema says.
    #[error("not a valid message: {0}")]
    Malformed(#[from] prost::DecodeError),
}

/// Decodes a message from a peer.
pub fn decode<M: Described + Default>(bytes: &[u8]) -> Result<M, DecodeError> {
    if !wire::within_depth(bytes, M::DESCRIPTOR, MAX_DEPTH) {
        return Err(DecodeError::TooDeep);
    }
    Ok(M::decode(bytes)?)
}

/// Encodes a message; the same as [`prost::Message::encode_to_vec`], for callers without the trait.
#[must_use]
pub fn encode<M: Described>(message: &M) -> Vec<u8> {
    message.encode_to_vec()
}
