//! Finding the workflow that a tool is about: by an id of it or of a version, or by its exact label.

use didit_client::{ApiError, Call, ErrorCode, InvalidPathPart, PathPart};
use serde_json::{Map, Value, json};

use crate::acting::{Acting, Transport, row};
use crate::map::rows;
use crate::outcome::Failure;
use crate::place::{Place, Unplaced};
use crate::schema::Checked;
use crate::span::{MAX_PLACES, Target, organizations_asked};
use crate::together::together;

/// The most workflows that a message lists.
const MAX_CANDIDATES: usize = 10;

/// A version of a workflow, and where it is.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) place: Place,
    /// The id of the version, which the calls on graphs take.
    pub(super) version: PathPart,
    /// What the API says of it.
    pub(super) row: Map<String, Value>,
    /// What was given, when it was a label.
    label: Option<String>,
}

impl Found {
    /// A text of the row.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.row.get(name)?.as_str()
    }

    pub(super) fn is_draft(&self) -> bool {
        self.text("status") == Some("draft")
    }

    pub(super) fn workflow_id(&self) -> &str {
        self.text("workflow_id")
            .unwrap_or_else(|| self.version.as_str())
    }

    /// Says in an answer where the workflow is, and which one a label was taken for.
    pub(super) fn tell(&self, answer: &mut Map<String, Value>) {
        answer.insert("workflow_id".into(), self.workflow_id().into());
        let ids = [
            ("organization_id", &self.place.organization),
            ("application_id", &self.place.application),
        ];
        for (name, id) in ids {
            if let Some(id) = id {
                answer.insert(name.into(), id.as_str().into());
            }
        }
        if let Some(label) = &self.label {
            let resolved = json!({ "from": label, "workflow_id": self.workflow_id(), "label": label_of(&self.row) });
            answer.insert("workflow_resolved".into(), resolved);
        }
    }
}

/// The rows of one application, or why they could not be read.
struct Listed {
    place: Place,
    rows: Result<Vec<Map<String, Value>>, ApiError>,
}

impl<S: Transport> Acting<'_, S> {
    /// The workflow that `workflow_id` names: in the place of the arguments, else wherever the person can reach.
    pub(super) async fn workflow(&self, checked: &Checked) -> Result<Found, Failure> {
        let given = checked
            .text("workflow_id")
            .ok_or_else(|| Failure::bad_request("workflow_id is missing").field("workflow_id"))?;
        self.workflow_named(given, checked).await
    }

    pub(super) async fn workflow_named(
        &self,
        given: &str,
        checked: &Checked,
    ) -> Result<Found, Failure> {
        let part = match PathPart::parse(given) {
            Ok(part) => Some(part),
            // No id has such a character, but a label may; it stands in no path then.
            Err(InvalidPathPart::Separator) => None,
            Err(why) => {
                let message = format!("workflow_id {why}");
                return Err(Failure::bad_request(message).field("workflow_id"));
            }
        };
        let listed = match self.place(row("workflow.get")?, checked).await {
            Ok(place) => {
                if let Some(part) = part
                    && let Some(found) = self.version(&part, &place).await?
                {
                    return Ok(found);
                }
                vec![self.listed(place).await]
            }
            Err(Unplaced::Missing(_)) => self.listed_everywhere(checked).await?,
            Err(Unplaced::Failed(failure)) => return Err(failure),
        };
        if let [
            Listed {
                place,
                rows: Err(error),
            },
        ] = listed.as_slice()
        {
            return Err(self
                .explained(error.clone(), place.organization.as_ref())
                .await);
        }
        chosen(given, &listed)
    }

    /// The version of this id in an application; `None` when it has none.
    async fn version(&self, id: &PathPart, place: &Place) -> Result<Option<Found>, Failure> {
        match self
            .api("workflow.get", place, Some(("workflow_id", id)), Map::new())
            .await
        {
            Ok(Value::Object(row)) => Ok(found(place, row, None)),
            Ok(_) => Ok(None),
            Err(error) if matches!(error.code(), ErrorCode::NotFound | ErrorCode::BadRequest) => {
                Ok(None)
            }
            Err(error) => Err(self.told(error, place).await),
        }
    }

    async fn listed(&self, place: Place) -> Listed {
        let read = match listing(&place) {
            Some(call) => self.send(call).await.map(|answer| {
                let rows = rows(answer).unwrap_or_default();
                rows.into_iter()
                    .filter_map(|row| match row {
                        Value::Object(row) => Some(row),
                        _ => None,
                    })
                    .collect()
            }),
            None => Ok(Vec::new()),
        };
        Listed { place, rows: read }
    }

    async fn listed_everywhere(&self, checked: &Checked) -> Result<Vec<Listed>, Failure> {
        let reach = self.reach().await?;
        let targets = Target::applications(organizations_asked(&reach, checked)?);
        let asked = targets.into_iter().take(MAX_PLACES);
        Ok(together(asked.map(|target| self.listed(target.place))).await)
    }

    /// The rows of the application that a version is in which belong to the same workflow.
    pub(super) async fn versions(&self, of: &Found) -> Result<Vec<Map<String, Value>>, ApiError> {
        let mut rows = self.listed(of.place.clone()).await.rows?;
        rows.retain(|row| is(row, "workflow_id", of.workflow_id()));
        Ok(rows)
    }
}

fn listing(place: &Place) -> Option<Call> {
    let (organization, application) = (place.organization.clone()?, place.application.clone()?);
    let call = Call::new(row("workflow.list").ok()?)
        .part("org", organization.clone())
        .part("app", application)
        .acting_in(organization);
    Some(call)
}

fn found(place: &Place, row: Map<String, Value>, label: Option<String>) -> Option<Found> {
    let id = ["uuid", "id", "workflow_id"]
        .into_iter()
        .find_map(|name| row.get(name)?.as_str())?;
    Some(Found {
        place: place.clone(),
        version: PathPart::parse(id).ok()?,
        row,
        label,
    })
}

fn is(row: &Map<String, Value>, name: &str, wanted: &str) -> bool {
    row.get(name).and_then(Value::as_str) == Some(wanted)
}

fn label_of(row: &Map<String, Value>) -> Option<&str> {
    ["workflow_label", "label"]
        .into_iter()
        .find_map(|name| row.get(name)?.as_str())
}

/// The version whose own id it is, else the workflow of this id, else the only one with exactly this label.
fn chosen(given: &str, listed: &[Listed]) -> Result<Found, Failure> {
    let all = || {
        listed.iter().flat_map(|listed| {
            let rows = listed.rows.as_deref().unwrap_or_default();
            rows.iter().map(move |row| (&listed.place, row))
        })
    };
    for name in ["uuid", "id", "workflow_id"] {
        // Of the versions of one workflow, the published one is what people mean.
        let mut same: Vec<_> = all().filter(|(_, row)| is(row, name, given)).collect();
        same.sort_by_key(|(_, row)| !is(row, "status", "published"));
        if let Some((place, row)) = same.first()
            && let Some(found) = found(place, (*row).clone(), None)
        {
            return Ok(found);
        }
    }
    let is_labelled = |row: &Map<String, Value>| {
        label_of(row)
            .is_some_and(|label| label.trim().to_lowercase() == given.trim().to_lowercase())
    };
    let mut labelled: Vec<_> = all().filter(|(_, row)| is_labelled(row)).collect();
    labelled.sort_by_key(|(_, row)| !is(row, "status", "published"));
    // The versions of one workflow are one.
    labelled.dedup_by_key(|(_, row)| row.get("workflow_id").and_then(Value::as_str));
    match labelled.as_slice() {
        [(place, row)] => {
            if let Some(found) = found(place, (*row).clone(), Some(given.to_owned())) {
                return Ok(found);
            }
            Err(unknown(given, all().map(|(_, row)| row), listed))
        }
        [] => Err(unknown(given, all().map(|(_, row)| row), listed)),
        several => {
            let message = format!(
                "{} workflows have this label; give the id of one",
                several.len()
            );
            Err(listing_of(message, several.iter().map(|(_, row)| *row)))
        }
    }
}

fn unknown<'a>(
    given: &str,
    rows: impl Iterator<Item = &'a Map<String, Value>>,
    listed: &[Listed],
) -> Failure {
    let failed = listed.iter().filter(|listed| listed.rows.is_err()).count();
    let mut message =
        "no workflow that can be reached has this id, no version has it, and none is labelled exactly so".to_owned();
    if failed > 0 {
        message.push_str(&format!(
            "; {failed} of {} applications did not answer",
            listed.len()
        ));
    }
    let failure = listing_of(message, rows);
    let is_node = given.starts_with("feature_") || given.starts_with("branch_");
    if is_node {
        return failure.hint("This looks like the id of a node in a graph; workflow_id is the workflow. didit_workflow_list lists them.");
    }
    failure
}

fn listing_of<'a>(message: String, rows: impl Iterator<Item = &'a Map<String, Value>>) -> Failure {
    let candidates: Vec<(String, String)> = rows
        .take(MAX_CANDIDATES)
        .filter_map(|row| {
            let id = ["workflow_id", "uuid", "id"]
                .into_iter()
                .find_map(|name| row.get(name)?.as_str())?;
            let label: String = label_of(row)
                .unwrap_or("without a label")
                .chars()
                .filter(|c| !c.is_control())
                .take(80)
                .collect();
            Some((id.to_owned(), label))
        })
        .collect();
    let shown: Vec<String> = candidates
        .iter()
        .map(|(id, label)| format!("{id} ({label})"))
        .collect();
    let hint = if shown.is_empty() {
        "didit_workflow_list lists the workflows.".to_owned()
    } else {
        format!(
            "didit_workflow_list lists the workflows; some are {}.",
            shown.join(", ")
        )
    };
    Failure::bad_request(message)
        .field("workflow_id")
        .hint(hint)
        .allowed(candidates.into_iter().map(|(id, _)| id))
}
