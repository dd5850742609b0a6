//! What must hold for `pages`, whatever the bytes.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| didit_client_fuzz::pages(data));
