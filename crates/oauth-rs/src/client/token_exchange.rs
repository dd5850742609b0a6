//! One token in exchange for another (RFC 8693).

use std::time::Duration;

use http::{Request, Response, StatusCode};
use serde::Deserialize;

use super::auth::Caller;
use super::exchange::{self, ExchangeFailed};
use super::token::{TokenKind, is_token, lifetime};
use crate::scope::ScopeSet;
use crate::secret::Secret;

/// The name of the grant.
pub const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

macro_rules! types {
    ($($variant:ident, $name:literal, $doc:literal;)*) => {
        /// What a token is (RFC 8693 section 3, and ID-JAG).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum TokenType { $(#[doc = $doc] $variant,)* }

        impl TokenType {
            /// The name on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => concat!("urn:ietf:params:oauth:token-type:", $name),)* }
            }

            /// Finds a type by its name on the wire, compared exactly.
            pub fn parse(name: &str) -> Option<Self> {
                [$(Self::$variant),*].into_iter().find(|kind| kind.as_str() == name)
            }
        }
    };
}

types! {
    AccessToken, "access_token", "An OAuth access token of the server that is asked.";
    RefreshToken, "refresh_token", "A refresh token of the server that is asked.";
    IdToken, "id_token", "An ID token of OpenID Connect.";
    Saml1, "saml1", "A SAML 1.1 assertion.";
    Saml2, "saml2", "A SAML 2.0 assertion.";
    Jwt, "jwt", "A JWT, whatever it is for.";
    IdJag, "id-jag", "An identity assertion for the authorization server of another domain.";
}

/// A token and what it is.
#[derive(Debug, Clone, Copy)]
pub struct Typed<'a> {
    /// The token.
    pub token: &'a Secret,
    /// What it is.
    pub kind: TokenType,
}

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Whom the new token is about.
    pub subject: Typed<'a>,
    /// Who acts for them, if that is somebody else.
    pub actor: Option<Typed<'a>>,
    /// What the new token shall be; the server chooses if this says nothing.
    pub requested: Option<TokenType>,
    /// The names of those that the new token is for.
    pub audiences: &'a [&'a str],
    /// The addresses of those that the new token is for.
    pub resources: &'a [&'a str],
    /// What it shall allow.
    pub scope: Option<&'a ScopeSet>,
}

/// The token that a server issued.
#[derive(Debug, Clone)]
pub struct Exchanged {
    /// The token, whatever it is.
    pub token: Secret,
    /// What it is.
    pub issued: TokenType,
    /// How it is presented to a resource; none if it is no access token (`N_A`).
    pub kind: Option<TokenKind>,
    /// How long it lives.
    pub expires_in: Option<Duration>,
    /// What it allows, if that differs from what was asked.
    pub scope: Option<ScopeSet>,
    /// A refresh token, which is rare.
    pub refresh_token: Option<Secret>,
}

/// Asks for the exchange.
///
/// # Errors
/// The endpoint is neither https nor loopback http, or the client cannot authenticate.
pub fn request(
    endpoint: &str,
    caller: &Caller<'_>,
    wanted: &Wanted<'_>,
) -> Result<Request<Vec<u8>>, ExchangeFailed> {
    let mut pairs = vec![
        ("grant_type", GRANT_TYPE),
        ("subject_token", wanted.subject.token.expose()),
        ("subject_token_type", wanted.subject.kind.as_str()),
    ];
    // RFC 8693 section 2.1: an actor's token and its type go together.
    if let Some(actor) = wanted.actor {
        pairs.push(("actor_token", actor.token.expose()));
        pairs.push(("actor_token_type", actor.kind.as_str()));
    }
    pairs.extend(
        wanted
            .requested
            .map(|kind| ("requested_token_type", kind.as_str())),
    );
    // RFC 8693 section 2.1: both may be there several times.
    pairs.extend(
        wanted
            .audiences
            .iter()
            .map(|audience| ("audience", *audience)),
    );
    pairs.extend(
        wanted
            .resources
            .iter()
            .map(|resource| ("resource", *resource)),
    );
    let scope = exchange::scope_text(wanted.scope);
    pairs.extend(scope.as_deref().map(|scope| ("scope", scope)));
    caller.post("token endpoint", endpoint, &pairs)
}

/// Reads the new token.
///
/// It decides, in this order: length and status; a well-formed object; the type of the token is known
/// and the one that was asked for; an access token says how it is presented, another may say that it
/// is none; tokens are visible ASCII and not too long; the scope is well-formed.
///
/// Does not check: the token itself, which is for others to read.
///
/// # Errors
/// The first rule that does not hold.
pub fn response(
    response: &Response<Vec<u8>>,
    requested: Option<TokenType>,
) -> Result<Exchanged, ExchangeFailed> {
    #[derive(Deserialize)]
    struct Sent {
        access_token: String,
        issued_token_type: String,
        token_type: String,
        expires_in: Option<f64>,
        scope: Option<String>,
        refresh_token: Option<String>,
    }
    let sent: Sent = exchange::read(response, &[StatusCode::OK], "token exchange response")?;
    let issued = TokenType::parse(&sent.issued_token_type).ok_or(ExchangeFailed::Malformed(
        "issued_token_type is not a known type",
    ))?;
    if requested.is_some_and(|wanted| wanted != issued) {
        return Err(ExchangeFailed::Malformed(
            "issued_token_type is not the type that was asked for",
        ));
    }
    let kind = TokenKind::parse(&sent.token_type);
    // RFC 8693 section 2.2.1: N_A if the token is not usable as an access token.
    let names_none = sent.token_type.eq_ignore_ascii_case("N_A");
    let fits = match issued {
        TokenType::AccessToken => kind.is_some(),
        TokenType::IdJag | TokenType::RefreshToken | TokenType::IdToken => names_none,
        TokenType::Jwt | TokenType::Saml1 | TokenType::Saml2 => kind.is_some() || names_none,
    };
    if !fits {
        return Err(ExchangeFailed::Malformed(
            "token_type does not go with issued_token_type",
        ));
    }
    let refresh_token = sent.refresh_token.as_deref();
    if !is_token(&sent.access_token) || refresh_token.is_some_and(|token| !is_token(token)) {
        return Err(ExchangeFailed::Malformed(
            "a token holds characters that no token has",
        ));
    }
    let scope = sent.scope.as_deref().map(ScopeSet::parse).transpose();
    Ok(Exchanged {
        token: Secret::new(sent.access_token),
        issued,
        kind,
        expires_in: lifetime(sent.expires_in)?,
        scope: scope.map_err(|_| ExchangeFailed::Malformed("scope"))?,
        refresh_token: sent.refresh_token.map(Secret::new),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Client;
    use crate::client::auth::tests::{caller, issuer};
    use crate::params::Params;

    #[test]
    fn what_is_sent() {
        let (subject, actor) = (Secret::new("sub"), Secret::new("act"));
        let mut wanted = Wanted {
            subject: Typed {
                token: &subject,
                kind: TokenType::AccessToken,
            },
            actor: None,
            requested: None,
            audiences: &[],
            resources: &[],
            scope: None,
        };
        let sent = |wanted: &Wanted<'_>| {
            let client = Client::public("c");
            let issuer = issuer();
            let caller = caller(&client, &issuer);
            let request = request("https://as.example/token", &caller, wanted).unwrap();
            Params::parse_form(request.body(), &["audience", "resource"]).unwrap()
        };
        let least = sent(&wanted);
        assert_eq!(least.get("grant_type"), Some(GRANT_TYPE));
        assert_eq!(least.get("subject_token"), Some("sub"));
        let access = "urn:ietf:params:oauth:token-type:access_token";
        assert_eq!(least.get("subject_token_type"), Some(access));
        assert_eq!(least.iter().count(), 4);
        let scope = ScopeSet::parse("a b").unwrap();
        wanted.actor = Some(Typed {
            token: &actor,
            kind: TokenType::Jwt,
        });
        wanted.requested = Some(TokenType::AccessToken);
        wanted.audiences = &["one", "two"];
        wanted.resources = &["https://a.example", "https://b.example"];
        wanted.scope = Some(&scope);
        let most = sent(&wanted);
        let jwt = "urn:ietf:params:oauth:token-type:jwt";
        for (name, value) in [
            ("actor_token", "act"),
            ("actor_token_type", jwt),
            ("requested_token_type", access),
            ("scope", "a b"),
        ] {
            assert_eq!(most.get(name), Some(value), "{name}");
        }
        assert_eq!(most.all("audience").collect::<Vec<_>>(), ["one", "two"]);
        assert_eq!(most.all("resource").count(), 2);
    }

    fn read(
        issued: &str,
        token_type: &str,
        requested: Option<TokenType>,
    ) -> Result<Exchanged, ExchangeFailed> {
        let body = format!(
            r#"{{"access_token":"t","token_type":"{token_type}","expires_in":60,
                "issued_token_type":"urn:ietf:params:oauth:token-type:{issued}"}}"#
        );
        response(&Response::new(body.into_bytes()), requested)
    }

    #[test]
    fn which_types_go_together() {
        use TokenType::{AccessToken, IdJag, Jwt};
        for (issued, token_type, requested, good) in [
            ("access_token", "Bearer", None, true),
            ("access_token", "dpop", Some(AccessToken), true),
            ("access_token", "N_A", None, false),
            ("access_token", "mac", None, false),
            ("id-jag", "N_A", Some(IdJag), true),
            ("id-jag", "n_a", Some(IdJag), true),
            ("id-jag", "Bearer", Some(IdJag), false),
            ("jwt", "Bearer", Some(Jwt), true),
            ("jwt", "N_A", None, true),
            ("jwt", "N_A", Some(IdJag), false),
            ("refresh_token", "Bearer", None, false),
            ("new", "N_A", None, false),
        ] {
            let read = read(issued, token_type, requested);
            assert_eq!(read.is_ok(), good, "{issued} {token_type} {requested:?}");
        }
        let bound = read("access_token", "DPoP", None).unwrap();
        assert_eq!(bound.kind, Some(TokenKind::Dpop));
        let assertion = read("id-jag", "N_A", None).unwrap();
        assert_eq!((assertion.kind, assertion.issued), (None, IdJag));
        assert_eq!(assertion.expires_in, Some(Duration::from_secs(60)));
    }

    #[test]
    fn each_refusal() {
        let good = r#"{"access_token":"t","token_type":"Bearer","issued_token_type":"urn:ietf:params:oauth:token-type:access_token","refresh_token":"r","scope":"a","expires_in":1}"#;
        assert!(response(&Response::new(good.into()), None).is_ok());
        for (from, to) in [
            (r#""access_token":"t","#, ""),
            (r#""access_token":"t""#, r#""access_token":"a b""#),
            (r#""refresh_token":"r""#, r#""refresh_token":"""#),
            (r#""issued_token_type":"#, r#""issued":"#),
            (r#""token_type":"Bearer""#, r#""token_type":7"#),
            (r#""scope":"a""#, r#""scope":"a  b""#),
            (r#""expires_in":1"#, r#""expires_in":-1"#),
        ] {
            let bad = good.replace(from, to);
            assert_ne!(bad, good);
            let refused = response(&Response::new(bad.clone().into_bytes()), None);
            assert!(
                matches!(refused, Err(ExchangeFailed::Malformed(_))),
                "{bad}"
            );
        }
    }

    #[test]
    fn names_lead_back() {
        for kind in [
            TokenType::AccessToken,
            TokenType::RefreshToken,
            TokenType::IdToken,
            TokenType::Saml1,
            TokenType::Saml2,
            TokenType::Jwt,
            TokenType::IdJag,
        ] {
            assert_eq!(TokenType::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(TokenType::parse("access_token"), None);
    }
}
