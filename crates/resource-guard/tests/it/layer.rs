//! The layer around a service: what it answers itself, what it passes on, what it adds.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full};
use oauth_rs::time::UnixSeconds;
use resource_guard::{Cors, GuardLayer, GuardService, Principal, Reason, Refused};
use tower_layer::Layer;
use tower_service::Service;

use crate::support::{METADATA, NOW, RESOURCE, World};

/// Says who came, and counts.
#[derive(Clone, Default)]
struct Inner {
    calls: Arc<AtomicUsize>,
}

impl Service<Request<()>> for Inner {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let principal = request.extensions().get::<Principal>().unwrap();
        let token = request.headers().contains_key("authorization");
        let text = format!("{} token={token}", principal.subject);
        ready(Ok(Response::new(Full::new(Bytes::from(text)))))
    }
}

struct Scene {
    token: String,
    calls: Arc<AtomicUsize>,
    service: GuardService<Inner>,
}

fn scene(change: impl FnOnce(GuardLayer) -> GuardLayer) -> Scene {
    let world = World::new();
    let token = world.token();
    let inner = Inner::default();
    let calls = Arc::clone(&inner.calls);
    let layer = GuardLayer::new(Arc::new(world.guard), world.keys.fixed(), Arc::new(|| NOW));
    let service = change(layer).layer(inner);
    Scene {
        token,
        calls,
        service,
    }
}

impl Scene {
    async fn send(&mut self, request: http::request::Builder) -> Response<Bytes> {
        let response = self.service.call(request.body(()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        Response::from_parts(parts, body.collect().await.unwrap().to_bytes())
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

fn post() -> http::request::Builder {
    Request::post(RESOURCE).header("origin", "https://app.example")
}

fn assert_readable(response: &Response<Bytes>) {
    assert_eq!(
        response.headers()["access-control-allow-origin"],
        "https://app.example"
    );
    assert_eq!(
        response.headers()["access-control-expose-headers"],
        "www-authenticate, dpop-nonce, retry-after"
    );
    assert_eq!(response.headers()["vary"], "origin");
}

#[tokio::test]
async fn a_valid_token_reaches_the_service_as_a_principal() {
    let mut scene = scene(|layer| layer);
    let bearer = format!("Bearer {}", scene.token);
    let response = scene.send(post().header("authorization", bearer)).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.body(), "user-1 token=false");
    assert_eq!(scene.calls(), 1);
    assert_readable(&response);
}

#[tokio::test]
async fn a_refusal_never_reaches_the_service_and_says_why_to_the_log() {
    let mut scene = scene(|layer| layer);
    let response = scene.send(post()).await;
    assert_eq!(response.status(), 401);
    let challenge = format!("Bearer resource_metadata=\"{METADATA}\", scope=\"a\"");
    assert_eq!(response.headers()["www-authenticate"], challenge);
    assert_eq!(
        response.extensions().get::<Refused>().unwrap().reason(),
        &Reason::NoToken
    );
    assert_eq!(scene.calls(), 0);
    assert_readable(&response);
}

#[tokio::test]
async fn every_request_is_checked() {
    let mut scene = scene(|layer| layer);
    for method in ["GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD"] {
        let response = scene
            .send(Request::builder().method(method).uri("/any/path"))
            .await;
        assert_eq!(response.status(), 401, "{method}");
    }
    assert_eq!(scene.calls(), 0);
}

#[tokio::test]
async fn the_clock_is_asked_each_time() {
    let now = Arc::new(AtomicUsize::new(1100));
    let world = World::new();
    let bearer = format!("Bearer {}", world.token());
    let clock = Arc::clone(&now);
    let clock = move || UnixSeconds(clock.load(Ordering::SeqCst) as u64);
    let layer = GuardLayer::new(Arc::new(world.guard), world.keys.fixed(), Arc::new(clock));
    let mut service = layer.layer(Inner::default());
    for (time, status) in [(1100, 200), (1604, 200), (1605, 401)] {
        now.store(time, Ordering::SeqCst);
        let request = post().header("authorization", &bearer).body(()).unwrap();
        assert_eq!(
            service.call(request).await.unwrap().status(),
            status,
            "{time}"
        );
    }
}

#[tokio::test]
async fn a_revoked_token_is_refused_at_the_next_request() {
    let revoked = Arc::new(AtomicUsize::new(0));
    let list = Arc::clone(&revoked);
    let mut scene = scene(|layer| {
        layer.revocation(Arc::new(move |principal: &Principal| {
            assert_eq!(principal.grant_id.as_deref(), Some("grant-1"));
            list.load(Ordering::SeqCst) == 1 && principal.token_id.as_deref() == Some("token-1")
        }))
    });
    let bearer = format!("Bearer {}", scene.token);
    assert_eq!(
        scene
            .send(post().header("authorization", &bearer))
            .await
            .status(),
        200
    );
    revoked.store(1, Ordering::SeqCst);
    let response = scene.send(post().header("authorization", &bearer)).await;
    assert_eq!(response.status(), 401);
    assert_eq!(
        response.body(),
        "{\"error\":\"invalid_token\",\"error_description\":\"the access token was revoked\"}"
    );
    assert_eq!(
        response.extensions().get::<Refused>().unwrap().reason(),
        &Reason::Revoked
    );
    assert_eq!(scene.calls(), 1);
}

#[tokio::test]
async fn a_preflight_is_answered_before_authorization() {
    let mut scene = scene(|layer| {
        let names = ["mcp-protocol-version", "mcp-session-id", "last-event-id"];
        layer.cors(Cors::default().also_headers(names.map(HeaderName::from_static)))
    });
    let preflight = Request::builder()
        .method("OPTIONS")
        .uri(RESOURCE)
        .header("origin", "https://app.example")
        .header("access-control-request-method", "POST")
        .header(
            "access-control-request-headers",
            "authorization, mcp-protocol-version",
        );
    let response = scene.send(preflight).await;
    assert_eq!(response.status(), 204);
    assert_eq!(
        response.headers()["access-control-allow-headers"],
        "authorization, content-type, mcp-protocol-version, mcp-session-id, last-event-id"
    );
    assert!(!response.headers().contains_key("www-authenticate"));
    assert_eq!(scene.calls(), 0);
}

#[tokio::test]
async fn an_origin_that_is_not_listed_is_told_nothing() {
    let mut scene = scene(|layer| {
        layer.cors(Cors::default().origins([HeaderValue::from_static("https://only.example")]))
    });
    let response = scene.send(post()).await;
    assert_eq!(response.status(), 401);
    assert!(
        !response
            .headers()
            .contains_key("access-control-allow-origin")
    );
    assert_eq!(response.headers()["vary"], "origin");
}

#[tokio::test]
async fn the_metadata_is_open_and_does_not_depend_on_the_host() {
    let mut scene = scene(|layer| layer);
    let expected = r#"{"resource":"https://rs.example/mcp","authorization_servers":["https://as.example"],"scopes_supported":["a","b"],"bearer_methods_supported":["header"]}"#;
    for path in [
        "/.well-known/oauth-protected-resource/mcp",
        "/.well-known/oauth-protected-resource",
    ] {
        for host in ["rs.example", "evil.example"] {
            let request = Request::get(path)
                .header("host", host)
                .header("origin", "https://app.example");
            let response = scene.send(request).await;
            assert_eq!(response.status(), 200, "{path}");
            assert_eq!(response.headers()["content-type"], "application/json");
            assert_eq!(response.body(), expected);
            assert_readable(&response);
        }
    }
    assert_eq!(scene.calls(), 0);
}
