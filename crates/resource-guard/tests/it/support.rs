//! A resource, an issuer, and tokens that are valid until something is changed.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Request;
use http::request::Parts;
use oauth_rs::jose::{JwkSet, SigningKey};
use oauth_rs::scope::ScopeSet;
use oauth_rs::time::UnixSeconds;
use oauth_rs::uri::{Issuer, ResourceId};
use resource_guard::{
    Decision, Evidence, Guard, GuardConfig, KeySnapshot, Principal, Reason, Refused, ReplayWindow,
    TrustedIssuer,
};
use serde_json::{Value, json};

pub(crate) const ISSUER: &str = "https://as.example";
pub(crate) const RESOURCE: &str = "https://rs.example/mcp";
pub(crate) const METADATA: &str = "https://rs.example/.well-known/oauth-protected-resource/mcp";
/// When the requests are made; tokens are valid from 1000 to 1600.
pub(crate) const NOW: UnixSeconds = UnixSeconds(1100);

pub(crate) struct World {
    pub(crate) guard: Guard,
    pub(crate) key: SigningKey,
    pub(crate) keys: KeySnapshot,
}

pub(crate) fn issuer() -> Issuer {
    Issuer::parse(ISSUER).unwrap()
}

pub(crate) fn config() -> GuardConfig {
    let resource = ResourceId::parse(RESOURCE).unwrap();
    GuardConfig::new(resource, TrustedIssuer::new(issuer()))
        .scopes_supported(ScopeSet::parse("a b").unwrap())
        .challenge_scopes(ScopeSet::parse("a").unwrap())
}

impl World {
    pub(crate) fn new() -> Self {
        let key = SigningKey::generate_es256().unwrap();
        let keys = KeySnapshot::new(issuer(), JwkSet::from_public([key.public_jwk()]));
        let guard = Guard::new(config()).unwrap();
        Self { guard, key, keys }
    }

    /// The decision with keys as the only evidence.
    pub(crate) fn check(&self, parts: &Parts, now: UnixSeconds) -> Decision {
        self.guard.check(parts, &Evidence::of(&self.keys), now)
    }

    /// Who makes the request, its proof spent in a new window.
    pub(crate) fn principal(&self, parts: &Parts, now: UnixSeconds) -> Result<Principal, Refused> {
        let granted = self.check(parts, now).into_result()?;
        granted.spend(&ReplayWindow::new(1), now)
    }

    /// Why a request is refused.
    pub(crate) fn reason(&self, parts: &Parts) -> Reason {
        self.principal(parts, NOW).unwrap_err().reason().clone()
    }

    /// A valid token.
    pub(crate) fn token(&self) -> String {
        self.sign(&claims())
    }

    /// A token with these claims, otherwise valid.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.key
            .sign("at+jwt", claims.to_string().as_bytes())
            .unwrap()
    }
}

/// The claims of a valid token.
pub(crate) fn claims() -> Value {
    json!({
        "iss": ISSUER,
        "aud": RESOURCE,
        "sub": "user-1",
        "client_id": "client-1",
        "jti": "token-1",
        "iat": 1000,
        "exp": 1600,
        "scope": "a",
        "grant_id": "grant-1",
    })
}

/// Those claims with one of them changed, or removed by `null`.
pub(crate) fn claims_with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    let members = claims.as_object_mut().unwrap();
    if value.is_null() {
        members.remove(name).unwrap();
    } else {
        members.insert(name.to_owned(), value);
    }
    claims
}

pub(crate) fn request(token: &str) -> Parts {
    let request = Request::post(RESOURCE).header("authorization", format!("Bearer {token}"));
    request.body(()).unwrap().into_parts().0
}

/// A request with these fields.
pub(crate) fn with_fields(method: &str, uri: &str, fields: &[(&str, &str)]) -> Parts {
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
