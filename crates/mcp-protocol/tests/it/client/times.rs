//! How long a client waits: for a request, for a list, for a stream of the server's own.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use mcp_protocol::client::{Client, ClientError, Limits, Pausing};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::raw;
use crate::rounds::Willing;
use crate::streams::{Streaming, Wire, done, event, open, question};

/// The streams of the calls, with their ids.
type Calls = Arc<Mutex<Vec<(Wire, Value)>>>;

const SECOND: Duration = Duration::from_secs(1);

fn timer(time: Duration) -> Pausing {
    Box::pin(sleep(time))
}

/// A server that leaves every call open and hands its wire and its id out.
fn silent() -> (Streaming, Calls) {
    let wires = Calls::default();
    let out = Arc::clone(&wires);
    let server = Streaming::new(move |seen| match seen.method() {
        "tools/call" | "tools/list" => {
            let (wire, response) = open();
            out.lock().unwrap().push((wire, seen.body["id"].clone()));
            response
        }
        _ => super::empty(202).map(Into::into),
    });
    (server, wires)
}

fn within(client: Client<Streaming>, quiet: u64, at_most: u64) -> Client<Streaming> {
    client.with_pause(timer).with_limits(Limits {
        max_quiet: SECOND * u32::try_from(quiet).unwrap(),
        max_request_time: SECOND * u32::try_from(at_most).unwrap(),
        ..Limits::default()
    })
}

fn timed_out(outcome: Result<impl std::fmt::Debug, ClientError>, seconds: u64) {
    assert!(
        matches!(&outcome, Err(ClientError::TimedOut(time)) if *time == Duration::from_secs(seconds)),
        "{outcome:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn mcp_rpc_12_a_silent_call_ends_and_is_taken_back() {
    let (server, wires) = silent();
    let client = within(server.client(), 5, 20);
    let start = Instant::now();
    timed_out(client.call_tool("t", &raw(json!({}))).await, 5);
    assert_eq!(start.elapsed(), SECOND * 5);
    // The older era is told at once.
    let sent = server.sent();
    assert_eq!(sent[1].method(), "notifications/cancelled");
    assert_eq!(sent[1].body["params"]["requestId"], sent[0].body["id"]);
    assert!(wires.lock().unwrap()[0].0.is_closed());

    let client = within(server.modern_client(), 5, 20);
    timed_out(client.call_tool("t", &raw(json!({}))).await, 5);
    // In the newest closing says it.
    assert!(wires.lock().unwrap()[1].0.is_closed());
    let told = server
        .sent()
        .into_iter()
        .filter(|seen| seen.method() == "notifications/cancelled");
    assert_eq!(told.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn mcp_rpc_12_progress_extends_the_wait_and_never_beyond_the_maximum() {
    let (server, wires) = silent();
    let client = within(server.modern_client(), 5, 20);
    let arguments = raw(json!({}));
    let beat = async {
        for step in 1.. {
            sleep(SECOND * 4).await;
            if let Some((wire, id)) = wires.lock().unwrap().last() {
                let told = json!({"jsonrpc": "2.0", "method": "notifications/progress",
                                  "params": {"progressToken": id, "progress": step}});
                drop(wire.send(event(&told)));
            }
        }
    };
    let start = Instant::now();
    let call = client.call("t", &arguments).progress(|_| ());
    tokio::select! {
        outcome = call.send() => timed_out(outcome, 20),
        () = beat => {}
    }
    assert_eq!(start.elapsed(), SECOND * 20);
}

#[tokio::test(start_paused = true)]
async fn mcp_rpc_12_a_call_has_times_of_its_own() {
    let (server, _wires) = silent();
    let client = within(server.modern_client(), 5, 20);
    let arguments = raw(json!({}));
    timed_out(client.call("t", &arguments).timeout(SECOND).send().await, 1);
    timed_out(
        client
            .call("t", &arguments)
            .timeout(SECOND * 60)
            .send()
            .await,
        20,
    );
    timed_out(
        client
            .call("t", &arguments)
            .timeout(SECOND * 60)
            .at_most(SECOND * 2)
            .send()
            .await,
        2,
    );
}

#[tokio::test(start_paused = true)]
async fn while_the_host_is_asked_the_server_is_not_silent() {
    struct Slow;
    impl mcp_protocol::client::Host for Slow {
        fn capabilities(&self) -> mcp_protocol::types::ClientCapabilities {
            Willing.capabilities()
        }
        fn answer<'a>(
            &'a self,
            ask: &'a mcp_protocol::types::Ask,
        ) -> mcp_protocol::client::Replying<'a> {
            Box::pin(async move {
                sleep(SECOND * 12).await;
                Willing.answer(ask).await
            })
        }
    }
    let mut call = None;
    let server = Streaming::new(move |seen| {
        if seen.method() == "tools/call" {
            let (wire, response) = open();
            wire.send(event(&question("q", "roots/list", &json!({}))))
                .unwrap();
            call = Some((wire, seen.body["id"].clone()));
            return response;
        }
        let (wire, id) = call.as_ref().unwrap();
        wire.send(event(&done(id))).unwrap();
        super::empty(202).map(Into::into)
    });
    let client = within(server.client().with_host(Slow), 5, 20);
    assert!(client.call_tool("t", &raw(json!({}))).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_list_has_one_time_for_all_its_pages() {
    let server = Streaming::new(|seen| {
        let (wire, response) = open();
        let id = seen.body["id"].clone();
        tokio::spawn(async move {
            sleep(SECOND).await;
            let page =
                json!({"jsonrpc": "2.0", "id": id, "result": {"tools": [], "nextCursor": "n"}});
            wire.send(event(&page)).unwrap();
        });
        response
    });
    let client = server
        .modern_client()
        .with_pause(timer)
        .with_limits(Limits {
            max_list_time: SECOND * 3 + SECOND / 2,
            ..Limits::default()
        });
    let outcome = client.list_tools().await;
    assert!(
        matches!(outcome, Err(ClientError::TimedOut(_))),
        "{outcome:?}"
    );
    assert_eq!(server.seen_methods("tools/list"), 4);
}

#[tokio::test]
async fn a_list_has_one_size_for_all_its_pages() {
    let server = super::modern(|seen| {
        super::result(
            seen,
            json!({"prompts": [], "filler": "x".repeat(100), "nextCursor": "n"}),
        )
    });
    let client = server.client().with_limits(Limits {
        max_list_bytes: 500,
        ..Limits::default()
    });
    let outcome = client.list_prompts().await;
    let Err(ClientError::Answer(large)) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(large, mcp_protocol::client::BadAnswer::LargeList(500));
    assert_eq!(server.methods().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_stream_of_the_servers_own_is_read_for_its_time() {
    let mut kept = Vec::new();
    let server = Streaming::new(move |_| {
        let (wire, response) = open();
        kept.push(wire);
        response
    });
    let client = server.client().with_pause(timer).with_limits(Limits {
        max_serve_time: SECOND * 100,
        ..Limits::default()
    });
    let listening = client.listen().await.unwrap().unwrap();
    let start = Instant::now();
    client.serve(listening).await.unwrap();
    assert_eq!(start.elapsed(), SECOND * 100);
}

#[tokio::test]
async fn questions_without_end_end_the_stream_of_the_servers_own() {
    let server = Streaming::new(|seen| {
        if seen.body.is_null() {
            let (wire, response) = open();
            for n in 0..3 {
                let asked = question(&n.to_string(), "roots/list", &json!({}));
                wire.send(event(&asked)).unwrap();
            }
            return response;
        }
        super::empty(202).map(Into::into)
    });
    let client = server.client().with_host(Willing).with_limits(Limits {
        max_served_questions: 2,
        ..Limits::default()
    });
    let listening = client.listen().await.unwrap().unwrap();
    let ended = client.serve(listening).await;
    assert!(
        matches!(
            &ended,
            Err(ClientError::Answer(
                mcp_protocol::client::BadAnswer::TooManyQuestions(2)
            ))
        ),
        "{ended:?}"
    );
}
