//! What is asked a second time, and what is not.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::Method;
use mcp_protocol::Revision;
use mcp_protocol::client::{BadAnswer, ClientError, Limits};
use serde_json::{Value, json};

use super::{Seen, Server, discovered, empty, error, legacy, modern, raw, result, said, with};
use crate::streams::{Streaming, done, event, open, question};

/// A server whose first stream for each method breaks off; the second has the answer.
fn breaking() -> Server {
    let broken: Mutex<Vec<String>> = Mutex::default();
    modern(move |seen| {
        let mut broken = broken.lock().unwrap();
        if !broken.contains(&seen.method().to_owned()) {
            broken.push(seen.method().to_owned());
            return with(200, "text/event-stream", "id: 1\ndata:\n\n");
        }
        let answer = match seen.method() {
            "tools/call" => said("done"),
            "prompts/get" => json!({"messages": []}),
            "resources/read" => json!({"contents": []}),
            _ => json!({"tools": [], "prompts": [], "resources": []}),
        };
        result(seen, answer)
    })
}

#[tokio::test]
async fn mcp_http_08_what_only_reads_is_asked_again_with_a_new_id() {
    let server = breaking();
    let client = server.client();
    client.list_tools().await.unwrap();
    client.read_resource("a:1").await.unwrap();
    client.get_prompt("p", &BTreeMap::new()).await.unwrap();
    let seen = server.seen();
    assert_eq!(seen.len(), 7);
    for pair in seen[1..].chunks(2) {
        assert_eq!(pair[0].method(), pair[1].method());
        assert_ne!(pair[0].body["id"], pair[1].body["id"]);
        assert_eq!(pair[1].header("last-event-id"), None);
        assert_eq!(pair[1].http_method, Method::POST);
    }
}

#[tokio::test]
async fn mcp_http_08_a_call_is_made_again_only_where_the_caller_says_so() {
    let server = breaking();
    let arguments = raw(json!({}));
    let refused = server.client().call_tool("t", &arguments).await;
    assert!(
        matches!(refused, Err(ClientError::Answer(BadAnswer::NoAnswer))),
        "{refused:?}"
    );
    assert_eq!(server.methods(), ["server/discover", "tools/call"]);

    let server = breaking();
    let client = server.client();
    client
        .call("t", &arguments)
        .repeatable()
        .send()
        .await
        .unwrap();
    assert_eq!(
        server.methods(),
        ["server/discover", "tools/call", "tools/call"]
    );
}

#[tokio::test]
async fn mcp_tool_05_a_tool_that_calls_itself_harmless_is_not_called_again_either() {
    let hints = json!({ "readOnlyHint": true, "idempotentHint": true, "destructiveHint": false });
    let tool = json!({ "name": "t", "inputSchema": { "type": "object" }, "annotations": hints });
    let server = modern(move |seen| match seen.method() {
        "tools/list" => result(seen, json!({ "tools": [&tool] })),
        _ => with(200, "text/event-stream", "id: 1\ndata:\n\n"),
    });
    let client = server.client();
    let listed = client.list_tools().await.unwrap();
    // They are passed on as they came, for whoever shows them.
    let shown = serde_json::to_value(&listed.tools[0]).unwrap();
    assert_eq!(shown["annotations"]["idempotentHint"], json!(true));
    let refused = client.call_tool("t", &raw(json!({}))).await;
    assert!(
        matches!(refused, Err(ClientError::Answer(BadAnswer::NoAnswer))),
        "{refused:?}"
    );
    assert_eq!(
        server.methods(),
        ["server/discover", "tools/list", "tools/call"]
    );
}

#[tokio::test]
async fn mcp_http_08_what_breaks_off_twice_is_given_up() {
    let server = modern(|_| with(200, "text/event-stream", "data:\n\n"));
    assert!(server.client().list_tools().await.is_err());
    assert_eq!(server.methods().len(), 3);
}

#[tokio::test]
async fn mcp_dual_03_a_refusal_is_read_before_the_era_is_changed() {
    for (code, era) in [
        (-32020, "modern"),
        (-32021, "modern"),
        (-32600, "legacy"),
        (-32000, "legacy"),
    ] {
        let server = Server::new(move |seen| match seen.method() {
            "server/discover" => error(seen, 400, code, Value::Null),
            "initialize" => result(seen, json!({"protocolVersion": "2025-11-25"})),
            _ => empty(202),
        });
        let agreed = server.client().connect().await.unwrap();
        let wanted = if era == "modern" {
            Revision::V2026_07_28
        } else {
            Revision::V2025_11_25
        };
        assert_eq!(agreed, wanted, "{code}");
    }
}

#[tokio::test]
async fn mcp_dual_04_a_server_that_has_become_an_old_one_is_met_again() {
    let old = AtomicUsize::new(0);
    let server = Server::new(
        move |seen| match (seen.method(), old.load(Ordering::Relaxed)) {
            ("server/discover", 0) => discovered(seen),
            ("tools/list", 0) => {
                old.store(1, Ordering::Relaxed);
                error(seen, 400, -32000, Value::Null)
            }
            ("initialize", _) => result(seen, json!({"protocolVersion": "2025-11-25"})),
            ("notifications/initialized", _) => empty(202),
            ("tools/list", _) => result(seen, json!({"tools": []})),
            _ => empty(400),
        },
    );
    let client = server.client();
    client.list_tools().await.unwrap();
    assert_eq!(
        server.methods(),
        [
            "server/discover",
            "tools/list",
            "server/discover",
            "initialize",
            "notifications/initialized",
            "tools/list"
        ]
    );
    assert_eq!(client.connect().await.unwrap(), Revision::V2025_11_25);
}

#[tokio::test]
async fn mcp_dual_04_a_server_that_has_become_a_new_one_is_met_again() {
    let new = AtomicUsize::new(0);
    let server = Server::new(
        move |seen| match (seen.method(), new.load(Ordering::Relaxed)) {
            ("initialize", 0) => result(seen, json!({"protocolVersion": "2025-11-25"})),
            ("notifications/initialized", 0) => empty(202),
            ("tools/list", 0) => {
                new.store(1, Ordering::Relaxed);
                error(seen, 400, -32020, Value::Null)
            }
            ("server/discover", _) => discovered(seen),
            _ => result(seen, json!({"resultType": "complete", "tools": []})),
        },
    );
    let client = server.client().starting_with(Revision::V2025_11_25);
    client.list_tools().await.unwrap();
    assert_eq!(client.connect().await.unwrap(), Revision::V2026_07_28);

    // One that never knew the handshake.
    let server = modern(|seen| error(seen, 404, -32601, Value::Null));
    let client = server.client().starting_with(Revision::V2025_11_25);
    assert_eq!(client.connect().await.unwrap(), Revision::V2026_07_28);
    assert_eq!(server.methods(), ["initialize", "server/discover"]);
}

#[tokio::test]
async fn mcp_dual_04_a_refusal_of_the_same_era_stays_what_it_is() {
    let server = modern(|seen| error(seen, 400, -32600, Value::Null));
    let refused = server.client().list_tools().await;
    assert!(matches!(refused, Err(ClientError::Rpc { error, .. }) if error.code == -32600));
    assert_eq!(
        server.methods(),
        ["server/discover", "tools/list", "server/discover"]
    );
    // An unknown method and a wrong parameter belong to the era, and nothing is asked again.
    for (status, code) in [(404, -32601), (400, -32602), (200, -32600)] {
        let server = modern(move |seen| error(seen, status, code, Value::Null));
        assert!(server.client().list_tools().await.is_err());
        assert_eq!(server.methods().len(), 2, "{code}");
    }
}

#[tokio::test]
async fn mcp_lhttp_04_and_06_every_later_request_names_session_and_revision() {
    let server = legacy("2025-11-25", |seen: &Seen| match seen.http_method {
        Method::GET => empty(405),
        _ if seen.body.get("id").is_none() => empty(202),
        _ => result(seen, json!({"tools": [], "prompts": []})),
    });
    let client = server.client();
    client.list_tools().await.unwrap();
    client.ping().await.unwrap();
    client.roots_changed().await.unwrap();
    client.listen().await.unwrap();
    client.close().await.unwrap();
    let seen = server.seen();
    assert_eq!(seen.len(), 8);
    for later in &seen[2..] {
        assert_eq!(later.header("mcp-session-id"), Some("session-1"));
        assert_eq!(later.header("mcp-protocol-version"), Some("2025-11-25"));
    }
    assert_eq!(seen[7].http_method, Method::DELETE);
}

#[tokio::test]
async fn mcp_err_04_a_missing_resource_is_told_by_either_code() {
    for (code, data, missing) in [
        (-32002, Value::Null, true),
        (-32002, json!({"uri": "a:1"}), true),
        (-32602, json!({"uri": "a:1"}), true),
        (-32602, Value::Null, false),
        (-32603, json!({"uri": "a:1"}), false),
    ] {
        for server in [
            modern({
                let data = data.clone();
                move |seen| error(seen, 200, code, data.clone())
            }),
            legacy("2025-11-25", {
                let data = data.clone();
                move |seen| error(seen, 200, code, data.clone())
            }),
        ] {
            let refused = server.client().read_resource("a:1").await.unwrap_err();
            assert_eq!(refused.is_resource_not_found(), missing, "{code} {data}");
        }
    }
    assert!(!ClientError::Arguments.is_resource_not_found());
}

/// A service that loses the first answer to a question.
#[derive(Clone)]
struct Losing(std::sync::Arc<AtomicUsize>, Streaming);

impl tower_service::Service<http::Request<bytes::Bytes>> for Losing {
    type Response = http::Response<mcp_protocol::client::AnswerBody>;
    type Error = std::io::Error;
    type Future = std::future::Ready<Result<Self::Response, Self::Error>>;

    fn poll_ready(
        &mut self,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), Self::Error>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<bytes::Bytes>) -> Self::Future {
        let is_answer = String::from_utf8_lossy(request.body()).contains("\"result\"");
        if is_answer && self.0.fetch_add(1, Ordering::Relaxed) == 0 {
            return std::future::ready(Err(std::io::Error::other("lost")));
        }
        let Ok(response) = self.1.call(request).into_inner();
        std::future::ready(Ok(response))
    }
}

#[tokio::test]
async fn an_answer_to_the_server_that_was_lost_is_sent_again() {
    let mut call = None;
    let server = Streaming::new(move |seen| {
        if seen.method() == "tools/call" {
            let (wire, response) = open();
            wire.send(event(&question("q", "ping", &json!({}))))
                .unwrap();
            call = Some((wire, seen.body["id"].clone()));
            return response;
        }
        let (wire, id) = call.as_ref().unwrap();
        wire.send(event(&done(id))).unwrap();
        empty(202).map(Into::into)
    });
    let posts = std::sync::Arc::<AtomicUsize>::default();
    let info = mcp_protocol::types::Implementation::new("tester", "1");
    let endpoint = "https://mcp.example/mcp".parse().unwrap();
    let losing = Losing(std::sync::Arc::clone(&posts), server);
    let client = mcp_protocol::client::Client::new(losing, endpoint, info)
        .starting_with(Revision::V2025_11_25);
    client.call_tool("t", &raw(json!({}))).await.unwrap();
    assert_eq!(posts.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn the_host_is_asked_nothing_when_one_question_is_not_declared() {
    use mcp_protocol::client::{Host, Replying};
    use mcp_protocol::types::{Ask, ClientCapabilities};
    struct Never;
    impl Host for Never {
        fn capabilities(&self) -> ClientCapabilities {
            ClientCapabilities::from(
                json!({"elicitation": {"form": {}}})
                    .as_object()
                    .unwrap()
                    .clone(),
            )
        }
        fn answer<'a>(&'a self, ask: &'a Ask) -> Replying<'a> {
            panic!("{ask:?}")
        }
    }
    let form =
        json!({"method": "elicitation/create", "params": {"message": "m", "requestedSchema": {}}});
    let url = json!({"method": "elicitation/create", "params": {"mode": "url", "message": "m", "url": "https://a.example"}});
    let server = modern(move |seen| {
        result(
            seen,
            json!({"resultType": "input_required", "inputRequests": {"a": form, "b": url}}),
        )
    });
    let client = server
        .client()
        .with_host(Never)
        .with_limits(Limits::default());
    let refused = client.call_tool("t", &raw(json!({}))).await;
    assert!(
        matches!(refused, Err(ClientError::Unanswered(_))),
        "{refused:?}"
    );
}
