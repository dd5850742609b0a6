//! The client's lists of resources and prompts, and reading and getting one of them.

use std::collections::BTreeMap;

use http::Response;
use mcp_protocol::client::{BadAnswer, ClientError, Limits};
use serde_json::{Value, json};

use crate::client::{Seen, error, modern, result};

/// Two pages: the second is asked for with the empty cursor.
fn paged(seen: &Seen, member: &str, pages: [Value; 2]) -> Response<bytes::Bytes> {
    let [first, second] = pages;
    match seen.body["params"].get("cursor") {
        None => result(
            seen,
            json!({"resultType": "complete", member: first, "nextCursor": ""}),
        ),
        Some(cursor) => {
            assert_eq!(cursor, "");
            result(
                seen,
                json!({"resultType": "complete", member: second, "nextCursor": null}),
            )
        }
    }
}

#[tokio::test]
async fn every_page_of_resources_templates_and_prompts_is_listed() {
    let server = modern(|seen| match seen.method() {
        "resources/list" => paged(
            seen,
            "resources",
            [
                json!([{"uri": "a:1", "name": "one"}]),
                json!([{"uri": "a:2", "name": "two"}]),
            ],
        ),
        "resources/templates/list" => paged(
            seen,
            "resourceTemplates",
            [json!([]), json!([{"uriTemplate": "a:{id}", "name": "any"}])],
        ),
        "prompts/list" => paged(
            seen,
            "prompts",
            [
                json!([{"name": "p"}]),
                json!([{"name": "q", "arguments": [{"name": "x"}]}]),
            ],
        ),
        other => panic!("{other}"),
    });
    let client = server.client();
    let resources = client.list_resources().await.unwrap();
    let uris: Vec<&str> = resources.iter().map(|one| one.uri.as_str()).collect();
    assert_eq!(uris, ["a:1", "a:2"]);
    let templates = client.list_resource_templates().await.unwrap();
    assert_eq!(templates[0].name, "any");
    let prompts = client.list_prompts().await.unwrap();
    let names: Vec<&str> = prompts.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["p", "q"]);
}

#[tokio::test]
async fn a_list_of_another_shape_or_without_end_is_refused() {
    for (answer, wanted) in [
        (json!({}), "no prompts"),
        (json!({"prompts": {}}), "invalid type"),
        (json!({"prompts": [{"title": "no name"}]}), "missing field"),
        (json!({"prompts": [], "nextCursor": 5}), "invalid type"),
    ] {
        let client = modern(move |seen| result(seen, answer.clone())).client();
        let refused = client.list_prompts().await.unwrap_err();
        let ClientError::Answer(BadAnswer::Result { method, why }) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(method, "prompts/list");
        assert!(why.contains(wanted), "{why}");
    }
    let endless =
        modern(|seen| result(seen, json!({"prompts": [{"name": "p"}], "nextCursor": "n"})));
    for limits in [
        Limits {
            max_pages: 3,
            ..Limits::default()
        },
        Limits {
            max_entries: 2,
            ..Limits::default()
        },
    ] {
        let client = endless.client().with_limits(limits);
        let refused = client.list_prompts().await.unwrap_err();
        assert!(
            matches!(refused, ClientError::Answer(BadAnswer::EndlessList(_))),
            "{refused:?}"
        );
    }
}

#[tokio::test]
async fn a_resource_is_read_with_its_address_in_a_header() {
    let server = modern(|seen| {
        result(
            seen,
            json!({"resultType": "complete", "contents": [{"uri": "file:///a%20b", "text": "t"}], "more": 1.50}),
        )
    });
    let client = server.client();
    let read = client.read_resource("file:///a%20b").await.unwrap();
    assert_eq!(read.result.contents[0].text.as_deref(), Some("t"));
    assert!(read.raw.get().contains("\"more\":1.5"));
    let seen = &server.seen()[1];
    assert_eq!(seen.header("mcp-method"), Some("resources/read"));
    assert_eq!(seen.header("mcp-name"), Some("file:///a%20b"));
    assert_eq!(seen.body["params"]["uri"], "file:///a%20b");
    assert_eq!(seen.body["params"].get("name"), None);
}

#[tokio::test]
async fn a_prompt_is_got_with_its_name_in_a_header() {
    let server = modern(|seen| {
        result(
            seen,
            json!({"resultType": "complete", "messages": [
                {"role": "user", "content": {"type": "text", "text": "hello"}}]}),
        )
    });
    let arguments = BTreeMap::from([("who".to_owned(), "you".to_owned())]);
    let got = server
        .client()
        .get_prompt("greet", &arguments)
        .await
        .unwrap();
    assert_eq!(got.result.messages[0].content.as_text(), Some("hello"));
    let seen = &server.seen()[1];
    assert_eq!(seen.header("mcp-name"), Some("greet"));
    assert_eq!(seen.body["params"]["arguments"], json!({"who": "you"}));
}

#[tokio::test]
async fn an_unknown_address_is_the_servers_error() {
    let server = modern(|seen| error(seen, 400, -32602, json!({"uri": "a:9"})));
    let refused = server.client().read_resource("a:9").await.unwrap_err();
    let ClientError::Rpc { error, .. } = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(
        (error.code, error.data),
        (-32602, Some(json!({"uri": "a:9"}).into()))
    );
}
