//! The list of tools equals that of the hosted server, but for what is listed here with its reason in the documentation.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::mcp::ask_of;
use crate::upstream::{ONE, Upstream};

/// What is publicly known of the hosted tools, one a line.
pub(crate) fn facts() -> Vec<Value> {
    serde_json::from_str(include_str!("hosted_tools.json")).unwrap()
}

/// The page that gives the reasons.
const PAGE: &str = include_str!("../../../../docs/crates/didit-tools.md");

/// A deliberate difference: the tool (or `*`), what differs, and the words of the page that give the reason.
const DIFFERENCES: &[(&str, &str, &str)] = &[
    (
        "didit_blocklist_add",
        "further arguments",
        "`didit_blocklist_add` and `didit_blocklist_remove` name their fields",
    ),
    (
        "didit_blocklist_remove",
        "further arguments",
        "`didit_blocklist_add` and `didit_blocklist_remove` name their fields",
    ),
    (
        "*",
        "paths over stdio alone",
        "Paths of files are taken over stdio alone",
    ),
    ("*", "closed", "Unknown arguments are refused"),
];

fn differs(tool: &str, what: &str) -> bool {
    DIFFERENCES
        .iter()
        .any(|(name, kind, _)| (*name == tool || *name == "*") && *kind == what)
}

async fn listed(stdio: bool) -> Vec<Value> {
    let tools = Upstream::quiet(ONE).tools();
    let tools = if stdio { tools.over_stdio() } else { tools };
    let answer = ask_of(tools, "tools/list", json!({})).await;
    answer["result"]["tools"].as_array().unwrap().clone()
}

fn names(tools: &[Value]) -> BTreeSet<String> {
    let names = tools.iter().map(|tool| tool["name"].as_str().unwrap());
    names.map(str::to_owned).collect()
}

#[tokio::test]
async fn the_names_are_those_of_the_hosted_server_on_both_sides() {
    let facts = facts();
    assert_eq!(facts.len(), 163);
    for stdio in [false, true] {
        let wanted = facts
            .iter()
            .filter(|fact| stdio || fact["visibility"] != "stdio-only");
        let wanted: Vec<Value> = wanted.cloned().collect();
        let listed = listed(stdio).await;
        assert_eq!(listed.len(), if stdio { 163 } else { 156 });
        assert_eq!(names(&listed), names(&wanted));
    }
}

#[tokio::test]
async fn titles_categories_and_annotations_are_equal() {
    let facts = facts();
    for tool in listed(true).await {
        let fact = facts
            .iter()
            .find(|fact| fact["name"] == tool["name"])
            .unwrap();
        assert_eq!(tool["title"], fact["title"]);
        assert_eq!(tool["_meta"]["category"], fact["category"]);
        let mut annotations = fact["annotations"].clone();
        annotations["title"] = fact["title"].clone();
        assert_eq!(tool["annotations"], annotations, "{}", tool["name"]);
        let anything = json!({"type": "object", "additionalProperties": true});
        assert_eq!(tool["outputSchema"], anything);
        assert!(
            tool["description"].as_str().unwrap().len() > 20,
            "{}",
            tool["name"]
        );
    }
}

#[tokio::test]
async fn arguments_types_words_and_what_is_required_are_equal() {
    let facts = facts();
    for stdio in [false, true] {
        for tool in listed(stdio).await {
            let name = tool["name"].as_str().unwrap();
            let fact = facts.iter().find(|fact| fact["name"] == name).unwrap();
            let mut wanted = fact["input"].as_object().unwrap().clone();
            if !stdio {
                let is_path =
                    |name: &str| name.ends_with("_path") && differs("*", "paths over stdio alone");
                wanted.retain(|name, fact| fact["only"] != "stdio" && !is_path(name));
            }
            let schema = &tool["inputSchema"];
            assert_eq!(schema["type"], "object", "{name}");
            let none = Map::new();
            let ours = schema["properties"].as_object().unwrap_or(&none);
            for argument in wanted.keys() {
                assert!(ours.contains_key(argument), "{name} has no {argument}");
            }
            for (argument, property) in ours {
                let Some(fact) = wanted.get(argument) else {
                    assert!(differs(name, "further arguments"), "{name} {argument}");
                    continue;
                };
                assert!(!property["description"].as_str().unwrap().is_empty());
                same(property, fact, &format!("{name} {argument}"));
                let required = schema["required"]
                    .as_array()
                    .is_some_and(|all| all.contains(&json!(argument)));
                assert_eq!(required, fact["required"] == true, "{name} {argument}");
            }
            let any_of = fact["input_extra"].get("anyOf");
            assert_eq!(schema.get("anyOf"), any_of, "{name}");
        }
    }
}

/// What a schema and the facts say of one value, inside it too.
fn same(ours: &Value, fact: &Value, at: &str) {
    for keyword in [
        "type",
        "enum",
        "minItems",
        "maxLength",
        "pattern",
        "default",
        "minimum",
        "maximum",
        "maxItems",
        "additionalProperties",
    ] {
        // Bounds of our own are allowed where there was none.
        if fact.get(keyword).is_some()
            || ["type", "enum", "additionalProperties"].contains(&keyword)
        {
            assert_eq!(ours.get(keyword), fact.get(keyword), "{at} {keyword}");
        }
    }
    if let Some(items) = fact.get("items") {
        same(&ours["items"], items, &format!("{at}[]"));
    }
    let none = Map::new();
    let properties = fact["properties"].as_object().unwrap_or(&none);
    let known = ours["properties"].as_object().unwrap_or(&none);
    assert_eq!(
        known.keys().collect::<Vec<_>>(),
        properties.keys().collect::<Vec<_>>(),
        "{at}"
    );
    for (name, fact) in properties {
        same(&known[name], fact, &format!("{at}.{name}"));
    }
    if !properties.is_empty() {
        let list = |value: &Value| -> BTreeSet<String> {
            let names = value.as_array().into_iter().flatten();
            names
                .filter_map(|name| Some(name.as_str()?.to_owned()))
                .collect()
        };
        let wanted = match fact.get("required_keys") {
            Some(keys) => list(keys),
            None => list(&fact["required"]),
        };
        assert_eq!(list(&ours["required"]), wanted, "{at}");
    }
}

#[tokio::test]
async fn a_tool_takes_nothing_else_unless_it_is_open() {
    let mut open = Vec::new();
    for tool in listed(true).await {
        if tool["inputSchema"]["additionalProperties"] == true {
            open.push(tool["name"].as_str().unwrap().to_owned());
        }
    }
    open.sort_unstable();
    assert_eq!(
        open,
        [
            "didit_allowlist_add",
            "didit_blocklist_add",
            "didit_blocklist_remove",
            "didit_case_create",
        ]
    );
}

#[test]
fn each_difference_has_its_reason_in_the_documentation() {
    for (tool, what, words) in DIFFERENCES {
        assert!(
            PAGE.contains(words),
            "{tool}, {what}: the page does not say {words:?}"
        );
    }
}
