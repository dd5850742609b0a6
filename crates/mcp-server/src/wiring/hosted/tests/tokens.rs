//! Whose tokens are taken, what goes on to Didit, and what its refusals become.

use didit_sandbox::{Fault, Matching};
use http::StatusCode;
use serde_json::json;

use super::world::{API, Issuer, RESOURCE, World};

const CHALLENGE: &str = r#"Bearer error="invalid_token""#;

#[tokio::test(start_paused = true)]
async fn the_callers_own_token_goes_to_didit_where_it_is_for_both() {
    let world = World::new();
    let answer = world.call("olivia", "didit_org_list", json!({})).await;
    let rows = answer.result()["structuredContent"].clone();
    assert_eq!(rows["value"][0]["role"], "OWNER", "{rows}");
    let bearer = format!("Bearer {}", world.token("olivia"));
    let is_hers = |header: &http::HeaderValue| *header == bearer.as_str();
    assert!(
        world
            .to_didit()
            .iter()
            .all(|sent| is_hers(&sent.headers["authorization"]))
    );
    // The issuer was asked once, in Didit's form, as this server.
    world
        .call("olivia", "didit_org_list", json!({}))
        .await
        .result();
    assert_eq!(world.asked(), 1);
    let asked = world.outer.sent.lock().unwrap()[0].clone();
    assert_eq!(asked.url, "https://as.example/introspect/");
    assert_eq!(asked.body, json!({"token": world.token("olivia")}));
    assert_eq!(asked.headers["authorization"], "Basic cnMtMTpycy1zZWNyZXQ=");
    assert_eq!(asked.headers["content-type"], "application/json");
}

#[tokio::test(start_paused = true)]
async fn a_token_for_the_origin_is_for_this_resource_too() {
    let world = World::with(Issuer::of(json!(["https://mcp.example", API])), &[]);
    world
        .call("olivia", "didit_org_list", json!({}))
        .await
        .result();
}

#[tokio::test(start_paused = true)]
async fn a_token_for_another_service_is_refused() {
    for aud in [
        json!("https://other.example"),
        json!([API]),
        json!("client-1"),
    ] {
        let world = World::with(Issuer::of(aud.clone()), &[]);
        let answer = world.call("olivia", "didit_org_list", json!({})).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{aud}");
        let challenge = answer.header("www-authenticate");
        assert!(challenge.starts_with(CHALLENGE), "{challenge}");
        assert!(world.to_didit().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_not_for_didit_never_gets_there() {
    let world = World::with(Issuer::of(json!(RESOURCE)), &[]);
    let answer = world.call("olivia", "didit_org_list", json!({})).await;
    assert_eq!(
        answer.error(),
        "Error [missing_auth]: the access token is not for the Didit API\n\
         Hint: Whoever runs this server has to see to it that the issuer names the Didit API among the audiences of its tokens."
    );
    assert!(world.to_didit().is_empty());
}

#[tokio::test(start_paused = true)]
async fn any_audience_is_a_setting_with_a_name_that_warns() {
    let flags = ["tokens.dangerous_accept_any_audience=true"];
    let world = World::with(Issuer::of(json!("client-1")), &flags);
    world
        .call("olivia", "didit_org_list", json!({}))
        .await
        .result();
}

#[tokio::test(start_paused = true)]
async fn a_supplied_credential_goes_in_place_of_the_token() {
    let world = World::supplied("rita", "samir");
    let rows = world
        .call("rita", "didit_org_list", json!({}))
        .await
        .result();
    assert!(rows["isError"] != true, "{rows}");
    let bearer = format!("Bearer {}", world.token("samir"));
    let sent = world.to_didit();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].headers["authorization"], bearer.as_str());
    // Somebody for whom there is none.
    let error = world
        .call("olivia", "didit_org_list", json!({}))
        .await
        .error();
    assert!(
        error.starts_with("Error [missing_auth]: no Didit account is connected"),
        "{error}"
    );
    assert_eq!(world.to_didit().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_the_issuer_is_503_and_never_an_invalid_token() {
    let outages = [
        Issuer::Fails(500),
        Issuer::Fails(502),
        Issuer::Fails(404),
        Issuer::Fails(401),
        Issuer::Silent,
    ];
    for issuer in outages {
        let world = World::with(issuer, &[]);
        // Also once nobody is asked any more.
        for _ in 0..7 {
            let answer = world.call("olivia", "didit_org_list", json!({})).await;
            assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{answer:?}");
            assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 1);
            assert_eq!(answer.header("www-authenticate"), "");
            assert!(!answer.text.contains("invalid_token"), "{}", answer.text);
        }
        world.issuer_is(Issuer::of(json!([RESOURCE, API])));
        tokio::time::advance(std::time::Duration::from_secs(60)).await;
        world
            .call("olivia", "didit_org_list", json!({}))
            .await
            .result();
    }
}

#[tokio::test(start_paused = true)]
async fn an_inactive_token_is_a_challenge_with_the_metadata() {
    let world = World::with(Issuer::Inactive, &[]);
    let answer = world.call("olivia", "didit_org_list", json!({})).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    let challenge = answer.header("www-authenticate");
    assert!(challenge.starts_with(CHALLENGE), "{challenge}");
    let metadata =
        r#"resource_metadata="https://mcp.example/.well-known/oauth-protected-resource/mcp""#;
    assert!(challenge.contains(metadata), "{challenge}");
}

#[tokio::test(start_paused = true)]
async fn didits_401_becomes_a_challenge() {
    let world = World::new();
    world
        .sandbox
        .fault(Matching::all(), Fault::Status(StatusCode::UNAUTHORIZED));
    for tool in ["didit_context_get", "didit_session_list"] {
        let answer = world.call("olivia", tool, json!({})).await;
        assert_eq!(
            answer.status,
            StatusCode::UNAUTHORIZED,
            "{tool}: {answer:?}"
        );
        let challenge = answer.header("www-authenticate");
        assert!(challenge.starts_with(CHALLENGE), "{challenge}");
        assert_eq!(answer.json()["error"], "invalid_token");
    }
}

#[tokio::test(start_paused = true)]
async fn didits_403_on_the_context_becomes_a_challenge_and_on_a_tool_names_the_role() {
    let world = World::new();
    let own = Matching::all().path("/organizations/me/");
    world
        .sandbox
        .fault(own, Fault::Status(StatusCode::FORBIDDEN));
    let answer = world.call("olivia", "didit_context_get", json!({})).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{answer:?}");
    world.sandbox.heal();

    world.sandbox.fault(
        Matching::all().path("s-1"),
        Fault::Status(StatusCode::FORBIDDEN),
    );
    let deletes = json!({"session_id": "s-1", "confirm": true});
    let error = world
        .call("rita", "didit_session_delete", deletes)
        .await
        .error();
    let role = "Error [forbidden]: the role of the person who is signed in is READER in ";
    assert!(error.starts_with(role), "{error}");
    assert!(
        error.contains("Roles that may do it: OWNER, ADMIN, DEVELOPER."),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_supplied_credential_that_didit_refuses_is_no_matter_of_the_token() {
    let world = World::supplied("olivia", "samir");
    world
        .sandbox
        .fault(Matching::all(), Fault::Status(StatusCode::UNAUTHORIZED));
    let error = world
        .call("olivia", "didit_context_get", json!({}))
        .await
        .error();
    assert!(error.starts_with("Error [unauthorized]: "), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_tool_needs_its_scope() {
    let world = World::with(Issuer::with_scope("didit:management"), &[]);
    let answer = world
        .call("olivia", "didit_session_delete", json!({}))
        .await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{answer:?}");
    let challenge = answer.header("www-authenticate");
    assert!(
        challenge.contains(r#"scope="didit:verification""#),
        "{challenge}"
    );
}

#[tokio::test(start_paused = true)]
async fn permissions_of_the_token_are_enforced_shadowed_or_left_alone() {
    let scope = "didit:verification didit:management list:sessions read:sessions";
    let delete = json!({"session_id": "s-1", "confirm": true});
    let refused =
        "Error [missing_scope]: the access token does not carry the permission delete:sessions";
    for (mode, is_refused) in [("enforce", true), ("shadow", false), ("off", false)] {
        let flag = format!("tools.permissions={mode}");
        let world = World::with(Issuer::with_scope(scope), &[&flag]);
        let answer = world
            .call("rita", "didit_session_delete", delete.clone())
            .await;
        let error = answer.error();
        assert_eq!(error.starts_with(refused), is_refused, "{mode}: {error}");
        assert_eq!(world.to_didit().is_empty(), is_refused, "{mode}");
        world
            .call("rita", "didit_session_list", json!({}))
            .await
            .result();
    }
    // A token without any leaves it to the role.
    let world = World::new();
    let answer = world.call("rita", "didit_session_delete", delete).await;
    assert!(!answer.error().starts_with(refused), "{answer:?}");
    // One for this organisation says nothing of another.
    let world = World::with(Issuer::with_scope(scope), &["defaults.organization=o-1"]);
    for (arguments, is_refused) in [
        (json!({}), true),
        (json!({"organization_id": "o-1"}), true),
        (json!({"organization_id": "o-9"}), false),
    ] {
        let answer = world
            .call("rita", "didit_workflow_list", arguments.clone())
            .await;
        let is_missing = answer.text.contains("[missing_scope]");
        assert_eq!(is_missing, is_refused, "{arguments}: {answer:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn discovery_without_a_token_is_a_setting() {
    let world = World::new();
    let answer = world.modern(None, "server/discover", json!({})).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);

    let issuer = Issuer::of(json!([RESOURCE, API]));
    let world = World::with(issuer, &["tools.public_discovery=true"]);
    let discovered = world
        .modern(None, "server/discover", json!({}))
        .await
        .result();
    assert!(discovered["supportedVersions"].is_array(), "{discovered}");
    for (method, params) in [
        ("tools/list", json!({})),
        (
            "tools/call",
            json!({"name": "didit_org_list", "arguments": {}}),
        ),
        (
            "tools/call",
            json!({"name": "no_such_tool", "arguments": {}}),
        ),
    ] {
        let answer = world.modern(None, method, params).await;
        assert_eq!(
            answer.status,
            StatusCode::UNAUTHORIZED,
            "{method}: {answer:?}"
        );
        assert!(
            answer
                .header("www-authenticate")
                .contains("resource_metadata=")
        );
    }
    // A token that is not good is not passed over.
    let answer = world
        .modern(Some("stolen"), "server/discover", json!({}))
        .await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    world
        .call("olivia", "didit_org_list", json!({}))
        .await
        .result();
}

#[tokio::test(start_paused = true)]
async fn the_organization_of_the_token_goes_before_the_configured_one() {
    for (token, configured, expected) in [
        (Some("o-token"), "o-configured", "o-token"),
        (None, "o-configured", "o-configured"),
    ] {
        let flag = format!("defaults.organization={configured}");
        let world = World::with(Issuer::of(json!([RESOURCE, API])), &[&flag]);
        *world.outer.organization.lock().unwrap() = token.map(str::to_owned);
        world
            .call("olivia", "didit_org_get_balance", json!({}))
            .await;
        let sent = world.to_didit();
        let path = format!("/organization/{expected}/");
        assert!(sent[0].url.contains(&path), "{}", sent[0].url);
        assert_eq!(sent[0].headers["x-didit-organization-id"], expected);
        // The issuer is asked for the configured one.
        let asked = world.outer.sent.lock().unwrap()[0].clone();
        assert_eq!(asked.body["requested_org"], configured);
    }
}
