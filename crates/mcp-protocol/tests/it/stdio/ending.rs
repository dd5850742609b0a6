//! The end of the input, and what is still done then.

use std::sync::atomic::Ordering;

use super::*;

/// MCP-STDIO-05.
#[tokio::test(start_paused = true)]
async fn an_idle_server_ends_at_once_at_the_end_of_its_input() {
    let mut peer = peer();
    peer.open("2025-11-25", &json!({})).await;
    let start = tokio::time::Instant::now();
    let (rest, served) = peer.close().await;
    assert!(rest.is_empty() && served.is_ok());
    assert_eq!(start.elapsed(), Duration::ZERO);
}

/// MCP-STDIO-05: what was asked before the end is answered, if that takes less than the grace.
#[tokio::test(start_paused = true)]
async fn answers_in_flight_have_a_bounded_time() {
    let server = Server::default();
    let pipe = limited(server.clone(), |limits| {
        limits.grace = Duration::from_secs(3)
    });
    let mut peer = Peer::connect(pipe, 1 << 16);
    peer.open("2025-11-25", &json!({})).await;
    peer.send(call(1, "hang")).await;
    peer.send(call(2, "wait")).await;
    let start = tokio::time::Instant::now();
    let (rest, served) = peer.close().await;
    let ids: Vec<&Value> = rest.iter().map(|message| &message["id"]).collect();
    assert_eq!(json!(ids), json!([1]));
    assert!(served.is_ok());
    assert_eq!(start.elapsed(), Duration::from_secs(3));
    tokio::task::yield_now().await;
    assert!(server.dropped.load(Ordering::SeqCst));
}

/// MCP-STDIO-05: nobody can answer any more.
#[tokio::test(start_paused = true)]
async fn work_that_waits_for_the_client_is_dropped_at_the_end_of_the_input() {
    let mut peer = peer();
    peer.open("2025-11-25", &json!({ "sampling": {} })).await;
    peer.send(call(1, "model")).await;
    peer.next().await;
    let start = tokio::time::Instant::now();
    let (rest, served) = peer.close().await;
    assert!(rest.is_empty() && served.is_ok(), "{rest:?}");
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_gone_altogether_ends_the_work() {
    let server = Server::default();
    let mut peer = peer_of(server.clone());
    peer.open("2025-11-25", &json!({})).await;
    peer.send(call(1, "wait")).await;
    tokio::time::sleep(Duration::from_millis(1)).await;
    let Peer {
        lines,
        writer,
        served,
    } = peer;
    drop((lines, writer));
    assert!(served.await.unwrap().is_ok());
    tokio::task::yield_now().await;
    assert!(server.dropped.load(Ordering::SeqCst));
}

#[tokio::test(start_paused = true)]
async fn dropping_the_future_drops_the_work() {
    let server = Server::default();
    let mut peer = peer_of(server.clone());
    peer.open("2025-11-25", &json!({})).await;
    peer.send(call(1, "wait")).await;
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert!(!server.dropped.load(Ordering::SeqCst));
    peer.served.abort();
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert!(server.dropped.load(Ordering::SeqCst));
}

/// MCP-STDIO-07: the same over a socket, for several clients of one handler.
#[tokio::test(start_paused = true)]
async fn one_pipe_serves_several_clients_each_with_a_dialogue_of_its_own() {
    let pipe = Pipe::new(Server::default(), Options::default());
    let mut first = Peer::connect(pipe.clone(), 1 << 16);
    let mut second = Peer::connect(pipe, 1 << 16);
    first.open("2024-11-05", &json!({})).await;
    second.send(call(1, "revision")).await;
    second.refused(json!(1), -32600).await;
    second.open("2025-11-25", &json!({})).await;
    for (peer, version) in [(&mut first, "2024-11-05"), (&mut second, "2025-11-25")] {
        peer.send(call(1, "revision")).await;
        assert_eq!(text(&peer.next().await), version);
    }
}
