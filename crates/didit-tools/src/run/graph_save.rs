//! Saving graphs: a published version is never changed, nothing is saved that is not valid, and what was stored is read back.

use serde_json::{Map, Value, json};

use super::graph_ask::{given, graph_in, is_valid, kind, refused, show, tell_report};
use super::workflow::Found;
use super::{ApiErrorOr, object};
use crate::acting::{Acting, Transport};
use crate::graph::{FailedEdit, Finding, Graph, Report, unconfirmed};
use crate::outcome::{Failure, Outcome};
use crate::schema::Checked;
use didit_client::{ErrorCode, PathPart};

/// What is to be saved, and what came before it.
struct Change {
    graph: Graph,
    changes: Vec<String>,
    report: Report,
    /// What the report has that the graph before did not: it keeps the graph from being saved.
    errors: Vec<Finding>,
}

/// The draft that a graph is saved to.
struct Draft {
    version: PathPart,
    /// Whether it was made, or looked up, for this call.
    created: bool,
}

impl<S: Transport> Acting<'_, S> {
    /// Replaces the graph of a workflow.
    pub(super) async fn workflow_set_graph(&self, checked: &Checked) -> Outcome {
        let graph = given(checked)?;
        let found = self.workflow(checked).await?;
        let report = graph.check(found.text("workflow_type").and_then(kind));
        let change = Change {
            errors: report.errors.clone(),
            report,
            graph,
            changes: Vec::new(),
        };
        if let Some(refusal) = self.refusal(&found, &change).await? {
            return Ok(refusal);
        }
        let draft = self.draft_of(&found).await?;
        self.save(&found, &draft, &change, checked.is_true("publish"))
            .await
    }

    /// Changes the graph of a workflow by a list of operations.
    pub(super) async fn workflow_edit_graph(&self, checked: &Checked) -> Outcome {
        let operations = checked.get("operations").and_then(Value::as_array);
        let operations = operations.map(Vec::as_slice).unwrap_or_default();
        let found = self.workflow(checked).await?;
        let publish = checked.is_true("publish");
        let base = self.graph_of(&found, &found.version).await?;
        let change = edited(&found, &base, operations)?;
        if let Some(refusal) = self.refusal(&found, &change).await? {
            return Ok(refusal);
        }
        let draft = self.draft_of(&found).await?;
        if !draft.created {
            return self.save(&found, &draft, &change, publish).await;
        }
        // A draft may have been there, with changes that nobody has published: they are kept, and changed further.
        let drafted = self.graph_of(&found, &draft.version).await?;
        if unconfirmed(&base, &drafted).is_empty() && unconfirmed(&drafted, &base).is_empty() {
            return self.save(&found, &draft, &change, publish).await;
        }
        let mut change = edited(&found, &drafted, operations)?;
        change.changes.insert(
            0,
            "the draft that was there already was changed, and its earlier changes kept".to_owned(),
        );
        if let Some(refusal) = self.refusal(&found, &change).await? {
            return Ok(refusal);
        }
        self.save(&found, &draft, &change, publish).await
    }

    /// Makes a draft of a workflow.
    pub(super) async fn workflow_create_draft(&self, checked: &Checked) -> Outcome {
        let found = self.workflow(checked).await?;
        let mut out = Map::new();
        found.tell(&mut out);
        if found.is_draft() {
            out.insert("version_uuid".into(), found.version.as_str().into());
            out.insert("created_draft".into(), false.into());
            out.insert("status".into(), "draft".into());
            out.insert("note".into(), "this version is a draft already".into());
            return Ok(Value::Object(out));
        }
        match self.create_draft(&found).await {
            Ok(answer) => {
                let version = version_in(&answer).ok_or_else(without_id)?;
                let mut answer = object(answer);
                answer.extend(out);
                answer.insert("version_uuid".into(), version.as_str().into());
                answer.insert("created_draft".into(), true.into());
                Ok(Value::Object(answer))
            }
            Err(error) => Err(self.told(error, &found.place).await),
        }
    }

    async fn create_draft(&self, found: &Found) -> Result<Value, ApiErrorOr> {
        self.api(
            "workflow.create_draft",
            &found.place,
            Some(("version", &found.version)),
            Map::new(),
        )
        .await
    }

    /// The draft to save to: the version itself, or a draft of it.
    async fn draft_of(&self, found: &Found) -> Result<Draft, Failure> {
        if found.is_draft() {
            let version = found.version.clone();
            return Ok(Draft {
                version,
                created: false,
            });
        }
        match self.create_draft(found).await {
            Ok(answer) => {
                let version = version_in(&answer).ok_or_else(without_id)?;
                Ok(Draft {
                    version,
                    created: true,
                })
            }
            Err(error) => {
                let failure = self.told(error, &found.place).await;
                Err(failure.before("no draft could be made, and nothing was saved: "))
            }
        }
    }

    async fn graph_of(&self, found: &Found, version: &PathPart) -> Result<Graph, Failure> {
        let asked = self.asked(
            "workflow_graph.get",
            &found.place,
            Some(("version", version)),
            Map::new(),
        );
        let answer = asked.await?;
        let graph = graph_in(&answer).ok_or_else(|| {
            Failure::unprocessable("the workflow has no graph that could be changed")
                .field("workflow_id")
                .hint("didit_workflow_set_graph gives it one.")
        })?;
        Graph::parse(graph).map_err(|finding| {
            Failure::unprocessable(format!(
                "the graph that is stored cannot be read: {finding}"
            ))
            .hint("didit_workflow_set_graph replaces it.")
        })
    }

    /// What a tool answers when a graph must not be saved; `None` when it may be.
    async fn refusal(&self, found: &Found, change: &Change) -> Result<Option<Value>, Failure> {
        let validation = if change.errors.is_empty() {
            let fields = object(json!({
                "graph": change.graph.to_value(),
                "workflow_uuid": found.version.as_str(),
            }));
            let answer = match self
                .api("workflow_graph.validate", &found.place, None, fields)
                .await
            {
                Ok(answer) => answer,
                Err(error) => {
                    let failure = self.told(error, &found.place).await;
                    return Err(
                        failure.before("the graph was not checked, and nothing was saved: ")
                    );
                }
            };
            if is_valid(&answer) {
                return Ok(None);
            }
            let mut answer = object(answer);
            answer.remove("graph");
            Value::Object(answer)
        } else {
            let errors: Vec<Value> = change.errors.iter().map(Finding::to_value).collect();
            json!({ "is_valid": false, "errors": errors })
        };
        let mut out = object(json!({
            "applied": false,
            "created_draft": false,
            "published": false,
            "validation": validation,
            "changes": change.changes,
            "drawing": change.graph.draw(),
            "note": "nothing was saved: correct what validation says and call again; the drawing shows the graph that was refused",
        }));
        found.tell(&mut out);
        out.insert("version_uuid".into(), found.version.as_str().into());
        Ok(Some(Value::Object(out)))
    }

    async fn save(&self, found: &Found, draft: &Draft, change: &Change, publish: bool) -> Outcome {
        let version = &draft.version;
        let fields = object(json!({ "graph": change.graph.to_value() }));
        let put = self.api(
            "workflow_graph.set",
            &found.place,
            Some(("version", version)),
            fields,
        );
        if let Err(error) = put.await {
            let failure = self.told(error, &found.place).await;
            let kept = if draft.created {
                format!(
                    "the draft {version} of workflow {} is there and holds the graph it had before; the new graph was not saved: ",
                    found.workflow_id()
                )
            } else {
                format!("the new graph was not saved, and the draft {version} is as it was: ")
            };
            return Err(failure.before(&kept));
        }
        let mut out = object(json!({
            "applied": true,
            "changes": change.changes,
            "created_draft": draft.created,
            "version_uuid": version.as_str(),
        }));
        found.tell(&mut out);
        tell_report(
            &mut out,
            &Report {
                errors: Vec::new(),
                ..change.report.clone()
            },
        );
        let confirmed = self
            .read_back(found, version, &change.graph, &mut out)
            .await;
        let note = match (publish, confirmed) {
            (false, true) => format!(
                "saved as a draft, not in use yet; didit_workflow_publish with workflow_id {version} publishes it"
            ),
            (false, false) => format!(
                "saved as the draft {version}, but it was not confirmed that everything is stored as it was asked for: look at the graph in this answer before publishing"
            ),
            (true, false) => format!(
                "saved as the draft {version} and NOT published: it was not confirmed that everything is stored as it was asked for; look at the graph in this answer, then publish with didit_workflow_publish"
            ),
            (true, true) => match self.publish(found, version).await {
                Ok(_) => {
                    out.insert("published".into(), true.into());
                    "published; new sessions use it".to_owned()
                }
                Err(error) => {
                    let failure = self.told(error, &found.place).await;
                    let told =
                        json!({ "code": failure.code().as_str(), "message": failure.message() });
                    out.insert("publish_error".into(), told);
                    format!(
                        "saved as the draft {version}, but NOT published; didit_workflow_publish with workflow_id {version} tries again"
                    )
                }
            },
        };
        let published = out.entry("published").or_insert(false.into()) == &Value::Bool(true);
        let status = if published { "published" } else { "draft" };
        out.insert("status".into(), status.into());
        out.insert("note".into(), note.into());
        Ok(Value::Object(out))
    }

    /// Reads what is stored into the answer; whether it is what was wanted.
    async fn read_back(
        &self,
        found: &Found,
        version: &PathPart,
        wanted: &Graph,
        out: &mut Map<String, Value>,
    ) -> bool {
        let asked = self.api(
            "workflow_graph.get",
            &found.place,
            Some(("version", version)),
            Map::new(),
        );
        let stored = match asked.await {
            Ok(answer) => graph_in(&answer).cloned(),
            Err(_) => None,
        };
        let read = stored.as_ref().and_then(|graph| Graph::parse(graph).ok());
        out.insert("graph_read_back".into(), read.is_some().into());
        let (Some(stored), Some(read)) = (stored, read) else {
            // What was sent is not passed off as what is stored.
            return false;
        };
        show(out, stored, false);
        let differences = unconfirmed(wanted, &read);
        out.insert(
            "unconfirmed_config_keys".into(),
            json!(differences.config_keys),
        );
        if !differences.others.is_empty() {
            out.insert("unconfirmed".into(), json!(differences.others));
        }
        differences.is_empty()
    }

    pub(super) async fn publish(
        &self,
        found: &Found,
        version: &PathPart,
    ) -> Result<Value, ApiErrorOr> {
        let fields = object(json!({ "status": "published" }));
        self.api(
            "workflow.update",
            &found.place,
            Some(("workflow_id", version)),
            fields,
        )
        .await
    }
}

/// The changed graph, and what the change broke.
fn edited(found: &Found, base: &Graph, operations: &[Value]) -> Result<Change, Failure> {
    let kind = found.text("workflow_type").and_then(kind);
    let edited = base.edit(operations).map_err(refused_edit)?;
    let graph = edited.graph.normalized().map_err(refused)?;
    let before = base
        .normalized()
        .unwrap_or_else(|_| base.clone())
        .check(kind);
    let report = graph.check(kind);
    let errors = report.errors_beyond(&before).into_iter().cloned().collect();
    Ok(Change {
        graph,
        changes: edited.changes,
        report,
        errors,
    })
}

fn refused_edit(failed: FailedEdit) -> Failure {
    let message = failed.to_string();
    Failure::bad_request(message)
        .field(failed.finding.path)
        .hint("Correct this operation and send the whole list again; none of it was applied.")
        .allowed(failed.finding.allowed)
}

/// The id of the draft in an answer.
pub(super) fn version_in(answer: &Value) -> Option<PathPart> {
    let id = ["uuid", "workflow_id"]
        .into_iter()
        .find_map(|name| answer.get(name)?.as_str())?;
    PathPart::parse(id).ok()
}

pub(super) fn without_id() -> Failure {
    Failure::new(
        ErrorCode::Error,
        "a draft was made, but the answer did not say its id, and nothing was saved in it",
    )
    .hint("didit_workflow_list lists the versions.")
}
