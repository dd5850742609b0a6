//! Changes: by subscription since 2026-07-28, by themselves before.

use mcp_protocol::serve::Change;

use super::*;
use crate::drive::announce;

const TAG: &str = "io.modelcontextprotocol/subscriptionId";

fn listen(id: impl Into<Value>) -> Value {
    let wanted = json!({ "toolsListChanged": true, "resourceSubscriptions": ["test://a"] });
    modern(
        id,
        "subscriptions/listen",
        json!({ "notifications": wanted }),
    )
}

/// MCP-SUB-01, MCP-SUB-02, MCP-SUB-03: the tag has the type of the id.
#[tokio::test(start_paused = true)]
async fn a_listener_is_told_first_what_is_honoured_and_then_what_it_wants() {
    let server = Server::default();
    let mut peer = peer_of(server.clone());
    for id in [json!(7), json!("7")] {
        peer.send(listen(id.clone())).await;
        let acknowledged = peer.next().await;
        assert_eq!(
            acknowledged["method"],
            "notifications/subscriptions/acknowledged"
        );
        assert_eq!(acknowledged["params"]["_meta"][TAG], id);
    }
    announce(&server, Change::Prompts);
    announce(&server, Change::Resource("test://b".to_owned()));
    announce(&server, Change::Tools);
    let mut tags = Vec::new();
    for _ in 0..2 {
        let told = peer.next().await;
        assert_eq!(told["method"], "notifications/tools/list_changed");
        tags.push(told["params"]["_meta"][TAG].to_string());
    }
    tags.sort();
    assert_eq!(tags, ["\"7\"", "7"]);
    peer.quiet().await;
}

/// Requirements section 14.2, MCP-CANC-01, MCP-SUB-04: first the one, then the other.
#[tokio::test(start_paused = true)]
async fn a_listener_is_torn_down_by_a_cancellation_and_then_its_result() {
    let mut peer = peer();
    peer.send(listen(7)).await;
    peer.next().await;
    let (rest, served) = peer.close().await;
    assert!(served.is_ok());
    let meta = json!({ TAG: 7 });
    assert_eq!(
        rest,
        [
            json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": {
                "requestId": 7, "reason": "the subscription has ended", "_meta": meta,
            } }),
            json!({ "jsonrpc": "2.0", "id": 7, "result": {
                "resultType": "complete", "_meta": meta,
            } }),
        ]
    );
}

/// The same when the end of the input is there before anything was said.
#[tokio::test(start_paused = true)]
async fn a_listener_at_the_end_of_the_input_is_acknowledged_first() {
    let mut peer = peer();
    peer.send(listen(7)).await;
    let (rest, _) = peer.close().await;
    let said: Vec<&Value> = rest.iter().map(|message| &message["method"]).collect();
    assert_eq!(
        json!(said),
        json!([
            "notifications/subscriptions/acknowledged",
            "notifications/cancelled",
            null
        ])
    );
}

/// MCP-STDIO-03, MCP-CANC-01: nothing at all for a listener that the client ends.
#[tokio::test(start_paused = true)]
async fn a_listener_that_the_client_cancels_hears_nothing_more() {
    let server = Server::default();
    let mut peer = peer_of(server.clone());
    peer.send(listen(7)).await;
    peer.next().await;
    peer.send(cancelled(7)).await;
    tokio::time::sleep(Duration::from_millis(1)).await;
    announce(&server, Change::Tools);
    peer.quiet().await;
}

/// MCP-CANC-01: one that was never acknowledged is answered with its error alone.
#[tokio::test(start_paused = true)]
async fn a_listener_that_is_refused_is_not_torn_down() {
    let options = Options {
        max_streams: 1,
        ..Options::default()
    };
    let mut peer = Peer::connect(Pipe::new(Server::default(), options), 1 << 16);
    peer.send(listen(1)).await;
    peer.next().await;
    peer.send(listen(2)).await;
    peer.refused(json!(2), -32603).await;
    peer.quiet().await;
}

/// MCP-LIFE-03: when it has said that it is ready, untagged, and only what was asked for.
#[tokio::test(start_paused = true)]
async fn the_older_era_is_told_by_itself_and_not_before_it_is_ready() {
    let server = Server::default();
    let mut peer = peer_of(server.clone());
    peer.send(initialize("2024-11-05", &json!({}))).await;
    peer.next().await;
    announce(&server, Change::Tools);
    peer.quiet().await;

    for _ in 0..2 {
        // Twice is once.
        peer.send(notification("notifications/initialized", json!({})))
            .await;
    }
    peer.send(request(
        1,
        "resources/subscribe",
        json!({ "uri": "test://a" }),
    ))
    .await;
    peer.next().await;
    announce(&server, Change::Tools);
    peer.is(r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed","params":{}}"#)
        .await;
    announce(&server, Change::Resource("test://b".to_owned()));
    announce(&server, Change::Resource("test://a".to_owned()));
    peer.is(r#"{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"test://a"}}"#)
        .await;
    peer.quiet().await;
    assert!(peer.close().await.1.is_ok());
}
