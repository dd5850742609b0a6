//! Workflow graphs: what a verification workflow asks of a person, in which order, and where it ends.
//!
//! A graph is read with [`Graph::parse`], which keeps every member it does not know, so that [`Graph::to_value`] gives back what was read.
//! [`Graph::normalized`] writes it as the API wants it, [`Graph::check`] says what is wrong with it, [`Graph::edit`] changes it,
//! [`Graph::draw`] shows it as text and [`unconfirmed`] compares what was stored with what was wanted.
//! Nothing here sends anything: the API's own validation stays the last word.

mod check;
mod compare;
mod config;
mod draw;
mod edit;
mod evaluate;
mod explain;
mod feature;
mod finding;
mod flow;
mod normal;
mod omit;
mod parse;
mod word;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

pub use check::{Report, WorkflowType};
pub use compare::unconfirmed;
pub use edit::{Edited, FailedEdit, MAX_OPERATIONS};
pub use evaluate::{Met, rule_is_met};
pub(crate) use explain::explain;
pub use feature::{Feature, Setting, features};
pub use finding::Finding;
pub use omit::{OMITTED_FROM, without_large_config};
pub use parse::{MAX_BRANCHES, MAX_BYTES, MAX_DEPTH, MAX_ID, MAX_NODES, MAX_RULES};
pub use word::{Kind, Operator, SessionStatus};

/// A workflow graph.
#[derive(Clone, Debug, PartialEq)]
pub struct Graph {
    /// The id of the node that a person meets first.
    pub start_node: String,
    /// The nodes by their ids.
    pub nodes: BTreeMap<String, Node>,
    /// Members that are not known here, kept as they came.
    pub rest: Map<String, Value>,
}

/// One step of a graph.
///
/// A member that is present and `null` stays in `rest`, so that it is written again.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What it is, as it was written; [`Node::kind`] reads it.
    pub node_type: String,
    /// Which check a feature node runs.
    pub feature: Option<String>,
    /// The settings of a check.
    pub config: Option<Map<String, Value>>,
    /// Where it goes on to.
    pub next: Option<String>,
    /// Where it goes on to, by rules.
    pub branches: Option<Vec<Branch>>,
    /// The status that a status node gives to the session, as it was written.
    pub session_status: Option<String>,
    /// Members that are not known here, kept as they came.
    pub rest: Map<String, Value>,
}

/// One way out of a node.
#[derive(Clone, Debug, PartialEq)]
pub struct Branch {
    /// Its name within the node.
    pub id: Option<String>,
    /// Whether all rules must hold (`and`) or any of them (`or`), as it was written; `and` when it is missing.
    pub logic: Option<String>,
    /// The rules; a branch without any is taken when no other is.
    pub rules: Option<Vec<Rule>>,
    /// The node that it leads to.
    pub goto: Option<String>,
    /// Members that are not known here, kept as they came.
    pub rest: Map<String, Value>,
}

/// One condition on a value that the session has by then.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Which value: `didit_workflow_get_branch_fields` lists those there are at a node.
    pub field: Option<String>,
    /// How it is compared, as it was written; [`Operator::parse`] reads it.
    pub operator: Option<String>,
    /// What it is compared with.
    pub value: Option<Value>,
    /// From which likeness on a fuzzy match holds, 0 to 100.
    pub score: Option<Value>,
    /// Members that are not known here, kept as they came.
    pub rest: Map<String, Value>,
}

impl Graph {
    /// The graph as the API writes it; the same members that were read, no more and no fewer.
    pub fn to_value(&self) -> Value {
        let mut out = self.rest.clone();
        out.insert("start_node".into(), self.start_node.clone().into());
        let nodes = self
            .nodes
            .iter()
            .map(|(id, node)| (id.clone(), node.to_value()));
        out.insert("nodes".into(), Value::Object(nodes.collect()));
        Value::Object(out)
    }
}

impl Node {
    /// What it is; `None` for a type that is not known here.
    pub fn kind(&self) -> Option<Kind> {
        Kind::parse(&self.node_type)
    }

    /// The ids that it may go on to, in the order in which they are written; an id may be there twice.
    pub fn targets(&self) -> impl Iterator<Item = &str> {
        let branches = self.branches.iter().flatten();
        branches
            .filter_map(|branch| branch.goto.as_deref())
            .chain(self.next.as_deref())
    }

    fn to_value(&self) -> Value {
        let mut out = self.rest.clone();
        out.insert("node_type".into(), self.node_type.clone().into());
        put(&mut out, "feature", &self.feature);
        put(&mut out, "next", &self.next);
        put(&mut out, "session_status", &self.session_status);
        if let Some(config) = &self.config {
            out.insert("config".into(), Value::Object(config.clone()));
        }
        if let Some(branches) = &self.branches {
            let branches = branches.iter().map(Branch::to_value);
            out.insert("branches".into(), branches.collect());
        }
        Value::Object(out)
    }
}

impl Branch {
    /// Whether it is the one that is taken when no other is.
    pub fn is_else(&self) -> bool {
        self.rules.as_ref().is_none_or(Vec::is_empty)
    }

    fn to_value(&self) -> Value {
        let mut out = self.rest.clone();
        put(&mut out, "id", &self.id);
        put(&mut out, "logic", &self.logic);
        put(&mut out, "goto", &self.goto);
        if let Some(rules) = &self.rules {
            out.insert("rules".into(), rules.iter().map(Rule::to_value).collect());
        }
        Value::Object(out)
    }
}

impl Rule {
    fn to_value(&self) -> Value {
        let mut out = self.rest.clone();
        put(&mut out, "field", &self.field);
        put(&mut out, "operator", &self.operator);
        for (name, value) in [("value", &self.value), ("score", &self.score)] {
            if let Some(value) = value {
                out.insert(name.into(), value.clone());
            }
        }
        Value::Object(out)
    }
}

fn put(out: &mut Map<String, Value>, name: &str, text: &Option<String>) {
    if let Some(text) = text {
        out.insert(name.into(), text.clone().into());
    }
}
