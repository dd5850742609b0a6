//! Which error comes first for a request of 2026-07-28.

use super::*;

/// Requirements section 14.5 without headers, MCP-META-02, MCP-VER-02.
#[tokio::test(start_paused = true)]
async fn metadata_then_version_then_method_then_parameters() {
    let mut peer = Peer::connect(gated("tools/list"), 1 << 16);
    let version = "io.modelcontextprotocol/protocolVersion";
    let mut message = modern(1, "no/such", json!({ "cursor": 5 }));
    let meta = message["params"]["_meta"].clone();

    message["params"]["_meta"] = json!({ version: "1999-01-01" });
    peer.send(message.clone()).await;
    peer.refused(json!(1), -32602).await;

    message["params"]["_meta"] = meta.clone();
    message["params"]["_meta"][version] = json!("1999-01-01");
    peer.send(message.clone()).await;
    let answer = peer.next().await;
    assert_eq!(answer["error"]["code"], -32022);
    assert_eq!(answer["error"]["data"]["requested"], "1999-01-01");

    // A version that opens with initialize is none for a request by itself.
    message["params"]["_meta"][version] = json!("2024-11-05");
    peer.send(message.clone()).await;
    peer.refused(json!(1), -32022).await;

    message["params"]["_meta"] = meta;
    peer.send(message.clone()).await;
    peer.refused(json!(1), -32601).await;

    // The gate comes before the parameters.
    message["method"] = json!("tools/list");
    peer.send(message.clone()).await;
    peer.refused(json!(1), -32000).await;
    message["method"] = json!("resources/list");
    peer.send(message).await;
    peer.refused(json!(1), -32602).await;
}

/// MCP-ERR-03, MCP-RES-01: the code of the era.
#[tokio::test(start_paused = true)]
async fn an_unknown_resource_has_the_code_of_its_era() {
    let mut peer = peer();
    peer.open("2024-11-05", &json!({})).await;
    let params = json!({ "uri": "test://x" });
    peer.send(request(1, "resources/read", params.clone()))
        .await;
    peer.refused(json!(1), -32002).await;
    peer.send(modern(2, "resources/read", params)).await;
    peer.refused(json!(2), -32602).await;
}

/// MCP-ERR-05.
#[tokio::test(start_paused = true)]
async fn an_unknown_tool_is_an_error_and_a_panic_is_one_too_and_ends_nothing_else() {
    let mut peer = peer();
    peer.open("2025-11-25", &json!({})).await;
    peer.send(call(1, "no-such")).await;
    peer.refused(json!(1), -32602).await;
    peer.send(call(2, "panic")).await;
    assert_eq!(
        peer.refused(json!(2), -32603).await,
        "the handler broke off"
    );
    peer.send(modern(3, "tools/call", json!({ "name": "panic" })))
        .await;
    assert_eq!(
        peer.refused(json!(3), -32603).await,
        "the handler broke off"
    );
    peer.send(call(2, "echo")).await;
    assert_eq!(text(&peer.next().await), "{}");
}

/// There are no headers to repeat arguments in.
#[tokio::test(start_paused = true)]
async fn mirrored_arguments_are_not_wanted_on_a_pipe() {
    let mut peer = peer();
    let params = json!({ "name": "mirrored", "arguments": { "region": "eu" } });
    peer.send(modern(1, "tools/call", params)).await;
    assert_eq!(text(&peer.next().await), "ok");
}
