//! Repeats annotated arguments of a tool call in headers.

use http::{HeaderName, HeaderValue};
use serde_json::{Map, Value};

use crate::http::{HeaderParam, encode};

/// The header for these arguments; none when the argument is absent or null.
///
/// An argument of another type than the schema says goes as it is written in the body, so that the server's complaint is
/// about the argument and not about the header.
// MCP 2026-07-28, transports, `Mcp-Param-*`: a string as it is, an integer in decimal, a boolean as true or false.
pub(super) fn header(
    param: &HeaderParam,
    arguments: &Map<String, Value>,
) -> Option<(HeaderName, HeaderValue)> {
    let (last, parents) = param.path.split_last()?;
    let mut object = arguments;
    for name in parents {
        object = object.get(name)?.as_object()?;
    }
    let value = match object.get(last)? {
        Value::Null => return None,
        Value::String(text) => encode(text),
        other => encode(&other.to_string()),
    };
    Some((param.header.clone(), value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::http::header_params;

    fn sent(arguments: &Value) -> Vec<(String, String)> {
        let schema = json!({"type": "object", "properties": {
            "region": {"type": "string", "x-mcp-header": "Region"},
            "count": {"type": "integer", "x-mcp-header": "Count"},
            "dry": {"type": "boolean", "x-mcp-header": "Dry-Run"},
            "place": {"type": "object", "properties": {
                "city": {"type": "string", "x-mcp-header": "City"}}},
            "plain": {"type": "string"},
        }});
        let mut headers: Vec<_> = header_params(&schema)
            .unwrap()
            .iter()
            .filter_map(|param| header(param, arguments.as_object().unwrap()))
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect();
        headers.sort();
        headers
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn each_kind_of_value_is_written_in_its_form() {
        assert_eq!(
            sent(&json!({"region": "eu west", "count": -7, "dry": true, "plain": "no"})),
            pairs(&[
                ("mcp-param-count", "-7"),
                ("mcp-param-dry-run", "true"),
                ("mcp-param-region", "eu west"),
            ])
        );
        assert_eq!(
            sent(&json!({"region": ""})),
            pairs(&[("mcp-param-region", "")])
        );
        assert_eq!(
            sent(&json!({"region": " 世界"})),
            pairs(&[("mcp-param-region", "=?base64?IOS4lueVjA==?=")])
        );
        assert_eq!(
            sent(&json!({"place": {"city": "Bern"}})),
            pairs(&[("mcp-param-city", "Bern")])
        );
    }

    #[test]
    fn what_is_not_there_has_no_header() {
        for absent in [
            json!({}),
            json!({"region": null}),
            json!({"place": "Bern"}),
            json!({"place": {}}),
        ] {
            assert_eq!(sent(&absent), [], "{absent}");
        }
    }
}
