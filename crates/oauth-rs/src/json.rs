//! Reading JSON objects strictly: an object and nothing else, and strings where strings belong.

use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error as _, IgnoredAny};

/// Reads an object.
///
/// Serde would take an array for a struct, with the members in order; that is refused here.
pub(crate) fn object<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, serde_json::Error> {
    let first = bytes.iter().find(|b| !b.is_ascii_whitespace());
    if first != Some(&b'{') {
        return Err(serde_json::Error::custom("not a JSON object"));
    }
    serde_json::from_slice(bytes)
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
        assert!(object::<Sample>(b"{\"name\":\"x\",\"name\":\"y\"}").is_err());
    }
}
