//! What must hold for `events`, whatever the bytes.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mcp_protocol_fuzz::events(data));
