//! The people that an application's owner verified, by the id the owner gave them.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{Answer, Call, Outcome, record};
use crate::field::{Checked, Field, Kind, optional, required};
use crate::refused::Refused;
use crate::seed::identity;
use crate::world::{Record, RecordKind, World};

const STATUSES: &[&str] = &["ACTIVE", "FLAGGED", "BLOCKED"];
const MOST_IN_A_BATCH: usize = 1_000;

const FIELDS: &[Field] = &[
    optional("full_name", Kind::Text(200)),
    optional("display_name", Kind::Text(200)),
    optional("date_of_birth", Kind::Date),
    optional("status", Kind::Choice(STATUSES)),
    optional("metadata", Kind::Object(2_048)),
    optional("approved_emails", Kind::List(50)),
    optional("approved_phones", Kind::List(50)),
    optional("issuing_states", Kind::List(50)),
];

const VENDOR_DATA: &[Field] = &[required("vendor_data", Kind::Text(256))];

pub(super) fn list(world: &mut World, call: &Call) -> Outcome {
    let searched = ["vendor_data", "full_name", "display_name"];
    let mut rows = record::rows(world, call, RecordKind::VendorUser, STATUSES, &searched)?;
    if let Some(wanted) = call.query.get("vendor_data") {
        rows.retain(|row| row.id == wanted);
    }
    let page = call.query.page(&rows, |row| shown(world, row, call.now))?;
    Ok(Answer::ok(page))
}

pub(super) fn show(world: &mut World, call: &Call) -> Outcome {
    let found = world.record(
        RecordKind::VendorUser,
        call.application()?,
        call.param("vendor_data")?,
    );
    Ok(Answer::ok(shown(
        world,
        found.ok_or(Refused::NotFound)?,
        call.now,
    )))
}

/// A user with what its sessions say about it.
fn shown(world: &World, row: &Record, now: u64) -> Value {
    let mut body = row.show();
    let mine: Vec<&'static str> = world
        .sessions()
        .filter(|session| {
            session.application == row.application && session.vendor_data.as_ref() == Some(&row.id)
        })
        .map(|session| session.status(now))
        .collect();
    let count = |wanted: &str| mine.iter().filter(|status| **status == wanted).count();
    if let Some(fields) = body.as_object_mut() {
        fields.insert("session_count".to_owned(), mine.len().into());
        fields.insert("approved_count".to_owned(), count("Approved").into());
        fields.insert("declined_count".to_owned(), count("Declined").into());
        fields.insert("in_review_count".to_owned(), count("In Review").into());
    }
    body
}

pub(super) fn create(world: &mut World, call: &Call) -> Outcome {
    let id = Checked::whole(&call.body, VENDOR_DATA)?;
    let id = id.text("vendor_data").unwrap_or_default().to_owned();
    let checked = Checked::whole(&call.body, FIELDS)?;
    if world
        .record(RecordKind::VendorUser, call.application()?, &id)
        .is_some()
    {
        return Err(Refused::field(
            "vendor_data",
            "A user with this vendor_data already exists.",
        ));
    }
    let fields = record::with_defaults(checked, defaults(world, &id, None));
    record::create(world, call, RecordKind::VendorUser, id, fields)
}

fn defaults(world: &mut World, vendor_data: &str, name: Option<String>) -> Value {
    json!({
        "uuid": world.generator.uuid(),
        "vendor_data": vendor_data,
        "full_name": name,
        "display_name": null,
        "date_of_birth": null,
        "issuing_states": [],
        "status": "ACTIVE",
        "metadata": {},
        "approved_emails": [],
        "approved_phones": [],
    })
}

/// Makes a user for a session's `vendor_data`, unless there is one.
pub(super) fn meet(
    world: &mut World,
    application: usize,
    vendor_data: &str,
    now: u64,
) -> Result<(), Refused> {
    if world
        .record(RecordKind::VendorUser, application, vendor_data)
        .is_some()
    {
        return Ok(());
    }
    let name = identity(vendor_data).full_name();
    let fields = match defaults(world, vendor_data, Some(name)) {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    let id = vendor_data.to_owned();
    world.add_record(
        RecordKind::VendorUser,
        Record {
            application,
            id,
            created_at: now,
            updated_at: now,
            fields,
        },
    )
}

pub(super) fn update(world: &mut World, call: &Call) -> Outcome {
    let checked = Checked::part(&call.body, FIELDS)?;
    record::update(world, call, RecordKind::VendorUser, "vendor_data", checked)
}

pub(super) fn set_status(world: &mut World, call: &Call) -> Outcome {
    let fields = [
        required("vendor_data_list", Kind::List(MOST_IN_A_BATCH)),
        required("status", Kind::Choice(STATUSES)),
    ];
    let checked = Checked::whole(&call.body, &fields)?;
    let application = call.application()?;
    let ids = ids(&checked)?;
    if ids.iter().any(|id| {
        world
            .record(RecordKind::VendorUser, application, id)
            .is_none()
    }) {
        return Err(Refused::field(
            "vendor_data_list",
            "Not every user was found.",
        ));
    }
    for id in &ids {
        if let Some(row) = world.record_mut(RecordKind::VendorUser, application, id) {
            row.fields
                .insert("status".to_owned(), checked.text("status").into());
            row.updated_at = call.now;
        }
    }
    Ok(Answer::ok(json!({ "updated": ids.len() })))
}

pub(super) fn delete_many(world: &mut World, call: &Call) -> Outcome {
    let fields = [
        optional("vendor_data_list", Kind::List(MOST_IN_A_BATCH)),
        optional("delete_all", Kind::Flag),
    ];
    let checked = Checked::part(&call.body, &fields)?;
    let application = call.application()?;
    if checked.flag("delete_all") == Some(true) {
        world.remove_records(RecordKind::VendorUser, application, |_| true);
        return Ok(Answer::Nothing);
    }
    let ids = ids(&checked)?;
    match world.remove_records(RecordKind::VendorUser, application, |row| {
        ids.contains(&row.id)
    }) {
        0 => Err(Refused::NotFound),
        _ => Ok(Answer::Nothing),
    }
}

fn ids(checked: &Checked) -> Result<BTreeSet<String>, Refused> {
    let items = checked.get("vendor_data_list").and_then(Value::as_array);
    let ids: Option<BTreeSet<String>> = items
        .into_iter()
        .flatten()
        .map(|item| item.as_str().map(str::to_owned))
        .collect();
    match ids {
        None => Err(Refused::field("vendor_data_list", "Not a valid string.")),
        Some(ids) if ids.is_empty() => Err(Refused::field(
            "vendor_data_list",
            "This field is required.",
        )),
        Some(ids) => Ok(ids),
    }
}
