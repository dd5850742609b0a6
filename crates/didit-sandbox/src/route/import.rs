//! Imports of many rows from a file elsewhere. The file is never fetched: the counts come from its address.

use serde_json::{Value, json};

use super::record::{self, Resource};
use super::{Answer, Call, Outcome};
use crate::field::{Kind, not_a_choice, optional, required};
use crate::generator::Generator;
use crate::record::{Record, RecordKind};
use crate::refused::Refused;
use crate::world::World;

const TYPES: &[&str] = &[
    "user_verification",
    "business_verification",
    "status_rules",
    "transactions",
];

/// Seconds that an import waits, and seconds until it is done.
const STEPS: (u64, u64) = (10, 60);

pub(super) static IMPORTS: Resource = Resource {
    kind: RecordKind::Import,
    param: "import_id",
    fields: &[],
    fixed: &[
        required("source_file_url", Kind::Address),
        optional("import_type", Kind::Choice(TYPES)),
        optional("source_format", Kind::Choice(&["csv", "ndjson"])),
        optional("workflow_id", Kind::Text(64)),
    ],
    defaults: || {
        json!({
            "import_type": "user_verification",
            "source_format": "csv",
            "workflow_id": null,
        })
    },
    filters: &[],
    searched: &[],
};

pub(super) fn create(world: &mut World, call: &Call) -> Outcome {
    let checked = record::whole(call, &IMPORTS)?;
    let application = call.application()?;
    if let Some(id) = checked.text("workflow_id") {
        let mut rows = world.workflows.iter();
        if !rows.any(|row| row.application == application && row.is(id)) {
            return Err(Refused::field("workflow_id", "Workflow not found."));
        }
    }
    let fields = record::with_defaults(checked, (IMPORTS.defaults)());
    record::put(world, call, RecordKind::Import, fields)?;
    let rows = world.records(RecordKind::Import);
    let row = rows.last().ok_or(Refused::NotFound)?;
    Ok(Answer::created(shown(row, call.now)))
}

pub(super) fn show(world: &mut World, call: &Call) -> Outcome {
    let row = record::named(world, call, &IMPORTS)?;
    Ok(Answer::ok(shown(row, call.now)))
}

fn counts(row: &Record) -> (u64, u64) {
    let mut generator =
        Generator::of_text(record::text(row, "source_file_url").unwrap_or_default());
    (20 + generator.below(200), generator.below(4))
}

fn shown(row: &Record, now: u64) -> Value {
    let (total, failed) = counts(row);
    let age = now.saturating_sub(row.created_at);
    let (status, done) = match age {
        age if age < STEPS.0 => ("PENDING", 0),
        age if age < STEPS.1 => ("PROCESSING", total * (age - STEPS.0) / (STEPS.1 - STEPS.0)),
        _ => ("COMPLETED", total),
    };
    let failed = failed.min(done);
    let mut body = row.show();
    if let Some(fields) = body.as_object_mut() {
        fields.insert("status".to_owned(), status.into());
        fields.insert("total_rows".to_owned(), total.into());
        fields.insert("processed_rows".to_owned(), done.into());
        fields.insert("succeeded_rows".to_owned(), (done - failed).into());
        fields.insert("failed_rows".to_owned(), failed.into());
    }
    body
}

pub(super) fn errors(world: &mut World, call: &Call) -> Outcome {
    let row = record::named(world, call, &IMPORTS)?;
    let done = call.now.saturating_sub(row.created_at) >= STEPS.1;
    let (_, failed) = counts(row);
    let rows: Vec<u64> = if done {
        (1..=failed).collect()
    } else {
        Vec::new()
    };
    let page = call.query.page(&rows, |number| {
        json!({ "row": number * 7, "field": "date_of_birth", "message": "Date has wrong format." })
    })?;
    Ok(Answer::ok(page))
}

pub(super) fn template(_: &mut World, call: &Call) -> Outcome {
    let wanted = call.query.get("import_type").unwrap_or("user_verification");
    let columns: &[&str] = match wanted {
        "user_verification" => &[
            "vendor_data",
            "first_name",
            "last_name",
            "date_of_birth",
            "document_number",
        ],
        "business_verification" => &[
            "vendor_data",
            "legal_name",
            "registration_number",
            "country_code",
        ],
        "status_rules" => &["vendor_data", "status"],
        "transactions" => &[
            "transaction_id",
            "vendor_data",
            "amount",
            "currency",
            "direction",
        ],
        other => return Err(Refused::field("import_type", not_a_choice(other))),
    };
    Ok(Answer::ok(json!({
        "import_type": wanted,
        "source_formats": ["csv", "ndjson"],
        "columns": columns,
        "csv": format!("{}\n", columns.join(",")),
    })))
}
