//! Splitting an address with an authority into its parts, by the raw text.

use std::net::{Ipv4Addr, Ipv6Addr};

use thiserror::Error;

/// The longest address that is read.
pub const MAX_URI_BYTES: usize = 2048;

/// Why an address was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidUri {
    /// More than [`MAX_URI_BYTES`].
    #[error("longer than {MAX_URI_BYTES} bytes")]
    TooLong,
    /// White space, a control character, a backslash, a quote, or anything outside ASCII.
    #[error("character {0:?} is not allowed in an address")]
    Character(char),
    /// A percent sign without two hexadecimal digits.
    #[error("a percent sign is not followed by two hexadecimal digits")]
    Percent,
    /// No scheme followed by `://` and a host.
    #[error("not an absolute address with a host")]
    NotAbsolute,
    /// A scheme that does not fit here.
    #[error("the scheme is neither https nor http on a loopback host")]
    Scheme,
    /// Plain http to a host that is not loopback.
    #[error("http is for loopback hosts only (localhost, 127.0.0.1, [::1]); use https")]
    InsecureHttp,
    /// Loopback, named by somebody who is not on loopback http.
    #[error("an address on this machine may be named only from this machine, over http")]
    Loopback,
    /// A name or password before the host.
    #[error("user information is not allowed in an address")]
    UserInfo,
    /// A host that is not a name, a dotted IPv4 address or a bracketed IPv6 address.
    #[error("the host is malformed")]
    Host,
    /// An IP address in another spelling than its usual one, such as `127.1` or `0x7f.1`.
    #[error("the host is an address in an unusual spelling")]
    NumericHost,
    /// A port that is not a number from 1 to 65535.
    #[error("the port is not a number from 1 to 65535")]
    Port,
    /// No path where one has to be.
    #[error("a path has to follow the host")]
    NoPath,
    /// A query where none may be.
    #[error("a query is not allowed here")]
    Query,
    /// A fragment where none may be.
    #[error("a fragment is not allowed here")]
    Fragment,
    /// A `.` or `..` segment, plain or percent-encoded.
    #[error("dot segments are not allowed in the path")]
    DotSegment,
}

/// The parts of `scheme://host[:port][path][?query][#fragment]`, as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Parts<'a> {
    pub(super) scheme: &'a str,
    pub(super) host: &'a str,
    pub(super) port: Option<u16>,
    pub(super) path: &'a str,
    pub(super) query: Option<&'a str>,
    pub(super) fragment: Option<&'a str>,
}

impl<'a> Parts<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, InvalidUri> {
        check_text(text)?;
        let (scheme, rest) = text.split_once("://").ok_or(InvalidUri::NotAbsolute)?;
        if !is_scheme(scheme) {
            return Err(InvalidUri::NotAbsolute);
        }
        let (rest, fragment) = split_off(rest, '#');
        let (rest, query) = split_off(rest, '?');
        let (authority, path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        // The query and the fragment may hold brackets nowhere; the path and they share one alphabet.
        if let Some(c) = [Some(path), query, fragment]
            .into_iter()
            .flatten()
            .find_map(bracket)
        {
            return Err(InvalidUri::Character(c));
        }
        let (host, port) = split_authority(authority)?;
        Ok(Self {
            scheme,
            host,
            port,
            path,
            query,
            fragment,
        })
    }

    // RFC 8252 section 7.3: loopback by its literals; OAuth 2.1 section 4.1.1 adds the name localhost.
    // The text is compared exactly: `LOCALHOST`, `localhost.` and `127.0.0.2` are not loopback.
    pub(super) fn is_loopback(&self) -> bool {
        matches!(self.host, "localhost" | "127.0.0.1" | "[::1]")
    }

    // OAuth 2.1 section 1.5: https everywhere; plain http between programs of one machine only.
    pub(super) fn is_https_or_loopback(&self) -> Result<(), InvalidUri> {
        match self.scheme {
            "https" => Ok(()),
            "http" if self.is_loopback() => Ok(()),
            "http" => Err(InvalidUri::InsecureHttp),
            _ => Err(InvalidUri::Scheme),
        }
    }

    pub(super) fn has_dot_segment(&self) -> bool {
        self.path.split('/').any(|segment| {
            let segment = segment.replace("%2e", ".").replace("%2E", ".");
            segment == "." || segment == ".."
        })
    }

    /// Same scheme, host and port, by RFC 6454 section 5.
    pub(super) fn same_origin(&self, other: &Self) -> bool {
        self.scheme.eq_ignore_ascii_case(other.scheme)
            && self.host.eq_ignore_ascii_case(other.host)
            && self.effective_port() == other.effective_port()
    }

    // RFC 3986 section 6.2.3: an empty path is the root.
    pub(super) fn rooted_path(&self) -> &'a str {
        if self.path.is_empty() { "/" } else { self.path }
    }

    fn effective_port(&self) -> Option<u16> {
        self.port.or(self.default_port())
    }

    fn default_port(&self) -> Option<u16> {
        if self.scheme.eq_ignore_ascii_case("https") {
            Some(443)
        } else if self.scheme.eq_ignore_ascii_case("http") {
            Some(80)
        } else {
            None
        }
    }

    // RFC 3986 section 6.2.2.1 and section 6.2.3: lower case, and the port only if it is not the scheme's own.
    pub(super) fn canonical_origin(&self) -> String {
        let (scheme, host) = (self.scheme, self.host);
        let port = self.port.filter(|port| Some(*port) != self.default_port());
        let port = port.map_or(String::new(), |port| format!(":{port}"));
        format!("{scheme}://{host}").to_ascii_lowercase() + &port
    }
}

/// The alphabet of RFC 3986 section 2, each percent sign with its two digits.
pub(super) fn check_text(text: &str) -> Result<(), InvalidUri> {
    if text.len() > MAX_URI_BYTES {
        return Err(InvalidUri::TooLong);
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-._~:/?#[]@!$&'()*+,;=%".contains(c);
    if let Some(c) = text.chars().find(|c| !allowed(*c)) {
        return Err(InvalidUri::Character(c));
    }
    // RFC 3986 section 2.1: a percent sign comes with two hexadecimal digits.
    let encoded = text.split('%').skip(1).all(|after| {
        let mut digits = after.bytes();
        let mut digit = || digits.next().is_some_and(|b| b.is_ascii_hexdigit());
        digit() && digit()
    });
    if encoded {
        Ok(())
    } else {
        Err(InvalidUri::Percent)
    }
}

// RFC 3986 section 3.1: ALPHA *( ALPHA / DIGIT / "+" / "-" / "." ).
pub(super) fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
}

fn split_off(text: &str, at: char) -> (&str, Option<&str>) {
    match text.split_once(at) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

fn bracket(text: &str) -> Option<char> {
    text.chars().find(|c| matches!(c, '[' | ']' | '#'))
}

pub(super) fn split_authority(authority: &str) -> Result<(&str, Option<u16>), InvalidUri> {
    if authority.contains('@') {
        return Err(InvalidUri::UserInfo);
    }
    // A bracketed address holds colons of its own; the port comes after the closing bracket.
    let host_end = match authority.rfind(']') {
        Some(at) => at + 1,
        None => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, after) = authority
        .split_at_checked(host_end)
        .ok_or(InvalidUri::Host)?;
    check_host(host)?;
    let port = match after.strip_prefix(':') {
        Some(digits) => Some(parse_port(digits)?),
        None if after.is_empty() => None,
        None => return Err(InvalidUri::Port),
    };
    Ok((host, port))
}

fn parse_port(digits: &str) -> Result<u16, InvalidUri> {
    if digits.len() > 5 || digits.starts_with('0') || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(InvalidUri::Port);
    }
    digits.parse().map_err(|_| InvalidUri::Port)
}

fn check_host(host: &str) -> Result<(), InvalidUri> {
    if let Some(inner) = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        let address: Ipv6Addr = inner.parse().map_err(|_| InvalidUri::Host)?;
        // RFC 5952 section 4: one spelling of each address, so that text comparison is enough.
        return if address.to_string() == inner {
            Ok(())
        } else {
            Err(InvalidUri::NumericHost)
        };
    }
    if host.len() > 253 {
        return Err(InvalidUri::Host);
    }
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    };
    if !host.split('.').all(label) {
        return Err(InvalidUri::Host);
    }
    // A host that ends in a number is an IPv4 address to every browser, whatever its spelling.
    let last = host.rsplit('.').next().unwrap_or_default();
    let hexadecimal = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
    let numeric = last.bytes().all(|b| b.is_ascii_digit())
        || hexadecimal.is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_hexdigit()));
    if numeric && host.parse::<Ipv4Addr>().is_err() {
        return Err(InvalidUri::NumericHost);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn splits_every_part() {
        let parts = Parts::parse("https://Example.com:8443/a/b?c=d#e").unwrap();
        assert_eq!(
            (parts.scheme, parts.host, parts.port),
            ("https", "Example.com", Some(8443))
        );
        assert_eq!(
            (parts.path, parts.query, parts.fragment),
            ("/a/b", Some("c=d"), Some("e"))
        );
        let parts = Parts::parse("http://[::1]:80").unwrap();
        assert_eq!(
            (parts.host, parts.port, parts.path),
            ("[::1]", Some(80), "")
        );
    }

    #[test]
    fn each_refusal() {
        let cases = [
            ("", InvalidUri::NotAbsolute),
            ("/mcp", InvalidUri::NotAbsolute),
            ("example.com/x", InvalidUri::NotAbsolute),
            ("1http://x", InvalidUri::NotAbsolute),
            ("https://", InvalidUri::Host),
            ("https:///x", InvalidUri::Host),
            ("https://exa mple.com", InvalidUri::Character(' ')),
            (
                "https://example.com\\@evil.example",
                InvalidUri::Character('\\'),
            ),
            ("https://ex\u{e4}mple.com", InvalidUri::Character('\u{e4}')),
            ("https://example.com/a\nb", InvalidUri::Character('\n')),
            ("https://example.com/a[b]", InvalidUri::Character('[')),
            ("https://example.com/a#b#c", InvalidUri::Character('#')),
            ("https://example.com/%2", InvalidUri::Percent),
            ("https://example.com/%zz", InvalidUri::Percent),
            ("https://exa%6dple.com/", InvalidUri::Host),
            ("https://user@example.com/", InvalidUri::UserInfo),
            ("http://127.0.0.1@evil.example/", InvalidUri::UserInfo),
            ("https://example.com./", InvalidUri::Host),
            ("https://a..b/", InvalidUri::Host),
            ("https://127.1/", InvalidUri::NumericHost),
            ("https://0x7f.1/", InvalidUri::NumericHost),
            ("https://2130706433/", InvalidUri::NumericHost),
            ("https://0177.0.0.1/", InvalidUri::NumericHost),
            ("https://127.0.0.01/", InvalidUri::NumericHost),
            ("https://1.2.3.0x4/", InvalidUri::NumericHost),
            ("https://[0:0:0:0:0:0:0:1]/", InvalidUri::NumericHost),
            ("https://[::1%25lo]/", InvalidUri::Host),
            ("https://[::1/", InvalidUri::Host),
            ("https://x:/", InvalidUri::Port),
            ("https://x:0/", InvalidUri::Port),
            ("https://x:080/", InvalidUri::Port),
            ("https://x:65536/", InvalidUri::Port),
            ("https://x:1a/", InvalidUri::Port),
            ("https://[::1]8080/", InvalidUri::Port),
        ];
        for (text, reason) in cases {
            assert_eq!(Parts::parse(text), Err(reason), "{text:?}");
        }
        let long = format!("https://x/{}", "a".repeat(MAX_URI_BYTES));
        assert_eq!(Parts::parse(&long), Err(InvalidUri::TooLong));
    }

    #[test]
    fn names_have_the_lengths_of_the_domain_name_system() {
        let label = |length| "a".repeat(length);
        assert!(Parts::parse(&format!("https://{}.example/", label(63))).is_ok());
        let long = format!("https://{}.example/", label(64));
        assert_eq!(Parts::parse(&long), Err(InvalidUri::Host));
        // Four labels and their dots make 253 characters at the most.
        let name = |last| format!("https://{0}.{0}.{0}.{1}/", label(63), label(last));
        assert!(Parts::parse(&name(61)).is_ok());
        assert_eq!(Parts::parse(&name(62)), Err(InvalidUri::Host));
    }

    #[test]
    fn loopback_is_three_exact_texts() {
        for (text, expected) in [
            ("http://localhost/", true),
            ("http://127.0.0.1:1/", true),
            ("http://[::1]:1/", true),
            ("http://LOCALHOST/", false),
            ("http://127.0.0.2/", false),
            ("http://localhost.example.com/", false),
            ("http://a.localhost/", false),
        ] {
            assert_eq!(
                Parts::parse(text).unwrap().is_loopback(),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn dot_segments_in_every_spelling() {
        for path in ["/.", "/..", "/a/../b", "/%2e/x", "/%2E%2e", "/.%2e/x"] {
            let text = format!("https://x{path}");
            assert!(Parts::parse(&text).unwrap().has_dot_segment(), "{path}");
        }
        assert!(
            !Parts::parse("https://x/.well-known/a..b/...")
                .unwrap()
                .has_dot_segment()
        );
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC{0,60}") {
            let parsed = Parts::parse(&text);
            if let Ok(parts) = parsed {
                prop_assert!(!parts.host.is_empty());
            }
        }

        #[test]
        fn agrees_with_the_url_crate_on_where_it_leads(
            text in "(https?|x)://[a-z0-9.x:\\[\\]@-]{1,16}(/[a-z.%2e]{0,8})?(\\?[a-z]{0,3})?"
        ) {
            if let Ok(parts) = Parts::parse(&text)
                && matches!(parts.scheme, "http" | "https")
            {
                // Names that begin like an internationalised label are the other crate's own matter.
                prop_assume!(!parts.host.contains("xn--"));
                let url = url::Url::parse(&text).unwrap();
                prop_assert_eq!(url.scheme(), parts.scheme);
                prop_assert_eq!(url.host_str().unwrap(), parts.host.to_ascii_lowercase());
                prop_assert_eq!(url.port_or_known_default(), parts.effective_port());
                prop_assert_eq!(url.query(), parts.query);
            }
        }
    }
}
