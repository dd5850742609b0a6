//! Refreshing an access token (RFC 6749 section 6).

use http::{Request, Response};

use super::auth::Caller;
use super::exchange::ExchangeFailed;
use super::token::{self, TokenResponse};
use crate::error_code::ErrorCode;
use crate::secret::Secret;

/// What a refusal puts an end to, however often the same refresh token is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gone {
    /// The grant.
    Grant,
    /// The registration of the client, and its grants with it.
    Client,
}

/// Whether a refusal stays true, and for what; none if another try may succeed.
// RFC 6749 section 5.2.
pub(super) fn gone(reason: &ExchangeFailed) -> Option<Gone> {
    let grant = [
        ErrorCode::InvalidGrant,
        ErrorCode::InvalidRequest,
        ErrorCode::InvalidScope,
        ErrorCode::InvalidTarget,
        ErrorCode::UnsupportedGrantType,
    ];
    let client = [ErrorCode::InvalidClient, ErrorCode::UnauthorizedClient];
    let is_one = |codes: &[ErrorCode]| codes.iter().any(|code| reason.is(*code));
    if is_one(&grant) {
        Some(Gone::Grant)
    } else {
        is_one(&client).then_some(Gone::Client)
    }
}

/// Asks for a new access token with the scope that was granted before.
///
/// # Errors
/// The endpoint is neither https nor loopback http, or the client cannot authenticate.
pub fn request(
    endpoint: &str,
    caller: &Caller<'_>,
    refresh_token: &Secret,
    resource: &str,
) -> Result<Request<Vec<u8>>, ExchangeFailed> {
    caller.post(
        "token endpoint",
        endpoint,
        &[
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token.expose()),
            ("resource", resource),
        ],
    )
}

/// Reads the tokens; without a new refresh token the old one stays good.
///
/// # Errors
/// The same as for [`token::response`].
pub fn response(response: &Response<Vec<u8>>) -> Result<TokenResponse, ExchangeFailed> {
    token::response(response)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Client;
    use crate::client::auth::tests::{caller, issuer};

    #[test]
    fn what_is_sent() {
        let sent = request(
            "https://as.example/token",
            &caller(&Client::public("c"), &issuer()),
            &Secret::new("r"),
            "https://rs.example/mcp",
        )
        .unwrap();
        assert_eq!(
            std::str::from_utf8(sent.body()).unwrap(),
            "grant_type=refresh_token&refresh_token=r&resource=https%3A%2F%2Frs.example%2Fmcp&client_id=c"
        );
    }
}
