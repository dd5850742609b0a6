//! The type behind `params_sample`, as a peer may write it.

#![no_main]

libfuzzer_sys::fuzz_target!(
    |data: &[u8]| mcp_protocol_fuzz::trees::<mcp_protocol::types::Sampling>(data)
);
