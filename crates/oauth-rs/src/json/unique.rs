//! Reading an object in one pass, in which no member may occur twice.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::value::{BorrowedStrDeserializer, StrDeserializer};
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, Visitor};
use serde::forward_to_deserialize_any;

/// How many names are compared one by one, and kept without asking for memory.
///
/// A token has about ten; a metadata document with more falls back to a table, so that a long
/// hostile one does not take time by the square of its length.
const FEW: usize = 16;

/// Reads an object, every member of which is there once, in any spelling of its name.
pub(super) fn object<'de, T: Deserialize<'de>>(text: &'de str) -> Result<T, serde_json::Error> {
    let mut json = serde_json::Deserializer::from_str(text);
    let value = T::deserialize(ObjectDeserializer(&mut json))?;
    json.end()?;
    Ok(value)
}

/// A deserializer of which everything that is asked for is an object.
pub(super) struct ObjectDeserializer<D>(pub(super) D);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for ObjectDeserializer<D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_map(ObjectVisitor(visitor))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

struct ObjectVisitor<V>(V);

impl<'de, V: Visitor<'de>> Visitor<'de> for ObjectVisitor<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<V::Value, A::Error> {
        self.0.visit_map(UniqueMembers {
            members,
            seen: Seen::default(),
        })
    }
}

/// The members of an object, each name looked at before it is passed on.
struct UniqueMembers<'de, A> {
    members: A,
    seen: Seen<'de>,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for UniqueMembers<'de, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        let Some(name) = self.members.next_key_seed(Name)? else {
            return Ok(None);
        };
        // RFC 8259 section 4: what a repeated name means differs from reader to reader.
        if self.seen.has(&name) {
            return Err(A::Error::custom("a member occurs twice"));
        }
        let value = match name {
            Cow::Borrowed(text) => seed.deserialize(BorrowedStrDeserializer::new(text)),
            Cow::Owned(ref text) => seed.deserialize(StrDeserializer::new(text)),
        }?;
        self.seen.add(name);
        Ok(Some(value))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.members.next_value_seed(seed)
    }
}

/// The names so far.
#[derive(Default)]
struct Seen<'de> {
    few: [&'de str; FEW],
    count: usize,
    /// A bit for each name so far, so that most new ones are compared with no other.
    marks: u64,
    /// Those for which there is no room, or which are written with escapes.
    more: Option<HashSet<Cow<'de, str>>>,
}

impl<'de> Seen<'de> {
    fn has(&self, name: &str) -> bool {
        if self.marks & mark(name) == 0 {
            return false;
        }
        self.few.iter().take(self.count).any(|seen| *seen == name)
            || self.more.as_ref().is_some_and(|more| more.contains(name))
    }

    fn add(&mut self, name: Cow<'de, str>) {
        self.marks |= mark(&name);
        match (self.few.get_mut(self.count), &name) {
            (Some(place), Cow::Borrowed(text)) => {
                *place = text;
                self.count += 1;
            }
            _ => {
                self.more.get_or_insert_default().insert(name);
            }
        }
    }
}

/// One of 64 bits, by the length and the ends of a name.
fn mark(name: &str) -> u64 {
    let bytes = name.as_bytes();
    let ends = bytes.first().zip(bytes.last());
    let (first, last) = ends.map_or((0, 0), |(first, last)| {
        (u64::from(*first), u64::from(*last))
    });
    1 << ((first ^ (last << 2) ^ ((name.len() as u64) << 4)) % 64)
}

/// Reads a name, without copying it if it is written without escapes.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cow<'de, str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a member")
    }

    fn visit_borrowed_str<E: Error>(self, name: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use serde::Deserialize;
    use serde_json::value::RawValue;

    use super::*;

    #[derive(Deserialize)]
    struct Sample<'a> {
        #[serde(default)]
        name: Option<String>,
        #[serde(default, borrow)]
        raw: Option<&'a RawValue>,
    }

    #[test]
    fn values_are_passed_on_as_they_are() {
        let text = r#" {"n\u0061me":"x\n","raw":{"a": [1, {}]}, "more":{"name":1}} "#;
        let sample: Sample<'_> = object(text).unwrap();
        assert_eq!(sample.name.as_deref(), Some("x\n"));
        assert_eq!(sample.raw.unwrap().get(), r#"{"a": [1, {}]}"#);
    }

    #[test]
    fn only_an_object_and_nothing_after_it() {
        for text in [
            "",
            "[]",
            "[\"x\"]",
            "null",
            "7",
            "\"x\"",
            "{}x",
            "{} {}",
            "{",
            "{\"a\"}",
            "{a:1}",
            "{\"a\":1,}",
            "{\"a\":\"\\ud800\"}x",
        ] {
            assert!(object::<Sample<'_>>(text).is_err(), "{text}");
        }
        assert!(object::<Sample<'_>>("{}\n").is_ok());
    }

    #[test]
    fn a_repetition_is_noticed_at_every_place() {
        for count in [1, FEW - 1, FEW, FEW + 1, 3 * FEW] {
            let names: Vec<String> = (0..count).map(|n| format!("\"m{n}\":{n}")).collect();
            let good = format!("{{{}}}", names.join(","));
            let read = object::<HashMap<String, u64>>(&good).unwrap();
            assert_eq!(read.len(), count);
            for place in 0..count {
                let more = format!("{{{},\"\\u006d{place}\":0}}", names.join(","));
                assert!(object::<Sample<'_>>(&more).is_err(), "{more}");
            }
        }
    }
}
