//! Workflows of one application.

use serde_json::{Map, Value, json};

use super::{Answer, Call, Outcome};
use crate::date::{DAY, timestamp};
use crate::field::{Checked, Field, Kind, not_a_choice, optional, required};
use crate::refused::Refused;
use crate::world::{MOST_RECORDS, Workflow, World};

const FEATURES: &[&str] = &[
    "OCR",
    "NFC",
    "LIVENESS",
    "FACE_MATCH",
    "PROOF_OF_ADDRESS",
    "QUESTIONNAIRE",
    "PHONE_VERIFICATION",
    "EMAIL_VERIFICATION",
    "DATABASE_VALIDATION",
    "AML",
    "IP_ANALYSIS",
    "AGE_ESTIMATION",
    "KYB_REGISTRY",
    "KYB_DOCUMENTS",
    "KYB_KEY_PEOPLE",
    "DOCUMENT_AI",
];

const STATUSES: Kind = Kind::Choice(&["draft", "published"]);

const SETTINGS: &[Field] = &[
    optional("workflow_label", Kind::Text(100)),
    optional("is_default", Kind::Flag),
    optional("status", STATUSES),
    optional("is_archived", Kind::Flag),
    optional("is_white_label_enabled", Kind::Flag),
    optional("is_desktop_allowed", Kind::Flag),
    optional("max_retry_attempts", Kind::Whole(0, 10)),
    optional("retry_window_days", Kind::Whole(1, 365)),
    optional("session_expiration_time", Kind::Whole(60, 365 * 86_400)),
];

pub(super) fn list(world: &mut World, call: &Call) -> Outcome {
    let application = call.application()?;
    let rows = world
        .workflows
        .iter()
        .filter(|row| row.application == application && !row.is_archived);
    Ok(Answer::ok(rows.map(shown).collect::<Vec<Value>>()))
}

pub(super) fn show(world: &mut World, call: &Call) -> Outcome {
    Ok(Answer::ok(shown(world.workflow(named(world, call)?)?)))
}

pub(super) fn create(world: &mut World, call: &Call) -> Outcome {
    let checked = Checked::whole(&call.body, SETTINGS)?;
    let (features, configs) = features(&call.body)?;
    if world.workflows.len() >= MOST_RECORDS {
        return Err(Refused::Full("workflows"));
    }
    let business = features.iter().any(|feature| feature.starts_with("KYB_"));
    let mut workflow = Workflow {
        uuid: world.generator.uuid(),
        workflow_id: world.generator.uuid(),
        application: call.application()?,
        label: "Untitled workflow".to_owned(),
        kind: if business { "kyb" } else { "kyc" }.to_owned(),
        features,
        configs,
        status: "published".to_owned(),
        is_default: false,
        is_archived: false,
        settings: Map::new(),
        session_expiration_time: 7 * DAY,
        created_at: call.now,
        updated_at: call.now,
    };
    apply(&mut workflow, checked);
    if workflow.is_default {
        only_default(world, workflow.application);
    }
    let body = shown(&workflow);
    world.workflows.push(workflow);
    Ok(Answer::created(body))
}

pub(super) fn update(world: &mut World, call: &Call) -> Outcome {
    let checked = Checked::part(&call.body, SETTINGS)?;
    let index = named(world, call)?;
    if checked.flag("is_default") == Some(true) {
        only_default(world, call.application()?);
    }
    let workflow = world.workflows.get_mut(index).ok_or(Refused::NotFound)?;
    apply(workflow, checked);
    workflow.updated_at = call.now;
    Ok(Answer::ok(shown(workflow)))
}

/// Takes a workflow out of sight; sessions that used it keep it.
pub(super) fn delete(world: &mut World, call: &Call) -> Outcome {
    let index = named(world, call)?;
    let workflow = world.workflows.get_mut(index).ok_or(Refused::NotFound)?;
    workflow.is_archived = true;
    workflow.updated_at = call.now;
    Ok(Answer::Nothing)
}

fn named(world: &World, call: &Call) -> Result<usize, Refused> {
    let (application, id) = (call.application()?, call.param("workflow_id")?);
    world
        .workflows
        .iter()
        .position(|row| row.application == application && !row.is_archived && row.is(id))
        .ok_or(Refused::NotFound)
}

fn only_default(world: &mut World, application: usize) {
    for row in world
        .workflows
        .iter_mut()
        .filter(|row| row.application == application)
    {
        row.is_default = false;
    }
}

fn apply(workflow: &mut Workflow, checked: Checked) {
    for (name, value) in checked.into_map() {
        match (name.as_str(), value) {
            ("workflow_label", Value::String(label)) => workflow.label = label,
            ("status", Value::String(status)) => workflow.status = status,
            ("is_default", Value::Bool(flag)) => workflow.is_default = flag,
            ("is_archived", Value::Bool(flag)) => workflow.is_archived = flag,
            ("session_expiration_time", Value::Number(seconds)) => {
                workflow.session_expiration_time = seconds.as_u64().unwrap_or(7 * DAY);
            }
            (_, value) => {
                workflow.settings.insert(name, value);
            }
        }
    }
}

/// The features of a new workflow and the settings of each.
fn features(body: &Map<String, Value>) -> Result<(Vec<String>, Vec<Value>), Refused> {
    let checked = Checked::whole(body, &[required("features", Kind::List(30))])?;
    let items = checked
        .get("features")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    if items.is_empty() {
        return Err(Refused::field("features", "This list may not be empty."));
    }
    let mut features = Vec::with_capacity(items.len());
    let mut configs = Vec::with_capacity(items.len());
    for item in &items {
        let Some(feature) = item
            .get("feature")
            .and_then(Value::as_str)
            .or_else(|| item.as_str())
        else {
            return Err(Refused::field("features", "Each item must name a feature."));
        };
        if !FEATURES.contains(&feature) {
            return Err(Refused::field("features", not_a_choice(feature)));
        }
        features.push(feature.to_owned());
        configs.push(item.get("config").cloned().unwrap_or_else(|| json!({})));
    }
    Ok((features, configs))
}

fn shown(row: &Workflow) -> Value {
    let features: Vec<Value> = row
        .features
        .iter()
        .zip(&row.configs)
        .map(|(feature, config)| json!({ "feature": feature, "config": config }))
        .collect();
    let mut body = json!({
        "uuid": row.uuid,
        "workflow_id": row.workflow_id,
        "workflow_label": row.label,
        "workflow_type": row.kind,
        "version": 1,
        "status": row.status,
        "is_default": row.is_default,
        "is_archived": row.is_archived,
        "features": features,
        "session_expiration_time": row.session_expiration_time,
        "created_at": timestamp(row.created_at),
        "updated_at": timestamp(row.updated_at),
    });
    if let Some(fields) = body.as_object_mut() {
        fields.extend(row.settings.clone());
    }
    body
}
