//! Batches of 2025-03-26, as an answer and as an event.

use mcp_protocol::client::{BadAnswer, ClientError};
use serde_json::{Value, json};

use super::{legacy, raw, result, with};

fn told(id: &Value) -> Value {
    json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": id, "progress": 1}})
}

fn done(id: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "result": {"content": [{"type": "text", "text": "done"}]}})
}

fn stray() -> Value {
    json!({"jsonrpc": "2.0", "id": 4711, "result": {}})
}

fn ping() -> Value {
    json!({"jsonrpc": "2.0", "id": "q", "method": "ping"})
}

#[tokio::test]
async fn mcp_rpc_06_each_message_of_a_batch_has_its_meaning() {
    for stream in [false, true] {
        let server = legacy("2025-03-26", move |seen| {
            let id = &seen.body["id"];
            if seen.method() != "tools/call" {
                return super::empty(202);
            }
            let batch = json!([told(id), stray(), ping(), done(id)]);
            if stream {
                with(200, "text/event-stream", format!("data: {batch}\n\n"))
            } else {
                with(200, "application/json", batch.to_string())
            }
        });
        let client = server.client();
        let heard = std::sync::Mutex::new(0);
        let arguments = raw(json!({}));
        let call = client.call("t", &arguments);
        let called = call
            .progress(|_| *heard.lock().unwrap() += 1)
            .send()
            .await
            .unwrap();
        assert_eq!(called.result.content[0].as_text(), Some("done"));
        assert_eq!(*heard.lock().unwrap(), 1);
        let answered = server.seen().pop().unwrap().body;
        assert_eq!(answered, json!({"jsonrpc": "2.0", "id": "q", "result": {}}));
    }
}

#[tokio::test]
async fn a_batch_that_breaks_a_rule_is_refused() {
    let id_and = |messages: fn(&Value) -> Value| {
        legacy("2025-03-26", move |seen| match seen.method() {
            "tools/call" => with(
                200,
                "application/json",
                messages(&seen.body["id"]).to_string(),
            ),
            _ => result(seen, json!({})),
        })
    };
    for (server, wanted) in [
        (id_and(|_| json!([])), BadAnswer::NotAMessage),
        (
            id_and(|id| json!(vec![done(id); 65])),
            BadAnswer::NotAMessage,
        ),
        (id_and(|id| json!([5, done(id)])), BadAnswer::NotAMessage),
        (id_and(|_| json!([stray()])), BadAnswer::NoAnswer),
    ] {
        let refused = server.client().call_tool("t", &raw(json!({}))).await;
        assert!(
            matches!(&refused, Err(ClientError::Answer(bad)) if *bad == wanted),
            "{wanted:?} {refused:?}"
        );
    }
}

#[tokio::test]
async fn mcp_rpc_07_later_revisions_have_no_batches() {
    for revision in ["2025-06-18", "2025-11-25"] {
        let server = legacy(revision, |seen| {
            with(
                200,
                "application/json",
                json!([done(&seen.body["id"])]).to_string(),
            )
        });
        let refused = server.client().call_tool("t", &raw(json!({}))).await;
        assert!(
            matches!(refused, Err(ClientError::Answer(BadAnswer::NotAMessage))),
            "{refused:?}"
        );
    }
}
