//! Reading JSON objects strictly: an object and nothing else, and strings where strings belong.

mod unique;

use std::collections::HashMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Reads an object, every member of which is there once.
///
/// Serde alone would take an array for a struct, with the members in order, and would notice only
/// the repetition of members that the struct has.
pub(crate) fn object<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, serde_json::Error> {
    unique::object(text(bytes)?)
}

/// The same for an object inside another one.
pub(crate) fn nested<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    T::deserialize(unique::ObjectDeserializer(deserializer))
}

/// Serde would let bytes that are no text pass in members that nobody here reads, and looks at each
/// string by itself, which takes longer.
fn text(bytes: &[u8]) -> Result<&str, serde_json::Error> {
    // RFC 8259 section 8.1: JSON MUST be encoded using UTF-8.
    std::str::from_utf8(bytes).map_err(serde_json::Error::custom)
}

/// The members of an object, each there once, to be read one by one so that a refusal names its member.
///
/// A member with the value `null` counts as absent (RFC 7592 section 2.2 says so, and servers write it).
pub(crate) struct Members<'a>(HashMap<String, &'a RawValue>);

/// A member that is there with a value of another type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WrongType {
    pub(crate) member: &'static str,
    pub(crate) wanted: &'static str,
}

impl<'a> Members<'a> {
    /// Reads an object, every member of which is there once.
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text(bytes)?)
    }

    /// Whether the member is there, whatever its value, `null` included.
    pub(crate) fn has(&self, member: &str) -> bool {
        self.0.contains_key(member)
    }

    /// The member as it was written.
    pub(crate) fn raw(&self, member: &str) -> Option<&'a RawValue> {
        let value = self.0.get(member)?;
        (value.get() != "null").then_some(*value)
    }

    pub(crate) fn text(&self, member: &'static str) -> Result<Option<String>, WrongType> {
        self.typed(member, "a string")
    }

    pub(crate) fn texts(&self, member: &'static str) -> Result<Option<Vec<String>>, WrongType> {
        self.typed(member, "an array of strings")
    }

    pub(crate) fn flag(&self, member: &'static str) -> Result<bool, WrongType> {
        Ok(self.typed(member, "true or false")?.unwrap_or_default())
    }

    pub(crate) fn number(&self, member: &'static str) -> Result<Option<u64>, WrongType> {
        self.typed(member, "a whole number")
    }

    fn typed<T: Deserialize<'a>>(
        &self,
        member: &'static str,
        wanted: &'static str,
    ) -> Result<Option<T>, WrongType> {
        let Some(raw) = self.raw(member) else {
            return Ok(None);
        };
        serde_json::from_str(raw.get())
            .map(Some)
            .map_err(|_| WrongType { member, wanted })
    }
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = HashMap::new();
        while let Some(name) = map.next_key::<String>()? {
            // RFC 8259 section 4: what a repeated name means differs from reader to reader.
            if members.insert(name, map.next_value()?).is_some() {
                return Err(A::Error::custom("a member occurs twice"));
            }
        }
        Ok(Members(members))
    }
}

/// For a member that may be absent but, when it is there, has to be of its type: `null` is refused.
pub(crate) fn not_null<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    T::deserialize(deserializer).map(Some)
}

/// For a member whose mere presence matters, whatever its value.
pub(crate) fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| true)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize, Debug)]
    struct Sample {
        #[serde(default, deserialize_with = "not_null")]
        name: Option<String>,
        #[serde(default, deserialize_with = "present")]
        odd: bool,
    }

    #[test]
    fn only_objects_and_no_duplicates() {
        let sample: Sample = object(b" {\"name\":\"x\",\"odd\":null,\"more\":[1]}").unwrap();
        assert_eq!(sample.name.as_deref(), Some("x"));
        assert!(sample.odd);
        for text in [
            "",
            "[\"x\",1]",
            "null",
            "{\"name\":null}",
            "{\"name\":1}",
            "{} {}",
        ] {
            assert!(object::<Sample>(text.as_bytes()).is_err(), "{text}");
        }
        // A member that nobody here reads counts too, in any spelling of its name.
        for text in [
            r#"{"name":"x","name":"y"}"#,
            r#"{"name":"x","n\u0061me":"x"}"#,
            r#"{"more":1,"more":1}"#,
            r#"{"more":1,"\u006dore":1}"#,
        ] {
            assert!(object::<Sample>(text.as_bytes()).is_err(), "{text}");
        }
        // So do bytes that are no text.
        for bytes in [
            &b"{\"more\":\"\xff\"}"[..],
            b"{\"more\":[\"\xc3(\"]}",
            b"\xff{}",
        ] {
            assert!(object::<Sample>(bytes).is_err() && Members::read(bytes).is_err());
        }
        // Below the first level it is up to whoever reads it.
        assert!(object::<Sample>(br#"{"more":{"a":1,"a":1}}"#).is_ok());
    }

    #[test]
    fn members_are_read_one_by_one_and_each_refusal_names_its_own() {
        let text = br#"{"a":"x","l":["x"],"f":true,"n":7,"z":null,"\u0062":"y"}"#;
        let members = Members::read(text).unwrap();
        assert_eq!(members.text("a"), Ok(Some("x".to_owned())));
        assert_eq!(members.text("b"), Ok(Some("y".to_owned())));
        assert_eq!(members.text("none"), Ok(None));
        assert_eq!(members.texts("l"), Ok(Some(vec!["x".to_owned()])));
        assert_eq!(
            (members.flag("f"), members.flag("none")),
            (Ok(true), Ok(false))
        );
        assert_eq!(members.number("n"), Ok(Some(7)));
        assert_eq!(members.raw("l").unwrap().get(), "[\"x\"]");
        // null is there, and counts as absent.
        assert!(members.has("z") && members.raw("z").is_none());
        assert_eq!(members.text("z"), Ok(None));
        let wrong = |member, wanted| WrongType { member, wanted };
        assert_eq!(members.text("n"), Err(wrong("n", "a string")));
        assert_eq!(members.texts("a"), Err(wrong("a", "an array of strings")));
        assert_eq!(members.flag("n"), Err(wrong("n", "true or false")));
        assert_eq!(members.number("f"), Err(wrong("f", "a whole number")));
        for text in [
            "[]",
            "\u{feff}{}",
            "{\"a\":1,\"\\u0061\":1}",
            "{} {}",
            "{\"a\":}",
        ] {
            assert!(Members::read(text.as_bytes()).is_err(), "{text}");
        }
    }
}
