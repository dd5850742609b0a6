//! Our client signs in with a key and without, calls tools, refreshes, and answers demands for nonces.
//!
//! What the official suite checks of a client in its scenarios `auth/dpop` and `auth/dpop-nonce` is checked here with our client
//! against our own servers, which verify each proof themselves: `sep-1932-client-token-request-proof` (a proof with the token
//! request), `sep-1932-client-dpop-auth-scheme` (the scheme `DPoP`), `sep-1932-client-fresh-proof` (a new proof for each
//! request, repeated ones as well), `sep-1932-client-as-nonce` and `sep-1932-client-rs-nonce` (a demand for a nonce is answered
//! at either server).

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use oauth_rs::jose::SigningKey;
use serde_json::json;

use super::client::{Program, Sent, TOKEN_ENDPOINT};
use super::world::*;

fn all_by<'a>(sent: &'a [Sent], scheme: &str) -> impl Iterator<Item = &'a Sent> {
    sent.iter()
        .filter(move |sent| sent.scheme.as_deref() == Some(scheme))
}

/// Each request has a proof, and no proof comes twice.
fn assert_fresh_proofs<'a>(sent: impl Iterator<Item = &'a Sent>) {
    let proofs: Vec<&str> = sent.map(|sent| sent.proof.as_deref().unwrap()).collect();
    assert!(!proofs.is_empty());
    let distinct: HashSet<&str> = proofs.iter().copied().collect();
    assert_eq!(distinct.len(), proofs.len(), "a proof was used twice");
}

fn statuses(sent: &[Sent]) -> Vec<u16> {
    sent.iter().map(|sent| sent.status.as_u16()).collect()
}

#[tokio::test]
async fn both_servers_offer_what_they_honour() {
    let world = World::new();
    let algs = json!(["ES256", "EdDSA", "RS256", "PS256"]);
    for answer in [
        world
            .auth_get("/.well-known/oauth-authorization-server")
            .await,
        world
            .mcp_get("/.well-known/oauth-protected-resource/mcp")
            .await,
    ] {
        assert_eq!(answer.json()["dpop_signing_alg_values_supported"], algs);
        let required = &answer.json()["dpop_bound_access_tokens_required"];
        assert_ne!(required, &json!(true), "bearer tokens are taken as well");
    }
    // A browser may send proofs and read nonces.
    let preflight = http::Request::builder()
        .method("OPTIONS")
        .uri("/mcp")
        .header("origin", "https://app.example")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization, dpop");
    let answer = world.mcp(preflight, "").await;
    let allowed = answer.header("access-control-allow-headers");
    assert!(allowed.to_ascii_lowercase().contains("dpop"), "{allowed:?}");
    let call = json_post("/mcp").header("origin", "https://app.example");
    let answer = world.mcp(call, "{}").await;
    let exposed = answer.header("access-control-expose-headers");
    assert!(
        exposed.to_ascii_lowercase().contains("dpop-nonce"),
        "{exposed:?}"
    );
}

/// `auth/dpop`: `sep-1932-client-token-request-proof`, `sep-1932-client-dpop-auth-scheme`, `sep-1932-client-fresh-proof`.
#[tokio::test]
async fn with_a_key_every_token_is_bound_and_every_request_proves_it() {
    let world = Arc::new(World::as_person("olivia"));
    let program = Program::bound(&world);
    program.call().await;
    let grant = program.grant();
    assert_eq!(
        grant.dpop_jkt.as_deref(),
        program.key.as_ref().map(|key| key.kid())
    );
    let token = program.sent(TOKEN_ENDPOINT);
    assert_eq!(statuses(&token), [200]);
    assert_fresh_proofs(token.iter());
    let calls = program.sent(MCP_URL);
    assert!(
        all_by(&calls, "Bearer").next().is_none(),
        "a bound token was sent as a bearer token"
    );
    assert!(all_by(&calls, "DPoP").all(|sent| sent.status == StatusCode::OK));
    assert_fresh_proofs(all_by(&calls, "DPoP"));

    // Refreshed with the key, and bound as before.
    world.advance(ACCESS_TOKEN_LIFE + Duration::from_secs(1));
    program.call().await;
    let token = program.sent(TOKEN_ENDPOINT);
    assert_eq!(statuses(&token), [200]);
    assert_fresh_proofs(token.iter());
    let renewed = program.grant();
    assert_eq!(renewed.dpop_jkt, grant.dpop_jkt);
    assert_ne!(renewed.access_token.expose(), grant.access_token.expose());
    let calls = program.sent(MCP_URL);
    assert!(calls.iter().all(|sent| sent.status == StatusCode::OK));
    assert_fresh_proofs(calls.iter());
}

/// `auth/dpop-nonce`: the same, `sep-1932-client-as-nonce` and `sep-1932-client-rs-nonce`.
#[tokio::test]
async fn a_demand_for_a_nonce_is_answered_at_both_servers_and_its_change_survived() {
    let world = Arc::new(World::asking_for_nonces("olivia"));
    let program = Program::bound(&world);
    program.call().await;
    let token = program.sent(TOKEN_ENDPOINT);
    assert_eq!(statuses(&token), [400, 200], "asked once, and answered");
    assert_fresh_proofs(token.iter());
    let calls = program.sent(MCP_URL);
    let asked: Vec<u16> = all_by(&calls, "DPoP")
        .map(|sent| sent.status.as_u16())
        .collect();
    let refused = asked.iter().filter(|status| **status == 401).count();
    assert_eq!(refused, 1, "asked once, and answered: {asked:?}");
    assert_fresh_proofs(all_by(&calls, "DPoP"));

    // The nonces change. The answer to the first call brings the new one along, so nobody is asked again.
    world.advance(Duration::from_secs(250));
    program.call().await;
    let first = program.sent(MCP_URL);
    world.advance(Duration::from_secs(200));
    program.call().await;
    let later = program.sent(MCP_URL);
    let news = first.iter().chain(&later);
    assert!(news.clone().all(|sent| sent.status == StatusCode::OK));
    assert!(
        news.clone().any(|sent| sent.nonce.is_some()),
        "the next nonce came along: {first:?} {later:?}"
    );

    // After a long pause every nonce is old, at both.
    let _renewal = program.sent(TOKEN_ENDPOINT);
    world.advance(Duration::from_secs(2_000));
    program.call().await;
    let token = program.sent(TOKEN_ENDPOINT);
    assert_eq!(statuses(&token), [400, 200]);
    assert_fresh_proofs(token.iter());
    let calls = program.sent(MCP_URL);
    assert_eq!(
        calls.iter().filter(|sent| sent.status == 401).count(),
        1,
        "{calls:?}"
    );
    assert_fresh_proofs(calls.iter());
    assert!(program.grant().dpop_jkt.is_some());
}

#[tokio::test]
async fn without_a_key_tokens_are_bearer_tokens_also_where_nonces_are_asked_for() {
    let world = Arc::new(World::asking_for_nonces("olivia"));
    let program = Program::new(&world, None);
    for _ in 0..2 {
        program.call().await;
        assert_eq!(program.grant().dpop_jkt, None);
        let token = program.sent(TOKEN_ENDPOINT);
        assert_eq!(statuses(&token), [200]);
        let calls = program.sent(MCP_URL);
        assert!(all_by(&calls, "Bearer").all(|sent| sent.status == StatusCode::OK));
        assert!(all_by(&calls, "DPoP").next().is_none());
        assert!(token.iter().chain(&calls).all(|sent| sent.proof.is_none()));
        world.advance(ACCESS_TOKEN_LIFE + Duration::from_secs(1));
    }
}

#[tokio::test]
async fn a_grant_from_before_the_key_goes_on_as_it_was() {
    let world = Arc::new(World::as_person("olivia"));
    let before = Program::new(&world, None);
    before.call().await;
    let key = SigningKey::generate_es256().unwrap();
    let after = Program::with(&world, Some(key), Arc::clone(&before.store));
    for _ in 0..2 {
        after.call().await;
        let calls = after.sent(MCP_URL);
        assert!(calls.iter().all(|sent| sent.status == StatusCode::OK));
        assert!(all_by(&calls, "DPoP").next().is_none());
        world.advance(ACCESS_TOKEN_LIFE + Duration::from_secs(1));
    }
    assert_eq!(after.grant().dpop_jkt, None);
}

#[tokio::test]
async fn another_process_with_the_same_store_and_key_uses_the_bound_grant() {
    let world = Arc::new(World::as_person("olivia"));
    let first = Program::bound(&world);
    first.call().await;
    let pkcs8 = first.key.as_ref().unwrap().to_pkcs8().to_vec();
    let same = SigningKey::from_pkcs8(&pkcs8).unwrap();
    let second = Program::with(&world, Some(same), Arc::clone(&first.store));
    world.advance(ACCESS_TOKEN_LIFE + Duration::from_secs(1));
    second.call().await;
    assert_eq!(second.grant().dpop_jkt, first.grant().dpop_jkt);
    assert_eq!(statuses(&second.sent(TOKEN_ENDPOINT)), [200]);
    // Without the key the kept tokens are of no use, and the person signs in again.
    let other = Program::with(
        &world,
        Some(SigningKey::generate_es256().unwrap()),
        Arc::clone(&first.store),
    );
    other.call().await;
    assert_ne!(other.grant().dpop_jkt, first.grant().dpop_jkt);
}
