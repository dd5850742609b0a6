//! What an exchange does, and the things a client for strangers must not do.

use std::env;
use std::net::SocketAddr;
use std::process::Command;

use bytes::Bytes;
use egress_guard::{Client, EgressError, Limits, Policy};
use http::{Method, Request, StatusCode};
use tokio::io::AsyncWriteExt;
use tokio::task::JoinHandle;
use tower_service::Service;
use wiremock::matchers::{body_string, header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::{accept_request, get, listen, loopback, read_head};

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

/// The variables are read when a process starts to use them, so another process runs the test above with them set.
#[test]
fn proxies_of_the_environment_are_not_used() {
    let mut run = Command::new(env::current_exe().unwrap());
    run.args(["--exact", "exchange::a_document_is_fetched"]);
    for name in [
        "http_proxy",
        "https_proxy",
        "all_proxy",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
    ] {
        // Nothing answers there.
        run.env(name, "http://127.0.0.1:1");
    }
    for name in ["no_proxy", "NO_PROXY", "REQUEST_METHOD"] {
        run.env_remove(name);
    }
    let ran = run.output().unwrap();
    let said = String::from_utf8(ran.stdout).unwrap();
    assert!(ran.status.success() && said.contains("1 passed"), "{said}");
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

/// Answers one request, closes the connection at the second without an answer, and answers a third on another connection.
/// Gives what was asked for, in order.
async fn closing_while_asked() -> (SocketAddr, JoinHandle<Vec<String>>) {
    const EMPTY: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    let (listener, address) = listen().await;
    let serving = tokio::spawn(async move {
        let (mut stream, first) = accept_request(&listener).await;
        stream.write_all(EMPTY).await.unwrap();
        let second = read_head(&mut stream).await;
        drop(stream);
        let (mut stream, third) = accept_request(&listener).await;
        stream.write_all(EMPTY).await.unwrap();
        vec![first, second, third]
    });
    (address, serving)
}

#[tokio::test]
async fn a_get_on_an_open_connection_that_is_closed_meanwhile_goes_out_once_more() {
    let (address, serving) = closing_while_asked().await;
    let client = loopback(Limits::default());
    for path in ["first", "second"] {
        let url = format!("http://{address}/{path}");
        client.send(get(&url)).await.unwrap();
    }
    let asked = serving.await.unwrap();
    let paths: Vec<_> = asked
        .iter()
        .map(|head| head.split_once(" HTTP").unwrap().0)
        .collect();
    assert_eq!(paths, ["GET /first", "GET /second", "GET /second"]);
}

#[tokio::test]
async fn what_may_have_been_done_is_not_sent_again() {
    for method in [Method::POST, Method::PUT, Method::DELETE] {
        let (address, serving) = closing_while_asked().await;
        let client = loopback(Limits::default());
        let url = format!("http://{address}/");
        client.send(get(&url)).await.unwrap();
        let request = Request::builder().method(&method).uri(&url);
        let error = client.send(request.body(Bytes::from_static(b"a")).unwrap());
        let error = error.await.unwrap_err();
        assert!(matches!(error, EgressError::Broken { .. }), "{error:?}");
        // The third that the server sees is this one.
        client.send(get(&format!("{url}third"))).await.unwrap();
        let asked = serving.await.unwrap();
        assert!(
            asked[1].starts_with(method.as_str()) && asked[2].starts_with("GET /third"),
            "{asked:?}"
        );
    }
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
