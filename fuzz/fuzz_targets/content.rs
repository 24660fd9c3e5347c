//! Messages: any bytes are typed, or refused; what the typed form makes is read as the same again.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../core/content/tests/checks/mod.rs"]
#[allow(dead_code, reason = "the ordinary tests call more of it than this target")]
mod checks;

fuzz_target!(|data: &[u8]| {
    checks::content(data);
});
