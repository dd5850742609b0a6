//! Deleting a workflow, and putting it away where it cannot be deleted.

use didit_client::ErrorCode;
use serde_json::{Map, Value, json};

use super::object;
use crate::acting::{Acting, Transport, path_part, row};
use crate::outcome::{Failure, Outcome};
use crate::schema::Checked;

impl<S: Transport> Acting<'_, S> {
    /// Deletes a workflow; one that the API does not delete is archived, and the answer says so.
    pub(super) async fn workflow_delete(&self, checked: &Checked) -> Outcome {
        let place = self.place(row("workflow.delete")?, checked).await?;
        let id = path_part(checked, "workflow_id")?
            .ok_or_else(|| Failure::bad_request("workflow_id is missing").field("workflow_id"))?;
        let part = Some(("workflow_id", &id));
        let refused = match self.api("workflow.delete", &place, part, Map::new()).await {
            Ok(answer) => {
                let mut out = object(answer);
                out.insert("workflow_id".into(), id.as_str().into());
                out.insert("deleted".into(), true.into());
                out.insert("archived".into(), false.into());
                return Ok(Value::Object(out));
            }
            Err(error) => error,
        };
        let may_be_archived = matches!(
            refused.code(),
            ErrorCode::BadRequest | ErrorCode::Conflict | ErrorCode::Unprocessable
        );
        if !may_be_archived {
            return Err(self.told(refused, &place).await);
        }
        let why = refused.message().to_owned();
        let mut fields = object(json!({ "is_archived": true }));
        // A change that leaves the status out would publish a draft.
        match self.api("workflow.get", &place, part, Map::new()).await {
            Ok(current) => {
                if let Some(status) = current.get("status") {
                    fields.insert("status".into(), status.clone());
                }
            }
            Err(_) => return Err(self.told(refused, &place).await),
        }
        match self.api("workflow.update", &place, part, fields).await {
            Ok(_) => Ok(json!({
                "workflow_id": id.as_str(),
                "deleted": false,
                "archived": true,
                "note": format!("it was archived, not deleted, because Didit refused to delete it: {why}"),
            })),
            Err(error) => {
                let failure = self.told(error, &place).await;
                Err(failure.before(&format!("neither deleted ({why}) nor archived: ")))
            }
        }
    }
}
