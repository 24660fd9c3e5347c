//! Patches, snapshots and entries of app state: any octets are read or refused.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../core/appstate/tests/checks/mod.rs"]
mod checks;

fuzz_target!(|data: &[u8]| {
    checks::app_state(data);
});
