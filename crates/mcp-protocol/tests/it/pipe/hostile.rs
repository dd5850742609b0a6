//! Servers that write what they should not, or too much of it, and pipes that end.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use mcp_protocol::Revision;
use mcp_protocol::client::pipe::{Pipe, PipeError, PipeLimits, Skipped};
use mcp_protocol::client::{BadAnswer, ClientError};
use serde_json::json;
use tower_service::Service as _;

use super::messages::{Reading, notification, request, send, sent_as};
use super::{Peer, call, calling, client, pair, pipe, pipe_error, text};

fn limits(change: impl FnOnce(&mut PipeLimits)) -> PipeLimits {
    let mut limits = PipeLimits::default();
    change(&mut limits);
    limits
}

fn skipped(not_messages: u64, unclaimed: u64, overflowed: u64) -> Skipped {
    let mut skipped = Skipped::default();
    skipped.not_messages = not_messages;
    skipped.unclaimed = unclaimed;
    skipped.overflowed = overflowed;
    skipped
}

#[tokio::test(start_paused = true)]
async fn what_is_not_a_message_is_skipped_and_counted() {
    let (client, pipe, mut peer) = pair();
    let called = calling(&client, "echo");
    let garbage = [
        "listening on port 3000",
        "{\"jsonrpc\": \"2.0\"",
        "{}",
        "null",
        "[]",
        "5",
        "{\"jsonrpc\":\"1.0\",\"method\":\"x\"}",
        "{\"jsonrpc\":\"2.0\",\"result\":{}}",
        "\u{0}\u{1b}[31m",
    ];
    for line in garbage {
        peer.write(&format!("{line}\n")).await;
    }
    peer.write("\n \r\n").await;
    peer.write_bytes(b"\xff\xfe\n").await;
    peer.write(&format!("{}\n", "[".repeat(100_000))).await;
    peer.be_modern().await;
    let request = peer.expect("tools/call").await;
    peer.answer(&request, text("hello")).await;
    assert_eq!(called.await.unwrap().unwrap(), "hello");
    assert_eq!(pipe.skipped(), skipped(garbage.len() as u64 + 2, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn answers_to_nothing_and_second_answers_are_skipped() {
    let (client, pipe, mut peer) = pair();
    let called = calling(&client, "echo");
    peer.be_modern().await;
    let request = peer.expect("tools/call").await;
    for id in [json!(999), json!(-1), json!("1"), json!(i64::MAX)] {
        peer.say(json!({"jsonrpc": "2.0", "id": id, "result": text("no")}))
            .await;
    }
    peer.answer(&request, text("first")).await;
    peer.answer(&request, text("second")).await;
    peer.refuse(&request, -32603).await;
    assert_eq!(called.await.unwrap().unwrap(), "first");
    let called = calling(&client, "echo");
    let request = peer.expect("tools/call").await;
    peer.answer(&request, text("third")).await;
    assert_eq!(called.await.unwrap().unwrap(), "third");
    assert_eq!(pipe.skipped(), skipped(0, 6, 0));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_cannot_be_read_is_an_error_of_its_request() {
    let (client, _pipe, mut peer) = pair();
    let called = calling(&client, "echo");
    peer.be_modern().await;
    let request = peer.expect("tools/call").await;
    peer.say(json!({"jsonrpc": "2.0", "id": request["id"], "result": {}, "error": {}}))
        .await;
    let outcome = called.await.unwrap();
    assert!(
        matches!(outcome, Err(ClientError::Answer(BadAnswer::NotAMessage))),
        "{outcome:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn an_error_without_an_id_is_nobodys_where_it_may_be_anybodys() {
    let (client, pipe, mut peer) = pair();
    let first = calling(&client, "first");
    peer.be_modern().await;
    let to_first = peer.expect("tools/call").await;
    let second = calling(&client, "second");
    let to_second = peer.expect("tools/call").await;
    peer.say(json!({"jsonrpc": "2.0", "error": {"code": -32700, "message": "what?"}}))
        .await;
    peer.answer(&to_first, text("1")).await;
    peer.answer(&to_second, text("2")).await;
    assert_eq!(first.await.unwrap().unwrap(), "1");
    assert_eq!(second.await.unwrap().unwrap(), "2");
    assert_eq!(pipe.skipped(), skipped(0, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_line_over_the_limit_fails_what_is_in_flight_and_the_pipe_goes_on() {
    let (pipe, mut peer) = pipe(limits(|it| it.max_line_bytes = 1000));
    let client = client(&pipe);
    let called = calling(&client, "big");
    peer.be_modern().await;
    let listen = request("l", "subscriptions/listen", json!({}));
    let request = peer.expect("tools/call").await;
    let mut listening = Reading::new(send(&pipe, listen).await.unwrap());
    peer.expect("subscriptions/listen").await;
    peer.answer(&request, text(&"x".repeat(1000))).await;
    let error = pipe_error(called.await.unwrap());
    assert!(
        matches!(error, PipeError::LineTooLong { limit: 1000 }),
        "{error:?}"
    );
    // The server is told that nobody waits; it may have been another line.
    peer.expect("notifications/cancelled").await;
    let called = calling(&client, "small");
    let request = peer.expect("tools/call").await;
    peer.answer(&request, text("small")).await;
    assert_eq!(called.await.unwrap().unwrap(), "small");
    let meta = json!({"io.modelcontextprotocol/subscriptionId": "l"});
    peer.say(notification("x", json!({"_meta": meta}))).await;
    assert_eq!(listening.message().await["method"], "x");
    assert_eq!(pipe.skipped(), skipped(1, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_line_without_an_end_fails_the_call_once_it_is_over_the_limit() {
    let (pipe, mut peer) = pipe(limits(|it| it.max_line_bytes = 1000));
    let client = client(&pipe);
    let called = calling(&client, "big");
    peer.be_modern().await;
    peer.expect("tools/call").await;
    peer.write(&"x".repeat(1001)).await;
    let error = pipe_error(called.await.unwrap());
    assert!(matches!(error, PipeError::LineTooLong { .. }), "{error:?}");
    for _ in 0..100 {
        peer.write(&"x".repeat(10_000)).await;
    }
    assert_eq!(pipe.skipped(), skipped(1, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn progress_that_nobody_reads_is_dropped_beyond_the_limit_and_the_answer_is_not() {
    let (pipe, mut peer) = pipe(limits(|it| it.max_waiting_bytes = 1000));
    let params = json!({"_meta": {"progressToken": "t"}});
    let mut slow = Reading::new(send(&pipe, request(1, "slow", params)).await.unwrap());
    for at in 0..1000 {
        let params = json!({"progressToken": "t", "progress": at});
        peer.say(notification("notifications/progress", params))
            .await;
    }
    // Another request is not held up.
    let mut quick = Reading::new(send(&pipe, request(2, "quick", json!({}))).await.unwrap());
    peer.say(json!({"jsonrpc": "2.0", "id": 2, "result": {}}))
        .await;
    assert_eq!(quick.message().await["id"], 2);
    let answer = json!({"jsonrpc": "2.0", "id": 1, "result": {"text": "x".repeat(5000)}});
    peer.say(answer.clone()).await;
    peer.say(json!({"jsonrpc": "2.0", "id": 3, "result": {}}))
        .await;
    let mut read = 0;
    loop {
        let message = slow.message().await;
        if message == answer {
            break;
        }
        assert_eq!(message["params"]["progress"], read);
        read += 1;
    }
    assert!((4..10).contains(&read), "{read}");
    assert_eq!(pipe.skipped().overflowed, 1000 - read);
    // Room is given back by reading.
    let params = json!({"_meta": {"progressToken": "u"}});
    let mut again = Reading::new(send(&pipe, request(4, "again", params)).await.unwrap());
    for at in 0..1000 {
        let params = json!({"progressToken": "u", "progress": at});
        peer.say(notification("notifications/progress", params))
            .await;
        assert_eq!(again.message().await["params"]["progress"], at);
    }
}

#[tokio::test(start_paused = true)]
async fn a_subscription_that_is_read_too_slowly_ends_with_an_error() {
    let (pipe, mut peer) = pipe(limits(|it| it.max_waiting_bytes = 1000));
    let listen = request(1, "subscriptions/listen", json!({}));
    let mut slow = Reading::new(send(&pipe, listen).await.unwrap());
    peer.expect("subscriptions/listen").await;
    let meta = json!({"io.modelcontextprotocol/subscriptionId": 1});
    for _ in 0..100 {
        peer.say(notification("changed", json!({"_meta": meta})))
            .await;
    }
    let end = loop {
        match slow.next().await {
            Ok(Some(message)) => assert_eq!(message["method"], "changed"),
            end => break end,
        }
    };
    assert!(
        matches!(end, Err(PipeError::TooSlow { limit: 1000 })),
        "{end:?}"
    );
    drop(slow);
    peer.expect("notifications/cancelled").await;
}

#[tokio::test(start_paused = true)]
async fn questions_beyond_the_limit_are_refused() {
    let (pipe, mut peer) = pipe(limits(|it| it.max_waiting_bytes = 1000));
    let call = request(1, "tools/call", json!({}));
    let mut slow = Reading::new(sent_as(&pipe, Revision::V2025_06_18, call).await.unwrap());
    peer.expect("tools/call").await;
    for id in 0..100 {
        peer.say(request(id, "roots/list", json!({}))).await;
    }
    let first = peer.line().await.unwrap();
    assert_eq!(first["error"]["code"], -32603);
    let kept = first["id"].as_i64().unwrap();
    for id in kept + 1..100 {
        assert_eq!(peer.line().await.unwrap()["id"], id);
    }
    for id in 0..kept {
        assert_eq!(slow.message().await["id"], id);
    }
    assert!((4..20).contains(&kept), "{kept}");
}

#[tokio::test(start_paused = true)]
async fn requests_in_flight_are_bounded_and_their_ids_differ() {
    let (pipe, mut peer) = pipe(limits(|it| it.max_in_flight = 2));
    let first = send(&pipe, request(1, "a", json!({}))).await.unwrap();
    let again = send(&pipe, request(1, "b", json!({}))).await;
    assert!(matches!(again, Err(PipeError::IdInUse)), "{again:?}");
    let _second = send(&pipe, request("1", "c", json!({}))).await.unwrap();
    let third = send(&pipe, request(3, "d", json!({}))).await;
    assert!(
        matches!(third, Err(PipeError::TooManyInFlight(2))),
        "{third:?}"
    );
    drop(first);
    let _third = send(&pipe, request(3, "e", json!({}))).await.unwrap();
    for method in ["a", "c", "notifications/cancelled", "e"] {
        // The first may have been dropped before it was written.
        let line = peer.line().await.unwrap();
        if line["method"] == "c" && method == "a" {
            break;
        }
        assert_eq!(line["method"], method);
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_read_makes_callers_wait_and_nothing_grows() {
    let (ours, theirs) = tokio::io::duplex(256);
    let (reader, writer) = tokio::io::split(ours);
    let (pipe, driving) = Pipe::new(reader, writer, PipeLimits::default());
    drop(tokio::spawn(driving));
    let fill = async {
        for count in 0_u32.. {
            let long = json!({"text": "x".repeat(200)});
            let sent = send(&pipe, notification("n", long));
            if tokio::time::timeout(Duration::from_secs(1), sent)
                .await
                .is_err()
            {
                return count;
            }
        }
        0
    };
    let taken = fill.await;
    assert!((16..32).contains(&taken), "{taken}");
    // It answers nothing that it does not read, and pings itself.
    let mut peer = Peer::of(theirs);
    for _ in 0..taken {
        peer.expect("n").await;
    }
    send(&pipe, notification("after", json!({}))).await.unwrap();
    peer.expect("after").await;
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_server_ends_everything_with_its_reason() {
    let (client, pipe, mut peer) = pair();
    let first = calling(&client, "first");
    peer.be_modern().await;
    peer.expect("tools/call").await;
    let second = calling(&client, "second");
    let request = peer.expect("tools/call").await;
    peer.answer(&request, text("in time")).await;
    // In the middle of a line.
    peer.write("{\"jsonrpc\":\"2.0\",\"id\":2,\"resul").await;
    peer.exit();
    assert_eq!(second.await.unwrap().unwrap(), "in time");
    assert!(matches!(
        pipe_error(first.await.unwrap()),
        PipeError::Closed
    ));
    assert!(matches!(
        pipe_error(call(&client, "third").await),
        PipeError::Closed | PipeError::Broken(_)
    ));
    assert!(pipe.closed().is_some());
    assert_eq!(pipe.skipped(), skipped(1, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn the_last_line_needs_no_newline() {
    let (client, _pipe, mut peer) = pair();
    let called = calling(&client, "echo");
    peer.be_modern().await;
    let request = peer.expect("tools/call").await;
    peer.write(&json!({"jsonrpc": "2.0", "id": request["id"], "result": text("last")}).to_string())
        .await;
    peer.exit();
    assert_eq!(called.await.unwrap().unwrap(), "last");
}

#[tokio::test(start_paused = true)]
async fn closing_ends_the_servers_input_and_what_it_still_answers_is_read() {
    let (client, pipe, mut peer) = pair();
    let called = calling(&client, "slow");
    peer.be_modern().await;
    let request = peer.expect("tools/call").await;
    client.close().await.unwrap();
    assert_eq!(peer.line().await, None);
    assert!(matches!(
        pipe_error(call(&client, "next").await),
        PipeError::ClosedHere
    ));
    peer.answer(&request, text("still")).await;
    assert_eq!(called.await.unwrap().unwrap(), "still");
    assert!(matches!(pipe.closed(), Some(PipeError::ClosedHere)));
}

#[tokio::test(start_paused = true)]
async fn when_every_handle_is_gone_the_pipe_is_closed() {
    let (ours, theirs) = tokio::io::duplex(1024);
    let (reader, writer) = tokio::io::split(ours);
    let (pipe, driving) = Pipe::new(reader, writer, PipeLimits::default());
    let driving = tokio::spawn(driving);
    let mut peer = Peer::of(theirs);
    let body = send(&pipe, request(1, "slow", json!({}))).await.unwrap();
    peer.expect("slow").await;
    drop(pipe);
    // Who still reads an answer holds the pipe open.
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!driving.is_finished());
    drop(body);
    peer.expect("notifications/cancelled").await;
    assert_eq!(peer.line().await, None);
    driving.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_driver_that_is_gone_is_the_end_too() {
    let (ours, _theirs) = tokio::io::duplex(1024);
    let (reader, writer) = tokio::io::split(ours);
    let (pipe, driving) = Pipe::new(reader, writer, PipeLimits::default());
    let mut body = Reading::new(send(&pipe, request(1, "a", json!({}))).await.unwrap());
    drop(driving);
    assert!(matches!(body.next().await, Err(PipeError::Closed)));
    let sent = Request::post("/").body(Bytes::from(request(2, "b", json!({})).to_string()));
    let refused = pipe.clone().call(sent.unwrap()).await;
    assert!(matches!(refused, Err(PipeError::Closed)), "{refused:?}");
}
