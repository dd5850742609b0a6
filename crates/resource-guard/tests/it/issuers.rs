//! Several issuers side by side: a key counts for its own issuer only.

use oauth_rs::jose::{Alg, AlgSet, JwkSet, SigningKey};
use oauth_rs::uri::Issuer;
use resource_guard::{Decision, Guard, Refused, TrustedIssuer};
use serde_json::json;

use crate::support::{ISSUER, NOW, World, claims_with, config, encode, issuer, request};

const SECOND: &str = "https://second.example";

fn second() -> Issuer {
    Issuer::parse(SECOND).unwrap()
}

/// A world with a second trusted issuer and its key.
fn two(algorithms: AlgSet) -> (World, SigningKey) {
    let mut world = World::new();
    let key = SigningKey::generate_es256().unwrap();
    world.keys = world
        .keys
        .with(second(), JwkSet::from_public([key.public_jwk()]));
    let trusted = TrustedIssuer {
        issuer: second(),
        algorithms,
    };
    world.guard = Guard::new(config().also_trusting(trusted)).unwrap();
    (world, key)
}

#[test]
fn each_issuer_may_sign_for_itself() {
    let (world, key) = two(AlgSet::NONE.with(Alg::Es256));
    let first = world
        .guard
        .check(&request(&world.token()), &world.keys, NOW)
        .into_result();
    assert_eq!(first.unwrap().issuer, issuer());
    let token = key
        .sign(
            "at+jwt",
            claims_with("iss", json!(SECOND)).to_string().as_bytes(),
        )
        .unwrap();
    let other = world
        .guard
        .check(&request(&token), &world.keys, NOW)
        .into_result();
    assert_eq!(other.unwrap().issuer, second());
}

#[test]
fn an_issuer_may_not_sign_for_the_other() {
    let (world, key) = two(AlgSet::NONE.with(Alg::Es256));
    let token = key
        .sign(
            "at+jwt",
            claims_with("iss", json!(ISSUER)).to_string().as_bytes(),
        )
        .unwrap();
    let decision = world.guard.check(&request(&token), &world.keys, NOW);
    let expected = Refused::OtherIssuer {
        expected: second(),
        received: ISSUER.to_owned(),
    };
    assert_eq!(decision, Decision::Refused(expected));
}

#[test]
fn an_algorithm_allowed_to_one_issuer_is_not_lent_to_the_other() {
    let (world, key) = two(AlgSet::NONE.with(Alg::EdDsa));
    let token = key
        .sign(
            "at+jwt",
            claims_with("iss", json!(SECOND)).to_string().as_bytes(),
        )
        .unwrap();
    let decision = world.guard.check(&request(&token), &world.keys, NOW);
    let expected = Refused::UnknownKey {
        kid: Some(key.kid().to_owned()),
    };
    assert_eq!(decision, Decision::Refused(expected));
}

#[test]
fn keys_of_an_issuer_that_is_not_trusted_do_not_count() {
    let mut world = World::new();
    let key = SigningKey::generate_es256().unwrap();
    world.keys = world
        .keys
        .with(second(), JwkSet::from_public([key.public_jwk()]));
    let token = key
        .sign(
            "at+jwt",
            claims_with("iss", json!(SECOND)).to_string().as_bytes(),
        )
        .unwrap();
    let decision = world.guard.check(&request(&token), &world.keys, NOW);
    assert!(
        matches!(decision, Decision::Refused(Refused::UnknownKey { .. })),
        "{decision:?}"
    );
}

#[test]
fn equal_key_ids_are_told_apart_by_the_signature() {
    let mut world = World::new();
    let other = SigningKey::generate_es256().unwrap();
    // The second issuer publishes its key under the first one's key id.
    let mut jwk = serde_json::to_value(other.public_jwk()).unwrap();
    jwk["kid"] = json!(world.key.kid());
    let set = JwkSet::parse(json!({"keys": [jwk]}).to_string().as_bytes()).unwrap();
    world.keys = world.keys.with(second(), set);
    world.guard = Guard::new(config().also_trusting(TrustedIssuer::new(second()))).unwrap();

    let granted = world
        .guard
        .check(&request(&world.token()), &world.keys, NOW)
        .into_result();
    assert_eq!(granted.unwrap().issuer, issuer());

    for (iss, expected) in [(SECOND, Ok(second())), (ISSUER, Err(()))] {
        // Signed by the second issuer, and named by the key id that both use.
        let payload = claims_with("iss", json!(iss)).to_string();
        let header = json!({"alg": "ES256", "typ": "at+jwt", "kid": world.key.kid()}).to_string();
        let input = format!("{}.{}", encode(header), encode(payload));
        let token = format!("{input}.{}", encode(raw_signature(&other, &input)));
        let got = world
            .guard
            .check(&request(&token), &world.keys, NOW)
            .into_result();
        match expected {
            Ok(issuer) => assert_eq!(got.unwrap().issuer, issuer),
            Err(()) => {
                let expected = Refused::OtherIssuer {
                    expected: second(),
                    received: ISSUER.to_owned(),
                };
                assert_eq!(got.unwrap_err(), expected);
            }
        }
    }
}

fn raw_signature(key: &SigningKey, input: &str) -> Vec<u8> {
    use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
    let random = ring::rand::SystemRandom::new();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, key.to_pkcs8(), &random)
        .unwrap();
    pair.sign(&random, input.as_bytes())
        .unwrap()
        .as_ref()
        .to_vec()
}
