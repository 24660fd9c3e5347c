//! SenderKeyMessage: one message to a group (`enc type="skmsg"`).

use super::protobuf::{Fields, bytes_field_len, put_bytes_header, put_u32, varint_len};
use super::{ParseError, VERSION_BYTE, check_version};

/// Size of the signature that ends the structure.
pub(crate) const SIGNATURE_LEN: usize = 64;

/// A received group message, borrowed from its bytes.
#[derive(Debug, Clone)]
pub struct SenderKeyMessage<'a> {
    pub(crate) key_id: u32,
    pub(crate) iteration: u32,
    pub(crate) ciphertext: &'a [u8],
    /// Everything but the signature.
    pub(crate) signed: &'a [u8],
    pub(crate) signature: &'a [u8; SIGNATURE_LEN],
}

impl<'a> SenderKeyMessage<'a> {
    /// Reads a message, checking form only.
    pub fn parse(input: &'a [u8]) -> Result<Self, ParseError> {
        check_version(input)?;
        let (signed, signature) = input.split_last_chunk::<SIGNATURE_LEN>().ok_or(ParseError::Truncated)?;
        let (_, body) = signed.split_first().ok_or(ParseError::Truncated)?;
        let (mut key_id, mut iteration, mut ciphertext) = (None, 0, None);
        let mut fields = Fields::new(body);
        while let Some((field, value)) = fields.next()? {
            match field {
                1 => key_id = Some(value.u32()?),
                2 => iteration = value.u32()?,
                3 => ciphertext = Some(value.bytes()?),
                _ => {}
            }
        }
        Ok(SenderKeyMessage {
            key_id: key_id.ok_or(ParseError::Missing("key id"))?,
            iteration,
            ciphertext: ciphertext.ok_or(ParseError::Missing("ciphertext"))?,
            signed,
            signature,
        })
    }

    /// Which of the sender's keys the message is encrypted with.
    pub fn key_id(&self) -> u32 {
        self.key_id
    }

    /// The position in that key's chain.
    pub fn iteration(&self) -> u32 {
        self.iteration
    }
}

/// Everything before the ciphertext of a message that is being written.
pub(crate) struct SenderKeyHeader {
    pub(crate) key_id: u32,
    pub(crate) iteration: u32,
    pub(crate) ciphertext_len: usize,
}

impl SenderKeyHeader {
    /// Size of the finished message, signature included.
    pub(crate) fn message_len(&self) -> usize {
        1 + 1
            + varint_len(self.key_id)
            + 1
            + varint_len(self.iteration)
            + bytes_field_len(self.ciphertext_len)
            + SIGNATURE_LEN
    }

    /// Appends the message up to where the ciphertext begins.
    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        out.push(VERSION_BYTE);
        put_u32(out, 1, self.key_id);
        put_u32(out, 2, self.iteration);
        put_bytes_header(out, 3, self.ciphertext_len);
    }
}
