//! The metadata documents and the key set.

use serde_json::json;

use crate::world::{ISSUER, OTHER_RESOURCE, RESOURCE, World, config, configured};

#[tokio::test]
async fn both_places_serve_the_same_document() {
    let world = World::new();
    let answer = world.get("/.well-known/oauth-authorization-server").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert_eq!(
        answer.json(),
        json!({
            "issuer": ISSUER,
            "authorization_endpoint": format!("{ISSUER}/authorize"),
            "token_endpoint": format!("{ISSUER}/token"),
            "jwks_uri": format!("{ISSUER}/jwks"),
            "registration_endpoint": format!("{ISSUER}/register"),
            "revocation_endpoint": format!("{ISSUER}/revoke"),
            "scopes_supported": ["didit:management", "didit:verification", "other"],
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_methods_supported": ["none"],
            "revocation_endpoint_auth_methods_supported": ["none"],
            "code_challenge_methods_supported": ["S256"],
            "dpop_signing_alg_values_supported": ["ES256", "EdDSA", "RS256", "PS256"],
            "authorization_response_iss_parameter_supported": true,
            "client_id_metadata_document_supported": true,
            "protected_resources": [RESOURCE, OTHER_RESOURCE],
        })
    );
    let openid = world.get("/.well-known/openid-configuration").await;
    assert_eq!(openid.json(), answer.json());
}

#[tokio::test]
async fn what_is_off_is_not_advertised() {
    let mut config = config();
    config.registration = false;
    let world = World::with(config);
    let document = world
        .get("/.well-known/oauth-authorization-server")
        .await
        .json();
    assert!(document.get("registration_endpoint").is_none());
    let answer = world
        .post_json("/register", r#"{"redirect_uris":["https://c.example/cb"]}"#)
        .await;
    assert_eq!(answer.error(), (403, "access_denied".to_owned()));
}

#[tokio::test]
async fn an_issuer_with_a_path_is_served_under_it() {
    let world = World::with(configured("http://127.0.0.1:3001/t1"));
    for place in [
        "/.well-known/oauth-authorization-server/t1",
        "/.well-known/openid-configuration/t1",
        "/t1/.well-known/openid-configuration",
    ] {
        let answer = world.get(place).await;
        assert_eq!(answer.status, 200, "{place}");
        assert_eq!(
            answer.json()["token_endpoint"],
            "http://127.0.0.1:3001/t1/token"
        );
    }
    for place in [
        "/.well-known/oauth-authorization-server",
        "/jwks",
        "/t1/other",
        "/t1jwks",
    ] {
        assert_eq!(world.get(place).await.status, 404, "{place}");
    }
    assert_eq!(world.get("/t1/jwks").await.status, 200);
}

#[tokio::test]
async fn the_key_set_holds_the_public_key_and_nothing_secret() {
    let answer = World::new().get("/jwks").await;
    let keys = answer.json();
    let key = &keys["keys"][0];
    assert_eq!(
        (key["kty"].as_str(), key["crv"].as_str()),
        (Some("EC"), Some("P-256"))
    );
    assert!(key["kid"].as_str().is_some_and(|kid| kid.len() == 43));
    assert!(key.get("d").is_none());
}
