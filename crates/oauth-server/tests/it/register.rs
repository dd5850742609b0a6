//! Registration: what is registered, and every refusal by field.

use serde_json::json;

use crate::world::{START, World};

#[tokio::test]
async fn everything_that_was_registered_is_told() {
    let world = World::new();
    let body = json!({
        "client_name": "A client",
        "redirect_uris": ["http://localhost:3334/cb", "cursor://anysphere.cursor-mcp/cb"],
        "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
        "scope": "didit:management unheard-of",
        "application_type": "native",
        "client_id": "mine",
        "unknown": { "member": true },
    });
    let answer = world.post_json("/register", &body.to_string()).await;
    assert_eq!(answer.status, 201);
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    let mut registered = answer.json();
    let id = registered["client_id"].take();
    assert!(id.as_str().is_some_and(|id| id.len() == 22), "{id}");
    assert_eq!(
        registered,
        json!({
            "client_id": null,
            "client_id_issued_at": START,
            "client_name": "A client",
            "redirect_uris": ["http://localhost:3334/cb", "cursor://anysphere.cursor-mcp/cb"],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
            "scope": "didit:management",
            "application_type": "native",
        })
    );
}

#[tokio::test]
async fn a_client_that_asks_for_a_secret_gets_none_and_is_told() {
    let world = World::new();
    for method in ["client_secret_basic", "client_secret_post", "none"] {
        let body = json!({
            "redirect_uris": ["https://c.example/cb"],
            "token_endpoint_auth_method": method,
        });
        let answer = world.post_json("/register", &body.to_string()).await;
        assert_eq!(answer.status, 201);
        assert_eq!(answer.json()["token_endpoint_auth_method"], "none");
        assert!(answer.json().get("client_secret").is_none());
        assert_eq!(answer.json()["grant_types"], json!(["authorization_code"]));
    }
}

#[tokio::test]
async fn each_refusal_names_its_field() {
    let world = World::new();
    let uri = "invalid_redirect_uri";
    let metadata = "invalid_client_metadata";
    for (body, code, field) in [
        ("{}", uri, "redirect_uris"),
        (r#"{"redirect_uris":[]}"#, uri, "redirect_uris"),
        (
            r#"{"redirect_uris":["javascript:alert(1)"]}"#,
            uri,
            "redirect_uris",
        ),
        (
            r#"{"redirect_uris":["data:text/html,x"]}"#,
            uri,
            "redirect_uris",
        ),
        (
            r#"{"redirect_uris":["http://c.example/cb"]}"#,
            uri,
            "redirect_uris",
        ),
        (
            r#"{"redirect_uris":["https://c.example/cb#f"]}"#,
            uri,
            "redirect_uris",
        ),
        (
            r#"{"redirect_uris":["https://u@c.example/cb"]}"#,
            uri,
            "redirect_uris",
        ),
        (
            r#"{"redirect_uris":["https://*.example/cb"]}"#,
            uri,
            "redirect_uris",
        ),
        (
            r#"{"redirect_uris":["http://2130706433/cb"]}"#,
            uri,
            "redirect_uris",
        ),
        (
            r#"{"redirect_uris":["http://127.0.0.1/cb"],"application_type":"web"}"#,
            uri,
            "redirect_uris",
        ),
        (
            r#"{"redirect_uris":["https://c.example/cb"],"token_endpoint_auth_method":"private_key_jwt"}"#,
            metadata,
            "token_endpoint_auth_method",
        ),
        (
            r#"{"redirect_uris":["https://c.example/cb"],"grant_types":["client_credentials"]}"#,
            metadata,
            "grant_types",
        ),
        (
            r#"{"redirect_uris":["https://c.example/cb"],"client_name":"a\u202eb"}"#,
            metadata,
            "client_name",
        ),
        ("[]", metadata, "document"),
        ("not JSON", metadata, "document"),
    ] {
        let answer = world.post_json("/register", body).await;
        assert_eq!(answer.error(), (400, code.to_owned()), "{body}");
        let description = answer.json()["error_description"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(
            description.starts_with(&format!("{field}: ")),
            "{body}: {description}"
        );
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    assert_eq!(world.told(), []);
}

#[tokio::test]
async fn only_json_is_read() {
    let world = World::new();
    let answer = world.post_form("/register", "redirect_uris=x").await;
    assert_eq!(answer.error(), (415, "invalid_client_metadata".to_owned()));
}

#[tokio::test]
async fn a_registration_that_nobody_uses_lapses_and_a_used_one_stays() {
    let world = World::new();
    let unused = world.register(&[crate::world::REDIRECT]).await;
    let used = world.register(&[crate::world::REDIRECT]).await;
    let _tokens = world.tokens(&used).await;
    world.advance(7 * 24 * 60 * 60);
    let query = |client: &str| format!("/authorize?{}", crate::world::authorization(client, &[]));
    assert_eq!(world.get(&query(&unused)).await.status, 400);
    assert_eq!(world.get(&query(&used)).await.status, 303);
}

#[tokio::test]
async fn so_many_register_in_a_minute_and_no_more() {
    let mut config = crate::world::config();
    config.registrations_per_minute = 2;
    let world = World::with(config);
    // What is refused counts for nothing.
    for _ in 0..3 {
        assert_eq!(world.post_json("/register", "{}").await.status, 400);
    }
    let _first = world.register(&[crate::world::REDIRECT]).await;
    let _second = world.register(&[crate::world::REDIRECT]).await;
    let _told = world.told();
    let body = r#"{"redirect_uris":["http://127.0.0.1/cb"]}"#;
    let answer = world.post_json("/register", body).await;
    assert_eq!(
        (answer.status.as_u16(), answer.body.as_str()),
        (
            429,
            r#"{"error":"temporarily_unavailable","error_description":"too many clients registered just now: try again later"}"#
        )
    );
    assert_eq!(answer.header("retry-after"), "60");
    assert_eq!(world.told(), []);
    world.advance(60);
    let _third = world.register(&[crate::world::REDIRECT]).await;
}

#[tokio::test]
async fn addresses_have_a_bound_in_all() {
    let world = World::new();
    let of = |length: usize| {
        let start = "https://c.example/";
        format!("{start}{}", "a".repeat(length - start.len()))
    };
    let body = |uris: &[String]| json!({ "redirect_uris": uris }).to_string();
    let answer = world
        .post_json("/register", &body(&[of(2048), of(2048)]))
        .await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let answer = world
        .post_json("/register", &body(&[of(2048), of(2029), of(20)]))
        .await;
    assert_eq!(answer.error(), (400, "invalid_redirect_uri".to_owned()));
}
