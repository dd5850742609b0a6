//! The client over a pipe, against servers that are a script.

mod eras;
mod hostile;
mod kept;
mod messages;
#[cfg(feature = "server")]
mod ours;
mod questions;

use std::sync::Arc;

use mcp_protocol::client::pipe::{Pipe, PipeError, PipeLimits};
use mcp_protocol::client::{Client, ClientError};
use mcp_protocol::types::Implementation;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::io::{
    AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, Lines, ReadHalf, WriteHalf,
};

/// The server's end of a pipe.
pub(crate) struct Peer {
    lines: Lines<BufReader<ReadHalf<DuplexStream>>>,
    writer: WriteHalf<DuplexStream>,
}

impl Peer {
    pub(crate) fn of(stream: DuplexStream) -> Self {
        let (reader, writer) = tokio::io::split(stream);
        let lines = BufReader::new(reader).lines();
        Self { lines, writer }
    }

    /// The next line of the client; none when it has closed its end.
    pub(crate) async fn line(&mut self) -> Option<Value> {
        let line = self.lines.next_line().await.unwrap()?;
        Some(serde_json::from_str(&line).unwrap())
    }

    /// Closes both directions.
    pub(crate) fn exit(self) {
        drop(self);
    }

    /// The next message, which is of this method.
    pub(crate) async fn expect(&mut self, method: &str) -> Value {
        let message = self.line().await.expect("the client has closed the pipe");
        assert_eq!(message["method"], method, "{message}");
        message
    }

    pub(crate) async fn write(&mut self, text: &str) {
        self.writer.write_all(text.as_bytes()).await.unwrap();
    }

    pub(crate) async fn write_bytes(&mut self, bytes: &[u8]) {
        self.writer.write_all(bytes).await.unwrap();
    }

    pub(crate) async fn say(&mut self, message: Value) {
        self.write(&format!("{message}\n")).await;
    }

    pub(crate) async fn answer(&mut self, request: &Value, result: Value) {
        self.say(json!({"jsonrpc": "2.0", "id": request["id"], "result": result}))
            .await;
    }

    pub(crate) async fn refuse(&mut self, request: &Value, code: i64) {
        let error = json!({"code": code, "message": "no"});
        self.say(json!({"jsonrpc": "2.0", "id": request["id"], "error": error}))
            .await;
    }

    /// Answers discovery as a server of the newest era.
    pub(crate) async fn be_modern(&mut self) {
        let discover = self.expect("server/discover").await;
        self.answer(&discover, discovered()).await;
    }

    /// Refuses discovery and shakes hands.
    pub(crate) async fn be_legacy(&mut self, revision: &str) {
        let discover = self.expect("server/discover").await;
        self.refuse(&discover, -32601).await;
        self.shake_hands(revision).await;
    }

    pub(crate) async fn shake_hands(&mut self, revision: &str) {
        let initialize = self.expect("initialize").await;
        self.answer(&initialize, initialized(revision)).await;
        let done = self.expect("notifications/initialized").await;
        assert_eq!(done.get("id"), None);
    }
}

pub(crate) fn discovered() -> Value {
    json!({"resultType": "complete", "supportedVersions": ["2026-07-28"], "capabilities": {},
           "ttlMs": 0, "cacheScope": "public"})
}

pub(crate) fn initialized(revision: &str) -> Value {
    json!({"protocolVersion": revision, "capabilities": {},
           "serverInfo": {"name": "old", "version": "1"}})
}

pub(crate) fn text(text: &str) -> Value {
    json!({"resultType": "complete", "content": [{"type": "text", "text": text}]})
}

/// A client's end of a pipe, running, and the server's end.
pub(crate) fn pipe(limits: PipeLimits) -> (Pipe, Peer) {
    let (ours, theirs) = tokio::io::duplex(64 * 1024);
    let (reader, writer) = tokio::io::split(ours);
    let (pipe, driving) = Pipe::new(reader, writer, limits);
    drop(tokio::spawn(driving));
    (pipe, Peer::of(theirs))
}

pub(crate) fn client(pipe: &Pipe) -> Arc<Client<Pipe>> {
    let info = Implementation::new("tester", "1");
    Arc::new(Client::over_pipe(pipe.clone(), info))
}

pub(crate) fn pair() -> (Arc<Client<Pipe>>, Pipe, Peer) {
    let (pipe, peer) = pipe(PipeLimits::default());
    (client(&pipe), pipe, peer)
}

/// Calls a tool in the background and gives the text of its result.
pub(crate) fn calling(
    client: &Arc<Client<Pipe>>,
    name: &'static str,
) -> tokio::task::JoinHandle<Result<String, ClientError>> {
    let client = client.clone();
    tokio::spawn(async move { call(&client, name).await })
}

pub(crate) async fn call(client: &Client<Pipe>, name: &str) -> Result<String, ClientError> {
    let arguments: &RawValue = serde_json::from_str("{}").unwrap();
    let called = client.call_tool(name, arguments).await?;
    let raw: Value = serde_json::from_str(called.raw.get()).unwrap();
    Ok(raw["content"][0]["text"].as_str().unwrap().to_owned())
}

/// What carried the request says about why it has no answer.
pub(crate) fn pipe_error<T: std::fmt::Debug>(outcome: Result<T, ClientError>) -> PipeError {
    match outcome {
        Err(ClientError::Transport(error)) => error.downcast_ref::<PipeError>().unwrap().clone(),
        other => panic!("{other:?}"),
    }
}
