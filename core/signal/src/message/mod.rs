//! The four structures that travel: what they look like on the wire.
//!
//! Parsing borrows from the input and checks form only. Nothing here is authenticated: a parsed
//! message says what somebody claims.

mod distribution;
mod prekey;
pub(crate) mod protobuf;
mod sender_key;
mod signal;

pub use distribution::SenderKeyDistributionMessage;
pub(crate) use prekey::PreKeyHeader;
pub use prekey::PreKeySignalMessage;
pub use sender_key::SenderKeyMessage;
pub(crate) use sender_key::{SIGNATURE_LEN, SenderKeyHeader};
pub use signal::SignalMessage;
pub(crate) use signal::{MAC_LEN, SignalHeader};

use whimbrel_crypto::curve::PublicKey;

/// First octet of every structure: version 3 of the message, version 3 the highest understood.
pub(crate) const VERSION_BYTE: u8 = 0x33;
const VERSION: u8 = 3;

/// Why received bytes are not the structure they were announced as.
///
/// The sender cannot repair this by sending again, so it is apart from
/// [`DecryptError`](crate::DecryptError): the stanza is refused, not retried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// The input ends inside a field or before its authentication code.
    #[error("the message is cut short")]
    Truncated,
    /// The version octet names a version older than 3.
    #[error("message version {0} is no longer spoken")]
    LegacyVersion(u8),
    /// The version octet names a version newer than 3.
    #[error("message version {0} is not known")]
    UnknownVersion(u8),
    /// A field has the wrong form.
    #[error("{0}")]
    Malformed(&'static str),
    /// A field without which the structure means nothing is absent.
    #[error("the field {0} is missing")]
    Missing(&'static str),
    /// A field that must hold a Curve25519 public key holds something else.
    #[error("the field {0} is not a public key")]
    InvalidKey(&'static str),
}

/// Takes the version octet off.
fn check_version(input: &[u8]) -> Result<&[u8], ParseError> {
    let (first, rest) = input.split_first().ok_or(ParseError::Truncated)?;
    match first >> 4 {
        VERSION => Ok(rest),
        older @ 0..VERSION => Err(ParseError::LegacyVersion(older)),
        newer => Err(ParseError::UnknownVersion(newer)),
    }
}

fn public_key(bytes: &[u8], field: &'static str) -> Result<PublicKey, ParseError> {
    PublicKey::parse(bytes).map_err(|_| ParseError::InvalidKey(field))
}

/// Public keys inside Signal structures carry their type octet.
pub(crate) const TYPED_KEY_LEN: usize = 33;

/// Which of the two 1:1 forms a ciphertext has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CiphertextKind {
    /// A [`PreKeySignalMessage`]: also builds the session at the receiver.
    PreKey,
    /// A [`SignalMessage`] of an established session.
    Message,
}

impl CiphertextKind {
    /// The value of the stanza's `type` attribute.
    pub const fn enc_type(self) -> &'static str {
        match self {
            CiphertextKind::PreKey => "pkmsg",
            CiphertextKind::Message => "msg",
        }
    }
}

/// An encrypted 1:1 message, ready for the stanza.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CiphertextMessage {
    /// Which structure `bytes` is.
    pub kind: CiphertextKind,
    /// The content of the `enc` node.
    pub bytes: Vec<u8>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_versions_are_named() {
        assert_eq!(check_version(&[0x33, 1]), Ok(&[1][..]));
        assert_eq!(check_version(&[0x32, 1]), Ok(&[1][..]));
        assert_eq!(check_version(&[0x23, 1]), Err(ParseError::LegacyVersion(2)));
        assert_eq!(check_version(&[0x43, 1]), Err(ParseError::UnknownVersion(4)));
        assert_eq!(check_version(&[]), Err(ParseError::Truncated));
    }
}
