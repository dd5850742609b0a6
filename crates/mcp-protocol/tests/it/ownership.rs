//! A session is for the principal who opened it: each verb, another principal, and nobody.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use crate::drive::*;

const UNKNOWN: &str = r#""error":{"code":-32000,"message":"session not found"}}"#;

/// Somebody who sends a request.
fn by(who: Option<&'static str>, call: Call) -> Call {
    match who {
        Some(who) => call.person(who),
        None => call,
    }
}

/// Everything that can be sent to a session in which request 1 is in flight, with a question of
/// the server and a stream that can be resumed.
fn everything(session: &str, question: &Value) -> Vec<(&'static str, Call)> {
    let message = |message: Value| post(message.to_string()).header("mcp-session-id", session);
    let get = || {
        bare("GET", "")
            .header("accept", "text/event-stream")
            .header("mcp-session-id", session)
    };
    let cancelled = json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 1 } });
    let answer = json!({ "jsonrpc": "2.0", "id": question, "result": { "action": "decline" } });
    vec![
        (
            "request",
            message(json!({ "jsonrpc": "2.0", "id": 2, "method": "ping" })),
        ),
        ("notification", message(cancelled)),
        ("response", message(answer)),
        ("GET", get()),
        ("GET to resume", get().header("last-event-id", "0-0")),
        (
            "DELETE",
            bare("DELETE", "").header("mcp-session-id", session),
        ),
    ]
}

#[tokio::test]
async fn each_verb_is_refused_to_everyone_but_the_owner() {
    // MCP-LHTTP-13, MCP-AUTH-RS-10: an id is no authentication, and whose it is is not told.
    for owner in [Some("ada"), None] {
        let server = Server::default();
        let service = sessions_of(server.clone(), |_| {});
        let opened = by(
            owner,
            initialize("2025-11-25", &json!({ "elicitation": {} })),
        );
        let opened = opened.send(&service).await;
        let session = opened.header("mcp-session-id").unwrap().to_owned();
        let call = |id: i64, name: &str| {
            let params = json!({ "name": name, "_meta": { "progressToken": id } });
            let call =
                json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params });
            by(
                owner,
                post(call.to_string()).header("mcp-session-id", &session),
            )
        };
        let mut waiting = call(1, "wait").response(&service).await.into_body();
        next(&mut waiting).await;
        let mut asking = call(3, "name").response(&service).await.into_body();
        let question = next(&mut asking).await["id"].clone();

        for stranger in [Some("eve"), None, Some("ada")] {
            if stranger == owner {
                continue;
            }
            for (what, call) in everything(&session, &question) {
                let answer = by(stranger, call).send(&service).await;
                let what = format!("{what} by {stranger:?}, the session of {owner:?}");
                answer.status_is(404, &what);
                assert!(answer.text.ends_with(UNKNOWN), "{what}: {}", answer.text);
            }
        }
        // Nothing of it had an effect: not taken back, not answered, not taken over, not ended.
        assert!(!server.dropped.load(Ordering::SeqCst));
        assert!(is_quiet(&mut waiting).await && is_quiet(&mut asking).await);
        for (what, call) in everything(&session, &question) {
            let status = by(owner, call).response(&service).await.status();
            assert!(status.is_success(), "{what} by its owner: {status}");
        }
    }
}
