//! The shapes of registered claims (RFC 7519 section 4.1), read strictly.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};
use serde::{Serialize, Serializer};
use thiserror::Error;

use crate::json;
use crate::time::UnixSeconds;

/// The most audiences in one token.
pub const MAX_AUDIENCES: usize = 16;
/// The latest point in time that is read: the end of the year 9999.
pub(super) const MAX_SECONDS: u64 = 253_402_300_799;

/// The claims are not those that this kind of token has; the text says which, for a log.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the claims are malformed: {detail}")]
pub struct InvalidClaims {
    detail: String,
}

impl InvalidClaims {
    pub(crate) fn new(detail: &str) -> Self {
        Self {
            detail: detail.chars().take(200).collect(),
        }
    }
}

/// Reads claims: an object, every member of which is there once.
pub(crate) fn read<'de, T: Deserialize<'de>>(payload: &'de [u8]) -> Result<T, InvalidClaims> {
    json::object(payload).map_err(|error| InvalidClaims::new(&error.to_string()))
}

// RFC 7519 section 2: a NumericDate is a number of seconds and may have a fraction.
pub(crate) fn read_seconds<'de, D>(deserializer: D) -> Result<UnixSeconds, D::Error>
where
    D: Deserializer<'de>,
{
    struct Seconds;

    impl Visitor<'_> for Seconds {
        type Value = UnixSeconds;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a point in time from 1970 to 9999, as a number of seconds")
        }

        fn visit_u64<E: Error>(self, seconds: u64) -> Result<UnixSeconds, E> {
            if seconds > MAX_SECONDS {
                return Err(E::custom("a point in time is out of range"));
            }
            Ok(UnixSeconds(seconds))
        }

        fn visit_f64<E: Error>(self, seconds: f64) -> Result<UnixSeconds, E> {
            // Not a number is in no range either.
            if !(0.0..1e12).contains(&seconds) {
                return Err(E::custom("a point in time is out of range"));
            }
            self.visit_u64(whole(seconds))
        }
    }

    deserializer.deserialize_u64(Seconds)
}

/// The whole seconds of a number that was checked to be from 0 to 10^12.
fn whole(seconds: f64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the caller checked the range, and cutting off the fraction is the purpose"
    )]
    let whole = seconds as u64;
    whole
}

pub(crate) fn read_optional_seconds<'de, D>(
    deserializer: D,
) -> Result<Option<UnixSeconds>, D::Error>
where
    D: Deserializer<'de>,
{
    read_seconds(deserializer).map(Some)
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde asks for"
)]
pub(crate) fn write_seconds<S: Serializer>(
    seconds: &UnixSeconds,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(seconds.0)
}

#[expect(clippy::ref_option, reason = "the signature that serde asks for")]
pub(crate) fn write_optional_seconds<S: Serializer>(
    seconds: &Option<UnixSeconds>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    seconds.map(|seconds| seconds.0).serialize(serializer)
}

/// Reads a string, without copying it if it is written without escapes.
pub(crate) fn read_text<'de: 'a, 'a, D>(deserializer: D) -> Result<Cow<'a, str>, D::Error>
where
    D: Deserializer<'de>,
{
    struct Text;

    impl<'de> Visitor<'de> for Text {
        type Value = Cow<'de, str>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string")
        }

        fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Cow<'de, str>, E> {
            Ok(Cow::Borrowed(text))
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Cow<'de, str>, E> {
            Ok(Cow::Owned(text.to_owned()))
        }
    }

    deserializer.deserialize_str(Text)
}

pub(crate) fn read_optional_text<'de: 'a, 'a, D>(
    deserializer: D,
) -> Result<Option<Cow<'a, str>>, D::Error>
where
    D: Deserializer<'de>,
{
    read_text(deserializer).map(Some)
}

/// A string in an array, read as [`read_text`] does.
struct Element<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Element<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read_text(deserializer).map(Self)
    }
}

// RFC 7519 section 4.1.3: one string, or an array of strings.
pub(crate) fn read_audience<'de: 'a, 'a, D>(deserializer: D) -> Result<Vec<Cow<'a, str>>, D::Error>
where
    D: Deserializer<'de>,
{
    struct Audience;

    impl<'de> Visitor<'de> for Audience {
        type Value = Vec<Cow<'de, str>>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "an audience, or 1 to {MAX_AUDIENCES} of them")
        }

        fn visit_borrowed_str<E: Error>(self, one: &'de str) -> Result<Self::Value, E> {
            Ok(vec![Cow::Borrowed(one)])
        }

        fn visit_str<E: Error>(self, one: &str) -> Result<Self::Value, E> {
            Ok(vec![Cow::Owned(one.to_owned())])
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            let mut many = Vec::new();
            while let Some(Element(one)) = seq.next_element()? {
                if many.len() == MAX_AUDIENCES {
                    return Err(A::Error::custom("too many audiences"));
                }
                many.push(one);
            }
            if many.is_empty() {
                return Err(A::Error::custom("no audience"));
            }
            Ok(many)
        }
    }

    deserializer.deserialize_any(Audience)
}

pub(crate) fn write_audience<S: Serializer>(
    audience: &[Cow<'_, str>],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match audience {
        [one] => serializer.serialize_str(one),
        many => many.serialize(serializer),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize, Debug)]
    struct Sample {
        #[serde(deserialize_with = "read_seconds")]
        at: UnixSeconds,
    }

    fn at(number: &str) -> Option<u64> {
        let sample = read::<Sample>(format!(r#"{{"at":{number}}}"#).as_bytes());
        sample.ok().map(|sample| sample.at.0)
    }

    #[test]
    fn a_point_in_time_is_a_number_of_this_era() {
        for (number, expected) in [
            ("0", 0),
            ("-0", 0),
            ("-0.0", 0),
            ("20", 20),
            ("20.999999999999", 20),
            ("2e1", 20),
            ("2E+1", 20),
            ("200e-1", 20),
            ("1e-400", 0),
            ("253402300799", MAX_SECONDS),
            ("253402300799.9", MAX_SECONDS),
        ] {
            assert_eq!(at(number), Some(expected), "{number}");
        }
        let long = format!("1{}", "0".repeat(400));
        for number in [
            "\"20\"",
            "\"\"",
            "-1",
            "-0.5",
            "253402300800",
            "1e12",
            "1e300",
            "1e400",
            "-1e400",
            "9223372036854775808",
            "18446744073709551615",
            "18446744073709551616",
            "NaN",
            "Infinity",
            "-Infinity",
            "null",
            "true",
            "[20]",
            "{}",
            "0x14",
            "020",
            "+20",
            ".5",
            "20.",
            "1_000",
            &long,
        ] {
            assert_eq!(at(number), None, "{number}");
        }
    }
}
