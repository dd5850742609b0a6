//! Which revision a server at the other end of a pipe speaks.

use std::time::Duration;

use mcp_protocol::Revision;
use mcp_protocol::client::pipe::PipeLimits;
use mcp_protocol::client::{Client, ClientError};
use mcp_protocol::types::Implementation;
use serde_json::json;
use tokio::time::Instant;

use super::{calling, discovered, initialized, pair, pipe, text};

#[tokio::test(start_paused = true)]
async fn a_server_of_the_newest_era_is_recognised_and_asked_in_its_form() {
    let (client, pipe, mut peer) = pair();
    let called = calling(&client, "echo");
    let discover = peer.expect("server/discover").await;
    let meta = &discover["params"]["_meta"];
    assert_eq!(
        meta["io.modelcontextprotocol/protocolVersion"],
        "2026-07-28"
    );
    peer.answer(&discover, discovered()).await;
    let request = peer.expect("tools/call").await;
    assert_eq!(
        request["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"],
        "2026-07-28"
    );
    assert!(request["id"].is_i64());
    peer.answer(&request, text("hello")).await;
    assert_eq!(called.await.unwrap().unwrap(), "hello");
    // It is not asked again.
    let called = calling(&client, "echo");
    let request = peer.expect("tools/call").await;
    peer.answer(&request, text("again")).await;
    assert_eq!(called.await.unwrap().unwrap(), "again");
    assert_eq!(pipe.skipped(), Default::default());
}

#[tokio::test(start_paused = true)]
async fn a_recognised_error_means_the_newest_era() {
    for code in [-32020, -32021] {
        let (client, _pipe, mut peer) = pair();
        let called = calling(&client, "echo");
        let discover = peer.expect("server/discover").await;
        peer.refuse(&discover, code).await;
        let request = peer.expect("tools/call").await;
        peer.answer(&request, text("hello")).await;
        assert_eq!(called.await.unwrap().unwrap(), "hello");
    }
}

#[tokio::test(start_paused = true)]
async fn the_revisions_that_an_error_names_are_chosen_from() {
    let (client, _pipe, mut peer) = pair();
    let connected = tokio::spawn(async move { client.connect().await });
    let discover = peer.expect("server/discover").await;
    let data = json!({"supported": ["2024-11-05", "2025-03-26"], "requested": "2026-07-28"});
    peer.say(json!({"jsonrpc": "2.0", "id": discover["id"],
                    "error": {"code": -32022, "message": "no", "data": data}}))
        .await;
    let initialize = peer.expect("initialize").await;
    assert_eq!(initialize["params"]["protocolVersion"], "2025-03-26");
    peer.answer(&initialize, initialized("2025-03-26")).await;
    peer.expect("notifications/initialized").await;
    assert_eq!(connected.await.unwrap().unwrap(), Revision::V2025_03_26);
}

#[tokio::test(start_paused = true)]
async fn any_other_error_means_a_handshake_whatever_its_code() {
    for code in [
        -32601, -32600, -32602, -32603, -32700, -32000, -32002, -32019, 0, 17,
    ] {
        let (client, _pipe, mut peer) = pair();
        let called = calling(&client, "echo");
        let discover = peer.expect("server/discover").await;
        peer.refuse(&discover, code).await;
        let initialize = peer.expect("initialize").await;
        assert_eq!(initialize["params"]["protocolVersion"], "2025-11-25");
        assert_eq!(initialize["params"].get("_meta"), None);
        peer.answer(&initialize, initialized("2025-11-25")).await;
        peer.expect("notifications/initialized").await;
        let request = peer.expect("tools/call").await;
        assert_eq!(request["params"].get("_meta"), None, "{code}");
        peer.answer(&request, text("hello")).await;
        assert_eq!(called.await.unwrap().unwrap(), "hello", "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_without_an_id_answers_the_only_question() {
    let (client, _pipe, mut peer) = pair();
    let connected = tokio::spawn(async move { client.connect().await });
    let started = Instant::now();
    peer.expect("server/discover").await;
    let error = json!({"code": -32700, "message": "what?"});
    peer.say(json!({"jsonrpc": "2.0", "id": null, "error": error}))
        .await;
    peer.shake_hands("2025-06-18").await;
    assert_eq!(connected.await.unwrap().unwrap(), Revision::V2025_06_18);
    assert_eq!(started.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn every_older_revision_is_accepted_in_the_handshake() {
    for revision in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let (client, _pipe, mut peer) = pair();
        let connected = tokio::spawn(async move { client.connect().await });
        peer.be_legacy(revision).await;
        assert_eq!(connected.await.unwrap().unwrap().as_str(), revision);
    }
    for refused in ["2026-07-28", "2024-10-07", "draft", ""] {
        let (client, _pipe, mut peer) = pair();
        let connected = tokio::spawn(async move { client.connect().await });
        let discover = peer.expect("server/discover").await;
        peer.refuse(&discover, -32601).await;
        let initialize = peer.expect("initialize").await;
        peer.answer(&initialize, initialized(refused)).await;
        let connected = connected.await.unwrap();
        assert!(
            matches!(&connected, Err(ClientError::NoCommonRevision { offered }) if offered == &[refused]),
            "{connected:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn silence_until_initialize_means_the_older_era() {
    let (client, _pipe, mut peer) = pair();
    let started = Instant::now();
    let called = calling(&client, "echo");
    peer.expect("server/discover").await;
    // Nothing is cancelled on the way: the server would not know it, and `initialize` comes first.
    peer.shake_hands("2024-11-05").await;
    assert_eq!(started.elapsed(), Duration::from_secs(5));
    let request = peer.expect("tools/call").await;
    peer.answer(&request, text("hello")).await;
    assert_eq!(called.await.unwrap().unwrap(), "hello");
    // Found out once.
    let called = calling(&client, "echo");
    let request = peer.expect("tools/call").await;
    peer.answer(&request, text("again")).await;
    assert_eq!(called.await.unwrap().unwrap(), "again");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_slow_to_start_is_still_recognised() {
    let (client, pipe, mut peer) = pair();
    let called = calling(&client, "echo");
    let discover = peer.expect("server/discover").await;
    let initialize = peer.expect("initialize").await;
    peer.answer(&discover, discovered()).await;
    let request = peer.expect("tools/call").await;
    assert!(request["params"]["_meta"].is_object());
    // The answer to the handshake comes for nobody, whichever it is.
    peer.refuse(&initialize, -32601).await;
    peer.answer(&request, text("hello")).await;
    assert_eq!(called.await.unwrap().unwrap(), "hello");
    assert_eq!(pipe.skipped().unclaimed, 1);
}

#[tokio::test(start_paused = true)]
async fn a_late_refusal_of_discovery_leaves_the_handshake_going() {
    let (client, _pipe, mut peer) = pair();
    let connected = tokio::spawn(async move { client.connect().await });
    let discover = peer.expect("server/discover").await;
    let initialize = peer.expect("initialize").await;
    peer.refuse(&discover, -32601).await;
    peer.answer(&initialize, initialized("2025-06-18")).await;
    peer.expect("notifications/initialized").await;
    assert_eq!(connected.await.unwrap().unwrap(), Revision::V2025_06_18);
}

#[tokio::test(start_paused = true)]
async fn calls_at_the_same_time_share_one_handshake() {
    let (client, _pipe, mut peer) = pair();
    let calls: Vec<_> = (0..3).map(|_| calling(&client, "echo")).collect();
    peer.be_legacy("2025-11-25").await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        let request = peer.expect("tools/call").await;
        ids.push(request["id"].as_i64().unwrap());
        peer.answer(&request, text("hello")).await;
    }
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap(), "hello");
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_known_to_be_old_is_not_probed() {
    let (pipe, mut peer) = pipe(PipeLimits::default());
    let client = Client::over_pipe(pipe, Implementation::new("tester", "1"))
        .starting_with(Revision::V2024_11_05);
    let connected = tokio::spawn(async move { client.connect().await });
    let initialize = peer.expect("initialize").await;
    assert_eq!(initialize["params"]["protocolVersion"], "2024-11-05");
    peer.answer(&initialize, initialized("2024-11-05")).await;
    peer.expect("notifications/initialized").await;
    assert_eq!(connected.await.unwrap().unwrap(), Revision::V2024_11_05);
}

#[tokio::test(start_paused = true)]
async fn header_annotations_mean_nothing_on_a_pipe() {
    let (client, _pipe, mut peer) = pair();
    let listed = tokio::spawn(async move { client.list_tools().await });
    peer.be_modern().await;
    let request = peer.expect("tools/list").await;
    let schema = json!({"type": "object", "properties": {
        "a": {"type": "string", "x-mcp-header": "not a header name"}}});
    peer.answer(
        &request,
        json!({"resultType": "complete", "ttlMs": 0, "cacheScope": "public",
               "tools": [{"name": "t", "inputSchema": schema}]}),
    )
    .await;
    let listed = listed.await.unwrap().unwrap();
    assert_eq!(listed.tools.len(), 1);
    assert!(listed.dropped.is_empty());
}
