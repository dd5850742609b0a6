//! `subscriptions/listen` as the client sees it: acknowledged, tagged, ended in every way, opened again.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mcp_protocol::cache::CacheLimits;
use mcp_protocol::client::{
    BadAnswer, Change, ClientError, Filter, Heard, Limits, Pausing, SharedCache,
};
use serde_json::{Value, json};

use super::{empty, error, legacy, result, with};
use crate::streams::{Streaming, Wire, event, open};

const TAG: &str = "io.modelcontextprotocol/subscriptionId";

fn note(method: &str, mut params: Value, id: &Value) -> Value {
    params["_meta"] = json!({ TAG: id });
    json!({"jsonrpc": "2.0", "method": method, "params": params})
}

fn acknowledged(id: &Value, filter: &Value) -> Value {
    note(
        "notifications/subscriptions/acknowledged",
        json!({"notifications": filter}),
        id,
    )
}

fn tools_changed(id: &Value) -> Value {
    note("notifications/tools/list_changed", json!({}), id)
}

fn all() -> Value {
    json!({"toolsListChanged": true, "promptsListChanged": true, "resourcesListChanged": true,
           "resourceSubscriptions": ["a:1"]})
}

/// What comes last on a stream, made from its id.
type Ending = Box<dyn Fn(&Value) -> Vec<Value> + Send>;

type Wires = Arc<Mutex<Vec<Wire>>>;

/// A server that sends this on each stream, made from its id, and leaves it open.
fn telling(say: impl Fn(&Value) -> Vec<Value> + Send + 'static) -> (Streaming, Wires) {
    let wires = Wires::default();
    let out = Arc::clone(&wires);
    let server = Streaming::new(move |seen| match seen.method() {
        "subscriptions/listen" => {
            let (wire, response) = open();
            for message in say(&seen.body["id"]) {
                wire.send(event(&message)).unwrap();
            }
            out.lock().unwrap().push(wire);
            response
        }
        _ => result(
            seen,
            json!({"tools": [], "ttlMs": 9000, "cacheScope": "public"}),
        )
        .map(Into::into),
    });
    (server, wires)
}

fn wanted() -> Filter {
    Filter::lists().and_resource("a:1")
}

#[tokio::test]
async fn mcp_sub_02_the_acknowledged_part_is_read_first_and_compared() {
    let (server, _wires) = telling(|id| {
        vec![acknowledged(
            id,
            &json!({"toolsListChanged": true, "resourceSubscriptions": ["a:2"]}),
        )]
    });
    let client = server.modern_client();
    let subscription = client.subscribe(wanted()).await.unwrap();
    // MCP-SUB-07: the difference is given.
    assert_eq!(
        *subscription.honoured(),
        Filter {
            tools_list_changed: true,
            ..Filter::default()
        }
    );
    let refused = subscription.refused();
    assert!(
        !refused.tools_list_changed
            && refused.prompts_list_changed
            && refused.resources_list_changed
    );
    assert_eq!(refused.resource_subscriptions, ["a:1"]);
    let sent = server.all_methods();
    assert_eq!(sent, ["server/discover", "subscriptions/listen"]);
}

#[tokio::test]
async fn the_request_says_what_is_wanted_in_the_newest_form() {
    let (server, _wires) = telling(|id| vec![acknowledged(id, &all())]);
    let client = server.modern_client();
    let subscription = client.subscribe(wanted()).await.unwrap();
    assert!(subscription.refused().is_empty());
    drop(subscription);
    client.list_tools().await.unwrap();
    client.subscribe(Filter::default()).await.unwrap();
    let sent = server.sent();
    let asked = &sent[1];
    assert_eq!(asked.header("mcp-method"), Some("subscriptions/listen"));
    assert_eq!(asked.body["params"]["notifications"], json!({}));
    assert!(asked.body["params"]["_meta"].is_object());
}

#[tokio::test]
async fn a_stream_that_does_not_begin_with_it_is_refused() {
    for first in [
        |id: &Value| tools_changed(id),
        |id: &Value| acknowledged(&json!(id.to_string()), &all()),
        |id: &Value| {
            note(
                "notifications/subscriptions/acknowledged",
                json!({"notifications": 5}),
                id,
            )
        },
        |id: &Value| json!({"jsonrpc": "2.0", "id": id, "result": {}}),
    ] {
        let (server, wires) = telling(move |id| vec![first(id), tools_changed(id)]);
        let client = server.modern_client();
        let refused = client.subscribe(wanted()).await.unwrap_err();
        assert!(
            matches!(refused, ClientError::Answer(BadAnswer::NotAcknowledged)),
            "{refused:?}"
        );
        assert!(wires.lock().unwrap()[0].is_closed());
    }
    let server = super::modern(|seen| error(seen, 404, -32601, Value::Null));
    let client = server.client();
    let refused = client.subscribe(wanted()).await.unwrap_err();
    assert!(matches!(refused, ClientError::Rpc { error, .. } if error.code == -32601));
    let json = super::modern(|seen| result(seen, json!({})));
    let client = json.client();
    let refused = client.subscribe(wanted()).await.unwrap_err();
    assert!(matches!(
        refused,
        ClientError::Answer(BadAnswer::NotAcknowledged)
    ));
    let denied = super::modern(|_| empty(401));
    let client = denied.client();
    let refused = client.subscribe(wanted()).await.unwrap_err();
    assert!(matches!(refused, ClientError::Unauthorized { .. }));
}

#[tokio::test]
async fn mcp_sub_01_and_03_only_what_is_tagged_and_agreed_to_is_heard() {
    let (server, _wires) = telling(|id| {
        let text = json!(id.to_string());
        let other = json!(id.as_i64().unwrap() + 1);
        vec![
            acknowledged(
                id,
                &json!({"toolsListChanged": true, "resourceSubscriptions": ["a:1"]}),
            ),
            tools_changed(&text),
            tools_changed(&other),
            json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed", "params": {}}),
            note("notifications/prompts/list_changed", json!({}), id),
            note(
                "notifications/message",
                json!({"level": "info", "data": "x"}),
                id,
            ),
            note(
                "notifications/progress",
                json!({"progressToken": id, "progress": 1}),
                id,
            ),
            note(
                "notifications/resources/updated",
                json!({"uri": "a:1/part"}),
                id,
            ),
            tools_changed(id),
            json!({"jsonrpc": "2.0", "id": id, "result": {"resultType": "complete", "_meta": {TAG: id}}}),
        ]
    });
    let client = server.modern_client();
    let mut subscription = client.subscribe(wanted()).await.unwrap();
    let mut heard = Vec::new();
    while let Some(one) = subscription.next().await.unwrap() {
        heard.push(one);
    }
    assert_eq!(
        heard,
        [
            Heard::Changed(Change::Resource("a:1/part".to_owned())),
            Heard::Changed(Change::Tools)
        ]
    );
}

#[tokio::test]
async fn mcp_sub_04_it_ends_by_a_result_by_being_taken_back_or_by_a_close() {
    let result = |id: &Value| json!({"jsonrpc": "2.0", "id": id, "result": {"_meta": {TAG: id}}});
    let cancelled = |id: &Value| json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id}});
    let endings: [Ending; 5] = [
        Box::new(move |id| vec![result(id)]),
        Box::new(move |id| vec![cancelled(id)]),
        Box::new(move |id| vec![cancelled(id), result(id)]),
        Box::new(move |id| vec![result(id), cancelled(id)]),
        Box::new(|_| Vec::new()),
    ];
    for ending in endings {
        let (server, wires) = telling(move |id| {
            let mut messages = vec![acknowledged(id, &all())];
            // Another subscription's end is not ours.
            messages.push(json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id.to_string()}}));
            messages.push(tools_changed(id));
            messages.extend(ending(id));
            messages
        });
        let client = server.modern_client();
        let mut subscription = client.subscribe(wanted()).await.unwrap();
        wires.lock().unwrap().clear();
        assert_eq!(
            subscription.next().await.unwrap(),
            Some(Heard::Changed(Change::Tools))
        );
        assert_eq!(subscription.next().await.unwrap(), None);
        assert_eq!(subscription.next().await.unwrap(), None);
    }
}

#[tokio::test]
async fn an_error_ends_it() {
    let (server, _wires) = telling(|id| {
        vec![
            acknowledged(id, &all()),
            json!({"jsonrpc": "2.0", "id": id, "error": {"code": -32603, "message": "no"}}),
        ]
    });
    let client = server.modern_client();
    let mut subscription = client.subscribe(wanted()).await.unwrap();
    assert!(matches!(
        subscription.next().await,
        Err(ClientError::Rpc { .. })
    ));
    assert_eq!(subscription.next().await.unwrap(), None);
}

fn timer(time: Duration) -> Pausing {
    Box::pin(tokio::time::sleep(time))
}

#[tokio::test(start_paused = true)]
async fn mcp_sub_04_what_breaks_off_is_opened_again_and_nothing_kept_survives_it() {
    let (server, wires) = telling(|id| vec![acknowledged(id, &all())]);
    let shared = SharedCache::new(CacheLimits::default(), || Duration::ZERO);
    let client = server.modern_client().with_pause(timer).with_cache(shared);
    let mut subscription = client.subscribe(wanted()).await.unwrap();
    client.list_tools().await.unwrap();
    client.list_tools().await.unwrap();
    assert_eq!(server.seen_methods("tools/list"), 1);
    for broken in [true, false] {
        let wire = wires.lock().unwrap().pop().unwrap();
        if broken {
            wire.send(Err(io::Error::other("cut"))).unwrap();
        }
        drop(wire);
        assert_eq!(subscription.next().await.unwrap(), Some(Heard::Reopened));
    }
    client.list_tools().await.unwrap();
    assert_eq!(server.seen_methods("tools/list"), 2);
    let listens: Vec<Value> = server
        .sent()
        .iter()
        .filter(|seen| seen.method() == "subscriptions/listen")
        .map(|seen| seen.body["id"].clone())
        .collect();
    // The first is not among them; each has an id of its own.
    assert_eq!(listens.len(), 2);
    assert_ne!(listens[0], listens[1]);
}

#[tokio::test(start_paused = true)]
async fn mcp_cache_04_what_is_heard_is_no_longer_kept() {
    let (server, wires) = telling(|id| vec![acknowledged(id, &all())]);
    let shared = SharedCache::new(CacheLimits::default(), || Duration::ZERO);
    let client = server.modern_client().with_cache(shared);
    let mut subscription = client.subscribe(wanted()).await.unwrap();
    client.list_tools().await.unwrap();
    let id = json!(2);
    wires.lock().unwrap()[0]
        .send(event(&tools_changed(&id)))
        .unwrap();
    assert_eq!(
        subscription.next().await.unwrap(),
        Some(Heard::Changed(Change::Tools))
    );
    client.list_tools().await.unwrap();
    assert_eq!(server.seen_methods("tools/list"), 2);
}

#[tokio::test(start_paused = true)]
async fn it_is_opened_again_with_growing_waits_and_not_for_ever() {
    let mut opened = 0;
    let server = Streaming::new(move |seen| {
        opened += 1;
        match opened {
            1 => {
                let text = acknowledged(&seen.body["id"], &all());
                with(200, "text/event-stream", format!("data: {text}\n\n")).map(Into::into)
            }
            _ => empty(503).map(Into::into),
        }
    });
    let client = server
        .modern_client()
        .with_pause(timer)
        .with_limits(Limits {
            max_reconnections: 4,
            ..Limits::default()
        });
    let mut subscription = client.subscribe(wanted()).await.unwrap();
    let start = tokio::time::Instant::now();
    assert!(matches!(
        subscription.next().await,
        Err(ClientError::Transport(_))
    ));
    assert_eq!(start.elapsed().as_secs(), 1 + 2 + 4 + 8);
    assert_eq!(server.seen_methods("subscriptions/listen"), 5);
    assert_eq!(subscription.next().await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_is_given_up_again_and_again_comes_to_its_end_all_the_same() {
    let mut held = Vec::new();
    let mut opened = 0;
    let server = Streaming::new(move |seen| {
        let (wire, response) = open();
        let text = acknowledged(&seen.body["id"], &all());
        wire.send(event(&text)).unwrap();
        opened += 1;
        // The first ends at once, because nobody holds it.
        if opened > 1 {
            held.push(wire);
        }
        response
    });
    let client = server.modern_client().with_pause(timer);
    let mut subscription = client.subscribe(wanted()).await.unwrap();
    let start = tokio::time::Instant::now();
    let heard = loop {
        // A program has other things to do meanwhile.
        let next = tokio::time::timeout(Duration::from_millis(300), subscription.next());
        match next.await {
            Ok(heard) => break heard.unwrap(),
            Err(_) => assert!(start.elapsed() < Duration::from_secs(5)),
        }
    };
    assert_eq!(heard, Some(Heard::Reopened));
}

#[tokio::test]
async fn waiting_for_the_next_may_be_given_up() {
    let (server, wires) = telling(|id| vec![acknowledged(id, &all())]);
    let client = server.modern_client();
    let mut subscription = client.subscribe(wanted()).await.unwrap();
    tokio::select! {
        biased;
        heard = subscription.next() => panic!("{heard:?}"),
        () = tokio::task::yield_now() => {}
    }
    wires.lock().unwrap()[0]
        .send(event(&tools_changed(&json!(2))))
        .unwrap();
    assert_eq!(
        subscription.next().await.unwrap(),
        Some(Heard::Changed(Change::Tools))
    );
    drop(subscription);
    assert!(wires.lock().unwrap()[0].is_closed());
}

#[tokio::test]
async fn the_older_era_has_none() {
    let server = legacy("2025-11-25", |_| empty(500));
    let client = server.client();
    let refused = client.subscribe(wanted()).await.unwrap_err();
    assert!(matches!(
        refused,
        ClientError::NotSpoken {
            method: "subscriptions/listen",
            ..
        }
    ));
}
