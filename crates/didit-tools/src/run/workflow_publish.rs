//! Publishing the draft of a workflow, and refusing where there is none.

use didit_client::{ErrorCode, PathPart};
use serde_json::{Map, Value};

use super::graph_save::version_in;
use super::object;
use super::workflow::Found;
use crate::acting::{Acting, Transport};
use crate::outcome::{Failure, Outcome};
use crate::schema::Checked;

impl<S: Transport> Acting<'_, S> {
    /// Makes the draft of a workflow the version that new sessions use.
    pub(super) async fn workflow_publish(&self, checked: &Checked) -> Outcome {
        let found = self.workflow(checked).await?;
        let version = self.draft_to_publish(&found).await?;
        match self.publish(&found, &version).await {
            Ok(answer) => {
                let mut out = object(answer);
                found.tell(&mut out);
                out.insert("version_uuid".into(), version.as_str().into());
                out.insert("published".into(), true.into());
                Ok(Value::Object(out))
            }
            Err(error) => Err(self.told(error, &found.place).await),
        }
    }

    /// The draft that holds what is not published yet. Without a sign that there is one, none is made:
    /// that would publish a copy of what is in use already, and call it a change.
    async fn draft_to_publish(&self, found: &Found) -> Result<PathPart, Failure> {
        if found.is_draft() {
            return Ok(found.version.clone());
        }
        let mut rows = vec![found.row.clone()];
        match self.versions(found).await {
            Ok(others) => rows.extend(others),
            Err(error) => {
                let place = found.place.organization.as_ref();
                return Err(self.explained(error, place).await);
            }
        }
        let draft = rows.iter().find(|row| text(row, "status") == Some("draft"));
        if let Some(id) = draft
            .and_then(|row| text(row, "uuid"))
            .and_then(|id| PathPart::parse(id).ok())
        {
            return Ok(id);
        }
        let has_draft = |row: &Map<String, Value>| row.get("has_draft") == Some(&Value::Bool(true));
        if rows.iter().any(has_draft) {
            let part = Some(("version", &found.version));
            let asked = self.api("workflow.create_draft", &found.place, part, Map::new());
            match asked.await {
                Ok(answer) => {
                    if let Some(version) = version_in(&answer) {
                        return Ok(version);
                    }
                }
                Err(error) => return Err(self.told(error, &found.place).await),
            }
        }
        Err(Failure::new(
            ErrorCode::Conflict,
            "this version is published and has no draft: there is nothing to publish, and nothing was changed",
        )
        .field("workflow_id")
        .hint("didit_workflow_edit_graph changes a draft; its answer names the version to publish."))
    }
}

fn text<'a>(row: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    row.get(name)?.as_str()
}
