//! Answers that are used again: for how long, for whom, and what ends it.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mcp_protocol::cache::CacheLimits;
use mcp_protocol::client::{Change, Client, ClientError, Notice, SharedCache};
use serde_json::{Value, json};

use super::{Seen, Server, error, legacy, modern, raw, result, said};
use crate::rounds::Willing;
use crate::streams::{Streaming, event, open};

/// A cache with a clock that is moved by hand.
fn cache() -> (SharedCache, Arc<AtomicU64>) {
    let seconds = Arc::<AtomicU64>::default();
    let clock = Arc::clone(&seconds);
    let now = move || Duration::from_secs(clock.load(Ordering::Relaxed));
    (SharedCache::new(CacheLimits::default(), now), seconds)
}

fn hinted(scope: &str, mut answer: Value) -> Value {
    answer["resultType"] = json!("complete");
    answer["ttlMs"] = json!(5000);
    answer["cacheScope"] = json!(scope);
    answer
}

/// Every cacheable answer, with these hints.
fn answer(seen: &Seen, scope: &str) -> Value {
    let answer = match seen.method() {
        "tools/list" => json!({"tools": [{"name": "t", "inputSchema": {"type": "object"}}]}),
        "prompts/list" => json!({"prompts": []}),
        "resources/list" => json!({"resources": []}),
        "resources/templates/list" => json!({"resourceTemplates": []}),
        "server/discover" => json!({"supportedVersions": ["2026-07-28"], "capabilities": {}}),
        _ => json!({"contents": []}),
    };
    hinted(scope, answer)
}

fn public() -> Server {
    Server::new(|seen| result(seen, answer(seen, "public")))
}

async fn ask_all(client: &Client<Server>) {
    client.list_tools().await.unwrap();
    client.list_prompts().await.unwrap();
    client.list_resources().await.unwrap();
    client.list_resource_templates().await.unwrap();
    client.read_resource("a:1").await.unwrap();
    client.discover().await.unwrap();
}

#[tokio::test]
async fn mcp_cache_01_and_04_six_methods_are_asked_once_in_their_time() {
    let server = public();
    let (cache, clock) = cache();
    let client = server.client().with_cache(cache);
    client.connect().await.unwrap();
    ask_all(&client).await;
    let asked = server.methods();
    assert_eq!(
        asked[1..],
        [
            "tools/list",
            "prompts/list",
            "resources/list",
            "resources/templates/list",
            "resources/read",
            "server/discover"
        ]
    );
    clock.store(4, Ordering::Relaxed);
    ask_all(&client).await;
    assert_eq!(server.methods().len(), asked.len());
    clock.store(5, Ordering::Relaxed);
    ask_all(&client).await;
    assert_eq!(server.methods().len(), asked.len() + 6);
}

#[tokio::test]
async fn without_a_cache_or_a_time_everything_is_asked() {
    let server = public();
    let client = server.client();
    client.list_tools().await.unwrap();
    client.list_tools().await.unwrap();
    assert_eq!(server.methods().len(), 3);

    for hints in [
        json!({}),
        json!({"ttlMs": 0, "cacheScope": "public"}),
        json!({"ttlMs": -1, "cacheScope": "public"}),
    ] {
        let server = modern(move |seen| {
            let mut answer = json!({"tools": []});
            answer
                .as_object_mut()
                .unwrap()
                .extend(hints.as_object().unwrap().clone());
            result(seen, answer)
        });
        let client = server.client().with_cache(cache().0);
        client.list_tools().await.unwrap();
        client.list_tools().await.unwrap();
        assert_eq!(server.methods().len(), 3);
    }
}

#[tokio::test]
async fn mcp_cache_03_private_answers_stay_with_their_principal() {
    let server = Server::new(|seen| result(seen, answer(seen, "private")));
    let lists = || {
        server
            .methods()
            .iter()
            .filter(|method| *method == "tools/list")
            .count()
    };
    let shared = cache().0;
    let ann = server
        .client()
        .with_cache(shared.clone())
        .with_principal("ann");
    let ben = server
        .client()
        .with_cache(shared.clone())
        .with_principal("ben");
    let nobody = server.client().with_cache(shared.clone());
    ann.list_tools().await.unwrap();
    ann.list_tools().await.unwrap();
    assert_eq!(lists(), 1);
    ben.list_tools().await.unwrap();
    assert_eq!(lists(), 2);
    nobody.list_tools().await.unwrap();
    nobody.list_tools().await.unwrap();
    assert_eq!(lists(), 4);
    // Another person signs in, and the first comes back.
    ann.set_principal(Some("carl"));
    ann.list_tools().await.unwrap();
    assert_eq!(lists(), 5);
    ann.set_principal(Some("ann"));
    ann.list_tools().await.unwrap();
    assert_eq!(lists(), 5);
    shared.forget_principal("ann");
    ann.list_tools().await.unwrap();
    assert_eq!(lists(), 6);
}

#[tokio::test]
async fn mcp_cache_03_what_was_asked_for_while_the_principal_changed_is_nobodys() {
    let whose = Arc::<Mutex<Option<Arc<Client<Server>>>>>::default();
    let changing = Arc::clone(&whose);
    let server = modern(move |seen| {
        let mut page = answer(seen, "private");
        // Before the second page somebody else signs in, and the first comes back in the end.
        if seen.body["params"].get("cursor").is_none() {
            page["nextCursor"] = json!("2");
            if let Some(client) = changing.lock().unwrap().take() {
                client.set_principal(Some("ben"));
                client.set_principal(Some("ann"));
            }
        }
        result(seen, page)
    });
    let client = server.client().with_cache(cache().0).with_principal("ann");
    let client = Arc::new(client);
    *whose.lock().unwrap() = Some(Arc::clone(&client));
    // The second time it is asked for, and kept.
    for asked in [3, 5, 5] {
        client.list_tools().await.unwrap();
        assert_eq!(server.methods().len(), asked);
    }
}

#[tokio::test]
async fn mcp_cache_03_public_answers_are_shared_and_only_of_their_server() {
    let server = public();
    let shared = cache().0;
    let ann = server
        .client()
        .with_cache(shared.clone())
        .with_principal("ann");
    let ben = server
        .client()
        .with_cache(shared.clone())
        .with_principal("ben");
    ann.list_prompts().await.unwrap();
    ben.list_prompts().await.unwrap();
    assert_eq!(
        server
            .methods()
            .iter()
            .filter(|method| *method == "prompts/list")
            .count(),
        1
    );

    let info = mcp_protocol::types::Implementation::new("tester", "1");
    let elsewhere = Client::new(
        server.clone(),
        "https://mcp.example/other".parse().unwrap(),
        info,
    );
    elsewhere.with_cache(shared).list_prompts().await.unwrap();
    assert_eq!(
        server
            .methods()
            .iter()
            .filter(|method| *method == "prompts/list")
            .count(),
        2
    );
}

#[tokio::test]
async fn mcp_cache_03_another_address_is_another_answer() {
    let server = public();
    let client = server.client().with_cache(cache().0);
    for uri in ["a:1", "a:2", "a:1"] {
        client.read_resource(uri).await.unwrap();
    }
    assert_eq!(server.methods().len(), 3);
}

#[tokio::test]
async fn mcp_mrtr_09_what_was_asked_back_for_is_not_kept() {
    let rounds = AtomicUsize::new(0);
    let server = modern(move |seen| {
        if rounds.fetch_add(1, Ordering::Relaxed).is_multiple_of(2) {
            return result(
                seen,
                json!({"resultType": "input_required", "requestState": "s",
                                       "ttlMs": 5000, "cacheScope": "public"}),
            );
        }
        result(seen, hinted("public", json!({"contents": []})))
    });
    let client = server.client().with_host(Willing).with_cache(cache().0);
    client.read_resource("a:1").await.unwrap();
    client.read_resource("a:1").await.unwrap();
    assert_eq!(server.methods().len(), 5);
}

#[tokio::test]
async fn errors_and_unreadable_answers_are_not_kept() {
    let server = modern(|seen| result(seen, hinted("public", json!({"prompts": 5}))));
    let client = server.client().with_cache(cache().0);
    assert!(client.list_prompts().await.is_err());
    assert!(client.list_prompts().await.is_err());
    assert_eq!(server.methods().len(), 3);
}

#[tokio::test]
async fn a_list_of_pages_is_kept_as_a_whole_for_the_shortest_time_and_privately() {
    let server = modern(|seen| {
        let mut page = match seen.body["params"].get("cursor") {
            None => hinted(
                "public",
                json!({"prompts": [{"name": "a"}], "nextCursor": "n"}),
            ),
            Some(_) => hinted("private", json!({"prompts": [{"name": "b"}]})),
        };
        if seen.body["params"].get("cursor").is_some() {
            page["ttlMs"] = json!(2000);
        }
        result(seen, page)
    });
    let (shared, clock) = cache();
    let ann = server
        .client()
        .with_cache(shared.clone())
        .with_principal("ann");
    let ben = server.client().with_cache(shared).with_principal("ben");
    assert_eq!(ann.list_prompts().await.unwrap().len(), 2);
    assert_eq!(ann.list_prompts().await.unwrap().len(), 2);
    assert_eq!(server.methods().len(), 3);
    ben.list_prompts().await.unwrap();
    assert_eq!(server.methods().len(), 6);
    clock.store(2, Ordering::Relaxed);
    ann.list_prompts().await.unwrap();
    assert_eq!(server.methods().len(), 8);
}

#[tokio::test]
async fn mcp_cache_04_a_bad_cursor_drops_the_pages_and_starts_once_more() {
    for times in [1, 9] {
        let bad = AtomicUsize::new(0);
        let server = modern(move |seen| match seen.body["params"].get("cursor") {
            None => result(seen, json!({"prompts": [{"name": "a"}], "nextCursor": "n"})),
            Some(_) if bad.fetch_add(1, Ordering::Relaxed) < times => {
                error(seen, 200, -32602, Value::Null)
            }
            Some(_) => result(seen, json!({"prompts": [{"name": "b"}]})),
        });
        let listed = server.client().list_prompts().await;
        assert_eq!(server.methods().len(), 5);
        match times {
            1 => assert_eq!(listed.unwrap().len(), 2),
            _ => assert!(
                matches!(listed, Err(ClientError::Rpc { error, .. }) if error.code == -32602)
            ),
        }
    }
    // Without a cursor it is the list that is refused.
    let server = modern(|seen| error(seen, 200, -32602, Value::Null));
    assert!(server.client().list_prompts().await.is_err());
    assert_eq!(server.methods().len(), 2);
}

#[tokio::test]
async fn mcp_xhdr_06_a_list_that_misled_is_not_used_again() {
    let listed = AtomicUsize::new(0);
    let server = modern(move |seen| match seen.method() {
        "tools/list" => {
            let header = if listed.fetch_add(1, Ordering::Relaxed) == 0 {
                "Old"
            } else {
                "New"
            };
            let schema = json!({"type": "object", "properties": {"a": {"type": "string", "x-mcp-header": header}}});
            result(
                seen,
                hinted(
                    "public",
                    json!({"tools": [{"name": "t", "inputSchema": schema}]}),
                ),
            )
        }
        _ if seen.header("mcp-param-new") == Some("x") => result(seen, said("done")),
        _ => error(seen, 400, -32020, Value::Null),
    });
    let client = server.client().with_cache(cache().0);
    client.list_tools().await.unwrap();
    client
        .call_tool("t", &raw(json!({"a": "x"})))
        .await
        .unwrap();
    assert_eq!(
        server.methods(),
        [
            "server/discover",
            "tools/list",
            "tools/call",
            "tools/list",
            "tools/call"
        ]
    );
    assert_eq!(server.seen()[2].header("mcp-param-old"), Some("x"));
}

#[tokio::test]
async fn mcp_cache_04_in_the_older_era_changes_come_on_the_servers_own_stream() {
    let server = Streaming::new(|seen| {
        if seen.http_method != http::Method::GET {
            return result(seen, json!({})).map(Into::into);
        }
        let (wire, response) = open();
        for (method, params) in [
            ("notifications/tools/list_changed", json!({})),
            ("notifications/resources/updated", json!({"uri": "a:1"})),
            ("notifications/invented", json!({})),
        ] {
            let note = json!({"jsonrpc": "2.0", "method": method, "params": params});
            wire.send(event(&note)).unwrap();
        }
        response
    });
    let heard: Arc<Mutex<Vec<Notice>>> = Arc::default();
    let noted = Arc::clone(&heard);
    let client = server
        .client()
        .with_notices(move |notice| noted.lock().unwrap().push(notice));
    client.subscribe_resource("a:1").await.unwrap();
    let listening = client.listen().await.unwrap().unwrap();
    client.serve(listening).await.unwrap();
    client.unsubscribe_resource("a:1").await.unwrap();
    assert_eq!(
        *heard.lock().unwrap(),
        [
            Notice::Changed(Change::Tools),
            Notice::Changed(Change::Resource("a:1".to_owned()))
        ]
    );
    let sent = server.sent();
    assert_eq!(sent[0].method(), "resources/subscribe");
    assert_eq!(sent[0].body["params"], json!({"uri": "a:1"}));
    assert_eq!(sent[2].method(), "resources/unsubscribe");
}

#[tokio::test]
async fn an_old_server_gives_no_times_and_nothing_is_kept() {
    let server = legacy("2025-11-25", |seen| result(seen, json!({"tools": []})));
    let client = server.client().with_cache(cache().0);
    client.list_tools().await.unwrap();
    client.list_tools().await.unwrap();
    assert_eq!(
        server
            .methods()
            .iter()
            .filter(|method| *method == "tools/list")
            .count(),
        2
    );
}
