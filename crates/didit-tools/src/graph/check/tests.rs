//! Each finding, from a graph that has none.

use serde_json::{Value, json};

use super::*;

fn graph() -> Value {
    json!({"start_node": "ocr", "nodes": {
        "ocr": {"node_type": "feature", "feature": "OCR", "config": {"minimum_age": 18}, "next": "route"},
        "route": {"node_type": "branch", "branches": [
            {"id": "young", "logic": "and", "rules": [
                {"field": "kyc.age", "operator": "less_than", "value": 18},
                {"field": "kyc.last_name", "operator": "fuzzy_match", "value": "Ada", "score": 80},
            ], "goto": "no"},
            {"id": "else", "logic": "and", "rules": [], "goto": "yes"},
        ]},
        "no": {"node_type": "status", "session_status": "Declined"},
        "yes": {"node_type": "status", "session_status": "Approved"},
    }})
}

fn report(change: impl Fn(&mut Value), workflow_type: Option<WorkflowType>) -> Report {
    let mut value = graph();
    change(&mut value);
    Graph::parse(&value).unwrap().check(workflow_type)
}

fn texts(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(Finding::to_string).collect()
}

#[test]
fn a_good_graph_has_no_findings() {
    for workflow_type in [None, Some(WorkflowType::Kyc)] {
        assert_eq!(report(|_| {}, workflow_type), Report::default());
    }
    let value = report(|_| {}, None).to_value();
    assert_eq!(
        value,
        json!({"is_valid": true, "errors": [], "warnings": []})
    );
}

type Change = fn(&mut Value);

#[test]
fn each_error_is_told_with_its_place() {
    let cases: &[(Change, &[&str])] = &[
        (
            |v| v["start_node"] = json!("orc"),
            &["start_node names no node of this graph; did you mean ocr?"],
        ),
        (|v| v["nodes"] = json!({}), &["nodes is empty"]),
        (
            |v| v["nodes"]["ocr"]["next"] = json!("rout"),
            &["nodes.ocr.next names no node of this graph; did you mean route?"],
        ),
        (
            |v| v["nodes"]["ocr"]["node_type"] = json!("features"),
            &["nodes.ocr.node_type is not a type of node; did you mean feature?"],
        ),
        (
            |v| v["nodes"]["ocr"]["feature"] = json!(null),
            &["nodes.ocr.feature is missing: it says which check the node runs"],
        ),
        (
            |v| v["nodes"]["yes"]["session_status"] = json!("Aproved"),
            &[
                "nodes.yes.session_status is not a status that a session can end with; did you mean Approved?",
            ],
        ),
        (
            |v| v["nodes"]["yes"]["session_status"] = json!(null),
            &["nodes.yes.session_status is missing: it says how the session ends"],
        ),
        (
            |v| v["nodes"]["route"]["branches"] = json!([]),
            &["nodes.route has neither branches nor a next, so it leads nowhere"],
        ),
        (
            |v| v["nodes"]["route"]["branches"][0]["id"] = json!(null),
            &["nodes.route.branches[0].id is missing"],
        ),
        (
            |v| v["nodes"]["route"]["branches"][1]["id"] = json!("young"),
            &["nodes.route.branches[1].id is the id of an earlier branch of this node"],
        ),
        (
            |v| v["nodes"]["route"]["branches"][0]["goto"] = json!(null),
            &["nodes.route.branches[0].goto is missing"],
        ),
        (
            |v| v["nodes"]["route"]["branches"][0]["goto"] = json!("nope"),
            &["nodes.route.branches[0].goto names no node of this graph"],
        ),
        (
            |v| v["nodes"]["route"]["branches"][0]["rules"] = json!([]),
            &[
                "nodes.route.branches[1].rules has no rules, and neither has an earlier branch: this one is never taken",
            ],
        ),
        (
            |v| v["nodes"]["route"]["branches"][0]["logic"] = json!("And"),
            &["nodes.route.branches[0].logic is neither and nor or; did you mean and?"],
        ),
        (
            |v| v["nodes"]["route"]["branches"][0]["rules"][0]["field"] = json!(" "),
            &[
                "nodes.route.branches[0].rules[0].field is missing; didit_workflow_get_branch_fields lists the fields",
            ],
        ),
        (
            |v| v["nodes"]["route"]["branches"][0]["rules"][0]["operator"] = json!("less"),
            &["nodes.route.branches[0].rules[0].operator is not an operator"],
        ),
        (
            |v| v["nodes"]["route"]["branches"][0]["rules"][0]["operator"] = json!("lessthan"),
            &[
                "nodes.route.branches[0].rules[0].operator is not an operator; did you mean less_than?",
            ],
        ),
        (
            |v| v["nodes"]["route"]["branches"][0]["rules"][0]["operator"] = json!(null),
            &["nodes.route.branches[0].rules[0].operator is missing"],
        ),
        (
            |v| v["nodes"]["route"]["branches"][0]["rules"][0]["value"] = json!(null),
            &["nodes.route.branches[0].rules[0].value is missing, and less_than needs one"],
        ),
        (
            |v| v["nodes"]["route"]["branches"][0]["rules"][0]["score"] = json!(1),
            &["nodes.route.branches[0].rules[0].score goes with fuzzy_match only"],
        ),
        (
            |v| v["nodes"]["route"]["branches"][0]["rules"][1]["score"] = json!(101),
            &["nodes.route.branches[0].rules[1].score is not a number from 0 to 100"],
        ),
        (
            |v| v["nodes"]["route"]["branches"][0]["rules"][1]["score"] = json!("80"),
            &["nodes.route.branches[0].rules[1].score is not a number from 0 to 100"],
        ),
        (
            |v| v["nodes"]["route"]["branches"][0]["rules"][1]["value"] = json!(1),
            &["nodes.route.branches[0].rules[1].value is not text, and fuzzy_match compares text"],
        ),
        (
            |v| v["nodes"]["ocr"]["next"] = json!("ocr"),
            &["nodes.ocr never ends: every way from here leads back here"],
        ),
        (
            |v| v["nodes"]["ocr"]["config"]["x"] = json!({"_omitted": true}),
            &[
                "nodes.ocr.config.x was left out of the answer that this graph was taken from, and would be overwritten; read the graph with include_config, or change it with didit_workflow_edit_graph",
            ],
        ),
        (
            |v| v["nodes"]["new"] = json!({"node_type": "feature", "feature": "KYB_REGISTRY"}),
            &[
                "nodes.ocr.feature OCR checks persons only, and KYB_REGISTRY at nodes.new checks companies; they need separate workflows",
            ],
        ),
        (
            |v| v["nodes"]["ocr"]["config"]["status_rules"] = json!([{"field": "kyc.age", "operator": "under", "value": 1, "status": "Declined"}]),
            &["nodes.ocr.config.status_rules[0].operator is not an operator"],
        ),
    ];
    for (change, want) in cases {
        assert_eq!(texts(&report(change, None).errors), *want);
    }
}

#[test]
fn each_warning_is_told_with_its_place() {
    let cases: &[(Change, &[&str])] = &[
        (
            |v| v["nodes"]["lost"] = json!({"node_type": "webhook", "next": "yes"}),
            &["nodes.lost is never reached: no way from the start leads here"],
        ),
        (
            |v| v["nodes"]["route"]["branches"][0]["goto"] = json!("ocr"),
            &[
                "nodes.ocr can be met again: a way from here leads back here",
                "nodes.no is never reached: no way from the start leads here",
            ],
        ),
        (
            |v| {
                v["nodes"]["route"]["branches"]
                    .as_array_mut()
                    .unwrap()
                    .pop();
            },
            &[
                "nodes.route.branches has no branch without rules: when no rule holds, nothing says where to go",
                "nodes.yes is never reached: no way from the start leads here",
            ],
        ),
        (
            |v| v["nodes"]["ocr"]["feature"] = json!("OCRR"),
            &["nodes.ocr.feature is not a check that is known here; did you mean OCR?"],
        ),
        (
            |v| v["nodes"]["ocr"]["config"]["minimum_ages"] = json!(1),
            &[
                "nodes.ocr.config.minimum_ages is not a setting of OCR that is known here; did you mean minimum_age?",
            ],
        ),
        (
            |v| v["nodes"]["ocr"]["config"]["minimum_age"] = json!(200),
            &["nodes.ocr.config.minimum_age is not a whole number from 1 to 120"],
        ),
        (
            |v| {
                v["nodes"]["ocr"]["config"]["status_rules"] =
                    json!([{"field": "kyc.age", "operator": "is_empty", "status": "Decline"}])
            },
            &[
                "nodes.ocr.config.status_rules[0].status is not a status that a rule can give; did you mean Declined?",
            ],
        ),
        (
            |v| v["nodes"]["route"]["branches"][0]["rules"][0]["operator"] = json!("is_empty"),
            &["nodes.route.branches[0].rules[0].value does not count: is_empty takes none"],
        ),
        (
            |v| v["nodes"]["route"]["branches"][0]["rules"][0]["operator"] = json!("in"),
            &["nodes.route.branches[0].rules[0].value is not a list, and in asks for one"],
        ),
    ];
    for (change, want) in cases {
        let report = report(change, None);
        assert_eq!(texts(&report.warnings), *want);
        assert_eq!(report.errors, []);
    }
}

#[test]
fn checks_are_held_to_the_type_of_the_workflow() {
    fn company(v: &mut Value) {
        v["nodes"]["ocr"]["feature"] = json!("KYB_REGISTRY");
        v["nodes"]["ocr"]["config"] = json!(null);
    }
    assert_eq!(
        texts(&report(|_| {}, Some(WorkflowType::Kyb)).errors),
        ["nodes.ocr.feature OCR checks persons only, and the workflow is one for companies (kyb)"]
    );
    assert_eq!(
        texts(&report(company, Some(WorkflowType::Kyc)).errors),
        [
            "nodes.ocr.feature KYB_REGISTRY checks companies only, and the workflow is one for persons (kyc)"
        ]
    );
    assert_eq!(report(company, Some(WorkflowType::Kyb)).errors, []);
    let either = |v: &mut Value| {
        company(v);
        v["nodes"]["no"] = json!({"node_type": "feature", "feature": "AML"});
    };
    assert_eq!(report(either, Some(WorkflowType::Kyb)).errors, []);
}

#[test]
fn only_what_a_change_brought_in_is_new() {
    let broken = |v: &mut Value| v["nodes"]["yes"]["session_status"] = json!("Fine");
    let before = report(broken, None);
    let after = report(
        |v| {
            broken(v);
            v["start_node"] = json!("x");
        },
        None,
    );
    let new: Vec<String> = after
        .errors_beyond(&before)
        .into_iter()
        .map(|f| f.path.clone())
        .collect();
    assert_eq!(new, ["start_node"]);
}

#[test]
fn a_report_is_bounded() {
    let report = report(
        |v| {
            for n in 0..200 {
                v["nodes"][format!("n{n}")] = json!({"node_type": "x"});
            }
        },
        None,
    );
    assert_eq!(
        (report.errors.len(), report.warnings.len()),
        (MAX_FINDINGS, MAX_FINDINGS)
    );
}
