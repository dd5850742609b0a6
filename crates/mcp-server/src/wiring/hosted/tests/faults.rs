//! What was seen to go wrong on the Didit MCP server as it is hosted, and does not here.

use http::{Request, StatusCode};
use serde_json::json;

use super::world::{Answer, World};

/// A message of the older era, whose answer may be JSON or one event.
async fn legacy(world: &World, token: Option<&str>, body: &str) -> Answer {
    let mut request = Request::post("/mcp")
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", "2025-06-18");
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    world.send(request, body.to_owned()).await
}

#[tokio::test(start_paused = true)]
async fn an_odd_id_and_a_bad_progress_token_get_an_answer() {
    let world = World::new();
    let token = world.token("olivia");
    for id in [
        "1.5",
        "-0.0",
        "1e400",
        "true",
        "null",
        "{}",
        "[1]",
        "18446744073709551616",
    ] {
        let body = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/list"}}"#);
        let answer = legacy(&world, Some(&token), &body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{id}: {answer:?}");
        let code = answer.json()["error"]["code"].as_i64();
        assert!(matches!(code, Some(-32600 | -32700)), "{id}: {answer:?}");
    }
    for progress in ["1.5", "null", "true", "{}", "[]"] {
        let body = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"didit_org_list","arguments":{{}},"_meta":{{"progressToken":{progress}}}}}}}"#
        );
        let answer = legacy(&world, Some(&token), &body).await;
        assert!(answer.text.contains(r#""id":1"#), "{progress}: {answer:?}");
        let answered = [r#""result""#, r#""error""#]
            .iter()
            .any(|member| answer.text.contains(member));
        assert!(answered, "{progress}: {answer:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_is_looked_at_only_with_a_token_and_its_faults_are_told_in_json() {
    let world = World::new();
    let token = world.token("olivia");
    let long = "x".repeat(30 << 20);
    for body in ["{\"jsonrpc\":", "<html>", "", "\u{0}", long.as_str()] {
        let shown = body.chars().take(20).collect::<String>();
        let answer = legacy(&world, None, body).await;
        assert_eq!(
            answer.status,
            StatusCode::UNAUTHORIZED,
            "{shown}: {answer:?}"
        );
        let answer = legacy(&world, Some(&token), body).await;
        let wanted = if body.len() > 1000 {
            StatusCode::PAYLOAD_TOO_LARGE
        } else {
            StatusCode::BAD_REQUEST
        };
        assert_eq!(answer.status, wanted, "{shown}: {answer:?}");
        assert!(
            answer.json()["error"]["code"].is_i64(),
            "{shown}: {answer:?}"
        );
        for inside in ["<html", "<pre>", ".rs", "\n    at "] {
            assert!(!answer.text.contains(inside), "{shown}: {answer:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_issuer_is_asked_once_and_not_for_every_request() {
    let world = World::new();
    for _ in 0..5 {
        world
            .call("olivia", "didit_org_list", json!({}))
            .await
            .result();
    }
    assert_eq!(world.asked(), 1);
}
