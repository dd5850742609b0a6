//! The address of introspection, found in the issuer's metadata; and how long answers may be kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use oauth_rs::client::{Client, ClientAuth};
use oauth_rs::secret::Secret;
use resource_guard::fetch::introspect::{MAX_AGE, MAX_USABLE};
use resource_guard::fetch::{
    HttpClient, IntrospectionEndpoint, IntrospectionLimits, IntrospectionProfile,
    IntrospectionSource, Introspector,
};
use serde_json::json;
use tokio::time::advance;
use tower_service::Service;

use super::endpoint::{Endpoint, Refusal};
use crate::support::{ISSUER, NOW, issuer};

fn asking(endpoint: &Endpoint, source: IntrospectionSource) -> Introspector {
    asking_through(endpoint.client(), source)
}

fn asking_through(client: HttpClient, source: IntrospectionSource) -> Introspector {
    let at = IntrospectionEndpoint {
        issuer: issuer(),
        source,
        client: Client {
            client_id: "rs".into(),
            auth: ClientAuth::Basic(Secret::new("s")),
        },
        profile: IntrospectionProfile::Json,
    };
    Introspector::new(
        at,
        client,
        Arc::new(|| NOW),
        Arc::new(|_: &mut [u8]| {}),
        IntrospectionLimits::default(),
    )
}

fn metadata(members: serde_json::Value) -> impl Fn(&Request<Bytes>) -> Bytes {
    let mut document = json!({"issuer": ISSUER});
    for (name, value) in members.as_object().unwrap() {
        document[name] = value.clone();
    }
    move |_| document.to_string().into()
}

/// Metadata at its address, and a good answer anywhere else.
fn server(document: impl Fn(&Request<Bytes>) -> Bytes + Send + Sync + 'static) -> Endpoint {
    Endpoint::new(move |request| {
        let body = if request.uri().path().starts_with("/.well-known/") {
            document(request)
        } else {
            Bytes::from_static(br#"{"active":true,"sub":"u"}"#)
        };
        Ok(Response::new(body))
    })
}

#[tokio::test(start_paused = true)]
async fn the_address_is_found_once_for_all_and_looked_for_again_within_the_hour() {
    let url = "https://as.example/tokens/introspect";
    let endpoint = server(metadata(json!({"introspection_endpoint": url})));
    let asked = asking(&endpoint, IntrospectionSource::Discovered);
    let (one, two) = (Secret::new("one"), Secret::new("two"));
    let (one, two) = tokio::join!(asked.ask(&one), asked.ask(&two));
    assert!(one.is_ok() && two.is_ok());
    assert_eq!(endpoint.last().uri().to_string(), url);
    // The document, and a question about each token.
    assert_eq!(endpoint.count(), 3);
    advance(MAX_AGE.saturating_sub(Duration::from_secs(1))).await;
    assert!(asked.ask(&Secret::new("three")).await.is_ok());
    assert_eq!(endpoint.count(), 4);
    advance(Duration::from_secs(2)).await;
    assert!(asked.ask(&Secret::new("four")).await.is_ok());
    assert_eq!(endpoint.count(), 6);
}

#[tokio::test(start_paused = true)]
async fn an_address_that_is_known_is_used_while_the_metadata_cannot_be_read() {
    for (stuck, failing) in [(false, 503), (false, 200), (true, 503)] {
        let is_down = Arc::new(AtomicBool::new(false));
        let (endpoint, hangs) = (failing_metadata(&is_down, failing), Arc::clone(&is_down));
        let client = HttpClient::new(Stuck {
            endpoint: endpoint.clone(),
            is_stuck: Arc::new(move || stuck && hangs.load(Ordering::SeqCst)),
        });
        let asked = asking_through(client, IntrospectionSource::Discovered);
        assert!(asked.ask(&Secret::new("one")).await.is_ok());
        assert_eq!(endpoint.count(), 2);
        is_down.store(true, Ordering::SeqCst);
        advance(MAX_AGE).await;
        let (two, three) = (Secret::new("two"), Secret::new("three"));
        let (two, three) = tokio::join!(asked.ask(&two), asked.ask(&three));
        assert!(two.is_ok() && three.is_ok(), "{stuck} {failing}");
        // Whoever comes soon after does not look again.
        let before = endpoint.count();
        assert!(asked.ask(&Secret::new("four")).await.is_ok());
        assert_eq!(endpoint.count(), before + 1, "{stuck} {failing}");
        advance(MAX_USABLE).await;
        assert!(asked.ask(&Secret::new("five")).await.is_err());
        is_down.store(false, Ordering::SeqCst);
        advance(Duration::from_secs(60)).await;
        assert!(asked.ask(&Secret::new("six")).await.is_ok());
    }
}

/// A good server whose metadata is answered by this status, without a document, while it is down.
fn failing_metadata(is_down: &Arc<AtomicBool>, status: u16) -> Endpoint {
    let is_down = Arc::clone(is_down);
    Endpoint::new(move |request| {
        let is_metadata = request.uri().path().starts_with("/.well-known/");
        let (status, body) = match (is_metadata, is_down.load(Ordering::SeqCst)) {
            (true, true) => (status, "{}".to_owned()),
            (true, false) => {
                let url = "https://as.example/introspect";
                let document = json!({"issuer": ISSUER, "introspection_endpoint": url});
                (200, document.to_string())
            }
            (false, _) => (200, r#"{"active":true,"sub":"u"}"#.to_owned()),
        };
        let response = Response::builder().status(status);
        Ok(response.body(body.into()).unwrap())
    })
}

/// Never answers a question for metadata while it is stuck.
#[derive(Clone)]
struct Stuck {
    endpoint: Endpoint,
    is_stuck: Arc<dyn Fn() -> bool + Send + Sync>,
}

impl Service<Request<Bytes>> for Stuck {
    type Response = Response<Bytes>;
    type Error = Refusal;
    type Future = <Endpoint as Service<Request<Bytes>>>::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Refusal>> {
        self.endpoint.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        if request.uri().path().starts_with("/.well-known/") && (self.is_stuck)() {
            return Box::pin(std::future::pending());
        }
        self.endpoint.call(request)
    }
}

#[tokio::test(start_paused = true)]
async fn a_document_of_another_issuer_or_without_the_endpoint_is_an_outage() {
    for (document, fetched) in [
        (
            json!({"issuer": "https://evil.example", "introspection_endpoint": "https://evil.example/i"}),
            1,
        ),
        (json!({"jwks_uri": "https://as.example/jwks"}), 1),
        (json!({"introspection_endpoint": "http://as.example/i"}), 1),
        // Each address is tried.
        (json!({"introspection_endpoint": 7}), 2),
    ] {
        let endpoint = server(metadata(document.clone()));
        let asked = asking(&endpoint, IntrospectionSource::Discovered);
        let token = Secret::new("t");
        let unavailable = asked.ask(&token).await.unwrap_err();
        assert!(unavailable.retry_after >= Duration::from_secs(1));
        // Nobody was shown the token.
        assert!(
            endpoint.last().uri().path().starts_with("/.well-known/"),
            "{document}"
        );
        assert!(
            endpoint.count() >= fetched,
            "{document} {}",
            endpoint.count()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_kept_no_longer_than_its_issuer_says() {
    for (control, second, asked_by_then) in [
        ("max-age=3", 2, 1),
        ("max-age=3", 3, 2),
        ("max-age=3600", 9, 1),
        ("max-age=3600", 10, 2),
    ] {
        let endpoint = Endpoint::new(move |_| {
            let answer = Response::builder().header("cache-control", control);
            Ok(answer
                .body(Bytes::from_static(br#"{"active":true}"#))
                .unwrap())
        });
        let source = IntrospectionSource::At("https://as.example/introspect".to_owned());
        let asked = asking(&endpoint, source);
        let token = Secret::new("t");
        assert!(asked.ask(&token).await.is_ok());
        advance(Duration::from_secs(second)).await;
        assert!(asked.ask(&token).await.is_ok());
        assert_eq!(asked.asked(), asked_by_then, "{control} after {second} s");
    }
}
