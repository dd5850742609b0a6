//! Reading JSON objects strictly: an object and nothing else, and strings where strings belong.

use std::collections::HashSet;
use std::fmt;

use serde::de::{
    Deserialize, DeserializeOwned, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor,
};

/// Reads an object, every member of which is there once.
///
/// Serde alone would take an array for a struct, with the members in order, and would notice only
/// the repetition of members that the struct has.
pub(crate) fn object<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, serde_json::Error> {
    // RFC 8259 section 4: what a repeated name means differs from reader to reader.
    let _: UniqueMembers = serde_json::from_slice(bytes)?;
    serde_json::from_slice(bytes)
}

/// An object without repeated members on its first level.
struct UniqueMembers;

impl<'de> Deserialize<'de> for UniqueMembers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Self)
    }
}

impl<'de> Visitor<'de> for UniqueMembers {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self, A::Error> {
        let mut seen = HashSet::new();
        while let Some(name) = members.next_key::<String>()? {
            if !seen.insert(name) {
                return Err(A::Error::custom("a member occurs twice"));
            }
            members.next_value::<IgnoredAny>()?;
        }
        Ok(self)
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
        // Below the first level it is up to whoever reads it.
        assert!(object::<Sample>(br#"{"more":{"a":1,"a":1}}"#).is_ok());
    }
}
