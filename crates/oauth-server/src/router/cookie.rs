//! The two cookies: which browser this is, and who is signed in.

use http::{HeaderMap, HeaderValue, header};
use oauth_rs::secret::Secret;

use crate::server::Server;

/// Which cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cookie {
    Browser,
    Session,
}

/// Longest value that is read; ours have 43 characters.
const MAX_VALUE: usize = 64;

impl Cookie {
    fn name(self, secure: bool) -> &'static str {
        match (self, secure) {
            // RFC 6265bis section 4.1.3.2: the prefix makes the browser refuse one from another host or without TLS.
            (Self::Browser, true) => "__Host-oauth_browser",
            (Self::Session, true) => "__Host-oauth_session",
            (Self::Browser, false) => "oauth_browser",
            (Self::Session, false) => "oauth_session",
        }
    }

    /// The value that the browser sent.
    pub(super) fn read(self, server: &Server, headers: &HeaderMap) -> Option<Secret> {
        let name = self.name(secure(server));
        let mut found = headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(sent, _)| *sent == name)
            .map(|(_, value)| value);
        // Of two cookies of one name, one was planted; which one cannot be told.
        match (found.next(), found.next()) {
            (Some(value), None) if !value.is_empty() && value.len() <= MAX_VALUE => {
                Some(Secret::new(value))
            }
            _ => None,
        }
    }

    /// The header that sets the cookie, until the browser is closed.
    pub(super) fn write(self, server: &Server, value: &Secret) -> Option<HeaderValue> {
        let secure = secure(server);
        let name = self.name(secure);
        let more = if secure { "; Secure" } else { "" };
        let text = format!(
            "{name}={}; HttpOnly; SameSite=Lax; Path=/{more}",
            value.expose()
        );
        let mut header = HeaderValue::from_str(&text).ok()?;
        header.set_sensitive(true);
        Some(header)
    }
}

/// Browsers keep `Secure` cookies from plain http; the only issuers without TLS are on this machine.
fn secure(server: &Server) -> bool {
    server.config.issuer.as_str().starts_with("https:")
}
