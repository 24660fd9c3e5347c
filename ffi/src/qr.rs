//! QR texts as something to look at.

use safer_ffi::prelude::*;

use crate::bytes::{put, whimbrel_buffer, whimbrel_str};
use crate::error::whimbrel_error;
use crate::guard::{entry, null};

/// Draws the text of a QR event for a terminal: lines of half blocks, for light text on a dark
/// ground. Release the result with whimbrel_buffer_free().
#[ffi_export]
#[must_use]
pub extern "C" fn whimbrel_qr_text(
    text: whimbrel_str,
    drawing: *mut whimbrel_buffer,
) -> Option<repr_c::Box<whimbrel_error>> {
    let mut drawn = whimbrel_buffer::EMPTY;
    let error = entry(|| {
        // SAFETY: the header asks for readable text.
        let text = unsafe { text.read() }?;
        if drawing.is_null() {
            return Err(null("the place for the drawing is null"));
        }
        drawn = whimbrel_buffer::new(whimbrel_api::qr::draw(text)?);
        Ok(())
    });
    // SAFETY: the header asks for a writable place, or null.
    unsafe { put(drawing, drawn) };
    error
}
