//! The identifier of an authorization server.

use std::sync::Arc;

use super::parts::{InvalidUri, Parts};
use super::textual;

/// An issuer identifier, kept and compared as written, to the last slash.
///
/// It decides, in this order: strict RFC 3986 alphabet and host spelling; https, or http on a
/// loopback host; no query; no fragment; no dot segments.
///
/// ```
/// use oauth_rs::uri::{InvalidUri, Issuer};
///
/// let issuer = Issuer::parse("https://as.example/t1")?;
/// assert_eq!(
///     issuer.metadata_urls(),
///     [
///         "https://as.example/.well-known/oauth-authorization-server/t1",
///         "https://as.example/.well-known/openid-configuration/t1",
///         "https://as.example/t1/.well-known/openid-configuration",
///     ]
/// );
/// assert_eq!(Issuer::parse("http://as.example"), Err(InvalidUri::InsecureHttp));
/// # Ok::<(), InvalidUri>(())
/// ```
///
/// Specification: RFC 8414 section 2; the exception for loopback is OAuth 2.1's for development.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Issuer {
    /// Shared, since whoever is granted something carries it along.
    text: Arc<str>,
}

textual!(Issuer);

impl Issuer {
    /// Reads an issuer identifier.
    ///
    /// # Errors
    /// The first rule that does not hold.
    pub fn parse(text: &str) -> Result<Self, InvalidUri> {
        let parts = Parts::parse(text)?;
        parts.is_https_or_loopback()?;
        // RFC 8414 section 2: the issuer has no query and no fragment component.
        if parts.query.is_some() {
            return Err(InvalidUri::Query);
        }
        if parts.fragment.is_some() {
            return Err(InvalidUri::Fragment);
        }
        if parts.has_dot_segment() {
            return Err(InvalidUri::DotSegment);
        }
        Ok(Self { text: text.into() })
    }

    /// Where its metadata may be, in the order in which MCP has a client look.
    ///
    /// Specification: RFC 8414 section 3.1 and section 5; OpenID Connect Discovery section 4.
    pub fn metadata_urls(&self) -> Vec<String> {
        // RFC 8414 section 3.1: a terminating slash MUST be removed before inserting.
        let trimmed = self.text.strip_suffix('/').unwrap_or(&self.text);
        let (origin, path) = super::resource::split_origin(trimmed);
        let oauth = format!("{origin}/.well-known/oauth-authorization-server{path}");
        let openid = format!("{origin}/.well-known/openid-configuration{path}");
        if path.is_empty() {
            return vec![oauth, openid];
        }
        vec![
            oauth,
            openid,
            format!("{trimmed}/.well-known/openid-configuration"),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_kept_and_compared_exactly() {
        let with = Issuer::parse("https://as.example/").unwrap();
        let without = Issuer::parse("https://as.example").unwrap();
        assert_ne!(with, without);
        assert_eq!(with.as_str(), "https://as.example/");
        assert_eq!(with.metadata_urls(), without.metadata_urls());
        assert_eq!(
            without.metadata_urls(),
            [
                "https://as.example/.well-known/oauth-authorization-server",
                "https://as.example/.well-known/openid-configuration",
            ]
        );
    }

    #[test]
    fn a_path_with_a_final_slash() {
        let urls = Issuer::parse("http://127.0.0.1:3001/t1/")
            .unwrap()
            .metadata_urls();
        assert_eq!(
            urls[0],
            "http://127.0.0.1:3001/.well-known/oauth-authorization-server/t1"
        );
        assert_eq!(
            urls[2],
            "http://127.0.0.1:3001/t1/.well-known/openid-configuration"
        );
    }

    #[test]
    fn each_refusal() {
        for (text, reason) in [
            ("http://as.example", InvalidUri::InsecureHttp),
            ("HTTPS://as.example", InvalidUri::Scheme),
            ("ftp://as.example", InvalidUri::Scheme),
            ("https://as.example?x", InvalidUri::Query),
            ("https://as.example/#x", InvalidUri::Fragment),
            ("https://me@as.example", InvalidUri::UserInfo),
            ("https://as.example/a/../b", InvalidUri::DotSegment),
            ("as.example", InvalidUri::NotAbsolute),
        ] {
            assert_eq!(Issuer::parse(text), Err(reason), "{text}");
        }
    }
}
