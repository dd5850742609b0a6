//! Investigations: cases of one application or of all of an organisation's.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::record::{self, Resource};
use super::{Answer, Call, Outcome};
use crate::date::timestamp;
use crate::field::{Checked, Kind, optional};
use crate::record::RecordKind;
use crate::refused::Refused;
use crate::world::World;

const STATUSES: &[&str] = &["OPEN", "IN_PROGRESS", "ESCALATED", "RESOLVED", "SAR_FILED"];

/// Comments on one case at most.
const MOST_COMMENTS: usize = 500;

pub(super) static CASES: Resource = Resource {
    kind: RecordKind::Case,
    param: "case_id",
    fields: &[
        optional("title", Kind::Text(200)),
        optional("description", Kind::Text(4_000)),
        optional("status", Kind::Choice(STATUSES)),
        optional("priority", Kind::Choice(&["LOW", "MEDIUM", "HIGH"])),
        optional("session_id", Kind::Text(64)),
        optional("vendor_data", Kind::Text(256)),
        optional("assignee", Kind::Text(254)),
    ],
    fixed: &[],
    defaults: || {
        json!({
            "description": "",
            "status": "OPEN",
            "priority": "MEDIUM",
            "session_id": null,
            "vendor_data": null,
            "assignee": null,
            "comments": [],
        })
    },
    filters: &[("status", STATUSES)],
    searched: &["uuid", "title", "vendor_data", "session_id"],
};

pub(super) fn list(world: &mut World, call: &Call) -> Outcome {
    let rows = record::rows(world, call, &CASES)?;
    let page = call.query.cursor_page(
        &rows,
        |row| (row.created_at, row.id.clone()),
        |row| call.tag(world, row.application, row.show()),
    )?;
    Ok(Answer::ok(page))
}

pub(super) fn statistics(world: &mut World, call: &Call) -> Outcome {
    let rows = record::rows(world, call, &CASES)?;
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

pub(super) fn create(world: &mut World, call: &Call) -> Outcome {
    let checked = record::whole(call, &CASES)?;
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
    let mut fields = record::with_defaults(checked, (CASES.defaults)());
    fields
        .entry("title")
        .or_insert_with(|| format!("Case {number}").into());
    fields.insert("case_number".to_owned(), number.into());
    record::put(world, call, RecordKind::Case, fields)
}

/// Puts a comment on a case, under `comment` or `text`.
pub(super) fn comment(world: &mut World, call: &Call) -> Outcome {
    let fields = [
        optional("comment", Kind::Text(4_000)),
        optional("text", Kind::Text(4_000)),
    ];
    let checked = Checked::part(&call.body, &fields)?;
    let text = checked.text("comment").or_else(|| checked.text("text"));
    let text = text.ok_or_else(|| Refused::field("comment", "This field is required."))?;
    let comment = json!({
        "uuid": world.generator.uuid(),
        "author": call.author(world),
        "comment": text,
        "created_at": timestamp(call.now),
    });
    let row = record::named_mut(world, call, &CASES)?;
    let comments = row.fields.get_mut("comments").and_then(Value::as_array_mut);
    let comments = comments.ok_or(Refused::NotFound)?;
    if comments.len() >= MOST_COMMENTS {
        return Err(Refused::Full("comments"));
    }
    comments.push(comment.clone());
    Ok(Answer::created(comment))
}

/// What can be done to a case, the statuses from which it can be, and the status it leads to, where it leads to one.
const ACTIONS: &[(&str, &[&str], Option<&str>)] = &[
    ("assign", &["OPEN", "IN_PROGRESS", "ESCALATED"], None),
    ("escalate", &["OPEN", "IN_PROGRESS"], Some("ESCALATED")),
    ("reopen", &["RESOLVED", "SAR_FILED"], Some("OPEN")),
    (
        "resolve",
        &["OPEN", "IN_PROGRESS", "ESCALATED"],
        Some("RESOLVED"),
    ),
];

/// Does to a case what the path says.
pub(super) fn act(world: &mut World, call: &Call) -> Outcome {
    let wanted = call.param("action")?;
    let action = ACTIONS.iter().find(|(name, ..)| *name == wanted);
    let (name, from, to) = action.ok_or(Refused::NotFound)?;
    let fields = [
        optional("status", Kind::Choice(&["RESOLVED", "SAR_FILED"])),
        optional("assignee", Kind::Text(254)),
        optional("comment", Kind::Text(4_000)),
    ];
    let checked = Checked::part(&call.body, &fields)?;
    if *name == "assign" && checked.get("assignee").is_none() {
        return Err(Refused::field("assignee", "This field is required."));
    }
    let now = record::named(world, call, &CASES)?;
    let now = record::text(now, "status").unwrap_or_default();
    if !from.contains(&now) {
        let why = format!("A case that is {now} cannot be changed by {name}.");
        return Err(Refused::field("status", why));
    }
    if checked.get("comment").is_some() {
        comment(world, call)?;
    }
    let row = record::named_mut(world, call, &CASES)?;
    let status = match *name {
        "resolve" => checked.text("status").or(*to),
        _ => *to,
    };
    if let Some(status) = status {
        row.fields.insert("status".to_owned(), status.into());
    }
    if *name == "assign" {
        row.fields
            .insert("assignee".to_owned(), checked.text("assignee").into());
    }
    Ok(Answer::ok(row.show()))
}
