//! The travel rule: settings, institutions, wallet addresses, and transfers that came in.

use serde_json::{Map, Value, json};

use super::record::{self, Resource};
use super::transaction::TRANSACTIONS;
use super::{Answer, Call, Outcome, setting};
use crate::date::timestamp;
use crate::field::{Checked, Field, Kind, optional, required};
use crate::record::RecordKind;
use crate::refused::Refused;
use crate::world::World;

const SETTINGS: &str = "travel rule";

fn defaults() -> Value {
    json!({
        "is_enabled": false,
        "legal_name": null,
        "lei": null,
        "jurisdiction": null,
        "compliance_email": null,
        "is_discoverable": false,
        "name_matching_strictness": "DEFAULT",
        "confirmation_timeout_hours": 24,
        "timeout_outcome": "HOLD",
        "threshold_amount": "1000.00",
        "inbound_auto_accept": false,
        "allow_self_declaration": false,
        "allow_screenshot_proof": false,
        "auto_wallet_verification": false,
        "vasp_attribution_enabled": false,
        "disabled_networks": [],
    })
}

pub(super) fn show_settings(world: &mut World, call: &Call) -> Outcome {
    Ok(Answer::ok(setting::get(
        world,
        call.application()?,
        SETTINGS,
        defaults(),
    )))
}

pub(super) fn update_settings(world: &mut World, call: &Call) -> Outcome {
    const FIELDS: &[Field] = &[
        optional("is_enabled", Kind::Flag),
        optional("legal_name", Kind::Text(200)),
        optional("lei", Kind::Text(20)),
        optional("jurisdiction", Kind::Text(3)),
        optional("compliance_email", Kind::Text(254)),
        optional("is_discoverable", Kind::Flag),
        optional(
            "name_matching_strictness",
            Kind::Choice(&["NONE", "STRICT", "DEFAULT", "FUZZY"]),
        ),
        optional("confirmation_timeout_hours", Kind::Whole(1, 8_760)),
        optional(
            "timeout_outcome",
            Kind::Choice(&["HOLD", "REJECT", "PROCEED"]),
        ),
        optional("threshold_amount", Kind::Text(32)),
        optional("inbound_auto_accept", Kind::Flag),
        optional("allow_self_declaration", Kind::Flag),
        optional("allow_screenshot_proof", Kind::Flag),
        optional("auto_wallet_verification", Kind::Flag),
        optional("vasp_attribution_enabled", Kind::Flag),
        optional("disabled_networks", Kind::List(4)),
    ];
    let checked = Checked::part(&call.body, FIELDS)?;
    for network in super::vendor::texts(&checked, "disabled_networks")? {
        if !["GTR", "TRUST", "VERIFYVASP", "SYGNA"].contains(&network.as_str()) {
            let why = crate::field::not_a_choice(&network);
            return Err(Refused::field("disabled_networks", why));
        }
    }
    setting::set(world, call, SETTINGS, checked.into_map())?;
    show_settings(world, call)
}

/// Name, jurisdiction, network.
const VASPS: &[(&str, &str, &str)] = &[
    ("Northwind Exchange", "SWE", "GTR"),
    ("Blue Canyon Custody", "DEU", "TRUST"),
    ("Saffron Pay", "ESP", "SYGNA"),
    ("Tidewater Digital", "PRT", "VERIFYVASP"),
];

pub(super) fn vasps(_: &mut World, call: &Call) -> Outcome {
    let search = call.query.search();
    let rows: Vec<_> = VASPS
        .iter()
        .filter(|(name, ..)| Call::finds(search.as_deref(), &[Some(name)]))
        .collect();
    let page = call.query.page(&rows, |(name, jurisdiction, network)| {
        json!({ "legal_name": name, "jurisdiction": jurisdiction, "network": network })
    })?;
    Ok(Answer::ok(page))
}

pub(super) static WALLETS: Resource = Resource {
    kind: RecordKind::Wallet,
    param: "entry_uuid",
    fields: &[
        optional("holder_name", Kind::Text(200)),
        optional("holder_vendor_data", Kind::Text(256)),
        optional("entity_type", Kind::Text(32)),
        optional("travel_address", Kind::Text(256)),
    ],
    fixed: &[
        required("address", Kind::Text(128)),
        optional("chain", Kind::Text(16)),
        optional("self_declared", Kind::Flag),
    ],
    defaults: || {
        json!({
            "chain": null,
            "holder_name": null,
            "holder_vendor_data": null,
            "entity_type": "person",
            "travel_address": null,
            "self_declared": false,
        })
    },
    filters: &[],
    searched: &[],
};

pub(super) fn add_wallet(world: &mut World, call: &Call) -> Outcome {
    let address = call.body.get("address");
    let application = call.application()?;
    let mut rows = world.records(RecordKind::Wallet).iter();
    if rows.any(|row| row.application == application && row.fields.get("address") == address) {
        return Err(Refused::field("address", "This address is already there."));
    }
    record::create(world, call, &WALLETS)
}

/// The part of a transaction about the travel rule, changed; a transaction that has none is refused.
fn change(
    world: &mut World,
    call: &Call,
    change: impl FnOnce(&mut Map<String, Value>) -> Result<(), Refused>,
) -> Outcome {
    let application = call.application()?;
    let about = {
        let row = record::named_mut(world, call, &TRANSACTIONS)?;
        let part = row
            .fields
            .get_mut("travel_rule")
            .and_then(Value::as_object_mut);
        let Some(part) = part else {
            let why = "The travel rule does not apply to this transaction.";
            return Err(Refused::Conflict(why.to_owned()));
        };
        change(part)?;
        json!({ "transaction_id": row.fields.get("transaction_id"), "status": row.fields.get("travel_rule").and_then(|part| part.get("status")) })
    };
    world.emit(application, "travel_rule.status.updated", &about, call.now);
    record::show(world, call, &TRANSACTIONS)
}

pub(super) fn act(world: &mut World, call: &Call) -> Outcome {
    let fields = [
        optional("payment_txn_id", Kind::Text(128)),
        optional("action", Kind::Choice(&["cancel", "resend"])),
    ];
    let checked = Checked::part(&call.body, &fields)?;
    let (payment, action) = (checked.text("payment_txn_id"), checked.text("action"));
    if payment.is_some() == action.is_some() {
        let why = "Give either payment_txn_id or action.";
        return Err(Refused::field("non_field_errors", why));
    }
    change(world, call, |part| {
        let now = part
            .get("status")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if matches!(now, "CANCELLED" | "COMPLETED") {
            let why = format!("A transfer that is {now} stays so.");
            return Err(Refused::Conflict(why));
        }
        let status = match action {
            None => "COMPLETED",
            Some("cancel") => "CANCELLED",
            Some(_) => "PENDING",
        };
        part.insert("status".to_owned(), status.into());
        if let Some(payment) = payment {
            part.insert("payment_txn_id".to_owned(), payment.into());
        }
        Ok(())
    })
}

pub(super) fn confirm_ownership(world: &mut World, call: &Call) -> Outcome {
    let checked = Checked::whole(&call.body, &[required("confirmed", Kind::Flag)])?;
    let confirmed = checked.flag("confirmed") == Some(true);
    change(world, call, |part| {
        part.insert("ownership_confirmed".to_owned(), confirmed.into());
        Ok(())
    })
}

/// A transfer that another institution announced: a transaction of its own.
pub(super) fn register_inbound(world: &mut World, call: &Call) -> Outcome {
    const FIELDS: &[Field] = &[
        required("txid", Kind::Text(128)),
        required("wallet_address", Kind::Text(128)),
        optional("chain", Kind::Text(16)),
        optional("currency", Kind::Text(16)),
        optional("originator_data", Kind::Object(8_192)),
        optional("beneficiary_data", Kind::Object(8_192)),
        optional("originating_vasp", Kind::Object(8_192)),
    ];
    let checked = Checked::whole(&call.body, FIELDS)?;
    let amount = call.body.get("amount").cloned().unwrap_or_default();
    if !matches!(amount, Value::Null | Value::String(_) | Value::Number(_)) {
        return Err(Refused::field("amount", "A valid number is required."));
    }
    let txid = checked.text("txid").unwrap_or_default();
    let accepts = setting::get(world, call.application()?, SETTINGS, defaults());
    let accepted = accepts.get("inbound_auto_accept") == Some(&Value::Bool(true));
    let fields = json!({
        "transaction_id": txid,
        "transaction_category": "travel_rule",
        "status": if accepted { "APPROVED" } else { "IN_REVIEW" },
        "score": 0,
        "severity": "LOW",
        "transaction_details": {
            "direction": "INBOUND",
            "amount": amount,
            "currency": checked.text("currency"),
            "chain": checked.text("chain"),
            "wallet_address": checked.text("wallet_address"),
        },
        "subject": checked.get("beneficiary_data").cloned().unwrap_or_else(|| json!({})),
        "counterparty": checked.get("originator_data"),
        "travel_rule": { "status": if accepted { "COMPLETED" } else { "PENDING" }, "originating_vasp": checked.get("originating_vasp") },
        "transaction_at": timestamp(call.now),
    });
    let fields = fields.as_object().cloned().unwrap_or_else(Map::new);
    record::put(world, call, RecordKind::Transaction, fields)
}

pub(super) fn widget_session(world: &mut World, call: &Call) -> Outcome {
    const FIELDS: &[Field] = &[
        required("wallet_address", Kind::Text(128)),
        optional("chain", Kind::Text(16)),
        optional("holder_name", Kind::Text(200)),
        optional("vendor_data", Kind::Text(256)),
        optional("transaction_id", Kind::Text(128)),
        optional("satoshi_deposit_address", Kind::Text(128)),
        optional("callback_url", Kind::Address),
        optional("expires_in_minutes", Kind::Whole(1, 10_080)),
    ];
    let checked = Checked::whole(&call.body, FIELDS)?;
    let minutes = checked
        .get("expires_in_minutes")
        .and_then(Value::as_u64)
        .unwrap_or(60);
    let token = world.generator.text(32);
    let mut fields = record::with_defaults(checked, json!({}));
    fields.insert(
        "widget_url".to_owned(),
        format!("https://widget.sandbox.invalid/{token}").into(),
    );
    fields.insert("token".to_owned(), token.into());
    fields.insert(
        "expires_at".to_owned(),
        timestamp(call.now + minutes * 60).into(),
    );
    record::put(world, call, RecordKind::Widget, fields)
}
