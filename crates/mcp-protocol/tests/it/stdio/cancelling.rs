//! Ids in flight, and what a cancellation stops.

use std::sync::atomic::Ordering;

use super::*;

/// A request of each era that goes on until it is stopped, and says one thing.
fn waiting(id: i64) -> [Value; 2] {
    let params = json!({ "name": "wait", "_meta": { "progressToken": id } });
    [reporting(id, "wait"), modern(id, "tools/call", params)]
}

/// MCP-STDIO-03.
#[tokio::test(start_paused = true)]
async fn a_cancelled_request_is_dropped_and_nothing_more_is_sent_for_it() {
    for message in waiting(1) {
        let server = Server::default();
        let mut peer = peer_of(server.clone());
        peer.open("2025-11-25", &json!({})).await;
        peer.send(message).await;
        assert_eq!(peer.next().await["method"], "notifications/progress");
        assert!(!server.dropped.load(Ordering::SeqCst));
        peer.send(cancelled(1)).await;
        peer.quiet().await;
        assert!(server.dropped.load(Ordering::SeqCst));
        // The id can be used again.
        peer.send(call(1, "echo")).await;
        assert_eq!(text(&peer.next().await), "{}");
    }
}

/// MCP-STDIO-03: also what waits for a client that reads slowly.
#[tokio::test(start_paused = true)]
async fn what_a_cancelled_request_has_said_and_nobody_has_read_is_not_sent() {
    let pipe = Pipe::new(Server::default(), Options::default());
    let mut peer = Peer::connect(pipe, 256);
    peer.open("2025-11-25", &json!({})).await;
    peer.send(reporting(1, "many")).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    peer.send(cancelled(1)).await;
    peer.send(call(2, "echo")).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut told = 0;
    loop {
        let message = peer.next().await;
        if message["id"] == 2 {
            break;
        }
        assert_eq!(message["method"], "notifications/progress");
        told += 1;
    }
    // What was being written already; the queue has room for 32 more.
    assert!(told < 32, "{told}");
    peer.quiet().await;
}

/// MCP-CANC-02: ids of another type, unknown ones, and those of finished requests.
#[tokio::test(start_paused = true)]
async fn a_cancellation_of_something_else_changes_nothing() {
    let mut peer = peer();
    peer.open("2025-11-25", &json!({})).await;
    peer.send(reporting(1, "wait")).await;
    peer.next().await;
    peer.send(call(2, "echo")).await;
    peer.next().await;
    for id in [json!("1"), json!(2), json!(3), json!(null)] {
        peer.send(cancelled(id)).await;
    }
    peer.quiet().await;
    peer.send(call(1, "echo")).await;
    assert_eq!(
        peer.refused(json!(1), -32600).await,
        "this id is already in use by a request in flight"
    );
}

/// MCP-RPC-02: in both eras, because their answers share the stream; an integer is not a string.
#[tokio::test(start_paused = true)]
async fn an_id_in_flight_cannot_be_used_by_another_request() {
    let mut peer = peer();
    peer.open("2025-11-25", &json!({})).await;
    peer.send(reporting(1, "wait")).await;
    peer.next().await;
    for message in [
        call(1, "echo"),
        modern(1, "tools/call", json!({ "name": "echo" })),
        request(1, "ping", json!({})),
        request(1, "no/such", json!({})),
    ] {
        peer.send(message).await;
        peer.refused(json!(1), -32600).await;
    }
    peer.send(call("1", "echo")).await;
    let answer = peer.next().await;
    assert_eq!((text(&answer), &answer["id"]), ("{}", &json!("1")));
}

/// The answer frees the id before the client can have read it, on whatever thread that is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_is_free_as_soon_as_its_answer_is_there() {
    let mut peer = peer();
    for _ in 0..2000 {
        peer.send(modern(1, "tools/call", json!({ "name": "echo" })))
            .await;
        assert_eq!(text(&peer.next().await), "{}");
    }
}
