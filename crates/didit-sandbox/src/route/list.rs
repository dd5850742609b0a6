//! Block lists, allow lists and custom lists of one application.

use serde_json::{Value, json};

use super::{Call, Outcome, record};
use crate::field::{Checked, Field, Kind, optional, required};
use crate::refused::Refused;
use crate::world::{RecordKind, World};

const LIST_TYPES: &[&str] = &["blocklist", "allowlist", "custom"];
const ENTRY_TYPES: &[&str] = &[
    "face",
    "document",
    "phone",
    "email",
    "ip_address",
    "device_fingerprint",
    "wallet_address",
    "bank_account",
    "user",
    "business",
    "country",
    "key",
];

const TEXTS: &[Field] = &[
    required("name", Kind::Text(100)),
    optional("description", Kind::Text(1_000)),
];
const TYPES: &[Field] = &[
    // There is one block list per entry type, and nobody makes another.
    required("list_type", Kind::Choice(&["allowlist", "custom"])),
    required("entry_type", Kind::Choice(ENTRY_TYPES)),
];

pub(super) fn list(world: &mut World, call: &Call) -> Outcome {
    let list_types = call.query.choices("list_type", LIST_TYPES)?;
    let entry_types = call.query.choices("entry_type", ENTRY_TYPES)?;
    let mut rows = record::rows(world, call, RecordKind::List, &[], &["name"])?;
    for (name, chosen) in [("list_type", list_types), ("entry_type", entry_types)] {
        if let Some(chosen) = chosen {
            rows.retain(|row| record::text(row, name).is_some_and(|found| chosen.contains(found)));
        }
    }
    record::page(world, call, &rows)
}

pub(super) fn show(world: &mut World, call: &Call) -> Outcome {
    record::show(world, call, RecordKind::List, "list_uuid")
}

pub(super) fn create(world: &mut World, call: &Call) -> Outcome {
    let fields = [TEXTS, TYPES].concat();
    let checked = Checked::whole(&call.body, &fields)?;
    let id = world.generator.uuid();
    let mut fields = record::with_defaults(
        checked,
        json!({ "description": "", "is_system": false, "entries_count": 0 }),
    );
    fields.insert("uuid".to_owned(), Value::from(id.as_str()));
    record::create(world, call, RecordKind::List, id, fields)
}

pub(super) fn update(world: &mut World, call: &Call) -> Outcome {
    let checked = Checked::part(&call.body, TEXTS)?;
    record::update(world, call, RecordKind::List, "list_uuid", checked)
}

pub(super) fn delete(world: &mut World, call: &Call) -> Outcome {
    let found = world.record(
        RecordKind::List,
        call.application()?,
        call.param("list_uuid")?,
    );
    let is_system = found
        .and_then(|row| row.fields.get("is_system")?.as_bool())
        .unwrap_or(false);
    if is_system {
        return Err(Refused::field(
            "non_field_errors",
            "A system list cannot be deleted.",
        ));
    }
    record::delete(world, call, RecordKind::List, "list_uuid")
}
