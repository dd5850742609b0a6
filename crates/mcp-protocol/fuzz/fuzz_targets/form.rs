//! What must hold for `form`, whatever the bytes.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mcp_protocol_fuzz::form(data));
