//! Connection header and frames: any stream gives the same frames however it is cut.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../core/wire/tests/checks/mod.rs"]
#[allow(dead_code, reason = "the ordinary tests call more of it than this target")]
mod checks;

fuzz_target!(|data: &[u8]| checks::frames(data));
