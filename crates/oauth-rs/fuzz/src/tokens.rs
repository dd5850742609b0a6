//! Keys, signed tokens, and what is in them.

use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Method;
use oauth_rs::introspection::{Introspection, MAX_INTROSPECTION_BYTES};
use oauth_rs::jose::assertion::{MAX_JTI_BYTES, Received};
use oauth_rs::jose::dpop::{self, Sent};
use oauth_rs::jose::jwt::AccessTokenClaims;
use oauth_rs::jose::{
    Alg, AlgSet, JwkSet, Jws, MAX_JWK_SET_BYTES, MAX_KEYS, PublicJwk, SigningKey, VerifyingKey,
    assertion as client,
};
use oauth_rs::time::UnixSeconds;
use oauth_rs::uri::{Issuer, TargetUri};
use serde_json::Value;

use super::names::each_once;

/// When everything here happens.
const NOW: UnixSeconds = UnixSeconds(1_700_000_000);

/// A key that everybody knows, and what verifies its signatures.
fn keys() -> &'static (SigningKey, JwkSet) {
    static KEYS: OnceLock<(SigningKey, JwkSet)> = OnceLock::new();
    KEYS.get_or_init(|| {
        let text = include_str!("../../tests/vectors/keys/ed25519.pem");
        let key = SigningKey::from_pem(text, Alg::EdDsa).expect("a key");
        let set = JwkSet::from_public([key.public_jwk()]);
        (key, set)
    })
}

/// Signed tokens: in one spelling each, and nothing verifies but what was signed, to the byte.
pub fn jws(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(read) = Jws::parse(text)
    {
        let parts: Vec<&str> = text.split('.').collect();
        assert_eq!(parts.len(), 3);
        for part in &parts {
            let bytes = URL_SAFE_NO_PAD
                .decode(part)
                .expect("base64url without padding");
            assert_eq!(URL_SAFE_NO_PAD.encode(bytes), *part);
        }
        let header = URL_SAFE_NO_PAD.decode(parts[0]).expect("base64url");
        if let Some(header) = other(&header) {
            let alg = header.get("alg").and_then(Value::as_str);
            assert_eq!(alg.and_then(Alg::parse), read.header().alg());
            assert!(alg == Some(read.header().alg_name()) || alg == Some("Ed25519"));
            assert!(header.get("crit").is_none() && header.get("b64").is_none());
        }
    }
    // What is given is a token with two changes: where, and by how much.
    let [at, by, payload @ ..] = data else {
        return;
    };
    let (key, set) = keys();
    let Ok(token) = key.sign("at+jwt", payload) else {
        return;
    };
    let verify = |token: &str| {
        let jws = Jws::parse(token).ok()?;
        let verified = jws.verify(set.keys().first()?, AlgSet::DEFAULT).ok()?;
        Some(verified.payload().to_vec())
    };
    assert_eq!(verify(&token).as_deref(), Some(payload));
    let mut changed = token.clone().into_bytes();
    let at = usize::from(*at).wrapping_mul(7) % changed.len();
    changed[at] = changed[at].wrapping_add(*by) & 0x7f;
    let changed = String::from_utf8(changed).expect("ASCII");
    assert_eq!(verify(&changed).is_some(), changed == token);
}

/// One public key: nothing private is read, and what is read is written and read as the same.
pub fn jwk(data: &[u8]) {
    let Ok(read) = PublicJwk::parse(data) else {
        return;
    };
    let Some(value) = other(data) else {
        return;
    };
    for name in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
        assert!(value.get(name).is_none(), "{name}");
    }
    let written = serde_json::to_vec(&read).expect("what was read can be written");
    let again = PublicJwk::parse(&written).expect("what was written is read");
    assert_eq!(again.thumbprint(), read.thumbprint());
    assert_eq!((again.kid(), again.alg()), (read.kid(), read.alg()));
    assert_eq!(serde_json::to_vec(&again).expect("JSON"), written);
    if let Ok(key) = VerifyingKey::new(&read) {
        assert_eq!((key.kid(), key.alg()), (read.kid(), read.alg()));
    }
}

/// Sets of keys: bounded, each key used or left out with a reason, and each one that is used is found.
pub fn jwk_set(data: &[u8]) {
    let Ok(read) = JwkSet::parse(data) else {
        return;
    };
    assert!(data.len() <= MAX_JWK_SET_BYTES);
    let Some(value) = other(data) else {
        return;
    };
    let count = value
        .get("keys")
        .and_then(Value::as_array)
        .map_or(0, Vec::len);
    assert!(count <= MAX_KEYS);
    assert_eq!(read.keys().len() + read.skipped().len(), count);
    for skipped in read.skipped() {
        assert!(skipped.index < count && !skipped.reason.to_string().is_empty());
    }
    for key in read.keys() {
        assert!(read.find(key.kid(), key.alg()).count() >= 1);
        assert!(read.find(None, key.alg()).count() >= 1);
        assert!(key.kid().is_none_or(|kid| read.has_kid(kid)));
    }
}

/// The claims of an access token: bound to something that can be checked or to nothing, and what is read is
/// written and read as the same.
pub fn jwt_claims(data: &[u8]) {
    let Ok(read) = AccessTokenClaims::parse(data) else {
        return;
    };
    let Some(value) = other(data) else {
        return;
    };
    assert_eq!(
        read.cnf.is_some(),
        value.get("cnf").is_some_and(Value::is_object)
    );
    assert!(
        read.cnf
            .as_ref()
            .is_none_or(|cnf| cnf.jkt.is_some() || cnf.certificate.is_some())
    );
    assert_eq!(read.act.is_empty(), value.get("act").is_none());
    assert_eq!(value.get("iss").and_then(Value::as_str), Some(&*read.iss));
    let written = serde_json::to_vec(&read).expect("what was read can be written");
    assert_eq!(
        AccessTokenClaims::parse(&written).ok().as_ref(),
        Some(&read)
    );
}

/// Introspection answers: a token is active only if that is said, and bounded like any document.
pub fn introspection(data: &[u8]) {
    let Ok(read) = Introspection::parse(data) else {
        return;
    };
    assert!(data.len() <= MAX_INTROSPECTION_BYTES);
    let Some(value) = other(data) else {
        return;
    };
    let Introspection::Active(token) = read else {
        assert_ne!(value.get("active"), Some(&Value::Bool(true)));
        return;
    };
    assert_eq!(value.get("active"), Some(&Value::Bool(true)));
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    assert_eq!(text("sub"), token.sub.as_deref());
    assert_eq!(text("token_type"), token.token_type.as_deref());
    assert_eq!(
        token.cnf.is_some(),
        value.get("cnf").is_some_and(Value::is_object)
    );
    assert_eq!(
        token.aud.is_empty(),
        value
            .get("aud")
            .is_none_or(|aud| *aud == Value::Array(Vec::new()))
    );
}

/// DPoP proofs: whatever claims are signed, those of a proof that holds are about this request and this moment.
pub fn dpop_proof(data: &[u8]) {
    const TOKEN: &str = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
    let uri = TargetUri::parse("https://rs.example/mcp").expect("an address");
    let is_current = |nonce: &str| nonce == "n1";
    let nonce: &dyn Fn(&str) -> bool = &is_current;
    // What is no JSON is a proof as it came over the wire.
    let (key, _) = keys();
    let signed = if data.first() == Some(&b'{') {
        key.sign_with_jwk("dpop+jwt", data).ok()
    } else {
        std::str::from_utf8(data).ok().map(str::to_owned)
    };
    let Some(proof) = signed else {
        return;
    };
    for nonce in [None, Some(nonce)] {
        let sent = Sent {
            method: &Method::POST,
            uri: &uri,
            access_token: Some(TOKEN),
            nonce,
        };
        let Ok(verified) = dpop::verify(&proof, &sent, &dpop::Rules::default(), NOW) else {
            continue;
        };
        assert!((1..=dpop::MAX_JTI_BYTES).contains(&verified.jti().len()));
        assert!(verified.check_key(verified.jkt()).is_ok());
        assert!(verified.void_from() > NOW);
        let Some(claims) = claims_of(&proof) else {
            continue;
        };
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        assert_eq!(text("htm"), Some("POST"));
        assert_eq!(text("jti"), Some(verified.jti()));
        assert_eq!(
            text("ath"),
            Some(oauth_rs::hash::sha256_base64url(TOKEN.as_bytes()).as_str())
        );
        assert_eq!(
            TargetUri::parse(text("htu").unwrap_or_default()),
            Ok(uri.clone())
        );
        assert!(nonce.is_none() || text("nonce") == Some("n1"));
        if data.first() == Some(&b'{') {
            assert_eq!(verified.jkt(), key.public_jwk().thumbprint());
        }
    }
}

/// Client assertions: whatever claims are signed, one that holds is for this server alone and for a short while.
pub fn assertion(data: &[u8]) {
    let server = Issuer::parse("https://as.example").expect("an issuer");
    let (key, set) = keys();
    let signed = if data.first() == Some(&b'{') {
        key.sign("client-authentication+jwt", data).ok()
    } else {
        std::str::from_utf8(data).ok().map(str::to_owned)
    };
    let Some(text) = signed else {
        return;
    };
    let Ok(received) = Received::parse(&text) else {
        return;
    };
    let rules = client::Rules::new(&server);
    let Ok(verified) = received.verify(set, &rules, NOW) else {
        return;
    };
    assert_eq!(verified.client_id(), received.client_id());
    assert!((1..=MAX_JTI_BYTES).contains(&verified.jti().len()));
    assert!(verified.void_from() > NOW);
    assert!(
        verified.void_from()
            <= NOW
                .after(rules.max_lifetime)
                .after(rules.skew)
                .after(rules.skew)
    );
    let Some(claims) = claims_of(&text) else {
        return;
    };
    let claim = |name: &str| claims.get(name).and_then(Value::as_str);
    assert_eq!(
        (claim("iss"), claim("sub")),
        (Some(verified.client_id()), Some(verified.client_id()))
    );
    let audience = claims.get("aud").map(|aud| match aud {
        Value::Array(list) => list.clone(),
        one => vec![one.clone()],
    });
    assert_eq!(audience, Some(vec![Value::from("https://as.example")]));
}

/// What another reader sees; nothing, if what is only looked past here cannot be read there: half a pair of
/// surrogates, a number beyond all bounds.
fn other(data: &[u8]) -> Option<Value> {
    assert!(std::str::from_utf8(data).is_ok());
    each_once(data);
    serde_json::from_slice(data).ok()
}

fn claims_of(token: &str) -> Option<Value> {
    let payload = token.split('.').nth(1).unwrap_or_default();
    other(&URL_SAFE_NO_PAD.decode(payload).expect("base64url"))
}
