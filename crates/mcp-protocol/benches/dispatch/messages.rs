//! A server in memory, and the messages that are measured.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request};
use http_body_util::{BodyExt as _, Full};
use mcp_protocol::serve::{Context, Error, Handler, HttpService, Options, SessionLimits};
use mcp_protocol::types::{
    Implementation, Items, Page, ServerCapabilities, Tool, ToolCall, ToolList, ToolResult,
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tower_service::Service as _;

/// One kind of message, and what is expected of it.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    headers: Vec<(&'static str, &'static str)>,
    body: String,
    status: u16,
    in_session: bool,
}

/// Every kind that is measured.
pub(crate) fn kinds() -> Vec<Kind> {
    let echo = json!({ "name": "echo", "arguments": { "text": "Hello, world." } });
    vec![
        modern(
            "tools/call, 2026-07-28",
            "tools/call",
            Some("echo"),
            &echo,
            200,
        ),
        modern(
            "tools/list, 2026-07-28",
            "tools/list",
            None,
            &json!({}),
            200,
        ),
        modern(
            "server/discover, 2026-07-28",
            "server/discover",
            None,
            &json!({}),
            200,
        ),
        modern(
            "refused for a header, 2026-07-28",
            "tools/call",
            Some("other"),
            &echo,
            400,
        ),
        modern(
            "unknown method, 2026-07-28",
            "tools/fly",
            None,
            &json!({}),
            404,
        ),
        legacy(
            "initialize, 2025-11-25",
            &request(
                "initialize",
                &json!({
                    "protocolVersion": "2025-11-25", "capabilities": capabilities(), "clientInfo": client(),
                }),
            ),
            200,
        ),
        legacy("tools/call, 2025-11-25", &request("tools/call", &echo), 200),
        Kind {
            in_session: true,
            ..legacy(
                "tools/call in a session, 2025-11-25",
                &request("tools/call", &echo),
                200,
            )
        },
        legacy(
            "tools/list, 2025-11-25",
            &request("tools/list", &json!({})),
            200,
        ),
        legacy(
            "notification, 2025-11-25",
            &json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }),
            202,
        ),
        Kind {
            body: "{".to_owned(),
            ..legacy("not JSON", &json!({}), 400)
        },
    ]
}

fn modern(
    name: &'static str,
    method: &'static str,
    about: Option<&'static str>,
    params: &Value,
    status: u16,
) -> Kind {
    let mut params = params.clone();
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": client(),
        "io.modelcontextprotocol/clientCapabilities": capabilities(),
    });
    params
        .as_object_mut()
        .unwrap()
        .insert("_meta".to_owned(), meta);
    let mut headers = vec![
        ("mcp-protocol-version", "2026-07-28"),
        ("mcp-method", method),
    ];
    headers.extend(about.map(|about| ("mcp-name", about)));
    Kind {
        name,
        headers,
        body: request(method, &params).to_string(),
        status,
        in_session: false,
    }
}

fn legacy(name: &'static str, message: &Value, status: u16) -> Kind {
    let headers = vec![("mcp-protocol-version", "2025-11-25")];
    Kind {
        name,
        headers,
        body: message.to_string(),
        status,
        in_session: false,
    }
}

fn request(method: &str, params: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params })
}

fn client() -> Value {
    json!({ "name": "bench", "version": "1.0.0" })
}

fn capabilities() -> Value {
    json!({ "elicitation": { "form": {}, "url": {} }, "roots": {}, "sampling": {} })
}

/// The server, and what drives it.
pub(crate) struct Server {
    runtime: Runtime,
    stateless: HttpService<Tools>,
    with_sessions: HttpService<Tools>,
    session: HeaderValue,
}

impl Server {
    pub(crate) fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        let limits = SessionLimits::new(entropy());
        let options = Options {
            sessions: Some(limits),
            ..Options::default()
        };
        let mut server = Server {
            runtime,
            stateless: HttpService::new(Tools::new(), Options::default()),
            with_sessions: HttpService::new(Tools::new(), options),
            session: HeaderValue::from_static(""),
        };
        server.session = server.open();
        server
    }

    /// Opens a session.
    pub(crate) fn open(&self) -> HeaderValue {
        let kinds = kinds();
        let initialize = kinds
            .iter()
            .find(|kind| kind.name.starts_with("initialize"))
            .unwrap();
        let mut service = self.with_sessions.clone();
        let response = self
            .runtime
            .block_on(service.call(self.request(initialize)))
            .unwrap();
        response.headers().get("mcp-session-id").unwrap().clone()
    }

    /// The request of a message, as an HTTP server hands it over.
    pub(crate) fn request(&self, kind: &Kind) -> Request<Full<Bytes>> {
        let mut request = Request::post("/mcp")
            .body(Full::from(kind.body.clone()))
            .unwrap();
        let headers = request.headers_mut();
        let always = [
            ("host", "localhost"),
            ("content-type", "application/json"),
            ("accept", "application/json, text/event-stream"),
        ];
        for (name, value) in always.iter().chain(&kind.headers) {
            headers.insert(
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            );
        }
        if kind.in_session {
            headers.insert("mcp-session-id", self.session.clone());
        }
        request
    }

    /// From the request to the last byte of its answer; gives how many bytes those are.
    pub(crate) fn answer(&self, kind: &Kind, request: Request<Full<Bytes>>) -> usize {
        let service = if kind.in_session {
            &self.with_sessions
        } else {
            &self.stateless
        };
        let mut service = service.clone();
        self.runtime.block_on(async {
            let response = service.call(request).await.unwrap();
            assert_eq!(response.status(), kind.status, "{}", kind.name);
            let mut body = response.into_body();
            let mut bytes = 0;
            while let Some(frame) = body.frame().await {
                bytes += frame.unwrap().into_data().unwrap().len();
            }
            bytes
        })
    }
}

/// Ids that differ; nobody attacks a bench.
fn entropy() -> impl Fn(&mut [u8]) + Send + Sync + 'static {
    let next = std::sync::atomic::AtomicU64::new(0);
    move |bytes| {
        let number = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        for (byte, of_number) in bytes.iter_mut().zip(number.to_le_bytes()) {
            *byte = of_number;
        }
    }
}

/// Tools that answer with the text that they are given.
struct Tools {
    list: Items<Tool>,
}

impl Tools {
    fn new() -> Self {
        let schema = json!({ "type": "object", "properties": { "text": { "type": "string" } } });
        let tools: Vec<Tool> = (0..160)
            .map(|number| Tool::new(format!("echo-{number}"), "Says it back.", &schema).unwrap())
            .collect();
        Tools {
            list: Items::render(&tools).unwrap(),
        }
    }
}

impl Handler for Tools {
    fn info(&self) -> Implementation {
        Implementation::new("bench", "1.0.0")
    }

    fn capabilities(&self) -> ServerCapabilities {
        ServerCapabilities::tools()
    }

    async fn list_tools(&self, _context: &Context, _page: Page) -> Result<ToolList, Error> {
        Ok(ToolList::new(self.list.clone()))
    }

    async fn call_tool(&self, _context: &Context, call: ToolCall) -> Result<ToolResult, Error> {
        #[derive(Deserialize)]
        struct Arguments {
            text: String,
        }
        Ok(match call.arguments::<Arguments>() {
            Ok(arguments) => ToolResult::text(arguments.text),
            Err(error) => ToolResult::error(error.to_string()),
        })
    }
}
