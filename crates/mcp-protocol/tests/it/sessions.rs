//! Sessions of the older revisions: who opened them, how long they live, what is in flight.

use std::sync::atomic::Ordering;
use std::time::Duration;

use mcp_protocol::serve::Change;
use serde_json::{Value, json};

use crate::drive::*;

const REQUIRED: &str = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"Mcp-Session-Id header is required"}}"#;
const UNKNOWN: &str =
    r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"session not found"}}"#;

async fn open(service: &Service, capabilities: Value) -> String {
    let answer = initialize("2025-11-25", &capabilities).send(service).await;
    assert_eq!(answer.status, 200);
    answer.header("mcp-session-id").unwrap().to_owned()
}

fn call(session: &str, params: &Value) -> Call {
    legacy("2025-11-25", "tools/call", params).header("mcp-session-id", session)
}

fn ping(session: &str) -> Call {
    legacy("2025-11-25", "ping", &json!({})).header("mcp-session-id", session)
}

#[tokio::test]
async fn a_session_is_opened_used_and_ended() {
    let service = with_sessions();
    let session = open(&service, json!({})).await;
    assert!(session.len() >= 22 && session.bytes().all(|byte| (0x21..=0x7e).contains(&byte)));
    ping(&session)
        .send(&service)
        .await
        .is(200, r#"{"jsonrpc":"2.0","id":1,"result":{}}"#);
    bare("DELETE", "")
        .header("mcp-session-id", &session)
        .send(&service)
        .await
        .is(204, "");
    ping(&session).send(&service).await.is(404, UNKNOWN);
    assert_eq!(
        bare("DELETE", "")
            .header("mcp-session-id", &session)
            .send(&service)
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn a_session_is_needed_and_must_be_known() {
    let service = with_sessions();
    legacy("2025-11-25", "ping", &json!({}))
        .send(&service)
        .await
        .is(400, REQUIRED);
    ping("made-up").send(&service).await.is(404, UNKNOWN);
    let get = bare("GET", "")
        .header("accept", "text/event-stream")
        .send(&service)
        .await;
    assert_eq!(get.status, 400);
    let session = open(&service, json!({})).await;
    initialize("2025-11-25", &json!({})).header("mcp-session-id", &session).send(&service).await.is(
        400,
        r#"{"jsonrpc":"2.0","id":0,"error":{"code":-32600,"message":"initialize is not allowed here"}}"#,
    );
    // The newest revision needs none, on the same address.
    assert_eq!(
        modern("tools/list", json!({})).send(&service).await.status,
        200
    );
}

#[tokio::test]
async fn a_session_stays_with_the_one_who_opened_it() {
    let service = with_sessions();
    let answer = initialize("2025-11-25", &json!({}))
        .person("ada")
        .send(&service)
        .await;
    let session = answer.header("mcp-session-id").unwrap().to_owned();
    assert_eq!(
        ping(&session).person("ada").send(&service).await.status,
        200
    );
    ping(&session)
        .person("eve")
        .send(&service)
        .await
        .is(404, UNKNOWN);
    ping(&session).send(&service).await.is(404, UNKNOWN);
    assert_eq!(
        bare("DELETE", "")
            .header("mcp-session-id", &session)
            .person("eve")
            .send(&service)
            .await
            .status,
        404
    );
    assert_eq!(
        ping(&session).person("ada").send(&service).await.status,
        200
    );
}

#[tokio::test(start_paused = true)]
async fn sessions_are_bounded_in_number_and_idle_time() {
    let service = sessions_of(Server::default(), |limits| {
        limits.max_sessions = 2;
        limits.idle = Duration::from_secs(60);
    });
    let first = open(&service, json!({})).await;
    let second = open(&service, json!({})).await;
    initialize("2025-11-25", &json!({}))
        .send(&service)
        .await
        .is(
            503,
            r#"{"jsonrpc":"2.0","id":0,"error":{"code":-32000,"message":"too many sessions"}}"#,
        );
    tokio::time::advance(Duration::from_secs(50)).await;
    assert_eq!(ping(&second).send(&service).await.status, 200);
    tokio::time::advance(Duration::from_secs(20)).await;
    open(&service, json!({})).await;
    ping(&first).send(&service).await.is(404, UNKNOWN);
    assert_eq!(ping(&second).send(&service).await.status, 200);
}

#[tokio::test]
async fn a_question_goes_out_on_the_stream_and_its_answer_comes_by_post() {
    let service = with_sessions();
    let session = open(&service, json!({ "elicitation": {} })).await;
    let mut body = call(&session, &json!({ "name": "name" }))
        .response(&service)
        .await
        .into_body();
    let question = next(&mut body).await;
    assert_eq!(question["method"], "elicitation/create");
    assert_eq!(question["params"]["message"], "Name?");
    let answer =
        json!({ "jsonrpc": "2.0", "id": question["id"], "result": { "action": "decline" } });
    post(answer.to_string())
        .header("mcp-session-id", &session)
        .send(&service)
        .await
        .is(202, "");
    let result = next(&mut body).await;
    assert_eq!(result["result"]["content"][0]["text"], "Decline None");
    // A second answer, or one to nothing, is ignored.
    post(answer.to_string())
        .header("mcp-session-id", &session)
        .send(&service)
        .await
        .is(202, "");
}

#[tokio::test]
async fn what_was_negotiated_is_spoken() {
    let service = with_sessions();
    let answer = initialize("2025-06-18", &json!({ "elicitation": {} }))
        .send(&service)
        .await;
    let session = answer.header("mcp-session-id").unwrap().to_owned();
    let answer = call(&session, &json!({ "name": "revision" }))
        .send(&service)
        .await;
    assert_eq!(answer.tool_text(), "2025-06-18");
    // The mode of an elicitation came with 2025-11-25.
    let mut body = call(&session, &json!({ "name": "name" }))
        .response(&service)
        .await
        .into_body();
    let question = next(&mut body).await;
    let schema = json!({ "type": "object", "properties": {} });
    assert_eq!(
        question["params"],
        json!({ "message": "Name?", "requestedSchema": schema })
    );
    // An array is no batch here, whatever the header says.
    post("[]")
        .header("mcp-session-id", &session)
        .send(&service)
        .await
        .is(
            400,
            r#"{"jsonrpc":"2.0","error":{"code":-32600,"message":"a batch has 1 to 64 messages"}}"#,
        );
    post(r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#)
        .header("mcp-session-id", &session)
        .send(&service)
        .await
        .is(400, r#"{"jsonrpc":"2.0","error":{"code":-32600,"message":"batches are not part of this revision"}}"#);
}

#[tokio::test]
async fn an_error_of_the_client_is_an_error_of_the_call() {
    let service = with_sessions();
    let session = open(&service, json!({ "elicitation": {} })).await;
    let mut body = call(&session, &json!({ "name": "name" }))
        .response(&service)
        .await
        .into_body();
    let question = next(&mut body).await;
    let refusal =
        json!({ "jsonrpc": "2.0", "id": question["id"], "error": { "code": -1, "message": "no" } });
    post(refusal.to_string())
        .header("mcp-session-id", &session)
        .send(&service)
        .await
        .is(202, "");
    let result = next(&mut body).await;
    assert_eq!(
        result["error"]["message"],
        "the client answered with an error: no"
    );
}

#[tokio::test]
async fn what_the_client_did_not_declare_is_not_asked() {
    let service = with_sessions();
    let session = open(&service, json!({})).await;
    let answer = call(&session, &json!({ "name": "name" }))
        .send(&service)
        .await;
    assert_eq!(
        (answer.status, &answer.json()["error"]["code"]),
        (200, &json!(-32600))
    );
}

#[tokio::test(start_paused = true)]
async fn a_question_without_an_answer_ends_in_time() {
    let service = with_sessions();
    let session = open(&service, json!({ "elicitation": {} })).await;
    let answer = call(&session, &json!({ "name": "name" }))
        .send(&service)
        .await;
    let [question, cancelled, last] = answer.events().try_into().unwrap();
    // MCP-RPC-12: whoever does not wait any longer says so.
    assert_eq!(cancelled["method"], "notifications/cancelled");
    assert_eq!(cancelled["params"]["requestId"], question["id"]);
    assert_eq!(
        last["error"]["message"],
        "the client did not answer in time"
    );
}

#[tokio::test]
async fn a_cancelled_request_is_dropped_without_an_answer() {
    let server = Server::default();
    let service = sessions_of(server.clone(), |_| {});
    let session = open(&service, json!({})).await;
    let mut body = call(
        &session,
        &json!({ "name": "wait", "_meta": { "progressToken": 1 } }),
    )
    .response(&service)
    .await
    .into_body();
    next(&mut body).await;
    // The same id is in use while it is in flight.
    call(&session, &json!({ "name": "echo" })).send(&service).await.is(
        400,
        r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"this id is already in use by a request in flight"}}"#,
    );
    let cancel = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#;
    post(cancel)
        .header("mcp-session-id", &session)
        .send(&service)
        .await
        .is(202, "");
    assert!(http_body_util::BodyExt::frame(&mut body).await.is_none());
    assert!(server.dropped.load(Ordering::SeqCst));
    assert_eq!(
        call(&session, &json!({ "name": "echo" }))
            .send(&service)
            .await
            .tool_text(),
        "{}"
    );
}

#[tokio::test]
async fn a_ping_is_answered_though_there_is_no_room_for_a_request() {
    // MCP-LIFE-05.
    let service = sessions_of(Server::default(), |limits| limits.max_in_flight = 1);
    let session = open(&service, json!({})).await;
    let waits = json!({ "name": "wait", "_meta": { "progressToken": 1 } });
    let waiting = call(&session, &waits).response(&service).await;
    next(&mut waiting.into_body()).await;
    let send = async |id: i64, method: &str| {
        let message = json!({ "jsonrpc": "2.0", "id": id, "method": method });
        let call = post(message.to_string()).header("mcp-session-id", &session);
        call.send(&service).await
    };
    send(2, "tools/list").await.status_is(429, "no room");
    let pong = send(2, "ping").await;
    pong.is(200, r#"{"jsonrpc":"2.0","id":2,"result":{}}"#);
    // An id is in use all the same.
    send(1, "ping").await.status_is(400, "the id of another");
}

#[tokio::test(start_paused = true)]
async fn a_session_is_not_idle_while_it_has_a_stream_or_a_request() {
    let service = sessions_of(Server::default(), |limits| {
        limits.idle = Duration::from_secs(60)
    });
    for what in ["stream", "request"] {
        let session = open(&service, json!({})).await;
        let opened = match what {
            "stream" => bare("GET", "")
                .header("accept", "text/event-stream")
                .header("mcp-session-id", &session),
            _ => {
                let params = json!({ "name": "slow", "_meta": { "progressToken": 1 } });
                legacy("2025-11-25", "tools/call", &params).header("mcp-session-id", &session)
            }
        };
        let response = opened.response(&service).await;
        tokio::time::sleep(Duration::from_secs(70)).await;
        // Each request sweeps, and this one is of no session.
        modern("tools/list", json!({})).send(&service).await;
        drop(response);
        let time = if what == "stream" { 50 } else { 70 };
        tokio::time::sleep(Duration::from_secs(time)).await;
        assert_eq!(ping(&session).send(&service).await.status, 200, "{what}");
        tokio::time::sleep(Duration::from_secs(61)).await;
        ping(&session).send(&service).await.is(404, UNKNOWN);
    }
}

#[tokio::test]
async fn the_end_of_a_session_is_the_end_of_its_requests() {
    let server = Server::default();
    let service = sessions_of(server.clone(), |_| {});
    let session = open(&service, json!({})).await;
    let mut body = call(
        &session,
        &json!({ "name": "wait", "_meta": { "progressToken": 1 } }),
    )
    .response(&service)
    .await
    .into_body();
    next(&mut body).await;
    bare("DELETE", "")
        .header("mcp-session-id", &session)
        .send(&service)
        .await
        .is(204, "");
    assert!(http_body_util::BodyExt::frame(&mut body).await.is_none());
    assert!(server.dropped.load(Ordering::SeqCst));
}

#[tokio::test]
async fn a_broken_connection_is_no_cancellation() {
    let server = Server::default();
    let service = sessions_of(server.clone(), |_| {});
    let session = open(&service, json!({})).await;
    let mut body = call(
        &session,
        &json!({ "name": "wait", "_meta": { "progressToken": 1 } }),
    )
    .response(&service)
    .await
    .into_body();
    next(&mut body).await;
    drop(body);
    tokio::task::yield_now().await;
    assert!(!server.dropped.load(Ordering::SeqCst));
}

#[tokio::test]
async fn a_handler_that_panics_is_an_internal_error() {
    let service = with_sessions();
    let session = open(&service, json!({})).await;
    call(&session, &json!({ "name": "panic" }))
        .send(&service)
        .await
        .is(
            200,
            r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"the handler broke off"}}"#,
        );
}

#[tokio::test]
async fn the_level_of_log_messages_belongs_to_the_session() {
    let service = with_sessions();
    let session = open(&service, json!({})).await;
    let set = |level: &str| {
        legacy("2025-11-25", "logging/setLevel", &json!({ "level": level }))
            .header("mcp-session-id", &session)
    };
    set("error")
        .send(&service)
        .await
        .is(200, r#"{"jsonrpc":"2.0","id":1,"result":{}}"#);
    assert_eq!(
        call(&session, &json!({ "name": "log" }))
            .send(&service)
            .await
            .tool_text(),
        "logged"
    );
    set("debug").send(&service).await;
    assert_eq!(
        call(&session, &json!({ "name": "log" }))
            .send(&service)
            .await
            .events()
            .len(),
        3
    );
    assert_eq!(
        set("loud").send(&service).await.json()["error"]["code"],
        -32602
    );
}

#[tokio::test]
async fn the_get_stream_carries_changes_until_the_session_ends() {
    let server = Server::default();
    let service = sessions_of(server.clone(), |_| {});
    let session = open(&service, json!({})).await;
    let subscribe = legacy(
        "2025-11-25",
        "resources/subscribe",
        &json!({ "uri": "test://a" }),
    )
    .header("mcp-session-id", &session);
    subscribe
        .send(&service)
        .await
        .is(200, r#"{"jsonrpc":"2.0","id":1,"result":{}}"#);
    let get = bare("GET", "")
        .header("accept", "text/event-stream")
        .header("mcp-session-id", &session);
    let response = get.response(&service).await;
    assert_eq!(response.status(), 200);
    let mut body = response.into_body();
    for change in [
        Change::Resource("test://b".into()),
        Change::Resource("test://a".into()),
        Change::Tools,
    ] {
        announce(&server, change);
    }
    assert_eq!(
        next(&mut body).await["params"],
        json!({ "uri": "test://a" })
    );
    assert_eq!(
        next(&mut body).await["method"],
        "notifications/tools/list_changed"
    );
    bare("DELETE", "")
        .header("mcp-session-id", &session)
        .send(&service)
        .await
        .is(204, "");
    assert!(http_body_util::BodyExt::frame(&mut body).await.is_none());
}
