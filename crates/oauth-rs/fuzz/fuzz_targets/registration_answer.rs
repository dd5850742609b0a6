//! What must hold for `registration_answer`, whatever the bytes.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| oauth_rs_fuzz::registration_answer(data));
