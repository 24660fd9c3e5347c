//! The protobuf wire format, as far as it can be read of bytes that may not all be there yet.

/// The bytes are no protobuf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// The key of a field, and how its value begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Head {
    Varint(u64),
    /// So many octets that nobody here reads.
    Fixed(u64),
    /// So many octets follow.
    Bytes(u64),
}

/// A varint at the start of `bytes`, and its length; `None` if more octets are needed.
fn varint(bytes: &[u8]) -> Result<Option<(u64, usize)>, Malformed> {
    // Most are short.
    if let Some(byte @ 0..=0x7f) = bytes.first() {
        return Ok(Some((u64::from(*byte), 1)));
    }
    let mut value = 0_u64;
    for (index, byte) in (0_usize..10).zip(bytes) {
        value |= u64::from(byte & 0x7f) << (index * 7);
        if byte & 0x80 == 0 {
            return Ok(Some((value, index.saturating_add(1))));
        }
    }
    if bytes.len() >= 10 { Err(Malformed) } else { Ok(None) }
}

/// The field at the start of `bytes`: its number, the head of its value, and the length of both;
/// `None` if more octets are needed.
pub(crate) fn head(bytes: &[u8]) -> Result<Option<(u32, Head, usize)>, Malformed> {
    let Some((key, key_length)) = varint(bytes)? else { return Ok(None) };
    let number = u32::try_from(key >> 3).ok().filter(|number| *number > 0).ok_or(Malformed)?;
    let rest = bytes.get(key_length..).unwrap_or_default();
    let kind = key & 7;
    match kind {
        1 => Ok(Some((number, Head::Fixed(8), key_length))),
        5 => Ok(Some((number, Head::Fixed(4), key_length))),
        0 | 2 => {
            let Some((value, length)) = varint(rest)? else { return Ok(None) };
            let head = if kind == 0 { Head::Varint(value) } else { Head::Bytes(value) };
            Ok(Some((number, head, key_length.saturating_add(length))))
        }
        // Groups do not occur in the schema.
        _ => Err(Malformed),
    }
}

/// A value that is all there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    Varint(u64),
    Fixed,
    Bytes(&'a [u8]),
}

/// The fields of a message that is all there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields<'a>(pub(crate) &'a [u8]);

impl<'a> Fields<'a> {
    /// The next field; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<(u32, Value<'a>)>, Malformed> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let (number, head, length) = head(self.0)?.ok_or(Malformed)?;
        let rest = self.0.get(length..).unwrap_or_default();
        let (value, taken) = match head {
            Head::Varint(value) => (Value::Varint(value), 0),
            Head::Fixed(size) => (Value::Fixed, size),
            Head::Bytes(size) => {
                let bytes = usize::try_from(size).ok().and_then(|size| rest.get(..size)).ok_or(Malformed)?;
                (Value::Bytes(bytes), size)
            }
        };
        let taken = usize::try_from(taken).map_err(|_| Malformed)?;
        self.0 = rest.get(taken..).ok_or(Malformed)?;
        Ok(Some((number, value)))
    }
}
