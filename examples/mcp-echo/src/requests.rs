//! What a client sends to call the tool, in each era.

use serde_json::{Value, json};

/// One POST: what it shows, the fields beyond those of every request, the body.
pub(crate) struct Post {
    pub(crate) what: &'static str,
    pub(crate) fields: Vec<(&'static str, &'static str)>,
    pub(crate) body: Value,
}

/// The fields of every request.
pub(crate) const ALWAYS: [(&str, &str); 2] = [
    ("content-type", "application/json"),
    ("accept", "application/json, text/event-stream"),
];

/// A call of each era; the older one opens with a handshake.
pub(crate) fn requests() -> [Post; 3] {
    let hello = json!({ "text": "hello" });
    [
        Post {
            what: "2025-11-25 and before: the handshake",
            fields: vec![],
            body: json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
                "protocolVersion": "2025-11-25",
                "capabilities": {},
                "clientInfo": { "name": "curl", "version": "1" },
            } }),
        },
        Post {
            what: "2025-11-25 and before: the call",
            fields: vec![("mcp-protocol-version", "2025-11-25")],
            body: json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {
                "name": "echo", "arguments": hello,
            } }),
        },
        Post {
            what: "2026-07-28: the call, which brings everything along",
            fields: vec![
                ("mcp-protocol-version", "2026-07-28"),
                ("mcp-method", "tools/call"),
                ("mcp-name", "echo"),
            ],
            body: json!({ "jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": {
                "name": "echo", "arguments": hello, "_meta": {
                    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                    "io.modelcontextprotocol/clientCapabilities": {},
                },
            } }),
        },
    ]
}

/// The curl line of a request, with these fields in front.
pub(crate) fn curl(url: &str, post: &Post, before: &str) -> String {
    let fields: String = ALWAYS
        .iter()
        .chain(&post.fields)
        .map(|(name, value)| format!(" -H '{name}: {value}'"))
        .collect();
    format!("curl -i {url}{before}{fields} -d '{}'", post.body)
}
