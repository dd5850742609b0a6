//! What must hold for `jws`, whatever the bytes.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| oauth_rs_fuzz::jws(data));
