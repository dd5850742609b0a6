//! A token that goes on to the service behind the guard, where the configuration says so.

use std::fmt;

use oauth_rs::secret::Secret;

/// The token of a request, whose audience names another service besides this one.
///
/// It is made by [`Guard::check`](crate::Guard::check) alone, and only for an issuer with
/// [`dangerous_pass_token_on_to`](crate::TrustedIssuer::dangerous_pass_token_on_to); whoever has one
/// has the proof that the token is for that service, or that the issuer's audience
/// [does not count](crate::TrustedIssuer::dangerous_accept_any_audience). The layer puts it into the extensions of the
/// request; it shows itself to nobody, and is wiped from memory with the request.
///
/// Does not check: that the other service accepts it.
#[derive(Clone)]
pub struct PassedToken(Secret);

impl PassedToken {
    pub(crate) fn new(token: &str) -> Self {
        Self(Secret::new(token))
    }

    /// The token, to be sent to the service that its audience names, and to no other.
    pub fn token(&self) -> &Secret {
        &self.0
    }
}

impl fmt::Debug for PassedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PassedToken(..)")
    }
}

impl PartialEq for PassedToken {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(other.0.expose())
    }
}

impl Eq for PassedToken {}
