//! What is looked at in a JSON Schema before anybody reads it: dialect, bounds, references that lead away.
//!
//! Schemas are passed on and not evaluated here, and no reference is ever followed.
//!
//! Specification: MCP 2025-11-25 and 2026-07-28, overview, JSON Schema usage; MCP-SCH-01, MCP-SCH-02, MCP-SCH-03.

use std::collections::BTreeSet;

use serde_json::Value;

/// The dialect of a schema that names none.
pub const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// Values in values; schemas that people write are a tenth as deep.
pub const MAX_DEPTH: usize = 64;

/// Objects in a schema, each of which may be a schema: what a validator has to look at.
pub const MAX_SUBSCHEMAS: usize = 10_000;

/// What is wrong with a schema.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaProblem {
    /// Neither an object nor a truth value.
    #[error("is not a schema: neither an object nor true or false")]
    NotASchema,
    /// The root of an input schema is not `"type": "object"`.
    #[error("must have \"type\": \"object\" at its root")]
    Root,
    /// A dialect other than 2020-12.
    #[error("is of the dialect {0:?}, and only {DIALECT:?} is known")]
    Dialect(String),
    /// Deeper than [`MAX_DEPTH`].
    #[error("is nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
    /// More than [`MAX_SUBSCHEMAS`].
    #[error("has more than {MAX_SUBSCHEMAS} objects in it")]
    TooMany,
    /// A reference to another document; it is not fetched.
    #[error("refers to another document, {0:?}, which is not fetched")]
    External(String),
}

/// Checks a schema for whoever evaluates it.
///
/// Does not check: whether keywords have values that they can have, whether a reference inside the document has a target.
///
/// # Errors
/// The first thing that is wrong.
pub fn check(schema: &Value) -> Result<(), SchemaProblem> {
    let members = match schema {
        Value::Bool(_) => return Ok(()),
        Value::Object(members) => members,
        _ => return Err(SchemaProblem::NotASchema),
    };
    // MCP-SCH-01: without `$schema` it is 2020-12; what is not known is an error that says so.
    if let Some(dialect) = members.get("$schema") {
        let named = dialect.as_str().unwrap_or_default();
        if named.strip_suffix('#').unwrap_or(named) != DIALECT {
            return Err(SchemaProblem::Dialect(crate::stateless::clip(named)));
        }
    }
    check_carried(schema)
}

/// Checks a schema for whoever hands it on: it is within the bounds, and no reference leads away.
///
/// Does not check: the dialect, and what [`check`] does not. A member named `$ref` in a value of `const`, `default`, `enum`
/// or `examples` is taken for a reference.
///
/// # Errors
/// [`SchemaProblem::TooDeep`], [`SchemaProblem::TooMany`] or [`SchemaProblem::External`].
pub fn check_carried(schema: &Value) -> Result<(), SchemaProblem> {
    check_bounds(schema)?;
    check_references(schema)
}

/// Checks the schema of a tool's arguments: a schema whose root has `"type": "object"`.
///
/// # Errors
/// The first thing that is wrong.
pub fn check_input(schema: &Value) -> Result<(), SchemaProblem> {
    // MCP-TOOL-03.
    if schema.get("type").and_then(Value::as_str) != Some("object") {
        return Err(SchemaProblem::Root);
    }
    check(schema)
}

/// Checks only that a schema is neither too deep nor too large.
///
/// # Errors
/// [`SchemaProblem::TooDeep`] or [`SchemaProblem::TooMany`].
pub fn check_bounds(schema: &Value) -> Result<(), SchemaProblem> {
    let mut objects = 0;
    for (value, depth) in walk(schema) {
        if depth > MAX_DEPTH {
            return Err(SchemaProblem::TooDeep);
        }
        objects += usize::from(value.is_object());
        if objects > MAX_SUBSCHEMAS {
            return Err(SchemaProblem::TooMany);
        }
    }
    Ok(())
}

/// MCP-SCH-02: a reference that leads out of the document is refused, because nobody follows it.
///
/// JSON Schema 2020-12, 9.3.1: one to an `$id` in the document does not, where it is written as it is there.
fn check_references(schema: &Value) -> Result<(), SchemaProblem> {
    let ids: BTreeSet<&str> = walk(schema)
        .filter_map(|(value, _)| Some(without_fragment(value.get("$id")?.as_str()?)))
        .filter(|id| !id.is_empty())
        .collect();
    for (value, _) in walk(schema) {
        for keyword in ["$ref", "$dynamicRef"] {
            let Some(reference) = value.get(keyword).and_then(Value::as_str) else {
                continue;
            };
            if !reference.starts_with('#') && !ids.contains(without_fragment(reference)) {
                return Err(SchemaProblem::External(crate::stateless::clip(reference)));
            }
        }
    }
    Ok(())
}

fn without_fragment(address: &str) -> &str {
    address.split('#').next().unwrap_or_default()
}

/// Every value in a value with its depth; without recursion, so that no depth is too much for it.
fn walk(root: &Value) -> impl Iterator<Item = (&Value, usize)> {
    let mut rest = vec![(root, 1)];
    std::iter::from_fn(move || {
        let (value, depth) = rest.pop()?;
        match value {
            Value::Object(members) => rest.extend(members.values().map(|one| (one, depth + 1))),
            Value::Array(items) => rest.extend(items.iter().map(|one| (one, depth + 1))),
            _ => {}
        }
        Some((value, depth))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn schemas_in_order_pass() {
        for schema in [
            json!(true),
            json!({}),
            json!({ "$schema": DIALECT }),
            json!({ "$schema": "https://json-schema.org/draft/2020-12/schema#" }),
            json!({ "type": "object", "$defs": { "a": { "$anchor": "x" } }, "properties": { "p": { "$ref": "#/$defs/a" }, "q": { "$ref": "#x" } } }),
        ] {
            assert_eq!(check(&schema), Ok(()), "{schema}");
        }
    }

    #[test]
    fn what_is_no_schema_has_its_reason() {
        assert_eq!(check(&json!(null)), Err(SchemaProblem::NotASchema));
        assert_eq!(check(&json!([])), Err(SchemaProblem::NotASchema));
        for dialect in [
            "http://json-schema.org/draft-07/schema#",
            "https://example.com/x",
            "",
        ] {
            let refused = check(&json!({ "$schema": dialect })).unwrap_err();
            assert_eq!(refused, SchemaProblem::Dialect(dialect.into()));
            assert!(refused.to_string().contains("2020-12"), "{refused}");
        }
        assert!(matches!(
            check(&json!({ "$schema": 5 })),
            Err(SchemaProblem::Dialect(_))
        ));
    }

    #[test]
    fn arguments_are_an_object() {
        assert_eq!(check_input(&json!({ "type": "object" })), Ok(()));
        for schema in [
            json!({}),
            json!(true),
            json!({ "type": "array" }),
            json!({ "type": ["object"] }),
        ] {
            assert_eq!(check_input(&schema), Err(SchemaProblem::Root), "{schema}");
        }
    }

    #[test]
    fn references_that_lead_away_are_refused_wherever_they_are() {
        for reference in [
            "https://example.com/a.json",
            "other.json#/a",
            "/a",
            "file:///a",
            "",
        ] {
            for schema in [
                json!({ "$ref": reference }),
                json!({ "properties": { "a": { "anyOf": [{ "$dynamicRef": reference }] } } }),
                json!({ "$ref": "#/$defs/a", "$dynamicRef": reference }),
                json!({ "$id": "https://example.com/b.json", "$ref": reference }),
            ] {
                let refused = SchemaProblem::External(reference.into());
                assert_eq!(check(&schema), Err(refused), "{schema}");
            }
        }
    }

    #[test]
    fn a_reference_to_an_id_in_the_document_does_not_lead_away() {
        for reference in [
            "https://example.com/a.json",
            "https://example.com/a.json#/x",
        ] {
            let bundled = json!({ "$ref": reference, "$defs": { "a": { "$id": "https://example.com/a.json" } } });
            assert_eq!(check(&bundled), Ok(()));
        }
    }

    #[test]
    fn depth_and_number_are_bounded() {
        let nested =
            |levels: usize| (1..levels).fold(json!({}), |inner, _| json!({ "not": inner }));
        assert_eq!(check(&nested(MAX_DEPTH)), Ok(()));
        assert_eq!(check(&nested(MAX_DEPTH + 1)), Err(SchemaProblem::TooDeep));
        let wide = |number: usize| json!({ "anyOf": vec![json!({}); number - 1] });
        assert_eq!(check(&wide(MAX_SUBSCHEMAS)), Ok(()));
        assert_eq!(
            check(&wide(MAX_SUBSCHEMAS + 1)),
            Err(SchemaProblem::TooMany)
        );
    }
}
