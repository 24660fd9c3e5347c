//! Text and bytes across the boundary.

use std::ptr::NonNull;
use std::slice;

use safer_ffi::prelude::*;
use whimbrel::{Code, Error};

/// Borrowed text: UTF-8, not NUL-terminated, and may contain NUL. A null pointer with length zero
/// is absent text.
#[derive_ReprC]
#[repr(C)]
#[derive(Clone, Copy)]
pub struct whimbrel_str {
    /// First byte.
    pub ptr: *const u8,
    /// Number of bytes.
    pub len: usize,
}

/// Borrowed bytes. A null pointer with length zero is absent.
#[derive_ReprC]
#[repr(C)]
#[derive(Clone, Copy)]
pub struct whimbrel_bytes {
    /// First byte.
    pub ptr: *const u8,
    /// Number of bytes.
    pub len: usize,
}

/// Bytes that the library made for the caller; release them with whimbrel_buffer_free(). A NUL
/// byte that is not counted follows them, so that text can be printed as it is.
#[derive_ReprC]
#[repr(C)]
pub struct whimbrel_buffer {
    /// First byte; null when empty.
    pub ptr: *mut u8,
    /// Number of bytes.
    pub len: usize,
}

/// Releases a buffer and empties it. Null and empty buffers are allowed.
#[ffi_export]
pub extern "C" fn whimbrel_buffer_free(buffer: Option<&mut whimbrel_buffer>) {
    if let Some(buffer) = buffer {
        drop(std::mem::replace(buffer, whimbrel_buffer::EMPTY).into_bytes());
    }
}

impl whimbrel_str {
    /// Absent text.
    pub const ABSENT: Self = Self { ptr: std::ptr::null(), len: 0 };

    /// Lends text. An empty one is present, not absent.
    pub const fn of(text: &str) -> Self {
        Self { ptr: text.as_ptr(), len: text.len() }
    }

    /// Lends text if there is any.
    pub fn of_optional(text: Option<&str>) -> Self {
        text.map_or(Self::ABSENT, Self::of)
    }

    /// Reads text that must be present; it may be empty.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] unless it is present and UTF-8.
    ///
    /// # Safety
    /// A pointer that is not null points to `len` readable bytes that stay so for `'a`.
    pub(crate) unsafe fn read<'a>(self) -> Result<&'a str, Error> {
        // SAFETY: the caller's promise is passed on.
        unsafe { self.read_optional() }?.ok_or_else(|| Error::new(Code::InvalidArgument, "a text is null"))
    }

    /// Reads text that may be absent.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] unless it is absent or UTF-8.
    ///
    /// # Safety
    /// As for [`read`](Self::read).
    pub(crate) unsafe fn read_optional<'a>(self) -> Result<Option<&'a str>, Error> {
        // SAFETY: the caller's promise is passed on.
        let Some(bytes) = (unsafe { slice_of(self.ptr, self.len) })? else { return Ok(None) };
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Some(text)),
            Err(error) => Err(Error::new(Code::InvalidArgument, "a text is not UTF-8").because(error)),
        }
    }
}

impl whimbrel_bytes {
    /// Absent bytes.
    pub const ABSENT: Self = Self { ptr: std::ptr::null(), len: 0 };

    /// Lends bytes.
    pub const fn of(bytes: &[u8]) -> Self {
        Self { ptr: bytes.as_ptr(), len: bytes.len() }
    }

    /// Reads bytes that may be absent.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] for a length without a pointer.
    ///
    /// # Safety
    /// As for [`whimbrel_str::read`].
    pub(crate) unsafe fn read_optional<'a>(self) -> Result<Option<&'a [u8]>, Error> {
        // SAFETY: the caller's promise is passed on.
        unsafe { slice_of(self.ptr, self.len) }
    }
}

impl whimbrel_buffer {
    /// No bytes.
    pub const EMPTY: Self = Self { ptr: std::ptr::null_mut(), len: 0 };

    pub(crate) fn new(bytes: impl Into<Vec<u8>>) -> Self {
        let mut bytes = bytes.into();
        let len = bytes.len();
        bytes.push(0);
        let ptr = Box::into_raw(bytes.into_boxed_slice()).cast::<u8>();
        Self { ptr, len }
    }

    /// Takes the bytes back, with the NUL that follows them.
    fn into_bytes(self) -> Option<Box<[u8]>> {
        let ptr = NonNull::new(self.ptr)?;
        let whole = std::ptr::slice_from_raw_parts_mut(ptr.as_ptr(), self.len.checked_add(1)?);
        // SAFETY: `new` made this pointer from a box of exactly `len + 1` bytes, and freeing
        // empties the buffer, so it is taken back once.
        Some(unsafe { Box::from_raw(whole) })
    }
}

/// Puts a value where the caller wants it. What was there is not looked at: it need not be
/// initialised.
///
/// # Safety
/// A pointer that is not null points to a writable place.
pub(crate) unsafe fn put<T>(place: *mut T, value: T) {
    if !place.is_null() {
        // SAFETY: not null, and the caller promises the rest.
        unsafe { place.write(value) };
    }
}

/// # Safety
/// A pointer that is not null points to `len` readable bytes that stay so for `'a`.
unsafe fn slice_of<'a>(ptr: *const u8, len: usize) -> Result<Option<&'a [u8]>, Error> {
    if ptr.is_null() {
        return if len == 0 {
            Ok(None)
        } else {
            Err(Error::new(Code::InvalidArgument, "a length has no pointer"))
        };
    }
    if isize::try_from(len).is_err() {
        return Err(Error::new(Code::InvalidArgument, "a length is beyond all memory"));
    }
    // SAFETY: not null, of a possible length, and the caller promises the rest.
    Ok(Some(unsafe { slice::from_raw_parts(ptr, len) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code<T>(result: Result<T, Error>) -> Option<Code> {
        result.err().map(|error| error.code())
    }

    #[test]
    fn text_is_read_as_it_is_and_checked() {
        let text = "a\0ü😀";
        // SAFETY: all views here are of live values, or of nothing.
        unsafe {
            assert_eq!(whimbrel_str::of(text).read().unwrap(), text);
            assert_eq!(whimbrel_str::of("").read_optional().unwrap(), Some(""));
            assert_eq!(whimbrel_str::ABSENT.read_optional().unwrap(), None);
            assert_eq!(code(whimbrel_str::ABSENT.read()), Some(Code::InvalidArgument));
            assert_eq!(
                code(whimbrel_str { ptr: std::ptr::null(), len: 1 }.read()),
                Some(Code::InvalidArgument)
            );
            assert_eq!(
                code(whimbrel_str { ptr: text.as_ptr(), len: usize::MAX }.read()),
                Some(Code::InvalidArgument)
            );
            let broken = [0xff, 0xfe];
            assert_eq!(
                code(whimbrel_str { ptr: broken.as_ptr(), len: 2 }.read()),
                Some(Code::InvalidArgument)
            );
            assert_eq!(whimbrel_bytes::of(&broken).read_optional().unwrap(), Some(&broken[..]));
        }
    }

    #[test]
    fn a_buffer_is_followed_by_nul_and_emptied_when_freed() {
        for bytes in [&b""[..], b"x", b"with \0 inside"] {
            let mut buffer = whimbrel_buffer::new(bytes);
            assert_eq!(buffer.len, bytes.len());
            // SAFETY: the buffer holds one byte more than it counts.
            let whole = unsafe { slice::from_raw_parts(buffer.ptr, buffer.len + 1) };
            assert_eq!(whole.split_last().unwrap(), (&0, bytes));
            whimbrel_buffer_free(Some(&mut buffer));
            assert!(buffer.ptr.is_null() && buffer.len == 0);
            whimbrel_buffer_free(Some(&mut buffer));
        }
        whimbrel_buffer_free(None);
    }
}
