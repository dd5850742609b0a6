//! Keys, a screening provider, an integration, networks, a travel rule transfer, a rule, a wallet and a report of each application.

use serde_json::{Value, json};

use super::records::put;
use super::sessions::identity;
use crate::date::{DAY, timestamp};
use crate::record::{Record, RecordKind};
use crate::world::World;

/// The application whose wallets nobody screens, so that the refusal can be seen.
const WITHOUT_PROVIDER: usize = 1;

pub(super) fn fill(world: &mut World, application: usize, now: u64) {
    let created_at = now.saturating_sub(140 * DAY);
    let add = |world: &mut World, kind: RecordKind, fields: Value| {
        let id = world.generator.uuid();
        let mut fields = fields;
        if let Some(fields) = fields.as_object_mut() {
            fields.insert("uuid".to_owned(), id.as_str().into());
        }
        put(world, kind, application, id, created_at, fields);
    };
    let key = world
        .applications
        .get(application)
        .map(|row| row.api_key.clone());
    add(
        world,
        RecordKind::ApiKey,
        json!({ "name": "Default key", "api_key": key, "is_active": true }),
    );
    add(
        world,
        RecordKind::Integration,
        json!({ "provider_name": "Quiet CRM", "category": "crm", "note": null, "status": "connected" }),
    );
    add(
        world,
        RecordKind::Rule,
        json!({
            "title": "Very large amount",
            "category": "amount",
            "mode": "TEST",
            "description": "",
            "evaluation_mode": "ALL",
            "scope": {},
            "conditions": [{ "field": "transaction_details.amount", "operator": "gte", "value": 8_000 }],
            "aggregation": null,
            "actions": [{ "type": "add_score", "value": 40 }],
            "metadata": {},
            "source": "CUSTOM",
            "bundle": null,
            "library_key": null,
        }),
    );
    add(
        world,
        RecordKind::Wallet,
        json!({
            "address": format!("0x{application:040x}"),
            "chain": "ETH",
            "holder_name": "Harbour treasury",
            "holder_vendor_data": null,
            "entity_type": "company",
            "travel_address": null,
            "self_declared": false,
        }),
    );
    add(
        world,
        RecordKind::Report,
        json!({ "kind": "sessions", "columns": ["session_id", "status"], "format": "csv" }),
    );
    add(
        world,
        RecordKind::Transaction,
        json!({
            "transaction_id": format!("txn-{application}-travel"),
            "transaction_category": "travel_rule",
            "status": "IN_REVIEW",
            "score": 0,
            "severity": "LOW",
            "transaction_details": { "direction": "INBOUND", "amount": "1500.00", "currency": "USDC" },
            "subject": { "vendor_data": format!("customer-{application}001") },
            "travel_rule": { "status": "PENDING" },
            "transaction_at": timestamp(created_at),
        }),
    );
    if application != WITHOUT_PROVIDER {
        let fields = json!({ "provider": "chain-compass" });
        put(
            world,
            RecordKind::Setting,
            application,
            "screening".to_owned(),
            created_at,
            fields,
        );
    }
    networks(world, application, now);
}

/// Two networks of the first few users or companies.
fn networks(world: &mut World, application: usize, now: u64) {
    let of = |kind: RecordKind| -> Vec<String> {
        let rows = world.records(kind).iter();
        let mine = rows.filter(|row: &&Record| row.application == application);
        mine.take(5).map(|row| row.id.clone()).collect()
    };
    let (users, businesses) = (of(RecordKind::VendorUser), of(RecordKind::VendorBusiness));
    let kind = if users.is_empty() { "business" } else { "user" };
    let all = if users.is_empty() { businesses } else { users };
    for (number, (size, signal, pattern, risk)) in (1_u64..).zip([
        (3, "device", "exact_same_device", "high"),
        (2, "ip_address", "same_ip_address", "low"),
    ]) {
        let members: Vec<Value> = all
            .iter()
            .skip(usize::from(size == 2) * 3)
            .take(size)
            .map(|id| json!({ "id": id, "kind": kind, "country": identity(id).country }))
            .collect();
        let first = now.saturating_sub((60 - number) * DAY);
        let id = world.generator.uuid();
        let fields = json!({
            "uuid": id,
            "network_number": number,
            "status": "active",
            "signal_type": signal,
            "pattern_type": pattern,
            "risk_band": risk,
            "risk_score": 100 - 40 * number,
            "first_activity_at": timestamp(first),
            "last_activity_at": timestamp(first + number * 10 * DAY),
            "members": members,
        });
        put(world, RecordKind::Network, application, id, first, fields);
    }
}

/// Sessions of each application whose last webhook is there to be seen.
const TOLD: usize = 2;

/// The webhooks about the newest sessions, all of them delivered.
pub(super) fn webhooks(world: &mut World) {
    for application in 0..world.applications.len() {
        let newest: Vec<(String, u64)> = world
            .sessions()
            .filter(|row| row.application == application)
            .take(TOLD)
            .map(|row| (row.id.clone(), row.updated_at))
            .collect();
        for (id, at) in newest {
            world.emit_session(&id, "status.updated", at);
        }
    }
    while let Some(webhook) = world.deliveries.next(u64::MAX) {
        world.deliveries.answered(&webhook.id, 200);
    }
}
