//! What is on a list, and the block list and allow list of what a session found.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::list::LISTS;
use super::record::{self, Resource};
use super::{Answer, Call, Outcome};
use crate::field::{Checked, Field, Kind, not_a_choice, optional, required};
use crate::image;
use crate::record::{Record, RecordKind};
use crate::refused::Refused;
use crate::seed::identity;
use crate::world::World;

static ENTRIES: Resource = Resource {
    kind: RecordKind::Entry,
    param: "entry_uuid",
    fields: &[
        optional("value", Kind::Text(500)),
        optional("reference_session_id", Kind::Text(64)),
        optional("reference_object_uuid", Kind::Text(64)),
        optional("reference_node_id", Kind::Text(128)),
        optional("display_label", Kind::Text(200)),
        optional("comment", Kind::Text(1_000)),
        optional("metadata", Kind::Object(2_048)),
        optional(
            "face_image_source",
            Kind::Choice(&[
                "liveness",
                "front_image_camera_front",
                "back_image_camera_front",
            ]),
        ),
    ],
    fixed: &[],
    defaults: || {
        json!({
            "value": null,
            "reference_session_id": null,
            "reference_object_uuid": null,
            "display_label": null,
            "comment": null,
            "metadata": {},
        })
    },
    filters: &[("reference_session_id", &[])],
    searched: &["value", "display_label", "comment"],
};

pub(super) fn list(world: &mut World, call: &Call) -> Outcome {
    let list = record::named(world, call, &LISTS)?.id.clone();
    let mut rows = record::rows(world, call, &ENTRIES)?;
    rows.retain(|row| record::text(row, "list_uuid") == Some(&list));
    record::page(world, call, &rows)
}

pub(super) fn create(world: &mut World, call: &Call) -> Outcome {
    let list = record::named(world, call, &LISTS)?.id.clone();
    let checked = record::whole(call, &ENTRIES)?;
    let session = checked.text("reference_session_id");
    if checked.get("value").is_none() && session.is_none() {
        return Err(Refused::field("value", "This field is required."));
    }
    if let Some(id) = session
        && world
            .session(id)
            .is_none_or(|row| Some(row.application) != call.place.application)
    {
        return Err(Refused::field("reference_session_id", "Session not found."));
    }
    add(
        world,
        call,
        &list,
        record::with_defaults(checked, (ENTRIES.defaults)()),
    )
}

/// Puts an entry on a list, unless its value is there.
fn add(world: &mut World, call: &Call, list: &str, mut fields: Map<String, Value>) -> Outcome {
    let value = fields.get("value").filter(|value| !value.is_null());
    let there = world.records(RecordKind::Entry).iter().any(|row| {
        record::text(row, "list_uuid") == Some(list)
            && value.is_some()
            && row.fields.get("value") == value
    });
    if there {
        return Err(Refused::field(
            "value",
            "This value is already on the list.",
        ));
    }
    fields.insert("list_uuid".to_owned(), list.into());
    let made = record::put(world, call, RecordKind::Entry, fields)?;
    count(world, call, list)?;
    Ok(made)
}

/// Writes down how many entries a list has.
fn count(world: &mut World, call: &Call, list: &str) -> Result<(), Refused> {
    let rows = world.records(RecordKind::Entry).iter();
    let count = rows
        .filter(|row| record::text(row, "list_uuid") == Some(list))
        .count();
    let row = world.record_mut(RecordKind::List, call.application()?, list);
    let row = row.ok_or(Refused::NotFound)?;
    row.fields.insert("entries_count".to_owned(), count.into());
    row.updated_at = call.now;
    Ok(())
}

pub(super) fn upload_face(world: &mut World, call: &Call) -> Outcome {
    const FIELDS: &[Field] = &[
        // 5 MB of bytes in base64.
        required("image", Kind::Text(7_000_000)),
        optional("display_label", Kind::Text(200)),
        optional("comment", Kind::Text(1_000)),
    ];
    let row = record::named(world, call, &LISTS)?;
    let (list, faces) = (
        row.id.clone(),
        record::text(row, "entry_type") == Some("face"),
    );
    let checked = Checked::whole(&call.body, FIELDS)?;
    if !faces {
        let why = "Faces go on lists whose entry_type is face.";
        return Err(Refused::field("non_field_errors", why));
    }
    let bytes = STANDARD.decode(checked.text("image").unwrap_or_default());
    let bytes = bytes.map_err(|_| Refused::field("image", "Not valid base64."))?;
    image::check("image", &bytes, image::MOST_IMAGE_BYTES, false)?;
    let mut fields = record::with_defaults(checked, (ENTRIES.defaults)());
    fields.remove("image");
    let face = format!("face-{}", world.generator.text(16));
    fields.insert("value".to_owned(), face.into());
    add(world, call, &list, fields)
}

pub(super) fn delete(world: &mut World, call: &Call) -> Outcome {
    let list = record::named(world, call, &LISTS)?.id.clone();
    let row = record::named(world, call, &ENTRIES)?;
    if record::text(row, "list_uuid") != Some(&list) {
        return Err(Refused::NotFound);
    }
    record::delete(world, call, &ENTRIES)?;
    count(world, call, &list)?;
    Ok(Answer::Nothing)
}

/// What of a session can be blocked or allowed.
const ITEMS: &[&str] = &["face", "document", "phone", "email"];

/// Everything on the block lists, with the kind of each.
pub(super) fn blocked(world: &mut World, call: &Call) -> Outcome {
    let wanted = call.query.choices("item_type", ITEMS)?;
    let application = call.application()?;
    let lists: Vec<&Record> = world
        .records(RecordKind::List)
        .iter()
        .filter(|row| {
            row.application == application && record::text(row, "list_type") == Some("blocklist")
        })
        .collect();
    let rows: Vec<Value> = record::rows(world, call, &ENTRIES)?
        .into_iter()
        .filter_map(|row| {
            let list = lists
                .iter()
                .find(|list| record::text(row, "list_uuid") == Some(&list.id))?;
            let kind = record::text(list, "entry_type")?;
            let mut shown = row.show();
            shown
                .as_object_mut()?
                .insert("item_type".to_owned(), kind.into());
            wanted
                .as_ref()
                .is_none_or(|set| set.contains(kind))
                .then_some(shown)
        })
        .collect();
    Ok(Answer::ok(call.query.page(&rows, Value::clone)?))
}

/// Puts what a session found on the lists of the system, or takes it off them.
///
/// `word` starts the names of the flags, such as `blocklist_face`.
pub(super) fn of_session(
    world: &mut World,
    call: &Call,
    list_type: &'static str,
    word: &str,
    on: bool,
) -> Outcome {
    let checked = Checked::whole(&call.body, &[required("session_id", Kind::Text(64))])?;
    let application = call.application()?;
    let id = checked.text("session_id").unwrap_or_default().to_owned();
    let session = world
        .session(&id)
        .filter(|row| row.application == application);
    let session = session.ok_or_else(|| Refused::field("session_id", "Session not found."))?;
    let subject = session.subject().to_owned();
    let mut chosen = Vec::new();
    for item in ITEMS {
        let flag = format!("{word}_{item}");
        match call.body.get(&flag) {
            None | Some(Value::Null | Value::Bool(false)) => {}
            Some(Value::Bool(true)) => chosen.push(*item),
            Some(_) => return Err(Refused::field(&flag, "Must be a valid boolean.")),
        }
    }
    if chosen.is_empty() {
        let why = format!(
            "Set at least one of {word}_face, {word}_document, {word}_phone, {word}_email."
        );
        return Err(Refused::field("non_field_errors", why));
    }
    for item in &chosen {
        let list = system_list(world, call, list_type, item)?;
        let value = value_of(item, &subject);
        if on {
            let mut fields = Map::from_iter([
                ("value".to_owned(), value.into()),
                ("reference_session_id".to_owned(), id.as_str().into()),
            ]);
            fields.insert("metadata".to_owned(), json!({}));
            match add(world, call, &list, fields) {
                // It is there already: nothing to do.
                Ok(_) | Err(Refused::Invalid(_)) => {}
                Err(other) => return Err(other),
            }
        } else {
            let is = |row: &Record| {
                record::text(row, "list_uuid") == Some(&list)
                    && record::text(row, "value") == Some(&value)
            };
            world.remove_records(RecordKind::Entry, application, is);
            count(world, call, &list)?;
        }
    }
    Ok(Answer::ok(
        json!({ "session_id": id, "list_type": list_type, "items": chosen }),
    ))
}

/// What the session of a person shows for an item.
fn value_of(item: &str, subject: &str) -> String {
    match item {
        "document" => identity(subject).document_number,
        other => format!("{other}-of-{subject}"),
    }
}

/// The list of the system for a kind of entry; it is made when it is first needed.
fn system_list(
    world: &mut World,
    call: &Call,
    list_type: &str,
    entry_type: &str,
) -> Result<String, Refused> {
    let application = call.application()?;
    let is = |row: &&Record| {
        row.application == application
            && record::text(row, "list_type") == Some(list_type)
            && record::text(row, "entry_type") == Some(entry_type)
    };
    if let Some(row) = world.records(RecordKind::List).iter().find(is) {
        return Ok(row.id.clone());
    }
    let fields = json!({
        "name": format!("{list_type} of {entry_type}"),
        "description": "",
        "list_type": list_type,
        "entry_type": entry_type,
        "is_system": true,
        "entries_count": 0,
    });
    record::put(
        world,
        call,
        RecordKind::List,
        fields.as_object().cloned().unwrap_or_default(),
    )?;
    let made = world.records(RecordKind::List).last();
    made.map(|row| row.id.clone())
        .ok_or_else(|| Refused::field("list_type", not_a_choice(list_type)))
}
