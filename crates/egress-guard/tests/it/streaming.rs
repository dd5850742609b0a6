//! Bodies handed on as they arrive: the pieces, and each cap.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use egress_guard::{EgressError, Limits, Policy, StreamedBody};
use http::Response;
use http_body::Body as _;
use tokio::io::AsyncWriteExt as _;
use tower_service::Service as _;

use crate::support::{accept_request, get, listen, loopback};

const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

async fn open(limits: Limits, url: &str) -> Result<Response<StreamedBody>, EgressError> {
    loopback(limits).streaming().call(get(url)).await
}

async fn piece(body: &mut StreamedBody) -> Option<Result<Bytes, EgressError>> {
    let frame = poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await?;
    Some(frame.map(|frame| frame.into_data().unwrap()))
}

#[tokio::test]
async fn a_piece_is_there_before_the_server_has_written_the_next_one() {
    let (listener, address) = listen().await;
    let url = format!("http://{address}/");
    let (response, (mut server, _)) = tokio::join!(open(Limits::default(), &url), async {
        let (mut server, head) = accept_request(&listener).await;
        server.write_all(HEAD).await.unwrap();
        server.write_all(b"5\r\nfirst\r\n").await.unwrap();
        (server, head)
    });
    let mut body = response.unwrap().into_body();
    assert_eq!(piece(&mut body).await.unwrap().unwrap(), "first");
    server.write_all(b"6\r\nsecond\r\n0\r\n\r\n").await.unwrap();
    assert_eq!(piece(&mut body).await.unwrap().unwrap(), "second");
    assert!(piece(&mut body).await.is_none());
}

#[tokio::test]
async fn a_body_ends_at_the_first_byte_past_the_limit() {
    let (listener, address) = listen().await;
    let limits = Limits {
        body_bytes: 8,
        ..Limits::default()
    };
    let url = format!("http://{address}/");
    let (response, (mut server, _)) = tokio::join!(open(limits, &url), async {
        let (mut server, head) = accept_request(&listener).await;
        server.write_all(HEAD).await.unwrap();
        server.write_all(b"8\r\n12345678\r\n").await.unwrap();
        (server, head)
    });
    let mut body = response.unwrap().into_body();
    assert_eq!(piece(&mut body).await.unwrap().unwrap(), "12345678");
    server.write_all(b"1\r\n9\r\n").await.unwrap();
    let error = piece(&mut body).await.unwrap().unwrap_err();
    assert!(
        matches!(error, EgressError::BodyTooLarge { limit: 8 }),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_body_that_takes_too_long_is_cut_off_and_gives_its_place_back() {
    let (listener, address) = listen().await;
    let limits = Limits {
        in_flight: 1,
        ..Limits::default()
    };
    let mut client = loopback(limits).streaming();
    let url = format!("http://{address}/");
    let (response, (_server, _)) = tokio::join!(client.call(get(&url)), async {
        let (mut server, head) = accept_request(&listener).await;
        server.write_all(HEAD).await.unwrap();
        (server, head)
    });
    let mut body = response.unwrap().into_body();
    // The first one is still being read.
    let error = client.call(get(&url)).await.unwrap_err();
    assert!(
        matches!(error, EgressError::TooManyInFlight { limit: 1 }),
        "{error:?}"
    );
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(11)).await;
    let error = piece(&mut body).await.unwrap().unwrap_err();
    assert!(matches!(error, EgressError::Deadline { .. }), "{error:?}");
    drop(body);
    tokio::time::resume();
    let (again, _) = tokio::join!(client.call(get(&url)), async {
        let (mut server, _) = accept_request(&listener).await;
        server.write_all(HEAD).await.unwrap();
        server
    });
    assert_eq!(again.unwrap().status(), 200);
}

#[tokio::test]
async fn a_refused_address_is_refused_here_too() {
    let client = egress_guard::Client::new(Policy::strict(), Limits::default());
    let error = client
        .streaming()
        .call(get("http://127.0.0.1/"))
        .await
        .unwrap_err();
    assert!(matches!(error, EgressError::Scheme { .. }), "{error:?}");
}

#[tokio::test]
async fn a_time_without_end_is_a_time_like_any_other() {
    let (listener, address) = listen().await;
    let limits = Limits {
        total: Duration::MAX,
        ..Limits::default()
    };
    let url = format!("http://{address}/");
    let (response, _server) = tokio::join!(open(limits, &url), async {
        let (mut server, _) = accept_request(&listener).await;
        server.write_all(HEAD).await.unwrap();
        server.write_all(b"4\r\nlong\r\n").await.unwrap();
        server
    });
    let mut body = response.unwrap().into_body();
    assert_eq!(piece(&mut body).await.unwrap().unwrap(), "long");
}
