//! Where the Didit API is, and text that may become part of its addresses.

use std::fmt;

use http::HeaderValue;
use http::uri::Uri;

/// The header that names the organisation on whose behalf a call is made.
pub const ORGANIZATION_HEADER: &str = "x-didit-organization-id";

/// The header that names the application, where the path does not.
pub const APPLICATION_HEADER: &str = "x-didit-application-id";

/// The header of a key under which a call takes effect once.
pub const IDEMPOTENCY_KEY_HEADER: &str = "idempotency-key";

/// The longest key that Didit takes, in characters.
pub const MAX_IDEMPOTENCY_KEY: usize = 255;

/// The base address of the hosted sign-in and account API.
pub const HOSTED_AUTH_BASE: &str = "https://apx.didit.me/auth/v2";

/// The base address of the hosted verification API.
pub const HOSTED_API_BASE: &str = "https://verification.didit.me/v3";

/// The longest accepted path part, in bytes before encoding.
pub const MAX_PATH_PART: usize = 512;

/// Which of the two base addresses an operation belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// Accounts, organisations and applications.
    Auth,
    /// Everything else.
    Api,
}

/// The two base addresses of one Didit API, and who calls it.
#[derive(Clone, Debug)]
pub struct Api {
    auth: String,
    api: String,
    user_agent: HeaderValue,
}

impl Api {
    /// The hosted API.
    pub fn hosted() -> Self {
        Self {
            auth: HOSTED_AUTH_BASE.into(),
            api: HOSTED_API_BASE.into(),
            user_agent: AGENT,
        }
    }

    /// Another instance, such as a stand-in on loopback.
    ///
    /// Checked: an absolute `https` address, or `http` on a loopback host; no user information, no query, no fragment.
    /// A slash at the end is dropped.
    /// Not checked: whether anything answers there.
    ///
    /// # Errors
    /// [`InvalidBase`] with the rule that the address breaks.
    pub fn at(auth_base: &str, api_base: &str) -> Result<Self, InvalidBase> {
        Ok(Self {
            auth: base(auth_base)?,
            api: base(api_base)?,
            user_agent: AGENT,
        })
    }

    /// Replaces the `User-Agent` that calls carry.
    #[must_use]
    pub fn with_user_agent(mut self, user_agent: HeaderValue) -> Self {
        self.user_agent = user_agent;
        self
    }

    /// The address that paths of this base are appended to; it never ends with a slash.
    pub fn base(&self, base: Base) -> &str {
        match base {
            Base::Auth => &self.auth,
            Base::Api => &self.api,
        }
    }

    pub(crate) fn user_agent(&self) -> &HeaderValue {
        &self.user_agent
    }
}

const AGENT: HeaderValue =
    HeaderValue::from_static(concat!("didit-client/", env!("CARGO_PKG_VERSION")));

/// Why a base address was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidBase {
    /// It is not an absolute address with a host.
    #[error("not an absolute http or https address")]
    NotAbsolute,
    /// A credential would travel in the clear to another machine.
    #[error("plain http is accepted on a loopback host only")]
    PlainHttp,
    /// It has a query, a fragment or user information.
    #[error("a base address has no user information, query or fragment")]
    Extra,
}

fn base(text: &str) -> Result<String, InvalidBase> {
    if text.contains(['?', '#', '@']) {
        return Err(InvalidBase::Extra);
    }
    let uri: Uri = text.parse().map_err(|_| InvalidBase::NotAbsolute)?;
    let host = uri.host().ok_or(InvalidBase::NotAbsolute)?;
    match uri.scheme_str() {
        Some("https") => {}
        Some("http") if is_loopback(host) => {}
        Some("http") => return Err(InvalidBase::PlainHttp),
        _ => return Err(InvalidBase::NotAbsolute),
    }
    Ok(text.trim_end_matches('/').to_owned())
}

fn is_loopback(host: &str) -> bool {
    // RFC 6761 section 6.3: localhost is loopback by name.
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost"
        || bare
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// Text that is one segment of a path, whatever it contains.
///
/// It holds the trimmed text; in an address it is percent-encoded, so it can neither end the segment nor climb out of it.
/// Not checked: whether the thing it names exists.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PathPart(String);

impl PathPart {
    /// Checks that the text may be one segment.
    ///
    /// # Errors
    /// [`InvalidPathPart`] with the rule that the text breaks.
    pub fn parse(text: &str) -> Result<Self, InvalidPathPart> {
        let text = text.trim();
        if text.is_empty() {
            return Err(InvalidPathPart::Empty);
        }
        if text.len() > MAX_PATH_PART {
            return Err(InvalidPathPart::TooLong);
        }
        // RFC 3986 section 3.3: these three end a segment.
        if text.contains(['/', '?', '#']) {
            return Err(InvalidPathPart::Separator);
        }
        // RFC 3986 section 3.3: dot segments are removed when an address is normalised.
        if text == "." || text == ".." {
            return Err(InvalidPathPart::DotSegment);
        }
        if text.chars().any(char::is_control) {
            return Err(InvalidPathPart::Control);
        }
        Ok(Self(text.to_owned()))
    }

    /// A word that the data of the operations lists; a test parses each.
    pub(crate) fn known(word: &'static str) -> Self {
        Self(word.to_owned())
    }

    /// The text before encoding.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text as it stands in an address.
    pub fn encoded(&self) -> String {
        percent_encode(&self.0)
    }
}

impl fmt::Display for PathPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text may not be a path part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidPathPart {
    /// Nothing is left after trimming.
    #[error("must not be empty")]
    Empty,
    /// More than [`MAX_PATH_PART`] bytes.
    #[error("must not be longer than 512 bytes")]
    TooLong,
    /// It contains `/`, `?` or `#`.
    #[error("must not contain `/`, `?` or `#`")]
    Separator,
    /// It is `.` or `..`.
    #[error("must not be `.` or `..`")]
    DotSegment,
    /// It contains a control character.
    #[error("must not contain control characters")]
    Control,
}

/// A key under which a call takes effect once: the same key with another body is a conflict.
///
/// It has to be new for each intended effect, and the same for each attempt at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey(HeaderValue);

impl IdempotencyKey {
    /// Checks that the text may be such a key: 1 to 255 visible ASCII characters.
    ///
    /// # Errors
    /// [`InvalidIdempotencyKey`] if it is anything else.
    pub fn parse(text: &str) -> Result<Self, InvalidIdempotencyKey> {
        let fits = (1..=MAX_IDEMPOTENCY_KEY).contains(&text.len());
        if !fits || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(InvalidIdempotencyKey);
        }
        HeaderValue::from_str(text)
            .map(Self)
            .map_err(|_| InvalidIdempotencyKey)
    }

    pub(crate) fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

/// The text may not be an idempotency key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an idempotency key is 1 to 255 visible ASCII characters")]
pub struct InvalidIdempotencyKey;

/// Encodes everything but the unreserved characters.
pub(crate) fn percent_encode(text: &str) -> String {
    use fmt::Write as _;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        // RFC 3986 section 2.3: the unreserved characters stand for themselves.
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            // Writing to a `String` cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hosted_addresses_keep_the_rules_for_any_other() {
        let api = Api::at(HOSTED_AUTH_BASE, HOSTED_API_BASE).unwrap();
        assert_eq!(api.base(Base::Auth), Api::hosted().base(Base::Auth));
        assert_eq!(api.base(Base::Api), Api::hosted().base(Base::Api));
    }

    #[test]
    fn a_base_on_loopback_may_be_plain() {
        let api = Api::at("http://127.0.0.1:3002/auth/v2/", "http://[::1]:3002/v3").unwrap();
        assert_eq!(api.base(Base::Auth), "http://127.0.0.1:3002/auth/v2");
        assert_eq!(api.base(Base::Api), "http://[::1]:3002/v3");
    }

    #[test]
    fn a_base_elsewhere_may_not() {
        for (text, why) in [
            ("http://didit.example/v3", InvalidBase::PlainHttp),
            ("http://127.0.0.1.example/v3", InvalidBase::PlainHttp),
            ("ftp://didit.example/", InvalidBase::NotAbsolute),
            ("/v3", InvalidBase::NotAbsolute),
            ("", InvalidBase::NotAbsolute),
            ("https://user@didit.example/", InvalidBase::Extra),
            ("https://didit.example/?a=b", InvalidBase::Extra),
            ("https://didit.example/#a", InvalidBase::Extra),
        ] {
            assert_eq!(Api::at(text, HOSTED_API_BASE).unwrap_err(), why, "{text}");
        }
    }

    #[test]
    fn a_path_part_is_trimmed_and_encoded() {
        assert_eq!(PathPart::parse("  s-1 ").unwrap().as_str(), "s-1");
        for (text, encoded) in [
            ("a b", "a%20b"),
            ("%2e%2e", "%252e%252e"),
            ("..%2f..", "..%252f.."),
            ("a\\b", "a%5Cb"),
            ("użytkownik", "u%C5%BCytkownik"),
            ("a+b&c=d", "a%2Bb%26c%3Dd"),
            ("...", "..."),
        ] {
            assert_eq!(PathPart::parse(text).unwrap().encoded(), encoded);
        }
    }

    #[test]
    fn a_path_part_cannot_escape() {
        for (text, why) in [
            ("", InvalidPathPart::Empty),
            (" \t ", InvalidPathPart::Empty),
            (".", InvalidPathPart::DotSegment),
            (" .. ", InvalidPathPart::DotSegment),
            ("a/b", InvalidPathPart::Separator),
            ("../x", InvalidPathPart::Separator),
            ("a?b", InvalidPathPart::Separator),
            ("a#b", InvalidPathPart::Separator),
            ("a\r\nb", InvalidPathPart::Control),
            ("a\0b", InvalidPathPart::Control),
        ] {
            assert_eq!(PathPart::parse(text).unwrap_err(), why, "{text:?}");
        }
        let long = "x".repeat(MAX_PATH_PART);
        assert!(PathPart::parse(&long).is_ok());
        assert_eq!(
            PathPart::parse(&format!("{long}x")).unwrap_err(),
            InvalidPathPart::TooLong
        );
    }

    #[test]
    fn an_idempotency_key_fits_into_a_header() {
        let long = "k".repeat(MAX_IDEMPOTENCY_KEY);
        assert!(IdempotencyKey::parse(&long).is_ok());
        for text in ["", &format!("{long}k"), "a b", "a\r\nb", "ż"] {
            assert_eq!(
                IdempotencyKey::parse(text),
                Err(InvalidIdempotencyKey),
                "{text:?}"
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_accepted_stays_one_segment(text in ".{0,40}") {
            if let Ok(part) = PathPart::parse(&text) {
                let encoded = part.encoded();
                proptest::prop_assert!(!encoded.contains(['/', '?', '#', '\\']));
                proptest::prop_assert!(encoded != "." && encoded != "..");
                let address = format!("http://h/a/{encoded}/b");
                let uri: Uri = address.parse().unwrap();
                proptest::prop_assert_eq!(uri.path().split('/').count(), 4);
            }
        }
    }
}
