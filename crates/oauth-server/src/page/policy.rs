//! The content security policy of a page.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use oauth_rs::hash::sha256;
use oauth_rs::uri::RedirectUri;

use super::STYLE;

/// What a page may do: show its own style, and send its forms where it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Policy {
    form_action: String,
}

impl Policy {
    /// For a page without a form.
    pub(crate) fn no_forms() -> Self {
        Self {
            form_action: "'none'".to_owned(),
        }
    }

    /// For a page whose form leads to a page of this server.
    pub(crate) fn own_forms() -> Self {
        Self {
            form_action: "'self'".to_owned(),
        }
    }

    /// For a page whose form leads, through this server, to a client.
    ///
    /// Chromium applies `form-action` to every redirect that follows the form: to the client's address, and to where
    /// the client sends the browser from there, often a page of its own that says "done". With a narrower list the
    /// person would be stuck on the consent page.
    pub(crate) fn forms_that_lead_to(uri: &RedirectUri) -> Self {
        let form_action = match uri.scheme() {
            "https" => "'self' https:".to_owned(),
            _ => format!("'self' https: {}", source(uri)),
        };
        Self { form_action }
    }

    /// The value of the header.
    pub(crate) fn header(&self) -> String {
        let style = BASE64_STANDARD.encode(sha256(STYLE.as_bytes()));
        // Content Security Policy Level 3 section 6: nothing but the style of the page, and no frame around it.
        format!(
            "default-src 'none'; style-src 'sha256-{style}'; form-action {}; frame-ancestors 'none'; base-uri 'none'",
            self.form_action
        )
    }
}

/// The origin of an address as a source, or its scheme where a source cannot name the origin.
fn source(uri: &RedirectUri) -> String {
    let scheme = uri.scheme();
    let rest = uri
        .as_str()
        .strip_prefix(scheme)
        .and_then(|rest| rest.strip_prefix("://"));
    let authority = rest.and_then(|rest| rest.split(['/', '?']).next());
    match authority {
        // Content Security Policy Level 3 section 2.3.1: a host source has letters, digits, dots and hyphens, so no IPv6.
        Some(authority)
            if matches!(scheme, "https" | "http")
                && !authority.is_empty()
                && authority.bytes().all(is_host_byte) =>
        {
            format!("{scheme}://{authority}")
        }
        Some(_) | None => format!("{scheme}:"),
    }
}

const fn is_host_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':')
}

#[cfg(test)]
mod tests {
    use oauth_rs::uri::RedirectUri;

    use super::{Policy, source};

    #[test]
    fn no_address_adds_a_directive() {
        let own = Policy::no_forms().header().matches(';').count();
        for uri in [
            "https://c.example/cb;script-src%20*",
            "https://c.example/cb?x=;script-src='unsafe-inline'",
            "https://c.example?;script-src",
            "http://127.0.0.1:1/,http://evil.example;",
            "http://[::1]:1/;script-src",
            "com.example.app:/cb;script-src'*'",
            "com.example.app://a;script-src/cb",
            "cursor://a,b;c/cb",
        ] {
            let Ok(uri) = RedirectUri::parse(uri) else {
                panic!("{uri}")
            };
            let policy = Policy::forms_that_lead_to(&uri).header();
            assert_eq!(policy.matches(';').count(), own, "{policy}");
            assert!(!policy.contains("script-src"), "{policy}");
            assert!(!policy.contains(','), "{policy}");
        }
        for uri in ["https://c.example;script-src/cb", "https://c.example,x/cb"] {
            assert!(RedirectUri::parse(uri).is_err(), "{uri}");
        }
    }

    #[test]
    fn a_client_may_send_the_browser_on_to_any_https_page() {
        for (uri, expected) in [
            ("https://c.example/cb", "form-action 'self' https:;"),
            (
                "http://127.0.0.1:1/cb",
                "form-action 'self' https: http://127.0.0.1:1;",
            ),
            ("cursor://a/cb", "form-action 'self' https: cursor:;"),
        ] {
            let policy = Policy::forms_that_lead_to(&RedirectUri::parse(uri).unwrap()).header();
            assert!(policy.contains(expected), "{policy}");
        }
    }

    #[test]
    fn the_source_of_an_address() {
        for (uri, expected) in [
            ("https://c.example/cb?x=1", "https://c.example"),
            ("https://c.example:8443/cb", "https://c.example:8443"),
            ("http://127.0.0.1:4711/cb", "http://127.0.0.1:4711"),
            ("http://localhost:1/cb", "http://localhost:1"),
            ("http://[::1]:4711/cb", "http:"),
            ("cursor://anysphere.cursor-mcp/cb", "cursor:"),
            ("com.example.app:/cb", "com.example.app:"),
        ] {
            assert_eq!(source(&RedirectUri::parse(uri).unwrap()), expected);
        }
    }
}
