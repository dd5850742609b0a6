//! The JSON Schema of what a tool takes.

use serde_json::{Map, Value, json};

use super::{Argument, Bounds, Shape};

/// The form of [`Shape::Window`].
const WINDOW: &str = r"^\d+[mhd]$";

/// The schema of a whole tool: an object that takes these arguments, and others only when it is `open`.
pub(crate) fn input_schema<'a>(
    arguments: impl IntoIterator<Item = &'a Argument>,
    open: bool,
    any_of: &[&str],
) -> Value {
    let mut schema = object_schema(arguments);
    schema.insert("additionalProperties".into(), Value::Bool(open));
    if !any_of.is_empty() {
        let needs: Vec<Value> = any_of
            .iter()
            .map(|name| json!({ "required": [name] }))
            .collect();
        schema.insert("anyOf".into(), needs.into());
    }
    Value::Object(schema)
}

/// The schema of every result: an object that may hold anything.
pub(crate) fn output_schema() -> Value {
    json!({ "type": "object", "additionalProperties": true })
}

fn object_schema<'a>(arguments: impl IntoIterator<Item = &'a Argument>) -> Map<String, Value> {
    let mut schema = Map::new();
    schema.insert("type".into(), "object".into());
    let mut properties = Map::new();
    let mut required: Vec<&str> = Vec::new();
    for argument in arguments {
        let mut property = shape_schema(&argument.shape);
        if !argument.says.is_empty() {
            property.insert("description".into(), argument.says.into());
        }
        if let Some(default) = argument
            .default
            .and_then(|text| serde_json::from_str(text).ok())
        {
            property.insert("default".into(), default);
        }
        properties.insert(argument.name.into(), Value::Object(property));
        required.extend(argument.required.then_some(argument.name));
    }
    if !properties.is_empty() {
        schema.insert("properties".into(), Value::Object(properties));
    }
    if !required.is_empty() {
        schema.insert("required".into(), json!(required));
    }
    schema
}

fn shape_schema(shape: &Shape) -> Map<String, Value> {
    let mut schema = Map::new();
    match shape {
        Shape::Object { properties, closed } => {
            schema = object_schema(*properties);
            if *closed {
                schema.insert("additionalProperties".into(), false.into());
            }
        }
        Shape::Choice(values) => {
            schema.insert("enum".into(), json!(values));
        }
        Shape::TextWithin(most) => {
            schema.insert("maxLength".into(), json!(most));
        }
        Shape::Window => {
            schema.insert("pattern".into(), WINDOW.into());
        }
        Shape::Number(bounds) | Shape::Integer(bounds) => bounds_schema(*bounds, &mut schema),
        Shape::List {
            of,
            at_least,
            at_most,
        } => {
            schema.insert("items".into(), Value::Object(shape_schema(of)));
            if *at_least > 0 {
                schema.insert("minItems".into(), json!(at_least));
            }
            if let Some(most) = at_most {
                schema.insert("maxItems".into(), json!(most));
            }
        }
        Shape::OrNull(of) => {
            schema = shape_schema(of);
            let of = schema.remove("type");
            schema.insert("type".into(), json!([of, "null"]));
            return schema;
        }
        Shape::Text | Shape::CountText | Shape::Boolean | Shape::Any => {}
    }
    if let Some(name) = type_name(shape) {
        schema.insert("type".into(), name.into());
    }
    schema
}

fn bounds_schema(bounds: Bounds, schema: &mut Map<String, Value>) {
    for (name, bound) in [("minimum", bounds.minimum), ("maximum", bounds.maximum)] {
        if let Some(bound) = bound {
            schema.insert(name.into(), whole(bound));
        }
    }
}

/// A bound as JSON; the bounds in use are whole.
#[expect(
    clippy::cast_possible_truncation,
    reason = "checked to be whole and small"
)]
fn whole(bound: f64) -> Value {
    if bound.fract() == 0.0 && bound.abs() < 1e15 {
        json!(bound as i64)
    } else {
        json!(bound)
    }
}

/// The type's name in a schema; none for what may be anything.
pub(super) fn type_name(shape: &Shape) -> Option<&'static str> {
    Some(match shape {
        Shape::Text
        | Shape::TextWithin(_)
        | Shape::CountText
        | Shape::Window
        | Shape::Choice(_) => "string",
        Shape::Number(_) => "number",
        Shape::Integer(_) => "integer",
        Shape::Boolean => "boolean",
        Shape::Object { .. } => "object",
        Shape::List { .. } => "array",
        Shape::OrNull(of) => return type_name(of),
        Shape::Any => return None,
    })
}
