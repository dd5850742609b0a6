//! The address of introspection, found in the issuer's metadata; and how long answers may be kept.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use oauth_rs::client::{Client, ClientAuth};
use oauth_rs::secret::Secret;
use resource_guard::fetch::introspect::MAX_AGE;
use resource_guard::fetch::{
    IntrospectionEndpoint, IntrospectionLimits, IntrospectionProfile, IntrospectionSource,
    Introspector,
};
use serde_json::json;
use tokio::time::advance;

use super::endpoint::Endpoint;
use crate::support::{ISSUER, NOW, issuer};

fn asking(endpoint: &Endpoint, source: IntrospectionSource) -> Introspector {
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
        endpoint.client(),
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
