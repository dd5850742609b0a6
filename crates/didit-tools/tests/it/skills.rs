//! The skills: each is read as a client reads it, and followed step by step against the sandbox.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use didit_client::send::Sender;
use didit_client::{Api, Secret};
use didit_sandbox::{Sandbox, SandboxService};
use didit_tools::{Credentials, DiditTools, NoCredential};
use http::{Extensions, Request, Response};
use http_body_util::{BodyExt as _, Full};
use serde_json::{Value, json};
use tower_service::Service;

use crate::mcp::ask_of;
use crate::upstream::NOW;

const SKILLS: [&str; 3] = ["run-a-kyc", "build-a-workflow", "review-a-case"];

/// The sandbox as an HTTP client of whole bodies.
#[derive(Clone)]
struct InMemory(SandboxService);

impl Service<Request<Bytes>> for InMemory {
    type Response = Response<Bytes>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Bytes>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let mut sandbox = self.0.clone();
        Box::pin(async move {
            let answer = sandbox.call(request.map(Full::new)).await?;
            let (parts, body) = answer.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            Ok(Response::from_parts(parts, body))
        })
    }
}

/// The credential of one person.
struct SignedIn(String);

impl Credentials for SignedIn {
    async fn credential(&self, _: &Extensions) -> Result<Secret, NoCredential> {
        Ok(Secret::new(self.0.clone()))
    }

    fn person(&self, _: &Extensions) -> Option<String> {
        Some(self.0.clone())
    }
}

/// Somebody who follows a skill.
struct Follower {
    sandbox: Sandbox,
    credential: String,
    /// What is known by name: from the person, and from earlier answers.
    known: BTreeMap<String, Value>,
    /// The tools that were called.
    called: Vec<String>,
}

impl Follower {
    fn new(person: &str) -> Self {
        let sandbox = Sandbox::new(Arc::new(|| NOW));
        let credential = sandbox.credential(person).unwrap();
        Self {
            sandbox,
            credential,
            known: BTreeMap::new(),
            called: Vec::new(),
        }
    }

    async fn ask(&self, method: &str, params: Value) -> Value {
        let api = Api::at("http://127.0.0.1/auth/v2", "http://127.0.0.1/v3").unwrap();
        let sender = Sender::new(api, InMemory(self.sandbox.service()));
        let tools = DiditTools::new(sender, SignedIn(self.credential.clone()), || NOW);
        ask_of(tools, method, params).await["result"].clone()
    }

    async fn call(&self, tool: &str, arguments: &Value) -> Value {
        let params = json!({"name": tool, "arguments": arguments});
        self.ask("tools/call", params).await
    }

    /// The text of a skill, as a client gets it.
    async fn text(&self, skill: &str) -> String {
        let uri = format!("skill://didit/{skill}/SKILL.md");
        let read = self.ask("resources/read", json!({"uri": uri})).await;
        read["contents"][0]["text"].as_str().unwrap().to_owned()
    }

    /// The application of the person's first organisation that is a sandbox, or is none.
    async fn application(&self, mode: &str) -> Value {
        let context = self.call("didit_context_get", &json!({})).await;
        let rows = &context["structuredContent"]["organizations"][0]["applications"];
        let mut rows = rows.as_array().unwrap().iter();
        let row = rows.find(|row| row["mode"] == mode).unwrap();
        row["application_id"].clone()
    }

    /// Does everything that the text says, in its order.
    async fn follow(&mut self, skill: &str, answers: &[(&str, Value)]) {
        let text = self.text(skill).await;
        let mut unasked: BTreeMap<&str, &Value> =
            answers.iter().map(|(name, value)| (*name, value)).collect();
        let mut last = Value::Null;
        for part in parts(&text) {
            match part {
                Part::Ask(name) => {
                    let value = unasked.remove(name.as_str());
                    let value = value.unwrap_or_else(|| panic!("{skill} asks for {name}"));
                    self.known.insert(name, value.clone());
                }
                Part::Call(tool, arguments) => {
                    let arguments = self.filled(&arguments);
                    let result = self.call(&tool, &arguments).await;
                    assert!(
                        result["isError"] != true,
                        "{skill}: {tool} {arguments}: {result}"
                    );
                    last = result["structuredContent"].clone();
                    self.called.push(tool);
                }
                Part::Keep(path, name) => {
                    let value = last.pointer(&path);
                    let value = value.unwrap_or_else(|| panic!("{skill}: no {path} in {last}"));
                    assert!(!value.is_null(), "{skill}: {path} in {last}");
                    self.known.insert(name, value.clone());
                }
                Part::Check(path, allowed) => {
                    let allowed: Vec<Value> =
                        allowed.iter().map(|value| self.filled(value)).collect();
                    let value = last.pointer(&path);
                    let value = value.unwrap_or_else(|| panic!("{skill}: no {path} in {last}"));
                    assert!(
                        allowed.contains(value),
                        "{skill}: {path} of {last} is not one of {allowed:?}"
                    );
                }
            }
        }
        assert!(unasked.is_empty(), "{skill} does not ask for {unasked:?}");
    }

    /// The value with what is known in the place of names in angle brackets.
    fn filled(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => match placeholder(text) {
                Some(name) => self
                    .known
                    .get(name)
                    .unwrap_or_else(|| panic!("{text} is not known"))
                    .clone(),
                None => value.clone(),
            },
            Value::Array(items) => items.iter().map(|item| self.filled(item)).collect(),
            Value::Object(members) => members
                .iter()
                .map(|(name, member)| (name.clone(), self.filled(member)))
                .collect(),
            other => other.clone(),
        }
    }
}

fn placeholder(text: &str) -> Option<&str> {
    text.strip_prefix('<')?.strip_suffix('>')
}

/// What a skill tells to do.
#[derive(Debug)]
enum Part {
    /// Have this from the person.
    Ask(String),
    /// Call a tool.
    Call(String, Value),
    /// Remember what is there in the answer, under this name.
    Keep(String, String),
    /// One of these has to be there in the answer.
    Check(String, Vec<Value>),
}

/// Reads a skill: fenced blocks are calls, and every line of a list tells to do something.
fn parts(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line == "```tool" {
            let block: String = lines.by_ref().take_while(|line| *line != "```").collect();
            let call: Value = serde_json::from_str(&block)
                .unwrap_or_else(|error| panic!("{error} in a call: {block}"));
            let tool = call["tool"].as_str().unwrap().to_owned();
            parts.push(Part::Call(tool, call["arguments"].clone()));
        } else if let Some(item) = line.strip_prefix("- ") {
            parts.push(instruction(item));
        }
    }
    parts
}

fn instruction(item: &str) -> Part {
    let quoted: Vec<&str> = item.split('`').skip(1).step_by(2).collect();
    let values = |texts: &[&str]| -> Vec<Value> {
        let json = |text: &&str| serde_json::from_str(text).unwrap_or_else(|_| json!(text));
        texts.iter().map(json).collect()
    };
    match (item.split('`').next(), quoted.as_slice()) {
        (Some(""), [name, ..]) => Part::Ask((*name).to_owned()),
        (Some("Keep "), [path, name]) => Part::Keep((*path).to_owned(), (*name).to_owned()),
        (Some("Check that "), [path, value]) => {
            Part::Check((*path).to_owned(), values(std::slice::from_ref(value)))
        }
        (Some("Repeat until "), [path, statuses @ ..]) => {
            Part::Check((*path).to_owned(), values(statuses))
        }
        _ => panic!("what is to be done? {item}"),
    }
}

#[tokio::test]
async fn a_kyc_is_run_as_the_skill_says() {
    let mut follower = Follower::new("devon");
    let workflow = follower
        .call(
            "didit_workflow_search",
            &json!({"application_id": follower.application("sandbox").await}),
        )
        .await;
    let label = workflow["structuredContent"]["results"][0]["workflow_label"].clone();
    let answers = [
        ("application_id", follower.application("sandbox").await),
        ("workflow_name", label),
        ("vendor_data", json!("customer of the skill")),
        ("sandbox_scenario", json!("decline_face_match")),
    ];
    follower.follow("run-a-kyc", &answers).await;
    let session = json!({"session_id": follower.known["session_id"]});
    let decision = follower.call("didit_session_get_decision", &session).await;
    let decision = &decision["structuredContent"];
    assert_eq!(decision["status"], "Declined");
    assert_eq!(decision["vendor_data"], "customer of the skill");
}

#[tokio::test]
async fn a_workflow_is_built_as_the_skill_says() {
    let mut follower = Follower::new("devon");
    let answers = [
        ("application_id", follower.application("sandbox").await),
        ("workflow_label", json!("Of age only")),
        ("minimum_age", json!(21)),
    ];
    follower.follow("build-a-workflow", &answers).await;
    let workflow = json!({"workflow_id": follower.known["workflow_id"]});
    let built = follower.call("didit_workflow_get_graph", &workflow).await;
    let built = &built["structuredContent"];
    assert_eq!(built["status"], "published", "{built}");
    let nodes = &built["graph"]["nodes"];
    assert_eq!(nodes["feature_ocr_1"]["config"]["minimum_age"], 21);
    assert_eq!(nodes["feature_ocr_1"]["next"], "route");
    assert_eq!(nodes["route"]["branches"][0]["rules"][0]["value"], 21);
}

#[tokio::test]
async fn a_case_is_reviewed_as_the_skill_says() {
    let mut follower = Follower::new("carmen");
    let answers = [
        ("application_id", follower.application("live").await),
        ("assignee", json!("carmen@harbourlane.example")),
        ("finding", json!("the document is hers")),
        ("new_status", json!("Approved")),
    ];
    follower.follow("review-a-case", &answers).await;
    let case = json!({"case_id": follower.known["case_id"], "application_id": follower.known["application_id"]});
    let case = follower.call("didit_case_get", &case).await;
    let case = &case["structuredContent"];
    assert_eq!(case["assignee"], "carmen@harbourlane.example");
    assert_eq!(case["comments"][0]["comment"], "the document is hers");
}

#[tokio::test]
async fn who_may_not_is_stopped_at_the_step_that_changes_something() {
    let reader = Follower::new("rita");
    for (skill, tool) in [
        ("run-a-kyc", "didit_session_create"),
        ("build-a-workflow", "didit_workflow_create"),
        ("review-a-case", "didit_case_manage"),
    ] {
        let text = reader.text(skill).await;
        let calls: Vec<String> = parts(&text)
            .into_iter()
            .filter_map(|part| match part {
                Part::Call(tool, _) => Some(tool),
                _ => None,
            })
            .collect();
        let listed = reader.ask("tools/list", json!({})).await;
        let writes = calls.iter().find(|call| {
            let mut tools = listed["tools"].as_array().unwrap().iter();
            let row = tools.find(|row| row["name"] == call.as_str());
            row.unwrap_or_else(|| panic!("{call} is not listed"))["annotations"]["readOnlyHint"]
                == false
        });
        assert_eq!(writes.map(String::as_str), Some(tool), "{skill}");
    }
    let application = reader.application("sandbox").await;
    let arguments = json!({"application_id": application, "features": [{"feature": "OCR"}]});
    let refused = reader.call("didit_workflow_create", &arguments).await;
    let text = refused["content"][0]["text"].as_str().unwrap();
    assert!(text.starts_with("Error [forbidden]: the role of"), "{text}");
}

#[tokio::test]
async fn the_skills_are_listed_found_and_read() {
    let client = Follower::new("rita");
    let discovered = client.ask("server/discover", json!({})).await;
    let declared = &discovered["capabilities"]["extensions"]["io.modelcontextprotocol/skills"];
    assert!(declared.is_object(), "{discovered}");
    let listed = client.ask("skills/list", json!({})).await;
    assert_eq!(
        (&listed["ttlMs"], &listed["cacheScope"]),
        (&json!(60_000), &json!("public"))
    );
    let resources = client.ask("resources/list", json!({})).await;
    for (place, name) in SKILLS.iter().enumerate() {
        let skill = &listed["skills"][place];
        assert_eq!(skill["frontmatter"]["name"], *name);
        let address = json!({"uri": skill["uri"]});
        let one = client.ask("skills/get", address.clone()).await;
        assert_eq!(one["skill"], *skill);
        assert_eq!(resources["resources"][place]["uri"], skill["uri"]);
        assert_eq!(resources["resources"][place]["name"], *name);
        let text = client.text(name).await;
        assert_eq!(skill["resources"][0]["size"], text.len());
    }
    assert_eq!(listed["skills"].as_array().unwrap().len(), SKILLS.len());
    let templates = client.ask("resources/templates/list", json!({})).await;
    assert_eq!(templates["resourceTemplates"], json!([]));
}

#[tokio::test]
async fn what_is_no_skill_is_not_found_and_there_is_no_second_page() {
    let client = Follower::new("rita");
    for (method, params) in [
        ("skills/get", json!({"uri": "skill://didit/run-a-kyc"})),
        (
            "resources/read",
            json!({"uri": "skill://didit/../SKILL.md"}),
        ),
        ("resources/read", json!({"uri": "file:///etc/passwd"})),
        ("skills/list", json!({"cursor": "2"})),
        ("resources/list", json!({"cursor": "2"})),
        ("resources/templates/list", json!({"cursor": "2"})),
    ] {
        assert_eq!(
            client.ask(method, params.clone()).await,
            Value::Null,
            "{method} {params}"
        );
    }
}
