//! Decoders of pictures and sounds: any octets are a small picture, a shape, or a typed error.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../core/media/tests/checks/mod.rs"]
#[allow(dead_code, reason = "other targets and the ordinary tests call the rest")]
mod checks;

fuzz_target!(|data: &[u8]| {
    checks::media_decode(data);
});
