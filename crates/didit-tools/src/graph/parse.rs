//! Reading a graph: shapes and sizes; what the values mean is `check`'s.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Branch, Finding, Graph, Node, Rule};

/// The most nodes: several times what the largest published workflows have, and still quick to walk.
pub const MAX_NODES: usize = 300;

/// The most branches of one node.
pub const MAX_BRANCHES: usize = 100;

/// The most rules of one branch.
pub const MAX_RULES: usize = 100;

/// The largest graph, in bytes of JSON: allow-lists of every country and document fit several times.
pub const MAX_BYTES: usize = 2 * 1024 * 1024;

/// How deep values may be nested; the deepest settings known have eight levels.
pub const MAX_DEPTH: usize = 32;

/// The longest id of a node, in bytes.
pub const MAX_ID: usize = 128;

type Parsed<T> = Result<T, Finding>;

impl Graph {
    /// Reads a graph.
    ///
    /// Checked: the shape of every member that is known, ids, numbers of nodes, branches and rules, depth and size.
    /// Not checked: whether the nodes that are named exist, and every other meaning; [`Graph::check`] does that.
    ///
    /// # Errors
    /// The first [`Finding`], with the path to it.
    pub fn parse(value: &Value) -> Result<Self, Finding> {
        bounded(value)?;
        let mut rest = object(value, "graph")?.clone();
        let start_node = match rest.remove("start_node") {
            Some(Value::String(id)) => id,
            Some(other) => return Err(not_a("start_node", "the id of a node, as text", &other)),
            None => return Err(Finding::new("start_node", "is missing")),
        };
        let given = match rest.remove("nodes") {
            Some(Value::Object(nodes)) => nodes,
            Some(other) => return Err(not_a("nodes", "an object of nodes by their ids", &other)),
            None => return Err(Finding::new("nodes", "is missing")),
        };
        if given.len() > MAX_NODES {
            let message = format!("has {} nodes; {MAX_NODES} are allowed", given.len());
            return Err(Finding::new("nodes", message));
        }
        let mut nodes = BTreeMap::new();
        for (id, node) in given {
            check_id(&id, "nodes")?;
            let node = Node::parse(node, &format!("nodes.{id}"))?;
            nodes.insert(id, node);
        }
        Ok(Self {
            start_node,
            nodes,
            rest,
        })
    }
}

impl Node {
    /// Reads one node, whose errors are told from `path` on.
    pub(crate) fn parse(value: Value, path: &str) -> Parsed<Self> {
        let mut rest = owned(value, path)?;
        let node_type = text(&mut rest, "node_type", path)?
            .ok_or_else(|| Finding::new(format!("{path}.node_type"), "is missing"))?;
        let config = match known(&mut rest, "config") {
            None => None,
            Some(Value::Object(config)) => Some(config),
            Some(other) => return Err(not_a(&format!("{path}.config"), "an object", &other)),
        };
        Ok(Self {
            node_type,
            feature: text(&mut rest, "feature", path)?,
            config,
            next: text(&mut rest, "next", path)?,
            branches: list(&mut rest, "branches", path, MAX_BRANCHES, Branch::parse)?,
            session_status: text(&mut rest, "session_status", path)?,
            rest,
        })
    }
}

impl Branch {
    /// Reads one branch, whose errors are told from `path` on.
    pub(crate) fn parse(value: Value, path: &str) -> Parsed<Self> {
        let mut rest = owned(value, path)?;
        Ok(Self {
            id: text(&mut rest, "id", path)?,
            logic: text(&mut rest, "logic", path)?,
            rules: list(&mut rest, "rules", path, MAX_RULES, Rule::parse)?,
            goto: text(&mut rest, "goto", path)?,
            rest,
        })
    }
}

impl Rule {
    /// Reads one rule, whose errors are told from `path` on.
    pub(crate) fn parse(value: Value, path: &str) -> Parsed<Self> {
        let mut rest = owned(value, path)?;
        Ok(Self {
            field: text(&mut rest, "field", path)?,
            operator: text(&mut rest, "operator", path)?,
            value: known(&mut rest, "value"),
            score: known(&mut rest, "score"),
            rest,
        })
    }
}

/// Takes a member out; one that is `null` stays where it is.
fn known(rest: &mut Map<String, Value>, name: &str) -> Option<Value> {
    if rest.get(name)?.is_null() {
        return None;
    }
    rest.remove(name)
}

fn text(rest: &mut Map<String, Value>, name: &str, path: &str) -> Parsed<Option<String>> {
    match known(rest, name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(not_a(&format!("{path}.{name}"), "text", &other)),
    }
}

fn list<T>(
    rest: &mut Map<String, Value>,
    name: &str,
    path: &str,
    most: usize,
    parse: impl Fn(Value, &str) -> Parsed<T>,
) -> Parsed<Option<Vec<T>>> {
    let path = format!("{path}.{name}");
    match known(rest, name) {
        None => Ok(None),
        Some(Value::Array(items)) => parse_list(items, &path, most, parse).map(Some),
        Some(other) => Err(not_a(&path, "a list", &other)),
    }
}

/// Reads a list of branches or rules.
pub(crate) fn parse_list<T>(
    items: Vec<Value>,
    path: &str,
    most: usize,
    parse: impl Fn(Value, &str) -> Parsed<T>,
) -> Parsed<Vec<T>> {
    if items.len() > most {
        let message = format!("has {} items; {most} are allowed", items.len());
        return Err(Finding::new(path, message));
    }
    items
        .into_iter()
        .enumerate()
        .map(|(index, item)| parse(item, &format!("{path}[{index}]")))
        .collect()
}

/// An id must be able to stand in a path, a message and a drawing.
pub(crate) fn check_id(id: &str, path: &str) -> Parsed<()> {
    if id.trim().is_empty() {
        return Err(Finding::new(path, "has a node whose id is blank"));
    }
    if id.len() > MAX_ID {
        let message = format!("has a node whose id is longer than {MAX_ID} bytes");
        return Err(Finding::new(path, message));
    }
    if id.chars().any(unprintable) {
        let message = "has a node whose id contains a control character";
        return Err(Finding::new(path, message));
    }
    Ok(())
}

/// Control characters, and those that turn the direction of the text around them.
pub(crate) fn unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Refuses what is too deep or too large to be worked on.
pub(crate) fn bounded(value: &Value) -> Parsed<()> {
    if !shallower(value, MAX_DEPTH) {
        let message = format!("is nested deeper than {MAX_DEPTH} levels");
        return Err(Finding::new("graph", message));
    }
    let bytes = json_len(value);
    if bytes > MAX_BYTES {
        let message = format!("is {bytes} bytes of JSON; {MAX_BYTES} are allowed");
        return Err(Finding::new("graph", message));
    }
    Ok(())
}

fn shallower(value: &Value, left: usize) -> bool {
    let Some(below) = left.checked_sub(1) else {
        return false;
    };
    match value {
        Value::Array(items) => items.iter().all(|item| shallower(item, below)),
        Value::Object(members) => members.values().all(|member| shallower(member, below)),
        _ => true,
    }
}

/// How long the compact JSON of a value is, in bytes.
pub(crate) fn json_len(value: &Value) -> usize {
    struct Counter(usize);

    impl std::io::Write for Counter {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 = self.0.saturating_add(bytes.len());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    let mut counter = Counter(0);
    match serde_json::to_writer(&mut counter, value) {
        Ok(()) => counter.0,
        // A value of JSON can always be written; if not, nothing is small enough.
        Err(_) => usize::MAX,
    }
}

fn object<'a>(value: &'a Value, path: &str) -> Parsed<&'a Map<String, Value>> {
    value
        .as_object()
        .ok_or_else(|| not_a(path, "an object", value))
}

fn owned(value: Value, path: &str) -> Parsed<Map<String, Value>> {
    match value {
        Value::Object(members) => Ok(members),
        other => Err(not_a(path, "an object", &other)),
    }
}

pub(crate) fn not_a(path: &str, wanted: &str, given: &Value) -> Finding {
    let given = match given {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    Finding::new(path, format!("is {given}, not {wanted}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    pub(super) fn whole() -> Value {
        json!({
            "start_node": "ocr",
            "version": 3,
            "nodes": {
                "ocr": {"node_type": "feature", "feature": "OCR", "config": {"minimum_age": 18}, "next": "route", "x": 1},
                "route": {"node_type": "branch", "next": null, "branches": [
                    {"id": "young", "logic": "and", "rules": [
                        {"field": "kyc.age", "operator": "less_than", "value": 18, "value_type": "literal"},
                    ], "goto": "no", "colour": "red"},
                    {"id": "else", "logic": "and", "rules": [], "goto": "yes"},
                ]},
                "no": {"node_type": "status", "session_status": "Declined", "config": null},
                "yes": {"node_type": "status", "session_status": "Approved"},
                "later": {"node_type": "something_new", "next": "yes"},
            },
        })
    }

    #[test]
    fn nothing_is_lost() {
        let value = whole();
        let graph = Graph::parse(&value).unwrap();
        assert_eq!(graph.to_value(), value);
        assert_eq!(graph.nodes["later"].kind(), None);
        assert_eq!(
            graph.nodes["route"].targets().collect::<Vec<_>>(),
            ["no", "yes"]
        );
    }

    #[test]
    fn each_wrong_shape_is_told_by_its_path() {
        type Break = fn(&mut Value);
        let cases: &[(Break, &str)] = &[
            (|v| *v = json!([]), "graph is a list, not an object"),
            (
                |v| v["start_node"] = json!(1),
                "start_node is a number, not the id of a node, as text",
            ),
            (
                |v| {
                    v.as_object_mut().unwrap().remove("start_node");
                },
                "start_node is missing",
            ),
            (
                |v| {
                    v.as_object_mut().unwrap().remove("nodes");
                },
                "nodes is missing",
            ),
            (
                |v| v["nodes"] = json!([]),
                "nodes is a list, not an object of nodes by their ids",
            ),
            (
                |v| v["nodes"]["ocr"] = json!("OCR"),
                "nodes.ocr is text, not an object",
            ),
            (
                |v| {
                    v["nodes"]["ocr"]
                        .as_object_mut()
                        .unwrap()
                        .remove("node_type");
                },
                "nodes.ocr.node_type is missing",
            ),
            (
                |v| v["nodes"]["ocr"]["node_type"] = json!(true),
                "nodes.ocr.node_type is a boolean, not text",
            ),
            (
                |v| v["nodes"]["ocr"]["config"] = json!([]),
                "nodes.ocr.config is a list, not an object",
            ),
            (
                |v| v["nodes"]["ocr"]["next"] = json!(["a"]),
                "nodes.ocr.next is a list, not text",
            ),
            (
                |v| v["nodes"]["ocr"]["feature"] = json!(1),
                "nodes.ocr.feature is a number, not text",
            ),
            (
                |v| v["nodes"]["route"]["branches"] = json!({}),
                "nodes.route.branches is an object, not a list",
            ),
            (
                |v| v["nodes"]["route"]["branches"][0] = json!(null),
                "nodes.route.branches[0] is null, not an object",
            ),
            (
                |v| v["nodes"]["route"]["branches"][1]["goto"] = json!(1),
                "nodes.route.branches[1].goto is a number, not text",
            ),
            (
                |v| v["nodes"]["route"]["branches"][0]["rules"] = json!("x"),
                "nodes.route.branches[0].rules is text, not a list",
            ),
            (
                |v| v["nodes"]["route"]["branches"][0]["rules"][0]["operator"] = json!(1),
                "nodes.route.branches[0].rules[0].operator is a number, not text",
            ),
            (
                |v| v["nodes"]["a\u{7}"] = json!({"node_type": "status"}),
                "nodes has a node whose id contains a control character",
            ),
            (
                |v| v["nodes"][" "] = json!({"node_type": "status"}),
                "nodes has a node whose id is blank",
            ),
        ];
        for (change, want) in cases {
            let mut value = whole();
            change(&mut value);
            assert_eq!(Graph::parse(&value).unwrap_err().to_string(), *want);
        }
    }

    #[test]
    fn everything_is_bounded() {
        let end = || json!({"node_type": "status", "session_status": "Approved"});
        let nodes: Map<String, Value> = (0..=MAX_NODES).map(|n| (format!("n{n}"), end())).collect();
        let many = json!({"start_node": "n0", "nodes": nodes});
        assert_eq!(
            Graph::parse(&many).unwrap_err().to_string(),
            "nodes has 301 nodes; 300 are allowed"
        );
        let mut value = whole();
        value["nodes"]["route"]["branches"] = vec![json!({"id": "x"}); MAX_BRANCHES + 1].into();
        assert_eq!(
            Graph::parse(&value).unwrap_err().to_string(),
            "nodes.route.branches has 101 items; 100 are allowed"
        );
        let mut value = whole();
        value["nodes"]["route"]["branches"][0]["rules"] = vec![json!({}); MAX_RULES + 1].into();
        assert_eq!(
            Graph::parse(&value).unwrap_err().to_string(),
            "nodes.route.branches[0].rules has 101 items; 100 are allowed"
        );
        let mut value = whole();
        value["nodes"][&"i".repeat(MAX_ID + 1)] = end();
        assert_eq!(
            Graph::parse(&value).unwrap_err().to_string(),
            "nodes has a node whose id is longer than 128 bytes"
        );
        let mut value = whole();
        let mut deep = json!(1);
        for _ in 0..MAX_DEPTH {
            deep = json!([deep]);
        }
        value["x"] = deep;
        assert_eq!(
            Graph::parse(&value).unwrap_err().to_string(),
            "graph is nested deeper than 32 levels"
        );
        let mut value = whole();
        value["x"] = "x".repeat(MAX_BYTES).into();
        let text = Graph::parse(&value).unwrap_err().to_string();
        assert!(
            text.ends_with("bytes of JSON; 2097152 are allowed"),
            "{text}"
        );
    }

    #[test]
    fn length_is_that_of_compact_json() {
        for value in [json!({"a": [1, "ż\n"], "b": null}), json!("x"), json!([])] {
            assert_eq!(json_len(&value), value.to_string().len());
        }
    }
}
