//! Proofs at the token endpoint (RFC 9449 section 4.3): each rule, replay, nonces, and what browsers may read.

use http::{Method, header};
use http_body_util::Full;
use oauth_rs::jose::dpop::{Nonces, Rules};
use oauth_rs::jose::{AlgSet, SigningKey};
use oauth_server::config::InvalidConfig;
use oauth_server::event::Event;

use crate::prover::{Prover, proved, refusal};
use crate::world::{
    ISSUER, REDIRECT, RESOURCE, World, config, configured, pair, refreshing, request,
};

fn invalid(why: &str) -> (u16, String, String) {
    (400, "invalid_dpop_proof".to_owned(), why.to_owned())
}

#[tokio::test]
async fn each_broken_proof_is_refused_and_spends_nothing() {
    let world = World::new();
    let client = world.register(&[REDIRECT]).await;
    let prover = Prover::new();
    let (_, refresh) = prover.tokens(&world, &client).await;
    let _told = world.told();
    let endpoint = format!("{ISSUER}/token");
    let post = |uri: &str, seconds| prover.proof_for(&world, &Method::POST, uri, seconds);
    let proof = prover.proof(&world);
    let (signed, _) = proof.rsplit_once('.').unwrap();
    let untyped = prover.key.sign_with_jwk("jwt", b"{}").unwrap();
    let bare = prover.key.sign("dpop+jwt", b"{}").unwrap();
    let other = Prover::new().proof(&world);
    let (_, signature) = other.rsplit_once('.').unwrap();
    let cases: &[(&[&str], &str)] = &[
        (&[&proof, &proof], "there is more than one DPoP header"),
        (&[&proof, "x"], "there is more than one DPoP header"),
        (&["caf\u{e9}"], "the DPoP header is not text"),
        (
            &[""],
            "the proof is not a signed token: not three parts separated by dots",
        ),
        (
            &[signed],
            "the proof is not a signed token: not three parts separated by dots",
        ),
        (&[&untyped], "the type of the proof is not dpop+jwt"),
        (&[&bare], "there is no key in the header of the proof"),
        (
            &[&format!("{signed}.{signature}")],
            "the signature of the proof is wrong: the signature does not verify",
        ),
        (
            &[&prover.proof_for(&world, &Method::GET, &endpoint, 0)],
            "the proof is for another method",
        ),
        (&[&post(RESOURCE, 0)], "the proof is for another address"),
        (
            &[&post(&format!("{endpoint}/"), 0)],
            "the proof is for another address",
        ),
        (
            &[&post("http://localhost:3001/token", 0)],
            "the proof is for another address",
        ),
        (&[&post(&endpoint, -61)], "the proof is 61 seconds old"),
        (
            &[&post(&endpoint, 31)],
            "the proof is from 31 seconds in the future",
        ),
    ];
    let form = refreshing(&client, &refresh, &[]);
    for (proofs, why) in cases {
        let answer = world.prove(&form, proofs).await;
        assert_eq!(refusal(&answer), invalid(why), "{proofs:?}");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    assert_eq!(world.told(), []);
    let edge = [post(&endpoint, -60), post(&endpoint, 30)];
    let mut token = refresh;
    for proof in edge {
        let answer = world
            .prove(&refreshing(&client, &token, &[]), &[&proof])
            .await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        token = pair(&answer).1;
    }
}

#[tokio::test]
async fn the_address_is_the_configured_one_whatever_the_request_says() {
    let world = World::with(config().dangerous_allow_any_host());
    let client = world.register(&[REDIRECT]).await;
    let prover = Prover::new();
    let (_, refresh) = prover.tokens(&world, &client).await;
    let form = refreshing(&client, &refresh, &[]);
    let elsewhere = "http://evil.example/token";
    let proof = prover.proof_for(&world, &Method::POST, elsewhere, 0);
    let mut call = proved(&form, &[&proof]);
    let host = "evil.example".parse().unwrap();
    call.headers_mut().insert(header::HOST, host);
    *call.uri_mut() = elsewhere.parse().unwrap();
    let answer = world.call(call).await;
    assert_eq!(
        refusal(&answer),
        invalid("the proof is for another address")
    );
    // An issuer with a path has its endpoint under it.
    let world = World::with(configured("http://127.0.0.1:3001/t1"));
    for (path, refused) in [("/token", true), ("/t1/token", false)] {
        let proof = prover.proof_for(
            &world,
            &Method::POST,
            &format!("http://127.0.0.1:3001{path}"),
            0,
        );
        let form = refreshing("nobody", "x", &[]);
        let call = request("POST", "/t1/token")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("dpop", proof)
            .body(Full::from(form))
            .unwrap();
        let answer = world.call(call).await;
        assert_eq!(answer.error().1 == "invalid_dpop_proof", refused, "{path}");
    }
}

#[tokio::test]
async fn a_request_that_is_sent_again_changes_nothing() {
    let world = World::new();
    let client = world.register(&[REDIRECT]).await;
    let prover = Prover::new();
    let code = world.code(&client).await;
    let replayed = invalid("the proof was used before: make a new one for each request");
    // A code, whose second use would end the grant.
    let form = crate::world::redemption(&client, &code, &[]);
    let proof = prover.proof(&world);
    let answer = world.prove(&form, &[&proof]).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let (_, first) = pair(&answer);
    let _told = world.told();
    assert_eq!(refusal(&world.prove(&form, &[&proof]).await), replayed);
    // A refresh, whose repetition would be answered, and later end the grant.
    let form = refreshing(&client, &first, &[]);
    let proof = prover.proof(&world);
    let (_, second) = pair(&world.prove(&form, &[&proof]).await);
    assert!(matches!(world.told().as_slice(), [Event::Refreshed { .. }]));
    for seconds in [0, 9, 20] {
        world.advance(seconds);
        assert_eq!(refusal(&world.prove(&form, &[&proof]).await), replayed);
    }
    world.advance(60);
    let late = world.prove(&form, &[&proof]).await;
    assert_eq!(refusal(&late), invalid("the proof is 89 seconds old"));
    assert_eq!(world.told(), []);
    // A proof that was refused for another reason is not used up by it.
    let proof = prover.proof(&world);
    let wide = refreshing(&client, &second, &[("scope", Some("other"))]);
    assert_eq!(
        world.prove(&wide, &[&proof]).await.error().1,
        "invalid_scope"
    );
    let form = refreshing(&client, &second, &[]);
    assert_eq!(world.prove(&form, &[&proof]).await.status, 200);
}

#[tokio::test]
async fn a_nonce_is_asked_for_handed_out_and_changed_in_time() {
    let world = World::with(config().dpop_nonces(Nonces::new([5; 32])));
    let client = world.register(&[REDIRECT]).await;
    let mut prover = Prover::new();
    let code = world.code(&client).await;
    let _told = world.told();
    let asked = prover.redeem(&world, &client, &code).await;
    let missing = "the proof lacks the nonce of this server";
    assert_eq!(
        refusal(&asked),
        (400, "use_dpop_nonce".to_owned(), missing.to_owned())
    );
    assert_eq!(world.told(), [], "the code was spent");
    prover.nonce = Some(asked.header("dpop-nonce").to_owned());
    let answer = prover.redeem(&world, &client, &code).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.header("dpop-nonce"), "", "it has the current one");
    let (_, refresh) = pair(&answer);
    // In the next slot it is still good, and the next one comes with the answer.
    world.advance(300);
    let answer = prover.refresh(&world, &client, &refresh).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let next = answer.header("dpop-nonce").to_owned();
    assert!(!next.is_empty() && Some(&next) != prover.nonce.as_ref());
    let (_, refresh) = pair(&answer);
    // A slot later it is not, and neither is one that somebody made up.
    world.advance(300);
    let old = "the nonce of the proof is not a current one of this server";
    for nonce in [prover.nonce.clone(), Some("made up".to_owned())] {
        prover.nonce = nonce;
        let answer = prover.refresh(&world, &client, &refresh).await;
        assert_eq!(
            refusal(&answer),
            (400, "use_dpop_nonce".to_owned(), old.to_owned())
        );
    }
    prover.nonce = Some(next);
    let answer = prover.refresh(&world, &client, &refresh).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(!answer.header("dpop-nonce").is_empty());
    // Who has no key needs no nonce.
    let _tokens = world.tokens(&client).await;
}

#[tokio::test]
async fn only_the_algorithms_that_are_offered_are_taken() {
    let rules = |algorithms| Rules {
        algorithms,
        ..Rules::default()
    };
    let none = config().dpop(rules(AlgSet::NONE)).unwrap_err();
    assert_eq!(none, InvalidConfig::NoProofAlgorithm);
    let only = AlgSet::NONE.with(oauth_rs::jose::Alg::EdDsa);
    let world = World::with(config().dpop(rules(only)).unwrap());
    let metadata = world.get("/.well-known/oauth-authorization-server").await;
    assert_eq!(
        metadata.json()["dpop_signing_alg_values_supported"],
        serde_json::json!(["EdDSA"])
    );
    let client = world.register(&[REDIRECT]).await;
    let code = world.code(&client).await;
    let answer = Prover::new().redeem(&world, &client, &code).await;
    let why = "the algorithm of the proof is not accepted";
    assert_eq!(refusal(&answer), invalid(why));
    let edwards = Prover {
        key: SigningKey::generate_ed25519().unwrap(),
        nonce: None,
    };
    let answer = edwards.redeem(&world, &client, &code).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

#[tokio::test]
async fn scripts_may_send_proofs_and_read_nonces() {
    let world = World::with(config().dpop_nonces(Nonces::new([5; 32])));
    let client = world.register(&[REDIRECT]).await;
    let preflight = request("OPTIONS", "/token")
        .header(header::ORIGIN, "https://app.example")
        .header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST")
        .header(header::ACCESS_CONTROL_REQUEST_HEADERS, "dpop")
        .body(Full::default())
        .unwrap();
    let answer = world.call(preflight).await;
    // The star allows every header but Authorization, where no cookies are sent.
    assert_eq!(
        answer.header("access-control-allow-headers"),
        "*, authorization"
    );
    let form = refreshing(&client, "x", &[]);
    let mut call = proved(&form, &[&Prover::new().proof(&world)]);
    let origin = "https://app.example".parse().unwrap();
    call.headers_mut().insert(header::ORIGIN, origin);
    let answer = world.call(call).await;
    assert!(!answer.header("dpop-nonce").is_empty());
    let exposed = answer.header("access-control-expose-headers");
    assert_eq!(exposed, "WWW-Authenticate, DPoP-Nonce, Retry-After");
}
