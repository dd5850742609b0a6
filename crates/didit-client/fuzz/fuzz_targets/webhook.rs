//! What must hold for `webhook`, whatever the bytes.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| didit_client_fuzz::webhook(data));
