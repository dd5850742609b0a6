//! What a tool takes: as a JSON Schema for the caller, and as a check before anything is sent.

use serde_json::{Map, Value, json};

use crate::outcome::Failure;

/// One argument of a tool, or one property of an object among them.
#[derive(Debug)]
pub(crate) struct Argument {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    pub(crate) required: bool,
    pub(crate) says: &'static str,
}

/// The values an argument may have.
#[derive(Debug)]
pub(crate) enum Shape {
    Text,
    /// Text that is a whole number.
    CountText,
    Choice(&'static [&'static str]),
    Number,
    Boolean,
    /// An object; without properties it may hold anything.
    Object(&'static [Argument]),
    List {
        of: &'static Shape,
        at_least: usize,
    },
}

impl Argument {
    pub(crate) const fn new(name: &'static str, shape: Shape, says: &'static str) -> Self {
        Self {
            name,
            shape,
            required: false,
            says,
        }
    }

    pub(crate) const fn text(name: &'static str, says: &'static str) -> Self {
        Self::new(name, Shape::Text, says)
    }

    pub(crate) const fn count_text(name: &'static str, says: &'static str) -> Self {
        Self::new(name, Shape::CountText, says)
    }

    pub(crate) const fn choice(
        name: &'static str,
        values: &'static [&'static str],
        says: &'static str,
    ) -> Self {
        Self::new(name, Shape::Choice(values), says)
    }

    pub(crate) const fn number(name: &'static str, says: &'static str) -> Self {
        Self::new(name, Shape::Number, says)
    }

    pub(crate) const fn boolean(name: &'static str, says: &'static str) -> Self {
        Self::new(name, Shape::Boolean, says)
    }

    pub(crate) const fn object(name: &'static str, says: &'static str) -> Self {
        Self::new(name, Shape::Object(&[]), says)
    }

    pub(crate) const fn required(mut self) -> Self {
        self.required = true;
        self
    }
}

/// The schema of a whole tool: an object that takes these arguments and no others.
pub(crate) fn input_schema(arguments: &[Argument]) -> Value {
    let mut schema = object_schema(arguments);
    schema.insert("additionalProperties".into(), Value::Bool(false));
    Value::Object(schema)
}

/// The schema of every result: an object that may hold anything.
pub(crate) fn output_schema() -> Value {
    json!({ "type": "object", "additionalProperties": true })
}

fn object_schema(arguments: &[Argument]) -> Map<String, Value> {
    let mut schema = Map::new();
    schema.insert("type".into(), "object".into());
    if arguments.is_empty() {
        return schema;
    }
    let mut properties = Map::new();
    for argument in arguments {
        let mut property = shape_schema(&argument.shape);
        property.insert("description".into(), argument.says.into());
        properties.insert(argument.name.into(), Value::Object(property));
    }
    schema.insert("properties".into(), Value::Object(properties));
    let required: Vec<&str> = arguments
        .iter()
        .filter(|argument| argument.required)
        .map(|a| a.name)
        .collect();
    if !required.is_empty() {
        schema.insert("required".into(), json!(required));
    }
    schema
}

fn shape_schema(shape: &Shape) -> Map<String, Value> {
    let mut schema = Map::new();
    match shape {
        Shape::Object(properties) => return object_schema(properties),
        Shape::Choice(values) => {
            schema.insert("enum".into(), json!(values));
        }
        Shape::List { of, at_least } => {
            schema.insert("items".into(), Value::Object(shape_schema(of)));
            if *at_least > 0 {
                schema.insert("minItems".into(), json!(at_least));
            }
        }
        Shape::Text | Shape::CountText | Shape::Number | Shape::Boolean => {}
    }
    schema.insert("type".into(), type_name(shape).into());
    schema
}

fn type_name(shape: &Shape) -> &'static str {
    match shape {
        Shape::Text | Shape::CountText | Shape::Choice(_) => "string",
        Shape::Number => "number",
        Shape::Boolean => "boolean",
        Shape::Object(_) => "object",
        Shape::List { .. } => "array",
    }
}

/// Arguments that fit the schema.
#[derive(Clone, Debug)]
pub(crate) struct Checked {
    values: Map<String, Value>,
}

impl Checked {
    /// Checks what a caller sent.
    ///
    /// A `null` counts as absent; with `drop_blank`, so does blank text for an optional argument.
    pub(crate) fn new(
        arguments: &[Argument],
        given: Option<&Map<String, Value>>,
        drop_blank: bool,
    ) -> Result<Self, Failure> {
        let mut values = given.cloned().unwrap_or_default();
        values.retain(|_, value| !value.is_null());
        if drop_blank {
            let optional = |name: &str| arguments.iter().any(|a| a.name == name && !a.required);
            values.retain(|name, value| !(optional(name) && is_blank(value)));
        }
        check_object(arguments, &values, "", true)?;
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

    pub(crate) fn is_true(&self, name: &str) -> bool {
        self.values.get(name) == Some(&Value::Bool(true))
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

fn check_object(
    arguments: &[Argument],
    given: &Map<String, Value>,
    path: &str,
    closed: bool,
) -> Result<(), Failure> {
    if closed
        && let Some(name) = given
            .keys()
            .find(|n| !arguments.iter().any(|a| a.name == **n))
    {
        return Err(unknown(arguments, name));
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
            Some(value) => check_value(&argument.shape, value, &field, argument)?,
        }
    }
    Ok(())
}

fn check_value(
    shape: &Shape,
    value: &Value,
    field: &str,
    argument: &Argument,
) -> Result<(), Failure> {
    let wrong = |why: String| {
        Err(Failure::bad_request(why)
            .field(field)
            .hint(remedy(shape, argument.says)))
    };
    match (shape, value) {
        (Shape::Text, Value::String(text)) => {
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
        (Shape::Number, Value::Number(_)) | (Shape::Boolean, Value::Bool(_)) => Ok(()),
        (Shape::Object(properties), Value::Object(object)) => {
            check_object(properties, object, field, false)
        }
        (Shape::List { of, at_least }, Value::Array(items)) => {
            if items.len() < *at_least {
                return wrong(format!("{field} needs at least {at_least} item(s)"));
            }
            for (index, item) in items.iter().enumerate() {
                check_value(of, item, &format!("{field}[{index}]"), argument)?;
            }
            Ok(())
        }
        _ => wrong(format!(
            "{field} is {}, not {}",
            article(value_name(value)),
            expected(shape)
        )),
    }
}

fn unknown(arguments: &[Argument], name: &str) -> Failure {
    let shown: String = name.chars().filter(|c| !c.is_control()).take(64).collect();
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

fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

fn remedy(shape: &Shape, says: &str) -> String {
    let wanted = match shape {
        Shape::Boolean => "true or false, not as text",
        _ => expected(shape),
    };
    format!("Send {wanted}. {says}")
}

fn expected(shape: &Shape) -> &'static str {
    match shape {
        Shape::Text | Shape::Choice(_) => "text",
        Shape::CountText => "a whole number written as text, such as \"20\"",
        Shape::Number => "a number",
        Shape::Boolean => "a boolean",
        Shape::Object(_) => "an object",
        Shape::List { .. } => "a list",
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

#[cfg(test)]
mod tests {
    use super::*;

    const FEATURE: Shape = Shape::Object(&[
        Argument::choice("feature", &["OCR", "AML"], "Which check.").required(),
        Argument::object("config", "Its settings."),
    ]);
    const ARGUMENTS: &[Argument] = &[
        Argument::text("id", "The id.").required(),
        Argument::count_text("limit", "How many."),
        Argument::choice("kind", &["a", "b"], "Which kind."),
        Argument::number("days", "How many days."),
        Argument::boolean("confirm", "A yes."),
        Argument::new(
            "features",
            Shape::List {
                of: &FEATURE,
                at_least: 1,
            },
            "The checks.",
        ),
    ];

    fn check(given: Value) -> Result<Checked, Failure> {
        Checked::new(ARGUMENTS, given.as_object(), true)
    }

    fn refused(given: Value) -> String {
        check(given).unwrap_err().text()
    }

    #[test]
    fn the_schema_says_what_the_check_does() {
        assert_eq!(
            input_schema(ARGUMENTS),
            json!({
                "type": "object",
                "additionalProperties": false,
                "required": ["id"],
                "properties": {
                    "id": {"type": "string", "description": "The id."},
                    "limit": {"type": "string", "description": "How many."},
                    "kind": {"type": "string", "enum": ["a", "b"], "description": "Which kind."},
                    "days": {"type": "number", "description": "How many days."},
                    "confirm": {"type": "boolean", "description": "A yes."},
                    "features": {
                        "type": "array", "minItems": 1, "description": "The checks.",
                        "items": {
                            "type": "object", "required": ["feature"],
                            "properties": {
                                "feature": {"type": "string", "enum": ["OCR", "AML"], "description": "Which check."},
                                "config": {"type": "object", "description": "Its settings."},
                            },
                        },
                    },
                },
            })
        );
        assert_eq!(
            input_schema(&[]),
            json!({"type": "object", "additionalProperties": false})
        );
    }

    #[test]
    fn what_fits_is_kept() {
        let checked = check(json!({
            "id": "x", "limit": "20", "kind": "a", "days": 1.5, "confirm": false,
            "features": [{"feature": "OCR", "config": {"a": [1]}, "label": "more"}],
        }))
        .unwrap();
        assert_eq!(checked.text("id"), Some("x"));
        assert_eq!(checked.number("days"), Some(1.5));
        assert!(!checked.is_true("confirm"));
        assert_eq!(checked.iter().count(), 6);
    }

    #[test]
    fn null_and_blank_optional_arguments_are_dropped() {
        let checked = check(json!({"id": "x", "kind": null, "limit": " "})).unwrap();
        assert_eq!(checked.iter().count(), 1);
        let kept = json!({"id": "x", "limit": " "});
        let error = Checked::new(ARGUMENTS, kept.as_object(), false).unwrap_err();
        assert!(error.text().contains("Field: limit"));
    }

    #[test]
    fn a_refusal_names_the_argument_what_was_wrong_and_the_remedy() {
        for (given, want) in [
            (
                json!({}),
                "Error [bad_request]: id is missing\nField: id\nHint: Send text. The id.",
            ),
            (
                json!({"id": null}),
                "Error [bad_request]: id is missing\nField: id\nHint: Send text. The id.",
            ),
            (
                json!({"id": "  "}),
                "Error [bad_request]: id is blank\nField: id\nHint: Send text. The id.",
            ),
            (
                json!({"id": 7}),
                "Error [bad_request]: id is a number, not text\nField: id\nHint: Send text. The id.",
            ),
            (
                json!({"id": {}}),
                "Error [bad_request]: id is an object, not text\nField: id\nHint: Send text. The id.",
            ),
            (
                json!({"id": "x", "limit": 20}),
                "Error [bad_request]: limit is a number, not a whole number written as text, such as \"20\"\nField: limit\nHint: Send a whole number written as text, such as \"20\". How many.",
            ),
            (
                json!({"id": "x", "limit": "-1"}),
                "Error [bad_request]: limit is text that is not a whole number\nField: limit\nHint: Send a whole number written as text, such as \"20\". How many.",
            ),
            (
                json!({"id": "x", "kind": "c"}),
                "Error [unprocessable]: kind has a value that is not allowed\nField: kind\nHint: Choose one of the allowed values. Which kind.\nAllowed: a, b",
            ),
            (
                json!({"id": "x", "days": "3"}),
                "Error [bad_request]: days is text, not a number\nField: days\nHint: Send a number. How many days.",
            ),
            (
                json!({"id": "x", "confirm": "true"}),
                "Error [bad_request]: confirm is text, not a boolean\nField: confirm\nHint: Send true or false, not as text. A yes.",
            ),
            (
                json!({"id": "x", "features": []}),
                "Error [bad_request]: features needs at least 1 item(s)\nField: features\nHint: Send a list. The checks.",
            ),
            (
                json!({"id": "x", "features": ["OCR"]}),
                "Error [bad_request]: features[0] is text, not an object\nField: features[0]\nHint: Send an object. The checks.",
            ),
            (
                json!({"id": "x", "features": [{"feature": "OCR"}, {"config": {}}]}),
                "Error [bad_request]: features[1].feature is missing\nField: features[1].feature\nHint: Send text. Which check.",
            ),
            (
                json!({"id": "x", "features": [{"feature": "NFT"}]}),
                "Error [unprocessable]: features[0].feature has a value that is not allowed\nField: features[0].feature\nHint: Choose one of the allowed values. Which check.\nAllowed: OCR, AML",
            ),
            (
                json!({"id": "x", "acess_token": "secret"}),
                "Error [bad_request]: the tool has no argument acess_token\nField: acess_token\nHint: Leave it out.\nAllowed: id, limit, kind, days, confirm, features",
            ),
        ] {
            assert_eq!(refused(given), want);
        }
    }
}
