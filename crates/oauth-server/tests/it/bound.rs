//! Tokens that are bound to a key of the client (RFC 9449): which are, to what, and who may not use them.

use oauth_server::event::Event;

use crate::prover::{Prover, bound_to, refusal};
use crate::world::{Browser, REDIRECT, World, authorization, config, pair, redemption, refreshing};

const DAY: u64 = 24 * 60 * 60;

fn no_proof(what: &str) -> (u16, String, String) {
    (
        400,
        "invalid_dpop_proof".to_owned(),
        format!("send a DPoP proof: {what} is bound to a key or asks for it"),
    )
}

fn other_key(what: &str) -> (u16, String, String) {
    (
        400,
        "invalid_grant".to_owned(),
        format!("{what} is bound to another key"),
    )
}

#[tokio::test]
async fn a_proof_binds_every_token_that_comes_of_it() {
    let world = World::new();
    let client = world.register(&[REDIRECT]).await;
    let prover = Prover::new();
    let code = world.code(&client).await;
    let mut answer = prover.redeem(&world, &client, &code).await;
    for _ in 0..3 {
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.json()["token_type"], "DPoP");
        let (access, refresh) = pair(&answer);
        assert_eq!(bound_to(&access).as_deref(), Some(prover.jkt()));
        world.advance(DAY);
        answer = prover.refresh(&world, &client, &refresh).await;
    }
}

#[tokio::test]
async fn without_a_proof_tokens_are_bearer_tokens() {
    let world = World::new();
    let client = world.register(&[REDIRECT]).await;
    let code = world.code(&client).await;
    let form = redemption(&client, &code, &[]);
    let answer = world.post_form("/token", &form).await;
    assert_eq!(answer.json()["token_type"], "Bearer");
    let (access, refresh) = pair(&answer);
    assert_eq!(bound_to(&access), None);
    let answer = world.refresh(&client, &refresh).await;
    assert_eq!(answer.json()["token_type"], "Bearer");
    assert_eq!(bound_to(&pair(&answer).0), None);
}

#[tokio::test]
async fn a_bound_refresh_token_is_of_no_use_to_others_and_is_not_spent_on_them() {
    let world = World::new();
    let client = world.register(&[REDIRECT]).await;
    let (prover, other) = (Prover::new(), Prover::new());
    let (_, first) = prover.tokens(&world, &client).await;
    let (_, second) = pair(&prover.refresh(&world, &client, &first).await);
    let _told = world.told();
    // The current token, the spent one within its overlap, and the spent one when it would end the grant.
    for (token, seconds) in [(&second, 0), (&first, 0), (&first, 60)] {
        world.advance(seconds);
        let answer = world.refresh(&client, token).await;
        assert_eq!(refusal(&answer), no_proof("the refresh token"));
        let answer = other.refresh(&world, &client, token).await;
        assert_eq!(refusal(&answer), other_key("the refresh token"));
    }
    assert_eq!(world.told(), [], "something was spent or ended");
    let answer = prover.refresh(&world, &client, &second).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

#[tokio::test]
async fn reuse_by_the_holder_of_the_key_ends_the_grant() {
    let world = World::new();
    let client = world.register(&[REDIRECT]).await;
    let prover = Prover::new();
    let (_, first) = prover.tokens(&world, &client).await;
    let (_, second) = pair(&prover.refresh(&world, &client, &first).await);
    // Whoever lost the answer makes a new proof and gets the same successor.
    let again = prover.refresh(&world, &client, &first).await;
    assert_eq!(pair(&again).1, second);
    assert_eq!(again.json()["token_type"], "DPoP");
    let _told = world.told();
    world.advance(10);
    let reused = prover.refresh(&world, &client, &first).await;
    assert_eq!(reused.error().1, "invalid_grant");
    assert!(matches!(
        world.told().as_slice(),
        [Event::RefreshTokenReused { .. }, Event::GrantRevoked { .. }]
    ));
    let late = prover.refresh(&world, &client, &second).await;
    assert_eq!(late.error().1, "invalid_grant");
}

#[tokio::test]
async fn a_grant_that_was_not_bound_is_bound_by_the_first_proof() {
    let world = World::new();
    let client = world.register(&[REDIRECT]).await;
    let (_, unbound) = world.tokens(&client).await;
    let prover = Prover::new();
    let answer = prover.refresh(&world, &client, &unbound).await;
    assert_eq!(answer.json()["token_type"], "DPoP");
    let (access, bound) = pair(&answer);
    assert_eq!(bound_to(&access).as_deref(), Some(prover.jkt()));
    // Within the overlap the old token leads to a token that is bound by now.
    for token in [&unbound, &bound] {
        let answer = world.refresh(&client, token).await;
        assert_eq!(refusal(&answer), no_proof("the refresh token"));
        let answer = Prover::new().refresh(&world, &client, token).await;
        assert_eq!(refusal(&answer), other_key("the refresh token"));
    }
    let again = prover.refresh(&world, &client, &unbound).await;
    assert_eq!(pair(&again).1, bound);
    let answer = prover.refresh(&world, &client, &bound).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

#[tokio::test]
async fn a_refresh_that_is_repeated_with_a_proof_is_bound_by_it() {
    let world = World::new();
    let client = world.register(&[REDIRECT]).await;
    let (_, first) = world.tokens(&client).await;
    let (_, second) = pair(&world.refresh(&client, &first).await);
    // The answer was lost, and the client comes again, with a key by now.
    let prover = Prover::new();
    let again = prover.refresh(&world, &client, &first).await;
    assert_eq!(again.json()["token_type"], "DPoP");
    assert_eq!(pair(&again).1, second);
    for token in [&first, &second] {
        let answer = world.refresh(&client, token).await;
        assert_eq!(refusal(&answer), no_proof("the refresh token"));
        let answer = Prover::new().refresh(&world, &client, token).await;
        assert_eq!(refusal(&answer), other_key("the refresh token"));
    }
    let again = prover.refresh(&world, &client, &first).await;
    assert_eq!(pair(&again).1, second);
    let answer = prover.refresh(&world, &client, &second).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

#[tokio::test]
async fn a_code_is_bound_by_the_authorization_request() {
    let world = World::new();
    let client = world.register(&[REDIRECT]).await;
    let prover = Prover::new();
    let query = prover.authorization(&client);
    let answer = Browser::new(&world).allow(&query, "ada").await;
    let code = answer.sent()["code"].clone();
    let _told = world.told();
    let form = redemption(&client, &code, &[]);
    let answer = world.post_form("/token", &form).await;
    assert_eq!(refusal(&answer), no_proof("the code"));
    let answer = Prover::new().redeem(&world, &client, &code).await;
    assert_eq!(refusal(&answer), other_key("the code"));
    assert_eq!(world.told(), [], "the code was spent");
    let answer = prover.redeem(&world, &client, &code).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    // Who comes late with another key does not end the grant that came of the code.
    let answer = Prover::new().redeem(&world, &client, &code).await;
    assert_eq!(refusal(&answer), other_key("the code"));
    let refresh = pair(&prover.redeem_again(&world, &client).await).1;
    let answer = prover.refresh(&world, &client, &refresh).await;
    assert_eq!(answer.status, 200);
}

impl Prover {
    /// A second sign-in by the same key.
    async fn redeem_again(&self, world: &World, client: &str) -> crate::world::Answer {
        let query = self.authorization(client);
        let answer = Browser::new(world).allow(&query, "ada").await;
        let code = answer.sent()["code"].clone();
        self.redeem(world, client, &code).await
    }
}

#[tokio::test]
async fn a_thumbprint_that_is_none_is_told_to_the_client() {
    let world = World::new();
    let client = world.register(&[REDIRECT]).await;
    let jkt = Prover::new().jkt().to_owned();
    let longer = format!("{jkt}A");
    let padded = format!("{jkt}=");
    for bad in ["short", &longer, &padded, &"!".repeat(43)] {
        let query = authorization(&client, &[("dpop_jkt", Some(bad))]);
        let answer = world.get(&format!("/authorize?{query}")).await;
        let sent = answer.sent();
        assert_eq!(sent["error"], "invalid_request", "{bad:?}");
        assert_eq!(
            sent["error_description"], "dpop_jkt is not a SHA-256 thumbprint in base64url",
            "{bad:?}"
        );
    }
    let query = authorization(&client, &[("dpop_jkt", Some(&jkt))]);
    let answer = world
        .get(&format!("/authorize?{query}&dpop_jkt={jkt}"))
        .await;
    assert_eq!(
        answer.sent()["error_description"],
        "parameter dpop_jkt occurs more than once"
    );
    // Where nothing is bound the parameter means nothing.
    let world = World::with(config().without_dpop());
    let client = world.register(&[REDIRECT]).await;
    let query = authorization(&client, &[("dpop_jkt", Some("short"))]);
    let answer = world.get(&format!("/authorize?{query}")).await;
    assert!(answer.header("location").starts_with("/sign-in"));
}

/// A client that takes bound tokens only, by its registration.
async fn register_bound(world: &World) -> crate::world::Answer {
    let body = serde_json::json!({
        "redirect_uris": [REDIRECT],
        "grant_types": ["authorization_code", "refresh_token"],
        "dpop_bound_access_tokens": true,
    });
    world.post_json("/register", &body.to_string()).await
}

#[tokio::test]
async fn a_client_that_registered_so_gets_no_token_without_a_proof() {
    let world = World::new();
    let registered = register_bound(&world).await.json();
    assert_eq!(registered["dpop_bound_access_tokens"], true);
    let client = registered["client_id"].as_str().unwrap();
    let code = world.code(client).await;
    let form = redemption(client, &code, &[]);
    let answer = world.post_form("/token", &form).await;
    assert_eq!(refusal(&answer), no_proof("the client"));
    let prover = Prover::new();
    let answer = prover.redeem(&world, client, &code).await;
    assert_eq!(answer.json()["token_type"], "DPoP");
    let (_, refresh) = pair(&answer);
    let answer = world.refresh(client, &refresh).await;
    assert_eq!(refusal(&answer), no_proof("the client"));
    assert_eq!(prover.refresh(&world, client, &refresh).await.status, 200);
    // Revoking needs a token, and no key.
    let form = oauth_rs::params::encode(&[("client_id", client), ("token", &refresh)]);
    assert_eq!(world.post_form("/revoke", &form).await.status, 200);
}

const DOCUMENT: &str = "https://app.example/client.json";

fn serves(world: &World, bound: bool) {
    let body = serde_json::json!({
        "client_id": DOCUMENT,
        "client_name": "A described client",
        "redirect_uris": [REDIRECT],
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": "none",
        "dpop_bound_access_tokens": bound,
    });
    let answer = (200, "application/json", body.to_string());
    let mut answers = world.documents.answers.lock().unwrap();
    answers.insert(DOCUMENT.to_owned(), answer);
}

#[tokio::test]
async fn a_document_that_says_so_is_heeded_also_when_it_cannot_be_had() {
    let world = World::new();
    serves(&world, true);
    let code = world.code(DOCUMENT).await;
    let form = redemption(DOCUMENT, &code, &[]);
    for is_there in [true, false] {
        if !is_there {
            world.documents.answers.lock().unwrap().clear();
        }
        let answer = world.post_form("/token", &form).await;
        assert_eq!(refusal(&answer), no_proof("the client"), "{is_there}");
    }
    let prover = Prover::new();
    assert_eq!(
        prover.redeem(&world, DOCUMENT, &code).await.json()["token_type"],
        "DPoP"
    );
    // One that says so later is heeded from then on, and takes nothing from whoever has a key.
    serves(&world, false);
    let (_, refresh) = world.tokens(DOCUMENT).await;
    serves(&world, true);
    let form = refreshing(DOCUMENT, &refresh, &[]);
    let answer = world.post_form("/token", &form).await;
    assert_eq!(refusal(&answer), no_proof("the client"));
    let answer = prover.refresh(&world, DOCUMENT, &refresh).await;
    assert_eq!(answer.json()["token_type"], "DPoP");
}

#[tokio::test]
async fn where_nothing_is_bound_nothing_says_otherwise() {
    let world = World::with(config().without_dpop());
    let metadata = world.get("/.well-known/oauth-authorization-server").await;
    let metadata = metadata.json();
    assert!(metadata.get("dpop_signing_alg_values_supported").is_none());
    let client = world.register(&[REDIRECT]).await;
    let code = world.code(&client).await;
    let form = redemption(&client, &code, &[]);
    let answer = world.prove(&form, &["not looked at"]).await;
    assert_eq!(answer.json()["token_type"], "Bearer");
    assert_eq!(bound_to(&pair(&answer).0), None);
    let answer = register_bound(&world).await;
    assert_eq!(
        refusal(&answer),
        (
            400,
            "invalid_client_metadata".to_owned(),
            "dpop_bound_access_tokens: no tokens are bound to keys here".to_owned()
        )
    );
    serves(&world, true);
    let query = authorization(DOCUMENT, &[]);
    let answer = world.get(&format!("/authorize?{query}")).await;
    assert_eq!(answer.status, 400);
    assert!(
        answer.body.contains("no tokens are bound to keys here"),
        "{}",
        answer.body
    );
}
