//! The forms of elicitation: which schemas are forms, and whether what was filled in fits one.
//!
//! A form is much less than JSON Schema: a flat object whose properties are texts, numbers, yes or no, and choices.
//!
//! Specification: MCP 2025-11-25 and 2026-07-28, elicitation, requested schema; MCP-ELI-02, MCP-ELI-06.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::JsonObject;

/// More properties than this are no form that a person fills in.
pub const MAX_PROPERTIES: usize = 128;

/// More choices than this are no list that a person reads.
pub const MAX_CHOICES: usize = 1024;

/// What is wrong with a schema that should be a form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FormProblem {
    /// The schema is not an object.
    #[error("requestedSchema must be an object")]
    NotAnObject,
    /// The root is not `"type": "object"`.
    #[error("requestedSchema must have \"type\": \"object\"")]
    Root,
    /// `properties` is not an object.
    #[error("the properties of requestedSchema must be an object")]
    Properties,
    /// There are more than [`MAX_PROPERTIES`].
    #[error("requestedSchema has more than {MAX_PROPERTIES} properties")]
    TooMany,
    /// A property is neither text, number, yes or no, nor a choice.
    #[error(
        "property {0:?} must be a string, number, integer, boolean, or an array of choices; forms are flat"
    )]
    Property(String),
    /// A keyword of a property has a value that it cannot have.
    #[error("property {property:?} has a {keyword} that cannot be used")]
    Keyword {
        /// The property.
        property: String,
        /// The keyword.
        keyword: &'static str,
    },
    /// A property asks for a secret.
    #[error(
        "property {0:?} asks for a secret, which a form must not; ask for it at an address (mode \"url\")"
    )]
    Secret(String),
    /// A property is required that is not there.
    #[error("required must be a list of properties that are there")]
    Required,
}

/// What does not fit in what was filled in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{property:?} {why}")]
pub struct ContentProblem {
    /// The property.
    pub property: String,
    /// What is wrong with it.
    pub why: &'static str,
}

/// A schema that has been found to be a form.
#[derive(Clone, Debug, PartialEq)]
pub struct Form {
    fields: BTreeMap<String, Field>,
    required: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
enum Field {
    Text {
        least: u64,
        most: Option<u64>,
    },
    Number {
        whole: bool,
        least: Option<f64>,
        most: Option<f64>,
    },
    YesOrNo,
    One(Vec<String>),
    Many {
        choices: Vec<String>,
        least: u64,
        most: Option<u64>,
    },
}

impl Form {
    /// Reads a schema as a form.
    ///
    /// Does not check: keywords that forms do not have; they are left for others to read. Nor whether a text is a secret that
    /// does not say so: only `"format": "password"` and `"writeOnly": true` do.
    ///
    /// # Errors
    /// The first thing that is wrong, with the property that it is wrong with.
    pub fn read(schema: &Value) -> Result<Self, FormProblem> {
        let schema = schema.as_object().ok_or(FormProblem::NotAnObject)?;
        if schema.get("type").and_then(Value::as_str) != Some("object") {
            return Err(FormProblem::Root);
        }
        // A form without fields is a question of yes or no.
        let none = Map::new();
        let properties = match schema.get("properties") {
            None => &none,
            Some(properties) => properties.as_object().ok_or(FormProblem::Properties)?,
        };
        if properties.len() > MAX_PROPERTIES {
            return Err(FormProblem::TooMany);
        }
        let mut fields = BTreeMap::new();
        for (name, property) in properties {
            fields.insert(name.clone(), Field::read(name, property)?);
        }
        let required = match schema.get("required") {
            None => Vec::new(),
            Some(names) => texts(names).ok_or(FormProblem::Required)?,
        };
        if required.iter().any(|name| !fields.contains_key(name)) {
            return Err(FormProblem::Required);
        }
        Ok(Form { fields, required })
    }

    /// Whether what a person filled in fits.
    ///
    /// Does not check: the format of a text (an address, a date); what is in no property of the form.
    ///
    /// # Errors
    /// The first property that does not fit.
    pub fn check(&self, content: &JsonObject) -> Result<(), ContentProblem> {
        if let Some(name) = self
            .required
            .iter()
            .find(|name| !content.contains_key(*name))
        {
            return Err(ContentProblem {
                property: name.clone(),
                why: "is required",
            });
        }
        for (name, field) in &self.fields {
            if let Some(value) = content.get(name) {
                field.check(value).map_err(|why| ContentProblem {
                    property: name.clone(),
                    why,
                })?;
            }
        }
        Ok(())
    }
}

impl Field {
    fn read(name: &str, property: &Value) -> Result<Self, FormProblem> {
        let unknown = || FormProblem::Property(name.to_owned());
        let property = property.as_object().ok_or_else(unknown)?;
        let keyword = |keyword| FormProblem::Keyword {
            property: name.to_owned(),
            keyword,
        };
        if is_secret(property) {
            return Err(FormProblem::Secret(name.to_owned()));
        }
        let field = match property.get("type").and_then(Value::as_str) {
            Some("string") => match choices(property).map_err(keyword)? {
                Some(choices) => Field::One(choices),
                None => Field::Text {
                    least: count(property, "minLength").map_err(keyword)?.unwrap_or(0),
                    most: count(property, "maxLength").map_err(keyword)?,
                },
            },
            Some(kind @ ("number" | "integer")) => Field::Number {
                whole: kind == "integer",
                least: number(property, "minimum").map_err(keyword)?,
                most: number(property, "maximum").map_err(keyword)?,
            },
            Some("boolean") => Field::YesOrNo,
            // Of arrays, only a choice of several is part of a form.
            Some("array") => {
                let items = property.get("items").and_then(Value::as_object);
                let items = items.ok_or_else(unknown)?;
                Field::Many {
                    choices: choices(items).map_err(keyword)?.ok_or_else(unknown)?,
                    least: count(property, "minItems").map_err(keyword)?.unwrap_or(0),
                    most: count(property, "maxItems").map_err(keyword)?,
                }
            }
            _ => return Err(unknown()),
        };
        // A default is what the form begins with, so it fits.
        if let Some(default) = property.get("default") {
            field.check(default).map_err(|_| keyword("default"))?;
        }
        Ok(field)
    }

    fn check(&self, value: &Value) -> Result<(), &'static str> {
        match self {
            Field::Text { least, most } => {
                let text = value.as_str().ok_or("must be a string")?;
                let length = u64::try_from(text.chars().count()).unwrap_or(u64::MAX);
                within(length, *least, *most)
                    .then_some(())
                    .ok_or("has a length that is not allowed")
            }
            Field::Number { whole, least, most } => {
                let number = value.as_f64().ok_or("must be a number")?;
                if *whole && number.fract() != 0.0 {
                    return Err("must be a whole number");
                }
                let fits = least.is_none_or(|least| number >= least)
                    && most.is_none_or(|most| number <= most);
                fits.then_some(()).ok_or("is out of its range")
            }
            Field::YesOrNo => value
                .is_boolean()
                .then_some(())
                .ok_or("must be true or false"),
            Field::One(choices) => {
                let text = value.as_str().ok_or("must be a string")?;
                is_one(choices, text)
            }
            Field::Many {
                choices,
                least,
                most,
            } => {
                let chosen = texts(value).ok_or("must be a list of strings")?;
                let number = u64::try_from(chosen.len()).unwrap_or(u64::MAX);
                if !within(number, *least, *most) {
                    return Err("has a number of choices that is not allowed");
                }
                chosen.iter().try_for_each(|text| is_one(choices, text))
            }
        }
    }
}

/// Whether a property says of itself that it is a secret.
// MCP-ELI-03: secrets are not asked for in a form. Both are words of JSON Schema and OpenAPI for a field of passwords.
fn is_secret(property: &Map<String, Value>) -> bool {
    property.get("format").and_then(Value::as_str) == Some("password")
        || property.get("writeOnly") == Some(&Value::Bool(true))
}

fn is_one(choices: &[String], text: &str) -> Result<(), &'static str> {
    let known = choices.iter().any(|choice| choice == text);
    known.then_some(()).ok_or("is none of the choices")
}

fn within(number: u64, least: u64, most: Option<u64>) -> bool {
    number >= least && most.is_none_or(|most| number <= most)
}

/// The choices of `enum`, or of `oneOf` or `anyOf` with a `const` each; none when there are none of these.
fn choices(schema: &Map<String, Value>) -> Result<Option<Vec<String>>, &'static str> {
    let (keyword, found) = if let Some(values) = schema.get("enum") {
        ("enum", texts(values))
    } else {
        let Some(keyword) = ["oneOf", "anyOf"]
            .into_iter()
            .find(|one| schema.contains_key(*one))
        else {
            return Ok(None);
        };
        let titled = schema.get(keyword).and_then(Value::as_array);
        let constant = |one: &Value| one.get("const")?.as_str().map(str::to_owned);
        (
            keyword,
            titled.and_then(|all| all.iter().map(constant).collect()),
        )
    };
    let found = found.filter(|all| !all.is_empty() && all.len() <= MAX_CHOICES);
    found.map(Some).ok_or(keyword)
}

fn texts(value: &Value) -> Option<Vec<String>> {
    let text = |one: &Value| one.as_str().map(str::to_owned);
    value.as_array()?.iter().map(text).collect()
}

fn count(schema: &Map<String, Value>, keyword: &'static str) -> Result<Option<u64>, &'static str> {
    match schema.get(keyword) {
        None => Ok(None),
        Some(value) => value.as_u64().map(Some).ok_or(keyword),
    }
}

fn number(schema: &Map<String, Value>, keyword: &'static str) -> Result<Option<f64>, &'static str> {
    match schema.get(keyword) {
        None => Ok(None),
        Some(value) => value.as_f64().map(Some).ok_or(keyword),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(properties: Value) -> Result<Form, FormProblem> {
        Form::read(&json!({ "type": "object", "properties": properties }))
    }

    fn everything() -> Value {
        json!({
            "type": "object",
            "properties": {
                "name": { "type": "string", "title": "Name", "minLength": 2, "maxLength": 5, "default": "John" },
                "mail": { "type": "string", "format": "email" },
                "age": { "type": "integer", "minimum": 0, "maximum": 150, "default": 30 },
                "score": { "type": "number", "default": 95.5 },
                "sure": { "type": "boolean", "default": true },
                "one": { "type": "string", "enum": ["a", "b"], "enumNames": ["A", "B"], "default": "a" },
                "titled": { "type": "string", "oneOf": [{ "const": "x", "title": "X" }] },
                "many": { "type": "array", "minItems": 1, "maxItems": 2, "items": { "type": "string", "enum": ["p", "q", "r"] } },
                "many_titled": { "type": "array", "items": { "anyOf": [{ "const": "u", "title": "U" }] } },
            },
            "required": ["name", "age"],
        })
    }

    #[test]
    fn every_kind_of_field_is_a_form() {
        assert_eq!(Form::read(&everything()).unwrap().fields.len(), 9);
        assert!(read(json!({})).is_ok());
        assert!(Form::read(&json!({ "type": "object" })).is_ok());
    }

    #[test]
    fn what_is_no_form_has_its_reason() {
        for (schema, problem) in [
            (json!(true), FormProblem::NotAnObject),
            (json!({}), FormProblem::Root),
            (json!({ "type": "array" }), FormProblem::Root),
            (
                json!({ "type": "object", "properties": [] }),
                FormProblem::Properties,
            ),
            (
                json!({ "type": "object", "properties": {}, "required": ["a"] }),
                FormProblem::Required,
            ),
            (
                json!({ "type": "object", "properties": {}, "required": "a" }),
                FormProblem::Required,
            ),
        ] {
            assert_eq!(Form::read(&schema), Err(problem), "{schema}");
        }
        let many: Map<String, Value> = (0..=MAX_PROPERTIES)
            .map(|n| (n.to_string(), json!({ "type": "boolean" })))
            .collect();
        assert_eq!(read(many.into()), Err(FormProblem::TooMany));
    }

    #[test]
    fn a_field_is_flat_and_its_keywords_can_be_used() {
        for property in [
            json!({}),
            json!(true),
            json!({ "type": "null" }),
            json!({ "type": ["string", "null"] }),
            json!({ "type": "object", "properties": {} }),
            json!({ "type": "array" }),
            json!({ "type": "array", "items": { "type": "string" } }),
            json!({ "type": "array", "items": { "type": "object" } }),
            json!({ "$ref": "#/$defs/a" }),
        ] {
            let refused = FormProblem::Property("a".into());
            assert_eq!(read(json!({ "a": &property })), Err(refused), "{property}");
        }
        let many: Vec<String> = (0..=MAX_CHOICES).map(|n| n.to_string()).collect();
        for (property, keyword) in [
            (json!({ "type": "string", "minLength": -1 }), "minLength"),
            (json!({ "type": "string", "maxLength": "5" }), "maxLength"),
            (json!({ "type": "number", "minimum": "0" }), "minimum"),
            (json!({ "type": "string", "enum": [] }), "enum"),
            (json!({ "type": "string", "enum": [1] }), "enum"),
            (json!({ "type": "string", "enum": many }), "enum"),
            (
                json!({ "type": "string", "oneOf": [{ "title": "X" }] }),
                "oneOf",
            ),
            (json!({ "type": "integer", "default": 1.5 }), "default"),
            (
                json!({ "type": "string", "enum": ["a"], "default": "b" }),
                "default",
            ),
        ] {
            let refused = FormProblem::Keyword {
                property: "a".into(),
                keyword,
            };
            assert_eq!(read(json!({ "a": &property })), Err(refused), "{property}");
        }
    }

    #[test]
    fn mcp_eli_03_a_form_does_not_ask_for_a_secret() {
        for secret in [
            json!({ "type": "string", "format": "password" }),
            json!({ "type": "string", "writeOnly": true }),
        ] {
            let refused = FormProblem::Secret("a".into());
            assert_eq!(read(json!({ "a": &secret })), Err(refused), "{secret}");
        }
        for open in [
            json!({ "type": "string", "format": "email" }),
            json!({ "type": "string", "writeOnly": false }),
        ] {
            assert!(read(json!({ "a": &open })).is_ok(), "{open}");
        }
    }

    #[test]
    fn what_was_filled_in_fits_or_is_named() {
        let form = Form::read(&everything()).unwrap();
        let check = |change: Value| {
            let mut content = json!({ "name": "Jane", "age": 30 });
            for (name, value) in change.as_object().unwrap() {
                content[name] = value.clone();
            }
            form.check(content.as_object().unwrap())
        };
        for good in [
            json!({}),
            json!({ "name": "ßßßßß", "score": 1, "sure": false, "one": "b", "titled": "x" }),
            json!({ "age": 30.0, "many": ["p", "r"], "many_titled": [], "further": null }),
        ] {
            assert_eq!(check(good.clone()), Ok(()), "{good}");
        }
        for (change, why) in [
            (json!({ "name": 5 }), "must be a string"),
            (json!({ "name": "J" }), "has a length that is not allowed"),
            (
                json!({ "name": "Johnny" }),
                "has a length that is not allowed",
            ),
            (json!({ "age": "30" }), "must be a number"),
            (json!({ "age": 1.5 }), "must be a whole number"),
            (json!({ "age": -1 }), "is out of its range"),
            (json!({ "age": 151 }), "is out of its range"),
            (json!({ "sure": "yes" }), "must be true or false"),
            (json!({ "one": "c" }), "is none of the choices"),
            (json!({ "titled": "X" }), "is none of the choices"),
            (json!({ "many": "p" }), "must be a list of strings"),
            (
                json!({ "many": [] }),
                "has a number of choices that is not allowed",
            ),
            (
                json!({ "many": ["p", "q", "r"] }),
                "has a number of choices that is not allowed",
            ),
            (json!({ "many": ["p", "z"] }), "is none of the choices"),
        ] {
            let property = change.as_object().unwrap().keys().next().unwrap().clone();
            assert_eq!(
                check(change),
                Err(ContentProblem { property, why }),
                "{why}"
            );
        }
        let missing = form.check(&JsonObject::new()).unwrap_err();
        assert_eq!(missing.to_string(), "\"name\" is required");
    }
}
