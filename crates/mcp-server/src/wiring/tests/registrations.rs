//! Registrations as the clients in the field send them.

use http::{Request, StatusCode, header};
use serde_json::{Value, json};

use super::world::*;

async fn register(world: &World, metadata: &Value) -> Answer {
    let request = Request::post("/register").header(header::CONTENT_TYPE, "application/json");
    world.auth(request, metadata.to_string()).await
}

/// What an editor and two command-line tools send today, shortened to what matters here.
fn in_the_field() -> [(&'static str, Value); 4] {
    [
        (
            "a command-line tool on localhost",
            json!({
                "client_name": "A command-line tool",
                "redirect_uris": ["http://localhost:54545/callback"],
                "grant_types": ["authorization_code", "refresh_token"],
                "response_types": ["code"],
                "token_endpoint_auth_method": "none",
            }),
        ),
        (
            "an editor with its own scheme",
            json!({
                "client_name": "Cursor",
                "redirect_uris": ["cursor://anysphere.cursor-mcp/oauth/callback"],
                "grant_types": ["authorization_code", "refresh_token"],
                "response_types": ["code"],
                "token_endpoint_auth_method": "none",
            }),
        ),
        (
            "an editor that also does device codes",
            json!({
                "client_name": "Visual Studio Code",
                "client_uri": "https://code.visualstudio.com",
                "grant_types": [
                    "authorization_code", "refresh_token",
                    "urn:ietf:params:oauth:grant-type:device_code",
                ],
                "response_types": ["code"],
                "redirect_uris": [
                    "https://insiders.vscode.dev/redirect", "https://vscode.dev/redirect",
                    "http://127.0.0.1/", "http://127.0.0.1:33418/",
                ],
                "token_endpoint_auth_method": "none",
                "application_type": "native",
            }),
        ),
        (
            "a client that asks for a secret by saying nothing",
            json!({
                "client_name": "Quiet",
                "redirect_uris": ["http://127.0.0.1:7777/callback"],
            }),
        ),
    ]
}

#[tokio::test]
async fn what_clients_send_today_is_registered() {
    let world = World::new();
    for (who, metadata) in in_the_field() {
        let answer = register(&world, &metadata).await;
        assert_eq!(
            answer.status,
            StatusCode::CREATED,
            "{who}: {}",
            answer.text()
        );
        assert_eq!(answer.header(header::CACHE_CONTROL), "no-store", "{who}");
        let made = answer.json();
        assert_eq!(made["redirect_uris"], metadata["redirect_uris"], "{who}");
        assert_eq!(made["token_endpoint_auth_method"], "none", "{who}");
        assert_eq!(made.get("client_secret"), None, "{who}");
        let grants = made["grant_types"].as_array().unwrap();
        assert!(
            grants
                .iter()
                .all(|g| g == "authorization_code" || g == "refresh_token"),
            "{who}: only what is served is registered: {grants:?}"
        );
    }
}

#[tokio::test]
async fn redirect_addresses_that_nobody_should_have_are_refused() {
    let world = World::new();
    for address in [
        "http://evil.example/callback",
        "javascript:alert(1)",
        "https://user:secret@client.example/callback",
        "https://client.example/callback#fragment",
        "http://localhost.evil.example/callback",
        "http://2130706433/callback",
    ] {
        let answer = register(
            &world,
            &json!({"client_name": "x", "redirect_uris": [address]}),
        )
        .await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{address}");
        assert_eq!(answer.json()["error"], "invalid_redirect_uri", "{address}");
    }
}
