//! What must hold for `error`, whatever the bytes.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| didit_client_fuzz::error(data));
