//! The tools through an MCP endpoint.

use bytes::Bytes;
use http::{Extensions, Request};
use http_body_util::{BodyExt as _, Full};
use mcp_protocol::serve::{Handler, HttpService, Options};
use serde_json::{Value, json};
use tower_service::Service as _;

use didit_tools::Wish;

use crate::upstream::{ONE, Upstream, ada};

async fn ask(upstream: &Upstream, method: &str, params: Value) -> Value {
    ask_of(upstream.tools(), method, params).await
}

/// One request to an endpoint over these tools.
pub(crate) async fn ask_of(tools: impl Handler, method: &str, params: Value) -> Value {
    ask_at(tools, "", ada(), method, params).await
}

/// Asks at an address with a query, as somebody.
pub(crate) async fn ask_at(
    tools: impl Handler,
    query: &str,
    caller: Extensions,
    method: &str,
    mut params: Value,
) -> Value {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "0"},
    });
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    let mut request = Request::post(format!("http://127.0.0.1/mcp{query}"))
        .header("host", "127.0.0.1")
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", method);
    if let Some(name) = params["name"].as_str().or(params["uri"].as_str()) {
        request = request.header("mcp-name", name);
    }
    let mut request = request
        .body(Full::new(Bytes::from(body.to_string())))
        .unwrap();
    *request.extensions_mut() = caller;
    Wish::leave(&mut request);
    let mut service = HttpService::new(tools, Options::default());
    let response = service.call(request).await.unwrap();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let text = String::from_utf8(body.to_vec()).unwrap();
    let json = text
        .lines()
        .find_map(|line| line.strip_prefix("data: "))
        .unwrap_or(&text);
    serde_json::from_str(json).unwrap()
}

async fn call(upstream: &Upstream, name: &str, arguments: Value) -> Value {
    ask(
        upstream,
        "tools/call",
        json!({"name": name, "arguments": arguments}),
    )
    .await
}

#[tokio::test]
async fn the_list_says_how_long_it_may_be_kept() {
    let answer = ask(&Upstream::quiet(ONE), "tools/list", json!({})).await;
    assert_eq!(answer["result"]["ttlMs"], 60_000);
    assert_eq!(answer["result"]["cacheScope"], "private");
    assert!(!answer["result"]["tools"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn a_success_is_text_and_object() {
    let upstream = Upstream::new(ONE, |_| (200, json!([{"b": 1, "a": "ż"}])));
    let answer = call(&upstream, "didit_questionnaire_list", json!({})).await;
    let result = &answer["result"];
    assert_eq!(
        result["content"],
        json!([{"type": "text", "text": r#"[{"a":"ż","b":1}]"#}])
    );
    assert_eq!(
        result["structuredContent"],
        json!({"value": [{"a": "ż", "b": 1}]})
    );
    assert!(result.get("isError").is_none());
    let upstream = Upstream::new(ONE, |_| (200, json!({"status": "Approved"})));
    let answer = call(
        &upstream,
        "didit_session_get_decision",
        json!({"session_id": "s"}),
    )
    .await;
    assert_eq!(
        answer["result"]["structuredContent"],
        json!({"status": "Approved"})
    );
}

#[tokio::test]
async fn a_failure_is_an_error_result() {
    let answer = call(
        &Upstream::quiet(ONE),
        "didit_session_get_decision",
        json!({}),
    )
    .await;
    let result = &answer["result"];
    assert_eq!(result["isError"], true);
    assert!(result.get("structuredContent").is_none());
    assert_eq!(
        result["content"][0]["text"],
        "Error [bad_request]: session_id is missing\nField: session_id\nHint: Send text. Id of the session; didit_session_search finds it."
    );
}

#[tokio::test]
async fn a_tool_that_does_not_exist_is_a_protocol_error() {
    let upstream = Upstream::quiet(ONE);
    let answer = call(&upstream, "didit_session_erase", json!({})).await;
    assert_eq!(answer["error"]["code"], -32602);
    assert!(upstream.all().is_empty());
}

#[tokio::test]
async fn a_cursor_that_nobody_gave_is_refused() {
    let answer = ask(&Upstream::quiet(ONE), "tools/list", json!({"cursor": "2"})).await;
    assert_eq!(answer["error"]["code"], -32602);
}
