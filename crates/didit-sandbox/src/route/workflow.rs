//! Workflows of one application.

use serde_json::{Map, Value, json};

use super::{Answer, Call, Caller, Outcome};
use crate::date::{DAY, timestamp};
use crate::field::{Checked, Field, Kind, not_a_choice, optional, required};
use crate::refused::Refused;
use crate::world::{MOST_RECORDS, Workflow, World};

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
    let (features, configs) = match call.body.get("features") {
        // The way of the REST API: a type, and flags for what comes on top.
        None if matches!(call.caller, Caller::Key(_)) => switched(&call.body)?,
        _ => features(&call.body)?,
    };
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
        version: 1,
        graph: None,
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
    let row = world.workflow(index)?;
    if checked.text("status") == Some("published") && row.status == "draft" {
        let (workflow_id, uuid) = (row.workflow_id.clone(), row.uuid.clone());
        replace(world, &workflow_id, &uuid);
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

pub(super) fn named(world: &World, call: &Call) -> Result<usize, Refused> {
    let (application, id) = (call.application()?, call.param("workflow_id")?);
    let here = |row: &Workflow| row.application == application && !row.is_archived;
    let find = |is: &dyn Fn(&Workflow) -> bool| {
        let mut rows = world.workflows.iter();
        rows.position(|row| here(row) && is(row))
    };
    // The id of a version names it; the id of all names the published one, else the draft.
    find(&|row| row.uuid == id)
        .or_else(|| find(&|row| row.workflow_id == id && row.status == "published"))
        .or_else(|| find(&|row| row.workflow_id == id))
        .ok_or(Refused::NotFound)
}

/// Puts the version that was published so far away, and gives its place as the default to the new one.
fn replace(world: &mut World, workflow_id: &str, uuid: &str) {
    let same = |row: &&mut Workflow| row.workflow_id == workflow_id && row.uuid != uuid;
    let mut was_default = false;
    for row in world.workflows.iter_mut().filter(same) {
        was_default |= row.is_default;
        row.is_default = false;
        row.is_archived = true;
    }
    let row = world.workflows.iter_mut().find(|row| row.uuid == uuid);
    if let Some(row) = row {
        row.is_default |= was_default;
    }
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

const TYPES: &[(&str, &[&str])] = &[
    ("kyc", &["OCR"]),
    ("adaptive_age_verification", &["AGE_ESTIMATION"]),
    ("biometric_authentication", &["LIVENESS"]),
    ("address_verification", &["PROOF_OF_ADDRESS"]),
    ("questionnaire_verification", &["QUESTIONNAIRE"]),
    ("email_verification", &["EMAIL_VERIFICATION"]),
    ("phone_verification", &["PHONE_VERIFICATION"]),
];

const SWITCHES: &[(&str, &str)] = &[
    ("is_nfc_enabled", "NFC"),
    ("is_liveness_enabled", "LIVENESS"),
    ("is_face_match_enabled", "FACE_MATCH"),
    ("is_aml_enabled", "AML"),
    ("is_phone_verification_enabled", "PHONE_VERIFICATION"),
    ("is_email_verification_enabled", "EMAIL_VERIFICATION"),
    ("is_database_validation_enabled", "DATABASE_VALIDATION"),
    ("is_ip_analysis_enabled", "IP_ANALYSIS"),
];

/// The features that a type and its flags ask for.
fn switched(body: &Map<String, Value>) -> Result<(Vec<String>, Vec<Value>), Refused> {
    let wanted = match body.get("workflow_type") {
        None | Some(Value::Null) => "kyc",
        Some(value) => value.as_str().unwrap_or_default(),
    };
    let found = TYPES.iter().find(|(name, _)| *name == wanted);
    let (_, first) = found.ok_or_else(|| Refused::field("workflow_type", not_a_choice(wanted)))?;
    let mut features: Vec<String> = first.iter().map(|name| (*name).to_owned()).collect();
    for (flag, feature) in SWITCHES {
        match body.get(*flag) {
            None | Some(Value::Null | Value::Bool(false)) => {}
            Some(Value::Bool(true)) => features.push((*feature).to_owned()),
            Some(_) => return Err(Refused::field(flag, "Must be a valid boolean.")),
        }
    }
    let configs = features.iter().map(|_| json!({})).collect();
    Ok((features, configs))
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
        if !crate::graph::is_feature(feature) {
            return Err(Refused::field("features", not_a_choice(feature)));
        }
        features.push(feature.to_owned());
        configs.push(item.get("config").cloned().unwrap_or_else(|| json!({})));
    }
    Ok((features, configs))
}

pub(super) fn shown(row: &Workflow) -> Value {
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
        "version": row.version,
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
