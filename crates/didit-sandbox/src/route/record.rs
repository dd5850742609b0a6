//! What the smaller records share: finding, making, changing, removing, choosing rows for a list.

use serde_json::{Map, Value};

use super::{Answer, Call, Outcome};
use crate::field::Checked;
use crate::refused::Refused;
use crate::world::{Record, RecordKind, World};

/// The rows that a list covers and its filters let through, the newest first.
///
/// `status` may be several of `statuses`; `search` looks into the texts of `searched`.
pub(super) fn rows<'w>(
    world: &'w World,
    call: &Call,
    kind: RecordKind,
    statuses: &[&'static str],
    searched: &[&str],
) -> Result<Vec<&'w Record>, Refused> {
    let chosen = call.query.choices("status", statuses)?;
    let period = call.query.period()?;
    let search = call.query.search();
    let mut rows: Vec<&Record> = world
        .records(kind)
        .iter()
        .filter(|row| call.covers(world, row.application))
        .filter(|row| period.holds(row.created_at))
        .filter(|row| {
            chosen
                .as_ref()
                .is_none_or(|set| text(row, "status").is_some_and(|now| set.contains(now)))
        })
        .filter(|row| {
            let texts: Vec<Option<&str>> = searched.iter().map(|name| text(row, name)).collect();
            Call::finds(search.as_deref(), &texts)
        })
        .collect();
    rows.sort_by(|left, right| (right.created_at, &right.id).cmp(&(left.created_at, &left.id)));
    Ok(rows)
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

pub(super) fn show(world: &World, call: &Call, kind: RecordKind, param: &str) -> Outcome {
    let found = world.record(kind, call.application()?, call.param(param)?);
    Ok(Answer::ok(found.ok_or(Refused::NotFound)?.show()))
}

/// Puts a new row in under an id.
pub(super) fn create(
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

/// Writes checked values over those of a row.
pub(super) fn update(
    world: &mut World,
    call: &Call,
    kind: RecordKind,
    param: &str,
    checked: Checked,
) -> Outcome {
    let found = world.record_mut(kind, call.application()?, call.param(param)?);
    let row = found.ok_or(Refused::NotFound)?;
    row.fields.extend(checked.into_map());
    row.updated_at = call.now;
    Ok(Answer::ok(row.show()))
}

pub(super) fn delete(world: &mut World, call: &Call, kind: RecordKind, param: &str) -> Outcome {
    let (application, id) = (call.application()?, call.param(param)?);
    match world.remove_records(kind, application, |row| row.id == id) {
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
