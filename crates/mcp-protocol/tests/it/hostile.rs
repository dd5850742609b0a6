//! What a stranger sends to get past a check, onto another's stream, or into memory.

use std::sync::{Arc, Mutex};

use mcp_protocol::serve::{Change, HttpService, Operation, Options, SessionLimits};
use serde_json::{Value, json};

use crate::drive::*;

async fn open(service: &Service, version: &str) -> String {
    let answer = initialize(version, &json!({})).send(service).await;
    answer.header("mcp-session-id").unwrap().to_owned()
}

fn code(answer: &Answer) -> (u16, Value) {
    (answer.status, answer.json()["error"]["code"].clone())
}

/// A service with sessions whose gate writes down what it is asked and refuses the tool `who`.
fn gated() -> (Service, Arc<Mutex<Vec<Operation>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    let gate = move |_: &http::Extensions, operation: &Operation| {
        seen.lock().unwrap().push(operation.clone());
        if operation.name.as_deref() == Some("who") {
            let response = http::Response::builder().status(403);
            return Err(Box::new(response.body(bytes::Bytes::new()).unwrap()));
        }
        Ok(())
    };
    let options = Options {
        sessions: Some(SessionLimits::new(|dest| dest.fill(7))),
        gate: Some(Arc::new(gate)),
        ..Options::default()
    };
    (HttpService::new(Server::default(), options), asked)
}

#[tokio::test]
async fn a_member_that_is_there_twice_reaches_neither_gate_nor_handler() {
    let (service, asked) = gated();
    for members in [
        r#""method":"tools/list","method":"tools/call","params":{"name":"who"}"#,
        r#""method":"tools/list","m\u0065thod":"tools/call","params":{"name":"who"}"#,
        r#""method":"tools/call","params":{"name":"echo"},"params":{"name":"who"}"#,
    ] {
        let body = format!(r#"{{"jsonrpc":"2.0","id":1,{members}}}"#);
        let answer = post(body).send(&service).await;
        assert_eq!(code(&answer), (400, json!(-32600)), "{members}");
    }
    assert_eq!(*asked.lock().unwrap(), []);
    // A name that is there twice is no name: the gate hears none, and the call is refused.
    let session = open(&service, "2025-11-25").await;
    for params in [
        r#"{"name":"echo","name":"who"}"#,
        r#"{"name":"echo","n\u0061me":"who"}"#,
    ] {
        let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{params}}}"#);
        let answer = post(body)
            .header("mcp-session-id", &session)
            .send(&service)
            .await;
        assert_eq!(code(&answer), (200, json!(-32602)), "{params}");
    }
}

#[tokio::test]
async fn arguments_that_cannot_be_read_do_not_hide_from_their_headers() {
    // Both are JSON, and a reader that skips `x` never notices that it is not representable.
    for hidden in ["1e999", r#""\ud800""#] {
        let body = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"mirrored","arguments":{{"region":"eu","x":{hidden}}},"_meta":{{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{{}}}}}}}}"#
        );
        let answer = post(body)
            .header("mcp-protocol-version", "2026-07-28")
            .header("mcp-method", "tools/call")
            .header("mcp-name", "mirrored")
            .send(&stateless())
            .await;
        assert_eq!(code(&answer), (200, json!(-32602)), "{hidden}");
    }
}

#[tokio::test]
async fn the_gate_hears_what_a_completion_is_about() {
    // What a caller may not get must not be found out letter by letter.
    let (service, asked) = gated();
    let reference = |kind: &str, name: &str, of: &str| json!({ "type": kind, name: of });
    let refs = [
        reference("ref/prompt", "name", "who"),
        reference("ref/resource", "uri", "test://{a}"),
        json!({ "type": "ref/prompt", "name": 5 }),
        json!(5),
    ];
    for one in refs {
        let params = json!({ "ref": one, "argument": { "name": "a", "value": "" } });
        modern("completion/complete", params).send(&service).await;
    }
    let names: Vec<Option<String>> = asked
        .lock()
        .unwrap()
        .iter()
        .map(|o| o.name.clone())
        .collect();
    assert_eq!(
        names,
        [Some("who".into()), Some("test://{a}".into()), None, None]
    );
}

#[tokio::test]
async fn the_gate_hears_what_a_subscription_is_about() {
    let (service, asked) = gated();
    let session = open(&service, "2025-11-25").await;
    asked.lock().unwrap().clear();
    for method in ["resources/subscribe", "resources/unsubscribe"] {
        let answer = legacy("2025-11-25", method, &json!({ "uri": "test://a" }))
            .header("mcp-session-id", &session)
            .send(&service)
            .await;
        assert_eq!(answer.status, 200);
    }
    let names: Vec<Option<String>> = asked
        .lock()
        .unwrap()
        .iter()
        .map(|o| o.name.clone())
        .collect();
    assert_eq!(names, [Some("test://a".into()), Some("test://a".into())]);
}

#[tokio::test]
async fn nothing_of_a_batch_is_started_when_the_gate_refuses_a_part_of_it() {
    let (service, _) = gated();
    let session = open(&service, "2025-03-26").await;
    let call = |id: i64, name: &str| json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": { "name": name } });
    let answer = post(json!([call(1, "wait"), call(2, "who")]).to_string())
        .header("mcp-session-id", &session)
        .send(&service)
        .await;
    assert_eq!(answer.status, 403);
    // The id is free, so `wait` is not at work.
    let answer = post(call(1, "echo").to_string())
        .header("mcp-session-id", &session)
        .send(&service)
        .await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_request_of_the_newest_revision_does_not_pass_in_a_batch() {
    let meta = json!({ "io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {} });
    let item =
        json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": { "_meta": meta } });
    post(json!([item]).to_string()).send(&stateless()).await.is(
        400,
        r#"{"jsonrpc":"2.0","error":{"code":-32600,"message":"batches are not part of this revision"}}"#,
    );
}

#[tokio::test]
async fn a_batch_whose_requests_are_all_cancelled_has_no_answer() {
    let service = with_sessions();
    let session = open(&service, "2025-03-26").await;
    let wait = json!([{ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": "wait", "_meta": { "progressToken": 1 } } }]);
    let mut body = post(wait.to_string())
        .header("mcp-session-id", &session)
        .response(&service)
        .await
        .into_body();
    next(&mut body).await;
    let cancel = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#;
    post(cancel)
        .header("mcp-session-id", &session)
        .send(&service)
        .await
        .is(202, "");
    assert!(http_body_util::BodyExt::frame(&mut body).await.is_none());
}

#[tokio::test]
async fn a_session_keeps_little_of_what_it_is_told() {
    let service = with_sessions();
    let large = json!({ "experimental": { "x": "y".repeat(20_000) } });
    let answer = initialize("2025-11-25", &large).send(&service).await;
    assert_eq!(code(&answer), (200, json!(-32602)));
    assert_eq!(answer.header("mcp-session-id"), None);

    let session = open(&service, "2025-11-25").await;
    let subscribe = |uri: String| {
        legacy("2025-11-25", "resources/subscribe", &json!({ "uri": uri }))
            .header("mcp-session-id", &session)
            .send(&service)
    };
    let long = |letter: &str| format!("test://{}", letter.repeat(30_000));
    for (letter, accepted) in [("a", true), ("b", true), ("c", false), ("a", true)] {
        let answer = subscribe(long(letter)).await;
        assert_eq!(
            answer.json().get("error").is_none(),
            accepted,
            "{letter}: {}",
            answer.status
        );
    }
}

#[tokio::test]
async fn metadata_that_cannot_be_read_is_not_no_metadata() {
    let modern = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;
    for params in [
        format!("{{{modern},{modern}}}"),
        format!(r#"{{{modern},"_meta":{{}}}}"#),
        r#"{"_meta":5}"#.to_owned(),
        r#"{"_meta":{"\ud800":1}}"#.to_owned(),
    ] {
        let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{params}}}"#);
        let answer = post(body.clone()).send(&stateless()).await;
        assert_eq!(code(&answer), (200, json!(-32602)), "{params}");
        let answer = post(body)
            .header("mcp-protocol-version", "2026-07-28")
            .send(&stateless())
            .await;
        assert_eq!(code(&answer), (400, json!(-32602)), "{params}");
    }
    // What nobody reads is not judged: no metadata, and a number that is too large for any.
    for meta in ["null", r#"{"x":1e999}"#] {
        let body =
            format!(r#"{{"jsonrpc":"2.0","id":1,"method":"ping","params":{{"_meta":{meta}}}}}"#);
        assert_eq!(post(body).send(&stateless()).await.status, 200);
    }
}

#[tokio::test]
async fn a_number_that_no_value_can_hold_matters_only_where_it_is_read() {
    let send = async |capabilities: &str| {
        let meta = format!(
            r#"{{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{capabilities},"x":1e999}}"#
        );
        let params = format!(r#"{{"_meta":{meta}}}"#);
        let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{params}}}"#);
        post(body)
            .header("mcp-protocol-version", "2026-07-28")
            .header("mcp-method", "tools/list")
            .send(&stateless())
            .await
    };
    assert_eq!(send("{}").await.status, 200);
    // Nobody asks for this one.
    assert_eq!(send(r#"{"roots":1e999}"#).await.status, 200);
    for wrong in ["1e999", "null", "[]"] {
        assert_eq!(code(&send(wrong).await), (400, json!(-32602)), "{wrong}");
    }
}

#[tokio::test]
async fn one_principal_does_not_take_the_sessions_of_all() {
    let service = sessions_of(Server::default(), |limits| {
        limits.max_sessions = 3;
        limits.max_per_principal = 2;
    });
    let mut eve = Vec::new();
    for _ in 0..4 {
        let answer = initialize("2025-11-25", &json!({}))
            .person("eve")
            .send(&service)
            .await;
        eve.push(answer.header("mcp-session-id").unwrap().to_owned());
    }
    let answer = initialize("2025-11-25", &json!({}))
        .person("ada")
        .send(&service)
        .await;
    let ada = answer.header("mcp-session-id").unwrap().to_owned();
    let ping = |session: &str, person| {
        legacy("2025-11-25", "ping", &json!({}))
            .header("mcp-session-id", session)
            .person(person)
            .send(&service)
    };
    assert_eq!(ping(&ada, "ada").await.status, 200);
    // The ones that were not used for longest made room.
    for (session, status) in eve.iter().zip([404, 404, 200, 200]) {
        assert_eq!(ping(session, "eve").await.status, status);
    }
}

#[tokio::test]
async fn a_session_that_is_named_twice_is_not_named() {
    let service = with_sessions();
    let (first, second) = (
        open(&service, "2025-11-25").await,
        open(&service, "2025-11-25").await,
    );
    let answer = legacy("2025-11-25", "ping", &json!({}))
        .header("mcp-session-id", &first)
        .header("mcp-session-id", &second)
        .send(&service)
        .await;
    assert_eq!(answer.status, 400);
    let answer = initialize("2025-11-25", &json!({}))
        .header("mcp-session-id", &first)
        .header("mcp-session-id", &second)
        .send(&service)
        .await;
    assert_eq!(code(&answer), (400, json!(-32600)));
}

#[tokio::test]
async fn each_verb_refuses_a_version_that_is_not_spoken() {
    let service = with_sessions();
    let session = open(&service, "2025-11-25").await;
    for verb in ["GET", "DELETE"] {
        for version in ["2024-11-05", "v9", "=?base64?!?="] {
            let response = bare(verb, "")
                .header("accept", "text/event-stream")
                .header("mcp-protocol-version", version)
                .header("mcp-session-id", &session)
                .response(&service)
                .await;
            assert_eq!(response.status(), 400, "{verb} {version}");
        }
        let answer = bare(verb, "")
            .header("accept", "text/event-stream")
            .header("mcp-protocol-version", "2026-07-28")
            .header("mcp-session-id", &session)
            .send(&service)
            .await;
        assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")));
    }
}

#[tokio::test]
async fn a_message_goes_to_one_stream_of_a_session_and_only_if_it_was_declared() {
    let server = Server::default();
    let service = sessions_of(server.clone(), |_| {});
    let session = open(&service, "2025-11-25").await;
    let get = || {
        bare("GET", "")
            .header("accept", "text/event-stream")
            .header("mcp-session-id", &session)
            .response(&service)
    };
    let ready = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
    let answer = post(ready).header("mcp-session-id", &session);
    answer.send(&service).await.is(202, "");
    let mut first = get().await.into_body();
    let mut second = get().await.into_body();
    // The server declares changes of its tools, not of its prompts.
    announce(&server, Change::Prompts);
    announce(&server, Change::Tools);
    assert_eq!(
        next(&mut second).await["method"],
        "notifications/tools/list_changed"
    );
    let quiet = is_quiet(&mut first).await;
    assert!(quiet, "the same message came on both streams");
    // When the newer one is gone, the older one speaks again.
    drop(second);
    announce(&server, Change::Tools);
    assert_eq!(
        next(&mut first).await["method"],
        "notifications/tools/list_changed"
    );
}

#[tokio::test]
async fn the_version_of_a_notification_is_the_one_in_its_header() {
    let body = json!({ "jsonrpc": "2.0", "method": "notifications/x", "params": { "_meta": { "io.modelcontextprotocol/protocolVersion": "2026-07-28" } } });
    let call = || post(body.to_string());
    call().send(&stateless()).await.is(202, "");
    call()
        .header("mcp-protocol-version", "2026-07-28")
        .send(&stateless())
        .await
        .is(202, "");
    for version in ["2025-11-25", "v9"] {
        let answer = call()
            .header("mcp-protocol-version", version)
            .send(&stateless())
            .await;
        assert_eq!(code(&answer), (400, json!(-32020)), "{version}");
    }
}

#[tokio::test]
async fn a_method_that_may_not_ask_does_not_even_if_its_handler_wants_to() {
    let answer = modern("tools/list", json!({ "cursor": "ask" }))
        .send(&stateless())
        .await;
    assert_eq!(code(&answer), (200, json!(-32603)));
    let answer = legacy("2025-11-25", "tools/list", &json!({ "cursor": "ask" }))
        .send(&stateless())
        .await;
    assert_eq!(code(&answer), (200, json!(-32603)));
}
