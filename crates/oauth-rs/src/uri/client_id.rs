//! The identifier of a client that is the address of its metadata document.

use super::parts::{InvalidUri, Parts};
use super::textual;

/// A client identifier that is the address of a client ID metadata document, kept and compared as written.
///
/// It decides, in this order: strict RFC 3986 alphabet, host spelling and length, no user
/// information; https; a path, if only the root; no fragment; no dot segments, encoded ones included.
/// A query is accepted, although the draft advises clients against it.
///
/// Does not check: where the host's name leads, which is for whatever fetches the document.
///
/// ```
/// use oauth_rs::uri::{ClientIdUrl, InvalidUri};
///
/// let id = ClientIdUrl::parse("https://app.example/client.json")?;
/// assert_eq!(id.host(), "app.example");
/// assert_eq!(ClientIdUrl::parse("https://app.example"), Err(InvalidUri::NoPath));
/// assert_eq!(ClientIdUrl::parse("http://localhost/client.json"), Err(InvalidUri::Scheme));
/// # Ok::<(), InvalidUri>(())
/// ```
///
/// Specification: draft-ietf-oauth-client-id-metadata-document section 3.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ClientIdUrl {
    text: String,
}

textual!(ClientIdUrl);

impl ClientIdUrl {
    /// Reads the address of a document.
    ///
    /// # Errors
    /// The first rule that does not hold.
    pub fn parse(text: &str) -> Result<Self, InvalidUri> {
        let parts = Parts::parse(text)?;
        // Section 3: the scheme MUST be https.
        if parts.scheme != "https" {
            return Err(InvalidUri::Scheme);
        }
        Self::check(text, &parts)
    }

    /// The same, but plain http on a loopback host is accepted as well.
    ///
    /// # Security
    /// Whoever fetches such a document sends a request to what listens on its own machine, at an
    /// address that a stranger chose. It is for a server that runs there itself, to develop against.
    ///
    /// # Errors
    /// The first rule that does not hold.
    pub fn dangerous_parse_with_loopback(text: &str) -> Result<Self, InvalidUri> {
        let parts = Parts::parse(text)?;
        parts.is_https_or_loopback()?;
        Self::check(text, &parts)
    }

    /// Whether a client identifier is meant as the address of a document.
    ///
    /// One that a server gives out must never look like this, else a document could take it over.
    pub fn is_meant(client_id: &str) -> bool {
        client_id.starts_with("https://") || client_id.starts_with("http://")
    }

    /// The host as written, which is what a person is shown of the identifier.
    pub fn host(&self) -> &str {
        Parts::parse(&self.text).map_or("", |parts| parts.host)
    }

    fn check(text: &str, parts: &Parts<'_>) -> Result<Self, InvalidUri> {
        // Section 3: a path component MUST be there; the root is one.
        if parts.path.is_empty() {
            return Err(InvalidUri::NoPath);
        }
        // Section 3: no fragment.
        if parts.fragment.is_some() {
            return Err(InvalidUri::Fragment);
        }
        // Section 3: no single-dot or double-dot segments.
        if parts.has_dot_segment() {
            return Err(InvalidUri::DotSegment);
        }
        Ok(Self {
            text: text.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_the_address_of_a_document() {
        for good in [
            "https://app.example/client.json",
            "https://app.example/",
            "https://app.example:8443/a/b?v=1",
            "https://app.example/%41.json",
            "https://app.example/a..b/...",
            "https://203.0.113.7/client.json",
        ] {
            assert_eq!(ClientIdUrl::parse(good).unwrap().as_str(), good);
            assert!(ClientIdUrl::is_meant(good));
        }
        assert_ne!(
            ClientIdUrl::parse("https://app.example/c"),
            ClientIdUrl::parse("https://app.example/%63")
        );
        assert!(!ClientIdUrl::is_meant("s6BhdRkqt3"));
    }

    #[test]
    fn each_refusal() {
        for (text, reason) in [
            ("https://app.example", InvalidUri::NoPath),
            ("https://app.example?x=/", InvalidUri::NoPath),
            ("https:///client.json", InvalidUri::Host),
            ("https://user@app.example/c", InvalidUri::UserInfo),
            ("https://u:p@app.example/c", InvalidUri::UserInfo),
            ("https://app%2eexample/c", InvalidUri::Host),
            ("https://app.example./c", InvalidUri::Host),
            ("https://127.1/c", InvalidUri::NumericHost),
            ("https://app.example:0/c", InvalidUri::Port),
            ("https://app.example/c#f", InvalidUri::Fragment),
            ("https://app.example/c#", InvalidUri::Fragment),
            ("https://app.example/../c", InvalidUri::DotSegment),
            ("https://app.example/a/%2E%2e/c", InvalidUri::DotSegment),
            ("https://app.example/./c", InvalidUri::DotSegment),
            ("https://app.example/a b", InvalidUri::Character(' ')),
            ("https://app.example/a\u{0}b", InvalidUri::Character('\0')),
            (
                "https://app.example\\@evil.example/c",
                InvalidUri::Character('\\'),
            ),
            (
                "https://app.example/\u{e9}",
                InvalidUri::Character('\u{e9}'),
            ),
            ("HTTPS://app.example/c", InvalidUri::Scheme),
            ("http://app.example/c", InvalidUri::Scheme),
            ("http://127.0.0.1/c", InvalidUri::Scheme),
            ("ftp://app.example/c", InvalidUri::Scheme),
            ("app.example/c", InvalidUri::NotAbsolute),
        ] {
            assert_eq!(ClientIdUrl::parse(text), Err(reason), "{text:?}");
        }
        let long = format!("https://app.example/{}", "a".repeat(2048));
        assert_eq!(ClientIdUrl::parse(&long), Err(InvalidUri::TooLong));
    }

    #[test]
    fn plain_http_only_on_this_machine_and_only_by_its_own_door() {
        let parse = ClientIdUrl::dangerous_parse_with_loopback;
        for good in [
            "http://127.0.0.1:9/c",
            "http://localhost/c",
            "http://[::1]:9/c",
            "https://app.example/c",
        ] {
            assert!(parse(good).is_ok(), "{good}");
        }
        for (text, reason) in [
            ("http://app.example/c", InvalidUri::InsecureHttp),
            ("http://localhost.example/c", InvalidUri::InsecureHttp),
            ("http://127.0.0.1.example/c", InvalidUri::InsecureHttp),
            ("http://127.1/c", InvalidUri::NumericHost),
            ("http://127.0.0.1", InvalidUri::NoPath),
        ] {
            assert_eq!(parse(text), Err(reason), "{text}");
        }
    }
}
