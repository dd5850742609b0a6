//! A whole server in memory, for bodies that no single reader sees in full.

use std::cell::RefCell;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use mcp_protocol::jsonrpc::{self, Message};
use mcp_protocol::serve::{
    Changes, Context, Error, Handler, HttpService, Options, SessionLimits, TaskLimits,
};
use mcp_protocol::types::{
    CompletionCall, CompletionResult, Elicitation, Implementation, Page, PromptCall, PromptList,
    PromptResult, ResourceAddress, ResourceList, ResourceReading, ServerCapabilities, ToolCall,
    ToolList, ToolResult,
};
use serde::Deserialize;
use tokio::runtime::{Builder, Runtime};
use tower_service::Service as _;

/// Answers everything, and asks where a call wants it to.
struct Everything(Changes);

impl Handler for Everything {
    fn info(&self) -> Implementation {
        Implementation::new("fuzzed", "0")
    }

    fn capabilities(&self) -> ServerCapabilities {
        ServerCapabilities::tools()
    }

    fn changes(&self) -> Option<&Changes> {
        Some(&self.0)
    }

    async fn list_tools(&self, _: &Context, _: Page) -> Result<ToolList, Error> {
        Ok(ToolList::default())
    }

    async fn call_tool(&self, context: &Context, call: ToolCall) -> Result<ToolResult, Error> {
        context.progress(0.5, None, None).await;
        if call.name == "ask" {
            let form = Elicitation::form("Who?", serde_json::json!({ "type": "object" }));
            drop(context.elicit("who", form).await?);
        }
        Ok(ToolResult::text(call.arguments_text()))
    }

    async fn list_prompts(&self, _: &Context, _: Page) -> Result<PromptList, Error> {
        Ok(PromptList::default())
    }

    async fn get_prompt(&self, _: &Context, _: PromptCall) -> Result<PromptResult, Error> {
        Ok(PromptResult::default())
    }

    async fn list_resources(&self, _: &Context, _: Page) -> Result<ResourceList, Error> {
        Ok(ResourceList::default())
    }

    async fn read_resource(
        &self,
        _: &Context,
        _: ResourceAddress,
    ) -> Result<ResourceReading, Error> {
        Ok(ResourceReading::default())
    }

    async fn complete(&self, _: &Context, _: CompletionCall) -> Result<CompletionResult, Error> {
        Ok(CompletionResult::default())
    }
}

thread_local! {
    static SERVER: RefCell<Option<(Runtime, HttpService<Everything>)>> = const { RefCell::new(None) };
}

fn with_server<T>(run: impl FnOnce(&Runtime, HttpService<Everything>) -> T) -> T {
    SERVER.with_borrow_mut(|server| {
        let (runtime, service) = server.get_or_insert_with(|| {
            let runtime = Builder::new_current_thread()
                .enable_time()
                .build()
                .expect("a runtime");
            let options = Options {
                // Without sessions nothing is left behind that would make one input depend on another.
                sessions: None::<SessionLimits>,
                tasks: None::<TaskLimits>,
                ..Options::default()
            };
            (
                runtime,
                HttpService::new(Everything(Changes::default()), options),
            )
        });
        run(runtime, service.clone())
    })
}

/// The body of a POST: each gets a response, and a response of JSON is an envelope or nothing.
///
/// The first byte chooses the headers: none of the newest era, or those that fit the method of the body.
pub fn post(data: &[u8]) {
    let Some((&choice, body)) = data.split_first() else {
        return;
    };
    let mut request = Request::post("/mcp")
        .header("host", "localhost")
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream");
    match choice % 3 {
        0 => {}
        1 => request = request.header("mcp-protocol-version", "2025-11-25"),
        _ => {
            request = request.header("mcp-protocol-version", "2026-07-28");
            if let Ok(jsonrpc::Body::Single(Ok(Message::Request(call)))) = jsonrpc::read(body) {
                request = request.header("mcp-method", mcp_protocol::http::encode(&call.method));
                #[derive(Deserialize)]
                #[serde(rename_all = "camelCase")]
                struct Subject {
                    name: Option<String>,
                    uri: Option<String>,
                    task_id: Option<String>,
                }
                let params = call.params.map(|params| serde_json::from_str(params.get()));
                if let Some(Ok(Subject { name, uri, task_id })) = params
                    && let Some(name) = name.or(uri).or(task_id)
                {
                    request = request.header("mcp-name", mcp_protocol::http::encode(&name));
                }
            }
        }
    }
    let request = request
        .body(Full::new(Bytes::copy_from_slice(body)))
        .expect("a request");
    with_server(|runtime, mut service| {
        runtime.block_on(async {
            let Ok(response) = service.call(request).await;
            let status = response.status().as_u16();
            assert!(
                matches!(status, 200 | 202 | 400 | 404 | 413),
                "unexpected status {status}"
            );
            let is_json = response
                .headers()
                .get("content-type")
                .is_some_and(|kind| kind == "application/json");
            if !is_json {
                // A stream may go on for as long as the client listens.
                return;
            }
            let Ok(body) = response.into_body().collect().await;
            jsonrpc::read(&body.to_bytes()).expect("a response is an envelope");
        });
    });
}
