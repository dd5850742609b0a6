//! Every tool against the sandbox: what it sends, what it answers, what it hides, and whom it refuses.

mod bad_input;
mod cases;
mod facts;
mod stage;

use std::collections::BTreeSet;
use std::future::Future as _;
use std::task::{Context, Waker};

use didit_sandbox::{Fault, Matching, Role};
use http::{Extensions, StatusCode};
use serde_json::{Map, Value, json};

use self::cases::{OWN_ANSWERS, SHOWN};
use self::facts::{Tool, tools};
use self::stage::{PERSON, Stage};

/// Fields that hold a secret wherever Didit answers with them.
const SECRETS: [&str; 5] = [
    "api_key",
    "client_secret",
    "secret",
    "secret_shared_key",
    "signing_secret",
];

/// Tools that make an account or need none.
fn needs_nobody(name: &str) -> bool {
    name.starts_with("didit_account_")
}

fn tried() -> impl Iterator<Item = Tool> {
    let all = tools();
    assert_eq!(all.len(), 163);
    all.into_iter()
}

/// A sandbox for one tool, with what the tool needs, and its arguments.
async fn set_up(tool: &Tool) -> (Stage, Map<String, Value>) {
    let stage = Stage::new();
    let arguments = arguments_on(&stage, tool).await;
    (stage, arguments)
}

/// The arguments of a tool on a sandbox where what it needs is there.
async fn arguments_on(stage: &Stage, tool: &Tool) -> Map<String, Value> {
    let arguments = tool.arguments(stage).await;
    stage.known("org").await;
    stage.known("app").await;
    stage.forget();
    arguments
}

async fn call(stage: &Stage, tool: &Tool, arguments: &Map<String, Value>) -> Value {
    let arguments = Value::Object(arguments.clone());
    stage.call(&tool.name, arguments, tool.over_stdio()).await
}

fn text(result: &Value) -> &str {
    result["content"][0]["text"].as_str().unwrap()
}

#[tokio::test]
async fn every_tool_sends_what_is_known_of_it() {
    for tool in tried() {
        let (stage, arguments) = set_up(&tool).await;
        let result = call(&stage, &tool, &arguments).await;
        assert!(
            result.get("isError").is_none(),
            "{} {arguments:?}: {result}",
            tool.name
        );
        let reads_places = tool.calls.iter().any(|call| {
            call["request"]
                .as_str()
                .unwrap()
                .contains("/organizations/me/")
        });
        let sent = if reads_places {
            stage.sandbox.requests()
        } else {
            stage.sent()
        };
        let lines: Vec<String> = sent
            .iter()
            .map(|seen| format!("{} {}", seen.method, seen.path))
            .collect();
        assert_eq!(sent.len(), tool.order.len(), "{} sent {lines:?}", tool.name);
        let (org, app) = (stage.known("org").await, stage.known("app").await);
        for (at, seen) in tool.order.iter().zip(&sent) {
            tool.compare(&tool.calls[*at], &arguments, &org, &app, seen);
            for routing in ["organization_id", "application_id"] {
                assert!(
                    seen.query.iter().all(|(name, _)| name != routing),
                    "{} {lines:?}",
                    tool.name
                );
                assert!(
                    seen.json().is_none_or(|body| body.get(routing).is_none()),
                    "{} {lines:?}",
                    tool.name
                );
            }
        }
    }
}

#[tokio::test]
async fn every_tool_answers_what_didit_answered() {
    let mut other = BTreeSet::new();
    for tool in tried() {
        let (stage, arguments) = set_up(&tool).await;
        let result = call(&stage, &tool, &arguments).await;
        let answer: Value = serde_json::from_str(text(&result)).unwrap();
        let shown = match &answer {
            Value::Object(_) => answer.clone(),
            value => json!({"value": value}),
        };
        assert_eq!(result["structuredContent"], shown, "{}", tool.name);
        assert!(result.get("isError").is_none(), "{}", tool.name);
        let answers = stage.answers.lock().unwrap();
        let wanted = match answers.last() {
            Some((204, _)) => json!({"success": true}),
            // A file is no JSON, and never the answer as it is.
            Some((_, body)) => serde_json::from_slice(body).unwrap_or_default(),
            None => Value::Null,
        };
        if answer != wanted && tool.masked.is_empty() {
            other.insert(tool.name.clone());
        }
    }
    let known = OWN_ANSWERS.iter().flat_map(|(names, _)| names.iter());
    let known: BTreeSet<String> = known.map(|name| (*name).to_owned()).collect();
    assert_eq!(other, known);
}

/// The texts of fields of these names, wherever they are.
fn values_of<'a>(value: &'a Value, names: &[&str], out: &mut Vec<&'a str>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| values_of(item, names, out)),
        Value::Object(members) => {
            for (name, member) in members {
                match member.as_str() {
                    Some(text) if names.contains(&name.as_str()) => out.push(text),
                    _ => values_of(member, names, out),
                }
            }
        }
        _ => {}
    }
}

#[tokio::test]
async fn every_tool_hides_the_secrets_that_didit_answers_with() {
    let mut hid = BTreeSet::new();
    let mut showed = BTreeSet::new();
    for tool in tried() {
        let (stage, arguments) = set_up(&tool).await;
        let result = call(&stage, &tool, &arguments).await;
        let mut names = SECRETS.to_vec();
        names.extend(tool.masked.iter().map(String::as_str));
        let written = result.to_string();
        let answers = stage.answers.lock().unwrap().clone();
        for (_, body) in &answers {
            let body: Value = serde_json::from_slice(body).unwrap_or_default();
            let mut secrets = Vec::new();
            values_of(&body, &names, &mut secrets);
            for secret in secrets {
                if written.contains(secret) {
                    showed.insert(tool.name.clone());
                } else {
                    hid.insert(tool.name.clone());
                }
            }
        }
        if !tool.masked.is_empty() {
            assert!(
                hid.contains(&tool.name),
                "{}: there was no secret to hide",
                tool.name
            );
            assert!(written.contains("_set\":true"), "{}: {written}", tool.name);
        }
    }
    let known: BTreeSet<String> = SHOWN.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(showed, known);
}

#[tokio::test]
async fn every_tool_that_changes_something_is_refused_to_a_reader_whose_role_changed_a_second_ago()
{
    let mut wrong = Vec::new();
    for tool in tried() {
        let (stage, arguments) = set_up(&tool).await;
        let org = stage.known("org").await;
        let tools = stage.tools(stage.sandbox.credential(PERSON).unwrap(), tool.over_stdio());
        // What the person may reach is known from when they were an administrator.
        let extensions = Extensions::new();
        let context = tools.call(&extensions, "didit_context_get", None);
        assert!(context.await.unwrap().is_ok());
        assert!(stage.sandbox.set_role(PERSON, &org, Role::Reader));
        let outcome = tools.call(&extensions, &tool.name, Some(&arguments));
        let outcome = outcome.await.unwrap();
        // Didit shows a key to whoever may read the application, and a report to whoever may read the
        // session.
        let reads = tool.fact["annotations"]["readOnlyHint"] == true
            || needs_nobody(&tool.name)
            || [
                "didit_org_reveal_application_api_key",
                "didit_session_generate_pdf",
            ]
            .contains(&tool.name.as_str());
        let told = outcome.err().map(|failure| failure.text());
        let refused = told.as_deref().is_some_and(|text| {
            text.starts_with("Error [forbidden]: ") && text.contains("is READER in")
        });
        if reads != told.is_none() || (!reads && !refused) {
            wrong.push(format!("{} {told:?}", tool.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn every_tool_says_that_a_credential_is_refused() {
    let stage = Stage::new();
    let mut wrong = Vec::new();
    for tool in tried().filter(|tool| !needs_nobody(&tool.name) && !tool.calls.is_empty()) {
        let arguments = arguments_on(&stage, &tool).await;
        let credential = "made-up-credential-0123456789".to_owned();
        let arguments = Value::Object(arguments);
        let result = stage
            .call_as(credential, &tool.name, arguments, tool.over_stdio())
            .await;
        if !text(&result).starts_with("Error [unauthorized]: ") || text(&result).contains("made-up")
        {
            wrong.push(format!("{} {}", tool.name, text(&result)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn every_tool_survives_every_fault_and_says_which() {
    let faults = [
        (
            "server_error",
            Fault::Status(StatusCode::INTERNAL_SERVER_ERROR),
        ),
        ("rate_limited", Fault::RateLimited { retry_after: 3 }),
        (
            "error",
            Fault::Redirect("https://elsewhere.example/x".to_owned()),
        ),
        ("network_error", Fault::Cut),
        ("", Fault::Html),
        ("", Fault::Truncated),
        ("", Fault::WrongShape),
        ("", Fault::WrongTypes),
    ];
    let mut wrong = Vec::new();
    for tool in tried().filter(|tool| !tool.calls.is_empty()) {
        let (stage, arguments) = set_up(&tool).await;
        for (code, fault) in &faults {
            stage.sandbox.fault(Matching::all(), fault.clone());
            let result = call(&stage, &tool, &arguments).await;
            stage.sandbox.heal();
            let text = text(&result);
            let said = text.starts_with(&format!("Error [{code}]: "));
            if !code.is_empty() && !said
                || ["elsewhere.example", "panicked", ".rs", "\n    at "]
                    .iter()
                    .any(|inside| text.contains(inside))
                || text.contains("<!doctype") && result["isError"] == true
            {
                wrong.push(format!(
                    "{} {fault:?}: {}",
                    tool.name,
                    text.chars().take(200).collect::<String>()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn every_call_that_is_dropped_drops_its_request() {
    let stage = Stage::new();
    for tool in tried().filter(|tool| !tool.calls.is_empty()) {
        let arguments = arguments_on(&stage, &tool).await;
        stage.sandbox.fault(Matching::all(), Fault::Silent);
        let mut waiting = Box::pin(call(&stage, &tool, &arguments));
        let mut context = Context::from_waker(Waker::noop());
        assert!(
            waiting.as_mut().poll(&mut context).is_pending(),
            "{}",
            tool.name
        );
        assert!(!stage.sandbox.requests().is_empty(), "{}", tool.name);
        assert!(stage.still_open() > 0, "{}", tool.name);
        drop(waiting);
        assert_eq!(stage.still_open(), 0, "{}", tool.name);
        stage.sandbox.heal();
    }
}

#[tokio::test]
async fn a_balance_that_is_short_is_told_with_the_remedy() {
    let tool = tried()
        .find(|tool| tool.name == "didit_verify_aml")
        .unwrap();
    let (stage, arguments) = set_up(&tool).await;
    let org = stage.known("org").await;
    assert!(stage.sandbox.set_balance(&org, 0));
    let result = call(&stage, &tool, &arguments).await;
    let text = text(&result);
    assert!(text.starts_with("Error [payment_required]: "), "{text}");
    assert!(text.contains("50 USD"), "{text}");
}
