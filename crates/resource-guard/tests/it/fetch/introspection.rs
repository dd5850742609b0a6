//! Asking an issuer: how often, for how long an answer counts, and what an outage looks like.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use oauth_rs::client::{Client, ClientAuth};
use oauth_rs::introspection::Introspection;
use oauth_rs::jose::{AlgSet, SigningKey};
use oauth_rs::secret::Secret;
use oauth_rs::time::UnixSeconds;
use resource_guard::IssuerAnswer;
use resource_guard::fetch::{
    HttpClient, IntrospectionEndpoint, IntrospectionLimits, IntrospectionProfile,
    IntrospectionSource, Introspector, KeyCache, KeyLimits, KeySource, Unavailable,
};
use serde_json::json;
use tokio::time::{Instant, advance, timeout};

use super::endpoint::{Endpoint, Refusal};
use crate::support::{encode, issuer};

const URL: &str = "https://as.example/introspect";
const ACTIVE: &str = r#"{"active":true,"sub":"user-1","exp":5000}"#;

/// The time of day, which moves with the paused clock: 1000 when the test begins.
fn clock() -> Arc<dyn oauth_rs::time::Clock> {
    let start = Instant::now();
    Arc::new(move || UnixSeconds(1000).after(start.elapsed()))
}

/// A stand-in for the system's randomness that at least never says the same twice.
fn entropy() -> Arc<dyn oauth_rs::entropy::Entropy> {
    let count = AtomicU64::new(0);
    Arc::new(move |dest: &mut [u8]| {
        let next = count.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        for (to, from) in dest.iter_mut().zip(next.iter().cycle()) {
            *to = *from;
        }
    })
}

fn basic() -> ClientAuth {
    ClientAuth::Basic(Secret::new("s"))
}

fn at(profile: IntrospectionProfile, auth: ClientAuth) -> IntrospectionEndpoint {
    IntrospectionEndpoint {
        issuer: issuer(),
        source: IntrospectionSource::At(URL.into()),
        client: Client {
            client_id: "rs".into(),
            auth,
        },
        profile,
    }
}

/// Asks an endpoint, and writes down why there was no answer.
struct World {
    endpoint: Endpoint,
    introspector: Introspector,
    reasons: Arc<Mutex<Vec<String>>>,
}

impl World {
    fn over(endpoint: Endpoint, at: IntrospectionEndpoint) -> Self {
        let reasons = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&reasons);
        let introspector = Introspector::reporting(
            at,
            endpoint.client(),
            clock(),
            entropy(),
            IntrospectionLimits::default(),
            move |report| log.lock().unwrap().push(report.failed.to_string()),
        );
        Self {
            endpoint,
            introspector,
            reasons,
        }
    }

    fn answering(status: u16, body: &'static str) -> Self {
        let endpoint = Endpoint::answering(status, body);
        Self::over(endpoint, at(IntrospectionProfile::Json, basic()))
    }

    async fn ask(&self, token: &str) -> Result<Arc<IssuerAnswer>, Unavailable> {
        self.introspector.ask(&Secret::new(token)).await
    }

    async fn is_active(&self, token: &str) -> bool {
        matches!(
            self.ask(token).await.unwrap().said(),
            Introspection::Active(_)
        )
    }

    /// Why the newest question was not answered.
    fn reason(&self) -> String {
        self.reasons.lock().unwrap().last().unwrap().clone()
    }
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_used_for_seconds() {
    let world = World::answering(200, ACTIVE);
    for _ in 0..100 {
        assert!(world.is_active("t").await);
        advance(Duration::from_millis(90)).await;
    }
    assert_eq!(world.endpoint.count(), 1);
    advance(seconds(1)).await;
    assert!(world.is_active("t").await);
    assert_eq!(world.endpoint.count(), 2);
    // Another token is another question.
    assert!(world.is_active("u").await);
    assert_eq!((world.endpoint.count(), world.introspector.asked()), (3, 3));
}

#[tokio::test(start_paused = true)]
async fn an_inactive_token_is_asked_about_sooner() {
    let world = World::answering(200, r#"{"active":false}"#);
    assert!(!world.is_active("t").await);
    world.endpoint.now_answers(200, ACTIVE);
    advance(Duration::from_millis(1900)).await;
    assert!(!world.is_active("t").await);
    advance(Duration::from_millis(100)).await;
    assert!(world.is_active("t").await);
}

/// Some issuers say so of each JWT, since those are validated without asking. It is no outage: the
/// client would come again for ever.
#[tokio::test(start_paused = true)]
async fn a_kind_of_token_that_the_issuer_does_not_know_is_inactive() {
    let world = World::answering(400, r#"{"error":"unsupported_token_type"}"#);
    assert!(!world.is_active("a.b.c").await);
    assert!(!world.is_active("a.b.c").await);
    assert_eq!(world.endpoint.count(), 1);
    for body in [r#"{"error":"invalid_request"}"#, "unsupported_token_type"] {
        world.endpoint.now_answers(400, body);
        assert!(world.ask(body).await.is_err(), "{body}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_max_age_of_the_issuer_shortens_and_no_store_does_not() {
    for (said, questions) in [("no-cache, no-store, max-age=0", 1), ("max-age=3", 3)] {
        let endpoint = Endpoint::new(move |_| {
            let response = Response::builder().header("cache-control", said);
            Ok(response.body(Bytes::from(ACTIVE)).unwrap())
        });
        let world = World::over(endpoint, at(IntrospectionProfile::Json, basic()));
        for _ in 0..7 {
            assert!(world.is_active("t").await, "{said}");
            advance(seconds(1)).await;
        }
        assert_eq!(world.endpoint.count(), questions, "{said}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_never_used_beyond_the_tokens_time() {
    let world = World::answering(200, r#"{"active":true,"exp":1003}"#);
    assert!(world.is_active("t").await);
    advance(Duration::from_millis(2900)).await;
    assert!(world.is_active("t").await);
    assert_eq!(world.endpoint.count(), 1);
    advance(Duration::from_millis(200)).await;
    // The issuer is asked again, and so is the one who reads the answer.
    assert!(world.is_active("t").await);
    assert!(world.is_active("t").await);
    assert_eq!(world.endpoint.count(), 3);
}

#[tokio::test(start_paused = true)]
async fn one_question_is_asked_for_all_who_wait() {
    let world = World::answering(200, ACTIVE);
    world.endpoint.takes(seconds(2));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..500 {
        let introspector = world.introspector.clone();
        tasks.spawn(async move { introspector.ask(&Secret::new("t")).await });
    }
    for answer in tasks.join_all().await {
        assert!(matches!(answer.unwrap().said(), Introspection::Active(_)));
    }
    assert_eq!(world.endpoint.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_goes_away_ends_nothing() {
    let world = World::answering(200, ACTIVE);
    world.endpoint.takes(seconds(3));
    assert!(timeout(seconds(1), world.ask("t")).await.is_err());
    let before = Instant::now();
    assert!(world.is_active("t").await);
    assert_eq!(before.elapsed().as_secs(), 2);
    assert_eq!(world.endpoint.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn whatever_is_no_answer_is_unavailable_and_has_its_reason() {
    let malformed = "the introspection answer is malformed: ";
    for (status, body, reason) in [
        (
            500,
            "",
            "the server answered with status 500 Internal Server Error",
        ),
        (
            503,
            ACTIVE,
            "the server answered with status 503 Service Unavailable",
        ),
        (404, "", "the server answered with status 404 Not Found"),
        (
            302,
            "",
            "the server answered with a redirect (302 Found), which is not followed",
        ),
        (201, ACTIVE, "the server answered with status 201 Created"),
        (
            401,
            r#"{"error":"invalid_client"}"#,
            "the server refused: invalid_client",
        ),
        (200, "<html>", malformed),
        (200, "", malformed),
        (200, "[]", malformed),
        (200, r#"{"active":"true"}"#, malformed),
        (200, r#"{"active":1}"#, malformed),
        (200, r#"{"active":true,"active":false}"#, malformed),
        (200, r#"{"active":true,"exp":"soon"}"#, malformed),
    ] {
        let world = World::answering(status, body);
        let Unavailable { retry_after } = world.ask("t").await.unwrap_err();
        assert_eq!(retry_after, seconds(1), "{body}");
        assert!(
            world.reason().starts_with(reason),
            "{} for {body}",
            world.reason()
        );
    }
    let long = format!(r#"{{"active":true,"x":"{}"}}"#, "x".repeat(64 * 1024));
    let world = World::answering(200, "");
    world.endpoint.now_answers(200, long);
    assert!(world.ask("t").await.is_err());
    assert_eq!(world.reason(), "the answer is longer than 65536 bytes");
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_active_is_an_inactive_token() {
    let world = World::answering(200, r#"{"sub":"user-1","exp":5000}"#);
    assert!(!world.is_active("t").await);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_fails_or_is_slow_or_panics_is_unavailable() {
    let refusing =
        Endpoint::new(|_| Err(Refusal("\"as.example\" is at 10.0.0.1, which is private")));
    let world = World::over(refusing, at(IntrospectionProfile::Json, basic()));
    assert!(world.ask("t").await.is_err());
    assert_eq!(
        world.reason(),
        "\"as.example\" is at 10.0.0.1, which is private"
    );

    let world = World::answering(200, ACTIVE);
    world.endpoint.takes(seconds(3600));
    let before = Instant::now();
    assert!(world.ask("t").await.is_err());
    assert_eq!(before.elapsed().as_secs(), 5);
    assert_eq!(world.reason(), "no response within 5s");

    let panicking = Endpoint::new(|_| panic!("a defect in the client"));
    let world = World::over(panicking, at(IntrospectionProfile::Json, basic()));
    assert!(world.ask("t").await.is_err());
    assert_eq!(world.reason(), "the question was abandoned");
}

#[tokio::test(start_paused = true)]
async fn a_failing_issuer_is_left_alone_and_then_asked_once() {
    let world = World::answering(503, "");
    for n in 0..50 {
        assert!(world.ask(&format!("t{n}")).await.is_err());
    }
    // Five failures in a row are enough to see it.
    assert_eq!(world.endpoint.count(), 5);
    advance(seconds(1)).await;
    world.endpoint.takes(Duration::from_millis(500));
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..20 {
        let introspector = world.introspector.clone();
        tasks.spawn(async move { introspector.ask(&Secret::new(format!("u{n}"))).await });
    }
    let answers = tasks.join_all().await;
    assert!(answers.iter().all(Result::is_err));
    assert_eq!(world.endpoint.count(), 6);
    // The probe failed, so it is left alone for twice as long.
    let Unavailable { retry_after } = world.ask("v").await.unwrap_err();
    assert!(
        retry_after > seconds(1) && retry_after <= seconds(2),
        "{retry_after:?}"
    );
    advance(seconds(2)).await;
    world.endpoint.now_answers(200, ACTIVE);
    assert!(world.is_active("w").await);
    for n in 0..10 {
        assert!(world.is_active(&format!("x{n}")).await);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_known_counts_during_an_outage_for_as_long_as_always() {
    let world = World::answering(200, ACTIVE);
    assert!(world.is_active("t").await);
    world.endpoint.now_answers(500, "");
    for n in 0..10 {
        assert!(world.ask(&format!("u{n}")).await.is_err());
    }
    assert!(world.is_active("t").await);
    advance(seconds(10)).await;
    assert!(world.ask("t").await.is_err());
}

#[tokio::test(start_paused = true)]
async fn tokens_that_an_issuer_calls_bad_requests_do_not_keep_it_from_being_asked() {
    let world = World::answering(400, r#"{"error":"invalid_request"}"#);
    for n in 0..20 {
        assert!(world.ask(&format!("odd{n}")).await.is_err());
    }
    assert_eq!(world.endpoint.count(), 20);
    world.endpoint.now_answers(200, ACTIVE);
    assert!(world.is_active("t").await);
    // Whoever is told to slow down does so.
    world.endpoint.now_answers(429, "");
    for n in 0..20 {
        assert!(world.ask(&format!("more{n}")).await.is_err());
    }
    assert_eq!(world.endpoint.count(), 26);
}

#[tokio::test(start_paused = true)]
async fn questions_under_way_are_bounded() {
    let world = World::answering(200, ACTIVE);
    world.endpoint.takes(seconds(4));
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..100 {
        let introspector = world.introspector.clone();
        tasks.spawn(async move { introspector.ask(&Secret::new(format!("t{n}"))).await });
    }
    let answers = tasks.join_all().await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 64);
    assert_eq!(world.endpoint.count(), 64);
    assert!(world.is_active("later").await);
}

#[tokio::test(start_paused = true)]
async fn an_answer_can_be_forgotten_at_once() {
    let world = World::answering(200, ACTIVE);
    assert!(world.is_active("t").await && world.is_active("u").await);
    world.endpoint.now_answers(200, r#"{"active":false}"#);
    world.introspector.forget(&Secret::new("t"));
    assert!(!world.is_active("t").await);
    assert!(world.is_active("u").await);
    world.introspector.forget_all();
    assert!(!world.is_active("u").await);
}

#[tokio::test(start_paused = true)]
async fn what_was_forgotten_while_it_was_asked_about_is_asked_about_anew() {
    for all in [false, true] {
        let world = World::answering(200, ACTIVE);
        world.endpoint.takes(seconds(2));
        let early = world.introspector.clone();
        let early = tokio::spawn(async move { early.ask(&Secret::new("t")).await });
        advance(seconds(1)).await;
        tokio::task::yield_now().await;
        match all {
            true => world.introspector.forget_all(),
            false => world.introspector.forget(&Secret::new("t")),
        }
        let late = world.introspector.clone();
        let late = tokio::spawn(async move { late.ask(&Secret::new("t")).await });
        // Whoever waited before gets what was said before; nobody else does.
        assert!(early.await.unwrap().is_ok());
        assert_eq!(world.endpoint.count(), 2, "{all}");
        assert!(late.await.unwrap().is_ok());
        assert!(world.is_active("t").await);
        assert_eq!(world.endpoint.count(), 2, "{all}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_resource_server_authenticates_in_each_way() {
    let key = Arc::new(SigningKey::generate_es256().unwrap());
    let mut assertions = Vec::new();
    for (auth, expected) in [
        (basic(), "token=t%2Fx&token_type_hint=access_token"),
        (
            ClientAuth::Post(Secret::new("s")),
            "token=t%2Fx&token_type_hint=access_token&client_id=rs&client_secret=s",
        ),
        (
            ClientAuth::PrivateKeyJwt(Arc::clone(&key)),
            "client_assertion=",
        ),
        (ClientAuth::PrivateKeyJwt(key), "client_assertion="),
    ] {
        let is_basic = matches!(auth, ClientAuth::Basic(_));
        let endpoint = Endpoint::answering(200, ACTIVE);
        let world = World::over(endpoint, at(IntrospectionProfile::Json, auth));
        assert!(world.is_active("t/x").await);
        let request = world.endpoint.last();
        let body = std::str::from_utf8(request.body()).unwrap().to_owned();
        assert!(body.contains(expected), "{body}");
        let field = request.headers().get("authorization");
        assert_eq!(field.is_some(), is_basic);
        if let Some((_, assertion)) = body.split_once("client_assertion=") {
            assertions.push(assertion.to_owned());
        }
    }
    assert_ne!(assertions[0], assertions[1]);
}

#[tokio::test(start_paused = true)]
async fn a_signed_answer_is_verified_with_the_issuers_keys_which_are_fetched_for_it() {
    let (key, next) = (
        SigningKey::generate_es256().unwrap(),
        SigningKey::generate_es256().unwrap(),
    );
    let set = |keys: &[&SigningKey]| {
        let keys: Vec<_> = keys.iter().map(|key| key.public_jwk()).collect();
        json!({ "keys": keys }).to_string()
    };
    let jwks = Endpoint::answering(200, set(&[&key]));
    let sources = [(issuer(), KeySource::At("https://as.example/keys".into()))];
    let keys = KeyCache::new(sources, jwks.client(), KeyLimits::default());
    let answer = |key: &SigningKey, aud: &str| {
        let claims = json!({"iss": "https://as.example", "aud": aud, "iat": 1000,
            "token_introspection": {"active": true, "sub": "user-1"}});
        let token = key.sign("token-introspection+jwt", claims.to_string().as_bytes());
        Bytes::from(token.unwrap())
    };
    let current = Arc::new(Mutex::new(answer(&key, "rs")));
    let body = Arc::clone(&current);
    let endpoint = Endpoint::new(move |request| {
        assert_eq!(
            request.headers()["accept"],
            "application/token-introspection+jwt"
        );
        let response =
            Response::builder().header("content-type", "application/token-introspection+jwt");
        Ok(response.body(body.lock().unwrap().clone()).unwrap())
    });
    let profile = IntrospectionProfile::Signed {
        keys,
        algorithms: AlgSet::DEFAULT,
    };
    let world = World::over(endpoint, at(profile, basic()));
    assert!(world.is_active("a").await);
    assert!(world.is_active("b").await);
    assert_eq!(jwks.count(), 1);
    // The issuer's next key.
    jwks.now_answers(200, set(&[&key, &next]));
    *current.lock().unwrap() = answer(&next, "rs");
    assert!(world.is_active("c").await);
    assert_eq!(jwks.count(), 2);
    // An answer that was made for another resource server.
    *current.lock().unwrap() = answer(&next, "other");
    assert!(world.ask("d").await.is_err());
    let reason = "aud of the introspection answer is not this resource server";
    assert_eq!(world.reason(), reason);
    // A key that nobody published, and one that cannot be looked for.
    let stranger = SigningKey::generate_es256().unwrap();
    *current.lock().unwrap() = answer(&stranger, "rs");
    assert!(world.ask("e").await.is_err());
    assert!(
        world.reason().starts_with("no key Some("),
        "{}",
        world.reason()
    );
    // What is signed is not taken from a body that is not.
    *current.lock().unwrap() = Bytes::from(ACTIVE);
    assert!(world.ask("f").await.is_err());
    let unsigned = format!("{}.{}.", encode(r#"{"alg":"none"}"#), encode("{}"));
    *current.lock().unwrap() = Bytes::from(unsigned);
    assert!(world.ask("g").await.is_err());
}

#[tokio::test(start_paused = true)]
async fn didit_is_asked_in_json_and_answers_with_its_own_members() {
    let endpoint = Endpoint::answering(
        200,
        r#"{"active":true,"user_id":"u","client_id":"c","exp":5000,"organization_id":"o",
            "claims":["didit:verification"],"scope":"didit:management"}"#,
    );
    let profile = IntrospectionProfile::Didit {
        organization: Some("o".into()),
    };
    let world = World::over(endpoint, at(profile.clone(), basic()));
    let Introspection::Active(token) = world.ask("t").await.unwrap().said().clone() else {
        panic!("inactive");
    };
    assert_eq!(token.sub.as_deref(), Some("u"));
    let scope = "didit:verification didit:management";
    assert_eq!(token.scope.as_deref(), Some(scope));
    let request = world.endpoint.last();
    assert_eq!(request.headers()["content-type"], "application/json");
    assert_eq!(request.headers()["authorization"], "Basic cnM6cw==");
    assert_eq!(request.body(), r#"{"token":"t","requested_org":"o"}"#);
    world.endpoint.now_answers(500, "");
    assert!(world.ask("u").await.is_err());
    world.endpoint.now_answers(200, r#"{"active":"yes"}"#);
    assert!(world.ask("v").await.is_err());

    // A secret for the body would be lost, so it is refused before anything is sent.
    let post = ClientAuth::Post(Secret::new("s"));
    let world = World::over(Endpoint::answering(200, ACTIVE), at(profile, post));
    assert!(world.ask("t").await.is_err());
    assert_eq!(
        world.reason(),
        "the profile Didit needs client_secret_basic"
    );
    assert_eq!(world.endpoint.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_token_is_not_sent_without_tls_nor_shown() {
    let mut at = at(IntrospectionProfile::Json, basic());
    at.source = IntrospectionSource::At("http://as.example/introspect".into());
    let world = World::over(Endpoint::answering(200, ACTIVE), at);
    assert!(world.ask("secret-token").await.is_err());
    let reason = "the address of the introspection endpoint is neither https nor loopback http";
    assert_eq!(world.reason(), reason);
    assert_eq!(world.endpoint.count(), 0);
    let shown = format!(
        "{:?} {:?}",
        world.introspector,
        HttpClient::new(world.endpoint.clone())
    );
    assert!(
        !shown.contains("secret-token") && !shown.contains("\"s\""),
        "{shown}"
    );
}
