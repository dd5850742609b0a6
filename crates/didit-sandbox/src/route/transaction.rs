//! Monitored transactions of one application or of all of an organisation's, and wallets that are screened.

use serde_json::{Map, Value, json};

use super::record::{self, Resource};
use super::{Answer, Call, Outcome};
use crate::date::timestamp;
use crate::field::{Checked, Field, Kind, optional, required};
use crate::generator::Generator;
use crate::record::{Record, RecordKind};
use crate::refused::Refused;
use crate::rule::{self, Seen};
use crate::world::World;

const STATUSES: &[&str] = &["APPROVED", "IN_REVIEW", "DECLINED", "AWAITING_USER"];
const CATEGORIES: &[&str] = &[
    "finance",
    "kyc",
    "travel_rule",
    "user_event",
    "audit_trail_event",
    "gambling_bet",
    "gambling_limit_change",
    "gambling_bonus_change",
];
const CHAINS: &[&str] = &[
    "BTC", "ETH", "LTC", "XRP", "BCH", "DOGE", "TRX", "SOL", "MATIC", "BNB", "USDT", "USDC",
];

pub(super) static TRANSACTIONS: Resource = Resource {
    kind: RecordKind::Transaction,
    param: "transaction_id",
    fields: &[],
    fixed: &[
        required("transaction_id", Kind::Text(128)),
        required("transaction_category", Kind::Choice(CATEGORIES)),
        required("transaction_details", Kind::Object(16 * 1024)),
        required("subject", Kind::Object(8 * 1024)),
        optional("counterparty", Kind::Object(8 * 1024)),
        optional("transaction_at", Kind::Text(40)),
        optional("time_zone", Kind::Text(64)),
        optional("custom_properties", Kind::Object(8 * 1024)),
        optional("travel_rule_details", Kind::Object(8 * 1024)),
        optional("network_snapshot", Kind::Object(8 * 1024)),
        optional("include_crypto_screening", Kind::Flag),
    ],
    defaults: || json!({ "counterparty": null, "custom_properties": {} }),
    filters: &[("status", STATUSES)],
    searched: &[
        "uuid",
        "transaction_id",
        "subject.vendor_data",
        "subject.full_name",
    ],
};

pub(super) fn create(world: &mut World, call: &Call) -> Outcome {
    let checked = record::whole(call, &TRANSACTIONS)?;
    let application = call.application()?;
    let id = checked.text("transaction_id").unwrap_or_default();
    let mut rows = world.records(RecordKind::Transaction).iter();
    if rows.any(|row| {
        row.application == application && record::text(row, "transaction_id") == Some(id)
    }) {
        let why = "A transaction with this transaction_id already exists.";
        return Err(Refused::field("transaction_id", why));
    }
    let screens = checked.flag("include_crypto_screening") == Some(true);
    let wallet = ["wallet_address", "address"].into_iter().find_map(|name| {
        let details = checked.get("transaction_details")?;
        details.get(name)?.as_str().map(str::to_owned)
    });
    let mut fields = record::with_defaults(checked, (TRANSACTIONS.defaults)());
    fields.remove("include_crypto_screening");
    fields
        .entry("transaction_at")
        .or_insert_with(|| timestamp(call.now).into());
    let mut results = Vec::new();
    if let Some(wallet) = wallet.filter(|_| screens) {
        results.push(screened(world, application, &wallet)?);
    }
    let mut verdict = judged(world, call, &Value::Object(fields.clone()))?;
    let risk = results
        .iter()
        .filter_map(|result| result.get("score")?.as_u64())
        .max();
    verdict.score = verdict.score.max(risk.unwrap_or(0)).min(100);
    let status = verdict.status.unwrap_or(match verdict.score {
        0..=39 => "APPROVED",
        40..=74 => "IN_REVIEW",
        _ => "DECLINED",
    });
    let travel_rule = fields
        .get("travel_rule_details")
        .map(|details| json!({ "status": "PENDING", "details": details }));
    for (name, value) in [
        ("status", status.into()),
        ("score", verdict.score.into()),
        ("severity", severity(verdict.score).into()),
        (
            "decision_reason_code",
            if verdict.runs.is_empty() {
                "NO_RULE_MATCHED"
            } else {
                "RULES_MATCHED"
            }
            .into(),
        ),
        ("rule_runs", verdict.runs.into()),
        ("provider_results", results.into()),
        ("travel_rule", travel_rule.unwrap_or_default()),
        ("action_required", Value::Null),
    ] {
        fields.insert(name.to_owned(), value);
    }
    let about = json!({
        "transaction_id": fields.get("transaction_id"),
        "status": status,
        "vendor_data": fields.get("subject").and_then(|subject| subject.get("vendor_data")),
    });
    let made = record::put(world, call, RecordKind::Transaction, fields)?;
    world.emit(application, "transaction.created", &about, call.now);
    Ok(made)
}

pub(super) fn severity(score: u64) -> &'static str {
    match score {
        0..=39 => "LOW",
        40..=74 => "MEDIUM",
        _ => "HIGH",
    }
}

/// What the rules of an application make of a transaction.
#[derive(Default)]
struct Verdict {
    score: u64,
    status: Option<&'static str>,
    runs: Vec<Value>,
}

/// Runs every rule that is on or on trial; one on trial is noted and does nothing.
fn judged(world: &World, call: &Call, transaction: &Value) -> Result<Verdict, Refused> {
    let application = call.application()?;
    let kept = shown_all(world, application);
    let others: Vec<Seen<'_>> = kept
        .iter()
        .map(|(fields, at)| Seen { fields, at: *at })
        .collect();
    let seen = Seen {
        fields: transaction,
        at: call.now,
    };
    let mut verdict = Verdict::default();
    for row in world
        .records(RecordKind::Rule)
        .iter()
        .filter(|row| row.application == application)
    {
        let rule = Value::Object(row.fields.clone());
        let mode = record::text(row, "mode").unwrap_or_default();
        if mode == "DISABLED" || !rule::matches(&rule, seen, &others) {
            continue;
        }
        let actions = rule.get("actions").cloned().unwrap_or_default();
        verdict.runs.push(json!({
            "rule_uuid": row.id,
            "title": row.fields.get("title"),
            "mode": mode,
            "matched": true,
            "actions": actions,
        }));
        for action in actions
            .as_array()
            .into_iter()
            .flatten()
            .filter(|_| mode == "ACTIVE")
        {
            let value = action.get("value").unwrap_or(&Value::Null);
            match action.get("type").and_then(Value::as_str) {
                Some("add_score") => verdict.score += value.as_u64().unwrap_or(0).min(100),
                Some("change_status") => {
                    let known = STATUSES
                        .iter()
                        .find(|status| Some(**status) == value.as_str());
                    verdict.status = known.copied().or(verdict.status);
                }
                _ => {}
            }
        }
    }
    Ok(verdict)
}

/// Every transaction of an application as rules see it.
pub(super) fn shown_all(world: &World, application: usize) -> Vec<(Value, u64)> {
    let rows = world.records(RecordKind::Transaction).iter();
    rows.filter(|row| row.application == application)
        .map(|row| (Value::Object(row.fields.clone()), row.created_at))
        .collect()
}

/// A wallet's risk, the same for the same address; an application without a provider is told so.
fn screened(world: &World, application: usize, wallet: &str) -> Result<Value, Refused> {
    let provider = world.record(RecordKind::Setting, application, "screening");
    let name = provider.and_then(|row| record::text(row, "provider"));
    let name = name.ok_or_else(|| {
        Refused::Conflict(
            "No wallet screening provider is configured for this application.".to_owned(),
        )
    })?;
    let mut generator = Generator::of_text(wallet);
    let score = generator.below(101);
    Ok(json!({
        "provider": name,
        "wallet_address": wallet,
        "score": score,
        "severity": severity(score),
        "categories": if score < 40 { json!([]) } else { json!(["mixer"]) },
    }))
}

pub(super) fn screen_wallet(world: &mut World, call: &Call) -> Outcome {
    const FIELDS: &[Field] = &[
        required("wallet_address", Kind::Text(128)),
        required("blockchain", Kind::Choice(CHAINS)),
        optional(
            "direction",
            Kind::Choice(&["inbound", "outbound", "deposit", "withdrawal"]),
        ),
    ];
    let checked = Checked::whole(&call.body, FIELDS)?;
    let wallet = checked.text("wallet_address").unwrap_or_default();
    let mut body = screened(world, call.application()?, wallet)?;
    if let Some(fields) = body.as_object_mut() {
        fields.insert("blockchain".to_owned(), checked.text("blockchain").into());
        fields.insert("direction".to_owned(), checked.text("direction").into());
    }
    Ok(Answer::ok(body))
}

pub(super) fn sdk_token(world: &mut World, call: &Call) -> Outcome {
    let fields = [
        required("vendor_data", Kind::Text(256)),
        optional("ttl_seconds", Kind::Whole(1, 86_400)),
        optional("max_uses", Kind::Whole(1, 10_000)),
    ];
    let checked = Checked::whole(&call.body, &fields)?;
    let ttl = checked
        .get("ttl_seconds")
        .and_then(Value::as_u64)
        .unwrap_or(3_600);
    let token = world.generator.text(40);
    let body = json!({
        "token": token,
        "vendor_data": checked.text("vendor_data"),
        "max_uses": checked.get("max_uses"),
        "expires_at": timestamp(call.now + ttl),
    });
    let record = Record {
        application: call.application()?,
        id: token,
        created_at: call.now,
        updated_at: call.now,
        fields: body.as_object().cloned().unwrap_or_else(Map::new),
    };
    world.add_record(RecordKind::SdkToken, record)?;
    Ok(Answer::created(body))
}
