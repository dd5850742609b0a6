//! Tool calls that go on as tasks: who gets one, who sees it, what becomes of it, how long it is kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use mcp_protocol::serve::{
    Context, Error, HttpService, Operation, Options, SessionLimits, TaskContext, TaskLimits,
    TaskTerms,
};
use mcp_protocol::types::{Ask, Elicitation, RootList, ToolCall, ToolResult};
use serde_json::{Value, json};

use crate::drive::*;

const EXTENSION: &str = "io.modelcontextprotocol/tasks";

/// The tools of the test server that go on as tasks.
pub(crate) async fn work(
    server: &Server,
    context: &Context,
    call: &ToolCall,
) -> Result<ToolResult, Error> {
    let optional = TaskTerms::optional();
    match call.name.as_str() {
        "job" => context.task(optional, job).await,
        "job-required" => context.task(TaskTerms::required(), job).await,
        "job-error" => {
            let work = |_| async { Ok(ToolResult::error("no")) };
            context.task(optional, work).await
        }
        "job-fault" => {
            let work = |_| async { Err(Error::resource_not_found("test://x")) };
            context.task(optional, work).await
        }
        "job-panic" => {
            let work = |_| async { panic!("the work of a task broke") };
            context.task(optional, work).await
        }
        "job-never" => {
            // Breaks before there is any work.
            let work = |_| -> std::future::Pending<_> { panic!("no work") };
            context.task(optional, work).await
        }
        "job-fault-long" => {
            let work = |_| async { Err(Error::invalid_params("x".repeat(3000))) };
            context.task(optional, work).await
        }
        "job-alone" => {
            let work = |task: TaskContext| async move {
                let asked = task.elicit("name", form()).await;
                let error = asked.err().and_then(|error| Some(error.as_rpc()?.code));
                Ok(ToolResult::text(format!("without a name: {error:?}")))
            };
            context.task(optional, work).await
        }
        "job-soon" => {
            let work = |task: TaskContext| async move {
                task.status("soon");
                tokio::task::yield_now().await;
                Ok(ToolResult::text("done"))
            };
            context.task(optional, work).await
        }
        "job-long" => {
            let work = |_| async { Ok(ToolResult::text("x".repeat(3000))) };
            context.task(optional, work).await
        }
        "job-forever" => {
            let guard = SetOnDrop(Arc::clone(&server.dropped));
            let work = |task: TaskContext| async move {
                let _guard = guard;
                task.status("for ever");
                std::future::pending().await
            };
            let terms = optional.ttl(Duration::from_secs(10));
            context
                .task(terms.poll_interval(Duration::from_millis(250)), work)
                .await
        }
        "job-name" => {
            let work = |task: TaskContext| async move {
                let first = task.elicit("name", form()).await?;
                let second = task.elicit("name", form()).await?;
                Ok(ToolResult::text(format!(
                    "{:?} {:?}",
                    first.action, second.action
                )))
            };
            context.task(optional, work).await
        }
        "job-two" => {
            let work = |task: TaskContext| async move {
                let asks = [("name", Ask::Elicit(form())), ("roots", Ask::Roots)];
                let answers = task.ask_all(asks).await?;
                let roots: RootList = answers.read("roots")?;
                Ok(ToolResult::text(format!("{} roots", roots.roots.len())))
            };
            context.task(optional, work).await
        }
        "job-impatient" => {
            let work = |task: TaskContext| async move {
                let asking = task.elicit("name", form());
                let late = Duration::from_secs(5);
                let answer = tokio::time::timeout(late, asking).await;
                assert!(answer.is_err());
                tokio::time::sleep(late).await;
                Ok(ToolResult::text("nobody answered"))
            };
            context.task(optional, work).await
        }
        "job-nested" => {
            // Asked for twice, the first becomes the answer; the work itself cannot be one.
            let first = context.task(optional, job).await;
            assert!(first.is_err());
            first
        }
        _ => Err(call.unknown().into()),
    }
}

async fn job(task: TaskContext) -> Result<ToolResult, Error> {
    let who = task.extensions().get::<Person>().map_or("nobody", |p| p.0);
    let kind = if task.id().is_some() { "task" } else { "call" };
    Ok(ToolResult::text(format!("{kind} of {who}")))
}

fn form() -> Elicitation {
    Elicitation::Form {
        message: "Name?".to_owned(),
        requested_schema: json!({ "type": "object", "properties": {} }).into(),
    }
}

fn with_tasks() -> Service {
    tasks_of(Server::default(), |_| {})
}

fn tasks_of(server: Server, set: impl FnOnce(&mut TaskLimits)) -> Service {
    HttpService::new(server, options(set))
}

/// Tasks and sessions with ids that are known beforehand.
pub(crate) fn options(set: impl FnOnce(&mut TaskLimits)) -> Options {
    let (count, start) = (AtomicU8::new(0), tokio::time::Instant::now());
    let mut limits = TaskLimits::new(
        move || UNIX_EPOCH + start.elapsed(),
        move |dest| dest.fill(count.fetch_add(1, Ordering::SeqCst)),
    );
    set(&mut limits);
    Options {
        tasks: Some(limits),
        sessions: Some(SessionLimits::new(|dest| dest.fill(7))),
        principal: Some(Arc::new(|extensions| {
            extensions.get::<Person>().map(|p| p.0.to_owned())
        })),
        ..Options::default()
    }
}

fn declared() -> Value {
    json!({ "extensions": { EXTENSION: {} }, "elicitation": {}, "roots": {} })
}

fn tool(name: &str) -> Call {
    modern_as(&declared(), "tools/call", json!({ "name": name }))
}

fn about(method: &str, id: &str) -> Call {
    modern_as(&declared(), method, json!({ "taskId": id }))
}

fn update(id: &str, answers: &Value) -> Call {
    let params = json!({ "taskId": id, "inputResponses": answers });
    modern_as(&declared(), "tasks/update", params)
}

/// Starts a task, and gives its id.
async fn start(service: &Service, name: &str) -> String {
    let result = tool(name).send(service).await.json()["result"].take();
    assert_eq!(result["resultType"], "task", "{result}");
    result["taskId"].as_str().unwrap().to_owned()
}

/// Lets the work of tasks go on, and looks.
async fn look(service: &Service, id: &str) -> Value {
    for _ in 0..8 {
        tokio::task::yield_now().await;
    }
    let mut result = about("tasks/get", id).send(service).await.json()["result"].take();
    assert_eq!(result["resultType"], "complete", "{result}");
    assert!(
        result["_meta"]
            .as_object_mut()
            .unwrap()
            .remove(INFO)
            .is_some()
    );
    result
}

fn error(code: i64, message: &str) -> String {
    let message = json!(message);
    format!(r#"{{"jsonrpc":"2.0","id":1,"error":{{"code":{code},"message":{message}}}}}"#)
}

#[tokio::test(start_paused = true)]
async fn a_call_becomes_a_task_and_its_result_is_kept() {
    let service = with_tasks();
    let created = tool("job").person("ada").send(&service).await;
    assert_eq!(created.status, 200);
    let id = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    assert_eq!(
        created.json()["result"],
        json!({
            "resultType": "task",
            "_meta": { INFO: { "name": "test", "version": "1" } },
            "taskId": id,
            "status": "working",
            "createdAt": "1970-01-01T00:00:00.000Z",
            "lastUpdatedAt": "1970-01-01T00:00:00.000Z",
            "ttlMs": 3_600_000,
            "pollIntervalMs": 1000,
        })
    );
    // It is there before anyone hears of it.
    let at_once = about("tasks/get", id).person("ada").send(&service).await;
    assert_eq!(at_once.json()["result"]["taskId"], id);
    tokio::time::sleep(Duration::from_secs(3599)).await;
    let late = about("tasks/get", id).person("ada").send(&service).await;
    let result = &late.json()["result"];
    assert_eq!(result["status"], "completed");
    assert_eq!(
        result["result"],
        json!({ "content": [{ "type": "text", "text": "task of ada" }] })
    );
    assert_eq!(result.get("error"), None);
    tokio::time::sleep(Duration::from_secs(1)).await;
    about("tasks/get", id)
        .person("ada")
        .send(&service)
        .await
        .is(200, &error(-32602, "unknown task"));
}

#[tokio::test]
async fn who_does_not_declare_the_extension_is_answered_at_once() {
    let service = with_tasks();
    for capabilities in [
        json!({}),
        json!({ "extensions": {} }),
        json!({ "tasks": { "requests": { "tools": { "call": {} } } } }),
    ] {
        let call = |name| modern_as(&capabilities, "tools/call", json!({ "name": name }));
        let answer = call("job").send(&service).await;
        assert_eq!(answer.json()["result"]["resultType"], "complete");
        assert_eq!(answer.tool_text(), "call of nobody");
        let refused = call("job-required").send(&service).await;
        assert_eq!(refused.status, 400);
        assert_eq!(
            refused.json()["error"],
            json!({
                "code": -32021,
                "message": "the client has not declared a capability that this needs",
                "data": { "requiredCapabilities": { "extensions": { EXTENSION: {} } } },
            })
        );
        for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
            let refused = modern_as(&capabilities, method, json!({ "taskId": "x" }))
                .send(&service)
                .await;
            assert_eq!(refused.status, 400);
            assert_eq!(
                refused.json()["error"],
                json!({
                    "code": -32021,
                    "message": format!("the client has not declared the extension {EXTENSION}"),
                    "data": { "requiredCapabilities": { "extensions": { EXTENSION: {} } } },
                })
            );
        }
    }
}

#[tokio::test]
async fn the_extension_is_declared_where_tasks_are_served_and_only_there() {
    let capabilities = |answer: Answer| answer.json()["result"]["capabilities"].take();
    let discover = || modern("server/discover", json!({}));
    let with = capabilities(discover().send(&with_tasks()).await);
    assert_eq!(with["extensions"], json!({ EXTENSION: {} }));
    assert_eq!(with.get("tasks"), None);
    let older = capabilities(
        initialize("2025-11-25", &declared())
            .send(&with_tasks())
            .await,
    );
    assert_eq!((older.get("extensions"), older.get("tasks")), (None, None));
    let service = stateless();
    let without = capabilities(discover().send(&service).await);
    assert_eq!(without.get("extensions"), None);
    // There a task is neither followed nor promised.
    assert_eq!(
        tool("job").send(&service).await.tool_text(),
        "call of nobody"
    );
    // The client has declared all that it could, so nothing is missing of it.
    tool("job-required")
        .send(&service)
        .await
        .is(200, &error(-32603, "this call cannot go on as a task"));
    about("tasks/get", "x")
        .without("mcp-name")
        .send(&service)
        .await
        .is(404, &error(-32601, "method not found: tasks/get"));
}

#[tokio::test]
async fn the_older_revisions_have_no_tasks() {
    let service = with_tasks();
    let opened = initialize("2025-11-25", &declared()).send(&service).await;
    let session = opened.header("mcp-session-id").unwrap().to_owned();
    let call = |method, params: &Value| {
        legacy("2025-11-25", method, params).header("mcp-session-id", &session)
    };
    let answer = call("tools/call", &json!({ "name": "job" }))
        .send(&service)
        .await;
    assert_eq!(answer.tool_text(), "call of nobody");
    let refused = call("tools/call", &json!({ "name": "job-required" }))
        .send(&service)
        .await;
    assert_eq!(
        (refused.status, &refused.json()["error"]["code"]),
        (200, &json!(-32600))
    );
    call("tasks/get", &json!({ "taskId": "x" }))
        .send(&service)
        .await
        .is(200, &error(-32601, "method not found: tasks/get"));
}

#[tokio::test]
async fn methods_of_the_older_tasks_are_unknown_and_their_parameter_is_ignored() {
    let service = with_tasks();
    for method in ["tasks/result", "tasks/list"] {
        let message = format!("method not found: {method}");
        about(method, "x")
            .send(&service)
            .await
            .is(404, &error(-32601, &message));
    }
    let params = json!({ "name": "echo", "task": { "ttl": 60_000, "pollInterval": 100 } });
    let answer = modern_as(&declared(), "tools/call", params)
        .send(&service)
        .await;
    assert_eq!(answer.json()["result"]["resultType"], "complete");
}

#[tokio::test]
async fn the_name_header_is_the_id_of_the_task() {
    let service = with_tasks();
    let id = start(&service, "job").await;
    for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
        let call = || {
            let params = json!({ "taskId": &id, "inputResponses": {} });
            modern_as(&declared(), method, params)
        };
        assert_eq!(call().send(&service).await.status, 200);
        call().replace("mcp-name", "other").send(&service).await.is(
            400,
            &error(-32020, "header Mcp-Name does not match the body"),
        );
        call()
            .without("mcp-name")
            .send(&service)
            .await
            .is(400, &error(-32020, "header Mcp-Name is missing"));
    }
}

#[tokio::test]
async fn an_unknown_task_is_a_wrong_parameter_and_so_is_none() {
    let service = with_tasks();
    let unknown = error(-32602, "unknown task");
    about("tasks/get", "x")
        .send(&service)
        .await
        .is(200, &unknown);
    about("tasks/cancel", "x")
        .send(&service)
        .await
        .is(200, &unknown);
    update("x", &json!({}))
        .send(&service)
        .await
        .is(200, &unknown);
    for (method, params) in [
        ("tasks/get", json!({})),
        ("tasks/get", json!({ "taskId": 5 })),
        ("tasks/cancel", json!({ "taskId": null })),
        ("tasks/update", json!({ "taskId": "x" })),
        (
            "tasks/update",
            json!({ "taskId": "x", "inputResponses": [] }),
        ),
        (
            "tasks/update",
            json!({ "taskId": "x", "inputResponses": null }),
        ),
    ] {
        let answer = modern_as(&declared(), method, params.clone())
            .send(&service)
            .await;
        assert_eq!(answer.status, 200, "{method} {params}");
        assert_eq!(answer.json()["error"]["code"], -32602, "{method} {params}");
    }
}

#[tokio::test]
async fn a_task_stays_with_the_one_who_started_it() {
    let server = Server::default();
    let service = tasks_of(server.clone(), |_| {});
    let created = tool("job-forever").person("ada").send(&service).await;
    let id = created.json()["result"]["taskId"]
        .as_str()
        .unwrap()
        .to_owned();
    let unknown = error(-32602, "unknown task");
    for someone in [Some("eve"), None] {
        for call in [
            about("tasks/get", &id),
            about("tasks/cancel", &id),
            update(&id, &json!({})),
        ] {
            let call = match someone {
                Some(name) => call.person(name),
                None => call,
            };
            call.send(&service).await.is(200, &unknown);
        }
    }
    tokio::task::yield_now().await;
    assert!(!server.dropped.load(Ordering::SeqCst));
    let own = about("tasks/get", &id).person("ada").send(&service).await;
    assert_eq!(own.json()["result"]["status"], "working");
}

#[tokio::test]
async fn each_way_to_end_has_its_own_status() {
    let service = tasks_of(Server::default(), |limits| limits.max_result_bytes = 2000);
    let id = start(&service, "job-error").await;
    let failed_tool = look(&service, &id).await;
    assert_eq!(failed_tool["status"], "completed");
    assert_eq!(failed_tool["result"]["isError"], true);
    for (name, code, message) in [
        ("job-fault", -32602, "resource not found"),
        ("job-panic", -32603, "the work broke off"),
        ("job-long", -32603, "the result is too long"),
        ("job-fault-long", -32603, "the error is too long"),
    ] {
        let id = start(&service, name).await;
        let task = look(&service, &id).await;
        assert_eq!(task["status"], "failed", "{name}");
        assert_eq!(task["error"]["code"], code, "{name}");
        assert_eq!(task["error"]["message"], message, "{name}");
        assert_eq!(task.get("result"), None, "{name}");
    }
}

#[tokio::test]
async fn a_task_whose_work_never_began_takes_no_room() {
    let service = tasks_of(Server::default(), |limits| limits.max_tasks = 1);
    let broken = service.clone();
    let call = tokio::spawn(async move { tool("job-never").send(&broken).await.status });
    assert!(call.await.unwrap_err().is_panic());
    start(&service, "job").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_end_is_for_ever_whoever_comes_first() {
    let seen = |task: &Value| (task["status"].clone(), task["result"].clone());
    for _ in 0..100 {
        let service = with_tasks();
        let id = start(&service, "job-soon").await;
        let racers = (0..4).map(|_| {
            let (service, id) = (service.clone(), id.clone());
            tokio::spawn(async move {
                let first = look(&service, &id).await;
                assert_eq!(
                    update(&id, &json!({ "x": 1 })).send(&service).await.status,
                    200
                );
                assert_eq!(about("tasks/cancel", &id).send(&service).await.status, 200);
                (first, look(&service, &id).await)
            })
        });
        let racers: Vec<_> = racers.collect();
        let mut ends = Vec::new();
        for racer in racers {
            let (first, last) = racer.await.unwrap();
            if first["status"] != "working" {
                ends.push(seen(&first));
            }
            ends.push(seen(&last));
        }
        let end = ends[0].clone();
        assert!(end.0 == "completed" || end.0 == "cancelled", "{end:?}");
        assert_eq!(end.0 == "completed", end.1.is_object(), "{end:?}");
        assert!(ends.iter().all(|other| *other == end), "{ends:?}");
    }
}

#[tokio::test]
async fn a_task_is_cancelled_once_and_its_work_is_dropped() {
    let server = Server::default();
    let service = tasks_of(server.clone(), |_| {});
    let id = start(&service, "job-forever").await;
    let task = look(&service, &id).await;
    assert_eq!(
        (&task["status"], &task["statusMessage"]),
        (&json!("working"), &json!("for ever"))
    );
    assert_eq!(
        (&task["ttlMs"], &task["pollIntervalMs"]),
        (&json!(10_000), &json!(250))
    );
    for _ in 0..2 {
        let mut bare = about("tasks/cancel", &id).send(&service).await.json();
        let result = bare["result"].as_object_mut().unwrap();
        assert!(result.remove("_meta").is_some());
        assert_eq!(bare["result"], json!({ "resultType": "complete" }));
        assert_eq!(look(&service, &id).await["status"], "cancelled");
        assert!(server.dropped.load(Ordering::SeqCst));
    }
    // One that is done stays as it is.
    let id = start(&service, "job").await;
    let before = look(&service, &id).await;
    assert_eq!(about("tasks/cancel", &id).send(&service).await.status, 200);
    assert_eq!(look(&service, &id).await, before);
}

#[tokio::test(start_paused = true)]
async fn work_that_is_past_its_time_is_dropped() {
    let server = Server::default();
    let service = tasks_of(server.clone(), |_| {});
    let id = start(&service, "job-forever").await;
    tokio::time::sleep(Duration::from_millis(9999)).await;
    assert_eq!(look(&service, &id).await["status"], "working");
    assert!(!server.dropped.load(Ordering::SeqCst));
    tokio::time::sleep(Duration::from_millis(2)).await;
    about("tasks/get", &id)
        .send(&service)
        .await
        .is(200, &error(-32602, "unknown task"));
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert!(server.dropped.load(Ordering::SeqCst));
}

#[tokio::test(start_paused = true)]
async fn terms_stay_within_the_limits() {
    let service = tasks_of(Server::default(), |limits| {
        limits.max_ttl = Duration::from_secs(5);
    });
    let created = tool("job-forever").send(&service).await;
    assert_eq!(created.json()["result"]["ttlMs"], 5000);
    let created = tool("job").send(&service).await;
    assert_eq!(created.json()["result"]["ttlMs"], 5000);
}

#[tokio::test(start_paused = true)]
async fn tasks_are_bounded_for_each_principal_and_in_all() {
    let service = tasks_of(Server::default(), |limits| {
        limits.max_tasks = 3;
        limits.max_per_principal = 2;
    });
    let full = error(-32603, "too many tasks");
    for _ in 0..2 {
        let created = tool("job").person("ada").send(&service).await;
        assert_eq!(created.json()["result"]["resultType"], "task");
    }
    tool("job")
        .person("ada")
        .send(&service)
        .await
        .is(200, &full);
    let created = tool("job").person("eve").send(&service).await;
    assert_eq!(created.json()["result"]["resultType"], "task");
    tool("job")
        .person("bob")
        .send(&service)
        .await
        .is(200, &full);
    tokio::time::sleep(Duration::from_secs(3600)).await;
    let created = tool("job").person("ada").send(&service).await;
    assert_eq!(created.json()["result"]["resultType"], "task");
}

#[tokio::test]
async fn a_task_asks_and_goes_on_with_the_answer() {
    let service = with_tasks();
    let id = start(&service, "job-name").await;
    let task = look(&service, &id).await;
    assert_eq!(task["status"], "input_required");
    let schema = json!({ "type": "object", "properties": {} });
    let params = json!({ "mode": "form", "message": "Name?", "requestedSchema": schema });
    let question = json!({ "method": "elicitation/create", "params": params });
    assert_eq!(task["inputRequests"], json!({ "name": &question }));
    for (answers, message) in [
        (
            json!({ "name": 5 }),
            "the answer to \"name\" has the wrong shape",
        ),
        (
            json!({ "name": { "action": "maybe" } }),
            "the answer to \"name\" has the wrong shape",
        ),
    ] {
        update(&id, &answers)
            .send(&service)
            .await
            .is(200, &error(-32602, message));
    }
    // What was not asked is ignored.
    let ack = update(&id, &json!({ "other": 5 })).send(&service).await;
    assert_eq!(ack.json()["result"]["resultType"], "complete");
    assert_eq!(look(&service, &id).await["status"], "input_required");
    let decline = json!({ "action": "decline" });
    let mut ack = update(&id, &json!({ "name": &decline }))
        .send(&service)
        .await
        .json();
    assert!(
        ack["result"]
            .as_object_mut()
            .unwrap()
            .remove("_meta")
            .is_some()
    );
    assert_eq!(ack["result"], json!({ "resultType": "complete" }));
    // The second question of the same name has a key of its own.
    let task = look(&service, &id).await;
    assert_eq!(task["inputRequests"], json!({ "name.2": question }));
    update(&id, &json!({ "name": &decline }))
        .send(&service)
        .await;
    assert_eq!(look(&service, &id).await["status"], "input_required");
    let cancel = json!({ "action": "cancel" });
    update(&id, &json!({ "name.2": cancel }))
        .send(&service)
        .await;
    let task = look(&service, &id).await;
    assert_eq!(task["status"], "completed");
    assert_eq!(task["result"]["content"][0]["text"], "Decline Cancel");
    assert_eq!(task.get("inputRequests"), None);
    assert_eq!(task.get("requestState"), None);
    let ack = update(&id, &json!({ "name": 5 })).send(&service).await;
    assert_eq!(
        ack.json()["result"]["resultType"],
        "complete",
        "all is over"
    );
}

#[tokio::test]
async fn answers_may_come_one_by_one() {
    let service = with_tasks();
    let id = start(&service, "job-two").await;
    let task = look(&service, &id).await;
    assert_eq!(task["inputRequests"].as_object().unwrap().len(), 2);
    update(&id, &json!({ "name": { "action": "decline" } }))
        .send(&service)
        .await;
    // Seen at once, before the work has gone on.
    let mut task = about("tasks/get", &id).send(&service).await.json();
    assert_eq!(
        task["result"]["inputRequests"].take(),
        json!({ "roots": { "method": "roots/list" } })
    );
    update(
        &id,
        &json!({ "roots": { "roots": [{ "uri": "file:///a" }] } }),
    )
    .send(&service)
    .await;
    let task = look(&service, &id).await;
    assert_eq!(task["result"]["content"][0]["text"], "1 roots");
}

#[tokio::test(start_paused = true)]
async fn a_question_that_nobody_waits_for_is_taken_back() {
    let service = with_tasks();
    let id = start(&service, "job-impatient").await;
    assert_eq!(look(&service, &id).await["status"], "input_required");
    tokio::time::sleep(Duration::from_secs(6)).await;
    let task = look(&service, &id).await;
    assert_eq!(
        (&task["status"], task.get("inputRequests")),
        (&json!("working"), None)
    );
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(look(&service, &id).await["status"], "completed");
}

#[tokio::test]
async fn a_task_asks_only_what_the_call_declared() {
    let service = with_tasks();
    let only = json!({ "extensions": { EXTENSION: {} } });
    let created = modern_as(&only, "tools/call", json!({ "name": "job-name" }))
        .send(&service)
        .await;
    let id = created.json()["result"]["taskId"]
        .as_str()
        .unwrap()
        .to_owned();
    let task = look(&service, &id).await;
    assert_eq!(
        (&task["status"], &task["error"]["code"]),
        (&json!("failed"), &json!(-32021))
    );
}

#[tokio::test]
async fn work_can_go_on_without_a_client_that_can_be_asked() {
    let service = with_tasks();
    let without = "without a name: Some(-32021)";
    let call = |capabilities| {
        let params = json!({ "name": "job-alone" });
        modern_as(&capabilities, "tools/call", params)
    };
    let follows = call(json!({ "extensions": { EXTENSION: {} } }));
    let created = follows.send(&service).await.json();
    let id = created["result"]["taskId"].as_str().unwrap();
    let task = look(&service, id).await;
    assert_eq!(task["result"]["content"][0]["text"], without);
    // The same when it is done while the client waits.
    let answer = call(json!({})).send(&service).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.tool_text(), without);
}

#[tokio::test]
async fn work_that_is_done_now_asks_as_the_call_does() {
    let service = with_tasks();
    let asking = json!({ "elicitation": {}, "roots": {} });
    let call = |params: Value| modern_as(&asking, "tools/call", params);
    let interim = call(json!({ "name": "job-two" }))
        .send(&service)
        .await
        .json();
    assert_eq!(interim["result"]["resultType"], "input_required");
    let asked = interim["result"]["inputRequests"].as_object().unwrap();
    assert_eq!(asked.keys().collect::<Vec<_>>(), ["name", "roots"]);
    let answers = json!({ "name": { "action": "decline" }, "roots": { "roots": [] } });
    let answer = call(json!({ "name": "job-two", "inputResponses": answers }))
        .send(&service)
        .await;
    assert_eq!(answer.tool_text(), "0 roots");
}

#[tokio::test]
async fn what_stands_for_a_task_is_passed_on() {
    let service = with_tasks();
    let id = start(&service, "job-nested").await;
    assert_eq!(look(&service, &id).await["status"], "completed");
}

#[tokio::test]
async fn who_listens_for_tasks_declares_the_extension_and_is_told_what_is_honoured() {
    let service = with_tasks();
    let params = json!({ "notifications": { "toolsListChanged": true, "taskIds": ["x"] } });
    let refused = modern("subscriptions/listen", params.clone())
        .send(&service)
        .await;
    assert_eq!(
        (refused.status, &refused.json()["error"]["code"]),
        (400, &json!(-32021))
    );
    let listening = modern_as(&declared(), "subscriptions/listen", params);
    let mut body = listening.response(&service).await.into_body();
    let acknowledged = next(&mut body).await;
    assert_eq!(
        acknowledged["params"]["notifications"],
        json!({ "toolsListChanged": true })
    );
}

#[tokio::test]
async fn the_gate_sees_which_task_a_request_is_about() {
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let gate = move |_: &http::Extensions, operation: &Operation| {
        log.lock().unwrap().push(operation.clone());
        Ok(())
    };
    let options = Options {
        tasks: Some(TaskLimits::new(|| UNIX_EPOCH, |dest| dest.fill(0))),
        gate: Some(Arc::new(gate)),
        ..Options::default()
    };
    let service = HttpService::new(Server::default(), options);
    for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
        about(method, "t").send(&service).await;
        let operation = seen.lock().unwrap().pop().unwrap();
        assert_eq!(
            (operation.method.as_str(), operation.name.as_deref()),
            (method, Some("t"))
        );
    }
    // Who does not declare the extension does not get that far.
    modern("tasks/get", json!({ "taskId": "t" }))
        .send(&service)
        .await;
    assert!(seen.lock().unwrap().is_empty());
}
