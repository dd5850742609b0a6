//! Names: what is looked up, how often, and which of the answers is connected to.

use std::io;
use std::sync::atomic::Ordering;

use egress_guard::address::Range;
use egress_guard::{Client, EgressError, Limits, Policy, Resolving};
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::{get, scripted};

async fn server() -> (MockServer, String) {
    let server = MockServer::start().await;
    // Closing makes every request look the name up again.
    Mock::given(method("GET"))
        .respond_with(ResponseTemplate::new(200).insert_header("connection", "close"))
        .mount(&server)
        .await;
    let url = format!("http://rebind.example:{}/", server.address().port());
    (server, url)
}

fn forbidden(error: &EgressError) -> (String, Range) {
    match error {
        EgressError::ForbiddenAddress { address, range, .. } => (address.to_string(), *range),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_name_that_changes_its_address_is_refused_the_second_time() {
    let (server, url) = server().await;
    let (resolver, lookups) = scripted(&[&["127.0.0.1"], &["169.254.169.254"]]);
    let client = Client::with_resolver(
        Policy::dangerous_allow_loopback(),
        Limits::default(),
        resolver,
    );

    assert_eq!(client.send(get(&url)).await.unwrap().status(), 200);
    // One lookup for one connection: there is none between the check and the use.
    assert_eq!(lookups.load(Ordering::SeqCst), 1);

    let error = client.send(get(&url)).await.unwrap_err();
    assert_eq!(
        forbidden(&error),
        ("169.254.169.254".to_owned(), Range::LinkLocal)
    );
    assert_eq!(lookups.load(Ordering::SeqCst), 2);
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_name_at_loopback_is_refused_by_the_strict_policy() {
    let (resolver, lookups) = scripted(&[&["127.0.0.1", "::1"]]);
    let client = Client::with_resolver(Policy::strict(), Limits::default(), resolver);
    let error = client
        .send(get("https://innocent.example/"))
        .await
        .unwrap_err();
    assert_eq!(forbidden(&error), ("127.0.0.1".to_owned(), Range::Loopback));
    assert!(error.is_refusal());
    assert_eq!(lookups.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_name_without_an_address_is_not_found() {
    let failing =
        |_: String| -> Resolving { Box::pin(async { Err(io::Error::other("no such name")) }) };
    let client = Client::with_resolver(Policy::strict(), Limits::default(), failing);
    let error = client
        .send(get("https://nowhere.example/"))
        .await
        .unwrap_err();
    assert!(
        matches!(error, EgressError::NotFound { ref host } if host == "nowhere.example"),
        "{error:?}"
    );

    let (empty, _) = scripted(&[&[]]);
    let client = Client::with_resolver(Policy::strict(), Limits::default(), empty);
    let error = client
        .send(get("https://nowhere.example/"))
        .await
        .unwrap_err();
    assert!(matches!(error, EgressError::NotFound { .. }), "{error:?}");
    assert!(!error.is_refusal());
}

#[tokio::test]
async fn the_system_resolver_knows_localhost() {
    let (server, _) = server().await;
    let client = Client::new(Policy::dangerous_allow_loopback(), Limits::default());
    let url = format!("http://localhost:{}/", server.address().port());
    assert_eq!(client.send(get(&url)).await.unwrap().status(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_resolver_that_does_not_answer_is_given_up() {
    let silent = |_: String| -> Resolving { Box::pin(std::future::pending()) };
    let limits = Limits::default();
    let limit = limits.resolve;
    let client = Client::with_resolver(Policy::strict(), limits, silent);
    let error = client.send(get("https://slow.example/")).await.unwrap_err();
    assert!(
        matches!(error, EgressError::ResolveTimeout { limit: l, .. } if l == limit),
        "{error:?}"
    );
}
