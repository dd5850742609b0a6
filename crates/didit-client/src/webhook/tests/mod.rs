//! The vector of each recipe, and what one change to it is refused for.

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::json;

use super::*;
use crate::secret::Secret;

const NOW: u64 = 1_767_225_600;
const SECRET: &str = "whsec_test_vector_only";
const BODY: &str = r#"{"decision":{"a":null,"b":true,"z":[3,1,2]},"event_id":"e-1","metadata":{},"ratio":0.5,"score":98.0,"session_id":"11111111-2222-3333-4444-555555555555","status":"In Review","timestamp":1767225600,"url":"https://a.example/x","vendor_data":"u\u017cytkownik-7","webhook_type":"status.updated"}"#;

const BY_BODY: (&str, &str) = (
    "x-signature",
    "78636da140bd8b5706e1188f6880c281316eb272d2db1436a76909550bbf1f34",
);
const BY_CANONICAL: (&str, &str) = (
    "x-signature-v2",
    "6d5690e50e6e8a01c214a121e1898c8639d8789e67bb017ce3690983b7a872f3",
);
const BY_SIMPLE: (&str, &str) = (
    "x-signature-simple",
    "54257d37de7efd9d5ef3742349f29d6746c7e3b934a54bcc2e9ac46a14faa59d",
);

fn secrets<const N: usize>(texts: [&str; N]) -> Secrets {
    Secrets::new(texts.map(Secret::new)).unwrap()
}

fn headers<const N: usize>(pairs: [(&'static str, &str); N]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in pairs {
        map.append(
            HeaderName::from_static(name),
            HeaderValue::from_str(value).unwrap(),
        );
    }
    map
}

/// Every value of the map in one set, to show that only the recipe's own is looked at.
fn all() -> HeaderMap {
    headers([BY_BODY, BY_CANONICAL, BY_SIMPLE])
}

fn receiver(recipe: Recipe) -> Receiver {
    Receiver::new(recipe, secrets([SECRET]))
}

fn simple() -> DangerousSimpleReceiver {
    DangerousSimpleReceiver::dangerous_new(secrets([SECRET]))
}

/// A body of our own with the signature of its bytes.
fn signed(body: &str) -> HeaderMap {
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, SECRET.as_bytes());
    let tag = ring::hmac::sign(&key, body.as_bytes());
    headers([("x-signature", &crate::crypto::hex(tag.as_ref()))])
}

fn by_body(body: &str) -> Result<Verified, Refused> {
    receiver(Recipe::Body).verify(&signed(body), body.as_bytes(), NOW)
}

#[test]
fn each_recipe_accepts_its_vector() {
    for (recipe, header) in [(Recipe::Body, BY_BODY), (Recipe::Canonical, BY_CANONICAL)] {
        let verified = receiver(recipe).verify(&headers([header]), BODY.as_bytes(), NOW);
        let verified = verified.unwrap();
        let event = verified.event();
        assert_eq!(event.event_id, "e-1");
        assert_eq!(event.event_type, EventType::StatusUpdated);
        assert_eq!(event.status.as_deref(), Some("In Review"));
        assert_eq!(event.vendor_data.as_deref(), Some("użytkownik-7"));
        assert_eq!(event.decision.as_ref().unwrap()["z"], json!([3, 1, 2]));
        assert_eq!(event.metadata, Some(json!({})));
        assert_eq!(event.rest["url"], "https://a.example/x");
        assert_eq!(event.environment, None);
    }
    let values = simple()
        .verify(&headers([BY_SIMPLE]), BODY.as_bytes(), NOW)
        .unwrap();
    assert_eq!(values.session_id, "11111111-2222-3333-4444-555555555555");
    assert_eq!(values.status, "In Review");
}

#[test]
fn a_body_that_was_written_again_fits_the_canonical_recipe_only() {
    let value: serde_json::Value = serde_json::from_str(BODY).unwrap();
    let again = serde_json::to_string_pretty(&value).unwrap();
    assert!(
        receiver(Recipe::Canonical)
            .verify(&all(), again.as_bytes(), NOW)
            .is_ok()
    );
    assert_eq!(
        receiver(Recipe::Body).verify(&all(), again.as_bytes(), NOW),
        Err(Refused::SignatureWrong)
    );
}

#[test]
fn one_changed_value_and_the_signature_is_wrong() {
    for (was, is) in [
        ("In Review", "Approved"),
        ("98.0", "98.5"),
        ("[3,1,2]", "[1,3,2]"),
        ("e-1", "e-2"),
        ("1767225600", "1767225601"),
        ("\"metadata\":{},", ""),
        ("true", "false"),
    ] {
        let body = BODY.replace(was, is);
        assert_ne!(body, BODY);
        for recipe in [Recipe::Body, Recipe::Canonical] {
            assert_eq!(
                receiver(recipe).verify(&all(), body.as_bytes(), NOW),
                Err(Refused::SignatureWrong),
                "{recipe:?} {is}"
            );
        }
    }
}

#[test]
fn the_simple_recipe_covers_four_values_and_gives_out_no_other() {
    let forged = BODY
        .replace("u\\u017cytkownik-7", "somebody-else")
        .replace("e-1", "e-2");
    let values = simple().verify(&all(), forged.as_bytes(), NOW).unwrap();
    assert!(values.rest.is_empty());
    for (was, is) in [
        ("In Review", "Approved"),
        ("11111111", "21111111"),
        ("1767225600", "1767225601"),
        ("status.updated", "data.updated"),
    ] {
        let body = BODY.replace(was, is);
        assert_eq!(
            simple().verify(&all(), body.as_bytes(), NOW),
            Err(Refused::SignatureWrong),
            "{is}"
        );
    }
    let without = BODY.replace("session_id", "session");
    assert_eq!(
        simple()
            .verify(&all(), without.as_bytes(), NOW)
            .unwrap_err()
            .to_string(),
        "the body is no event: session_id is missing, not text"
    );
}

#[test]
fn only_the_recipes_own_header_counts() {
    for (recipe, other, header) in [
        (Recipe::Body, BY_CANONICAL, "x-signature"),
        (Recipe::Canonical, BY_BODY, "x-signature-v2"),
    ] {
        assert_eq!(
            receiver(recipe).verify(&headers([other, BY_SIMPLE]), BODY.as_bytes(), NOW),
            Err(Refused::SignatureMissing { header })
        );
    }
    assert_eq!(
        simple().verify(&headers([BY_BODY]), BODY.as_bytes(), NOW),
        Err(Refused::SignatureMissing {
            header: "x-signature-simple"
        })
    );
    assert_eq!(
        receiver(Recipe::Body).verify(&headers([BY_BODY, BY_BODY]), BODY.as_bytes(), NOW),
        Err(Refused::SignatureTwice {
            header: "x-signature"
        })
    );
}

#[test]
fn a_signature_has_one_form() {
    let (name, good) = BY_BODY;
    let upper = good.to_uppercase();
    let prefixed = format!("sha256={good}");
    let short = good.get(..62).unwrap();
    for text in ["", "7", short, &upper, &prefixed, &format!("{good}00")] {
        assert_eq!(
            receiver(Recipe::Body).verify(&headers([(name, text)]), BODY.as_bytes(), NOW),
            Err(Refused::SignatureForm),
            "{text}"
        );
    }
}

#[test]
fn any_of_the_secrets_may_have_signed() {
    let (old, new) = ("whsec_old", SECRET);
    for texts in [[old, new], [new, old]] {
        assert!(
            Receiver::new(Recipe::Body, secrets(texts))
                .verify(&all(), BODY.as_bytes(), NOW)
                .is_ok()
        );
    }
    assert_eq!(
        Receiver::new(Recipe::Body, secrets([old])).verify(&all(), BODY.as_bytes(), NOW),
        Err(Refused::SignatureWrong)
    );
    let count = |count: usize| Secrets::new((0..count).map(|_| Secret::new(SECRET)));
    assert!(count(MAX_SECRETS).is_ok());
    assert_eq!(count(0).err(), Some(InvalidSecrets));
    assert_eq!(count(MAX_SECRETS + 1).err(), Some(InvalidSecrets));
    assert_eq!(Secrets::new([Secret::new("")]).err(), Some(InvalidSecrets));
    assert!(!format!("{:?}", receiver(Recipe::Body)).contains("whsec"));
}

#[test]
fn freshness_is_by_the_signed_time() {
    let at = |now| receiver(Recipe::Body).verify(&all(), BODY.as_bytes(), now);
    for now in [NOW - WINDOW, NOW, NOW + WINDOW] {
        assert!(at(now).is_ok(), "{now}");
    }
    assert_eq!(at(NOW + WINDOW + 1), Err(Refused::TooOld { by: 1 }));
    assert_eq!(at(NOW - WINDOW - 2), Err(Refused::TooEarly { by: 2 }));
    // The header is not signed, so it does not help.
    let mut dressed = all();
    dressed.insert("x-timestamp", (NOW + 1000).into());
    assert_eq!(
        receiver(Recipe::Body).verify(&dressed, BODY.as_bytes(), NOW + 1000),
        Err(Refused::TooOld { by: 700 })
    );
    for (time, why) in [
        (
            u64::MAX.to_string(),
            Refused::TooEarly {
                by: u64::MAX - NOW - WINDOW,
            },
        ),
        ("0".to_owned(), Refused::TooOld { by: NOW - WINDOW }),
    ] {
        let body = BODY.replace("1767225600", &time);
        assert_eq!(by_body(&body), Err(why));
    }
}

#[test]
fn a_signed_body_that_is_no_event_is_refused_by_name() {
    for (was, is, why) in [
        (
            "\"e-1\"",
            "7",
            "the body is no event: event_id is a number, not text",
        ),
        (
            "\"event_id\":\"e-1\",",
            "",
            "the body is no event: event_id is missing, not text",
        ),
        (
            "1767225600",
            "\"now\"",
            "the body is no event: timestamp is text, not a whole number that is not negative",
        ),
        (
            "\"webhook_type\"",
            "\"type\"",
            "the body is no event: webhook_type is missing, not text",
        ),
        (
            "{\"a\":null,\"b\":true,\"z\":[3,1,2]}",
            "[]",
            "the body is no event: decision is a list, not an object",
        ),
    ] {
        let body = BODY.replace(was, is);
        assert_eq!(by_body(&body).unwrap_err().to_string(), why);
    }
    let refused = by_body("<html>").unwrap_err();
    assert_eq!(refused, Refused::NotCanonical(NotCanonical::Json));
}

#[test]
fn an_unknown_type_is_kept() {
    let body = BODY.replace("status.updated", "moon.risen");
    let verified = by_body(&body).unwrap();
    assert_eq!(
        verified.event().event_type,
        EventType::Other("moon.risen".into())
    );
}

#[test]
fn a_name_that_is_there_twice_has_no_canonical_form() {
    let body = BODY.replacen('{', "{\"status\":\"Approved\",", 1);
    assert_eq!(
        receiver(Recipe::Canonical).verify(&all(), body.as_bytes(), NOW),
        Err(Refused::NotCanonical(NotCanonical::SameName))
    );
}

#[test]
fn a_body_is_bounded() {
    let body = vec![b' '; MAX_BODY + 1];
    for recipe in [Recipe::Body, Recipe::Canonical] {
        assert_eq!(
            receiver(recipe).verify(&all(), &body, NOW),
            Err(Refused::BodyTooLarge)
        );
    }
    assert_eq!(
        receiver(Recipe::Canonical).verify(&all(), b"\xff", NOW),
        Err(Refused::NotCanonical(NotCanonical::Json))
    );
}

fn event(id: &str, timestamp: u64) -> Verified {
    let body = json!({"event_id": id, "webhook_type": "data.updated", "timestamp": timestamp});
    by_body(&body.to_string()).unwrap()
}

#[test]
fn an_event_is_let_through_once() {
    let mut repeats = Repeats::default();
    let first = repeats.first(event("e-1", NOW), NOW).unwrap();
    assert_eq!(first.event().event_id, "e-1");
    assert_eq!(
        repeats.first(event("e-1", NOW), NOW + 60),
        Err(Refused::Repeat)
    );
    assert!(repeats.first(event("e-2", NOW), NOW).is_ok());
    // What could not be acted on may come again.
    repeats.forget(first);
    assert!(repeats.first(event("e-1", NOW), NOW + 60).is_ok());
}

#[test]
fn a_repeat_is_remembered_for_as_long_as_it_could_be_fresh() {
    let mut repeats = Repeats::default();
    // Signed by a clock that is ahead as far as it may be.
    let ahead = || event("e-1", NOW + WINDOW);
    assert!(repeats.first(ahead(), NOW).is_ok());
    let last = NOW + 2 * WINDOW;
    assert_eq!(repeats.first(ahead(), last), Err(Refused::Repeat));
}

#[test]
fn the_filter_is_bounded_and_says_so_rather_than_forget() {
    let mut repeats = Repeats::holding(2);
    for id in ["e-1", "e-2"] {
        assert!(repeats.first(event(id, NOW), NOW).is_ok());
    }
    assert_eq!(
        repeats.first(event("e-3", NOW), NOW),
        Err(Refused::RepeatsFull)
    );
    assert_eq!(repeats.first(event("e-1", NOW), NOW), Err(Refused::Repeat));
    assert!(repeats.first(event("e-3", NOW), NOW + WINDOW + 1).is_ok());
    let long = "e".repeat(MAX_EVENT_ID + 1);
    assert_eq!(
        Repeats::default().first(event(&long, NOW), NOW),
        Err(Refused::EventId)
    );
}

#[test]
fn the_sender_learns_a_status_and_nothing_of_the_reason() {
    for (refused, status) in [
        (Refused::BodyTooLarge, 413),
        (Refused::Repeat, 200),
        (Refused::RepeatsFull, 503),
        (Refused::EventId, 400),
        (Refused::NotCanonical(NotCanonical::Json), 400),
        (Refused::SignatureMissing { header: "x" }, 401),
        (Refused::SignatureTwice { header: "x" }, 401),
        (Refused::SignatureForm, 401),
        (Refused::SignatureWrong, 401),
        (Refused::TooOld { by: 1 }, 401),
        (Refused::TooEarly { by: 1 }, 401),
    ] {
        assert_eq!(refused.status(), status, "{refused}");
    }
}
