//! What is wrong with a graph, as far as that can be told without asking anybody.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::feature::{Feature, Subject, features};
use super::word::{LOGIC, words};
use super::{Branch, Finding, Graph, Kind, Node, Operator, Rule, SessionStatus, config, flow};

/// The most findings of each kind that a report keeps.
const MAX_FINDINGS: usize = 50;

/// Whom a workflow verifies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkflowType {
    /// A person.
    Kyc,
    /// A company.
    Kyb,
}

/// What [`Graph::check`] found; at most 50 of each kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// What the API would refuse.
    pub errors: Vec<Finding>,
    /// What is allowed and probably not meant.
    pub warnings: Vec<Finding>,
}

impl Report {
    pub(crate) fn error(&mut self, finding: Finding) {
        if self.errors.len() < MAX_FINDINGS {
            self.errors.push(finding);
        }
    }

    pub(crate) fn warning(&mut self, finding: Finding) {
        if self.warnings.len() < MAX_FINDINGS {
            self.warnings.push(finding);
        }
    }

    /// The errors that another report does not have: what a change has brought in.
    pub fn errors_beyond(&self, before: &Self) -> Vec<&Finding> {
        let is_new = |finding: &&Finding| !before.errors.contains(finding);
        self.errors.iter().filter(is_new).collect()
    }

    /// As JSON, for an answer.
    pub fn to_value(&self) -> Value {
        let list = |findings: &[Finding]| -> Vec<Value> {
            findings.iter().map(Finding::to_value).collect()
        };
        json!({
            "is_valid": self.errors.is_empty(),
            "errors": list(&self.errors),
            "warnings": list(&self.warnings),
        })
    }
}

impl Graph {
    /// Says what is wrong with the graph, as it should be once it is [normalized](Self::normalized).
    ///
    /// Checked: the start and every target exist; every way leads to an end; types, operators, logics, statuses and scores are those there are;
    /// branches have rules, ids and targets, and one at most has no rules; checks of persons and of companies are not mixed.
    /// Warned of: nodes that nothing leads to, circles with a way out, a fork without an else, checks and settings that are not known.
    /// Not checked: which fields there are at a node, and prices; the API knows those.
    pub fn check(&self, workflow_type: Option<WorkflowType>) -> Report {
        let mut report = Report::default();
        self.check_start(&mut report);
        for (id, node) in &self.nodes {
            self.check_node(&format!("nodes.{id}"), node, &mut report);
        }
        self.check_flow(&mut report);
        self.check_subject(workflow_type, &mut report);
        report
    }

    fn ids(&self) -> impl Iterator<Item = &str> {
        self.nodes.keys().map(String::as_str)
    }

    fn check_start(&self, report: &mut Report) {
        if self.nodes.is_empty() {
            report.error(Finding::new("nodes", "is empty"));
        } else if !self.nodes.contains_key(&self.start_node) {
            let finding = Finding::new("start_node", "names no node of this graph");
            report.error(finding.among(&self.start_node, self.ids()));
        }
    }

    fn check_target(&self, path: String, target: &str, report: &mut Report) {
        if !self.nodes.contains_key(target) {
            let finding = Finding::new(path, "names no node of this graph");
            report.error(finding.among(target, self.ids()));
        }
    }

    fn check_node(&self, path: &str, node: &Node, report: &mut Report) {
        if let Some(next) = &node.next {
            self.check_target(format!("{path}.next"), next, report);
        }
        self.check_branches(path, node, report);
        match node.kind() {
            Some(Kind::Feature) => check_feature(path, node, report),
            Some(Kind::Status) => check_status(path, node, report),
            Some(Kind::Branch) if node.branches.iter().flatten().next().is_none() => {
                let message = "has neither branches nor a next, so it leads nowhere";
                if node.next.is_none() {
                    report.error(Finding::new(path, message));
                }
            }
            Some(Kind::Branch | Kind::Action | Kind::Webhook) => {}
            None => {
                let finding = Finding::new(format!("{path}.node_type"), "is not a type of node");
                report.error(finding.among(&node.node_type, words(Kind::ALL)));
            }
        }
    }

    fn check_branches(&self, path: &str, node: &Node, report: &mut Report) {
        let branches = node.branches.as_deref().unwrap_or_default();
        let mut ids = BTreeSet::new();
        let mut has_else = false;
        for (index, branch) in branches.iter().enumerate() {
            let path = format!("{path}.branches[{index}]");
            match &branch.id {
                None => report.error(Finding::new(format!("{path}.id"), "is missing")),
                Some(id) if !ids.insert(id.as_str()) => {
                    let message = "is the id of an earlier branch of this node";
                    report.error(Finding::new(format!("{path}.id"), message));
                }
                Some(_) => {}
            }
            match &branch.goto {
                None => report.error(Finding::new(format!("{path}.goto"), "is missing")),
                Some(goto) => self.check_target(format!("{path}.goto"), goto, report),
            }
            if branch.is_else() && has_else {
                let message =
                    "has no rules, and neither has an earlier branch: this one is never taken";
                report.error(Finding::new(format!("{path}.rules"), message));
            }
            has_else |= branch.is_else();
            check_rules(&path, branch, report);
        }
        if !branches.is_empty() && !has_else && node.next.is_none() {
            let message =
                "has no branch without rules: when no rule holds, nothing says where to go";
            report.warning(Finding::new(format!("{path}.branches"), message));
        }
    }

    fn check_flow(&self, report: &mut Report) {
        let reached = flow::reached(self);
        for id in flow::endless(self, &reached) {
            let message = "never ends: every way from here leads back here";
            report.error(Finding::new(format!("nodes.{id}"), message));
        }
        for id in flow::circles(self) {
            let message = "can be met again: a way from here leads back here";
            report.warning(Finding::new(format!("nodes.{id}"), message));
        }
        if reached.is_empty() {
            return;
        }
        for id in self.ids().filter(|id| !reached.contains(id)) {
            let message = "is never reached: no way from the start leads here";
            report.warning(Finding::new(format!("nodes.{id}"), message));
        }
    }

    /// Checks of persons and of companies do not go together, and each needs a workflow of its type.
    fn check_subject(&self, workflow_type: Option<WorkflowType>, report: &mut Report) {
        let of = |subject| {
            self.nodes.iter().filter_map(move |(id, node)| {
                let feature = Feature::find(node.feature.as_deref()?)?;
                let counts = node.kind() == Some(Kind::Feature) && feature.subject == subject;
                counts.then_some((id, feature.name))
            })
        };
        let company = of(Subject::Company).next();
        for (id, name) in of(Subject::Person) {
            let why = match (workflow_type, company) {
                (Some(WorkflowType::Kyb), _) => {
                    "the workflow is one for companies (kyb)".to_owned()
                }
                (_, Some((other, check))) => {
                    format!(
                        "{check} at nodes.{other} checks companies; they need separate workflows"
                    )
                }
                _ => continue,
            };
            let message = format!("{name} checks persons only, and {why}");
            report.error(Finding::new(format!("nodes.{id}.feature"), message));
        }
        if workflow_type == Some(WorkflowType::Kyc) {
            for (id, name) in of(Subject::Company) {
                let message = format!(
                    "{name} checks companies only, and the workflow is one for persons (kyc)"
                );
                report.error(Finding::new(format!("nodes.{id}.feature"), message));
            }
        }
    }
}

fn check_feature(path: &str, node: &Node, report: &mut Report) {
    let Some(name) = &node.feature else {
        let message = "is missing: it says which check the node runs";
        report.error(Finding::new(format!("{path}.feature"), message));
        return;
    };
    match Feature::find(name) {
        Some(feature) => config::check(path, feature, node, report),
        None => {
            let finding = Finding::new(
                format!("{path}.feature"),
                "is not a check that is known here",
            );
            report.warning(finding.among(name, features().map(|feature| feature.name)));
        }
    }
}

fn check_status(path: &str, node: &Node, report: &mut Report) {
    let path = format!("{path}.session_status");
    match &node.session_status {
        None => {
            let finding = Finding::new(path, "is missing: it says how the session ends");
            report.error(finding.among("", words(SessionStatus::ALL)));
        }
        Some(status) if SessionStatus::parse(status).is_none() => {
            let finding = Finding::new(path, "is not a status that a session can end with");
            report.error(finding.among(status, words(SessionStatus::ALL)));
        }
        Some(_) => {}
    }
}

fn check_rules(path: &str, branch: &Branch, report: &mut Report) {
    if let Some(logic) = branch
        .logic
        .as_deref()
        .filter(|logic| !LOGIC.contains(logic))
    {
        let finding = Finding::new(format!("{path}.logic"), "is neither and nor or");
        report.error(finding.among(logic, LOGIC.iter().copied()));
    }
    for (index, rule) in branch.rules.iter().flatten().enumerate() {
        check_rule(&format!("{path}.rules[{index}]"), rule, report);
    }
}

/// Checks one rule, of a branch or of the settings of a check.
pub(crate) fn check_rule(path: &str, rule: &Rule, report: &mut Report) {
    if rule
        .field
        .as_deref()
        .is_none_or(|field| field.trim().is_empty())
    {
        let message = "is missing; didit_workflow_get_branch_fields lists the fields";
        report.error(Finding::new(format!("{path}.field"), message));
    }
    let at = format!("{path}.operator");
    let operator = match &rule.operator {
        None => {
            report.error(Finding::new(at, "is missing").among("", words(Operator::ALL)));
            None
        }
        Some(word) => {
            let operator = Operator::parse(word);
            if operator.is_none() {
                let finding = Finding::new(at, "is not an operator");
                report.error(finding.among(word, words(Operator::ALL)));
            }
            operator
        }
    };
    if let Some(operator) = operator {
        check_value(path, rule, operator, report);
        check_score(path, rule, operator, report);
    }
}

fn check_value(path: &str, rule: &Rule, operator: Operator, report: &mut Report) {
    let path = format!("{path}.value");
    let word = rule.operator.as_deref().unwrap_or_default();
    let literal = matches!(
        rule.rest.get("value_type").and_then(Value::as_str),
        None | Some("literal")
    );
    match &rule.value {
        None if operator.takes_a_value() => {
            report.error(Finding::new(
                path,
                format!("is missing, and {word} needs one"),
            ));
        }
        Some(_) if !operator.takes_a_value() => {
            report.warning(Finding::new(
                path,
                format!("does not count: {word} takes none"),
            ));
        }
        Some(value) if literal => match operator {
            Operator::In | Operator::NotIn if !value.is_array() => {
                report.warning(Finding::new(
                    path,
                    format!("is not a list, and {word} asks for one"),
                ));
            }
            Operator::Regex | Operator::FuzzyMatch if !value.is_string() => {
                report.error(Finding::new(
                    path,
                    format!("is not text, and {word} compares text"),
                ));
            }
            _ => {}
        },
        _ => {}
    }
}

fn check_score(path: &str, rule: &Rule, operator: Operator, report: &mut Report) {
    let path = format!("{path}.score");
    let Some(score) = &rule.score else { return };
    if operator != Operator::FuzzyMatch {
        report.error(Finding::new(path, "goes with fuzzy_match only"));
    } else if !score
        .as_f64()
        .is_some_and(|score| (0.0..=100.0).contains(&score))
    {
        report.error(Finding::new(path, "is not a number from 0 to 100"));
    }
}

#[cfg(test)]
mod tests;
