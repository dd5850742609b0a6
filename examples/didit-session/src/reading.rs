//! Small readings: a row of operations, and values out of answers.

use std::error::Error;

use didit_client::{Call, PathPart, operation};
use serde_json::Value;

/// A row of the table of operations, as a call without values.
pub(crate) fn row(name: &str) -> Result<Call, Box<dyn Error>> {
    let operation = operation::find(name).ok_or_else(|| format!("no operation {name}"))?;
    Ok(Call::new(operation))
}

/// The first row of a list that is an array, or a page with one in it.
pub(crate) fn first(
    list: &Value,
    wanted: impl Fn(&Value) -> bool,
) -> Result<&Value, Box<dyn Error>> {
    let rows = list.as_array().or_else(|| at(list, "/results").as_array());
    let found = rows.and_then(|rows| rows.iter().find(|row| wanted(row)));
    Ok(found.ok_or("nothing of that kind is there")?)
}

/// An identifier that may become part of an address.
pub(crate) fn part(value: &Value, pointer: &str) -> Result<PathPart, Box<dyn Error>> {
    Ok(PathPart::parse(text(value, pointer))?)
}

/// A value, or null.
pub(crate) fn at<'a>(value: &'a Value, pointer: &str) -> &'a Value {
    value.pointer(pointer).unwrap_or(&Value::Null)
}

/// A text, or an empty one.
pub(crate) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    at(value, pointer).as_str().unwrap_or_default()
}
