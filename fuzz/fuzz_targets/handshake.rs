//! Handshake messages and certificates: nobody accepts what the other side did not send.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../core/noise/tests/checks/mod.rs"]
#[allow(dead_code, reason = "the ordinary tests call more of it than this target")]
mod checks;

fuzz_target!(|data: &[u8]| checks::handshake(data));
