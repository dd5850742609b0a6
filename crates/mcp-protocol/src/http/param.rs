//! Arguments that a tool wants mirrored in `Mcp-Param-*` headers.

use std::collections::HashSet;

use ::http::{HeaderMap, HeaderName};
use serde_json::Value;

use super::{PARAM_PREFIX, mirror};
use crate::stateless::Mirror;
use crate::violation::Violation;

/// The annotation in a schema.
const ANNOTATION: &str = "x-mcp-header";

/// MCP-XHDR-01: integers stay within what every JSON reader keeps exactly, 2^53 - 1.
const MAX_SAFE: u64 = 9_007_199_254_740_991;

/// An argument that is mirrored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderParam {
    /// The header, with its prefix.
    pub header: HeaderName,
    /// The way to the argument through the objects.
    pub path: Vec<String>,
    /// How it is written.
    pub kind: ParamKind,
}

/// The types that can be mirrored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParamKind {
    /// A string, in base64 where needed.
    Text,
    /// An integer, in decimal.
    Integer,
    /// `true` or `false`.
    Boolean,
}

/// Why an annotation in a schema is not valid; the whole tool is then not to be used over HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidAnnotation {
    /// Not a string that can be part of a header's name.
    #[error("x-mcp-header must be a token")]
    NotAToken,
    /// Two arguments want the same header.
    #[error("x-mcp-header is there twice")]
    Twice,
    /// The argument is not a string, an integer or a boolean.
    #[error("x-mcp-header is for a string, an integer or a boolean")]
    WrongType,
    /// The argument cannot be reached through `properties` alone.
    #[error("x-mcp-header is out of reach")]
    OutOfReach,
}

/// Finds the annotated arguments of a tool.
///
/// # Errors
/// The first annotation that is not valid.
///
/// Specification: MCP-XHDR-01.
pub fn header_params(input_schema: &Value) -> Result<Vec<HeaderParam>, InvalidAnnotation> {
    let mut found = Vec::new();
    let mut names = HashSet::new();
    walk(input_schema, &mut Vec::new(), true, &mut found, &mut names)?;
    Ok(found)
}

fn walk(
    schema: &Value,
    path: &mut Vec<String>,
    reachable: bool,
    found: &mut Vec<HeaderParam>,
    names: &mut HashSet<HeaderName>,
) -> Result<(), InvalidAnnotation> {
    let members = match schema {
        Value::Object(members) => members,
        Value::Array(items) => {
            return items
                .iter()
                .try_for_each(|item| walk(item, path, false, found, names));
        }
        _ => return Ok(()),
    };
    if let Some(annotation) = members.get(ANNOTATION) {
        if !reachable || path.is_empty() {
            return Err(InvalidAnnotation::OutOfReach);
        }
        let name = annotation.as_str().filter(|name| !name.is_empty());
        let name = name.ok_or(InvalidAnnotation::NotAToken)?;
        let header = HeaderName::try_from(format!("{PARAM_PREFIX}{}", name.to_ascii_lowercase()))
            .map_err(|_| InvalidAnnotation::NotAToken)?;
        let kind = match members.get("type").and_then(Value::as_str) {
            Some("string") => ParamKind::Text,
            Some("integer") => ParamKind::Integer,
            Some("boolean") => ParamKind::Boolean,
            _ => return Err(InvalidAnnotation::WrongType),
        };
        if !names.insert(header.clone()) {
            return Err(InvalidAnnotation::Twice);
        }
        found.push(HeaderParam {
            header,
            path: path.clone(),
            kind,
        });
    }
    for (keyword, value) in members {
        match (keyword.as_str(), value) {
            ("properties", Value::Object(properties)) => {
                for (name, property) in properties {
                    path.push(name.clone());
                    walk(property, path, reachable, found, names)?;
                    path.pop();
                }
            }
            // Values, not schemas.
            ("default" | "const" | "enum" | "examples", _) => {}
            (_, value) => walk(value, path, false, found, names)?,
        }
    }
    Ok(())
}

/// Checks the mirrored headers of a call against its arguments.
///
/// An argument that is absent or null expects no header.
///
/// # Errors
/// [`Violation::Header`] when a header is missing, unreadable, or says something else.
///
/// Specification: MCP-XHDR-05.
pub fn check_params(
    params: &[HeaderParam],
    headers: &HeaderMap,
    arguments: &Value,
) -> Result<(), Violation> {
    for param in params {
        let mut value = Some(arguments);
        for step in &param.path {
            value = value.and_then(|value| value.get(step));
        }
        let Some(value) = value.filter(|value| !value.is_null()) else {
            continue;
        };
        let problem = match mirror(headers, &param.header) {
            Mirror::Absent => "is missing",
            Mirror::Unreadable => "is not readable",
            Mirror::Text(text) if same(param.kind, value, &text) => continue,
            Mirror::Text(_) => "does not match the body",
        };
        return Err(Violation::Header {
            header: param.header.to_string(),
            problem,
        });
    }
    Ok(())
}

fn same(kind: ParamKind, value: &Value, header: &str) -> bool {
    match (kind, value) {
        (ParamKind::Integer, Value::Number(number)) => {
            // MCP-XHDR-05: integers are compared as numbers.
            let sent = header
                .parse::<i64>()
                .ok()
                .filter(|sent| sent.unsigned_abs() <= MAX_SAFE);
            match (sent, number.as_i64()) {
                (Some(sent), Some(number)) => sent == number,
                _ => number.to_string() == header,
            }
        }
        (_, Value::String(text)) => text == header,
        (_, Value::Bool(flag)) => header == if *flag { "true" } else { "false" },
        // The body has another type than the schema: compare it as it is written there.
        (_, other) => {
            let written = other.to_string();
            written == header
        }
    }
}

#[cfg(test)]
mod tests {
    use ::http::HeaderValue;
    use serde_json::json;

    use super::*;

    fn one(property: Value) -> Result<Vec<HeaderParam>, InvalidAnnotation> {
        header_params(&json!({ "type": "object", "properties": { "a": property } }))
    }

    #[test]
    fn annotations_are_found_and_each_wrong_one_has_its_reason() {
        let found = header_params(&json!({
            "type": "object",
            "properties": {
                "a": { "type": "string", "x-mcp-header": "Region" },
                "b": { "type": "object", "properties": { "c": { "type": "integer", "x-mcp-header": "Shard" } } },
                "d": { "enum": [{ "x-mcp-header": "" }] },
            },
        }))
        .unwrap();
        let names: Vec<(&str, Vec<String>)> = found
            .iter()
            .map(|p| (p.header.as_str(), p.path.clone()))
            .collect();
        assert_eq!(
            names,
            [
                ("mcp-param-region", vec!["a".to_owned()]),
                ("mcp-param-shard", vec!["b".to_owned(), "c".to_owned()]),
            ]
        );

        for (property, reason) in [
            (
                json!({ "type": "string", "x-mcp-header": "" }),
                InvalidAnnotation::NotAToken,
            ),
            (
                json!({ "type": "string", "x-mcp-header": 5 }),
                InvalidAnnotation::NotAToken,
            ),
            (
                json!({ "type": "string", "x-mcp-header": "a b" }),
                InvalidAnnotation::NotAToken,
            ),
            (
                json!({ "type": "string", "x-mcp-header": "a\r\nb" }),
                InvalidAnnotation::NotAToken,
            ),
            (
                json!({ "type": "number", "x-mcp-header": "A" }),
                InvalidAnnotation::WrongType,
            ),
            (
                json!({ "type": "object", "x-mcp-header": "A" }),
                InvalidAnnotation::WrongType,
            ),
            (json!({ "x-mcp-header": "A" }), InvalidAnnotation::WrongType),
            (
                json!({ "type": "array", "items": { "type": "string", "x-mcp-header": "A" } }),
                InvalidAnnotation::OutOfReach,
            ),
            (
                json!({ "anyOf": [{ "type": "string", "x-mcp-header": "A" }] }),
                InvalidAnnotation::OutOfReach,
            ),
        ] {
            assert_eq!(one(property.clone()), Err(reason), "{property}");
        }
        let twice = json!({ "properties": {
            "a": { "type": "string", "x-mcp-header": "Region" },
            "b": { "type": "string", "x-mcp-header": "REGION" },
        } });
        assert_eq!(header_params(&twice), Err(InvalidAnnotation::Twice));
    }

    #[test]
    fn headers_agree_with_arguments() {
        let params = header_params(&json!({ "properties": {
            "s": { "type": "string", "x-mcp-header": "S" },
            "i": { "type": "integer", "x-mcp-header": "I" },
            "b": { "type": "boolean", "x-mcp-header": "B" },
        } }))
        .unwrap();
        let check = |arguments: Value, headers: &[(&'static str, &'static str)]| {
            let mut map = HeaderMap::new();
            for (name, value) in headers {
                map.append(*name, HeaderValue::from_static(value));
            }
            check_params(&params, &map, &arguments)
        };
        let refused = |header: &str, problem| {
            Err(Violation::Header {
                header: header.into(),
                problem,
            })
        };

        assert_eq!(
            check(
                json!({ "s": "x", "i": 42, "b": true }),
                &[
                    ("mcp-param-s", "x"),
                    ("mcp-param-i", "042"),
                    ("mcp-param-b", "true")
                ]
            ),
            Ok(())
        );
        assert_eq!(check(json!({ "s": "" }), &[("mcp-param-s", "")]), Ok(()));
        assert_eq!(
            check(json!({ "s": "é" }), &[("mcp-param-s", "=?base64?w6k=?=")]),
            Ok(())
        );
        assert_eq!(check(json!({ "s": null }), &[]), Ok(()));
        assert_eq!(check(json!({}), &[]), Ok(()));
        assert_eq!(
            check(json!({ "s": "x" }), &[]),
            refused("mcp-param-s", "is missing")
        );
        assert_eq!(
            check(json!({ "s": "x" }), &[("mcp-param-s", "X")]),
            refused("mcp-param-s", "does not match the body")
        );
        assert_eq!(
            check(json!({ "s": "x" }), &[("mcp-param-s", "=?base64?*?=")]),
            refused("mcp-param-s", "is not readable")
        );
        assert_eq!(
            check(json!({ "i": 1 }), &[("mcp-param-i", "2")]),
            refused("mcp-param-i", "does not match the body")
        );
        assert_eq!(
            check(
                json!({ "i": 1 }),
                &[("mcp-param-i", "-9223372036854775808")]
            ),
            refused("mcp-param-i", "does not match the body")
        );
        assert_eq!(
            check(json!({ "b": false }), &[("mcp-param-b", "False")]),
            refused("mcp-param-b", "does not match the body")
        );
    }
}
