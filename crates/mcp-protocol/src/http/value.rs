//! How a value is written in a mirrored header, and read back.

use std::borrow::Cow;

use ::http::{HeaderMap, HeaderName, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::stateless::Mirror;

const PREFIX: &str = "=?base64?";
const SUFFIX: &str = "?=";

/// Reads a header that mirrors the body; one that is there twice is unreadable.
#[must_use]
pub fn mirror<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Mirror<'a> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Mirror::Absent,
        (Some(value), None) => decode(value),
        (Some(_), Some(_)) => Mirror::Unreadable,
    }
}

/// Reads the value of a mirrored header.
///
/// 1. Spaces and tabs around it are no part of it.
/// 2. It is printable ASCII.
/// 3. Between the two marks of the base64 form there is base64 of UTF-8; a value with only one of
///    the marks is what it is.
///
/// Specification: MCP-HTTP-14, MCP-XHDR-05.
#[must_use]
pub fn decode(value: &HeaderValue) -> Mirror<'_> {
    let Ok(text) = value.to_str() else {
        return Mirror::Unreadable;
    };
    let text = text.trim_matches([' ', '\t']);
    // MCP-XHDR-04: a tab inside is sent in base64 like any other control character.
    if text.contains('\t') {
        return Mirror::Unreadable;
    }
    let Some(encoded) = between(text) else {
        return Mirror::Text(Cow::Borrowed(text));
    };
    STANDARD
        .decode(encoded)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .map_or(Mirror::Unreadable, |text| Mirror::Text(Cow::Owned(text)))
}

/// Writes a value for a mirrored header.
///
/// In base64 if it has anything but printable ASCII, starts or ends with a space, or looks like the
/// base64 form itself; as it is otherwise.
///
/// Specification: MCP-XHDR-04.
#[must_use]
pub fn encode(value: &str) -> HeaderValue {
    let plain = value.bytes().all(|byte| matches!(byte, b' '..=b'~'))
        && !value.starts_with(' ')
        && !value.ends_with(' ')
        && between(value).is_none();
    if let (true, Ok(header)) = (plain, HeaderValue::from_str(value)) {
        return header;
    }
    let text = format!("{PREFIX}{}{SUFFIX}", STANDARD.encode(value));
    // Base64 and the marks are printable ASCII, so this is always a header value.
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}

fn between(text: &str) -> Option<&str> {
    text.strip_prefix(PREFIX)
        .and_then(|rest| rest.strip_suffix(SUFFIX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_round_trip_in_the_form_that_the_rule_names() {
        for (value, written) in [
            ("plain", "plain"),
            ("two words", "two words"),
            ("", ""),
            ("Grüße", "=?base64?R3LDvMOfZQ==?="),
            (" lead", "=?base64?IGxlYWQ=?="),
            ("trail ", "=?base64?dHJhaWwg?="),
            ("a\tb", "=?base64?YQli?="),
            ("a\r\nb", "=?base64?YQ0KYg==?="),
            ("=?base64?x?=", "=?base64?PT9iYXNlNjQ/eD89?="),
            ("=?base64?x", "=?base64?x"),
            ("x?=", "x?="),
        ] {
            let header = encode(value);
            assert_eq!(header, written, "{value:?}");
            assert_eq!(decode(&header), Mirror::Text(value.into()));
        }
    }

    #[test]
    fn what_cannot_be_read_is_unreadable() {
        for bytes in [
            &b"=?base64?!!!?="[..],
            b"=?base64?/w==?=",
            b"=?base64?YQ?=",
            b"caf\xc3\xa9",
            b"a\tb",
        ] {
            assert_eq!(
                decode(&HeaderValue::from_bytes(bytes).unwrap()),
                Mirror::Unreadable
            );
        }
        assert_eq!(
            decode(&HeaderValue::from_static("  a\t")),
            Mirror::Text("a".into())
        );
        // The marks are compared with case.
        assert_eq!(
            decode(&HeaderValue::from_static("=?BASE64?YQ==?=")),
            Mirror::Text("=?BASE64?YQ==?=".into())
        );
    }

    #[test]
    fn a_header_that_is_there_twice_is_unreadable() {
        let mut headers = HeaderMap::new();
        let name = HeaderName::from_static("mcp-method");
        assert_eq!(mirror(&headers, &name), Mirror::Absent);
        headers.append(&name, HeaderValue::from_static("a"));
        assert_eq!(mirror(&headers, &name), Mirror::Text("a".into()));
        headers.append(&name, HeaderValue::from_static("a"));
        assert_eq!(mirror(&headers, &name), Mirror::Unreadable);
    }
}
