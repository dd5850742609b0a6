//! Tokens that are remembered: the decision is the same, and only the signature is not checked again.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use oauth_rs::jose::{JwkSet, SigningKey};
use oauth_rs::time::UnixSeconds;
use oauth_rs::uri::ResourceId;
use resource_guard::fetch::VerifiedTokens;
use resource_guard::memory::{Remembered, TokenHash, TokenMemory};
use resource_guard::{
    Decision, Evidence, Guard, GuardConfig, KeySnapshot, Needs, Reason, ReplayWindow, TrustedIssuer,
};
use serde_json::json;

use crate::dpop::Bound;
use crate::support::{NOW, World, claims, claims_with, config, issuer, request};

/// Counts how often a token was validated in full, since only then it is remembered.
#[derive(Debug, Default)]
struct Counting {
    tokens: VerifiedTokens,
    validated: AtomicUsize,
}

impl TokenMemory for Counting {
    fn recall(&self, token: &TokenHash) -> Option<Remembered> {
        self.tokens.recall(token)
    }

    fn remember(&self, token: TokenHash, bytes: usize, what: Remembered) {
        self.validated.fetch_add(1, Ordering::Relaxed);
        self.tokens.remember(token, bytes, what);
    }
}

impl Counting {
    fn validated(&self) -> usize {
        self.validated.load(Ordering::Relaxed)
    }
}

fn remembering() -> (World, Arc<Counting>) {
    let memory = Arc::new(Counting::default());
    let mut world = World::new();
    let guard = Guard::new(config()).unwrap();
    world.guard = guard.remembering(Arc::<Counting>::clone(&memory));
    (world, memory)
}

#[test]
fn a_token_that_comes_again_is_not_validated_again_and_is_the_same_principal() {
    let (world, memory) = remembering();
    let plain = World::new();
    let token = request(&world.token());
    let first = world.principal(&token, NOW).unwrap();
    for _ in 0..10 {
        assert_eq!(world.principal(&token, NOW).unwrap(), first);
    }
    assert_eq!((memory.validated(), memory.tokens.len()), (1, 1));
    // Another token of the same claims is another token.
    assert_eq!(
        world.principal(&request(&world.token()), NOW).unwrap(),
        first
    );
    assert_eq!(memory.validated(), 2);
    // And the principal is what it is without a memory.
    let keys = KeySnapshot::new(issuer(), JwkSet::from_public([world.key.public_jwk()]));
    let without = plain.guard.check(&token, &Evidence::of(&keys), NOW);
    let without = without.into_result().unwrap();
    assert_eq!(*without.principal(), first);
}

#[test]
fn its_time_is_looked_at_each_time() {
    let (world, _) = remembering();
    let token = request(&world.sign(&claims_with("nbf", json!(1050))));
    assert!(world.principal(&token, NOW).is_ok());
    for (now, expired) in [(1604, false), (1605, true), (u64::MAX, true)] {
        let decided = world.principal(&token, UnixSeconds(now));
        let is_expired =
            decided.is_err_and(|refused| matches!(refused.reason(), Reason::Expired { .. }));
        assert_eq!(is_expired, expired, "{now}");
    }
    // A clock that was set back.
    let early = world.principal(&token, UnixSeconds(1040)).unwrap_err();
    assert!(
        matches!(early.reason(), Reason::NotYetValid { .. }),
        "{early:?}"
    );
}

#[test]
fn a_key_that_was_withdrawn_no_longer_verifies_what_it_verified() {
    let (mut world, memory) = remembering();
    let token = request(&world.token());
    assert!(world.principal(&token, NOW).is_ok());
    let other = SigningKey::generate_es256().unwrap();
    let both = [world.key.public_jwk(), other.public_jwk()];
    // Other keys, the old one still among them: verified once more.
    world.keys = KeySnapshot::new(issuer(), JwkSet::from_public(both));
    for _ in 0..3 {
        assert!(world.principal(&token, NOW).is_ok());
    }
    assert_eq!(memory.validated(), 2);
    world.keys = KeySnapshot::new(issuer(), JwkSet::from_public([other.public_jwk()]));
    let decision = world.check(&token, NOW);
    assert!(
        matches!(decision, Decision::Needs(Needs::Keys(_))),
        "{decision:?}"
    );
}

#[test]
fn a_memory_that_two_guards_share_does_not_confuse_their_audiences() {
    let (world, memory) = remembering();
    let token = request(&world.token());
    assert!(world.principal(&token, NOW).is_ok());
    let resource = ResourceId::parse("https://rs.example/other").unwrap();
    let config = GuardConfig::new(resource, TrustedIssuer::new(issuer()));
    let other = Guard::new(config).unwrap().remembering(memory);
    let decision = other.check(&token, &Evidence::of(&world.keys), NOW);
    let refused = decision.into_result().unwrap_err();
    assert!(
        matches!(refused.reason(), Reason::OtherAudience { .. }),
        "{refused:?}"
    );
}

#[test]
fn a_bound_token_needs_its_proof_each_time() {
    let memory = Arc::new(Counting::default());
    let mut bound = Bound::new(|config| config);
    bound.world.guard = bound
        .world
        .guard
        .remembering(Arc::<Counting>::clone(&memory));
    let window = ReplayWindow::default();
    let spend = |parts: &http::request::Parts| {
        let granted = bound.world.check(parts, NOW).into_result()?;
        granted.spend(&window, NOW)
    };
    let parts = bound.with_proof(&bound.good_proof());
    assert!(spend(&parts).is_ok());
    // The very same request again.
    let again = spend(&parts).unwrap_err();
    assert!(matches!(again.reason(), Reason::Replayed), "{again:?}");
    // Another proof, good and bad.
    let next = bound.proof_but("jti", json!("another"));
    assert!(spend(&bound.with_proof(&next)).is_ok());
    let elsewhere = bound.proof_but("htu", json!("https://rs.example/other"));
    let refused = spend(&bound.with_proof(&elsewhere)).unwrap_err();
    assert!(
        matches!(refused.reason(), Reason::Proof { .. }),
        "{refused:?}"
    );
    assert_eq!(memory.validated(), 1);
    // The token alone.
    let bearer = spend(&request(&bound.token)).unwrap_err();
    assert!(!matches!(bearer.reason(), Reason::Replayed), "{bearer:?}");
    let fields = [("authorization", format!("DPoP {}", bound.token))];
    let fields = fields
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    let alone = crate::support::with_fields("POST", crate::support::RESOURCE, &fields);
    assert!(matches!(
        spend(&alone).unwrap_err().reason(),
        Reason::NoProof
    ));
}

#[test]
fn tokens_that_are_refused_leave_no_trace() {
    let (world, memory) = remembering();
    let stranger = World::new();
    for token in [
        stranger.token(),
        world.sign(&claims_with("aud", json!("https://other.example"))),
        world.sign(&claims_with("exp", json!(1))),
        world.sign(&claims_with("sub", json!(""))),
        world.sign(&claims_with("scope", json!("a  b"))),
        world
            .key
            .sign("JWT", claims().to_string().as_bytes())
            .unwrap(),
        "opaque".to_owned(),
    ] {
        assert!(world.principal(&request(&token), NOW).is_err());
    }
    // A token that was changed is another token, however good the one was that it was made from.
    let token = world.token();
    assert!(world.principal(&request(&token), NOW).is_ok());
    let mut changed = token.clone();
    let last = changed.pop();
    changed.push(if last == Some('A') { 'Q' } else { 'A' });
    assert!(world.principal(&request(&changed), NOW).is_err());
    assert_eq!((memory.validated(), memory.tokens.len()), (1, 1));
    memory.tokens.clear();
    assert!(memory.tokens.is_empty());
}
