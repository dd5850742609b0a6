//! Every line that the example prints, tried in memory, and what must fail.

use http::{HeaderMap, Request};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower_service::Service as _;

use super::*;
use crate::requests::{ALWAYS, Post};

const URL: &str = "http://127.0.0.1:4003/mcp";

async fn send(mint: &Mint, post: &Post, token: Option<&str>) -> (u16, HeaderMap, Value) {
    let mut request = Request::post("/mcp").header("host", "127.0.0.1:4003");
    for (name, value) in ALWAYS.iter().chain(&post.fields) {
        request = request.header(*name, *value);
    }
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let request = request.body(post.body.to_string()).unwrap();
    let answer = serve(URL, mint).call(request).await.unwrap();
    let (parts, body) = answer.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    (parts.status.as_u16(), parts.headers, body)
}

#[tokio::test]
async fn both_eras_are_answered_with_a_good_token() {
    let mint = Mint::new();
    let [(_, good, _), ..] = tokens(URL, &mint);
    let [handshake, legacy, modern] = requests();
    let (status, _, answer) = send(&mint, &handshake, Some(&good)).await;
    assert_eq!(status, 200);
    assert_eq!(answer["result"]["protocolVersion"], "2025-11-25");
    for post in [legacy, modern] {
        let (status, _, answer) = send(&mint, &post, Some(&good)).await;
        assert_eq!(status, 200, "{}", post.what);
        assert_eq!(
            answer["result"]["content"][0]["text"], "hello",
            "{}",
            post.what
        );
    }
}

#[tokio::test]
async fn every_token_has_the_status_that_it_promises() {
    let mint = Mint::new();
    let text = told(URL, &mint);
    for (name, token, expected) in tokens(URL, &mint) {
        let [_, legacy, modern] = requests();
        for post in [legacy, modern] {
            let (status, headers, _) = send(&mint, &post, Some(&token)).await;
            assert_eq!(status, expected, "{name}: {}", post.what);
            let challenged = headers.contains_key("www-authenticate");
            assert_eq!(challenged, expected != 200, "{name}: {}", post.what);
        }
        let line = format!("# the same call with ${name}: {expected}\n");
        assert!(text.contains(&line), "{text}");
    }
}

#[tokio::test]
async fn without_a_token_nothing_of_the_protocol_is_reached() {
    let mint = Mint::new();
    let [handshake, ..] = requests();
    let (status, headers, answer) = send(&mint, &handshake, None).await;
    assert_eq!((status, answer), (401, Value::Null));
    assert_eq!(
        headers["www-authenticate"],
        "Bearer resource_metadata=\"http://127.0.0.1:4003/.well-known/oauth-protected-resource/mcp\", \
         scope=\"echo\"",
    );
}

#[tokio::test]
async fn looking_around_takes_no_scope() {
    let mint = Mint::new();
    let [_, (_, poor, _), ..] = tokens(URL, &mint);
    let [_, mut list, _] = requests();
    list.body["method"] = json!("tools/list");
    list.body["params"] = json!({});
    let (status, _, answer) = send(&mint, &list, Some(&poor)).await;
    assert_eq!(status, 200);
    assert_eq!(answer["result"]["tools"][0]["name"], "echo");
}

/// The difference between the neighbours is the lesson, so what they share is the same text.
#[test]
fn what_the_neighbours_share_is_the_same() {
    let pairs = [
        (
            include_str!("echo.rs"),
            include_str!("../../mcp-echo/src/echo.rs"),
        ),
        (
            include_str!("requests.rs"),
            include_str!("../../mcp-echo/src/requests.rs"),
        ),
        (
            include_str!("mint.rs"),
            include_str!("../../protect-an-api/src/mint.rs"),
        ),
    ];
    for (here, there) in pairs {
        assert_eq!(here, there);
    }
}
