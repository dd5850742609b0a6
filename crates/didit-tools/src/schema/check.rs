//! The check of what a caller sent against what a tool takes.

use serde_json::{Map, Value};

use super::{Argument, Bounds, Shape};
use crate::outcome::Failure;

/// The longest text of an argument that says no length of its own, in bytes; comments and addresses are far below.
const MAX_TEXT: usize = 64 * 1024;
/// The most items of a list that says no number of its own: Didit takes no longer ones.
const MAX_ITEMS: usize = 1000;
/// How deep objects and lists may be in each other; graphs and rules are below 12.
const MAX_DEPTH: usize = 32;
/// The most arguments that a tool which is open to others takes.
const MAX_OPEN: usize = 64;

/// Arguments that fit the schema.
#[derive(Clone, Debug)]
pub(crate) struct Checked {
    values: Map<String, Value>,
}

/// How the arguments of a tool are read.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Reading {
    /// Blank text for an optional argument counts as absent.
    pub(crate) drop_blank: bool,
    /// Arguments that are not listed are taken too.
    pub(crate) open: bool,
}

impl Checked {
    /// Checks what a caller sent.
    ///
    /// A `null` counts as absent, unless it means something for the argument.
    pub(crate) fn new(
        arguments: &[Argument],
        given: Option<&Map<String, Value>>,
        reading: Reading,
    ) -> Result<Self, Failure> {
        let known = |name: &str| arguments.iter().find(|argument| argument.name == name);
        let mut values = given.cloned().unwrap_or_default();
        values.retain(|name, value| {
            let null_counts = known(name).is_some_and(|a| matches!(a.shape, Shape::OrNull(_)));
            !value.is_null() || null_counts
        });
        if reading.drop_blank {
            let optional = |name: &str| known(name).is_some_and(|argument| !argument.required);
            values.retain(|name, value| !(optional(name) && is_blank(value)));
        }
        if reading.open {
            check_others(arguments, &values)?;
        }
        check_object(arguments, &values, "", !reading.open, 0)?;
        Ok(Self { values })
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    /// The text of an argument; blank text is no text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.values
            .get(name)?
            .as_str()
            .map(str::trim)
            .filter(|text| !text.is_empty())
    }

    pub(crate) fn number(&self, name: &str) -> Option<f64> {
        self.values.get(name)?.as_f64()
    }

    pub(crate) fn whole(&self, name: &str) -> Option<usize> {
        usize::try_from(self.get(name)?.as_u64()?).ok()
    }

    pub(crate) fn is_true(&self, name: &str) -> bool {
        self.values.get(name) == Some(&Value::Bool(true))
    }

    /// Whether it was given, and is neither `false` nor empty.
    pub(crate) fn says_something(&self, name: &str) -> bool {
        match self.values.get(name) {
            None => false,
            Some(Value::Bool(is)) => *is,
            Some(Value::String(text)) => !text.trim().is_empty(),
            Some(Value::Array(items)) => !items.is_empty(),
            Some(_) => true,
        }
    }

    /// The same without these arguments.
    pub(crate) fn without(&self, names: &[&str]) -> Self {
        let mut values = self.values.clone();
        values.retain(|name, _| !names.contains(&name.as_str()));
        Self { values }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.values
            .iter()
            .map(|(name, value)| (name.as_str(), value))
    }
}

fn is_blank(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.trim().is_empty())
}

/// What an open tool takes beside its arguments: not too many, not too deep, and names that may be fields.
fn check_others(arguments: &[Argument], values: &Map<String, Value>) -> Result<(), Failure> {
    if values.len() > MAX_OPEN {
        return Err(Failure::bad_request(format!(
            "there are more than {MAX_OPEN} arguments"
        )));
    }
    let listed = |name: &str| arguments.iter().any(|argument| argument.name == name);
    for (name, value) in values.iter().filter(|(name, _)| !listed(name)) {
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.is_empty() || name.len() > 64 || !name.chars().all(is_name) {
            return Err(unknown(arguments, name));
        }
        check_depth(value, name, 1)?;
    }
    Ok(())
}

fn check_object(
    arguments: &[Argument],
    given: &Map<String, Value>,
    path: &str,
    closed: bool,
    depth: usize,
) -> Result<(), Failure> {
    if closed
        && let Some(name) = given
            .keys()
            .find(|n| !arguments.iter().any(|a| a.name == **n))
    {
        return Err(match path {
            "" => unknown(arguments, name),
            _ => unknown_property(arguments, path, name),
        });
    }
    for argument in arguments {
        let field = join(path, argument.name);
        match given.get(argument.name) {
            None if argument.required => {
                return Err(Failure::bad_request(format!("{field} is missing"))
                    .field(field)
                    .hint(remedy(&argument.shape, argument.says)));
            }
            None => {}
            Some(value) => check_value(&argument.shape, value, &field, argument, depth)?,
        }
    }
    for (name, value) in given {
        if !arguments.iter().any(|argument| argument.name == *name) {
            check_depth(value, &join(path, name), depth + 1)?;
        }
    }
    Ok(())
}

fn check_value(
    shape: &Shape,
    value: &Value,
    field: &str,
    argument: &Argument,
    depth: usize,
) -> Result<(), Failure> {
    let wrong = |why: String| {
        Err(Failure::bad_request(why)
            .field(field)
            .hint(remedy(shape, argument.says)))
    };
    if depth > MAX_DEPTH {
        return Err(too_deep(field));
    }
    match (shape, value) {
        (Shape::Text, Value::String(text)) if text.len() > MAX_TEXT => {
            wrong(format!("{field} is longer than 64 KiB"))
        }
        (Shape::TextWithin(most), Value::String(text)) if text.chars().count() > *most => {
            wrong(format!("{field} is longer than {most} characters"))
        }
        (Shape::Text | Shape::TextWithin(_), Value::String(text)) => {
            if argument.required && text.trim().is_empty() {
                return wrong(format!("{field} is blank"));
            }
            Ok(())
        }
        (Shape::CountText, Value::String(text)) => {
            let text = text.trim();
            if text.len() > 9 || text.is_empty() || !text.chars().all(|c| c.is_ascii_digit()) {
                return wrong(format!("{field} is text that is not a whole number"));
            }
            Ok(())
        }
        (Shape::Window, Value::String(text)) if !is_window(text) => {
            wrong(format!("{field} is not a span of time"))
        }
        (Shape::Window, Value::String(_)) => Ok(()),
        (Shape::Choice(values), Value::String(text)) => {
            if values.contains(&text.as_str()) {
                return Ok(());
            }
            Err(
                Failure::unprocessable(format!("{field} has a value that is not allowed"))
                    .field(field)
                    .hint(format!(
                        "Choose one of the allowed values. {}",
                        argument.says
                    ))
                    .allowed(values.iter().map(|value| (*value).to_owned())),
            )
        }
        (Shape::Integer(_), Value::Number(number))
            if number.as_f64().is_none_or(|number| number.fract() != 0.0) =>
        {
            wrong(format!("{field} is not a whole number"))
        }
        (Shape::Number(bounds) | Shape::Integer(bounds), Value::Number(number)) => {
            check_bounds(*bounds, number.as_f64(), field, argument)
        }
        (Shape::Boolean, Value::Bool(_)) => Ok(()),
        (Shape::Object { properties, closed }, Value::Object(object)) => {
            check_object(properties, object, field, *closed, depth + 1)
        }
        (
            Shape::List {
                of,
                at_least,
                at_most,
            },
            Value::Array(items),
        ) => {
            if items.len() < *at_least {
                return wrong(format!("{field} needs at least {at_least} item(s)"));
            }
            let most = at_most.unwrap_or(MAX_ITEMS);
            if items.len() > most {
                return wrong(format!("{field} has more than {most} items"));
            }
            for (index, item) in items.iter().enumerate() {
                check_value(of, item, &format!("{field}[{index}]"), argument, depth + 1)?;
            }
            Ok(())
        }
        (Shape::OrNull(_), Value::Null) => Ok(()),
        (Shape::OrNull(of), value) => check_value(of, value, field, argument, depth),
        (Shape::Any, value) => check_depth(value, field, depth),
        _ => wrong(format!(
            "{field} is {}, not {}",
            article(value_name(value)),
            expected(shape)
        )),
    }
}

fn check_bounds(
    bounds: Bounds,
    number: Option<f64>,
    field: &str,
    argument: &Argument,
) -> Result<(), Failure> {
    let outside = |why: String| {
        Err(Failure::unprocessable(format!("{field} is {why}"))
            .field(field)
            .hint(argument.says))
    };
    match (bounds.minimum, bounds.maximum) {
        (Some(least), _) if number.is_none_or(|number| number < least) => {
            outside(format!("less than {least}"))
        }
        (_, Some(most)) if number.is_none_or(|number| number > most) => {
            outside(format!("more than {most}"))
        }
        _ => Ok(()),
    }
}

/// What may hold anything may still not be deeper than the rest.
fn check_depth(value: &Value, field: &str, depth: usize) -> Result<(), Failure> {
    if depth > MAX_DEPTH {
        return Err(too_deep(field));
    }
    match value {
        Value::Array(items) => items
            .iter()
            .try_for_each(|item| check_depth(item, field, depth + 1)),
        Value::Object(members) => members
            .values()
            .try_for_each(|member| check_depth(member, field, depth + 1)),
        _ => Ok(()),
    }
}

fn too_deep(field: &str) -> Failure {
    let field: String = field.chars().take(200).collect();
    Failure::bad_request(format!("{field} is nested too deeply"))
        .field(field)
        .hint(format!(
            "Objects and lists may be {MAX_DEPTH} deep in each other."
        ))
}

fn is_window(text: &str) -> bool {
    let digits = text.strip_suffix(['m', 'h', 'd']).unwrap_or_default();
    !digits.is_empty() && digits.len() <= 9 && digits.chars().all(|c| c.is_ascii_digit())
}

fn unknown(arguments: &[Argument], name: &str) -> Failure {
    let shown = shown(name);
    let hint = if arguments.is_empty() {
        "It takes no arguments."
    } else {
        "Leave it out."
    };
    Failure::bad_request(format!("the tool has no argument {shown}"))
        .field(shown)
        .hint(hint)
        .allowed(arguments.iter().map(|argument| argument.name.to_owned()))
}

fn unknown_property(properties: &[Argument], path: &str, name: &str) -> Failure {
    let shown = shown(name);
    Failure::bad_request(format!("{path} has no property {shown}"))
        .field(format!("{path}.{shown}"))
        .hint("Leave it out.")
        .allowed(properties.iter().map(|property| property.name.to_owned()))
}

fn shown(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(64).collect()
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        shown(name)
    } else {
        format!("{path}.{}", shown(name))
    }
}

fn remedy(shape: &Shape, says: &str) -> String {
    let wanted = match shape {
        Shape::Boolean => "true or false, not as text",
        _ => expected(shape),
    };
    format!("Send {wanted}. {says}").trim_end().to_owned()
}

fn expected(shape: &Shape) -> &'static str {
    match shape {
        Shape::Text | Shape::TextWithin(_) | Shape::Choice(_) => "text",
        Shape::CountText => "a whole number written as text, such as \"20\"",
        Shape::Window => "a span of time as text, such as 30m, 12h or 7d",
        Shape::Number(_) => "a number",
        Shape::Integer(_) => "a whole number",
        Shape::Boolean => "a boolean",
        Shape::Object { .. } => "an object",
        Shape::List { .. } => "a list",
        Shape::OrNull(of) => expected(of),
        Shape::Any => "a value",
    }
}

fn value_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "text",
        Value::Array(_) => "list",
        Value::Object(_) => "object",
    }
}

fn article(name: &'static str) -> String {
    match name {
        "null" | "text" => name.to_owned(),
        "object" => "an object".to_owned(),
        other => format!("a {other}"),
    }
}
