//! From a proof that holds, each change of one thing, and the reason it is refused for.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, Method};
use serde_json::{Value, json};

use super::*;
use crate::error_code::ErrorCode;
use crate::jose::{Alg, AlgSet, BadSignature, InvalidJws, SigningKey, UnusableKey};
use crate::time::UnixSeconds;
use crate::uri::TargetUri;

const NOW: UnixSeconds = UnixSeconds(1_800_000_000);
const TOKEN: &str = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
const ATH: &str = "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo";

fn target() -> TargetUri {
    TargetUri::parse("https://rs.example/mcp").unwrap()
}

fn is_n1(nonce: &str) -> bool {
    nonce == "n1"
}

/// A proof that is changed before it is signed.
struct Draft {
    key: SigningKey,
    header: Value,
    claims: Value,
}

impl Draft {
    fn new() -> Self {
        let key = SigningKey::generate_es256().unwrap();
        let mut jwk = serde_json::to_value(key.public_jwk()).unwrap();
        jwk.as_object_mut()
            .unwrap()
            .retain(|name, _| ["kty", "crv", "x", "y"].contains(&name.as_str()));
        Self {
            header: json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk}),
            claims: json!({
                "jti": "j1", "htm": "POST", "htu": "https://rs.example/mcp", "iat": NOW.0,
                "ath": ATH, "nonce": "n1",
            }),
            key,
        }
    }

    fn proof(&self) -> String {
        self.key
            .sign_under(&self.header, self.claims.to_string().as_bytes())
            .unwrap()
    }

    fn verify(&self) -> Result<VerifiedProof, ProofRefused> {
        verify_text(&self.proof())
    }
}

fn verify_text(proof: &str) -> Result<VerifiedProof, ProofRefused> {
    let uri = target();
    let sent = Sent {
        method: &Method::POST,
        uri: &uri,
        access_token: Some(TOKEN),
        nonce: Some(&is_n1),
    };
    verify(proof, &sent, &Rules::default(), NOW)
}

fn after(change: impl FnOnce(&mut Draft)) -> Result<VerifiedProof, ProofRefused> {
    let mut draft = Draft::new();
    change(&mut draft);
    draft.verify()
}

fn refusal(change: impl FnOnce(&mut Draft)) -> ProofRefused {
    after(change).unwrap_err()
}

fn without(value: &mut Value, name: &str) {
    value.as_object_mut().unwrap().remove(name).unwrap();
}

#[test]
fn what_a_client_signs_a_server_verifies() {
    let entropy = |dest: &mut [u8]| dest.fill(7);
    let uri = target();
    for key in [
        SigningKey::generate_es256().unwrap(),
        SigningKey::generate_ed25519().unwrap(),
        SigningKey::from_pem(
            include_str!("../../../tests/vectors/keys/rsa2048.pem"),
            Alg::Ps256,
        )
        .unwrap(),
    ] {
        let proof = Proof {
            method: &Method::POST,
            uri: &uri,
            nonce: Some("n1"),
            access_token: Some(TOKEN),
        };
        let text = proof.sign(&key, NOW, &entropy).unwrap();
        let verified = verify_text(&text).unwrap();
        assert_eq!(verified.jkt(), key.kid());
        assert_eq!(verified.jti().len(), 22);
        assert_eq!(verified.iat(), NOW);
        assert_eq!(verified.check_key(key.kid()), Ok(()));
        assert_eq!(verified.check_key(ATH), Err(ProofRefused::OtherKey));
        assert!(!format!("{proof:?}").contains(TOKEN));
    }
}

#[test]
fn what_is_not_given_is_not_in_the_proof() {
    let key = SigningKey::generate_es256().unwrap();
    let text = Proof {
        method: &Method::GET,
        uri: &target(),
        nonce: None,
        access_token: None,
    }
    .sign(&key, NOW, &|dest: &mut [u8]| dest.fill(7))
    .unwrap();
    let payload = text.split('.').nth(1).unwrap();
    let claims: Value =
        serde_json::from_slice(&crate::base64url::decode(payload).unwrap()).unwrap();
    assert_eq!(
        claims,
        json!({"jti": "BwcHBwcHBwcHBwcHBwcHBw", "htm": "GET", "htu": "https://rs.example/mcp", "iat": NOW.0})
    );
}

#[test]
fn the_form_the_type_and_the_key() {
    assert!(after(|_| {}).is_ok());
    assert!(after(|d| d.header["typ"] = "application/DPoP+JWT".into()).is_ok());
    for typ in [json!("JWT"), json!("at+jwt"), json!("dpop"), json!("")] {
        assert_eq!(refusal(|d| d.header["typ"] = typ), ProofRefused::Type);
    }
    assert_eq!(
        refusal(|d| without(&mut d.header, "typ")),
        ProofRefused::Type
    );

    for alg in ["HS256", "ES384", "RS512", "es256", "x"] {
        assert_eq!(
            refusal(|d| d.header["alg"] = alg.into()),
            ProofRefused::Algorithm,
            "{alg}"
        );
    }
    let form = |change: fn(&mut Draft)| refusal(change);
    assert_eq!(
        form(|d| d.header["alg"] = "none".into()),
        ProofRefused::Form(InvalidJws::Unsigned)
    );
    assert_eq!(
        form(|d| d.header["crit"] = json!(["exp"])),
        ProofRefused::Form(InvalidJws::Critical)
    );
    assert_eq!(
        form(|d| d.header["alg"] = json!(7)),
        ProofRefused::Form(InvalidJws::Header)
    );
    assert_eq!(
        verify_text("a.b").unwrap_err(),
        ProofRefused::Form(InvalidJws::Parts)
    );

    assert_eq!(
        refusal(|d| without(&mut d.header, "jwk")),
        ProofRefused::NoKey
    );
    let key = |change: fn(&mut Value)| refusal(|d| change(&mut d.header["jwk"]));
    assert_eq!(
        key(|jwk| jwk["d"] = "AA".into()),
        ProofRefused::Key(UnusableKey::Private)
    );
    assert_eq!(
        key(|jwk| *jwk = json!({"kty": "oct", "k": "AA"})),
        ProofRefused::Key(UnusableKey::Private)
    );
    for text in [json!(null), json!("x"), json!([])] {
        assert_eq!(
            refusal(|d| d.header["jwk"] = text),
            ProofRefused::Key(UnusableKey::Malformed)
        );
    }
    assert_eq!(
        key(|jwk| jwk["y"] = jwk["x"].clone()),
        ProofRefused::Key(UnusableKey::Point)
    );
    assert_eq!(
        key(|jwk| jwk["alg"] = "EdDSA".into()),
        ProofRefused::Key(UnusableKey::Algorithm("EdDSA".into()))
    );
    // The header says RS256, but the key is a point on a curve.
    assert_eq!(
        refusal(|d| d.header["alg"] = "RS256".into()),
        ProofRefused::Key(UnusableKey::Algorithm("RS256".into()))
    );
}

#[test]
fn the_signature_is_by_the_key_in_the_header() {
    assert_eq!(
        refusal(|d| d.key = SigningKey::generate_es256().unwrap()),
        ProofRefused::Signature(BadSignature::Mismatch)
    );
    let draft = Draft::new();
    let proof = draft.proof();
    let cut = proof.get(..proof.len() - 2).unwrap();
    assert_eq!(
        verify_text(cut).unwrap_err(),
        ProofRefused::Signature(BadSignature::Length)
    );
}

#[test]
fn claims_are_all_there_and_of_their_types() {
    for name in ["jti", "htm", "htu", "iat"] {
        assert!(matches!(
            refusal(|d| without(&mut d.claims, name)),
            ProofRefused::Claims(_)
        ));
    }
    for (name, value) in [
        ("jti", json!(1)),
        ("htm", json!(null)),
        ("htu", json!(["https://rs.example/mcp"])),
        ("iat", json!("1800000000")),
        ("iat", json!(-1)),
        ("ath", json!(null)),
        ("nonce", json!(1)),
    ] {
        let refused = refusal(|d| d.claims[name] = value);
        assert!(matches!(refused, ProofRefused::Claims(_)), "{name}");
    }
    let draft = Draft::new();
    let twice = draft
        .claims
        .to_string()
        .replacen('{', "{\"htm\":\"GET\",", 1);
    let proof = draft
        .key
        .sign_under(&draft.header, twice.as_bytes())
        .unwrap();
    assert!(matches!(verify_text(&proof), Err(ProofRefused::Claims(_))));

    for jti in [String::new(), "j".repeat(MAX_JTI_BYTES + 1)] {
        assert_eq!(
            refusal(|d| d.claims["jti"] = jti.into()),
            ProofRefused::Identifier
        );
    }
    let longest = "j".repeat(MAX_JTI_BYTES);
    let verified = after(|d| d.claims["jti"] = longest.clone().into()).unwrap();
    assert_eq!(verified.jti(), longest);
}

#[test]
fn the_proof_is_for_this_request() {
    for method in ["GET", "post", "POST ", ""] {
        assert_eq!(
            refusal(|d| d.claims["htm"] = method.into()),
            ProofRefused::Method,
            "{method}"
        );
    }
    for htu in [
        "HTTPS://RS.example:443/mcp",
        "https://rs.example/mcp?x=1#y",
        "https://rs.example:/a/../%6dcp",
    ] {
        assert!(after(|d| d.claims["htu"] = htu.into()).is_ok(), "{htu}");
    }
    for htu in [
        "http://rs.example/mcp",
        "https://rs.example/mcp/",
        "https://rs.example/",
        "https://rs.example:8443/mcp",
        "https://rs.example.evil.example/mcp",
        "https://rs.example/MCP",
        "https://rs.example/m%63p%00",
        "/mcp",
        "",
    ] {
        assert_eq!(
            refusal(|d| d.claims["htu"] = htu.into()),
            ProofRefused::Uri,
            "{htu}"
        );
    }
    assert_eq!(
        refusal(|d| without(&mut d.claims, "ath")),
        ProofRefused::TokenHashMissing
    );
    assert_eq!(
        refusal(|d| d.claims["ath"] = "fUHy".into()),
        ProofRefused::TokenHash
    );
}

#[test]
fn a_nonce_that_was_given_is_demanded() {
    let missing = refusal(|d| without(&mut d.claims, "nonce"));
    let other = refusal(|d| d.claims["nonce"] = "n0".into());
    assert_eq!(
        (&missing, &other),
        (&ProofRefused::NonceMissing, &ProofRefused::Nonce)
    );
    assert_eq!(missing.code(), ErrorCode::UseDpopNonce);
    assert_eq!(other.code(), ErrorCode::UseDpopNonce);
    assert_eq!(ProofRefused::Method.code(), ErrorCode::InvalidDpopProof);

    // At a server that gives none, and at the token endpoint, neither nonce nor hash is looked at.
    let mut draft = Draft::new();
    draft.claims["nonce"] = "of another server".into();
    draft.claims["ath"] = "of another token".into();
    let uri = target();
    let sent = Sent {
        method: &Method::POST,
        uri: &uri,
        access_token: None,
        nonce: None,
    };
    assert!(verify(&draft.proof(), &sent, &Rules::default(), NOW).is_ok());
}

#[test]
fn the_window_has_two_edges() {
    let at = |iat: u64| after(|d| d.claims["iat"] = iat.into());
    let (age, ahead) = (DEFAULT_MAX_AGE.as_secs(), DEFAULT_MAX_AHEAD.as_secs());
    let oldest = at(NOW.0 - age).unwrap();
    assert_eq!(oldest.void_from(), NOW.after(Duration::from_secs(1)));
    assert!(at(NOW.0 + ahead).is_ok());
    assert_eq!(
        at(NOW.0 - age - 1).unwrap_err(),
        ProofRefused::TooOld {
            age: Duration::from_secs(age + 1)
        }
    );
    assert_eq!(
        at(NOW.0 + ahead + 1).unwrap_err(),
        ProofRefused::Ahead {
            ahead: Duration::from_secs(ahead + 1)
        }
    );
    assert!(matches!(at(0), Err(ProofRefused::TooOld { .. })));
}

#[test]
fn a_current_nonce_does_not_make_up_for_the_time() {
    let ahead = |d: &mut Draft| d.claims["iat"] = (NOW.0 + 3_600).into();
    assert!(matches!(refusal(ahead), ProofRefused::Ahead { .. }));
    let old = |d: &mut Draft| d.claims["iat"] = (NOW.0 - 3_600).into();
    assert!(matches!(refusal(old), ProofRefused::TooOld { .. }));
}

#[test]
fn more_algorithms_when_they_are_named() {
    let key = SigningKey::generate_es384().unwrap();
    let uri = target();
    let proof = Proof {
        method: &Method::POST,
        uri: &uri,
        nonce: None,
        access_token: None,
    }
    .sign(&key, NOW, &|dest: &mut [u8]| dest.fill(7))
    .unwrap();
    let sent = Sent {
        method: &Method::POST,
        uri: &uri,
        access_token: None,
        nonce: None,
    };
    let refused = verify(&proof, &sent, &Rules::default(), NOW).unwrap_err();
    assert_eq!(refused, ProofRefused::Algorithm);
    let rules = Rules {
        algorithms: AlgSet::DEFAULT.with(Alg::Es384),
        ..Rules::default()
    };
    assert!(verify(&proof, &sent, &rules, NOW).is_ok());
}

#[test]
fn there_is_one_header_or_none() {
    let mut headers = HeaderMap::new();
    assert_eq!(header(&headers), Ok(None));
    headers.insert("DPoP", HeaderValue::from_static("a.b.c"));
    assert_eq!(header(&headers), Ok(Some("a.b.c")));
    headers.append("dpop", HeaderValue::from_static("a.b.c"));
    assert_eq!(header(&headers), Err(ProofRefused::SeveralHeaders));
    headers.insert("dpop", HeaderValue::from_bytes(b"\xff").unwrap());
    assert_eq!(header(&headers), Err(ProofRefused::NotText));
}
