//! Arrays: exactly in 2025-03-26.

use super::*;

/// MCP-RPC-07, and before any revision is agreed on.
#[tokio::test(start_paused = true)]
async fn an_array_is_refused_in_every_other_revision() {
    let array = json!([request(1, "ping", json!({}))]);
    let refused = r#"{"jsonrpc":"2.0","error":{"code":-32600,"message":"batches are not part of this revision"}}"#;
    for version in ["2024-11-05", "2025-06-18", "2025-11-25"] {
        let mut peer = peer();
        peer.send(array.clone()).await;
        peer.is(refused).await;
        peer.open(version, &json!({})).await;
        peer.send(array.clone()).await;
        peer.is(refused).await;
    }
    let mut peer = peer();
    peer.open("2025-03-26", &json!({})).await;
    peer.send(json!([modern(1, "tools/list", json!({}))])).await;
    peer.is(refused).await;
    peer.send(json!([])).await;
    peer.refused(Value::Null, -32600).await;
}

/// MCP-RPC-06.
#[tokio::test(start_paused = true)]
async fn each_request_of_an_array_is_answered_in_one_line() {
    let mut peer = Peer::connect(gated("who"), 1 << 16);
    peer.open("2025-03-26", &json!({})).await;
    peer.send(json!([
        call(1, "hang"),
        5,
        initialize("2025-03-26", &json!({})),
        call(2, "echo"),
        notification("notifications/unknown", json!({})),
        call(2, "echo"),
        call(3, "who"),
        { "jsonrpc": "2.0", "id": 9, "result": {} },
        request("p", "ping", json!({})),
        request(4, "no/such", json!({})),
    ]))
    .await;
    let answer = peer.next().await;
    let codes: Vec<(Value, Value)> = answer
        .as_array()
        .unwrap()
        .iter()
        .map(|answer| {
            let id = answer.get("id").cloned().unwrap_or_default();
            (id, answer["error"]["code"].clone())
        })
        .collect();
    assert_eq!(
        json!(codes),
        json!([
            [1, null],
            [null, -32600],
            [0, -32600],
            [2, null],
            [2, -32600],
            [3, -32000],
            ["p", null],
            [4, -32601],
        ])
    );
    // The ids are free again.
    peer.send(call(1, "echo")).await;
    assert_eq!(text(&peer.next().await), "{}");
}

/// MCP-RPC-06: nothing to answer is no answer.
#[tokio::test(start_paused = true)]
async fn an_array_of_notifications_and_responses_is_not_answered() {
    let mut peer = peer();
    peer.open("2025-03-26", &json!({ "sampling": {} })).await;
    peer.send(call(1, "model")).await;
    let question = peer.next().await;
    peer.send(json!([
        notification("notifications/unknown", json!({})),
        { "jsonrpc": "2.0", "id": question["id"], "result": {
            "role": "assistant", "model": "m", "content": { "type": "text", "text": "Hi" },
        } },
    ]))
    .await;
    assert_eq!(text(&peer.next().await), "Hi");
    peer.quiet().await;
}

#[tokio::test(start_paused = true)]
async fn a_request_of_an_array_can_be_cancelled_and_speaks_on_lines_of_its_own() {
    let mut peer = peer();
    peer.open("2025-03-26", &json!({})).await;
    peer.send(json!([reporting(1, "wait"), call(2, "echo")]))
        .await;
    assert_eq!(peer.next().await["method"], "notifications/progress");
    peer.quiet().await;
    peer.send(cancelled(1)).await;
    let answer = peer.next().await;
    assert_eq!(answer.as_array().unwrap().len(), 1);
    assert_eq!(answer[0]["id"], 2);
    // One that was done already waits for the others, and can be cancelled too.
    peer.send(json!([
        call(2, "echo"),
        reporting(1, "wait"),
        call(3, "echo")
    ]))
    .await;
    peer.next().await;
    peer.send(cancelled(2)).await;
    peer.send(cancelled(1)).await;
    let answer = peer.next().await;
    assert_eq!(answer.as_array().unwrap().len(), 1);
    assert_eq!(answer[0]["id"], 3);
    // And one with nothing left in it is no line.
    peer.send(json!([reporting(1, "wait")])).await;
    peer.next().await;
    peer.send(cancelled(1)).await;
    peer.quiet().await;
}
