//! Connection header and frames: any stream gives the same frames however it is cut.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../core/wire/tests/checks/mod.rs"]
#[allow(dead_code)]
mod checks;

fuzz_target!(|data: &[u8]| checks::frames(data));
