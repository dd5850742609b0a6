//! A small server, and requests driven through it in memory.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::task::{self, Poll};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt as _, Full};
use mcp_protocol::http::{HeaderParam, header_params};
use mcp_protocol::serve::{
    Body, Change, Changes, Context, Error, Handler, HttpService, Options, SessionLimits,
};
use mcp_protocol::sse::{Decoder, Event};
use mcp_protocol::types::{
    CacheHint, Elicitation, ElicitationResult, Empty, Implementation, InputRequired,
    ListCapability, LogLevel, Page, ResourceAddress, ResourceCapability, ResourceContents,
    ResourceReading, Sampling, ServerCapabilities, Tool, ToolCall, ToolList, ToolResult,
};
use serde_json::{Value, json};
use tower_service::Service as _;

/// What the server says it is.
pub(crate) const INFO: &str = "io.modelcontextprotocol/serverInfo";

/// Who is behind a request, as a layer in front would leave it.
#[derive(Clone, Debug)]
pub(crate) struct Person(pub(crate) &'static str);

#[derive(Clone, Default)]
pub(crate) struct Server {
    pub(crate) changes: Changes,
    /// Set when the tool `wait` is dropped in the middle.
    pub(crate) dropped: Arc<AtomicBool>,
}

pub(crate) struct SetOnDrop(pub(crate) Arc<AtomicBool>);

impl Drop for SetOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Handler for Server {
    fn info(&self) -> Implementation {
        Implementation::new("test", "1")
    }

    fn capabilities(&self) -> ServerCapabilities {
        ServerCapabilities {
            tools: Some(ListCapability { list_changed: true }),
            resources: Some(ResourceCapability {
                list_changed: false,
                subscribe: true,
            }),
            logging: Some(Empty {}),
            ..ServerCapabilities::default()
        }
    }

    fn instructions(&self) -> Option<String> {
        Some("Be kind.".to_owned())
    }

    fn cache_hint(&self, method: &str) -> CacheHint {
        if method == "tools/list" {
            CacheHint::public(1000)
        } else {
            CacheHint::NONE
        }
    }

    fn changes(&self) -> Option<&Changes> {
        Some(&self.changes)
    }

    fn header_params(&self, tool: &str) -> Vec<HeaderParam> {
        let schema =
            json!({ "properties": { "region": { "type": "string", "x-mcp-header": "Region" } } });
        if tool == "mirrored" {
            header_params(&schema).unwrap()
        } else {
            Vec::new()
        }
    }

    async fn list_tools(&self, _context: &Context, page: Page) -> Result<ToolList, Error> {
        if page.cursor.as_deref() == Some("ask") {
            return Err(Error::input_required(InputRequired::default()));
        }
        Ok(ToolList::new(vec![
            Tool::new("echo", "Repeats.", &json!({ "type": "object" })).unwrap(),
        ]))
    }

    async fn call_tool(&self, context: &Context, call: ToolCall) -> Result<ToolResult, Error> {
        match call.name.as_str() {
            "echo" => Ok(ToolResult::text(call.arguments_text())),
            "mirrored" => Ok(ToolResult::text("ok")),
            "who" => Ok(ToolResult::text(
                context
                    .extensions()
                    .get::<Person>()
                    .map_or("nobody", |p| p.0),
            )),
            "revision" => Ok(ToolResult::text(context.revision().as_str())),
            "progress" => {
                context.progress(1.0, Some(2.0), Some("half")).await;
                context
                    .progress(1.0, Some(2.0), Some("not further, so not sent"))
                    .await;
                context.progress(f64::NAN, None, Some("not a number")).await;
                context.progress(2.0, Some(f64::INFINITY), None).await;
                Ok(ToolResult::text("done"))
            }
            "many" => {
                for step in 0_u8..100 {
                    context.progress(f64::from(step), None, None).await;
                }
                Ok(ToolResult::text("done"))
            }
            "log" => {
                context.log(LogLevel::Debug, None, "fine").await;
                context
                    .log(LogLevel::Warning, Some("test"), json!({ "a": 1 }))
                    .await;
                Ok(ToolResult::text("logged"))
            }
            "name" => {
                let form = Elicitation::Form {
                    message: "Name?".to_owned(),
                    requested_schema: json!({ "type": "object", "properties": {} }).into(),
                };
                let answer: ElicitationResult = context.elicit("name", form).await?;
                Ok(ToolResult::text(format!(
                    "{:?} {:?}",
                    answer.action, answer.content
                )))
            }
            "model" => {
                let answer = context.sample("model", Sampling::prompt("Hi", 5)).await?;
                Ok(ToolResult::text(answer.text().unwrap_or_default()))
            }
            "wait" => {
                let _guard = SetOnDrop(Arc::clone(&self.dropped));
                context.progress(1.0, None, None).await;
                std::future::pending().await
            }
            "panic" => panic!("a tool broke"),
            #[cfg(feature = "seal")]
            name if name.starts_with("transfer") => crate::sealed::work(context, &call).await,
            name if name.starts_with("job") => crate::tasks::work(self, context, &call).await,
            _ => crate::resuming::work(context, &call).await,
        }
    }

    async fn read_resource(
        &self,
        _context: &Context,
        address: ResourceAddress,
    ) -> Result<ResourceReading, Error> {
        if address.uri != "test://a" {
            return Err(Error::resource_not_found(&address.uri));
        }
        let contents = vec![ResourceContents::text("test://a", "text/plain", "A")];
        Ok(ResourceReading {
            contents,
            meta: None,
        })
    }
}

pub(crate) type Service = HttpService<Server>;

pub(crate) fn stateless() -> Service {
    HttpService::new(Server::default(), Options::default())
}

/// Sessions with ids that are known beforehand, and who is who.
pub(crate) fn with_sessions() -> Service {
    sessions_of(Server::default(), |_| {})
}

pub(crate) fn sessions_of(server: Server, set: impl FnOnce(&mut SessionLimits)) -> Service {
    let count = AtomicU8::new(0);
    let mut limits =
        SessionLimits::new(move |dest| dest.fill(count.fetch_add(1, Ordering::SeqCst)));
    set(&mut limits);
    let options = Options {
        sessions: Some(limits),
        principal: Some(Arc::new(|extensions| {
            extensions.get::<Person>().map(|p| p.0.to_owned())
        })),
        ..Options::default()
    };
    HttpService::new(server, options)
}

/// A request that can be bent in each direction.
pub(crate) struct Call {
    request: http::request::Builder,
    body: Vec<u8>,
}

pub(crate) fn post(body: impl Into<Vec<u8>>) -> Call {
    bare("POST", body)
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
}

pub(crate) fn bare(method: &str, body: impl Into<Vec<u8>>) -> Call {
    let request = Request::builder()
        .method(method)
        .uri("/mcp")
        .header("host", "localhost:3000");
    Call {
        request,
        body: body.into(),
    }
}

/// A request of 2026-07-28 with everything that it needs.
pub(crate) fn modern(method: &str, params: Value) -> Call {
    modern_as(&json!({}), method, params)
}

pub(crate) fn modern_as(capabilities: &Value, method: &str, mut params: Value) -> Call {
    params["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!("2026-07-28");
    params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = capabilities.clone();
    let name = params
        .get("name")
        .or(params.get("uri"))
        .or(params.get("taskId"))
        .and_then(Value::as_str)
        .map(str::to_owned);
    let call =
        post(json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string())
            .header("mcp-protocol-version", "2026-07-28")
            .header("mcp-method", method);
    match name {
        Some(name) => call.header("mcp-name", &name),
        None => call,
    }
}

/// A request of an older revision.
pub(crate) fn legacy(version: &str, method: &str, params: &Value) -> Call {
    post(json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string())
        .header("mcp-protocol-version", version)
}

pub(crate) fn initialize(version: &str, capabilities: &Value) -> Call {
    let params = json!({
        "protocolVersion": version,
        "capabilities": capabilities,
        "clientInfo": { "name": "c", "version": "1" },
    });
    post(json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params }).to_string())
}

impl Call {
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.request.headers_mut().unwrap().remove(name);
        self
    }

    pub(crate) fn replace(self, name: &str, value: &str) -> Self {
        self.without(name).header(name, value)
    }

    pub(crate) fn person(self, name: &'static str) -> Self {
        self.extension(Person(name))
    }

    pub(crate) fn extension<T: Clone + Send + Sync + 'static>(mut self, value: T) -> Self {
        self.request = self.request.extension(value);
        self
    }

    pub(crate) async fn response<H: Handler>(self, service: &HttpService<H>) -> Response<Body> {
        let request = self
            .request
            .body(Full::new(Bytes::from(self.body)))
            .unwrap();
        service.clone().call(request).await.unwrap()
    }

    /// The body comes in pieces of unknown length.
    pub(crate) async fn in_pieces(self, service: &Service) -> Answer {
        let pieces: Vec<Bytes> = self.body.chunks(100).map(Bytes::copy_from_slice).collect();
        let request = self.request.body(Pieces(pieces.into_iter())).unwrap();
        Answer::read(service.clone().call(request).await.unwrap()).await
    }

    pub(crate) async fn send<H: Handler>(self, service: &HttpService<H>) -> Answer {
        Answer::read(self.response(service).await).await
    }
}

/// A body in pieces that does not say how long it is.
struct Pieces(std::vec::IntoIter<Bytes>);

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _cx: &mut task::Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.next().map(|piece| Ok(Frame::data(piece))))
    }
}

/// A body that never comes.
pub(crate) struct Never;

impl http_body::Body for Never {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _cx: &mut task::Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Pending
    }
}

/// A whole response.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    async fn read(response: Response<Body>) -> Self {
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The JSON of a whole answer.
    pub(crate) fn json(&self) -> Value {
        assert_eq!(
            self.header("content-type"),
            Some("application/json"),
            "{self:?}"
        );
        serde_json::from_str(&self.text).unwrap()
    }

    /// The messages of a stream.
    pub(crate) fn events(&self) -> Vec<Value> {
        assert_eq!(self.status, 200);
        assert_eq!(self.header("content-type"), Some("text/event-stream"));
        let events: Vec<Event> = Decoder::new(1 << 20).push(self.text.as_bytes()).unwrap();
        events
            .iter()
            // The one that opens a stream has an id and no data.
            .filter(|event| !event.data.is_empty())
            .map(|event| serde_json::from_str(&event.data).unwrap())
            .collect()
    }

    /// Status and text, exactly.
    #[track_caller]
    pub(crate) fn is(&self, status: u16, text: &str) {
        assert_eq!((self.status, self.text.as_str()), (status, text));
    }

    #[track_caller]
    pub(crate) fn status_is(&self, status: u16, case: &str) {
        assert_eq!(self.status, status, "{case:?}");
    }

    /// The text of a tool's first content.
    pub(crate) fn tool_text(&self) -> String {
        self.json()["result"]["content"][0]["text"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }
}

/// Reads the next message of a stream that stays open.
pub(crate) async fn next(body: &mut Body) -> Value {
    serde_json::from_str(&next_event(body).await.data).unwrap()
}

/// Reads the next event that says something.
pub(crate) async fn next_event(body: &mut Body) -> Event {
    loop {
        let event = any_event(body).await.unwrap();
        if !event.data.is_empty() {
            return event;
        }
    }
}

/// Reads the next event, even one without data; none at the end.
pub(crate) async fn any_event(body: &mut Body) -> Option<Event> {
    loop {
        let frame = body.frame().await?.unwrap();
        let events = Decoder::new(1 << 20).push(&frame.into_data().unwrap());
        // A comment is no event.
        if let Some(event) = events.unwrap().into_iter().next() {
            return Some(event);
        }
    }
}

/// Whether the stream has nothing to say right now.
pub(crate) async fn is_quiet(body: &mut Body) -> bool {
    let mut frame = std::pin::pin!(body.frame());
    std::future::poll_fn(|cx| Poll::Ready(frame.as_mut().poll(cx).is_pending())).await
}

pub(crate) fn announce(server: &Server, change: Change) {
    server.changes.announce(change);
}
