//! Networks: people and companies that share something. Each is made of the vendors that an application has.

use serde_json::{Value, json};

use super::record::{self, Resource};
use super::{Answer, Call, Outcome};
use crate::field::not_a_choice;
use crate::record::{Record, RecordKind};
use crate::refused::Refused;
use crate::world::World;

pub(super) static NETWORKS: Resource = Resource {
    kind: RecordKind::Network,
    param: "network_id",
    fields: &[],
    fixed: &[],
    defaults: || json!({}),
    filters: &[
        ("status", &["active", "in_review", "resolved", "dismissed"]),
        (
            "signal_type",
            &[
                "ip_address",
                "device",
                "face",
                "document_number",
                "phone",
                "email",
                "address",
            ],
        ),
        (
            "pattern_type",
            &[
                "exact_same_device",
                "similar_device",
                "same_ip_address",
                "same_address",
                "similar_selfie_backgrounds",
                "similar_poa_documents",
                "same_document_number",
                "same_phone_number",
                "same_email",
            ],
        ),
        ("risk_band", &["low", "medium", "high"]),
    ],
    searched: &[],
};

fn members(row: &Record) -> &[Value] {
    let members = row.fields.get("members").and_then(Value::as_array);
    members.map_or(&[], Vec::as_slice)
}

/// A network without its members, and with how many there are.
fn shown(row: &Record) -> Value {
    let mut body = row.show();
    if let Some(fields) = body.as_object_mut() {
        fields.remove("members");
        fields.insert("size".to_owned(), members(row).len().into());
    }
    body
}

pub(super) fn list(world: &mut World, call: &Call) -> Outcome {
    let mut rows = record::rows(world, call, &NETWORKS)?;
    let bound = |name: &str, otherwise: usize| -> Result<usize, Refused> {
        let text = call.query.get(name);
        text.map_or(Ok(otherwise), |text| {
            let number = text.parse();
            number.map_err(|_| Refused::field(name, "A valid integer is required."))
        })
    };
    let (least, most) = (bound("min_size", 0)?, bound("max_size", usize::MAX)?);
    rows.retain(|row| (least..=most).contains(&members(row).len()));
    if let Some(wanted) = call.query.get("q").map(str::to_lowercase) {
        rows.retain(|row| row.show().to_string().to_lowercase().contains(&wanted));
    }
    let ordering = call.query.get("ordering").unwrap_or("-last_activity_at");
    let (down, name) = ordering
        .strip_prefix('-')
        .map_or((false, ordering), |name| (true, name));
    if ![
        "risk_score",
        "last_activity_at",
        "first_activity_at",
        "network_number",
    ]
    .contains(&name)
    {
        return Err(Refused::field("ordering", not_a_choice(ordering)));
    }
    rows.sort_by_key(|row| {
        let field = row.fields.get(name);
        let number = field.and_then(Value::as_u64).unwrap_or(0);
        (number, field.and_then(Value::as_str).unwrap_or_default())
    });
    if down {
        rows.reverse();
    }
    Ok(Answer::ok(call.query.page(&rows, |row| shown(row))?))
}

pub(super) fn show(world: &mut World, call: &Call) -> Outcome {
    Ok(Answer::ok(shown(record::named(world, call, &NETWORKS)?)))
}

pub(super) fn section(world: &mut World, call: &Call) -> Outcome {
    let row = record::named(world, call, &NETWORKS)?;
    let members = members(row);
    let field = |name: &str| row.fields.get(name).cloned().unwrap_or_default();
    let body = match call.param("section")? {
        "members" => json!({ "results": members }),
        "signals" => json!({ "results": [{
            "signal_type": field("signal_type"),
            "pattern_type": field("pattern_type"),
            "member_count": members.len(),
        }] }),
        "timeline" => json!({ "results": [
            { "at": field("first_activity_at"), "event": "first member" },
            { "at": field("last_activity_at"), "event": "last activity" },
        ] }),
        "map" => {
            let places = members
                .iter()
                .map(|member| json!({ "id": member.get("id"), "country": member.get("country") }));
            json!({ "results": places.collect::<Vec<Value>>() })
        }
        "graph" => graph(call, members)?,
        _ => return Err(Refused::NotFound),
    };
    Ok(Answer::ok(body))
}

/// Everybody is one step from everybody else, over what they share.
fn graph(call: &Call, members: &[Value]) -> Result<Value, Refused> {
    let depth = call.query.get("depth").unwrap_or("1");
    if !["1", "2", "3", "all"].contains(&depth) {
        return Err(Refused::field("depth", not_a_choice(depth)));
    }
    let id = |member: &Value| member.get("id").cloned().unwrap_or_default();
    let focus = call.query.get("focus_id");
    let middle = members
        .iter()
        .find(|member| focus.is_none_or(|focus| id(member) == focus));
    let middle =
        middle.ok_or_else(|| Refused::field("focus_id", "Not a member of the network."))?;
    let edges = members
        .iter()
        .filter(|member| id(member) != id(middle))
        .map(|member| json!({ "from": id(middle), "to": id(member) }));
    Ok(json!({ "depth": depth, "nodes": members, "edges": edges.collect::<Vec<Value>>() }))
}

/// The networks that a session, a transaction, a user or a company belongs to.
pub(super) fn of_subject(world: &mut World, call: &Call) -> Outcome {
    let (kind, id) = (call.param("subject_path")?, call.param("subject_id")?);
    let application = call.application()?;
    let session = |kind: &str| {
        let session = world.session(id);
        let session = session.filter(|row| row.application == application && row.kind == kind);
        session.map(|row| row.subject().to_owned())
    };
    let vendor = |kind: RecordKind| {
        let named = |row: &&Record| {
            row.application == application
                && (row.id == id || record::text(row, "uuid") == Some(id))
        };
        world
            .records(kind)
            .iter()
            .find(named)
            .map(|row| row.id.clone())
    };
    let subject = match kind {
        "sessions" => session("user"),
        "business-sessions" => session("business"),
        "users" => vendor(RecordKind::VendorUser),
        "businesses" => vendor(RecordKind::VendorBusiness),
        "transactions" => {
            let row = world.record(RecordKind::Transaction, application, id);
            row.and_then(|row| record::text(row, "subject.vendor_data").map(str::to_owned))
        }
        _ => None,
    };
    let subject = Value::from(subject.ok_or(Refused::NotFound)?);
    let rows = world.records(RecordKind::Network).iter();
    let found: Vec<Value> = rows
        .filter(|row| row.application == application)
        .filter(|row| {
            members(row)
                .iter()
                .any(|member| member.get("id") == Some(&subject))
        })
        .map(shown)
        .collect();
    Ok(Answer::ok(call.query.page(&found, Value::clone)?))
}
