//! What stays of a request when it is answered.

use std::time::UNIX_EPOCH;

use http_body_util::Full;
use serde_json::{Value, json};
use tower_service::Service as _;

use super::*;
use crate::serve::{Changes, Context as Asked, Error, SessionLimits, TaskLimits, TaskTerms};
use crate::types::TASKS_EXTENSION;
use crate::types::{ListCapability, ToolCall, ToolResult};

#[derive(Default)]
struct Server(Changes);

impl Handler for Server {
    fn info(&self) -> Implementation {
        Implementation::new("test", "1")
    }

    fn capabilities(&self) -> ServerCapabilities {
        ServerCapabilities {
            tools: Some(ListCapability { list_changed: true }),
            ..ServerCapabilities::default()
        }
    }

    fn changes(&self) -> Option<&Changes> {
        Some(&self.0)
    }

    async fn call_tool(&self, context: &Asked, call: ToolCall) -> Result<ToolResult, Error> {
        if call.name == "task" {
            let work = |_| async { Ok(ToolResult::text("done")) };
            return context.task(TaskTerms::optional(), work).await;
        }
        context.progress(1.0, None, None).await;
        Ok(ToolResult::text(call.arguments_text()))
    }
}

fn service() -> HttpService<Server> {
    let options = Options {
        sessions: Some(SessionLimits::new(|dest| dest.fill(7))),
        tasks: Some(TaskLimits::new(|| UNIX_EPOCH, |dest| dest.fill(7))),
        principal: Some(Arc::new(|_| Some("ada".to_owned()))),
        ..Options::default()
    };
    HttpService::new(Server::default(), options)
}

async fn modern(service: &HttpService<Server>, method: &str, mut params: Value) -> Response<Body> {
    let extensions = json!({ "extensions": { TASKS_EXTENSION: {} } });
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": extensions,
        "progressToken": 1,
    });
    let name = params.get("name").and_then(Value::as_str).unwrap_or("none");
    let request = Request::post("/mcp")
        .header("host", "localhost")
        .header("content-type", "application/json")
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", method)
        .header("mcp-name", name);
    let message = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    let body = Full::new(Bytes::from(message.to_string()));
    service
        .clone()
        .call(request.body(body).unwrap())
        .await
        .unwrap()
}

/// How many sessions, tasks and streams there are.
fn kept(service: &HttpService<Server>) -> (usize, usize, usize) {
    let shared = &service.shared;
    let sessions = shared.sessions.as_ref().map_or(0, Sessions::len);
    let tasks = shared.tasks.as_ref().map_or(0, |tasks| tasks.len());
    (sessions, tasks, shared.streams.len())
}

#[tokio::test]
async fn requests_of_the_newest_revision_leave_nothing_behind() {
    // MCP-VER-06: no request knows of an earlier one.
    let service = service();
    for _ in 0..100 {
        for (method, params) in [
            ("server/discover", json!({})),
            ("tools/call", json!({ "name": "echo" })),
            ("tools/call", json!({})),
            ("tools/list", json!({})),
            ("unknown/method", json!({})),
        ] {
            let response = modern(&service, method, params).await;
            drop(response.into_body().collect().await.unwrap());
        }
        // A client that goes away in the middle of its stream.
        let params = json!({ "notifications": { "toolsListChanged": true } });
        drop(modern(&service, "subscriptions/listen", params).await);
        drop(modern(&service, "tools/call", json!({ "name": "echo" })).await);
    }
    assert_eq!(kept(&service), (0, 0, 0));
    assert_eq!(Arc::strong_count(&service.shared), 1, "nothing goes on");
}

#[tokio::test(start_paused = true)]
async fn what_a_task_came_to_is_freed_when_its_time_is_over() {
    // MCP-TASK-05: kept as long as was said, and not longer, though nobody asks again.
    let service = service();
    let response = modern(&service, "tools/call", json!({ "name": "task" })).await;
    drop(response.into_body().collect().await.unwrap());
    let hour = std::time::Duration::from_secs(60 * 60);
    let moment = std::time::Duration::from_secs(1);
    tokio::time::sleep(hour - moment).await;
    assert_eq!(kept(&service), (0, 1, 0));
    tokio::time::sleep(moment * 2).await;
    assert_eq!(kept(&service), (0, 0, 0));
}
