//! What a stranger may send, and the exact answer: one test for each kind of bad input.
//!
//! The header that does not end is tested with the listener, on its clock.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{Request, StatusCode, header};
use oauth_rs::jose::SigningKey;
use oauth_rs::pkce::CodeVerifier;
use serde_json::{Value, json};

use super::flow::{bearer, refresh};
use super::world::*;

const METADATA: &str = "http://127.0.0.1:3000/.well-known/oauth-protected-resource/mcp";

/// Asserts a 401 `invalid_token` with its challenge, and this description.
async fn refused_token(world: &World, what: &str, token: &str, description: &str) {
    let answer = world.modern(Some(token), "tools/list", json!({})).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{what}");
    assert_eq!(
        answer.header(header::WWW_AUTHENTICATE),
        format!(
            "Bearer error=\"invalid_token\", error_description=\"{description}\", \
             resource_metadata=\"{METADATA}\", scope=\"{BOTH_SCOPES}\""
        ),
        "{what}"
    );
    assert_eq!(
        answer.json(),
        json!({"error": "invalid_token", "error_description": description}),
        "{what}"
    );
}

fn unsigned(header: &Value, claims: &str) -> String {
    format!("{}.{claims}.", URL_SAFE_NO_PAD.encode(header.to_string()))
}

#[tokio::test]
async fn no_token_is_challenged_without_an_error() {
    let world = World::new();
    let answer = world.modern(None, "tools/list", json!({})).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        answer.header(header::WWW_AUTHENTICATE),
        format!("Bearer resource_metadata=\"{METADATA}\", scope=\"{BOTH_SCOPES}\"")
    );
    assert_eq!(answer.text(), "");
}

#[tokio::test]
async fn a_token_that_is_not_good_is_refused() {
    let world = World::new();
    let good = world.minted("at+jwt", |_| {});
    let answer = world.modern(Some(&good), "tools/list", json!({})).await;
    assert_eq!(
        answer.status,
        StatusCode::OK,
        "the valid case: {}",
        answer.text()
    );

    let claims = good.split('.').nth(1).unwrap();
    let stranger = SigningKey::generate_es256().unwrap();
    let now = world.now();
    let cases = [
        (
            "malformed",
            "abc.def".to_owned(),
            "the access token is malformed",
        ),
        (
            "expired",
            world.minted("at+jwt", |t| t["exp"] = json!(now - 120)),
            "the access token has expired",
        ),
        (
            "not yet valid",
            world.minted("at+jwt", |t| t["nbf"] = json!(now + 120)),
            "the access token is not valid yet",
        ),
        (
            "other issuer",
            world.minted("at+jwt", |t| t["iss"] = json!("http://127.0.0.1:9")),
            "the access token was issued by another authorization server",
        ),
        (
            "other audience",
            world.minted("at+jwt", |t| {
                t["aud"] = json!("http://127.0.0.1:3000/mcp-other")
            }),
            "the access token was issued for another resource",
        ),
        (
            "alg none",
            unsigned(&json!({"alg": "none", "typ": "at+jwt"}), claims),
            "the access token is not signed",
        ),
        (
            "unknown key",
            stranger
                .sign("at+jwt", &URL_SAFE_NO_PAD.decode(claims).unwrap())
                .unwrap(),
            "the access token is signed with an unknown key",
        ),
        (
            "wrong signature",
            with_other_signature(&good, &world.minted("at+jwt", |t| t["sub"] = json!("rita"))),
            "the signature of the access token is invalid",
        ),
        (
            "not an access token",
            world.minted("JWT", |_| {}),
            "the token is not an access token",
        ),
    ];
    for (what, token, description) in cases {
        refused_token(&world, what, &token, description).await;
    }
}

/// Asserts the status and the whole body of an answer.
fn exactly(answer: &Answer, status: u16, body: &str, what: &str) {
    assert_eq!(
        (answer.status.as_u16(), answer.text()),
        (status, body),
        "{what}"
    );
}

/// The body of an OAuth error.
fn error(code: &str, description: &str) -> String {
    format!("{{\"error\":\"{code}\",\"error_description\":\"{description}\"}}")
}

/// The body of a JSON-RPC error whose request could not be read.
fn rpc_error(code: i32, message: &str) -> String {
    format!("{{\"jsonrpc\":\"2.0\",\"error\":{{\"code\":{code},\"message\":\"{message}\"}}}}")
}

/// The head and payload of one token with the signature of another.
fn with_other_signature(token: &str, other: &str) -> String {
    let (signed, _) = token.rsplit_once('.').unwrap();
    let (_, signature) = other.rsplit_once('.').unwrap();
    format!("{signed}.{signature}")
}

#[tokio::test]
async fn a_missing_scope_is_a_403_that_names_every_scope_needed() {
    let world = World::as_person("olivia");
    let (_, tokens) = world.signed_in("didit:verification").await;
    let call = json!({"name": "didit_workflow_list", "arguments": {}});
    let answer = world.modern(Some(&tokens.access), "tools/call", call).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(
        answer.header(header::WWW_AUTHENTICATE),
        format!(
            "Bearer error=\"insufficient_scope\", error_description=\"the access token does not \
             have the scope that this operation needs\", \
             resource_metadata=\"{METADATA}\", scope=\"didit:management\""
        )
    );
    let allowed = json!({"name": "didit_session_list", "arguments": {}});
    let answer = world
        .modern(Some(&tokens.access), "tools/call", allowed)
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
}

#[tokio::test]
async fn a_reader_who_writes_gets_a_tool_error_that_names_the_role() {
    let world = World::as_person("rita");
    let (_, tokens) = world.signed_in(BOTH_SCOPES).await;
    let place = super::flow::place(&world, &tokens.access).await;
    let mut create = place.clone();
    create["workflow_label"] = json!("A new one");
    create["features"] = json!([{"feature": "OCR"}]);
    let refused = world
        .call(&tokens.access, "didit_workflow_create", create)
        .await;
    assert_eq!(refused["isError"], true);
    let text = refused["content"][0]["text"].as_str().unwrap();
    assert!(text.starts_with("Error [forbidden]: "), "{text}");
    assert!(text.contains("READER"), "{text}");
}

#[tokio::test]
async fn an_address_that_is_not_registered_gets_a_page_and_never_a_redirect() {
    let world = World::as_person("olivia");
    let client = world.register().await;
    let verifier = CodeVerifier::generate(&world.entropy);
    for address in [
        "https://evil.example/callback",
        "http://127.0.0.1:4711/other",
        "http://127.0.0.1:4711/callback?x=<script>",
        "javascript:alert(1)",
    ] {
        let mut request = world.authorization(&client, &verifier);
        set(&mut request, "redirect_uri", address);
        let answer = world.authorize(&request).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{address}");
        assert!(!answer.headers.contains_key(header::LOCATION), "{address}");
        assert_eq!(
            answer.header(header::CONTENT_TYPE),
            "text/html; charset=utf-8"
        );
        assert!(
            !answer.text().contains("<script>"),
            "nothing is reflected as markup"
        );
    }
    let mut other_port = world.authorization(&client, &verifier);
    set(
        &mut other_port,
        "redirect_uri",
        "http://127.0.0.1:9999/callback",
    );
    let answer = world.authorize(&other_port).await;
    assert!(
        answer
            .header(header::LOCATION)
            .starts_with("http://127.0.0.1:9999/callback?")
    );
}

#[tokio::test]
async fn a_code_used_twice_revokes_everything_from_it() {
    let world = World::as_person("olivia");
    let (client, code, verifier) = world.code(BOTH_SCOPES).await;
    let tokens = tokens(&world.redeem(&client, &code, &verifier).await);
    world
        .call(&tokens.access, "didit_org_list", json!({}))
        .await;

    let again = world.redeem(&client, &code, &verifier).await;
    exactly(
        &again,
        400,
        &error(
            "invalid_grant",
            "the code is unknown, used, expired or of another client",
        ),
        "again",
    );
    refused_token(
        &world,
        "of a replayed code",
        &tokens.access,
        "the access token was revoked",
    )
    .await;
    let answer = refresh(&world, &client, &tokens.refresh).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(answer.json()["error"], "invalid_grant");
}

#[tokio::test]
async fn a_wrong_verifier_is_refused_and_does_not_use_the_code_up() {
    let world = World::as_person("olivia");
    let (client, code, verifier) = world.code(BOTH_SCOPES).await;
    let wrong = CodeVerifier::generate(&world.entropy);
    let answer = world.redeem(&client, &code, &wrong).await;
    let mismatch = "code_verifier does not match the code_challenge";
    exactly(
        &answer,
        400,
        &error("invalid_grant", mismatch),
        "wrong verifier",
    );
    let answer = world.redeem(&client, &code, &verifier).await;
    assert_eq!(
        answer.status,
        StatusCode::OK,
        "the right one still redeems it"
    );
}

#[tokio::test]
async fn an_authorization_request_with_a_fault_goes_back_with_its_error() {
    let world = World::as_person("olivia");
    let client = world.register().await;
    let verifier = CodeVerifier::generate(&world.entropy);
    type Change = fn(&mut Vec<(String, String)>);
    let cases: [(&str, Change, &str); 8] = [
        (
            "plain",
            |r| set(r, "code_challenge_method", "plain"),
            "invalid_request",
        ),
        (
            "no challenge",
            |r| without(r, "code_challenge"),
            "invalid_request",
        ),
        (
            "no method, which means plain",
            |r| without(r, "code_challenge_method"),
            "invalid_request",
        ),
        (
            "short challenge",
            |r| set(r, "code_challenge", "abc"),
            "invalid_request",
        ),
        (
            "unknown resource",
            |r| set(r, "resource", "https://other.example/mcp"),
            "invalid_target",
        ),
        (
            "unknown scope",
            |r| set(r, "scope", "didit:everything"),
            "invalid_scope",
        ),
        (
            "token response",
            |r| set(r, "response_type", "token"),
            "unsupported_response_type",
        ),
        (
            "duplicate",
            |r| r.push(("scope".to_owned(), "didit:verification".to_owned())),
            "invalid_request",
        ),
    ];
    for (what, change, error) in cases {
        let mut request = world.authorization(&client, &verifier);
        change(&mut request);
        let answer = world.authorize(&request).await;
        assert!(
            answer.status.is_redirection(),
            "{what}: {} {}",
            answer.status,
            answer.text()
        );
        assert!(
            answer.header(header::LOCATION).starts_with(CALLBACK),
            "{what}"
        );
        let told = answer.redirected();
        assert_eq!(told.get("error"), Some(error), "{what}");
        assert_eq!(told.get("state"), Some("st-1"), "{what}");
        assert_eq!(told.get("iss"), Some(ISSUER), "{what}");
        assert_eq!(told.get("code"), None, "{what}");
    }
}

#[tokio::test]
async fn an_unknown_resource_at_the_token_endpoint_does_not_use_the_code_up() {
    let world = World::as_person("olivia");
    let (client, code, verifier) = world.code(BOTH_SCOPES).await;
    let answer = world
        .token(&[
            ("grant_type", "authorization_code"),
            ("client_id", &client),
            ("code", &code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", verifier.expose()),
            ("resource", "https://other.example/mcp"),
        ])
        .await;
    exactly(
        &answer,
        400,
        &error("invalid_target", "the resource was not granted"),
        "unknown resource",
    );
    assert_eq!(
        world.redeem(&client, &code, &verifier).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn a_parameter_sent_twice_is_refused_at_the_token_endpoint() {
    let world = World::as_person("olivia");
    let (client, code, verifier) = world.code(BOTH_SCOPES).await;
    let answer = world
        .token(&[
            ("grant_type", "authorization_code"),
            ("client_id", &client),
            ("code", &code),
            ("code", "another"),
            ("redirect_uri", CALLBACK),
            ("code_verifier", verifier.expose()),
        ])
        .await;
    let twice = error("invalid_request", "parameter code occurs more than once");
    exactly(&answer, 400, &twice, "duplicate");
}

#[tokio::test]
async fn a_body_over_its_limit_is_a_413() {
    let world = World::as_person("olivia");
    let (_, tokens) = world.signed_in(BOTH_SCOPES).await;
    let large = "x".repeat(3 * 1024 * 1024);
    let answer = world
        .mcp(bearer(json_post("/mcp"), &tokens.access), large.clone())
        .await;
    exactly(
        &answer,
        413,
        &rpc_error(-32000, "body is longer than 2097152 bytes"),
        "/mcp",
    );
    for path in ["/token", "/revoke"] {
        let answer = world.auth(form_post(path), large.clone()).await;
        let body = error("invalid_request", "the body is longer than 65536 bytes");
        exactly(&answer, 413, &body, path);
    }
    let answer = world.auth(json_post("/register"), large).await;
    let body = error("invalid_request", "the body is longer than 65536 bytes");
    exactly(&answer, 413, &body, "/register");
}

#[tokio::test]
async fn what_is_not_one_json_message_is_refused() {
    let world = World::as_person("olivia");
    let (_, tokens) = world.signed_in(BOTH_SCOPES).await;
    let batch = r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#;
    let not_json = rpc_error(-32700, "body is not JSON");
    let no_batch = rpc_error(-32600, "batches are not part of this revision");
    for (sent, version, body) in [
        ("{\"jsonrpc\":", "2025-11-25", &not_json),
        ("{\"jsonrpc\":", "2026-07-28", &not_json),
        (batch, "2025-06-18", &no_batch),
        (batch, "2025-11-25", &no_batch),
        (batch, "2026-07-28", &no_batch),
        (
            "[]",
            "2025-03-26",
            &rpc_error(-32600, "a batch has 1 to 64 messages"),
        ),
    ] {
        let request =
            bearer(json_post("/mcp"), &tokens.access).header("mcp-protocol-version", version);
        let answer = world.mcp(request, sent.to_owned()).await;
        exactly(&answer, 400, body, &format!("{version} {sent}"));
    }
}

#[tokio::test]
async fn a_wrong_content_type_is_a_415() {
    let world = World::as_person("olivia");
    let (_, tokens) = world.signed_in(BOTH_SCOPES).await;
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonx",
    ] {
        let request = Request::post("/mcp")
            .header(header::CONTENT_TYPE, content_type)
            .header(header::ACCEPT, "application/json, text/event-stream");
        let answer = world.mcp(bearer(request, &tokens.access), "{}").await;
        let body = rpc_error(-32000, "content type must be application/json");
        exactly(&answer, 415, &body, content_type);
    }
    let answer = world.auth(json_post("/token"), "{}").await;
    let body = error(
        "invalid_request",
        "the body has to be application/x-www-form-urlencoded",
    );
    exactly(&answer, 415, &body, "/token");
    let answer = world.auth(form_post("/register"), "{}").await;
    let body = error(
        "invalid_client_metadata",
        "the body has to be application/json",
    );
    exactly(&answer, 415, &body, "/register");
}

#[tokio::test]
async fn host_and_origin_from_elsewhere_are_a_403() {
    let world = World::as_person("olivia");
    let (_, tokens) = world.signed_in(BOTH_SCOPES).await;
    for (name, value) in [
        (header::HOST, "evil.example"),
        (header::HOST, "127.0.0.1.evil.example:3000"),
        (header::ORIGIN, "https://evil.example"),
        (header::ORIGIN, "null"),
    ] {
        let mut request = modern_head(Some(&tokens.access), "tools/list", &json!({}));
        request
            .headers_mut()
            .unwrap()
            .insert(name.clone(), value.parse().unwrap());
        let answer = world
            .mcp(request, modern_body("tools/list", json!({})))
            .await;
        let body = rpc_error(-32000, &format!("{name} is not allowed"));
        exactly(&answer, 403, &body, value);
    }
    for origin in ["http://127.0.0.1:3000", "http://localhost:6274"] {
        let request = modern_head(Some(&tokens.access), "tools/list", &json!({}))
            .header(header::ORIGIN, origin);
        let answer = world
            .mcp(request, modern_body("tools/list", json!({})))
            .await;
        assert_eq!(answer.status, StatusCode::OK, "{origin}");
    }
    let elsewhere = Request::get("/authorize").header(header::HOST, "evil.example");
    let answer = world.auth(elsewhere, "").await;
    exactly(
        &answer,
        403,
        "host is not served here\n",
        "the authorization server as well",
    );
}

#[tokio::test]
async fn a_refresh_token_that_was_rotated_away_ends_the_grant() {
    let world = World::as_person("olivia");
    let (client, first) = world.signed_in(BOTH_SCOPES).await;
    let second = tokens(&refresh(&world, &client, &first.refresh).await);
    world.advance(Duration::from_secs(120));
    let reused = refresh(&world, &client, &first.refresh).await;
    assert_eq!(reused.json()["error"], "invalid_grant");
    let answer = refresh(&world, &client, &second.refresh).await;
    assert_eq!(
        answer.json()["error"],
        "invalid_grant",
        "the thief and the owner both"
    );
    let answer = world
        .modern(Some(&second.access), "tools/list", json!({}))
        .await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
}
