//! The people and companies that an application's owner verified, by the id the owner gave them.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::record::{self, Resource};
use super::{Answer, Call, Outcome};
use crate::field::{Checked, Field, Kind, optional, required};
use crate::record::{Record, RecordKind};
use crate::refused::Refused;
use crate::seed::identity;
use crate::world::World;

const STATUSES: &[&str] = &["ACTIVE", "FLAGGED", "BLOCKED"];
const MOST_IN_A_BATCH: usize = 1_000;

/// Users or businesses.
pub(super) struct Vendors {
    pub(super) resource: Resource,
    /// The kind of sessions that are theirs.
    session_kind: &'static str,
    /// The word for one of them in a refusal.
    one: &'static str,
    /// What is told when a status and when something else changes.
    events: (&'static str, &'static str),
}

pub(super) static USERS: Vendors = Vendors {
    resource: Resource {
        kind: RecordKind::VendorUser,
        param: "vendor_data",
        fields: &[
            optional("full_name", Kind::Text(200)),
            optional("display_name", Kind::Text(200)),
            optional("date_of_birth", Kind::Date),
            optional("status", Kind::Choice(STATUSES)),
            optional("metadata", Kind::Object(2_048)),
            optional("approved_emails", Kind::List(50)),
            optional("approved_phones", Kind::List(50)),
            optional("issuing_states", Kind::List(50)),
        ],
        fixed: &[required("vendor_data", Kind::Text(256))],
        defaults: || {
            json!({
                "full_name": null,
                "display_name": null,
                "date_of_birth": null,
                "issuing_states": [],
                "status": "ACTIVE",
                "metadata": {},
                "approved_emails": [],
                "approved_phones": [],
            })
        },
        filters: &[("status", STATUSES), ("vendor_data", &[])],
        searched: &["vendor_data", "full_name", "display_name"],
    },
    session_kind: "user",
    one: "user",
    events: ("user.status.updated", "user.data.updated"),
};

pub(super) static BUSINESSES: Vendors = Vendors {
    resource: Resource {
        kind: RecordKind::VendorBusiness,
        param: "vendor_data",
        fields: &[
            optional("display_name", Kind::Text(200)),
            optional("legal_name", Kind::Text(200)),
            optional("registration_number", Kind::Text(64)),
            optional("country_code", Kind::Text(3)),
            optional("status", Kind::Choice(STATUSES)),
            optional("metadata", Kind::Object(2_048)),
        ],
        fixed: &[optional("vendor_data", Kind::Text(256))],
        defaults: || {
            json!({
                "display_name": null,
                "legal_name": null,
                "registration_number": null,
                "country_code": null,
                "status": "ACTIVE",
                "metadata": {},
            })
        },
        filters: &[("status", STATUSES), ("vendor_data", &[])],
        searched: &[
            "vendor_data",
            "display_name",
            "legal_name",
            "registration_number",
        ],
    },
    session_kind: "business",
    one: "business",
    events: ("business.status.updated", "business.data.updated"),
};

pub(super) fn list(world: &World, call: &Call, vendors: &Vendors) -> Outcome {
    let rows = record::rows(world, call, &vendors.resource)?;
    let page = call
        .query
        .page(&rows, |row| shown(world, row, vendors, call.now))?;
    Ok(Answer::ok(page))
}

pub(super) fn show(world: &World, call: &Call, vendors: &Vendors) -> Outcome {
    let id = named(world, call, vendors)?;
    let row = world.record(vendors.resource.kind, call.application()?, &id);
    let row = row.ok_or(Refused::NotFound)?;
    Ok(Answer::ok(shown(world, row, vendors, call.now)))
}

/// The id under which the one that the path names is kept: their `vendor_data`, or Didit's own id.
fn named(world: &World, call: &Call, vendors: &Vendors) -> Result<String, Refused> {
    let (application, wanted) = (call.application()?, call.param(vendors.resource.param)?);
    let rows = || {
        let rows = world.records(vendors.resource.kind).iter();
        rows.filter(|row| row.application == application)
    };
    rows()
        .find(|row| row.id == wanted)
        .or_else(|| rows().find(|row| record::text(row, "uuid") == Some(wanted)))
        .map(|row| row.id.clone())
        .ok_or(Refused::NotFound)
}

/// Somebody with what their sessions say about them.
fn shown(world: &World, row: &Record, vendors: &Vendors, now: u64) -> Value {
    let mut body = row.show();
    let mine: Vec<&'static str> = world
        .sessions()
        .filter(|session| {
            session.application == row.application
                && session.kind == vendors.session_kind
                && session.vendor_data.as_ref() == Some(&row.id)
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

pub(super) fn create(world: &mut World, call: &Call, vendors: &Vendors) -> Outcome {
    let kind = vendors.resource.kind;
    let checked = record::whole(call, &vendors.resource)?;
    let uuid = world.generator.uuid();
    let id = checked.text("vendor_data").unwrap_or(&uuid).to_owned();
    if world.record(kind, call.application()?, &id).is_some() {
        let why = format!("A {} with this vendor_data already exists.", vendors.one);
        return Err(Refused::field("vendor_data", why));
    }
    let mut fields = record::with_defaults(checked, (vendors.resource.defaults)());
    fields.insert("uuid".to_owned(), uuid.into());
    fields.entry("vendor_data").or_insert(Value::Null);
    record::put_as(world, call, kind, id, fields)
}

/// Makes a user or a business for a session's `vendor_data`, unless there is one.
pub(super) fn meet(
    world: &mut World,
    application: usize,
    vendors: &Vendors,
    vendor_data: &str,
    now: u64,
) -> Result<(), Refused> {
    let kind = vendors.resource.kind;
    if world.record(kind, application, vendor_data).is_some() {
        return Ok(());
    }
    let mut fields = match (vendors.resource.defaults)() {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    let name = match vendors.session_kind {
        "business" => ("legal_name", identity(vendor_data).company_name()),
        _ => ("full_name", identity(vendor_data).full_name()),
    };
    fields.insert(name.0.to_owned(), name.1.into());
    fields.insert("uuid".to_owned(), world.generator.uuid().into());
    fields.insert("vendor_data".to_owned(), vendor_data.into());
    let record = Record {
        application,
        id: vendor_data.to_owned(),
        created_at: now,
        updated_at: now,
        fields,
    };
    world.add_record(kind, record)
}

pub(super) fn update(world: &mut World, call: &Call, vendors: &Vendors) -> Outcome {
    let checked = Checked::part(&call.body, vendors.resource.fields)?;
    let id = named(world, call, vendors)?;
    let application = call.application()?;
    let row = world.record_mut(vendors.resource.kind, application, &id);
    let row = row.ok_or(Refused::NotFound)?;
    let kind = match checked.text("status") {
        Some(status) if record::text(row, "status") != Some(status) => vendors.events.0,
        _ => vendors.events.1,
    };
    row.fields.extend(checked.into_map());
    row.updated_at = call.now;
    let body = row.show();
    world.emit(application, kind, &about(&body), call.now);
    Ok(Answer::ok(body))
}

/// What a webhook says of somebody.
fn about(row: &Value) -> Value {
    json!({ "vendor_data": row.get("vendor_data"), "status": row.get("status") })
}

pub(super) fn set_status(world: &mut World, call: &Call, vendors: &Vendors) -> Outcome {
    const FIELDS: &[Field] = &[
        required("vendor_data_list", Kind::List(MOST_IN_A_BATCH)),
        required("status", Kind::Choice(STATUSES)),
    ];
    let kind = vendors.resource.kind;
    let checked = Checked::whole(&call.body, FIELDS)?;
    let application = call.application()?;
    let ids = texts(&checked, "vendor_data_list")?;
    if ids.is_empty() {
        return Err(nothing_named());
    }
    if ids
        .iter()
        .any(|id| world.record(kind, application, id).is_none())
    {
        let why = format!("Not every {} was found.", vendors.one);
        return Err(Refused::field("vendor_data_list", why));
    }
    for id in &ids {
        if let Some(row) = world.record_mut(kind, application, id) {
            row.fields
                .insert("status".to_owned(), checked.text("status").into());
            row.updated_at = call.now;
            let about = about(&row.show());
            world.emit(application, vendors.events.0, &about, call.now);
        }
    }
    Ok(Answer::ok(json!({ "updated": ids.len() })))
}

pub(super) fn delete_many(world: &mut World, call: &Call, vendors: &Vendors) -> Outcome {
    const FIELDS: &[Field] = &[
        optional("vendor_data_list", Kind::List(MOST_IN_A_BATCH)),
        optional("didit_internal_id_list", Kind::List(MOST_IN_A_BATCH)),
        optional("delete_all", Kind::Flag),
    ];
    let kind = vendors.resource.kind;
    let checked = Checked::part(&call.body, FIELDS)?;
    let application = call.application()?;
    if checked.flag("delete_all") == Some(true) {
        world.remove_records(kind, application, |_| true);
        return Ok(Answer::Nothing);
    }
    let ids = texts(&checked, "vendor_data_list")?;
    let uuids = texts(&checked, "didit_internal_id_list")?;
    if ids.is_empty() && uuids.is_empty() {
        return Err(nothing_named());
    }
    let chosen = |row: &Record| {
        let uuid = record::text(row, "uuid");
        ids.contains(&row.id) || uuid.is_some_and(|uuid| uuids.contains(uuid))
    };
    match world.remove_records(kind, application, chosen) {
        0 => Err(Refused::NotFound),
        _ => Ok(Answer::Nothing),
    }
}

fn nothing_named() -> Refused {
    Refused::field("vendor_data_list", "This field is required.")
}

/// The texts of a list, each once; nothing where there is no list.
pub(super) fn texts(checked: &Checked, name: &str) -> Result<BTreeSet<String>, Refused> {
    let items = checked.get(name).and_then(Value::as_array);
    let texts: Option<BTreeSet<String>> = items
        .into_iter()
        .flatten()
        .map(|item| item.as_str().map(str::to_owned))
        .collect();
    texts.ok_or_else(|| Refused::field(name, "Not a valid string."))
}
