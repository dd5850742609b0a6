//! Fields of a JSON body: what each must look like, and all complaints at once.

use serde_json::{Map, Value};

use crate::refused::{Complaints, Refused};

/// What a value must be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// Text of at most so many bytes, not blank.
    Text(usize),
    /// One of these texts.
    Choice(&'static [&'static str]),
    /// True or false, and not a text that looks like it.
    Flag,
    /// A whole number in a range.
    Whole(i64, i64),
    /// A number in a range, whole or not.
    Number(f64, f64),
    /// An object of at most so many bytes as JSON.
    Object(usize),
    /// A list of at most so many items, and at most 64 KiB as JSON.
    List(usize),
    /// An address that starts with `https://` or `http://`.
    Address,
    /// A day, `YYYY-MM-DD`.
    Date,
}

/// One field that a route knows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) required: bool,
}

pub(crate) const fn required(name: &'static str, kind: Kind) -> Field {
    Field {
        name,
        kind,
        required: true,
    }
}

pub(crate) const fn optional(name: &'static str, kind: Kind) -> Field {
    Field {
        name,
        kind,
        required: false,
    }
}

/// Values that passed their fields' checks; unknown members and nulls are left out.
#[derive(Debug)]
pub(crate) struct Checked(Map<String, Value>);

impl Checked {
    /// Checks a body that makes something new: what is required must be there.
    pub(crate) fn whole(body: &Map<String, Value>, fields: &[Field]) -> Result<Self, Refused> {
        Self::read(body, fields, true)
    }

    /// Checks a body that changes something: anything may be missing.
    pub(crate) fn part(body: &Map<String, Value>, fields: &[Field]) -> Result<Self, Refused> {
        Self::read(body, fields, false)
    }

    fn read(body: &Map<String, Value>, fields: &[Field], whole: bool) -> Result<Self, Refused> {
        let mut values = Map::new();
        let mut complaints = Complaints::new();
        for field in fields {
            let complaint = match body.get(field.name) {
                None | Some(Value::Null) if whole && field.required => {
                    Some("This field is required.".to_owned())
                }
                None | Some(Value::Null) => None,
                Some(value) => match complaint(field.kind, value) {
                    None => {
                        values.insert(field.name.to_owned(), value.clone());
                        None
                    }
                    some => some,
                },
            };
            if let Some(complaint) = complaint {
                complaints.insert(field.name.to_owned(), vec![complaint]);
            }
        }
        if complaints.is_empty() {
            Ok(Self(values))
        } else {
            Err(Refused::Invalid(complaints))
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    pub(crate) fn flag(&self, name: &str) -> Option<bool> {
        self.0.get(name).and_then(Value::as_bool)
    }

    pub(crate) fn into_map(self) -> Map<String, Value> {
        self.0
    }
}

fn complaint(kind: Kind, value: &Value) -> Option<String> {
    match kind {
        Kind::Text(most) => text_complaint(value, most),
        Kind::Choice(choices) => match value.as_str() {
            Some(text) if choices.contains(&text) => None,
            Some(text) => Some(not_a_choice(text)),
            None => Some("Not a valid string.".to_owned()),
        },
        Kind::Flag => (!value.is_boolean()).then(|| "Must be a valid boolean.".to_owned()),
        Kind::Whole(least, most) => match value.as_i64() {
            None => Some("A valid integer is required.".to_owned()),
            Some(number) if number < least => Some(format!(
                "Ensure this value is greater than or equal to {least}."
            )),
            Some(number) if number > most => Some(format!(
                "Ensure this value is less than or equal to {most}."
            )),
            Some(_) => None,
        },
        Kind::Number(least, most) => match value.as_f64() {
            None => Some("A valid number is required.".to_owned()),
            Some(number) if number < least => Some(format!(
                "Ensure this value is greater than or equal to {least}."
            )),
            Some(number) if number > most => Some(format!(
                "Ensure this value is less than or equal to {most}."
            )),
            Some(_) => None,
        },
        Kind::Object(most) => match value {
            Value::Object(_) => size_complaint(value, most),
            other => Some(format!(
                "Expected a dictionary of items but got type \"{}\".",
                type_of(other)
            )),
        },
        Kind::List(most) => match value {
            Value::Array(items) if items.len() > most => Some(format!(
                "Ensure this field has no more than {most} elements."
            )),
            Value::Array(_) => size_complaint(value, 64 * 1024),
            other => Some(format!(
                "Expected a list of items but got type \"{}\".",
                type_of(other)
            )),
        },
        Kind::Address => text_complaint(value, 2048).or_else(|| {
            let text = value.as_str().unwrap_or_default();
            let rest = text
                .strip_prefix("https://")
                .or_else(|| text.strip_prefix("http://"));
            let usable = rest.is_some_and(|rest| {
                !rest.is_empty() && !rest.starts_with('/') && !rest.contains(char::is_whitespace)
            });
            (!usable).then(|| "Enter a valid URL.".to_owned())
        }),
        Kind::Date => value
            .as_str()
            .and_then(crate::date::parse_date)
            .is_none()
            .then(|| {
                "Date has wrong format. Use one of these formats instead: YYYY-MM-DD.".to_owned()
            }),
    }
}

/// The complaint about a text that is none of the choices.
pub(crate) fn not_a_choice(text: &str) -> String {
    let shown: String = text.chars().take(100).collect();
    format!("\"{shown}\" is not a valid choice.")
}

fn text_complaint(value: &Value, most: usize) -> Option<String> {
    match value.as_str() {
        None => Some("Not a valid string.".to_owned()),
        Some(text) if text.trim().is_empty() => Some("This field may not be blank.".to_owned()),
        Some(text) if text.len() > most => Some(format!(
            "Ensure this field has no more than {most} characters."
        )),
        Some(_) => None,
    }
}

fn size_complaint(value: &Value, most: usize) -> Option<String> {
    (value.to_string().len() > most)
        .then(|| format!("Ensure this field has no more than {most} bytes as JSON."))
}

/// The name of a JSON type in the words of Didit's error bodies.
pub(crate) fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "str",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn complaint_about(kind: Kind, value: Value) -> Option<String> {
        let body = Map::from_iter([("x".to_owned(), value)]);
        match Checked::whole(&body, &[required("x", kind)]) {
            Ok(_) => None,
            Err(Refused::Invalid(map)) => map.get("x").and_then(|list| list.first()).cloned(),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn each_kind_takes_its_own_and_names_what_is_wrong() {
        let cases: &[(Kind, Value, Value, &str)] = &[
            (
                Kind::Text(3),
                json!("abc"),
                json!("abcd"),
                "Ensure this field has no more than 3 characters.",
            ),
            (
                Kind::Text(3),
                json!("a"),
                json!("  "),
                "This field may not be blank.",
            ),
            (Kind::Text(3), json!("a"), json!(1), "Not a valid string."),
            (
                Kind::Choice(&["a"]),
                json!("a"),
                json!("b"),
                "\"b\" is not a valid choice.",
            ),
            (
                Kind::Choice(&["a"]),
                json!("a"),
                json!([]),
                "Not a valid string.",
            ),
            (
                Kind::Flag,
                json!(true),
                json!("true"),
                "Must be a valid boolean.",
            ),
            (
                Kind::Whole(1, 5),
                json!(5),
                json!(6),
                "Ensure this value is less than or equal to 5.",
            ),
            (
                Kind::Whole(1, 5),
                json!(1),
                json!(0),
                "Ensure this value is greater than or equal to 1.",
            ),
            (
                Kind::Whole(1, 5),
                json!(1),
                json!(1.5),
                "A valid integer is required.",
            ),
            (
                Kind::Number(50.0, 60.0),
                json!(50.5),
                json!(49.99),
                "Ensure this value is greater than or equal to 50.",
            ),
            (
                Kind::Number(50.0, 60.0),
                json!(60),
                json!(61),
                "Ensure this value is less than or equal to 60.",
            ),
            (
                Kind::Number(50.0, 60.0),
                json!(55),
                json!("55"),
                "A valid number is required.",
            ),
            (
                Kind::Object(9),
                json!({"a": 1}),
                json!({"abc": 123}),
                "Ensure this field has no more than 9 bytes as JSON.",
            ),
            (
                Kind::Object(9),
                json!({}),
                json!([]),
                "Expected a dictionary of items but got type \"list\".",
            ),
            (
                Kind::List(1),
                json!([1]),
                json!([1, 2]),
                "Ensure this field has no more than 1 elements.",
            ),
            (
                Kind::List(1),
                json!([]),
                json!("a"),
                "Expected a list of items but got type \"str\".",
            ),
            (
                Kind::Address,
                json!("https://a.example/x"),
                json!("ftp://a.example"),
                "Enter a valid URL.",
            ),
            (
                Kind::Address,
                json!("http://a.example"),
                json!("https:///x"),
                "Enter a valid URL.",
            ),
            (
                Kind::Date,
                json!("2026-01-31"),
                json!("2026-02-31"),
                "Date has wrong format. Use one of these formats instead: YYYY-MM-DD.",
            ),
        ];
        for (kind, good, bad, why) in cases {
            assert_eq!(
                complaint_about(*kind, good.clone()),
                None,
                "{kind:?} {good}"
            );
            assert_eq!(
                complaint_about(*kind, bad.clone()).as_deref(),
                Some(*why),
                "{kind:?} {bad}"
            );
        }
    }

    #[test]
    fn what_is_required_may_be_missing_only_from_a_change() {
        let fields = [required("a", Kind::Flag), required("b", Kind::Flag)];
        let Err(Refused::Invalid(complaints)) = Checked::whole(&Map::new(), &fields) else {
            panic!("an empty body passed");
        };
        assert_eq!(complaints.len(), 2);
        assert_eq!(complaints["a"], ["This field is required."]);
        assert!(Checked::part(&Map::new(), &fields).is_ok());
    }
}
