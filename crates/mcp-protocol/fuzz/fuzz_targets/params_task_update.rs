//! The type behind `params_task_update`, as a peer may write it.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mcp_protocol_fuzz::trees::<
    mcp_protocol::types::TaskUpdate,
>(data));
