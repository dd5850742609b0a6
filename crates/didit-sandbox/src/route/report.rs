//! Reports that are made of an application's rows, and the log of who changed what.

use serde_json::{Map, Value, json};

use super::record::{self, Resource};
use super::{Answer, Call, Outcome};
use crate::date::timestamp;
use crate::field::{Checked, Field, Kind, optional};
use crate::record::{Record, RecordKind};
use crate::refused::Refused;
use crate::world::World;

/// Seconds until a report is there.
const MADE_AFTER: u64 = 30;
/// How long the address of a finished one is good for.
const ADDRESS_SECONDS: u64 = 900;
/// Entries of the log that are kept; the oldest goes first.
const MOST_ENTRIES: usize = 5_000;

/// What reports there are, and the columns of each.
const KINDS: &[(&str, &[&str])] = &[
    (
        "sessions",
        &[
            "session_id",
            "session_number",
            "status",
            "vendor_data",
            "workflow_id",
            "created_at",
        ],
    ),
    (
        "transactions",
        &[
            "transaction_id",
            "status",
            "score",
            "amount",
            "currency",
            "created_at",
        ],
    ),
    (
        "businesses",
        &["session_id", "status", "vendor_data", "created_at"],
    ),
    (
        "vendor-users",
        &["vendor_data", "full_name", "status", "created_at"],
    ),
    (
        "vendor-businesses",
        &["vendor_data", "legal_name", "status", "created_at"],
    ),
];

pub(super) static REPORTS: Resource = Resource {
    kind: RecordKind::Report,
    param: "report_id",
    fields: &[],
    fixed: &[],
    defaults: || json!({}),
    filters: &[],
    searched: &[],
};

fn shown(row: &Record, now: u64) -> Value {
    let made = now.saturating_sub(row.created_at) >= MADE_AFTER;
    let mut body = row.show();
    if let Some(fields) = body.as_object_mut() {
        fields.insert(
            "status".to_owned(),
            if made { "COMPLETED" } else { "PROCESSING" }.into(),
        );
    }
    body
}

pub(super) fn list(world: &mut World, call: &Call) -> Outcome {
    let rows = record::rows(world, call, &REPORTS)?;
    Ok(Answer::ok(
        call.query.page(&rows, |row| shown(row, call.now))?,
    ))
}

pub(super) fn show(world: &mut World, call: &Call) -> Outcome {
    Ok(Answer::ok(shown(
        record::named(world, call, &REPORTS)?,
        call.now,
    )))
}

pub(super) fn download(world: &mut World, call: &Call) -> Outcome {
    let row = record::named(world, call, &REPORTS)?;
    if call.now.saturating_sub(row.created_at) < MADE_AFTER {
        return Err(Refused::Conflict("The report is not ready yet.".to_owned()));
    }
    Ok(Answer::ok(json!({
        // RFC 6761 section 6.4: names under `invalid` do not exist.
        "download_url": format!("https://reports.sandbox.invalid/{}.csv", row.id),
        "expires_at": timestamp(call.now + ADDRESS_SECONDS),
    })))
}

/// Orders a report. The path has its kind where others have an id.
pub(super) fn export(world: &mut World, call: &Call) -> Outcome {
    const FIELDS: &[Field] = &[
        optional("columns", Kind::List(50)),
        optional("format", Kind::Choice(&["csv", "xlsx"])),
        optional("date_from", Kind::Date),
        optional("date_to", Kind::Date),
        optional("filters", Kind::Object(4_096)),
    ];
    let wanted = call.param("report_id")?;
    let known = KINDS.iter().find(|(kind, _)| *kind == wanted);
    let (kind, columns) = known.ok_or(Refused::NotFound)?;
    let checked = Checked::part(&call.body, FIELDS)?;
    let chosen = checked.get("columns").and_then(Value::as_array);
    let is_known = |column: &Value| {
        column
            .as_str()
            .is_some_and(|column| columns.contains(&column))
    };
    if chosen.is_some_and(|chosen| !chosen.iter().all(is_known)) {
        return Err(Refused::InvalidColumns(columns));
    }
    let defaults = json!({ "kind": kind, "columns": columns, "format": "csv" });
    let fields = record::with_defaults(checked, defaults);
    record::put(world, call, RecordKind::Report, fields)?;
    let made = world.records(RecordKind::Report).last();
    Ok(Answer::created(shown(
        made.ok_or(Refused::NotFound)?,
        call.now,
    )))
}

pub(super) static AUDIT: Resource = Resource {
    kind: RecordKind::Audit,
    param: "entry_uuid",
    fields: &[],
    fixed: &[],
    defaults: || json!({}),
    filters: &[],
    searched: &[],
};

pub(super) fn audit_log(world: &mut World, call: &Call) -> Outcome {
    let rows = record::rows(world, call, &AUDIT)?;
    let page = call.query.cursor_page(
        &rows,
        |row| (row.created_at, row.id.clone()),
        |row| call.tag(world, row.application, row.show()),
    )?;
    Ok(Answer::ok(page))
}

/// Writes down that something was changed; what is of a whole organisation counts to its first application.
pub(super) fn note(world: &mut World, call: &Call, method: &str, path: &str) {
    let first = || {
        let mut rows = world.applications.iter();
        rows.position(|row| Some(row.organization) == call.place.organization)
    };
    let Some(application) = call.place.application.or_else(first) else {
        return;
    };
    let id = world.generator.uuid();
    let fields = Map::from_iter([
        ("uuid".to_owned(), id.as_str().into()),
        ("actor".to_owned(), call.author(world).into()),
        ("action".to_owned(), format!("{method} {path}").into()),
    ]);
    let record = Record {
        application,
        id,
        created_at: call.now,
        updated_at: call.now,
        fields,
    };
    world.add_record_over(RecordKind::Audit, record, MOST_ENTRIES);
}
