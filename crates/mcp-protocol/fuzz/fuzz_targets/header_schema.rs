//! What must hold for `header_schema`, whatever the bytes.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mcp_protocol_fuzz::header_schema(data));
