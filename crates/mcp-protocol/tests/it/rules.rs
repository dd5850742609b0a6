//! What a handler may ask, what may be answered, what is passed on, and that nothing is remembered.

use std::collections::BTreeMap;

use mcp_protocol::serve::{Context, Error, Handler, HttpService, Options, TaskContext, TaskTerms};
use mcp_protocol::types::{
    Ask, Completion, CompletionCall, CompletionResult, CompletionTarget, Elicitation,
    Implementation, InputRequired, Sampling, ServerCapabilities, ToolCall, ToolResult,
};
use serde_json::{Value, json};

use crate::drive::{Answer, initialize, legacy, modern, modern_as, next, post, with_sessions};
use crate::tasks;

/// A server that asks what its arguments say, and completes what it is asked for.
struct Asking;

fn ask(call: &ToolCall) -> Ask {
    let arguments: Value = call.arguments().unwrap();
    match arguments["kind"].as_str() {
        Some("form") => Ask::Elicit(Elicitation::Form {
            message: "m".to_owned(),
            requested_schema: arguments["schema"].clone().into(),
        }),
        _ => Ask::Sample(Sampling {
            messages: serde_json::from_value(arguments["messages"].clone()).unwrap(),
            include_context: arguments["context"].as_str().map(str::to_owned),
            ..Sampling::default()
        }),
    }
}

impl Handler for Asking {
    fn info(&self) -> Implementation {
        Implementation::new("asking", "1")
    }

    fn capabilities(&self) -> ServerCapabilities {
        ServerCapabilities {
            completions: Some(Default::default()),
            ..ServerCapabilities::tools()
        }
    }

    async fn call_tool(&self, context: &Context, call: ToolCall) -> Result<ToolResult, Error> {
        match call.name.as_str() {
            "ask" => {
                let answer: Value = context.ask("a", ask(&call)).await?;
                Ok(ToolResult::text(answer.to_string()))
            }
            "task" => {
                let ask = ask(&call);
                let work = |task: TaskContext| async move {
                    let answer: Value = task.ask("a", ask).await?;
                    Ok(ToolResult::text(answer.to_string()))
                };
                context.task(TaskTerms::optional(), work).await
            }
            "nothing" => Err(Error::input_required(InputRequired::default())),
            "trace" => {
                let mut passed_on = mcp_protocol::types::Meta::new();
                context.trace().write(&mut passed_on);
                Ok(ToolResult::text(json!(passed_on).to_string()))
            }
            _ => Err(call.unknown().into()),
        }
    }

    async fn complete(&self, _: &Context, call: CompletionCall) -> Result<CompletionResult, Error> {
        let known = match call.target {
            CompletionTarget::Prompt { name } => name,
            CompletionTarget::Resource { uri } => uri,
        };
        let filled_in: BTreeMap<String, String> = call.context.arguments;
        let values = (0..150).map(|n| format!("{known} {}{n} {filled_in:?}", call.argument.value));
        let completion = Completion::new(values.collect());
        Ok(CompletionResult { completion })
    }
}

type Service = HttpService<Asking>;

fn asking() -> Service {
    HttpService::new(Asking, tasks::options(|_| {}))
}

fn everything() -> Value {
    json!({ "elicitation": {}, "sampling": {}, "extensions": { "io.modelcontextprotocol/tasks": {} } })
}

fn code_and_message(answer: &Answer) -> (Value, String) {
    let error = &answer.json()["error"];
    (
        error["code"].clone(),
        error["message"].as_str().unwrap_or_default().to_owned(),
    )
}

fn form(schema: &Value) -> Value {
    json!({ "kind": "form", "schema": schema })
}

/// What may not be asked, and the reason.
fn forbidden() -> [(Value, &'static str); 3] {
    let nested = json!({ "type": "object", "properties": { "a": { "type": "object" } } });
    let result = json!({ "type": "tool_result", "toolUseId": "x", "content": [] });
    [
        (
            form(&json!({ "properties": {} })),
            "this cannot be asked: requestedSchema must have \"type\": \"object\"",
        ),
        (
            form(&nested),
            "this cannot be asked: property \"a\" must be a string, number, integer, boolean, or an array of choices; forms are flat",
        ),
        (
            json!({ "messages": [{ "role": "user", "content": result }] }),
            "this cannot be asked: message 0: a tool result belongs to no tool use in the message before",
        ),
    ]
}

#[tokio::test]
async fn what_may_not_be_asked_does_not_go_out() {
    for (arguments, why) in forbidden() {
        let params = json!({ "name": "ask", "arguments": arguments });
        let answer = modern_as(&everything(), "tools/call", params.clone())
            .send(&asking())
            .await;
        assert_eq!(code_and_message(&answer), (json!(-32603), why.to_owned()));
        // In a session nothing is sent either: the answer is one JSON, and not a stream.
        let service = asking();
        let opened = initialize("2025-11-25", &everything()).send(&service).await;
        let session = opened.header("mcp-session-id").unwrap().to_owned();
        let answer = legacy("2025-11-25", "tools/call", &params)
            .header("mcp-session-id", &session)
            .send(&service)
            .await;
        assert_eq!(code_and_message(&answer), (json!(-32603), why.to_owned()));
    }
}

#[tokio::test]
async fn context_is_asked_for_where_it_was_declared() {
    let params = json!({ "name": "ask", "arguments": { "messages": [], "context": "thisServer" } });
    let with_context = json!({ "sampling": { "context": {} } });
    for (declared, is_declared) in [(everything(), false), (with_context, true)] {
        let answer = modern_as(&declared, "tools/call", params.clone())
            .send(&asking())
            .await;
        if is_declared {
            let asked = &answer.json()["result"]["inputRequests"]["a"];
            assert_eq!(asked["params"]["includeContext"], "thisServer");
        } else {
            assert_eq!(answer.status, 400);
            let error = &answer.json()["error"];
            assert_eq!(error["code"], -32021);
            let needed = json!({ "requiredCapabilities": { "sampling": { "context": {} } } });
            assert_eq!(error["data"], needed);
        }
        let service = asking();
        let opened = initialize("2025-11-25", &declared).send(&service).await;
        let session = opened.header("mcp-session-id").unwrap().to_owned();
        let call = legacy("2025-11-25", "tools/call", &params).header("mcp-session-id", &session);
        if is_declared {
            let asked = next(&mut call.response(&service).await.into_body()).await;
            assert_eq!(asked["params"]["includeContext"], "thisServer");
        } else {
            let why = "the client has not declared what this needs";
            let refused = call.send(&service).await;
            assert_eq!(code_and_message(&refused), (json!(-32600), why.to_owned()));
        }
    }
}

#[tokio::test]
async fn an_interim_result_with_nothing_in_it_does_not_go_out() {
    let answer = modern("tools/call", json!({ "name": "nothing" }))
        .send(&asking())
        .await;
    let why = "the handler wants input and has neither inputRequests nor requestState";
    assert_eq!(answer.status, 200);
    assert_eq!(code_and_message(&answer), (json!(-32603), why.to_owned()));
}

#[tokio::test]
async fn a_task_that_asks_what_may_not_be_asked_has_failed() {
    for (arguments, why) in forbidden() {
        let service = asking();
        let params = json!({ "name": "task", "arguments": arguments });
        let created = modern_as(&everything(), "tools/call", params)
            .send(&service)
            .await;
        let id = created.json()["result"]["taskId"].clone();
        for _ in 0..8 {
            tokio::task::yield_now().await;
        }
        let task = modern_as(&everything(), "tasks/get", json!({ "taskId": id }))
            .send(&service)
            .await;
        let result = &task.json()["result"];
        assert_eq!(
            (&result["status"], &result["error"]["message"]),
            (&json!("failed"), &json!(why))
        );
    }
}

/// A form with one number, and answers to it.
fn age() -> Value {
    json!({ "type": "object", "properties": { "age": { "type": "integer", "minimum": 0 } }, "required": ["age"] })
}

#[tokio::test]
async fn what_was_filled_in_fits_the_form_or_is_refused() {
    let service = asking();
    let answer = |content: Value| {
        let params =
            json!({ "name": "ask", "arguments": form(&age()), "inputResponses": { "a": content } });
        modern_as(&everything(), "tools/call", params).send(&service)
    };
    for content in [
        json!({ "action": "accept", "content": { "age": 3 } }),
        json!({ "action": "decline" }),
    ] {
        assert_eq!(
            answer(content.clone()).await.tool_text(),
            content.to_string()
        );
    }
    for (content, why) in [
        (json!({ "age": "3" }), "\"age\" must be a number"),
        (json!({ "age": -3 }), "\"age\" is out of its range"),
        (json!({}), "\"age\" is required"),
    ] {
        let refused = answer(json!({ "action": "accept", "content": content })).await;
        let why = format!("the answer to \"a\" does not fit: {why}");
        assert_eq!(code_and_message(&refused), (json!(-32602), why));
    }
}

#[tokio::test]
async fn what_was_filled_in_on_a_stream_fits_the_form_or_is_refused() {
    let service = asking();
    let opened = initialize("2025-11-25", &everything()).send(&service).await;
    let session = opened.header("mcp-session-id").unwrap().to_owned();
    let params = json!({ "name": "ask", "arguments": form(&age()) });
    let mut body = legacy("2025-11-25", "tools/call", &params)
        .header("mcp-session-id", &session)
        .response(&service)
        .await
        .into_body();
    let question = next(&mut body).await;
    let result = json!({ "action": "accept", "content": { "age": 1.5 } });
    let answer = json!({ "jsonrpc": "2.0", "id": question["id"], "result": result });
    post(answer.to_string())
        .header("mcp-session-id", &session)
        .send(&service)
        .await
        .is(202, "");
    let error = next(&mut body).await["error"].take();
    assert_eq!(
        error["message"],
        "the answer to \"a\" does not fit: \"age\" must be a whole number"
    );
}

#[tokio::test]
async fn a_task_takes_only_what_fits_the_form() {
    let service = asking();
    let params = json!({ "name": "task", "arguments": form(&age()) });
    let created = modern_as(&everything(), "tools/call", params)
        .send(&service)
        .await;
    let id = created.json()["result"]["taskId"].clone();
    for _ in 0..8 {
        tokio::task::yield_now().await;
    }
    let update = |age: Value| {
        let answers = json!({ "a": { "action": "accept", "content": { "age": age } } });
        let params = json!({ "taskId": id, "inputResponses": answers });
        modern_as(&everything(), "tasks/update", params).send(&service)
    };
    let refused = update(json!("3")).await;
    assert_eq!(refused.json()["error"]["code"], -32602);
    assert_eq!(
        update(json!(3)).await.json()["result"]["resultType"],
        "complete"
    );
}

#[tokio::test]
async fn a_completion_has_a_hundred_values_at_most_and_knows_what_is_filled_in() {
    let argument = json!({ "name": "a", "value": "v" });
    for (target, known) in [
        (json!({ "type": "ref/prompt", "name": "p" }), "p"),
        (json!({ "type": "ref/resource", "uri": "a:{b}" }), "a:{b}"),
    ] {
        let context = json!({ "arguments": { "b": "c" } });
        let params = json!({ "ref": target, "argument": argument, "context": context });
        let answer = modern("completion/complete", params).send(&asking()).await;
        let completion = answer.json()["result"]["completion"].take();
        assert_eq!(completion["values"].as_array().unwrap().len(), 100);
        assert_eq!(
            completion["values"][0],
            format!("{known} v0 {{\"b\": \"c\"}}")
        );
        assert_eq!(
            (&completion["total"], &completion["hasMore"]),
            (&json!(150), &json!(true))
        );
    }
    for params in [
        json!({}),
        json!({ "ref": { "type": "ref/other", "name": "p" }, "argument": argument }),
        json!({ "ref": { "type": "ref/prompt", "name": "p" } }),
    ] {
        let refused = modern("completion/complete", params).send(&asking()).await;
        assert_eq!(refused.json()["error"]["code"], -32602);
    }
    let capabilities = modern("server/discover", json!({})).send(&asking()).await;
    let capabilities = capabilities.json()["result"]["capabilities"].take();
    assert_eq!(capabilities["completions"], json!({}));
}

#[tokio::test]
async fn a_trace_is_there_to_be_passed_on_if_it_follows_the_rules() {
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let whole = json!({ "baggage": "a=b", "traceparent": parent, "tracestate": "c=d" });
    let broken = json!({ "baggage": "a=b", "traceparent": "00", "tracestate": "c=d" });
    for (meta, passed_on) in [
        (whole.clone(), whole),
        (broken, json!({ "baggage": "a=b" })),
        (json!({}), json!({})),
    ] {
        let params = json!({ "name": "trace", "_meta": meta });
        let answer = modern("tools/call", params.clone()).send(&asking()).await;
        assert_eq!(answer.tool_text(), passed_on.to_string());
        let answer = legacy("2025-11-25", "tools/call", &params)
            .send(&HttpService::new(Asking, Options::default()))
            .await;
        assert_eq!(answer.tool_text(), passed_on.to_string());
    }
}

#[tokio::test]
async fn nothing_of_a_request_is_left_for_the_next() {
    let service = with_sessions();
    let log = json!({ "name": "log", "_meta": { "io.modelcontextprotocol/logLevel": "debug" } });
    let declared = json!({ "sampling": {}, "elicitation": {} });
    for _ in 0..2 {
        // A session with everything declared, and a request that declares everything and asks for messages.
        let opened = initialize("2025-11-25", &declared).send(&service).await;
        assert_eq!(opened.status, 200);
        let talkative = modern_as(&declared, "tools/call", log.clone())
            .send(&service)
            .await;
        assert_eq!(talkative.events().len(), 3);
        let asked = modern_as(&declared, "tools/call", json!({ "name": "name" }));
        let asked = asked.send(&service).await.json();
        assert_eq!(asked["result"]["resultType"], "input_required");
        // The next one has declared nothing, so it is as the first of all.
        let quiet = modern("tools/call", json!({ "name": "log" }))
            .send(&service)
            .await;
        assert_eq!(quiet.tool_text(), "logged");
        let refused = modern("tools/call", json!({ "name": "name" }))
            .send(&service)
            .await;
        assert_eq!(
            (refused.status, code_and_message(&refused).0),
            (400, json!(-32021))
        );
    }
    // Requests that know nothing of each other, at the same time.
    let (one, two) = tokio::join!(
        modern(
            "tools/call",
            json!({ "name": "echo", "arguments": { "a": 1 } })
        )
        .send(&service),
        modern(
            "tools/call",
            json!({ "name": "echo", "arguments": { "b": 2 } })
        )
        .send(&service),
    );
    assert_eq!(
        (one.tool_text(), two.tool_text()),
        (r#"{"a":1}"#.into(), r#"{"b":2}"#.into())
    );
}
