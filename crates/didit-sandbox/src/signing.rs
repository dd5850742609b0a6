//! Signing of webhook bodies by Didit's three recipes: HMAC-SHA256 with the destination's secret, in lowercase hex.

use ring::hmac;
use serde_json::{Map, Number, Value};

/// The three signatures of one body.
#[derive(Debug)]
pub(crate) struct Signatures {
    /// Over the bytes that are sent.
    pub(crate) raw: String,
    /// Over the body written again in one form.
    pub(crate) canonical: String,
    /// Over four of its values.
    pub(crate) simple: String,
}

/// The bytes to send: keys sorted, no spaces, everything beyond ASCII escaped.
pub(crate) fn written(body: &Value) -> String {
    let text = body.to_string();
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_ascii() {
            out.push(character);
        } else {
            // RFC 8259 section 7: beyond the basic plane, a pair of escapes.
            for unit in character.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    out
}

pub(crate) fn sign(secret: &str, body: &Value) -> Signatures {
    let over = |text: &str| mac(secret, text);
    let plain = |name: &str| match body.get(name) {
        Some(Value::String(text)) => text.clone(),
        None | Some(Value::Null) => String::new(),
        Some(other) => other.to_string(),
    };
    let simple = ["timestamp", "session_id", "status", "webhook_type"].map(plain);
    Signatures {
        raw: over(&written(body)),
        canonical: over(&whole_floats(body.clone()).to_string()),
        simple: over(&simple.join(":")),
    }
}

/// HMAC-SHA256 in lowercase hex.
pub(crate) fn mac(secret: &str, text: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let tag = hmac::sign(&key, text.as_bytes());
    tag.as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The same value with whole floats as integers. Its keys are sorted by code point, as every object here is.
fn whole_floats(value: Value) -> Value {
    match value {
        Value::Number(number) => Value::Number(whole(number)),
        Value::Array(items) => items.into_iter().map(whole_floats).collect(),
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| (name, whole_floats(value)))
            .collect::<Map<String, Value>>()
            .into(),
        other => other,
    }
}

fn whole(number: Number) -> Number {
    let float = number.as_f64().filter(|float| {
        // Beyond this an integer in a float is no longer exact.
        number.is_f64() && float.fract() == 0.0 && float.abs() < 9_007_199_254_740_992.0
    });
    let digits = float.map(|float| format!("{float:.0}"));
    let integer = digits.and_then(|digits| digits.parse::<i64>().ok());
    integer.map_or(number, Number::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_test_vector_comes_out() {
        let body = json!({
            "webhook_type": "status.updated",
            "event_id": "e-1",
            "timestamp": 1_767_225_600,
            "session_id": "11111111-2222-3333-4444-555555555555",
            "status": "In Review",
            "vendor_data": "u\u{17c}ytkownik-7",
            "metadata": {},
            "score": 98.0,
            "ratio": 0.5,
            "url": "https://a.example/x",
            "decision": { "z": [3, 1, 2], "a": null, "b": true },
        });
        assert_eq!(
            written(&body),
            r#"{"decision":{"a":null,"b":true,"z":[3,1,2]},"event_id":"e-1","metadata":{},"ratio":0.5,"score":98.0,"session_id":"11111111-2222-3333-4444-555555555555","status":"In Review","timestamp":1767225600,"url":"https://a.example/x","vendor_data":"u\u017cytkownik-7","webhook_type":"status.updated"}"#
        );
        let signed = sign("whsec_test_vector_only", &body);
        assert_eq!(
            [signed.raw, signed.canonical, signed.simple],
            [
                "78636da140bd8b5706e1188f6880c281316eb272d2db1436a76909550bbf1f34",
                "6d5690e50e6e8a01c214a121e1898c8639d8789e67bb017ce3690983b7a872f3",
                "54257d37de7efd9d5ef3742349f29d6746c7e3b934a54bcc2e9ac46a14faa59d",
            ]
        );
    }

    #[test]
    fn only_whole_floats_become_integers_and_pairs_are_escaped() {
        let rewritten = whole_floats(json!([1.0, -2.0, 1.5, 1e300, 7, -0.0]));
        assert_eq!(rewritten.to_string(), "[1,-2,1.5,1e+300,7,0]");
        assert_eq!(written(&json!("a\u{1f600}/")), r#""a\ud83d\ude00/""#);
    }
}
