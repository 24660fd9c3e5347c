//! Chunks of message history: any octets are walked through or refused, however they are cut.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../core/history/tests/checks/mod.rs"]
#[allow(dead_code, reason = "the ordinary tests call more of it than this target")]
mod checks;

fuzz_target!(|data: &[u8]| {
    checks::history(data);
});
