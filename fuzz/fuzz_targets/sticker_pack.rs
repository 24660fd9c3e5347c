//! Packs of stickers: any octets are pictures with names that lead nowhere, or a typed error.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../core/media/tests/checks/mod.rs"]
#[allow(dead_code, reason = "other targets and the ordinary tests call the rest")]
mod checks;

fuzz_target!(|data: &[u8]| {
    checks::sticker_pack(data);
});
