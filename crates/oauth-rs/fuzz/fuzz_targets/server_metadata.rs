//! What must hold for `server_metadata`, whatever the bytes.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| oauth_rs_fuzz::server_metadata(data));
