//! What is served beside the endpoint.

use http::{Request, StatusCode};
use serde_json::json;

use super::world::{Issuer, RESOURCE, World};

#[tokio::test(start_paused = true)]
async fn the_health_check_is_the_original_ones() {
    let answer = World::new().get("/healthz").await;
    assert_eq!(answer.status, StatusCode::OK);
    let version = env!("CARGO_PKG_VERSION");
    let body = json!({"status": "ok", "service": "didit-mcp-server", "version": version});
    assert_eq!(answer.json(), body);
}

#[tokio::test(start_paused = true)]
async fn it_is_ready_when_the_issuer_answers() {
    let world = World::new();
    let answer = world.get("/readyz").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.text, r#"{"status":"ready"}"#);
    assert_eq!(answer.header("cache-control"), "no-store");
    // However often somebody asks, the issuer is asked once in two seconds.
    for _ in 0..100 {
        world.get("/readyz").await;
    }
    assert_eq!(world.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_ready_is_named() {
    for (issuer, why) in [
        (Issuer::Fails(500), "cannot be asked about tokens"),
        // Our own credentials are wrong there.
        (Issuer::Fails(401), "cannot be asked about tokens"),
        (Issuer::Silent, "has not answered yet"),
    ] {
        let world = World::with(issuer, &[]);
        let answer = world.get("/readyz").await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        let body = json!({"status": "not ready", "part": "issuer", "why": why});
        assert_eq!(answer.json(), body);
        assert_eq!(answer.header("retry-after"), "5");
        // Health is another matter: a restart would not help.
        assert_eq!(world.get("/healthz").await.status, StatusCode::OK);
    }
    let world = World::new();
    world.stop.cancel();
    assert_eq!(world.get("/readyz").await.json()["part"], "server");
}

#[tokio::test(start_paused = true)]
async fn with_keys_it_is_not_ready_without_them() {
    let world = World::with(Issuer::Inactive, &["tokens.verify=jwks"]);
    let answer = world.get("/readyz").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{answer:?}");
    assert_eq!(world.asked(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_numbers_are_there_unless_they_are_turned_off() {
    let world = World::new();
    world
        .call("olivia", "didit_session_list", json!({}))
        .await
        .result();
    world.call("olivia", "whsec_0123456789", json!({})).await;
    world.modern(None, "tools/list", json!({})).await;
    world.modern(Some("stolen"), "tools/list", json!({})).await;
    let answer = world.get("/metrics").await;
    assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4");
    let text = &answer.text;
    for line in [
        "mcp_refused_total{reason=\"NoToken\"} 1",
        "mcp_refused_total{reason=\"Inactive\"} 1",
        "mcp_tool_calls_total{tool=\"didit_session_list\",outcome=\"ok\"} 1",
        "mcp_tool_calls_total{tool=\"unknown\",outcome=\"unknown_tool\"} 1",
        "upstream_request_duration_seconds_count{whom=\"issuer\",status=\"2xx\"} 2",
    ] {
        assert!(
            text.lines().any(|written| written == line),
            "{line} is not in:\n{text}"
        );
    }
    assert!(text.contains("{whom=\"api\",status=\"2xx\"}"));
    assert!(text.contains("{whom=\"auth\",status=\"2xx\"}"));
    assert!(!text.contains("whsec"));

    let world = World::with(Issuer::Inactive, &["metrics.enabled=false"]);
    assert_eq!(world.get("/metrics").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(start_paused = true)]
async fn the_metadata_of_the_resource_is_at_both_paths() {
    let world = World::new();
    let expected = json!({
        "resource": RESOURCE,
        "authorization_servers": ["https://as.example"],
        "bearer_methods_supported": ["header"],
        "scopes_supported": ["didit:management", "didit:verification"],
        "resource_name": "Didit MCP",
    });
    let root = "/.well-known/oauth-protected-resource";
    for path in [root.to_owned(), format!("{root}/mcp")] {
        assert_eq!(world.get(&path).await.json(), expected, "{path}");
    }
}

const MIRROR: &str = "/.well-known/oauth-authorization-server";

#[tokio::test(start_paused = true)]
async fn the_issuers_metadata_is_mirrored_over_what_is_configured() {
    let world = World::new();
    for _ in 0..3 {
        let answer = world.get(MIRROR).await;
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        let document = answer.json();
        assert_eq!(document["issuer"], "https://as.example");
        assert_eq!(document["token_endpoint"], "https://as.example/fetched");
        assert_eq!(document["more"], true);
        let configured = "https://as.example/authorize";
        assert_eq!(document["authorization_endpoint"], configured);
    }
    assert_eq!(world.outer.sent.lock().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn without_it_what_is_configured_counts_and_the_issuer_is_asked_again_later() {
    let built = json!({
        "issuer": "https://as.example",
        "authorization_endpoint": "https://as.example/authorize",
        "token_endpoint": "https://as.example/api/auth/oauth-token",
        "registration_endpoint": "https://as.example/api/auth/oauth-register",
        "jwks_uri": "https://as.example/jwks",
        "scopes_supported": ["didit:management", "didit:verification"],
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported":
            ["none", "client_secret_post", "client_secret_basic"],
    });
    for metadata in [
        Err(500),
        Ok(json!("<html>")),
        Ok(json!({"issuer": "https://other.example"})),
        Ok(json!({"issuer": "https://as.example", "token_endpoint": "http://10.0.0.1/"})),
    ] {
        let world = World::new();
        let good = std::mem::replace(&mut *world.outer.metadata.lock().unwrap(), metadata);
        for _ in 0..3 {
            assert_eq!(world.get(MIRROR).await.json(), built);
        }
        assert_eq!(world.outer.sent.lock().unwrap().len(), 1);
        *world.outer.metadata.lock().unwrap() = good;
        tokio::time::advance(std::time::Duration::from_secs(61)).await;
        assert_eq!(world.get(MIRROR).await.json()["more"], true);
    }
}

#[tokio::test(start_paused = true)]
async fn browsers_may_ask_from_anywhere() {
    let world = World::new();
    let preflight = Request::options("/mcp")
        .header("origin", "https://app.example")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization, mcp-name");
    let answer = world.send(preflight, "").await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    let origin = answer.header("access-control-allow-origin");
    assert_eq!(origin, "https://app.example");
    let methods = answer.header("access-control-allow-methods");
    assert_eq!(methods, "GET, POST, DELETE, OPTIONS");
    let allowed = answer.header("access-control-allow-headers").to_lowercase();
    for name in [
        "authorization",
        "content-type",
        "mcp-protocol-version",
        "mcp-session-id",
        "mcp-method",
        "mcp-name",
        "last-event-id",
    ] {
        assert!(allowed.contains(name), "{name}: {allowed}");
    }
    assert_eq!(answer.header("access-control-max-age"), "86400");
    let other = world.send(Request::options("/anything"), "").await;
    assert_eq!(other.status, StatusCode::NO_CONTENT);

    // With a token the page is served, and without one it can read why not.
    let bearer = format!("Bearer {}", world.token("olivia"));
    let page = || {
        Request::post("/mcp")
            .header("origin", "https://app.example")
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
    };
    let ping = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    let served = world
        .send(page().header("authorization", bearer), ping)
        .await;
    assert_eq!(served.status, StatusCode::OK, "{served:?}");
    let refused = world.send(page(), ping).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    let exposed = refused
        .header("access-control-expose-headers")
        .to_lowercase();
    for name in ["www-authenticate", "mcp-session-id"] {
        assert!(exposed.contains(name), "{exposed}");
    }
}

#[tokio::test(start_paused = true)]
async fn only_post_is_served_and_other_paths_are_nothing() {
    let world = World::new();
    let bearer = format!("Bearer {}", world.token("olivia"));
    for method in ["GET", "DELETE"] {
        let request = Request::builder().method(method).uri("/mcp");
        let request = request.header("authorization", &bearer);
        let answer = world
            .send(request.header("accept", "text/event-stream"), "")
            .await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(answer.json()["error"]["code"], -32000);
    }
    assert_eq!(world.get("/").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(start_paused = true)]
async fn another_host_is_refused() {
    let world = World::new();
    let bearer = format!("Bearer {}", world.token("olivia"));
    let request = Request::post("/mcp")
        .header("host", "rebound.example")
        .header("content-type", "application/json")
        .header("authorization", bearer);
    assert_eq!(
        world.send(request, "{}").await.status,
        StatusCode::FORBIDDEN
    );
}

#[tokio::test(start_paused = true)]
async fn the_skills_are_for_whoever_has_a_token() {
    let world = World::new();
    let token = world.token("rita");
    let listed = world
        .modern(Some(&token), "skills/list", json!({}))
        .await
        .result();
    assert_eq!(
        listed["skills"].as_array().map(Vec::len),
        Some(3),
        "{listed}"
    );
    let nobody = world.modern(None, "skills/list", json!({})).await;
    assert_eq!(nobody.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test(start_paused = true)]
async fn a_report_is_behind_a_link_without_the_token_of_the_caller() {
    let world = World::new();
    let sessions = world.call("olivia", "didit_session_list", json!({})).await;
    let sessions = sessions.result()["structuredContent"].clone();
    let session = json!({"session_id": sessions["results"][0]["session_id"]});
    let answer = world
        .call("olivia", "didit_session_generate_pdf", session)
        .await;
    let answer = answer.result()["structuredContent"].clone();
    assert_eq!(answer["expires_at"], "2027-01-15T08:05:00Z", "{answer}");
    assert_eq!(answer["expires_in"], 300);
    let link = answer["download_url"].as_str().unwrap();
    assert!(!link.contains(&world.token("olivia")), "{link}");
    let path = link.strip_prefix("https://mcp.example").unwrap();
    let asked = world.to_didit().len();
    let page = world.get(path).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.starts_with("%PDF-"));
    assert_eq!(page.header("content-type"), "application/pdf");
    assert_eq!(page.header("access-control-allow-origin"), "");
    let bad = world.get("/downloads/session-report.pdf?token=x").await;
    assert_eq!(bad.status, StatusCode::FORBIDDEN);
    assert_eq!(world.to_didit().len(), asked);
}
