//! How far a call is, and what a server logs, as the client hears it.

use std::sync::{Arc, Mutex};

use mcp_protocol::client::{LogMessage, Notice, Progress};
use mcp_protocol::types::LogLevel;
use serde_json::{Value, json};

use super::{empty, raw, result};
use crate::streams::{Streaming, Wire, done, event, open};

fn told(token: &Value, progress: f64) -> Value {
    json!({"jsonrpc": "2.0", "method": "notifications/progress",
           "params": {"progressToken": token, "progress": progress, "total": 10, "message": "m"}})
}

fn log(level: &str, data: &str) -> Value {
    json!({"jsonrpc": "2.0", "method": "notifications/message",
           "params": {"level": level, "logger": "l", "data": data}})
}

/// A server that says this on the stream of each call, made from the call's id, and then answers.
fn saying(say: impl Fn(&Value) -> Vec<Value> + Send + 'static) -> Streaming {
    Streaming::new(move |seen| {
        if seen.method() != "tools/call" {
            return result(seen, json!({})).map(Into::into);
        }
        let id = &seen.body["id"];
        let (wire, response) = open();
        for message in say(id) {
            wire.send(event(&message)).unwrap();
        }
        wire.send(event(&done(id))).unwrap();
        response
    })
}

#[tokio::test]
async fn mcp_prog_01_progress_is_heard_for_its_own_token_and_only_forward() {
    let server = saying(|id| {
        let other = json!(id.as_i64().unwrap() + 1);
        let text = json!(id.to_string());
        vec![
            told(id, 1.0),
            told(id, 1.0),
            told(&other, 2.0),
            told(&text, 3.0),
            told(id, 0.5),
            json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": {}}),
            told(id, 4.5),
        ]
    });
    for client in [server.client(), server.modern_client()] {
        let heard: Mutex<Vec<Progress>> = Mutex::default();
        let arguments = raw(json!({}));
        let call = client.call("t", &arguments);
        let call = call.progress(|told| heard.lock().unwrap().push(told));
        call.send().await.unwrap();
        let heard = heard.into_inner().unwrap();
        let told: Vec<f64> = heard.iter().map(|told| told.progress).collect();
        assert_eq!(told, [1.0, 4.5]);
        assert_eq!(
            (heard[0].total, heard[0].message.as_deref()),
            (Some(10.0), Some("m"))
        );
    }
    let calls: Vec<Value> = server
        .sent()
        .iter()
        .filter(|seen| seen.method() == "tools/call")
        .map(|seen| seen.body.clone())
        .collect();
    // The token is the id, so that no two active requests have the same.
    for call in &calls {
        assert_eq!(call["params"]["_meta"]["progressToken"], call["id"]);
    }
    assert_eq!(
        calls[0]["params"]["_meta"],
        json!({"progressToken": calls[0]["id"]})
    );
    assert_eq!(calls.len(), 2);
}

#[tokio::test]
async fn mcp_prog_01_nothing_is_heard_after_the_answer() {
    let server = saying(|id| vec![told(id, 1.0), done(id), told(id, 2.0)]);
    let client = server.modern_client();
    let heard = Mutex::new(0);
    let arguments = raw(json!({}));
    let call = client.call("t", &arguments);
    call.progress(|_| *heard.lock().unwrap() += 1)
        .send()
        .await
        .unwrap();
    assert_eq!(heard.into_inner().unwrap(), 1);
}

#[tokio::test]
async fn without_a_hearer_there_is_no_token() {
    let server = saying(|_| Vec::new());
    for client in [server.client(), server.modern_client()] {
        client.call_tool("t", &raw(json!({}))).await.unwrap();
    }
    for seen in server.sent() {
        assert!(!seen.body.to_string().contains("progressToken"), "{seen:?}");
    }
}

fn logged() -> (Arc<Mutex<Vec<LogMessage>>>, impl Fn(Notice) + Send + Sync) {
    let logs: Arc<Mutex<Vec<LogMessage>>> = Arc::default();
    let noted = Arc::clone(&logs);
    let hear = move |notice| {
        if let Notice::Log(log) = notice {
            noted.lock().unwrap().push(log);
        }
    };
    (logs, hear)
}

#[tokio::test]
async fn mcp_log_01_in_the_newest_era_each_request_says_its_level() {
    let server = saying(|_| vec![log("info", "a"), log("nonsense", "b")]);
    let (logs, hear) = logged();
    let client = server.modern_client().with_notices(hear);
    let arguments = raw(json!({}));
    // Not asked for, not heard.
    client.call_tool("t", &arguments).await.unwrap();
    assert!(logs.lock().unwrap().is_empty());
    client
        .call("t", &arguments)
        .log(LogLevel::Debug)
        .send()
        .await
        .unwrap();
    client.set_log_level(LogLevel::Error).await.unwrap();
    client.call_tool("t", &arguments).await.unwrap();
    client
        .call("t", &arguments)
        .log(LogLevel::Info)
        .send()
        .await
        .unwrap();
    let levels: Vec<Value> = server
        .seen_calls()
        .iter()
        .map(|call| {
            let level = call["params"]["_meta"].get("io.modelcontextprotocol/logLevel");
            level.cloned().unwrap_or_default()
        })
        .collect();
    assert_eq!(
        levels,
        [Value::Null, json!("debug"), json!("error"), json!("info")]
    );
    let logs = logs.lock().unwrap();
    assert_eq!(logs.len(), 3);
    assert_eq!(
        (logs[0].level, logs[0].logger.as_deref(), &logs[0].data),
        (LogLevel::Info, Some("l"), &json!("a"))
    );
    assert!(
        server
            .sent()
            .iter()
            .all(|seen| seen.method() != "logging/setLevel")
    );
}

#[tokio::test]
async fn in_the_older_era_the_level_is_the_sessions_and_said_again_in_a_new_one() {
    let mut calls = 0;
    let server = Streaming::new(move |seen| {
        if seen.method() != "tools/call" {
            return result(seen, json!({})).map(Into::into);
        }
        calls += 1;
        if calls == 1 {
            return empty(404).map(Into::into);
        }
        let (wire, response): (Wire, _) = open();
        wire.send(event(&log("warning", "w"))).unwrap();
        wire.send(event(&done(&seen.body["id"]))).unwrap();
        response
    });
    let (logs, hear) = logged();
    let client = server.client().with_notices(hear);
    client.set_log_level(LogLevel::Warning).await.unwrap();
    client.call_tool("t", &raw(json!({}))).await.unwrap();
    assert_eq!(logs.lock().unwrap()[0].level, LogLevel::Warning);
    let sent = server.sent();
    let methods: Vec<&str> = sent.iter().map(|seen| seen.method()).collect();
    assert_eq!(
        methods,
        [
            "logging/setLevel",
            "tools/call",
            "initialize",
            "notifications/initialized",
            "logging/setLevel",
            "tools/call"
        ]
    );
    assert_eq!(sent[4].body["params"], json!({"level": "warning"}));
}
