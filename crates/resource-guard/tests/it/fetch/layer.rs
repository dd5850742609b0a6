//! The layer with keys that are fetched and issuers that are asked: what a client gets to see.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use oauth_rs::client::{Client, ClientAuth};
use oauth_rs::jose::SigningKey;
use oauth_rs::secret::Secret;
use oauth_rs::uri::Issuer;
use resource_guard::fetch::{
    Fetched, IntrospectionEndpoint, IntrospectionLimits, IntrospectionProfile, IntrospectionSource,
    Introspector, KeyCache, KeyLimits, KeySource,
};
use resource_guard::revocation::Withdrawn;
use resource_guard::{
    Guard, GuardConfig, GuardLayer, GuardService, Principal, Reason, Refused, Revocations,
    TrustedIssuer,
};
use serde_json::json;
use tokio::time::advance;
use tower_layer::Layer;
use tower_service::Service;

use super::endpoint::Endpoint;
use crate::support::{NOW, RESOURCE, World, claims, config, issuer};

const ASKED: &str = "https://asked.example";

/// Says who came.
#[derive(Clone)]
struct Inner;

impl Service<Request<()>> for Inner {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        let principal = request.extensions().get::<Principal>().unwrap();
        let subject = Bytes::from(principal.subject.to_string());
        ready(Ok(Response::new(Full::new(subject))))
    }
}

struct Scene {
    keys: Endpoint,
    asked: Endpoint,
    layer: GuardLayer,
    service: GuardService<Inner>,
}

/// A resource that trusts one issuer of JWTs and one that is asked.
fn scene(config: GuardConfig, keys: &str) -> Scene {
    let keys = Endpoint::answering(200, keys.to_owned());
    let asked = Endpoint::answering(200, "");
    let other = Issuer::parse(ASKED).unwrap();
    let config = config.also_trusting(TrustedIssuer::introspecting(other.clone()));
    let sources = [(issuer(), KeySource::At("https://as.example/keys".into()))];
    let cache = KeyCache::new(sources, keys.client(), KeyLimits::default());
    let endpoint = IntrospectionEndpoint {
        issuer: other,
        source: IntrospectionSource::At("https://asked.example/introspect".into()),
        client: Client {
            client_id: "rs".into(),
            auth: ClientAuth::Basic(Secret::new("s")),
        },
        profile: IntrospectionProfile::Json,
    };
    let introspector = Introspector::new(
        endpoint,
        asked.client(),
        Arc::new(|| NOW),
        Arc::new(|dest: &mut [u8]| dest.fill(7)),
        IntrospectionLimits::default(),
    );
    let source = Fetched::new(cache).asking(introspector);
    let guard = Arc::new(Guard::new(config).unwrap());
    let layer = GuardLayer::new(guard, source, Arc::new(|| NOW));
    Scene {
        keys,
        asked,
        service: layer.layer(Inner),
        layer,
    }
}

impl Scene {
    fn of(world: &World) -> Self {
        scene(
            config(),
            &json!({"keys": [world.key.public_jwk()]}).to_string(),
        )
    }

    async fn send(&self, token: &str) -> Response<Bytes> {
        let request = Request::post(RESOURCE).header("authorization", format!("Bearer {token}"));
        let mut service = self.service.clone();
        let response = service.call(request.body(()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        Response::from_parts(parts, body.collect().await.unwrap().to_bytes())
    }

    /// Status and reason.
    async fn refused(&self, token: &str) -> (u16, Reason) {
        let response = self.send(token).await;
        let reason = response.extensions().get::<Refused>().unwrap().reason();
        (response.status().as_u16(), reason.clone())
    }

    /// What an opaque token is refused for when its issuer answers this.
    async fn answered(&self, status: u16, answer: &'static str) -> (u16, Reason) {
        self.asked.now_answers(status, answer);
        let token = format!("opaque-{}", self.asked.count());
        self.refused(&token).await
    }
}

#[tokio::test(start_paused = true)]
async fn keys_are_fetched_for_the_first_token_and_not_for_the_next() {
    let world = World::new();
    let scene = Scene::of(&world);
    for _ in 0..3 {
        let response = scene.send(&world.token()).await;
        assert_eq!(response.body(), "user-1");
    }
    assert_eq!(scene.keys.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_key_is_401_once_the_newest_keys_do_not_have_it() {
    let world = World::new();
    let scene = Scene::of(&world);
    assert_eq!(scene.send(&world.token()).await.status(), 200);
    let stranger = World::new();
    let (status, reason) = scene.refused(&stranger.token()).await;
    assert_eq!(status, 401);
    assert!(matches!(reason, Reason::UnknownKey { .. }), "{reason}");
    assert_eq!(scene.keys.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_new_key_is_found_by_the_first_token_that_it_signed() {
    let world = World::new();
    let scene = Scene::of(&world);
    assert_eq!(scene.send(&world.token()).await.status(), 200);
    let next = World::new();
    let keys = json!({"keys": [world.key.public_jwk(), next.key.public_jwk()]});
    scene.keys.now_answers(200, keys.to_string());
    assert_eq!(scene.send(&next.token()).await.status(), 200);
}

#[tokio::test(start_paused = true)]
async fn keys_that_cannot_be_had_are_503_with_retry_after_and_never_invalid_token() {
    let world = World::new();
    let scene = Scene::of(&world);
    for (status, body) in [
        (500, ""),
        (200, "<html>"),
        (302, ""),
        (200, r#"{"keys":[]}"#),
    ] {
        scene.keys.now_answers(status, body);
        let response = scene.send(&world.token()).await;
        assert_eq!(response.status(), 503, "{body}");
        let after: u64 = response.headers()["retry-after"]
            .to_str()
            .unwrap()
            .parse()
            .unwrap();
        assert!((1..=30).contains(&after), "{after}");
        assert!(
            !format!("{response:?}").contains("invalid_token"),
            "{response:?}"
        );
        advance(Duration::from_secs(31)).await;
    }
    // A token that is bad whatever the keys are is refused all the same.
    let (status, reason) = scene.refused("a.b.c").await;
    assert_eq!(status, 401);
    assert!(matches!(reason, Reason::Malformed { .. }), "{reason}");
}

#[tokio::test(start_paused = true)]
async fn tokens_with_invented_key_ids_cause_no_fetch_beyond_the_limit() {
    let world = World::new();
    let scene = Scene::of(&world);
    assert_eq!(scene.send(&world.token()).await.status(), 200);
    for _ in 0..310 {
        // Each has a key id of its own.
        let key = SigningKey::generate_ed25519().unwrap();
        let token = key.sign("at+jwt", claims().to_string().as_bytes()).unwrap();
        assert_eq!(scene.send(&token).await.status(), 401);
        advance(Duration::from_millis(100)).await;
    }
    // 31 seconds: the first fetch, and two because of invented ids.
    assert_eq!(scene.keys.count(), 3);
    assert_eq!(scene.send(&world.token()).await.status(), 200);
}

#[tokio::test(start_paused = true)]
async fn an_opaque_token_is_what_its_issuer_says() {
    let scene = Scene::of(&World::new());
    scene.asked.now_answers(
        200,
        format!(
            r#"{{"active":true,"sub":"user-9","aud":"{RESOURCE}","client_id":"c","exp":2000}}"#
        ),
    );
    for _ in 0..3 {
        assert_eq!(scene.send("opaque").await.body(), "user-9");
    }
    assert_eq!((scene.asked.count(), scene.keys.count()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn each_bad_answer_of_an_issuer_has_its_exact_reason() {
    let scene = Scene::of(&World::new());
    let inactive = Reason::Inactive {
        issuer: Issuer::parse(ASKED).unwrap(),
    };
    for answer in [r#"{"active":false}"#, "{}", r#"{"sub":"u"}"#] {
        let refused = scene.answered(200, answer).await;
        assert_eq!(refused, (401, inactive.clone()), "{answer}");
    }
    for (answer, received) in [
        (
            r#"{"active":true,"sub":"u","aud":"https://rs.example/mcp-other"}"#,
            "https://rs.example/mcp-other",
        ),
        (r#"{"active":true,"sub":"u","aud":["a","b"]}"#, "a b"),
        (r#"{"active":true,"sub":"u"}"#, ""),
    ] {
        let received = received.to_owned();
        let refused = scene.answered(200, answer).await;
        assert_eq!(
            refused,
            (401, Reason::OtherAudience { received }),
            "{answer}"
        );
    }
    for (status, answer) in [
        (200, "<html>"),
        (200, r#"{"active":"true"}"#),
        (200, r#"{"active":1}"#),
        (302, ""),
        (401, r#"{"error":"invalid_client"}"#),
    ] {
        let (status, reason) = scene.answered(status, answer).await;
        assert_eq!(status, 503, "{answer}");
        let is_outage = matches!(reason, Reason::IntrospectionUnavailable { .. });
        assert!(is_outage, "{answer}: {reason}");
        scene.answered(200, r#"{"active":false}"#).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_issuer_that_is_down_is_503_with_retry_after_and_never_invalid_token() {
    let scene = Scene::of(&World::new());
    scene.asked.now_answers(500, "");
    for n in 0..20 {
        let response = scene.send(&format!("opaque{n}")).await;
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers()["retry-after"], "1");
        assert!(
            !format!("{response:?}").contains("invalid_token"),
            "{response:?}"
        );
    }
    assert_eq!(scene.asked.count(), 5);
}

#[tokio::test(start_paused = true)]
async fn an_issuer_that_nobody_can_ask_is_unavailable() {
    let cache = KeyCache::new(
        [],
        Endpoint::answering(200, "").client(),
        KeyLimits::default(),
    );
    let other = Issuer::parse(ASKED).unwrap();
    let config = config().also_trusting(TrustedIssuer::introspecting(other));
    let guard = Arc::new(Guard::new(config).unwrap());
    let layer = GuardLayer::new(guard, Fetched::new(cache), Arc::new(|| NOW));
    for token in ["opaque".to_owned(), World::new().token()] {
        let request = Request::post(RESOURCE).header("authorization", format!("Bearer {token}"));
        let response = layer.layer(Inner).call(request.body(()).unwrap()).await;
        assert_eq!(response.unwrap().status(), 503);
    }
}

#[tokio::test(start_paused = true)]
async fn a_revocation_counts_at_the_next_request_whoever_validated_the_token() {
    let world = World::new();
    let scene = Scene::of(&world);
    scene.asked.now_answers(
        200,
        format!(r#"{{"active":true,"sub":"user-9","aud":"{RESOURCE}","jti":"j","exp":2000}}"#),
    );
    let revocations = Arc::new(Revocations::default());
    let list = Arc::clone(&revocations);
    let scene = Scene {
        service: scene
            .layer
            .clone()
            .revocation(Arc::new(move |principal| {
                list.is_revoked(&principal.into())
            }))
            .layer(Inner),
        ..scene
    };
    for token in [&world.token(), "opaque"] {
        assert_eq!(scene.send(token).await.status(), 200);
    }
    revocations.revoke(&issuer(), Withdrawn::Grant("grant-1"), NOW);
    let other = Issuer::parse(ASKED).unwrap();
    revocations.revoke(&other, Withdrawn::Subject("user-9"), NOW);
    for token in [&world.token(), "opaque"] {
        assert_eq!(scene.refused(token).await, (401, Reason::Revoked));
    }
    // It was not asked again: the answer of a moment ago still says that the token is active.
    assert_eq!(scene.asked.count(), 1);
}
