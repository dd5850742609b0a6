//! JSON that passes through: the text as it came.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

/// A JSON value that is not read here: what comes in goes out byte for byte, with the order of its members and the digits of
/// its numbers.
///
/// Two are equal when their texts are. It can be read from and written to JSON only.
///
/// ```
/// use mcp_protocol::types::Json;
///
/// let json: Json = serde_json::from_str(r#"{"z":1.50,"a":7e-60}"#)?;
/// assert_eq!(serde_json::to_string(&json)?, r#"{"z":1.50,"a":7e-60}"#);
/// assert!(json.read::<Vec<u8>>().is_err());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone)]
pub struct Json(Box<RawValue>);

/// A JSON object whose members pass through.
pub type RawObject = BTreeMap<String, Json>;

/// The `_meta` object of a request or result.
///
/// Specification: MCP-RPC-11.
pub type Meta = RawObject;

impl Json {
    /// Writes a value.
    ///
    /// # Errors
    /// When it cannot be written as JSON, such as a map whose keys are no strings.
    pub fn new(value: &impl Serialize) -> Result<Self, serde_json::Error> {
        to_raw_value(value).map(Json)
    }

    /// The text.
    #[must_use]
    pub fn get(&self) -> &str {
        self.0.get()
    }

    /// Whether it is an object.
    #[must_use]
    pub fn is_object(&self) -> bool {
        is_object(&self.0)
    }

    /// Reads it into a type.
    ///
    /// # Errors
    /// When it has another shape.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.get())
    }

    /// Reads it into a tree; what no tree can hold (a number such as 1e999) is null.
    #[must_use]
    pub fn to_value(&self) -> Value {
        self.read().unwrap_or_default()
    }
}

/// Whether raw JSON is an object; its text has no space before it.
pub(crate) fn is_object(raw: &RawValue) -> bool {
    raw.get().starts_with('{')
}

impl From<Value> for Json {
    fn from(value: Value) -> Self {
        // A tree can always be written.
        Json(to_raw_value(&value).unwrap_or_else(|_| RawValue::NULL.to_owned()))
    }
}

impl From<Box<RawValue>> for Json {
    fn from(raw: Box<RawValue>) -> Self {
        Json(raw)
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl Eq for Json {}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.get())
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(Json)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_tree_becomes_its_text_and_back() {
        let value = json!({ "a": [1, "x", null] });
        assert_eq!(Json::from(value.clone()).to_value(), value);
        assert_eq!(Json::from(value.clone()), Json::new(&value).unwrap());
    }

    #[test]
    fn an_object_is_one_whatever_is_around_it() {
        let parts: Vec<Json> = serde_json::from_str("[ {} ,\n{ \"a\":1 }, [], \"{\" , 1]").unwrap();
        let objects: Vec<bool> = parts.iter().map(Json::is_object).collect();
        assert_eq!(objects, [true, true, false, false, false]);
    }

    #[test]
    fn what_no_tree_can_hold_passes_through_all_the_same() {
        let json: Json = serde_json::from_str("1e999").unwrap();
        assert_eq!((json.get(), json.to_value()), ("1e999", Value::Null));
    }

    #[test]
    fn metadata_keeps_the_text_of_what_is_in_it() {
        let text = r#"{"a/b":{"z":1.50,"a":[1e2]},"progressToken":1}"#;
        let meta: Meta = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&meta).unwrap(), text);
    }
}
