//! A stand-in for an authorization server: a key, and tokens that are signed with it.

use std::time::Duration;

use oauth_rs::jose::jwt::{AccessTokenClaims, Actors};
use oauth_rs::jose::{JwkSet, SigningKey};
use oauth_rs::time::UnixSeconds;
use oauth_rs::uri::Issuer;
use resource_guard::KeySnapshot;

/// Who issues the tokens of this example.
pub(crate) struct Mint {
    pub(crate) issuer: Issuer,
    key: SigningKey,
}

impl Mint {
    /// A new key, so that no token of an earlier run is good.
    pub(crate) fn new() -> Self {
        Self {
            issuer: Issuer::parse("https://issuer.example").unwrap(),
            key: SigningKey::generate_es256().unwrap(),
        }
    }

    /// What a guard needs to verify the tokens: the public half.
    pub(crate) fn keys(&self) -> KeySnapshot {
        let keys = JwkSet::from_public([self.key.public_jwk()]);
        KeySnapshot::new(self.issuer.clone(), keys)
    }

    /// A token of Ada's that is void from `expires` on.
    // RFC 9068 section 2: type `at+jwt`, and these claims.
    pub(crate) fn token(&self, audience: &str, scope: &str, expires: UnixSeconds) -> String {
        let claims = AccessTokenClaims {
            iss: self.issuer.as_str().into(),
            sub: "ada".into(),
            aud: vec![audience.into()],
            exp: expires,
            iat: UnixSeconds(expires.0 - LIFETIME.as_secs()),
            nbf: None,
            // A real issuer draws it at random, so that a token can be revoked by it.
            jti: "by-hand".into(),
            client_id: "curl".into(),
            scope: Some(scope.into()),
            grant_id: None,
            organization_id: None,
            cnf: None,
            act: Actors::default(),
            acr: None,
            auth_time: None,
        };
        let payload = serde_json::to_vec(&claims).unwrap();
        self.key.sign("at+jwt", &payload).unwrap()
    }
}

/// How long a token is good; time to try every line by hand.
pub(crate) const LIFETIME: Duration = Duration::from_secs(60 * 60);
