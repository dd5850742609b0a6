//! Whether a rule holds for values that are known; what cannot be told is said to be unknown.

use serde_json::Value;

use super::compare::same;
use super::{Branch, Operator, Rule};

/// Whether a rule holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Met {
    /// It does.
    Yes,
    /// It does not.
    No,
    /// That cannot be told from here.
    Unknown,
}

impl Met {
    fn of(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }

    fn not(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            Self::Unknown => Self::Unknown,
        }
    }
}

/// Whether a rule holds for this value of its field; `None` when the value is not known.
///
/// Unknown are patterns and likeness, which only the API computes, values that stand for a field, a list or a date that is counted from today,
/// and texts that differ in nothing but their case.
pub fn rule_is_met(rule: &Rule, actual: Option<&Value>) -> Met {
    let literal = matches!(
        rule.rest.get("value_type").and_then(Value::as_str),
        None | Some("literal")
    );
    let operator = rule.operator.as_deref().and_then(Operator::parse);
    let (Some(operator), Some(actual)) = (operator, actual) else {
        return Met::Unknown;
    };
    match operator {
        Operator::IsEmpty => return Met::of(is_empty(actual)),
        Operator::IsNotEmpty => return Met::of(!is_empty(actual)),
        _ => {}
    }
    let Some(wanted) = rule.value.as_ref().filter(|_| literal) else {
        return Met::Unknown;
    };
    match operator {
        Operator::Equals => equal(actual, wanted),
        Operator::NotEquals => equal(actual, wanted).not(),
        Operator::In => among(actual, wanted),
        Operator::NotIn => among(actual, wanted).not(),
        Operator::Contains => contains(actual, wanted),
        Operator::NotContains => contains(actual, wanted).not(),
        Operator::GreaterThan => ordered(actual, wanted, |order| order.is_gt()),
        Operator::GreaterThanOrEquals => ordered(actual, wanted, |order| order.is_ge()),
        Operator::LessThan => ordered(actual, wanted, |order| order.is_lt()),
        Operator::LessThanOrEquals => ordered(actual, wanted, |order| order.is_le()),
        _ => Met::Unknown,
    }
}

impl Branch {
    /// Whether the branch is taken when each rule is as `met` says; a branch without rules always is.
    pub fn is_taken(&self, met: impl Fn(&Rule) -> Met) -> Met {
        let rules = self.rules.as_deref().unwrap_or_default();
        if rules.is_empty() {
            return Met::Yes;
        }
        // Kleene's logic: one rule decides when it can, whatever the others are.
        let (decides, otherwise) = match self.logic.as_deref() {
            None | Some("and") => (Met::No, Met::Yes),
            Some("or") => (Met::Yes, Met::No),
            Some(_) => return Met::Unknown,
        };
        let mut outcome = otherwise;
        for rule in rules {
            match met(rule) {
                found if found == decides => return decides,
                Met::Unknown => outcome = Met::Unknown,
                _ => {}
            }
        }
        outcome
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

fn equal(actual: &Value, wanted: &Value) -> Met {
    if same(actual, wanted) {
        return Met::Yes;
    }
    match (actual, wanted) {
        // Whether case counts is not published.
        (Value::String(a), Value::String(b)) if a.to_lowercase() == b.to_lowercase() => {
            Met::Unknown
        }
        (Value::String(_), Value::String(_)) => Met::No,
        _ if std::mem::discriminant(actual) == std::mem::discriminant(wanted) => Met::No,
        // "18" and 18: whether the API turns one into the other is not published.
        _ => Met::Unknown,
    }
}

fn among(actual: &Value, wanted: &Value) -> Met {
    let Value::Array(items) = wanted else {
        return Met::Unknown;
    };
    any(items.iter().map(|item| equal(actual, item)))
}

fn contains(actual: &Value, wanted: &Value) -> Met {
    match (actual, wanted) {
        (Value::String(text), Value::String(part)) if text.contains(part.as_str()) => Met::Yes,
        (Value::String(text), Value::String(part))
            if text.to_lowercase().contains(&part.to_lowercase()) =>
        {
            Met::Unknown
        }
        (Value::String(_), Value::String(_)) => Met::No,
        (Value::Array(items), wanted) => any(items.iter().map(|item| equal(item, wanted))),
        _ => Met::Unknown,
    }
}

fn any(each: impl Iterator<Item = Met>) -> Met {
    let mut outcome = Met::No;
    for met in each {
        match met {
            Met::Yes => return Met::Yes,
            Met::Unknown => outcome = Met::Unknown,
            Met::No => {}
        }
    }
    outcome
}

fn ordered(actual: &Value, wanted: &Value, holds: impl Fn(std::cmp::Ordering) -> bool) -> Met {
    let order = match (actual, wanted) {
        (Value::Number(a), Value::Number(b)) => match (a.as_f64(), b.as_f64()) {
            (Some(a), Some(b)) => a.partial_cmp(&b),
            _ => None,
        },
        // Dates of one form are in the order of their text.
        (Value::String(a), Value::String(b)) if is_date(a) && is_date(b) => Some(a.cmp(b)),
        _ => None,
    };
    order.map_or(Met::Unknown, |order| Met::of(holds(order)))
}

fn is_date(text: &str) -> bool {
    let form = |(at, byte): (usize, u8)| match at {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    };
    text.len() == 10 && text.bytes().enumerate().all(form)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn met(rule: Value, actual: Option<Value>) -> Met {
        rule_is_met(&Rule::parse(rule, "rule").unwrap(), actual.as_ref())
    }

    #[test]
    fn each_operator_compares() {
        let cases = [
            ("equals", json!(18), json!(18.0), Met::Yes),
            ("equals", json!("ESP"), json!("PRT"), Met::No),
            ("equals", json!("esp"), json!("ESP"), Met::Unknown),
            ("equals", json!("18"), json!(18), Met::Unknown),
            ("not_equals", json!(1), json!(2), Met::Yes),
            ("not_equals", json!("a"), json!("A"), Met::Unknown),
            ("greater_than", json!(19), json!(18), Met::Yes),
            ("greater_than", json!(18), json!(18), Met::No),
            ("greater_than", json!("19"), json!(18), Met::Unknown),
            ("greater_than_or_equals", json!(18), json!(18), Met::Yes),
            (
                "less_than",
                json!("2001-02-03"),
                json!("2008-01-01"),
                Met::Yes,
            ),
            (
                "less_than",
                json!("2001-2-3"),
                json!("2008-01-01"),
                Met::Unknown,
            ),
            ("less_than_or_equals", json!(2), json!(1), Met::No),
            ("contains", json!("abc"), json!("b"), Met::Yes),
            ("contains", json!("ABC"), json!("b"), Met::Unknown),
            ("contains", json!(["a"]), json!("a"), Met::Yes),
            ("contains", json!(1), json!("a"), Met::Unknown),
            ("not_contains", json!("abc"), json!("x"), Met::Yes),
            ("in", json!("ESP"), json!(["PRT", "ESP"]), Met::Yes),
            ("in", json!("esp"), json!(["PRT", "ESP"]), Met::Unknown),
            ("in", json!("FRA"), json!("FRA"), Met::Unknown),
            ("not_in", json!("FRA"), json!(["PRT", "ESP"]), Met::Yes),
            ("is_empty", json!(""), json!(null), Met::Yes),
            ("is_empty", json!(0), json!(null), Met::No),
            ("is_not_empty", json!([1]), json!(null), Met::Yes),
            ("regex", json!("a"), json!("a"), Met::Unknown),
            ("fuzzy_match", json!("a"), json!("a"), Met::Unknown),
            ("looks_like", json!("a"), json!("a"), Met::Unknown),
        ];
        for (operator, actual, value, want) in cases {
            let rule = json!({"field": "f", "operator": operator, "value": value});
            assert_eq!(
                met(rule, Some(actual.clone())),
                want,
                "{actual} {operator} {value}"
            );
        }
    }

    #[test]
    fn what_is_not_known_is_unknown() {
        assert_eq!(
            met(json!({"operator": "equals", "value": 1}), None),
            Met::Unknown
        );
        assert_eq!(met(json!({"operator": "is_empty"}), None), Met::Unknown);
        assert_eq!(
            met(json!({"operator": "equals"}), Some(json!(1))),
            Met::Unknown
        );
        for kind in ["field", "list", "relative_date"] {
            let rule = json!({"operator": "equals", "value": 1, "value_type": kind});
            assert_eq!(met(rule, Some(json!(1))), Met::Unknown);
        }
    }

    #[test]
    fn rules_go_together_by_the_logic() {
        use Met::{No, Unknown, Yes};
        let taken = |logic: Value, mets: &[Met]| {
            let rules: Vec<Value> = (0..mets.len())
                .map(|n| json!({"field": n.to_string()}))
                .collect();
            let branch = Branch::parse(json!({"logic": logic, "rules": rules}), "b").unwrap();
            branch.is_taken(|rule| mets[rule.field.as_deref().unwrap().parse::<usize>().unwrap()])
        };
        for (logic, mets, want) in [
            (json!("and"), &[Yes, Yes][..], Yes),
            (json!(null), &[Yes, No], No),
            (json!("and"), &[Unknown, No], No),
            (json!("and"), &[Unknown, Yes], Unknown),
            (json!("or"), &[No, Yes], Yes),
            (json!("or"), &[Unknown, Yes], Yes),
            (json!("or"), &[Unknown, No], Unknown),
            (json!("or"), &[No, No], No),
            (json!("xor"), &[Yes, Yes], Unknown),
            (json!("or"), &[], Yes),
        ] {
            assert_eq!(taken(logic.clone(), mets), want, "{logic} {mets:?}");
        }
    }
}
