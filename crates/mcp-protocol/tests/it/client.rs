//! The client against servers that are a closure: both eras, the fallback between them, and every refusal it can tell.

mod again;
mod batches;
mod caching;
mod headers;
mod progress;
mod subscriptions;
mod taking_back;
mod tasks;
mod times;
mod utilities;

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use mcp_protocol::client::{BadAnswer, Client, ClientError, Limits};
use mcp_protocol::types::Implementation;
use mcp_protocol::{Id, Revision};
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// What a request was, as the server saw it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) http_method: Method,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Seen {
    pub(crate) fn method(&self) -> &str {
        self.body["method"].as_str().unwrap_or_default()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

type Answer = dyn Fn(&Seen) -> Response<Bytes> + Send + Sync;

/// A server that answers by a closure and remembers what it was asked.
#[derive(Clone)]
pub(crate) struct Server {
    seen: Arc<Mutex<Vec<Seen>>>,
    answer: Arc<Answer>,
}

impl Server {
    pub(crate) fn new(answer: impl Fn(&Seen) -> Response<Bytes> + Send + Sync + 'static) -> Self {
        Self {
            seen: Arc::default(),
            answer: Arc::new(answer),
        }
    }

    pub(crate) fn client(&self) -> Client<Server> {
        let info = Implementation::new("tester", "1");
        Client::new(
            self.clone(),
            "https://mcp.example/mcp".parse().unwrap(),
            info,
        )
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn methods(&self) -> Vec<String> {
        self.seen()
            .iter()
            .map(|seen| seen.method().to_owned())
            .collect()
    }
}

impl tower_service::Service<Request<Bytes>> for Server {
    type Response = Response<Bytes>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Bytes>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let (parts, body) = request.into_parts();
        let body = if body.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&body).unwrap()
        };
        let seen = Seen {
            http_method: parts.method,
            headers: parts.headers,
            body,
        };
        self.seen.lock().unwrap().push(seen.clone());
        ready(Ok((self.answer)(&seen)))
    }
}

pub(crate) fn with(status: u16, content_type: &str, body: impl Into<Bytes>) -> Response<Bytes> {
    Response::builder()
        .status(status)
        .header("content-type", content_type)
        .body(body.into())
        .unwrap()
}

pub(crate) fn result(seen: &Seen, result: Value) -> Response<Bytes> {
    let body = json!({"jsonrpc": "2.0", "id": seen.body["id"], "result": result});
    with(200, "application/json", body.to_string())
}

pub(crate) fn error(seen: &Seen, status: u16, code: i64, data: Value) -> Response<Bytes> {
    let error = json!({"code": code, "message": "refused", "data": data});
    let body = json!({"jsonrpc": "2.0", "id": seen.body["id"], "error": error});
    with(status, "application/json", body.to_string())
}

pub(crate) fn empty(status: u16) -> Response<Bytes> {
    Response::builder()
        .status(status)
        .body(Bytes::new())
        .unwrap()
}

pub(crate) fn discovered(seen: &Seen) -> Response<Bytes> {
    result(
        seen,
        json!({"resultType": "complete", "supportedVersions": ["2026-07-28"], "capabilities": {},
               "ttlMs": 0, "cacheScope": "public"}),
    )
}

/// A server of the newest era that answers everything but discovery by `answer`.
pub(crate) fn modern(answer: impl Fn(&Seen) -> Response<Bytes> + Send + Sync + 'static) -> Server {
    Server::new(move |seen| match seen.method() {
        "server/discover" => discovered(seen),
        _ => answer(seen),
    })
}

/// A server of the older era with one session; it answers everything after the handshake by `answer`.
pub(crate) fn legacy(
    revision: &'static str,
    answer: impl Fn(&Seen) -> Response<Bytes> + Send + Sync + 'static,
) -> Server {
    Server::new(move |seen| match seen.method() {
        "server/discover" => empty(400),
        "initialize" => {
            let mut response = result(
                seen,
                json!({"protocolVersion": revision, "capabilities": {},
                       "serverInfo": {"name": "old", "version": "1"}}),
            );
            response
                .headers_mut()
                .insert("mcp-session-id", "session-1".parse().unwrap());
            response
        }
        "notifications/initialized" => empty(202),
        _ => answer(seen),
    })
}

pub(crate) fn raw(value: Value) -> Box<RawValue> {
    serde_json::value::to_raw_value(&value).unwrap()
}

pub(crate) fn said(text: &str) -> Value {
    json!({"resultType": "complete", "content": [{"type": "text", "text": text}]})
}

#[tokio::test]
async fn a_modern_call_says_everything_in_body_and_headers() {
    let server = modern(|seen| result(seen, said("done")));
    let client = server.client();
    assert_eq!(client.connect().await.unwrap(), Revision::V2026_07_28);
    let called = client
        .call_tool("do_it", &raw(json!({"a": 1})))
        .await
        .unwrap();
    assert_eq!(called.result.content[0].as_text(), Some("done"));
    assert!(called.raw.get().contains("\"resultType\":\"complete\""));

    assert_eq!(server.methods(), ["server/discover", "tools/call"]);
    let call = &server.seen()[1];
    assert_eq!(call.http_method, Method::POST);
    assert_eq!(
        call.header("accept"),
        Some("application/json, text/event-stream")
    );
    assert_eq!(call.header("content-type"), Some("application/json"));
    assert_eq!(call.header("mcp-protocol-version"), Some("2026-07-28"));
    assert_eq!(call.header("mcp-method"), Some("tools/call"));
    assert_eq!(call.header("mcp-name"), Some("do_it"));
    assert_eq!(call.header("mcp-session-id"), None);
    assert_eq!(
        call.body["params"],
        json!({"name": "do_it", "arguments": {"a": 1}, "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
            "io.modelcontextprotocol/clientInfo": {"name": "tester", "version": "1"}}})
    );
}

#[tokio::test]
async fn ids_are_never_used_twice() {
    let server = modern(|seen| result(seen, said("done")));
    let client = server.client();
    for _ in 0..3 {
        client.call_tool("do_it", &raw(json!({}))).await.unwrap();
    }
    let mut ids: Vec<i64> = server
        .seen()
        .iter()
        .map(|seen| seen.body["id"].as_i64().unwrap())
        .collect();
    let asked = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((asked, ids.len()), (4, 4));
    assert_eq!(Id::from(1), Id::Integer(ids[0]));
}

#[tokio::test]
async fn a_name_that_a_header_cannot_carry_goes_as_base64() {
    let server = modern(|seen| result(seen, said("done")));
    server
        .client()
        .call_tool("größe", &raw(json!({})))
        .await
        .unwrap();
    assert_eq!(
        server.seen()[1].header("mcp-name"),
        Some("=?base64?Z3LDtsOfZQ==?=")
    );
}

#[tokio::test]
async fn an_old_server_is_met_with_a_handshake_and_its_session_is_kept() {
    let server = legacy("2025-11-25", |seen| match &seen.http_method {
        &Method::DELETE => empty(405),
        _ => result(seen, json!({"content": [{"type": "text", "text": "old"}]})),
    });
    let client = server.client();
    assert_eq!(client.connect().await.unwrap(), Revision::V2025_11_25);
    let called = client.call_tool("do_it", &raw(json!({}))).await.unwrap();
    assert_eq!(called.result.content[0].as_text(), Some("old"));
    client.close().await.unwrap();

    assert_eq!(
        server.methods(),
        [
            "server/discover",
            "initialize",
            "notifications/initialized",
            "tools/call",
            ""
        ]
    );
    let seen = server.seen();
    assert_eq!(seen[1].body["params"]["protocolVersion"], "2025-11-25");
    assert_eq!(seen[1].header("mcp-protocol-version"), None);
    assert_eq!(seen[1].header("mcp-session-id"), None);
    assert_eq!(seen[2].body.get("id"), None);
    for later in &seen[2..] {
        assert_eq!(later.header("mcp-protocol-version"), Some("2025-11-25"));
        assert_eq!(later.header("mcp-session-id"), Some("session-1"));
        assert_eq!(later.header("mcp-method"), None);
    }
    assert_eq!(seen[3].body["params"].get("_meta"), None);
    assert_eq!(seen[4].http_method, Method::DELETE);
}

#[tokio::test]
async fn the_revision_header_came_with_its_revision() {
    let server = legacy("2025-03-26", |seen| result(seen, json!({"tools": []})));
    let client = server.client();
    client.list_tools().await.unwrap();
    assert_eq!(client.connect().await.unwrap(), Revision::V2025_03_26);
    assert_eq!(server.seen()[3].header("mcp-protocol-version"), None);
}

#[tokio::test]
async fn a_server_that_answers_200_with_an_unknown_method_is_an_old_one() {
    let server = Server::new(|seen| match seen.method() {
        "initialize" => result(
            seen,
            json!({"protocolVersion": "2025-06-18", "capabilities": {}}),
        ),
        "notifications/initialized" => empty(202),
        _ => error(seen, 200, -32601, Value::Null),
    });
    assert_eq!(
        server.client().connect().await.unwrap(),
        Revision::V2025_06_18
    );
}

#[tokio::test]
async fn an_unsupported_revision_leads_to_one_that_both_have() {
    let server = Server::new(|seen| match seen.method() {
        "initialize" => result(
            seen,
            json!({"protocolVersion": "2025-06-18", "capabilities": {}}),
        ),
        "notifications/initialized" => empty(202),
        _ => error(
            seen,
            400,
            -32022,
            json!({"supported": ["2025-06-18"], "requested": "2026-07-28"}),
        ),
    });
    let client = server.client();
    assert_eq!(client.connect().await.unwrap(), Revision::V2025_06_18);
    assert_eq!(
        server.seen()[1].body["params"]["protocolVersion"],
        "2025-06-18"
    );

    let stranger =
        Server::new(|seen| error(seen, 400, -32022, json!({"supported": ["2099-01-01"]})));
    let refused = stranger.client().connect().await.unwrap_err();
    assert!(
        matches!(&refused, ClientError::NoCommonRevision { offered } if offered == &["2099-01-01"]),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_handshake_that_ends_with_an_unknown_revision_is_refused() {
    let server = legacy("1999-01-01", |_| empty(500));
    let refused = server.client().connect().await.unwrap_err();
    assert!(
        matches!(refused, ClientError::NoCommonRevision { .. }),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_session_that_ended_is_started_anew_once() {
    let calls = Mutex::new(0);
    let server = legacy("2025-11-25", move |seen| {
        let mut calls = calls.lock().unwrap();
        *calls += 1;
        if *calls == 1 {
            empty(404)
        } else {
            result(seen, json!({"tools": []}))
        }
    });
    server.client().list_tools().await.unwrap();
    assert_eq!(
        server
            .methods()
            .iter()
            .filter(|method| *method == "initialize")
            .count(),
        2
    );

    let gone = legacy("2025-11-25", |_| empty(404));
    let failure = gone.client().list_tools().await.unwrap_err();
    assert!(matches!(failure, ClientError::Http { status } if status == StatusCode::NOT_FOUND));
    assert_eq!(
        gone.methods()
            .iter()
            .filter(|method| *method == "tools/list")
            .count(),
        2
    );
}

#[tokio::test]
async fn a_session_id_that_cannot_be_sent_back_is_refused() {
    let server = Server::new(|seen| {
        if seen.method() == "server/discover" {
            return empty(400);
        }
        let mut response = result(seen, json!({"protocolVersion": "2025-11-25"}));
        response
            .headers_mut()
            .insert("mcp-session-id", "two words".parse().unwrap());
        response
    });
    let refused = server.client().connect().await.unwrap_err();
    assert!(
        matches!(refused, ClientError::Answer(BadAnswer::SessionId)),
        "{refused:?}"
    );
}

#[tokio::test]
async fn an_event_stream_is_read_to_the_answer() {
    let server = modern(|seen| {
        let answer = json!({"jsonrpc": "2.0", "id": seen.body["id"], "result": said("streamed")});
        let progress = json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": {}});
        let other = json!({"jsonrpc": "2.0", "id": 4711, "result": said("not yours")});
        let body = format!(
            ": hello\n\nid: 1\ndata:\n\ndata: {progress}\n\ndata: {other}\n\ndata: {answer}\n\n"
        );
        with(200, "text/event-stream; charset=utf-8", body)
    });
    let called = server
        .client()
        .call_tool("do_it", &raw(json!({})))
        .await
        .unwrap();
    assert_eq!(called.result.content[0].as_text(), Some("streamed"));
}

#[tokio::test]
async fn an_answer_that_breaks_the_rules_has_its_reason() {
    let cases: Vec<(Box<Answer>, BadAnswer)> = vec![
        (
            Box::new(|_| with(200, "text/html", "<p>hello</p>")),
            BadAnswer::ContentType,
        ),
        (Box::new(|_| empty(200)), BadAnswer::ContentType),
        (
            Box::new(|_| with(200, "application/json", "not json")),
            BadAnswer::NotAMessage,
        ),
        (
            Box::new(|_| with(200, "application/json", "[]")),
            BadAnswer::NotAMessage,
        ),
        (
            Box::new(|_| {
                with(
                    200,
                    "application/json",
                    r#"{"jsonrpc":"2.0","id":999,"result":{}}"#,
                )
            }),
            BadAnswer::NoAnswer,
        ),
        (
            Box::new(|_| with(200, "text/event-stream", ": nothing\n\n")),
            BadAnswer::NoAnswer,
        ),
        (
            Box::new(|seen| result(seen, json!({"resultType": "task", "content": []}))),
            BadAnswer::UnknownResultType("task".to_owned()),
        ),
        (
            Box::new(|_| with(200, "application/json", "x".repeat(2000))),
            BadAnswer::TooLarge { limit: 1000 },
        ),
    ];
    for (answer, expected) in cases {
        let client = modern(answer).client().with_limits(Limits {
            max_answer_bytes: 1000,
            ..Limits::default()
        });
        let refused = client
            .call_tool("do_it", &raw(json!({})))
            .await
            .unwrap_err();
        assert!(
            matches!(&refused, ClientError::Answer(bad) if *bad == expected),
            "{expected:?}: {refused:?}"
        );
    }
}

#[tokio::test]
async fn a_result_without_a_kind_is_complete_and_an_old_one_has_none() {
    let server = modern(|seen| result(seen, json!({"content": []})));
    server
        .client()
        .call_tool("do_it", &raw(json!({})))
        .await
        .unwrap();
    let old = legacy("2025-11-25", |seen| {
        result(seen, json!({"content": [], "resultType": "anything"}))
    });
    old.client()
        .call_tool("do_it", &raw(json!({})))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_question_of_the_server_is_an_error_that_says_what_was_asked() {
    let server = modern(|seen| {
        result(
            seen,
            json!({"resultType": "input_required", "requestState": "opaque", "inputRequests": {
                "sure": {"method": "elicitation/create", "params": {"message": "Really delete it?"}}}}),
        )
    });
    let failure = server
        .client()
        .call_tool("do_it", &raw(json!({})))
        .await
        .unwrap_err();
    let ClientError::InputRequired(input) = failure else {
        panic!("{failure:?}")
    };
    assert_eq!(input.asked.len(), 1);
    assert_eq!(input.asked[0].key, "sure");
    assert_eq!(input.asked[0].method, "elicitation/create");
    assert_eq!(input.asked[0].message.as_deref(), Some("Really delete it?"));
}

#[tokio::test]
async fn wanted_authorization_comes_back_with_every_challenge() {
    let challenged = |status| {
        move |_: &Seen| {
            Response::builder()
                .status(status)
                .header("www-authenticate", "Basic realm=\"x\"")
                .header("www-authenticate", "Bearer scope=\"a\"")
                .header("content-type", "application/json")
                .body(Bytes::from_static(br#"{"error":"invalid_token"}"#))
                .unwrap()
        }
    };
    let expected = ["Basic realm=\"x\"", "Bearer scope=\"a\""];
    let server = Server::new(challenged(401));
    let failure = server.client().connect().await.unwrap_err();
    assert!(
        matches!(&failure, ClientError::Unauthorized { www_authenticate } if www_authenticate == &expected)
    );
    assert_eq!(server.methods(), ["server/discover"]);

    let forbidden = modern(challenged(403));
    let failure = forbidden
        .client()
        .call_tool("do_it", &raw(json!({})))
        .await
        .unwrap_err();
    assert!(
        matches!(&failure, ClientError::Forbidden { www_authenticate } if www_authenticate == &expected)
    );
}

#[tokio::test]
async fn trouble_is_told_and_not_taken_for_another_era() {
    for status in [302, 429, 500, 503] {
        let server = Server::new(move |_| empty(status));
        let failure = server.client().connect().await.unwrap_err();
        assert!(
            matches!(failure, ClientError::Http { status: told } if told.as_u16() == status),
            "{status}"
        );
        assert_eq!(server.methods(), ["server/discover"]);
    }
}

#[tokio::test]
async fn an_error_of_the_server_keeps_code_message_and_data() {
    for status in [200, 404] {
        let server = modern(move |seen| error(seen, status, -32602, json!({"uri": "x"})));
        let failure = server
            .client()
            .call_tool("do_it", &raw(json!({})))
            .await
            .unwrap_err();
        let ClientError::Rpc {
            status: told,
            error,
        } = failure
        else {
            panic!("{failure:?}")
        };
        assert_eq!(told.as_u16(), status);
        assert_eq!((error.code, error.message.as_str()), (-32602, "refused"));
        assert_eq!(error.data, Some(json!({"uri": "x"}).into()));
    }
}

#[tokio::test]
async fn every_page_is_listed_and_an_empty_cursor_is_a_cursor() {
    let server = modern(|seen| {
        let tool = |name: &str| json!({"name": name, "inputSchema": {"type": "object"}});
        let page = match seen.body["params"]
            .get("cursor")
            .map(|cursor| cursor.as_str().unwrap())
        {
            None => json!({"tools": [tool("a")], "nextCursor": ""}),
            Some("") => json!({"tools": [tool("b")], "nextCursor": "last"}),
            Some("last") => json!({"tools": [tool("c")]}),
            Some(other) => panic!("{other}"),
        };
        result(seen, page)
    });
    let listed = server.client().list_tools().await.unwrap();
    let names: Vec<&str> = listed.tools.iter().map(|tool| tool.name.as_str()).collect();
    assert_eq!(names, ["a", "b", "c"]);
}

#[tokio::test]
async fn a_list_without_end_is_refused() {
    let server = modern(|seen| result(seen, json!({"tools": [], "nextCursor": "again"})));
    let client = server.client().with_limits(Limits {
        max_pages: 3,
        ..Limits::default()
    });
    let refused = client.list_tools().await.unwrap_err();
    assert!(
        matches!(refused, ClientError::Answer(BadAnswer::EndlessList(3))),
        "{refused:?}"
    );
    assert_eq!(server.methods().len(), 4);

    let tool = json!({"name": "a", "inputSchema": {"type": "object"}});
    let server = modern(move |seen| result(seen, json!({"tools": [tool, tool, tool]})));
    let client = server.client().with_limits(Limits {
        max_entries: 2,
        ..Limits::default()
    });
    assert!(matches!(
        client.list_tools().await,
        Err(ClientError::Answer(BadAnswer::EndlessList(_)))
    ));
}

#[tokio::test]
async fn a_tool_with_impossible_headers_is_left_out_and_the_others_stay() {
    let server = modern(|seen| {
        result(
            seen,
            json!({"tools": [
                {"name": "good", "inputSchema": {"type": "object"}},
                {"name": "bad", "inputSchema": {"type": "object", "properties": {
                    "n": {"type": "number", "x-mcp-header": "N"}}}}]}),
        )
    });
    let listed = server.client().list_tools().await.unwrap();
    assert_eq!(listed.tools.len(), 1);
    assert_eq!(listed.dropped[0].name, "bad");
}

#[tokio::test]
async fn a_tool_whose_schema_is_out_of_bounds_is_left_out_and_nothing_is_fetched() {
    use mcp_protocol::client::UnusableTool;
    use mcp_protocol::schema::{MAX_SUBSCHEMAS, SchemaProblem};

    let object = json!({"type": "object"});
    let away =
        json!({"type": "object", "properties": {"a": {"$ref": "https://example.com/a.json"}}});
    let wide = json!({"type": "object", "anyOf": vec![json!({}); MAX_SUBSCHEMAS]});
    let tools = json!([
        {"name": "away", "inputSchema": away},
        {"name": "good", "inputSchema": {"type": "object", "$ref": "#/$defs/a", "$defs": {"a": {}}}},
        {"name": "older", "inputSchema": {"type": "object", "$schema": "http://json-schema.org/draft-07/schema#"}},
        {"name": "wide", "inputSchema": wide},
        {"name": "gives", "inputSchema": object, "outputSchema": away},
    ]);
    let answer = json!({ "tools": tools });
    let listing = answer.clone();
    let newest = modern(move |seen| result(seen, listing.clone()));
    let older = legacy("2025-06-18", move |seen| result(seen, answer.clone()));
    let external = SchemaProblem::External("https://example.com/a.json".into());
    let dropped = [
        ("away", UnusableTool::Input(external.clone())),
        ("wide", UnusableTool::Input(SchemaProblem::TooMany)),
        ("gives", UnusableTool::Output(external)),
    ];
    for server in [newest, older] {
        let listed = server.client().list_tools().await.unwrap();
        let names: Vec<&str> = listed.tools.iter().map(|tool| tool.name.as_str()).collect();
        assert_eq!(names, ["good", "older"]);
        let reasons = listed.dropped.iter();
        let reasons: Vec<_> = reasons
            .map(|tool| (tool.name.as_str(), tool.why.clone()))
            .collect();
        assert_eq!(reasons, dropped);
        let told = reasons.last().unwrap().1.to_string();
        assert!(
            told.starts_with("outputSchema refers to another document"),
            "{told}"
        );
        assert_eq!(
            server
                .methods()
                .iter()
                .filter(|method| *method == "tools/list")
                .count(),
            1
        );
    }
}

#[tokio::test]
async fn a_missing_header_makes_the_client_list_the_tools_and_call_once_more() {
    let server = modern(|seen| match seen.method() {
        "tools/list" => result(
            seen,
            json!({"tools": [{"name": "do_it", "inputSchema": {"type": "object", "properties": {
                "region": {"type": "string", "x-mcp-header": "Region"}}}}]}),
        ),
        _ if seen.header("mcp-param-region") == Some("eu") => result(seen, said("done")),
        _ => error(seen, 400, -32020, Value::Null),
    });
    let client = server.client();
    let arguments = raw(json!({"region": "eu"}));
    client.call_tool("do_it", &arguments).await.unwrap();
    client.call_tool("do_it", &arguments).await.unwrap();
    assert_eq!(
        server.methods(),
        [
            "server/discover",
            "tools/call",
            "tools/list",
            "tools/call",
            "tools/call"
        ]
    );

    let stubborn = modern(|seen| match seen.method() {
        "tools/list" => result(seen, json!({"tools": []})),
        _ => error(seen, 400, -32020, Value::Null),
    });
    let failure = stubborn
        .client()
        .call_tool("do_it", &arguments)
        .await
        .unwrap_err();
    assert!(matches!(failure, ClientError::Rpc { error, .. } if error.code == -32020));
    assert_eq!(stubborn.methods().len(), 4);
}

#[tokio::test]
async fn arguments_are_an_object() {
    let server = modern(|seen| result(seen, said("done")));
    for arguments in [json!([]), json!("x"), json!(1), Value::Null] {
        let refused = server
            .client()
            .call_tool("do_it", &raw(arguments))
            .await
            .unwrap_err();
        assert!(matches!(refused, ClientError::Arguments));
    }
    assert!(server.seen().is_empty());
}
