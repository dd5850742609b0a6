//! Changes to a graph, applied as a list: all of them or none.

use std::fmt;

use serde_json::{Map, Value};

use super::parse::{bounded, check_id, not_a, parse_list};
use super::{Branch, Finding, Graph, Kind, MAX_BRANCHES, MAX_NODES, Node};

/// The most changes in one list.
pub const MAX_OPERATIONS: usize = 200;

/// A graph after its changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Edited {
    /// The changed graph.
    pub graph: Graph,
    /// What was changed, one sentence for each operation.
    pub changes: Vec<String>,
}

/// Which change failed, and why; the graph is as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedEdit {
    /// Its place in the list, from 0.
    pub index: usize,
    /// What is wrong with it; the path is that within the arguments.
    pub finding: Finding,
}

impl fmt::Display for FailedEdit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "operation {}: {}; nothing was changed",
            self.index, self.finding
        )
    }
}

impl std::error::Error for FailedEdit {}

/// The operations, and the members that each takes beside `op`.
const OPERATIONS: &[(&str, &[&str])] = &[
    ("set_node", &["node_id", "node"]),
    ("add_node", &["node_id", "node"]),
    ("remove_node", &["node_id"]),
    ("set_next", &["node_id", "next"]),
    ("set_branches", &["node_id", "branches"]),
    ("merge_node_config", &["node_id", "config"]),
    ("set_start", &["start_node"]),
];

impl Graph {
    /// Applies a list of operations, each an object with `op` and what it takes.
    ///
    /// `set_node` (or `add_node`) puts a node in, or another in its place; `remove_node` takes one out; `set_next` says where a node goes on to,
    /// which is the branch without rules of a fork; `set_branches` replaces the branches of a node; `merge_node_config` sets single settings;
    /// `set_start` says where the graph begins.
    /// Not checked: whether the result is a good graph; [`Graph::check`] says that, once all are applied.
    ///
    /// # Errors
    /// [`FailedEdit`] for the first operation that cannot be applied.
    pub fn edit(&self, operations: &[Value]) -> Result<Edited, FailedEdit> {
        let failed = |index| move |finding| FailedEdit { index, finding };
        if operations.len() > MAX_OPERATIONS {
            let message = format!(
                "has {} items; {MAX_OPERATIONS} are allowed",
                operations.len()
            );
            return Err(failed(MAX_OPERATIONS)(Finding::new("operations", message)));
        }
        let mut edited = Edited {
            graph: self.clone(),
            changes: Vec::new(),
        };
        for (index, operation) in operations.iter().enumerate() {
            let operation = Operation::read(operation, index).map_err(failed(index))?;
            let change = operation.apply(&mut edited.graph).map_err(failed(index))?;
            edited.changes.push(change);
        }
        let last = operations.len().saturating_sub(1);
        bounded(&edited.graph.to_value()).map_err(failed(last))?;
        Ok(edited)
    }
}

/// One operation whose members are known to belong to it.
struct Operation<'a> {
    op: &'a str,
    members: &'a Map<String, Value>,
    path: String,
}

impl<'a> Operation<'a> {
    fn read(value: &'a Value, index: usize) -> Result<Self, Finding> {
        let path = format!("operations[{index}]");
        let members = value
            .as_object()
            .ok_or_else(|| not_a(&path, "an object", value))?;
        let op = match members.get("op") {
            Some(Value::String(op)) => op.as_str(),
            Some(other) => return Err(not_a(&format!("{path}.op"), "text", other)),
            None => return Err(Finding::new(format!("{path}.op"), "is missing").among("", names())),
        };
        let Some((_, takes)) = OPERATIONS.iter().find(|(name, _)| *name == op) else {
            let finding = Finding::new(format!("{path}.op"), "is not an operation");
            return Err(finding.among(op, names()));
        };
        // Null stands for nothing, except for the next of an end.
        let odd = members.iter().find(|(name, value)| {
            *name != "op" && !takes.contains(&name.as_str()) && !value.is_null()
        });
        if let Some((name, _)) = odd {
            let finding = Finding::new(format!("{path}.{name}"), format!("does not go with {op}"));
            return Err(finding.among(name, takes.iter().copied()));
        }
        Ok(Self { op, members, path })
    }

    fn apply(&self, graph: &mut Graph) -> Result<String, Finding> {
        match self.op {
            "set_start" => self.set_start(graph),
            "remove_node" => self.remove_node(graph),
            "set_next" => self.set_next(graph),
            "set_branches" => self.set_branches(graph),
            "merge_node_config" => self.merge_node_config(graph),
            _ => self.set_node(graph),
        }
    }

    fn at(&self, name: &str) -> String {
        format!("{}.{name}", self.path)
    }

    fn member(&self, name: &str) -> Result<&'a Value, Finding> {
        let message = || format!("is missing: {} needs it", self.op);
        self.members
            .get(name)
            .filter(|value| !value.is_null())
            .ok_or_else(|| Finding::new(self.at(name), message()))
    }

    fn text(&self, name: &str) -> Result<&'a str, Finding> {
        let value = self.member(name)?;
        value
            .as_str()
            .ok_or_else(|| not_a(&self.at(name), "text", value))
    }

    /// The node that `node_id` names.
    fn node<'g>(&self, graph: &'g mut Graph) -> Result<(&'a str, &'g mut Node), Finding> {
        let id = self.text("node_id")?;
        let known: Vec<String> = match graph.nodes.contains_key(id) {
            true => Vec::new(),
            false => graph.nodes.keys().cloned().collect(),
        };
        let missing = || {
            let finding = Finding::new(self.at("node_id"), "names no node of this graph");
            finding.among(id, known.iter().map(String::as_str))
        };
        let node = graph.nodes.get_mut(id).ok_or_else(missing)?;
        Ok((id, node))
    }

    fn set_node(&self, graph: &mut Graph) -> Result<String, Finding> {
        let id = self.text("node_id")?;
        check_id(id, &self.at("node_id"))?;
        let value = self.member("node")?;
        bounded(value).map_err(|finding| Finding::new(self.at("node"), finding.message))?;
        let node = Node::parse(value.clone(), &self.at("node"))?;
        let kind = node.node_type.clone();
        let replaced = graph.nodes.insert(id.to_owned(), node);
        if graph.nodes.len() > MAX_NODES {
            let message = format!(
                "would be node {}; {MAX_NODES} are allowed",
                graph.nodes.len()
            );
            return Err(Finding::new(self.at("node_id"), message));
        }
        Ok(match replaced {
            Some(old) => format!("{id}: replaced, {} by {kind}", old.node_type),
            None => format!("{id}: added, {kind}"),
        })
    }

    fn remove_node(&self, graph: &mut Graph) -> Result<String, Finding> {
        let (id, _) = self.node(graph)?;
        graph.nodes.remove(id);
        let naming = graph
            .nodes
            .iter()
            .filter(|(_, node)| node.targets().any(|target| target == id));
        let naming: Vec<&str> = naming.map(|(other, _)| other.as_str()).take(8).collect();
        Ok(match naming.as_slice() {
            [] => format!("{id}: removed"),
            _ => format!("{id}: removed; {} still led to it then", naming.join(", ")),
        })
    }

    fn set_next(&self, graph: &mut Graph) -> Result<String, Finding> {
        let next = match self.members.get("next") {
            None => {
                let message = "is missing: the id of a node, or null for the end";
                return Err(Finding::new(self.at("next"), message));
            }
            Some(Value::Null) => None,
            Some(_) => Some(self.text("next")?.to_owned()),
        };
        let at = self.at("next");
        let (id, node) = self.node(graph)?;
        let told = next.as_deref().unwrap_or("the end");
        if node.kind() == Some(Kind::Branch) {
            let branches = node.branches.iter_mut().flatten();
            if let Some(other) = branches.into_iter().find(|branch| branch.is_else()) {
                let Some(next) = next else {
                    let message = "is null, and a fork needs somewhere to go when no rule holds; set_branches can take its else away";
                    return Err(Finding::new(at, message));
                };
                let change = format!("{id}: goes on to {next} when no rule holds");
                other.goto = Some(next);
                return Ok(change);
            }
        }
        let change = format!("{id}: goes on to {told}");
        if next.is_none() {
            node.rest.insert("next".to_owned(), Value::Null);
        } else {
            node.rest.remove("next");
        }
        node.next = next;
        Ok(change)
    }

    fn set_branches(&self, graph: &mut Graph) -> Result<String, Finding> {
        let value = self.member("branches")?;
        let path = self.at("branches");
        let Value::Array(items) = value else {
            return Err(not_a(&path, "a list", value));
        };
        bounded(value).map_err(|finding| Finding::new(&path, finding.message))?;
        let branches = parse_list(items.clone(), &path, MAX_BRANCHES, Branch::parse)?;
        let (id, node) = self.node(graph)?;
        let change = format!("{id}: {} branches", branches.len());
        node.rest.remove("branches");
        node.branches = Some(branches);
        Ok(change)
    }

    fn merge_node_config(&self, graph: &mut Graph) -> Result<String, Finding> {
        let value = self.member("config")?;
        let Value::Object(settings) = value else {
            return Err(not_a(&self.at("config"), "an object", value));
        };
        bounded(value).map_err(|finding| Finding::new(self.at("config"), finding.message))?;
        let (id, node) = self.node(graph)?;
        node.rest.remove("config");
        let config = node.config.get_or_insert_default();
        config.extend(
            settings
                .iter()
                .map(|(name, value)| (name.clone(), value.clone())),
        );
        let names: Vec<&str> = settings.keys().map(String::as_str).take(20).collect();
        Ok(format!("{id}: settings {}", names.join(", ")))
    }

    fn set_start(&self, graph: &mut Graph) -> Result<String, Finding> {
        let id = self.text("start_node")?;
        check_id(id, &self.at("start_node"))?;
        graph.start_node = id.to_owned();
        Ok(format!("{id}: is where it begins"))
    }
}

fn names() -> impl Iterator<Item = &'static str> {
    OPERATIONS.iter().map(|(name, _)| *name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn graph() -> Graph {
        Graph::parse(&json!({"start_node": "ocr", "nodes": {
            "ocr": {"node_type": "feature", "feature": "OCR", "config": {"minimum_age": 18, "maximum_age": 90}, "next": "route"},
            "route": {"node_type": "branch", "branches": [
                {"id": "a", "rules": [{"field": "x", "operator": "is_empty"}], "goto": "no"},
                {"id": "else", "rules": [], "goto": "yes"},
            ]},
            "no": {"node_type": "status", "session_status": "Declined"},
            "yes": {"node_type": "status", "session_status": "Approved"},
        }}))
        .unwrap()
    }

    fn edited(operations: Value) -> (Value, Vec<String>) {
        let edited = graph().edit(operations.as_array().unwrap()).unwrap();
        (edited.graph.to_value(), edited.changes)
    }

    #[test]
    fn operations_are_applied_in_order() {
        let (value, changes) = edited(json!([
            {"op": "add_node", "node_id": "face", "node": {"node_type": "feature", "feature": "LIVENESS"}},
            {"op": "set_next", "node_id": "face", "next": "route"},
            {"op": "set_next", "node_id": "ocr", "next": "face"},
            {"op": "merge_node_config", "node_id": "ocr", "config": {"minimum_age": 21, "invalid_mrz_action": null}},
            {"op": "merge_node_config", "node_id": "face", "config": {"a": 1}},
            {"op": "set_branches", "node_id": "route", "branches": [{"id": "else", "goto": "yes"}]},
            {"op": "remove_node", "node_id": "no"},
            {"op": "set_node", "node_id": "yes", "node": {"node_type": "status", "session_status": "Determine"}},
            {"op": "set_start", "start_node": "face"},
        ]));
        assert_eq!(
            value,
            json!({"start_node": "face", "nodes": {
                "ocr": {"node_type": "feature", "feature": "OCR", "config": {"minimum_age": 21, "maximum_age": 90, "invalid_mrz_action": null}, "next": "face"},
                "face": {"node_type": "feature", "feature": "LIVENESS", "next": "route", "config": {"a": 1}},
                "route": {"node_type": "branch", "branches": [{"id": "else", "goto": "yes"}]},
                "yes": {"node_type": "status", "session_status": "Determine"},
            }})
        );
        assert_eq!(
            changes,
            [
                "face: added, feature",
                "face: goes on to route",
                "ocr: goes on to face",
                "ocr: settings invalid_mrz_action, minimum_age",
                "face: settings a",
                "route: 1 branches",
                "no: removed",
                "yes: replaced, status by status",
                "face: is where it begins",
            ]
        );
    }

    #[test]
    fn the_next_of_a_fork_is_its_else() {
        let (value, changes) =
            edited(json!([{"op": "set_next", "node_id": "route", "next": "no"}]));
        assert_eq!(value["nodes"]["route"]["branches"][1]["goto"], "no");
        assert_eq!(value["nodes"]["route"].get("next"), None);
        assert_eq!(changes, ["route: goes on to no when no rule holds"]);
        let (value, _) = edited(json!([
            {"op": "set_branches", "node_id": "route", "branches": []},
            {"op": "set_next", "node_id": "route", "next": "no"},
        ]));
        assert_eq!(value["nodes"]["route"]["next"], "no");
    }

    #[test]
    fn an_end_is_written_as_null() {
        let (value, changes) = edited(json!([{"op": "set_next", "node_id": "ocr", "next": null}]));
        assert_eq!(value["nodes"]["ocr"]["next"], Value::Null);
        assert!(
            value["nodes"]["ocr"]
                .as_object()
                .unwrap()
                .contains_key("next")
        );
        assert_eq!(changes, ["ocr: goes on to the end"]);
        let (value, _) = edited(json!([
            {"op": "set_next", "node_id": "ocr", "next": null},
            {"op": "set_next", "node_id": "ocr", "next": "no"},
        ]));
        assert_eq!(value["nodes"]["ocr"]["next"], "no");
    }

    #[test]
    fn each_refusal_names_its_operation() {
        let deep = (0..40).fold(json!(1), |value, _| json!([value]));
        let cases = [
            (json!(7), "operations[1] is a number, not an object"),
            (json!({}), "operations[1].op is missing"),
            (json!({"op": 1}), "operations[1].op is a number, not text"),
            (
                json!({"op": "set_nod"}),
                "operations[1].op is not an operation; did you mean set_node?",
            ),
            (
                json!({"op": "set_next", "node_id": "ocr"}),
                "operations[1].next is missing: the id of a node, or null for the end",
            ),
            (
                json!({"op": "set_next", "next": "no"}),
                "operations[1].node_id is missing: set_next needs it",
            ),
            (
                json!({"op": "set_next", "node_id": "ocrr", "next": "no"}),
                "operations[1].node_id names no node of this graph; did you mean ocr?",
            ),
            (
                json!({"op": "set_next", "node_id": "ocr", "next": 1}),
                "operations[1].next is a number, not text",
            ),
            (
                json!({"op": "set_next", "node_id": "route", "next": null}),
                "operations[1].next is null, and a fork needs somewhere to go when no rule holds; set_branches can take its else away",
            ),
            (
                json!({"op": "set_next", "node_id": "ocr", "next": "no", "config": {}}),
                "operations[1].config does not go with set_next",
            ),
            (
                json!({"op": "set_node", "node_id": "x"}),
                "operations[1].node is missing: set_node needs it",
            ),
            (
                json!({"op": "set_node", "node_id": " ", "node": {"node_type": "status"}}),
                "operations[1].node_id has a node whose id is blank",
            ),
            (
                json!({"op": "set_node", "node_id": "x", "node": {}}),
                "operations[1].node.node_type is missing",
            ),
            (
                json!({"op": "set_node", "node_id": "x", "node": {"node_type": "status", "x": deep}}),
                "operations[1].node is nested deeper than 32 levels",
            ),
            (
                json!({"op": "remove_node", "node_id": "zz"}),
                "operations[1].node_id names no node of this graph",
            ),
            (
                json!({"op": "set_branches", "node_id": "route", "branches": {}}),
                "operations[1].branches is an object, not a list",
            ),
            (
                json!({"op": "set_branches", "node_id": "route", "branches": [{"goto": 1}]}),
                "operations[1].branches[0].goto is a number, not text",
            ),
            (
                json!({"op": "merge_node_config", "node_id": "ocr", "config": []}),
                "operations[1].config is a list, not an object",
            ),
            (
                json!({"op": "merge_node_config", "node_id": "ocr"}),
                "operations[1].config is missing: merge_node_config needs it",
            ),
            (
                json!({"op": "set_start"}),
                "operations[1].start_node is missing: set_start needs it",
            ),
            (
                json!({"op": "set_start", "start_node": "a\u{1}"}),
                "operations[1].start_node has a node whose id contains a control character",
            ),
        ];
        let good = json!({"op": "set_start", "start_node": "route"});
        for (bad, want) in cases {
            let failed = graph().edit(&[good.clone(), bad]).unwrap_err();
            assert_eq!(failed.index, 1);
            assert_eq!(failed.finding.to_string(), want);
            assert_eq!(
                failed.to_string(),
                format!("operation 1: {want}; nothing was changed")
            );
        }
    }

    #[test]
    fn the_list_and_its_result_are_bounded() {
        let one = json!({"op": "set_start", "start_node": "ocr"});
        let failed = graph().edit(&vec![one; MAX_OPERATIONS + 1]).unwrap_err();
        assert_eq!(
            failed.finding.to_string(),
            "operations has 201 items; 200 are allowed"
        );
        let node = |n: usize| json!({"op": "set_node", "node_id": format!("n{n}"), "node": {"node_type": "status"}});
        let half: Vec<Value> = (0..200).map(node).collect();
        let full = graph().edit(&half).unwrap().graph;
        let rest: Vec<Value> = (200..400).map(node).collect();
        let failed = full.edit(&rest).unwrap_err();
        assert_eq!(failed.index, 96);
        assert_eq!(
            failed.finding.to_string(),
            "operations[96].node_id would be node 301; 300 are allowed"
        );
        let large = json!({"op": "merge_node_config", "node_id": "ocr", "config": {"x": "x".repeat(1_500_000)}});
        let mut again = large.clone();
        again["config"] = json!({"y": "y".repeat(1_500_000)});
        let failed = graph().edit(&[large, again]).unwrap_err();
        assert!(
            failed.finding.message.ends_with("2097152 are allowed"),
            "{failed}"
        );
    }

    #[test]
    fn who_still_leads_to_a_removed_node_is_said() {
        let (_, changes) = edited(json!([{"op": "remove_node", "node_id": "yes"}]));
        assert_eq!(changes, ["yes: removed; route still led to it then"]);
    }
}
