//! A token in exchange for a signed assertion (RFC 7523 section 2.1).

use http::{Request, Response};

use super::auth::Caller;
use super::exchange::{self, ExchangeFailed};
use super::token::{self, TokenResponse};
use crate::scope::ScopeSet;
use crate::secret::Secret;

/// The name of the grant.
pub const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// Asks for a token in exchange for an assertion that somebody trusted by the server has signed.
///
/// Does not check: the assertion, which is for the server alone to read.
///
/// # Errors
/// The endpoint is neither https nor loopback http, or the client cannot authenticate.
pub fn request(
    endpoint: &str,
    caller: &Caller<'_>,
    assertion: &Secret,
    scope: Option<&ScopeSet>,
    resource: &str,
) -> Result<Request<Vec<u8>>, ExchangeFailed> {
    let mut pairs = vec![
        ("grant_type", GRANT_TYPE),
        ("assertion", assertion.expose()),
        // RFC 8707 section 2.2, MCP 2026-07-28: resource MUST be in the token request.
        ("resource", resource),
    ];
    let scope = exchange::scope_text(scope);
    pairs.extend(scope.as_deref().map(|scope| ("scope", scope)));
    caller.post("token endpoint", endpoint, &pairs)
}

/// Reads the token.
///
/// A refresh token is dropped: it would outlive what the assertion stands for.
///
/// # Errors
/// The same as for [`token::response`].
pub fn response(response: &Response<Vec<u8>>) -> Result<TokenResponse, ExchangeFailed> {
    let mut tokens = token::response(response)?;
    // RFC 7521 section 4.1: refresh tokens are not normally issued; the client can ask again.
    tokens.refresh_token = None;
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::auth::tests::{caller, issuer};
    use crate::client::{Client, ClientAuth};
    use crate::error_code::ErrorCode;

    #[test]
    fn what_is_sent() {
        let sent = |client: &Client, scope: Option<&ScopeSet>| {
            let request = request(
                "https://as.example/token",
                &caller(client, &issuer()),
                &Secret::new("j.w.t"),
                scope,
                "https://rs.example/mcp",
            );
            String::from_utf8(request.unwrap().into_body()).unwrap()
        };
        let grant = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer";
        let all = format!("{grant}&assertion=j.w.t&resource=https%3A%2F%2Frs.example%2Fmcp");
        assert_eq!(
            sent(&Client::public("c"), None),
            format!("{all}&client_id=c")
        );
        let known = Client {
            client_id: "c".into(),
            auth: ClientAuth::Basic(Secret::new("s")),
        };
        let scope = ScopeSet::parse("a").unwrap();
        assert_eq!(sent(&known, Some(&scope)), format!("{all}&scope=a"));
    }

    #[test]
    fn reading_the_answer() {
        let body = r#"{"access_token":"a","token_type":"Bearer","refresh_token":"r"}"#;
        let tokens = response(&Response::new(body.into())).unwrap();
        assert!(tokens.refresh_token.is_none());
        let refused = Response::builder()
            .status(400)
            .body(br#"{"error":"invalid_grant"}"#.to_vec())
            .unwrap();
        assert!(response(&refused).unwrap_err().is(ErrorCode::InvalidGrant));
    }
}
