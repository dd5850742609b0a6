//! Whether a code is asked for, in the query of the answer.

use oauth_rs::params::Params;

use crate::refused::Refused;

/// A code, by query: there is nothing else to ask for.
pub(crate) fn check(params: &Params) -> Result<(), Refused> {
    // RFC 6749 section 3.1.1: REQUIRED; here the only value is code.
    match params.get("response_type") {
        None => return Err(Refused::Missing("response_type")),
        Some("code") => {}
        Some(_) => return Err(Refused::ResponseType),
    }
    // OAuth 2.0 Multiple Response Type Encoding Practices section 2.1: the default for code is query.
    match params.get("response_mode") {
        None | Some("query") => Ok(()),
        Some(_) => Err(Refused::ResponseMode),
    }
}
