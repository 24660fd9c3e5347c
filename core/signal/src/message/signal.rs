//! SignalMessage: one message of an established session (`enc type="msg"`).

use whimbrel_crypto::curve::PublicKey;

use super::protobuf::{Fields, bytes_field_len, put_bytes, put_bytes_header, put_u32, varint_len};
use super::{ParseError, TYPED_KEY_LEN, VERSION_BYTE, check_version, public_key};

/// The authentication code is cut to its first eight octets.
pub(crate) const MAC_LEN: usize = 8;

/// A received message of a session, borrowed from its bytes.
#[derive(Debug, Clone)]
pub struct SignalMessage<'a> {
    pub(crate) ratchet_key: PublicKey,
    pub(crate) counter: u32,
    pub(crate) previous_counter: u32,
    pub(crate) ciphertext: &'a [u8],
    /// What the code covers after the two identities: everything but the code.
    pub(crate) authenticated: &'a [u8],
    pub(crate) mac: &'a [u8; MAC_LEN],
}

impl<'a> SignalMessage<'a> {
    /// Reads a message, checking form only.
    pub fn parse(input: &'a [u8]) -> Result<Self, ParseError> {
        check_version(input)?;
        let (authenticated, mac) = input.split_last_chunk::<MAC_LEN>().ok_or(ParseError::Truncated)?;
        let (_, body) = authenticated.split_first().ok_or(ParseError::Truncated)?;
        let (mut ratchet_key, mut ciphertext) = (None, None);
        let (mut counter, mut previous_counter) = (0, 0);
        let mut fields = Fields::new(body);
        while let Some((field, value)) = fields.next()? {
            match field {
                1 => ratchet_key = Some(public_key(value.bytes()?, "ratchet key")?),
                2 => counter = value.u32()?,
                3 => previous_counter = value.u32()?,
                4 => ciphertext = Some(value.bytes()?),
                _ => {}
            }
        }
        Ok(SignalMessage {
            ratchet_key: ratchet_key.ok_or(ParseError::Missing("ratchet key"))?,
            counter,
            previous_counter,
            ciphertext: ciphertext.ok_or(ParseError::Missing("ciphertext"))?,
            authenticated,
            mac,
        })
    }

    /// The sender's ratchet key: names the chain the message belongs to.
    pub fn ratchet_key(&self) -> &PublicKey {
        &self.ratchet_key
    }

    /// The position in that chain.
    pub fn counter(&self) -> u32 {
        self.counter
    }

    /// How far the sender says it went in its previous chain. Informative only: some senders write
    /// 2^32−1 for zero.
    pub fn previous_counter(&self) -> u32 {
        self.previous_counter
    }
}

/// Everything before the ciphertext of a message that is being written.
pub(crate) struct SignalHeader<'a> {
    pub(crate) ratchet_key: &'a PublicKey,
    pub(crate) counter: u32,
    pub(crate) previous_counter: u32,
    pub(crate) ciphertext_len: usize,
}

impl SignalHeader<'_> {
    /// Size of the finished message, code included.
    pub(crate) fn message_len(&self) -> usize {
        1 + bytes_field_len(TYPED_KEY_LEN)
            + 1
            + varint_len(self.counter)
            + 1
            + varint_len(self.previous_counter)
            + bytes_field_len(self.ciphertext_len)
            + MAC_LEN
    }

    /// Appends the message up to where the ciphertext begins.
    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        out.push(VERSION_BYTE);
        put_bytes(out, 1, &self.ratchet_key.to_typed());
        // Zeroes are written too, as every other client writes them.
        put_u32(out, 2, self.counter);
        put_u32(out, 3, self.previous_counter);
        put_bytes_header(out, 4, self.ciphertext_len);
    }
}
