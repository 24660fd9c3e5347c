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
//! - `Debug` shows shape, not content; see [`json`] for the content.
//!
//! Bytes from a peer go through [`decode`], which bounds the depth.

mod debug;
pub mod descriptor;
#[expect(missing_docs, reason = "the names are the protocol's, and that is all that is known of most")]
mod generated;
pub mod json;
pub mod mex;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::e2e::message::FutureProofMessage;
    use crate::e2e::{ContextInfo, Message};
    use crate::sync_action::SyncActionValue;

    fn nested(levels: usize) -> Vec<u8> {
        (0..levels).fold(Vec::new(), |inner, _| {
            let wrapper = encode(&FutureProofMessage { message: Some(Box::default()) });
            assert_eq!(wrapper, [0x0a, 0x00]);
            // Put together by hand: the types would recurse when they are dropped.
            let mut message = Vec::new();
            wire::put_bytes(&mut message, 1, &inner);
            let mut outer = Vec::new();
            wire::put_bytes(&mut outer, 40, &message);
            outer
        })
    }

    #[test]
    fn deep_nesting_is_refused_before_it_is_decoded() {
        assert!(decode::<Message>(&nested(32)).is_ok());
        assert_eq!(decode::<Message>(&nested(33)), Err(DecodeError::TooDeep));
        assert_eq!(decode::<Message>(&nested(20_000)), Err(DecodeError::TooDeep));
    }

    #[test]
    fn truncated_bytes_are_malformed() {
        assert!(matches!(decode::<Message>(&[0x0a, 0x05, b'h']), Err(DecodeError::Malformed(_))));
    }

    #[test]
    fn unknown_enum_numbers_survive() {
        let message = adv::AdvDeviceIdentity { device_type: Some(99), ..Default::default() };
        let back: adv::AdvDeviceIdentity = decode(&encode(&message)).unwrap();
        assert_eq!(back.device_type, Some(99));
    }

    #[test]
    fn often_used_types_stay_small() {
        // Every sub-message costs one pointer; moving a message copies this much.
        assert!(size_of::<Message>() <= 1000, "{}", size_of::<Message>());
        assert!(size_of::<ContextInfo>() <= 1200, "{}", size_of::<ContextInfo>());
        assert!(size_of::<SyncActionValue>() <= 800, "{}", size_of::<SyncActionValue>());
        assert!(size_of::<web::WebMessageInfo>() <= 1500, "{}", size_of::<web::WebMessageInfo>());
        assert!(size_of::<common::MessageKey>() <= 80, "{}", size_of::<common::MessageKey>());
    }
}
