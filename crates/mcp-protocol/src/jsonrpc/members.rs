//! The members of an object, found once and read by whoever wants them.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapDeserializer;
use serde::de::{DeserializeOwned, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::types::{Json, RawObject};

use super::Name;

/// The members of a JSON object, in the order in which they came and each as it stands.
///
/// Finding them is one pass over the text; reading a few of them is then cheap. They borrow from the
/// text, and take 40 bytes each beside it.
#[derive(Clone, Debug, Default)]
pub struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

/// The member is there more than once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is there twice")]
pub struct Twice;

impl<'a> Members<'a> {
    /// Finds the members.
    ///
    /// # Errors
    /// When it is no object, or has a name that is no text.
    pub fn read(object: &'a RawValue) -> Result<Self, serde_json::Error> {
        serde_json::from_str(object.get())
    }

    /// None yet, with room for as many as most objects have.
    pub(crate) fn with_room() -> Self {
        Members(Vec::with_capacity(4))
    }

    pub(crate) fn push(&mut self, name: Cow<'a, str>, value: &'a RawValue) {
        self.0.push((name, value));
    }

    /// All of them, in the order in which they came.
    #[cfg(feature = "seal")]
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.0.iter().map(|(name, value)| (&**name, *value))
    }

    /// The member of this name; the last, if there are several.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'a RawValue> {
        let mut named = self.0.iter().rev().filter(|(known, _)| known == name);
        named.next().map(|(_, value)| *value)
    }

    /// The member of this name, which may be there once.
    ///
    /// # Errors
    /// [`Twice`].
    pub fn once(&self, name: &str) -> Result<Option<&'a RawValue>, Twice> {
        let mut named = self.0.iter().filter(|(known, _)| known == name);
        match (named.next(), named.next()) {
            (_, Some(_)) => Err(Twice),
            (member, None) => Ok(member.map(|(_, value)| *value)),
        }
    }

    /// Each member as its text.
    ///
    /// # Errors
    /// [`Twice`].
    pub fn object(&self) -> Result<RawObject, Twice> {
        let mut object = RawObject::new();
        for (name, value) in &self.0 {
            let value = Json::from((*value).to_owned());
            if object.insert(name.clone().into_owned(), value).is_some() {
                return Err(Twice);
            }
        }
        Ok(object)
    }

    /// Reads the object as a value.
    ///
    /// # Errors
    /// The reader's reason.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        let members = self.0.iter().map(|(name, value)| (&**name, *value));
        T::deserialize(MapDeserializer::new(members))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Shape::deserialize(deserializer)? {
            Shape::Object(members) => Ok(members),
            Shape::Null | Shape::Other => Err(D::Error::custom("not an object")),
        }
    }
}

impl<'de: 'a, 'a> FromMembers<'de> for Members<'a> {
    fn from_members<A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        let mut members = Members::with_room();
        while let Some((Name(name), value)) = map.next_entry()? {
            members.push(name, value);
        }
        Ok(members)
    }
}

/// Something that is read from the members of an object.
pub(crate) trait FromMembers<'de>: Sized {
    fn from_members<A: MapAccess<'de>>(map: A) -> Result<Self, A::Error>;
}

/// An object, or something else, which is then passed over.
pub(crate) enum Shape<T> {
    Object(T),
    Null,
    Other,
}

impl<'de, T: FromMembers<'de>> Deserialize<'de> for Shape<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Seen<T>(PhantomData<T>);

        impl<'de, T: FromMembers<'de>> Visitor<'de> for Seen<T> {
            type Value = Shape<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Shape<T>, A::Error> {
                T::from_members(map).map(Shape::Object)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Shape<T>, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Shape::Other)
            }

            fn visit_unit<E>(self) -> Result<Shape<T>, E> {
                Ok(Shape::Null)
            }

            fn visit_bool<E>(self, _: bool) -> Result<Shape<T>, E> {
                Ok(Shape::Other)
            }

            fn visit_i64<E>(self, _: i64) -> Result<Shape<T>, E> {
                Ok(Shape::Other)
            }

            fn visit_u64<E>(self, _: u64) -> Result<Shape<T>, E> {
                Ok(Shape::Other)
            }

            fn visit_f64<E>(self, _: f64) -> Result<Shape<T>, E> {
                Ok(Shape::Other)
            }

            fn visit_str<E>(self, _: &str) -> Result<Shape<T>, E> {
                Ok(Shape::Other)
            }
        }

        deserializer.deserialize_any(Seen(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::to_raw_value;

    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).unwrap()
    }

    #[test]
    fn members_are_found_as_they_stand() {
        let object = raw(r#"{"a": 1.50, "b":{"c":[ ]}, "\u0061b": "x"}"#);
        let members = Members::read(&object).unwrap();
        assert_eq!(members.get("a").unwrap().get(), "1.50");
        assert_eq!(members.get("b").unwrap().get(), r#"{"c":[ ]}"#);
        assert_eq!(members.get("ab").unwrap().get(), r#""x""#);
        assert!(members.get("c").is_none());
    }

    #[test]
    fn a_member_that_is_there_twice_is_told_from_one_that_is_there_once() {
        let object = raw(r#"{"a":1,"b":2,"a":3}"#);
        let members = Members::read(&object).unwrap();
        assert_eq!(members.get("a").unwrap().get(), "3");
        assert_eq!(members.once("a").unwrap_err(), Twice);
        assert_eq!(members.once("b").unwrap().unwrap().get(), "2");
        assert!(members.once("c").unwrap().is_none());
    }

    #[test]
    fn a_value_is_read_from_its_members_as_from_the_text() {
        #[derive(Debug, PartialEq, Deserialize)]
        struct Value {
            a: u8,
            #[serde(default)]
            b: Option<Vec<String>>,
        }
        let object = raw(r#"{"c":{},"b":["x"],"a":1}"#);
        let value: Value = Members::read(&object).unwrap().parse().unwrap();
        assert_eq!(value, serde_json::from_str(object.get()).unwrap());
        for wrong in [r#"{"b":null}"#, r#"{"a":1,"a":1}"#, r#"{"a":"1"}"#] {
            let object = raw(wrong);
            let members = Members::read(&object).unwrap();
            assert!(members.parse::<Value>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_no_object_has_no_members() {
        for value in ["5", "[]", "null", r#"{"\ud800":1}"#] {
            assert!(Members::read(&raw(value)).is_err(), "{value}");
        }
        let empty = to_raw_value(&serde_json::json!({})).unwrap();
        assert!(Members::read(&empty).unwrap().get("a").is_none());
    }
}
