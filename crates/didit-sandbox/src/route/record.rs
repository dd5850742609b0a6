//! What the smaller records share: finding, making, changing, removing, choosing rows for a list.
//!
//! A kind of record that needs no more than this is a [`Resource`] and rows of the table.

use serde_json::{Map, Value};

use super::{Answer, Call, Outcome};
use crate::field::{Checked, Field};
use crate::record::{Record, RecordKind};
use crate::refused::Refused;
use crate::world::World;

/// A kind of record, and what its routes do with it.
pub(super) struct Resource {
    pub(super) kind: RecordKind,
    /// The part of the path that names one.
    pub(super) param: &'static str,
    /// What may be given at any time.
    pub(super) fields: &'static [Field],
    /// What is given when it is made, and stays.
    pub(super) fixed: &'static [Field],
    /// What stands where nothing is given.
    pub(super) defaults: fn() -> Value,
    /// Queries that narrow a list to rows whose field of that name has one of the values; no values at all means any text.
    pub(super) filters: &'static [(&'static str, &'static [&'static str])],
    /// The fields that a search looks into; a name with a dot looks one level deeper.
    pub(super) searched: &'static [&'static str],
}

/// The rows that a list covers and its filters let through, the newest first.
pub(super) fn rows<'w>(
    world: &'w World,
    call: &Call,
    resource: &Resource,
) -> Result<Vec<&'w Record>, Refused> {
    let period = call.query.period()?;
    let search = call.query.search();
    let mut rows: Vec<&Record> = world
        .records(resource.kind)
        .iter()
        .filter(|row| call.covers(world, row.application))
        .filter(|row| period.holds(row.created_at))
        .filter(|row| {
            let texts: Vec<Option<&str>> = resource
                .searched
                .iter()
                .map(|name| text(row, name))
                .collect();
            resource.searched.is_empty() || Call::finds(search.as_deref(), &texts)
        })
        .collect();
    for (name, known) in resource.filters {
        if known.is_empty() {
            if let Some(wanted) = call.query.get(name) {
                rows.retain(|row| text(row, name) == Some(wanted));
            }
        } else if let Some(chosen) = call.query.choices(name, known)? {
            rows.retain(|row| text(row, name).is_some_and(|found| chosen.contains(found)));
        }
    }
    rows.sort_by(|left, right| (right.created_at, &right.id).cmp(&(left.created_at, &left.id)));
    Ok(rows)
}

pub(super) fn list(world: &World, call: &Call, resource: &Resource) -> Outcome {
    page(world, call, &rows(world, call, resource)?)
}

/// A text of a row; a name with a dot looks one level deeper.
pub(super) fn text<'r>(row: &'r Record, name: &str) -> Option<&'r str> {
    match name.split_once('.') {
        Some((outer, inner)) => row.fields.get(outer)?.get(inner)?.as_str(),
        None => row.fields.get(name)?.as_str(),
    }
}

/// The rows of a list as a page.
pub(super) fn page(world: &World, call: &Call, rows: &[&Record]) -> Outcome {
    let page = call
        .query
        .page(rows, |row| call.tag(world, row.application, row.show()))?;
    Ok(Answer::ok(page))
}

/// The row that the path names.
pub(super) fn named<'w>(
    world: &'w World,
    call: &Call,
    resource: &Resource,
) -> Result<&'w Record, Refused> {
    world
        .record(
            resource.kind,
            call.application()?,
            call.param(resource.param)?,
        )
        .ok_or(Refused::NotFound)
}

/// The row that the path names, to change it. It counts as changed now.
pub(super) fn named_mut<'w>(
    world: &'w mut World,
    call: &Call,
    resource: &Resource,
) -> Result<&'w mut Record, Refused> {
    let row = world
        .record_mut(
            resource.kind,
            call.application()?,
            call.param(resource.param)?,
        )
        .ok_or(Refused::NotFound)?;
    row.updated_at = call.now;
    Ok(row)
}

pub(super) fn show(world: &World, call: &Call, resource: &Resource) -> Outcome {
    Ok(Answer::ok(named(world, call, resource)?.show()))
}

pub(super) fn create(world: &mut World, call: &Call, resource: &Resource) -> Outcome {
    let checked = whole(call, resource)?;
    put(
        world,
        call,
        resource.kind,
        with_defaults(checked, (resource.defaults)()),
    )
}

/// The fields of a new row, all checked at once.
pub(super) fn whole(call: &Call, resource: &Resource) -> Result<Checked, Refused> {
    Checked::whole(&call.body, &[resource.fixed, resource.fields].concat())
}

/// Puts a new row in under a new id, which becomes its `uuid`.
pub(super) fn put(
    world: &mut World,
    call: &Call,
    kind: RecordKind,
    mut fields: Map<String, Value>,
) -> Outcome {
    let id = world.generator.uuid();
    fields.insert("uuid".to_owned(), Value::from(id.as_str()));
    put_as(world, call, kind, id, fields)
}

/// Puts a new row in under an id.
pub(super) fn put_as(
    world: &mut World,
    call: &Call,
    kind: RecordKind,
    id: String,
    fields: Map<String, Value>,
) -> Outcome {
    let record = Record {
        application: call.application()?,
        id,
        created_at: call.now,
        updated_at: call.now,
        fields,
    };
    let body = record.show();
    world.add_record(kind, record)?;
    Ok(Answer::created(body))
}

/// Writes the values of the body over those of a row.
pub(super) fn update(world: &mut World, call: &Call, resource: &Resource) -> Outcome {
    let checked = Checked::part(&call.body, resource.fields)?;
    let row = named_mut(world, call, resource)?;
    row.fields.extend(checked.into_map());
    Ok(Answer::ok(row.show()))
}

pub(super) fn delete(world: &mut World, call: &Call, resource: &Resource) -> Outcome {
    let (application, id) = (call.application()?, call.param(resource.param)?);
    match world.remove_records(resource.kind, application, |row| row.id == id) {
        0 => Err(Refused::NotFound),
        _ => Ok(Answer::Nothing),
    }
}

/// The checked values, and what stands where nothing was given.
pub(super) fn with_defaults(checked: Checked, defaults: Value) -> Map<String, Value> {
    let mut fields = match defaults {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    fields.extend(checked.into_map());
    fields
}
