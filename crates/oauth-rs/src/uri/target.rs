//! The address of a request as a DPoP proof names and compares it.

use std::borrow::Cow;

use super::parts::{InvalidUri, Parts};
use super::textual;

/// The address of a request, normalised and without query and fragment.
///
/// Reading decides, in this order: strict RFC 3986 alphabet and host spelling; scheme https or http.
/// What is kept has a lower-case scheme and host, no port where the scheme's own was named, a path
/// without dot segments and at least `/`, and the fewest percent signs, with upper-case digits.
///
/// Does not check: that http is used on loopback only.
///
/// ```
/// use oauth_rs::uri::TargetUri;
///
/// let target = TargetUri::parse("HTTPS://RS.example:443/a/../%7emcp?x=1#y")?;
/// assert_eq!(target.as_str(), "https://rs.example/~mcp");
/// assert_ne!(target, TargetUri::parse("https://rs.example/~mcp/")?);
/// assert!(TargetUri::parse("/mcp").is_err());
/// # Ok::<(), oauth_rs::uri::InvalidUri>(())
/// ```
///
/// Specification: RFC 9449 section 4.2; RFC 3986 sections 6.2.2 and 6.2.3.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TargetUri {
    text: String,
}

textual!(TargetUri);

impl TargetUri {
    /// Reads an absolute address.
    ///
    /// # Errors
    /// The first rule that does not hold.
    pub fn parse(text: &str) -> Result<Self, InvalidUri> {
        let text = without_empty_port(text);
        let parts = Parts::parse(&text)?;
        // RFC 3986 section 6.2.2.1: scheme and host do not depend on case.
        let scheme = parts.scheme.to_ascii_lowercase();
        let host = parts.host.to_ascii_lowercase();
        let default_port = match scheme.as_str() {
            "https" => 443,
            "http" => 80,
            _ => return Err(InvalidUri::Scheme),
        };
        // RFC 3986 section 6.2.3: the scheme's own port is left out.
        let port = match parts.port {
            Some(port) if port != default_port => format!(":{port}"),
            _ => String::new(),
        };
        let path = without_dot_segments(&with_plain_characters(parts.path));
        Ok(Self {
            text: format!("{scheme}://{host}{port}{path}"),
        })
    }
}

// RFC 3986 section 6.2.3: a colon without a port after it means the scheme's own.
fn without_empty_port(text: &str) -> Cow<'_, str> {
    let Some((scheme, rest)) = text.split_once("://") else {
        return Cow::Borrowed(text);
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest.split_at_checked(end) {
        Some((authority, after)) => match authority.strip_suffix(':') {
            Some(host) => Cow::Owned(format!("{scheme}://{host}{after}")),
            None => Cow::Borrowed(text),
        },
        None => Cow::Borrowed(text),
    }
}

// RFC 3986 sections 6.2.2.1 and 6.2.2.2: encoded characters that need not be are decoded, and the
// digits of the others are in upper case. The text was checked: two digits follow each percent sign.
fn with_plain_characters(path: &str) -> String {
    let mut parts = path.split('%');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2).unwrap_or((part, ""));
        match u8::from_str_radix(digits, 16).map(char::from) {
            Ok(c) if c.is_ascii_alphanumeric() || "-._~".contains(c) => plain.push(c),
            _ => {
                plain.push('%');
                plain.push_str(&digits.to_ascii_uppercase());
            }
        }
        plain.push_str(rest);
    }
    plain
}

// RFC 3986 sections 5.2.4 and 6.2.3, for a path that is empty or begins with a slash.
fn without_dot_segments(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        match segment {
            "." | ".." => {
                if segment == ".." {
                    kept.pop();
                }
                // What a last dot segment names is a folder.
                if is_last {
                    kept.push("");
                }
            }
            _ => kept.push(segment),
        }
    }
    format!("/{}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn normalised(text: &str) -> String {
        TargetUri::parse(text).unwrap().text
    }

    #[test]
    fn what_means_the_same_reads_the_same() {
        for (text, expected) in [
            ("https://a.example", "https://a.example/"),
            ("https://a.example/", "https://a.example/"),
            ("https://a.example?x", "https://a.example/"),
            ("https://a.example#x", "https://a.example/"),
            ("https://a.example:443/", "https://a.example/"),
            ("https://a.example:/b", "https://a.example/b"),
            ("https://a.example:?x:", "https://a.example/"),
            ("http://[::1]:80/", "http://[::1]/"),
            ("http://[::1]:/", "http://[::1]/"),
            ("http://A.example:443/B", "http://a.example:443/B"),
            ("hTTp://127.0.0.1:3000/x?y#z", "http://127.0.0.1:3000/x"),
            (
                "https://a.example/%7Eb%2fc%3a",
                "https://a.example/~b%2Fc%3A",
            ),
            ("https://a.example/a//b/", "https://a.example/a//b/"),
            ("https://a.example/a/./b/../c", "https://a.example/a/c"),
            ("https://a.example/a/%2e%2E/b/..", "https://a.example/"),
            ("https://a.example/../../a/.", "https://a.example/a/"),
            ("https://a.example/...", "https://a.example/..."),
            ("https://a.example/%252e", "https://a.example/%252e"),
        ] {
            assert_eq!(normalised(text), expected, "{text}");
        }
    }

    #[test]
    fn each_refusal() {
        for (text, reason) in [
            ("", InvalidUri::NotAbsolute),
            ("/mcp", InvalidUri::NotAbsolute),
            ("ftp://a.example/", InvalidUri::Scheme),
            ("https://u@a.example/", InvalidUri::UserInfo),
            ("https://a.example::/", InvalidUri::Port),
            ("https://a.example:0443/", InvalidUri::Port),
            ("https://a.example/ ", InvalidUri::Character(' ')),
            ("https://a.example/%7", InvalidUri::Percent),
            ("https://127.1/", InvalidUri::NumericHost),
        ] {
            assert_eq!(TargetUri::parse(text), Err(reason), "{text}");
        }
    }

    proptest! {
        #[test]
        fn normalising_again_changes_nothing(path in "(/|\\.|%2[eEfF]|%7e|%25|a|B){0,12}") {
            let once = normalised(&format!("https://a.example/{path}"));
            prop_assert_eq!(&normalised(&once), &once);
        }

        // A second opinion: the normaliser of the WHATWG, which decodes no percent signs.
        #[test]
        fn dot_segments_go_as_in_a_browser(path in "(/|\\.|a){0,12}") {
            let text = format!("https://a.example/{path}");
            prop_assert_eq!(normalised(&text), url::Url::parse(&text).unwrap().to_string());
        }
    }
}
