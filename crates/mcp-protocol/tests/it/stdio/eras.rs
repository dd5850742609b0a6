//! Both eras in one process: what opens a dialogue, and what may come when.

use super::*;

/// MCP-LIFE-02: each older revision, 2024-11-05 too, which HTTP does not carry.
#[tokio::test(start_paused = true)]
async fn initialize_is_answered_with_what_was_asked_for_or_the_newest() {
    for (requested, spoken) in [
        ("2024-11-05", "2024-11-05"),
        ("2025-03-26", "2025-03-26"),
        ("2025-06-18", "2025-06-18"),
        ("2025-11-25", "2025-11-25"),
        ("2026-07-28", "2025-11-25"),
        ("1.0", "2025-11-25"),
    ] {
        let mut peer = peer();
        let result = peer.open(requested, &json!({})).await;
        assert_eq!(result["protocolVersion"], spoken);
        assert_eq!(result["serverInfo"]["name"], "test");
        assert_eq!(result["capabilities"]["tools"]["listChanged"], true);
        // MCP-LIFE-04: what was negotiated is spoken.
        peer.send(call(1, "revision")).await;
        assert_eq!(text(&peer.next().await), spoken);
        assert!(peer.close().await.1.is_ok());
    }
}

/// MCP-LIFE-01, MCP-LIFE-05.
#[tokio::test(start_paused = true)]
async fn before_initialize_ping_is_answered_and_other_requests_are_refused() {
    let mut peer = peer();
    peer.send(request(1, "ping", json!({}))).await;
    peer.is(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#).await;
    for method in ["tools/list", "logging/setLevel", "no/such"] {
        peer.send(request(2, method, json!({}))).await;
        peer.is(r#"{"jsonrpc":"2.0","id":2,"error":{"code":-32600,"message":"initialize comes first, or each request brings the metadata of 2026-07-28"}}"#)
            .await;
    }
    // A failed attempt opens nothing and closes nothing.
    peer.send(request(3, "initialize", json!({}))).await;
    peer.refused(json!(3), -32602).await;
    peer.send(call(4, "echo")).await;
    peer.refused(json!(4), -32600).await;
    peer.open("2025-11-25", &json!({})).await;
    peer.send(call(5, "echo")).await;
    assert_eq!(text(&peer.next().await), "{}");
}

/// MCP-META-02: on a pipe there is no header that says which era it is.
#[tokio::test(start_paused = true)]
async fn what_only_the_newest_revision_has_wants_its_metadata() {
    let mut peer = peer();
    for method in ["server/discover", "subscriptions/listen"] {
        peer.send(request(1, method, json!({}))).await;
        assert_eq!(
            peer.refused(json!(1), -32602).await,
            "params._meta: _meta is missing"
        );
    }
    // In the dialogue of an older revision they are unknown.
    peer.open("2025-11-25", &json!({})).await;
    peer.send(request(1, "server/discover", json!({}))).await;
    peer.refused(json!(1), -32601).await;
}

/// MCP-LIFE-01.
#[tokio::test(start_paused = true)]
async fn initialize_twice_is_refused_and_the_dialogue_goes_on() {
    let mut peer = peer();
    peer.open("2025-06-18", &json!({})).await;
    peer.send(initialize("2025-11-25", &json!({}))).await;
    peer.is(r#"{"jsonrpc":"2.0","id":0,"error":{"code":-32600,"message":"initialize is not allowed here"}}"#)
        .await;
    peer.send(call(1, "revision")).await;
    assert_eq!(text(&peer.next().await), "2025-06-18");
}

/// MCP-LIFE-06: what a client must not do changes nothing.
#[tokio::test(start_paused = true)]
async fn initialize_cannot_be_cancelled() {
    let mut peer = peer();
    let both = format!(
        "{}\n{}\n",
        initialize("2025-11-25", &json!({})),
        cancelled(0)
    );
    peer.bytes(both.as_bytes()).await;
    assert_eq!(peer.next().await["result"]["protocolVersion"], "2025-11-25");
    peer.send(call(1, "echo")).await;
    assert_eq!(text(&peer.next().await), "{}");
}

/// MCP-DUAL-01: neither era knows of the other.
#[tokio::test(start_paused = true)]
async fn one_process_serves_both_eras_at_the_same_time() {
    let mut peer = peer();
    peer.send(modern(1, "tools/call", json!({ "name": "revision" })))
        .await;
    assert_eq!(text(&peer.next().await), "2026-07-28");
    peer.open("2025-03-26", &json!({})).await;
    peer.send(call(2, "revision")).await;
    assert_eq!(text(&peer.next().await), "2025-03-26");
    peer.send(modern("x", "tools/call", json!({ "name": "revision" })))
        .await;
    let answer = peer.next().await;
    assert_eq!((text(&answer), &answer["id"]), ("2026-07-28", &json!("x")));
    // MCP-RPC-08: in the newest era every result says what it is, in the older none does.
    assert_eq!(answer["result"]["resultType"], "complete");
    peer.send(call(3, "echo")).await;
    assert_eq!(peer.next().await["result"].get("resultType"), None);
}

/// MCP-VER-01: a pipe carries every revision.
#[tokio::test(start_paused = true)]
async fn discovery_names_every_revision_that_a_pipe_carries() {
    let mut peer = peer();
    peer.send(modern(1, "server/discover", json!({}))).await;
    assert_eq!(
        peer.next().await["result"]["supportedVersions"],
        json!([
            "2026-07-28",
            "2025-11-25",
            "2025-06-18",
            "2025-03-26",
            "2024-11-05"
        ])
    );
}

/// MCP-DUAL-06.
#[tokio::test(start_paused = true)]
async fn methods_of_the_older_era_with_modern_metadata_are_unknown() {
    let mut peer = peer();
    peer.open("2025-11-25", &json!({})).await;
    for method in [
        "initialize",
        "ping",
        "logging/setLevel",
        "resources/subscribe",
        "resources/unsubscribe",
    ] {
        peer.send(modern(
            1,
            method,
            json!({ "uri": "test://a", "level": "info" }),
        ))
        .await;
        assert_eq!(
            peer.refused(json!(1), -32601).await,
            format!("method not found: {method}")
        );
    }
    for (method, params) in [
        ("ping", json!({})),
        ("logging/setLevel", json!({ "level": "info" })),
        ("resources/subscribe", json!({ "uri": "test://a" })),
        ("resources/unsubscribe", json!({ "uri": "test://a" })),
    ] {
        peer.send(request(1, method, params)).await;
        peer.is(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#).await;
    }
}

/// MCP-STDIO-06: there is a gate, and nobody in particular in front of it.
#[tokio::test(start_paused = true)]
async fn the_gate_is_asked_and_there_is_no_principal() {
    let mut peer = Peer::connect(gated("echo"), 1 << 16);
    peer.open("2025-11-25", &json!({})).await;
    let refused = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"this operation is refused here (403 Forbidden)"}}"#;
    peer.send(call(1, "echo")).await;
    peer.is(refused).await;
    peer.send(modern(1, "tools/call", json!({ "name": "echo" })))
        .await;
    peer.is(refused).await;
    peer.send(call(2, "who")).await;
    assert_eq!(text(&peer.next().await), "nobody");
    for method in ["initialize", "ping"] {
        let mut peer = Peer::connect(gated(method), 1 << 16);
        let params = initialize("2025-11-25", &json!({}))["params"].clone();
        peer.send(request(1, method, params)).await;
        peer.is(refused).await;
    }
}
