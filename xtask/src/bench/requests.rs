//! The requests that are measured, as a client of their revision writes them.

use serde_json::{Value, json};

/// One POST.
pub(crate) struct Post {
    headers: Vec<(&'static str, &'static str)>,
    body: Value,
}

impl Post {
    /// The request as it goes over the connection.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let body = self.body.to_string();
        let mut text = String::from("POST /mcp HTTP/1.1\r\nhost: localhost\r\n");
        let length = body.len().to_string();
        let always = [
            ("user-agent", "bench/1.0"),
            ("content-type", "application/json"),
            ("accept", "application/json, text/event-stream"),
            ("content-length", length.as_str()),
        ];
        for (name, value) in always.iter().chain(&self.headers) {
            text.push_str(name);
            text.push_str(": ");
            text.push_str(value);
            text.push_str("\r\n");
        }
        text.push_str("\r\n");
        text.push_str(&body);
        text.into_bytes()
    }
}

/// `tools/call` of the tool `echo`, 2026-07-28.
pub(crate) fn echo() -> Post {
    let params =
        json!({ "name": "echo", "arguments": { "text": "Hello, world." }, "_meta": meta() });
    Post {
        headers: vec![
            ("mcp-protocol-version", "2026-07-28"),
            ("mcp-method", "tools/call"),
            ("mcp-name", "echo"),
        ],
        body: json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params }),
    }
}

/// `tools/list`, 2026-07-28.
pub(crate) fn list() -> Post {
    Post {
        headers: vec![
            ("mcp-protocol-version", "2026-07-28"),
            ("mcp-method", "tools/list"),
        ],
        body: json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": { "_meta": meta() } }),
    }
}

/// `initialize`, 2025-11-25.
pub(crate) fn initialize() -> Post {
    let params = json!({
        "protocolVersion": "2025-11-25",
        "capabilities": capabilities(),
        "clientInfo": client(),
    });
    Post {
        headers: Vec::new(),
        body: json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params }),
    }
}

fn meta() -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": client(),
        "io.modelcontextprotocol/clientCapabilities": capabilities(),
    })
}

fn client() -> Value {
    json!({ "name": "bench", "version": "1.0.0" })
}

fn capabilities() -> Value {
    json!({ "elicitation": { "form": {}, "url": {} }, "roots": {}, "sampling": {} })
}
