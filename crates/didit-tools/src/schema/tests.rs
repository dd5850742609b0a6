//! The schema and the check say the same.

use serde_json::{Value, json};

use super::check::Reading;
use super::*;
use crate::outcome::Failure;

const OPEN: Shape = Shape::Object {
    properties: &[],
    closed: false,
};
const FEATURE: Shape = Shape::Object {
    properties: &[
        Argument::new("feature", Shape::Choice(&["OCR", "AML"]), "Which check.").required(),
        Argument::new("config", OPEN, "Its settings."),
    ],
    closed: false,
};
const ARGUMENTS: &[Argument] = &[
    Argument::new("id", Shape::Text, "The id.").required(),
    Argument::new("limit", Shape::CountText, "How many."),
    Argument::new("kind", Shape::Choice(&["a", "b"]), "Which kind."),
    Argument::new("days", Shape::Number(Bounds::NONE), "How many days."),
    Argument::new("confirm", Shape::Boolean, "A yes."),
    Argument::new(
        "features",
        Shape::List {
            of: &FEATURE,
            at_least: 1,
            at_most: None,
        },
        "The checks.",
    ),
];

const READING: Reading = Reading {
    drop_blank: true,
    open: false,
};

fn check(given: Value) -> Result<Checked, Failure> {
    Checked::new(ARGUMENTS, given.as_object(), READING)
}

fn refused(given: Value) -> String {
    check(given).unwrap_err().text()
}

#[test]
fn the_schema_says_what_the_check_does() {
    assert_eq!(
        input_schema(ARGUMENTS, false, &[]),
        json!({
            "type": "object",
            "additionalProperties": false,
            "required": ["id"],
            "properties": {
                "id": {"type": "string", "description": "The id."},
                "limit": {"type": "string", "description": "How many."},
                "kind": {"type": "string", "enum": ["a", "b"], "description": "Which kind."},
                "days": {"type": "number", "description": "How many days."},
                "confirm": {"type": "boolean", "description": "A yes."},
                "features": {
                    "type": "array", "minItems": 1, "description": "The checks.",
                    "items": {
                        "type": "object", "required": ["feature"],
                        "properties": {
                            "feature": {"type": "string", "enum": ["OCR", "AML"], "description": "Which check."},
                            "config": {"type": "object", "description": "Its settings."},
                        },
                    },
                },
            },
        })
    );
    assert_eq!(
        input_schema(&[], false, &[]),
        json!({"type": "object", "additionalProperties": false})
    );
}

#[test]
fn what_fits_is_kept() {
    let checked = check(json!({
        "id": "x", "limit": "20", "kind": "a", "days": 1.5, "confirm": false,
        "features": [{"feature": "OCR", "config": {"a": [1]}, "label": "more"}],
    }))
    .unwrap();
    assert_eq!(checked.text("id"), Some("x"));
    assert_eq!(checked.number("days"), Some(1.5));
    assert!(!checked.is_true("confirm"));
    assert_eq!(checked.iter().count(), 6);
}

#[test]
fn null_and_blank_optional_arguments_are_dropped() {
    let checked = check(json!({"id": "x", "kind": null, "limit": " "})).unwrap();
    assert_eq!(checked.iter().count(), 1);
    let kept = json!({"id": "x", "limit": " "});
    let error = Checked::new(ARGUMENTS, kept.as_object(), Reading::default()).unwrap_err();
    assert!(error.text().contains("Field: limit"));
}

#[test]
fn a_refusal_names_the_argument_what_was_wrong_and_the_remedy() {
    for (given, want) in [
        (
            json!({}),
            "Error [bad_request]: id is missing\nField: id\nHint: Send text. The id.",
        ),
        (
            json!({"id": null}),
            "Error [bad_request]: id is missing\nField: id\nHint: Send text. The id.",
        ),
        (
            json!({"id": "  "}),
            "Error [bad_request]: id is blank\nField: id\nHint: Send text. The id.",
        ),
        (
            json!({"id": 7}),
            "Error [bad_request]: id is a number, not text\nField: id\nHint: Send text. The id.",
        ),
        (
            json!({"id": {}}),
            "Error [bad_request]: id is an object, not text\nField: id\nHint: Send text. The id.",
        ),
        (
            json!({"id": "x", "limit": 20}),
            "Error [bad_request]: limit is a number, not a whole number written as text, such as \"20\"\nField: limit\nHint: Send a whole number written as text, such as \"20\". How many.",
        ),
        (
            json!({"id": "x", "limit": "-1"}),
            "Error [bad_request]: limit is text that is not a whole number\nField: limit\nHint: Send a whole number written as text, such as \"20\". How many.",
        ),
        (
            json!({"id": "x", "kind": "c"}),
            "Error [unprocessable]: kind has a value that is not allowed\nField: kind\nHint: Choose one of the allowed values. Which kind.\nAllowed: a, b",
        ),
        (
            json!({"id": "x", "days": "3"}),
            "Error [bad_request]: days is text, not a number\nField: days\nHint: Send a number. How many days.",
        ),
        (
            json!({"id": "x", "confirm": "true"}),
            "Error [bad_request]: confirm is text, not a boolean\nField: confirm\nHint: Send true or false, not as text. A yes.",
        ),
        (
            json!({"id": "x", "features": []}),
            "Error [bad_request]: features needs at least 1 item(s)\nField: features\nHint: Send a list. The checks.",
        ),
        (
            json!({"id": "x", "features": ["OCR"]}),
            "Error [bad_request]: features[0] is text, not an object\nField: features[0]\nHint: Send an object. The checks.",
        ),
        (
            json!({"id": "x", "features": [{"feature": "OCR"}, {"config": {}}]}),
            "Error [bad_request]: features[1].feature is missing\nField: features[1].feature\nHint: Send text. Which check.",
        ),
        (
            json!({"id": "x", "features": [{"feature": "NFT"}]}),
            "Error [unprocessable]: features[0].feature has a value that is not allowed\nField: features[0].feature\nHint: Choose one of the allowed values. Which check.\nAllowed: OCR, AML",
        ),
        (
            json!({"id": "x", "acess_token": "secret"}),
            "Error [bad_request]: the tool has no argument acess_token\nField: acess_token\nHint: Leave it out.\nAllowed: id, limit, kind, days, confirm, features",
        ),
    ] {
        assert_eq!(refused(given), want);
    }
}

const HALF: Shape = Shape::TextWithin(4);
const FULL: &[Argument] = &[
    Argument::new(
        "amount",
        Shape::Number(Bounds::new(Some(50.0), Some(100.0))),
        "50 to 100.",
    ),
    Argument::new(
        "wait",
        Shape::Integer(Bounds::new(Some(0.0), None)),
        "Seconds.",
    )
    .default("5"),
    Argument::new("name", Shape::OrNull(&HALF), "A name."),
    Argument::new("window", Shape::Window, "A span."),
    Argument::new("value", Shape::Any, "Anything."),
    Argument::new(
        "rule",
        Shape::Object {
            properties: &[Argument::new("on", Shape::Boolean, "")],
            closed: true,
        },
        "A rule.",
    ),
    Argument::new(
        "ids",
        Shape::List {
            of: &Shape::Integer(Bounds::NONE),
            at_least: 0,
            at_most: Some(2),
        },
        "Ids.",
    ),
    Argument::new("path", Shape::Text, "A path.").stdio_only(),
];

#[test]
fn bounds_defaults_nulls_patterns_and_closed_objects_are_in_the_schema() {
    assert_eq!(
        input_schema(FULL, true, &["ids", "name"]),
        json!({
            "type": "object",
            "additionalProperties": true,
            "anyOf": [{"required": ["ids"]}, {"required": ["name"]}],
            "properties": {
                "amount": {"type": "number", "minimum": 50, "maximum": 100, "description": "50 to 100."},
                "wait": {"type": "integer", "minimum": 0, "default": 5, "description": "Seconds."},
                "name": {"type": ["string", "null"], "maxLength": 4, "description": "A name."},
                "window": {"type": "string", "pattern": r"^\d+[mhd]$", "description": "A span."},
                "value": {"description": "Anything."},
                "rule": {
                    "type": "object", "additionalProperties": false, "description": "A rule.",
                    "properties": {"on": {"type": "boolean"}},
                },
                "ids": {"type": "array", "items": {"type": "integer"}, "maxItems": 2, "description": "Ids."},
                "path": {"type": "string", "description": "A path."},
            },
        })
    );
}

#[test]
fn each_of_them_is_checked() {
    let read = |given: &Value| Checked::new(FULL, given.as_object(), READING);
    let fits = json!({
        "amount": 50, "wait": 60, "name": null, "window": "12h", "value": [1, {"a": null}],
        "rule": {"on": true}, "ids": [1, 2.0],
    });
    assert_eq!(read(&fits).unwrap().iter().count(), 7);
    for (given, want) in [
        (
            json!({"amount": 49.9}),
            "Error [unprocessable]: amount is less than 50\nField: amount\nHint: 50 to 100.",
        ),
        (
            json!({"amount": 101}),
            "Error [unprocessable]: amount is more than 100\nField: amount\nHint: 50 to 100.",
        ),
        (
            json!({"wait": -1}),
            "Error [unprocessable]: wait is less than 0\nField: wait\nHint: Seconds.",
        ),
        (
            json!({"wait": 1.5}),
            "Error [bad_request]: wait is not a whole number\nField: wait\nHint: Send a whole number. Seconds.",
        ),
        (
            json!({"name": "abcde"}),
            "Error [bad_request]: name is longer than 4 characters\nField: name\nHint: Send text. A name.",
        ),
        (
            json!({"name": 1}),
            "Error [bad_request]: name is a number, not text\nField: name\nHint: Send text. A name.",
        ),
        (
            json!({"window": "12"}),
            "Error [bad_request]: window is not a span of time\nField: window\nHint: Send a span of time as text, such as 30m, 12h or 7d. A span.",
        ),
        (
            json!({"rule": {"of": true}}),
            "Error [bad_request]: rule has no property of\nField: rule.of\nHint: Leave it out.\nAllowed: on",
        ),
        (
            json!({"ids": [1, 2, 3]}),
            "Error [bad_request]: ids has more than 2 items\nField: ids\nHint: Send a list. Ids.",
        ),
        (
            json!({"path": "x".repeat(70_000)}),
            "Error [bad_request]: path is longer than 64 KiB\nField: path\nHint: Send text. A path.",
        ),
    ] {
        assert_eq!(read(&given).unwrap_err().text(), want);
    }
}

#[test]
fn nothing_is_deeper_than_the_bound() {
    let deep = |levels: usize| (0..levels).fold(json!(1), |inner, _| json!([inner]));
    for name in ["value", "rule", "config"] {
        let given = json!({ name: deep(40) });
        let reading = Reading {
            open: true,
            ..READING
        };
        let why = Checked::new(FULL, given.as_object(), reading)
            .unwrap_err()
            .text();
        assert!(why.contains("too deeply") || name == "rule", "{why}");
    }
    let fine = json!({"value": deep(20)});
    assert!(Checked::new(FULL, fine.as_object(), READING).is_ok());
}

#[test]
fn an_open_tool_takes_other_names_that_may_be_fields() {
    let reading = Reading {
        open: true,
        ..READING
    };
    let read = |given: &Value| Checked::new(FULL, given.as_object(), reading);
    let checked = read(&json!({"title": "t", "amount": 60})).unwrap();
    assert_eq!(checked.text("title"), Some("t"));
    assert!(checked.says_something("title") && !checked.says_something("ids"));
    for name in ["a.b", "a b", "", "\u{202e}"] {
        let why = read(&json!({ name: 1 })).unwrap_err().text();
        assert!(why.contains("the tool has no argument"), "{why}");
    }
    let many: serde_json::Map<String, Value> =
        (0..65).map(|n| (format!("a{n}"), json!(1))).collect();
    let why = read(&Value::Object(many)).unwrap_err().text();
    assert!(why.contains("more than 64 arguments"), "{why}");
}
