//! Several issuers side by side: a key counts for its own issuer only.

use std::time::Duration;

use oauth_rs::introspection::Introspection;
use oauth_rs::jose::{Alg, AlgSet, JwkSet, SigningKey};
use oauth_rs::uri::Issuer;
use resource_guard::{
    Decision, Evidence, Guard, GuardConfig, KeySnapshot, Needs, Reason, TrustedIssuer,
};
use serde_json::json;

use crate::support::{ISSUER, NOW, RESOURCE, World, claims_with, config, encode, issuer, request};

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
    let trusted = TrustedIssuer::new(second()).algorithms(algorithms);
    world.guard = Guard::new(config().also_trusting(trusted)).unwrap();
    (world, key)
}

fn signed(key: &SigningKey, iss: &str) -> String {
    let claims = claims_with("iss", json!(iss)).to_string();
    key.sign("at+jwt", claims.as_bytes()).unwrap()
}

fn unknown_key(issuer: Issuer, kid: &str) -> Reason {
    Reason::UnknownKey {
        issuer,
        kid: Some(kid.to_owned()),
    }
}

#[test]
fn each_issuer_may_sign_for_itself() {
    let (world, key) = two(AlgSet::NONE.with(Alg::Es256));
    let first = world.principal(&request(&world.token()), NOW);
    assert_eq!(first.unwrap().issuer, issuer());
    let other = world.principal(&request(&signed(&key, SECOND)), NOW);
    assert_eq!(other.unwrap().issuer, second());
}

#[test]
fn an_issuer_may_not_sign_for_the_other() {
    let (world, key) = two(AlgSet::NONE.with(Alg::Es256));
    let reason = world.reason(&request(&signed(&key, ISSUER)));
    assert_eq!(reason, unknown_key(issuer(), key.kid()));
}

#[test]
fn an_algorithm_allowed_to_one_issuer_is_not_lent_to_the_other() {
    let (world, key) = two(AlgSet::NONE.with(Alg::EdDsa));
    let expected = Reason::Algorithm {
        issuer: second(),
        alg: "ES256".to_owned(),
    };
    assert_eq!(world.reason(&request(&signed(&key, SECOND))), expected);
}

#[test]
fn keys_of_an_issuer_that_is_not_trusted_do_not_count() {
    let mut world = World::new();
    let key = SigningKey::generate_es256().unwrap();
    world.keys = world
        .keys
        .with(second(), JwkSet::from_public([key.public_jwk()]));
    let expected = Reason::OtherIssuer {
        received: SECOND.to_owned(),
    };
    assert_eq!(world.reason(&request(&signed(&key, SECOND))), expected);
}

#[test]
fn equal_key_ids_are_never_confused() {
    let mut world = World::new();
    let other = SigningKey::generate_es256().unwrap();
    // The second issuer publishes its key under the first one's key id.
    let mut jwk = serde_json::to_value(other.public_jwk()).unwrap();
    jwk["kid"] = json!(world.key.kid());
    let set = JwkSet::parse(json!({"keys": [jwk]}).to_string().as_bytes()).unwrap();
    world.keys = world.keys.with(second(), set);
    world.guard = Guard::new(config().also_trusting(TrustedIssuer::new(second()))).unwrap();

    let granted = world.principal(&request(&world.token()), NOW);
    assert_eq!(granted.unwrap().issuer, issuer());

    for (iss, expected) in [(SECOND, Ok(second())), (ISSUER, Err(()))] {
        // Signed by the second issuer, and named by the key id that both use.
        let payload = claims_with("iss", json!(iss)).to_string();
        let header = json!({"alg": "ES256", "typ": "at+jwt", "kid": world.key.kid()}).to_string();
        let input = format!("{}.{}", encode(header), encode(payload));
        let token = format!("{input}.{}", encode(raw_signature(&other, &input)));
        let got = world.principal(&request(&token), NOW);
        match expected {
            Ok(issuer) => assert_eq!(got.unwrap().issuer, issuer),
            Err(()) => {
                let refused = got.unwrap_err();
                assert!(
                    matches!(refused.reason(), Reason::Signature { .. }),
                    "{refused}"
                );
            }
        }
    }
}

#[test]
fn keys_are_needed_of_the_issuer_that_the_token_names() {
    let (world, _) = two(AlgSet::DEFAULT);
    let rotated = SigningKey::generate_es256().unwrap();
    let parts = request(&signed(&rotated, SECOND));
    let Decision::Needs(Needs::Keys(needs)) = world.check(&parts, NOW) else {
        panic!("decided");
    };
    assert_eq!(needs.issuer(), &second());
    assert_eq!(needs.kid(), Some(rotated.kid()));
    assert!(needs.some_are_known());
    let unavailable = needs.clone().unavailable(Duration::from_secs(7));
    assert_eq!(unavailable.status(), 503);
    assert_eq!(
        needs.unknown().reason(),
        &unknown_key(second(), rotated.kid())
    );

    // With the newer keys the same request is decided.
    let newer = world
        .keys
        .clone()
        .with(second(), JwkSet::from_public([rotated.public_jwk()]));
    let again = world.guard.check(&parts, &Evidence::of(&newer), NOW);
    assert!(matches!(again, Decision::Granted(_)), "{again:?}");

    // Of an issuer without any keys they are needed as well.
    let none = KeySnapshot::default();
    match world.guard.check(&parts, &Evidence::of(&none), NOW) {
        Decision::Needs(Needs::Keys(needs)) => assert!(!needs.some_are_known()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_bad_signature_needs_no_keys() {
    let world = World::new();
    let token = world.token();
    let (input, _) = token.rsplit_once('.').unwrap();
    let forged = format!("{input}.{}", encode([1; 64]));
    let decision = world.check(&request(&forged), NOW);
    assert!(matches!(decision, Decision::Refused(_)), "{decision:?}");
}

/// A world whose second issuer is asked about its tokens.
fn asked() -> World {
    let mut world = World::new();
    let trusted = TrustedIssuer::introspecting(second());
    world.guard = Guard::new(config().also_trusting(trusted)).unwrap();
    world
}

#[test]
fn an_opaque_token_is_the_asked_issuers_and_a_jwt_is_shown_to_nobody() {
    let world = asked();
    for opaque in ["opaque", "a.b", "a.b.c.d", "2YotnFZFEjr1zCsicMWpAA=="] {
        match world.check(&request(opaque), NOW) {
            Decision::Needs(Needs::Introspection(needs)) => {
                assert_eq!(needs.issuer(), &second());
                assert_eq!(needs.token().expose(), opaque);
                assert!(!format!("{needs:?}").contains(opaque));
                let refused = needs.unavailable(Duration::from_secs(3));
                assert_eq!(refused.status(), 503);
            }
            other => panic!("{opaque}: {other:?}"),
        }
    }
    // Whatever has the shape of a JWT is decided with keys, or refused.
    let foreign = signed(&SigningKey::generate_es256().unwrap(), SECOND);
    for jwt in [world.token().as_str(), &foreign, "a.b.c", "a.b.c.d.e"] {
        let decision = world.check(&request(jwt), NOW);
        assert!(
            !matches!(decision, Decision::Needs(_)),
            "{jwt}: {decision:?}"
        );
    }
    let reason = world.reason(&request(&foreign));
    let received = SECOND.to_owned();
    assert_eq!(reason, Reason::OtherIssuer { received });
}

#[test]
fn where_nobody_else_is_trusted_the_asked_issuer_gets_every_token() {
    let resource = oauth_rs::uri::ResourceId::parse(RESOURCE).unwrap();
    let config = GuardConfig::new(resource, TrustedIssuer::introspecting(second()));
    let guard = Guard::new(config).unwrap();
    let world = World::new();
    let keys = KeySnapshot::default();
    for token in [world.token().as_str(), "opaque", "a.b.c.d.e"] {
        let decision = guard.check(&request(token), &Evidence::of(&keys), NOW);
        assert!(
            matches!(decision, Decision::Needs(Needs::Introspection(_))),
            "{token}: {decision:?}"
        );
    }
}

#[test]
fn an_answer_does_not_count_for_a_jwt() {
    // The evidence is for the token that was asked about; a JWT never is.
    let world = asked();
    let answer = Introspection::parse(
        json!({"active": true, "sub": "admin", "aud": RESOURCE})
            .to_string()
            .as_bytes(),
    )
    .unwrap()
    .into();
    let evidence = Evidence {
        introspection: Some(&answer),
        ..Evidence::of(&world.keys)
    };
    let decision = world.guard.check(&request(&world.token()), &evidence, NOW);
    let principal = decision.into_result().unwrap().dangerous_unspent();
    assert_eq!(principal.subject.named(), Some("user-1"));
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
