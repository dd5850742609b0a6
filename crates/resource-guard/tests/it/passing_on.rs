//! Tokens that go on to the service behind the guard: by configuration, and if their audience says so.

use oauth_rs::introspection::Introspection;
use resource_guard::{
    Decision, Evidence, Granted, Guard, GuardConfig, IssuerAnswer, KeySnapshot, TrustedIssuer,
    Weakness,
};
use serde_json::{Value, json};

use crate::support::{NOW, RESOURCE, issuer, request};

const API: &str = "https://api.example";

fn guard(trusted: TrustedIssuer) -> Guard {
    let config = GuardConfig::new(config_resource(), trusted);
    Guard::new(config).unwrap()
}

fn config_resource() -> oauth_rs::uri::ResourceId {
    oauth_rs::uri::ResourceId::parse(RESOURCE).unwrap()
}

/// What an opaque token with this audience, and this binding, is granted.
fn granted(guard: &Guard, aud: &Value, cnf: Option<Value>) -> Granted {
    let mut answer = json!({"active": true, "sub": "u", "aud": aud});
    if let Some(cnf) = cnf {
        answer["cnf"] = cnf;
    }
    let answer = Introspection::parse(answer.to_string().as_bytes()).unwrap();
    let answer = IssuerAnswer::from(answer);
    let keys = KeySnapshot::default();
    let certificate = oauth_rs::certificate::Thumbprint::of_der(b"certificate");
    let evidence = Evidence {
        introspection: Some(&answer),
        certificate: Some(&certificate),
        ..Evidence::of(&keys)
    };
    match guard.check(&request("opaque"), &evidence, NOW) {
        Decision::Granted(granted) => granted,
        other => panic!("{other:?}"),
    }
}

fn passed(guard: &Guard, aud: &Value) -> bool {
    let granted = granted(guard, aud, None);
    let token = granted.passed_token();
    assert!(token.is_none_or(|token| token.token().ct_eq("opaque")));
    token.is_some()
}

#[test]
fn no_token_goes_on_by_default() {
    let guard = guard(TrustedIssuer::introspecting(issuer()));
    assert!(!passed(&guard, &json!([RESOURCE, API])));
    assert_eq!(guard.weaknesses().count(), 0);
}

#[test]
fn one_that_is_for_the_other_service_as_well_goes_on() {
    let guard = guard(TrustedIssuer::introspecting(issuer()).dangerous_pass_token_on_to(API));
    assert!(passed(&guard, &json!([RESOURCE, API])));
    for aud in [
        json!(RESOURCE),
        json!([RESOURCE, "https://api.example/"]),
        json!([RESOURCE, "https://other.example"]),
    ] {
        assert!(!passed(&guard, &aud), "{aud}");
    }
    let named: Vec<Weakness> = guard.weaknesses().collect();
    let audience = API.to_owned();
    let issuer = issuer();
    assert_eq!(named, [Weakness::PassesTokensOn { issuer, audience }]);
    assert_eq!(
        named[0].to_string(),
        "tokens of https://as.example whose audience has https://api.example are handed on to what is behind the guard"
    );
}

#[test]
fn where_any_audience_is_accepted_it_is_for_both() {
    let trusted = TrustedIssuer::introspecting(issuer()).dangerous_accept_any_audience();
    assert!(!passed(&guard(trusted.clone()), &json!("client")));
    let guard = guard(trusted.dangerous_pass_token_on_to(API));
    assert!(passed(&guard, &json!("client")));
}

#[test]
fn a_bound_token_stays() {
    let guard = guard(TrustedIssuer::introspecting(issuer()).dangerous_pass_token_on_to(API));
    let certificate = oauth_rs::certificate::Thumbprint::of_der(b"certificate");
    let cnf = json!({"x5t#S256": certificate.as_str()});
    let granted = granted(&guard, &json!([RESOURCE, API]), Some(cnf));
    assert!(granted.passed_token().is_none());
}

#[test]
fn it_shows_nothing_of_itself() {
    let guard = guard(TrustedIssuer::introspecting(issuer()).dangerous_pass_token_on_to(API));
    let granted = granted(&guard, &json!([RESOURCE, API]), None);
    let text = format!("{granted:?}");
    assert!(
        text.contains("PassedToken(..)") && !text.contains("opaque"),
        "{text}"
    );
}

#[cfg(feature = "fetch")]
#[test]
fn a_remembered_token_goes_on_as_before() {
    use std::sync::Arc;

    use resource_guard::fetch::VerifiedTokens;

    use crate::support::{World, claims_with};

    let world = World::new();
    let memory = VerifiedTokens::new();
    let trusted = TrustedIssuer::new(issuer()).dangerous_pass_token_on_to(API);
    let guard = Guard::new(GuardConfig::new(config_resource(), trusted));
    let guard = guard.unwrap().remembering(Arc::new(memory.clone()));
    for (aud, goes_on) in [(json!([RESOURCE, API]), true), (json!(RESOURCE), false)] {
        let token = world.sign(&claims_with("aud", aud));
        for _ in 0..2 {
            let decision = guard.check(&request(&token), &Evidence::of(&world.keys), NOW);
            let granted = decision.into_result().unwrap();
            assert_eq!(granted.passed_token().is_some(), goes_on);
        }
    }
    assert_eq!(memory.len(), 2);
}

#[cfg(feature = "tower")]
mod behind {
    use std::convert::Infallible;
    use std::future::{Ready, ready};
    use std::sync::Arc;
    use std::task::{Context, Poll};

    use bytes::Bytes;
    use http::{Request, Response};
    use http_body_util::Full;
    use resource_guard::{GuardLayer, PassedToken, Principal};
    use tower_layer::Layer as _;
    use tower_service::Service;

    use super::*;
    use crate::support::{World, claims_with, config};

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
            assert!(!request.headers().contains_key("authorization"));
            let extensions = request.extensions();
            let status = match (
                extensions.get::<Principal>(),
                extensions.get::<PassedToken>(),
            ) {
                (Some(_), Some(_)) => 200,
                (Some(_), None) => 203,
                (None, None) => 204,
                (None, Some(_)) => panic!("a token of nobody"),
            };
            let response = Response::builder().status(status);
            ready(Ok(response.body(Full::new(Bytes::new())).unwrap()))
        }
    }

    #[tokio::test]
    async fn nothing_that_another_guard_left_reaches_the_service() {
        let world = World::new();
        let both = world.sign(&claims_with("aud", json!([RESOURCE, API])));
        let with = TrustedIssuer::new(issuer()).dangerous_pass_token_on_to(API);
        let passing = Guard::new(GuardConfig::new(config_resource(), with)).unwrap();
        let evidence = Evidence::of(&world.keys);
        let before = passing.check(&request(&both), &evidence, NOW);
        let before = before.into_result().unwrap();
        let left = || {
            let request = Request::post(RESOURCE).extension(before.principal().clone());
            request.extension(before.passed_token().unwrap().clone())
        };
        let keys = world.keys.clone().fixed();
        let own = format!("Bearer {}", world.token());
        let layer = GuardLayer::new(Arc::new(world.guard), keys, Arc::new(|| NOW)).open(|_| true);
        let send =
            |request: http::request::Builder| layer.layer(Inner).call(request.body(()).unwrap());
        assert_eq!(send(left()).await.unwrap().status(), 204);
        assert_eq!(
            send(left().header("authorization", own))
                .await
                .unwrap()
                .status(),
            203
        );
    }

    #[tokio::test]
    async fn the_service_finds_it_in_the_extensions_and_nowhere_else() {
        let world = World::new();
        let token = world.sign(&claims_with("aud", json!([RESOURCE, API])));
        let with = TrustedIssuer::new(issuer()).dangerous_pass_token_on_to(API);
        let configs = [
            (GuardConfig::new(config_resource(), with), 200),
            (config(), 203),
        ];
        for (config, status) in configs {
            let guard = Arc::new(Guard::new(config).unwrap());
            let keys = world.keys.clone().fixed();
            let layer = GuardLayer::new(guard, keys, Arc::new(|| NOW));
            let request =
                Request::post(RESOURCE).header("authorization", format!("Bearer {token}"));
            let answer = layer.layer(Inner).call(request.body(()).unwrap()).await;
            assert_eq!(answer.unwrap().status(), status);
        }
    }
}
