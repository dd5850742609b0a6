//! The layer around a service: what it answers itself, what it passes on, what it adds.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full};
use oauth_rs::certificate::Thumbprint;
use oauth_rs::introspection::Introspection;
use oauth_rs::jose::{JwkSet, SigningKey};
use oauth_rs::time::UnixSeconds;
use resource_guard::source::Fetching;
use resource_guard::{
    Cors, Guard, GuardLayer, GuardService, IssuerAnswer, KeySnapshot, NeedsIntrospection,
    NeedsKeys, Nonces, Peer, Principal, Proxies, Reason, Refused, ReplayWindow, Source,
    TrustedIssuer,
};
use serde_json::json;
use tower_layer::Layer;
use tower_service::Service;

use crate::dpop::Bound;
use crate::support::{METADATA, NOW, RESOURCE, World, claims, config, issuer};

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
        let subject = request
            .extensions()
            .get::<Principal>()
            .map_or_else(|| "nobody".to_owned(), |who| who.subject.to_string());
        let token = ["authorization", "dpop", "client-cert"]
            .iter()
            .any(|name| request.headers().contains_key(*name));
        let text = format!("{subject} token={token}");
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
        "authorization, content-type, dpop, mcp-protocol-version, mcp-session-id, last-event-id"
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

/// Hands out no keys at first; what it is asked for it has, or has not.
struct Late {
    keys: Result<KeySnapshot, Duration>,
    answer: Result<Introspection, Duration>,
    asked: Arc<AtomicUsize>,
}

impl Source for Late {
    fn keys(&self) -> Arc<KeySnapshot> {
        Arc::new(KeySnapshot::default())
    }

    fn newer_keys(&self, needs: NeedsKeys) -> Fetching<KeySnapshot> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let keys = self.keys.clone();
        Box::pin(async move {
            tokio::task::yield_now().await;
            keys.map(Arc::new).map_err(|wait| needs.unavailable(wait))
        })
    }

    fn introspect(&self, needs: NeedsIntrospection) -> Fetching<IssuerAnswer> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let answer = self.answer.clone();
        Box::pin(async move {
            tokio::task::yield_now().await;
            assert_eq!(needs.token().expose(), "opaque");
            let answer = answer.map(|said| Arc::new(said.into()));
            answer.map_err(|wait| needs.unavailable(wait))
        })
    }
}

const WAIT: Duration = Duration::from_secs(9);

/// A scene whose evidence comes late; the count is of what was asked for.
fn late(
    guard: Guard,
    keys: Result<KeySnapshot, Duration>,
    answer: Result<Introspection, Duration>,
) -> (Scene, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let source = Late {
        keys,
        answer,
        asked: Arc::clone(&asked),
    };
    let inner = Inner::default();
    let calls = Arc::clone(&inner.calls);
    let layer = GuardLayer::new(Arc::new(guard), source, Arc::new(|| NOW));
    let scene = Scene {
        token: String::new(),
        calls,
        service: layer.layer(inner),
    };
    (scene, asked)
}

fn reason(response: &Response<Bytes>) -> Reason {
    let refused = response.extensions().get::<Refused>().unwrap();
    refused.reason().clone()
}

#[tokio::test]
async fn keys_that_are_needed_are_waited_for_and_asked_for_once() {
    let world = World::new();
    let bearer = format!("Bearer {}", world.token());
    let request = || post().header("authorization", &bearer);
    let (mut scene, asked) = late(Guard::new(config()).unwrap(), Ok(world.keys), Err(WAIT));
    let response = scene.send(request()).await;
    assert_eq!(response.body(), "user-1 token=false");
    assert_readable(&response);
    assert_eq!(asked.load(Ordering::SeqCst), 1);

    // The newer keys do not have it either: that is the end of it.
    let other = SigningKey::generate_es256().unwrap();
    let keys = KeySnapshot::new(issuer(), JwkSet::from_public([other.public_jwk()]));
    let (mut scene, asked) = late(Guard::new(config()).unwrap(), Ok(keys), Err(WAIT));
    let response = scene.send(request()).await;
    assert_eq!(response.status(), 401);
    assert!(matches!(reason(&response), Reason::UnknownKey { .. }));
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    assert_eq!(scene.calls(), 0);
    assert_readable(&response);
}

#[tokio::test]
async fn keys_that_cannot_be_had_are_an_outage() {
    let world = World::new();
    let bearer = format!("Bearer {}", world.token());
    let (mut scene, _) = late(Guard::new(config()).unwrap(), Err(WAIT), Err(WAIT));
    let response = scene.send(post().header("authorization", bearer)).await;
    assert_eq!(response.status(), 503);
    assert_eq!(response.headers()["retry-after"], "9");
    let (issuer, retry_after) = (issuer(), WAIT);
    assert_eq!(
        reason(&response),
        Reason::KeysUnavailable {
            issuer,
            retry_after
        }
    );
    assert_eq!(scene.calls(), 0);
}

#[tokio::test]
async fn an_issuer_is_asked_about_a_token() {
    let guard = || {
        let resource = oauth_rs::uri::ResourceId::parse(RESOURCE).unwrap();
        let trusted = TrustedIssuer::introspecting(issuer());
        Guard::new(resource_guard::GuardConfig::new(resource, trusted)).unwrap()
    };
    let answer = json!({"active": true, "sub": "user-2", "aud": RESOURCE}).to_string();
    let answer = Introspection::parse(answer.as_bytes()).unwrap();
    let keys = || Ok(KeySnapshot::default());
    let request = || post().header("authorization", "Bearer opaque");
    let (mut scene, asked) = late(guard(), keys(), Ok(answer));
    let response = scene.send(request()).await;
    assert_eq!(response.body(), "user-2 token=false");
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    let (mut scene, _) = late(guard(), keys(), Err(WAIT));
    let response = scene.send(request()).await;
    assert_eq!(response.status(), 503);
    assert!(!response.headers().contains_key("www-authenticate"));
}

#[tokio::test]
async fn a_proof_is_spent_and_nonces_are_handed_out() {
    let bound = Bound::new(|config| config);
    let nonces = || Arc::new(Nonces::new([1; 32]));
    let world = &bound.world;
    let guard = Guard::new(config().dpop(oauth_rs::jose::dpop::Rules::default())).unwrap();
    let window = Arc::new(ReplayWindow::default());
    let layer = GuardLayer::new(
        Arc::new(guard),
        world.keys.clone().fixed(),
        Arc::new(|| NOW),
    )
    .replay_window(Arc::clone(&window))
    .nonces(nonces);
    let mut scene = Scene {
        token: String::new(),
        calls: Arc::default(),
        service: layer.layer(Inner::default()),
    };
    let request = |proof: &str| {
        post()
            .header("authorization", format!("DPoP {}", bound.token))
            .header("dpop", proof)
    };
    // Without a nonce: refused, with the one to use.
    let response = scene.send(request(&bound.good_proof())).await;
    assert_eq!(response.status(), 401);
    assert_readable(&response);
    let fresh = response.headers()["dpop-nonce"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(window.is_empty());
    // With it: good once.
    let proof = bound.proof_but("nonce", json!(fresh));
    let response = scene.send(request(&proof)).await;
    assert_eq!(response.body(), "user-1 token=false");
    assert!(!response.headers().contains_key("dpop-nonce"));
    assert_eq!(window.len(), 1);
    let response = scene.send(request(&proof)).await;
    assert_eq!(reason(&response), Reason::Replayed);
    // With one that is about to be too old: good, and the next one comes along.
    let old = nonces().fresh(UnixSeconds(NOW.0 - 300));
    let mut proof = bound.proof_claims(NOW);
    proof["nonce"] = json!(old);
    proof["jti"] = json!("another");
    let response = scene.send(request(&bound.proof(&proof))).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["dpop-nonce"], fresh.as_str());
    assert_eq!(response.headers()["cache-control"], "no-store");
}

#[tokio::test]
async fn an_open_request_needs_no_token_and_a_bad_one_is_still_bad() {
    let mut scene = scene(|layer| layer.open(|parts| parts.uri.path() == "/open"));
    let response = scene.send(Request::get("/open")).await;
    assert_eq!(response.body(), "nobody token=false");
    assert_eq!(scene.send(Request::get("/closed")).await.status(), 401);
    let bad = Request::get("/open").header("authorization", "Bearer a.b.c");
    assert_eq!(scene.send(bad).await.status(), 401);
    let bearer = format!("Bearer {}", scene.token);
    let good = Request::get("/open").header("authorization", bearer);
    assert_eq!(scene.send(good).await.body(), "user-1 token=false");
}

#[tokio::test]
async fn a_certificate_counts_from_the_connection_or_from_a_trusted_proxy() {
    let world = World::new();
    let der = [0x30, 3, 2, 1, 0];
    let mut bound = claims();
    bound["cnf"] = json!({"x5t#S256": Thumbprint::of_der(&der).as_str()});
    let bearer = format!("Bearer {}", world.sign(&bound));
    let proxies = Proxies::new(["10.0.0.1".parse().unwrap()]);
    let layer = GuardLayer::new(Arc::new(world.guard), world.keys.fixed(), Arc::new(|| NOW));
    let mut scene = Scene {
        token: String::new(),
        calls: Arc::default(),
        service: layer.proxies(proxies).layer(Inner::default()),
    };
    let peer = |address: &str, certificate: Option<&[u8]>| Peer {
        address: Some(address.parse().unwrap()),
        certificate: certificate.map(Thumbprint::of_der),
    };
    for (peer, field, status) in [
        (peer("10.0.0.2", Some(&der)), None, 200),
        (peer("10.0.0.1", None), Some(":MAMCAQA=:"), 200),
        // Forged by a client, and by one that has a certificate of its own.
        (peer("10.0.0.2", None), Some(":MAMCAQA=:"), 401),
        (peer("10.0.0.2", Some(b"own")), Some(":MAMCAQA=:"), 401),
        (peer("10.0.0.1", Some(&der)), None, 401),
        (peer("10.0.0.1", None), Some("MAMCAQA="), 400),
    ] {
        let what = format!("{peer:?} {field:?}");
        let mut request = post().header("authorization", &bearer).extension(peer);
        if let Some(field) = field {
            request = request.header("client-cert", field);
        }
        let response = scene.send(request).await;
        assert_eq!(response.status(), status, "{what}");
        if status == 200 {
            assert_eq!(response.body(), "user-1 token=false", "{what}");
        }
        if status == 400 {
            assert!(matches!(reason(&response), Reason::ClientCert { .. }));
        }
    }
}
