//! Exported files: any bytes are refused or read, and nothing else happens.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    whimbrel::fuzzing::export_header(data);
    whimbrel::fuzzing::export_rows(data);
});
