//! The layer around a gRPC server: boxed bodies that are not `Sync`, errors of another kind, trailers.
//!
//! The bounds are those that tonic's `Server::layer` puts on a service; tonic itself is not needed to
//! hold against them.

use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::{Body, Frame};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use resource_guard::{GuardLayer, Principal};
use tower_layer::Layer;
use tower_service::Service;

use crate::support::World;

/// tonic's error of a body: neither of our crates knows it.
#[derive(Debug)]
struct Status;

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("status")
    }
}

impl Error for Status {}

type Boxed = UnsyncBoxBody<Bytes, Status>;

/// A message, and after it the trailers without which no gRPC client accepts an answer.
struct Message(Vec<Frame<Bytes>>);

impl Body for Message {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        Poll::Ready(self.0.pop().map(Ok))
    }
}

/// Says who came, as a server that was generated from a `.proto` file does.
#[derive(Clone)]
struct Greeter;

impl Service<Request<Boxed>> for Greeter {
    type Response = Response<Boxed>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Boxed>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Boxed>) -> Self::Future {
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let asked = body.collect().await.map_err(|_| ()).unwrap().to_bytes();
            let who = &parts.extensions.get::<Principal>().unwrap().subject;
            let text = format!("{}, {who}", String::from_utf8_lossy(&asked));
            let mut trailers = HeaderMap::new();
            trailers.insert("grpc-status", "0".parse().unwrap());
            let frames = vec![Frame::trailers(trailers), Frame::data(text.into())];
            let response = Response::builder().header("content-type", "application/grpc");
            Ok(response.body(Message(frames).boxed_unsync()).unwrap())
        })
    }
}

/// What tonic demands of a service that stands in front of its routes.
fn as_tonic_takes_it<S, R>(service: S) -> S
where
    S: Service<Request<Boxed>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>> + Send,
    R: Body<Data = Bytes> + Send + 'static,
    R::Error: Into<Box<dyn Error + Send + Sync>>,
{
    service
}

/// A call with this token; the empty one stands for a good one.
async fn call(token: Option<&str>) -> Response<http_body_util::Collected<Bytes>> {
    let world = World::new();
    let good = world.token();
    let layer = GuardLayer::new(
        Arc::new(world.guard),
        world.keys.fixed(),
        Arc::new(|| crate::support::NOW),
    );
    let mut service = as_tonic_takes_it(layer.layer(Greeter));
    let mut request = Request::post("/greeter.Greeter/Greet").header("te", "trailers");
    if let Some(token) = token {
        let token = if token.is_empty() { &good } else { token };
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let body = Full::new(Bytes::from("hello")).map_err(|never| match never {});
    let request = request.body(body.boxed_unsync()).unwrap();
    let (parts, body) = service.call(request).await.unwrap().into_parts();
    Response::from_parts(parts, body.collect().await.unwrap())
}

#[tokio::test]
async fn a_granted_call_keeps_its_message_and_its_trailers() {
    let response = call(Some("")).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/grpc");
    let body = response.into_body();
    assert_eq!(body.trailers().unwrap()["grpc-status"], "0");
    assert_eq!(body.to_bytes(), "hello, user-1");
}

// gRPC maps an HTTP status of 401 to UNAUTHENTICATED and of 403 to PERMISSION_DENIED where there is
// no `grpc-status`: https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md
#[tokio::test]
async fn a_refused_call_is_an_http_status_that_grpc_clients_know() {
    for (token, error) in [(None, None), (Some("opaque"), Some("invalid_token"))] {
        let response = call(token).await;
        assert_eq!(response.status(), 401);
        assert!(!response.headers().contains_key("grpc-status"));
        let challenge = response.headers()["www-authenticate"].to_str().unwrap();
        let named = error.map(|error| challenge.contains(&format!("error=\"{error}\"")));
        assert_ne!(named, Some(false), "{challenge}");
        assert_eq!(response.into_body().trailers(), None);
    }
}
