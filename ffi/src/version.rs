//! Which library this is.

use safer_ffi::prelude::*;

use crate::bytes::whimbrel_str;

/// Number of the binary interface, which is also the number of the shared library. It rises only
/// when programs built before would break.
pub const WHIMBREL_ABI_VERSION: u32 = 1;

/// Which library this is.
#[derive_ReprC]
#[repr(C)]
#[derive(Clone, Copy)]
pub struct whimbrel_version_info {
    /// `WHIMBREL_ABI_VERSION` of the library; compare it with the header's at start.
    pub abi: u32,
    /// Zero.
    pub reserved: u32,
    /// Version of the library, such as `1.4.0`.
    pub text: whimbrel_str,
}

/// Says which library this is.
#[ffi_export]
pub extern "C" fn whimbrel_version() -> whimbrel_version_info {
    whimbrel_version_info {
        abi: WHIMBREL_ABI_VERSION,
        reserved: 0,
        text: whimbrel_str::of(env!("CARGO_PKG_VERSION")),
    }
}
