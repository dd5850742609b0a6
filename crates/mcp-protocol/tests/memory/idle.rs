//! An idle session, by the memory of this process.

use std::sync::atomic::{AtomicU64, Ordering};

use http::{Request, Response};
use mcp_protocol::serve::{Body, Context, Error, Handler, HttpService, Options, SessionLimits};
use mcp_protocol::types::{Implementation, ServerCapabilities, ToolCall, ToolResult};
use serde_json::{Value, json};
use tower_service::Service as _;

struct Echo;

impl Handler for Echo {
    fn info(&self) -> Implementation {
        Implementation::new("echo", "1.0.0")
    }

    fn capabilities(&self) -> ServerCapabilities {
        ServerCapabilities::tools()
    }

    async fn call_tool(&self, _: &Context, call: ToolCall) -> Result<ToolResult, Error> {
        Ok(ToolResult::text(call.arguments_text()))
    }
}

/// As many as there may be by default.
const SESSIONS: u64 = 10_000;

/// What one may cost.
const BYTES: u64 = 2048;

#[derive(Clone)]
struct Person(u64);

fn service() -> HttpService<Echo> {
    let count = AtomicU64::new(0);
    let limits = SessionLimits::new(move |dest| {
        let number = count.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        for (to, from) in dest.iter_mut().zip(number.iter().cycle()) {
            *to = *from;
        }
    });
    let options = Options {
        sessions: Some(limits),
        principal: Some(std::sync::Arc::new(|extensions| {
            let person = extensions.get::<Person>()?;
            Some(format!("https://issuer.example person-{:08}", person.0))
        })),
        ..Options::default()
    };
    HttpService::new(Echo, options)
}

async fn post(
    service: &HttpService<Echo>,
    person: u64,
    session: Option<&str>,
    body: &Value,
) -> Response<Body> {
    let mut request = Request::post("/mcp")
        .header("host", "localhost")
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
        .extension(Person(person));
    if let Some(session) = session {
        request = request.header("mcp-session-id", session);
    }
    let request = request.body(body.to_string()).unwrap();
    service.clone().call(request).await.unwrap()
}

/// Opens a session as clients do, and makes a call in it.
async fn open(service: &HttpService<Echo>, person: u64) {
    let capabilities = json!({
        "roots": { "listChanged": true },
        "sampling": {},
        "elicitation": { "form": {}, "url": {} },
    });
    let info = json!({ "name": "example-client", "title": "Example Client", "version": "1.2.3" });
    let params = json!({
        "protocolVersion": "2025-11-25",
        "capabilities": capabilities,
        "clientInfo": info,
    });
    let initialize = json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params });
    let answer = post(service, person, None, &initialize).await;
    let session = answer.headers()["mcp-session-id"].to_str().unwrap();
    let ready = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    let answer = post(service, person, Some(session), &ready).await;
    assert_eq!(answer.status(), 202);
    let call = json!({
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": { "name": "echo", "arguments": { "text": "hello" } },
    });
    let answer = post(service, person, Some(session), &call).await;
    assert_eq!(answer.status(), 200);
}

/// The resident memory of this process, in bytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    let kib = line.split_whitespace().nth(1).unwrap();
    kib.parse::<u64>().unwrap() * 1024
}

#[tokio::test]
async fn an_idle_session_costs_at_most_two_kib() {
    // What grows once, whoever asks, has grown before.
    open(&service(), 0).await;
    let service = service();
    let before = resident();
    for person in 0..SESSIONS {
        open(&service, person).await;
    }
    let each = resident().saturating_sub(before) / SESSIONS;
    assert!(each <= BYTES, "an idle session costs {each} bytes");
    assert!(
        each >= 256,
        "{each} bytes is no session: nothing was measured"
    );
}
