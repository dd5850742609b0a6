//! Block lists, allow lists and custom lists of one application.

use serde_json::json;

use super::record::{self, Resource};
use super::{Call, Outcome};
use crate::field::{Kind, optional, required};
use crate::record::{Record, RecordKind};
use crate::refused::Refused;
use crate::world::World;

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

pub(super) static LISTS: Resource = Resource {
    kind: RecordKind::List,
    param: "list_uuid",
    fields: &[
        required("name", Kind::Text(100)),
        optional("description", Kind::Text(1_000)),
    ],
    fixed: &[
        // There is one block list per entry type, and nobody makes another.
        required("list_type", Kind::Choice(&["allowlist", "custom"])),
        required("entry_type", Kind::Choice(ENTRY_TYPES)),
    ],
    defaults: || json!({ "description": "", "is_system": false, "entries_count": 0 }),
    filters: &[
        ("list_type", &["blocklist", "allowlist", "custom"]),
        ("entry_type", ENTRY_TYPES),
    ],
    searched: &["name"],
};

pub(super) fn delete(world: &mut World, call: &Call) -> Outcome {
    let row = record::named(world, call, &LISTS)?;
    if row.fields.get("is_system") == Some(&true.into()) {
        return Err(Refused::field(
            "non_field_errors",
            "A system list cannot be deleted.",
        ));
    }
    let id = row.id.clone();
    let of_list = |entry: &Record| record::text(entry, "list_uuid") == Some(&id);
    world.remove_records(RecordKind::Entry, call.application()?, of_list);
    record::delete(world, call, &LISTS)
}
