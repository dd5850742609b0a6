//! How a client names itself at the token and revocation endpoints: it is public, so by its identifier alone.

use http::{HeaderMap, header};
use oauth_rs::params::Params;

use crate::refused::Refused;

/// The identifier that a public client named.
///
/// Does not check: that there is such a client.
pub(crate) fn check<'a>(headers: &HeaderMap, params: &'a Params) -> Result<&'a str, Refused> {
    let by_header = headers.contains_key(header::AUTHORIZATION);
    let by_body = ["client_secret", "client_assertion", "client_assertion_type"]
        .iter()
        .any(|name| params.get(name).is_some());
    // RFC 6749 section 2.3: MUST NOT use more than one method in a request.
    if by_header && by_body {
        return Err(Refused::TwoAuthentications);
    }
    // RFC 7591 section 2: the registered method is none; any other is the wrong one.
    if by_header || by_body {
        return Err(Refused::PublicClientAuthenticated { by_header });
    }
    // RFC 6749 section 3.2.1: a client that does not authenticate sends its client_id.
    params.get("client_id").ok_or(Refused::Missing("client_id"))
}
