//! Which scopes let a call through: every tool, every way to send a call, and the ways around.

use http::{Request, StatusCode, header};
use serde_json::{Value, json};

use super::flow::bearer;
use super::world::*;

const MANAGEMENT: &str = "didit:management";
const VERIFICATION: &str = "didit:verification";

fn token_with(world: &World, scope: &str) -> String {
    world.minted("at+jwt", |claims| claims["scope"] = json!(scope))
}

/// Sends a body as the older revisions do.
async fn legacy(world: &World, token: &str, revision: &str, body: String) -> Answer {
    let request: http::request::Builder =
        bearer(json_post("/mcp"), token).header("mcp-protocol-version", revision);
    world.mcp(request, body).await
}

fn call_of(params: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{params}}}"#)
}

#[tokio::test]
async fn every_tool_asks_for_its_scope_in_every_form_of_a_call() {
    let world = World::as_person("olivia");
    let mut refused = 0;
    for tool in didit_tools::names() {
        let scopes = didit_tools::oauth_scopes(tool).unwrap();
        if scopes.is_empty() {
            // It is for people who have no token yet, and is not offered here to those who have one.
            let token = token_with(&world, BOTH_SCOPES);
            let params = json!({"name": tool, "arguments": {}});
            let answer = world.modern(Some(&token), "tools/call", params).await;
            assert_eq!(
                answer.json()["result"]["isError"],
                true,
                "{tool}: {}",
                answer.text()
            );
        }
        for scope in ["", MANAGEMENT, VERIFICATION] {
            let token = token_with(&world, scope);
            let params = json!({"name": tool, "arguments": {}});
            let one = call_of(&params.to_string());
            let answers = [
                world.modern(Some(&token), "tools/call", params).await,
                legacy(&world, &token, "2025-11-25", one.clone()).await,
                legacy(&world, &token, "2025-06-18", one.clone()).await,
                legacy(&world, &token, "2025-03-26", one.clone()).await,
                legacy(&world, &token, "2025-03-26", format!("[{one}]")).await,
            ];
            for answer in answers {
                let what = format!("{tool} with {scope:?}: {}", answer.text());
                if scopes.contains(&scope) {
                    assert_eq!(answer.status, StatusCode::OK, "{what}");
                } else {
                    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{what}");
                    let challenge = answer.header(header::WWW_AUTHENTICATE);
                    assert!(challenge.contains("insufficient_scope"), "{challenge}");
                    refused += 1;
                }
            }
        }
    }
    assert!(refused > 100, "{refused}");
}

/// The tools that a token with this scope may call.
async fn callable(world: &World, scope: &str) -> Vec<&'static str> {
    let token = token_with(world, scope);
    let mut callable = Vec::new();
    for tool in didit_tools::names() {
        let params = json!({"name": tool, "arguments": {}});
        match world
            .modern(Some(&token), "tools/call", params)
            .await
            .status
        {
            StatusCode::OK => callable.push(tool),
            StatusCode::FORBIDDEN => {}
            other => panic!("{tool}: {other}"),
        }
    }
    callable
}

#[tokio::test]
async fn a_fine_scope_opens_its_tool_and_no_other() {
    let world = World::as_person("olivia");
    let own = callable(&world, "didit.session.create").await;
    assert_eq!(own, ["didit_session_create"]);
    // Two tools ask the same of Didit.
    let shared = callable(&world, "didit.session.list").await;
    assert_eq!(shared, ["didit_session_search", "didit_session_list"]);
    let together = callable(&world, "didit.session.create didit.session.list").await;
    assert_eq!(together.len(), 3);
    for none in [
        "didit.session",
        "didit.session.create.x",
        "DIDIT.session.create",
        "didit.session.*",
        "didit.rest.session_create",
    ] {
        assert!(callable(&world, none).await.is_empty(), "{none}");
    }
    // Whoever lacks it is told of the coarse one, which every issuer has.
    let token = token_with(&world, "didit.session.list");
    let params = json!({"name": "didit_session_create", "arguments": {}});
    let refused = world.modern(Some(&token), "tools/call", params).await;
    let challenge = refused.header(header::WWW_AUTHENTICATE);
    assert!(
        challenge.contains(r#"scope="didit:verification""#),
        "{challenge}"
    );
}

/// Scopes of tools overlap; were a fine one shared by tools of two coarse ones, each would open the tools of the other.
#[tokio::test]
async fn a_coarse_scope_opens_the_tools_that_name_it_and_no_other() {
    let world = World::as_person("olivia");
    for coarse in [MANAGEMENT, VERIFICATION] {
        let names = didit_tools::names().filter(|tool| {
            let scopes = didit_tools::oauth_scopes(tool).unwrap();
            scopes.contains(&coarse)
        });
        assert_eq!(callable(&world, coarse).await, names.collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_batch_with_one_call_too_many_does_nothing_at_all() {
    let world = World::as_person("olivia");
    let token = token_with(&world, VERIFICATION);
    let allowed = call_of(r#"{"name":"didit_session_list","arguments":{}}"#);
    let refused = call_of(r#"{"name":"didit_workflow_list","arguments":{}}"#);
    for body in [
        format!("[{allowed},{refused}]"),
        format!("[{refused},{allowed}]"),
    ] {
        let answer = legacy(&world, &token, "2025-03-26", body).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.text());
        assert_eq!(answer.json()["error"], "insufficient_scope");
    }
    let answer = legacy(&world, &token, "2025-03-26", format!("[{allowed}]")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
}

#[tokio::test]
async fn odd_spellings_of_a_name_are_no_way_around() {
    let world = World::as_person("olivia");
    let (partial, whole) = (
        token_with(&world, VERIFICATION),
        token_with(&world, BOTH_SCOPES),
    );
    // The same name written otherwise needs the same scope.
    let escaped = call_of(r#"{"name":"didit_workflow\u005flist"}"#);
    let answer = legacy(&world, &partial, "2025-11-25", escaped.clone()).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.text());
    let answer = legacy(&world, &whole, "2025-11-25", escaped).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());

    // A call that does not say one name is refused: for want of scope, or else as malformed.
    for params in [
        "{}",
        r#"{"arguments":{}}"#,
        r#"{"name":null}"#,
        r#"{"name":7}"#,
        r#"{"name":["didit_workflow_list"]}"#,
        r#"{"name":"didit_session_list","name":"didit_workflow_list"}"#,
        r#"{"name":"didit_workflow_list","name":"didit_session_list"}"#,
    ] {
        let answer = legacy(&world, &partial, "2025-11-25", call_of(params)).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{params}");
        let answer = legacy(&world, &whole, "2025-11-25", call_of(params)).await;
        assert_eq!(code(&answer), json!(-32602), "{params}: {}", answer.text());
    }

    // A name that is nearly one is no tool, whoever asks.
    for name in [
        "",
        "didit_workflow_list ",
        "DIDIT_WORKFLOW_LIST",
        "didit_workflow_list\u{0}",
        "../didit_workflow_list",
    ] {
        let params = json!({"name": name, "arguments": {}}).to_string();
        for token in [&partial, &whole] {
            let answer = legacy(&world, token, "2025-11-25", call_of(&params)).await;
            assert_eq!(code(&answer), json!(-32602), "{name:?}: {}", answer.text());
        }
    }
}

#[tokio::test]
async fn parameters_that_are_no_object_reach_no_tool() {
    let world = World::as_person("olivia");
    let token = token_with(&world, VERIFICATION);
    for params in [r#"["didit_workflow_list",{}]"#, "\"x\"", "7"] {
        let answer = legacy(&world, &token, "2025-11-25", call_of(params)).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{params}");
        assert_eq!(code(&answer), json!(-32600), "{params}");
    }
}

#[tokio::test]
async fn nothing_is_answered_without_a_token_whatever_the_method() {
    let world = World::new();
    for method in ["GET", "POST", "DELETE", "OPTIONS", "PUT"] {
        let request = Request::builder().method(method).uri("/mcp");
        let answer = world.mcp(request, "").await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method}");
    }
}

fn code(answer: &Answer) -> Value {
    answer.json()["error"]["code"].clone()
}
