//! The server over a pair of byte streams, in memory: exact lines in, exact lines out.

use std::sync::Arc;
use std::time::Duration;

use mcp_protocol::serve::{Handler, Options, Pipe, PipeError, PipeLimits};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream, Lines};
use tokio::io::{ReadHalf, WriteHalf};
use tokio::task::JoinHandle;

use crate::drive::Server;

mod batches;
mod cancelling;
mod ending;
mod eras;
mod lines;
mod listening;
mod precedence;
mod questions;
mod room;
mod since;

/// A client that speaks line by line.
struct Peer {
    lines: Lines<BufReader<ReadHalf<DuplexStream>>>,
    writer: WriteHalf<DuplexStream>,
    served: JoinHandle<Result<(), PipeError>>,
}

/// A client of the small server.
fn peer() -> Peer {
    peer_of(Server::default())
}

fn peer_of(server: Server) -> Peer {
    Peer::connect(Pipe::new(server, Options::default()), 1 << 16)
}

/// What it takes to be of 2026-07-28.
fn modern(id: impl Into<Value>, method: &str, params: Value) -> Value {
    modern_as(&json!({}), id, method, params)
}

fn modern_as(capabilities: &Value, id: impl Into<Value>, method: &str, mut params: Value) -> Value {
    params["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!("2026-07-28");
    params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = capabilities.clone();
    request(id, method, params)
}

fn request(id: impl Into<Value>, method: &str, params: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id.into(), "method": method, "params": params })
}

/// A call of a tool by a client of the older revisions.
fn call(id: impl Into<Value>, tool: &str) -> Value {
    request(id, "tools/call", json!({ "name": tool }))
}

/// The same with a token for progress.
fn reporting(id: i64, tool: &str) -> Value {
    let params = json!({ "name": tool, "_meta": { "progressToken": id } });
    request(id, "tools/call", params)
}

fn initialize(version: &str, capabilities: &Value) -> Value {
    request(
        0,
        "initialize",
        json!({
            "protocolVersion": version,
            "capabilities": capabilities,
            "clientInfo": { "name": "c", "version": "1" },
        }),
    )
}

fn notification(method: &str, params: Value) -> Value {
    json!({ "jsonrpc": "2.0", "method": method, "params": params })
}

fn cancelled(id: impl Into<Value>) -> Value {
    notification(
        "notifications/cancelled",
        json!({ "requestId": id.into(), "reason": "changed my mind" }),
    )
}

impl Peer {
    /// Connects over a stream with room for so many bytes that are not read.
    fn connect<H: Handler>(pipe: Pipe<H>, room: usize) -> Self {
        let (client, server) = tokio::io::duplex(room);
        let (reader, writer) = tokio::io::split(client);
        let served = tokio::spawn(async move {
            let (input, output) = tokio::io::split(server);
            pipe.serve(input, output).await
        });
        Peer {
            lines: BufReader::new(reader).lines(),
            writer,
            served,
        }
    }

    /// Sends these bytes as they are.
    async fn bytes(&mut self, bytes: &[u8]) {
        self.writer.write_all(bytes).await.unwrap();
    }

    async fn send(&mut self, message: Value) {
        self.bytes(format!("{message}\n").as_bytes()).await;
    }

    /// Opens the dialogue of the older revisions, and gives the result.
    async fn open(&mut self, version: &str, capabilities: &Value) -> Value {
        self.send(initialize(version, capabilities)).await;
        let answer = self.next().await;
        self.send(notification("notifications/initialized", json!({})))
            .await;
        answer["result"].clone()
    }

    async fn line(&mut self) -> Option<String> {
        let line = tokio::time::timeout(Duration::from_secs(20), self.lines.next_line());
        line.await.expect("a line in time").unwrap()
    }

    async fn next(&mut self) -> Value {
        let line = self.line().await.expect("a line");
        serde_json::from_str(&line).unwrap()
    }

    /// The next line, exactly.
    #[track_caller]
    fn is(&mut self, text: &str) -> impl Future<Output = ()> {
        let at = std::panic::Location::caller();
        async move { assert_eq!(self.line().await.as_deref(), Some(text), "{at}") }
    }

    /// The next message is an error with this id and code.
    #[track_caller]
    fn refused(&mut self, id: Value, code: i64) -> impl Future<Output = String> {
        let at = std::panic::Location::caller();
        async move {
            let answer = self.next().await;
            let got = answer.get("id").cloned().unwrap_or_default();
            assert_eq!(
                (got, &answer["error"]["code"]),
                (id, &json!(code)),
                "{at}: {answer}"
            );
            answer["error"]["message"].as_str().unwrap().to_owned()
        }
    }

    /// Nothing comes, for a long time.
    async fn quiet(&mut self) {
        let line = tokio::time::timeout(Duration::from_secs(5), self.lines.next_line()).await;
        assert!(line.is_err(), "{line:?}");
    }

    /// Closes this side, and gives what still comes, and how the server ended.
    async fn close(mut self) -> (Vec<Value>, Result<(), PipeError>) {
        self.writer.shutdown().await.unwrap();
        let mut rest = Vec::new();
        while let Some(line) = self.line().await {
            rest.push(serde_json::from_str(&line).unwrap());
        }
        (rest, self.served.await.unwrap())
    }
}

/// The text of a tool's first content.
fn text(answer: &Value) -> &str {
    answer["result"]["content"][0]["text"].as_str().unwrap()
}

/// A pipe that asks this gate.
fn gated(refuse: &'static str) -> Pipe<Server> {
    let options = Options {
        gate: Some(Arc::new(move |extensions, operation| {
            assert!(extensions.is_empty());
            if operation.name.as_deref() == Some(refuse) || operation.method == refuse {
                let mut response = http::Response::new(bytes::Bytes::new());
                *response.status_mut() = http::StatusCode::FORBIDDEN;
                return Err(Box::new(response));
            }
            Ok(())
        })),
        principal: Some(Arc::new(|_| panic!("there is no principal"))),
        ..Options::default()
    };
    Pipe::new(Server::default(), options)
}

/// A pipe with other limits.
fn limited(server: Server, set: impl FnOnce(&mut PipeLimits)) -> Pipe<Server> {
    let mut limits = PipeLimits::default();
    set(&mut limits);
    Pipe::new(server, Options::default()).with_limits(limits)
}
