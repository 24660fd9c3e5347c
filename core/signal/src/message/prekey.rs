//! PreKeySignalMessage: a message that also says how to build the session (`enc type="pkmsg"`).

use whimbrel_crypto::curve::PublicKey;

use super::protobuf::{Fields, bytes_field_len, put_bytes, put_bytes_header, put_u32, varint_len};
use super::{ParseError, SignalMessage, TYPED_KEY_LEN, VERSION_BYTE, check_version, public_key};

/// A received session-building message, borrowed from its bytes.
///
/// Only the inner message is authenticated, and only under the keys that the outer fields select:
/// believe these fields once the decryption has succeeded.
#[derive(Debug, Clone)]
pub struct PreKeySignalMessage<'a> {
    pub(crate) registration_id: u32,
    pub(crate) prekey_id: Option<u32>,
    pub(crate) signed_prekey_id: u32,
    pub(crate) base_key: PublicKey,
    pub(crate) identity: PublicKey,
    pub(crate) message: SignalMessage<'a>,
}

impl<'a> PreKeySignalMessage<'a> {
    /// Reads a message and the one inside it, checking form only.
    pub fn parse(input: &'a [u8]) -> Result<Self, ParseError> {
        let (mut base_key, mut identity, mut message) = (None, None, None);
        let (mut registration_id, mut prekey_id, mut signed_prekey_id) = (0, None, None);
        let mut fields = Fields::new(check_version(input)?);
        while let Some((field, value)) = fields.next()? {
            match field {
                1 => prekey_id = Some(value.u32()?),
                2 => base_key = Some(public_key(value.bytes()?, "base key")?),
                3 => identity = Some(public_key(value.bytes()?, "identity")?),
                4 => message = Some(value.bytes()?),
                5 => registration_id = value.u32()?,
                6 => signed_prekey_id = Some(value.u32()?),
                _ => {}
            }
        }
        Ok(PreKeySignalMessage {
            registration_id,
            prekey_id,
            signed_prekey_id: signed_prekey_id.ok_or(ParseError::Missing("signed prekey id"))?,
            base_key: base_key.ok_or(ParseError::Missing("base key"))?,
            identity: identity.ok_or(ParseError::Missing("identity"))?,
            message: SignalMessage::parse(message.ok_or(ParseError::Missing("message"))?)?,
        })
    }

    /// The registration id that the sender claims.
    pub fn registration_id(&self) -> u32 {
        self.registration_id
    }

    /// Which of our one-time prekeys the sender used; `None` when its bundle had none.
    pub fn prekey_id(&self) -> Option<u32> {
        self.prekey_id
    }

    /// Which of our signed prekeys the sender used.
    pub fn signed_prekey_id(&self) -> u32 {
        self.signed_prekey_id
    }

    /// The sender's ephemeral key; names the session.
    pub fn base_key(&self) -> &PublicKey {
        &self.base_key
    }

    /// The identity that the sender claims.
    pub fn identity(&self) -> &PublicKey {
        &self.identity
    }

    /// The message inside.
    pub fn message(&self) -> &SignalMessage<'a> {
        &self.message
    }
}

/// Everything around the inner message of a session-building message that is being written.
pub(crate) struct PreKeyHeader<'a> {
    pub(crate) registration_id: u32,
    pub(crate) prekey_id: Option<u32>,
    pub(crate) signed_prekey_id: u32,
    pub(crate) base_key: &'a PublicKey,
    pub(crate) identity: &'a PublicKey,
    pub(crate) message_len: usize,
}

impl PreKeyHeader<'_> {
    /// Size of the finished structure.
    pub(crate) fn len(&self) -> usize {
        1 + self.prekey_id.map_or(0, |id| 1 + varint_len(id))
            + 2 * bytes_field_len(TYPED_KEY_LEN)
            + bytes_field_len(self.message_len)
            + 1
            + varint_len(self.registration_id)
            + 1
            + varint_len(self.signed_prekey_id)
    }

    /// Appends the part before the inner message.
    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        out.push(VERSION_BYTE);
        if let Some(id) = self.prekey_id {
            put_u32(out, 1, id);
        }
        put_bytes(out, 2, &self.base_key.to_typed());
        put_bytes(out, 3, &self.identity.to_typed());
        put_bytes_header(out, 4, self.message_len);
    }

    /// Appends the part after the inner message.
    pub(crate) fn put_end(&self, out: &mut Vec<u8>) {
        put_u32(out, 5, self.registration_id);
        put_u32(out, 6, self.signed_prekey_id);
    }
}
