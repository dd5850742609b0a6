//! What belongs to which request: answers, progress, questions, subscriptions, and taking requests back.

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use mcp_protocol::Revision;
use mcp_protocol::client::pipe::{Pipe, PipeBody, PipeError, PipeLimits};
use mcp_protocol::sse::Decoder;
use serde_json::{Value, json};
use tower_service::Service as _;

use super::{Peer, calling, pair, pipe, text};

/// Sends a message of the newest era past the client, and has what belongs to it.
pub(super) async fn send(pipe: &Pipe, message: Value) -> Result<PipeBody, PipeError> {
    sent_as(pipe, Revision::NEWEST, message).await
}

pub(super) async fn sent_as(
    pipe: &Pipe,
    revision: Revision,
    message: Value,
) -> Result<PipeBody, PipeError> {
    let mut request = Request::post("/").body(message.to_string().into()).unwrap();
    request.extensions_mut().insert(revision);
    let response = pipe.clone().call(request).await?;
    assert!(response.status().is_success(), "{}", response.status());
    Ok(response.into_body())
}

pub(super) fn request(id: impl Into<Value>, method: &str, params: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id.into(), "method": method, "params": params})
}

pub(super) fn notification(method: &str, params: Value) -> Value {
    json!({"jsonrpc": "2.0", "method": method, "params": params})
}

/// The messages of a body, read one by one.
pub(super) struct Reading(PipeBody, Decoder);

impl Reading {
    pub(super) fn new(body: PipeBody) -> Self {
        Self(body, Decoder::new(1 << 20))
    }

    /// The next message, or how it ends.
    pub(super) async fn next(&mut self) -> Result<Option<Value>, PipeError> {
        match self.0.frame().await.transpose()? {
            None => Ok(None),
            Some(frame) => {
                let events = self.1.push(frame.data_ref().unwrap()).unwrap();
                assert_eq!(events.len(), 1);
                Ok(Some(serde_json::from_str(&events[0].data).unwrap()))
            }
        }
    }

    pub(super) async fn message(&mut self) -> Value {
        self.next().await.unwrap().expect("the stream has ended")
    }
}

#[tokio::test(start_paused = true)]
async fn answers_come_in_any_order() {
    let (client, _pipe, mut peer) = pair();
    let first = calling(&client, "first");
    peer.be_modern().await;
    let to_first = peer.expect("tools/call").await;
    let second = calling(&client, "second");
    let to_second = peer.expect("tools/call").await;
    assert_ne!(to_first["id"], to_second["id"]);
    peer.answer(&to_second, text("2")).await;
    assert_eq!(second.await.unwrap().unwrap(), "2");
    peer.answer(&to_first, text("1")).await;
    assert_eq!(first.await.unwrap().unwrap(), "1");
}

#[tokio::test(start_paused = true)]
async fn many_answers_in_one_piece_and_one_answer_in_many() {
    let (client, _pipe, mut peer) = pair();
    let first = calling(&client, "first");
    peer.be_modern().await;
    let to_first = peer.expect("tools/call").await;
    let second = calling(&client, "second");
    let to_second = peer.expect("tools/call").await;
    let line = |request: &Value, it: &str| {
        json!({"jsonrpc": "2.0", "id": request["id"], "result": text(it)}).to_string()
    };
    let all = format!(
        "{}\r\n\n{}\n",
        line(&to_second, "zwei ☃"),
        line(&to_first, "1")
    );
    let (start, end) = all.as_bytes().split_at(all.find('☃').unwrap() + 1);
    peer.write_bytes(start).await;
    tokio::task::yield_now().await;
    peer.write_bytes(end).await;
    assert_eq!(second.await.unwrap().unwrap(), "zwei ☃");
    assert_eq!(first.await.unwrap().unwrap(), "1");
}

#[tokio::test(start_paused = true)]
async fn ids_keep_their_type() {
    let (pipe, mut peer) = pipe(PipeLimits::default());
    let mut number = Reading::new(send(&pipe, request(7, "a", json!({}))).await.unwrap());
    let mut word = Reading::new(send(&pipe, request("7", "b", json!({}))).await.unwrap());
    assert_eq!(peer.expect("a").await["id"], 7);
    assert_eq!(peer.expect("b").await["id"], "7");
    peer.say(json!({"jsonrpc": "2.0", "id": "7", "result": {"of": "word"}}))
        .await;
    peer.say(json!({"jsonrpc": "2.0", "id": 7, "result": {"of": "number"}}))
        .await;
    assert_eq!(word.message().await["result"]["of"], "word");
    assert_eq!(number.message().await["result"]["of"], "number");
    assert_eq!(number.next().await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn progress_goes_to_the_request_with_its_token() {
    let (pipe, mut peer) = pipe(PipeLimits::default());
    let with = |token: Value| json!({"_meta": {"progressToken": token}});
    let mut number = Reading::new(send(&pipe, request(1, "a", with(json!(5)))).await.unwrap());
    let mut word = Reading::new(
        send(&pipe, request(2, "b", with(json!("5"))))
            .await
            .unwrap(),
    );
    let progress = |token: Value, at: u32| {
        notification(
            "notifications/progress",
            json!({"progressToken": token, "progress": at}),
        )
    };
    peer.say(progress(json!("5"), 1)).await;
    peer.say(progress(json!(5), 2)).await;
    for nobody in [json!(6), json!(null), json!({"a": 1})] {
        peer.say(progress(nobody, 3)).await;
    }
    peer.say(json!({"jsonrpc": "2.0", "id": 1, "result": {}}))
        .await;
    // After the answer the token means nothing any more.
    peer.say(progress(json!(5), 4)).await;
    peer.say(json!({"jsonrpc": "2.0", "id": 2, "result": {}}))
        .await;
    assert_eq!(number.message().await["params"]["progress"], 2);
    assert_eq!(number.message().await["id"], 1);
    assert_eq!(number.next().await.unwrap(), None);
    assert_eq!(word.message().await["params"]["progress"], 1);
    assert_eq!(word.message().await["id"], 2);
    assert_eq!(pipe.skipped().unclaimed, 4);
}

#[tokio::test(start_paused = true)]
async fn notifications_of_a_subscription_go_to_it_and_its_id_keeps_its_type() {
    let (pipe, mut peer) = pipe(PipeLimits::default());
    let listen = |id: Value| request(id, "subscriptions/listen", json!({"notifications": {}}));
    let mut number = Reading::new(send(&pipe, listen(json!(3))).await.unwrap());
    let mut word = Reading::new(send(&pipe, listen(json!("3"))).await.unwrap());
    let mut call = Reading::new(
        send(&pipe, request(4, "tools/call", json!({})))
            .await
            .unwrap(),
    );
    let tagged = |id: Value, method: &str| {
        let meta = json!({"io.modelcontextprotocol/subscriptionId": id});
        notification(method, json!({"_meta": meta}))
    };
    peer.say(tagged(
        json!("3"),
        "notifications/subscriptions/acknowledged",
    ))
    .await;
    peer.say(tagged(json!(3), "notifications/tools/list_changed"))
        .await;
    // A subscription that is none: not even a request that has this id.
    peer.say(tagged(json!(4), "notifications/tools/list_changed"))
        .await;
    peer.say(notification(
        "notifications/message",
        json!({"level": "info", "data": "x"}),
    ))
    .await;
    peer.say(json!({"jsonrpc": "2.0", "id": 4, "result": {}}))
        .await;
    assert_eq!(
        word.message().await["method"],
        "notifications/subscriptions/acknowledged"
    );
    assert_eq!(
        number.message().await["method"],
        "notifications/tools/list_changed"
    );
    // A log message is for the call, never for a subscription.
    assert_eq!(call.message().await["method"], "notifications/message");
    assert_eq!(call.message().await["id"], 4);
    assert_eq!(pipe.skipped().unclaimed, 1);
}

#[tokio::test(start_paused = true)]
async fn a_subscription_ends_by_result_by_cancellation_or_by_both() {
    let (pipe, mut peer) = pipe(PipeLimits::default());
    let listen = || request(3, "subscriptions/listen", json!({}));
    let cancelled = || notification("notifications/cancelled", json!({"requestId": 3}));
    let closed = json!({"jsonrpc": "2.0", "id": 3, "result": {"resultType": "complete",
        "_meta": {"io.modelcontextprotocol/subscriptionId": 3}}});
    for ends in [
        vec![closed.clone()],
        vec![cancelled()],
        vec![cancelled(), closed.clone()],
        vec![closed.clone(), cancelled()],
    ] {
        let mut body = Reading::new(send(&pipe, listen()).await.unwrap());
        peer.expect("subscriptions/listen").await;
        let first = ends[0].clone();
        for end in ends {
            peer.say(end).await;
        }
        assert_eq!(body.message().await, first);
        assert_eq!(body.next().await.unwrap(), None);
        drop(body);
    }
    // Nothing was taken back: the next line is this one.
    let _body = send(&pipe, request(4, "after", json!({}))).await.unwrap();
    peer.expect("after").await;
}

#[tokio::test(start_paused = true)]
async fn a_call_that_nobody_waits_for_is_taken_back() {
    for revision in ["2026-07-28", "2025-06-18"] {
        let (client, _pipe, mut peer) = pair();
        let called = calling(&client, "slow");
        if revision == "2026-07-28" {
            peer.be_modern().await;
        } else {
            peer.be_legacy(revision).await;
        }
        let request = peer.expect("tools/call").await;
        called.abort();
        let cancelled = peer.expect("notifications/cancelled").await;
        assert_eq!(
            cancelled["params"]["requestId"], request["id"],
            "{revision}"
        );
        assert_eq!(cancelled.get("id"), None);
        // A late answer is for nobody, and the pipe goes on.
        peer.answer(&request, text("late")).await;
        let called = calling(&client, "quick");
        let request = peer.expect("tools/call").await;
        peer.answer(&request, text("in time")).await;
        assert_eq!(called.await.unwrap().unwrap(), "in time");
    }
}

#[tokio::test(start_paused = true)]
async fn neither_discovery_nor_the_handshake_is_taken_back() {
    let (client, _pipe, mut peer) = pair();
    let connecting = {
        let client = client.clone();
        tokio::spawn(async move { client.connect().await })
    };
    peer.expect("server/discover").await;
    connecting.abort();
    let connecting = {
        let client = client.clone();
        tokio::spawn(async move { client.connect().await })
    };
    let discover = peer.expect("server/discover").await;
    peer.refuse(&discover, -32601).await;
    peer.expect("initialize").await;
    connecting.abort();
    let called = calling(&client, "echo");
    peer.be_legacy("2025-11-25").await;
    let request = peer.expect("tools/call").await;
    peer.answer(&request, text("hello")).await;
    assert_eq!(called.await.unwrap().unwrap(), "hello");
}

#[tokio::test(start_paused = true)]
async fn a_cancellation_goes_out_once_and_only_for_what_is_in_flight() {
    let (pipe, mut peer) = pipe(PipeLimits::default());
    let cancel = |id: i64| notification("notifications/cancelled", json!({"requestId": id}));
    let body = send(&pipe, request(1, "slow", json!({}))).await.unwrap();
    peer.expect("slow").await;
    send(&pipe, cancel(1)).await.unwrap();
    assert_eq!(
        peer.expect("notifications/cancelled").await["params"]["requestId"],
        1
    );
    drop(body);
    send(&pipe, cancel(1)).await.unwrap();
    send(&pipe, cancel(2)).await.unwrap();
    let mut body = Reading::new(send(&pipe, request(3, "quick", json!({}))).await.unwrap());
    peer.expect("quick").await;
    peer.say(json!({"jsonrpc": "2.0", "id": 3, "result": {}}))
        .await;
    body.message().await;
    send(&pipe, cancel(3)).await.unwrap();
    drop(body);
    send(&pipe, notification("after", json!({}))).await.unwrap();
    peer.expect("after").await;
}

#[tokio::test(start_paused = true)]
async fn what_is_dropped_before_it_is_written_is_not_written() {
    let (ours, theirs) = tokio::io::duplex(64);
    let (reader, writer) = tokio::io::split(ours);
    let (pipe, driving) = Pipe::new(reader, writer, PipeLimits::default());
    // Nothing runs yet, so nothing is written.
    drop(send(&pipe, request(1, "dropped", json!({}))).await.unwrap());
    let _kept = send(&pipe, request(2, "kept", json!({}))).await.unwrap();
    drop(tokio::spawn(driving));
    let mut peer = Peer::of(theirs);
    assert_eq!(peer.expect("kept").await["id"], 2);
    send(&pipe, notification("after", json!({}))).await.unwrap();
    peer.expect("after").await;
}

#[tokio::test(start_paused = true)]
async fn batches_are_read_where_the_revision_has_them() {
    for (revision, is_read) in [
        ("2025-03-26", true),
        ("2024-11-05", false),
        ("2025-06-18", false),
    ] {
        let (client, pipe, mut peer) = pair();
        let first = calling(&client, "first");
        peer.be_legacy(revision).await;
        let to_first = peer.expect("tools/call").await;
        let second = calling(&client, "second");
        let to_second = peer.expect("tools/call").await;
        let answer = |request: &Value, it: &str| json!({"jsonrpc": "2.0", "id": request["id"], "result": text(it)});
        let ping = json!({"jsonrpc": "2.0", "id": "p", "method": "ping"});
        peer.say(json!([
            answer(&to_second, "2"),
            5,
            ping,
            answer(&to_first, "1")
        ]))
        .await;
        if is_read {
            assert_eq!(peer.line().await.unwrap()["id"], "p");
            assert_eq!(first.await.unwrap().unwrap(), "1");
            assert_eq!(second.await.unwrap().unwrap(), "2");
        } else {
            peer.answer(&to_first, text("single")).await;
            assert_eq!(first.await.unwrap().unwrap(), "single");
            assert!(!second.is_finished());
        }
        assert_eq!(pipe.skipped().not_messages, 1, "{revision}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_of_ours_is_one_line() {
    let (pipe, mut peer) = pipe(PipeLimits::default());
    let pretty = serde_json::to_string_pretty(&request(1, "a", json!({"text": "x\ny"}))).unwrap();
    assert!(pretty.contains('\n'));
    let sent = Request::post("/").body(Bytes::from(pretty)).unwrap();
    let _body = pipe.clone().call(sent).await.unwrap();
    assert_eq!(peer.expect("a").await["params"]["text"], "x\ny");
    // Anything but one message is refused before it is written.
    for wrong in [
        "",
        "{}",
        "x",
        r#"[{"jsonrpc":"2.0","method":"a"}]"#,
        "{\"jsonrpc\":\"2.0\"}\n{}",
    ] {
        let sent = Request::post("/").body(Bytes::from(wrong)).unwrap();
        let refused = pipe.clone().call(sent).await;
        assert!(matches!(refused, Err(PipeError::NotAMessage)), "{wrong}");
    }
    let put = Request::builder()
        .method(Method::PUT)
        .uri("/")
        .body(Bytes::new())
        .unwrap();
    assert_eq!(
        pipe.clone().call(put).await.unwrap().status(),
        StatusCode::METHOD_NOT_ALLOWED
    );
}
