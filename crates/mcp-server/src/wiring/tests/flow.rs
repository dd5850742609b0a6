//! From the first 401 to a tool call, refresh and revocation.

use std::time::Duration;

use http::{Request, StatusCode, header};
use serde_json::{Value, json};

use super::world::*;

#[tokio::test]
async fn a_stranger_finds_the_way_from_the_challenge_to_the_issuer() {
    let world = World::new();
    let refused = world.modern(None, "tools/list", json!({})).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        refused.header(header::WWW_AUTHENTICATE),
        "Bearer resource_metadata=\"http://127.0.0.1:3000/.well-known/oauth-protected-resource/mcp\", \
         scope=\"didit:management didit:verification\""
    );

    let inserted = world
        .mcp_get("/.well-known/oauth-protected-resource/mcp")
        .await;
    let root = world.mcp_get("/.well-known/oauth-protected-resource").await;
    assert_eq!(inserted.status, StatusCode::OK);
    assert_eq!(inserted.body, root.body, "one document at both places");
    let resource = inserted.json();
    assert_eq!(resource["resource"], MCP_URL);
    assert_eq!(resource["authorization_servers"], json!([ISSUER]));
    assert_eq!(
        resource["scopes_supported"],
        json!(["didit:management", "didit:verification"])
    );
    assert_eq!(resource["bearer_methods_supported"], json!(["header"]));

    let oauth = world
        .auth_get("/.well-known/oauth-authorization-server")
        .await;
    let oidc = world.auth_get("/.well-known/openid-configuration").await;
    assert_eq!(oauth.status, StatusCode::OK);
    assert_eq!(oauth.body, oidc.body, "one document at both places");
    let issuer = oauth.json();
    assert_eq!(issuer["issuer"], ISSUER);
    assert_eq!(issuer["code_challenge_methods_supported"], json!(["S256"]));
    assert_eq!(
        issuer["authorization_response_iss_parameter_supported"],
        true
    );
    assert_eq!(issuer["response_types_supported"], json!(["code"]));
    for endpoint in [
        "authorization_endpoint",
        "token_endpoint",
        "registration_endpoint",
        "revocation_endpoint",
    ] {
        let address = issuer[endpoint].as_str().unwrap();
        assert!(
            address.starts_with("http://127.0.0.1:3001/"),
            "{endpoint}: {address}"
        );
    }
}

#[tokio::test]
async fn a_person_signs_in_calls_refreshes_and_leaves() {
    let world = World::as_person("olivia");
    let (client, code, verifier) = world.code(BOTH_SCOPES).await;
    let answer = world.redeem(&client, &code, &verifier).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header(header::CACHE_CONTROL), "no-store");
    let first = tokens(&answer);
    assert_eq!(first.body["token_type"], "Bearer");
    assert_eq!(first.body["expires_in"], ACCESS_TOKEN_LIFE.as_secs());
    assert_eq!(first.body["scope"], BOTH_SCOPES);

    let context = world
        .call(&first.access, "didit_context_get", json!({}))
        .await;
    assert_eq!(context["resultType"], "complete");
    assert!(
        context["structuredContent"]["organization_count"]
            .as_u64()
            .unwrap()
            >= 1
    );

    world.advance(ACCESS_TOKEN_LIFE + Duration::from_secs(120));
    let late = world
        .modern(Some(&first.access), "tools/list", json!({}))
        .await;
    assert_eq!(late.status, StatusCode::UNAUTHORIZED);
    assert_eq!(late.json()["error"], "invalid_token");

    let answer = refresh(&world, &client, &first.refresh).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let second = tokens(&answer);
    assert_ne!(second.refresh, first.refresh, "rotated");
    world
        .call(&second.access, "didit_org_list", json!({}))
        .await;

    let gone = world
        .auth(
            form_post("/revoke"),
            oauth_rs::params::encode(&[("token", &second.refresh), ("client_id", &client)]),
        )
        .await;
    assert_eq!((gone.status, gone.text()), (StatusCode::OK, ""));
    let refused = world
        .modern(Some(&second.access), "tools/list", json!({}))
        .await;
    assert_eq!(
        refused.status,
        StatusCode::UNAUTHORIZED,
        "the access token goes with its grant"
    );
    let answer = refresh(&world, &client, &second.refresh).await;
    assert_eq!(
        (answer.status, &answer.json()["error"]),
        (StatusCode::BAD_REQUEST, &json!("invalid_grant"))
    );
}

#[tokio::test]
async fn a_session_is_created_listed_decided_and_deleted_in_the_newest_era() {
    let world = World::as_person("olivia");
    let (_, tokens) = world.signed_in(BOTH_SCOPES).await;
    let place = place(&world, &tokens.access).await;
    let workflows = world
        .call(&tokens.access, "didit_workflow_list", place.clone())
        .await;
    let workflow = &workflows["structuredContent"]["value"][0];
    let workflow = workflow["uuid"]
        .as_str()
        .or(workflow["workflow_id"].as_str());

    let mut arguments = place.clone();
    arguments["workflow_id"] = json!(workflow.expect("a workflow with an id"));
    arguments["vendor_data"] = json!("customer-77");
    let made = world
        .call(&tokens.access, "didit_session_create", arguments)
        .await;
    let session = made["structuredContent"]["session_id"]
        .as_str()
        .expect("a session id");

    let listed = world
        .call(&tokens.access, "didit_session_list", place.clone())
        .await;
    assert!(
        listed["content"][0]["text"]
            .as_str()
            .unwrap()
            .contains(session),
        "{listed}"
    );

    let decided = json!({"session_id": session, "new_status": "Approved", "comment": "by hand"});
    world
        .call(&tokens.access, "didit_session_update_status", decided)
        .await;
    let decision = world
        .call(
            &tokens.access,
            "didit_session_get_decision",
            json!({"session_id": session}),
        )
        .await;
    assert_eq!(decision["structuredContent"]["status"], "Approved");

    let deletion = json!({"session_id": session, "confirm": true});
    let deleted = world
        .call(&tokens.access, "didit_session_delete", deletion)
        .await;
    assert_eq!(
        deleted["isError"].as_bool(),
        Some(false).filter(|_| !deleted["isError"].is_null())
    );
    let gone = world
        .call(
            &tokens.access,
            "didit_session_get_decision",
            json!({"session_id": session}),
        )
        .await;
    assert_eq!(gone["isError"], true);
    assert!(
        gone["content"][0]["text"]
            .as_str()
            .unwrap()
            .starts_with("Error [not_found]: ")
    );
}

#[tokio::test]
async fn other_paths_are_a_404_and_health_needs_no_token() {
    let world = World::new();
    let health = world.mcp_get("/healthz").await;
    assert_eq!(health.status, StatusCode::OK);
    assert_eq!(health.json()["status"], "ok");
    for path in ["/", "/mcp/", "/sse"] {
        let answer = world.mcp(json_post(path), "{}").await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(answer.header(header::WWW_AUTHENTICATE), "", "{path}");
    }
}

#[tokio::test]
async fn initialize_clients_are_served_at_the_same_address() {
    let world = World::as_person("olivia");
    let (_, tokens) = world.signed_in(BOTH_SCOPES).await;
    for version in ["2025-03-26", "2025-06-18", "2025-11-25"] {
        let hello = json!({
            "jsonrpc": "2.0", "id": 0, "method": "initialize",
            "params": {"protocolVersion": version, "capabilities": {},
                       "clientInfo": {"name": "t", "version": "1"}},
        });
        let answer = world
            .mcp(bearer(json_post("/mcp"), &tokens.access), hello.to_string())
            .await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.json()["result"]["protocolVersion"], version);
        assert_eq!(
            answer.header("mcp-session-id"),
            "",
            "served without sessions"
        );

        let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
        let request =
            bearer(json_post("/mcp"), &tokens.access).header("mcp-protocol-version", version);
        let answer = world.mcp(request, list.to_string()).await;
        let tools = answer.json()["result"]["tools"].as_array().unwrap().len();
        assert!(tools >= 24, "{tools}");
    }
    for method in ["GET", "DELETE"] {
        let request = Request::builder().method(method).uri("/mcp");
        let answer = world.mcp(bearer(request, &tokens.access), "").await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(answer.json()["error"]["code"], -32000);
    }
}

#[tokio::test]
async fn the_newest_era_has_discovery_cache_hints_and_mirrored_headers() {
    let world = World::as_person("olivia");
    let (_, tokens) = world.signed_in(BOTH_SCOPES).await;
    let found = world
        .modern(Some(&tokens.access), "server/discover", json!({}))
        .await
        .json();
    let versions = found["result"]["supportedVersions"].as_array().unwrap();
    for version in ["2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"] {
        assert!(versions.contains(&json!(version)), "{versions:?}");
    }
    let listed = world
        .modern(Some(&tokens.access), "tools/list", json!({}))
        .await
        .json();
    for result in [&found["result"], &listed["result"]] {
        assert_eq!(result["resultType"], "complete");
        assert!(result["ttlMs"].is_u64());
        assert_eq!(result["cacheScope"], "private");
    }

    let params = json!({"name": "didit_org_list", "arguments": {}});
    let mut head = modern_head(Some(&tokens.access), "tools/call", &params);
    head.headers_mut()
        .unwrap()
        .insert("mcp-name", "didit_case_list".parse().unwrap());
    let answer = world.mcp(head, modern_body("tools/call", params)).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(answer.json()["error"]["code"], -32020);

    let answer = world.modern(Some(&tokens.access), "ping", json!({})).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert_eq!(answer.json()["error"]["code"], -32601);
}

/// One organisation and one application of the caller, as arguments.
pub(super) async fn place(world: &World, token: &str) -> Value {
    let context = world.call(token, "didit_context_get", json!({})).await;
    let organization = &context["structuredContent"]["organizations"][0];
    let id = |row: &Value| {
        ["uuid", "id", "organization_id", "application_id"]
            .iter()
            .find_map(|name| row[name].as_str().map(str::to_owned))
            .expect("an id")
    };
    let application = &organization["applications"][0];
    json!({"organization_id": id(organization), "application_id": id(application)})
}

pub(super) fn bearer(request: http::request::Builder, token: &str) -> http::request::Builder {
    request.header(header::AUTHORIZATION, format!("Bearer {token}"))
}

pub(super) async fn refresh(world: &World, client: &str, token: &str) -> Answer {
    world
        .token(&[
            ("grant_type", "refresh_token"),
            ("client_id", client),
            ("refresh_token", token),
            ("resource", MCP_URL),
        ])
        .await
}
