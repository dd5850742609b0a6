//! The order of the checks, and the envelope of a result.

use serde::Serialize;
use serde_json::value::to_raw_value;
use serde_json::{Value, json};

use super::*;
use crate::jsonrpc::{self, Message};
use crate::types::{Empty, Items, Meta, Tool, ToolList, ToolResult};

fn request(method: &str, params: &Value) -> String {
    json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string()
}

fn params(version: &str) -> Value {
    json!({ "name": "a", "_meta": { key::PROTOCOL_VERSION: version, key::CLIENT_CAPABILITIES: {} } })
}

fn mirrored<'a>(version: &'a str, method: &'a str, name: &'a str) -> Mirrored<'a> {
    Mirrored {
        version: Mirror::Text(version.into()),
        method: Mirror::Text(method.into()),
        name: Mirror::Text(name.into()),
    }
}

fn check(text: &str, headers: &Mirrored<'_>) -> Result<Revision, Violation> {
    let Message::Request(request) = jsonrpc::message(text).unwrap() else {
        panic!("not a request")
    };
    admit(&request, &Params::read(request.params), Some(headers), &[])
        .map(|admitted| admitted.revision())
}

fn header(name: &str, problem: &'static str) -> Violation {
    Violation::Header {
        header: name.into(),
        problem,
    }
}

#[test]
fn a_request_in_order_is_admitted() {
    let text = request("tools/call", &params("2026-07-28"));
    assert_eq!(
        check(&text, &mirrored("2026-07-28", "tools/call", "a")),
        Ok(Revision::V2026_07_28)
    );
}

#[test]
fn metadata_comes_first() {
    let right = mirrored("2026-07-28", "tools/call", "a");
    let wrong = mirrored("v999", "nope", "b");
    let metadata = |key, problem| Violation::Metadata { key, problem };
    for (params, violation) in [
        (json!({}), metadata("_meta", "is missing")),
        (
            json!({ "_meta": 5 }),
            metadata("_meta", "must be an object"),
        ),
        (
            json!({ "_meta": { key::CLIENT_CAPABILITIES: {} } }),
            metadata(key::PROTOCOL_VERSION, "is missing"),
        ),
        (
            json!({ "_meta": { key::PROTOCOL_VERSION: 1, key::CLIENT_CAPABILITIES: {} } }),
            metadata(key::PROTOCOL_VERSION, "must be a string"),
        ),
        (
            json!({ "_meta": { key::PROTOCOL_VERSION: "2026-07-28" } }),
            metadata(key::CLIENT_CAPABILITIES, "is missing"),
        ),
        (
            json!({ "_meta": { key::PROTOCOL_VERSION: "2026-07-28", key::CLIENT_CAPABILITIES: [] } }),
            metadata(key::CLIENT_CAPABILITIES, "must be an object"),
        ),
        (
            json!({ "_meta": { key::PROTOCOL_VERSION: "2026-07-28", key::CLIENT_CAPABILITIES: {}, key::LOG_LEVEL: "loud" } }),
            metadata(key::LOG_LEVEL, "is not a level"),
        ),
        (
            json!({ "_meta": { key::PROTOCOL_VERSION: "2026-07-28", key::CLIENT_CAPABILITIES: {}, key::PROGRESS_TOKEN: 1.5 } }),
            metadata(key::PROGRESS_TOKEN, "must be a string or an integer"),
        ),
        (
            json!({ "_meta": { key::PROTOCOL_VERSION: "2026-07-28", key::CLIENT_CAPABILITIES: {}, key::CLIENT_INFO: {} } }),
            metadata(key::CLIENT_INFO, "must have a name and a version"),
        ),
    ] {
        let text = request("tools/call", &params);
        assert_eq!(check(&text, &right), Err(violation.clone()), "{text}");
        assert_eq!(check(&text, &wrong), Err(violation), "{text}");
    }
}

#[test]
fn then_headers_then_version_then_method() {
    let unsupported = request("unknown/method", &params("v999"));
    assert_eq!(
        check(&unsupported, &mirrored("2026-07-28", "unknown/method", "a")),
        Err(header("MCP-Protocol-Version", "does not match the body"))
    );
    assert_eq!(
        check(&unsupported, &mirrored("v999", "Unknown/method", "a")),
        Err(header("Mcp-Method", "does not match the body"))
    );
    assert_eq!(
        check(&unsupported, &mirrored("v999", "unknown/method", "a")),
        Err(Violation::UnsupportedVersion {
            requested: "v999".into()
        })
    );
    let legacy_name = request("ping", &params("2025-11-25"));
    assert_eq!(
        check(&legacy_name, &mirrored("2025-11-25", "ping", "a")),
        Err(Violation::UnsupportedVersion {
            requested: "2025-11-25".into()
        })
    );
    let unknown = request("ping", &params("2026-07-28"));
    assert_eq!(
        check(&unknown, &mirrored("2026-07-28", "ping", "a")),
        Err(Violation::UnknownMethod {
            method: "ping".into()
        })
    );
    let call = request("tools/call", &params("2026-07-28"));
    let mut headers = mirrored("2026-07-28", "tools/call", "b");
    assert_eq!(
        check(&call, &headers),
        Err(header("Mcp-Name", "does not match the body"))
    );
    headers.name = Mirror::Absent;
    assert_eq!(
        check(&call, &headers),
        Err(header("Mcp-Name", "is missing"))
    );
    headers.name = Mirror::Unreadable;
    assert_eq!(
        check(&call, &headers),
        Err(header("Mcp-Name", "is not readable"))
    );
    headers.version = Mirror::Absent;
    assert_eq!(
        check(&call, &headers),
        Err(header("MCP-Protocol-Version", "is missing"))
    );
}

fn response_text<T: Outcome>(id: &Id, result: T, envelope: Envelope<'_>) -> String {
    response(id, result, envelope).unwrap().into_string()
}

#[test]
fn a_list_that_is_written_already_is_shared_by_all_responses() {
    let info = to_raw_value(&Implementation::new("s", "1")).unwrap();
    let schema = json!({ "type": "object" });
    let tools = [Tool::new("a", "b", &schema).unwrap()];
    let rendered = Items::render(&tools).unwrap();
    let written = rendered.rendered().unwrap().clone();
    for (era, cursor) in [
        (Era::Modern, None),
        (Era::Modern, Some("next".to_owned())),
        (Era::Legacy, None),
    ] {
        let envelope = Envelope {
            era,
            server_info: &info,
            cache: None,
            result_type: "complete",
        };
        let list = |tools: Items<Tool>| ToolList {
            tools,
            next_cursor: cursor.clone(),
        };
        let shared = response(&Id::Integer(1), list(rendered.clone()), envelope).unwrap();
        let [before, middle, after] = shared.pieces();
        assert!(std::ptr::eq(middle, written.get().as_bytes()), "a copy");
        assert_eq!(shared.len(), before.len() + middle.len() + after.len());
        let built = response_text(&Id::Integer(1), list(tools.to_vec().into()), envelope);
        assert_eq!(shared.into_string(), built);
    }
}

#[test]
fn a_result_that_is_no_object_is_not_written() {
    #[derive(Serialize)]
    struct Text(&'static str);
    impl Outcome for Text {}

    let info = to_raw_value(&Implementation::new("s", "1")).unwrap();
    for era in [Era::Modern, Era::Legacy] {
        let envelope = Envelope {
            era,
            server_info: &info,
            cache: None,
            result_type: "complete",
        };
        assert!(response(&Id::Integer(1), Text("{}"), envelope).is_err());
    }
}

#[test]
fn what_a_server_is_is_said_once_and_by_the_shell() {
    let info = to_raw_value(&Implementation::new("s", "1")).unwrap();
    let meta = json!({ key::SERVER_INFO: "forged", "z": 1 });
    let result = ToolResult {
        meta: serde_json::from_value(meta).unwrap(),
        ..ToolResult::default()
    };
    let envelope = Envelope {
        era: Era::Modern,
        server_info: &info,
        cache: None,
        result_type: "complete",
    };
    assert_eq!(
        response_text(&Id::Text("a".into()), result, envelope),
        r#"{"jsonrpc":"2.0","id":"a","result":{"resultType":"complete","_meta":{"z":1,"io.modelcontextprotocol/serverInfo":{"name":"s","version":"1"}},"content":[]}}"#
    );
}

#[test]
fn a_result_gets_what_its_era_wants() {
    let info = to_raw_value(&Implementation::new("s", "1")).unwrap();
    let envelope = |era, cache| Envelope {
        era,
        server_info: &info,
        cache,
        result_type: "complete",
    };
    let id = Id::Integer(1);
    assert_eq!(
        response_text(&id, Empty {}, envelope(Era::Legacy, None)),
        r#"{"jsonrpc":"2.0","id":1,"result":{}}"#
    );
    assert_eq!(
        response_text(
            &id,
            Empty {},
            envelope(Era::Modern, Some(CacheHint::public(5)))
        ),
        r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","ttlMs":5,"cacheScope":"public","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"s","version":"1"}}}}"#
    );
    let mut result = ToolResult::text("x");
    result.meta = Some(Meta::from([("a.b/c".to_owned(), json!(1).into())]));
    let legacy: Value = serde_json::from_str(&response_text(
        &id,
        result.clone(),
        envelope(Era::Legacy, None),
    ))
    .unwrap();
    assert_eq!(
        legacy["result"],
        json!({ "_meta": { "a.b/c": 1 }, "content": [{ "type": "text", "text": "x" }] })
    );
    let modern: Value =
        serde_json::from_str(&response_text(&id, result, envelope(Era::Modern, None))).unwrap();
    assert_eq!(
        modern["result"],
        json!({
            "resultType": "complete",
            "_meta": { "a.b/c": 1, key::SERVER_INFO: { "name": "s", "version": "1" } },
            "content": [{ "type": "text", "text": "x" }],
        })
    );
}

fn check_task(
    method: &str,
    capabilities: &Value,
    name: &str,
    extensions: &[Extension],
) -> Result<Revision, Violation> {
    let meta =
        json!({ key::PROTOCOL_VERSION: "2026-07-28", key::CLIENT_CAPABILITIES: capabilities });
    let text = request(method, &json!({ "taskId": "t", "_meta": meta }));
    let Message::Request(request) = jsonrpc::message(&text).unwrap() else {
        panic!("not a request")
    };
    let headers = mirrored("2026-07-28", method, name);
    admit(
        &request,
        &Params::read(request.params),
        Some(&headers),
        extensions,
    )
    .map(|admitted| admitted.revision())
}

#[test]
fn a_method_of_an_extension_must_be_served_and_declared() {
    let tasks = crate::types::TASKS_EXTENSION;
    let served = &[Extension::tasks()];
    let declared = json!({ "extensions": { tasks: {} } });
    for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
        let check = |capabilities: &Value, name: &str, extensions: &[Extension]| {
            check_task(method, capabilities, name, extensions)
        };
        assert_eq!(check(&declared, "t", served), Ok(Revision::V2026_07_28));
        let undeclared = Violation::ExtensionNotDeclared {
            extension: tasks.to_owned(),
        };
        for capabilities in [
            json!({}),
            json!({ "extensions": {} }),
            json!({ "extensions": { tasks: true } }),
            // The core feature of 2025-11-25 is another thing.
            json!({ "tasks": {} }),
        ] {
            assert_eq!(check(&capabilities, "t", served), Err(undeclared.clone()));
        }
        // The header comes first, but only where the method is served.
        let differs = header("Mcp-Name", "does not match the body");
        assert_eq!(check(&json!({}), "u", served), Err(differs));
        let unknown = Violation::UnknownMethod {
            method: method.into(),
        };
        assert_eq!(check(&declared, "u", &[]), Err(unknown));
    }
    for gone in ["tasks/result", "tasks/list"] {
        let unknown = Violation::UnknownMethod {
            method: gone.into(),
        };
        assert_eq!(check_task(gone, &declared, "t", served), Err(unknown));
    }
}

#[test]
fn an_extension_that_is_not_declared_is_named() {
    let violation = Violation::ExtensionNotDeclared {
        extension: crate::types::TASKS_EXTENSION.to_owned(),
    };
    assert_eq!((violation.code(), violation.status()), (-32021, 400));
    assert_eq!(
        violation.error().data,
        Some(
            json!({ "requiredCapabilities": { "extensions": { "io.modelcontextprotocol/tasks": {} } } })
                .into()
        )
    );
}

#[test]
fn parameters_are_the_same_in_the_pass_of_their_message_and_by_themselves() {
    let modern = r#"{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}"#;
    for params in [
        "{}".to_owned(),
        format!(r#"{{"name":"a","_meta":{modern}}}"#),
        format!(r#"{{"_meta":{modern},"name":"a","_meta":{modern}}}"#),
        format!(r#"{{"_meta":null,"name":"a","_meta":{modern}}}"#),
        format!(r#"{{"name":"a","name":"b","_meta":{modern}}}"#),
        format!(r#"{{"name":"a","\ud800":1,"_meta":{modern}}}"#),
        format!(r#"{{"name":"a","x":1e999,"_meta":{modern}}}"#),
        r#"{"name":"a","_meta":null}"#.to_owned(),
        r#"{"name":"a","_meta":1e999}"#.to_owned(),
        r#"{"name":"a","_meta":[1,[2]]}"#.to_owned(),
        r#"{"name":"a","_meta":"\ud800"}"#.to_owned(),
        r#"{"name":"a","_meta":{"\ud800":1}}"#.to_owned(),
        r#"{"name":"a","_meta":{"a":"\ud800","a":1e999}}"#.to_owned(),
    ] {
        let text = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{params}}}"#);
        let jsonrpc::Body::Single(Ok(Message::Request(request))) =
            jsonrpc::read_as::<Params<'_>>(text.as_bytes()).unwrap()
        else {
            panic!("{params}");
        };
        let Message::Request(raw) = jsonrpc::message(&text).unwrap() else {
            panic!("{params}");
        };
        let (one, two) = (request.params, Params::read(raw.params));
        assert_eq!(one.is_unreadable(), two.is_unreadable(), "{params}");
        assert_eq!(one.is_modern(), two.is_modern(), "{params}");
        let name = |params: &Params<'_>| params.mirrored_name("tools/call").map(String::from);
        assert_eq!(name(&one), name(&two), "{params}");
    }
}

#[test]
fn parameters_that_are_no_object_make_no_message_in_either_pass() {
    for params in ["null", "5", "1e999", r#""\ud800""#, "[{}]", "true", "-1"] {
        let text = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"ping","params":{params}}}"#);
        let jsonrpc::Body::Single(Err(malformed)) =
            jsonrpc::read_as::<Params<'_>>(text.as_bytes()).unwrap()
        else {
            panic!("{params}");
        };
        assert_eq!(malformed, jsonrpc::message(&text).unwrap_err(), "{params}");
    }
}
