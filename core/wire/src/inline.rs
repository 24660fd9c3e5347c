//! Short text, in place.

use std::fmt;

/// Most bytes that are stored in place.
pub(crate) const INLINE_LEN: usize = 22;

/// Up to [`INLINE_LEN`] bytes of UTF-8.
#[derive(Clone, Copy)]
pub(crate) struct Inline {
    len: u8,
    bytes: [u8; INLINE_LEN],
}

impl Inline {
    pub(crate) const EMPTY: Inline = Inline { len: 0, bytes: [0; INLINE_LEN] };

    /// A copy of `text`, if it is short enough.
    #[inline]
    pub(crate) fn copied(text: &str) -> Option<Inline> {
        let mut inline = Inline::EMPTY;
        inline.bytes.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
        inline.len = u8::try_from(text.len()).ok()?;
        Some(inline)
    }

    /// For the unpacker, which writes whole words: makes `len` bytes the text and hands out all of them.
    /// They must become ASCII.
    #[inline]
    pub(crate) fn ascii_mut(&mut self, len: u8) -> &mut [u8; INLINE_LEN] {
        self.len = len;
        &mut self.bytes
    }

    #[inline]
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or(&self.bytes)
    }

    /// The text. All that is ever stored is UTF-8; that it is checked again is the price of storing it
    /// without `unsafe`, a few nanoseconds at this length. Comparisons go by bytes.
    #[inline]
    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }
}

impl fmt::Write for Inline {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let len = usize::from(self.len);
        let room = self.bytes.get_mut(len..len + text.len()).ok_or(fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.len = u8::try_from(len + text.len()).map_err(|_| fmt::Error)?;
        Ok(())
    }
}
