//! Which of two violations is told: for each pair, the one that comes first in the order of checks.

use std::sync::Arc;
use std::time::UNIX_EPOCH;

use mcp_protocol::serve::{HttpService, Options, TaskLimits};
use serde_json::{Value, json};

use crate::drive::*;

/// What can be wrong with a request of 2026-07-28, in the order of the checks: requirements section
/// 14.5, with what HTTP itself asks for in front. Each with the status and a part of the answer.
const ORDER: [(&str, u16, &str); 16] = [
    ("host", 403, "host is not allowed"),
    ("origin", 403, "origin is not allowed"),
    ("content type", 415, "content type must be"),
    ("accept", 406, "client must accept"),
    ("length", 413, "body is longer than"),
    ("json", 400, r#""code":-32700"#),
    ("shape", 400, r#""code":-32600"#),
    ("metadata", 400, r#""code":-32602"#),
    ("header of the version", 400, "header MCP-Protocol-Version"),
    ("header of the method", 400, "header Mcp-Method"),
    ("version", 400, r#""code":-32022"#),
    ("method", 404, r#""code":-32601"#),
    ("extension", 400, r#""code":-32021"#),
    ("gate", 403, "the gate is shut"),
    ("parameters", 200, r#""code":-32602"#),
    ("header of an argument", 400, "header mcp-param-region"),
];

/// What cannot be wrong at once: one request has one method, and a tool only with parameters.
const EXCLUSIVE: [(&str, &str); 5] = [
    ("method", "extension"),
    ("method", "parameters"),
    ("method", "header of an argument"),
    ("extension", "header of an argument"),
    ("parameters", "header of an argument"),
];

const LIMIT: usize = 2000;

/// Sends a request that is right but for these.
async fn send(wrong: &[&str]) -> Answer {
    let is = |what| wrong.contains(&what);
    let mut options = Options {
        max_body_bytes: LIMIT,
        tasks: Some(TaskLimits::new(|| UNIX_EPOCH, |dest| dest.fill(0))),
        ..Options::default()
    };
    if is("gate") {
        options.gate = Some(Arc::new(|_, _| {
            let mut shut = http::Response::new(bytes::Bytes::from_static(b"the gate is shut"));
            *shut.status_mut() = http::StatusCode::FORBIDDEN;
            Err(Box::new(shut))
        }));
    }
    let service = HttpService::new(Server::default(), options);

    let (method, member, name) = match () {
        () if is("method") => ("unknown/method", "name", "echo"),
        () if is("extension") => ("tasks/get", "taskId", "t"),
        () => ("tools/call", "name", "mirrored"),
    };
    let version = if is("version") { "v9" } else { "2026-07-28" };
    let mut meta = json!({
        "io.modelcontextprotocol/protocolVersion": version,
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    if is("metadata") {
        meta["io.modelcontextprotocol/clientCapabilities"] = json!(5);
    }
    let named = if is("parameters") {
        json!(5)
    } else {
        json!(name)
    };
    let params = json!({ member: named, "arguments": { "region": "eu" }, "_meta": meta });
    let jsonrpc = if is("shape") { "1.0" } else { "2.0" };
    let body = json!({ "jsonrpc": jsonrpc, "id": 1, "method": method, "params": params });
    let mut body = body.to_string();
    if is("json") {
        body.pop();
    }
    if is("length") {
        body.push_str(&" ".repeat(LIMIT));
    }

    let value =
        |what, wrong: &'static str, right: &'static str| if is(what) { wrong } else { right };
    let header = |what, right: &str| {
        if is(what) {
            "other".to_owned()
        } else {
            right.to_owned()
        }
    };
    bare("POST", body)
        .replace("host", value("host", "evil.example", "localhost"))
        .header(
            "origin",
            value("origin", "https://evil.example", "http://localhost"),
        )
        .header(
            "content-type",
            value("content type", "text/plain", "application/json"),
        )
        .header(
            "accept",
            value("accept", "text/html", "application/json, text/event-stream"),
        )
        .header(
            "mcp-protocol-version",
            &header("header of the version", version),
        )
        .header("mcp-method", &header("header of the method", method))
        .header("mcp-name", name)
        .header("mcp-param-region", &header("header of an argument", "eu"))
        .send(&service)
        .await
}

#[tokio::test]
async fn of_two_violations_the_earlier_one_is_told() {
    // MCP-HTTP-10, MCP-META-02, MCP-HTTP-11, MCP-HTTP-14, MCP-VER-02; each by itself first.
    assert_eq!(send(&[]).await.tool_text(), "ok");
    let mut pairs = 0;
    for (at, (first, status, text)) in ORDER.into_iter().enumerate() {
        let told = |answer: &Answer| answer.status == status && answer.text.contains(text);
        let answer = send(&[first]).await;
        assert!(told(&answer), "{first}: {answer:?}");
        for (second, ..) in ORDER.into_iter().skip(at + 1) {
            if EXCLUSIVE.contains(&(first, second)) {
                continue;
            }
            let answer = send(&[first, second]).await;
            assert!(told(&answer), "{first} before {second}: {answer:?}");
            pairs += 1;
        }
    }
    assert_eq!(pairs, 16 * 15 / 2 - EXCLUSIVE.len());
}

#[tokio::test]
async fn an_error_names_its_request_as_soon_as_its_id_could_be_read() {
    // MCP-RPC-03: no id instead of null.
    for (wrong, id) in [
        ("content type", None),
        ("json", None),
        ("shape", Some(json!(1))),
        ("metadata", Some(json!(1))),
        ("version", Some(json!(1))),
        ("method", Some(json!(1))),
        ("parameters", Some(json!(1))),
    ] {
        let answer = send(&[wrong]).await.json();
        assert_eq!(answer.get("id"), id.as_ref(), "{wrong}");
        assert_eq!(answer.get("result"), None::<&Value>, "{wrong}");
    }
}
