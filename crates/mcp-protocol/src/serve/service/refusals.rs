//! Each violation, provoked through the whole service: its status, its code, and its text.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{self, Poll};
use std::time::UNIX_EPOCH;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt as _, Full};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tower_service::Service as _;

use crate::serve::{
    Body, Context, Error, Handler, HttpService, Options, Pipe, SessionLimits, TaskLimits,
};
use crate::types::{Implementation, ServerCapabilities, ToolCall, ToolResult};
use crate::violation::Violation;

/// What came back: the status, where there is one, and the error.
type Refused = (Option<u16>, Value);
type Provoking = Pin<Box<dyn Future<Output = Refused>>>;

/// One violation: what provokes it, and how it is answered.
struct Row {
    provoking: Provoking,
    status: Option<u16>,
    code: i64,
    message: &'static str,
}

/// A variant of `Violation` for which there is no row does not compile, and neither does one with two.
macro_rules! rows {
    ($($variant:pat, $status:expr, $code:literal, $message:literal, $provoking:expr;)*) => {
        fn message_of(violation: &Violation) -> &'static str {
            match violation {
                $($variant => $message,)*
            }
        }

        fn rows() -> Vec<Row> {
            vec![$(Row {
                provoking: Box::pin($provoking),
                status: $status,
                code: $code,
                message: $message,
            }),*]
        }
    };
}

rows! {
    Violation::NotJson, Some(400), -32700, "body is not JSON",
        send(post("{"));
    Violation::TooDeep, Some(400), -32600, "body is nested too deeply",
        send(post(format!("{}{}", r#"{"a":"#.repeat(80), "}".repeat(80))));
    Violation::BatchRefused, Some(400), -32600, "batches are not part of this revision",
        in_session(|_| {}, post(json!([ping()])));
    Violation::BatchSize, Some(400), -32600, "a batch has 1 to 64 messages",
        send(post("[]"));
    Violation::NotAMessage(_), Some(400), -32600, "not a JSON-RPC 2.0 message: jsonrpc must be \"2.0\"",
        send(post(json!({ "jsonrpc": "1.0", "id": 1, "method": "ping" })));
    Violation::InitializeMisplaced, Some(400), -32600, "initialize is not allowed here",
        in_session(|_| {}, post(initialize()));
    Violation::NotInitialized, None, -32600, "initialize comes first, or each request brings the metadata of 2026-07-28",
        over_pipe(json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" }));
    Violation::IdInUse, Some(400), -32600, "this id is already in use by a request in flight",
        twice(call("wait"));
    Violation::ResponseRefused, Some(400), -32600, "a response is not expected here",
        send(with(post(json!({ "jsonrpc": "2.0", "id": 1, "result": {} })), "mcp-protocol-version", "2026-07-28"));
    Violation::Metadata { .. }, Some(400), -32602, "params._meta: io.modelcontextprotocol/clientCapabilities is missing",
        send(modern("tools/list", "2026-07-28", None));
    Violation::Header { .. }, Some(400), -32020, "header Mcp-Method does not match the body",
        send(with(modern("tools/list", "2026-07-28", Some(json!({}))), "mcp-method", "tools/call"));
    Violation::UnsupportedVersion { .. }, Some(400), -32022, "unsupported protocol version \"2030-01-01\"",
        send(modern("tools/list", "2030-01-01", Some(json!({}))));
    Violation::UnknownMethod { .. }, Some(404), -32601, "method not found: tools/fly",
        send(modern("tools/fly", "2026-07-28", Some(json!({}))));
    Violation::ExtensionNotDeclared { .. }, Some(400), -32021, "the client has not declared the extension io.modelcontextprotocol/tasks",
        send(modern("tasks/get", "2026-07-28", Some(json!({}))));
    Violation::BodyTooLarge { .. }, Some(413), -32000, "body is longer than 1000 bytes",
        send(post(" ".repeat(1001)));
    Violation::BodyIncomplete, Some(408), -32000, "body did not arrive",
        answered(service(|_| {}), post(ping()).map(|_| BreaksOff));
    Violation::ContentType, Some(415), -32000, "content type must be application/json",
        send(with(post(ping()), "content-type", "text/plain"));
    Violation::NotAcceptable, Some(406), -32000, "client must accept both application/json and text/event-stream",
        send(with(post(ping()), "accept", "application/json"));
    Violation::Host, Some(403), -32000, "host is not allowed",
        send(with(post(ping()), "host", "evil.example"));
    Violation::Origin, Some(403), -32000, "origin is not allowed",
        send(with(post(ping()), "origin", "https://evil.example"));
    Violation::MethodNotAllowed, Some(405), -32000, "method not allowed",
        send(verb(Method::PUT));
    Violation::SessionRequired, Some(400), -32000, "Mcp-Session-Id header is required",
        send(verb(Method::GET));
    Violation::SessionUnknown, Some(404), -32000, "session not found",
        send(with(verb(Method::GET), "mcp-session-id", "nobody"));
    Violation::EventUnknown, Some(400), -32000, "event is not known any more",
        in_session(|_| {}, with(verb(Method::GET), "last-event-id", "9-9"));
    Violation::TooManySessions, Some(503), -32000, "too many sessions",
        answered(service(|options| limits(options).max_sessions = 0), post(initialize()));
    Violation::TooManyStreams, Some(429), -32000, "too many streams are open",
        in_session(|options| options.max_streams = 0, verb(Method::GET));
    Violation::TooManyInFlight, Some(429), -32000, "too many requests in flight in this session",
        in_session(|options| limits(options).max_in_flight = 0, post(call("echo")));
}

#[tokio::test]
async fn each_violation_is_answered_by_the_table_whoever_commits_it() {
    let mut differing = Vec::new();
    for row in rows() {
        let (status, error) = row.provoking.await;
        let wanted = (row.status, json!(row.code), json!(row.message));
        let came = (status, error["code"].clone(), error["message"].clone());
        if came != wanted {
            differing.push(format!("{came:?} and not {wanted:?}"));
        }
    }
    assert!(differing.is_empty(), "{differing:#?}");
    // The text is the violation's own.
    let violation = Violation::TooManyStreams;
    assert_eq!(message_of(&violation), violation.to_string());
}

struct Server;

impl Handler for Server {
    fn info(&self) -> Implementation {
        Implementation::new("test", "1")
    }

    fn capabilities(&self) -> ServerCapabilities {
        ServerCapabilities::tools()
    }

    async fn call_tool(&self, _: &Context, call: ToolCall) -> Result<ToolResult, Error> {
        if call.name == "wait" {
            std::future::pending::<()>().await;
        }
        Ok(ToolResult::text(call.name))
    }
}

fn service(set: impl FnOnce(&mut Options)) -> HttpService<Server> {
    let mut options = Options {
        max_body_bytes: 1000,
        sessions: Some(SessionLimits::new(|dest| dest.fill(7))),
        tasks: Some(TaskLimits::new(|| UNIX_EPOCH, |dest| dest.fill(7))),
        principal: Some(Arc::new(|_| Some("ada".to_owned()))),
        ..Options::default()
    };
    set(&mut options);
    HttpService::new(Server, options)
}

fn limits(options: &mut Options) -> &mut SessionLimits {
    options.sessions.as_mut().unwrap()
}

fn ping() -> Value {
    json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" })
}

fn call(tool: &str) -> Value {
    json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": tool } })
}

fn initialize() -> Value {
    let info = json!({ "name": "c", "version": "1" });
    let params = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": info });
    json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params })
}

fn verb(method: Method) -> Request<Full<Bytes>> {
    let request = Request::new(Full::default());
    let mut request = with(
        with(request, "host", "localhost"),
        "accept",
        "text/event-stream",
    );
    *request.method_mut() = method;
    request
}

fn post(body: impl ToString) -> Request<Full<Bytes>> {
    let request = with(verb(Method::POST), "content-type", "application/json");
    let both = "application/json, text/event-stream";
    with(request, "accept", both).map(|_| Full::from(body.to_string()))
}

fn modern(
    method: &'static str,
    version: &'static str,
    capabilities: Option<Value>,
) -> Request<Full<Bytes>> {
    let mut meta = json!({ "io.modelcontextprotocol/protocolVersion": version });
    if let Some(capabilities) = capabilities {
        meta["io.modelcontextprotocol/clientCapabilities"] = capabilities;
    }
    let params = json!({ "_meta": meta });
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    with(
        with(post(body), "mcp-protocol-version", version),
        "mcp-method",
        method,
    )
}

fn with<B>(mut request: Request<B>, name: &'static str, value: &'static str) -> Request<B> {
    let value = HeaderValue::from_static(value);
    request
        .headers_mut()
        .insert(HeaderName::from_static(name), value);
    request
}

async fn send(request: Request<Full<Bytes>>) -> Refused {
    answered(service(|_| {}), request).await
}

async fn answered<B>(mut service: HttpService<Server>, request: Request<B>) -> Refused
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
{
    read(service.call(request).await.unwrap()).await
}

async fn read(response: Response<Body>) -> Refused {
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let message: Value = serde_json::from_slice(&body).unwrap();
    (Some(status), message["error"].clone())
}

async fn opened(service: &HttpService<Server>, request: &mut Request<Full<Bytes>>) {
    let answer = service.clone().call(post(initialize())).await.unwrap();
    let session = answer.headers()["mcp-session-id"].clone();
    request.headers_mut().insert("mcp-session-id", session);
}

async fn in_session(set: impl FnOnce(&mut Options), mut request: Request<Full<Bytes>>) -> Refused {
    let service = service(set);
    opened(&service, &mut request).await;
    answered(service, request).await
}

/// Sends a request a second time while the first is being answered.
async fn twice(message: Value) -> Refused {
    let mut service = service(|_| {});
    let mut request = post(message);
    opened(&service, &mut request).await;
    let mut first = pin!(service.call(request.clone()));
    let waits = poll_fn(|context| Poll::Ready(first.as_mut().poll(context).is_pending()));
    assert!(waits.await);
    answered(service.clone(), request).await
}

async fn over_pipe(message: Value) -> Refused {
    let (mut ours, theirs) = tokio::io::duplex(4096);
    let (reader, writer) = tokio::io::split(theirs);
    let pipe = Pipe::new(Server, Options::default());
    let served = tokio::spawn(async move { pipe.serve(reader, writer).await });
    ours.write_all(format!("{message}\n").as_bytes())
        .await
        .unwrap();
    ours.shutdown().await.unwrap();
    let mut line = String::new();
    ours.read_to_string(&mut line).await.unwrap();
    served.await.unwrap().unwrap();
    let answer: Value = serde_json::from_str(&line).unwrap();
    (None, answer["error"].clone())
}

/// A body that ends with an error.
struct BreaksOff;

impl http_body::Body for BreaksOff {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut task::Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        Poll::Ready(Some(Err(std::io::ErrorKind::ConnectionReset.into())))
    }
}
