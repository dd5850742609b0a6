//! The headers of each kind of request: the calls are made, and each is looked at.
//!
//! The official scenarios pass a client that makes no call; these do not.

use std::collections::BTreeMap;

use mcp_protocol::client::ClientError;
use serde_json::{Value, json};

use super::{Seen, Server, error, legacy, modern, raw, result, said};
use crate::rounds::Willing;

fn tool(name: &str, properties: &Value) -> Value {
    json!({"name": name, "inputSchema": {"type": "object", "properties": properties}})
}

fn serving(tools: Value) -> Server {
    modern(move |seen| {
        let answer = match seen.method() {
            "tools/list" => json!({"tools": tools}),
            "tools/call" => said("done"),
            "prompts/list" => json!({"prompts": []}),
            "prompts/get" => json!({"messages": []}),
            "resources/list" => json!({"resources": []}),
            "resources/templates/list" => json!({"resourceTemplates": []}),
            "resources/read" => json!({"contents": []}),
            "completion/complete" => json!({"completion": {"values": []}}),
            other => panic!("{other}"),
        };
        result(seen, answer)
    })
}

#[tokio::test]
async fn mcp_http_13_method_and_name_are_repeated_on_every_request() {
    let server = serving(json!([]));
    let client = server.client();
    client.list_tools().await.unwrap();
    client.call_tool("do_it", &raw(json!({}))).await.unwrap();
    client.list_prompts().await.unwrap();
    client.get_prompt("greet", &BTreeMap::new()).await.unwrap();
    client.list_resources().await.unwrap();
    client.list_resource_templates().await.unwrap();
    client.read_resource("file:///a").await.unwrap();
    let names: Vec<(String, Option<String>)> = server
        .seen()
        .iter()
        .map(|seen| {
            (
                seen.method().to_owned(),
                seen.header("mcp-name").map(str::to_owned),
            )
        })
        .collect();
    let wanted = [
        ("server/discover", None),
        ("tools/list", None),
        ("tools/call", Some("do_it")),
        ("prompts/list", None),
        ("prompts/get", Some("greet")),
        ("resources/list", None),
        ("resources/templates/list", None),
        ("resources/read", Some("file:///a")),
    ];
    let wanted = wanted.map(|(method, name)| (method.to_owned(), name.map(str::to_owned)));
    assert_eq!(names, wanted);
    for seen in server.seen() {
        assert_eq!(seen.header("mcp-method"), Some(seen.method()));
        // MCP-HTTP-09, MCP-META-01, MCP-META-03.
        let meta = &seen.body["params"]["_meta"];
        assert_eq!(
            seen.header("mcp-protocol-version"),
            meta["io.modelcontextprotocol/protocolVersion"].as_str()
        );
        assert_eq!(seen.header("mcp-protocol-version"), Some("2026-07-28"));
        assert!(meta["io.modelcontextprotocol/clientCapabilities"].is_object());
        assert_eq!(meta["io.modelcontextprotocol/clientInfo"]["name"], "tester");
    }
}

fn params(seen: &Seen) -> BTreeMap<String, String> {
    let names = seen.headers.iter();
    names
        .filter_map(|(name, value)| {
            let name = name.as_str().strip_prefix("mcp-param-")?;
            Some((name.to_owned(), value.to_str().unwrap().to_owned()))
        })
        .collect()
}

#[tokio::test]
async fn mcp_xhdr_03_and_04_annotated_arguments_are_repeated_in_their_form() {
    let properties = json!({
        "s": {"type": "string", "x-mcp-header": "S"},
        "n": {"type": "integer", "x-mcp-header": "N"},
        "b": {"type": "boolean", "x-mcp-header": "B"},
        "plain": {"type": "string"},
    });
    let server = serving(json!([tool("t", &properties)]));
    let client = server.client();
    client.list_tools().await.unwrap();
    let cases = [
        (
            json!({"s": "us west 1", "n": 42, "b": true, "plain": "p"}),
            vec![("b", "true"), ("n", "42"), ("s", "us west 1")],
        ),
        (
            json!({"s": "", "n": -1, "b": false}),
            vec![("b", "false"), ("n", "-1"), ("s", "")],
        ),
        (json!({"s": null, "n": 0}), vec![("n", "0")]),
        (json!({}), vec![]),
        (
            json!({"s": "Hello, 世界"}),
            vec![("s", "=?base64?SGVsbG8sIOS4lueVjA==?=")],
        ),
        (
            json!({"s": " padded "}),
            vec![("s", "=?base64?IHBhZGRlZCA=?=")],
        ),
        (json!({"s": "a\r\nb"}), vec![("s", "=?base64?YQ0KYg==?=")]),
        (
            json!({"s": "=?base64?eA==?="}),
            vec![("s", "=?base64?PT9iYXNlNjQ/ZUE9PT89?=")],
        ),
    ];
    for (arguments, wanted) in cases {
        client
            .call_tool("t", &raw(arguments.clone()))
            .await
            .unwrap();
        let sent = server.seen().pop().unwrap();
        let wanted: BTreeMap<String, String> = wanted
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        assert_eq!(params(&sent), wanted, "{arguments}");
        assert_eq!(sent.body["params"]["arguments"], arguments);
    }
}

#[tokio::test]
async fn mcp_xhdr_02_tools_with_bad_annotations_are_left_out_and_the_rest_is_called() {
    let with = |kind: &str, header: Value| json!({"a": {"type": kind, "x-mcp-header": header}});
    let bad = [
        with("string", json!("")),
        with("string", json!("two words")),
        with("string", json!("a:b")),
        with("string", json!("a\r\nb")),
        with("string", json!("é")),
        with("string", json!(5)),
        with("number", json!("A")),
        with("object", json!("A")),
        with("array", json!("A")),
        with("null", json!("A")),
        json!({"a": {"type": "string", "x-mcp-header": "Same"}, "b": {"type": "string", "x-mcp-header": "SAME"}}),
        json!({"a": {"type": "array", "items": {"type": "string", "x-mcp-header": "A"}}}),
        json!({"a": {"oneOf": [{"type": "string", "x-mcp-header": "A"}]}}),
    ];
    let mut tools = vec![tool("valid_tool", &with("string", json!("Region")))];
    for (at, properties) in bad.iter().enumerate() {
        tools.push(tool(&format!("bad_{at}"), properties));
    }
    tools.push(tool("plain_tool", &json!({})));
    let server = serving(json!(tools));
    let client = server.client();
    let listed = client.list_tools().await.unwrap();
    let names: Vec<&str> = listed.tools.iter().map(|tool| tool.name.as_str()).collect();
    assert_eq!(names, ["valid_tool", "plain_tool"]);
    assert_eq!(listed.dropped.len(), bad.len());
    for tool in &listed.tools {
        client
            .call_tool(&tool.name, &raw(json!({"a": "eu"})))
            .await
            .unwrap();
    }
    let seen = server.seen();
    assert_eq!(seen[2].header("mcp-param-region"), Some("eu"));
    assert!(params(&seen[3]).is_empty());
    assert_eq!(seen.len(), 4);
}

#[tokio::test]
async fn mcp_xhdr_06_only_a_refusal_for_its_headers_is_made_again() {
    // In the older era the code means what the server says; with a success the call may have been made.
    let old = legacy("2025-11-25", |seen| error(seen, 200, -32020, Value::Null));
    let old_and_refusing = legacy("2025-11-25", |seen| error(seen, 400, -32020, Value::Null));
    let successful = modern(|seen| error(seen, 200, -32020, Value::Null));
    for server in [old, old_and_refusing, successful] {
        let client = server.client();
        let failure = client.call_tool("t", &raw(json!({}))).await.unwrap_err();
        assert!(matches!(failure, ClientError::Rpc { error, .. } if error.code == -32020));
        let methods = server.methods();
        let of = |wanted: &str| methods.iter().filter(|method| *method == wanted).count();
        assert_eq!((of("tools/call"), of("tools/list")), (1, 0), "{methods:?}");
    }
}

#[tokio::test]
async fn mcp_xhdr_06_the_round_that_was_refused_is_made_again_and_not_the_call() {
    let server = modern(|seen| {
        let params = &seen.body["params"];
        match seen.method() {
            "tools/list" => result(
                seen,
                json!({"tools": [{"name": "t", "inputSchema": {"type": "object", "properties": {
                    "region": {"type": "string", "x-mcp-header": "Region"}}}}]}),
            ),
            _ if params.get("requestState").is_none() => result(
                seen,
                json!({"resultType": "input_required", "requestState": "s",
                       "inputRequests": {"where": {"method": "roots/list"}}}),
            ),
            _ if seen.header("mcp-param-region").is_none() => error(seen, 400, -32020, Value::Null),
            _ => result(seen, said("done")),
        }
    });
    let client = server.client().with_host(Willing);
    let arguments = raw(json!({"region": "eu"}));
    client.call_tool("t", &arguments).await.unwrap();
    let seen = server.seen();
    let methods: Vec<_> = seen.iter().map(Seen::method).collect();
    assert_eq!(
        methods[1..],
        ["tools/call", "tools/call", "tools/list", "tools/call"]
    );
    for answered in [&seen[2], &seen[4]] {
        let params = &answered.body["params"];
        assert_eq!(params["requestState"], "s");
        assert_eq!(params["inputResponses"], json!({"where": {"roots": []}}));
    }
}
