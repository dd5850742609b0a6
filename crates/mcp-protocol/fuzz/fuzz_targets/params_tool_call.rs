//! The type behind `params_tool_call`, as a peer may write it.

#![no_main]

libfuzzer_sys::fuzz_target!(
    |data: &[u8]| mcp_protocol_fuzz::params::<mcp_protocol::types::ToolCall>(data)
);
