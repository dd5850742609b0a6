//! Reading, checking and building graphs; nothing is saved here.

use serde_json::{Map, Value, json};

use super::object;
use crate::acting::{Acting, Transport, row};
use crate::graph::{Finding, Graph, Report, WorkflowType, without_large_config};
use crate::outcome::{Failure, Outcome};
use crate::schema::Checked;

impl<S: Transport> Acting<'_, S> {
    /// The graph of a workflow, with its drawing.
    pub(super) async fn workflow_get_graph(&self, checked: &Checked) -> Outcome {
        let found = self.workflow(checked).await?;
        let asked = self.asked(
            "workflow_graph.get",
            &found.place,
            Some(("version", &found.version)),
            Map::new(),
        );
        let answer = asked.await?;
        let mut out = Map::new();
        found.tell(&mut out);
        out.insert("version_uuid".into(), found.version.as_str().into());
        if let Some(status) = found.row.get("status") {
            out.insert("status".into(), status.clone());
        }
        if let Some(has_draft) = found.row.get("has_draft") {
            out.insert("has_draft".into(), has_draft.clone());
        }
        let graph = graph_in(&answer).cloned();
        if let Value::Object(members) = answer
            && graph.is_some()
            && !members.contains_key("start_node")
        {
            for (name, value) in members {
                out.entry(name).or_insert(value);
            }
        }
        match graph {
            Some(graph) => show(&mut out, graph, checked.is_true("include_config")),
            None => {
                let note = "the workflow has no graph yet; didit_workflow_set_graph gives it one";
                out.insert("note".into(), note.into());
            }
        }
        Ok(Value::Object(out))
    }

    /// The fields that rules can look at, of all checks or of one.
    pub(super) async fn workflow_get_field_definitions(&self, checked: &Checked) -> Outcome {
        let found = self.workflow(checked).await?;
        let asked = self.asked(
            "workflow_graph.field_definitions",
            &found.place,
            None,
            Map::new(),
        );
        let answer = asked.await?;
        let mut out = object(answer);
        if let Some(feature) = checked.text("feature") {
            only_feature(&mut out, feature)?;
        }
        let mut told = Map::new();
        found.tell(&mut told);
        out.extend(told);
        Ok(Value::Object(out))
    }

    /// The fields that the rules of one branch node can look at.
    pub(super) async fn workflow_get_branch_fields(&self, checked: &Checked) -> Outcome {
        let graph = given(checked)?;
        let node = checked.text("branch_node_id").unwrap_or_default();
        if !graph.nodes.contains_key(node) {
            let ids: Vec<String> = graph.nodes.keys().cloned().collect();
            return Err(
                Failure::bad_request("branch_node_id names no node of this graph")
                    .field("branch_node_id")
                    .hint("Give the id of a branch node of the graph that is sent along.")
                    .allowed(ids),
            );
        }
        let found = self.workflow(checked).await?;
        let fields = object(json!({ "graph": graph.to_value(), "branch_node_id": node }));
        let asked = self.asked(
            "workflow_graph.branch_fields",
            &found.place,
            Some(("version", &found.version)),
            fields,
        );
        let mut out = object(asked.await?);
        found.tell(&mut out);
        Ok(Value::Object(out))
    }

    /// What is wrong with a graph, here and as the API sees it.
    pub(super) async fn workflow_validate_graph(&self, checked: &Checked) -> Outcome {
        let graph = given(checked)?;
        let mut fields = object(json!({ "graph": graph.to_value() }));
        let mut out = Map::new();
        let (place, kind) = match checked.text("workflow_id") {
            Some(_) => {
                let found = self.workflow(checked).await?;
                fields.insert("workflow_uuid".into(), found.version.as_str().into());
                found.tell(&mut out);
                let kind = found.text("workflow_type").and_then(kind);
                (found.place, kind)
            }
            None => {
                let place = self.place(row("workflow_graph.validate")?, checked).await?;
                let given = checked.text("workflow_type");
                if let Some(kind) = given {
                    fields.insert("workflow_type".into(), kind.into());
                }
                (place, given.and_then(kind))
            }
        };
        let asked = self.asked("workflow_graph.validate", &place, None, fields);
        let answer = asked.await?;
        let report = graph.check(kind);
        let valid = is_valid(&answer) && report.errors.is_empty();
        let mut answer = object(answer);
        if let Some(stored) = answer.remove("graph") {
            show(&mut out, stored, checked.is_true("include_config"));
        }
        out.extend(answer);
        out.insert("is_valid".into(), valid.into());
        tell_report(&mut out, &report);
        out.insert("drawing".into(), graph.draw().into());
        Ok(Value::Object(out))
    }

    /// A graph made by the API from what is wanted; the whole graph on request only.
    pub(super) async fn workflow_build_graph(&self, checked: &Checked) -> Outcome {
        let operation = row("workflow_graph.build")?;
        let place = self.place(operation, checked).await?;
        let call = self.call(operation, checked, &place)?;
        let mut answer = object(self.one(call, &place).await?);
        let Some(graph) = answer.get("graph").cloned().filter(Value::is_object) else {
            return Ok(Value::Object(answer));
        };
        let read = Graph::parse(&graph);
        if !checked.is_true("include_graph") {
            answer.insert("graph".into(), summary(&graph));
            let note = "this is a summary; call again with include_graph for the graph that didit_workflow_set_graph takes";
            answer.insert("note".into(), note.into());
        }
        match read {
            Ok(graph) => {
                answer.insert("drawing".into(), graph.draw().into());
            }
            Err(finding) => {
                answer.insert("not_drawn".into(), finding.to_value());
            }
        }
        Ok(Value::Object(answer))
    }
}

/// The graph of the arguments, as the API wants it.
pub(super) fn given(checked: &Checked) -> Result<Graph, Failure> {
    let value = checked.get("graph").unwrap_or(&Value::Null);
    Graph::parse(value)
        .and_then(|graph| graph.normalized())
        .map_err(refused)
}

/// A finding as the failure of a tool.
pub(super) fn refused(finding: Finding) -> Failure {
    let inside = match finding.path.as_str() {
        "graph" => "graph".to_owned(),
        path => format!("graph.{path}"),
    };
    let failure = Failure::bad_request(format!("graph: {finding}"))
        .field(inside)
        .hint("Correct the graph at that place; didit_workflow_get_graph shows one that is good.");
    failure.allowed(finding.allowed)
}

/// Whether the API found a graph to be good; an answer that does not say so has not.
pub(super) fn is_valid(answer: &Value) -> bool {
    ["is_valid", "valid"]
        .into_iter()
        .find_map(|name| answer.get(name)?.as_bool())
        .unwrap_or(false)
}

/// The graph in an answer: by its name, or the whole.
pub(super) fn graph_in(answer: &Value) -> Option<&Value> {
    let inside = answer.get("graph").filter(|graph| graph.is_object());
    inside.or_else(|| answer.get("start_node").map(|_| answer))
}

/// Puts a graph and its drawing into an answer, large settings left out unless they are asked for.
pub(super) fn show(out: &mut Map<String, Value>, mut graph: Value, whole: bool) {
    match Graph::parse(&graph) {
        Ok(read) => {
            out.insert("node_count".into(), read.nodes.len().into());
            out.insert("drawing".into(), read.draw().into());
        }
        Err(finding) => {
            out.insert("not_drawn".into(), finding.to_value());
        }
    }
    if !whole && without_large_config(&mut graph) {
        out.insert("config_summarized".into(), true.into());
    }
    out.insert("graph".into(), graph);
}

/// Puts what was found here into an answer.
pub(super) fn tell_report(out: &mut Map<String, Value>, report: &Report) {
    let found = [
        ("graph_errors", &report.errors),
        ("graph_warnings", &report.warnings),
    ];
    for (name, findings) in found {
        if !findings.is_empty() {
            let findings: Vec<Value> = findings.iter().map(Finding::to_value).collect();
            out.insert(name.into(), findings.into());
        }
    }
}

/// Whom a workflow verifies, by the word of the API; the kinds for one check alone are for persons.
pub(super) fn kind(word: &str) -> Option<WorkflowType> {
    match word {
        "kyb" => Some(WorkflowType::Kyb),
        "kyc" => Some(WorkflowType::Kyc),
        _ => None,
    }
}

fn summary(graph: &Value) -> Value {
    let nodes = graph.get("nodes").and_then(Value::as_object);
    let all = || nodes.into_iter().flat_map(Map::values);
    let features: Vec<&Value> = all().filter_map(|node| node.get("feature")).collect();
    let branches = all()
        .filter(|node| node.get("node_type").and_then(Value::as_str) == Some("branch"))
        .count();
    json!({ "node_count": nodes.map_or(0, Map::len), "features": features, "branches": branches })
}

/// Leaves the fields of one check in an answer.
fn only_feature(out: &mut Map<String, Value>, feature: &str) -> Result<(), Failure> {
    let by_feature = ["fields_by_feature", "fields"]
        .into_iter()
        .find_map(|name| out.get(name)?.as_object());
    let Some(by_feature) = by_feature else {
        return Err(
            Failure::unprocessable("the API did not tell the fields by check")
                .field("feature")
                .hint("Leave feature out to get all fields."),
        );
    };
    let Some(fields) = by_feature.get(feature).cloned() else {
        let known: Vec<String> = by_feature.keys().cloned().collect();
        return Err(Failure::unprocessable("no fields are known for this check")
            .field("feature")
            .hint("Choose a check that has fields, or leave feature out.")
            .allowed(known));
    };
    out.remove("fields_by_feature");
    out.insert("feature".into(), feature.into());
    out.insert("fields".into(), fields);
    out.insert("filtered".into(), true.into());
    Ok(())
}
