//! What a handler says and asks before its answer, in each era.

use super::*;

/// MCP-STDIO-02, MCP-LIFE-04: a request on the pipe before 2026-07-28.
#[tokio::test(start_paused = true)]
async fn a_question_is_a_request_in_the_older_era() {
    for (version, has_mode) in [("2025-06-18", false), ("2025-11-25", true)] {
        let mut peer = peer();
        peer.open(version, &json!({ "elicitation": {} })).await;
        peer.send(call(1, "name")).await;
        let question = peer.next().await;
        assert_eq!(question["method"], "elicitation/create");
        assert_eq!(question["params"].get("mode").is_some(), has_mode);
        // The client goes on meanwhile, with an id that is the server's too.
        peer.send(call(question["id"].clone(), "echo")).await;
        assert_eq!(text(&peer.next().await), "{}");
        let answer = json!({ "action": "accept", "content": { "name": "Ada" } });
        peer.send(json!({ "jsonrpc": "2.0", "id": question["id"], "result": answer }))
            .await;
        let answer = peer.next().await;
        assert_eq!(answer["id"], 1);
        assert_eq!(text(&answer), r#"Accept Some({"name": "Ada"})"#);
    }
}

#[tokio::test(start_paused = true)]
async fn a_model_is_asked_and_an_error_is_an_answer() {
    let mut peer = peer();
    peer.open("2025-11-25", &json!({ "sampling": {} })).await;
    peer.send(call(1, "model")).await;
    let question = peer.next().await;
    assert_eq!(question["method"], "sampling/createMessage");
    let error = json!({ "code": -1, "message": "no" });
    peer.send(json!({ "jsonrpc": "2.0", "id": question["id"], "error": error }))
        .await;
    assert_eq!(
        peer.refused(json!(1), -32603).await,
        "the client answered with an error: no"
    );
    // A malformed answer is one that cannot be waited for any longer.
    peer.send(call(2, "model")).await;
    let id = peer.next().await["id"].clone();
    peer.send(json!({ "jsonrpc": "2.0", "id": id, "result": {}, "error": 5 }))
        .await;
    peer.refused(Value::Null, -32600).await;
    peer.refused(json!(2), -32603).await;
}

/// MCP-LIFE-04: only what the client has declared.
#[tokio::test(start_paused = true)]
async fn a_client_that_cannot_be_asked_is_not_asked() {
    let mut peer = peer();
    peer.open("2025-11-25", &json!({})).await;
    peer.send(call(1, "model")).await;
    peer.refused(json!(1), -32600).await;
    peer.send(modern(2, "tools/call", json!({ "name": "model" })))
        .await;
    peer.refused(json!(2), -32021).await;
}

/// MCP-STDIO-02, MCP-RPC-10: never a request on the pipe since 2026-07-28.
#[tokio::test(start_paused = true)]
async fn a_question_is_an_interim_result_in_the_newest_era() {
    let mut peer = peer();
    let client = json!({ "elicitation": {} });
    let params = json!({ "name": "name" });
    peer.send(modern_as(&client, 1, "tools/call", params)).await;
    let answer = peer.next().await;
    assert_eq!(answer["id"], 1);
    assert_eq!(answer["result"]["resultType"], "input_required");
    let asked = &answer["result"]["inputRequests"]["name"]["method"];
    assert_eq!(asked, "elicitation/create");
    peer.quiet().await;

    let given = json!({ "name": { "action": "decline" } });
    let params = json!({ "name": "name", "inputResponses": given });
    peer.send(modern_as(&client, 2, "tools/call", params)).await;
    assert_eq!(text(&peer.next().await), "Decline None");
}

/// MCP-PROG-01.
#[tokio::test(start_paused = true)]
async fn progress_comes_before_the_answer_with_the_token_of_its_request() {
    let mut peer = peer();
    let params = json!({ "name": "progress", "_meta": { "progressToken": "t" } });
    peer.open("2024-11-05", &json!({})).await;
    for message in [
        request(1, "tools/call", params.clone()),
        modern(1, "tools/call", params),
    ] {
        peer.send(message).await;
        for progress in [1.0, 2.0] {
            let told = peer.next().await;
            assert_eq!(told["params"]["progressToken"], "t");
            assert_eq!(told["params"]["progress"], progress);
        }
        assert_eq!(text(&peer.next().await), "done");
    }
}

/// MCP-LOG-01: by level of the dialogue, or of the request.
#[tokio::test(start_paused = true)]
async fn log_messages_follow_the_level_of_their_era() {
    let mut peer = peer();
    peer.open("2025-11-25", &json!({})).await;
    peer.send(request(1, "logging/setLevel", json!({ "level": "debug" })))
        .await;
    peer.next().await;
    peer.send(call(2, "log")).await;
    for level in ["debug", "warning"] {
        assert_eq!(peer.next().await["params"]["level"], level);
    }
    assert_eq!(text(&peer.next().await), "logged");

    let mut params = json!({ "name": "log" });
    peer.send(modern(3, "tools/call", params.clone())).await;
    assert_eq!(text(&peer.next().await), "logged");
    params["_meta"] = json!({ "io.modelcontextprotocol/logLevel": "warning" });
    peer.send(modern(4, "tools/call", params)).await;
    assert_eq!(peer.next().await["params"]["level"], "warning");
    assert_eq!(text(&peer.next().await), "logged");
}

#[tokio::test(start_paused = true)]
async fn there_is_no_connection_to_hang_up() {
    let mut peer = peer();
    peer.open("2025-11-25", &json!({})).await;
    peer.send(reporting(1, "hang")).await;
    for progress in [1.0, 2.0] {
        assert_eq!(peer.next().await["params"]["progress"], progress);
    }
    assert_eq!(text(&peer.next().await), "hung up");
}

/// MCP-TASK-01.
#[tokio::test(start_paused = true)]
async fn a_call_goes_on_as_a_task() {
    let limits =
        mcp_protocol::serve::TaskLimits::new(|| std::time::UNIX_EPOCH, |bytes| bytes.fill(7));
    let options = Options {
        tasks: Some(limits),
        ..Options::default()
    };
    let mut peer = Peer::connect(Pipe::new(Server::default(), options), 1 << 16);
    let client = json!({ "extensions": { "io.modelcontextprotocol/tasks": {} } });
    let params = json!({ "name": "job-soon" });
    peer.send(modern_as(&client, 1, "tools/call", params)).await;
    let created = peer.next().await;
    assert_eq!(created["result"]["resultType"], "task");
    tokio::time::sleep(Duration::from_secs(1)).await;
    let about = json!({ "taskId": created["result"]["taskId"] });
    peer.send(modern_as(&client, 2, "tasks/get", about)).await;
    let task = peer.next().await;
    assert_eq!(task["result"]["status"], "completed");
    assert_eq!(task["result"]["result"]["content"][0]["text"], "done");
}
