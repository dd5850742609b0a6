//! A token for a machine that acts for itself (OAuth 2.1 section 4.2).

use http::{Request, Response};

use super::auth::{AuthRefused, Caller, ClientAuth};
use super::exchange::{self, ExchangeFailed};
use super::token::{self, TokenResponse};
use crate::scope::ScopeSet;

/// The name of the grant.
pub const GRANT_TYPE: &str = "client_credentials";

/// Asks for a token of the client's own.
///
/// # Errors
/// The endpoint is neither https nor loopback http, or the client is public or cannot authenticate.
pub fn request(
    endpoint: &str,
    caller: &Caller<'_>,
    scope: Option<&ScopeSet>,
    resource: &str,
) -> Result<Request<Vec<u8>>, ExchangeFailed> {
    // OAuth 2.1 section 4.2: this grant MUST only be used by confidential clients.
    if matches!(caller.client.auth, ClientAuth::None) {
        return Err(AuthRefused::Public.into());
    }
    let mut pairs = vec![
        ("grant_type", GRANT_TYPE),
        // RFC 8707 section 2.2, MCP 2026-07-28: resource MUST be in the token request.
        ("resource", resource),
    ];
    let scope = exchange::scope_text(scope);
    pairs.extend(scope.as_deref().map(|scope| ("scope", scope)));
    caller.post("token endpoint", endpoint, &pairs)
}

/// Reads the token.
///
/// A refresh token is dropped: the client can ask again at any time, and has one secret less to keep.
///
/// # Errors
/// The same as for [`token::response`].
pub fn response(response: &Response<Vec<u8>>) -> Result<TokenResponse, ExchangeFailed> {
    let mut tokens = token::response(response)?;
    // OAuth 2.1 section 4.2.3: a refresh token SHOULD NOT be included.
    tokens.refresh_token = None;
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Client;
    use crate::client::auth::tests::{caller, issuer};
    use crate::secret::Secret;

    const ENDPOINT: &str = "https://as.example/token";
    const RESOURCE: &str = "https://rs.example/mcp";

    fn sent(auth: ClientAuth, scope: Option<&str>) -> Result<String, ExchangeFailed> {
        let client = Client {
            client_id: "c".into(),
            auth,
        };
        let scope = scope.map(|text| ScopeSet::parse(text).unwrap());
        let request = request(
            ENDPOINT,
            &caller(&client, &issuer()),
            scope.as_ref(),
            RESOURCE,
        )?;
        Ok(String::from_utf8(request.into_body()).unwrap())
    }

    #[test]
    fn what_is_sent() {
        let post = || ClientAuth::Post(Secret::new("s"));
        let bare = "grant_type=client_credentials&resource=https%3A%2F%2Frs.example%2Fmcp";
        assert_eq!(
            sent(post(), Some("a b")).unwrap(),
            format!("{bare}&scope=a+b&client_id=c&client_secret=s")
        );
        for scope in [None, Some("")] {
            assert_eq!(
                sent(post(), scope).unwrap(),
                format!("{bare}&client_id=c&client_secret=s")
            );
        }
        assert_eq!(
            sent(ClientAuth::Basic(Secret::new("s")), None).unwrap(),
            bare
        );
    }

    #[test]
    fn each_refusal() {
        assert_eq!(
            sent(ClientAuth::None, None),
            Err(AuthRefused::Public.into())
        );
        assert_eq!(
            sent(ClientAuth::KeyAbsent, None),
            Err(AuthRefused::KeyMissing.into())
        );
    }

    #[test]
    fn a_refresh_token_is_not_kept() {
        let body = r#"{"access_token":"a","token_type":"Bearer","refresh_token":"r"}"#;
        let tokens = response(&Response::new(body.into())).unwrap();
        assert!(tokens.access_token.ct_eq("a"));
        assert!(tokens.refresh_token.is_none());
        assert!(response(&Response::new(b"{}".to_vec())).is_err());
    }
}
