//! A handler that finds out that its caller is not signed in any more answers the HTTP request itself.

use bytes::Bytes;
use http::Response;
use mcp_protocol::serve::{Context, Error, Handler, HttpService, Options, Pipe};
use mcp_protocol::types::{Implementation, ServerCapabilities, ToolCall, ToolResult};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::drive::*;

/// Its tool reports progress if it is called `late`, and then asks to sign in again.
struct SignedOut;

impl Handler for SignedOut {
    fn info(&self) -> Implementation {
        Implementation::new("test", "1")
    }

    fn capabilities(&self) -> ServerCapabilities {
        ServerCapabilities::tools()
    }

    async fn call_tool(&self, context: &Context, call: ToolCall) -> Result<ToolResult, Error> {
        if call.name == "late" {
            context.progress(1.0, None, None).await;
        }
        let challenge = Response::builder()
            .status(401)
            .header("www-authenticate", "Bearer error=\"invalid_token\"")
            .body(Bytes::from_static(b"{\"error\":\"invalid_token\"}"));
        Err(Error::http(challenge.unwrap()))
    }
}

fn service() -> HttpService<SignedOut> {
    HttpService::new(SignedOut, Options::default())
}

const REFUSED: &str = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"this operation is refused here (401 Unauthorized)"}}"#;

#[tokio::test]
async fn the_challenge_is_the_http_response_in_both_eras() {
    let params = json!({ "name": "soon", "arguments": {} });
    for call in [
        modern("tools/call", params.clone()),
        legacy("2025-11-25", "tools/call", &params),
    ] {
        let answer = call.send(&service()).await;
        answer.is(401, r#"{"error":"invalid_token"}"#);
        let challenge = answer.header("www-authenticate");
        assert_eq!(challenge, Some(r#"Bearer error="invalid_token""#));
    }
}

#[tokio::test]
async fn after_the_first_event_it_is_an_error_of_the_stream() {
    let params = json!({ "name": "late", "_meta": { "progressToken": 7 } });
    let events = modern("tools/call", params).send(&service()).await.events();
    assert_eq!(events[0]["method"], "notifications/progress");
    assert_eq!(events[1].to_string(), json_of(REFUSED));
}

#[tokio::test]
async fn in_a_batch_it_is_an_error_of_its_part() {
    let batch = r#"[{"jsonrpc":"2.0","id":0,"method":"ping"},{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"soon"}}]"#;
    post(batch)
        .header("mcp-protocol-version", "2025-03-26")
        .send(&service())
        .await
        .is(
            200,
            &format!(r#"[{{"jsonrpc":"2.0","id":0,"result":{{}}}},{REFUSED}]"#),
        );
}

#[tokio::test]
async fn over_standard_input_and_output_it_is_an_error() {
    let (mut client, server) = tokio::io::duplex(4096);
    let (input, output) = tokio::io::split(server);
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
        "name": "soon",
        "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        },
    }});
    client
        .write_all(format!("{call}\n").as_bytes())
        .await
        .unwrap();
    client.shutdown().await.unwrap();
    let pipe = Pipe::new(SignedOut, Options::default());
    pipe.serve(input, output).await.unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert_eq!(answer, format!("{REFUSED}\n"));
}

/// The same text with its members in the order in which values are written.
fn json_of(text: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(text).unwrap();
    value.to_string()
}
