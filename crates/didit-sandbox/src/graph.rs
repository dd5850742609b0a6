//! Workflow graphs: what is wrong with one, what comes before a node, and one made from a list of features.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

/// Nodes of a graph at most.
const MOST_NODES: usize = 200;

/// Every feature, and whether it is for companies alone.
pub(crate) const FEATURES: &[(&str, bool)] = &[
    ("OCR", false),
    ("NFC", false),
    ("LIVENESS", false),
    ("FACE_MATCH", false),
    ("PROOF_OF_ADDRESS", false),
    ("QUESTIONNAIRE", false),
    ("PHONE_VERIFICATION", false),
    ("EMAIL_VERIFICATION", false),
    ("DATABASE_VALIDATION", false),
    ("AML", false),
    ("IP_ANALYSIS", false),
    ("AGE_ESTIMATION", false),
    ("KYB_REGISTRY", true),
    ("KYB_DOCUMENTS", true),
    ("KYB_KEY_PEOPLE", true),
    ("DOCUMENT_AI", false),
];

/// Features of a person alone: a workflow for companies cannot have them.
const OF_A_PERSON: &[&str] = &["OCR", "NFC", "LIVENESS", "FACE_MATCH", "AGE_ESTIMATION"];

pub(crate) const OPERATORS: &[&str] = &[
    "equals",
    "not_equals",
    "greater_than",
    "greater_than_or_equals",
    "less_than",
    "less_than_or_equals",
    "contains",
    "not_contains",
    "in",
    "not_in",
    "is_empty",
    "is_not_empty",
    "regex",
    "fuzzy_match",
];

const STATUSES: &[&str] = &["Approved", "Declined", "In Review", "Determine"];

pub(crate) fn is_feature(name: &str) -> bool {
    FEATURES.iter().any(|(known, _)| *known == name)
}

/// One thing that is wrong, where, and a word for it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Flaw {
    node: Option<String>,
    code: &'static str,
    message: String,
}

impl Flaw {
    pub(crate) fn show(&self) -> Value {
        json!({ "node_id": self.node, "code": self.code, "message": self.message })
    }
}

fn flaw(node: Option<&str>, code: &'static str, message: impl Into<String>) -> Flaw {
    Flaw {
        node: node.map(str::to_owned),
        code,
        message: message.into(),
    }
}

/// The nodes that one leads to, in order.
fn targets(node: &Value) -> Vec<&str> {
    let branches = node.get("branches").and_then(Value::as_array);
    node.get("next")
        .and_then(Value::as_str)
        .into_iter()
        .chain(
            branches
                .into_iter()
                .flatten()
                .filter_map(|branch| branch.get("goto")?.as_str()),
        )
        .collect()
}

/// Everything that is wrong with a graph. `kind` is `kyc` or `kyb`, where it is known.
pub(crate) fn flaws(graph: &Value, kind: Option<&str>) -> Vec<Flaw> {
    let Some(nodes) = graph.get("nodes").and_then(Value::as_object) else {
        return vec![flaw(
            None,
            "missing_nodes",
            "The graph has no object `nodes`.",
        )];
    };
    if nodes.is_empty() || nodes.len() > MOST_NODES {
        let why = format!("A graph has 1 to {MOST_NODES} nodes.");
        return vec![flaw(None, "node_count", why)];
    }
    let mut found = Vec::new();
    match graph.get("start_node").and_then(Value::as_str) {
        None => found.push(flaw(
            None,
            "missing_start",
            "The graph has no `start_node`.",
        )),
        Some(start) if !nodes.contains_key(start) => {
            let why = format!("The start node \"{start}\" is not in the graph.");
            found.push(flaw(None, "unknown_start", why));
        }
        Some(start) => {
            let reached = reached(nodes, start);
            for id in nodes.keys().filter(|id| !reached.contains(id.as_str())) {
                found.push(flaw(Some(id), "unreachable", "Nothing leads to this node."));
            }
            if circles(nodes, start) {
                found.push(flaw(None, "cycle", "The graph leads back into itself."));
            }
        }
    }
    for (id, node) in nodes {
        of_node(id, node, nodes, &mut found);
    }
    let used: BTreeSet<&str> = nodes.values().filter_map(feature).collect();
    let business = kind.map_or_else(
        || used.iter().any(|name| FEATURES.contains(&(name, true))),
        |kind| kind == "kyb",
    );
    for name in used {
        let of_company = FEATURES.contains(&(name, true));
        if (of_company && !business) || (business && OF_A_PERSON.contains(&name)) {
            let word = if business { "companies" } else { "people" };
            let why = format!("{name} does not belong in a workflow for {word}.");
            found.push(flaw(None, "mixed_features", why));
        }
    }
    found
}

fn feature(node: &Value) -> Option<&str> {
    (node.get("node_type")?.as_str()? == "feature").then(|| node.get("feature")?.as_str())?
}

fn of_node(id: &str, node: &Value, nodes: &Map<String, Value>, found: &mut Vec<Flaw>) {
    let mut add = |code, why: String| found.push(flaw(Some(id), code, why));
    for target in targets(node) {
        if !nodes.contains_key(target) {
            add(
                "unknown_target",
                format!("It leads to \"{target}\", which is not in the graph."),
            );
        }
    }
    match node.get("node_type").and_then(Value::as_str) {
        Some("feature") => match node.get("feature").and_then(Value::as_str) {
            Some(name) if is_feature(name) => {}
            Some(name) => add("unknown_feature", format!("\"{name}\" is not a feature.")),
            None => add(
                "missing_feature",
                "A feature node names its `feature`.".to_owned(),
            ),
        },
        Some("status") => {
            let status = node.get("session_status").and_then(Value::as_str);
            if !status.is_some_and(|status| STATUSES.contains(&status)) {
                let why = format!("`session_status` is one of {}.", STATUSES.join(", "));
                add("bad_status", why);
            }
        }
        Some("branch") => {
            let branches = node.get("branches").and_then(Value::as_array);
            let Some(branches) = branches.filter(|branches| !branches.is_empty()) else {
                return add("missing_branches", "A branch node has branches.".to_owned());
            };
            for branch in branches {
                for why in of_branch(branch) {
                    add("bad_branch", why);
                }
            }
            let otherwise = |branch: &Value| branch.get("rules") == Some(&json!([]));
            if !branches.iter().any(otherwise) {
                let why = "A branch node has one branch without rules, for everything else.";
                add("missing_else", why.to_owned());
            }
        }
        Some("action" | "webhook") => {}
        _ => add(
            "unknown_type",
            "`node_type` is one of feature, action, branch, status, webhook.".to_owned(),
        ),
    }
}

fn of_branch(branch: &Value) -> Vec<String> {
    let mut found = Vec::new();
    if branch.get("goto").and_then(Value::as_str).is_none() {
        found.push("A branch says where it goes in `goto`.".to_owned());
    }
    if !matches!(
        branch.get("logic").and_then(Value::as_str),
        Some("and" | "or")
    ) {
        found.push("The `logic` of a branch is `and` or `or`.".to_owned());
    }
    let Some(rules) = branch.get("rules").and_then(Value::as_array) else {
        found.push("The `rules` of a branch are a list.".to_owned());
        return found;
    };
    for rule in rules {
        if rule.get("field").and_then(Value::as_str).is_none() {
            found.push("A rule names its `field`.".to_owned());
        }
        let operator = rule.get("operator").and_then(Value::as_str);
        if !operator.is_some_and(|operator| OPERATORS.contains(&operator)) {
            found.push(format!(
                "The `operator` of a rule is one of {}.",
                OPERATORS.join(", ")
            ));
        }
    }
    found
}

fn reached<'g>(nodes: &'g Map<String, Value>, start: &'g str) -> BTreeSet<&'g str> {
    let mut seen = BTreeSet::from([start]);
    let mut left = vec![start];
    while let Some(id) = left.pop() {
        for target in nodes.get(id).map(targets).unwrap_or_default() {
            if nodes.contains_key(target) && seen.insert(target) {
                left.push(target);
            }
        }
    }
    seen
}

/// Whether some way from the start comes back to itself: what is left when nodes that nothing leads to are taken away again and again.
fn circles(nodes: &Map<String, Value>, start: &str) -> bool {
    let reached = reached(nodes, start);
    let mut into: BTreeMap<&str, usize> = reached.iter().map(|id| (*id, 0)).collect();
    for id in &reached {
        for target in nodes.get(*id).map(targets).unwrap_or_default() {
            if let Some(count) = into.get_mut(target) {
                *count += 1;
            }
        }
    }
    let mut free: Vec<&str> = into
        .iter()
        .filter(|(_, count)| **count == 0)
        .map(|(id, _)| *id)
        .collect();
    let mut taken = 0;
    while let Some(id) = free.pop() {
        taken += 1;
        for target in nodes.get(id).map(targets).unwrap_or_default() {
            if let Some(count) = into.get_mut(target) {
                *count -= 1;
                if *count == 0 {
                    free.push(target);
                }
            }
        }
    }
    taken < reached.len()
}

/// The features of a graph and the settings of each, in the order in which they are come to.
pub(crate) fn features(graph: &Value) -> Vec<(String, Value)> {
    let nodes = graph.get("nodes").and_then(Value::as_object);
    let start = graph.get("start_node").and_then(Value::as_str);
    let (Some(nodes), Some(start)) = (nodes, start) else {
        return Vec::new();
    };
    let mut seen = BTreeSet::from([start]);
    let mut left = std::collections::VecDeque::from([start]);
    let mut found = Vec::new();
    while let Some(id) = left.pop_front() {
        let Some(node) = nodes.get(id) else { continue };
        if let Some(name) = feature(node) {
            let config = node.get("config").cloned().unwrap_or_else(|| json!({}));
            found.push((name.to_owned(), config));
        }
        left.extend(
            targets(node)
                .into_iter()
                .filter(|target| seen.insert(target)),
        );
    }
    found
}

/// One feature after another, and then the status that their results determine.
pub(crate) fn of_features<'f>(features: impl IntoIterator<Item = (&'f str, Value)>) -> Value {
    let features: Vec<(&str, Value)> = features.into_iter().collect();
    let id = |index: usize, name: &str| format!("feature_{}_{}", name.to_lowercase(), index + 1);
    let ids: Vec<String> = features
        .iter()
        .enumerate()
        .map(|(index, (name, _))| id(index, name))
        .chain(["status_1".to_owned()])
        .collect();
    let mut nodes = Map::new();
    for (index, (name, config)) in features.into_iter().enumerate() {
        let node = json!({ "node_type": "feature", "feature": name, "config": config, "next": ids.get(index + 1) });
        nodes.insert(id(index, name), node);
    }
    nodes.insert(
        "status_1".to_owned(),
        json!({ "node_type": "status", "session_status": "Determine" }),
    );
    json!({ "start_node": ids.first(), "nodes": nodes })
}

/// The features of which a node knows the results: those on some way to it, with the ids of their nodes.
pub(crate) fn before(graph: &Value, node: &str) -> Option<Vec<(String, String)>> {
    let nodes = graph.get("nodes")?.as_object()?;
    nodes.get(node)?;
    let found = nodes.iter().filter_map(|(id, other)| {
        let name = feature(other)?;
        (id != node && reached(nodes, id).contains(node)).then(|| (id.clone(), name.to_owned()))
    });
    Some(found.collect())
}

/// The fields that rules about a feature may use, and what each holds.
pub(crate) fn fields(feature: &str) -> &'static [(&'static str, &'static str)] {
    match feature {
        "OCR" => &[
            ("status", "text"),
            ("issuing_state", "text"),
            ("document_type", "text"),
            ("age", "number"),
        ],
        "LIVENESS" | "FACE_MATCH" => &[("status", "text"), ("score", "number")],
        "AML" => &[
            ("status", "text"),
            ("total_hits", "number"),
            ("score", "number"),
        ],
        "IP_ANALYSIS" => &[("ip_country_code", "text"), ("is_vpn_or_tor", "boolean")],
        "AGE_ESTIMATION" => &[("status", "text"), ("age_estimation", "number")],
        "PHONE_VERIFICATION" => &[("status", "text"), ("is_virtual", "boolean")],
        "EMAIL_VERIFICATION" => &[("status", "text"), ("is_disposable", "boolean")],
        "PROOF_OF_ADDRESS" | "DATABASE_VALIDATION" => {
            &[("status", "text"), ("issuing_state", "text")]
        }
        _ => &[("status", "text")],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(graph: &Value) -> Vec<&'static str> {
        flaws(graph, None).iter().map(|flaw| flaw.code).collect()
    }

    fn good() -> Value {
        json!({ "start_node": "a", "nodes": {
            "a": { "node_type": "feature", "feature": "OCR", "config": {}, "next": "b" },
            "b": { "node_type": "branch", "branches": [
                { "id": "x", "logic": "and", "rules": [{ "field": "a.age", "operator": "less_than", "value": 18 }], "goto": "c" },
                { "id": "else", "logic": "and", "rules": [], "goto": "d" },
            ] },
            "c": { "node_type": "status", "session_status": "Declined" },
            "d": { "node_type": "status", "session_status": "Approved" },
        } })
    }

    #[test]
    fn each_flaw_is_found() {
        assert_eq!(codes(&good()), [""; 0]);
        let changed = |path: &str, value: Value| {
            let mut graph = good();
            *graph.pointer_mut(path).unwrap() = value;
            codes(&graph)
        };
        assert_eq!(changed("/nodes", json!([])), ["missing_nodes"]);
        assert_eq!(changed("/nodes", json!({})), ["node_count"]);
        assert_eq!(changed("/start_node", Value::Null), ["missing_start"]);
        assert_eq!(changed("/start_node", json!("z")), ["unknown_start"]);
        assert_eq!(changed("/start_node", json!("b")), ["unreachable"]);
        assert_eq!(
            changed("/nodes/a/feature", json!("PET")),
            ["unknown_feature"]
        );
        assert_eq!(
            changed("/nodes/a/feature", Value::Null),
            ["missing_feature"]
        );
        assert_eq!(
            changed("/nodes/a/node_type", json!("odd")),
            ["unknown_type"]
        );
        assert_eq!(
            changed("/nodes/c/session_status", json!("Expired")),
            ["bad_status"]
        );
        assert_eq!(
            changed(
                "/nodes/b/branches/1/rules",
                json!([{ "field": "f", "operator": "in" }])
            ),
            ["missing_else"]
        );
        assert_eq!(
            changed("/nodes/b/branches/0/rules/0/operator", json!("like")),
            ["bad_branch"]
        );
        assert_eq!(
            changed("/nodes/b/branches/0/rules/0/field", json!(1)),
            ["bad_branch"]
        );
        assert_eq!(
            changed("/nodes/b/branches/0/logic", json!("xor")),
            ["bad_branch"]
        );
        assert_eq!(
            changed("/nodes/b/branches/0/rules", json!("none")),
            ["bad_branch"]
        );
        assert_eq!(
            changed("/nodes/b/branches/0/goto", Value::Null),
            ["unreachable", "bad_branch"]
        );
        assert_eq!(
            changed("/nodes/b/branches/0/goto", json!("z")),
            ["unreachable", "unknown_target"]
        );
        assert_eq!(
            changed("/nodes/b/branches/0/goto", json!("a")),
            ["unreachable", "cycle"]
        );
        let mut graph = good();
        graph["nodes"]["a"]["next"] = json!("e");
        graph["nodes"]["e"] =
            json!({ "node_type": "feature", "feature": "KYB_REGISTRY", "next": "b" });
        assert_eq!(codes(&graph), ["mixed_features"]);
        assert_eq!(flaws(&good(), Some("kyb")).len(), 1);
        graph["nodes"]["b"]["branches"] = json!([]);
        assert_eq!(
            codes(&graph),
            [
                "unreachable",
                "unreachable",
                "missing_branches",
                "mixed_features"
            ]
        );
    }

    #[test]
    fn a_list_of_features_becomes_a_graph_and_back() {
        let graph = of_features([("OCR", json!({ "x": 1 })), ("AML", json!({}))]);
        assert_eq!(codes(&graph), [""; 0]);
        let listed = features(&graph);
        assert_eq!(
            listed,
            [
                ("OCR".to_owned(), json!({ "x": 1 })),
                ("AML".to_owned(), json!({}))
            ]
        );
        assert_eq!(graph["nodes"]["feature_ocr_1"]["next"], "feature_aml_2");
        let before = before(&good(), "b").unwrap();
        assert_eq!(before, [("a".to_owned(), "OCR".to_owned())]);
        assert_eq!(super::before(&good(), "a").unwrap(), []);
        assert_eq!(super::before(&good(), "z"), None);
    }
}
