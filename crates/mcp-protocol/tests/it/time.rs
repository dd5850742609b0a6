//! How long a handler may work, and what is freed when its time is over.

use std::sync::atomic::Ordering;
use std::time::Duration;

use mcp_protocol::serve::{HttpService, Options, SessionLimits};
use serde_json::json;
use tokio::time::Instant;

use crate::drive::*;

fn service(server: &Server, quiet: u64, longest: u64) -> Service {
    let options = Options {
        handler_timeout: Duration::from_secs(quiet),
        max_handler_time: Duration::from_secs(longest),
        sessions: Some(SessionLimits::new(|dest| dest.fill(7))),
        ..Options::default()
    };
    HttpService::new(server.clone(), options)
}

const TOO_LONG: &str =
    r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"the handler took too long"}}"#;

#[tokio::test(start_paused = true)]
async fn a_handler_that_says_nothing_is_dropped_in_time() {
    // MCP-RPC-12: in both eras, with a session and without.
    for (era, quiet) in [("modern", 60), ("stateless", 60), ("session", 600)] {
        let server = Server::default();
        let service = service(&server, quiet, 3600);
        let call = json!({ "name": "wait" });
        let call = match era {
            "modern" => modern("tools/call", call),
            _ => legacy("2025-11-25", "tools/call", &call),
        };
        let (service, call) = match era {
            "modern" => (service, call),
            "stateless" => {
                let options = Options {
                    handler_timeout: Duration::from_secs(quiet),
                    ..Options::default()
                };
                (HttpService::new(server.clone(), options), call)
            }
            _ => {
                let opened = initialize("2025-11-25", &json!({})).send(&service).await;
                let session = opened.header("mcp-session-id").unwrap().to_owned();
                (service, call.header("mcp-session-id", &session))
            }
        };
        let started = Instant::now();
        call.send(&service).await.is(200, TOO_LONG);
        assert_eq!(started.elapsed().as_secs(), quiet, "{era}");
        assert!(server.dropped.load(Ordering::SeqCst), "{era}");
    }
}

#[tokio::test(start_paused = true)]
async fn progress_extends_the_time_and_not_beyond_the_longest() {
    // MCP-RPC-12. The tool reports at once and after 45 seconds, and is done after 90.
    let slow = |meta| modern("tools/call", json!({ "name": "slow", "_meta": meta }));
    for meta in [json!({}), json!({ "progressToken": 1 })] {
        let done = slow(meta)
            .send(&service(&Server::default(), 60, 3600))
            .await;
        assert!(done.text.contains(r#""text":"slow""#), "{}", done.text);
    }
    // Whatever it reports, and from one report to the next.
    for (quiet, longest, cut_at) in [(60, 80, 80), (30, 3600, 30)] {
        let service = service(&Server::default(), quiet, longest);
        let started = Instant::now();
        slow(json!({})).send(&service).await.is(200, TOO_LONG);
        assert_eq!(started.elapsed().as_secs(), cut_at);
    }
}

#[tokio::test(start_paused = true)]
async fn the_time_that_a_person_takes_to_answer_is_not_the_handlers() {
    // MCP-RPC-12: each answer of the client starts the time anew.
    let service = service(&Server::default(), 400, 3600);
    let opened = initialize("2025-11-25", &json!({ "elicitation": {} }));
    let opened = opened.send(&service).await;
    let session = opened.header("mcp-session-id").unwrap().to_owned();
    let call = legacy("2025-11-25", "tools/call", &json!({ "name": "twice" }));
    let call = call.header("mcp-session-id", &session);
    let mut body = call.response(&service).await.into_body();
    for _ in 0..2 {
        let question = next(&mut body).await;
        tokio::time::sleep(Duration::from_secs(250)).await;
        let answer =
            json!({ "jsonrpc": "2.0", "id": question["id"], "result": { "action": "decline" } });
        let answer = post(answer.to_string()).header("mcp-session-id", &session);
        answer.send(&service).await.is(202, "");
    }
    let result = next(&mut body).await;
    assert_eq!(result["result"]["content"][0]["text"], "asked twice");
}

#[tokio::test(start_paused = true)]
async fn a_listener_is_no_handler_that_takes_too_long() {
    let server = Server::default();
    let wanted = json!({ "notifications": { "toolsListChanged": true } });
    let call = modern("subscriptions/listen", wanted);
    let response = call.response(&service(&server, 1, 2)).await;
    let mut body = response.into_body();
    next(&mut body).await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    announce(&server, mcp_protocol::serve::Change::Tools);
    assert_eq!(
        next(&mut body).await["method"],
        "notifications/tools/list_changed"
    );
}
