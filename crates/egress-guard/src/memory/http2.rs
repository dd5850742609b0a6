//! The same caps over HTTP/2.

use std::convert::Infallible;

use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{Method, Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};

use super::{At, NAME, Network, PUBLIC, get};
use crate::dial::Duplex;
use crate::error::EgressError;
use crate::limits::Limits;
use crate::policy::Policy;

/// Answers `/headers/N` with a field of N bytes, `/fields/N` with N small ones, and `/N` with a body of N bytes. A HEAD is told
/// the length alone.
async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().trim_start_matches('/');
    let (kind, number) = path.split_once('/').unwrap_or(("", path));
    let number = number.parse().unwrap();
    let (field, fields, body) = match kind {
        "headers" => (number, 0, 0),
        "fields" => (0, number, 0),
        _ => (0, 0, number),
    };
    let is_head = request.method() == Method::HEAD;
    let sent = if is_head { 0 } else { body };
    let mut response = Response::new(Full::new(Bytes::from(vec![b'x'; sent])));
    if is_head {
        response.headers_mut().insert(CONTENT_LENGTH, body.into());
    }
    let value = "v".repeat(field).parse().unwrap();
    response.headers_mut().insert("x", value);
    for n in 0..fields {
        response.headers_mut().append("y", n.into());
    }
    Ok(response)
}

/// Serves one connection to its end.
pub(super) async fn serving(stream: Box<dyn Duplex>) {
    let serving = http2::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(stream), service_fn(answer));
    serving.await.ok();
}

fn serve(stream: Box<dyn Duplex>) {
    drop(tokio::spawn(serving(stream)));
}

async fn send(request: Request<Bytes>) -> Result<Response<Bytes>, EgressError> {
    let network = Network::default()
        .name(NAME, &[&[PUBLIC]])
        .at(&format!("{PUBLIC}:443"), At::Tls(serve));
    let client = network.client(Policy::strict(), Limits::default());
    let response = client.send(request).await?;
    assert_eq!(response.version(), http::Version::HTTP_2);
    Ok(response)
}

async fn fetch(path: &str) -> Result<usize, EgressError> {
    let response = send(get(&format!("https://{NAME}/{path}"))).await?;
    Ok(response.body().len())
}

#[tokio::test(start_paused = true)]
async fn a_head_may_tell_of_any_length() {
    let head = Request::head(format!("https://{NAME}/10000000")).body(Bytes::new());
    let response = send(head.unwrap()).await.unwrap();
    assert_eq!(response.headers()["content-length"], "10000000");
    assert!(response.body().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_body_is_cut_off_at_its_limit() {
    assert_eq!(fetch("65536").await.unwrap(), 65_536);
    for path in ["65537", "10000000"] {
        let error = fetch(path).await.unwrap_err();
        assert!(
            matches!(error, EgressError::BodyTooLarge { limit: 65_536 }),
            "{error:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn header_fields_over_their_limit_are_refused() {
    assert_eq!(fetch("headers/16000").await.unwrap(), 0);
    for path in ["headers/16384", "headers/32768"] {
        let error = fetch(path).await.unwrap_err();
        assert!(
            matches!(error, EgressError::HeadersTooLarge),
            "{path}: {error:?}"
        );
    }
    // Far beyond it the library ends the stream before there is a response.
    let error = fetch("headers/60000").await.unwrap_err();
    assert!(matches!(error, EgressError::Broken { .. }), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn header_fields_are_counted() {
    // With `x` and `date` they are 64.
    assert_eq!(fetch("fields/62").await.unwrap(), 0);
    let error = fetch("fields/63").await.unwrap_err();
    assert!(matches!(error, EgressError::HeadersTooLarge), "{error:?}");
}
