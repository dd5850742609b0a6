//! All tools on the sandbox, through the guard and the protocol.

mod answers;
mod arguments;
mod filters;
mod life;
mod listing;
mod passed_on;
mod report;
mod roles;
mod selection;

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::world::{BOTH_SCOPES, World};

/// What a day's work needs, for the tests that know what to ask and what comes back.
///
/// Each of all tools is run against the sandbox by the tests of `didit-tools`.
const EVERYDAY: [&str; 24] = [
    "didit_context_get",
    "didit_org_list",
    "didit_org_list_applications",
    "didit_org_get_balance",
    "didit_org_list_members",
    "didit_session_search",
    "didit_session_create",
    "didit_session_list",
    "didit_session_get_decision",
    "didit_session_update_status",
    "didit_session_delete",
    "didit_workflow_list",
    "didit_workflow_create",
    "didit_workflow_get",
    "didit_questionnaire_list",
    "didit_vendor_user_search",
    "didit_vendor_user_list",
    "didit_case_search",
    "didit_case_list",
    "didit_transaction_search",
    "didit_transaction_list",
    "didit_analytics",
    "didit_webhook_list",
    "didit_lists_list",
];

/// A world in which anybody can be signed in, and every answer is checked for what must hold of all.
struct Stage {
    world: World,
    secrets: Vec<String>,
}

impl Stage {
    async fn new() -> Self {
        let world = World::new();
        let secrets = secrets(&world).await;
        Self { world, secrets }
    }

    fn token(&self, person: &str) -> String {
        self.world.minted("at+jwt", |claims| {
            claims["sub"] = person.into();
            claims["scope"] = BOTH_SCOPES.into();
        })
    }

    /// The result object of a call, after the checks that hold for every answer.
    async fn result(&self, person: &str, tool: &str, arguments: Value) -> Value {
        let result = self
            .world
            .call(&self.token(person), tool, arguments.clone())
            .await;
        let written = result.to_string();
        for secret in &self.secrets {
            assert!(
                !written.contains(secret),
                "{tool} shows a secret: {written}"
            );
        }
        let content = result["content"].as_array().unwrap();
        assert_eq!(content.len(), 1, "{tool}");
        let text = content[0]["text"].as_str().unwrap();
        for named in tools_named_in(text) {
            assert!(
                didit_tools::names().any(|known| known == named),
                "{tool} {arguments} names {named}: {text}"
            );
        }
        if result["isError"] == true {
            assert!(result.get("structuredContent").is_none(), "{tool}");
            assert!(text.starts_with("Error ["), "{tool}: {text}");
        } else {
            let said: Value = serde_json::from_str(text).unwrap();
            let structured = &result["structuredContent"];
            let agreed = if said.is_object() {
                said == *structured
            } else {
                json!({ "value": said }) == *structured
            };
            assert!(agreed, "{tool}: {text} is not {structured}");
        }
        result
    }

    /// The object of a call that must succeed.
    async fn ok(&self, person: &str, tool: &str, arguments: Value) -> Value {
        let result = self.result(person, tool, arguments.clone()).await;
        assert_ne!(
            result["isError"], true,
            "{person} {tool} {arguments}: {result}"
        );
        result["structuredContent"].clone()
    }

    /// The text of a call that must fail.
    async fn refused(&self, person: &str, tool: &str, arguments: Value) -> String {
        let result = self.result(person, tool, arguments.clone()).await;
        assert_eq!(
            result["isError"], true,
            "{person} {tool} {arguments}: {result}"
        );
        result["content"][0]["text"].as_str().unwrap().to_owned()
    }

    /// The tools as they are listed.
    async fn listed(&self) -> Vec<Value> {
        let answer = self
            .world
            .modern(Some(&self.token("olivia")), "tools/list", json!({}))
            .await
            .json();
        answer["result"]["tools"].as_array().unwrap().clone()
    }

    /// Those of them that a day's work needs.
    async fn everyday(&self) -> Vec<Value> {
        let mut listed = self.listed().await;
        listed.retain(|tool| EVERYDAY.contains(&tool["name"].as_str().unwrap()));
        assert_eq!(listed.len(), EVERYDAY.len());
        listed
    }

    /// The ids of an application, by the position of the organisation and of the application in it.
    async fn place(&self, person: &str, organization: usize, application: usize) -> Value {
        let context = self.ok(person, "didit_context_get", json!({})).await;
        let organization = &context["organizations"][organization];
        json!({
            "organization_id": organization["organization_id"],
            "application_id": organization["applications"][application]["application_id"],
        })
    }
}

/// Every secret that the sandbox hands out: of applications, of webhook destinations, of people.
async fn secrets(world: &World) -> Vec<String> {
    let mut found: Vec<String> = world
        .sandbox
        .people()
        .iter()
        .map(|person| world.sandbox.credential(&person.id).unwrap())
        .collect();
    let people = found.len();
    // Between them these three are in every organisation.
    for person in ["olivia", "noah", "samir"] {
        let organizations = world.didit(person, "/auth/v2/organizations/me/").await;
        for organization in organizations.as_array().unwrap() {
            let org = organization["uuid"].as_str().unwrap();
            let path = format!("/auth/v2/organizations/me/{org}/applications/");
            for application in world.didit(person, &path).await.as_array().unwrap() {
                for name in ["api_key", "client_secret"] {
                    found.push(application[name].as_str().unwrap().to_owned());
                }
                let app = application["uuid"].as_str().unwrap();
                let path =
                    format!("/v3/organization/{org}/application/{app}/webhook/destinations/");
                let destinations = world.didit(person, &path).await;
                for destination in destinations["results"].as_array().unwrap() {
                    found.push(
                        destination["secret_shared_key"]
                            .as_str()
                            .unwrap()
                            .to_owned(),
                    );
                }
            }
        }
    }
    assert!(found.len() > people + 6 * 4, "{}", found.len());
    found
}

/// What looks like the name of a tool in a text.
fn tools_named_in(text: &str) -> BTreeSet<String> {
    let word = |c: char| c.is_ascii_lowercase() || c == '_';
    text.split(|c| !word(c))
        // An argument that is named after its owner is no tool.
        .filter(|found| found.starts_with("didit_") && found != &"didit_internal_id_list")
        .map(str::to_owned)
        .collect()
}

/// The rows of an answer, wherever it holds them.
fn rows(answer: &Value) -> &Vec<Value> {
    let found = answer.get("results").or_else(|| answer.get("value"));
    found
        .and_then(Value::as_array)
        .unwrap_or_else(|| panic!("no rows: {answer}"))
}

/// What a row is known by.
fn id(row: &Value) -> &str {
    ["session_id", "uuid"]
        .iter()
        .find_map(|name| row[*name].as_str())
        .unwrap_or_else(|| panic!("no id: {row}"))
}

fn ids(answer: &Value) -> BTreeSet<String> {
    rows(answer).iter().map(|row| id(row).to_owned()).collect()
}

/// Two objects as one.
fn with(left: &Value, right: Value) -> Value {
    let mut both: Map<String, Value> = left.as_object().unwrap().clone();
    both.extend(right.as_object().unwrap().clone());
    Value::Object(both)
}

/// The text of an argument's line in a failure.
fn line<'t>(text: &'t str, name: &str) -> &'t str {
    text.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
        .unwrap_or("")
}
