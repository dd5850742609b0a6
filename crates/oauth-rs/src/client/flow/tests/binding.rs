//! Tokens that are bound to a key (RFC 9449).

use std::sync::Arc;

use http::Method;

use super::*;
use crate::client::flow::{Access, AccessRefused};
use crate::jose::SigningKey;

/// What one case makes different.
type Change = &'static dyn Fn(&mut World, &mut Flow);

const LISTS_ES256: &str = r#"{"dpop_signing_alg_values_supported":["RS256","ES256"],"#;

fn key() -> Arc<SigningKey> {
    Arc::new(SigningKey::generate_es256().unwrap())
}

fn with(key: Option<&Arc<SigningKey>>, stored: Option<StoredGrant>) -> Flow {
    let options = FlowOptions {
        dpop_key: key.cloned(),
        ..options()
    };
    Flow::new(SERVER, stored, options).unwrap()
}

/// A world whose authorization server lists the algorithm of our keys.
fn binding_world() -> World {
    let mut world = World::new();
    world.server = world.server.replacen('{', LISTS_ES256, 1);
    world
}

fn bound(key: &Arc<SigningKey>) -> StoredGrant {
    let mut world = binding_world();
    world.drive(&mut with(Some(key), None), NOW).unwrap();
    world.stored.pop().unwrap()
}

fn access(flow: &mut Flow, now: UnixSeconds) -> Access {
    match flow.next_step(now, &|dest: &mut [u8]| dest.fill(0)) {
        Step::Done(access) => access,
        other => panic!("{other:?}"),
    }
}

fn refused(flow: &mut Flow, value: &str, nonce: Option<&str>) {
    let mut headers = challenge(value);
    if let Some(nonce) = nonce {
        headers.insert("dpop-nonce", HeaderValue::from_str(nonce).unwrap());
    }
    flow.handle_challenge(StatusCode::UNAUTHORIZED, &headers);
}

#[test]
fn tokens_are_bound_where_the_server_lists_the_algorithm_of_a_key_that_was_given() {
    let key = key();
    for (server, given, jkt) in [
        (LISTS_ES256, Some(&key), Some(key.kid())),
        (LISTS_ES256, None, None),
        (
            r#"{"dpop_signing_alg_values_supported":["RS256"],"#,
            Some(&key),
            None,
        ),
        ("{", Some(&key), None),
    ] {
        let mut world = World::new();
        world.server = world.server.replacen('{', server, 1);
        let mut flow = with(given, None);
        assert_eq!(world.drive(&mut flow, NOW), Ok("first".into()));
        assert_eq!(world.stored[0].dpop_jkt.as_deref(), jkt);
        assert_eq!(world.asked().get("dpop_jkt"), jkt);
        assert_eq!(world.proofs.len(), usize::from(jkt.is_some()));
        assert_eq!(access(&mut flow, NOW).is_bound(), jkt.is_some());
        assert_eq!(flow.take_events(), []);
    }
}

#[test]
fn the_proof_is_for_the_token_request_and_each_has_its_own_identifier() {
    let key = key();
    let mut world = binding_world();
    world.drive(&mut with(Some(&key), None), NOW).unwrap();
    let shown = claims(&world.proofs[0]);
    for part in [
        r#""htm":"POST""#,
        r#""htu":"https://as.example/token""#,
        r#""iat":1000"#,
    ] {
        assert!(shown.contains(part), "{shown}");
    }
    assert!(!shown.contains("ath") && !shown.contains("nonce"));
}

#[test]
fn a_nonce_of_the_token_endpoint_is_shown_once_and_remembered() {
    let key = key();
    let mut world = binding_world();
    world.nonce = Some("n-1");
    let mut flow = with(Some(&key), None);
    assert_eq!(world.drive(&mut flow, NOW), Ok("first".into()));
    assert_eq!(
        world.log.iter().filter(|l| l.ends_with("/token")).count(),
        2
    );
    assert!(claims(&world.proofs[1]).contains(r#""nonce":"n-1""#));
    // The next request to that server begins with it.
    assert_eq!(
        world.drive(&mut flow, UnixSeconds(2_000)),
        Ok("second".into())
    );
    assert!(claims(&world.proofs[2]).contains(r#""nonce":"n-1""#));
    assert_eq!(world.proofs.len(), 3);
}

#[test]
fn a_server_that_is_never_content_with_a_nonce_ends_it() {
    let key = key();
    let refusal = r#"{"error":"use_dpop_nonce"}"#;
    let zeros = |dest: &mut [u8]| dest.fill(0);
    let grant = bound(&key);
    let mut flow = with(Some(&key), Some(grant));
    let late = UnixSeconds(2_000);
    for nonce in ["a", "b"] {
        assert!(matches!(flow.next_step(late, &zeros), Step::Fetch(_)));
        let response = Response::builder().status(400).header("DPoP-Nonce", nonce);
        let response = response.body(refusal.as_bytes().to_vec()).unwrap();
        flow.handle_response(&response, late);
    }
    let Step::Failed(FlowFailed::Refresh(reason)) = flow.next_step(late, &zeros) else {
        panic!("still going")
    };
    assert!(reason.is(ErrorCode::UseDpopNonce));
    // The refresh token was not spent.
    assert!(flow.grant().is_some());
}

#[test]
fn a_refresh_uses_the_same_key_and_without_it_nothing_is_refreshed() {
    let key = key();
    let grant = bound(&key);
    let mut world = binding_world();
    let mut flow = with(Some(&key), Some(grant.clone()));
    assert_eq!(
        world.drive(&mut flow, UnixSeconds(2_000)),
        Ok("second".into())
    );
    assert_eq!(world.log, ["POST https://as.example/token"]);
    assert_eq!(world.proofs.len(), 1);
    assert_eq!(world.stored[0].dpop_jkt.as_deref(), Some(key.kid()));

    for other in [None, Some(self::key())] {
        let mut flow = with(other.as_ref(), Some(grant.clone()));
        assert!(!flow.has_token(NOW) && flow.grant().is_none());
        assert_eq!(flow.take_events(), [Event::KeyMissing]);
        let mut world = binding_world();
        assert_eq!(world.drive(&mut flow, NOW), Ok("first".into()));
        // The registration there is as good as before.
        assert_eq!(world.asked().get("client_id"), Some("registered"));
        assert!(!world.bodies.concat().contains("refresh-first"));
    }
}

#[test]
fn a_resource_that_takes_bound_tokens_only_gets_one_or_none() {
    let key = key();
    let demands: [Change; 2] = [
        &|world, _| {
            let flag = r#"{"dpop_bound_access_tokens_required":true,"#;
            world.resource = world.resource.replacen('{', flag, 1);
        },
        &|_, flow| refused(flow, r#"DPoP algs="ES256 EdDSA""#, None),
    ];
    for demand in demands {
        // The server need not list it: it may know DPoP all the same.
        let (mut world, mut flow) = (World::new(), with(Some(&key), None));
        demand(&mut world, &mut flow);
        assert_eq!(world.drive(&mut flow, NOW), Ok("first".into()));
        assert!(access(&mut flow, NOW).is_bound());

        let (mut world, mut flow) = (World::new(), with(None, None));
        demand(&mut world, &mut flow);
        assert_eq!(world.drive(&mut flow, NOW), Err(FlowFailed::KeyNeeded));
        assert!(!world.log.iter().any(|line| line.contains("register")));

        let (mut world, mut flow) = (World::new(), with(Some(&key), None));
        let others = r#"{"dpop_signing_alg_values_supported":["RS256"],"#;
        world.server = world.server.replacen('{', others, 1);
        demand(&mut world, &mut flow);
        let failed = Err(FlowFailed::KeyAlgorithm("ES256"));
        assert_eq!(world.drive(&mut flow, NOW), failed);

        let (mut world, mut flow) = (World::new(), with(Some(&key), None));
        world.token_type = "Bearer";
        demand(&mut world, &mut flow);
        assert_eq!(world.drive(&mut flow, NOW), Err(FlowFailed::NotBound));
        assert_eq!(world.stored.len(), 0);
    }
    let (mut world, mut flow) = (binding_world(), with(Some(&key), None));
    refused(&mut flow, r#"DPoP algs="RS256""#, None);
    let failed = Err(FlowFailed::KeyAlgorithm("ES256"));
    assert_eq!(world.drive(&mut flow, NOW), failed);
}

#[test]
fn a_token_that_was_to_be_bound_and_is_not_is_told_and_a_bound_one_never_becomes_unbound() {
    let key = key();
    let mut world = binding_world();
    world.token_type = "Bearer";
    let mut flow = with(Some(&key), None);
    assert_eq!(world.drive(&mut flow, NOW), Ok("first".into()));
    assert_eq!(flow.take_events(), [Event::NotBound]);
    assert!(!access(&mut flow, NOW).is_bound());

    let mut flow = with(Some(&key), Some(bound(&key)));
    let refreshed = world.drive(&mut flow, UnixSeconds(2_000));
    assert_eq!(refreshed, Err(FlowFailed::NotBound));
    assert!(flow.grant().is_none());

    // A bound token for which no proof was made cannot be used.
    let mut world = World::new();
    let token = r#"{"access_token":"x","token_type":"DPoP"}"#;
    world.answers = vec![("https://as.example/token", 200, token.into())];
    let failed = world.drive(&mut with(None, None), NOW);
    assert_eq!(failed, Err(FlowFailed::KeyNeeded));
}

#[test]
fn a_call_carries_a_fresh_proof_and_the_nonce_of_the_resource() {
    let key = key();
    let mut flow = with(Some(&key), Some(bound(&key)));
    let zeros = |dest: &mut [u8]| dest.fill(0);
    let call = |flow: &Flow| {
        let headers = flow.call_headers(&Method::POST, SERVER, NOW, &zeros);
        let headers = headers.unwrap().unwrap();
        assert_eq!(headers[header::AUTHORIZATION], "DPoP first");
        claims(headers["dpop"].to_str().unwrap())
    };
    let shown = call(&flow);
    let ath = crate::hash::sha256_base64url(b"first");
    assert!(shown.contains(&format!(r#""ath":"{ath}""#)), "{shown}");
    assert!(!shown.contains("nonce"));

    // Any answer may bring a nonce, and the latest counts.
    let mut fine = HeaderMap::new();
    fine.insert("dpop-nonce", HeaderValue::from_static("on-a-200"));
    flow.note_nonce(SERVER, &fine);
    assert!(call(&flow).contains(r#""nonce":"on-a-200""#));

    // The resource wants another: the same token again, once, and nothing else is sent.
    refused(&mut flow, r#"DPoP error="use_dpop_nonce""#, Some("n-2"));
    assert!(access(&mut flow, NOW).token().ct_eq("first"));
    assert!(call(&flow).contains(r#""nonce":"n-2""#));
    refused(&mut flow, r#"DPoP error="use_dpop_nonce""#, Some("n-3"));
    let failed = flow.next_step(NOW, &zeros);
    assert!(matches!(failed, Step::Failed(FlowFailed::ProofRefused)));

    // Whoever notes the nonces of all answers has noted this one already.
    let mut flow = with(Some(&key), Some(bound(&key)));
    fine.insert("dpop-nonce", HeaderValue::from_static("n-4"));
    flow.note_nonce(SERVER, &fine);
    refused(&mut flow, r#"DPoP error="use_dpop_nonce""#, Some("n-4"));
    assert!(access(&mut flow, NOW).is_bound());

    // Without a nonce there is nothing to show.
    let mut flow = with(Some(&key), Some(bound(&key)));
    refused(&mut flow, r#"DPoP error="use_dpop_nonce""#, None);
    let failed = flow.next_step(NOW, &zeros);
    assert!(matches!(failed, Step::Failed(FlowFailed::ProofRefused)));

    // After an answer that was accepted, a nonce that ran out is taken again.
    let mut flow = with(Some(&key), Some(bound(&key)));
    for nonce in ["a", "b", "c"] {
        refused(&mut flow, r#"DPoP error="use_dpop_nonce""#, Some(nonce));
        assert!(access(&mut flow, NOW).is_bound());
        flow.accepted();
    }
    let none = with(Some(&key), None).call_headers(&Method::POST, SERVER, NOW, &zeros);
    assert!(none.unwrap().is_none());
}

#[test]
fn proofs_that_are_refused_are_no_reason_to_sign_in_again() {
    let key = key();
    let mut flow = with(Some(&key), Some(bound(&key)));
    refused(&mut flow, r#"DPoP error="invalid_dpop_proof""#, None);
    let mut world = binding_world();
    assert_eq!(world.drive(&mut flow, NOW), Err(FlowFailed::ProofRefused));
    assert_eq!(world.log, Vec::<String>::new());
}

#[test]
fn an_expired_bound_token_is_refreshed_whichever_scheme_says_so() {
    let key = key();
    for value in [
        r#"DPoP error="invalid_token""#,
        r#"Bearer, DPoP error="invalid_token""#,
        r#"Bearer error="invalid_token""#,
    ] {
        let mut world = binding_world();
        let mut flow = with(Some(&key), Some(bound(&key)));
        refused(&mut flow, value, None);
        assert_eq!(world.drive(&mut flow, NOW), Ok("second".into()), "{value}");
        assert_eq!(world.browser.len(), 0);
    }
}

#[test]
fn a_resource_that_knows_bearer_only_gets_a_token_that_is_not_bound() {
    let key = key();
    let mut world = binding_world();
    let mut flow = with(Some(&key), None);
    assert_eq!(world.drive(&mut flow, NOW), Ok("first".into()));
    assert!(access(&mut flow, NOW).is_bound());
    refused(&mut flow, r#"Bearer error="invalid_token""#, None);
    assert_eq!(world.drive(&mut flow, NOW), Ok("first".into()));
    assert!(!access(&mut flow, NOW).is_bound());
    assert_eq!(world.browser.len(), 2);
    assert_eq!(world.asked().get("dpop_jkt"), None);
}

#[test]
fn an_unbound_token_where_bound_ones_are_wanted_is_replaced_and_not_refreshed() {
    let key = key();
    let mut world = binding_world();
    let mut flow = with(Some(&key), Some(signed_in()));
    refused(
        &mut flow,
        r#"DPoP error="invalid_token", algs="ES256""#,
        None,
    );
    assert_eq!(world.drive(&mut flow, NOW), Ok("first".into()));
    assert!(access(&mut flow, NOW).is_bound());
    assert!(!world.bodies.concat().contains("refresh-first"));
}

#[test]
fn parameters_are_read_from_either_scheme_and_the_one_in_use_goes_first() {
    let mut world = binding_world();
    let mut flow = with(Some(&key()), None);
    refused(
        &mut flow,
        r#"Negotiate, DPoP algs="ES256", scope="bound", resource_metadata="https://rs.example/elsewhere", Bearer scope="plain""#,
        None,
    );
    assert_eq!(world.drive(&mut flow, NOW), Ok("first".into()));
    assert_eq!(world.log[0], "GET https://rs.example/elsewhere");
    assert_eq!(world.asked().get("scope"), Some("plain"));

    let key = key();
    let mut flow = with(Some(&key), Some(bound(&key)));
    let both = r#"Bearer scope="plain", DPoP error="insufficient_scope", scope="bound""#;
    flow.handle_challenge(StatusCode::FORBIDDEN, &challenge(both));
    assert_eq!(world.drive(&mut flow, NOW), Ok("first".into()));
    assert_eq!(world.asked().get("scope"), Some("read write bound"));
}

#[test]
fn a_bound_token_goes_with_its_own_key_only() {
    let (own, other) = (key(), key());
    let grant = bound(&own);
    assert!(Access::new(&grant, Some(&own)).unwrap().is_bound());
    for wrong in [Some(&other), None] {
        let refused = Access::new(&grant, wrong).unwrap_err();
        assert_eq!(refused, AccessRefused::KeyMissing);
    }
}
