//! What the address, the token and the way in leave of the tools, through the guard and the protocol.

use std::collections::BTreeSet;

use http::{Request, StatusCode, header};

use super::super::world::*;
use super::*;

/// One request to the endpoint with a query.
async fn at(
    world: &World,
    query: &str,
    token: Option<&str>,
    method: &str,
    params: Value,
) -> Answer {
    let head = modern_head(token, method, &params).uri(format!("/mcp?{query}"));
    world.mcp(head, modern_body(method, params)).await
}

async fn call_at(world: &World, query: &str, token: &str, tool: &str, arguments: Value) -> Answer {
    let params = json!({"name": tool, "arguments": arguments});
    at(world, query, Some(token), "tools/call", params).await
}

async fn names_at(world: &World, query: &str, token: &str) -> Vec<String> {
    let answer = at(world, query, Some(token), "tools/list", json!({})).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let answer = answer.json();
    let tools = answer["result"]["tools"].as_array().unwrap();
    let names = tools.iter().map(|tool| tool["name"].as_str().unwrap());
    names.map(str::to_owned).collect()
}

fn token_with(world: &World, scope: &str) -> String {
    world.minted("at+jwt", |claims| claims["scope"] = scope.into())
}

#[tokio::test]
async fn a_toolset_in_the_address_shortens_the_list_and_the_rest_is_found_and_called() {
    let stage = Stage::new().await;
    let token = stage.token("olivia");
    let world = &stage.world;
    let core = names_at(world, "toolsets=core", &token).await;
    let whole = names_at(world, "toolsets=all", &token).await;
    assert!(
        core.len() < 35 && whole.len() > 150,
        "{} {}",
        core.len(),
        whole.len()
    );
    for always in ["didit_context_get", "didit_tool_search"] {
        assert!(core.iter().any(|name| name == always), "{always}");
    }
    let list = names_at(world, "toolsets=cases,branding&read_only=true", &token).await;
    assert!(!list.iter().any(|name| name == "didit_questionnaire_list"));
    let wish = json!({"query": "list questionnaires"});
    let found = call_at(world, "toolsets=cases", &token, "didit_tool_search", wish).await;
    let found = found.json()["result"]["structuredContent"].clone();
    let first = found["tools"][0]["name"].as_str().unwrap().to_owned();
    assert_eq!(first, "didit_questionnaire_list", "{found}");
    let place = stage.place("olivia", 0, 0).await;
    let answer = call_at(world, "toolsets=cases", &token, &first, place)
        .await
        .json();
    assert_ne!(answer["result"]["isError"], true, "{answer}");
}

#[tokio::test]
async fn read_only_in_the_address_changes_nothing() {
    let stage = Stage::new().await;
    let token = stage.token("olivia");
    let place = stage.place("olivia", 0, 0).await;
    let sessions = stage.ok("olivia", "didit_session_list", place).await;
    let id = &rows(&sessions)[0]["session_id"];
    let sent = stage.world.sent();
    let delete = json!({"session_id": id, "confirm": true});
    for query in [
        "read_only=true",
        "toolsets=sessions&read_only=true",
        "read_only=true&names=classic",
    ] {
        for name in ["didit_session_delete", "didit_delete_session"] {
            let answer = call_at(&stage.world, query, &token, name, delete.clone()).await;
            let answer = answer.json();
            assert_eq!(answer["result"]["isError"], true, "{answer}");
            let text = answer["result"]["content"][0]["text"].as_str().unwrap();
            assert!(text.contains("says read_only=true"), "{text}");
        }
    }
    assert_eq!(stage.world.sent(), sent);
}

#[tokio::test]
async fn an_address_that_is_not_understood_is_refused_with_the_reason() {
    let stage = Stage::new().await;
    let token = stage.token("olivia");
    let sent = stage.world.sent();
    for (query, why) in [
        (
            "toolsets=cores",
            "toolsets of the address is \"cores\"; allowed: core, account, billing, ",
        ),
        (
            "toolset=core",
            "the address has an unknown parameter \"toolset\"; toolsets, read_only and names are understood",
        ),
        (
            "read_only=1",
            "read_only of the address is \"1\"; allowed: true, false",
        ),
        (
            "read_only=true&read_only=true",
            "the address has read_only twice; ",
        ),
    ] {
        let answer = at(&stage.world, query, Some(&token), "tools/list", json!({})).await;
        let error = answer.json()["error"].clone();
        assert_eq!(error["code"], -32602);
        assert!(
            error["message"].as_str().unwrap().starts_with(why),
            "{error}"
        );
        let called = call_at(&stage.world, query, &token, "didit_org_list", json!({})).await;
        let result = called.json()["result"].clone();
        assert_eq!(result["isError"], true);
        assert!(result["content"][0]["text"].as_str().unwrap().contains(why));
    }
    assert_eq!(stage.world.sent(), sent);
}

#[tokio::test]
async fn what_is_listed_for_a_token_is_what_it_may_call() {
    let world = World::as_person("olivia");
    for scope in [
        "",
        "didit:management",
        "didit:verification",
        BOTH_SCOPES,
        "didit.session.list",
        "didit:management didit.session.delete",
    ] {
        let token = token_with(&world, scope);
        let listed: BTreeSet<String> = names_at(&world, "names=classic", &token)
            .await
            .into_iter()
            .collect();
        let today: BTreeSet<String> = names_at(&world, "", &token).await.into_iter().collect();
        assert_eq!(listed.len(), today.len());
        for tool in didit_tools::names() {
            // Blank arguments go no further than the check of the arguments, or than a read.
            let answer = call_at(&world, "", &token, tool, json!({"zzz": 1})).await;
            let refused = answer.status == StatusCode::FORBIDDEN;
            let only_stdio = answer.text().contains("is not offered over HTTP");
            assert_eq!(
                today.contains(tool),
                !refused && !only_stdio,
                "{tool} with {scope:?}: {}",
                answer.text()
            );
            if refused {
                let challenge = answer.header(header::WWW_AUTHENTICATE);
                assert!(challenge.contains("insufficient_scope"), "{challenge}");
            }
        }
        for (first, tool) in didit_tools::classic_names() {
            assert_eq!(
                listed.contains(first),
                today.contains(tool),
                "{first} with {scope:?}"
            );
            let (one, two) = (
                call_at(&world, "", &token, first, json!({"zzz": 1})).await,
                call_at(&world, "", &token, tool, json!({"zzz": 1})).await,
            );
            assert_eq!(
                (one.status, one.text()),
                (two.status, two.text()),
                "{first} with {scope:?}"
            );
        }
    }
}

#[tokio::test]
async fn the_challenge_and_the_metadata_name_the_address_without_its_query() {
    let world = World::new();
    for query in [
        "toolsets=core",
        "read_only=true&toolsets=cases",
        "what=ever",
    ] {
        let answer = at(&world, query, None, "tools/list", json!({})).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        let challenge = answer.header(header::WWW_AUTHENTICATE);
        assert!(
            challenge.contains(r#"resource_metadata="http://127.0.0.1:3000/.well-known/oauth-protected-resource/mcp""#),
            "{challenge}"
        );
        let path = format!("/.well-known/oauth-protected-resource/mcp?{query}");
        let metadata = world.mcp(Request::get(path), "").await;
        assert_eq!(metadata.status, StatusCode::OK);
        assert_eq!(metadata.json()["resource"], MCP_URL);
    }
}
