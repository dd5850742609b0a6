//! What a line is, and what is said to one that is no message.

use super::*;

const PONG: &str = r#"{"jsonrpc":"2.0","id":1,"result":{}}"#;

/// MCP-STDIO-01.
#[tokio::test(start_paused = true)]
async fn one_message_is_one_line_however_it_ends_and_wherever_it_is_cut() {
    let mut peer = peer();
    let ping = request(1, "ping", json!({})).to_string();
    for line in [
        format!("{ping}\n"),
        format!("{ping}\r\n"),
        format!("\n \r\n{ping}\n"),
    ] {
        peer.bytes(line.as_bytes()).await;
        peer.is(PONG).await;
    }
    for byte in format!("{ping}\n{ping}\n").as_bytes() {
        peer.bytes(&[*byte]).await;
    }
    peer.is(PONG).await;
    peer.is(PONG).await;
    // The end of the stream ends a line.
    peer.bytes(ping.as_bytes()).await;
    let (rest, served) = peer.close().await;
    assert_eq!(rest, [json!({ "jsonrpc": "2.0", "id": 1, "result": {} })]);
    assert!(served.is_ok());
}

/// MCP-STDIO-01, MCP-RPC-11: newlines in what is passed through do not become lines.
#[tokio::test(start_paused = true)]
async fn raw_newlines_in_a_result_do_not_split_its_line() {
    struct Raw;
    impl Handler for Raw {
        fn info(&self) -> mcp_protocol::types::Implementation {
            mcp_protocol::types::Implementation::new("raw", "1")
        }
        fn capabilities(&self) -> mcp_protocol::types::ServerCapabilities {
            mcp_protocol::types::ServerCapabilities::tools()
        }
        async fn list_tools(
            &self,
            _: &mcp_protocol::serve::Context,
            _: mcp_protocol::types::Page,
        ) -> Result<mcp_protocol::types::ToolList, mcp_protocol::serve::Error> {
            let text = "{\n  \"type\": \"object\",\r\n  \"x-unknown\": [1,\n2]\n}";
            let schema: &serde_json::value::RawValue = serde_json::from_str(text).unwrap();
            let tool = mcp_protocol::types::Tool::new("raw", "Raw.", &schema).unwrap();
            Ok(mcp_protocol::types::ToolList::new(vec![tool]))
        }
    }
    let mut peer = Peer::connect(Pipe::new(Raw, Options::default()), 1 << 16);
    peer.send(modern(1, "tools/list", json!({}))).await;
    let answer = peer.next().await;
    assert_eq!(
        answer["result"]["tools"][0]["inputSchema"],
        json!({ "type": "object", "x-unknown": [1, 2] })
    );
    peer.quiet().await;
}

/// MCP-RPC-01, MCP-RPC-03, MCP-RPC-04.
#[tokio::test(start_paused = true)]
async fn what_is_no_message_gets_its_exact_error_and_the_next_line_is_served() {
    let mut peer = peer();
    for (line, answer) in [
        (
            &b"{"[..],
            r#"{"jsonrpc":"2.0","error":{"code":-32700,"message":"body is not JSON"}}"#,
        ),
        (
            b"\xff\xfe",
            r#"{"jsonrpc":"2.0","error":{"code":-32700,"message":"body is not JSON"}}"#,
        ),
        (
            b"7",
            r#"{"jsonrpc":"2.0","error":{"code":-32600,"message":"not a JSON-RPC 2.0 message: a message is an object"}}"#,
        ),
        (
            br#"{"id":7,"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":7,"error":{"code":-32600,"message":"not a JSON-RPC 2.0 message: jsonrpc must be \"2.0\""}}"#,
        ),
        (
            br#"{"jsonrpc":"2.0","id":"a","method":5}"#,
            r#"{"jsonrpc":"2.0","id":"a","error":{"code":-32600,"message":"not a JSON-RPC 2.0 message: method must be a string"}}"#,
        ),
        (
            br#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","error":{"code":-32600,"message":"not a JSON-RPC 2.0 message: id must be a string or an integer"}}"#,
        ),
    ] {
        peer.bytes(line).await;
        peer.bytes(b"\n").await;
        peer.is(answer).await;
    }
    peer.send(request(1, "ping", json!({}))).await;
    peer.is(PONG).await;
}

#[tokio::test(start_paused = true)]
async fn a_line_over_the_bound_is_refused_before_it_ends_and_the_next_is_served() {
    let options = Options {
        max_body_bytes: 64,
        ..Options::default()
    };
    let mut peer = Peer::connect(Pipe::new(Server::default(), options), 1 << 16);
    peer.bytes(&[b'x'; 65]).await;
    peer.is(
        r#"{"jsonrpc":"2.0","error":{"code":-32000,"message":"body is longer than 64 bytes"}}"#,
    )
    .await;
    peer.bytes(&[b'x'; 100_000]).await;
    peer.bytes(b"\n").await;
    peer.send(json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" }))
        .await;
    peer.is(PONG).await;
}

/// The id of a response is one of the server's: an error with it would answer a request of the client.
#[tokio::test(start_paused = true)]
async fn the_id_of_a_malformed_response_is_not_echoed() {
    let mut peer = peer();
    peer.bytes(b"{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":1,\"error\":{}}\n")
        .await;
    peer.refused(Value::Null, -32600).await;
}

/// MCP-RPC-05, MCP-CANC-02.
#[tokio::test(start_paused = true)]
async fn notifications_and_stray_responses_are_never_answered() {
    let mut peer = peer();
    for message in [
        notification("notifications/unknown", json!({})),
        notification("notifications/initialized", json!({})),
        notification("notifications/cancelled", json!({})),
        notification("tools/call", json!({ "name": "echo" })),
        cancelled(99),
        json!({ "jsonrpc": "2.0", "id": 5, "result": {} }),
        json!({ "jsonrpc": "2.0", "error": { "code": 1, "message": "m" } }),
    ] {
        peer.send(message).await;
    }
    peer.quiet().await;
    peer.open("2025-11-25", &json!({})).await;
    peer.send(json!({ "jsonrpc": "2.0", "id": 0, "result": {} }))
        .await;
    peer.quiet().await;
}
