//! The jobs against a server in memory that remembers what it was asked: the suite passes some of them undone.

use std::future::ready;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use mcp_protocol::client::{AnswerBody, Client, TransportError};
use mcp_protocol::types::Implementation;
use serde_json::{Value, json};
use tower_service::Service;

use super::run;
use crate::carrier::Carried;
use crate::environment::Environment;
use crate::failed::Failed;
use crate::person::Person;

/// One request: the method, the two headers that repeat it, and the parameters.
#[derive(Clone, Debug)]
struct Asked {
    method: String,
    method_header: Option<String>,
    name_header: Option<String>,
    region_header: Option<String>,
    params: Value,
}

/// A server of the newest era that answers by a table.
#[derive(Clone)]
struct Recording {
    asked: Arc<Mutex<Vec<Asked>>>,
    answer: fn(&Asked) -> Value,
}

impl Recording {
    fn new(answer: fn(&Asked) -> Value) -> Self {
        Self {
            asked: Arc::default(),
            answer,
        }
    }

    /// Does the job of a scenario with this context, and says what was asked after discovery.
    async fn job(&self, scenario: &str, context: Value) -> (Result<(), Failed>, Vec<Asked>) {
        let environment = Environment::read(|name| match name {
            "MCP_CONFORMANCE_SCENARIO" => Some(scenario.to_owned()),
            "MCP_CONFORMANCE_CONTEXT" => Some(context.to_string()),
            _ => None,
        })
        .unwrap();
        let info = Implementation::new("tester", "1");
        let endpoint = "http://localhost/mcp".parse().unwrap();
        let client = Client::new(self.clone(), endpoint, info).with_host(Person);
        let done = run(&environment, &client).await;
        let mut asked = self.asked.lock().unwrap().clone();
        if !asked.is_empty() {
            assert_eq!(asked.remove(0).method, "server/discover");
        }
        (done, asked)
    }
}

impl Service<Request<Bytes>> for Recording {
    type Response = Response<AnswerBody>;
    type Error = TransportError;
    type Future = Carried;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Bytes>) -> Carried {
        let body: Value = serde_json::from_slice(request.body()).unwrap();
        let header = |name: &str| {
            let value = request.headers().get(name)?;
            Some(value.to_str().unwrap().to_owned())
        };
        let asked = Asked {
            method: body["method"].as_str().unwrap().to_owned(),
            method_header: header("mcp-method"),
            name_header: header("mcp-name"),
            region_header: header("mcp-param-region"),
            params: body["params"].clone(),
        };
        let mut result = match asked.method.as_str() {
            "server/discover" => json!({"supportedVersions": ["2026-07-28"], "capabilities": {}}),
            _ => (self.answer)(&asked),
        };
        self.asked.lock().unwrap().push(asked);
        if result.get("resultType").is_none() {
            result["resultType"] = json!("complete");
        }
        let answer = json!({"jsonrpc": "2.0", "id": body["id"], "result": result});
        let response = Response::builder()
            .header("content-type", "application/json")
            .body(Bytes::from(answer.to_string()).into())
            .unwrap();
        Box::pin(ready(Ok(response)))
    }
}

fn said() -> Value {
    json!({"content": [{"type": "text", "text": "done"}]})
}

fn tool(name: &str, properties: &Value) -> Value {
    json!({"name": name, "inputSchema": {"type": "object", "properties": properties}})
}

/// What is used of a server that has something of everything.
fn everything(asked: &Asked) -> Value {
    match asked.method.as_str() {
        "tools/list" => json!({"tools": [tool("one", &json!({})), tool("two", &json!({}))]}),
        "resources/list" => json!({"resources": [
            {"uri": "file:///a%20b", "name": "a"}, {"uri": "https://a.example/?id=1", "name": "b"}]}),
        "prompts/list" => json!({"prompts": [{"name": "ask"}]}),
        "tools/call" => said(),
        "resources/read" => json!({"contents": []}),
        "prompts/get" => json!({"messages": []}),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn standard_headers_makes_every_call_that_could_be_looked_at() {
    let (done, asked) = Recording::new(everything)
        .job("http-standard-headers", json!({}))
        .await;
    done.unwrap();
    let made: Vec<(&str, Option<&str>)> = asked
        .iter()
        .map(|one| (one.method.as_str(), one.name_header.as_deref()))
        .collect();
    assert_eq!(
        made,
        [
            ("tools/list", None),
            ("tools/call", Some("one")),
            ("tools/call", Some("two")),
            ("resources/list", None),
            ("resources/read", Some("file:///a%20b")),
            ("resources/read", Some("https://a.example/?id=1")),
            ("prompts/list", None),
            ("prompts/get", Some("ask")),
        ]
    );
    for one in asked {
        assert_eq!(one.method_header.as_deref(), Some(one.method.as_str()));
    }
}

#[tokio::test]
async fn custom_headers_makes_the_calls_of_the_context_after_listing() {
    let server = Recording::new(|asked| match asked.method.as_str() {
        "tools/list" => json!({"tools": [
            tool("t", &json!({"region": {"type": "string", "x-mcp-header": "Region"}}))]}),
        _ => said(),
    });
    let context = json!({"toolCalls": [
        {"name": "t", "arguments": {"region": "eu"}},
        {"name": "t", "arguments": {"region": null}},
        {"name": "t", "arguments": {"region": " ü"}}]});
    let (done, asked) = server.job("http-custom-headers", context).await;
    done.unwrap();
    let headers: Vec<Option<&str>> = asked
        .iter()
        .map(|one| one.region_header.as_deref())
        .collect();
    assert_eq!(headers, [None, Some("eu"), None, Some("=?base64?IMO8?=")]);
    assert_eq!(asked[3].params["arguments"], json!({"region": " ü"}));
}

#[tokio::test]
async fn invalid_headers_calls_what_is_left_and_nothing_else() {
    let server = Recording::new(|asked| match asked.method.as_str() {
        "tools/list" => json!({"tools": [
            tool("empty", &json!({"a": {"type": "string", "x-mcp-header": ""}})),
            tool("number", &json!({"a": {"type": "number", "x-mcp-header": "A"}})),
            tool("space", &json!({"a": {"type": "string", "x-mcp-header": "My A"}})),
            tool("valid", &json!({"region": {"type": "string", "x-mcp-header": "Region"}})),
            tool("twice", &json!({"a": {"type": "string", "x-mcp-header": "A"},
                                  "b": {"type": "string", "x-mcp-header": "a"}}))]}),
        _ => said(),
    });
    let (done, asked) = server.job("http-invalid-tool-headers", json!({})).await;
    done.unwrap();
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[1].name_header.as_deref(), Some("valid"));
    assert!(asked[1].region_header.is_some());
}

#[tokio::test]
async fn request_state_answers_and_leaves_the_other_call_alone() {
    let server = Recording::new(|asked| {
        let first = asked.params.get("inputResponses").is_none();
        let question = json!({"confirm": {"method": "elicitation/create", "params": {"message": "Sure?",
            "requestedSchema": {"type": "object", "properties": {"confirmed": {"type": "boolean"}}}}}});
        match (asked.method.as_str(), asked.params["name"].as_str()) {
            ("tools/list", _) => json!({"tools": []}),
            (_, Some("test_mrtr_echo_state")) if first => {
                json!({"resultType": "input_required", "inputRequests": question, "requestState": "{\"n\":1}"})
            }
            (_, Some("test_mrtr_no_state")) if first => {
                json!({"resultType": "input_required", "inputRequests": question})
            }
            _ => said(),
        }
    });
    let (done, asked) = server.job("sep-2322-client-request-state", json!({})).await;
    done.unwrap();
    let retries: Vec<(&str, Value, Value)> = asked
        .iter()
        .filter(|one| one.params.get("inputResponses").is_some())
        .map(|one| {
            let of = |name: &str| one.params.get(name).cloned().unwrap_or_default();
            let name = one.params["name"].as_str().unwrap();
            (name, of("inputResponses"), of("requestState"))
        })
        .collect();
    let yes = json!({"confirm": {"action": "accept", "content": {"confirmed": true}}});
    assert_eq!(
        retries,
        [
            ("test_mrtr_echo_state", yes.clone(), json!("{\"n\":1}")),
            ("test_mrtr_no_state", yes, Value::Null),
        ]
    );
    let names: Vec<&str> = asked
        .iter()
        .filter_map(|one| one.params["name"].as_str())
        .collect();
    for name in ["test_mrtr_unrelated", "test_mrtr_no_result_type"] {
        assert_eq!(
            names.iter().filter(|one| **one == name).count(),
            1,
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_schema_is_sent_back_as_it_came() {
    let server = Recording::new(|asked| match asked.method.as_str() {
        "tools/list" => json!({"tools": [{"name": "json_schema_2020_12_tool",
            "inputSchema": {"type": "object", "$defs": {"z": {"$anchor": "a"}}, "if": {"const": 1.50}}}]}),
        _ => said(),
    });
    let (done, asked) = server
        .job("json-schema-2020-12-preservation", json!({}))
        .await;
    done.unwrap();
    assert_eq!(asked[1].name_header.as_deref(), Some("json_schema_echo"));
    assert_eq!(
        asked[1].params["arguments"]["schema"],
        json!({"type": "object", "$defs": {"z": {"$anchor": "a"}}, "if": {"const": 1.50}})
    );
}

#[tokio::test]
async fn a_job_that_is_not_done_says_so() {
    let nothing = Recording::new(|_| json!({"tools": []}));
    let (done, _) = nothing.job("tools_call", json!({})).await;
    assert!(
        matches!(done, Err(Failed::NoSuchTool("add_numbers"))),
        "{done:?}"
    );
    let (done, asked) = Recording::new(everything).job("invented", json!({})).await;
    assert!(matches!(done, Err(Failed::NoSuchScenario(_))), "{done:?}");
    assert!(asked.is_empty());
    let failing = Recording::new(|asked| match asked.method.as_str() {
        "tools/list" => json!({"tools": [tool("add_numbers", &json!({}))]}),
        _ => json!({"content": [], "isError": true}),
    });
    let (done, asked) = failing.job("tools_call", json!({})).await;
    assert!(matches!(done, Err(Failed::Tool(_))), "{done:?}");
    assert_eq!(asked[1].params["arguments"], json!({"a": 2, "b": 3}));
}

#[tokio::test]
async fn signing_in_is_for_a_job_that_calls_tools() {
    let (done, asked) = Recording::new(everything)
        .job("auth/scope-step-up", json!({}))
        .await;
    done.unwrap();
    let methods: Vec<&str> = asked.iter().map(|one| one.method.as_str()).collect();
    assert_eq!(methods, ["tools/list", "tools/call", "tools/call"]);
}
