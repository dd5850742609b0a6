//! Whatever the authorization server takes back counts at the next request, also for a token that was verified before.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use oauth_rs::params::encode;
use serde_json::{Value, json};

use super::client::{Broken, Program};
use super::flow::refresh;
use super::world::*;

async fn status(world: &World, token: &str) -> (StatusCode, Option<String>) {
    let answer = world.modern(Some(token), "tools/list", json!({})).await;
    (answer.status, answer.reason)
}

fn good() -> (StatusCode, Option<String>) {
    (StatusCode::OK, None)
}

fn revoked() -> (StatusCode, Option<String>) {
    (StatusCode::UNAUTHORIZED, Some("revoked".to_owned()))
}

/// Two people's programs have tokens, and the guard remembers both.
async fn remembered(world: &World) -> [(String, Tokens); 2] {
    let both = [
        world.signed_in(BOTH_SCOPES).await,
        world.signed_in(BOTH_SCOPES).await,
    ];
    for (_, tokens) in &both {
        for _ in 0..2 {
            assert_eq!(status(world, &tokens.access).await, good());
        }
    }
    assert_eq!(world.verified.len(), 2, "the tokens are remembered");
    both
}

async fn revoke(world: &World, client: &str, token: &str) {
    let form = encode(&[("token", token), ("client_id", client)]);
    let answer = world.auth(form_post("/revoke"), form).await;
    assert_eq!(answer.status, StatusCode::OK);
}

fn grant_id(access_token: &str) -> String {
    use base64::Engine as _;
    let payload = access_token.split('.').nth(1).unwrap();
    let payload = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(payload)
        .unwrap();
    let claims: Value = serde_json::from_slice(&payload).unwrap();
    claims["grant_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_revoked_access_token_is_refused_and_the_grant_goes_on() {
    let world = World::as_person("olivia");
    let [(client, held), (_, other)] = remembered(&world).await;
    revoke(&world, &client, &held.access).await;
    assert_eq!(status(&world, &held.access).await, revoked());
    let next = tokens(&refresh(&world, &client, &held.refresh).await);
    assert_eq!(status(&world, &next.access).await, good());
    assert_eq!(status(&world, &held.access).await, revoked());
    assert_eq!(status(&world, &other.access).await, good());
}

#[tokio::test]
async fn a_revoked_refresh_token_takes_every_access_token_of_its_grant_along() {
    let world = World::as_person("olivia");
    let [(client, first), (_, other)] = remembered(&world).await;
    let second = tokens(&refresh(&world, &client, &first.refresh).await);
    assert_eq!(status(&world, &second.access).await, good());
    revoke(&world, &client, &second.refresh).await;
    for token in [&first.access, &second.access] {
        assert_eq!(status(&world, token).await, revoked());
    }
    assert_eq!(status(&world, &other.access).await, good());
}

#[tokio::test]
async fn a_reused_refresh_token_ends_what_its_thief_and_its_owner_have() {
    let world = World::as_person("olivia");
    let [(client, first), (_, other)] = remembered(&world).await;
    let second = tokens(&refresh(&world, &client, &first.refresh).await);
    world.advance(Duration::from_secs(60));
    let reused = refresh(&world, &client, &first.refresh).await;
    assert_eq!(reused.status, StatusCode::BAD_REQUEST);
    for token in [&first.access, &second.access] {
        assert_eq!(status(&world, token).await, revoked());
    }
    assert_eq!(status(&world, &other.access).await, good());
}

#[tokio::test]
async fn a_replayed_code_ends_what_came_of_it() {
    let world = World::as_person("olivia");
    let (client, code, verifier) = world.code(BOTH_SCOPES).await;
    let held = tokens(&world.redeem(&client, &code, &verifier).await);
    assert_eq!(status(&world, &held.access).await, good());
    let replayed = world.redeem(&client, &code, &verifier).await;
    assert_eq!(replayed.status, StatusCode::BAD_REQUEST);
    assert_eq!(status(&world, &held.access).await, revoked());
}

#[tokio::test]
async fn a_consent_that_is_withdrawn_counts_at_the_next_request() {
    let world = World::as_person("olivia");
    let [(client, held), (_, other)] = remembered(&world).await;
    let grant_id = grant_id(&held.access);
    assert!(world.issuer.withdraw(&grant_id).await.unwrap());
    assert_eq!(status(&world, &held.access).await, revoked());
    assert_eq!(status(&world, &other.access).await, good());
    let answer = refresh(&world, &client, &held.refresh).await;
    assert_eq!(answer.json()["error"], "invalid_grant");
}

#[tokio::test]
async fn a_bound_token_that_is_revoked_is_refused_with_its_proof() {
    let world = Arc::new(World::as_person("olivia"));
    let program = Program::bound(&world);
    program.call().await;
    let grant = program.grant();
    let token = grant.access_token.expose();
    assert!(world.issuer.withdraw(&grant_id(token)).await.unwrap());
    let proof = program.proof(&Broken::not(token));
    let answer = program.raw_call("DPoP", token, &[&proof]).await;
    assert_eq!((answer.status, answer.reason.clone()), revoked());
    assert_eq!(answer.json()["error"], "invalid_token");
    // Our client finds out, and the person signs in again.
    program.call().await;
    assert_ne!(program.grant().access_token.expose(), token);
}

#[tokio::test]
async fn nothing_that_was_revoked_comes_back_with_a_restart() {
    let world = World::as_person("olivia");
    let [(client, held), (other_client, other)] = remembered(&world).await;
    revoke(&world, &client, &held.refresh).await;
    world.advance(Duration::from_secs(5));
    let world = world.restarted();
    assert_eq!(status(&world, &held.access).await, revoked());
    let answer = refresh(&world, &client, &held.refresh).await;
    assert_eq!(answer.json()["error"], "invalid_grant");
    // Which tokens those were is not known any more, so the others are renewed once.
    assert_eq!(status(&world, &other.access).await, revoked());
    let answer = refresh(&world, &other_client, &other.refresh).await;
    let renewed = tokens(&answer);
    assert_eq!(status(&world, &renewed.access).await, good());
}
