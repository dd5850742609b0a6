//! How values with rules of their own are written in a record: as their text, checked again when read.

use oauth_rs::pkce::CodeChallenge;
use oauth_rs::scope::ScopeSet;
use oauth_rs::time::UnixSeconds;
use oauth_rs::uri::{RedirectUri, ResourceId};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};

/// A value that has a text form and a check.
pub(super) trait Text: Sized {
    fn to_text(&self) -> String;
    fn from_text(text: &str) -> Option<Self>;
}

impl Text for RedirectUri {
    fn to_text(&self) -> String {
        self.as_str().to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        Self::parse(text).ok()
    }
}

impl Text for ResourceId {
    fn to_text(&self) -> String {
        self.as_str().to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        Self::parse(text).ok()
    }
}

impl Text for ScopeSet {
    fn to_text(&self) -> String {
        self.to_string()
    }

    fn from_text(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self::empty());
        }
        Self::parse(text).ok()
    }
}

impl Text for CodeChallenge {
    fn to_text(&self) -> String {
        self.as_str().to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        Self::parse(text).ok()
    }
}

pub(super) fn serialize<T: Text, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&value.to_text())
}

pub(super) fn deserialize<'de, T: Text, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    let text = String::deserialize(from)?;
    T::from_text(&text).ok_or_else(|| de::Error::custom("a stored value breaks its own rules"))
}

/// The same for a list.
pub(super) mod list {
    use super::{Deserialize, Deserializer, Serializer, Text, de};

    pub(in crate::record) fn serialize<T: Text, S: Serializer>(
        values: &[T],
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_seq(values.iter().map(Text::to_text))
    }

    pub(in crate::record) fn deserialize<'de, T: Text, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<T>, D::Error> {
        Vec::<String>::deserialize(from)?
            .iter()
            .map(|text| T::from_text(text))
            .collect::<Option<Vec<T>>>()
            .ok_or_else(|| de::Error::custom("a stored value breaks its own rules"))
    }
}

/// A moment, as a number of seconds.
pub(super) mod time {
    use super::{Deserialize, Deserializer, Serializer, UnixSeconds};

    pub(in crate::record) fn serialize<S: Serializer>(
        time: &UnixSeconds,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.serialize_u64(time.0)
    }

    pub(in crate::record) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<UnixSeconds, D::Error> {
        u64::deserialize(from).map(UnixSeconds)
    }
}

/// A moment that may be missing.
pub(super) mod maybe_time {
    use super::{Deserialize, Deserializer, Serialize, Serializer, UnixSeconds, ser};

    pub(in crate::record) fn serialize<S: Serializer>(
        time: &Option<UnixSeconds>,
        to: S,
    ) -> Result<S::Ok, S::Error>
    where
        S::Error: ser::Error,
    {
        time.map(|time| time.0).serialize(to)
    }

    pub(in crate::record) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<UnixSeconds>, D::Error> {
        Ok(Option::<u64>::deserialize(from)?.map(UnixSeconds))
    }
}
