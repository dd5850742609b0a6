//! Listing sessions and deleting them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Answer, Call, Outcome};
use crate::date::timestamp;
use crate::field::{Checked, Kind, not_a_choice, optional};
use crate::refused::Refused;
use crate::seed::identity;
use crate::world::{STATUSES, Session, World};

/// Numbers in one deletion at most.
const MOST_NUMBERS: usize = 1_000;

pub(super) fn list(world: &mut World, call: &Call) -> Outcome {
    let statuses = call.query.choices("status", STATUSES)?;
    let period = call.query.period()?;
    let kind = match call.query.get("session_kind") {
        None | Some("all") => None,
        Some(kind @ ("user" | "business")) => Some(kind),
        Some(other) => return Err(Refused::field("session_kind", not_a_choice(other))),
    };
    let workflow = call.query.get("workflow_id");
    let vendor_data = call.query.get("vendor_data");
    let search = call.query.search();
    let rows: Vec<&Session> = world
        .sessions()
        .filter(|row| call.covers(world, row.application))
        .filter(|row| {
            statuses
                .as_ref()
                .is_none_or(|set| set.contains(row.status(call.now)))
        })
        .filter(|row| kind.is_none_or(|kind| row.kind == kind))
        .filter(|row| vendor_data.is_none_or(|text| row.vendor_data.as_deref() == Some(text)))
        .filter(|row| period.holds(row.created_at))
        .filter(|row| {
            workflow.is_none_or(|id| world.workflow(row.workflow).is_ok_and(|found| found.is(id)))
        })
        .filter(|row| {
            let name = identity(row.subject()).full_name();
            let number = row.number.to_string();
            let texts = [
                Some(row.id.as_str()),
                row.vendor_data.as_deref(),
                (row.reached > 0).then_some(name.as_str()),
                Some(number.as_str()),
            ];
            Call::finds(search.as_deref(), &texts)
        })
        .collect();
    let page = call.query.page(&rows, |row| {
        call.tag(world, row.application, shown(world, row, call.now))
    })?;
    Ok(Answer::ok(page))
}

/// A session as a row of a list.
pub(super) fn shown(world: &World, row: &Session, now: u64) -> Value {
    let workflow = world.workflows.get(row.workflow);
    let person = (row.reached > 0).then(|| identity(row.subject()));
    json!({
        "session_id": row.id,
        "session_number": row.number,
        "session_kind": row.kind,
        "session_url": address(&row.token),
        "status": row.status(now),
        "workflow_id": workflow.map(|workflow| workflow.workflow_id.as_str()),
        "workflow_label": workflow.map(|workflow| workflow.label.as_str()),
        "features": workflow.map(|workflow| workflow.features.as_slice()),
        "vendor_data": row.vendor_data,
        "full_name": person.as_ref().map(|person| person.full_name()),
        "country": person.as_ref().map(|person| person.country),
        "metadata": row.given.get("metadata"),
        "callback": row.given.get("callback"),
        "created_at": timestamp(row.created_at),
        "updated_at": timestamp(row.updated_at),
        "expires_at": timestamp(row.expires_at),
    })
}

/// Where the person to be verified would go: a name that never resolves.
pub(super) fn address(token: &str) -> String {
    // RFC 6761 section 6.4: names under `invalid` do not exist.
    format!("https://verify.sandbox.invalid/session/{token}")
}

pub(super) fn delete(world: &mut World, call: &Call) -> Outcome {
    world
        .remove_session(call.param("session_id")?)
        .ok_or(Refused::NotFound)?;
    Ok(Answer::Nothing)
}

pub(super) fn delete_many(world: &mut World, call: &Call) -> Outcome {
    let fields = [
        optional("session_numbers", Kind::List(MOST_NUMBERS)),
        optional("delete_all", Kind::Flag),
    ];
    let checked = Checked::part(&call.body, &fields)?;
    let application = call.application()?;
    if checked.flag("delete_all") == Some(true) {
        world.remove_sessions(application, |_| true);
        return Ok(Answer::Nothing);
    }
    let listed = checked.get("session_numbers").and_then(Value::as_array);
    let Some(listed) = listed.filter(|list| !list.is_empty()) else {
        return Err(Refused::field("session_numbers", "This field is required."));
    };
    let numbers: Option<BTreeSet<u64>> = listed.iter().map(Value::as_u64).collect();
    let Some(numbers) = numbers else {
        return Err(Refused::field(
            "session_numbers",
            "A valid integer is required.",
        ));
    };
    match world.remove_sessions(application, |session| numbers.contains(&session.number)) {
        0 => Err(Refused::NotFound),
        _ => Ok(Answer::Nothing),
    }
}
