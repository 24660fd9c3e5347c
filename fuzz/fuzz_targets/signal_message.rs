//! Messages, distributions and stored records: any bytes are taken, or refused without a trace.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../core/signal/tests/checks/mod.rs"]
#[allow(dead_code, reason = "the ordinary tests call more of it than this target")]
mod checks;

fuzz_target!(|data: &[u8]| {
    checks::signal_message(data);
});
