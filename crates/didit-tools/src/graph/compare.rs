//! What was wanted, held against what was stored.

use serde_json::Value;

use super::{Branch, Graph, Node};

/// The most differences that are told.
const MAX_DIFFERENCES: usize = 100;

/// What differs between a graph that was sent and the one that was read back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unconfirmed {
    /// Settings, as `node.config.name`.
    pub config_keys: Vec<String>,
    /// Anything else: nodes, the start, ways out.
    pub others: Vec<String>,
}

impl Unconfirmed {
    /// Whether everything is as it was wanted.
    pub fn is_empty(&self) -> bool {
        self.config_keys.is_empty() && self.others.is_empty()
    }
}

/// What of `wanted` is not so in `stored`; at most 100 of each kind.
///
/// Settings that the API added by itself are not differences; a number is the same however it is written.
pub fn unconfirmed(wanted: &Graph, stored: &Graph) -> Unconfirmed {
    let mut found = Unconfirmed::default();
    if wanted.start_node != stored.start_node {
        found.others.push("start_node".to_owned());
    }
    for (id, node) in &wanted.nodes {
        match stored.nodes.get(id) {
            Some(other) => compare(id, node, other, &mut found),
            None => found.others.push(id.clone()),
        }
    }
    let gone = stored
        .nodes
        .keys()
        .filter(|id| !wanted.nodes.contains_key(*id));
    found.others.extend(gone.cloned());
    found.config_keys.truncate(MAX_DIFFERENCES);
    found.others.truncate(MAX_DIFFERENCES);
    found
}

fn compare(id: &str, wanted: &Node, stored: &Node, found: &mut Unconfirmed) {
    let parts = [
        ("node_type", wanted.node_type != stored.node_type),
        ("feature", wanted.feature != stored.feature),
        ("next", wanted.next != stored.next),
        (
            "session_status",
            wanted.session_status != stored.session_status,
        ),
        ("branches", !same_branches(wanted, stored)),
    ];
    let differ = parts.iter().filter(|(_, differs)| *differs);
    found
        .others
        .extend(differ.map(|(name, _)| format!("{id}.{name}")));
    for (name, value) in wanted.config.iter().flatten() {
        let kept = stored.config.as_ref().and_then(|config| config.get(name));
        if !kept.map_or(value.is_null(), |kept| same(value, kept)) {
            found.config_keys.push(format!("{id}.config.{name}"));
        }
    }
}

fn same_branches(wanted: &Node, stored: &Node) -> bool {
    let wanted = wanted.branches.as_deref().unwrap_or_default();
    let stored = stored.branches.as_deref().unwrap_or_default();
    wanted.len() == stored.len() && wanted.iter().zip(stored).all(|(a, b)| same_branch(a, b))
}

fn same_branch(wanted: &Branch, stored: &Branch) -> bool {
    let rules = |branch: &Branch| branch.rules.clone().unwrap_or_default();
    let (mine, theirs) = (rules(wanted), rules(stored));
    wanted.id == stored.id
        && wanted.goto == stored.goto
        && wanted.logic.as_deref().unwrap_or("and") == stored.logic.as_deref().unwrap_or("and")
        && mine.len() == theirs.len()
        && mine.iter().zip(&theirs).all(|(a, b)| {
            a.field == b.field
                && a.operator == b.operator
                && same_option(a.value.as_ref(), b.value.as_ref())
                && same_option(a.score.as_ref(), b.score.as_ref())
        })
}

fn same_option(a: Option<&Value>, b: Option<&Value>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => same(a, b),
        (None, None) => true,
        _ => false,
    }
}

/// Whether two values are the same, numbers by their value.
pub(crate) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(x), Value::Number(y)) => x == y || x.as_f64() == y.as_f64(),
        (Value::Array(x), Value::Array(y)) => {
            x.len() == y.len() && x.iter().zip(y).all(|(a, b)| same(a, b))
        }
        (Value::Object(x), Value::Object(y)) => {
            x.len() == y.len()
                && x.iter()
                    .all(|(name, a)| y.get(name).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn graph(change: impl Fn(&mut Value)) -> Graph {
        let mut value = json!({"start_node": "a", "nodes": {
            "a": {"node_type": "feature", "feature": "OCR", "config": {"x": 1, "y": {"z": [1]}}, "next": "b"},
            "b": {"node_type": "branch", "branches": [
                {"id": "o", "logic": "and", "rules": [{"field": "f", "operator": "equals", "value": 1}], "goto": "c"},
                {"id": "else", "logic": "and", "rules": [], "goto": "c"},
            ]},
            "c": {"node_type": "status", "session_status": "Approved"},
        }});
        change(&mut value);
        Graph::parse(&value).unwrap()
    }

    #[test]
    fn what_was_stored_as_wanted_is_confirmed() {
        let wanted = graph(|_| {});
        assert!(unconfirmed(&wanted, &wanted).is_empty());
        let more = graph(|v| {
            v["nodes"]["a"]["config"]["added"] = json!(true);
            v["nodes"]["a"]["config"]["x"] = json!(1.0);
            v["nodes"]["a"]["position"] = json!({"left": 7});
            v["nodes"]["b"]["branches"][0]["rules"][0]["node_id"] = json!("a");
        });
        assert!(unconfirmed(&wanted, &more).is_empty());
    }

    #[test]
    fn each_difference_is_named() {
        type Change = fn(&mut Value);
        let cases: &[(Change, &[&str], &[&str])] = &[
            (|v| v["start_node"] = json!("b"), &[], &["start_node"]),
            (
                |v| v["nodes"]["a"]["config"]["x"] = json!(2),
                &["a.config.x"],
                &[],
            ),
            (
                |v| v["nodes"]["a"]["config"] = json!({"y": {"z": ["1"]}}),
                &["a.config.x", "a.config.y"],
                &[],
            ),
            (
                |v| v["nodes"]["a"]["config"] = json!(null),
                &["a.config.x", "a.config.y"],
                &[],
            ),
            (|v| v["nodes"]["a"]["next"] = json!(null), &[], &["a.next"]),
            (
                |v| v["nodes"]["a"]["feature"] = json!("NFC"),
                &[],
                &["a.feature"],
            ),
            (
                |v| v["nodes"]["c"]["session_status"] = json!("Declined"),
                &[],
                &["c.session_status"],
            ),
            (
                |v| v["nodes"]["c"]["node_type"] = json!("x"),
                &[],
                &["c.node_type"],
            ),
            (
                |v| v["nodes"]["b"]["branches"][0]["goto"] = json!("b"),
                &[],
                &["b.branches"],
            ),
            (
                |v| v["nodes"]["b"]["branches"][0]["rules"][0]["value"] = json!(2),
                &[],
                &["b.branches"],
            ),
            (
                |v| v["nodes"]["b"]["branches"] = json!([]),
                &[],
                &["b.branches"],
            ),
            (
                |v| {
                    v["nodes"].as_object_mut().unwrap().remove("c");
                },
                &[],
                &["c"],
            ),
            (
                |v| v["nodes"]["new"] = json!({"node_type": "status"}),
                &[],
                &["new"],
            ),
        ];
        for (change, keys, others) in cases {
            let found = unconfirmed(&graph(|_| {}), &graph(change));
            assert_eq!(found.config_keys, *keys);
            assert_eq!(found.others, *others);
            assert!(!found.is_empty());
        }
    }
}
