//! What must hold for `keys`, whatever the bytes.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| resource_guard_fuzz::keys(data));
