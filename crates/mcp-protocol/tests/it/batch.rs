//! Arrays of messages: part of 2025-03-26 and of nothing else.

use serde_json::{Value, json};

use crate::drive::*;

const BATCH: &str = r#"[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","method":"notifications/initialized"},{"jsonrpc":"2.0","id":"b","method":"nope"}]"#;

#[tokio::test]
async fn elsewhere_an_array_is_an_invalid_request() {
    let refused = r#"{"jsonrpc":"2.0","error":{"code":-32600,"message":"batches are not part of this revision"}}"#;
    for version in ["2025-06-18", "2025-11-25", "2026-07-28", "v9"] {
        post(BATCH)
            .header("mcp-protocol-version", version)
            .send(&stateless())
            .await
            .is(400, refused);
    }
}

#[tokio::test]
async fn in_its_revision_each_request_is_answered() {
    let expected = r#"[{"jsonrpc":"2.0","id":1,"result":{}},{"jsonrpc":"2.0","id":"b","error":{"code":-32601,"message":"method not found: nope"}}]"#;
    post(BATCH)
        .header("mcp-protocol-version", "2025-03-26")
        .send(&stateless())
        .await
        .is(200, expected);
    post(BATCH).send(&stateless()).await.is(200, expected);
}

#[tokio::test]
async fn only_notifications_are_accepted_without_an_answer() {
    post(r#"[{"jsonrpc":"2.0","method":"a"},{"jsonrpc":"2.0","method":"b"}]"#)
        .send(&stateless())
        .await
        .is(202, "");
}

#[tokio::test]
async fn an_empty_or_endless_batch_is_an_invalid_request() {
    let refused =
        r#"{"jsonrpc":"2.0","error":{"code":-32600,"message":"a batch has 1 to 64 messages"}}"#;
    post("[]").send(&stateless()).await.is(400, refused);
    post(format!("[{}]", vec!["1"; 65].join(",")))
        .send(&stateless())
        .await
        .is(400, refused);
}

#[tokio::test]
async fn initialize_and_what_is_no_message_are_refused_one_by_one() {
    let body = r#"[{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}},7]"#;
    post(body).send(&stateless()).await.is(
        200,
        r#"[{"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"initialize is not allowed here"}},{"jsonrpc":"2.0","error":{"code":-32600,"message":"not a JSON-RPC 2.0 message: a message is an object"}}]"#,
    );
}

#[tokio::test]
async fn notifications_of_a_batch_come_on_its_stream() {
    let call = |id: i64| json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": { "name": "progress", "_meta": { "progressToken": id } } });
    let answer = post(json!([call(1), call(2)]).to_string())
        .send(&stateless())
        .await;
    let events = answer.events();
    assert_eq!(events.len(), 5);
    let last = events[4].as_array().unwrap();
    assert_eq!(
        last.iter().map(|one| &one["id"]).collect::<Vec<&Value>>(),
        [1, 2]
    );
}

#[tokio::test]
async fn an_array_that_is_refused_has_started_nothing() {
    // An error without an id belongs to nobody, as when it comes alone.
    let service = with_sessions();
    let opened = initialize("2025-03-26", &json!({})).send(&service).await;
    let session = opened.header("mcp-session-id").unwrap();
    let call = |id: i64, name: &str| json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": { "name": name } });
    let stray = json!({ "jsonrpc": "2.0", "error": { "code": -32603, "message": "x" } });
    let refused = post(json!([call(1, "wait"), stray]).to_string())
        .header("mcp-session-id", session)
        .send(&service)
        .await;
    assert_eq!(refused.status, 400, "{refused:?}");
    // Were the first at work, its id would be in use.
    let again = post(call(1, "echo").to_string())
        .header("mcp-session-id", session)
        .send(&service)
        .await;
    assert_eq!(again.tool_text(), "{}");
}
