//! Long streams: what the caller may hear, how many there are, and when they end.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mcp_protocol::serve::{Body, Change, HttpService, Operation, Options, SessionLimits};
use serde_json::{Value, json};

use crate::drive::*;

/// How long each caller's authorization lasts here, in seconds.
const LIFE: u64 = 60;

fn service(server: &Server, set: impl FnOnce(&mut Options)) -> Service {
    let mut options = Options {
        sessions: Some(SessionLimits::new(|dest| dest.fill(7))),
        principal: Some(Arc::new(|extensions| {
            extensions.get::<Person>().map(|p| p.0.to_owned())
        })),
        ..Options::default()
    };
    set(&mut options);
    HttpService::new(server.clone(), options)
}

/// Authorization that lasts [`LIFE`] seconds from each request on.
fn expiring(options: &mut Options) {
    options.authorization_end = Some(Arc::new(|_| {
        Some(Box::pin(tokio::time::sleep(Duration::from_secs(LIFE))))
    }));
}

fn listen(id: &Value, notifications: &Value) -> Call {
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/logLevel": "debug",
        "progressToken": "p",
    });
    let params = json!({ "notifications": notifications, "_meta": meta });
    let method = "subscriptions/listen";
    post(json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }).to_string())
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", method)
}

async fn body(call: Call, service: &Service) -> Body {
    let response = call.response(service).await;
    assert_eq!(response.status(), 200);
    response.into_body()
}

async fn open(service: &Service) -> String {
    let answer = initialize("2025-11-25", &json!({})).send(service).await;
    let session = answer.header("mcp-session-id").unwrap().to_owned();
    let ready = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
    let answer = post(ready).header("mcp-session-id", &session);
    answer.send(service).await.is(202, "");
    session
}

fn get(session: &str) -> Call {
    bare("GET", "")
        .header("accept", "text/event-stream")
        .header("mcp-session-id", session)
}

async fn subscribe(service: &Service, session: &str, uri: &str) {
    let answer = legacy("2025-11-25", "resources/subscribe", &json!({ "uri": uri }))
        .header("mcp-session-id", session)
        .send(service)
        .await;
    answer.is(200, r#"{"jsonrpc":"2.0","id":1,"result":{}}"#);
}

#[tokio::test]
async fn the_gate_decides_about_each_resource_that_a_listener_asks_for() {
    // MCP-SUB-02, MCP-SUB-08: what the caller may not read is not honoured, and not told.
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    let gate = move |_: &http::Extensions, operation: &Operation| {
        seen.lock().unwrap().push(operation.clone());
        if operation.name.as_deref() == Some("test://secret") {
            return Err(Box::new(http::Response::new(bytes::Bytes::new())));
        }
        Ok(())
    };
    let server = Server::default();
    let service = service(&server, |options| options.gate = Some(Arc::new(gate)));
    let wanted = json!({ "resourceSubscriptions": ["test://secret", "test://a"] });
    let mut body = body(listen(&json!(1), &wanted), &service).await;
    let acknowledged = next(&mut body).await;
    assert_eq!(
        acknowledged["params"]["notifications"],
        json!({ "resourceSubscriptions": ["test://a"] })
    );
    for uri in ["test://secret", "test://a"] {
        announce(&server, Change::Resource(uri.into()));
    }
    assert_eq!(next(&mut body).await["params"]["uri"], "test://a");
    let operation = |method: &str, name: Option<&str>| Operation {
        method: method.to_owned(),
        name: name.map(str::to_owned),
    };
    assert_eq!(
        *asked.lock().unwrap(),
        [
            operation("subscriptions/listen", None),
            operation("resources/read", Some("test://secret")),
            operation("resources/read", Some("test://a")),
        ]
    );
}

#[tokio::test]
async fn whether_the_caller_may_hear_is_asked_at_each_delivery() {
    // MCP-SUB-08, MCP-AUTH-RS-15: in both eras.
    let allowed = Arc::new(AtomicBool::new(true));
    let may = Arc::clone(&allowed);
    let server = Server::default();
    let service = service(&server, |options| {
        options.may_hear = Some(Arc::new(move |extensions, uri| {
            let who = extensions.get::<Person>().map(|person| person.0);
            assert_eq!((who, uri), (Some("ada"), "test://a"));
            may.load(Ordering::SeqCst)
        }));
    });
    let opened = initialize("2025-11-25", &json!({})).person("ada");
    let opened = opened.send(&service).await;
    let session = opened.header("mcp-session-id").unwrap().to_owned();
    let params = json!({ "uri": "test://a" });
    let subscribed = legacy("2025-11-25", "resources/subscribe", &params)
        .header("mcp-session-id", &session)
        .person("ada");
    subscribed.send(&service).await.status_is(200, "subscribe");
    let wanted = json!({ "toolsListChanged": true, "resourceSubscriptions": ["test://a"] });
    for call in [listen(&json!(1), &wanted), get(&session)] {
        let mut body = body(call.person("ada"), &service).await;
        allowed.store(true, Ordering::SeqCst);
        announce(&server, Change::Resource("test://a".into()));
        let mut heard = next(&mut body).await;
        if heard["method"] == "notifications/subscriptions/acknowledged" {
            heard = next(&mut body).await;
        }
        assert_eq!(heard["method"], "notifications/resources/updated");
        allowed.store(false, Ordering::SeqCst);
        announce(&server, Change::Resource("test://a".into()));
        announce(&server, Change::Tools);
        let heard = next(&mut body).await;
        assert_eq!(heard["method"], "notifications/tools/list_changed");
    }
}

#[tokio::test(start_paused = true)]
async fn a_listener_is_ended_by_a_result_when_its_authorization_ends() {
    // MCP-SUB-03, MCP-SUB-04, MCP-SUB-05, MCP-SUB-08.
    let server = Server::default();
    let service = service(&server, expiring);
    for (id, is_read) in [(json!("seven"), true), (json!(7), false)] {
        let wanted = json!({ "toolsListChanged": true });
        let mut body = body(listen(&id, &wanted), &service).await;
        let tag = json!({ "io.modelcontextprotocol/subscriptionId": id });
        if is_read {
            let acknowledged = next(&mut body).await;
            assert_eq!(acknowledged["params"]["_meta"], tag);
            announce(&server, Change::Tools);
            let told = next(&mut body).await;
            assert_eq!(told["method"], "notifications/tools/list_changed");
            assert_eq!(told["params"], json!({ "_meta": tag }));
        } else {
            announce(&server, Change::Tools);
        }
        tokio::time::sleep(Duration::from_secs(LIFE)).await;
        announce(&server, Change::Tools);
        if !is_read {
            next(&mut body).await;
        }
        // What was not told in time is not told, and no progress and no log message was.
        assert_eq!(
            next(&mut body).await,
            json!({ "jsonrpc": "2.0", "id": id, "result": { "resultType": "complete", "_meta": tag } })
        );
        assert!(any_event(&mut body).await.is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn a_get_stream_ends_with_the_authorization_of_its_caller() {
    // MCP-AUTH-RS-15: a stream is no way around the end of a token.
    let server = Server::default();
    let service = service(&server, expiring);
    let session = open(&service).await;
    let mut standing = body(get(&session), &service).await;
    announce(&server, Change::Tools);
    assert_eq!(
        next(&mut standing).await["method"],
        "notifications/tools/list_changed"
    );
    tokio::time::sleep(Duration::from_secs(LIFE)).await;
    announce(&server, Change::Tools);
    assert!(any_event(&mut standing).await.is_none());
    // With authorization that is good it is opened again.
    let mut again = body(get(&session), &service).await;
    announce(&server, Change::Tools);
    assert_eq!(
        next(&mut again).await["method"],
        "notifications/tools/list_changed"
    );
}

#[tokio::test(start_paused = true)]
async fn a_resumed_stream_ends_with_its_authorization_and_its_call_does_not() {
    // MCP-AUTH-RS-15, MCP-LHTTP-10.
    let server = Server::default();
    let service = service(&server, expiring);
    let session = open(&service).await;
    let call = |name: &str| {
        let params = json!({ "name": name, "_meta": { "progressToken": 1 } });
        legacy("2025-11-25", "tools/call", &params).header("mcp-session-id", &session)
    };
    drop(call("slow").response(&service).await);
    let resume = || get(&session).header("last-event-id", "0-0");
    let first = resume().send(&service).await;
    assert_eq!(first.events().len(), 2, "{}", first.text);
    let second = resume().send(&service).await;
    let events = second.events();
    assert_eq!(events.len(), 3, "{}", second.text);
    assert_eq!(events[2]["result"]["content"][0]["text"], "slow");
}

#[tokio::test]
async fn a_principal_has_a_share_of_the_long_streams() {
    let server = Server::default();
    let service = service(&server, |options| {
        options.max_streams = 3;
        options.max_streams_per_principal = 2;
    });
    let opened = initialize("2025-11-25", &json!({})).person("eve");
    let opened = opened.send(&service).await;
    let session = opened.header("mcp-session-id").unwrap().to_owned();
    let eves = || listen(&json!(1), &json!({})).person("eve");
    let first = body(eves(), &service).await;
    let second = body(get(&session).person("eve"), &service).await;
    // Both kinds count, and both are refused.
    get(&session).person("eve").send(&service).await.is(
        429,
        r#"{"jsonrpc":"2.0","error":{"code":-32000,"message":"too many streams are open"}}"#,
    );
    let refused = eves().send(&service).await;
    refused.is(
        200,
        r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"too many streams are open"}}"#,
    );
    let ada = body(listen(&json!(1), &json!({})).person("ada"), &service).await;
    drop(second);
    let third = body(get(&session).person("eve"), &service).await;
    drop((first, ada, third));
}

#[tokio::test]
async fn the_addresses_of_a_subscription_are_bounded() {
    // MCP-SUB-01, MCP-SUB-02: what is too much is not honoured, and the acknowledgement says so.
    let short: Vec<String> = (0..300).map(|number| format!("test://{number}")).collect();
    let long = |letter: &str| format!("test://{}", letter.repeat(30_000));
    let long: Vec<String> = ["a", "b", "c"].into_iter().map(long).collect();
    for (wanted, honoured) in [(short, 256), (long, 2)] {
        let wanted = json!({ "resourceSubscriptions": wanted });
        let mut body = body(listen(&json!(1), &wanted), &stateless()).await;
        let acknowledged = next(&mut body).await;
        let addresses = &acknowledged["params"]["notifications"]["resourceSubscriptions"];
        assert_eq!(addresses.as_array().map(Vec::len), Some(honoured));
    }
}

#[tokio::test]
async fn nothing_unasked_for_is_told_before_the_client_is_ready() {
    // MCP-LIFE-03.
    let server = Server::default();
    let service = service(&server, |_| {});
    let opened = initialize("2025-11-25", &json!({})).send(&service).await;
    let session = opened.header("mcp-session-id").unwrap().to_owned();
    let mut body = body(get(&session), &service).await;
    let ping = legacy("2025-11-25", "ping", &json!({})).header("mcp-session-id", &session);
    ping.send(&service).await.status_is(200, "ping");
    announce(&server, Change::Tools);
    assert!(is_quiet(&mut body).await, "a ping is not readiness");
    subscribe(&service, &session, "test://a").await;
    announce(&server, Change::Resource("test://a".into()));
    assert_eq!(
        next(&mut body).await["params"],
        json!({ "uri": "test://a" })
    );
}
