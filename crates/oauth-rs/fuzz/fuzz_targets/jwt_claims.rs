//! What must hold for `jwt_claims`, whatever the bytes.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| oauth_rs_fuzz::jwt_claims(data));
