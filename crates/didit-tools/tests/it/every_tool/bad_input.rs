//! What does not fit is refused before anything is sent, and the refusal names the argument.

use serde_json::{Map, Value, json};

use super::facts::Tool;
use super::stage::{PERSON, Stage};
use super::{arguments_on, tried};
use crate::mcp::ask_of;

/// Tools that take arguments beside those that they list.
const OPEN: [&str; 4] = [
    "didit_allowlist_add",
    "didit_blocklist_add",
    "didit_blocklist_remove",
    "didit_case_create",
];

/// Tools that find a workflow by its label too: what cannot be an id is looked for among the labels.
const BY_LABEL: [&str; 8] = [
    "didit_workflow_create_draft",
    "didit_workflow_edit_graph",
    "didit_workflow_get_branch_fields",
    "didit_workflow_get_field_definitions",
    "didit_workflow_get_graph",
    "didit_workflow_get_id_verification_methods_catalog",
    "didit_workflow_set_graph",
    "didit_workflow_validate_graph",
];

/// Calls a tool with one argument changed; it must be refused for that argument, with nothing sent.
async fn refused(
    stage: &Stage,
    tool: &Tool,
    arguments: &Map<String, Value>,
    name: &str,
    value: Value,
    what: &str,
    wrong: &mut Vec<String>,
) {
    let mut changed = arguments.clone();
    changed.insert(name.to_owned(), value);
    stage.forget();
    let refusal = stage.refusal(&tool.name, &changed, tool.over_stdio()).await;
    let text = refusal.unwrap_or_default();
    let named = text.lines().any(|line| {
        line.strip_prefix("Field: ").is_some_and(|field| {
            field == name
                || field.starts_with(&format!("{name}."))
                || field.starts_with(&format!("{name}["))
        })
    });
    let codes = ["bad_request", "unprocessable", "unsafe_operation"];
    let coded = codes
        .iter()
        .any(|code| text.starts_with(&format!("Error [{code}]: ")));
    let secret = stage.sandbox.credential(PERSON).unwrap();
    let mut sent = stage.sandbox.requests();
    if name == "workflow_id" && BY_LABEL.contains(&tool.name.as_str()) {
        sent.retain(|request| !request.path.ends_with("/verification-settings/"));
    }
    let sent = sent.len();
    if !named
        || !coded
        || sent > 0
        || text.len() > 4096
        || text.contains(&secret)
        || text.contains('\0')
    {
        wrong.push(format!(
            "{} {name} {what}: sent {sent}: {}",
            tool.name,
            text.chars().take(300).collect::<String>()
        ));
    }
}

/// The arguments that become a part of a path.
fn in_path(tool: &Tool, name: &str) -> bool {
    let part = format!("{{{name}}}");
    matches!(name, "organization_id" | "application_id")
        || tool
            .calls
            .iter()
            .any(|call| call["request"].as_str().unwrap().contains(&part))
}

fn deep(depth: usize) -> Value {
    (0..depth).fold(json!(1), |inner, at| {
        if at % 2 == 0 {
            json!({"a": inner})
        } else {
            json!([inner])
        }
    })
}

#[tokio::test]
async fn every_argument_of_every_tool_refuses_what_does_not_fit() {
    let stage = Stage::new();
    let megabyte = "x".repeat(1 << 20);
    let mut wrong = Vec::new();
    let mut tries = 0;
    for tool in tried() {
        let arguments = arguments_on(&stage, &tool).await;
        for (name, fact) in tool.fact["input"].as_object().unwrap() {
            if fact["only"] == "stdio" || name.ends_with("_path") {
                continue;
            }
            let mut values: Vec<(&str, Value)> = Vec::new();
            let is_text = fact["type"] == "string" || fact["type"][0] == "string";
            if is_text {
                values.push(("1 MB", json!(megabyte)));
            }
            if fact["required"] == true {
                values.push(("null", Value::Null));
            }
            match fact["type"].as_str() {
                Some("string") => values.extend([
                    ("a number", json!(7)),
                    ("a list", json!(["x"])),
                    ("an object", json!({})),
                ]),
                Some("number" | "integer") => {
                    values.extend([("text", json!("7")), ("a boolean", json!(true))])
                }
                Some("boolean") => values.extend([("text", json!("true")), ("a number", json!(1))]),
                Some("object") => values.extend([
                    ("text", json!("{}")),
                    ("a list", json!([])),
                    ("deep", deep(101)),
                ]),
                Some("array") => values.extend([
                    ("text", json!("x")),
                    ("an object", json!({})),
                    ("too many", json!(vec!["x"; 1001])),
                    ("deep", json!([deep(100)])),
                ]),
                _ => values.push(("deep", deep(100))),
            }
            if fact["enum"].is_array() {
                values.push(("another word", json!("elsewhere")));
            }
            if let Some(least) = fact["minimum"].as_f64() {
                values.push(("too little", json!(least - 1.0)));
            }
            if let Some(most) = fact["maximum"].as_f64() {
                values.push(("too much", json!(most + 1.0)));
            }
            if is_text && in_path(&tool, name) && !fact["enum"].is_array() {
                for hostile in [
                    "..",
                    ".",
                    "a/b",
                    "../../organizations/me",
                    "a?x=1",
                    "a#b",
                    "a\r\nb",
                    "a\0b",
                    "a\u{7f}",
                ] {
                    values.push((hostile, json!(hostile)));
                }
            }
            for (what, value) in values {
                tries += 1;
                refused(&stage, &tool, &arguments, name, value, what, &mut wrong).await;
            }
        }
        if !OPEN.contains(&tool.name.as_str()) {
            refused(
                &stage,
                &tool,
                &arguments,
                "surprise",
                json!(1),
                "unknown",
                &mut wrong,
            )
            .await;
        } else {
            refused(
                &stage,
                &tool,
                &arguments,
                "surprise",
                deep(100),
                "unknown and deep",
                &mut wrong,
            )
            .await;
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {tries}\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(tries > 2_000, "{tries}");
}

/// Arguments whose addresses Didit's servers fetch or call.
const FETCHED: [(&str, &str); 5] = [
    ("didit_session_create", "portrait_image"),
    ("didit_session_create_import", "source_file_url"),
    ("didit_webhook_create", "url"),
    ("didit_webhook_update", "url"),
    ("didit_verify_kyb_search", "webhook_url"),
];

const INSIDE: [&str; 24] = [
    "http://localhost/x",
    "http://a.localhost/x",
    "https://printer.local/x",
    "http://127.0.0.1/x",
    "http://127.1/x",
    "http://2130706433/x",
    "http://0x7f000001/x",
    "http://0.0.0.0/x",
    "http://10.1.2.3/x",
    "http://172.16.0.1/x",
    "http://192.168.1.1/x",
    "http://100.64.0.1/x",
    "http://169.254.169.254/latest/meta-data/",
    "http://[::]/x",
    "http://[::1]/x",
    "http://[fc00::1]/x",
    "http://[fe80::1]/x",
    "http://[::ffff:127.0.0.1]/x",
    "http://[::ffff:7f00:1]/x",
    "http://localhost./x",
    "http://127.0.0.1.nip.example/x",
    "http://10-0-0-1.sslip.example/x",
    "http://user@127.0.0.1/x",
    "https://127.0.0.1\\@h.example/x",
];

#[tokio::test]
async fn every_address_that_didit_would_fetch_is_outside() {
    let stage = Stage::new();
    let mut wrong = Vec::new();
    for tool in tried() {
        for (_, argument) in FETCHED.iter().filter(|(name, _)| tool.name == *name) {
            let arguments = arguments_on(&stage, &tool).await;
            for address in INSIDE {
                refused(
                    &stage,
                    &tool,
                    &arguments,
                    argument,
                    json!(address),
                    address,
                    &mut wrong,
                )
                .await;
            }
            if *argument != "portrait_image" {
                for address in [
                    "ftp://h.example/x",
                    "file:///etc/passwd",
                    "h.example",
                    "javascript:0",
                ] {
                    refused(
                        &stage,
                        &tool,
                        &arguments,
                        argument,
                        json!(address),
                        address,
                        &mut wrong,
                    )
                    .await;
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn what_is_not_listed_cannot_be_called() {
    let stage = Stage::new();
    let credential = stage.sandbox.credential(PERSON).unwrap();
    let listed = ask_of(
        stage.tools(credential.clone(), false),
        "tools/list",
        json!({}),
    )
    .await;
    let listed = listed["result"]["tools"].as_array().unwrap().clone();
    let is_listed = |name: &str| listed.iter().any(|tool| tool["name"] == name);
    let mut names: Vec<String> = super::tools()
        .into_iter()
        .map(|tool| tool.name)
        .filter(|name| !is_listed(name))
        .collect();
    assert!(
        names.contains(&"didit_account_login".to_owned()),
        "{names:?}"
    );
    for name in [
        "didit_session_erase",
        "session_list",
        "../tools",
        "__proto__",
    ] {
        names.push(name.to_owned());
    }
    for name in names {
        let arguments = json!({"organization_id": "x", "application_id": "x", "confirm": true, "email": "a@mail.example", "password": "p"});
        let params = json!({"name": name, "arguments": arguments});
        let answer = ask_of(stage.tools(credential.clone(), false), "tools/call", params).await;
        // What is offered elsewhere is said to be; what is nowhere is an error of the protocol.
        let told = answer["result"]["content"][0]["text"].as_str();
        let elsewhere = told.is_some_and(|text| text.starts_with("Error [forbidden]: "));
        let nowhere = answer["error"]["code"] == -32602;
        let is_known = super::tools().iter().any(|tool| tool.name == name);
        assert!(nowhere || (is_known && elsewhere), "{name}: {answer}");
        assert!(stage.sandbox.requests().is_empty(), "{name}");
    }
}
