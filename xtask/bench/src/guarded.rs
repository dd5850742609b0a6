//! A guard as a service has it, and tokens for it.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use http::Request;
use http::request::Parts;
use oauth_rs::jose::{Alg, JwkSet};
use oauth_rs::scope::ScopeSet;
use oauth_rs::time::UnixSeconds;
use oauth_rs::uri::{Issuer, ResourceId};
use resource_guard::fetch::VerifiedTokens;
use resource_guard::{Decision, Evidence, Guard, GuardConfig, KeySnapshot, TrustedIssuer};

use crate::signature;

/// A guard that remembers tokens, and the keys of its issuer.
#[derive(Debug)]
pub struct Guarded {
    /// The guard.
    pub guard: Guard,
    /// The keys.
    pub keys: KeySnapshot,
    /// What it remembers.
    pub tokens: VerifiedTokens,
    /// The time of each decision.
    pub now: UnixSeconds,
}

impl Guarded {
    /// One issuer with one key of this algorithm.
    pub fn new(alg: Alg) -> Self {
        let issuer = Issuer::parse("https://as.example.com").unwrap();
        let resource = ResourceId::parse("https://rs.example.com/mcp").unwrap();
        let key = signature::key(alg);
        let keys = KeySnapshot::new(issuer.clone(), JwkSet::from_public([key.public_jwk()]));
        let config = GuardConfig::new(resource, TrustedIssuer::new(issuer))
            .challenge_scopes(ScopeSet::parse("tools:read").unwrap());
        let tokens = VerifiedTokens::new();
        let guard = Guard::new(config).unwrap();
        Self {
            guard: guard.remembering(Arc::new(tokens.clone())),
            keys,
            tokens,
            now: now(),
        }
    }

    /// Decides about a request whose token is good.
    pub fn grants(&self, parts: &Parts) -> bool {
        let decision = self.guard.check(parts, &Evidence::of(&self.keys), self.now);
        matches!(decision, Decision::Granted(_))
    }
}

/// An access token as our own server writes it, good for an hour; each number is another token.
pub fn token(alg: Alg, number: usize) -> String {
    let (issued, expires) = (now().0, now().0 + 3600);
    let claims = format!(
        r#"{{"iss":"https://as.example.com","sub":"3f2c9a54-7c1e-4f7a-9d0b-5f6f6f1f2a11","aud":"https://rs.example.com/mcp","exp":{expires},"iat":{issued},"jti":"kQ3Zk1u0t1mC7b{number:08}","client_id":"https://app.example.com/client.json","scope":"tools:read tools:call","grant_id":"Yw3l1cQe0yK4f0yT5m2c9Q"}}"#
    );
    let key = signature::key(alg);
    key.sign("at+jwt", claims.as_bytes()).unwrap()
}

/// A request with this token.
pub fn request(token: &str) -> Parts {
    let request = Request::get("https://rs.example.com/mcp");
    let request = request.header("authorization", format!("Bearer {token}"));
    request.body(()).unwrap().into_parts().0
}

/// The time.
pub fn now() -> UnixSeconds {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    UnixSeconds(since.as_secs())
}
