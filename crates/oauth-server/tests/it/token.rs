//! The token endpoint with a code: what is issued, and every refusal with what it leaves behind.

use http::header;
use http_body_util::Full;
use oauth_rs::jose::jwt::AccessTokenClaims;
use oauth_rs::jose::{Alg, AlgSet, JwkSet, Jws};
use oauth_server::event::Event;

use crate::world::{
    ISSUER, OTHER_RESOURCE, REDIRECT, RESOURCE, START, VERIFIER, World, pair, redemption, request,
};

async fn claims(world: &World, token: &str) -> AccessTokenClaims<'static> {
    let set = JwkSet::parse(world.get("/jwks").await.body.as_bytes()).unwrap();
    let jws = Jws::parse(token).unwrap();
    assert_eq!(jws.header().typ.as_deref(), Some("at+jwt"));
    assert_eq!(jws.header().alg(), Some(Alg::Es256));
    let kid = jws.header().kid.clone();
    let key = set.find(kid.as_deref(), Alg::Es256).next().unwrap();
    let verified = jws.verify(key, AlgSet::DEFAULT).unwrap();
    AccessTokenClaims::parse(verified.payload())
        .unwrap()
        .into_owned()
}

#[tokio::test]
async fn a_code_becomes_tokens() {
    let world = World::new();
    let client = world.register(&[REDIRECT]).await;
    let code = world.code(&client).await;
    let answer = world
        .post_form("/token", &redemption(&client, &code, &[]))
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("pragma"), "no-cache");
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    let body = answer.json();
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["expires_in"], 600);
    assert_eq!(body["scope"], "didit:management didit:verification");
    let (access, refresh) = pair(&answer);
    assert_eq!(refresh.len(), 43);
    let claims = claims(&world, &access).await;
    assert_eq!(claims.iss, ISSUER);
    assert_eq!(claims.sub, "ada");
    assert_eq!(claims.aud, [RESOURCE]);
    assert_eq!(claims.client_id, client);
    assert_eq!((claims.iat.0, claims.exp.0), (START, START + 600));
    assert_eq!(
        claims.scope.as_deref(),
        Some("didit:management didit:verification")
    );
    assert_eq!(claims.jti.len(), 22);
    let grant_id = claims.grant_id.unwrap().into_owned();
    assert!(world.told().contains(&Event::CodeRedeemed {
        client_id: client,
        grant_id
    }));
}

#[tokio::test]
async fn each_refusal_leaves_the_code_whole() {
    let world = World::new();
    let client = world.register(&[REDIRECT]).await;
    let other = world.register(&[REDIRECT]).await;
    let code = world.code(&client).await;
    let _told = world.told();
    let grant = "invalid_grant";
    let request = "invalid_request";
    let wrong = VERIFIER.replace("jXk", "jXl");
    let cases: &[(&str, Option<&str>, u16, &str)] = &[
        ("grant_type", None, 400, request),
        (
            "grant_type",
            Some("password"),
            400,
            "unsupported_grant_type",
        ),
        ("client_id", None, 400, request),
        ("client_id", Some("nobody"), 401, "invalid_client"),
        ("client_id", Some(&other), 400, grant),
        ("client_secret", Some("x"), 401, "invalid_client"),
        ("client_assertion", Some("x"), 401, "invalid_client"),
        ("code", None, 400, request),
        ("code", Some(""), 400, request),
        ("code", Some("AAAA"), 400, grant),
        (
            "redirect_uri",
            Some("http://127.0.0.1:4712/callback"),
            400,
            grant,
        ),
        (
            "redirect_uri",
            Some("http://127.0.0.1:4711/other"),
            400,
            grant,
        ),
        ("code_verifier", None, 400, grant),
        ("code_verifier", Some("short"), 400, grant),
        ("code_verifier", Some(&wrong), 400, grant),
        (
            "resource",
            Some("https://evil.example"),
            400,
            "invalid_target",
        ),
        ("resource", Some(OTHER_RESOURCE), 400, "invalid_target"),
    ];
    for (name, value, status, error) in cases {
        let form = redemption(&client, &code, &[(name, *value)]);
        let answer = world.post_form("/token", &form).await;
        assert_eq!(
            answer.error(),
            (*status, (*error).to_owned()),
            "{name} {value:?}"
        );
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("pragma"), "no-cache");
    }
    let twice = format!("{}&code_verifier=x", redemption(&client, &code, &[]));
    let answer = world.post_form("/token", &twice).await;
    assert_eq!(
        answer.body,
        r#"{"error":"invalid_request","error_description":"parameter code_verifier occurs more than once"}"#
    );
    assert_eq!(world.told(), []);
    let form = redemption(
        &client,
        &code,
        &[("redirect_uri", None), ("resource", None)],
    );
    assert_eq!(world.post_form("/token", &form).await.status, 200);
}

#[tokio::test]
async fn a_code_used_twice_ends_everything_that_came_of_it() {
    let world = World::new();
    let client = world.register(&[REDIRECT]).await;
    let code = world.code(&client).await;
    let first = world
        .post_form("/token", &redemption(&client, &code, &[]))
        .await;
    let (access, refresh) = pair(&first);
    let grant_id = claims(&world, &access).await.grant_id.unwrap().into_owned();
    let _told = world.told();

    let wrong = VERIFIER.replace("jXk", "jXl");
    let form = redemption(&client, &code, &[("code_verifier", Some(&wrong))]);
    assert_eq!(
        world.post_form("/token", &form).await.error().1,
        "invalid_grant"
    );
    assert_eq!(world.told(), [], "a wrong verifier ended the grant");

    let second = world
        .post_form("/token", &redemption(&client, &code, &[]))
        .await;
    assert_eq!(second.status, 400);
    assert_eq!(
        second.body,
        r#"{"error":"invalid_grant","error_description":"the code is unknown, used, expired or of another client"}"#
    );
    assert_eq!(
        world.told(),
        [
            Event::CodeReplayed {
                client_id: client.clone(),
                grant_id: grant_id.clone()
            },
            Event::GrantRevoked {
                grant_id,
                access_tokens_until: oauth_rs::time::UnixSeconds(START + 600),
            },
        ]
    );
    assert_eq!(
        world.refresh(&client, &refresh).await.error(),
        (400, "invalid_grant".to_owned())
    );
    let third = world
        .post_form("/token", &redemption(&client, &code, &[]))
        .await;
    assert_eq!(third.error().1, "invalid_grant");
    assert_eq!(world.told(), [], "a grant was ended twice");
}

#[tokio::test]
async fn a_code_lasts_a_minute() {
    let world = World::new();
    let client = world.register(&[REDIRECT]).await;
    let (in_time, late) = (world.code(&client).await, world.code(&client).await);
    world.advance(59);
    let answer = world
        .post_form("/token", &redemption(&client, &in_time, &[]))
        .await;
    assert_eq!(answer.status, 200);
    world.advance(1);
    let answer = world
        .post_form("/token", &redemption(&client, &late, &[]))
        .await;
    assert_eq!(answer.error(), (400, "invalid_grant".to_owned()));
}

#[tokio::test]
async fn a_public_client_has_no_password() {
    let world = World::new();
    let client = world.register(&[REDIRECT]).await;
    let code = world.code(&client).await;
    let post = |form: String| {
        request("POST", "/token")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::AUTHORIZATION, "Basic eDp5")
            .body(Full::from(form))
            .unwrap()
    };
    let answer = world.call(post(redemption(&client, &code, &[]))).await;
    assert_eq!(answer.error(), (401, "invalid_client".to_owned()));
    assert_eq!(answer.header("www-authenticate"), "Basic realm=\"oauth\"");
    let both = redemption(&client, &code, &[("client_secret", Some("y"))]);
    let answer = world.call(post(both)).await;
    assert_eq!(answer.error(), (400, "invalid_request".to_owned()));
}

#[tokio::test]
async fn a_client_that_did_not_ask_for_refreshing_gets_no_refresh_token() {
    let world = World::new();
    let body = format!(r#"{{"redirect_uris":["{REDIRECT}"]}}"#);
    let client = world.post_json("/register", &body).await.json()["client_id"].clone();
    let client = client.as_str().unwrap();
    let code = world.code(client).await;
    let answer = world
        .post_form("/token", &redemption(client, &code, &[]))
        .await;
    assert!(answer.json().get("refresh_token").is_none());
    assert_eq!(
        world.refresh(client, "x").await.error(),
        (400, "unauthorized_client".to_owned())
    );
}

#[tokio::test]
async fn nobody_acts_for_a_person_who_is_gone() {
    let world = World::new();
    let client = world.register(&[REDIRECT]).await;
    let code = world.code(&client).await;
    let (_, refresh) = world.tokens(&client).await;
    let ada = world.people.0.lock().unwrap().remove(0);
    assert_eq!(ada.id, "ada");
    let _told = world.told();
    let gone = (400, "invalid_grant".to_owned());
    let form = redemption(&client, &code, &[]);
    assert_eq!(world.post_form("/token", &form).await.error(), gone);
    assert_eq!(world.refresh(&client, &refresh).await.error(), gone);
    assert_eq!(world.told(), []);
    world.people.0.lock().unwrap().push(ada);
    assert_eq!(world.post_form("/token", &form).await.status, 200);
    assert_eq!(world.refresh(&client, &refresh).await.status, 200);
}
