//! Rules about transactions: whether one holds, and what it then does.

use std::collections::BTreeSet;

use serde_json::Value;

/// A transaction as rules see it: its fields, and when it was.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen<'t> {
    pub(crate) fields: &'t Value,
    pub(crate) at: u64,
}

/// A value by the names that lead to it, with dots between them.
fn at<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    let found = path
        .split('.')
        .try_fold(value, |value, name| value.get(name))?;
    (!found.is_null()).then_some(found)
}

/// A number, also where it is written as text.
fn number(value: &Value) -> Option<f64> {
    value
        .as_f64()
        .or_else(|| value.as_str()?.trim().parse().ok())
        .filter(|number: &f64| number.is_finite())
}

/// Whether two values are the same; amounts may be text or numbers.
fn same(left: &Value, right: &Value) -> bool {
    left == right
        || match (number(left), number(right)) {
            (Some(left), Some(right)) => left == right,
            _ => false,
        }
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_lowercase)
}

/// Whether one condition holds. An operator that the sandbox does not know holds for nothing.
fn holds(condition: &Value, transaction: &Value) -> bool {
    let field = condition
        .get("field")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let operator = condition
        .get("operator")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let wanted = condition.get("value").unwrap_or(&Value::Null);
    let found = at(transaction, field);
    let among = |found: &Value| {
        wanted
            .as_array()
            .is_some_and(|list| list.iter().any(|item| same(item, found)))
    };
    match operator {
        "exists" | "is_not_null" => found.is_some(),
        "not_exists" | "is_null" => found.is_none(),
        "is_empty" => found.is_none_or(is_empty),
        "is_not_empty" => found.is_some_and(|found| !is_empty(found)),
        "ne" => !found.is_some_and(|found| same(found, wanted)),
        "not_in" => !found.is_some_and(among),
        "not_contains" => !found.is_some_and(|found| text(found).contains(&text(wanted))),
        _ => found.is_some_and(|found| match operator {
            "eq" => same(found, wanted),
            "in" => among(found),
            "contains" => text(found).contains(&text(wanted)),
            "contains_any" => wanted
                .as_array()
                .is_some_and(|list| list.iter().any(|item| text(found).contains(&text(item)))),
            // Only equality of what is left when case and punctuation are gone.
            "fuzzy_match" => bare(found) == bare(wanted),
            _ => compared(found, operator, wanted),
        }),
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

fn bare(value: &Value) -> String {
    text(value)
        .chars()
        .filter(|character| character.is_alphanumeric())
        .collect()
}

fn compared(found: &Value, operator: &str, wanted: &Value) -> bool {
    let (Some(found), Some(wanted)) = (number(found), number(wanted)) else {
        return false;
    };
    match operator {
        "gt" => found > wanted,
        "gte" => found >= wanted,
        "lt" => found < wanted,
        "lte" => found <= wanted,
        "eq" => found == wanted,
        "ne" => found != wanted,
        _ => false,
    }
}

/// Seconds in a window such as `24h`.
fn window(text: &str) -> Option<u64> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let unit = match unit {
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(unit)
}

/// Whether the aggregation of a rule holds over the transactions of the same subject in its window, this one with them.
fn aggregated(aggregation: &Value, transaction: Seen<'_>, others: &[Seen<'_>]) -> bool {
    let get = |name: &str| {
        aggregation
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let Some(window) = window(get("window")) else {
        return false;
    };
    let subject = at(transaction.fields, "subject.vendor_data");
    let within = |other: &&Seen<'_>| {
        other.at <= transaction.at
            && transaction.at - other.at < window
            && at(other.fields, "subject.vendor_data") == subject
    };
    let field = get("field");
    let values: Vec<&Value> = others
        .iter()
        .filter(within)
        .chain([&transaction])
        .filter_map(|row| {
            if field.is_empty() {
                Some(row.fields)
            } else {
                at(row.fields, field)
            }
        })
        .collect();
    let numbers = || values.iter().filter_map(|value| number(value));
    let measured = match get("metric") {
        "count" => values.len() as f64,
        "distinct_count" | "unique_count" => values
            .iter()
            .map(|value| value.to_string())
            .collect::<BTreeSet<String>>()
            .len() as f64,
        "sum" => numbers().sum(),
        "avg" => numbers().sum::<f64>() / (numbers().count().max(1) as f64),
        "max" => numbers().fold(f64::MIN, f64::max),
        "min" => numbers().fold(f64::MAX, f64::min),
        _ => return false,
    };
    let wanted = aggregation.get("value").unwrap_or(&Value::Null);
    compared(&Value::from(measured), get("operator"), wanted)
}

/// Whether a rule holds for a transaction, among the others of its application.
pub(crate) fn matches(rule: &Value, transaction: Seen<'_>, others: &[Seen<'_>]) -> bool {
    let any = rule.get("evaluation_mode").and_then(Value::as_str) == Some("ANY");
    let scope = |name: &str, path: &str| {
        let allowed = rule
            .get("scope")
            .and_then(|scope| scope.get(name)?.as_array());
        allowed.is_none_or(|allowed| {
            let found = at(transaction.fields, path).map(text).unwrap_or_default();
            allowed.is_empty() || allowed.iter().any(|item| text(item) == found)
        })
    };
    if !scope("transaction_types", "transaction_category")
        || !scope("directions", "transaction_details.direction")
    {
        return false;
    }
    let conditions = rule.get("conditions").and_then(Value::as_array);
    let held: Vec<bool> = conditions
        .into_iter()
        .flatten()
        .map(|condition| holds(condition, transaction.fields))
        .chain(
            rule.get("aggregation")
                .filter(|aggregation| aggregation.is_object())
                .map(|aggregation| aggregated(aggregation, transaction, others)),
        )
        .collect();
    // A rule that asks for nothing holds for nothing.
    !held.is_empty()
        && if any {
            held.contains(&true)
        } else {
            !held.contains(&false)
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn one(amount: &str) -> Value {
        json!({
            "transaction_category": "finance",
            "transaction_details": { "direction": "INBOUND", "amount": amount, "currency": "EUR", "note": "" },
            "subject": { "vendor_data": "c-1", "full_name": "Anna  O'Neill" },
        })
    }

    fn says(condition: Value) -> bool {
        let transaction = one("100.50");
        let rule = json!({ "conditions": [condition] });
        matches(
            &rule,
            Seen {
                fields: &transaction,
                at: 1_000,
            },
            &[],
        )
    }

    #[test]
    fn each_operator_holds_where_it_should_and_not_elsewhere() {
        let amount = "transaction_details.amount";
        for (field, operator, yes, no) in [
            (amount, "eq", json!(100.5), json!(100)),
            (amount, "ne", json!(100), json!("100.5")),
            (amount, "gt", json!(100), json!(100.5)),
            (amount, "gte", json!(100.5), json!(101)),
            (amount, "lt", json!(101), json!(100.5)),
            (amount, "lte", json!(100.5), json!(100)),
            (
                "transaction_details.currency",
                "in",
                json!(["EUR", "USD"]),
                json!(["USD"]),
            ),
            (
                "transaction_details.currency",
                "not_in",
                json!(["USD"]),
                json!(["EUR"]),
            ),
            ("subject.full_name", "contains", json!("anna"), json!("bob")),
            (
                "subject.full_name",
                "not_contains",
                json!("bob"),
                json!("anna"),
            ),
            (
                "subject.full_name",
                "contains_any",
                json!(["bob", "neill"]),
                json!(["bob"]),
            ),
            (
                "subject.full_name",
                "fuzzy_match",
                json!("anna oneill"),
                json!("anna o"),
            ),
        ] {
            let condition = |value| json!({ "field": field, "operator": operator, "value": value });
            assert!(says(condition(yes)), "{operator}");
            assert!(!says(condition(no)), "{operator}");
        }
        for (operator, there, empty, gone) in [
            ("exists", true, true, false),
            ("is_not_null", true, true, false),
            ("not_exists", false, false, true),
            ("is_null", false, false, true),
            ("is_empty", false, true, true),
            ("is_not_empty", true, false, false),
            ("regex", false, false, false),
        ] {
            for (field, expected) in [
                ("subject.vendor_data", there),
                ("transaction_details.note", empty),
                ("subject.x", gone),
            ] {
                assert_eq!(
                    says(json!({ "field": field, "operator": operator })),
                    expected,
                    "{operator} {field}"
                );
            }
        }
    }

    #[test]
    fn conditions_scopes_and_windows_are_put_together() {
        let (transaction, other) = (one("60"), one("50"));
        let seen = |at| Seen {
            fields: &transaction,
            at,
        };
        let sum = |limit: u64, window: &str| {
            json!({ "aggregation": {
            "metric": "sum", "field": "transaction_details.amount", "operator": "gte", "value": limit, "window": window,
        } })
        };
        let before = [Seen {
            fields: &other,
            at: 1_000,
        }];
        assert!(matches(&sum(110, "1h"), seen(4_599), &before));
        assert!(!matches(&sum(110, "1h"), seen(4_600), &before));
        assert!(!matches(&sum(111, "1h"), seen(1_000), &before));
        assert!(!matches(&sum(1, "1w"), seen(1_000), &before));
        for (metric, value) in [
            ("count", 2),
            ("max", 60),
            ("min", 50),
            ("avg", 55),
            ("distinct_count", 2),
        ] {
            let rule = json!({ "aggregation": {
                "metric": metric, "field": "transaction_details.amount", "operator": "eq", "value": value, "window": "1d",
            } });
            assert!(matches(&rule, seen(1_000), &before), "{metric}");
        }
        let (yes, no) = (
            json!({ "field": "subject.vendor_data", "operator": "exists" }),
            json!({ "field": "x", "operator": "exists" }),
        );
        assert!(!matches(&json!({ "conditions": [yes, no] }), seen(0), &[]));
        assert!(matches(
            &json!({ "conditions": [yes, no], "evaluation_mode": "ANY" }),
            seen(0),
            &[]
        ));
        assert!(!matches(&json!({ "conditions": [] }), seen(0), &[]));
        assert!(!matches(
            &json!({ "conditions": [yes], "scope": { "directions": ["OUTBOUND"] } }),
            seen(0),
            &[]
        ));
        assert!(matches(
            &json!({ "conditions": [yes], "scope": { "directions": ["INBOUND"], "transaction_types": [] } }),
            seen(0),
            &[]
        ));
    }
}
