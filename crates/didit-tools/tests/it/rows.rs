//! Every tool against the published facts: its call upstream and its refusals.

use std::collections::BTreeMap;

use didit_tools::{names, oauth_scopes};
use serde_json::{Map, Value, json};

use crate::upstream::{ONE, Seen, Upstream};

fn facts() -> Vec<Value> {
    serde_json::from_str(include_str!("../fixtures/facts.json")).unwrap()
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
fn sample(name: &str, fact: &Value) -> Value {
    if let Some(first) = fact["enum"].get(0) {
        return first.clone();
    }
    match (name, fact["type"].as_str().unwrap()) {
        ("organization_id", _) => json!("o-1"),
        ("application_id", _) => json!("a-1"),
        ("include_age_assurance", _) => json!(false),
        ("last_n_days", _) => json!(0),
        ("limit" | "offset", "string") => json!("7"),
        ("features", _) => json!([{"feature": "OCR", "config": {"a": 1}, "label": "l"}]),
        (_, "string") => {
            json!(format!("{name} ü/1").replace('/', if name.ends_with("_id") { "-" } else { "/" }))
        }
        (_, "number") => json!(7),
        (_, "boolean") => json!(true),
        (_, "object") => json!({"key": ["value"]}),
        (_, "array") => json!(["one", "two"]),
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
    let facts = facts();
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
            strings(&fact["oauth_scope"])
        );
    }
    assert_eq!(oauth_scopes("didit_session_nothing"), None);
}

#[tokio::test]
async fn every_tool_with_every_argument_makes_the_documented_call() {
    for fact in facts() {
        let name = fact["name"].as_str().unwrap();
        if name == "didit_context_get" {
            continue;
        }
        let mut arguments: Map<String, Value> = fact["input"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, fact)| (name.clone(), sample(name, fact)))
            .collect();
        let upstream = Upstream::quiet(ONE);
        let answer = upstream.run(name, Value::Object(arguments.clone())).await;
        assert!(answer.is_ok(), "{name}: {answer:?}");

        let call = &fact["upstream"][0];
        let lists_organizations = name.starts_with("didit_org_list") && !name.ends_with("members");
        let sent = if lists_organizations {
            upstream.all()
        } else {
            upstream.sent()
        };
        let [seen] = sent.as_slice() else {
            panic!("{name} made {} calls", sent.len())
        };

        assert_eq!(seen.method, call["method"].as_str().unwrap(), "{name}");
        let path: Vec<String> = call["path_template"]
            .as_str()
            .unwrap()
            .split('/')
            .map(|segment| match segment.trim_matches(['{', '}']) {
                same if same == segment => segment.to_owned(),
                "org" => "o-1".to_owned(),
                "app" => "a-1".to_owned(),
                argument => encoded(arguments[argument].as_str().unwrap()),
            })
            .collect();
        assert_eq!(
            seen.path,
            format!("{}{}", call["base"].as_str().unwrap(), path.join("/")),
            "{name}"
        );

        let limit = arguments.remove("limit");
        let mut wanted: BTreeMap<&str, String> = strings(&call["query"])
            .into_iter()
            .filter_map(|name| Some((name, encoded(&text_of(arguments.get(name)?)))))
            .collect();
        if let Some(limit) = limit {
            wanted.insert("limit", text_of(&limit));
        }
        let wanted: BTreeMap<&str, &str> = wanted
            .iter()
            .map(|(name, text)| (*name, text.as_str()))
            .collect();
        assert_eq!(query_of(seen), wanted, "{name}");

        let fields = strings(&call["body"]);
        let wanted = if fields.is_empty() {
            Value::Null
        } else {
            fields
                .iter()
                .map(|name| ((*name).to_owned(), arguments[*name].clone()))
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
    }
}

#[tokio::test]
async fn every_required_argument_is_missed_and_every_argument_has_its_type() {
    for fact in facts() {
        let name = fact["name"].as_str().unwrap();
        let input = fact["input"].as_object().unwrap();
        let arguments: Map<String, Value> = input
            .iter()
            .map(|(name, fact)| (name.clone(), sample(name, fact)))
            .collect();
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
            let wrong = match argument_fact["type"].as_str().unwrap() {
                "string" => [json!(7), json!(["x"]), json!({})],
                "number" => [json!("7"), json!(true), json!([])],
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
        let template = fact["upstream"][0]["path_template"].as_str().unwrap();
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
                let mut arguments: Map<String, Value> = input
                    .iter()
                    .map(|(name, fact)| (name.clone(), sample(name, fact)))
                    .collect();
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
