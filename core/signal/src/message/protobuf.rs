//! The little of protocol buffers that the Signal messages need.
//!
//! Written by hand because a message is encoded and decoded for every device of every recipient: the
//! fields are read in place, and a ciphertext is produced in the buffer it leaves in.

use super::ParseError;

/// A field's value as it stands in the input.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    /// Wire type 0.
    Varint(u64),
    /// Wire type 2.
    Bytes(&'a [u8]),
    /// Wire types 1 and 5; no Signal message uses them, so they are only stepped over.
    Fixed,
}

impl<'a> Value<'a> {
    /// The value as `uint32`; longer varints are cut as every protocol buffers library does.
    pub(crate) fn u32(&self) -> Result<u32, ParseError> {
        match self {
            Value::Varint(value) => Ok(*value as u32),
            _ => Err(ParseError::Malformed("a number has the wire type of something else")),
        }
    }

    /// The value as `bytes`.
    pub(crate) fn bytes(&self) -> Result<&'a [u8], ParseError> {
        match self {
            Value::Bytes(bytes) => Ok(bytes),
            _ => Err(ParseError::Malformed("a byte string has the wire type of something else")),
        }
    }
}

/// Walks over the fields of one message.
pub(crate) struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(crate) fn new(input: &'a [u8]) -> Self {
        Fields { rest: input }
    }

    /// The next field and its number, or `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<(u32, Value<'a>)>, ParseError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let tag = self.varint()?;
        let field = u32::try_from(tag >> 3).ok().filter(|number| *number != 0);
        let field = field.ok_or(ParseError::Malformed("a field number is out of range"))?;
        let value = match tag & 7 {
            0 => Value::Varint(self.varint()?),
            1 => self.take(8).map(|_| Value::Fixed)?,
            2 => {
                let length = self.varint()?;
                let length = usize::try_from(length).map_err(|_| ParseError::Truncated)?;
                Value::Bytes(self.take(length)?)
            }
            5 => self.take(4).map(|_| Value::Fixed)?,
            _ => return Err(ParseError::Malformed("a field has an unknown wire type")),
        };
        Ok(Some((field, value)))
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], ParseError> {
        let (head, rest) = self.rest.split_at_checked(length).ok_or(ParseError::Truncated)?;
        self.rest = rest;
        Ok(head)
    }

    fn varint(&mut self) -> Result<u64, ParseError> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.rest.split_first().ok_or(ParseError::Truncated)?;
            self.rest = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(ParseError::Malformed("a varint is longer than ten octets"))
    }
}

/// Octets that `value` takes as a varint.
pub(crate) const fn varint_len(value: u32) -> usize {
    match value {
        0..=0x7f => 1,
        0x80..=0x3fff => 2,
        0x4000..=0x1f_ffff => 3,
        0x20_0000..=0x0fff_ffff => 4,
        _ => 5,
    }
}

/// Octets of a byte-string field below number 16 with content of `length` octets.
pub(crate) fn bytes_field_len(length: usize) -> usize {
    1 + varint_len(as_length(length)) + length
}

/// Appends a number field.
pub(crate) fn put_u32(out: &mut Vec<u8>, field: u8, value: u32) {
    out.push(field << 3);
    put_varint(out, value);
}

/// Appends the header of a byte-string field whose content the caller appends next.
pub(crate) fn put_bytes_header(out: &mut Vec<u8>, field: u8, length: usize) {
    out.push(field << 3 | 2);
    put_varint(out, as_length(length));
}

/// Appends a whole byte-string field.
pub(crate) fn put_bytes(out: &mut Vec<u8>, field: u8, bytes: &[u8]) {
    put_bytes_header(out, field, bytes.len());
    out.extend_from_slice(bytes);
}

fn put_varint(out: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Message sizes stay far below 4 GiB: plaintexts are checked against [`crate::MAX_PLAINTEXT`].
fn as_length(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_bytes_come_back() {
        for value in
            [0, 1, 127, 128, 300, 0x3fff, 0x4000, 0x1f_ffff, 0x20_0000, 0x0fff_ffff, 1 << 28, u32::MAX]
        {
            let mut out = Vec::new();
            put_u32(&mut out, 2, value);
            assert_eq!(out.len(), 1 + varint_len(value));
            put_bytes(&mut out, 4, b"abc");
            let mut fields = Fields::new(&out);
            assert_eq!(fields.next().unwrap(), Some((2, Value::Varint(value.into()))));
            assert_eq!(fields.next().unwrap(), Some((4, Value::Bytes(b"abc"))));
            assert_eq!(fields.next().unwrap(), None);
        }
    }

    #[test]
    fn a_byte_string_field_is_as_long_as_announced() {
        for length in [0, 1, 127, 128, 20_000] {
            let mut out = Vec::new();
            put_bytes(&mut out, 4, &vec![7; length]);
            assert_eq!(out.len(), bytes_field_len(length));
        }
    }

    #[test]
    fn broken_input_is_refused() {
        for (input, error) in [
            (&[0x08u8][..], ParseError::Truncated),
            (&[0x0a, 0x05, 0x01], ParseError::Truncated),
            (&[0x09, 1, 2, 3], ParseError::Truncated),
            (&[0x00, 0x01], ParseError::Malformed("a field number is out of range")),
            (&[0x0b], ParseError::Malformed("a field has an unknown wire type")),
            (
                &[0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1],
                ParseError::Malformed("a varint is longer than ten octets"),
            ),
        ] {
            assert_eq!(Fields::new(input).next().unwrap_err(), error, "{input:?}");
        }
    }
}
