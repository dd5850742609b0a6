//! Questions of a server on a pipe, and who answers them.

use std::sync::Arc;

use mcp_protocol::client::pipe::{Pipe, PipeLimits};
use mcp_protocol::client::{Client, Host, Reply, Replying};
use mcp_protocol::types::{Ask, ClientCapabilities, Implementation};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::messages::request;
use super::{calling, initialized, pair, pipe, text};

/// Answers forms and names folders.
pub(super) struct Somebody;

impl Host for Somebody {
    fn capabilities(&self) -> ClientCapabilities {
        serde_json::from_value(json!({"elicitation": {}, "roots": {}})).unwrap()
    }

    fn answer<'a>(&'a self, ask: &'a Ask) -> Replying<'a> {
        Box::pin(async move {
            Ok(match ask {
                Ask::Roots => Reply::Roots(from(json!({"roots": []}))),
                _ => Reply::Elicited(from(json!({"action": "decline"}))),
            })
        })
    }
}

fn from<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn hosted(pipe: &Pipe) -> Arc<Client<Pipe>> {
    let info = Implementation::new("tester", "1");
    Arc::new(Client::over_pipe(pipe.clone(), info).with_host(Somebody))
}

fn elicit(id: impl Into<Value>) -> Value {
    let params =
        json!({"message": "Sure?", "requestedSchema": {"type": "object", "properties": {}}});
    request(id, "elicitation/create", params)
}

#[tokio::test(start_paused = true)]
async fn a_question_in_the_middle_of_a_call_is_answered_by_the_host() {
    let (pipe, mut peer) = pipe(PipeLimits::default());
    let client = hosted(&pipe);
    let called = calling(&client, "ask");
    peer.be_legacy("2025-11-25").await;
    let request = peer.expect("tools/call").await;
    for id in [json!("q"), json!(1), request["id"].clone()] {
        // Ids of the server are its own: one that equals ours is another one.
        peer.say(elicit(id.clone())).await;
        let reply = peer.line().await.unwrap();
        assert_eq!(
            reply,
            json!({"jsonrpc": "2.0", "id": id, "result": {"action": "decline"}})
        );
    }
    peer.say(super::messages::request(
        9,
        "sampling/createMessage",
        json!({}),
    ))
    .await;
    assert_eq!(peer.line().await.unwrap()["error"]["code"], -32601);
    peer.answer(&request, text("done")).await;
    assert_eq!(called.await.unwrap().unwrap(), "done");
}

#[tokio::test(start_paused = true)]
async fn a_ping_is_answered_at_once_whoever_is_there() {
    let (client, _pipe, mut peer) = pair();
    let connecting = {
        let client = client.clone();
        tokio::spawn(async move { client.connect().await })
    };
    let discover = peer.expect("server/discover").await;
    peer.refuse(&discover, -32601).await;
    let initialize = peer.expect("initialize").await;
    // A server may ping before it has answered the handshake.
    peer.say(json!({"jsonrpc": "2.0", "id": "p", "method": "ping"}))
        .await;
    assert_eq!(
        peer.line().await.unwrap(),
        json!({"jsonrpc": "2.0", "id": "p", "result": {}})
    );
    peer.answer(&initialize, initialized("2025-06-18")).await;
    peer.expect("notifications/initialized").await;
    connecting.await.unwrap().unwrap();
    // Nothing is in flight.
    peer.say(json!({"jsonrpc": "2.0", "id": 5, "method": "ping"}))
        .await;
    assert_eq!(
        peer.line().await.unwrap(),
        json!({"jsonrpc": "2.0", "id": 5, "result": {}})
    );
}

#[tokio::test(start_paused = true)]
async fn questions_outside_of_a_request_go_to_who_listens_and_else_are_refused() {
    let (pipe, mut peer) = pipe(PipeLimits::default());
    let client = hosted(&pipe);
    let connecting = {
        let client = client.clone();
        tokio::spawn(async move { client.connect().await })
    };
    peer.be_legacy("2025-11-25").await;
    connecting.await.unwrap().unwrap();
    peer.say(request("early", "roots/list", json!({}))).await;
    let refused = peer.line().await.unwrap();
    assert_eq!(
        (&refused["id"], &refused["error"]["code"]),
        (&json!("early"), &json!(-32603))
    );

    let listening = client.listen().await.unwrap().unwrap();
    let serving = {
        let client = client.clone();
        tokio::spawn(async move { client.serve(listening).await })
    };
    peer.say(request("now", "roots/list", json!({}))).await;
    assert_eq!(
        peer.line().await.unwrap(),
        json!({"jsonrpc": "2.0", "id": "now", "result": {"roots": []}})
    );
    // There is one such stream.
    assert!(client.listen().await.is_err());

    serving.abort();
    assert!(serving.await.unwrap_err().is_cancelled());
    peer.say(request("late", "roots/list", json!({}))).await;
    assert_eq!(peer.line().await.unwrap()["error"]["code"], -32603);
    assert!(client.listen().await.unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn in_the_newest_era_nothing_is_answered() {
    let (pipe, mut peer) = pipe(PipeLimits::default());
    let client = hosted(&pipe);
    let called = calling(&client, "ask");
    peer.be_modern().await;
    let request = peer.expect("tools/call").await;
    peer.say(elicit("q")).await;
    peer.say(json!({"jsonrpc": "2.0", "id": "p", "method": "ping"}))
        .await;
    peer.answer(&request, text("done")).await;
    assert_eq!(called.await.unwrap().unwrap(), "done");
    assert_eq!(pipe.skipped().unclaimed, 2);
    let called = calling(&client, "next");
    // The next line is a request, not a response.
    let request = peer.expect("tools/call").await;
    peer.answer(&request, text("done")).await;
    called.await.unwrap().unwrap();
}
