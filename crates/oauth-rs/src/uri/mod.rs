//! Issuer, resource identifier, redirect address and client identifier: checked once, compared by
//! their original text; and the address of a request, compared normalised.
//!
//! The grammar is RFC 3986 in its strict form, read from the raw text, so that no spelling can mean
//! one host to us and another to a browser.

mod client_id;
mod issuer;
mod parts;
mod redirect;
mod resource;
mod target;

pub use client_id::ClientIdUrl;
pub use issuer::Issuer;
pub use parts::{InvalidUri, MAX_URI_BYTES};
pub use redirect::{InvalidRedirectUri, RedirectUri};
pub use resource::ResourceId;
pub use target::TargetUri;

/// Whether credentials may be sent to this address: https, or http on a loopback host.
///
/// Does not check: where the host's name leads.
///
/// Specification: OAuth 2.1 section 1.5.
pub fn is_endpoint(url: &str) -> bool {
    check_endpoint(url).is_ok()
}

/// What [`is_endpoint`] asks, with the reason where the answer is no.
///
/// # Errors
/// The first rule that does not hold.
pub fn check_endpoint(url: &str) -> Result<(), InvalidUri> {
    let parts = parts::Parts::parse(url)?;
    parts.is_https_or_loopback()?;
    match parts.fragment {
        Some(_) => Err(InvalidUri::Fragment),
        None => Ok(()),
    }
}

/// Whether an address that another party names may be used: as [`is_endpoint`] says, but plain http
/// only if that party itself is on plain http, which means on this machine.
///
/// Without this, a server anywhere could have a client send requests to what listens on loopback.
///
/// Does not check: where the host's name leads.
///
/// Specification: RFC 9728 section 7.7; OAuth 2.1 section 1.5.
pub fn is_endpoint_of(url: &str, named_by: &str) -> bool {
    check_endpoint_of(url, named_by).is_ok()
}

/// What [`is_endpoint_of`] asks, with the reason where the answer is no.
///
/// # Errors
/// The first rule that does not hold.
pub fn check_endpoint_of(url: &str, named_by: &str) -> Result<(), InvalidUri> {
    let is_plain = |text: &str| parts::Parts::parse(text).is_ok_and(|parts| parts.scheme == "http");
    check_endpoint(url)?;
    if is_plain(url) && !(is_endpoint(named_by) && is_plain(named_by)) {
        return Err(InvalidUri::Loopback);
    }
    Ok(())
}

/// Whether an address can be opened in a browser by a person who wants to read: http or https, and a host.
///
/// Does not check: that the page is there, or harmless.
pub(crate) fn is_web_page(url: &str) -> bool {
    parts::Parts::parse(url).is_ok_and(|parts| matches!(parts.scheme, "http" | "https"))
}

/// Implements what all of them have in common.
macro_rules! textual {
    ($name:ident) => {
        impl $name {
            /// The text that is kept.
            pub fn as_str(&self) -> &str {
                &self.text
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.text)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.text
            }
        }
    };
}
use textual;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_go_to_https_or_loopback() {
        for (url, expected) in [
            ("https://as.example/token?x=1", true),
            ("http://127.0.0.1:3001/token", true),
            ("http://localhost/token", true),
            ("https://as.example/token#x", false),
            ("http://as.example/token", false),
            ("http://localhost.evil.example/token", false),
            ("http://127.0.0.1@evil.example/token", false),
            ("http://127.0.0.1.evil.example/token", false),
            ("http://169.254.169.254/latest", false),
            ("https://as.example\\@evil.example/", false),
            ("https://as.example/\ttoken", false),
            ("HTTPS://as.example/token", false),
            ("javascript:x", false),
            ("file:///etc/passwd", false),
            ("", false),
        ] {
            assert_eq!(is_endpoint(url), expected, "{url:?}");
        }
    }

    #[test]
    fn each_refused_endpoint_has_its_reason() {
        for (url, reason) in [
            ("https://u:p@as.example/token", InvalidUri::UserInfo),
            ("https://as.example/token#x", InvalidUri::Fragment),
            ("http://as.example/token", InvalidUri::InsecureHttp),
            ("ftp://as.example/token", InvalidUri::Scheme),
            ("javascript:x", InvalidUri::NotAbsolute),
            ("https://2130706433/token", InvalidUri::NumericHost),
            ("http://127.0.0.1/token", InvalidUri::Loopback),
        ] {
            assert_eq!(
                check_endpoint_of(url, "https://as.example"),
                Err(reason),
                "{url}"
            );
        }
    }

    #[test]
    fn loopback_is_named_by_loopback_only() {
        for (url, named_by, expected) in [
            ("https://as.example/token", "https://rs.example/mcp", true),
            ("https://as.example/token", "http://localhost/mcp", true),
            ("http://127.0.0.1:1/token", "http://localhost:2/mcp", true),
            ("http://127.0.0.1:1/token", "https://rs.example/mcp", false),
            ("http://127.0.0.1:1/token", "http://rs.example/mcp", false),
            ("http://as.example/token", "http://localhost/mcp", false),
        ] {
            assert_eq!(is_endpoint_of(url, named_by), expected, "{url} {named_by}");
        }
    }
}
