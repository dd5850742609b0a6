//! The requests that are measured, as a client of their revision writes them.

use serde_json::{Value, json};

use super::load::Request;

/// One POST.
struct Post {
    headers: Vec<(&'static str, String)>,
    body: Value,
}

impl Post {
    /// The request as it goes over the connection.
    fn request(&self) -> Request {
        let body = self.body.to_string();
        let mut text = String::from("POST /mcp HTTP/1.1\r\nhost: localhost\r\n");
        let always = [
            ("user-agent", "bench/1.0".to_owned()),
            ("content-type", "application/json".to_owned()),
            ("accept", "application/json, text/event-stream".to_owned()),
            ("content-length", body.len().to_string()),
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
    call("echo", json!({ "text": "Hello, world." }), None)
}

/// `tools/list`, 2026-07-28.
pub(crate) fn list(token: Option<&str>) -> Request {
    modern("tools/list", None, json!({ "_meta": meta() }), token)
}

/// `tools/call`, 2026-07-28.
pub(crate) fn call(tool: &str, arguments: Value, token: Option<&str>) -> Request {
    let params = json!({ "name": tool, "arguments": arguments, "_meta": meta() });
    modern("tools/call", Some(tool), params, token)
}

fn modern(method: &str, name: Option<&str>, params: Value, token: Option<&str>) -> Request {
    let mut headers = vec![
        ("mcp-protocol-version", "2026-07-28".to_owned()),
        ("mcp-method", method.to_owned()),
    ];
    headers.extend(name.map(|name| ("mcp-name", name.to_owned())));
    headers.extend(token.map(|token| ("authorization", format!("Bearer {token}"))));
    Post {
        headers,
        body: json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }),
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
    Request {
        status: if token.is_some() { 200 } else { 401 },
        ..page("/mcp", token)
    }
}

/// A GET of this path.
pub(crate) fn page(path: &str, token: Option<&str>) -> Request {
    let mut text = format!(
        "GET {path} HTTP/1.1\r\nhost: localhost\r\nuser-agent: bench/1.0\r\naccept: application/json\r\n"
    );
    if let Some(token) = token {
        text.push_str("authorization: Bearer ");
        text.push_str(token);
        text.push_str("\r\n");
    }
    text.push_str("\r\n");
    Request {
        bytes: text.into_bytes(),
        status: 200,
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
