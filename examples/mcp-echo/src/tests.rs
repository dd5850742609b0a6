//! Every line that the example prints, tried in memory, and what must fail.

use http::{HeaderValue, Request};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower_service::Service as _;

use super::*;
use crate::requests::{ALWAYS, Post};

async fn send(post: &Post, host: &str) -> (u16, Value) {
    let mut request = Request::post("/mcp").header("host", host);
    for (name, value) in ALWAYS.iter().chain(&post.fields) {
        let value = HeaderValue::from_static(value);
        request.headers_mut().unwrap().insert(*name, value);
    }
    let request = request.body(post.body.to_string()).unwrap();
    let (parts, body) = serve().call(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    (
        parts.status.as_u16(),
        serde_json::from_slice(&body).unwrap(),
    )
}

#[tokio::test]
async fn both_eras_are_answered() {
    let [handshake, legacy, modern] = requests();
    let (status, answer) = send(&handshake, "localhost").await;
    assert_eq!(status, 200);
    assert_eq!(answer["result"]["protocolVersion"], "2025-11-25");
    for post in [legacy, modern] {
        let (status, answer) = send(&post, "localhost").await;
        assert_eq!(status, 200, "{}", post.what);
        assert_eq!(
            answer["result"]["content"][0]["text"], "hello",
            "{}",
            post.what
        );
    }
}

#[test]
fn every_request_is_printed() {
    let text = told("http://127.0.0.1:4002/mcp");
    for post in requests() {
        assert!(text.contains(&format!("# {}: 200\n", post.what)), "{text}");
        assert!(text.contains(&post.body.to_string()), "{text}");
    }
    assert_eq!(
        text.matches("curl -i http://127.0.0.1:4002/mcp -H '")
            .count(),
        3
    );
}

#[tokio::test]
async fn what_must_fail_fails() {
    let [_, legacy, mut modern] = requests();
    // A page that has rebound its name to this machine.
    let (status, _) = send(&legacy, "evil.example").await;
    assert_eq!(status, 403);

    // A header that says something else than the body.
    modern.fields[2] = ("mcp-name", "shout");
    let (status, _) = send(&modern, "localhost").await;
    assert_eq!(status, 400);

    // A client that could not read a stream.
    let mut other = legacy;
    other.fields.push(("accept", "application/json"));
    let (status, _) = send(&other, "localhost").await;
    assert_eq!(status, 406);
    other.fields.pop();

    // A tool that is not there is an error, and wrong arguments are a result that says so.
    other.body["params"]["name"] = json!("shout");
    let (_, answer) = send(&other, "localhost").await;
    assert_eq!(answer["error"]["code"], -32602);
    other.body["params"] = json!({ "name": "echo", "arguments": { "text": 7 } });
    let (status, answer) = send(&other, "localhost").await;
    assert_eq!((status, &answer["result"]["isError"]), (200, &json!(true)));
}
