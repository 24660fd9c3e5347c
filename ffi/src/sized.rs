//! Structs that grow from version to version: their first field is the size that the side which
//! allocated them knows.

use std::mem::{align_of, size_of};

use whimbrel::{Code, Error};

/// A struct that grows.
///
/// # Safety
/// `repr(C)`; the first field is `struct_size: usize`; all bytes zero is a value of it; it has no
/// padding.
pub(crate) unsafe trait Growing: Copy {
    /// Size in the first release that had it. Fields are only added behind it.
    const FIRST_SIZE: usize;
}

/// Longer structs are garbage in `struct_size`, not a future version.
const LONGEST: usize = 64 * 1024;

/// All fields zero, which is the default of every field.
pub(crate) fn zeroed<T: Growing>() -> T {
    // SAFETY: the trait promises that zero bytes are a value.
    unsafe { std::mem::zeroed() }
}

/// Reads a struct that the caller made. Null gives the default.
///
/// # Errors
/// [`Code::InvalidArgument`] if the size cannot be right; [`Code::UnknownFieldSet`] if the caller
/// knows more fields than this version and set one.
///
/// # Safety
/// A pointer that is not null points to as many readable bytes as its first field says.
pub(crate) unsafe fn read<T: Growing>(from: *const T) -> Result<T, Error> {
    let mut value = zeroed::<T>();
    if from.is_null() {
        return Ok(value);
    }
    // SAFETY: not null, and the caller promises that the first field is readable.
    let size = unsafe { size_at(from) }?;
    let known = size.min(size_of::<T>());
    let bytes = from.cast::<u8>();
    // SAFETY: `known` bytes are readable by promise and writable in `value`, which is another
    // object; any bytes that C wrote into the fields are values of them (integers, pointers).
    unsafe { std::ptr::copy_nonoverlapping(bytes, (&raw mut value).cast::<u8>(), known) };
    // SAFETY: the caller promises `size` readable bytes, `known` of which are skipped.
    let tail = unsafe { std::slice::from_raw_parts(bytes.add(known), size.saturating_sub(known)) };
    if tail.iter().any(|byte| *byte != 0) {
        return Err(Error::new(Code::UnknownFieldSet, "a field is set that this version does not know"));
    }
    Ok(value)
}

/// Fills a struct that the caller made, as far as it is long, and stores the size filled. Returns
/// whether it could.
///
/// # Safety
/// A pointer that is not null points to as many writable bytes as its first field says.
pub(crate) unsafe fn write<T: Growing>(to: *mut T, value: &T) -> bool {
    // SAFETY: the caller promises that the first field is readable if it is not null.
    let Some(size) = (if to.is_null() { None } else { unsafe { size_at(to) }.ok() }) else {
        return false;
    };
    let known = size.min(size_of::<T>());
    // SAFETY: `known` bytes are readable in `value` and by promise writable in `to`, and its
    // first field, a size, is within them.
    unsafe {
        std::ptr::copy_nonoverlapping(std::ptr::from_ref(value).cast::<u8>(), to.cast::<u8>(), known);
        to.cast::<usize>().write(known);
    }
    true
}

/// Refuses spare fields that are not zero.
pub(crate) fn refuse_reserved(reserved: u32) -> Result<(), Error> {
    if reserved == 0 {
        return Ok(());
    }
    Err(Error::new(Code::UnknownFieldSet, "a reserved field is not zero"))
}

/// # Safety
/// If the pointer is aligned, a `usize` can be read from it.
unsafe fn size_at<T: Growing>(at: *const T) -> Result<usize, Error> {
    if !at.addr().is_multiple_of(align_of::<T>()) {
        return Err(Error::new(Code::InvalidArgument, "a struct is not aligned"));
    }
    // SAFETY: aligned, and the caller promises the rest.
    let size = unsafe { at.cast::<usize>().read() };
    if (T::FIRST_SIZE..=LONGEST).contains(&size) {
        return Ok(size);
    }
    Err(Error::new(Code::InvalidArgument, "struct_size is not the size of the struct"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy, Debug, PartialEq)]
    #[repr(C)]
    struct Now {
        struct_size: usize,
        first: u64,
        second: u64,
    }

    // SAFETY: as the trait wants it, by the look of it.
    unsafe impl Growing for Now {
        const FIRST_SIZE: usize = 2 * size_of::<u64>();
    }

    /// The same struct as an older and as a newer program knows it.
    fn caller(words: &[u64]) -> Vec<u64> {
        words.to_vec()
    }

    fn read_words(words: &[u64]) -> Result<Now, Error> {
        let words = caller(words);
        // SAFETY: the tests give as many words as the first one says.
        unsafe { read(words.as_ptr().cast::<Now>()) }
    }

    #[test]
    fn shorter_structs_are_filled_up_and_longer_ones_cut_when_nothing_is_lost() {
        assert_eq!(read_words(&[24, 7, 8]).unwrap(), Now { struct_size: 24, first: 7, second: 8 });
        assert_eq!(read_words(&[16, 7]).unwrap(), Now { struct_size: 16, first: 7, second: 0 });
        assert_eq!(read_words(&[40, 7, 8, 0, 0]).unwrap(), Now { struct_size: 40, first: 7, second: 8 });
        let unknown = read_words(&[40, 7, 8, 0, 1]).unwrap_err();
        assert_eq!(unknown.code(), Code::UnknownFieldSet);
        // SAFETY: null is allowed.
        let default: Now = unsafe { read(std::ptr::null()) }.unwrap();
        assert_eq!(default, Now { struct_size: 0, first: 0, second: 0 });
    }

    #[test]
    fn sizes_that_cannot_be_are_refused() {
        for size in [0, 8, 15, 1 << 40] {
            assert_eq!(read_words(&[size, 0, 0]).unwrap_err().code(), Code::InvalidArgument, "{size}");
        }
        let words = [24_u64, 24, 0, 0];
        // SAFETY: not aligned, so nothing is read.
        let odd = unsafe { read(words.as_ptr().cast::<u8>().wrapping_add(1).cast::<Now>()) };
        assert_eq!(odd.unwrap_err().code(), Code::InvalidArgument);
    }

    #[test]
    fn views_are_filled_as_far_as_the_caller_knows_them() {
        let value = Now { struct_size: 0, first: 7, second: 8 };
        for (size, filled) in [(16, [16, 7, 99, 99]), (24, [24, 7, 8, 99]), (32, [24, 7, 8, 99])] {
            let mut words = [size, 99_u64, 99, 99];
            // SAFETY: there are four words, and no size says more.
            assert!(unsafe { write(words.as_mut_ptr().cast::<Now>(), &value) });
            assert_eq!(words, filled);
        }
        let mut words = [8_u64, 99, 99];
        // SAFETY: refused by its size, and null is allowed.
        unsafe {
            assert!(!write(words.as_mut_ptr().cast::<Now>(), &value));
            assert!(!write(std::ptr::null_mut(), &value));
        }
        assert_eq!(words, [8, 99, 99]);
    }

    #[test]
    fn reserved_fields_are_zero() {
        assert!(refuse_reserved(0).is_ok());
        assert_eq!(refuse_reserved(1).unwrap_err().code(), Code::UnknownFieldSet);
    }
}
