//! What is refused before a message is understood.

use std::sync::Arc;

use bytes::Bytes;
use mcp_protocol::serve::{HttpService, Operation, Options};
use serde_json::json;

use crate::drive::*;

const PING: &str = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;

#[tokio::test]
async fn a_ping_in_order_is_answered() {
    let answer = post(PING).send(&stateless()).await;
    answer.is(200, r#"{"jsonrpc":"2.0","id":1,"result":{}}"#);
    assert_eq!(answer.header("content-type"), Some("application/json"));
}

#[tokio::test]
async fn a_host_from_elsewhere_is_refused() {
    let refused = r#"{"jsonrpc":"2.0","error":{"code":-32000,"message":"host is not allowed"}}"#;
    for host in ["evil.example.com", "localhost.evil.example.com"] {
        post(PING)
            .replace("host", host)
            .send(&stateless())
            .await
            .is(403, refused);
        bare("GET", "")
            .replace("host", host)
            .send(&with_sessions())
            .await
            .is(403, refused);
    }
    post(PING)
        .without("host")
        .send(&stateless())
        .await
        .is(403, refused);
}

#[tokio::test]
async fn an_origin_from_elsewhere_is_refused() {
    let refused = r#"{"jsonrpc":"2.0","error":{"code":-32000,"message":"origin is not allowed"}}"#;
    for origin in ["http://evil.example.com", "null"] {
        post(PING)
            .header("origin", origin)
            .send(&stateless())
            .await
            .is(403, refused);
    }
    let answer = post(PING)
        .header("origin", "http://localhost:6274")
        .send(&stateless())
        .await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_wrong_content_type_is_refused() {
    let refused = r#"{"jsonrpc":"2.0","error":{"code":-32000,"message":"content type must be application/json"}}"#;
    post(PING)
        .replace("content-type", "text/plain")
        .send(&stateless())
        .await
        .is(415, refused);
    post(PING)
        .without("content-type")
        .send(&stateless())
        .await
        .is(415, refused);
}

#[tokio::test]
async fn a_client_that_accepts_one_answer_only_is_refused() {
    let refused = r#"{"jsonrpc":"2.0","error":{"code":-32000,"message":"client must accept both application/json and text/event-stream"}}"#;
    post(PING)
        .replace("accept", "application/json")
        .send(&stateless())
        .await
        .is(406, refused);
    post(PING)
        .replace("accept", "text/event-stream")
        .send(&stateless())
        .await
        .is(406, refused);
    assert_eq!(
        post(PING)
            .replace("accept", "*/*")
            .send(&stateless())
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_whatever_it_says_of_its_length() {
    let options = Options {
        max_body_bytes: 1000,
        ..Options::default()
    };
    let service = HttpService::new(Server::default(), options);
    let refused =
        r#"{"jsonrpc":"2.0","error":{"code":-32000,"message":"body is longer than 1000 bytes"}}"#;
    let body = |length: usize| format!("{PING}{}", " ".repeat(length - PING.len()));
    post(body(1001)).send(&service).await.is(413, refused);
    post(body(1001)).in_pieces(&service).await.is(413, refused);
    assert_eq!(post(body(1000)).in_pieces(&service).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_refused_in_time() {
    let request = http::Request::post("/mcp")
        .header("host", "localhost")
        .header("content-type", "application/json")
        .body(Never)
        .unwrap();
    let response = tower_service::Service::call(&mut stateless(), request)
        .await
        .unwrap();
    assert_eq!(response.status(), 408);
}

#[tokio::test]
async fn malformed_json_is_a_parse_error_without_an_id() {
    let refused = r#"{"jsonrpc":"2.0","error":{"code":-32700,"message":"body is not JSON"}}"#;
    for body in [
        "",
        "{",
        r#"{"jsonrpc":"2.0","id":1,"method":"ping""#,
        "hello",
    ] {
        post(body).send(&stateless()).await.is(400, refused);
    }
    post(b"{\"jsonrpc\":\"2.0\",\"id\":\"\xff\"}".to_vec())
        .send(&stateless())
        .await
        .is(400, refused);
}

#[tokio::test]
async fn a_body_nested_too_deeply_is_an_invalid_request() {
    let body = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"ping","params":{}{}}}"#,
        r#"{"a":"#.repeat(80),
        "}".repeat(80)
    );
    post(body).send(&stateless()).await.is(
        400,
        r#"{"jsonrpc":"2.0","error":{"code":-32600,"message":"body is nested too deeply"}}"#,
    );
}

#[tokio::test]
async fn what_is_no_message_is_an_invalid_request_with_the_id_if_it_was_read() {
    for (body, refused) in [
        (
            "5",
            r#"{"jsonrpc":"2.0","error":{"code":-32600,"message":"not a JSON-RPC 2.0 message: a message is an object"}}"#,
        ),
        (
            r#"{"jsonrpc":"1.0","id":7,"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":7,"error":{"code":-32600,"message":"not a JSON-RPC 2.0 message: jsonrpc must be \"2.0\""}}"#,
        ),
        (
            r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","error":{"code":-32600,"message":"not a JSON-RPC 2.0 message: id must be a string or an integer"}}"#,
        ),
        (
            r#"{"jsonrpc":"2.0","id":"a"}"#,
            r#"{"jsonrpc":"2.0","id":"a","error":{"code":-32600,"message":"not a JSON-RPC 2.0 message: no method, no result, no error"}}"#,
        ),
    ] {
        post(body).send(&stateless()).await.is(400, refused);
    }
}

#[tokio::test]
async fn without_sessions_get_and_delete_are_not_allowed() {
    let refused = r#"{"jsonrpc":"2.0","error":{"code":-32000,"message":"method not allowed"}}"#;
    for method in ["GET", "DELETE", "PUT", "OPTIONS"] {
        let answer = bare(method, "")
            .header("accept", "text/event-stream")
            .send(&stateless())
            .await;
        answer.is(405, refused);
        assert_eq!(answer.header("allow"), Some("POST"));
    }
}

#[tokio::test]
async fn the_gate_sees_the_operation_and_may_answer_instead() {
    let gate = |extensions: &http::Extensions, operation: &Operation| {
        assert_eq!(extensions.get::<Person>().map(|p| p.0), Some("ada"));
        if operation.method == "tools/call" && operation.name.as_deref() == Some("echo") {
            let response = http::Response::builder()
                .status(403)
                .header("www-authenticate", "Bearer error=\"insufficient_scope\"");
            return Err(Box::new(response.body(Bytes::from_static(b"no")).unwrap()));
        }
        Ok(())
    };
    let service = HttpService::new(
        Server::default(),
        Options {
            gate: Some(Arc::new(gate)),
            ..Options::default()
        },
    );
    for call in [
        modern("tools/call", json!({ "name": "echo" })),
        legacy("2025-11-25", "tools/call", &json!({ "name": "echo" })),
        post(r#"[{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo"}}]"#),
    ] {
        let answer = call.person("ada").send(&service).await;
        answer.is(403, "no");
        assert_eq!(
            answer.header("www-authenticate"),
            Some("Bearer error=\"insufficient_scope\"")
        );
    }
    let answer = modern("tools/call", json!({ "name": "who" }))
        .person("ada")
        .send(&service)
        .await;
    assert_eq!(answer.tool_text(), "ada");
    // An unknown method is refused before the gate is asked.
    assert_eq!(
        modern("unknown/method", json!({}))
            .send(&service)
            .await
            .status,
        404
    );
}
