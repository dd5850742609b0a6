//! Starting a session, or getting the unfinished one again.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::session::address;
use super::vendor;
use super::{Answer, Call, Caller, Outcome};
use crate::field::{Checked, Field, Kind, not_a_choice, optional, required};
use crate::refused::Refused;
use crate::world::{MOST_SESSIONS, Session, World};

const LANGUAGES: &[&str] = &[
    "en", "ar", "bg", "bn", "bs", "ca", "cnr", "cs", "da", "de", "el", "es", "et", "fa", "fi",
    "fr", "he", "hi", "hr", "hu", "hy", "id", "it", "ja", "ka", "kk", "ko", "ky", "lt", "lv", "mk",
    "mn", "ms", "nl", "no", "pl", "pt-BR", "pt", "ro", "ru", "sk", "sl", "so", "sq", "sr", "sv",
    "th", "tr", "uk", "uz", "vi", "zh-CN", "zh-TW", "zh",
];

const FIELDS: &[Field] = &[
    required("workflow_id", Kind::Text(64)),
    optional("vendor_data", Kind::Text(256)),
    optional("callback", Kind::Text(1_024)),
    optional(
        "callback_method",
        Kind::Choice(&["initiator", "completer", "both"]),
    ),
    optional("language", Kind::Choice(LANGUAGES)),
    optional("metadata", Kind::Object(2_048)),
    optional("contact_details", Kind::Object(1_024)),
    optional("expected_details", Kind::Object(2_048)),
    // 1 MB of bytes in base64.
    optional("portrait_image", Kind::Text(1_400_000)),
    optional("sandbox_scenario", Kind::Text(64)),
];

/// What is kept of what the caller gave. The portrait is only measured.
const KEPT: &[&str] = &[
    "callback",
    "callback_method",
    "language",
    "metadata",
    "contact_details",
    "expected_details",
];

pub(super) fn create(world: &mut World, call: &Call) -> Outcome {
    let checked = Checked::whole(&call.body, FIELDS)?;
    let workflow = workflow(world, call, checked.text("workflow_id").unwrap_or_default())?;
    let application = world.workflow(workflow)?.application;
    let (status, scenario_warns) = outcome(world, application, &checked)?;
    let vendor_data = checked.text("vendor_data").map(str::to_owned);
    if let Some(vendor_data) = &vendor_data {
        // The same person on the same published version: the unfinished session, brought up to date.
        let unfinished = world.sessions().find(|row| {
            row.workflow == workflow
                && row.vendor_data.as_ref() == Some(vendor_data)
                && row.is_unfinished(call.now)
        });
        if let Some(id) = unfinished.map(|row| row.id.clone()) {
            let session = world.session_mut(&id).ok_or(Refused::NotFound)?;
            for name in ["callback", "metadata"] {
                if let Some(value) = checked.get(name) {
                    session.given.insert(name.to_owned(), value.clone());
                }
            }
            session.updated_at = call.now;
            return Ok(Answer::created(shown(world, &id)?));
        }
    }
    if world.sessions().count() >= MOST_SESSIONS {
        return Err(Refused::Full("sessions"));
    }
    if let Some(vendor_data) = &vendor_data {
        let vendors = match world.workflow(workflow)?.kind.as_str() {
            "kyb" => &vendor::BUSINESSES,
            _ => &vendor::USERS,
        };
        vendor::meet(world, application, vendors, vendor_data, call.now)?;
    }
    let found = world.workflow(workflow)?;
    let kind = if found.kind == "kyb" {
        "business"
    } else {
        "user"
    };
    let (steps, lifetime) = (found.features.len(), found.session_expiration_time);
    let id = world.generator.uuid();
    let token = world.generator.text(12);
    let session = Session {
        id: id.clone(),
        number: 0,
        application,
        workflow,
        kind,
        vendor_data,
        status,
        created_at: call.now,
        updated_at: call.now,
        expires_at: call.now.saturating_add(lifetime),
        token,
        reached: if status == "Not Started" { 0 } else { steps },
        warned: scenario_warns.then_some(0),
        given: kept(&checked),
        corrected: BTreeMap::new(),
        reviews: Vec::new(),
    };
    world.add_session(session)?;
    world.emit_session(&id, "status.updated", call.now);
    Ok(Answer::created(shown(world, &id)?))
}

fn kept(checked: &Checked) -> Map<String, Value> {
    KEPT.iter()
        .filter_map(|name| Some(((*name).to_owned(), checked.get(name)?.clone())))
        .collect()
}

/// The published workflow of that id, in an organisation where the caller may create sessions.
fn workflow(world: &World, call: &Call, id: &str) -> Result<usize, Refused> {
    let unknown = || Refused::field("workflow_id", "Workflow not found.");
    let find = |status: Option<&str>| {
        let mut rows = world.workflows.iter();
        rows.position(|row| {
            row.is(id) && !row.is_archived && status.is_none_or(|status| row.status == status)
        })
    };
    let found = find(Some("published")).or_else(|| find(None));
    let index = found.ok_or_else(unknown)?;
    let row = world.workflow(index)?;
    let organization = world.application(row.application)?.organization;
    if let Some(acting) = &call.acting_organization
        && world.organization_named(acting) != Some(organization)
    {
        return Err(unknown());
    }
    if !call.sees(world, row.application) {
        return Err(unknown());
    }
    match call.caller {
        Caller::Key(application) if application == row.application => {}
        Caller::Key(_) | Caller::Nobody => return Err(unknown()),
        Caller::Person(person) => {
            let role = world.role_of(person, organization).ok_or_else(unknown)?;
            if !role.may("create:sessions") {
                return Err(Refused::NotPermitted);
            }
        }
    }
    if row.status != "published" {
        return Err(Refused::field("workflow_id", "Workflow is not published."));
    }
    Ok(index)
}

/// The status that a scenario leads to at once, and whether a check raises a warning.
fn outcome(
    world: &World,
    application: usize,
    checked: &Checked,
) -> Result<(&'static str, bool), Refused> {
    let Some(scenario) = checked.text("sandbox_scenario") else {
        return Ok(("Not Started", false));
    };
    if world.application(application)?.mode != "sandbox" {
        let why = "Only applications in sandbox mode take a scenario.";
        return Err(Refused::field("sandbox_scenario", why));
    }
    match scenario {
        "approve" => Ok(("Approved", false)),
        _ if scenario.starts_with("decline_") => Ok(("Declined", true)),
        _ if scenario.starts_with("review_") => Ok(("In Review", true)),
        other => Err(Refused::field("sandbox_scenario", not_a_choice(other))),
    }
}

fn shown(world: &World, id: &str) -> Result<Value, Refused> {
    let session = world.session(id).ok_or(Refused::NotFound)?;
    let workflow = world.workflow(session.workflow)?;
    Ok(json!({
        "session_id": session.id,
        "session_number": session.number,
        "session_token": session.token,
        "url": address(&session.token),
        "vendor_data": session.vendor_data,
        "metadata": session.given.get("metadata"),
        "callback": session.given.get("callback"),
        "status": session.status,
        "workflow_id": workflow.workflow_id,
    }))
}
