//! A tool call that goes on as a task, followed to its end.

use std::sync::Mutex;
use std::time::Duration;

use mcp_protocol::client::{BadAnswer, Client, ClientError, Limits, Pausing};
use mcp_protocol::types::TaskStatus;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::{Server, modern, raw, result, said};
use crate::rounds::Willing;

fn timer(time: Duration) -> Pausing {
    Box::pin(sleep(time))
}

fn task(status: &str, mut more: Value) -> Value {
    let base = json!({"taskId": "t-1", "status": status, "createdAt": "2026-07-28T00:00:00Z",
                      "lastUpdatedAt": "2026-07-28T00:00:00Z", "ttlMs": null, "pollIntervalMs": 500});
    let members = more.as_object_mut().unwrap();
    for (name, value) in base.as_object().unwrap() {
        members.entry(name.clone()).or_insert(value.clone());
    }
    more
}

/// A server whose calls become a task that is in these states, one after the other, and in the last for ever.
fn working(states: Vec<Value>) -> Server {
    let states = Mutex::new(states);
    modern(move |seen| match seen.method() {
        "tools/call" => result(seen, task("working", json!({"resultType": "task"}))),
        "tasks/get" => {
            let mut states = states.lock().unwrap();
            let state = if states.len() > 1 {
                states.remove(0)
            } else {
                states[0].clone()
            };
            result(seen, state)
        }
        _ => result(seen, json!({"resultType": "complete"})),
    })
}

fn following(server: &Server) -> Client<Server> {
    server
        .client()
        .following_tasks()
        .with_host(Willing)
        .with_pause(timer)
}

fn completed() -> Value {
    task("completed", json!({"result": said("done")}))
}

async fn call(client: &Client<Server>) -> Result<String, ClientError> {
    let called = client.call_tool("t", &raw(json!({}))).await?;
    Ok(called.result.content[0].as_text().unwrap().to_owned())
}

#[tokio::test(start_paused = true)]
async fn mcp_task_11_a_task_is_polled_at_its_pace_until_it_is_done() {
    let server = working(vec![
        task("working", json!({})),
        task("working", json!({"pollIntervalMs": 2000})),
        completed(),
    ]);
    let client = following(&server);
    let start = Instant::now();
    let seen: Mutex<Vec<TaskStatus>> = Mutex::default();
    let arguments = raw(json!({}));
    let watched = client.call("t", &arguments).watch_task(|task| {
        assert_eq!(task.task_id, "t-1");
        seen.lock().unwrap().push(task.status);
    });
    let called = watched.send().await.unwrap();
    assert_eq!(called.result.content[0].as_text(), Some("done"));
    assert_eq!(start.elapsed(), Duration::from_millis(500 + 500 + 2000));
    assert_eq!(seen.into_inner().unwrap().len(), 4);
    assert_eq!(
        server.methods()[1..],
        ["tools/call", "tasks/get", "tasks/get", "tasks/get"]
    );
    for get in &server.seen()[2..] {
        assert_eq!(get.header("mcp-name"), Some("t-1"));
        assert_eq!(get.body["params"]["taskId"], "t-1");
    }
    // The extension is declared, and so is what the host declares.
    let declared =
        &server.seen()[1].body["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"];
    assert_eq!(
        declared["extensions"],
        json!({"io.modelcontextprotocol/tasks": {}})
    );
    assert!(declared["roots"].is_object());
}

#[tokio::test]
async fn mcp_task_01_either_shape_is_handled_and_a_task_only_where_it_was_declared() {
    let server = modern(|seen| result(seen, said("done")));
    assert_eq!(call(&following(&server)).await.unwrap(), "done");
    let server = working(vec![completed()]);
    let refused = call(&server.client()).await;
    assert!(
        matches!(
            refused,
            Err(ClientError::Answer(BadAnswer::UnknownResultType(_)))
        ),
        "{refused:?}"
    );
    let server = modern(|seen| {
        result(
            seen,
            task("working", json!({"resultType": "task", "prompts": []})),
        )
    });
    let refused = following(&server).list_prompts().await;
    assert!(matches!(
        refused,
        Err(ClientError::Answer(BadAnswer::UnknownResultType(_)))
    ));
}

#[tokio::test(start_paused = true)]
async fn mcp_task_11_each_question_is_answered_once() {
    let ask = |keys: &[&str]| {
        let asked: serde_json::Map<String, Value> = keys
            .iter()
            .map(|key| ((*key).to_owned(), json!({"method": "roots/list"})))
            .collect();
        task("input_required", json!({"inputRequests": asked}))
    };
    let server = working(vec![
        ask(&["a"]),
        ask(&["a"]),
        ask(&["a", "b"]),
        completed(),
    ]);
    assert_eq!(call(&following(&server)).await.unwrap(), "done");
    let updates: Vec<Value> = server
        .seen()
        .iter()
        .filter(|seen| seen.method() == "tasks/update")
        .map(|seen| {
            assert_eq!(seen.header("mcp-name"), Some("t-1"));
            seen.body["params"]["inputResponses"].clone()
        })
        .collect();
    assert_eq!(
        updates,
        [json!({"a": {"roots": []}}), json!({"b": {"roots": []}})]
    );
}

#[tokio::test(start_paused = true)]
async fn each_end_of_a_task_has_its_reason() {
    let failed = task(
        "failed",
        json!({"error": {"code": -32603, "message": "broken"}}),
    );
    let refused = call(&following(&working(vec![failed]))).await;
    assert!(matches!(refused, Err(ClientError::Rpc { error, .. }) if error.message == "broken"));
    let refused = call(&following(&working(vec![task("cancelled", json!({}))]))).await;
    assert!(matches!(refused, Err(ClientError::TaskCancelled)));
    for bad in [
        task("completed", json!({})),
        task("failed", json!({})),
        json!({}),
        task("working", json!({"taskId": "t-2"})),
    ] {
        let refused = call(&following(&working(vec![bad]))).await;
        assert!(
            matches!(refused, Err(ClientError::Answer(BadAnswer::Result { .. }))),
            "{refused:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn mcp_task_11_what_is_given_up_is_stopped_and_never_by_a_notification() {
    let server = working(vec![task("working", json!({"pollIntervalMs": 0}))]);
    let client = following(&server).with_limits(Limits {
        max_task_time: Duration::from_secs(2),
        ..Limits::default()
    });
    let refused = call(&client).await;
    assert!(
        matches!(refused, Err(ClientError::TimedOut(_))),
        "{refused:?}"
    );
    let methods = server.methods();
    assert_eq!(methods.last().map(String::as_str), Some("tasks/cancel"));
    assert_eq!(
        server.seen().last().unwrap().header("mcp-name"),
        Some("t-1")
    );
    assert!(methods.len() < 25 && !methods.contains(&"notifications/cancelled".to_owned()));

    let asked = json!({"inputRequests": {"a": {"method": "invented"}}});
    let server = working(vec![task("input_required", asked)]);
    let refused = call(&following(&server)).await;
    assert!(
        matches!(refused, Err(ClientError::Unanswered(_))),
        "{refused:?}"
    );
    assert_eq!(
        server.methods().last().map(String::as_str),
        Some("tasks/cancel")
    );
}

#[tokio::test(start_paused = true)]
async fn a_task_whose_id_was_kept_is_followed_later() {
    let server = working(vec![task("working", json!({})), completed()]);
    let without = server.client().following_tasks();
    let refused = call(&without).await;
    let Err(ClientError::StillWorking(started)) = refused else {
        panic!("{refused:?}")
    };
    let called = following(&server)
        .follow_task(&started.task_id)
        .await
        .unwrap();
    assert_eq!(called.result.content[0].as_text(), Some("done"));
}
