//! Form and query parameters, with repetition and excess refused in one place.

use std::fmt;

use thiserror::Error;

/// The most parameters in one request.
pub const MAX_PARAMS: usize = 64;
/// The longest query or form body, before decoding.
pub const MAX_PARAMS_BYTES: usize = 16 * 1024;

/// Why a query or a form body was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidParams {
    /// A parameter came twice that may come once only.
    #[error("parameter {name:?} occurs more than once")]
    Duplicate {
        /// The name, cut to 64 characters.
        name: String,
    },
    /// More than [`MAX_PARAMS`].
    #[error("more than {MAX_PARAMS} parameters")]
    TooMany,
    /// More than [`MAX_PARAMS_BYTES`].
    #[error("parameters are longer than {MAX_PARAMS_BYTES} bytes")]
    TooLong,
    /// A percent sign without two hexadecimal digits, or bytes that are not UTF-8.
    #[error("parameter {} is not correctly encoded", name.as_deref().unwrap_or("name"))]
    Encoding {
        /// The name, cut to 64 characters, when the value was at fault.
        name: Option<String>,
    },
}

/// Parameters as sent, each name once unless the caller said that it may repeat.
///
/// `Debug` lists the names only, since values may be secrets.
///
/// ```
/// use oauth_rs::params::{InvalidParams, Params};
///
/// let params = Params::parse_query("scope=a+b&resource=x&resource=y&state=", &["resource"])?;
/// assert_eq!(params.get("scope"), Some("a b"));
/// assert_eq!(params.get("state"), None);
/// assert_eq!(params.all("resource").count(), 2);
///
/// let twice = Params::parse_query("state=1&state=2", &["resource"]);
/// assert_eq!(twice.unwrap_err(), InvalidParams::Duplicate { name: "state".into() });
/// # Ok::<(), InvalidParams>(())
/// ```
///
/// Specification: RFC 6749 section 3.1, section 3.2 and appendix B.
#[derive(Clone, PartialEq, Eq)]
pub struct Params(Vec<(String, String)>);

impl Params {
    /// Reads the query of a request target, without its question mark.
    ///
    /// # Errors
    /// Repetition, excess, or broken encoding.
    pub fn parse_query(query: &str, repeatable: &[&str]) -> Result<Self, InvalidParams> {
        Self::parse(query.as_bytes(), repeatable)
    }

    /// Reads the body of a form post.
    ///
    /// Does not check: the content type of the request.
    ///
    /// # Errors
    /// Repetition, excess, or broken encoding.
    pub fn parse_form(body: &[u8], repeatable: &[&str]) -> Result<Self, InvalidParams> {
        Self::parse(body, repeatable)
    }

    fn parse(bytes: &[u8], repeatable: &[&str]) -> Result<Self, InvalidParams> {
        if bytes.len() > MAX_PARAMS_BYTES {
            return Err(InvalidParams::TooLong);
        }
        let mut pairs: Vec<(String, String)> = Vec::new();
        for piece in bytes
            .split(|b| *b == b'&')
            .filter(|piece| !piece.is_empty())
        {
            if pairs.len() >= MAX_PARAMS {
                return Err(InvalidParams::TooMany);
            }
            let mut halves = piece.splitn(2, |b| *b == b'=');
            let name = decode(halves.next().unwrap_or_default())
                .ok_or(InvalidParams::Encoding { name: None })?;
            let value = decode(halves.next().unwrap_or_default()).ok_or_else(|| {
                InvalidParams::Encoding {
                    name: Some(shortened(&name)),
                }
            })?;
            // RFC 6749 section 3.1: parameters MUST NOT be included more than once.
            let seen = pairs.iter().any(|(own, _)| *own == name);
            if seen && !repeatable.contains(&name.as_str()) {
                return Err(InvalidParams::Duplicate {
                    name: shortened(&name),
                });
            }
            pairs.push((name, value));
        }
        Ok(Self(pairs))
    }

    /// The value of a parameter; the first one if it may repeat.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// Every value of a parameter, in order.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.iter()
            .filter_map(move |(own, value)| (own == name).then_some(value))
    }

    /// Every parameter that has a value, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        // RFC 6749 section 3.1: a parameter without a value MUST be treated as if it were omitted.
        self.0
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(n, v)| (n.as_str(), v.as_str()))
    }
}

impl fmt::Debug for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Params")?;
        f.debug_list()
            .entries(self.0.iter().map(|(name, _)| name))
            .finish()
    }
}

/// Writes parameters as `application/x-www-form-urlencoded`, UTF-8.
///
/// Specification: RFC 6749 appendix B.
pub fn encode(pairs: &[(&str, &str)]) -> String {
    let mut out = String::new();
    for (name, value) in pairs {
        if !out.is_empty() {
            out.push('&');
        }
        encode_into(&mut out, name);
        out.push('=');
        encode_into(&mut out, value);
    }
    out
}

fn encode_into(out: &mut String, text: &str) {
    for byte in text.bytes() {
        match byte {
            b' ' => out.push('+'),
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'*' | b'-' | b'.' | b'_' => {
                out.push(char::from(byte));
            }
            _ => {
                out.push('%');
                out.push(hex_digit(byte >> 4));
                out.push(hex_digit(byte & 0x0f));
            }
        }
    }
}

fn hex_digit(nibble: u8) -> char {
    char::from_digit(u32::from(nibble), 16)
        .unwrap_or('0')
        .to_ascii_uppercase()
}

fn decode(text: &[u8]) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'+' => b' ',
            b'%' => hex_value(bytes.next()?)? << 4 | hex_value(bytes.next()?)?,
            plain => plain,
        });
    }
    String::from_utf8(out).ok()
}

fn hex_value(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

fn shortened(name: &str) -> String {
    name.chars().take(64).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_check_vector_of_appendix_b() {
        // RFC 6749 appendix B: U+0020 U+0025 U+0026 U+002B U+00A3 U+20AC.
        let text = " %&+\u{a3}\u{20ac}";
        assert_eq!(encode(&[("v", text)]), "v=+%25%26%2B%C2%A3%E2%82%AC");
        let back = Params::parse_query("v=+%25%26%2B%C2%A3%E2%82%AC", &[]).unwrap();
        assert_eq!(back.get("v"), Some(text));
    }

    #[test]
    fn each_refusal() {
        let encoding = |name: Option<&str>| InvalidParams::Encoding {
            name: name.map(Into::into),
        };
        let cases: [(&str, InvalidParams); 7] = [
            ("a=1&a=2", InvalidParams::Duplicate { name: "a".into() }),
            ("a=1&%61=2", InvalidParams::Duplicate { name: "a".into() }),
            ("a=&a=2", InvalidParams::Duplicate { name: "a".into() }),
            ("a=%", encoding(Some("a"))),
            ("a=%2", encoding(Some("a"))),
            ("a=%zz", encoding(Some("a"))),
            ("%ff=1", encoding(None)),
        ];
        for (text, reason) in cases {
            assert_eq!(
                Params::parse_query(text, &["resource"]),
                Err(reason),
                "{text}"
            );
        }
        assert_eq!(
            Params::parse_form(b"a=%c3%28", &[]),
            Err(encoding(Some("a")))
        );
    }

    #[test]
    fn limits_hold_exactly() {
        let most: Vec<String> = (0..MAX_PARAMS).map(|n| format!("p{n}=1")).collect();
        assert_eq!(
            Params::parse_query(&most.join("&"), &[])
                .unwrap()
                .iter()
                .count(),
            MAX_PARAMS
        );
        let more = format!("{}&x=1", most.join("&"));
        assert_eq!(Params::parse_query(&more, &[]), Err(InvalidParams::TooMany));

        let full = format!("a={}", "b".repeat(MAX_PARAMS_BYTES - 2));
        assert!(Params::parse_query(&full, &[]).is_ok());
        assert_eq!(
            Params::parse_query(&format!("{full}b"), &[]),
            Err(InvalidParams::TooLong)
        );
    }

    #[test]
    fn empty_values_count_as_absent() {
        let params = Params::parse_query("a=&b&c=1&&=x", &[]).unwrap();
        assert_eq!(params.get("a"), None);
        assert_eq!(params.get("b"), None);
        assert_eq!(params.get("c"), Some("1"));
    }

    #[test]
    fn debug_hides_values() {
        let params = Params::parse_query("code=SplxlOBeZQQYbYS6WxSbIA", &[]).unwrap();
        assert_eq!(format!("{params:?}"), "Params[\"code\"]");
    }

    proptest! {
        #[test]
        fn parse_after_print(values in proptest::collection::vec(".{1,20}", 0..30)) {
            let names: Vec<String> = (0..values.len()).map(|n| format!("n\u{e4}me {n}")).collect();
            let pairs: Vec<(&str, &str)> =
                names.iter().map(String::as_str).zip(values.iter().map(String::as_str)).collect();
            let params = Params::parse_query(&encode(&pairs), &[]).unwrap();
            prop_assert_eq!(params.iter().collect::<Vec<_>>(), pairs);
        }

        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let parsed = Params::parse_form(&bytes, &["a"]);
            if let Ok(params) = parsed {
                prop_assert!(params.iter().all(|(_, value)| !value.is_empty()));
            }
        }
    }
}
