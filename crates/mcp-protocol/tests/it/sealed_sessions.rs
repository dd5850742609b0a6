//! Sessions that are sealed into their ids: what travels between nodes, and what does not.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use mcp_protocol::seal::{Binding, Key, Keys, Purpose, Refused};
use mcp_protocol::serve::{Change, Sealing, SessionLimits};
use serde_json::{Value, json};

use crate::drive::*;

const UNKNOWN: &str =
    r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"session not found"}}"#;

/// Several servers that share keys and a clock.
#[derive(Clone, Default)]
struct Cluster {
    seconds: Arc<AtomicU64>,
    random: Arc<AtomicU64>,
    told: Arc<Mutex<Vec<(Purpose, Refused)>>>,
}

fn keys() -> Keys {
    Keys::new(Key::new([1; 32]))
}

impl Cluster {
    fn node(&self) -> Service {
        self.node_with(|_| {})
    }

    fn node_with(&self, set: impl FnOnce(&mut SessionLimits)) -> Service {
        self.node_of(Server::default(), set)
    }

    fn node_of(&self, server: Server, set: impl FnOnce(&mut SessionLimits)) -> Service {
        let (clock, ear, random) = (
            Arc::clone(&self.seconds),
            Arc::clone(&self.told),
            Arc::clone(&self.random),
        );
        let sealing = Sealing::new(
            keys(),
            move || UNIX_EPOCH + Duration::from_secs(clock.load(Ordering::SeqCst)),
            move |dest| {
                for piece in dest.chunks_mut(8) {
                    let count = random.fetch_add(1, Ordering::SeqCst) + 1;
                    let word = count.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
                    piece.copy_from_slice(&word[..piece.len()]);
                }
            },
        )
        .with_observer(move |purpose, refused| ear.lock().unwrap().push((purpose, refused)));
        sessions_of(server, |limits| {
            *limits = limits.clone().sealed(sealing);
            set(limits);
        })
    }

    fn told(&self) -> Vec<Refused> {
        let told = std::mem::take(&mut *self.told.lock().unwrap());
        assert!(told.iter().all(|(purpose, _)| *purpose == Purpose::Session));
        told.into_iter().map(|(_, refused)| refused).collect()
    }
}

async fn open(service: &Service, capabilities: Value) -> String {
    let answer = initialize("2025-06-18", &capabilities)
        .person("ada")
        .send(service)
        .await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.header("mcp-session-id").unwrap().to_owned()
}

fn call(session: &str, params: &Value) -> Call {
    legacy("2025-06-18", "tools/call", params)
        .header("mcp-session-id", session)
        .person("ada")
}

fn ping(session: &str) -> Call {
    legacy("2025-06-18", "ping", &json!({}))
        .header("mcp-session-id", session)
        .person("ada")
}

fn delete(session: &str) -> Call {
    bare("DELETE", "")
        .header("mcp-session-id", session)
        .person("ada")
}

#[tokio::test]
async fn any_node_with_the_keys_serves_the_session() {
    let cluster = Cluster::default();
    let (one, other) = (cluster.node(), cluster.node());
    let session = open(&one, json!({ "elicitation": {} })).await;
    assert!(session.len() <= 1024);
    assert!(session.bytes().all(|byte| (0x21..=0x7e).contains(&byte)));
    for node in [&one, &other] {
        let answer = call(&session, &json!({ "name": "revision" }))
            .send(node)
            .await;
        assert_eq!(answer.tool_text(), "2025-06-18");
        let answer = call(&session, &json!({ "name": "who" })).send(node).await;
        assert_eq!(answer.tool_text(), "ada");
    }
    // What the client has declared travels: the other node asks it that, and nothing else.
    let answer = call(&session, &json!({ "name": "model" }))
        .send(&other)
        .await;
    assert!(answer.text.contains("has not declared"), "{answer:?}");
    let mut body = call(&session, &json!({ "name": "name" }))
        .response(&other)
        .await
        .into_body();
    assert_eq!(next(&mut body).await["method"], "elicitation/create");
    assert!(cluster.told().is_empty());
}

#[tokio::test]
async fn a_sealed_session_stays_with_the_one_who_opened_it() {
    let cluster = Cluster::default();
    let (one, other) = (cluster.node(), cluster.node());
    let session = open(&one, json!({})).await;
    for node in [&one, &other] {
        let ping = || legacy("2025-06-18", "ping", &json!({})).header("mcp-session-id", &session);
        ping().person("eve").send(node).await.is(404, UNKNOWN);
        ping().send(node).await.is(404, UNKNOWN);
        let answer = bare("DELETE", "")
            .header("mcp-session-id", &session)
            .person("eve")
            .send(node)
            .await;
        answer.status_is(404, "somebody else ends it");
        assert_eq!(cluster.told(), [Refused::OtherPrincipal; 3]);
        assert_eq!(ping().person("ada").send(node).await.status, 200);
    }
}

#[tokio::test]
async fn an_id_that_was_not_sealed_for_sessions_is_unknown() {
    let cluster = Cluster::default();
    let node = cluster.node();
    let session = open(&node, json!({})).await;
    let ada = Binding::to_principal(Some("ada"));
    let elsewhere =
        |keys: Keys, purpose, payload| keys.seal(purpose, &ada, 1_000, payload, [5; 24]).unwrap();
    let changed = {
        let (at, last) = session.char_indices().nth(100).unwrap();
        let mut changed = session.clone();
        changed.replace_range(at..=at, if last == 'A' { "B" } else { "A" });
        changed
    };
    for (id, reason) in [
        ("made-up".to_owned(), Some(Refused::Malformed)),
        (changed, Some(Refused::Tampered)),
        (format!("{session}="), Some(Refused::Malformed)),
        ("A".repeat(1025), Some(Refused::TooLong)),
        (
            elsewhere(Keys::new(Key::new([2; 32])), Purpose::Session, "{}"),
            Some(Refused::UnknownKey),
        ),
        (
            elsewhere(keys(), Purpose::RequestState, "{}"),
            Some(Refused::Tampered),
        ),
        // Sealed by another program with the same key.
        (elsewhere(keys(), Purpose::Session, "{}"), None),
        (
            elsewhere(
                keys(),
                Purpose::Session,
                r#"{"v":"2026-07-28","c":{},"i":{"name":"c","version":"1"}}"#,
            ),
            None,
        ),
    ] {
        ping(&id).send(&node).await.is(404, UNKNOWN);
        assert_eq!(cluster.told(), Vec::from_iter(reason), "{id}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_idle_session_is_made_anew_until_its_id_expires() {
    let cluster = Cluster::default();
    let node = cluster.node();
    let session = open(&node, json!({})).await;
    tokio::time::advance(Duration::from_secs(31 * 60)).await;
    cluster.seconds.store(12 * 60 * 60 - 1, Ordering::SeqCst);
    assert_eq!(ping(&session).send(&node).await.status, 200);
    // However much it is used, and whether the node knows it or not.
    cluster.seconds.store(12 * 60 * 60, Ordering::SeqCst);
    ping(&session).send(&node).await.is(404, UNKNOWN);
    ping(&session).send(&cluster.node()).await.is(404, UNKNOWN);
    assert_eq!(cluster.told(), [Refused::Expired; 2]);
}

#[tokio::test(start_paused = true)]
async fn a_get_stream_ends_with_the_id_of_its_session() {
    let cluster = Cluster::default();
    let server = Server::default();
    let node = cluster.node_of(server.clone(), |_| {});
    let session = open(&node, json!({})).await;
    // A client that has asked for something is ready to be told something.
    let asked = call(&session, &json!({ "name": "revision" }));
    assert_eq!(asked.send(&node).await.status, 200);
    cluster.seconds.store(12 * 60 * 60 - 60, Ordering::SeqCst);
    let response = bare("GET", "")
        .header("accept", "text/event-stream")
        .header("mcp-session-id", &session)
        .person("ada")
        .response(&node)
        .await;
    let mut body = response.into_body();
    tokio::time::sleep(Duration::from_secs(59)).await;
    announce(&server, Change::Tools);
    let told = next(&mut body).await;
    assert_eq!(told["method"], "notifications/tools/list_changed");
    tokio::time::sleep(Duration::from_secs(1)).await;
    announce(&server, Change::Tools);
    // A stream that went on would be kept open by comments.
    let minute = Duration::from_secs(60);
    let ended = tokio::time::timeout(minute, any_event(&mut body)).await;
    assert!(ended.unwrap().is_none());
}

#[tokio::test]
async fn a_session_that_was_ended_stays_so_on_the_node_that_was_told() {
    let cluster = Cluster::default();
    let (one, other) = (
        cluster.node_with(|limits| limits.max_sessions = 2),
        cluster.node(),
    );
    let session = open(&one, json!({})).await;
    assert_eq!(ping(&session).send(&other).await.status, 200);
    delete(&session).send(&one).await.is(204, "");
    ping(&session).send(&one).await.is(404, UNKNOWN);
    delete(&session).send(&one).await.status_is(404, "twice");
    // The other node was not told.
    assert_eq!(ping(&session).send(&other).await.status, 200);
    // As many ended ones are remembered as there may be sessions; the one that expires first is
    // forgotten first.
    for second in [1, 2] {
        cluster.seconds.store(second, Ordering::SeqCst);
        let next = open(&one, json!({})).await;
        ping(&session).send(&one).await.is(404, UNKNOWN);
        delete(&next).send(&one).await.is(204, "");
    }
    assert_eq!(ping(&session).send(&one).await.status, 200);
}

#[tokio::test]
async fn a_clock_that_is_set_back_brings_no_ended_session_back() {
    let cluster = Cluster::default();
    let node = cluster.node();
    let ended = open(&node, json!({})).await;
    delete(&ended).send(&node).await.is(204, "");
    // Its end is forgotten when it has expired and another one ends.
    cluster.seconds.store(12 * 60 * 60, Ordering::SeqCst);
    let other = open(&node, json!({})).await;
    delete(&other).send(&node).await.is(204, "");
    cluster.seconds.store(60, Ordering::SeqCst);
    ping(&ended).send(&node).await.is(404, UNKNOWN);
    // One that expires later than what was forgotten goes on.
    let open = open(&node, json!({})).await;
    assert_eq!(ping(&open).send(&node).await.status, 200);
}

#[tokio::test]
async fn a_node_can_end_a_session_that_it_has_not_seen() {
    let cluster = Cluster::default();
    let (one, other) = (
        cluster.node(),
        cluster.node_with(|limits| limits.max_sessions = 1),
    );
    let session = open(&one, json!({})).await;
    // There is no room for it, and none is needed.
    let full = open(&other, json!({})).await;
    delete(&session).send(&other).await.is(204, "");
    ping(&session).send(&other).await.is(404, UNKNOWN);
    assert_eq!(ping(&full).send(&other).await.status, 200);
}

#[tokio::test]
async fn sessions_of_other_nodes_take_room_as_those_of_this_one() {
    let cluster = Cluster::default();
    let one = cluster.node();
    let (a, b) = (open(&one, json!({})).await, open(&one, json!({})).await);
    let full = cluster.node_with(|limits| limits.max_sessions = 1);
    assert_eq!(ping(&a).send(&full).await.status, 200);
    ping(&b).send(&full).await.is(
        503,
        r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"too many sessions"}}"#,
    );
    // One principal's make room for each other, and none of them ends by it.
    let few = cluster.node_with(|limits| limits.max_per_principal = 1);
    for session in [&a, &b, &a] {
        assert_eq!(ping(session).send(&few).await.status, 200);
    }
}

#[tokio::test]
async fn a_client_that_says_too_much_of_itself_opens_no_session() {
    let cluster = Cluster::default();
    let node = cluster.node();
    let long = json!({ "experimental": { "x": { "text": "x".repeat(500) } } });
    assert!(open(&node, long).await.len() <= 1024);
    let longer = json!({ "experimental": { "x": { "text": "x".repeat(700) } } });
    initialize("2025-06-18", &longer)
        .person("ada")
        .send(&node)
        .await
        .is(
            200,
            r#"{"jsonrpc":"2.0","id":0,"error":{"code":-32602,"message":"initialize is too long"}}"#,
        );
    // Names are cut off: they are for people.
    let params = json!({
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {
            "name": "\u{1f600}".repeat(500),
            "title": "t".repeat(2000),
            "version": "1".repeat(2000),
        },
    });
    let answer = post(
        json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params }).to_string(),
    )
    .send(&node)
    .await;
    let session = answer.header("mcp-session-id").unwrap();
    let ping = legacy("2025-06-18", "ping", &json!({})).header("mcp-session-id", session);
    assert_eq!(ping.send(&cluster.node()).await.status, 200);
}

#[tokio::test]
async fn an_answer_to_a_question_of_one_node_does_not_answer_that_of_another() {
    let cluster = Cluster::default();
    let (one, other) = (cluster.node(), cluster.node());
    let session = open(&one, json!({ "elicitation": {} })).await;
    let asked = async |node| {
        let mut body = call(&session, &json!({ "name": "name" }))
            .response(node)
            .await
            .into_body();
        let question = next(&mut body).await;
        (question["id"].clone(), body)
    };
    let (first, _first_body) = asked(&one).await;
    let (second, mut second_body) = asked(&other).await;
    assert_ne!(first, second);
    for (id, action) in [(&first, "accept"), (&second, "decline")] {
        assert!(id.as_u64().unwrap() < 1 << 53, "a double counts on exactly");
        let answer = json!({ "jsonrpc": "2.0", "id": id, "result": { "action": action } });
        let answer = post(answer.to_string())
            .header("mcp-session-id", &session)
            .person("ada")
            .send(&other)
            .await;
        answer.status_is(202, action);
    }
    let result = next(&mut second_body).await;
    assert_eq!(result["result"]["content"][0]["text"], "Decline None");
}

#[tokio::test]
async fn an_event_of_one_node_is_unknown_to_another() {
    let cluster = Cluster::default();
    let (one, other) = (cluster.node(), cluster.node());
    let session = open(&one, json!({})).await;
    let progress = json!({ "name": "progress", "_meta": { "progressToken": 1 } });
    let mut ids = Vec::new();
    for node in [&one, &other] {
        let mut body = call(&session, &progress).response(node).await.into_body();
        let event = next_event(&mut body).await;
        ids.push(event.id.unwrap());
        drop(body);
    }
    let again = |id: &str| {
        bare("GET", "")
            .header("accept", "text/event-stream")
            .header("mcp-session-id", &session)
            .header("last-event-id", id)
            .person("ada")
    };
    assert_ne!(ids[0], ids[1]);
    assert_eq!(again(&ids[0]).send(&one).await.status, 200);
    assert_eq!(again(&ids[0]).send(&other).await.status, 400);
    assert_eq!(again(&ids[1]).send(&other).await.status, 200);
}

#[tokio::test]
async fn a_client_hears_changes_on_a_node_that_it_has_not_spoken_to() {
    let cluster = Cluster::default();
    let server = Server::default();
    let (one, other) = (cluster.node(), cluster.node_of(server.clone(), |_| {}));
    let session = open(&one, json!({})).await;
    let response = bare("GET", "")
        .header("accept", "text/event-stream")
        .header("mcp-session-id", &session)
        .person("ada")
        .response(&other)
        .await;
    let mut body = response.into_body();
    announce(&server, Change::Tools);
    let told = next(&mut body).await;
    assert_eq!(told["method"], "notifications/tools/list_changed");
}
