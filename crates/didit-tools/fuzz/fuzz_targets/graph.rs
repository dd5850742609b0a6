//! What must hold for `graph`, whatever the bytes.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| didit_tools_fuzz::graph(data));
