//! What must hold for any bytes at all. The fuzz targets call these, and so does an ordinary test with the corpus.

use didit_client::model::Decision;
use didit_client::webhook::{self as hooks, Receiver, Recipe, Repeats, Secrets};
use didit_client::{ApiError, Call, FileKind, Pager, Secret, operation};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::Value;

/// The name of a target, and what must hold for any bytes.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: [Target; 5] = [
    ("canonical", canonical),
    ("decision", decision),
    ("error", error),
    ("pages", pages),
    ("webhook", webhook),
];

/// The canonical form of a text means what the text means, and is its own form.
pub fn canonical(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let Ok(form) = hooks::canonical(text) else {
        return;
    };
    assert_eq!(hooks::canonical(&form).as_ref(), Ok(&form));
    let read: Value = serde_json::from_str(text).expect("what has a form is JSON");
    let again: Value = serde_json::from_str(&form).expect("the form is JSON");
    assert!(same(&read, &again), "{form}");
    assert!(!form.contains(['\n', '\r', '\t']));
}

/// Equal, but for how a number is written.
fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => {
            let (left, right) = (left.as_f64(), right.as_f64());
            // A reader without exact rounding may be off by the last digit.
            left.zip(right).is_some_and(|(left, right)| {
                (left - right).abs() <= left.abs() * 2.0 * f64::EPSILON
            })
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .zip(right)
                    .all(|(left, right)| same(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .all(|(name, value)| right.get(name).is_some_and(|other| same(value, other)))
        }
        (left, right) => left == right,
    }
}

/// A decision is read or refused by the name of a field, and nothing of it is lost.
pub fn decision(data: &[u8]) {
    let Ok(value) = serde_json::from_slice::<Value>(data) else {
        return;
    };
    match Decision::try_from(value.clone()) {
        Ok(decision) => {
            for (name, kept) in &decision.rest {
                assert_eq!(value.get(name), Some(kept));
            }
            assert_eq!(value["session_id"], decision.session_id.as_str());
            assert_eq!(value["status"], decision.status.as_str());
        }
        Err(error) => assert!(!error.field().is_empty()),
    }
}

/// An error is bounded, on one line, and without addresses, whatever the body is.
pub fn error(data: &[u8]) {
    let error = ApiError::from_response(StatusCode::BAD_REQUEST, &HeaderMap::new(), data);
    assert!(!error.message().is_empty());
    assert!(error.message().chars().count() <= 2000);
    assert!(!error.message().contains(char::is_control));
    assert!(!error.message().contains("https://"));
    assert!(error.allowed().len() <= 40);
    assert!(error.field().is_none_or(|field| field.len() <= 64));
    let _kind = FileKind::of(data);
}

/// A list of pages ends, whatever the answers are.
pub fn pages(data: &[u8]) {
    let list = operation::find("session.list").expect("a row");
    let mut pager = Pager::new(Call::new(list)).at_most(5, 50);
    let mut asked = 0;
    for line in data.split(|byte| *byte == b'\n') {
        if pager.call().is_none() {
            break;
        }
        asked += 1;
        let answer = serde_json::from_slice(line).unwrap_or_default();
        if pager.read(answer).is_err() {
            assert!(pager.call().is_none());
        }
    }
    assert!(asked <= 5);
}

/// What nobody signed is refused, whatever it is; what was signed is let through once at the most.
pub fn webhook(data: &[u8]) {
    let secrets = Secrets::new([Secret::new("whsec_fuzz")]).expect("a secret");
    let mut headers = HeaderMap::new();
    let (head, body) = data.split_at(data.len().min(64));
    if let Ok(value) = HeaderValue::from_bytes(head) {
        headers.insert("x-signature", value.clone());
        headers.insert("x-signature-v2", value);
    }
    for recipe in [Recipe::Body, Recipe::Canonical] {
        let receiver = Receiver::new(recipe, secrets.clone());
        let now = 1_767_225_600;
        if let Ok(verified) = receiver.verify(&headers, body, now) {
            let mut repeats = Repeats::default();
            if repeats.first(verified.clone(), now).is_ok() {
                assert!(repeats.first(verified, now).is_err());
            }
        }
    }
}
