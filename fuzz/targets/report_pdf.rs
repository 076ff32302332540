//! See the entry of this name in `fuzz_entries`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz_entries::run("report_pdf", bytes));
