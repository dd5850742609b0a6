//! Event streams of the older era: questions on them, and going on where one broke off.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body::{Body, Frame};
use mcp_protocol::Revision;
use mcp_protocol::client::{AnswerBody, BadAnswer, Client, ClientError, Limits, Pausing};
use mcp_protocol::types::Implementation;
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::client::{Seen, discovered, empty, legacy, modern, raw, result, with};
use crate::rounds::Willing;

/// A body that ends when its sender is gone, and breaks off where it is told to.
pub(crate) struct Open(UnboundedReceiver<io::Result<Bytes>>);

impl Body for Open {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.0
            .poll_recv(context)
            .map(|piece| piece.map(|piece| piece.map(Frame::data)))
    }
}

pub(crate) type Wire = UnboundedSender<io::Result<Bytes>>;

pub(crate) fn open() -> (Wire, Response<AnswerBody>) {
    let (wire, body) = unbounded_channel();
    let response = Response::builder()
        .header("content-type", "text/event-stream")
        .body(AnswerBody::stream(Open(body)))
        .unwrap();
    (wire, response)
}

pub(crate) fn event(message: &Value) -> io::Result<Bytes> {
    Ok(format!("event: message\ndata: {message}\n\n").into())
}

type Answering = dyn FnMut(&Seen) -> Response<AnswerBody> + Send;

/// A server of the older era with streams; everything after the handshake is the closure's.
#[derive(Clone)]
pub(crate) struct Streaming {
    seen: Arc<Mutex<Vec<Seen>>>,
    answer: Arc<Mutex<Answering>>,
}

impl Streaming {
    pub(crate) fn new(answer: impl FnMut(&Seen) -> Response<AnswerBody> + Send + 'static) -> Self {
        Self {
            seen: Arc::default(),
            answer: Arc::new(Mutex::new(answer)),
        }
    }

    pub(crate) fn client(&self) -> Client<Self> {
        let info = Implementation::new("tester", "1");
        Client::new(
            self.clone(),
            "https://mcp.example/mcp".parse().unwrap(),
            info,
        )
        .starting_with(Revision::V2025_11_25)
    }

    /// A client that asks in the newest form first.
    pub(crate) fn modern_client(&self) -> Client<Self> {
        self.client().starting_with(Revision::V2026_07_28)
    }

    /// Every message that was sent.
    pub(crate) fn all_methods(&self) -> Vec<String> {
        let seen = self.seen.lock().unwrap();
        seen.iter().map(|seen| seen.method().to_owned()).collect()
    }

    /// How often this was asked.
    pub(crate) fn seen_methods(&self, method: &str) -> usize {
        let methods = self.all_methods();
        methods.iter().filter(|seen| *seen == method).count()
    }

    /// The tool calls.
    pub(crate) fn seen_calls(&self) -> Vec<Value> {
        let seen = self.seen.lock().unwrap();
        let calls = seen.iter().filter(|seen| seen.method() == "tools/call");
        calls.map(|seen| seen.body.clone()).collect()
    }

    /// What was sent after the handshake.
    pub(crate) fn sent(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().iter().skip(2).cloned().collect()
    }
}

impl tower_service::Service<Request<Bytes>> for Streaming {
    type Response = Response<AnswerBody>;
    type Error = Infallible;
    type Future = Ready<Result<Response<AnswerBody>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let (parts, body) = request.into_parts();
        let seen = Seen {
            http_method: parts.method,
            headers: parts.headers,
            body: serde_json::from_slice(&body).unwrap_or(Value::Null),
        };
        self.seen.lock().unwrap().push(seen.clone());
        ready(Ok(match seen.method() {
            "initialize" => {
                let mut response = result(
                    &seen,
                    json!({"protocolVersion": "2025-11-25", "capabilities": {},
                           "serverInfo": {"name": "old", "version": "1"}}),
                );
                response
                    .headers_mut()
                    .insert("mcp-session-id", "session-1".parse().unwrap());
                response.map(Into::into)
            }
            "notifications/initialized" => empty(202).map(Into::into),
            "server/discover" => discovered(&seen).map(Into::into),
            _ => (self.answer.lock().unwrap())(&seen),
        }))
    }
}

pub(crate) fn done(id: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "result": {"content": [{"type": "text", "text": "done"}]}})
}

pub(crate) fn question(id: &str, method: &str, params: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
}

/// A server that asks these on the stream of a call, each after the answer to the one before.
fn asking(questions: Vec<Value>) -> Streaming {
    let mut questions = VecDeque::from(questions);
    let mut call: Option<(Wire, Value)> = None;
    Streaming::new(move |seen| {
        let response = if seen.method() == "tools/call" {
            let (wire, response) = open();
            call = Some((wire, seen.body["id"].clone()));
            response
        } else {
            empty(202).map(Into::into)
        };
        let (wire, id) = call.as_ref().unwrap();
        let next = questions.pop_front().unwrap_or_else(|| done(id));
        wire.send(event(&next)).unwrap();
        response
    })
}

async fn call(client: &Client<Streaming>) -> Result<String, ClientError> {
    let called = client.call_tool("t", &raw(json!({}))).await?;
    Ok(called.result.content[0].as_text().unwrap().to_owned())
}

fn form() -> Value {
    json!({"message": "Sure?", "requestedSchema": {"type": "object", "properties": {}}})
}

#[tokio::test]
async fn a_question_on_the_stream_is_answered_while_the_server_waits() {
    let server = asking(vec![
        question("q1", "elicitation/create", &form()),
        question("q2", "ping", &json!({})),
        question("q3", "roots/list", &json!({})),
    ]);
    assert_eq!(
        call(&server.client().with_host(Willing)).await.unwrap(),
        "done"
    );
    let answers: Vec<Value> = server
        .sent()
        .iter()
        .skip(1)
        .map(|seen| seen.body.clone())
        .collect();
    assert_eq!(
        answers,
        [
            json!({"jsonrpc": "2.0", "id": "q1", "result": {"action": "accept", "content": {}}}),
            json!({"jsonrpc": "2.0", "id": "q2", "result": {}}),
            json!({"jsonrpc": "2.0", "id": "q3", "result": {"roots": []}}),
        ]
    );
    for seen in server.sent() {
        assert_eq!(seen.header("mcp-session-id"), Some("session-1"));
        assert_eq!(seen.header("mcp-protocol-version"), Some("2025-11-25"));
    }
}

#[tokio::test]
async fn a_question_that_is_not_answered_is_an_error_to_the_server() {
    let server = asking(vec![
        question("q1", "elicitation/create", &form()),
        question("q2", "server/invented", &json!({})),
    ]);
    // Nobody to ask: nothing is declared.
    assert_eq!(call(&server.client()).await.unwrap(), "done");
    let codes: Vec<Value> = server
        .sent()
        .iter()
        .skip(1)
        .map(|seen| seen.body["error"]["code"].clone())
        .collect();
    assert_eq!(codes, [json!(-32601), json!(-32601)]);
    let opening = server.seen.lock().unwrap()[0].body.clone();
    assert_eq!(opening["params"]["capabilities"], json!({}));
}

#[tokio::test]
async fn questions_without_end_end_the_call() {
    let questions = (0..3).map(|n| question(&n.to_string(), "roots/list", &json!({})));
    let server = asking(questions.collect());
    let client = server.client().with_host(Willing).with_limits(Limits {
        max_questions: 2,
        ..Limits::default()
    });
    let refused = call(&client).await;
    assert!(
        matches!(
            refused,
            Err(ClientError::Answer(BadAnswer::TooManyQuestions(2)))
        ),
        "{refused:?}"
    );
}

#[tokio::test]
async fn mcp_life_05_pings_are_answered_and_are_no_questions() {
    let pings = (0..40).map(|n| question(&n.to_string(), "ping", &json!({})));
    let server = asking(pings.collect());
    assert_eq!(call(&server.client()).await.unwrap(), "done");
    let answers = server.sent().into_iter().skip(1);
    assert!(answers.clone().all(|seen| seen.body["result"] == json!({})));
    assert_eq!(answers.count(), 40);
}

/// A server that breaks a call off with these pieces and has the answer on the stream that is opened then.
fn breaking(pieces: Vec<io::Result<Bytes>>) -> Streaming {
    let mut pieces = Some(pieces);
    let mut id = Value::Null;
    Streaming::new(move |seen| {
        let (wire, response) = open();
        if seen.http_method == Method::GET {
            wire.send(event(&done(&id))).unwrap();
        } else {
            id = seen.body["id"].clone();
            for piece in pieces.take().unwrap() {
                wire.send(piece).unwrap();
            }
        }
        response
    })
}

/// A pause that is over at once, and the times that were asked of it.
pub(crate) fn noted() -> (
    Arc<Mutex<Vec<Duration>>>,
    impl Fn(Duration) -> Pausing + Send + Sync,
) {
    let times: Arc<Mutex<Vec<Duration>>> = Arc::default();
    let noted = Arc::clone(&times);
    let pause = move |time| {
        noted.lock().unwrap().push(time);
        Box::pin(ready(())) as Pausing
    };
    (times, pause)
}

pub(crate) fn text(text: &'static str) -> io::Result<Bytes> {
    Ok(Bytes::from_static(text.as_bytes()))
}

#[tokio::test]
async fn a_stream_that_ends_early_is_opened_again_after_the_servers_time() {
    for end in [None, Some(Err(io::Error::other("cut")))] {
        let mut pieces = vec![text("id: event-1\nretry: 500\ndata: \n\n")];
        pieces.extend(end);
        let server = breaking(pieces);
        let (times, pause) = noted();
        assert_eq!(
            call(&server.client().with_pause(pause)).await.unwrap(),
            "done"
        );
        assert_eq!(*times.lock().unwrap(), [Duration::from_millis(500)]);
        let sent = server.sent();
        let reopened = &sent[1];
        assert_eq!(reopened.http_method, Method::GET);
        assert_eq!(reopened.header("last-event-id"), Some("event-1"));
        assert_eq!(reopened.header("accept"), Some("text/event-stream"));
        assert_eq!(reopened.header("mcp-session-id"), Some("session-1"));
        assert_eq!(reopened.header("content-type"), None);
        assert_eq!(sent.len(), 2);
    }
}

#[tokio::test]
async fn a_stream_that_broke_off_is_let_go_before_the_wait() {
    let broken: Arc<Mutex<Option<Wire>>> = Arc::default();
    let of_call = Arc::clone(&broken);
    let mut id = Value::Null;
    let server = Streaming::new(move |seen| {
        let (wire, response) = open();
        if seen.http_method == Method::GET {
            wire.send(event(&done(&id))).unwrap();
        } else {
            id = seen.body["id"].clone();
            wire.send(text("id: 1\ndata:\n\n")).unwrap();
            wire.send(Err(io::Error::other("cut"))).unwrap();
            *of_call.lock().unwrap() = Some(wire);
        }
        response
    });
    let pause = move |_| {
        assert!(broken.lock().unwrap().as_ref().unwrap().is_closed());
        Box::pin(ready(())) as Pausing
    };
    let client = server.client().with_pause(pause);
    assert_eq!(call(&client).await.unwrap(), "done");
}

#[tokio::test]
async fn without_a_time_of_the_servers_it_waits_a_second() {
    let server = breaking(vec![text("id: 1\ndata:\n\n")]);
    let (times, pause) = noted();
    assert_eq!(
        call(&server.client().with_pause(pause)).await.unwrap(),
        "done"
    );
    assert_eq!(*times.lock().unwrap(), [Duration::from_secs(1)]);
}

#[tokio::test]
async fn a_stream_that_cannot_be_resumed_is_not_opened_again() {
    // No id; a time that is too long; and no way to wait.
    for (piece, pauses) in [
        ("retry: 5\ndata:\n\n", true),
        ("id: 1\nretry: 30001\ndata:\n\n", true),
        ("id: 1\nretry: 5\ndata:\n\n", false),
    ] {
        let server = breaking(vec![text(piece)]);
        let (times, pause) = noted();
        let mut client = server.client();
        if pauses {
            client = client.with_pause(pause);
        }
        let refused = call(&client).await;
        assert!(
            matches!(refused, Err(ClientError::Answer(BadAnswer::NoAnswer))),
            "{piece} {refused:?}"
        );
        assert!(times.lock().unwrap().is_empty());
        assert_eq!(server.sent().len(), 1);
    }
    // A body that is cut is no end of a stream.
    let server = breaking(vec![Err(io::Error::other("cut"))]);
    assert!(matches!(
        call(&server.client()).await,
        Err(ClientError::Transport(_))
    ));
}

#[tokio::test]
async fn a_server_that_refuses_to_go_on_has_its_reason() {
    for (status, kind) in [
        (405, "no answer"),
        (404, "http"),
        (401, "unauthorized"),
        (200, "content type"),
    ] {
        let server = Streaming::new(move |seen| {
            if seen.http_method == Method::GET {
                return with(status, "text/plain", "").map(Into::into);
            }
            with(200, "text/event-stream", "id: 1\nretry: 1\ndata:\n\n").map(Into::into)
        });
        let (_, pause) = noted();
        let told = match call(&server.client().with_pause(pause)).await.unwrap_err() {
            ClientError::Answer(BadAnswer::NoAnswer) => "no answer",
            ClientError::Answer(BadAnswer::ContentType) => "content type",
            ClientError::Http { status } if status == 404 => "http",
            ClientError::Unauthorized { .. } => "unauthorized",
            other => panic!("{other:?}"),
        };
        assert_eq!(told, kind, "{status}");
    }
}

#[tokio::test]
async fn a_call_that_the_server_has_taken_is_not_made_again_when_its_session_ends() {
    // The way back to the stream is gone; and the answer to a question comes too late.
    let asked = event(&question("q", "ping", &json!({}))).unwrap();
    for piece in [Bytes::from_static(b"id: 1\nretry: 1\ndata:\n\n"), asked] {
        let server = Streaming::new(move |seen| match seen.method() {
            "tools/call" => with(200, "text/event-stream", piece.clone()).map(Into::into),
            _ => empty(404).map(Into::into),
        });
        let (_, pause) = noted();
        let refused = call(&server.client().with_pause(pause)).await;
        assert!(
            matches!(refused, Err(ClientError::Http { status }) if status == 404),
            "{refused:?}"
        );
        let calls = server.sent().into_iter();
        let calls = calls.filter(|seen| seen.method() == "tools/call");
        assert_eq!(calls.count(), 1);
    }
}

#[tokio::test]
async fn a_stream_that_breaks_off_again_and_again_is_given_up() {
    let server =
        Streaming::new(|_| with(200, "text/event-stream", "id: 1\ndata:\n\n").map(Into::into));
    let (times, pause) = noted();
    let client = server.client().with_pause(pause).with_limits(Limits {
        max_reconnections: 3,
        ..Limits::default()
    });
    let refused = call(&client).await;
    assert!(
        matches!(refused, Err(ClientError::Answer(BadAnswer::NoAnswer))),
        "{refused:?}"
    );
    assert_eq!(times.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn in_the_newest_era_a_stream_is_neither_resumed_nor_asked_on() {
    let server = modern(|seen| {
        let asked = question("q", "ping", &json!({}));
        let body = format!("id: 1\nretry: 1\ndata: {asked}\n\n");
        assert_eq!(seen.http_method, Method::POST);
        with(200, "text/event-stream", body)
    });
    let (times, pause) = noted();
    let client = server.client().with_host(Willing).with_pause(pause);
    let refused = client.call_tool("t", &raw(json!({}))).await;
    assert!(
        matches!(refused, Err(ClientError::Answer(BadAnswer::NoAnswer))),
        "{refused:?}"
    );
    assert_eq!(server.methods(), ["server/discover", "tools/call"]);
    assert!(times.lock().unwrap().is_empty());
    assert!(client.listen().await.unwrap().is_none());
}

#[tokio::test]
async fn a_question_on_the_servers_own_stream_is_answered() {
    let mut own: Option<Wire> = None;
    let mut waiting: Option<(Wire, Value)> = None;
    let server = Streaming::new(move |seen| match (&seen.http_method, seen.method()) {
        (&Method::GET, _) => {
            let (wire, response) = open();
            own = Some(wire);
            response
        }
        (_, "tools/call") => {
            let (wire, response) = open();
            waiting = Some((wire, seen.body["id"].clone()));
            let asked = question("q", "elicitation/create", &form());
            own.as_ref().unwrap().send(event(&asked)).unwrap();
            response
        }
        _ => {
            assert_eq!(seen.body["result"]["action"], "accept");
            let (wire, id) = waiting.as_ref().unwrap();
            wire.send(event(&done(id))).unwrap();
            empty(202).map(Into::into)
        }
    });
    let client = server.client().with_host(Willing);
    let listening = client.listen().await.unwrap().unwrap();
    let answer = tokio::select! {
        answer = call(&client) => answer,
        ended = client.serve(listening) => panic!("{ended:?}"),
    };
    assert_eq!(answer.unwrap(), "done");
    assert_eq!(server.sent()[0].header("last-event-id"), None);
}

#[tokio::test]
async fn a_server_without_a_stream_of_its_own_has_none() {
    let server = legacy("2025-11-25", |seen| {
        assert_eq!(seen.http_method, Method::GET);
        empty(405)
    });
    assert!(server.client().listen().await.unwrap().is_none());
}

#[tokio::test]
async fn a_client_that_starts_with_the_older_era_asks_nothing_else_first() {
    let server = legacy("2025-06-18", |seen| result(seen, json!({"tools": []})));
    let client = server.client().starting_with(Revision::V2025_06_18);
    client.list_tools().await.unwrap();
    assert_eq!(
        server.methods(),
        ["initialize", "notifications/initialized", "tools/list"]
    );
    assert_eq!(
        server.seen()[0].body["params"]["protocolVersion"],
        "2025-06-18"
    );
}

#[tokio::test(start_paused = true)]
async fn a_server_that_wants_its_stream_opened_again_at_once_is_not_obeyed_without_end() {
    let mut opened = 0;
    let server = Streaming::new(move |_| {
        opened += 1;
        assert!(opened < 100, "the client does nothing else");
        let told = json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"});
        let text = format!("id: 1\nretry: 0\ndata: {told}\n\n");
        with(200, "text/event-stream", text).map(Into::into)
    });
    let timer = |time| Box::pin(tokio::time::sleep(time)) as Pausing;
    let client = server.client().with_pause(timer).with_limits(Limits {
        max_serve_time: Duration::from_secs(1),
        ..Limits::default()
    });
    let listening = client.listen().await.unwrap().unwrap();
    client.serve(listening).await.unwrap();
}
