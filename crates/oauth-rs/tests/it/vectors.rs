//! Every published token verifies, and none of them does after one change.

use oauth_rs::jose::{Alg, AlgSet, BadSignature, JwkSet, Jws, PublicJwk, VerifyingKey};
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
pub(crate) struct Vectors {
    keyless: Vec<Refused>,
    pub(crate) signatures: Vec<Signature>,
    mismatched: Vec<Signature>,
    refused: Vec<Refused>,
    unusable: Vec<Unusable>,
    thumbprints: Vec<Thumbprint>,
}

#[derive(Deserialize)]
pub(crate) struct Signature {
    pub(crate) source: String,
    alg: String,
    key: Box<RawValue>,
    pub(crate) token: String,
}

#[derive(Deserialize)]
struct Refused {
    source: String,
    token: String,
}

#[derive(Deserialize)]
struct Unusable {
    source: String,
    key: Box<RawValue>,
    reason: String,
}

#[derive(Deserialize)]
struct Thumbprint {
    source: String,
    key: Box<RawValue>,
    thumbprint: String,
}

pub(crate) fn vectors() -> Vectors {
    serde_json::from_str(include_str!("../vectors/jose.json")).unwrap()
}

fn key_set(key: &RawValue) -> JwkSet {
    JwkSet::parse(format!(r#"{{"keys":[{}]}}"#, key.get()).as_bytes()).unwrap()
}

/// What a token says, if it verifies with this key, whatever the algorithm.
fn payload(token: &str, key: &VerifyingKey) -> Result<Vec<u8>, BadSignature> {
    Jws::parse(token)
        .unwrap()
        .verify(key, AlgSet::from_iter(Alg::ALL))
        .map(|verified| verified.payload().to_vec())
}

#[test]
fn published_signatures_verify() {
    let vectors = vectors();
    assert_eq!(vectors.signatures.len(), 14);
    for vector in &vectors.signatures {
        let set = key_set(&vector.key);
        let alg = Alg::parse(&vector.alg).unwrap();
        let key = set
            .find(None, alg)
            .next()
            .unwrap_or_else(|| panic!("{}", vector.source));
        let jws = Jws::parse(&vector.token).unwrap();
        assert_eq!(jws.header().alg_name(), vector.alg, "{}", vector.source);
        let said = payload(&vector.token, key).unwrap();
        assert!(!said.is_empty(), "{}", vector.source);
    }
}

#[test]
fn every_algorithm_has_a_token_that_others_made() {
    let vectors = vectors();
    for alg in Alg::ALL {
        let made = vectors.signatures.iter().any(|v| v.alg == alg.as_str());
        assert!(made, "{alg}");
    }
}

#[test]
fn a_signature_with_other_parameters_than_the_algorithm_has_is_refused() {
    let vectors = vectors();
    assert_eq!(vectors.mismatched.len(), 1);
    for vector in &vectors.mismatched {
        let set = key_set(&vector.key);
        let refused = payload(&vector.token, &set.keys()[0]);
        assert_eq!(
            refused.unwrap_err(),
            BadSignature::Mismatch,
            "{}",
            vector.source
        );
    }
}

#[test]
fn one_changed_character_of_the_payload_is_noticed() {
    for vector in &vectors().signatures {
        let set = key_set(&vector.key);
        let (header, rest) = vector.token.split_once('.').unwrap();
        // The first character of a part has six significant bits, so any other is still base64url.
        let first = rest.chars().next().unwrap();
        let other = if first == 'A' { 'B' } else { 'A' };
        let changed = format!("{header}.{other}{}", rest.strip_prefix(first).unwrap());
        let refused = payload(&changed, &set.keys()[0]).unwrap_err();
        assert_eq!(refused, BadSignature::Mismatch, "{}", vector.source);
    }
}

#[test]
fn the_key_decides_the_algorithm() {
    // The same RSA key without `alg` is for RS256 only, so its PS384 token is not accepted.
    let vectors = vectors();
    let of = |source: &str| {
        vectors
            .signatures
            .iter()
            .find(|v| v.source == source)
            .unwrap()
    };
    let rs256 = key_set(&of("RFC 7520 4.1").key);
    let refused = payload(&of("RFC 7520 4.2").token, &rs256.keys()[0]);
    assert_eq!(refused.unwrap_err(), BadSignature::Algorithm);
    for vector in &vectors.refused {
        let refused = payload(&vector.token, &rs256.keys()[0]);
        assert_eq!(
            refused.unwrap_err(),
            BadSignature::NotAccepted,
            "{}",
            vector.source
        );
    }
}

#[test]
fn unusable_keys_say_why() {
    for vector in &vectors().unusable {
        let set = key_set(&vector.key);
        assert!(set.keys().is_empty(), "{}", vector.source);
        assert_eq!(set.skipped()[0].reason.to_string(), vector.reason);
    }
}

#[test]
fn published_thumbprints() {
    for vector in &vectors().thumbprints {
        let jwk = PublicJwk::parse(vector.key.get().as_bytes()).unwrap();
        assert_eq!(jwk.thumbprint(), vector.thumbprint, "{}", vector.source);
    }
}

#[test]
fn a_token_whose_key_was_not_published_is_read_and_verified_by_no_other() {
    let vectors = vectors();
    assert_eq!(vectors.keyless.len(), 1);
    for vector in &vectors.keyless {
        let jws = Jws::parse(&vector.token).unwrap();
        assert_eq!(jws.header().alg(), Some(Alg::Es256), "{}", vector.source);
        assert_eq!(jws.header().kid.as_deref(), Some("BeALkb"));
        for other in vectors.signatures.iter().filter(|v| v.alg == "ES256") {
            let refused = payload(&vector.token, &key_set(&other.key).keys()[0]);
            assert_eq!(refused, Err(BadSignature::Mismatch), "{}", other.source);
        }
    }
}
