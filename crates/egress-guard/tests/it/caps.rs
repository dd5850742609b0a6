//! The caps: each at its edge and one past it.

use egress_guard::{EgressError, Limits};
use tokio::io::AsyncWriteExt;
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::{accept_request, answer_with, get, listen, loopback};

async fn body_of(length: usize, limit: usize) -> Result<usize, EgressError> {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .respond_with(ResponseTemplate::new(200).set_body_bytes(vec![b'x'; length]))
        .mount(&server)
        .await;
    let limits = Limits {
        body_bytes: limit,
        ..Limits::default()
    };
    let response = loopback(limits).send(get(&server.uri())).await?;
    Ok(response.body().len())
}

#[tokio::test]
async fn an_announced_body_is_cut_off_one_byte_past_the_limit() {
    assert_eq!(body_of(1024, 1024).await.unwrap(), 1024);
    let error = body_of(1025, 1024).await.unwrap_err();
    assert!(
        matches!(error, EgressError::BodyTooLarge { limit: 1024 }),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_body_without_a_length_is_counted_as_it_arrives() {
    let chunked = |chunks: usize| {
        let mut bytes = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
        for _ in 0..chunks {
            bytes.extend_from_slice(b"8\r\n12345678\r\n");
        }
        bytes.extend_from_slice(b"0\r\n\r\n");
        bytes
    };
    let limits = Limits {
        body_bytes: 64,
        ..Limits::default()
    };
    let client = loopback(limits);
    let address = answer_with(chunked(8)).await;
    let response = client
        .send(get(&format!("http://{address}/")))
        .await
        .unwrap();
    assert_eq!(response.body().len(), 64);
    let address = answer_with(chunked(9)).await;
    let error = client
        .send(get(&format!("http://{address}/")))
        .await
        .unwrap_err();
    assert!(
        matches!(error, EgressError::BodyTooLarge { limit: 64 }),
        "{error:?}"
    );
}

/// A response with this many fields of this length, and one more for the empty body.
fn with_headers(count: usize, length: usize) -> Vec<u8> {
    let mut text = String::from("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n");
    for n in 0..count - 1 {
        text.push_str(&format!("x-{n:03}: {}\r\n", "v".repeat(length - 5)));
    }
    text.push_str("\r\n");
    text.into_bytes()
}

async fn fetch_headers(limits: Limits, bytes: Vec<u8>) -> Result<usize, EgressError> {
    let address = answer_with(bytes).await;
    let response = loopback(limits)
        .send(get(&format!("http://{address}/")))
        .await?;
    Ok(response.headers().len())
}

#[tokio::test]
async fn header_fields_are_counted() {
    let limits = Limits {
        header_count: 10,
        ..Limits::default()
    };
    assert_eq!(
        fetch_headers(limits.clone(), with_headers(10, 10))
            .await
            .unwrap(),
        10
    );
    let error = fetch_headers(limits, with_headers(11, 10))
        .await
        .unwrap_err();
    assert!(matches!(error, EgressError::HeadersTooLarge), "{error:?}");
}

#[tokio::test]
async fn header_bytes_are_counted() {
    // "content-length" and "0" are 15 bytes.
    let limits = Limits {
        header_bytes: 15 + 5 * 100,
        ..Limits::default()
    };
    assert_eq!(
        fetch_headers(limits.clone(), with_headers(6, 100))
            .await
            .unwrap(),
        6
    );
    let error = fetch_headers(limits, with_headers(6, 101))
        .await
        .unwrap_err();
    assert!(matches!(error, EgressError::HeadersTooLarge), "{error:?}");
}

#[tokio::test]
async fn headers_beyond_the_read_buffer_are_refused_while_they_arrive() {
    let error = fetch_headers(Limits::default(), with_headers(3, 20 * 1024))
        .await
        .unwrap_err();
    assert!(matches!(error, EgressError::HeadersTooLarge), "{error:?}");
}

#[tokio::test]
async fn limits_without_end_are_limits_like_any_other() {
    let limits = Limits {
        body_bytes: usize::MAX,
        header_count: usize::MAX,
        header_bytes: usize::MAX,
        in_flight: usize::MAX,
        in_flight_per_host: usize::MAX,
        connections: usize::MAX,
        lookups: usize::MAX,
        ..Limits::default()
    };
    let read = fetch_headers(limits, with_headers(200, 10)).await;
    assert_eq!(read.unwrap(), 200);
}

#[tokio::test]
async fn what_is_not_http_breaks_off() {
    let error = fetch_headers(Limits::default(), b"SSH-2.0-OpenSSH_9.9\r\n\r\n".to_vec())
        .await
        .unwrap_err();
    assert!(matches!(error, EgressError::Broken { .. }), "{error:?}");
}

#[tokio::test]
async fn a_body_that_ends_early_breaks_off() {
    let short = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf".to_vec();
    let error = fetch_headers(Limits::default(), short).await.unwrap_err();
    assert!(matches!(error, EgressError::Broken { .. }), "{error:?}");
}

#[tokio::test]
async fn a_closed_port_is_a_failed_connection() {
    let (listener, address) = listen().await;
    drop(listener);
    let error = loopback(Limits::default())
        .send(get(&format!("http://{address}/")))
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            EgressError::Connect {
                kind: std::io::ErrorKind::ConnectionRefused,
                ..
            }
        ),
        "{error:?}"
    );
}

#[tokio::test]
async fn one_exchange_too_many_is_refused_and_a_finished_one_makes_room() {
    let (listener, address) = listen().await;
    let limits = Limits {
        in_flight: 1,
        ..Limits::default()
    };
    let client = loopback(limits);
    let url = format!("http://{address}/");
    let first = tokio::spawn({
        let (client, url) = (client.clone(), url.clone());
        async move { client.send(get(&url)).await }
    });
    let (mut stream, _) = accept_request(&listener).await;

    let error = client.clone().send(get(&url)).await.unwrap_err();
    assert!(
        matches!(error, EgressError::TooManyInFlight { limit: 1 }),
        "{error:?}"
    );

    let answer = b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
    stream.write_all(answer).await.unwrap();
    assert_eq!(first.await.unwrap().unwrap().status(), 204);

    let third = tokio::spawn(async move { client.send(get(&url)).await });
    let (mut stream, _) = accept_request(&listener).await;
    stream.write_all(answer).await.unwrap();
    assert_eq!(third.await.unwrap().unwrap().status(), 204);
}
