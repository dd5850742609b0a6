//! The requests that are measured, as a client of their revision writes them.

use serde_json::{Value, json};

use super::load::Request;

/// One POST.
struct Post {
    headers: Vec<(&'static str, &'static str)>,
    body: Value,
}

impl Post {
    /// The request as it goes over the connection.
    fn request(&self) -> Request {
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
        Request {
            bytes: text.into_bytes(),
            status: 200,
        }
    }
}

/// `tools/call` of the tool `echo`, 2026-07-28.
pub(crate) fn echo() -> Request {
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
    .request()
}

/// `tools/list`, 2026-07-28.
pub(crate) fn list() -> Request {
    Post {
        headers: vec![
            ("mcp-protocol-version", "2026-07-28"),
            ("mcp-method", "tools/list"),
        ],
        body: json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": { "_meta": meta() } }),
    }
    .request()
}

/// `initialize`, 2025-11-25.
pub(crate) fn initialize() -> Request {
    let params = json!({
        "protocolVersion": "2025-11-25",
        "capabilities": capabilities(),
        "clientInfo": client(),
    });
    Post {
        headers: Vec::new(),
        body: json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params }),
    }
    .request()
}

/// A small GET with a token, or without one and refused for it.
pub(crate) fn get(token: Option<&str>) -> Request {
    let mut text = String::from(
        "GET /mcp HTTP/1.1\r\nhost: localhost\r\nuser-agent: bench/1.0\r\naccept: application/json\r\n",
    );
    if let Some(token) = token {
        text.push_str("authorization: Bearer ");
        text.push_str(token);
        text.push_str("\r\n");
    }
    text.push_str("\r\n");
    Request {
        bytes: text.into_bytes(),
        status: if token.is_some() { 200 } else { 401 },
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
