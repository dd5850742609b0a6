//! Making tokens, and turning secrets into the names under which the store files them.

use oauth_rs::entropy::random_id;
use oauth_rs::hash::HashKey;
use oauth_rs::jose::jwt::{AccessTokenClaims, Actors, Confirmation};
use oauth_rs::jose::{AlgSet, JwkSet, Jws, typ_is};
use oauth_rs::scope::ScopeSet;
use oauth_rs::secret::Secret;
use oauth_rs::time::UnixSeconds;
use serde::Serialize;

use crate::config::Config;
use crate::decision::Present;
use crate::record::Grant;
use crate::refused::Refused;
use crate::store::{Key, Kind};

/// What the token endpoint answers.
///
/// Specification: RFC 6749 section 5.1.
#[derive(Serialize)]
pub(crate) struct TokenResponse {
    access_token: String,
    token_type: &'static str,
    expires_in: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    scope: String,
}

impl std::fmt::Debug for TokenResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenResponse")
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
impl TokenResponse {
    pub(crate) fn access_token(&self) -> &str {
        &self.access_token
    }

    pub(crate) fn refresh_token(&self) -> Option<&str> {
        self.refresh_token.as_deref()
    }

    pub(crate) fn scope(&self) -> &str {
        &self.scope
    }
}

/// What a token answer is made of.
pub(crate) struct Issue<'a> {
    pub(crate) grant_id: &'a str,
    pub(crate) grant: &'a Grant,
    pub(crate) scope: &'a ScopeSet,
    pub(crate) refresh: Option<&'a Secret>,
    /// The thumbprint of the key that the access token is bound to.
    pub(crate) jkt: Option<&'a str>,
}

/// An access token for a scope out of a grant, and what goes with it.
pub(crate) fn answer(present: &Present<'_>, issue: &Issue<'_>) -> Result<TokenResponse, Refused> {
    let Present {
        config,
        now,
        entropy,
    } = *present;
    let Issue { grant, scope, .. } = *issue;
    let expires_at = now
        .after(config.lifetimes.access_token)
        .min(grant.expires_at);
    // RFC 9449 section 6.1: the thumbprint of the key is in cnf.
    let cnf = issue.jkt.map(|jkt| Confirmation {
        jkt: Some(jkt.to_owned()),
        certificate: None,
    });
    // RFC 9449 section 5: the type says whether the token is bound.
    let token_type = if cnf.is_some() { "DPoP" } else { "Bearer" };
    // RFC 9068 section 2.2: iss, exp, aud, sub, client_id, iat and jti are REQUIRED.
    let claims = AccessTokenClaims {
        iss: config.issuer.as_str().into(),
        sub: grant.person.as_str().into(),
        aud: vec![grant.resource.as_str().into()],
        exp: expires_at,
        iat: now,
        nbf: None,
        jti: random_id(entropy).into(),
        client_id: grant.client_id.as_str().into(),
        scope: Some(scope.to_string().into()),
        grant_id: Some(issue.grant_id.into()),
        organization_id: None,
        cnf,
        act: Actors::default(),
        acr: None,
        auth_time: None,
    };
    let payload = serde_json::to_vec(&claims).map_err(|_| Refused::Signing)?;
    // RFC 9068 section 2.1: the type is at+jwt.
    let access_token = config
        .keys
        .signing
        .sign("at+jwt", &payload)
        .map_err(|_| Refused::Signing)?;
    Ok(TokenResponse {
        access_token,
        token_type,
        expires_in: expires_at.since(now).as_secs(),
        refresh_token: issue.refresh.map(|token| token.expose().to_owned()),
        scope: scope.to_string(),
    })
}

/// What an access token of this server says, if it is one and has not expired.
pub(crate) fn read(
    config: &Config,
    token: &str,
    now: UnixSeconds,
) -> Option<AccessTokenClaims<'static>> {
    let jws = Jws::parse(token).ok()?;
    if !jws
        .header()
        .typ
        .as_deref()
        .is_some_and(|typ| typ_is(typ, "at+jwt"))
    {
        return None;
    }
    let own = &config.keys.signing;
    let keys = JwkSet::from_public([own.public_jwk()]);
    let verified = jws
        .verify(keys.keys().first()?, AlgSet::NONE.with(own.alg()))
        .ok()?;
    let claims = AccessTokenClaims::parse(verified.payload()).ok()?;
    (claims.iss == config.issuer.as_str() && now < claims.exp).then(|| claims.into_owned())
}

/// The name under which a secret's record is filed.
///
/// The kind is hashed with it, so that a code is never a refresh token.
pub(crate) fn filed(hash: &HashKey, kind: Kind, secret: &str) -> Key {
    Key::new(kind, keyed(hash, kind.as_str(), &[secret]))
}

/// Until when a refresh token made at `now` is good: used within the idle time, and never past its grant.
pub(crate) fn refresh_expires_at(config: &Config, grant: &Grant, now: UnixSeconds) -> UnixSeconds {
    now.after(config.lifetimes.refresh_idle)
        .min(grant.expires_at)
}

/// The token that comes after `spent`.
///
/// It can be made again while the overlap lasts, by the server only, from the token that the client presents; the store never sees it.
pub(crate) fn successor(hash: &HashKey, spent: &str, salt: &str) -> Secret {
    Secret::new(keyed(hash, "successor", &[salt, spent]))
}

/// A keyed hash of texts for one purpose.
pub(crate) fn keyed(hash: &HashKey, purpose: &str, texts: &[&str]) -> String {
    let mut message = String::from(purpose);
    for text in texts {
        // The length keeps two lists of texts from reading the same.
        message.push_str(&format!("\n{}:{text}", text.len()));
    }
    hash.mac_base64url(message.as_bytes())
}

#[cfg(test)]
mod tests {
    use oauth_rs::hash::HashKey;

    use super::{filed, keyed, successor};
    use crate::store::Kind;

    #[test]
    fn hashes_of_different_things_differ() {
        let hash = HashKey::new([7; 32]);
        let code = filed(&hash, Kind::Code, "x");
        assert_ne!(code.id(), filed(&hash, Kind::RefreshToken, "x").id());
        assert_ne!(
            code.id(),
            filed(&HashKey::new([8; 32]), Kind::Code, "x").id()
        );
        assert_ne!(
            keyed(&hash, "p", &["ab", "c"]),
            keyed(&hash, "p", &["a", "bc"])
        );
        assert_eq!(code, filed(&hash, Kind::Code, "x"));
    }

    #[test]
    fn a_successor_depends_on_token_and_salt_and_is_as_long_as_a_random_one() {
        let hash = HashKey::new([7; 32]);
        let next = successor(&hash, "token", "salt");
        assert_eq!(next.expose().len(), 43);
        assert!(next.ct_eq(successor(&hash, "token", "salt").expose()));
        assert!(!next.ct_eq(successor(&hash, "token", "salt2").expose()));
        assert!(!next.ct_eq(successor(&hash, "token2", "salt").expose()));
    }
}
