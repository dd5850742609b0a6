//! The official Rust SDK as a client of our server: one line for each case, by the names in `xtask/src/interop/cases.rs`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_core::stream::BoxStream;
use http::{HeaderName, HeaderValue};
use interop_rust::{Failed, PATIENCE, WATCHED, ensure, same, seen, soon};
use rmcp::model::{
    CallToolRequestParams, CallToolResult, ClientCapabilities, ClientConfig, ClientJsonRpcMessage,
    CompleteRequestParams, CreateMessageRequestParams, CreateMessageResult, ElicitRequestParams,
    ElicitResult, ErrorData, Implementation, ListRootsResult, LoggingMessageNotificationParam,
    PaginatedRequestParams, ProgressNotificationParam, ProtocolVersion, ReadResourceRequestParams,
    RequestMetaObject, ResourceUpdatedNotificationParam, ServerNotification, SetLevelRequestParams,
    SubscribeRequestParams, SubscriptionFilter,
};
use rmcp::service::{NotificationContext, RequestContext, RunningService, ServiceError};
use rmcp::transport::TokioChildProcess;
use rmcp::transport::streamable_http_client::{
    SseError, StreamableHttpClient, StreamableHttpClientTransport,
    StreamableHttpClientTransportConfig, StreamableHttpError, StreamableHttpPostResponse,
};
use rmcp::{ClientHandler, ClientLifecycleMode, ClientServiceExt, RoleClient};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sse_stream::Sse;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    match run().await {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(failed) => {
            println!("  FAILED  {failed}");
            std::process::ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Failed> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: REVISION URL|PROGRAM [ARGUMENT...]";
    let (wanted, target) = arguments.next().zip(arguments.next()).ok_or(usage)?;
    let version: ProtocolVersion = parsed(json!(wanted))?;
    let lifecycle = if version.has_initialize() {
        ClientLifecycleMode::Initialize
    } else {
        ClientLifecycleMode::Auto {
            preferred_versions: vec![version.clone()],
            legacy_version: None,
        }
    };
    let person = Person::new(version);
    if target.starts_with("http://") {
        let wire = Wire::default();
        let config = StreamableHttpClientTransportConfig::with_uri(target.as_str());
        let transport = StreamableHttpClientTransport::with_client(wire.clone(), config);
        let client = person.serve_with_lifecycle(transport, lifecycle).await?;
        walk(&client, &wanted, Some(&wire)).await?;
        client.cancel().await?;
        wire.ended(&target, &wanted).await?;
    } else {
        let mut command = tokio::process::Command::new("/bin/sh");
        let report = std::env::temp_dir().join(format!("interop-{}", std::process::id()));
        // A shell that writes down how the server left: the SDK keeps that to itself.
        command.args(["-c", r#""$@"; echo "$?" >"$0""#]);
        command.arg(&report).arg(target).args(arguments);
        let transport = TokioChildProcess::new(command)?;
        let client = person.serve_with_lifecycle(transport, lifecycle).await?;
        walk(&client, &wanted, None).await?;
        client.cancel().await?;
        same(
            &std::fs::read_to_string(&report)?,
            "0\n",
            "how the server left",
        )?;
        std::fs::remove_file(report)?;
    }
    seen("end");
    Ok(())
}

type Client = RunningService<RoleClient, Person>;

async fn walk(client: &Client, wanted: &str, wire: Option<&Wire>) -> Result<(), Failed> {
    let modern = wanted >= "2026";
    let person = client.service();

    let agreed = client.peer_info().ok_or("the server is not known")?;
    same(agreed.protocol_version.as_str(), wanted, "the revision")?;
    seen("revision");

    let tools = json!(client.list_all_tools().await?);
    let named = |name: &str| {
        let tools = tools.as_array().into_iter().flatten();
        tools.clone().find(|tool| tool["name"] == name).cloned()
    };
    let adds = named("add_numbers").ok_or("add_numbers is not listed")?;
    same(
        &adds["inputSchema"]["required"],
        &json!(["a", "b"]),
        "the schema of add_numbers",
    )?;
    let structured = named("test_structured_content").ok_or("it is not listed")?;
    let required = &structured["outputSchema"]["required"];
    same(
        required,
        &json!(["answer", "sure"]),
        "the schema of an answer",
    )?;
    seen("tools");

    let sum = call(client, "add_numbers", json!({ "a": 2, "b": 3 })).await?;
    same(&text(&sum)?, "5", "the sum")?;
    seen("text");

    let structured = json!(call(client, "test_structured_content", json!({})).await?);
    let expected = json!({ "answer": 42, "sure": true });
    // Structured content and forms came with 2025-06-18; before, the same is there as text, and nobody is asked.
    let has_forms = wanted >= "2025-06-18";
    if has_forms {
        let content = &structured["structuredContent"];
        same(content, &expected, "the structured content")?;
    } else {
        let (content, text) = (
            &structured["structuredContent"],
            &structured["content"][0]["text"],
        );
        same(content, &json!(null), "the structured content")?;
        same(text, &json!(expected.to_string()), "its text")?;
    }
    seen("structured content");

    let failed = call(client, "test_error_handling", json!({})).await?;
    same(&failed.is_error, &Some(true), "isError")?;
    seen("failing tool");

    let unknown = call(client, "no_such_tool", json!({})).await;
    same(&code(unknown)?, &-32602, "the code for an unknown tool")?;
    seen("unknown tool");

    call(client, "test_tool_with_progress", json!({})).await?;
    let expected: Vec<_> = [0.0, 50.0, 100.0].map(|done| (done, Some(100.0))).into();
    soon(|| person.heard.lock().map(|heard| heard.progress.len()).ok() == Some(3)).await?;
    same(&person.take()?.progress, &expected, "the progress")?;
    seen("progress");

    logged(client, modern).await?;
    let expected = ["started", "data", "completed"];
    soon(|| person.heard.lock().map(|heard| heard.logged.len()).ok() == Some(3)).await?;
    let log = person.take()?.logged;
    let right = log
        .iter()
        .zip(expected)
        .all(|(said, word)| said.ends_with(word));
    ensure(right, || format!("the log: {log:?}"))?;
    seen("log");

    let resources = json!(client.list_all_resources().await?);
    let uris: Vec<_> = (0..3).map(|at| resources[at]["uri"].clone()).collect();
    let expected = ["test://static-text", "test://static-binary", WATCHED];
    same(&json!(uris), &json!(expected), "the resources")?;
    seen("resources");

    let read = |uri: &str| client.read_resource(ReadResourceRequestParams::new(uri));
    let content = json!(read("test://static-text").await?);
    let expected = "The content of the static text resource.";
    same(
        &content["contents"][0]["text"],
        &json!(expected),
        "the text",
    )?;
    let picture = json!(read("test://static-binary").await?);
    same(
        &picture["contents"][0]["mimeType"],
        &json!("image/png"),
        "the picture",
    )?;
    ensure(picture["contents"][0]["blob"].is_string(), || {
        "no picture".to_owned()
    })?;
    seen("reading a resource");

    let missing = code(read("test://nothing").await)?;
    let expected = if modern { -32602 } else { -32002 };
    same(&missing, &expected, "the code for an unknown resource")?;
    seen("unknown resource");

    let first = client.list_resource_templates(None).await?;
    let cursor = first.next_cursor.clone();
    ensure(cursor.is_some(), || "there is one page only".to_owned())?;
    let next = PaginatedRequestParams::default().with_cursor(cursor);
    let second = client.list_resource_templates(Some(next)).await?;
    same(&second.next_cursor, &None, "the end of the list")?;
    let pages: Vec<_> = [first, second]
        .into_iter()
        .flat_map(|page| page.resource_templates)
        .map(|template| template.uri_template.clone())
        .collect();
    same(
        &pages,
        &vec![
            "test://template/{id}/data".to_owned(),
            "test://archive/{year}".to_owned(),
        ],
        "the templates",
    )?;
    seen("pages");

    let prompts = json!(client.list_all_prompts().await?);
    let names = [0, 1].map(|at| prompts[1]["arguments"][at]["name"].clone());
    same(
        &json!(names),
        &json!(["arg1", "arg2"]),
        "the arguments of a prompt",
    )?;
    seen("prompts");

    let wanted_prompt =
        json!({ "name": "test_prompt_with_arguments", "arguments": { "arg1": "x", "arg2": "y" } });
    let prompt = json!(client.get_prompt(parsed(wanted_prompt)?).await?);
    let expected = "Prompt with arguments: arg1='x', arg2='y'";
    same(
        &prompt["messages"][0]["content"]["text"],
        &json!(expected),
        "the prompt",
    )?;
    seen("getting a prompt");

    let asked: CompleteRequestParams = parsed(json!({
        "ref": { "type": "ref/prompt", "name": "test_prompt_with_arguments" },
        "argument": { "name": "arg1", "value": "par" },
    }))?;
    let proposals = json!(client.complete(asked).await?);
    let expected = json!(["paris", "park", "party"]);
    same(
        &proposals["completion"]["values"],
        &expected,
        "the proposals",
    )?;
    seen("completion");

    let elicited = call(
        client,
        "test_elicitation",
        json!({ "message": "Who are you?" }),
    )
    .await;
    if has_forms {
        let elicited = text(&elicited?)?;
        ensure(elicited.contains("ada@example.com"), || elicited)?;
    } else {
        ensure(elicited.is_err(), || "a form came through".to_owned())?;
    }
    seen("elicitation");

    let sampled = text(&call(client, "test_sampling", json!({ "prompt": "Say it." })).await?)?;
    ensure(sampled.contains("said by the model"), || sampled)?;
    seen("sampling");

    let roots = call(client, "test_input_required_result_list_roots", json!({})).await?;
    same(&text(&roots)?, "Roots: file:///project", "the roots")?;
    seen("roots");

    let before = cancelled(client).await?;
    // Nothing tells when the server has begun; before that there is nothing to cancel.
    let waiting = call(client, "test_cancellation", json!({}));
    let broken_off = tokio::time::timeout(Duration::from_millis(200), waiting).await;
    ensure(broken_off.is_err(), || {
        "the call has ended by itself".to_owned()
    })?;
    let noticed = async {
        while cancelled(client).await? == before {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok::<(), Failed>(())
    };
    tokio::time::timeout(PATIENCE, noticed).await??;
    seen("cancellation");

    if modern {
        changes_on_a_subscription(client).await
    } else {
        changes_in_a_session(client, wire).await
    }
}

async fn changes_on_a_subscription(client: &Client) -> Result<(), Failed> {
    let filter = SubscriptionFilter::builder()
        .tools_list_changed()
        .resource_subscriptions([WATCHED])
        .build();
    let mut subscription = client.listen(filter).await?;
    call(client, "test_trigger_tool_change", json!({})).await?;
    let change = tokio::time::timeout(PATIENCE, subscription.next()).await??;
    let tools = matches!(
        change,
        Some(ServerNotification::ToolListChangedNotification(_))
    );
    ensure(tools, || format!("{change:?}"))?;
    seen("changed list");
    call(client, "test_trigger_resource_change", json!({})).await?;
    match tokio::time::timeout(PATIENCE, subscription.next()).await?? {
        Some(ServerNotification::ResourceUpdatedNotification(updated)) => {
            same(updated.params.uri.as_str(), WATCHED, "what has changed")?;
        }
        other => return Err(format!("{other:?}").into()),
    }
    seen("changed resource");
    Ok(subscription.cancel().await?)
}

async fn changes_in_a_session(client: &Client, wire: Option<&Wire>) -> Result<(), Failed> {
    if let Some(wire) = wire {
        soon(|| wire.saw(|seen| seen.stream)).await?;
    }
    let person = client.service();
    client
        .subscribe(SubscribeRequestParams::new(WATCHED))
        .await?;
    call(client, "test_trigger_tool_change", json!({})).await?;
    soon(|| person.heard.lock().is_ok_and(|heard| heard.tools_changed)).await?;
    seen("changed list");
    call(client, "test_trigger_resource_change", json!({})).await?;
    soon(|| {
        person
            .heard
            .lock()
            .is_ok_and(|heard| !heard.updated.is_empty())
    })
    .await?;
    same(
        &person.take()?.updated,
        &vec![WATCHED.to_owned()],
        "what has changed",
    )?;
    seen("changed resource");
    Ok(())
}

async fn logged(client: &Client, modern: bool) -> Result<(), Failed> {
    let mut params = CallToolRequestParams::new("test_tool_with_logging");
    if modern {
        let meta: RequestMetaObject =
            parsed(json!({ "io.modelcontextprotocol/logLevel": "info" }))?;
        params.meta = Some(meta);
    } else {
        let level: SetLevelRequestParams = parsed(json!({ "level": "info" }))?;
        client.set_level(level).await?;
    }
    client.call_tool(params).await?;
    Ok(())
}

async fn call(
    client: &Client,
    name: &str,
    arguments: Value,
) -> Result<CallToolResult, ServiceError> {
    let arguments = arguments.as_object().cloned().unwrap_or_default();
    let params = CallToolRequestParams::new(name.to_owned()).with_arguments(arguments);
    client.call_tool(params).await
}

async fn cancelled(client: &Client) -> Result<usize, Failed> {
    Ok(text(&call(client, "test_cancellations_seen", json!({})).await?)?.parse()?)
}

/// The texts of a result that is no failure.
fn text(result: &CallToolResult) -> Result<String, Failed> {
    ensure(result.is_error != Some(true), || {
        format!("the tool failed: {result:?}")
    })?;
    let content = json!(result.content);
    let texts = content.as_array().into_iter().flatten();
    let texts: Vec<&str> = texts.filter_map(|item| item["text"].as_str()).collect();
    Ok(texts.join("\n"))
}

/// The code of the error that comes instead of a result.
fn code<T: std::fmt::Debug>(result: Result<T, ServiceError>) -> Result<i32, Failed> {
    match result {
        Err(ServiceError::McpError(error)) => Ok(error.code.0),
        other => Err(format!("{other:?}").into()),
    }
}

fn parsed<T: DeserializeOwned>(value: Value) -> Result<T, Failed> {
    Ok(serde_json::from_value(value)?)
}

/// Who answers what the server asks, and hears what it says.
struct Person {
    config: ClientConfig,
    heard: Mutex<Heard>,
}

#[derive(Default)]
struct Heard {
    progress: Vec<(f64, Option<f64>)>,
    logged: Vec<String>,
    tools_changed: bool,
    updated: Vec<String>,
}

impl Person {
    fn new(version: ProtocolVersion) -> Self {
        let capabilities = ClientCapabilities::builder()
            .enable_elicitation()
            .enable_sampling()
            .enable_roots()
            .build();
        let info = Implementation::new("interop", "1.0.0");
        Self {
            config: ClientConfig::new(capabilities, info).with_protocol_version(version),
            heard: Mutex::default(),
        }
    }

    fn take(&self) -> Result<Heard, Failed> {
        let mut heard = self.heard.lock().map_err(|_| "a panic elsewhere")?;
        Ok(std::mem::take(&mut *heard))
    }

    fn hear(&self, note: impl FnOnce(&mut Heard)) {
        if let Ok(mut heard) = self.heard.lock() {
            note(&mut heard);
        }
    }
}

impl ClientHandler for Person {
    fn get_info(&self) -> ClientConfig {
        self.config.clone()
    }

    async fn create_elicitation(
        &self,
        _: ElicitRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        answer(json!({
            "action": "accept",
            "content": { "username": "ada", "email": "ada@example.com" },
        }))
    }

    async fn create_message(
        &self,
        _: CreateMessageRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<CreateMessageResult, ErrorData> {
        answer(json!({
            "role": "assistant",
            "model": "none",
            "stopReason": "endTurn",
            "content": { "type": "text", "text": "said by the model" },
        }))
    }

    async fn list_roots(
        &self,
        _: RequestContext<RoleClient>,
    ) -> Result<ListRootsResult, ErrorData> {
        answer(json!({ "roots": [{ "uri": "file:///project", "name": "the project" }] }))
    }

    async fn on_progress(
        &self,
        report: ProgressNotificationParam,
        _: NotificationContext<RoleClient>,
    ) {
        self.hear(|heard| heard.progress.push((report.progress, report.total)));
    }

    async fn on_logging_message(
        &self,
        message: LoggingMessageNotificationParam,
        _: NotificationContext<RoleClient>,
    ) {
        let said = message.data.as_str().unwrap_or_default().to_owned();
        self.hear(|heard| heard.logged.push(said));
    }

    async fn on_resource_updated(
        &self,
        updated: ResourceUpdatedNotificationParam,
        _: NotificationContext<RoleClient>,
    ) {
        self.hear(|heard| heard.updated.push(updated.uri));
    }

    async fn on_tool_list_changed(&self, _: NotificationContext<RoleClient>) {
        self.hear(|heard| heard.tools_changed = true);
    }
}

fn answer<T: DeserializeOwned>(value: Value) -> Result<T, ErrorData> {
    serde_json::from_value(value)
        .map_err(|error| ErrorData::internal_error(error.to_string(), None))
}

/// The SDK's own HTTP client, with what can be seen of HTTP: the server's own stream, and the end of the session.
#[derive(Clone, Default)]
struct Wire {
    http: reqwest::Client,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    stream: bool,
    deleted: Option<Arc<str>>,
}

impl Wire {
    fn saw(&self, what: impl FnOnce(&Seen) -> bool) -> bool {
        self.seen.lock().is_ok_and(|seen| what(&seen))
    }

    /// The session was ended and is known no more; since 2026-07-28 there was none.
    async fn ended(&self, url: &str, revision: &str) -> Result<(), Failed> {
        let deleted = self
            .seen
            .lock()
            .map_err(|_| "a panic elsewhere")?
            .deleted
            .clone();
        same(
            &deleted.is_none(),
            &(revision >= "2026"),
            "whether there was no session",
        )?;
        let Some(session) = deleted else {
            return Ok(());
        };
        let ping = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" });
        let request = self.http.post(url).body(ping.to_string());
        let answer = request
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", revision)
            .header("mcp-session-id", session.as_ref())
            .send()
            .await?;
        same(
            &answer.status().as_u16(),
            &404,
            "the status of a session that has ended",
        )
    }
}

impl StreamableHttpClient for Wire {
    type Error = reqwest::Error;

    async fn post_message(
        &self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session_id: Option<Arc<str>>,
        auth_header: Option<String>,
        custom_headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<StreamableHttpPostResponse, StreamableHttpError<Self::Error>> {
        let posted = self
            .http
            .post_message(uri, message, session_id, auth_header, custom_headers);
        posted.await
    }

    async fn delete_session(
        &self,
        uri: Arc<str>,
        session_id: Arc<str>,
        auth_header: Option<String>,
        custom_headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<(), StreamableHttpError<Self::Error>> {
        let session = session_id.clone();
        self.http
            .delete_session(uri, session_id, auth_header, custom_headers)
            .await?;
        if let Ok(mut seen) = self.seen.lock() {
            seen.deleted = Some(session);
        }
        Ok(())
    }

    async fn get_stream(
        &self,
        uri: Arc<str>,
        session_id: Option<Arc<str>>,
        last_event_id: Option<String>,
        auth_header: Option<String>,
        custom_headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<BoxStream<'static, Result<Sse, SseError>>, StreamableHttpError<Self::Error>> {
        let stream = self
            .http
            .get_stream(uri, session_id, last_event_id, auth_header, custom_headers)
            .await?;
        if let Ok(mut seen) = self.seen.lock() {
            seen.stream = true;
        }
        Ok(stream)
    }
}
