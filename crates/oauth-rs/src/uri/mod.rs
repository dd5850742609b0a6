//! Issuer, resource identifier and redirect address: checked once, compared by their original text.
//!
//! The grammar is RFC 3986 in its strict form, read from the raw text, so that no spelling can mean
//! one host to us and another to a browser.

mod issuer;
mod parts;
mod redirect;
mod resource;

pub use issuer::Issuer;
pub use parts::{InvalidUri, MAX_URI_BYTES};
pub use redirect::{InvalidRedirectUri, RedirectUri};
pub use resource::ResourceId;

/// Whether credentials may be sent to this address: https, or http on a loopback host.
///
/// Does not check: where the host's name leads.
///
/// Specification: OAuth 2.1 section 1.5.
pub fn is_endpoint(url: &str) -> bool {
    parts::Parts::parse(url)
        .is_ok_and(|parts| parts.is_https_or_loopback().is_ok() && parts.fragment.is_none())
}

/// Implements what all three have in common.
macro_rules! textual {
    ($name:ident) => {
        impl $name {
            /// The original text.
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
