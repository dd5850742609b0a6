//! Investigations: cases of one application or of all of an organisation's.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Answer, Call, Outcome, record};
use crate::field::{Checked, Field, Kind, optional};
use crate::refused::Refused;
use crate::world::{RecordKind, World};

const STATUSES: &[&str] = &["OPEN", "IN_PROGRESS", "ESCALATED", "RESOLVED", "SAR_FILED"];

const FIELDS: &[Field] = &[
    optional("title", Kind::Text(200)),
    optional("description", Kind::Text(4_000)),
    optional("status", Kind::Choice(STATUSES)),
    optional("priority", Kind::Choice(&["LOW", "MEDIUM", "HIGH"])),
    optional("session_id", Kind::Text(64)),
    optional("vendor_data", Kind::Text(256)),
    optional("assignee", Kind::Text(254)),
];

pub(super) fn list(world: &mut World, call: &Call) -> Outcome {
    let searched = ["uuid", "title", "vendor_data", "session_id"];
    let rows = record::rows(world, call, RecordKind::Case, STATUSES, &searched)?;
    let page = call.query.cursor_page(
        &rows,
        |row| (row.created_at, row.id.clone()),
        |row| call.tag(world, row.application, row.show()),
    )?;
    Ok(Answer::ok(page))
}

pub(super) fn statistics(world: &mut World, call: &Call) -> Outcome {
    let rows = record::rows(world, call, RecordKind::Case, STATUSES, &[])?;
    let mut by_status: BTreeMap<&str, usize> = STATUSES.iter().map(|name| (*name, 0)).collect();
    for row in &rows {
        if let Some(count) = record::text(row, "status").and_then(|name| by_status.get_mut(name)) {
            *count += 1;
        }
    }
    Ok(Answer::ok(
        json!({ "total": rows.len(), "by_status": by_status }),
    ))
}

pub(super) fn show(world: &mut World, call: &Call) -> Outcome {
    record::show(world, call, RecordKind::Case, "case_id")
}

pub(super) fn create(world: &mut World, call: &Call) -> Outcome {
    let checked = Checked::whole(&call.body, FIELDS)?;
    if let Some(id) = checked.text("session_id") {
        let known = world
            .session(id)
            .is_some_and(|row| Some(row.application) == call.place.application);
        if !known {
            return Err(Refused::field("session_id", "Session not found."));
        }
    }
    let last = world
        .records(RecordKind::Case)
        .iter()
        .filter_map(|row| row.fields.get("case_number")?.as_u64());
    let number = last.max().unwrap_or(0) + 1;
    let id = world.generator.uuid();
    let mut fields = record::with_defaults(
        checked,
        json!({
            "title": format!("Case {number}"),
            "description": "",
            "status": "OPEN",
            "priority": "MEDIUM",
            "session_id": null,
            "vendor_data": null,
            "assignee": null,
            "comments": [],
        }),
    );
    fields.insert("uuid".to_owned(), Value::from(id.as_str()));
    fields.insert("case_number".to_owned(), number.into());
    record::create(world, call, RecordKind::Case, id, fields)
}

pub(super) fn update(world: &mut World, call: &Call) -> Outcome {
    let checked = Checked::part(&call.body, FIELDS)?;
    record::update(world, call, RecordKind::Case, "case_id", checked)
}
