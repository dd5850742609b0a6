//! What must hold for `request_state`, whatever the bytes.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mcp_protocol_fuzz::request_state(data));
