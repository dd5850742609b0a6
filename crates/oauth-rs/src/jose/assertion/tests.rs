//! From an assertion that holds, each change of one thing, and the reason it is refused for.

use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::error_code::ErrorCode;
use crate::jose::{Alg, AlgSet, BadSignature, InvalidJws, JwkSet, Jws, SigningKey};
use crate::time::UnixSeconds;
use crate::uri::Issuer;

const NOW: UnixSeconds = UnixSeconds(1_800_000_000);
const SERVER: &str = "https://as.example";
const ENDPOINT: &str = "https://as.example/token";

fn server() -> Issuer {
    Issuer::parse(SERVER).unwrap()
}

/// An assertion that is changed before it is signed.
struct Draft {
    key: SigningKey,
    header: Value,
    claims: Value,
}

impl Draft {
    fn new() -> Self {
        let key = SigningKey::generate_es256().unwrap();
        Self {
            header: json!({"typ": TYP, "alg": "ES256", "kid": key.kid()}),
            claims: json!({
                "iss": "c1", "sub": "c1", "aud": SERVER, "jti": "j1",
                "exp": NOW.0 + 60, "iat": NOW.0, "nbf": NOW.0,
            }),
            key,
        }
    }
}

fn after(change: impl FnOnce(&mut Draft)) -> Result<VerifiedAssertion, AssertionRefused> {
    verified_by(&Rules::new(&server()), change)
}

fn verified_by(
    rules: &Rules<'_>,
    change: impl FnOnce(&mut Draft),
) -> Result<VerifiedAssertion, AssertionRefused> {
    let mut draft = Draft::new();
    let keys = JwkSet::from_public([draft.key.public_jwk()]);
    change(&mut draft);
    let text = draft
        .key
        .sign_under(&draft.header, draft.claims.to_string().as_bytes())
        .unwrap();
    Received::parse(&text)?.verify(&keys, rules, NOW)
}

fn refusal(change: impl FnOnce(&mut Draft)) -> AssertionRefused {
    after(change).unwrap_err()
}

fn without(value: &mut Value, name: &str) {
    value.as_object_mut().unwrap().remove(name).unwrap();
}

#[test]
fn what_a_client_signs_a_server_verifies() {
    let rsa = include_str!("../../../tests/vectors/keys/rsa2048.pem");
    for key in [
        SigningKey::generate_es256().unwrap(),
        SigningKey::generate_ed25519().unwrap(),
        SigningKey::from_pem(rsa, Alg::Rs256).unwrap(),
    ] {
        let text = ClientAssertion {
            client_id: "https://app.example/client.json",
            server: &server(),
        }
        .sign(&key, NOW, &|dest: &mut [u8]| dest.fill(7))
        .unwrap();
        let received = Received::parse(&text).unwrap();
        assert_eq!(received.client_id(), "https://app.example/client.json");
        let jws = Jws::parse(&text).unwrap();
        assert_eq!(jws.header().typ.as_deref(), Some(TYP));
        let claims: Value = serde_json::from_slice(jws.unverified_payload()).unwrap();
        assert_eq!(
            claims,
            json!({
                "iss": "https://app.example/client.json",
                "sub": "https://app.example/client.json",
                "aud": SERVER, "exp": NOW.0 + 60, "iat": NOW.0, "jti": "BwcHBwcHBwcHBwcHBwcHBw",
            })
        );
        let shown = format!("{received:?}");
        assert!(
            shown.contains("client.json") && !shown.contains("BwcH"),
            "{shown}"
        );
        let keys = JwkSet::from_public([key.public_jwk()]);
        let verified = received.verify(&keys, &Rules::new(&server()), NOW).unwrap();
        assert_eq!(verified.client_id(), "https://app.example/client.json");
        assert_eq!(verified.jti(), "BwcHBwcHBwcHBwcHBwcHBw");
        let exp = NOW.after(LIFETIME);
        assert_eq!(verified.void_from(), exp.after(SKEW));
        let late = received.verify(&keys, &Rules::new(&server()), verified.void_from());
        assert_eq!(late, Err(AssertionRefused::Expired { ago: SKEW }));
        assert_eq!(late.unwrap_err().code(), ErrorCode::InvalidClient);
    }
}

#[test]
fn the_form_and_the_type() {
    assert!(after(|_| {}).is_ok());
    assert!(after(|d| without(&mut d.header, "typ")).is_ok());
    for typ in ["JWT", "jwt", "application/client-authentication+jwt"] {
        assert!(after(|d| d.header["typ"] = typ.into()).is_ok(), "{typ}");
    }
    for typ in ["at+jwt", "dpop+jwt", "oauth-id-jag+jwt", ""] {
        assert_eq!(
            refusal(|d| d.header["typ"] = typ.into()),
            AssertionRefused::Type,
            "{typ}"
        );
    }
    assert_eq!(
        refusal(|d| d.header["alg"] = "none".into()),
        AssertionRefused::Form(InvalidJws::Unsigned)
    );
    assert_eq!(
        refusal(|d| d.header["crit"] = json!(["exp"])),
        AssertionRefused::Form(InvalidJws::Critical)
    );
}

#[test]
fn claims_are_there_and_of_their_types() {
    for name in ["iss", "sub", "aud", "exp", "jti"] {
        assert!(matches!(
            refusal(|d| without(&mut d.claims, name)),
            AssertionRefused::Claims(_)
        ));
    }
    for name in ["iat", "nbf"] {
        assert!(after(|d| without(&mut d.claims, name)).is_ok(), "{name}");
    }
    for (name, value) in [
        ("iss", json!(["c1"])),
        ("aud", json!(null)),
        ("aud", json!([])),
        ("exp", json!("1800000060")),
        ("exp", json!(1e300)),
        ("iat", json!(null)),
        ("nbf", json!(-1)),
        ("jti", json!(7)),
    ] {
        let refused = refusal(|d| d.claims[name] = value);
        assert!(matches!(refused, AssertionRefused::Claims(_)), "{name}");
    }
    assert_eq!(
        refusal(|d| d.claims["iss"] = "c2".into()),
        AssertionRefused::Client
    );
    assert_eq!(
        refusal(|d| d.claims["sub"] = "c2".into()),
        AssertionRefused::Client
    );
    let nobody = |d: &mut Draft| {
        d.claims["iss"] = "".into();
        d.claims["sub"] = "".into();
    };
    assert_eq!(refusal(nobody), AssertionRefused::Client);
    for jti in [String::new(), "j".repeat(MAX_JTI_BYTES + 1)] {
        assert_eq!(
            refusal(|d| d.claims["jti"] = jti.into()),
            AssertionRefused::Identifier
        );
    }
}

#[test]
fn the_signature_is_by_a_key_of_the_client() {
    assert!(after(|d| without(&mut d.header, "kid")).is_ok());
    assert_eq!(
        refusal(|d| d.header["kid"] = "other".into()),
        AssertionRefused::UnknownKey
    );
    assert_eq!(
        refusal(|d| d.header["alg"] = "RS256".into()),
        AssertionRefused::UnknownKey
    );
    for alg in ["HS256", "ES384", "x"] {
        assert_eq!(
            refusal(|d| d.header["alg"] = alg.into()),
            AssertionRefused::Algorithm,
            "{alg}"
        );
    }
    let other = |d: &mut Draft| d.key = SigningKey::generate_es256().unwrap();
    assert_eq!(
        refusal(other),
        AssertionRefused::Signature(BadSignature::Mismatch)
    );
    let server = server();
    let mut rules = Rules::new(&server);
    rules.algorithms = AlgSet::NONE.with(Alg::EdDsa);
    assert_eq!(
        verified_by(&rules, |_| {}).unwrap_err(),
        AssertionRefused::Algorithm
    );
}

#[test]
fn the_audience_is_the_issuer_alone() {
    assert!(after(|d| d.claims["aud"] = json!([SERVER])).is_ok());
    let others = [
        json!(ENDPOINT),
        json!("https://as.example/"),
        json!("https://AS.example"),
        json!("https://other.example"),
        json!([SERVER, "https://other.example"]),
        json!([SERVER, SERVER]),
        json!([SERVER, ENDPOINT]),
    ];
    for aud in &others {
        assert_eq!(
            refusal(|d| d.claims["aud"] = aud.clone()),
            AssertionRefused::Audience,
            "{aud}"
        );
    }
    // The old audience only where it is asked for, and then alone as well.
    let server = server();
    let rules = Rules::new(&server).insecure_also_for_token_endpoint(ENDPOINT);
    for aud in others {
        let verified = verified_by(&rules, |d| d.claims["aud"] = aud.clone());
        assert_eq!(verified.is_ok(), aud == json!(ENDPOINT), "{aud}");
    }
    assert!(verified_by(&rules, |_| {}).is_ok());
}

#[test]
fn the_times_have_edges() {
    let with = |name: &'static str, at: u64| after(|d| d.claims[name] = at.into());
    let (now, skew, most) = (NOW.0, SKEW.as_secs(), MAX_LIFETIME.as_secs());
    let secs = Duration::from_secs;
    assert!(with("exp", now - skew + 1).is_ok());
    assert_eq!(
        with("exp", now - skew).unwrap_err(),
        AssertionRefused::Expired { ago: secs(skew) }
    );
    assert!(with("exp", now + most + skew).is_ok());
    assert_eq!(
        with("exp", now + most + skew + 1).unwrap_err(),
        AssertionRefused::TooLong {
            left: secs(most + skew + 1)
        }
    );
    assert!(with("iat", now - most - skew).is_ok());
    assert_eq!(
        with("iat", now - most - skew - 1).unwrap_err(),
        AssertionRefused::TooOld {
            age: secs(most + skew + 1)
        }
    );
    for name in ["iat", "nbf"] {
        assert!(with(name, now + skew).is_ok());
        assert_eq!(
            with(name, now + skew + 1).unwrap_err(),
            AssertionRefused::Ahead {
                ahead: secs(skew + 1)
            }
        );
    }
}
