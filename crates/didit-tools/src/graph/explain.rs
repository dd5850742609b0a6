//! A decision held against the graph that led to it: sentences in the order of the way, and what cannot be told.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::draw::{clean, condition_of};
use super::evaluate::{Met, rule_is_met};
use super::normal::owner;
use super::{Branch, Graph, Kind, Rule, SessionStatus};

/// The most sentences of each kind.
const MAX_SENTENCES: usize = 100;

/// The most items of one check, and the most warnings of an item, that are looked at.
const MAX_ITEMS: usize = 50;

/// The lists of a decision, and the checks whose results they hold.
const RESULTS: &[(&str, &str)] = &[
    ("id_verifications", "OCR"),
    ("nfc_verifications", "NFC"),
    ("liveness_checks", "LIVENESS"),
    ("face_matches", "FACE_MATCH"),
    ("poa_verifications", "PROOF_OF_ADDRESS"),
    ("aml_screenings", "AML"),
    ("phone_verifications", "PHONE_VERIFICATION"),
    ("email_verifications", "EMAIL_VERIFICATION"),
    ("database_validations", "DATABASE_VALIDATION"),
    ("ip_analyses", "IP_ANALYSIS"),
];

/// How a session ends that nobody decided on.
const LIFECYCLE: &[&str] = &[
    "Not Started",
    "In Progress",
    "Expired",
    "Abandoned",
    "Kyc Expired",
    "Resubmitted",
    "Awaiting User",
];

/// What is told of a decision. It holds no value of a person: neither names nor dates, and not what a rule found.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Told {
    /// What is known, in order.
    pub(crate) sentences: Vec<String>,
    /// What cannot be told from here, and why.
    pub(crate) unknown: Vec<String>,
    /// Each result: check, node, status, what was found.
    pub(crate) checks: Vec<Value>,
    /// The first check with the outcome of the session.
    pub(crate) decided_by: Option<String>,
    /// Whether the session was decided on and nothing in the decision says why.
    pub(crate) unexplained: bool,
}

/// Tells why a session ended as it did.
pub(crate) fn explain(decision: &Map<String, Value>, graph: Option<&Graph>) -> Told {
    let mut told = Told::default();
    let status = text(decision, "status").unwrap_or("unknown");
    let overridden = decision
        .get("status_override")
        .filter(|value| value.is_object());
    let automatic = overridden
        .and_then(|value| value.get("automatic_status")?.as_str())
        .unwrap_or(status);
    told.say(format!("The session is {}.", clean(status, 40)));
    if overridden.is_some() {
        let automatic = clean(automatic, 40);
        told.say(format!("A person changed that; by itself it had come out as {automatic}, which is what follows."));
    }
    let results = results(decision);
    for result in &results {
        result.tell(automatic, &mut told);
    }
    if let Some(graph) = graph {
        walk(graph, &results, &mut told);
    }
    conclude(status, automatic, overridden.is_some(), &mut told);
    told
}

fn conclude(status: &str, automatic: &str, overridden: bool, told: &mut Told) {
    if LIFECYCLE.contains(&status) {
        told.say(
            "Nothing has decided on it: this status is where the session stands, not an outcome."
                .to_owned(),
        );
        return;
    }
    if told.decided_by.is_some() || automatic == "Approved" {
        return;
    }
    if overridden {
        told.wonder("Why the person decided so is not in the decision; didit_session_list_reviews may say it.".to_owned());
        return;
    }
    told.unexplained = true;
    told.wonder(format!(
        "No check of the decision came out as {}, so what decided it cannot be told from here.",
        clean(automatic, 40)
    ));
}

impl Told {
    fn say(&mut self, sentence: String) {
        if self.sentences.len() < MAX_SENTENCES {
            self.sentences.push(sentence);
        }
    }

    fn wonder(&mut self, sentence: String) {
        if self.unknown.len() < MAX_SENTENCES {
            self.unknown.push(sentence);
        }
    }
}

/// The result of one check.
struct Outcome<'a> {
    feature: &'static str,
    item: &'a Map<String, Value>,
}

fn results(decision: &Map<String, Value>) -> Vec<Outcome<'_>> {
    let mut all = Vec::new();
    for (list, feature) in RESULTS {
        let items = decision.get(*list).and_then(Value::as_array);
        let items = items.into_iter().flatten().take(MAX_ITEMS);
        all.extend(
            items
                .filter_map(Value::as_object)
                .map(|item| Outcome { feature, item }),
        );
    }
    all
}

impl Outcome<'_> {
    fn node(&self) -> Option<&str> {
        text(self.item, "node_id")
    }

    fn status(&self) -> &str {
        text(self.item, "status").unwrap_or("unknown")
    }

    /// The check and its node, to begin a sentence with.
    fn name(&self) -> String {
        match self.node() {
            Some(node) => format!("{} at {}", self.feature, clean(node, 60)),
            None => self.feature.to_owned(),
        }
    }

    /// What was found, by whether it counted.
    fn found(&self, counts: bool) -> Vec<&Map<String, Value>> {
        let warnings = self.item.get("warnings").and_then(Value::as_array);
        let warnings = warnings.into_iter().flatten().filter_map(Value::as_object);
        let counted = |warning: &&Map<String, Value>| {
            matches!(text(warning, "log_type"), Some("error" | "warning")) == counts
        };
        warnings.filter(counted).take(MAX_ITEMS).collect()
    }

    fn tell(&self, automatic: &str, told: &mut Told) {
        let status = clean(self.status(), 40);
        let causes = self.found(true);
        let words: Vec<String> = causes.iter().map(|warning| cause(warning)).collect();
        let name = self.name();
        if words.is_empty() {
            told.say(format!("{name} came out as {status}."));
        } else {
            told.say(format!(
                "{name} came out as {status}, because of {}.",
                words.join("; ")
            ));
        }
        let is_decided = automatic != "Approved" && self.status() == automatic;
        if is_decided && words.is_empty() {
            told.wonder(format!("Why {name} came out so is not in the decision."));
        }
        if is_decided && told.decided_by.is_none() {
            told.decided_by = Some(name);
        }
        let risks = |warnings: &[&Map<String, Value>]| -> Vec<String> {
            let risks = warnings.iter().filter_map(|warning| text(warning, "risk"));
            risks.map(|risk| clean(risk, 80)).collect()
        };
        told.checks.push(json!({
            "feature": self.feature,
            "node_id": self.node(),
            "status": self.item.get("status"),
            "causes": risks(&causes),
            "informational": risks(&self.found(false)),
        }));
    }
}

/// A finding in words: its name, and the rule of the customer that it comes from.
fn cause(warning: &Map<String, Value>) -> String {
    let risk = clean(
        text(warning, "risk").unwrap_or("something without a name"),
        80,
    );
    let data = warning.get("additional_data").and_then(Value::as_object);
    let rule = data
        .filter(|data| data.contains_key("operator"))
        .map(|data| {
            let rule = Rule {
                field: text(data, "field").map(str::to_owned),
                operator: text(data, "operator").map(str::to_owned),
                value: data
                    .get("rule_value")
                    .or_else(|| data.get("value"))
                    .cloned(),
                score: None,
                rest: Map::new(),
            };
            format!("{risk} (the rule {})", condition_of(&rule))
        });
    rule.unwrap_or(risk)
}

/// Goes through the graph as the session did, as far as the values tell.
fn walk(graph: &Graph, results: &[Outcome<'_>], told: &mut Told) {
    let mut seen = BTreeSet::new();
    let mut here = graph.start_node.as_str();
    while seen.insert(here) {
        let Some(node) = graph.nodes.get(here) else {
            told.wonder(format!(
                "The way leads to {}, which is not in the graph.",
                clean(here, 60)
            ));
            return;
        };
        if node.kind() == Some(Kind::Status) {
            end(here, node.session_status.as_deref(), told);
            return;
        }
        let branches = node.branches.as_deref().unwrap_or_default();
        let next = match fork(here, branches, graph, results, told) {
            Fork::To(next) => next,
            Fork::None => match &node.next {
                Some(next) => next,
                None => return,
            },
            Fork::Unknown => return,
        };
        here = next;
    }
    told.wonder(format!(
        "The way leads back to {}; how often it was taken cannot be told.",
        clean(here, 60)
    ));
}

fn end(id: &str, status: Option<&str>, told: &mut Told) {
    let id = clean(id, 60);
    match status.and_then(SessionStatus::parse) {
        Some(SessionStatus::Determine) => {
            told.say(format!(
                "The way ends at {id}, where the checks before it determine the status."
            ));
        }
        Some(_) => {
            let status = clean(status.unwrap_or_default(), 40);
            told.say(format!(
                "The way ends at {id}, which makes the session {status}."
            ));
        }
        None => told.wonder(format!(
            "The way ends at {id}, whose status is not known here."
        )),
    }
}

enum Fork<'g> {
    To(&'g str),
    None,
    Unknown,
}

fn fork<'g>(
    id: &str,
    branches: &'g [Branch],
    graph: &Graph,
    results: &[Outcome<'_>],
    told: &mut Told,
) -> Fork<'g> {
    let id = clean(id, 60);
    // The branch without rules is taken last, wherever it is written.
    let (with_rules, without): (Vec<&Branch>, Vec<&Branch>) =
        branches.iter().partition(|branch| !branch.is_else());
    for branch in with_rules.into_iter().chain(without) {
        let name = clean(
            branch.id.as_deref().unwrap_or("a branch without a name"),
            60,
        );
        let met = |rule: &Rule| rule_is_met(rule, value(rule, graph, results));
        match branch.is_taken(met) {
            Met::No => {}
            Met::Unknown => {
                let open: Vec<String> = branch
                    .rules
                    .iter()
                    .flatten()
                    .filter(|rule| met(rule) == Met::Unknown)
                    .map(condition_of)
                    .collect();
                told.wonder(format!("Whether {id} went on by {name} cannot be told: it is not known here whether {}.", open.join(" or whether ")));
                return Fork::Unknown;
            }
            Met::Yes => {
                let Some(goto) = branch.goto.as_deref() else {
                    return Fork::Unknown;
                };
                let rules: Vec<String> = branch
                    .rules
                    .iter()
                    .flatten()
                    .filter(|rule| met(rule) == Met::Yes)
                    .map(condition_of)
                    .collect();
                let goto_shown = clean(goto, 60);
                told.say(if rules.is_empty() {
                    format!("{id} went on to {goto_shown}, because no rule of it held.")
                } else {
                    format!(
                        "{id} went on to {goto_shown} by {name}, because {}.",
                        rules.join(" and ")
                    )
                });
                return Fork::To(goto);
            }
        }
    }
    Fork::None
}

/// The value that a rule looks at, when exactly one result has it.
fn value<'a>(rule: &Rule, graph: &Graph, results: &[Outcome<'a>]) -> Option<&'a Value> {
    let field = rule.field.as_deref()?;
    let (first, name) = field.split_once('.')?;
    let node = rule.rest.get("node_id").and_then(Value::as_str);
    // A field may also begin with the node itself.
    let node = node.or_else(|| graph.nodes.contains_key(first).then_some(first));
    let feature = owner(field);
    let mut fitting = results.iter().filter(|result| match node {
        Some(node) => result.node() == Some(node),
        None => feature == Some(result.feature),
    });
    let (one, another) = (fitting.next()?, fitting.next());
    if another.is_some() {
        return None;
    }
    one.item.get(name)
}

fn text<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    object.get(name)?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph() -> Graph {
        Graph::parse(&json!({"start_node": "ocr", "nodes": {
            "ocr": {"node_type": "feature", "feature": "OCR", "next": "live"},
            "live": {"node_type": "feature", "feature": "LIVENESS", "next": "route"},
            "route": {"node_type": "branch", "branches": [
                {"id": "young", "logic": "and", "rules": [{"field": "kyc.age", "operator": "less_than", "value": 18}], "goto": "no"},
                {"id": "far", "logic": "or", "rules": [{"field": "kyc.issuing_state", "operator": "in", "value": ["FRA"], "node_id": "ocr"}], "goto": "look"},
                {"id": "else", "logic": "and", "rules": [], "goto": "done"},
            ]},
            "no": {"node_type": "status", "session_status": "Declined"},
            "look": {"node_type": "status", "session_status": "In Review"},
            "done": {"node_type": "status", "session_status": "Determine"},
        }}))
        .unwrap()
    }

    fn decision() -> Value {
        json!({
            "status": "Approved",
            "workflow_id": "w",
            "id_verifications": [{"node_id": "ocr", "status": "Approved", "age": 40, "issuing_state": "ESP", "first_name": "Ada",
                "date_of_birth": "1986-01-02", "warnings": [{"risk": "BACK_SIDE_MISSING", "log_type": "information"}]}],
            "liveness_checks": [{"node_id": "live", "status": "Approved", "score": 98.5, "warnings": []}],
        })
    }

    fn told_of(change: impl Fn(&mut Value)) -> Told {
        let mut decision = decision();
        change(&mut decision);
        explain(decision.as_object().unwrap(), Some(&graph()))
    }

    #[test]
    fn an_approved_session_is_told_from_start_to_end() {
        let told = told_of(|_| {});
        assert_eq!(
            told.sentences,
            [
                "The session is Approved.",
                "OCR at ocr came out as Approved.",
                "LIVENESS at live came out as Approved.",
                "route went on to done, because no rule of it held.",
                "The way ends at done, where the checks before it determine the status.",
            ]
        );
        assert_eq!(
            (told.unknown.len(), told.decided_by, told.unexplained),
            (0, None, false)
        );
        assert_eq!(
            told.checks[0],
            json!({"feature": "OCR", "node_id": "ocr", "status": "Approved", "causes": [], "informational": ["BACK_SIDE_MISSING"]})
        );
    }

    #[test]
    fn a_declined_check_is_the_cause() {
        let told = told_of(|d| {
            d["status"] = json!("Declined");
            d["liveness_checks"][0]["status"] = json!("Declined");
            d["liveness_checks"][0]["warnings"] = json!([{"risk": "LOW_LIVENESS_SCORE", "log_type": "error", "additional_data": {"score": 0.1}}]);
        });
        assert_eq!(
            told.sentences[2],
            "LIVENESS at live came out as Declined, because of LOW_LIVENESS_SCORE."
        );
        assert_eq!(told.decided_by.as_deref(), Some("LIVENESS at live"));
        assert!(!told.unexplained);
    }

    #[test]
    fn a_rule_of_the_customer_is_told_without_what_it_found() {
        let told = told_of(|d| {
            d["status"] = json!("In Review");
            d["id_verifications"][0]["status"] = json!("In Review");
            d["id_verifications"][0]["warnings"] = json!([{"risk": "CUSTOM_STATUS_RULE_TRIGGERED", "log_type": "warning", "additional_data":
                {"field": "kyc.date_of_birth", "operator": "less_than", "rule_value": "2008-01-01", "actual_value": "2010-05-04", "target_status": "In Review"}}]);
        });
        assert_eq!(
            told.sentences[1],
            "OCR at ocr came out as In Review, because of CUSTOM_STATUS_RULE_TRIGGERED (the rule kyc.date_of_birth < 2008-01-01)."
        );
    }

    #[test]
    fn nothing_of_the_person_is_told() {
        let told = told_of(|d| d["status"] = json!("Declined"));
        let all = format!("{told:?}");
        for secret in ["Ada", "1986", "98.5", "40"] {
            assert!(!all.contains(secret), "{secret}\n{all}");
        }
    }

    #[test]
    fn rules_that_hold_tell_the_way() {
        let young = told_of(|d| d["id_verifications"][0]["age"] = json!(16));
        assert_eq!(
            young.sentences[3],
            "route went on to no by young, because kyc.age < 18."
        );
        assert_eq!(
            young.sentences[4],
            "The way ends at no, which makes the session Declined."
        );
        let far = told_of(|d| d["id_verifications"][0]["issuing_state"] = json!("FRA"));
        assert_eq!(
            far.sentences[3],
            "route went on to look by far, because kyc.issuing_state in [\"FRA\"]."
        );
    }

    #[test]
    fn what_is_not_known_ends_the_way() {
        for change in [
            (|d| d["id_verifications"][0]["age"] = json!("forty")) as fn(&mut Value),
            |d| {
                d["id_verifications"][0]
                    .as_object_mut()
                    .unwrap()
                    .remove("age");
            },
            |d| {
                let again = d["id_verifications"][0].clone();
                d["id_verifications"].as_array_mut().unwrap().push(again);
            },
        ] {
            let told = told_of(change);
            assert_eq!(
                told.unknown,
                [
                    "Whether route went on by young cannot be told: it is not known here whether kyc.age < 18."
                ]
            );
            assert!(
                !told
                    .sentences
                    .iter()
                    .any(|sentence| sentence.contains("went on"))
            );
        }
    }

    #[test]
    fn an_outcome_without_a_cause_is_unexplained() {
        let told = told_of(|d| d["status"] = json!("Declined"));
        assert!(told.unexplained);
        assert_eq!(told.decided_by, None);
        assert_eq!(
            told.unknown,
            [
                "No check of the decision came out as Declined, so what decided it cannot be told from here."
            ]
        );
        let silent = told_of(|d| {
            d["status"] = json!("Declined");
            d["liveness_checks"][0]["status"] = json!("Declined");
        });
        assert_eq!(
            silent.unknown,
            ["Why LIVENESS at live came out so is not in the decision."]
        );
        assert!(!silent.unexplained);
    }

    #[test]
    fn a_person_who_decided_is_told_from_the_checks() {
        let told = told_of(|d| {
            d["status"] = json!("Declined");
            d["status_override"] = json!({"automatic_status": "Approved"});
        });
        assert_eq!(
            told.sentences[1],
            "A person changed that; by itself it had come out as Approved, which is what follows."
        );
        assert!(!told.unexplained);
        assert_eq!(told.decided_by, None);
    }

    #[test]
    fn a_session_that_nobody_decided_on_is_not_explained_away() {
        for status in LIFECYCLE {
            let told = explain(json!({"status": status}).as_object().unwrap(), None);
            assert_eq!(told.sentences.len(), 2);
            assert!(told.unknown.is_empty() && !told.unexplained, "{status}");
        }
    }

    #[test]
    fn odd_answers_do_no_harm() {
        let odd = json!({"status": 7, "id_verifications": ["x", null, {"warnings": [1, {}], "status": []}], "liveness_checks": {}});
        let told = explain(odd.as_object().unwrap(), Some(&graph()));
        assert_eq!(told.checks.len(), 1);
        let circle = Graph::parse(
            &json!({"start_node": "a", "nodes": {"a": {"node_type": "action", "next": "a"}}}),
        )
        .unwrap();
        let told = explain(&Map::new(), Some(&circle));
        assert!(
            told.unknown[0].starts_with("The way leads back to a"),
            "{told:?}"
        );
    }
}
