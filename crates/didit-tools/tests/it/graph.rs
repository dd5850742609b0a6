//! Workflow graphs of any shape.

use didit_tools::graph::{Graph, rule_is_met, unconfirmed, without_large_config};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Ids are few, so that nodes meet.
fn id() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-e]",
        1 => Just("else".to_owned()),
        1 => "[ -~żλ]{1,8}",
    ]
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[ -~ż\u{202e}\n]{0,12}".prop_map(Value::from),
    ]
}

fn anything() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z_]{1,6}", inner, 0..4)
                .prop_map(|members| members.into_iter().collect::<Map<_, _>>().into()),
        ]
    })
}

/// One of these, mostly; else anything.
fn word(words: &'static [&'static str]) -> impl Strategy<Value = Value> {
    prop_oneof![
        8 => prop::sample::select(words).prop_map(Value::from),
        1 => "[a-z_ ]{0,8}".prop_map(Value::from),
        1 => Just(Value::Null),
    ]
}

fn object(members: Vec<(&'static str, Option<Value>)>, extra: Option<Value>) -> Value {
    let known = members
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)));
    let extra = extra.map(|value| ("extra".to_owned(), value));
    known.chain(extra).collect::<Map<_, _>>().into()
}

fn some<S: Strategy<Value = Value>>(value: S) -> impl Strategy<Value = Option<Value>> {
    prop::option::weighted(0.8, value)
}

fn rule() -> impl Strategy<Value = Value> {
    let operators = &[
        "equals",
        "in",
        "is_empty",
        "fuzzy_match",
        "greater_than",
        "contains",
    ];
    (
        some(word(&["kyc.age", "aml.score", "metadata.x"])),
        some(word(operators)),
        some(anything()),
        prop::option::of(any::<i16>().prop_map(Value::from)),
        prop::option::of(anything()),
    )
        .prop_map(|(field, operator, value, score, extra)| {
            let members = vec![
                ("field", field),
                ("operator", operator),
                ("value", value),
                ("score", score),
            ];
            object(members, extra)
        })
}

fn branch() -> impl Strategy<Value = Value> {
    (
        some(id().prop_map(Value::from)),
        some(word(&["and", "or"])),
        some(prop::collection::vec(rule(), 0..3).prop_map(Value::from)),
        some(id().prop_map(Value::from)),
        prop::option::of(anything()),
    )
        .prop_map(|(id, logic, rules, goto, extra)| {
            object(
                vec![
                    ("id", id),
                    ("logic", logic),
                    ("rules", rules),
                    ("goto", goto),
                ],
                extra,
            )
        })
}

fn config() -> impl Strategy<Value = Value> {
    let names = "minimum_age|documents_allowed|poa_languages_allowed|status_rules|[a-z_]{1,5}";
    prop::collection::btree_map(names, anything(), 0..4)
        .prop_map(|members| members.into_iter().collect::<Map<_, _>>().into())
}

fn node() -> impl Strategy<Value = Value> {
    let kinds = &["feature", "action", "branch", "status", "webhook"];
    let statuses = &["Approved", "Declined", "In Review", "Determine"];
    (
        prop::sample::select(kinds).prop_map(Value::from),
        some(word(&[
            "OCR",
            "LIVENESS",
            "AML",
            "KYB_REGISTRY",
            "BANK_VERIFICATION",
        ])),
        some(config()),
        prop::option::of(prop_oneof![id().prop_map(Value::from), Just(Value::Null)]),
        prop::option::of(prop::collection::vec(branch(), 0..4).prop_map(Value::from)),
        some(word(statuses)),
        prop::option::of(anything()),
    )
        .prop_map(|(kind, feature, config, next, branches, status, extra)| {
            let members = vec![
                ("node_type", Some(kind)),
                ("feature", feature),
                ("config", config),
                ("next", next),
                ("branches", branches),
                ("session_status", status),
            ];
            object(members, extra)
        })
}

fn graph() -> impl Strategy<Value = Value> {
    (
        id(),
        prop::collection::btree_map(id(), node(), 0..8),
        prop::option::of(anything()),
    )
        .prop_map(|(start, nodes, extra)| {
            let nodes: Map<_, _> = nodes.into_iter().collect();
            let members = vec![
                ("start_node", Some(start.into())),
                ("nodes", Some(nodes.into())),
            ];
            object(members, extra)
        })
}

fn operation() -> impl Strategy<Value = Value> {
    let ops = &[
        "set_node",
        "remove_node",
        "set_next",
        "set_branches",
        "merge_node_config",
        "set_start",
    ];
    (
        word(ops),
        prop::option::of(id().prop_map(Value::from)),
        prop::option::of(node()),
        prop::option::of(id().prop_map(Value::from)),
        prop::option::of(prop::collection::vec(branch(), 0..3).prop_map(Value::from)),
        prop::option::of(config()),
    )
        .prop_map(|(op, id, node, next, branches, config)| {
            // Mostly only what goes with it, so that many are applied.
            let takes: &[&str] = match op.as_str().unwrap_or_default() {
                "set_node" => &["node_id", "node"],
                "remove_node" => &["node_id"],
                "set_next" => &["node_id", "next"],
                "set_branches" => &["node_id", "branches"],
                "merge_node_config" => &["node_id", "config"],
                _ => &["start_node"],
            };
            let start = id.clone();
            let members = [
                ("node_id", id),
                ("node", node),
                ("next", next),
                ("branches", branches),
                ("config", config),
                ("start_node", start),
            ];
            let mut members: Vec<_> = members
                .into_iter()
                .filter(|(name, _)| takes.contains(name))
                .collect();
            members.push(("op", Some(op)));
            object(members, None)
        })
}

fn is_bounded(drawing: &str) -> bool {
    drawing.lines().count() <= 201
        && drawing.lines().all(|line| line.chars().count() <= 120)
        && !drawing.chars().any(|c| c.is_control() && c != '\n')
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn what_is_read_is_written(value in graph()) {
        if let Ok(graph) = Graph::parse(&value) {
            prop_assert_eq!(graph.to_value(), value);
        }
    }

    #[test]
    fn every_graph_can_be_drawn_and_checked(value in graph()) {
        if let Ok(graph) = Graph::parse(&value) {
            let drawing = graph.draw();
            prop_assert!(is_bounded(&drawing), "{}", drawing);
            let report = graph.check(None);
            prop_assert!(report.errors.len() <= 50 && report.warnings.len() <= 50);
            prop_assert_eq!(graph.draw(), drawing);
        }
    }

    #[test]
    fn normalizing_twice_is_normalizing_once(value in graph()) {
        if let Ok(once) = Graph::parse(&value).and_then(|graph| graph.normalized()) {
            prop_assert_eq!(once.normalized().unwrap(), once.clone());
            let again = Graph::parse(&once.to_value()).unwrap();
            prop_assert!(unconfirmed(&once, &again).is_empty());
        }
    }

    #[test]
    fn edits_apply_whole_or_not_at_all(value in graph(), operations in prop::collection::vec(operation(), 1..6)) {
        let Ok(graph) = Graph::parse(&value) else { return Ok(()) };
        match graph.edit(&operations) {
            Ok(edited) => {
                prop_assert_eq!(edited.changes.len(), operations.len());
                prop_assert_eq!(Graph::parse(&edited.graph.to_value()).unwrap(), edited.graph.clone());
                prop_assert!(is_bounded(&edited.graph.draw()));
            }
            Err(failed) => {
                prop_assert!(failed.index < operations.len());
                prop_assert!(graph.edit(&operations[..failed.index]).is_ok());
            }
        }
    }

    #[test]
    fn rules_are_evaluated_without_a_panic(rule in rule(), actual in anything()) {
        let value = json!({"start_node": "a", "nodes": {"a": {"node_type": "branch", "branches": [{"rules": [rule]}]}}});
        if let Ok(graph) = Graph::parse(&value) {
            let branches = graph.nodes["a"].branches.as_deref().unwrap();
            rule_is_met(&branches[0].rules.as_ref().unwrap()[0], Some(&actual));
        }
    }

    #[test]
    fn a_shortened_graph_is_still_one(mut value in graph()) {
        if Graph::parse(&value).is_ok() {
            without_large_config(&mut value);
            prop_assert!(Graph::parse(&value).is_ok());
        }
    }
}

/// Not every generated graph may be refused: the properties would say nothing then.
#[test]
fn most_generated_graphs_are_read() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::deterministic();
    let read = (0..200).filter(|_| {
        let value = graph().new_tree(&mut runner).unwrap().current();
        Graph::parse(&value).is_ok()
    });
    let read = read.count();
    assert!(read > 150, "{read} of 200");
}
