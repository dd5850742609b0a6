//! Proposals, pings, discovery, and word of changed folders.

use std::collections::BTreeMap;

use mcp_protocol::Revision;
use mcp_protocol::client::ClientError;
use mcp_protocol::trace::Trace;
use mcp_protocol::types::{
    CompletionArgument, CompletionCall, CompletionContext, CompletionTarget,
};
use serde_json::json;

use super::{empty, legacy, modern, raw, result, said};

fn asked(context: &[(&str, &str)]) -> CompletionCall {
    let pairs = context
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    CompletionCall {
        target: CompletionTarget::Prompt {
            name: "p".to_owned(),
        },
        argument: CompletionArgument {
            name: "a".to_owned(),
            value: "x".to_owned(),
        },
        context: CompletionContext {
            arguments: pairs.collect::<BTreeMap<_, _>>(),
        },
    }
}

#[tokio::test]
async fn mcp_comp_01_proposals_are_asked_for_with_what_is_filled_in() {
    for server in [
        modern(|seen| {
            result(
                seen,
                json!({"completion": {"values": ["xa", "xb"], "total": 9, "hasMore": true}}),
            )
        }),
        legacy("2025-06-18", |seen| {
            result(
                seen,
                json!({"completion": {"values": ["xa", "xb"], "hasMore": true}}),
            )
        }),
    ] {
        let client = server.client();
        let got = client.complete(&asked(&[("b", "y")])).await.unwrap();
        assert_eq!(got.result.completion.values, ["xa", "xb"]);
        assert!(got.result.completion.has_more);
        client.complete(&asked(&[])).await.unwrap();
        let seen = server.seen();
        let [first, second] = &seen[seen.len() - 2..] else {
            panic!()
        };
        let params = &first.body["params"];
        assert_eq!(params["ref"], json!({"type": "ref/prompt", "name": "p"}));
        assert_eq!(params["argument"], json!({"name": "a", "value": "x"}));
        assert_eq!(params["context"], json!({"arguments": {"b": "y"}}));
        assert_eq!(second.body["params"].get("context"), None);
    }
}

#[tokio::test]
async fn mcp_life_05_an_old_server_is_pinged() {
    let server = legacy("2025-11-25", |seen| match seen.method() {
        "ping" => result(seen, json!({})),
        _ => empty(202),
    });
    let client = server.client();
    client.ping().await.unwrap();
    client.roots_changed().await.unwrap();
    let seen = server.seen();
    let told = seen.last().unwrap();
    assert_eq!(
        told.body,
        json!({"jsonrpc": "2.0", "method": "notifications/roots/list_changed"})
    );
}

#[tokio::test]
async fn mcp_life_04_what_a_revision_does_not_have_is_not_sent() {
    let server = modern(|_| empty(500));
    let client = server.client();
    let refused = [
        client.ping().await,
        client.roots_changed().await,
        client.subscribe_resource("a:1").await,
        client.unsubscribe_resource("a:1").await,
    ];
    for refused in refused {
        assert!(
            matches!(
                refused,
                Err(ClientError::NotSpoken {
                    revision: Revision::V2026_07_28,
                    ..
                })
            ),
            "{refused:?}"
        );
    }
    assert_eq!(server.methods(), ["server/discover"]);

    let old = legacy("2025-11-25", |_| empty(500));
    let refused = old.client().discover().await;
    assert!(matches!(
        refused,
        Err(ClientError::NotSpoken {
            method: "server/discover",
            ..
        })
    ));
}

#[tokio::test]
async fn a_server_says_what_it_is() {
    let server = modern(|_| empty(500));
    let discovered = server.client().discover().await.unwrap();
    assert_eq!(discovered.result.supported_versions, ["2026-07-28"]);
}

#[tokio::test]
async fn mcp_meta_06_a_call_says_where_it_belongs_in_a_trace() {
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let kept = json!({"traceparent": parent, "tracestate": "a=1", "baggage": "b=2"});
    for (given, sent) in [
        (kept.clone(), kept),
        (
            json!({"traceparent": "00-broken", "baggage": "b=2"}),
            json!({"baggage": "b=2"}),
        ),
        (json!({}), json!({})),
    ] {
        let trace = Trace::read(|key| Some(given.get(key)?.as_str()?.into()));
        let server = modern(|seen| result(seen, said("done")));
        let client = server.client();
        let arguments = raw(json!({}));
        let call = client.call("do_it", &arguments).trace(trace.clone());
        call.send().await.unwrap();
        // The next one has none, because none was given.
        client.call_tool("do_it", &arguments).await.unwrap();
        let older = legacy("2025-11-25", |seen| result(seen, said("done")));
        let client = older.client();
        let call = client.call("do_it", &arguments).trace(trace);
        call.send().await.unwrap();

        let calls = |server: &super::Server| -> Vec<serde_json::Value> {
            let seen = server.seen();
            let calls = seen.iter().filter(|seen| seen.method() == "tools/call");
            calls
                .map(|call| {
                    let meta = call.body["params"]["_meta"].clone();
                    let members = meta.as_object().cloned().unwrap_or_default();
                    let traced = members.into_iter().filter(|(key, _)| !key.contains('/'));
                    traced.collect::<serde_json::Map<_, _>>().into()
                })
                .collect()
        };
        assert_eq!(calls(&server), [sent, json!({})]);
        assert_eq!(calls(&older), [json!({})]);
    }
}

#[tokio::test]
async fn mcp_icon_01_icons_are_passed_on_and_never_fetched() {
    let icons = json!([
        { "src": "https://evil.example/i.png", "mimeType": "image/png", "sizes": ["48x48"] },
        { "src": "data:image/png;base64,iVBORw==" },
        { "src": "http://127.0.0.1/admin" },
        { "src": "javascript:alert(1)" },
    ]);
    let shown = icons.clone();
    let server = modern(move |seen| {
        let answer = match seen.method() {
            "tools/list" => {
                let schema = json!({ "type": "object" });
                json!({ "tools": [{ "name": "t", "inputSchema": schema, "icons": shown }] })
            }
            _ => json!({ "prompts": [{ "name": "p", "icons": shown }] }),
        };
        result(seen, answer)
    });
    let client = server.client();
    let tools = client.list_tools().await.unwrap();
    let prompts = client.list_prompts().await.unwrap();
    // What they are is said as it was said: no scheme is taken out, because none is followed.
    assert_eq!(
        serde_json::to_value(&tools.tools[0]).unwrap()["icons"],
        icons
    );
    assert_eq!(serde_json::to_value(&prompts[0]).unwrap()["icons"], icons);
    assert_eq!(
        server.methods(),
        ["server/discover", "tools/list", "prompts/list"]
    );
}
