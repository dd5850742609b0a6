//! What must hold for `client_cert`, whatever the bytes.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| resource_guard_fuzz::client_cert(data));
