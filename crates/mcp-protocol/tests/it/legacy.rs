//! Requests of the older revisions without sessions.

use mcp_protocol::serve::{Handler, HttpService, Options, SessionLimits};
use mcp_protocol::types::{Implementation, ListCapability, ResourceCapability, ServerCapabilities};
use serde_json::json;

use crate::drive::*;

#[tokio::test]
async fn initialize_echoes_what_is_spoken_and_negotiates_the_rest() {
    for (asked, answered) in [
        ("2025-03-26", "2025-03-26"),
        ("2025-06-18", "2025-06-18"),
        ("2025-11-25", "2025-11-25"),
        ("2024-11-05", "2025-11-25"),
        ("2026-07-28", "2025-11-25"),
        ("1999-01-01", "2025-11-25"),
    ] {
        let answer = initialize(asked, &json!({})).send(&stateless()).await;
        assert_eq!(answer.status, 200);
        assert_eq!(
            answer.json(),
            json!({ "jsonrpc": "2.0", "id": 0, "result": {
                "protocolVersion": answered,
                "capabilities": { "tools": {}, "resources": {}, "logging": {} },
                "serverInfo": { "name": "test", "version": "1" },
                "instructions": "Be kind.",
            } })
        );
        assert_eq!(answer.header("mcp-session-id"), None);
    }
    let answer = post(r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{}}"#)
        .send(&stateless())
        .await;
    assert_eq!(
        (answer.status, &answer.json()["error"]["code"]),
        (200, &json!(-32602))
    );
}

#[tokio::test]
async fn results_have_nothing_of_the_newest_revision_in_them() {
    for version in ["2025-03-26", "2025-06-18", "2025-11-25"] {
        legacy(version, "ping", &json!({}))
            .send(&stateless())
            .await
            .is(200, r#"{"jsonrpc":"2.0","id":1,"result":{}}"#);
        legacy(version, "tools/list", &json!({})).send(&stateless()).await.is(
            200,
            r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"echo","description":"Repeats.","inputSchema":{"type":"object"}}]}}"#,
        );
        let answer = legacy(version, "tools/call", &json!({ "name": "revision" }))
            .send(&stateless())
            .await;
        assert_eq!(answer.tool_text(), version);
    }
    // No header is 2025-03-26, which had none.
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"revision"}}"#;
    assert_eq!(
        post(body).send(&stateless()).await.tool_text(),
        "2025-03-26"
    );
}

#[tokio::test]
async fn notifications_are_accepted() {
    let body = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
    post(body)
        .header("mcp-protocol-version", "2025-11-25")
        .send(&stateless())
        .await
        .is(202, "");
}

#[tokio::test]
async fn a_version_that_is_not_spoken_is_400() {
    for version in ["2024-11-05", "v1", ""] {
        let answer = legacy(version, "ping", &json!({})).send(&stateless()).await;
        assert_eq!(
            (answer.status, &answer.json()["error"]["code"]),
            (400, &json!(-32022)),
            "{version}"
        );
    }
}

#[tokio::test]
async fn errors_are_ordinary_answers_in_the_codes_of_the_time() {
    legacy("2025-11-25", "unknown/method", &json!({})).send(&stateless()).await.is(
        200,
        r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"method not found: unknown/method"}}"#,
    );
    legacy("2025-11-25", "server/discover", &json!({})).send(&stateless()).await.is(
        200,
        r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"method not found: server/discover"}}"#,
    );
    legacy("2025-11-25", "tools/call", &json!({ "name": "nope" })).send(&stateless()).await.is(
        200,
        r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"unknown tool: \"nope\""}}"#,
    );
    legacy("2025-11-25", "resources/read", &json!({ "uri": "test://b" })).send(&stateless()).await.is(
        200,
        r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32002,"message":"resource not found","data":{"uri":"test://b"}}}"#,
    );
}

#[tokio::test]
async fn without_a_session_nobody_can_be_asked_and_nobody_answers() {
    let answer = legacy("2025-11-25", "tools/call", &json!({ "name": "name" }))
        .send(&stateless())
        .await;
    assert_eq!(
        (answer.status, &answer.json()["error"]["code"]),
        (200, &json!(-32600))
    );
    legacy("2025-11-25", "ping", &json!({}))
        .send(&stateless())
        .await;
    post(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#).header("mcp-protocol-version", "2025-11-25").send(&stateless()).await.is(
        400,
        r#"{"jsonrpc":"2.0","error":{"code":-32600,"message":"a response is not expected here"}}"#,
    );
}

#[tokio::test]
async fn modern_metadata_without_the_header_is_a_mismatch() {
    let answer = modern("tools/list", json!({}))
        .without("mcp-protocol-version")
        .send(&stateless())
        .await;
    assert_eq!(
        (answer.status, &answer.json()["error"]["code"]),
        (400, &json!(-32020))
    );
}

/// A server that declares more than it can deliver.
struct Boaster;

impl Handler for Boaster {
    fn info(&self) -> Implementation {
        Implementation::new("boaster", "1")
    }

    fn capabilities(&self) -> ServerCapabilities {
        ServerCapabilities {
            tools: Some(ListCapability { list_changed: true }),
            prompts: Some(ListCapability { list_changed: true }),
            resources: Some(ResourceCapability {
                list_changed: true,
                subscribe: true,
            }),
            ..ServerCapabilities::default()
        }
    }
}

#[tokio::test]
async fn only_what_can_be_delivered_is_announced() {
    // MCP-VER-04, MCP-LIFE-04: without a session there is no stream on which changes are told.
    let subscribe = legacy(
        "2025-11-25",
        "resources/subscribe",
        &json!({ "uri": "test://a" }),
    );
    subscribe.send(&stateless()).await.is(
        200,
        r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"method not found: resources/subscribe"}}"#,
    );
    let opened = initialize("2025-11-25", &json!({}))
        .send(&with_sessions())
        .await;
    assert_eq!(
        opened.json()["result"]["capabilities"],
        json!({ "tools": { "listChanged": true }, "resources": { "subscribe": true }, "logging": {} })
    );
    // Nor is there one where the handler has no changes to announce, in either era.
    let options = Options {
        sessions: Some(SessionLimits::new(|dest| dest.fill(1))),
        ..Options::default()
    };
    let service = HttpService::new(Boaster, options);
    let nothing = json!({ "tools": {}, "prompts": {}, "resources": {} });
    for call in [
        initialize("2025-11-25", &json!({})),
        modern("server/discover", json!({})),
    ] {
        let answer = call.send(&service).await;
        assert_eq!(answer.json()["result"]["capabilities"], nothing);
    }
}
