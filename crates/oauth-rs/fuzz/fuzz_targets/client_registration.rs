//! What must hold for `client_registration`, whatever the bytes.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| oauth_rs_fuzz::client_registration(data));
