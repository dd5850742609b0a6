//! Enterprise-managed authorization: an identity provider vouches for a person at another
//! domain's authorization server (ID-JAG, draft-ietf-oauth-identity-assertion-authz-grant).
//!
//! Two exchanges: [`request`] and [`response`] with the identity provider, then [`redeem`] at the
//! authorization server of the resource, read by [`jwt_bearer::response`].

use std::time::Duration;

use http::{Request, Response};

use super::auth::Caller;
use super::exchange::ExchangeFailed;
use super::jwt_bearer;
use super::token_exchange::{self, TokenType, Typed, Wanted};
use crate::scope::ScopeSet;
use crate::secret::Secret;
use crate::uri::Issuer;

/// An assertion that one authorization server takes, for some minutes.
#[derive(Debug, Clone)]
pub struct IdJag {
    /// The signed text.
    pub assertion: Secret,
    /// How long it is good.
    pub expires_in: Option<Duration>,
    /// What it allows, if that differs from what was asked.
    pub scope: Option<ScopeSet>,
}

/// Asks the identity provider for an assertion; `caller` is who we are there.
///
/// `subject` is the person's ID token or SAML assertion, or a refresh token of the identity provider.
///
/// # Errors
/// The endpoint is neither https nor loopback http, or the client cannot authenticate.
pub fn request(
    endpoint: &str,
    caller: &Caller<'_>,
    subject: Typed<'_>,
    audience: &Issuer,
    resource: &str,
    scope: Option<&ScopeSet>,
) -> Result<Request<Vec<u8>>, ExchangeFailed> {
    let wanted = Wanted {
        subject,
        actor: None,
        requested: Some(TokenType::IdJag),
        // ID-JAG section 4.3: the audience is the issuer of the resource's authorization server.
        audiences: &[audience.as_str()],
        // MCP enterprise-managed authorization: the resource is the identifier of the MCP server.
        resources: &[resource],
        scope,
    };
    token_exchange::request(endpoint, caller, &wanted)
}

/// Reads the assertion.
///
/// Does not check: what the assertion says; that is for the authorization server that it names.
///
/// # Errors
/// The same as for [`token_exchange::response`]: anything but an ID-JAG that says `N_A` is refused.
pub fn response(response: &Response<Vec<u8>>) -> Result<IdJag, ExchangeFailed> {
    // ID-JAG section 4.3.3: issued_token_type is id-jag and token_type is N_A.
    let exchanged = token_exchange::response(response, Some(TokenType::IdJag))?;
    Ok(IdJag {
        assertion: exchanged.token,
        expires_in: exchanged.expires_in,
        scope: exchanged.scope,
    })
}

/// Asks the authorization server of the resource for a token; `caller` is who we are there.
///
/// # Errors
/// The endpoint is neither https nor loopback http, or the client cannot authenticate.
pub fn redeem(
    endpoint: &str,
    caller: &Caller<'_>,
    id_jag: &IdJag,
    scope: Option<&ScopeSet>,
    resource: &str,
) -> Result<Request<Vec<u8>>, ExchangeFailed> {
    jwt_bearer::request(endpoint, caller, &id_jag.assertion, scope, resource)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Client;
    use crate::client::auth::tests::caller;
    use crate::params::Params;

    const RESOURCE: &str = "https://rs.example/mcp";

    #[test]
    fn both_legs() {
        let provider = Issuer::parse("https://idp.example").unwrap();
        let server = Issuer::parse("https://as.example").unwrap();
        let client = Client::public("at-the-provider");
        let token = Secret::new("id-token");
        let subject = Typed {
            token: &token,
            kind: TokenType::IdToken,
        };
        let sent = request(
            "https://idp.example/token",
            &caller(&client, &provider),
            subject,
            &server,
            RESOURCE,
            None,
        );
        let params = Params::parse_form(sent.unwrap().body(), &[]).unwrap();
        for (name, value) in [
            ("grant_type", token_exchange::GRANT_TYPE),
            ("subject_token", "id-token"),
            ("subject_token_type", TokenType::IdToken.as_str()),
            ("requested_token_type", TokenType::IdJag.as_str()),
            ("audience", "https://as.example"),
            ("resource", RESOURCE),
            ("client_id", "at-the-provider"),
        ] {
            assert_eq!(params.get(name), Some(value), "{name}");
        }
        let answer = r#"{"access_token":"j.a.g","token_type":"N_A","expires_in":300,"issued_token_type":"urn:ietf:params:oauth:token-type:id-jag"}"#;
        let id_jag = response(&Response::new(answer.into())).unwrap();
        assert_eq!(id_jag.expires_in, Some(Duration::from_secs(300)));
        let client = Client::public("at-the-server");
        let sent = redeem(
            "https://as.example/token",
            &caller(&client, &server),
            &id_jag,
            None,
            RESOURCE,
        );
        let params = Params::parse_form(sent.unwrap().body(), &[]).unwrap();
        assert_eq!(params.get("grant_type"), Some(jwt_bearer::GRANT_TYPE));
        assert_eq!(params.get("assertion"), Some("j.a.g"));
        assert_eq!(params.get("resource"), Some(RESOURCE));
        assert_eq!(params.get("client_id"), Some("at-the-server"));
    }

    #[test]
    fn anything_else_is_refused() {
        for answer in [
            r#"{"access_token":"a","token_type":"Bearer","issued_token_type":"urn:ietf:params:oauth:token-type:access_token"}"#,
            r#"{"access_token":"a","token_type":"Bearer","issued_token_type":"urn:ietf:params:oauth:token-type:id-jag"}"#,
            r#"{"access_token":"a","token_type":"N_A"}"#,
        ] {
            let refused = response(&Response::new(answer.into()));
            assert!(
                matches!(refused, Err(ExchangeFailed::Malformed(_))),
                "{answer}"
            );
        }
    }
}
