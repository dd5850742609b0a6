//! Dropping a call: what the server of each era is told, by whom and when.

use std::convert::Infallible;
use std::future::pending;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use mcp_protocol::Revision;
use mcp_protocol::client::{AnswerBody, Client, ClientError, Pausing, Spawned};
use mcp_protocol::types::Implementation;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::{empty, raw, result};
use crate::streams::{Streaming, Wire, done, event, open};

/// A server that leaves tool calls open.
fn hanging() -> (Streaming, Arc<Mutex<Vec<Wire>>>) {
    let wires = Arc::<Mutex<Vec<Wire>>>::default();
    let out = Arc::clone(&wires);
    let server = Streaming::new(move |seen| match seen.method() {
        "tools/call" => {
            let (wire, response) = open();
            out.lock().unwrap().push(wire);
            response
        }
        "notifications/cancelled" => empty(202).map(Into::into),
        _ => result(seen, json!({"prompts": []})).map(Into::into),
    });
    (server, wires)
}

/// Lets a call come to its answer's stream, and drops it there.
async fn begin_and_drop<S>(client: &Client<S>)
where
    S: tower_service::Service<Request<Bytes>, Response = Response<AnswerBody>, Error = Infallible>
        + Clone,
{
    let arguments = raw(json!({}));
    let call = client.call_tool("t", &arguments);
    tokio::select! {
        biased;
        outcome = call => panic!("{outcome:?}"),
        () = tokio::task::yield_now() => {}
    }
}

fn taken_back(server: &Streaming) -> Vec<Value> {
    let sent = server.sent().into_iter();
    sent.filter(|seen| seen.method() == "notifications/cancelled")
        .map(|seen| seen.body["params"]["requestId"].clone())
        .collect()
}

#[tokio::test]
async fn mcp_http_07_in_the_newest_era_dropping_a_call_closes_its_stream() {
    let (server, wires) = hanging();
    let client = server.modern_client();
    begin_and_drop(&client).await;
    assert!(wires.lock().unwrap()[0].is_closed());
    client.flush().await;
    client.list_prompts().await.unwrap();
    assert_eq!(taken_back(&server), Vec::<Value>::new());
}

#[tokio::test]
async fn mcp_lhttp_10_in_the_older_era_the_next_request_says_it_first() {
    let (server, _wires) = hanging();
    let client = server.client();
    begin_and_drop(&client).await;
    assert_eq!(taken_back(&server), Vec::<Value>::new());
    client.list_prompts().await.unwrap();
    let sent = server.sent();
    let methods: Vec<&str> = sent.iter().map(|seen| seen.method()).collect();
    assert_eq!(
        methods,
        ["tools/call", "notifications/cancelled", "prompts/list"]
    );
    assert_eq!(sent[1].body["params"]["requestId"], sent[0].body["id"]);
    assert_eq!(sent[1].body.get("id"), None);
    assert_eq!(sent[1].header("mcp-session-id"), Some("session-1"));
    // Once.
    client.list_prompts().await.unwrap();
    assert_eq!(taken_back(&server).len(), 1);
}

#[tokio::test]
async fn mcp_lhttp_10_flush_says_it_without_a_request() {
    let (server, _wires) = hanging();
    let client = server.client();
    begin_and_drop(&client).await;
    begin_and_drop(&client).await;
    client.flush().await;
    assert_eq!(taken_back(&server).len(), 2);
}

#[tokio::test]
async fn mcp_lhttp_10_with_a_spawner_it_is_said_at_once() {
    let (server, _wires) = hanging();
    let client = server
        .client()
        .with_spawner(|work: Spawned| drop(tokio::spawn(work)));
    begin_and_drop(&client).await;
    tokio::task::yield_now().await;
    assert_eq!(taken_back(&server), [server.sent()[0].body["id"].clone()]);
}

#[tokio::test]
async fn a_call_that_has_its_answer_is_not_taken_back() {
    let server = Streaming::new(|seen| match seen.method() {
        "tools/call" => {
            let (wire, response) = open();
            wire.send(event(&done(&seen.body["id"]))).unwrap();
            response
        }
        "prompts/get" => super::error(seen, 200, -32602, json!({})).map(Into::into),
        _ => empty(400).map(Into::into),
    });
    let client = server.client();
    client.call_tool("t", &raw(json!({}))).await.unwrap();
    assert!(
        client
            .get_prompt("p", &std::collections::BTreeMap::new())
            .await
            .is_err()
    );
    assert!(client.list_prompts().await.is_err());
    client.flush().await;
    assert_eq!(taken_back(&server), Vec::<Value>::new());
}

#[tokio::test]
async fn a_call_whose_stream_broke_off_for_good_is_taken_back() {
    let server = Streaming::new(|seen| match seen.method() {
        "tools/call" => super::with(200, "text/event-stream", ": cut\n\n").map(Into::into),
        _ => empty(202).map(Into::into),
    });
    let client = server.client();
    assert!(client.call_tool("t", &raw(json!({}))).await.is_err());
    client.flush().await;
    assert_eq!(taken_back(&server).len(), 1);
}

/// A service that never answers the requests of one method.
#[derive(Clone)]
struct Stuck(&'static str, Streaming);

impl tower_service::Service<Request<Bytes>> for Stuck {
    type Response = Response<AnswerBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let stuck = String::from_utf8_lossy(request.body()).contains(self.0);
        let answer = self.1.call(request);
        Box::pin(async move {
            if stuck {
                pending::<()>().await;
            }
            answer.await
        })
    }
}

#[tokio::test]
async fn mcp_life_06_initialize_is_never_taken_back() {
    let (server, _wires) = hanging();
    let info = Implementation::new("tester", "1");
    let endpoint = "https://mcp.example/mcp".parse().unwrap();
    let client = Client::new(Stuck("\"initialize\"", server.clone()), endpoint, info)
        .starting_with(Revision::V2025_11_25);
    tokio::select! {
        biased;
        outcome = client.connect() => panic!("{outcome:?}"),
        () = tokio::task::yield_now() => {}
    }
    client.flush().await;
    assert_eq!(server.all_methods(), ["initialize"]);
}

#[tokio::test(start_paused = true)]
async fn telling_what_is_not_wanted_holds_nothing_up() {
    let (server, _wires) = hanging();
    let info = Implementation::new("tester", "1");
    let endpoint = "https://mcp.example/mcp".parse().unwrap();
    let client = Client::new(
        Stuck("notifications/cancelled", server.clone()),
        endpoint,
        info,
    )
    .starting_with(Revision::V2025_11_25)
    .with_pause(|time| Box::pin(tokio::time::sleep(time)) as Pausing);
    let arguments = raw(json!({}));
    let short = client.call("t", &arguments).timeout(Duration::from_secs(1));
    assert!(matches!(short.send().await, Err(ClientError::TimedOut(_))));
    let start = tokio::time::Instant::now();
    client.list_prompts().await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 0);
}

#[tokio::test]
async fn mcp_canc_02_a_late_answer_is_ignored() {
    let mut first = None;
    let server = Streaming::new(move |seen| match seen.method() {
        "tools/call" => {
            let (wire, response) = open();
            let id = seen.body["id"].clone();
            if let Some(late) = first.replace(id.clone()) {
                wire.send(event(
                    &json!({"jsonrpc": "2.0", "id": late, "result": {"content": []}}),
                ))
                .unwrap();
                wire.send(event(&done(&id))).unwrap();
            }
            std::mem::forget(wire);
            response
        }
        _ => empty(202).map(Into::into),
    });
    let client = server.client();
    begin_and_drop(&client).await;
    let called = client.call_tool("t", &raw(json!({}))).await.unwrap();
    assert_eq!(called.result.content[0].as_text(), Some("done"));
}

#[tokio::test(start_paused = true)]
async fn mcp_lhttp_10_telling_a_server_that_does_not_take_it_ends() {
    let (server, _wires) = hanging();
    let work = Arc::<Mutex<Option<JoinHandle<()>>>>::default();
    let spawned = Arc::clone(&work);
    let info = Implementation::new("tester", "1");
    let client = Client::new(
        Stuck("notifications/cancelled", server),
        "https://mcp.example/mcp".parse().unwrap(),
        info,
    )
    .starting_with(Revision::V2025_11_25)
    .with_spawner(move |work: Spawned| *spawned.lock().unwrap() = Some(tokio::spawn(work)))
    .with_pause(|time| Box::pin(tokio::time::sleep(time)) as Pausing);
    begin_and_drop(&client).await;
    let work = work.lock().unwrap().take().unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(60), work).await;
    ended.unwrap().unwrap();
}
