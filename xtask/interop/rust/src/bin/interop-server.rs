//! The official Rust SDK as a server for our client: `--listen ADDRESS` says where it is, `--stdio` speaks over its pipes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use interop_rust::{Failed, WATCHED, soon};
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CompleteRequestParams, CompleteResult, ErrorData,
    GetPromptRequestParams, GetPromptResponse, GetPromptResult, InputRequiredResult,
    ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult, ListToolsResult,
    PaginatedRequestParams, ProgressNotificationParam, ProtocolVersion, ReadResourceRequestParams,
    ReadResourceResponse, ReadResourceResult, ResourceUpdatedNotificationParam, ServerConfig,
    SetLevelRequestParams, SubscribeRequestParams, SubscriptionFilter, UnsubscribeRequestParams,
};
use rmcp::service::{RequestContext, SubscriptionContext};
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use rmcp::{RoleServer, ServerHandler, ServiceExt};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::broadcast;

const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failed> {
    let mut arguments = std::env::args().skip(1);
    let fixture = Fixture::default();
    match (arguments.next().as_deref(), arguments.next()) {
        (Some("--stdio"), None) => {
            let running = fixture.serve(rmcp::transport::stdio()).await?;
            running.waiting().await?;
            Ok(())
        }
        (Some("--listen"), Some(address)) => listen(&address, fixture).await,
        _ => Err("usage: --stdio | --listen ADDRESS".into()),
    }
}

async fn listen(address: &str, fixture: Fixture) -> Result<(), Failed> {
    let sessions = Arc::new(LocalSessionManager::default());
    let config = StreamableHttpServerConfig::default();
    let service = StreamableHttpService::new(move || Ok(fixture.clone()), sessions, config);
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("listening on http://{}/mcp", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        let service = TowerToHyperService::new(service.clone());
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

/// What `examples/conformance-server` offers to the SDKs, offered by this one.
#[derive(Clone)]
struct Fixture {
    cancellations: Arc<AtomicUsize>,
    changes: broadcast::Sender<Change>,
}

#[derive(Clone, Copy)]
enum Change {
    Tools,
    Watched,
}

impl Default for Fixture {
    fn default() -> Self {
        Self {
            cancellations: Arc::default(),
            changes: broadcast::Sender::new(16),
        }
    }
}

/// Counts when a call is dropped before it has an answer.
struct Waiting(Arc<AtomicUsize>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

type Context = RequestContext<RoleServer>;

fn is_modern(context: &Context) -> bool {
    context
        .protocol_version()
        .is_some_and(|version| !version.has_initialize())
}

fn made<T: DeserializeOwned>(value: Value) -> Result<T, ErrorData> {
    serde_json::from_value(value)
        .map_err(|error| ErrorData::internal_error(error.to_string(), None))
}

fn told(error: impl std::fmt::Display) -> ErrorData {
    ErrorData::internal_error(error.to_string(), None)
}

fn words(text: impl ToString) -> Value {
    json!({ "content": [{ "type": "text", "text": text.to_string() }] })
}

/// What a tool has to say: its result, or a question that comes first.
enum Said {
    Result(Value),
    Question(Value),
}

impl Fixture {
    async fn say(
        &self,
        call: &CallToolRequestParams,
        context: &Context,
    ) -> Result<Said, ErrorData> {
        let peer = &context.peer;
        Ok(Said::Result(match call.name.as_ref() {
            "add_numbers" => {
                let number = |name: &str| {
                    call.arguments
                        .as_ref()
                        .and_then(|all| all.get(name)?.as_i64())
                };
                words(number("a").unwrap_or_default() + number("b").unwrap_or_default())
            }
            "test_structured_content" => {
                let mut result = words("42");
                result["structuredContent"] = json!({ "answer": 42, "sure": true });
                result
            }
            "test_error_handling" => {
                let mut result = words("It failed.");
                result["isError"] = json!(true);
                result
            }
            "test_tool_with_progress" => {
                for done in [0.0, 50.0, 100.0] {
                    let token = context.meta.get_progress_token();
                    let token = token.ok_or_else(|| told("no progress token"))?;
                    let report = ProgressNotificationParam::new(token, done).with_total(100.0);
                    peer.notify_progress(report).await.map_err(told)?;
                }
                words("done")
            }
            "test_tool_with_logging" => {
                for data in [
                    "Tool execution started",
                    "Tool processing data",
                    "Tool execution completed",
                ] {
                    let message = made(json!({ "level": "info", "data": data }))?;
                    peer.notify_logging_message(message).await.map_err(told)?;
                }
                words("done")
            }
            "test_elicitation" => {
                let properties =
                    json!({ "username": { "type": "string" }, "email": { "type": "string" } });
                let params = json!({
                    "mode": "form",
                    "message": "Who are you?",
                    "requestedSchema": { "type": "object", "properties": properties, "required": ["username", "email"] },
                });
                match self
                    .answer("elicitation/create", params, call, context)
                    .await?
                {
                    Ok(answer) => words(&answer["content"]),
                    Err(question) => return Ok(Said::Question(question)),
                }
            }
            "test_sampling" => {
                let message =
                    json!({ "role": "user", "content": { "type": "text", "text": "Say it." } });
                let params = json!({ "messages": [message], "maxTokens": 100 });
                match self
                    .answer("sampling/createMessage", params, call, context)
                    .await?
                {
                    Ok(answer) => words(&answer["content"]),
                    Err(question) => return Ok(Said::Question(question)),
                }
            }
            "test_input_required_result_list_roots" => {
                match self.answer("roots/list", json!({}), call, context).await? {
                    Ok(answer) => words(&answer["roots"]),
                    Err(question) => return Ok(Said::Question(question)),
                }
            }
            "test_cancellation" => {
                let _waiting = Waiting(Arc::clone(&self.cancellations));
                tokio::select! {
                    () = context.ct.cancelled() => {}
                    () = tokio::time::sleep(Duration::from_secs(30)) => {}
                }
                words("nobody hears this")
            }
            "test_cancellations_seen" => words(self.cancellations.load(Ordering::Relaxed)),
            "test_trigger_tool_change" => {
                if is_modern(context) {
                    self.announce(Change::Tools).await?;
                } else {
                    peer.notify_tool_list_changed().await.map_err(told)?;
                }
                words("done")
            }
            "test_trigger_resource_change" => {
                if is_modern(context) {
                    self.announce(Change::Watched).await?;
                } else {
                    let updated = ResourceUpdatedNotificationParam::new(WATCHED);
                    peer.notify_resource_updated(updated).await.map_err(told)?;
                }
                words("done")
            }
            unknown => {
                return Err(ErrorData::invalid_params(
                    format!("unknown tool: {unknown}"),
                    None,
                ));
            }
        }))
    }

    /// Tells the subscription, which the SDK acknowledges before its handler listens here.
    async fn announce(&self, change: Change) -> Result<(), ErrorData> {
        soon(|| self.changes.receiver_count() > 0)
            .await
            .map_err(told)?;
        self.changes
            .send(change)
            .map(drop)
            .map_err(|_| told("nobody is subscribed"))
    }

    /// The client's answer, or since 2026-07-28 the question that has to go to it first.
    async fn answer(
        &self,
        method: &str,
        params: Value,
        call: &CallToolRequestParams,
        context: &Context,
    ) -> Result<Result<Value, Value>, ErrorData> {
        if is_modern(context) {
            let answers = json!(call.input_responses);
            return Ok(match &answers["asked"] {
                Value::Null => Err(json!({ "asked": { "method": method, "params": params } })),
                answer => Ok(answer.clone()),
            });
        }
        let peer = &context.peer;
        Ok(Ok(match method {
            "elicitation/create" => {
                json!(peer.create_elicitation(made(params)?).await.map_err(told)?)
            }
            "sampling/createMessage" => {
                json!(peer.create_message(made(params)?).await.map_err(told)?)
            }
            _ => json!(peer.list_roots().await.map_err(told)?),
        }))
    }
}

impl ServerHandler for Fixture {
    fn get_info(&self) -> ServerConfig {
        let capabilities = json!({
            "tools": { "listChanged": true },
            "resources": { "subscribe": true },
            "prompts": {}, "logging": {}, "completions": {},
        });
        let mut config = ServerConfig::new(made(capabilities).unwrap_or_default());
        config.protocol_version = ProtocolVersion::LATEST_WITH_INITIALIZE;
        config
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: Context,
    ) -> Result<ListToolsResult, ErrorData> {
        let number = json!({ "type": "number" });
        let plain = [
            "test_error_handling",
            "test_tool_with_progress",
            "test_tool_with_logging",
            "test_elicitation",
            "test_sampling",
            "test_input_required_result_list_roots",
            "test_cancellation",
            "test_cancellations_seen",
            "test_trigger_tool_change",
            "test_trigger_resource_change",
        ];
        let mut tools = vec![
            json!({ "name": "add_numbers", "inputSchema": {
                "type": "object", "properties": { "a": number, "b": number }, "required": ["a", "b"],
            } }),
            json!({ "name": "test_structured_content", "inputSchema": { "type": "object" }, "outputSchema": {
                "type": "object",
                "properties": { "answer": { "type": "integer" }, "sure": { "type": "boolean" } },
                "required": ["answer", "sure"],
            } }),
        ];
        tools
            .extend(plain.map(|name| json!({ "name": name, "inputSchema": { "type": "object" } })));
        Ok(ListToolsResult::with_all_items(made(json!(tools))?))
    }

    async fn call_tool(
        &self,
        call: CallToolRequestParams,
        context: Context,
    ) -> Result<CallToolResponse, ErrorData> {
        Ok(match self.say(&call, &context).await? {
            Said::Result(result) => CallToolResponse::Complete(made(result)?),
            Said::Question(asked) => InputRequiredResult::from_input_requests(made(asked)?).into(),
        })
    }

    async fn list_resources(
        &self,
        _: Option<PaginatedRequestParams>,
        _: Context,
    ) -> Result<ListResourcesResult, ErrorData> {
        Ok(ListResourcesResult::with_all_items(made(json!([
            { "name": "A text", "uri": "test://static-text", "mimeType": "text/plain" },
            { "name": "A picture", "uri": "test://static-binary", "mimeType": "image/png" },
            { "name": "A text that may change", "uri": WATCHED, "mimeType": "text/plain" },
        ]))?))
    }

    async fn list_resource_templates(
        &self,
        page: Option<PaginatedRequestParams>,
        _: Context,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let second = page.is_some_and(|page| page.cursor.is_some());
        let uri = if second {
            "test://archive/{year}"
        } else {
            "test://template/{id}/data"
        };
        let page = made(json!([{ "name": uri, "uriTemplate": uri }]))?;
        let mut result = ListResourceTemplatesResult::with_all_items(page);
        result.next_cursor = (!second).then(|| "second".to_owned());
        Ok(result)
    }

    async fn read_resource(
        &self,
        read: ReadResourceRequestParams,
        _: Context,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let uri = read.uri.as_str();
        let text = "The content of the static text resource.";
        let content = match uri {
            "test://static-text" => json!({ "uri": uri, "mimeType": "text/plain", "text": text }),
            "test://static-binary" => json!({ "uri": uri, "mimeType": "image/png", "blob": PNG }),
            WATCHED => json!({ "uri": uri, "mimeType": "text/plain", "text": "It may change." }),
            _ => {
                return Err(ErrorData::resource_not_found(
                    "no such resource",
                    Some(json!({ "uri": uri })),
                ));
            }
        };
        let result: ReadResourceResult = made(json!({ "contents": [content] }))?;
        Ok(result.into())
    }

    async fn list_prompts(
        &self,
        _: Option<PaginatedRequestParams>,
        _: Context,
    ) -> Result<ListPromptsResult, ErrorData> {
        let arguments = ["arg1", "arg2"].map(|name| json!({ "name": name, "required": true }));
        let prompt = json!({ "name": "test_prompt_with_arguments", "arguments": arguments });
        Ok(ListPromptsResult::with_all_items(made(json!([prompt]))?))
    }

    async fn get_prompt(
        &self,
        get: GetPromptRequestParams,
        _: Context,
    ) -> Result<GetPromptResponse, ErrorData> {
        let given = json!(get.arguments);
        let word = |name: &str| given[name].as_str().unwrap_or_default().to_owned();
        let text = format!(
            "Prompt with arguments: arg1='{}', arg2='{}'",
            word("arg1"),
            word("arg2")
        );
        let message = json!({ "role": "user", "content": { "type": "text", "text": text } });
        let result: GetPromptResult = made(json!({ "messages": [message] }))?;
        Ok(result.into())
    }

    async fn complete(
        &self,
        _: CompleteRequestParams,
        _: Context,
    ) -> Result<CompleteResult, ErrorData> {
        made(json!({ "completion": { "values": ["paris", "park", "party"], "hasMore": false } }))
    }

    async fn set_level(&self, _: SetLevelRequestParams, _: Context) -> Result<(), ErrorData> {
        Ok(())
    }

    async fn subscribe(&self, _: SubscribeRequestParams, _: Context) -> Result<(), ErrorData> {
        Ok(())
    }

    async fn unsubscribe(&self, _: UnsubscribeRequestParams, _: Context) -> Result<(), ErrorData> {
        Ok(())
    }

    fn accepted_subscription_filter(
        &self,
        requested: &SubscriptionFilter,
    ) -> Option<SubscriptionFilter> {
        Some(requested.supported_by(&self.get_info().capabilities))
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        let mut changes = self.changes.subscribe();
        loop {
            let change = tokio::select! {
                change = changes.recv() => change.map_err(told)?,
                () = context.cancelled() => return Ok(()),
            };
            match change {
                Change::Tools => context
                    .sink()
                    .notify_tool_list_changed()
                    .await
                    .map_err(told)?,
                Change::Watched => context
                    .sink()
                    .notify_resource_updated(WATCHED)
                    .await
                    .map_err(told)?,
            }
        }
    }
}
