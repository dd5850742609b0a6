//! How a typed value is read from JSON: required or optional, with what is not known kept.

use serde_json::{Map, Number, Value};

/// The most rows of a list inside one answer that are read into a model.
pub const MAX_MODEL_ROWS: usize = 10_000;

/// A value that has not the type its name promises.
///
/// It says where and what was expected, never what was there: answers hold personal data.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} is {found}, not {expected}")]
pub struct InvalidModel {
    field: String,
    expected: &'static str,
    found: &'static str,
}

impl InvalidModel {
    /// Where it is: names joined by dots, positions in brackets; `the answer` for the whole.
    pub fn field(&self) -> &str {
        &self.field
    }

    /// The same in a row of a list.
    pub(crate) fn in_row(mut self, row: usize) -> Self {
        self.field = if self.field == WHOLE {
            format!("[{row}]")
        } else {
            format!("[{row}].{}", self.field)
        };
        self
    }

    /// What was expected.
    pub fn expected(&self) -> &'static str {
        self.expected
    }

    /// What was there instead.
    pub fn found(&self) -> &'static str {
        self.found
    }
}

/// The name of an answer as a whole.
const WHOLE: &str = "the answer";

/// A place in an answer; it becomes text only when something is wrong there.
#[derive(Clone, Copy)]
pub(crate) struct At<'a> {
    above: Option<&'a At<'a>>,
    step: Step,
}

#[derive(Clone, Copy)]
enum Step {
    Whole,
    Name(&'static str),
    Row(usize),
}

impl<'a> At<'a> {
    pub(crate) const WHOLE: At<'static> = At {
        above: None,
        step: Step::Whole,
    };

    pub(crate) fn name(&'a self, name: &'static str) -> At<'a> {
        At {
            above: Some(self),
            step: Step::Name(name),
        }
    }

    pub(crate) fn row(&'a self, row: usize) -> At<'a> {
        At {
            above: Some(self),
            step: Step::Row(row),
        }
    }

    fn text(&self) -> String {
        let above = self.above.map(At::text).unwrap_or_default();
        match self.step {
            Step::Whole => above,
            Step::Name(name) if above.is_empty() => name.to_owned(),
            Step::Name(name) => format!("{above}.{name}"),
            Step::Row(row) => format!("{above}[{row}]"),
        }
    }

    pub(crate) fn wrong(&self, expected: &'static str, found: Option<&Value>) -> InvalidModel {
        let text = self.text();
        InvalidModel {
            field: if text.is_empty() {
                WHOLE.to_owned()
            } else {
                text
            },
            expected,
            found: match found {
                None => "missing",
                Some(Value::Null) => "null",
                Some(Value::Bool(_)) => "a boolean",
                Some(Value::Number(_)) => "a number",
                Some(Value::String(_)) => "text",
                Some(Value::Array(_)) => "a list",
                Some(Value::Object(_)) => "an object",
            },
        }
    }
}

/// Something that can be read from JSON; `None` is an absent name.
pub(crate) trait Field: Sized {
    fn read(found: Option<Value>, at: &At<'_>) -> Result<Self, InvalidModel>;
}

/// Absent and null are the same: Didit writes either.
impl<T: Field> Field for Option<T> {
    fn read(found: Option<Value>, at: &At<'_>) -> Result<Self, InvalidModel> {
        match found {
            None | Some(Value::Null) => Ok(None),
            some => T::read(some, at).map(Some),
        }
    }
}

/// Absent and null are an empty list.
impl<T: Field> Field for Vec<T> {
    fn read(found: Option<Value>, at: &At<'_>) -> Result<Self, InvalidModel> {
        match found {
            None | Some(Value::Null) => Ok(Self::new()),
            Some(Value::Array(rows)) if rows.len() > MAX_MODEL_ROWS => {
                Err(at.wrong("a list of at most 10000 rows", Some(&Value::Array(rows))))
            }
            Some(Value::Array(rows)) => rows
                .into_iter()
                .enumerate()
                .map(|(row, value)| T::read(Some(value), &at.row(row)))
                .collect(),
            other => Err(at.wrong("a list", other.as_ref())),
        }
    }
}

impl Field for String {
    fn read(found: Option<Value>, at: &At<'_>) -> Result<Self, InvalidModel> {
        match found {
            Some(Value::String(text)) => Ok(text),
            other => Err(at.wrong("text", other.as_ref())),
        }
    }
}

impl Field for bool {
    fn read(found: Option<Value>, at: &At<'_>) -> Result<Self, InvalidModel> {
        match found {
            Some(Value::Bool(flag)) => Ok(flag),
            other => Err(at.wrong("a boolean", other.as_ref())),
        }
    }
}

impl Field for u64 {
    fn read(found: Option<Value>, at: &At<'_>) -> Result<Self, InvalidModel> {
        match found.as_ref().and_then(Value::as_u64) {
            Some(number) => Ok(number),
            None => Err(at.wrong("a whole number that is not negative", found.as_ref())),
        }
    }
}

impl Field for Number {
    fn read(found: Option<Value>, at: &At<'_>) -> Result<Self, InvalidModel> {
        match found {
            Some(Value::Number(number)) => Ok(number),
            other => Err(at.wrong("a number", other.as_ref())),
        }
    }
}

impl Field for Map<String, Value> {
    fn read(found: Option<Value>, at: &At<'_>) -> Result<Self, InvalidModel> {
        match found {
            Some(Value::Object(map)) => Ok(map),
            other => Err(at.wrong("an object", other.as_ref())),
        }
    }
}

/// Anything, as it came.
impl Field for Value {
    fn read(found: Option<Value>, at: &At<'_>) -> Result<Self, InvalidModel> {
        found.ok_or_else(|| at.wrong("a value", None))
    }
}

/// An object with named fields; what has no name here is kept in `rest`.
macro_rules! fields {
    (
        $(#[$about:meta])*
        $see:vis struct $model:ident {
            $( $(#[$says:meta])* $field:ident $(as $wire:literal)? : $type:ty, )*
        }
    ) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        $see struct $model {
            $( $(#[$says])* $see $field: $type, )*
            /// Everything else, as it came.
            $see rest: serde_json::Map<String, serde_json::Value>,
        }

        impl $crate::model::read::Field for $model {
            fn read(
                found: Option<serde_json::Value>,
                at: &$crate::model::read::At<'_>,
            ) -> Result<Self, $crate::model::InvalidModel> {
                use $crate::model::read::Field;
                let mut rest = <serde_json::Map<_, _> as Field>::read(found, at)?;
                Ok(Self {
                    $( $field: {
                        let name = $crate::model::read::wire!($field $($wire)?);
                        <$type as Field>::read(rest.remove(name), &at.name(name))?
                    }, )*
                    rest,
                })
            }
        }
    };
}

/// An object that anybody may read out of JSON.
macro_rules! model {
    (
        $(#[$about:meta])*
        $see:vis struct $model:ident { $($fields:tt)* }
    ) => {
        $crate::model::read::fields! {
            $(#[$about])*
            $see struct $model { $($fields)* }
        }

        $crate::model::read::readable!($model);
    };
}

/// A word out of a list that may grow: an unknown one is kept as text.
macro_rules! words {
    (
        $(#[$about:meta])*
        $see:vis enum $words:ident {
            $( $(#[$says:meta])* $word:ident = $wire:literal, )*
        }
    ) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        $see enum $words {
            $( $(#[$says])* $word, )*
            /// A word that this version does not know.
            Other(String),
        }

        impl $words {
            /// The word as it is written.
            $see fn as_str(&self) -> &str {
                match self {
                    $( Self::$word => $wire, )*
                    Self::Other(text) => text,
                }
            }
        }

        impl From<String> for $words {
            fn from(text: String) -> Self {
                match text.as_str() {
                    $( $wire => Self::$word, )*
                    _ => Self::Other(text),
                }
            }
        }

        impl std::fmt::Display for $words {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl $crate::model::read::Field for $words {
            fn read(
                found: Option<serde_json::Value>,
                at: &$crate::model::read::At<'_>,
            ) -> Result<Self, $crate::model::InvalidModel> {
                <String as $crate::model::read::Field>::read(found, at).map(Self::from)
            }
        }

        $crate::model::read::readable!($words);
    };
}

/// Reading a whole answer, and reading as part of somebody's own types.
macro_rules! readable {
    ($name:ident) => {
        impl TryFrom<serde_json::Value> for $name {
            type Error = $crate::model::InvalidModel;

            fn try_from(value: serde_json::Value) -> Result<Self, Self::Error> {
                <Self as $crate::model::read::Field>::read(
                    Some(value),
                    &$crate::model::read::At::WHOLE,
                )
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
                let value = serde_json::Value::deserialize(reader)?;
                Self::try_from(value).map_err(serde::de::Error::custom)
            }
        }
    };
}

macro_rules! wire {
    ($field:ident) => {
        stringify!($field)
    };
    ($field:ident $wire:literal) => {
        $wire
    };
}

pub(crate) use {fields, model, readable, wire, words};

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    words! {
        /// Colours.
        pub(super) enum Colour {
            /// Red.
            Red = "red",
            /// Dark blue.
            DarkBlue = "Dark Blue",
        }
    }

    model! {
        /// A thing with a thing in it.
        pub(super) struct Thing {
            /// Its id.
            id as "uuid": String,
            /// Its colour.
            colour: Option<Colour>,
            /// Others.
            parts: Vec<Thing>,
            /// Any number.
            score: Option<Number>,
            /// A count.
            count: Option<u64>,
            /// A flag.
            open: Option<bool>,
            /// Whatever it is.
            meta: Option<Value>,
        }
    }

    fn why(value: Value) -> String {
        Thing::try_from(value).unwrap_err().to_string()
    }

    #[test]
    fn what_is_known_is_typed_and_the_rest_is_kept() {
        let thing = Thing::try_from(json!({
            "uuid": "t-1", "colour": "Dark Blue", "count": 3, "score": 0.5, "open": false,
            "parts": [{"uuid": "t-2", "colour": "green", "new": [1]}],
            "meta": {"a": null}, "later": {"b": 1},
        }))
        .unwrap();
        assert_eq!(thing.id, "t-1");
        assert_eq!(thing.colour, Some(Colour::DarkBlue));
        assert_eq!((thing.count, thing.open), (Some(3), Some(false)));
        assert_eq!(thing.score.unwrap().as_f64(), Some(0.5));
        assert_eq!(thing.meta, Some(json!({"a": null})));
        assert_eq!(Value::Object(thing.rest), json!({"later": {"b": 1}}));
        let part = &thing.parts[0];
        assert_eq!(part.colour, Some(Colour::Other("green".into())));
        assert_eq!(part.colour.as_ref().unwrap().to_string(), "green");
        assert_eq!(part.rest["new"], json!([1]));
    }

    #[test]
    fn absent_and_null_are_the_same_where_a_value_is_optional() {
        let thing = Thing::try_from(json!({
            "uuid": "t", "colour": null, "parts": null, "score": null, "count": null, "open": null, "meta": null
        }));
        assert_eq!(
            thing.unwrap(),
            Thing::try_from(json!({"uuid": "t"})).unwrap()
        );
    }

    #[test]
    fn a_wrong_type_names_its_field() {
        for (value, message) in [
            (json!([]), "the answer is a list, not an object"),
            (json!({}), "uuid is missing, not text"),
            (json!({"uuid": null}), "uuid is null, not text"),
            (json!({"uuid": 1}), "uuid is a number, not text"),
            (
                json!({"uuid": "t", "colour": {}}),
                "colour is an object, not text",
            ),
            (
                json!({"uuid": "t", "parts": "none"}),
                "parts is text, not a list",
            ),
            (
                json!({"uuid": "t", "parts": [{"uuid": "u", "parts": [{"uuid": true}]}]}),
                "parts[0].parts[0].uuid is a boolean, not text",
            ),
            (
                json!({"uuid": "t", "score": "98"}),
                "score is text, not a number",
            ),
            (
                json!({"uuid": "t", "count": -1}),
                "count is a number, not a whole number that is not negative",
            ),
            (
                json!({"uuid": "t", "open": "yes"}),
                "open is text, not a boolean",
            ),
        ] {
            assert_eq!(why(value), message);
        }
        let many = vec![json!({"uuid": "t"}); MAX_MODEL_ROWS + 1];
        assert_eq!(
            why(json!({"uuid": "t", "parts": many})),
            "parts is a list, not a list of at most 10000 rows"
        );
    }

    #[test]
    fn serde_reads_the_same() {
        let thing: Thing = serde_json::from_str(r#"{"uuid":"t","x":1}"#).unwrap();
        assert_eq!(thing.rest["x"], 1);
        let error = serde_json::from_str::<Vec<Thing>>(r#"[{"uuid":"t"},{}]"#).unwrap_err();
        assert!(error.to_string().starts_with("uuid is missing"), "{error}");
    }
}
