//! Why a session ended as it did, in sentences; what the decision does not say is said to be unknown.

use serde_json::{Map, Value, json};

use super::graph_ask::graph_in;
use super::object;
use crate::acting::{Acting, Transport, path_part, row};
use crate::graph::{Graph, explain};
use crate::outcome::{Failure, Outcome};
use crate::schema::Checked;

impl<S: Transport> Acting<'_, S> {
    /// Reads the decision and, where it can be found, the graph of the workflow, and tells what led where.
    pub(super) async fn session_explain_decision(&self, checked: &Checked) -> Outcome {
        let id = path_part(checked, "session_id")?
            .ok_or_else(|| Failure::bad_request("session_id is missing").field("session_id"))?;
        let place = self.place(row("session.decision")?, checked).await?;
        let part = Some(("session_id", &id));
        let decision = self.asked("session.decision", &place, part, Map::new());
        let decision = object(decision.await?);
        let workflow = decision.get("workflow_id").and_then(Value::as_str);
        let graph = match workflow {
            Some(workflow) => self.graph_used(workflow, checked).await,
            None => Err("the decision names no workflow".to_owned()),
        };
        let told = explain(&decision, graph.as_ref().ok());
        let mut out = object(json!({
            "session_id": id.as_str(),
            "status": decision.get("status"),
            "explanation": told.sentences,
            "unknown": told.unknown,
            "checks": told.checks,
            "decided_by": told.decided_by,
            "unexplained": told.unexplained,
            "workflow": { "workflow_id": workflow, "graph_read": graph.is_ok() },
        }));
        if let Some(number) = decision.get("session_number") {
            out.insert("session_number".into(), number.clone());
        }
        match graph {
            Ok(graph) => {
                out.insert("drawing".into(), graph.draw().into());
            }
            Err(why) => {
                let note = format!(
                    "the graph of the workflow was not read, so the ways through it are not told: {why}"
                );
                out.insert("note".into(), note.into());
            }
        }
        Ok(Value::Object(out))
    }

    /// The graph as it is now; why not, in words, when it cannot be read: the decision is worth telling all the same.
    async fn graph_used(&self, workflow: &str, checked: &Checked) -> Result<Graph, String> {
        let said = |failure: Failure| failure.message().to_owned();
        let found = self.workflow_named(workflow, checked).await.map_err(said)?;
        let part = Some(("version", &found.version));
        let answer = self
            .api("workflow_graph.get", &found.place, part, Map::new())
            .await
            .map_err(|error| error.message().to_owned())?;
        let graph = graph_in(&answer).ok_or("the workflow has no graph")?;
        Graph::parse(graph).map_err(|finding| finding.to_string())
    }
}
