//! Rules about transactions: one's own, those of the library, and trying one on the past.

use serde_json::{Map, Value, json};

use super::record::{self, Resource};
use super::transaction::shown_all;
use super::{Answer, Call, Outcome};
use crate::date::DAY;
use crate::field::{Checked, Field, Kind, optional, required};
use crate::record::{Record, RecordKind};
use crate::refused::Refused;
use crate::rule::{self, Seen};
use crate::world::World;

const MODES: &[&str] = &["ACTIVE", "DISABLED", "TEST"];
const CONDITIONS: Field = optional("conditions", Kind::List(50));
const AGGREGATION: Field = optional("aggregation", Kind::Object(4_096));
const EVALUATION: Field = optional("evaluation_mode", Kind::Choice(&["ALL", "ANY"]));
const SCOPE: Field = optional("scope", Kind::Object(4_096));

pub(super) static RULES: Resource = Resource {
    kind: RecordKind::Rule,
    param: "rule_uuid",
    fields: &[
        required("title", Kind::Text(200)),
        required("category", Kind::Text(64)),
        required("mode", Kind::Choice(MODES)),
        required("actions", Kind::List(20)),
        optional("description", Kind::Text(2_000)),
        EVALUATION,
        SCOPE,
        CONDITIONS,
        AGGREGATION,
        optional("metadata", Kind::Object(4_096)),
    ],
    fixed: &[],
    defaults: || {
        json!({
            "description": "",
            "evaluation_mode": "ALL",
            "scope": {},
            "conditions": [],
            "aggregation": null,
            "metadata": {},
            "source": "CUSTOM",
            "bundle": null,
            "library_key": null,
        })
    },
    filters: &[
        ("source", &["CUSTOM", "PRESET"]),
        ("category", &[]),
        ("mode", MODES),
        ("bundle", &[]),
    ],
    searched: &["title", "description"],
};

pub(super) fn backtest(world: &mut World, call: &Call) -> Outcome {
    let fields = [
        CONDITIONS,
        AGGREGATION,
        EVALUATION,
        SCOPE,
        optional("period_days", Kind::Whole(1, 365)),
    ];
    let checked = Checked::part(&call.body, &fields)?;
    let days = checked
        .get("period_days")
        .and_then(Value::as_u64)
        .unwrap_or(30);
    let rule = Value::Object(checked.into_map());
    let kept = shown_all(world, call.application()?);
    let all: Vec<Seen<'_>> = kept
        .iter()
        .map(|(fields, at)| Seen { fields, at: *at })
        .collect();
    let from = call.now.saturating_sub(days * DAY);
    let (mut tried, mut matched) = (0_u64, Vec::new());
    for (index, seen) in all.iter().enumerate().filter(|(_, seen)| seen.at >= from) {
        tried += 1;
        let others: Vec<Seen<'_>> = all
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != index)
            .map(|(_, seen)| *seen)
            .collect();
        if rule::matches(&rule, *seen, &others) {
            matched.push(
                seen.fields
                    .get("transaction_id")
                    .cloned()
                    .unwrap_or_default(),
            );
        }
    }
    Ok(Answer::ok(json!({
        "period_days": days,
        "evaluated": tried,
        "matched": matched.len(),
        "sample": matched.into_iter().take(10).collect::<Vec<Value>>(),
    })))
}

/// Key, bundle, category, title, and the amount from which it adds to the score.
const LIBRARY: &[(&str, &str, &str, &str, u64)] = &[
    ("large_amount", "basics", "amount", "Large amount", 5_000),
    (
        "very_large_amount",
        "basics",
        "amount",
        "Very large amount",
        8_000,
    ),
    (
        "rapid_succession",
        "velocity",
        "velocity",
        "Many in a short time",
        0,
    ),
    (
        "daily_volume",
        "velocity",
        "velocity",
        "High volume in a day",
        10_000,
    ),
    (
        "weekly_volume",
        "velocity",
        "velocity",
        "High volume in a week",
        25_000,
    ),
];

fn library_row(row: &(&str, &str, &str, &str, u64)) -> Map<String, Value> {
    let (key, bundle, category, title, amount) = row;
    let sum = |window: &str| json!({ "metric": "sum", "field": "transaction_details.amount", "operator": "gte", "value": amount, "window": window });
    let aggregation = match *key {
        "rapid_succession" => {
            json!({ "metric": "count", "operator": "gte", "value": 5, "window": "1h" })
        }
        "daily_volume" => sum("1d"),
        "weekly_volume" => sum("7d"),
        _ => Value::Null,
    };
    let conditions = if aggregation.is_null() {
        json!([{ "field": "transaction_details.amount", "operator": "gte", "value": amount }])
    } else {
        json!([])
    };
    let mut fields = match (RULES.defaults)() {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    for (name, value) in [
        ("library_key", json!(key)),
        ("bundle", json!(bundle)),
        ("category", json!(category)),
        ("title", json!(title)),
        ("mode", json!("ACTIVE")),
        ("source", json!("PRESET")),
        ("conditions", conditions),
        ("aggregation", aggregation),
        ("actions", json!([{ "type": "add_score", "value": 40 }])),
    ] {
        fields.insert(name.to_owned(), value);
    }
    fields
}

fn installed(world: &World, application: usize, key: &str) -> bool {
    let mut rows = world.records(RecordKind::Rule).iter();
    rows.any(|row| row.application == application && record::text(row, "library_key") == Some(key))
}

pub(super) fn library(world: &mut World, call: &Call) -> Outcome {
    let application = call.application()?;
    let search = call.query.search();
    let rows: Vec<Value> = LIBRARY
        .iter()
        .filter(|(_, bundle, category, title, _)| {
            call.query
                .get("bundle")
                .is_none_or(|wanted| wanted == *bundle)
                && call
                    .query
                    .get("category")
                    .is_none_or(|wanted| wanted == *category)
                && Call::finds(search.as_deref(), &[Some(title)])
        })
        .map(|row| {
            let mut fields = library_row(row);
            fields.insert(
                "installed".to_owned(),
                installed(world, application, row.0).into(),
            );
            Value::Object(fields)
        })
        .collect();
    Ok(Answer::ok(call.query.page(&rows, Value::clone)?))
}

/// The rules of the library that the body names: by their keys, or all of a bundle.
fn chosen(call: &Call) -> Result<Vec<&'static str>, Refused> {
    let fields = [
        optional("library_keys", Kind::List(50)),
        optional("bundle", Kind::Text(64)),
    ];
    let checked = Checked::part(&call.body, &fields)?;
    let keys = super::vendor::texts(&checked, "library_keys")?;
    let bundle = checked.text("bundle");
    if keys.is_empty() == bundle.is_none() {
        let why = "Give either library_keys or bundle.";
        return Err(Refused::field("non_field_errors", why));
    }
    if let Some(unknown) = keys
        .iter()
        .find(|key| LIBRARY.iter().all(|row| row.0 != key.as_str()))
    {
        return Err(Refused::field(
            "library_keys",
            crate::field::not_a_choice(unknown),
        ));
    }
    let found: Vec<&'static str> = LIBRARY
        .iter()
        .filter(|row| keys.contains(row.0) || bundle == Some(row.1))
        .map(|row| row.0)
        .collect();
    match (found.is_empty(), bundle) {
        (true, Some(bundle)) => Err(Refused::field("bundle", crate::field::not_a_choice(bundle))),
        _ => Ok(found),
    }
}

pub(super) fn install(world: &mut World, call: &Call) -> Outcome {
    let application = call.application()?;
    let mut made = Vec::new();
    for key in chosen(call)? {
        let row = LIBRARY
            .iter()
            .find(|row| row.0 == key)
            .filter(|_| !installed(world, application, key));
        if let Some(row) = row {
            record::put(world, call, RecordKind::Rule, library_row(row))?;
            made.push(key);
        }
    }
    Ok(Answer::created(json!({ "installed": made })))
}

pub(super) fn uninstall(world: &mut World, call: &Call) -> Outcome {
    let keys = chosen(call)?;
    let of_library =
        |row: &Record| record::text(row, "library_key").is_some_and(|key| keys.contains(&key));
    let gone = world.remove_records(RecordKind::Rule, call.application()?, of_library);
    Ok(Answer::ok(json!({ "uninstalled": gone })))
}
