//! What must hold for `canonical`, whatever the bytes.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| didit_client_fuzz::canonical(data));
