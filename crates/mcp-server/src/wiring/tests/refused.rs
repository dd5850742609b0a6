//! What a thief of a bound token or refresh token gets: the exact refusal, and nothing that harms its owner.

use std::sync::Arc;

use http::{Method, StatusCode, header};
use oauth_rs::jose::SigningKey;
use serde_json::json;

use super::client::{Broken, Program};
use super::world::*;

const METADATA: &str =
    "resource_metadata=\"http://127.0.0.1:3000/.well-known/oauth-protected-resource/mcp\"";

fn assert_refused(answer: &Answer, error: &str, reason: &str) {
    assert_eq!(answer.reason.as_deref(), Some(reason));
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{reason}");
    assert_eq!(answer.json()["error"], error, "{reason}");
    let challenges = answer.headers.get_all(header::WWW_AUTHENTICATE);
    let challenges: Vec<&str> = challenges
        .iter()
        .map(|value| value.to_str().unwrap())
        .collect();
    let all = challenges.join(", ");
    assert!(all.contains(METADATA), "{all}");
    assert!(all.contains(&format!("error=\"{error}\"")), "{all}");
    assert!(all.contains("DPoP "), "{all}");
    assert!(all.contains("algs=\"ES256 EdDSA RS256 PS256\""), "{all}");
}

#[tokio::test]
async fn a_bound_token_is_refused_to_everybody_but_the_holder_of_its_key() {
    let world = Arc::new(World::as_person("olivia"));
    let program = Program::bound(&world);
    program.call().await;
    let grant = program.grant();
    let token = grant.access_token.expose();
    let right = Broken::not(token);

    let answer = program.raw_call("Bearer", token, &[]).await;
    let bound = "the token is bound to a key (cnf.jkt) and was sent as Bearer";
    assert_refused(&answer, "invalid_token", bound);
    let proof = program.proof(&right);
    let answer = program.raw_call("Bearer", token, &[&proof]).await;
    assert_refused(&answer, "invalid_token", bound);
    let answer = program.raw_call("DPoP", token, &[]).await;
    assert_refused(&answer, "invalid_dpop_proof", "there is no DPoP proof");
    let answer = program.raw_call("DPoP", token, &[&proof, &proof]).await;
    assert_refused(
        &answer,
        "invalid_dpop_proof",
        "there is more than one DPoP header",
    );

    let thief = SigningKey::generate_es256().unwrap();
    let bearer = Arc::new(Program::new(&world, None));
    bearer.call().await;
    let unbound = bearer.grant();
    let unbound = unbound.access_token.expose();
    for (broken, reason) in [
        (
            Broken {
                key: Some(&thief),
                ..right
            },
            "the proof was made with another key than the one bound",
        ),
        (
            Broken {
                method: &Method::GET,
                ..right
            },
            "the proof is for another method",
        ),
        (
            Broken {
                uri: "http://127.0.0.1:3001/mcp",
                ..right
            },
            "the proof is for another address",
        ),
        (
            Broken {
                uri: "http://localhost:3000/mcp",
                ..right
            },
            "the proof is for another address",
        ),
        (
            Broken {
                access_token: None,
                ..right
            },
            "the proof lacks the hash of the access token",
        ),
        (
            Broken {
                access_token: Some(unbound),
                ..right
            },
            "the proof is for another access token",
        ),
        (
            Broken {
                seconds: -61,
                ..right
            },
            "the proof is 61 seconds old",
        ),
        (
            Broken {
                seconds: 31,
                ..right
            },
            "the proof is from 31 seconds in the future",
        ),
    ] {
        let proof = program.proof(&broken);
        let answer = program.raw_call("DPoP", token, &[&proof]).await;
        assert_refused(&answer, "invalid_dpop_proof", reason);
    }

    // A proof is good once, for the owner as well.
    let answer = program.raw_call("DPoP", token, &[&proof]).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let answer = program.raw_call("DPoP", token, &[&proof]).await;
    assert_refused(&answer, "invalid_dpop_proof", "the proof was used before");

    // A bearer token is none of a key, whatever is sent with it.
    let proof = program.proof(&Broken::not(unbound));
    let answer = program.raw_call("DPoP", unbound, &[&proof]).await;
    let reason = "the token was sent as DPoP and is not bound to a key";
    assert_refused(&answer, "invalid_token", reason);

    // None of it has harmed the owner.
    program.call().await;
}

#[tokio::test]
async fn a_bound_refresh_token_is_of_no_use_without_the_key_and_stays_whole() {
    let world = Arc::new(World::as_person("olivia"));
    let program = Program::bound(&world);
    program.call().await;
    let thief = SigningKey::generate_es256().unwrap();
    let right = Broken::not_for_tokens();
    let (error, description) = ("error", "error_description");

    let answer = program.raw_refresh(&[]).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(
        answer.json(),
        json!({
            error: "invalid_dpop_proof",
            description: "send a DPoP proof: the refresh token is bound to a key or asks for it",
        })
    );
    let proof = program.proof(&Broken {
        key: Some(&thief),
        ..right
    });
    let answer = program.raw_refresh(&[&proof]).await;
    assert_eq!(
        answer.json(),
        json!({error: "invalid_grant", description: "the refresh token is bound to another key"})
    );
    let proof = program.proof(&Broken {
        uri: MCP_URL,
        ..right
    });
    let answer = program.raw_refresh(&[&proof]).await;
    assert_eq!(
        answer.json(),
        json!({error: "invalid_dpop_proof", description: "the proof is for another address"})
    );

    // The family is whole: the owner refreshes, and what came of it is good.
    world.advance(ACCESS_TOKEN_LIFE);
    program.call().await;
    assert!(program.grant().dpop_jkt.is_some());
}
