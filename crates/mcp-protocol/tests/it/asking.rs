//! Calls that ask for input in 2026-07-28.

use std::sync::Arc;

use serde_json::json;

use crate::drive::*;

#[tokio::test]
async fn a_call_asks_and_goes_on_with_the_answer() {
    let client = json!({ "elicitation": {} });
    let answer = modern_as(&client, "tools/call", json!({ "name": "name" }))
        .send(&stateless())
        .await;
    assert_eq!(
        answer.json()["result"],
        json!({
            "resultType": "input_required",
            "inputRequests": { "name": { "method": "elicitation/create", "params": {
                "mode": "form", "message": "Name?", "requestedSchema": { "type": "object", "properties": {} },
            } } },
            "_meta": { INFO: { "name": "test", "version": "1" } },
        })
    );
    let answered = json!({ "name": "name", "inputResponses": { "name": { "action": "accept", "content": {} }, "extra": 1 } });
    let answer = modern_as(&client, "tools/call", answered)
        .send(&stateless())
        .await;
    assert_eq!(answer.json()["result"]["resultType"], "complete");
    assert_eq!(answer.tool_text(), "Accept Some({})");
}

#[tokio::test]
async fn a_client_that_cannot_be_asked_is_told_what_is_missing() {
    modern("tools/call", json!({ "name": "model" })).send(&stateless()).await.is(
        400,
        r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32021,"message":"the client has not declared a capability that this needs","data":{"requiredCapabilities":{"sampling":{}}}}}"#,
    );
}

#[tokio::test]
async fn malformed_answers_are_invalid_parameters() {
    let client = json!({ "elicitation": {} });
    for responses in [json!(5), json!(null), json!([])] {
        let params = json!({ "name": "name", "inputResponses": responses });
        let answer = modern_as(&client, "tools/call", params)
            .send(&stateless())
            .await;
        answer.is(200, r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"inputResponses must be an object"}}"#);
    }
    let params = json!({ "name": "name", "inputResponses": { "name": 7 } });
    let answer = modern_as(&client, "tools/call", params)
        .send(&stateless())
        .await;
    answer.is(200, r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"the answer to \"name\" has the wrong shape"}}"#);
}

#[tokio::test]
async fn nothing_of_a_call_is_held_after_it_has_asked() {
    let service = stateless();
    // Shared with everything that belongs to the request: each part holds its extensions.
    let mark = Arc::new(());
    let params = json!({ "name": "name" });
    for _ in 0..3 {
        let answer = modern_as(&json!({ "elicitation": {} }), "tools/call", params.clone())
            .extension(Arc::clone(&mark))
            .send(&service)
            .await;
        assert_eq!(answer.json()["result"]["resultType"], "input_required");
        assert_eq!(Arc::strong_count(&mark), 1);
    }
}
