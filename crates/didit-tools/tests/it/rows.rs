//! Every tool against the published facts: its call upstream and its refusals.

use std::collections::BTreeMap;

use didit_tools::{names, oauth_scopes};
use serde_json::{Map, Value, json};

use crate::upstream::{ONE, Seen, Upstream};

/// The facts of every tool that is offered over HTTP.
fn facts() -> Vec<Value> {
    let mut facts = crate::catalog::facts();
    facts.retain(|fact| fact["visibility"] != "stdio-only");
    for fact in &mut facts {
        let input = fact["input"].as_object_mut().unwrap();
        input.retain(|name, fact| fact["only"] != "stdio" && !name.ends_with("_path"));
    }
    facts
}

/// Tools whose call is another than that of the facts, or whose arguments travel under other names; their tests are in `travel`.
const ELSEWHERE: [&str; 7] = [
    "didit_allowlist_add",
    "didit_audit_log_list",
    "didit_blocklist_add",
    "didit_blocklist_remove",
    "didit_case_create",
    "didit_network_membership_get",
    "didit_session_share",
];

/// The one call of a tool whose arguments all travel under their own names.
fn plain_call(fact: &Value) -> Option<(&str, &str, Vec<&str>, Vec<&str>)> {
    let call = fact.get("call")?;
    let (method, path) = call["request"].as_str()?.split_once(' ')?;
    let body = match &call["body"] {
        Value::Null => Vec::new(),
        body => {
            let fields = body.get("fields")?.as_object()?;
            let same = |(name, from): (&String, &Value)| *from == format!("{{{name}}}");
            if body["type"] != "json" || !fields.iter().all(same) {
                return None;
            }
            fields.keys().map(String::as_str).collect()
        }
    };
    let name = fact["name"].as_str()?;
    (!ELSEWHERE.contains(&name) && !RUNS.contains(&name))
        .then(|| (method, path, strings(&call["query"]), body))
}

/// Tools with one call and code of their own.
const RUNS: [&str; 6] = [
    "didit_session_generate_pdf",
    "didit_session_webhooks",
    "didit_questionnaire_get",
    "didit_workflow_build_graph",
    "didit_workflow_get_id_verification_methods_catalog",
    "didit_workflow_get_kyb_registry_catalog",
];

/// The arguments of a tool, each with a value that fits.
fn all_arguments(fact: &Value) -> Map<String, Value> {
    let mut arguments: Map<String, Value> = fact["input"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, fact)| (name.clone(), sample(name, fact)))
        .collect();
    // One of the two is all that may be given.
    if fact["name"] == "didit_travel_rule_transfer_action" {
        arguments.remove("payment_txn_id");
    }
    arguments
}

fn strings(value: &Value) -> Vec<&str> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item.as_str().unwrap())
        .collect()
}

/// A value for an argument that fits its facts.
pub(crate) fn sample(name: &str, fact: &Value) -> Value {
    if let Some(first) = fact["enum"].get(0) {
        return first.clone();
    }
    if fact.get("pattern").is_some() {
        return json!("7d");
    }
    match (name, fact["type"].as_str().unwrap_or("string")) {
        ("organization_id", _) => json!("o-1"),
        ("application_id", _) => json!("a-1"),
        ("include_age_assurance", _) => json!(false),
        ("last_n_days", _) => json!(0),
        ("amount_in_dollars", _) => json!(60),
        ("url" | "source_file_url" | "webhook_url", _) => json!("https://h.example/x"),
        ("limit" | "offset", "string") => json!("7"),
        (name, "string") if name.ends_with("_base64") || name == "portrait_image" => {
            json!("iVBORw0KGgpyZXN0")
        }
        (_, "string") => {
            let is_part = name.ends_with("_id")
                || name.ends_with("_uuid")
                || name == "vendor_data"
                || name == "kind"
                || name == "alert_type";
            json!(format!("{name} ü/1").replace('/', if is_part { "-" } else { "/" }))
        }
        (_, "number" | "integer") => json!(7),
        (_, "boolean") => json!(true),
        (_, "object") => match fact["properties"].as_object() {
            Some(properties) => properties
                .iter()
                .map(|(name, fact)| (name.clone(), sample(name, fact)))
                .collect(),
            None => json!({"key": ["value"]}),
        },
        (_, "array") => json!([sample("item", &fact["items"])]),
        (name, other) => panic!("{name}: {other}"),
    }
}

fn encoded(text: &str) -> String {
    let unreserved = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    text.bytes()
        .map(|byte| {
            if unreserved(&byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

fn query_of(seen: &Seen) -> BTreeMap<&str, &str> {
    seen.query
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect()
}

fn text_of(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

#[test]
fn names_and_scopes_are_didits() {
    let facts = crate::catalog::facts();
    let mut wanted: Vec<_> = facts
        .iter()
        .map(|fact| fact["name"].as_str().unwrap())
        .collect();
    let mut ours: Vec<_> = names().collect();
    wanted.sort_unstable();
    ours.sort_unstable();
    assert_eq!(ours, wanted);
    for fact in &facts {
        assert_eq!(
            oauth_scopes(fact["name"].as_str().unwrap()).unwrap(),
            strings(&fact["scopes"])
        );
    }
    assert_eq!(oauth_scopes("didit_session_nothing"), None);
}

#[tokio::test]
async fn every_tool_with_every_argument_makes_the_documented_call() {
    let mut tried = 0;
    for fact in facts() {
        let name = fact["name"].as_str().unwrap();
        let Some((method, path, query, body)) = plain_call(&fact) else {
            continue;
        };
        tried += 1;
        let mut arguments = all_arguments(&fact);
        let upstream = Upstream::quiet(ONE);
        let answer = upstream.run(name, Value::Object(arguments.clone())).await;
        assert!(answer.is_ok(), "{name}: {answer:?}");

        let sent = if path.starts_with("auth/organizations/me/") {
            upstream.all()
        } else {
            upstream.sent()
        };
        let [seen] = sent.as_slice() else {
            panic!("{name} made {} calls", sent.len())
        };

        assert_eq!(seen.method, method, "{name}");
        let path: Vec<String> = path
            .split('/')
            .map(|segment| match segment.trim_matches(['{', '}']) {
                same if same == segment => segment.to_owned(),
                "org" => "o-1".to_owned(),
                "app" => "a-1".to_owned(),
                argument => encoded(arguments[argument].as_str().unwrap()),
            })
            .collect();
        assert_eq!(seen.path, path.join("/"), "{name}");

        let limit = arguments.remove("limit");
        let mut wanted: BTreeMap<&str, String> = query
            .into_iter()
            .filter_map(|name| Some((name, encoded(&text_of(arguments.get(name)?)))))
            .collect();
        if let Some(limit) = limit
            && fact["call"]["query"]
                .as_array()
                .unwrap()
                .contains(&json!("limit"))
        {
            wanted.insert("limit", text_of(&limit));
        }
        let wanted: BTreeMap<&str, &str> = wanted
            .iter()
            .map(|(name, text)| (*name, text.as_str()))
            .collect();
        assert_eq!(query_of(seen), wanted, "{name}");

        let wanted = if body.is_empty() {
            Value::Null
        } else {
            body.iter()
                .filter_map(|name| Some(((*name).to_owned(), arguments.get(*name)?.clone())))
                .collect::<Map<_, _>>()
                .into()
        };
        assert_eq!(seen.body, wanted, "{name}");

        assert_eq!(seen.headers["authorization"], "Bearer didit-of-ada");
        assert_eq!(seen.headers["content-type"], "application/json");
        assert_eq!(
            seen.headers["user-agent"],
            format!("didit-mcp-server/{} tool/{name}", env!("CARGO_PKG_VERSION"))
        );
        let acting_in = (name != "didit_org_list").then_some("o-1");
        assert_eq!(
            seen.headers
                .get("x-didit-organization-id")
                .map(|value| value.to_str().unwrap()),
            acting_in,
            "{name}"
        );
        let in_header = fact["call"].get("headers").map(|_| "a-1");
        assert_eq!(
            seen.headers
                .get("x-didit-application-id")
                .map(|value| value.to_str().unwrap()),
            in_header,
            "{name}"
        );
    }
    assert_eq!(tried, TRIED);
}

/// How many tools are one call whose arguments travel under their own names; the others are tried elsewhere.
const TRIED: usize = 113;

#[tokio::test]
async fn every_required_argument_is_missed_and_every_argument_has_its_type() {
    for fact in facts() {
        let name = fact["name"].as_str().unwrap();
        let input = fact["input"].as_object().unwrap();
        let arguments = all_arguments(&fact);
        for (argument, argument_fact) in input {
            let upstream = Upstream::quiet(ONE);
            if argument_fact["required"] == true {
                for missing in [None, Some(Value::Null)] {
                    let mut less = arguments.clone();
                    less.remove(argument);
                    less.extend(missing.map(|null| (argument.clone(), null)));
                    let text = upstream.failure(name, Value::Object(less)).await;
                    assert!(
                        text.starts_with(&format!(
                            "Error [bad_request]: {argument} is missing\nField: {argument}\nHint: "
                        )),
                        "{text}"
                    );
                }
            }
            // What may be anything, or null, has no wrong type of this kind.
            let Some(kind) = argument_fact["type"].as_str() else {
                continue;
            };
            let wrong = match kind {
                "string" => [json!(7), json!(["x"]), json!({})],
                "number" | "integer" => [json!("7"), json!(true), json!([])],
                "boolean" => [json!("true"), json!(1), json!({})],
                "object" => [json!("{}"), json!([]), json!(false)],
                _ => [json!("x"), json!({}), json!(7)],
            };
            for value in wrong {
                let mut other = arguments.clone();
                other.insert(argument.clone(), value.clone());
                let text = upstream.failure(name, Value::Object(other)).await;
                assert!(
                    text.starts_with(&format!("Error [bad_request]: {argument} is ")),
                    "{name} {value}: {text}"
                );
                assert!(
                    text.contains(&format!("\nField: {argument}\nHint: ")),
                    "{text}"
                );
            }
            if let Some(allowed) = argument_fact["enum"].as_array() {
                let mut other = arguments.clone();
                other.insert(argument.clone(), json!("elsewhere"));
                let text = upstream.failure(name, Value::Object(other)).await;
                assert!(text.starts_with(&format!("Error [unprocessable]: {argument} has a value that is not allowed\nField: {argument}\n")), "{text}");
                assert!(
                    text.contains(&format!("Allowed: {}", allowed[0].as_str().unwrap())),
                    "{text}"
                );
            }
            assert!(
                upstream.all().is_empty(),
                "{name} {argument}: something was sent"
            );
        }
        if [
            "didit_allowlist_add",
            "didit_blocklist_add",
            "didit_blocklist_remove",
            "didit_case_create",
        ]
        .contains(&name)
        {
            continue;
        }
        let upstream = Upstream::quiet(ONE);
        let mut more = arguments.clone();
        more.insert("access_token".to_owned(), json!("x"));
        let text = upstream.failure(name, Value::Object(more)).await;
        assert!(
            text.starts_with(
                "Error [bad_request]: the tool has no argument access_token\nField: access_token\n"
            ),
            "{text}"
        );
        assert!(upstream.all().is_empty());
    }
}

#[tokio::test]
async fn no_id_leaves_its_place_in_the_path() {
    for fact in facts() {
        let name = fact["name"].as_str().unwrap();
        let input = fact["input"].as_object().unwrap();
        let template = fact["call"]["request"].as_str().unwrap_or_default();
        let in_path = |argument: &str| {
            argument == "organization_id"
                || argument == "application_id"
                || template.contains(&format!("{{{argument}}}"))
        };
        for argument in input.keys().filter(|argument| in_path(argument)) {
            for hostile in [
                "..",
                ".",
                "a/b",
                "../../organizations/me",
                "a?x=1",
                "a#b",
                "a\r\nb",
                &"x".repeat(600),
            ] {
                let upstream = Upstream::quiet(ONE);
                let mut arguments = all_arguments(&fact);
                arguments.insert(argument.clone(), json!(hostile));
                let text = upstream.failure(name, Value::Object(arguments)).await;
                assert!(
                    text.starts_with(&format!("Error [bad_request]: {argument} must not ")),
                    "{name} {hostile:?}: {text}"
                );
                assert!(
                    text.contains(&format!("\nField: {argument}\nHint: Pass the id alone")),
                    "{text}"
                );
                assert!(
                    upstream.all().is_empty(),
                    "{name} {hostile:?}: something was sent"
                );
            }
        }
    }
}

#[tokio::test]
async fn secrets_in_answers_are_masked() {
    let upstream = Upstream::new(ONE, |_| {
        (
            200,
            json!([{"url": "https://h.example/", "secret_shared_key": "whsec_0123456789"}]),
        )
    });
    let applications = upstream
        .run(
            "didit_org_list_applications",
            json!({"organization_id": "o-1"}),
        )
        .await
        .unwrap();
    assert_eq!(
        applications,
        json!([{"uuid": "a-1", "name": "Web", "mode": "live", "api_key_set": true, "api_key_preview": "0123…cdef (16)"}])
    );
    let webhooks = upstream.run("didit_webhook_list", json!({})).await.unwrap();
    assert_eq!(
        webhooks,
        json!([{"url": "https://h.example/", "secret_set": true}])
    );
    let context = upstream.run("didit_context_get", json!({})).await.unwrap();
    assert!(!context.to_string().contains("0123"));
}
