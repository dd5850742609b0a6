//! Which nodes can be reached, and from which an end can be.

use std::collections::{BTreeMap, BTreeSet};

use super::{Graph, Kind, Node};

/// The nodes that can be reached from the start; empty when the start does not exist.
pub(crate) fn reached(graph: &Graph) -> BTreeSet<&str> {
    let mut seen = BTreeSet::new();
    let mut left = vec![graph.start_node.as_str()];
    while let Some(id) = left.pop() {
        let Some((id, node)) = graph.nodes.get_key_value(id) else {
            continue;
        };
        if seen.insert(id.as_str()) {
            left.extend(node.targets());
        }
    }
    seen
}

/// The reached nodes from which no end can be reached: whoever gets there goes round for ever.
pub(crate) fn endless<'a>(graph: &'a Graph, reached: &BTreeSet<&'a str>) -> Vec<&'a str> {
    let mut sources: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut left = Vec::new();
    for id in reached {
        let Some(node) = graph.nodes.get(*id) else {
            continue;
        };
        // A way to a node that does not exist is told elsewhere, and is no way round.
        if is_end(node) || node.targets().any(|to| !graph.nodes.contains_key(to)) {
            left.push(*id);
        }
        for target in node.targets() {
            sources.entry(target).or_default().push(*id);
        }
    }
    let mut ending = BTreeSet::new();
    while let Some(id) = left.pop() {
        if ending.insert(id) {
            left.extend(sources.get(id).into_iter().flatten());
        }
    }
    reached.difference(&ending).copied().collect()
}

/// The nodes that lead back to themselves, each circle told by one of its nodes.
pub(crate) fn circles(graph: &Graph) -> Vec<&str> {
    let mut done = BTreeSet::new();
    let mut found = BTreeSet::new();
    // Depth first without recursion: a node is on the path until its targets are finished.
    let mut path = BTreeSet::new();
    let mut left = vec![(graph.start_node.as_str(), false)];
    while let Some((id, finished)) = left.pop() {
        if finished {
            path.remove(id);
            done.insert(id);
            continue;
        }
        if path.contains(id) {
            found.insert(id);
            continue;
        }
        let Some(node) = graph.nodes.get(id).filter(|_| !done.contains(id)) else {
            continue;
        };
        path.insert(id);
        left.push((id, true));
        left.extend(node.targets().map(|target| (target, false)));
    }
    found.into_iter().collect()
}

fn is_end(node: &Node) -> bool {
    node.kind() == Some(Kind::Status) || node.targets().next().is_none()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn graph(edges: &[(&str, &[&str])]) -> Graph {
        let nodes: serde_json::Map<String, Value> = edges
            .iter()
            .map(|(id, targets)| {
                let branches: Vec<Value> = targets
                    .iter()
                    .map(|to| json!({"id": to, "goto": to}))
                    .collect();
                (
                    (*id).to_owned(),
                    json!({"node_type": "branch", "branches": branches}),
                )
            })
            .collect();
        Graph::parse(&json!({"start_node": edges[0].0, "nodes": nodes})).unwrap()
    }

    #[test]
    fn what_is_reached() {
        let graph = graph(&[("a", &["b", "ghost"]), ("b", &["a"]), ("c", &["a"])]);
        assert_eq!(reached(&graph).into_iter().collect::<Vec<_>>(), ["a", "b"]);
        let nowhere = Graph::parse(&json!({"start_node": "x", "nodes": {}})).unwrap();
        assert!(reached(&nowhere).is_empty());
        assert!(circles(&nowhere).is_empty());
    }

    #[test]
    fn what_never_ends() {
        let never = graph(&[
            ("a", &["b", "end"]),
            ("b", &["c"]),
            ("c", &["b"]),
            ("end", &[]),
        ]);
        assert_eq!(endless(&never, &reached(&never)), ["b", "c"]);
        let ends = graph(&[("a", &["b"]), ("b", &["a", "end"]), ("end", &[])]);
        assert!(endless(&ends, &reached(&ends)).is_empty());
        let dangling = graph(&[("a", &["a", "ghost"])]);
        assert!(endless(&dangling, &reached(&dangling)).is_empty());
    }

    #[test]
    fn circles_are_told_once() {
        let one = graph(&[
            ("a", &["b"]),
            ("b", &["c"]),
            ("c", &["a", "end"]),
            ("end", &[]),
        ]);
        assert_eq!(circles(&one), ["a"]);
        let own = graph(&[("a", &["a", "a"])]);
        assert_eq!(circles(&own), ["a"]);
        let diamond = graph(&[("a", &["b", "c"]), ("b", &["d"]), ("c", &["d"]), ("d", &[])]);
        assert!(circles(&diamond).is_empty());
    }
}
