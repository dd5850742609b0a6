//! What a tool should send, from what is publicly known of it and from nothing of ours.

use std::collections::BTreeMap;

use base64::Engine as _;
use didit_sandbox::Received;
use serde_json::{Map, Value, json};

use super::cases::{CASES, GRAPH, MORE_CALLS, SERVED_ELSEWHERE};
use super::stage::Stage;

/// A picture by its first bytes, in base64.
pub(crate) const PNG: &str = "iVBORw0KGgpyZXN0";

/// One tool as it is known, and how it is tried.
pub(crate) struct Tool {
    pub(crate) name: String,
    pub(crate) fact: Value,
    /// Every call that it may make.
    pub(crate) calls: Vec<Value>,
    /// Which of them it makes here, in this order.
    pub(crate) order: Vec<usize>,
    /// Fields whose values do not reach the caller.
    pub(crate) masked: Vec<String>,
    overrides: String,
}

pub(crate) fn tools() -> Vec<Tool> {
    let more: Vec<Value> = serde_json::from_str(include_str!("facts.json")).unwrap();
    let cases = || CASES.trim().lines().map(|line| line.splitn(3, " |"));
    let facts = crate::catalog::facts().into_iter();
    facts
        .map(|fact| {
            let name = fact["name"].as_str().unwrap().to_owned();
            let more = more.iter().find(|row| row["name"] == name.as_str());
            let case = cases().find_map(|mut parts| {
                (parts.next() == Some(name.as_str()))
                    .then(|| (parts.next().unwrap(), parts.next().unwrap()))
            });
            let mut calls = match more.and_then(|more| more["calls"].as_array()) {
                Some(calls) => calls.clone(),
                None => vec![fact["call"].clone()],
            };
            if let Some((_, request, _)) = SERVED_ELSEWHERE.iter().find(|row| row.0 == name) {
                calls[0]["request"] = json!(request);
            }
            let ours = MORE_CALLS.iter().filter(|row| row.0 == name);
            let only = calls.len() == 1;
            calls.extend(ours.map(|row| serde_json::from_str::<Value>(row.1).unwrap()));
            let order = case.map_or_else(Vec::new, |(_, order)| {
                order
                    .split_whitespace()
                    .map(|at| at.parse().unwrap())
                    .collect()
            });
            Tool {
                order: if order.is_empty() && only {
                    vec![0]
                } else {
                    order
                },
                masked: more.map_or_else(Vec::new, |more| texts(&more["masked"])),
                overrides: case
                    .map_or("{}", |(overrides, _)| overrides)
                    .trim()
                    .replace("GRAPH", GRAPH),
                name,
                fact,
                calls,
            }
        })
        .collect()
}

pub(crate) fn texts(list: &Value) -> Vec<String> {
    let items = list.as_array().into_iter().flatten();
    items
        .map(|item| item.as_str().unwrap().to_owned())
        .collect()
}

impl Tool {
    pub(crate) fn over_stdio(&self) -> bool {
        self.fact["visibility"] == "stdio-only"
    }

    /// A value for every argument that is taken over HTTP, or for the required ones.
    pub(crate) async fn arguments(&self, stage: &Stage) -> Map<String, Value> {
        let mut arguments = Map::new();
        for (name, fact) in self.fact["input"].as_object().unwrap() {
            if fact["only"] != "stdio" && !name.ends_with("_path") {
                arguments.insert(name.clone(), sample(name, fact));
            }
        }
        let overrides: Map<String, Value> =
            serde_json::from_str(&stage.filled(&self.overrides).await).unwrap();
        arguments.extend(overrides);
        arguments.retain(|_, value| !value.is_null());
        let written = Value::Object(arguments).to_string();
        serde_json::from_str(&stage.filled(&written).await).unwrap()
    }
}

/// A value that fits an argument.
pub(crate) fn sample(name: &str, fact: &Value) -> Value {
    if let Some(first) = fact["enum"].get(0) {
        return first.clone();
    }
    if fact.get("pattern").is_some() {
        return json!("7d");
    }
    let kind = match &fact["type"] {
        Value::Array(kinds) => kinds[0].as_str(),
        kind => kind.as_str(),
    };
    match (name, kind.unwrap_or("string")) {
        ("organization_id", _) => json!("{{org}}"),
        ("application_id", _) => json!("{{app}}"),
        (
            "session_id" | "workflow_id" | "questionnaire_id" | "case_id" | "transaction_id"
            | "rule_uuid" | "destination_uuid" | "list_uuid" | "entry_uuid" | "report_id"
            | "network_id" | "member_id" | "import_id" | "webhook_id" | "vendor_data",
            "string",
        ) => json!(format!("{{{{{name}}}}}")),
        ("limit" | "offset", "string") => json!("7"),
        (_, "string") if name.ends_with("_base64") || name == "portrait_image" => json!(PNG),
        (_, "string") if name.starts_with("date_") || name.ends_with("_date") => {
            json!("2026-01-01")
        }
        (_, "string") if name.ends_with("url") || name == "callback" => {
            json!("https://h.example/x?a=b")
        }
        (_, "string") if name.contains("email") => json!("anna@mail.example"),
        ("phone_number", _) => json!("+34600000000"),
        ("transaction_at" | "as_of", _) => json!("2026-01-01"),
        ("nationality" | "issuing_state" | "country" | "expected_country", _) => json!("ESP"),
        ("country_code" | "jurisdiction", _) => json!("ES"),
        (_, "string") => json!(format!("{name} ü/1&a=b")),
        (_, "number" | "integer") => json!(7),
        (_, "boolean") => json!(true),
        (_, "array") => json!([sample("item", &fact["items"])]),
        (_, "object") => json!({"key": ["value"]}),
        (name, other) => panic!("{name}: {other}"),
    }
}

fn encoded(text: &str) -> String {
    let unreserved = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    let of = |byte: u8| {
        if unreserved(&byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    text.bytes().map(of).collect()
}

fn text_of(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// Tool, place in the path, argument, and its words with those of the path.
type Renamed = (
    &'static str,
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
);

/// Arguments whose words are others in the path.
const RENAMED: [Renamed; 2] = [
    (
        "didit_network_membership_get",
        "subject_path",
        "subject_kind",
        &[("vendor_user", "users"), ("session", "sessions")],
    ),
    (
        "didit_network_get",
        "section",
        "include",
        &[("members", "members")],
    ),
];

impl Tool {
    /// The value of a name in braces, if it follows from the arguments.
    fn bound(&self, name: &str, arguments: &Map<String, Value>) -> Option<String> {
        if let Some((_, _, argument, words)) = RENAMED
            .iter()
            .find(|row| row.0 == self.name && row.1 == name)
        {
            let given = match &arguments[*argument] {
                Value::Array(items) => text_of(&items[0]),
                one => text_of(one),
            };
            let (_, word) = words.iter().find(|(word, _)| *word == given).unwrap();
            return Some((*word).to_owned());
        }
        match name {
            // A version is found by what was given here, which is its id.
            "version_uuid" => arguments.get("workflow_id").map(text_of),
            _ => arguments.get(name).map(text_of),
        }
    }

    /// Holds a request against what is known of one call.
    pub(crate) fn compare(
        &self,
        call: &Value,
        arguments: &Map<String, Value>,
        org: &str,
        app: &str,
        seen: &Received,
    ) {
        let name = &self.name;
        let (method, template) = call["request"].as_str().unwrap().split_once(' ').unwrap();
        assert_eq!(seen.method, method, "{name}");

        let template = match template.split_once('/').unwrap() {
            ("auth", rest) => format!("/auth/v2/{rest}"),
            (_, rest) => format!("/v3/{rest}"),
        };
        let (wanted, path): (Vec<&str>, Vec<&str>) = (
            template.split('/').collect(),
            seen.path.split('/').collect(),
        );
        assert_eq!(
            path.len(),
            wanted.len(),
            "{name}: {} for {template}",
            seen.path
        );
        for (segment, wanted) in path.iter().zip(wanted) {
            let wanted = match wanted
                .strip_prefix('{')
                .and_then(|rest| rest.strip_suffix('}'))
            {
                None => Some(wanted.to_owned()),
                Some("org") => Some(org.to_owned()),
                Some("app") => Some(app.to_owned()),
                // The draft that was made: some id, and not the one that was given.
                Some("target_uuid") => {
                    assert!(
                        segment.len() == 36 && Some(*segment) != arguments["workflow_id"].as_str(),
                        "{name}: {}",
                        seen.path
                    );
                    None
                }
                Some(part) => self.bound(part, arguments).map(|value| encoded(&value)),
            };
            if let Some(wanted) = wanted {
                assert_eq!(*segment, wanted, "{name}: {}", seen.path);
            }
        }

        let query: BTreeMap<String, String> = seen.query.iter().cloned().collect();
        assert_eq!(query.len(), seen.query.len(), "{name}: {:?}", seen.query);
        let wanted: BTreeMap<String, String> = texts(&call["query"])
            .into_iter()
            .filter_map(|key| Some((key.clone(), text_of(arguments.get(&key)?))))
            .collect();
        assert_eq!(query, wanted, "{name}");

        let multipart = call["body"]["type"] == "multipart";
        if multipart {
            self.compare_form(&call["body"], arguments, seen);
        } else {
            self.compare_json(&call["body"], arguments, seen);
        }

        let content_type = seen.header("content-type").unwrap();
        if multipart {
            assert!(
                content_type.starts_with("multipart/form-data; boundary="),
                "{name}: {content_type}"
            );
        } else {
            assert_eq!(content_type, "application/json", "{name}");
        }
        let agent = format!("didit-mcp-server/{} tool/{name}", env!("CARGO_PKG_VERSION"));
        assert_eq!(seen.header("user-agent"), Some(agent.as_str()), "{name}");
        let signed_in = !template.starts_with("/auth/v2/programmatic/")
            && !template.starts_with("/auth/v2/2fa/");
        let bearer = format!("Bearer ({})", super::stage::PERSON);
        assert_eq!(
            seen.header("authorization"),
            signed_in.then_some(bearer.as_str()),
            "{name}"
        );
        let acts = signed_in && template != "/auth/v2/organizations/me/";
        assert_eq!(
            seen.header("x-didit-organization-id"),
            acts.then_some(org),
            "{name}"
        );
        let in_header = call.get("headers").map(|_| app);
        assert_eq!(seen.header("x-didit-application-id"), in_header, "{name}");
    }

    fn compare_json(&self, body: &Value, arguments: &Map<String, Value>, seen: &Received) {
        let name = &self.name;
        let mut sent = seen.json().unwrap_or(Value::Null);
        if body.is_null() {
            assert_eq!(sent, Value::Null, "{name}");
            return;
        }
        let mut wanted = Map::new();
        if let Some(spread) = body["spread"].as_str() {
            wanted.extend(arguments[spread].as_object().unwrap().clone());
        }
        let fields = body["fields"].as_object();
        // A tool without fields of its own passes on what it is given, but for the place.
        if fields.is_some_and(Map::is_empty) {
            wanted.clone_from(arguments);
            wanted.retain(|key, _| !matches!(key.as_str(), "organization_id" | "application_id"));
        }
        for (key, from) in fields.into_iter().flatten() {
            let value = match from.as_str() {
                None => Some(from.clone()),
                Some(text) if text.starts_with("[{") => {
                    let argument = text.trim_matches(['[', ']', '{', '}']);
                    arguments.get(argument).map(|value| json!([value]))
                }
                Some(text) if text.starts_with('{') => {
                    let (argument, _) = text.trim_start_matches('{').split_once('}').unwrap();
                    match argument {
                        "version_uuid" => arguments.get("workflow_id").cloned(),
                        _ => arguments.get(argument).cloned(),
                    }
                }
                Some("<base64 of the image bytes>") => Some(json!(PNG)),
                // Made from the arguments; its rules have tests of their own.
                Some(text) if text == "*" || text.starts_with("graph ") => {
                    let value = sent.get_mut(key).map(Value::take);
                    assert!(
                        value.is_some_and(|value| value["nodes"].is_object()),
                        "{name}: {key}"
                    );
                    sent.as_object_mut().unwrap().remove(key);
                    None
                }
                Some(literal) => Some(json!(literal)),
            };
            wanted.extend(value.map(|value| (key.clone(), value)));
        }
        assert_eq!(sent, Value::Object(wanted), "{name}");
    }

    fn compare_form(&self, body: &Value, arguments: &Map<String, Value>, seen: &Received) {
        let name = &self.name;
        let mut parts: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        for part in seen.form().unwrap() {
            assert!(
                part.file_name
                    .is_none_or(|file| !file.contains(['/', '\\'])),
                "{name}"
            );
            assert!(
                parts.insert(part.name, part.content.to_vec()).is_none(),
                "{name}"
            );
        }
        let mut wanted = BTreeMap::new();
        for (key, from) in body["files"].as_object().unwrap() {
            let (_, argument) = from.as_str().unwrap().split_once(" | ").unwrap();
            let bytes = arguments.get(argument).map(text_of).unwrap();
            let bytes = base64::engine::general_purpose::STANDARD
                .decode(bytes)
                .unwrap();
            wanted.insert(key.clone(), bytes);
        }
        for field in texts(&body["fields"]) {
            let field = field.split(' ').next().unwrap();
            if let Some(value) = arguments.get(field) {
                wanted.insert(field.to_owned(), text_of(value).into_bytes());
            }
        }
        assert_eq!(parts, wanted, "{name}");
    }
}
