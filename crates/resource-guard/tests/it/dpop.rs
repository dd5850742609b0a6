//! Tokens that are bound to a key, and their proofs (RFC 9449): a valid request, one mutation, the
//! exact reason.

use std::time::Duration;

use http::Method;
use http::request::Parts;
use oauth_rs::challenge::Challenge;
use oauth_rs::error_code::ErrorCode;
use oauth_rs::hash::sha256_base64url;
use oauth_rs::jose::SigningKey;
use oauth_rs::jose::dpop::{Proof, ProofRefused, Rules};
use oauth_rs::time::UnixSeconds;
use oauth_rs::uri::TargetUri;
use resource_guard::{
    Decision, Demand, Evidence, Guard, GuardConfig, Nonces, Principal, Reason, Refused,
    ReplayWindow, Scheme,
};
use serde_json::{Value, json};

use crate::support::{NOW, RESOURCE, World, claims, config, request, with_fields};

/// A world that takes DPoP, and a client with a key and a token that is bound to it.
pub(crate) struct Bound {
    pub(crate) world: World,
    pub(crate) key: SigningKey,
    pub(crate) token: String,
    window: ReplayWindow,
}

impl Bound {
    pub(crate) fn new(change: impl FnOnce(GuardConfig) -> GuardConfig) -> Self {
        let mut world = World::new();
        world.guard = Guard::new(change(config().dpop(Rules::default()))).unwrap();
        let key = SigningKey::generate_es256().unwrap();
        let token = world.sign(&bound_to(&key));
        Self {
            world,
            key,
            token,
            window: ReplayWindow::default(),
        }
    }

    /// The claims of a proof that holds for the request of [`Bound::with_proof`] at `now`.
    pub(crate) fn proof_claims(&self, now: UnixSeconds) -> Value {
        json!({
            "jti": format!("proof-at-{}", now.0),
            "htm": "POST",
            "htu": RESOURCE,
            "iat": now.0,
            "ath": sha256_base64url(self.token.as_bytes()),
        })
    }

    pub(crate) fn proof(&self, claims: &Value) -> String {
        self.key
            .sign_with_jwk("dpop+jwt", claims.to_string().as_bytes())
            .unwrap()
    }

    /// A proof that holds but for one claim.
    pub(crate) fn proof_but(&self, name: &str, value: Value) -> String {
        let mut claims = self.proof_claims(NOW);
        claims[name] = value;
        if claims[name].is_null() {
            claims.as_object_mut().unwrap().remove(name);
        }
        self.proof(&claims)
    }

    pub(crate) fn good_proof(&self) -> String {
        self.proof(&self.proof_claims(NOW))
    }

    pub(crate) fn with_proof(&self, proof: &str) -> Parts {
        let field = format!("DPoP {}", self.token);
        let fields = [("authorization", field.as_str()), ("dpop", proof)];
        with_fields("POST", RESOURCE, &fields)
    }

    fn spend(&self, parts: &Parts) -> Result<Principal, Refused> {
        let granted = self.world.check(parts, NOW).into_result()?;
        granted.spend(&self.window, NOW)
    }

    pub(crate) fn reason(&self, parts: &Parts) -> Reason {
        self.spend(parts).unwrap_err().reason().clone()
    }
}

pub(crate) fn bound_to(key: &SigningKey) -> Value {
    let mut claims = claims();
    claims["cnf"] = json!({"jkt": key.public_jwk().thumbprint()});
    claims
}

fn plain() -> Bound {
    Bound::new(|config| config)
}

fn proof_refused(reason: ProofRefused) -> Reason {
    Reason::Proof { reason }
}

#[test]
fn a_bound_token_with_its_proof_is_granted() {
    let bound = plain();
    let uri = TargetUri::parse(RESOURCE).unwrap();
    let proof = Proof {
        method: &Method::POST,
        uri: &uri,
        nonce: None,
        access_token: Some(&bound.token),
    };
    let proof = proof
        .sign(&bound.key, NOW, &|dest: &mut [u8]| dest.fill(7))
        .unwrap();
    let principal = bound.spend(&bound.with_proof(&proof)).unwrap();
    let jkt = bound.key.public_jwk().thumbprint();
    assert_eq!(principal.binding.jkt.as_deref(), Some(jkt.as_str()));
    assert_eq!(principal.binding.certificate, None);
    assert_eq!(principal.scheme(), Scheme::Dpop);
}

#[test]
fn a_bound_token_as_bearer() {
    let bound = plain();
    let bearer = format!("Bearer {}", bound.token);
    let proof = bound.good_proof();
    // With its proof beside it or without.
    for fields in [
        vec![("authorization", bearer.as_str())],
        vec![("authorization", &bearer), ("dpop", &proof)],
    ] {
        let parts = with_fields("POST", RESOURCE, &fields);
        assert_eq!(bound.reason(&parts), Reason::BoundAsBearer);
    }
}

#[test]
fn a_bound_token_where_dpop_is_not_configured() {
    let bound = plain();
    let mut world = World::new();
    world.keys = bound.world.keys.clone();
    let bearer = request(&bound.token);
    assert_eq!(world.reason(&bearer), Reason::DpopNotConfigured);
    // The scheme is not known there.
    let parts = bound.with_proof(&bound.good_proof());
    assert_eq!(world.reason(&parts), Reason::NoToken);
}

#[test]
fn a_token_that_is_not_bound_as_dpop() {
    let mut bound = plain();
    bound.token = bound.world.token();
    let parts = bound.with_proof(&bound.good_proof());
    assert_eq!(bound.reason(&parts), Reason::NotBound);
    // As a bearer token it is good, whatever proof is beside it.
    assert!(bound.spend(&request(&bound.token)).is_ok());
}

#[test]
fn no_proof_and_several() {
    let bound = plain();
    let field = format!("DPoP {}", bound.token);
    let proof = bound.good_proof();
    let none = with_fields("POST", RESOURCE, &[("authorization", &field)]);
    assert_eq!(bound.reason(&none), Reason::NoProof);
    let fields = [
        ("authorization", field.as_str()),
        ("dpop", &proof),
        ("dpop", &proof),
    ];
    let two = with_fields("POST", RESOURCE, &fields);
    assert_eq!(
        bound.reason(&two),
        proof_refused(ProofRefused::SeveralHeaders)
    );
}

#[test]
fn a_proof_for_something_else() {
    let bound = plain();
    for (name, value, reason) in [
        ("htm", json!("GET"), ProofRefused::Method),
        ("htm", json!("post"), ProofRefused::Method),
        (
            "htu",
            json!("https://rs.example/mcp-other"),
            ProofRefused::Uri,
        ),
        ("htu", json!("https://rs.example/mcp/"), ProofRefused::Uri),
        ("htu", json!("https://evil.example/mcp"), ProofRefused::Uri),
        ("htu", json!("http://rs.example/mcp"), ProofRefused::Uri),
        ("htu", json!("/mcp"), ProofRefused::Uri),
        (
            "ath",
            json!(sha256_base64url(b"other")),
            ProofRefused::TokenHash,
        ),
        ("ath", Value::Null, ProofRefused::TokenHashMissing),
        ("jti", json!(""), ProofRefused::Identifier),
        ("jti", json!("x".repeat(129)), ProofRefused::Identifier),
        (
            "iat",
            json!(NOW.0 - 61),
            ProofRefused::TooOld {
                age: Duration::from_secs(61),
            },
        ),
        (
            "iat",
            json!(NOW.0 + 31),
            ProofRefused::Ahead {
                ahead: Duration::from_secs(31),
            },
        ),
    ] {
        let parts = bound.with_proof(&bound.proof_but(name, value.clone()));
        assert_eq!(
            bound.reason(&parts),
            proof_refused(reason),
            "{name} {value}"
        );
    }
    for name in ["jti", "htm", "htu", "iat"] {
        let parts = bound.with_proof(&bound.proof_but(name, Value::Null));
        let reason = bound.reason(&parts);
        assert!(
            matches!(
                &reason,
                Reason::Proof {
                    reason: ProofRefused::Claims(_)
                }
            ),
            "{name} {reason}"
        );
    }
    // Query and spelling make no difference.
    for htu in [
        "https://rs.example/mcp?a=b#c",
        "HTTPS://RS.example:443/%6dcp",
    ] {
        let parts = bound.with_proof(&bound.proof_but("htu", json!(htu)));
        let decision = bound.world.check(&parts, NOW);
        assert!(
            matches!(decision, Decision::Granted(_)),
            "{htu} {decision:?}"
        );
    }
}

#[test]
fn a_proof_by_another_key() {
    let bound = plain();
    let thief = SigningKey::generate_es256().unwrap();
    let claims = bound.proof_claims(NOW).to_string();
    let proof = thief.sign_with_jwk("dpop+jwt", claims.as_bytes()).unwrap();
    let parts = bound.with_proof(&proof);
    assert_eq!(bound.reason(&parts), proof_refused(ProofRefused::OtherKey));
    // An access token is not a proof, nor is a proof with the signature of another.
    let parts = bound.with_proof(&bound.token);
    assert_eq!(bound.reason(&parts), proof_refused(ProofRefused::Type));
    let (input, _) = proof.rsplit_once('.').unwrap();
    let own = bound.good_proof();
    let (_, signature) = own.rsplit_once('.').unwrap();
    let parts = bound.with_proof(&format!("{input}.{signature}"));
    assert!(matches!(
        bound.reason(&parts),
        Reason::Proof {
            reason: ProofRefused::Signature(_)
        }
    ));
}

#[test]
fn the_address_is_from_configuration_and_never_from_the_request() {
    let bound = plain();
    let field = format!("DPoP {}", bound.token);
    let evil = bound.proof_but("htu", json!("https://evil.example/mcp"));
    for uri in ["/mcp", "https://evil.example/mcp"] {
        let fields = [
            ("host", "evil.example"),
            ("x-forwarded-host", "evil.example"),
            ("authorization", &field),
            ("dpop", &evil),
        ];
        let parts = with_fields("POST", uri, &fields);
        assert_eq!(
            bound.reason(&parts),
            proof_refused(ProofRefused::Uri),
            "{uri}"
        );
    }
    // Behind a proxy that takes a prefix away, the client's address is the configured one.
    let bound = Bound::new(|config| config.public_base("https://api.example/v1"));
    let field = format!("DPoP {}", bound.token);
    let proof = bound.proof_but("htu", json!("https://api.example/v1/mcp"));
    let fields = [
        ("host", "internal:8080"),
        ("authorization", &field),
        ("dpop", &proof),
    ];
    let parts = with_fields("POST", "/mcp", &fields);
    assert!(bound.spend(&parts).is_ok());
    // A path that no address can have has no proof.
    let parts = with_fields("POST", "/a\"b", &fields);
    assert_eq!(bound.reason(&parts), proof_refused(ProofRefused::Uri));
}

#[test]
fn a_proof_is_good_once_for_its_address() {
    let bound = plain();
    let parts = bound.with_proof(&bound.good_proof());
    assert!(bound.spend(&parts).is_ok());
    assert_eq!(bound.reason(&parts), Reason::Replayed);
    // The same identifier in another proof of the same key is the same use.
    let again = bound.with_proof(&bound.proof_but("iat", json!(NOW.0 + 1)));
    assert_eq!(bound.reason(&again), Reason::Replayed);
    // Of another key it is not: nobody can use up the identifiers of others.
    let other = SigningKey::generate_es256().unwrap();
    let token = bound.world.sign(&bound_to(&other));
    let (world, window) = (bound.world, bound.window);
    let neighbour = Bound {
        world,
        key: other,
        token,
        window,
    };
    let parts = neighbour.with_proof(&neighbour.good_proof());
    assert!(neighbour.spend(&parts).is_ok());
}

#[test]
fn a_key_that_floods_the_window_locks_out_nobody_else() {
    let mut bound = plain();
    bound.window = ReplayWindow::new(20);
    let spend = |bound: &Bound, jti: &str| {
        let proof = bound.proof_but("jti", json!(jti));
        bound.spend(&bound.with_proof(&proof))
    };
    for jti in ["one", "two"] {
        assert!(spend(&bound, jti).is_ok());
    }
    let refused = spend(&bound, "three").unwrap_err();
    assert!(matches!(refused.reason(), Reason::ReplayShareFull { .. }));
    assert_eq!(refused.status(), 503);
    let response = bound.world.guard.response(&refused);
    assert!(response.headers().contains_key("retry-after"));
    // The window has room, and another client gets it.
    let other = SigningKey::generate_es256().unwrap();
    bound.token = bound.world.sign(&bound_to(&other));
    bound.key = other;
    assert!(spend(&bound, "three").is_ok());
}

#[test]
fn a_full_window_refuses_and_never_accepts() {
    let mut bound = plain();
    bound.window = ReplayWindow::new(0);
    let parts = bound.with_proof(&bound.good_proof());
    let refused = bound.spend(&parts).unwrap_err();
    assert!(matches!(refused.reason(), Reason::ReplayWindowFull { .. }));
    assert_eq!(refused.status(), 503);
    let response = bound.world.guard.response(&refused);
    assert!(response.headers().contains_key("retry-after"));
    assert!(!response.headers().contains_key("www-authenticate"));
    // A bearer token needs no room.
    assert!(bound.spend(&request(&bound.world.token())).is_ok());
}

#[test]
fn the_claim_is_what_a_shared_store_remembers() {
    let bound = plain();
    let claim = |parts: &Parts| {
        let granted = bound.world.check(parts, NOW).into_result().unwrap();
        let claim = granted.claim().cloned();
        let refused = granted.replayed();
        assert_eq!(refused.reason(), &Reason::Replayed);
        claim
    };
    let one = claim(&bound.with_proof(&bound.good_proof())).unwrap();
    let other = claim(&bound.with_proof(&bound.proof_but("jti", json!("other")))).unwrap();
    assert_ne!(one.id(), other.id());
    // A proof that is a minute old still holds, so it is remembered for longer.
    assert_eq!(one.until(), UnixSeconds(NOW.0 + 61));
    assert_eq!(claim(&request(&bound.world.token())), None);
}

/// A decision that asks for nonces.
fn with_nonces(bound: &Bound, nonces: &Nonces, proof: &str) -> Decision {
    let evidence = Evidence {
        nonces: Some(nonces),
        ..Evidence::of(&bound.world.keys)
    };
    bound
        .world
        .guard
        .check(&bound.with_proof(proof), &evidence, NOW)
}

#[test]
fn a_nonce_is_asked_for_and_handed_out() {
    let bound = plain();
    let nonces = Nonces::new([1; 32]);
    for (proof, expected) in [
        (bound.good_proof(), ProofRefused::NonceMissing),
        (
            bound.proof_but("nonce", json!("guess")),
            ProofRefused::Nonce,
        ),
        (
            bound.proof_but("nonce", json!(nonces.fresh(UnixSeconds(0)))),
            ProofRefused::Nonce,
        ),
    ] {
        let Decision::Refused(refused) = with_nonces(&bound, &nonces, &proof) else {
            panic!("not refused");
        };
        assert_eq!(refused.reason(), &Reason::Nonce { reason: expected });
        assert_eq!(refused.status(), 401);
        assert_eq!(refused.error(), Some(ErrorCode::UseDpopNonce));
        let response = bound.world.guard.response(&refused);
        let fresh = nonces.fresh(NOW);
        assert_eq!(response.headers()["dpop-nonce"], fresh);
        let challenges = Challenge::all_of(response.headers());
        assert_eq!(challenges[1].error(), Some(ErrorCode::UseDpopNonce));

        // With it, the proof is good, and there is no newer one to hand out.
        let proof = bound.proof_but("nonce", json!(fresh));
        let granted = with_nonces(&bound, &nonces, &proof).into_result().unwrap();
        assert_eq!(granted.next_nonce(), None);
    }
    // One of the slot before is good, and the next one comes with the answer.
    let earlier = nonces.fresh(UnixSeconds(NOW.0 - 300));
    let proof = bound.proof_but("nonce", json!(earlier));
    let granted = with_nonces(&bound, &nonces, &proof).into_result().unwrap();
    assert_eq!(granted.next_nonce(), Some(nonces.fresh(NOW).as_str()));
}

#[test]
fn a_binding_can_be_demanded() {
    for demand in [Demand::Any, Demand::Dpop, Demand::Certificate] {
        let bound = Bound::new(|config| config.demanding(demand));
        let bearer = request(&bound.world.token());
        assert_eq!(bound.reason(&bearer), Reason::BindingRequired, "{demand:?}");
        let got = bound.spend(&bound.with_proof(&bound.good_proof()));
        assert_eq!(got.is_ok(), demand != Demand::Certificate, "{demand:?}");
    }
}

#[test]
fn both_schemes_are_offered_where_both_are_taken_and_the_error_is_on_the_one_used() {
    let schemes = |challenges: &[Challenge]| -> Vec<String> {
        let error = |c: &Challenge| c.error().map_or("-", ErrorCode::as_str);
        challenges
            .iter()
            .map(|c| format!("{} {}", c.scheme(), error(c)))
            .collect()
    };
    let answer = |bound: &Bound, parts: &Parts| {
        let refused = bound.spend(parts).unwrap_err();
        let response = bound.world.guard.response(&refused);
        schemes(&Challenge::all_of(response.headers()))
    };
    let bound = plain();
    let nobody = with_fields("POST", RESOURCE, &[]);
    assert_eq!(answer(&bound, &nobody), ["Bearer -", "DPoP -"]);
    let bearer = request(&bound.token);
    assert_eq!(answer(&bound, &bearer), ["Bearer invalid_token", "DPoP -"]);
    let mutated = bound.with_proof(&bound.proof_but("htm", json!("GET")));
    assert_eq!(
        answer(&bound, &mutated),
        ["Bearer -", "DPoP invalid_dpop_proof"]
    );

    // Where bearer tokens are not taken they are not offered either.
    let bound = Bound::new(|config| config.demanding(Demand::Dpop));
    assert_eq!(answer(&bound, &nobody), ["DPoP -"]);
    let bearer = request(&bound.world.token());
    assert_eq!(answer(&bound, &bearer), ["DPoP invalid_token"]);
}

#[test]
fn the_metadata_says_what_is_taken_and_what_is_demanded() {
    let document = |change: fn(GuardConfig) -> GuardConfig| -> Value {
        let bound = Bound::new(change);
        serde_json::from_slice(bound.world.guard.metadata().body()).unwrap()
    };
    let open = document(|config| config.certificates());
    let algs = json!(["ES256", "EdDSA", "RS256", "PS256"]);
    assert_eq!(open["dpop_signing_alg_values_supported"], algs);
    assert_eq!(open["dpop_bound_access_tokens_required"], Value::Null);
    assert_eq!(open["tls_client_certificate_bound_access_tokens"], true);
    let strict = document(|config| config.demanding(Demand::Dpop));
    assert_eq!(strict["dpop_bound_access_tokens_required"], true);
    assert_eq!(
        strict["tls_client_certificate_bound_access_tokens"],
        Value::Null
    );
}
