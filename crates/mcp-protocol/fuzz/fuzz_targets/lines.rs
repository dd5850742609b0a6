//! What must hold for `lines`, whatever the bytes.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mcp_protocol_fuzz::lines(data));
