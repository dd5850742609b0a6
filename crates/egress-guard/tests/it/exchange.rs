//! What an exchange does, and the things a client for strangers must not do.

use bytes::Bytes;
use egress_guard::{Client, EgressError, Limits, Policy};
use http::{Request, StatusCode};
use tower_service::Service;
use wiremock::matchers::{body_string, header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::{get, loopback};

#[tokio::test]
async fn a_document_is_fetched() {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .and(path("/doc"))
        .and(header("accept", "application/json"))
        .respond_with(ResponseTemplate::new(200).set_body_raw("{}", "application/json"))
        .mount(&server)
        .await;
    let request = Request::get(format!("{}/doc", server.uri()))
        .header("accept", "application/json")
        .body(Bytes::new())
        .unwrap();
    let response = loopback(Limits::default()).call(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-type"], "application/json");
    assert_eq!(response.body(), "{}");
}

#[tokio::test]
async fn a_body_is_sent() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(body_string("a=b"))
        .respond_with(ResponseTemplate::new(201))
        .mount(&server)
        .await;
    let request = Request::post(server.uri())
        .body(Bytes::from("a=b"))
        .unwrap();
    let response = loopback(Limits::default()).send(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::CREATED);
}

#[tokio::test]
async fn the_same_url_is_refused_by_the_strict_policy() {
    let server = MockServer::start().await;
    let client = Client::new(Policy::strict(), Limits::default());
    let error = client.send(get(&server.uri())).await.unwrap_err();
    assert!(
        matches!(error, EgressError::Scheme { ref scheme } if scheme == "http"),
        "{error:?}"
    );
    assert!(error.is_refusal());
    assert!(server.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_redirect_is_a_response_like_any_other() {
    let server = MockServer::start().await;
    for status in [301, 302, 303, 307, 308] {
        Mock::given(path(format!("/{status}")))
            .respond_with(ResponseTemplate::new(status).insert_header("location", "/private"))
            .mount(&server)
            .await;
    }
    Mock::given(path("/private"))
        .respond_with(ResponseTemplate::new(200))
        .expect(0)
        .mount(&server)
        .await;
    let client = loopback(Limits::default());
    for status in [301, 302, 303, 307, 308] {
        let response = client
            .send(get(&format!("{}/{status}", server.uri())))
            .await
            .unwrap();
        assert_eq!(response.status(), status);
        assert_eq!(response.headers()["location"], "/private");
    }
}

#[tokio::test]
async fn a_compressed_body_stays_compressed() {
    let server = MockServer::start().await;
    let gzip = [
        0x1f_u8, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ];
    Mock::given(method("GET"))
        .respond_with(
            ResponseTemplate::new(200)
                .insert_header("content-encoding", "gzip")
                .set_body_bytes(gzip),
        )
        .mount(&server)
        .await;
    let response = loopback(Limits::default())
        .send(get(&server.uri()))
        .await
        .unwrap();
    assert_eq!(response.body().as_ref(), gzip);
    let request = &server.received_requests().await.unwrap()[0];
    assert!(!request.headers.contains_key("accept-encoding"));
}

#[tokio::test]
async fn the_host_header_comes_from_the_url() {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .respond_with(ResponseTemplate::new(200))
        .mount(&server)
        .await;
    let request = Request::get(server.uri())
        .header("host", "internal.example")
        .body(Bytes::new())
        .unwrap();
    loopback(Limits::default()).send(request).await.unwrap();
    let request = &server.received_requests().await.unwrap()[0];
    assert_eq!(request.headers["host"], server.address().to_string());
}

#[tokio::test]
async fn credentials_in_the_url_are_refused() {
    let error = loopback(Limits::default())
        .send(get("http://user:secret@127.0.0.1:9/"))
        .await
        .unwrap_err();
    assert!(matches!(error, EgressError::Credentials), "{error:?}");
    assert!(!format!("{error:?} {error}").contains("secret"));
}
