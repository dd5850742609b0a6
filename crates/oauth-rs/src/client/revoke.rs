//! Revoking a token (RFC 7009).

use http::{Request, Response, StatusCode};

use super::auth::Caller;
use super::exchange::{self, ExchangeFailed};
use crate::secret::Secret;

/// Asks that a token be revoked; for a refresh token that ends the whole grant.
///
/// # Errors
/// The endpoint is neither https nor loopback http, or the client cannot authenticate.
pub fn request(
    endpoint: &str,
    caller: &Caller<'_>,
    token: &Secret,
    token_type_hint: &str,
) -> Result<Request<Vec<u8>>, ExchangeFailed> {
    let pairs = [
        ("token", token.expose()),
        ("token_type_hint", token_type_hint),
    ];
    caller.post("revocation endpoint", endpoint, &pairs)
}

/// Reads the answer, which is the same for a token that was not known.
///
/// # Errors
/// The server refused.
pub fn response(response: &Response<Vec<u8>>) -> Result<(), ExchangeFailed> {
    // RFC 7009 section 2.2: 200, whether or not the token was valid.
    exchange::check_status(response, &[StatusCode::OK])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Client;
    use crate::client::auth::tests::{caller, issuer};

    #[test]
    fn what_is_sent_and_read() {
        let client = Client::public("c");
        let sent = request(
            "https://as.example/revoke",
            &caller(&client, &issuer()),
            &Secret::new("r"),
            "refresh_token",
        )
        .unwrap();
        assert_eq!(
            sent.body(),
            b"token=r&token_type_hint=refresh_token&client_id=c"
        );
        assert!(response(&Response::new(Vec::new())).is_ok());
        let busy = Response::builder().status(503).body(Vec::new()).unwrap();
        let refused = response(&busy).unwrap_err();
        assert_eq!(
            refused,
            ExchangeFailed::Status(StatusCode::SERVICE_UNAVAILABLE)
        );
    }
}
