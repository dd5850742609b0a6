//! Vendor users, cases, transactions, webhook destinations, questionnaires and lists.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::more;
use super::sessions::identity;
use crate::date::{DAY, timestamp};
use crate::record::{Record, RecordKind};
use crate::world::World;

pub(super) fn fill(world: &mut World, now: u64) {
    vendors(world, "user", RecordKind::VendorUser);
    cases(world);
    for application in 0..world.applications.len() {
        transactions(world, application, now);
        settings(world, application, now);
    }
    // What came later is made last, so that the ids before it stay what they are.
    vendors(world, "business", RecordKind::VendorBusiness);
    for application in 0..world.applications.len() {
        more::fill(world, application, now);
    }
    more::webhooks(world);
}

/// Puts a record in; every count here is far below the bound.
pub(super) fn put(
    world: &mut World,
    kind: RecordKind,
    application: usize,
    id: String,
    created_at: u64,
    fields: Value,
) {
    let fields = match fields {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    let record = Record {
        application,
        id,
        created_at,
        updated_at: created_at,
        fields,
    };
    world.add_record(kind, record).unwrap_or_default();
}

/// The users or the businesses of all sessions of one kind.
fn vendors(world: &mut World, session_kind: &str, kind: RecordKind) {
    let mut first_seen: BTreeMap<(u64, usize, String), ()> = BTreeMap::new();
    let mut known: BTreeMap<(usize, String), ()> = BTreeMap::new();
    let mut oldest_first: Vec<_> = world
        .sessions()
        .filter(|row| row.kind == session_kind)
        .collect();
    oldest_first.reverse();
    for session in oldest_first {
        let Some(vendor_data) = session.vendor_data.clone() else {
            continue;
        };
        if known
            .insert((session.application, vendor_data.clone()), ())
            .is_none()
        {
            first_seen.insert((session.created_at, session.application, vendor_data), ());
        }
    }
    for (created_at, application, vendor_data) in first_seen.into_keys() {
        let person = identity(&vendor_data);
        let status = world
            .generator
            .pick(&["ACTIVE", "ACTIVE", "ACTIVE", "ACTIVE", "FLAGGED", "BLOCKED"]);
        let uuid = world.generator.uuid();
        let fields = match kind {
            RecordKind::VendorBusiness => json!({
                "uuid": uuid,
                "vendor_data": vendor_data,
                "display_name": person.company_name(),
                "legal_name": person.company_name(),
                "registration_number": person.document_number,
                "country_code": person.country,
                "status": status,
                "metadata": {},
            }),
            _ => json!({
                "uuid": uuid,
                "vendor_data": vendor_data,
                "full_name": person.full_name(),
                "display_name": person.full_name(),
                "date_of_birth": person.date_of_birth,
                "issuing_states": [person.country],
                "status": status,
                "metadata": {},
                "approved_emails": [],
                "approved_phones": [],
            }),
        };
        put(world, kind, application, vendor_data, created_at, fields);
    }
}

fn cases(world: &mut World) {
    let mut wanted: Vec<(u64, usize, String, Option<String>, String)> = world
        .sessions()
        .filter(|session| matches!(session.status, "In Review" | "Declined"))
        .map(|session| {
            let name = identity(session.subject()).full_name();
            (
                session.updated_at,
                session.application,
                session.id.clone(),
                session.vendor_data.clone(),
                name,
            )
        })
        .collect();
    wanted.sort_unstable();
    for (number, (created_at, application, session_id, vendor_data, name)) in (1_u64..).zip(wanted)
    {
        let id = world.generator.uuid();
        let status =
            world
                .generator
                .pick(&["OPEN", "OPEN", "IN_PROGRESS", "ESCALATED", "RESOLVED"]);
        let fields = json!({
            "uuid": id,
            "case_number": number,
            "title": format!("Check of {name}"),
            "description": "Opened because a verification raised a warning.",
            "status": status,
            "priority": world.generator.pick(&["LOW", "MEDIUM", "HIGH"]),
            "session_id": session_id,
            "vendor_data": vendor_data,
            "assignee": null,
            "comments": [],
        });
        put(world, RecordKind::Case, application, id, created_at, fields);
    }
}

fn transactions(world: &mut World, application: usize, now: u64) {
    let mut ages: Vec<u64> = (0..15)
        .map(|_| 60 + world.generator.below(60 * DAY))
        .collect();
    ages.sort_unstable_by(|left, right| right.cmp(left));
    for (number, age) in (1..).zip(ages) {
        let generator = &mut world.generator;
        let id = generator.uuid();
        let status = generator.pick(&[
            "APPROVED",
            "APPROVED",
            "APPROVED",
            "IN_REVIEW",
            "DECLINED",
            "AWAITING_USER",
        ]);
        let score = if status == "APPROVED" {
            generator.below(40)
        } else {
            40 + generator.below(60)
        };
        let vendor_data = format!("customer-{application}{:03}", 1 + generator.below(100));
        let created_at = now.saturating_sub(age);
        let fields = json!({
            "uuid": id,
            "transaction_id": format!("txn-{application}-{number:04}"),
            "transaction_category": "finance",
            "status": status,
            "score": score,
            "severity": if score < 40 { "LOW" } else if score < 75 { "MEDIUM" } else { "HIGH" },
            "transaction_details": {
                "direction": generator.pick(&["in", "out"]),
                "amount": format!("{}.{:02}", 5 + generator.below(9_000), generator.below(100)),
                "currency": generator.pick(&["EUR", "USD", "GBP"]),
            },
            "subject": { "vendor_data": vendor_data, "full_name": identity(&vendor_data).full_name() },
            "transaction_at": timestamp(created_at),
        });
        put(
            world,
            RecordKind::Transaction,
            application,
            id,
            created_at,
            fields,
        );
    }
}

fn settings(world: &mut World, application: usize, now: u64) {
    let created_at = now.saturating_sub(150 * DAY);
    for (label, events) in [
        ("Back office", json!(["status.updated", "data.updated"])),
        (
            "Risk engine",
            json!(["transaction.created", "transaction.status.updated"]),
        ),
    ] {
        let id = world.generator.uuid();
        let host = label.to_lowercase().replace(' ', "-");
        let fields = json!({
            "uuid": id,
            "label": label,
            "url": format!("https://{host}.example/hooks/{application}"),
            "enabled": true,
            "webhook_version": "v3",
            "subscribed_events": events,
            "secret_shared_key": format!("whsec_{}", world.generator.text(32)),
        });
        put(
            world,
            RecordKind::Destination,
            application,
            id,
            created_at,
            fields,
        );
    }
    let id = world.generator.uuid();
    let fields = json!({
        "uuid": id,
        "title": "Source of funds",
        "description": "Where the money comes from.",
        "default_language": "en",
        "languages": ["en"],
        "status": "published",
        "graph": { "start_node": "q1", "nodes": { "q1": {
            "element_type": "SHORT_TEXT",
            "title": { "en": "What is your main source of income?" },
            "is_required": true,
            "next": null,
        } } },
    });
    put(
        world,
        RecordKind::Questionnaire,
        application,
        id,
        created_at,
        fields,
    );
    for (name, list_type, entry_type) in [
        ("Blocked documents", "blocklist", "document"),
        ("Trusted addresses", "allowlist", "ip_address"),
        ("Watched phones", "custom", "phone"),
    ] {
        let id = world.generator.uuid();
        let entries = 1 + world.generator.below(4);
        for number in 0..entries {
            let entry = world.generator.uuid();
            let value = match entry_type {
                "document" => world.generator.text(9).to_uppercase(),
                // RFC 5737 section 3: addresses for documentation.
                "ip_address" => format!("198.51.100.{}", 1 + number),
                _ => format!("+4477009000{:02}", 10 * application as u64 + number),
            };
            let fields = json!({
                "uuid": entry,
                "list_uuid": id,
                "value": value,
                "reference_session_id": null,
                "display_label": null,
                "comment": null,
                "metadata": {},
            });
            put(
                world,
                RecordKind::Entry,
                application,
                entry,
                created_at,
                fields,
            );
        }
        let fields = json!({
            "uuid": id,
            "name": name,
            "description": "",
            "list_type": list_type,
            "entry_type": entry_type,
            "is_system": list_type == "blocklist",
            "entries_count": entries,
        });
        put(world, RecordKind::List, application, id, created_at, fields);
    }
}
