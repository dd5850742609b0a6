//! What is bounded: requests in flight, messages that wait, a client that does not read.

use std::sync::atomic::{AtomicUsize, Ordering};

use mcp_protocol::serve::{Context, Error};
use mcp_protocol::types::{Implementation, ServerCapabilities, ToolCall, ToolResult};

use super::*;

#[tokio::test(start_paused = true)]
async fn one_request_too_many_is_refused_and_ping_is_not() {
    let pipe = limited(Server::default(), |limits| limits.max_in_flight = 2);
    let mut peer = Peer::connect(pipe, 1 << 16);
    peer.open("2025-11-25", &json!({})).await;
    for id in [1, 2] {
        peer.send(reporting(id, "wait")).await;
        peer.next().await;
    }
    for message in [
        call(3, "echo"),
        modern(3, "tools/call", json!({ "name": "echo" })),
    ] {
        peer.send(message).await;
        peer.is(r#"{"jsonrpc":"2.0","id":3,"error":{"code":-32000,"message":"too many requests in flight in this session"}}"#)
            .await;
    }
    peer.send(request(3, "ping", json!({}))).await;
    peer.is(r#"{"jsonrpc":"2.0","id":3,"result":{}}"#).await;
    peer.send(cancelled(1)).await;
    tokio::time::sleep(Duration::from_millis(1)).await;
    peer.send(call(3, "echo")).await;
    assert_eq!(text(&peer.next().await), "{}");
}

#[tokio::test(start_paused = true)]
async fn requests_are_worked_on_at_the_same_time() {
    let mut peer = peer();
    peer.open("2025-11-25", &json!({})).await;
    peer.send(call(1, "hang")).await;
    peer.send(call(2, "echo")).await;
    assert_eq!(peer.next().await["id"], 2);
    assert_eq!(peer.next().await["id"], 1);
}

/// Says things for ever, and counts them.
#[derive(Clone, Default)]
struct Chatter(Arc<AtomicUsize>);

impl Handler for Chatter {
    fn info(&self) -> Implementation {
        Implementation::new("chatter", "1")
    }

    fn capabilities(&self) -> ServerCapabilities {
        ServerCapabilities::tools()
    }

    async fn call_tool(&self, context: &Context, _: ToolCall) -> Result<ToolResult, Error> {
        for step in 1..=100_000_u32 {
            context.progress(step.into(), None, None).await;
            self.0.fetch_add(1, Ordering::SeqCst);
        }
        Ok(ToolResult::text("said"))
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_makes_handlers_wait_and_loses_nothing() {
    let chatter = Chatter::default();
    let pipe = Pipe::new(chatter.clone(), Options::default());
    let mut peer = Peer::connect(pipe, 1024);
    peer.open("2025-11-25", &json!({})).await;
    peer.send(reporting(1, "chat")).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let waiting = chatter.0.load(Ordering::SeqCst);
    // The queue, what is put together for one write, what the stream holds.
    assert!(waiting < 100, "{waiting}");
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!(chatter.0.load(Ordering::SeqCst), waiting);
    for step in 1..=500 {
        assert_eq!(
            peer.next().await["params"]["progress"],
            json!(f64::from(step))
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_nothing_is_given_up_after_a_while() {
    let chatter = Chatter::default();
    let pipe = Pipe::new(chatter.clone(), Options::default());
    let mut peer = Peer::connect(pipe, 1024);
    peer.open("2025-11-25", &json!({})).await;
    let start = tokio::time::Instant::now();
    peer.send(reporting(1, "chat")).await;
    let error = peer.served.await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "the client has read nothing for 30s");
    assert_eq!(start.elapsed().as_secs(), 30);
    // The work is gone too.
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(Arc::strong_count(&chatter.0), 1);
}

/// Errors wait in the same queue: a client that sends and does not read is not read either.
#[tokio::test(start_paused = true)]
async fn who_only_writes_is_given_up_too() {
    let pipe = Pipe::new(Server::default(), Options::default());
    let mut peer = Peer::connect(pipe, 1024);
    let flood = "7\n".repeat(1 << 16);
    let written = peer.writer.write_all(flood.as_bytes()).await;
    assert!(written.is_err());
    let error = peer.served.await.unwrap().unwrap_err();
    assert!(matches!(error, PipeError::NotRead { .. }), "{error}");
}
