//! Requests of 2026-07-28: metadata, mirrored headers, envelopes, codes.

use std::sync::atomic::Ordering;

use mcp_protocol::serve::{Change, HttpService, Options};
use serde_json::{Value, json};

use crate::drive::*;

fn error(answer: &Answer) -> (u16, i64) {
    (
        answer.status,
        answer.json()["error"]["code"].as_i64().unwrap(),
    )
}

#[tokio::test]
async fn discovery_says_versions_capabilities_and_who_it_is() {
    let answer = modern("server/discover", json!({}))
        .send(&stateless())
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.json(),
        json!({ "jsonrpc": "2.0", "id": 1, "result": {
            "resultType": "complete",
            "ttlMs": 0,
            "cacheScope": "private",
            "supportedVersions": ["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26"],
            "capabilities": { "tools": { "listChanged": true }, "resources": { "subscribe": true }, "logging": {} },
            "instructions": "Be kind.",
            "_meta": { INFO: { "name": "test", "version": "1" } },
        } })
    );
}

#[tokio::test]
async fn lists_and_calls_have_their_envelopes() {
    let answer = modern("tools/list", json!({})).send(&stateless()).await;
    assert_eq!(
        answer.json()["result"],
        json!({
            "resultType": "complete",
            "ttlMs": 1000,
            "cacheScope": "public",
            "tools": [{ "name": "echo", "description": "Repeats.", "inputSchema": { "type": "object" } }],
            "_meta": { INFO: { "name": "test", "version": "1" } },
        })
    );
    let answer = modern(
        "tools/call",
        json!({ "name": "echo", "arguments": { "z": 1.50, "a": [] } }),
    )
    .send(&stateless())
    .await;
    assert_eq!(
        answer.json()["result"],
        json!({
            "resultType": "complete",
            "content": [{ "type": "text", "text": r#"{"a":[],"z":1.5}"# }],
            "_meta": { INFO: { "name": "test", "version": "1" } },
        })
    );
}

#[tokio::test]
async fn missing_metadata_is_invalid_parameters_with_400() {
    let body = r#"{"jsonrpc":"2.0","id":5,"method":"tools/list","params":{}}"#;
    post(body).header("mcp-protocol-version", "2026-07-28").send(&stateless()).await.is(
        400,
        r#"{"jsonrpc":"2.0","id":5,"error":{"code":-32602,"message":"params._meta: _meta is missing"}}"#,
    );
    let body = json!({ "jsonrpc": "2.0", "id": 5, "method": "tools/list", "params": { "_meta": { "io.modelcontextprotocol/protocolVersion": "2026-07-28" } } });
    post(body.to_string()).header("mcp-protocol-version", "2026-07-28").send(&stateless()).await.is(
        400,
        r#"{"jsonrpc":"2.0","id":5,"error":{"code":-32602,"message":"params._meta: io.modelcontextprotocol/clientCapabilities is missing"}}"#,
    );
}

#[tokio::test]
async fn headers_mirror_the_body() {
    let call = || modern("tools/call", json!({ "name": "echo" }));
    for (name, value) in [
        ("mcp-protocol-version", "2025-11-25"),
        ("mcp-method", "tools/list"),
        ("mcp-method", "Tools/Call"),
        ("mcp-name", "Echo"),
        ("mcp-name", "=?base64?!?="),
    ] {
        assert_eq!(
            error(&call().replace(name, value).send(&stateless()).await),
            (400, -32020),
            "{name}: {value}"
        );
    }
    for name in ["mcp-protocol-version", "mcp-method", "mcp-name"] {
        assert_eq!(
            error(&call().without(name).send(&stateless()).await),
            (400, -32020),
            "{name}"
        );
    }
    call().without("mcp-name").send(&stateless()).await.is(
        400,
        r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32020,"message":"header Mcp-Name is missing"}}"#,
    );
    let answer = call()
        .replace("mcp-name", "=?base64?ZWNobw==?=")
        .send(&stateless())
        .await;
    assert_eq!(answer.tool_text(), "{}");
    let answer = modern("resources/read", json!({ "uri": "test://a" }))
        .replace("mcp-name", "test://b")
        .send(&stateless())
        .await;
    assert_eq!(error(&answer), (400, -32020));
}

#[tokio::test]
async fn mirrored_arguments_agree_with_their_headers() {
    let call = || {
        modern(
            "tools/call",
            json!({ "name": "mirrored", "arguments": { "region": "eu" } }),
        )
    };
    assert_eq!(
        call()
            .header("mcp-param-region", "eu")
            .send(&stateless())
            .await
            .tool_text(),
        "ok"
    );
    assert_eq!(error(&call().send(&stateless()).await), (400, -32020));
    assert_eq!(
        error(
            &call()
                .header("Mcp-Param-Region", "us")
                .send(&stateless())
                .await
        ),
        (400, -32020)
    );
    let without = modern("tools/call", json!({ "name": "mirrored" }));
    assert_eq!(without.send(&stateless()).await.tool_text(), "ok");
}

#[tokio::test]
async fn mcp_http_15_a_header_that_no_argument_asked_for_is_passed_by() {
    // An intermediary passes on what it does not know, so a request may have more of them than its tool has.
    let echo = || modern("tools/call", json!({ "name": "echo", "arguments": {} }));
    for (name, value) in [
        ("mcp-param-nobody", "eu"),
        ("mcp-param-nobody", "=?base64?*?="),
        ("mcp-param-", ""),
        ("mcp-further", "1"),
    ] {
        let answer = echo().header(name, value).send(&stateless()).await;
        assert_eq!(answer.tool_text(), "{}", "{name}: {value}");
    }
    // What was validated and found wrong has an error status, so that an intermediary sees it without reading the body.
    let wrong = echo().replace("mcp-name", "other").send(&stateless()).await;
    assert_eq!(error(&wrong), (400, -32020));
}

#[tokio::test]
async fn an_unsupported_version_names_the_supported_ones() {
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": { "_meta": {
        "io.modelcontextprotocol/protocolVersion": "v999.0.0",
        "io.modelcontextprotocol/clientCapabilities": {},
    } } });
    let call = || post(body.to_string()).header("mcp-method", "tools/list");
    let answer = call()
        .header("mcp-protocol-version", "v999.0.0")
        .send(&stateless())
        .await;
    assert_eq!(error(&answer), (400, -32022));
    assert_eq!(
        answer.json()["error"]["data"],
        json!({ "supported": ["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26"], "requested": "v999.0.0" })
    );
    // A mismatch beats an unsupported version.
    let answer = call()
        .header("mcp-protocol-version", "2026-07-28")
        .send(&stateless())
        .await;
    assert_eq!(error(&answer), (400, -32020));
}

#[tokio::test]
async fn methods_that_are_gone_or_unknown_are_404() {
    for method in [
        "initialize",
        "ping",
        "logging/setLevel",
        "resources/subscribe",
        "resources/unsubscribe",
        "unknown/method",
    ] {
        modern(method, json!({})).send(&stateless()).await.is(
            404,
            &format!(r#"{{"jsonrpc":"2.0","id":1,"error":{{"code":-32601,"message":"method not found: {method}"}}}}"#),
        );
    }
    // In the revision, but this handler does not serve it.
    assert_eq!(
        error(&modern("prompts/list", json!({})).send(&stateless()).await),
        (404, -32601)
    );
}

#[tokio::test]
async fn wrong_parameters_are_an_ordinary_answer() {
    modern("tools/call", json!({ "name": "nope" })).send(&stateless()).await.is(
        200,
        r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"unknown tool: \"nope\""}}"#,
    );
    assert_eq!(
        error(&modern("tools/call", json!({})).send(&stateless()).await),
        (200, -32602)
    );
    modern("resources/read", json!({ "uri": "test://b" })).send(&stateless()).await.is(
        200,
        r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"resource not found","data":{"uri":"test://b"}}}"#,
    );
}

#[tokio::test]
async fn a_notification_is_accepted_and_a_response_is_not() {
    let notification = r#"{"jsonrpc":"2.0","method":"notifications/anything"}"#;
    let call = || post(notification).header("mcp-protocol-version", "2026-07-28");
    call().send(&stateless()).await.is(202, "");
    call()
        .header("mcp-method", "notifications/anything")
        .send(&stateless())
        .await
        .is(202, "");
    assert_eq!(
        error(
            &call()
                .header("mcp-method", "other")
                .send(&stateless())
                .await
        ),
        (400, -32020)
    );
    let response = r#"{"jsonrpc":"2.0","id":1,"result":{}}"#;
    post(response).header("mcp-protocol-version", "2026-07-28").send(&stateless()).await.is(
        400,
        r#"{"jsonrpc":"2.0","error":{"code":-32600,"message":"a response is not expected here"}}"#,
    );
}

#[tokio::test]
async fn progress_goes_up_on_the_stream_of_its_request() {
    let answer = modern(
        "tools/call",
        json!({ "name": "progress", "_meta": { "progressToken": "p" } }),
    )
    .send(&stateless())
    .await;
    let events = answer.events();
    assert_eq!(events.len(), 3);
    assert_eq!(
        events[0],
        json!({ "jsonrpc": "2.0", "method": "notifications/progress", "params": { "progressToken": "p", "progress": 1.0, "total": 2.0, "message": "half" } })
    );
    assert_eq!(
        events[1]["params"],
        json!({ "progressToken": "p", "progress": 2.0 })
    );
    assert_eq!(events[2]["result"]["content"][0]["text"], "done");
    assert_eq!(answer.header("x-accel-buffering"), Some("no"));
    // Nobody asked for progress: one JSON.
    let answer = modern("tools/call", json!({ "name": "progress" }))
        .send(&stateless())
        .await;
    assert_eq!(answer.tool_text(), "done");
    // More than the outbox holds.
    let answer = modern(
        "tools/call",
        json!({ "name": "many", "_meta": { "progressToken": 1 } }),
    )
    .send(&stateless())
    .await;
    assert_eq!(answer.events().len(), 101);
}

#[tokio::test]
async fn log_messages_come_only_at_a_level_that_was_asked_for() {
    let at = |level: &str| {
        modern(
            "tools/call",
            json!({ "name": "log", "_meta": { "io.modelcontextprotocol/logLevel": level } }),
        )
    };
    let messages = |answer: Answer| {
        answer
            .events()
            .iter()
            .filter(|event| event["method"] == "notifications/message")
            .count()
    };
    assert_eq!(messages(at("debug").send(&stateless()).await), 2);
    assert_eq!(messages(at("warning").send(&stateless()).await), 1);
    assert_eq!(at("error").send(&stateless()).await.tool_text(), "logged");
    assert_eq!(
        modern("tools/call", json!({ "name": "log" }))
            .send(&stateless())
            .await
            .tool_text(),
        "logged"
    );
    assert_eq!(error(&at("loud").send(&stateless()).await), (400, -32602));
}

#[tokio::test]
async fn a_client_that_goes_away_cancels_the_handler() {
    let server = Server::default();
    let service = HttpService::new(server.clone(), Options::default());
    let call = modern(
        "tools/call",
        json!({ "name": "wait", "_meta": { "progressToken": 1 } }),
    );
    let mut body = call.response(&service).await.into_body();
    assert_eq!(next(&mut body).await["method"], "notifications/progress");
    assert!(!server.dropped.load(Ordering::SeqCst));
    drop(body);
    assert!(server.dropped.load(Ordering::SeqCst));
}

#[tokio::test]
async fn streams_are_bounded() {
    let service = HttpService::new(
        Server::default(),
        Options {
            max_streams: 1,
            ..Options::default()
        },
    );
    let first = modern("subscriptions/listen", json!({}))
        .response(&service)
        .await;
    modern("subscriptions/listen", json!({})).send(&service).await.is(
        200,
        r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"too many streams are open"}}"#,
    );
    drop(first);
    let third = modern("subscriptions/listen", json!({}))
        .response(&service)
        .await;
    assert_eq!(third.headers()["content-type"], "text/event-stream");
}

#[tokio::test(start_paused = true)]
async fn a_quiet_stream_is_kept_open_by_comments() {
    let mut body = modern("subscriptions/listen", json!({}))
        .response(&stateless())
        .await
        .into_body();
    assert_eq!(
        next(&mut body).await["method"],
        "notifications/subscriptions/acknowledged"
    );
    let started = tokio::time::Instant::now();
    let frame = http_body_util::BodyExt::frame(&mut body)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(frame.into_data().unwrap(), ": keep-alive\n\n");
    assert_eq!(started.elapsed().as_secs(), 15);
}

#[tokio::test]
async fn a_listener_is_acknowledged_and_hears_only_what_it_asked_for() {
    let server = Server::default();
    let service = HttpService::new(server.clone(), Options::default());
    let wanted = json!({ "notifications": { "toolsListChanged": true, "promptsListChanged": true, "resourceSubscriptions": ["test://a"] } });
    let mut body = modern("subscriptions/listen", wanted)
        .response(&service)
        .await
        .into_body();
    let tag = json!({ "io.modelcontextprotocol/subscriptionId": 1 });
    assert_eq!(
        next(&mut body).await,
        json!({ "jsonrpc": "2.0", "method": "notifications/subscriptions/acknowledged", "params": {
            "notifications": { "toolsListChanged": true, "resourceSubscriptions": ["test://a"] },
            "_meta": tag,
        } })
    );
    for change in [
        Change::Prompts,
        Change::Resource("test://b".into()),
        Change::Tools,
        Change::Resource("test://a".into()),
    ] {
        announce(&server, change);
    }
    let first: Value = next(&mut body).await;
    assert_eq!(
        (&first["method"], &first["params"]["_meta"]),
        (&json!("notifications/tools/list_changed"), &tag)
    );
    let second = next(&mut body).await;
    assert_eq!(
        (&second["method"], &second["params"]["uri"]),
        (
            &json!("notifications/resources/updated"),
            &json!("test://a")
        )
    );
}
