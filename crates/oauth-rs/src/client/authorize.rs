//! The authorization request as an address, and reading what the browser brings back (RFC 9207).

use std::time::Duration;

use thiserror::Error;

use super::exchange::{ExchangeFailed, error_name};
use crate::entropy::{Entropy, random_secret};
use crate::error_code::ErrorCode;
use crate::params::{self, Params};
use crate::pkce::CodeVerifier;
use crate::scope::ScopeSet;
use crate::secret::Secret;
use crate::uri::{Issuer, RedirectUri, is_endpoint};

/// Why what the browser brought back was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CallbackRefused {
    /// The query is malformed or has a parameter twice, and our `state` is in it.
    #[error("the answer of the authorization server is malformed")]
    Malformed,
    /// `state` is missing or not the one that was sent: this is not an answer to our request.
    #[error("the answer does not belong to this sign-in (state)")]
    State,
    /// `iss` names another issuer; nothing else of the answer is shown.
    #[error("the answer comes from another authorization server (iss)")]
    Issuer,
    /// `iss` is missing although the server announces it.
    #[error("the answer does not say which authorization server it comes from (iss)")]
    IssuerMissing,
    /// The server, or the person, refused.
    #[error("sign-in was refused: {name}{}", description.as_ref().map_or(String::new(), |d| format!(" ({d:?})")))]
    Denied {
        /// The code, if it is one of the known ones.
        code: Option<ErrorCode>,
        /// The code as sent, cut to 64 characters.
        name: String,
        /// What the server says about it, cut to 300 characters.
        description: Option<String>,
    },
    /// Neither a code nor an error.
    #[error("the answer holds neither a code nor an error")]
    NoCode,
}

/// What a resource demands of the person's authentication, to be passed on as it is.
///
/// Specification: RFC 9470 sections 3 and 4.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Authentication {
    /// The authentication contexts that would do, the best first.
    pub acr_values: Vec<String>,
    /// How long ago the person may have signed in.
    pub max_age: Option<Duration>,
}

/// What has to be remembered from sending the browser away until it comes back.
#[derive(Debug, Clone)]
pub struct Pending {
    /// The value that ties the answer to this request.
    pub state: Secret,
    /// The proof for the token request.
    pub verifier: CodeVerifier,
    /// The issuer whose metadata was used.
    pub issuer: Issuer,
    /// Whether that metadata announces `iss` in the answer.
    pub iss_announced: bool,
    /// The redirect address that was sent.
    pub redirect_uri: RedirectUri,
    /// The scope that was asked for.
    pub scope: Option<ScopeSet>,
    /// How the person is to be authenticated, if a resource said so (RFC 9470).
    pub authentication: Authentication,
    /// The thumbprint of the key that the code is to be bound to, if there is one (RFC 9449 section 10).
    pub dpop_jkt: Option<String>,
}

impl Pending {
    /// Draws a fresh state and verifier for one request.
    pub fn new(
        e: &dyn Entropy,
        issuer: Issuer,
        iss_announced: bool,
        redirect_uri: RedirectUri,
        scope: Option<ScopeSet>,
    ) -> Self {
        let (state, verifier) = (random_secret(e), CodeVerifier::generate(e));
        Self {
            state,
            verifier,
            issuer,
            iss_announced,
            redirect_uri,
            scope,
            authentication: Authentication::default(),
            dpop_jkt: None,
        }
    }
}

/// The address to open in the browser.
///
/// # Errors
/// The endpoint is neither https nor loopback http.
pub fn url(
    endpoint: &str,
    client_id: &str,
    resource: &str,
    pending: &Pending,
) -> Result<String, ExchangeFailed> {
    if !is_endpoint(endpoint) {
        return Err(ExchangeFailed::Address("authorization endpoint"));
    }
    let sent = parameters(client_id, resource, pending);
    let pairs: Vec<(&str, &str)> = sent
        .iter()
        .map(|(name, text)| (*name, text.expose()))
        .collect();
    // OAuth 2.1 section 3.1: a query in the endpoint's address MUST be retained.
    let separator = if endpoint.contains('?') { "&" } else { "?" };
    Ok(format!("{endpoint}{separator}{}", params::encode(&pairs)))
}

/// What the request says, whichever way it takes.
pub(super) fn parameters(
    client_id: &str,
    resource: &str,
    pending: &Pending,
) -> Vec<(&'static str, Secret)> {
    let challenge = pending.verifier.challenge();
    let scope = pending.scope.as_ref().filter(|scope| !scope.is_empty());
    let mut sent = vec![
        ("response_type", Secret::new("code")),
        ("client_id", Secret::new(client_id)),
        ("redirect_uri", Secret::new(pending.redirect_uri.as_str())),
        ("state", pending.state.clone()),
        ("code_challenge", Secret::new(challenge.as_str())),
        // RFC 7636 section 4.2: S256 MUST be used by a client that is capable of it.
        ("code_challenge_method", Secret::new("S256")),
        // RFC 8707 section 2.1, MCP 2026-07-28: resource MUST be in the authorization request.
        ("resource", Secret::new(resource)),
    ];
    sent.extend(scope.map(|scope| ("scope", Secret::new(scope.to_string()))));
    // OpenID Connect Core section 11: servers that know offline_access ignore it unless consent is asked for.
    let is_offline = |scope: &ScopeSet| scope.iter().any(|token| token == "offline_access");
    if scope.is_some_and(is_offline) {
        sent.push(("prompt", Secret::new("consent")));
    }
    // RFC 9470 section 4: what the challenge said goes into the request.
    let Authentication {
        acr_values,
        max_age,
    } = &pending.authentication;
    if !acr_values.is_empty() {
        sent.push(("acr_values", Secret::new(acr_values.join(" "))));
    }
    let max_age = max_age.map(|age| Secret::new(age.as_secs().to_string()));
    sent.extend(max_age.map(|age| ("max_age", age)));
    let jkt = pending.dpop_jkt.as_deref();
    sent.extend(jkt.map(|jkt| ("dpop_jkt", Secret::new(jkt))));
    sent
}

/// Reads the query with which the browser came back, and returns the code.
///
/// It decides, in this order: well-formed parameters, each once; `state`; `iss`; an error; a code.
/// A malformed query without our `state` is one with a wrong `state`, since anybody may send it.
///
/// # Errors
/// The first rule that does not hold.
/// After [`CallbackRefused::State`] the true answer may still come.
pub fn response(query: &str, pending: &Pending) -> Result<Secret, CallbackRefused> {
    let params = Params::parse_query(query, &[]).map_err(|_| {
        // Our state is text that needs no decoding, so it can be looked for in what cannot be read.
        let is_ours = |piece: &str| {
            let state = piece.strip_prefix("state=");
            state.is_some_and(|state| pending.state.ct_eq(state))
        };
        if query.split('&').any(is_ours) {
            CallbackRefused::Malformed
        } else {
            CallbackRefused::State
        }
    })?;
    // RFC 6749 section 10.12: an answer without our state is not an answer to our request.
    if !params
        .get("state")
        .is_some_and(|state| pending.state.ct_eq(state))
    {
        return Err(CallbackRefused::State);
    }
    // RFC 9207 section 2.4: compare by simple string comparison, before anything else is used.
    match params.get("iss") {
        Some(iss) if iss != pending.issuer.as_str() => return Err(CallbackRefused::Issuer),
        None if pending.iss_announced => return Err(CallbackRefused::IssuerMissing),
        Some(_) | None => {}
    }
    if let Some(error) = params.get("error") {
        return Err(CallbackRefused::Denied {
            code: ErrorCode::parse(error),
            name: error_name(error),
            description: params
                .get("error_description")
                .map(|text| text.chars().take(300).collect()),
        });
    }
    params
        .get("code")
        .map(Secret::new)
        .ok_or(CallbackRefused::NoCode)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pending(iss_announced: bool) -> Pending {
        Pending::new(
            &|dest: &mut [u8]| dest.fill(0),
            Issuer::parse("https://as.example").unwrap(),
            iss_announced,
            RedirectUri::parse("http://127.0.0.1:5000/cb").unwrap(),
            Some(ScopeSet::parse("a b").unwrap()),
        )
    }

    #[test]
    fn the_address_carries_everything_once() {
        let pending = pending(true);
        let resource = "https://rs.example/mcp";
        let address = url(
            "https://as.example/authorize?tenant=1",
            "c",
            resource,
            &pending,
        )
        .unwrap();
        let query = address
            .strip_prefix("https://as.example/authorize?")
            .unwrap();
        let params = Params::parse_query(query, &[]).unwrap();
        for (name, value) in [
            ("tenant", "1"),
            ("response_type", "code"),
            ("client_id", "c"),
            ("redirect_uri", "http://127.0.0.1:5000/cb"),
            ("state", pending.state.expose()),
            ("code_challenge", pending.verifier.challenge().as_str()),
            ("code_challenge_method", "S256"),
            ("resource", resource),
            ("scope", "a b"),
        ] {
            assert_eq!(params.get(name), Some(value), "{name}");
        }
        assert!(url("javascript:x", "c", resource, &pending).is_err());
        assert_eq!(params.get("prompt"), None);
        let offline = Pending {
            scope: Some(ScopeSet::parse("a offline_access").unwrap()),
            ..pending.clone()
        };
        let address = url("https://as.example/a", "c", resource, &offline).unwrap();
        assert!(address.ends_with("&scope=a+offline_access&prompt=consent"));
        for scope in [None, Some(ScopeSet::empty())] {
            let without = Pending {
                scope,
                ..pending.clone()
            };
            let address = url("https://as.example/a", "c", resource, &without).unwrap();
            assert!(!address.contains("scope"));
        }
    }

    #[test]
    fn the_table_of_rfc_9207() {
        let state = pending(true).state.expose().to_owned();
        let same = "iss=https%3A%2F%2Fas.example";
        for (announced, iss, expected) in [
            (true, same, None),
            (false, same, None),
            (false, "", None),
            (true, "", Some(CallbackRefused::IssuerMissing)),
            (
                true,
                "iss=https%3A%2F%2Fevil.example",
                Some(CallbackRefused::Issuer),
            ),
            (
                false,
                "iss=https%3A%2F%2Fevil.example",
                Some(CallbackRefused::Issuer),
            ),
            (
                true,
                "iss=https%3A%2F%2Fas.example%2F",
                Some(CallbackRefused::Issuer),
            ),
            (
                true,
                "iss=https%3A%2F%2FAS.example",
                Some(CallbackRefused::Issuer),
            ),
            (
                true,
                "iss=https%3A%2F%2Fas.example%3A443",
                Some(CallbackRefused::Issuer),
            ),
        ] {
            let query = format!("code=x&state={state}&{iss}");
            let read = response(&query, &pending(announced));
            assert_eq!(read.err(), expected, "{announced} {iss}");
        }
    }

    #[test]
    fn each_refusal_and_its_order() {
        let state = pending(true).state.expose().to_owned();
        let read = |query: &str| response(query, &pending(false)).unwrap_err();
        assert_eq!(read("code=x"), CallbackRefused::State);
        assert_eq!(read("code=x&state=other"), CallbackRefused::State);
        for malformed in ["code=x&code=y", "code=%", "state=a&state=b"] {
            assert_eq!(read(malformed), CallbackRefused::State, "{malformed}");
            let ours = format!("{malformed}&state={state}");
            assert_eq!(read(&ours), CallbackRefused::Malformed, "{malformed}");
        }
        let commands = read(&format!("state={state}&error=%1B%5B2J"));
        assert_eq!(commands.to_string(), "sign-in was refused: ?[2J");
        assert_eq!(read(&format!("state={state}")), CallbackRefused::NoCode);
        let denied = read(&format!(
            "state={state}&error=access_denied&error_description=no"
        ));
        assert_eq!(
            denied,
            CallbackRefused::Denied {
                code: Some(ErrorCode::AccessDenied),
                name: "access_denied".into(),
                description: Some("no".into()),
            }
        );
        // On a wrong issuer nothing of the error is shown.
        let mixed = read(&format!(
            "state={state}&error=access_denied&iss=https%3A%2F%2Fevil.example"
        ));
        assert_eq!(mixed, CallbackRefused::Issuer);
        assert!(!mixed.to_string().contains("access_denied"));
    }
}
