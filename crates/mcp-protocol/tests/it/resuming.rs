//! Streams of a session that outlive their connection: ids, closing in the middle, coming back.

use std::sync::atomic::Ordering;
use std::time::Duration;

use http_body_util::BodyExt as _;
use mcp_protocol::serve::{Body, Context, Error, SessionLimits};
use mcp_protocol::types::{Elicitation, ToolCall, ToolResult};
use serde_json::{Value, json};

use crate::drive::*;

const UNKNOWN: &str =
    r#"{"jsonrpc":"2.0","error":{"code":-32000,"message":"event is not known any more"}}"#;

/// The tools of the test server whose streams break.
pub(crate) async fn work(context: &Context, call: &ToolCall) -> Result<ToolResult, Error> {
    match call.name.as_str() {
        "hang" => {
            context.hang_up(Duration::from_millis(1500)).await;
            for step in [1.0, 2.0] {
                tokio::time::sleep(Duration::from_secs(1)).await;
                context.progress(step, None, None).await;
            }
            Ok(ToolResult::text("hung up"))
        }
        "slow" => {
            for step in [1.0, 2.0] {
                context.progress(step, None, None).await;
                tokio::time::sleep(Duration::from_secs(45)).await;
            }
            Ok(ToolResult::text("slow"))
        }
        "twice" => {
            for key in ["first", "second"] {
                let form = Elicitation::Form {
                    message: "Again?".to_owned(),
                    requested_schema: json!({ "type": "object", "properties": {} }).into(),
                };
                context.elicit(key, form).await?;
            }
            Ok(ToolResult::text("asked twice"))
        }
        "hang-twice" => {
            for (step, pause) in [(1.0, 1000), (2.0, 2000), (3.0, 3000)] {
                context.progress(step, None, None).await;
                context.hang_up(Duration::from_millis(pause)).await;
                tokio::time::sleep(Duration::from_millis(pause + 500)).await;
            }
            Ok(ToolResult::text("hung up twice"))
        }
        "hang-chatter" => {
            context.hang_up(Duration::from_millis(1)).await;
            for step in 1..=40_u8 {
                context.progress(step.into(), None, None).await;
                tokio::task::yield_now().await;
            }
            Ok(ToolResult::text("said"))
        }
        "hang-late" => {
            context.progress(1.0, None, None).await;
            context.hang_up(Duration::from_secs(1)).await;
            Ok(ToolResult::text("at once"))
        }
        _ => Err(call.unknown().into()),
    }
}

async fn open(service: &Service, version: &str, capabilities: &Value) -> String {
    let answer = initialize(version, capabilities).send(service).await;
    answer.header("mcp-session-id").unwrap().to_owned()
}

/// A call with its own id, of a tool that reports progress.
fn call(session: &str, id: i64, name: &str) -> Call {
    let params = json!({ "name": name, "_meta": { "progressToken": id } });
    let message = json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params });
    post(message.to_string()).header("mcp-session-id", session)
}

fn come_back(session: &str, last: &str) -> Call {
    bare("GET", "")
        .header("accept", "text/event-stream")
        .header("mcp-session-id", session)
        .header("last-event-id", last)
}

/// Every event until the end of the stream: id, and the message.
async fn rest(body: &mut Body) -> Vec<(Option<String>, Value)> {
    let mut events = Vec::new();
    while let Some(event) = any_event(body).await {
        events.push((event.id, serde_json::from_str(&event.data).unwrap()));
    }
    events
}

fn progress(token: i64, step: f64) -> Value {
    let params = json!({ "progressToken": token, "progress": step });
    json!({ "jsonrpc": "2.0", "method": "notifications/progress", "params": params })
}

fn text(id: i64, text: &str) -> Value {
    let result = json!({ "content": [{ "type": "text", "text": text }] });
    json!({ "jsonrpc": "2.0", "id": id, "result": result })
}

#[tokio::test(start_paused = true)]
async fn the_server_hangs_up_and_the_client_comes_back_for_the_rest() {
    let service = with_sessions();
    let session = open(&service, "2025-11-25", &json!({})).await;
    let answer = call(&session, 1, "hang").send(&service).await;
    assert_eq!(answer.header("content-type"), Some("text/event-stream"));
    assert_eq!(answer.text, "id: 0-0\ndata: \n\nretry: 1500\n\n");
    // Before anything has come, and until all has.
    let response = come_back(&session, "0-0").response(&service).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let whole = [
        (Some("0-1".to_owned()), progress(1, 1.0)),
        (Some("0-2".to_owned()), progress(1, 2.0)),
        (Some("0-3".to_owned()), text(1, "hung up")),
    ];
    assert_eq!(rest(&mut response.into_body()).await, whole);
    // Once more, after each event: what came after it.
    for (at, last) in ["0-0", "0-1", "0-2", "0-3"].into_iter().enumerate() {
        let response = come_back(&session, last).response(&service).await;
        assert_eq!(rest(&mut response.into_body()).await, whole[at..], "{last}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_breaks_loses_nothing() {
    let service = with_sessions();
    let session = open(&service, "2025-11-25", &json!({ "elicitation": {} })).await;
    let mut body = call(&session, 1, "name")
        .response(&service)
        .await
        .into_body();
    let opening = any_event(&mut body).await.unwrap();
    assert_eq!(
        (opening.id.as_deref(), opening.data.as_str()),
        (Some("0-0"), "")
    );
    let question = next_event(&mut body).await;
    assert_eq!(question.id.as_deref(), Some("0-1"));
    drop(body);
    // The client has the question, and the answer to the call comes where it comes back.
    let question: Value = serde_json::from_str(&question.data).unwrap();
    let answer =
        json!({ "jsonrpc": "2.0", "id": question["id"], "result": { "action": "decline" } });
    post(answer.to_string())
        .header("mcp-session-id", &session)
        .send(&service)
        .await
        .is(202, "");
    let mut body = come_back(&session, "0-1")
        .response(&service)
        .await
        .into_body();
    let event = next_event(&mut body).await;
    assert_eq!(event.id.as_deref(), Some("0-2"));
    assert!(event.data.contains("Decline None"), "{}", event.data);
    assert!(body.frame().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_session_does_not_break_off_what_was_said_before() {
    let service = with_sessions();
    let session = open(&service, "2025-11-25", &json!({})).await;
    call(&session, 1, "hang").send(&service).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let response = come_back(&session, "0-0").response(&service).await;
    let mut body = response.into_body();
    let first = any_event(&mut body).await.unwrap();
    assert_eq!(first.id.as_deref(), Some("0-1"));
    let end = bare("DELETE", "").header("mcp-session-id", &session);
    end.send(&service).await.status_is(204, "the end");
    let whole = [
        (Some("0-2".to_owned()), progress(1, 2.0)),
        (Some("0-3".to_owned()), text(1, "hung up")),
    ];
    assert_eq!(rest(&mut body).await, whole);
}

#[tokio::test(start_paused = true)]
async fn only_the_messages_of_that_stream_come_again() {
    let service = with_sessions();
    let session = open(&service, "2025-11-25", &json!({})).await;
    for id in [1, 2] {
        call(&session, id, "hang").send(&service).await;
    }
    for (last, id) in [("1-0", 2), ("0-0", 1)] {
        let response = come_back(&session, last).response(&service).await;
        let events = rest(&mut response.into_body()).await;
        let messages: Vec<Value> = events.into_iter().map(|(_, message)| message).collect();
        assert_eq!(
            messages,
            [progress(id, 1.0), progress(id, 2.0), text(id, "hung up")]
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_newer_connection_takes_the_stream_over() {
    let service = with_sessions();
    let session = open(&service, "2025-11-25", &json!({})).await;
    let mut first = call(&session, 1, "wait")
        .response(&service)
        .await
        .into_body();
    assert_eq!(next_event(&mut first).await.id.as_deref(), Some("0-1"));
    let mut second = come_back(&session, "0-0")
        .response(&service)
        .await
        .into_body();
    assert_eq!(next_event(&mut second).await.id.as_deref(), Some("0-1"));
    assert!(any_event(&mut first).await.is_none(), "one connection only");
    let mut third = come_back(&session, "0-0")
        .response(&service)
        .await
        .into_body();
    assert_eq!(next_event(&mut third).await.id.as_deref(), Some("0-1"));
    assert!(
        any_event(&mut second).await.is_none(),
        "one connection only"
    );
    // The end of the session is the end of all.
    bare("DELETE", "")
        .header("mcp-session-id", &session)
        .send(&service)
        .await
        .is(204, "");
    assert!(any_event(&mut third).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_newer_connection_has_everything_at_once_though_an_older_one_is_open_and_unread() {
    // MCP-LHTTP-07, MCP-LHTTP-08.
    let service = with_sessions();
    let session = open(&service, "2025-11-25", &json!({})).await;
    let unread = call(&session, 1, "many").response(&service).await;
    let also_unread = come_back(&session, "0-0").response(&service).await;
    let response = come_back(&session, "0-0").response(&service).await;
    let events = rest(&mut response.into_body()).await;
    let ids: Vec<Option<String>> = events.iter().map(|(id, _)| id.clone()).collect();
    let all: Vec<Option<String>> = (1..=101).map(|n| Some(format!("0-{n}"))).collect();
    assert_eq!(ids, all);
    for older in [unread, also_unread] {
        assert!(
            any_event(&mut older.into_body()).await.is_none(),
            "a message is on one connection only"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_client_that_never_reads_has_missed_is_refused_and_no_hole() {
    // MCP-LHTTP-08: the buffer is bounded, whoever reads.
    let bounded = |limits: &mut SessionLimits| limits.replay_bytes = 500;
    let service = sessions_of(Server::default(), bounded);
    let session = open(&service, "2025-11-25", &json!({})).await;
    let unread = call(&session, 1, "many").response(&service).await;
    drop(unread);
    // Nobody has the stream, so nobody is waited for, and the first messages make room.
    tokio::time::sleep(Duration::from_secs(1)).await;
    come_back(&session, "0-0")
        .send(&service)
        .await
        .is(400, UNKNOWN);
    let late = come_back(&session, "0-100").send(&service).await;
    assert_eq!(late.events(), [text(1, "done")]);
}

#[tokio::test(start_paused = true)]
async fn a_handler_may_hang_up_on_a_stream_that_was_resumed() {
    // MCP-LHTTP-09: each connection of a stream may be closed, not only the first.
    let service = with_sessions();
    let session = open(&service, "2025-11-25", &json!({})).await;
    let answer = call(&session, 1, "hang-twice").send(&service).await;
    let mut last = "0-1".to_owned();
    assert!(
        answer.text.ends_with("\n\nretry: 1000\n\n"),
        "{}",
        answer.text
    );
    for (step, pause) in [(2, 2000), (3, 3000)] {
        tokio::time::sleep(Duration::from_millis(pause - 1000)).await;
        let answer = come_back(&session, &last).send(&service).await;
        last = format!("0-{step}");
        assert_eq!(answer.events(), [progress(1, f64::from(step))]);
        assert!(answer.text.starts_with(&format!("id: {last}\n")));
        let retry = format!("\n\nretry: {pause}\n\n");
        assert!(answer.text.ends_with(&retry), "{}", answer.text);
    }
    let answer = come_back(&session, &last).send(&service).await;
    assert_eq!(answer.events(), [text(1, "hung up twice")]);
    assert!(!answer.text.contains("retry"), "{}", answer.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn connections_that_race_for_a_stream_miss_nothing() {
    for _ in 0..20 {
        let service = with_sessions();
        let session = open(&service, "2025-11-25", &json!({})).await;
        call(&session, 1, "hang-chatter").send(&service).await;
        let racers: Vec<_> = (1..=3)
            .map(|patience| {
                let (service, session) = (service.clone(), session.clone());
                tokio::spawn(async move {
                    let mut last = 0;
                    while last < 41 {
                        let from = format!("0-{last}");
                        let response = come_back(&session, &from).response(&service).await;
                        assert_eq!(response.status(), 200);
                        let mut body = response.into_body();
                        for _ in 0..patience {
                            let Some(event) = any_event(&mut body).await else {
                                break;
                            };
                            last += 1;
                            assert_eq!(event.id, Some(format!("0-{last}")));
                        }
                    }
                })
            })
            .collect();
        for racer in racers {
            racer.await.unwrap();
        }
    }
}

#[tokio::test]
async fn an_event_that_is_not_known_is_refused() {
    let service = with_sessions();
    let session = open(&service, "2025-11-25", &json!({})).await;
    call(&session, 1, "progress").send(&service).await;
    come_back(&session, "0-1")
        .send(&service)
        .await
        .status_is(200, "0-1");
    for last in ["0-9", "1-0", "0", "", "x-y", "00-0"] {
        come_back(&session, last)
            .send(&service)
            .await
            .is(400, UNKNOWN);
    }
    come_back(&session, "0-0")
        .header("last-event-id", "0-1")
        .send(&service)
        .await
        .is(400, UNKNOWN);
    // Another session has its own events, and nobody else has this one's.
    come_back("made-up", "0-0")
        .send(&service)
        .await
        .status_is(404, "made-up");
    come_back(&session, "0-0")
        .person("eve")
        .send(&service)
        .await
        .status_is(404, "eve");
}

#[tokio::test]
async fn what_is_kept_is_bounded() {
    let bounded = |limits: &mut SessionLimits| limits.replay_bytes = 500;
    let service = sessions_of(Server::default(), bounded);
    let session = open(&service, "2025-11-25", &json!({})).await;
    let answer = call(&session, 1, "many").send(&service).await;
    assert_eq!(answer.events().len(), 101, "a client that stays gets all");
    come_back(&session, "0-0")
        .send(&service)
        .await
        .is(400, UNKNOWN);
    let late = come_back(&session, "0-100").send(&service).await;
    assert_eq!(late.events(), [text(1, "done")]);
}

#[tokio::test(start_paused = true)]
async fn without_room_to_keep_anything_streams_are_as_before() {
    let service = sessions_of(Server::default(), |limits| limits.replay_bytes = 0);
    let session = open(&service, "2025-11-25", &json!({})).await;
    let answer = call(&session, 1, "hang").send(&service).await;
    assert!(!answer.text.contains("id: ") && !answer.text.contains("retry"));
    assert_eq!(answer.events().len(), 3, "{}", answer.text);
    come_back(&session, "0-0")
        .send(&service)
        .await
        .is(400, UNKNOWN);
}

#[tokio::test(start_paused = true)]
async fn before_2025_11_25_events_have_ids_and_nobody_hangs_up() {
    let service = with_sessions();
    let session = open(&service, "2025-06-18", &json!({})).await;
    let answer = call(&session, 1, "hang").send(&service).await;
    assert!(
        answer.text.starts_with("id: 0-1\ndata: {"),
        "{}",
        answer.text
    );
    assert!(!answer.text.contains("retry"));
    assert_eq!(answer.events().len(), 3);
    let again = come_back(&session, "0-2").send(&service).await;
    assert_eq!(again.events(), [text(1, "hung up")]);
}

#[tokio::test(start_paused = true)]
async fn nobody_hangs_up_where_there_is_no_way_back() {
    for service in [stateless(), with_sessions()] {
        let params = json!({ "name": "hang", "_meta": { "progressToken": 1 } });
        let answer = modern("tools/call", params).send(&service).await;
        assert!(!answer.text.contains("id: ") && !answer.text.contains("retry"));
        assert_eq!(answer.events().len(), 3);
    }
    let params = json!({ "name": "hang", "_meta": { "progressToken": 1 } });
    let answer = legacy("2025-11-25", "tools/call", &params)
        .send(&stateless())
        .await;
    assert!(!answer.text.contains("id: ") && !answer.text.contains("retry"));
    // The newest revision ignores the header of the older ones.
    let answer = modern("tools/list", json!({}))
        .header("last-event-id", "0-0")
        .send(&stateless())
        .await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_handler_may_hang_up_right_before_its_answer() {
    let service = with_sessions();
    let session = open(&service, "2025-11-25", &json!({})).await;
    let answer = call(&session, 1, "hang-late").send(&service).await;
    assert!(answer.text.starts_with("id: 0-0\ndata: \n\nid: 0-1\n"));
    let response = come_back(&session, "0-1").response(&service).await;
    assert_eq!(
        rest(&mut response.into_body()).await,
        [(Some("0-2".to_owned()), text(1, "at once"))]
    );
}

#[tokio::test]
async fn a_cancelled_request_ends_its_stream_wherever_it_is() {
    let server = Server::default();
    let service = sessions_of(server.clone(), |_| {});
    let session = open(&service, "2025-11-25", &json!({})).await;
    let mut body = call(&session, 1, "wait")
        .response(&service)
        .await
        .into_body();
    next_event(&mut body).await;
    drop(body);
    let mut body = come_back(&session, "0-1")
        .response(&service)
        .await
        .into_body();
    let cancel = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#;
    post(cancel)
        .header("mcp-session-id", &session)
        .send(&service)
        .await
        .is(202, "");
    assert!(any_event(&mut body).await.is_none());
    assert!(server.dropped.load(Ordering::SeqCst));
    let again = come_back(&session, "0-1").send(&service).await;
    again.is(200, "");
}
