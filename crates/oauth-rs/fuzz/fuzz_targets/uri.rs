//! What must hold for `uri`, whatever the bytes.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| oauth_rs_fuzz::uri(data));
