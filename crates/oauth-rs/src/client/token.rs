//! Redeeming a code, and reading every token answer (RFC 6749 sections 4.1.3 and 5.1).

use std::time::Duration;

use http::{Request, Response, StatusCode};
use serde::Deserialize;

use super::auth::Caller;
use super::authorize::Pending;
use super::exchange::{self, ExchangeFailed};
use crate::scope::ScopeSet;
use crate::secret::Secret;

/// A token this close to its end counts as expired.
pub(super) const MARGIN: Duration = Duration::from_secs(5);

/// The longest token that is kept.
pub const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// The tokens that a server issued.
#[derive(Debug, Clone)]
pub struct TokenResponse {
    /// The access token.
    pub access_token: Secret,
    /// The refresh token, if there is one.
    pub refresh_token: Option<Secret>,
    /// How long the access token lives.
    pub expires_in: Option<Duration>,
    /// What was granted, if it differs from what was asked.
    pub scope: Option<ScopeSet>,
    /// How the access token is presented.
    pub kind: TokenKind,
}

/// How an access token is presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// Whoever has it may use it (RFC 6750).
    Bearer,
    /// With a proof of possession of its key on each request (RFC 9449).
    Dpop,
}

impl TokenKind {
    /// The scheme of the `Authorization` header, which is the name of the type as well.
    pub const fn scheme(self) -> &'static str {
        match self {
            Self::Bearer => "Bearer",
            Self::Dpop => "DPoP",
        }
    }

    // RFC 6749 section 5.1: the value is case insensitive.
    pub(super) fn parse(sent: &str) -> Option<Self> {
        [Self::Bearer, Self::Dpop]
            .into_iter()
            .find(|kind| kind.scheme().eq_ignore_ascii_case(sent))
    }
}

/// Asks for tokens in exchange for a code.
///
/// # Errors
/// The endpoint is neither https nor loopback http, or the client cannot authenticate.
pub fn request(
    endpoint: &str,
    caller: &Caller<'_>,
    code: &Secret,
    resource: &str,
    pending: &Pending,
) -> Result<Request<Vec<u8>>, ExchangeFailed> {
    caller.post(
        "token endpoint",
        endpoint,
        &[
            ("grant_type", "authorization_code"),
            ("code", code.expose()),
            ("redirect_uri", pending.redirect_uri.as_str()),
            ("code_verifier", pending.verifier.expose()),
            // RFC 8707 section 2.2, MCP 2026-07-28: resource MUST be in the token request too.
            ("resource", resource),
        ],
    )
}

/// Reads the tokens.
///
/// It decides, in this order: length and status; a well-formed object; the type is `Bearer` or `DPoP`; tokens
/// are visible ASCII and not too long; the scope is well-formed.
///
/// Does not check: that the type is the one that was asked for; a client that sent a DPoP proof looks
/// at [`TokenResponse::kind`].
///
/// # Errors
/// The first rule that does not hold.
pub fn response(response: &Response<Vec<u8>>) -> Result<TokenResponse, ExchangeFailed> {
    #[derive(Deserialize)]
    struct Sent {
        access_token: String,
        token_type: String,
        refresh_token: Option<String>,
        expires_in: Option<f64>,
        scope: Option<String>,
    }
    let sent: Sent = exchange::read(response, &[StatusCode::OK], "token response")?;
    // RFC 6749 section 7.1: a client MUST NOT use a token of a type it does not understand.
    let kind = TokenKind::parse(&sent.token_type).ok_or(ExchangeFailed::Malformed(
        "token_type is neither Bearer nor DPoP",
    ))?;
    if !is_token(&sent.access_token) || sent.refresh_token.as_deref().is_some_and(|t| !is_token(t))
    {
        return Err(ExchangeFailed::Malformed(
            "a token holds characters that no token has",
        ));
    }
    let scope = sent.scope.as_deref().map(ScopeSet::parse).transpose();
    Ok(TokenResponse {
        access_token: Secret::new(sent.access_token),
        refresh_token: sent.refresh_token.map(Secret::new),
        expires_in: lifetime(sent.expires_in)?,
        scope: scope.map_err(|_| ExchangeFailed::Malformed("scope"))?,
        kind,
    })
}

// RFC 6749 appendix A.12 and A.17: tokens are VSCHAR.
pub(super) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_TOKEN_BYTES && text.bytes().all(|b| b.is_ascii_graphic())
}

pub(super) fn lifetime(expires_in: Option<f64>) -> Result<Option<Duration>, ExchangeFailed> {
    expires_in
        .map(Duration::try_from_secs_f64)
        .transpose()
        .map_err(|_| ExchangeFailed::Malformed("expires_in is out of range"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Client;
    use crate::client::auth::tests::caller;
    use crate::params::Params;
    use crate::uri::{Issuer, RedirectUri};

    fn read(body: &str) -> Result<TokenResponse, ExchangeFailed> {
        response(&Response::new(body.as_bytes().to_vec()))
    }

    #[test]
    fn what_is_sent() {
        let pending = Pending::new(
            &|dest: &mut [u8]| dest.fill(0),
            Issuer::parse("https://as.example").unwrap(),
            false,
            RedirectUri::parse("http://127.0.0.1:5000/cb").unwrap(),
            None,
        );
        let sent = request(
            "https://as.example/token",
            &caller(&Client::public("c"), &pending.issuer),
            &Secret::new("the code"),
            "https://rs.example/mcp",
            &pending,
        )
        .unwrap();
        assert_eq!(
            sent.headers()["content-type"],
            "application/x-www-form-urlencoded"
        );
        let params = Params::parse_form(sent.body(), &[]).unwrap();
        for (name, value) in [
            ("grant_type", "authorization_code"),
            ("code", "the code"),
            ("redirect_uri", "http://127.0.0.1:5000/cb"),
            ("code_verifier", pending.verifier.expose()),
            ("resource", "https://rs.example/mcp"),
            ("client_id", "c"),
        ] {
            assert_eq!(params.get(name), Some(value), "{name}");
        }
    }

    #[test]
    fn reading_tokens() {
        let tokens = read(
            r#"{"access_token":"a","token_type":"bearer","expires_in":60,"refresh_token":"r","scope":"x y"}"#,
        )
        .unwrap();
        assert!(tokens.access_token.ct_eq("a"));
        assert!(tokens.refresh_token.unwrap().ct_eq("r"));
        assert_eq!(tokens.expires_in, Some(Duration::from_secs(60)));
        assert_eq!(tokens.scope.unwrap().to_string(), "x y");
        assert_eq!(tokens.kind, TokenKind::Bearer);
        let bound = read(r#"{"access_token":"a","token_type":"dpop"}"#).unwrap();
        assert_eq!(bound.kind, TokenKind::Dpop);
        assert!(
            read(r#"{"access_token":"a","token_type":"Bearer"}"#)
                .unwrap()
                .expires_in
                .is_none()
        );
    }

    #[test]
    fn each_refusal() {
        for body in [
            "[]",
            r#"{"token_type":"Bearer"}"#,
            r#"{"access_token":"a"}"#,
            r#"{"access_token":"a","token_type":"N_A"}"#,
            r#"{"access_token":"","token_type":"Bearer"}"#,
            r#"{"access_token":"a b","token_type":"Bearer"}"#,
            r#"{"access_token":"a\r\nb","token_type":"Bearer"}"#,
            r#"{"access_token":"a","token_type":"Bearer","refresh_token":""}"#,
            r#"{"access_token":"a","token_type":"Bearer","expires_in":-1}"#,
            r#"{"access_token":"a","token_type":"Bearer","expires_in":"60"}"#,
            r#"{"access_token":"a","token_type":"Bearer","scope":"a  b"}"#,
            r#"{"access_token":"a","access_token":"b","token_type":"Bearer"}"#,
        ] {
            assert!(
                matches!(read(body), Err(ExchangeFailed::Malformed(_))),
                "{body}"
            );
        }
        let long = format!(
            r#"{{"access_token":"{}","token_type":"Bearer"}}"#,
            "a".repeat(16385)
        );
        assert!(read(&long).is_err());
    }
}
