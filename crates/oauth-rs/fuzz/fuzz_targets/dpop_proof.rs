//! What must hold for `dpop_proof`, whatever the bytes.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| oauth_rs_fuzz::dpop_proof(data));
