//! Media files: any octets are facts or a typed error, and a sticker can be rewritten or not.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../core/media/tests/checks/mod.rs"]
#[allow(dead_code, reason = "the ordinary tests call more of it than this target")]
mod checks;

fuzz_target!(|data: &[u8]| {
    checks::media_probe(data);
});
