//! The eleven properties of a key-set cache, each with a test that names it, and then what else
//! an endpoint or a caller may do.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::StatusCode;
use oauth_rs::jose::{Alg, InvalidJwkSet, SigningKey};
use oauth_rs::uri::Issuer;
use resource_guard::fetch::{
    KeyCache, KeyFetchFailed, KeyLimits, KeySource, SendFailed, Unavailable,
};
use resource_guard::{Decision, Evidence, Needs};
use serde_json::json;
use tokio::time::{Instant, advance, timeout};

use super::endpoint::{Endpoint, Refusal};
use crate::support::{NOW, World, issuer, request};

const KEYS: &str = "https://as.example/keys";

fn key() -> SigningKey {
    SigningKey::generate_es256().unwrap()
}

fn document(keys: &[&SigningKey]) -> String {
    let keys: Vec<_> = keys.iter().map(|key| key.public_jwk()).collect();
    json!({ "keys": keys }).to_string()
}

fn cache(endpoint: &Endpoint) -> KeyCache {
    let sources = [(issuer(), KeySource::At(KEYS.into()))];
    KeyCache::new(sources, endpoint.client(), KeyLimits::default())
}

/// An endpoint with one key, and a cache that has it.
async fn filled(key: &SigningKey) -> (Endpoint, KeyCache) {
    let endpoint = Endpoint::answering(200, document(&[key]));
    let cache = cache(&endpoint);
    assert!(has(&cache, key).await);
    (endpoint, cache)
}

async fn has(cache: &KeyCache, key: &SigningKey) -> bool {
    let found = cache.find(None, Some(key.kid())).await.unwrap();
    let keys = found.keys_of(&issuer());
    keys.is_some_and(|keys| keys.has_kid(key.kid()))
}

fn knows(cache: &KeyCache, key: &SigningKey) -> bool {
    let current = cache.current();
    let keys = current.keys_of(&issuer());
    keys.is_some_and(|keys| keys.has_kid(key.kid()))
}

/// Lets tasks that were started run to their end.
async fn passes(time: Duration) {
    advance(time).await;
    for _ in 0..8 {
        tokio::task::yield_now().await;
    }
    advance(Duration::from_millis(50)).await;
    for _ in 0..8 {
        tokio::task::yield_now().await;
    }
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[tokio::test(start_paused = true)]
async fn property_1_an_unknown_key_causes_a_refetch() {
    let (old, new) = (key(), key());
    let (endpoint, cache) = filled(&old).await;
    endpoint.now_answers(200, document(&[&old, &new]));
    assert!(!knows(&cache, &new));
    assert!(has(&cache, &new).await);
    assert!(knows(&cache, &new) && knows(&cache, &old));
    assert_eq!(endpoint.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn property_2_refetches_are_rate_limited() {
    let key = key();
    let (endpoint, cache) = filled(&key).await;
    for n in 0..1000 {
        let kid = format!("invented-{n}");
        assert!(cache.find(None, Some(&kid)).await.is_ok());
        advance(Duration::from_millis(100)).await;
    }
    // A hundred seconds are four cool-downs of thirty, and one fetch was the first.
    assert_eq!(endpoint.count(), 5);
}

#[tokio::test(start_paused = true)]
async fn property_3_one_fetch_serves_many_waiters() {
    let key = key();
    let endpoint = Endpoint::answering(200, document(&[&key]));
    let cache = cache(&endpoint);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..500 {
        let (cache, kid) = (cache.clone(), key.kid().to_owned());
        tasks.spawn(async move { cache.find(None, Some(&kid)).await });
    }
    for found in tasks.join_all().await {
        assert!(found.unwrap().keys_of(&issuer()).is_some());
    }
    assert_eq!(endpoint.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn property_4_a_check_does_not_wait_for_a_fetch() {
    let key = key();
    let (endpoint, cache) = filled(&key).await;
    endpoint.takes(seconds(9));
    let looking = tokio::spawn({
        let cache = cache.clone();
        async move { cache.find(None, Some("unknown")).await }
    });
    tokio::task::yield_now().await;
    assert_eq!(endpoint.count(), 2);
    let before = Instant::now();
    assert!(knows(&cache, &key));
    assert_eq!(Instant::now(), before);
    assert!(!looking.is_finished());
    // That it takes no lock either is shown beside the code.
}

#[tokio::test(start_paused = true)]
async fn property_5_old_keys_are_used_while_the_endpoint_is_down_up_to_a_limit() {
    let key = key();
    let (endpoint, cache) = filled(&key).await;
    endpoint.now_answers(500, "");
    let mut passed = 0;
    while passed < 3590 {
        assert!(knows(&cache, &key), "{passed}");
        passes(seconds(10)).await;
        passed += 10;
    }
    passes(seconds(20)).await;
    assert!(!knows(&cache, &key));
    let Unavailable { retry_after } = cache.find(None, Some(key.kid())).await.unwrap_err();
    assert!(
        retry_after > Duration::ZERO && retry_after <= seconds(30),
        "{retry_after:?}"
    );
    let down = KeyFetchFailed::Status(StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(cache.last_failure(&issuer()), Some(down));

    endpoint.now_answers(200, document(&[&key]));
    passes(seconds(30)).await;
    assert!(has(&cache, &key).await);
    assert_eq!(cache.last_failure(&issuer()), None);
}

#[tokio::test(start_paused = true)]
async fn property_6_one_bad_key_does_not_hurt_the_others() {
    let world = World::new();
    let good = world.key.public_jwk();
    let body = json!({"keys": [{"kty": "oct", "k": "AA"}, 7, good, {"kty": "EC"}]});
    let cache = cache(&Endpoint::answering(200, body.to_string()));
    assert!(has(&cache, &world.key).await);
    let current = cache.current();
    let decision = world
        .guard
        .check(&request(&world.token()), &Evidence::of(&current), NOW);
    assert!(matches!(decision, Decision::Granted(_)), "{decision:?}");
    let keys = current.keys_of(&issuer()).unwrap();
    assert_eq!((keys.keys().len(), keys.skipped().len()), (1, 3));
}

#[tokio::test(start_paused = true)]
async fn property_7_there_is_a_size_cap_and_a_time_limit() {
    let key = key();
    let long = format!("{}{}", document(&[&key]), " ".repeat(256 * 1024));
    let endpoint = Endpoint::answering(200, long);
    let cache = cache(&endpoint);
    assert!(cache.find(None, Some(key.kid())).await.is_err());
    let too_long = KeyFetchFailed::Invalid(InvalidJwkSet::TooLong);
    assert_eq!(cache.last_failure(&issuer()), Some(too_long));

    endpoint.now_answers(200, document(&[&key]));
    endpoint.takes(seconds(3600));
    passes(seconds(1)).await;
    let before = Instant::now();
    assert!(cache.find(None, Some(key.kid())).await.is_err());
    assert_eq!(before.elapsed().as_secs(), 10);
    let slow = SendFailed::TimedOut(seconds(10)).into();
    assert_eq!(cache.last_failure(&issuer()), Some(slow));
}

#[tokio::test(start_paused = true)]
async fn property_8_the_client_that_was_handed_in_checks_the_address() {
    let endpoint = Endpoint::new(|request| {
        assert_eq!(request.uri(), "https://as.example/keys");
        Err(Refusal(
            "\"as.example\" is at 169.254.169.254, which is link-local",
        ))
    });
    let cache = cache(&endpoint);
    assert!(cache.find(None, Some("k")).await.is_err());
    assert_eq!(
        cache.last_failure(&issuer()).unwrap().to_string(),
        "\"as.example\" is at 169.254.169.254, which is link-local",
    );
    assert_eq!(endpoint.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn property_9_a_key_has_one_algorithm_and_its_use_is_honoured() {
    let (signing, encrypting, wrapping) = (key(), key(), key());
    let with = |key: &SigningKey, member: &str, value: serde_json::Value| {
        let mut jwk = serde_json::to_value(key.public_jwk()).unwrap();
        jwk[member] = value;
        jwk
    };
    let body = json!({"keys": [
        with(&signing, "use", json!("sig")),
        with(&encrypting, "use", json!("enc")),
        with(&wrapping, "key_ops", json!(["wrapKey"])),
    ]});
    let cache = cache(&Endpoint::answering(200, body.to_string()));
    assert!(has(&cache, &signing).await);
    assert!(!knows(&cache, &encrypting) && !knows(&cache, &wrapping));
    let current = cache.current();
    let keys = current.keys_of(&issuer()).unwrap();
    for alg in Alg::ALL {
        let found = keys.find(Some(signing.kid()), alg).count();
        assert_eq!(found, usize::from(alg == Alg::Es256), "{alg}");
    }
}

#[tokio::test(start_paused = true)]
async fn property_10_an_unknown_key_is_remembered_as_unknown() {
    let key = key();
    let (endpoint, cache) = filled(&key).await;
    for _ in 0..4 {
        // The cool-down is over each time.
        assert!(cache.find(None, Some("withdrawn")).await.is_ok());
        passes(seconds(60)).await;
    }
    assert_eq!(endpoint.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn property_11_keys_are_parsed_once() {
    let key = key();
    let (endpoint, cache) = filled(&key).await;
    let first = cache.current();
    for _ in 0..3 {
        passes(seconds(301)).await;
        let again = cache.current();
        passes(Duration::ZERO).await;
        // The very same parsed keys, after refreshes that brought the same document.
        assert!(Arc::ptr_eq(&first, &again));
    }
    assert_eq!(endpoint.count(), 4);
    endpoint.now_answers(
        200,
        document(&[&SigningKey::generate_es256().unwrap(), &key]),
    );
    passes(seconds(301)).await;
    drop(cache.current());
    passes(Duration::ZERO).await;
    assert!(!Arc::ptr_eq(&first, &cache.current()));
}

#[tokio::test(start_paused = true)]
async fn a_withdrawn_key_no_longer_verifies_after_the_refresh() {
    let mut world = World::new();
    let (endpoint, cache) = filled(&world.key).await;
    world.keys = (*cache.current()).clone();
    let token = request(&world.token());
    assert!(matches!(world.check(&token, NOW), Decision::Granted(_)));
    endpoint.now_answers(200, document(&[&key()]));
    passes(seconds(300)).await;
    assert!(knows(&cache, &world.key));
    passes(Duration::ZERO).await;
    let current = cache.current();
    let decision = world.guard.check(&token, &Evidence::of(&current), NOW);
    assert!(
        matches!(decision, Decision::Needs(Needs::Keys(_))),
        "{decision:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_goes_away_ends_nothing() {
    let key = key();
    let endpoint = Endpoint::answering(200, document(&[&key]));
    endpoint.takes(seconds(5));
    let cache = cache(&endpoint);
    // The one who started the fetch gives up after a second.
    let first = timeout(seconds(1), cache.find(None, Some(key.kid()))).await;
    assert!(first.is_err());
    let before = Instant::now();
    assert!(has(&cache, &key).await);
    assert_eq!(before.elapsed().as_secs(), 4);
    assert_eq!(endpoint.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_panics_is_a_failed_fetch() {
    let endpoint = Endpoint::new(|_| panic!("a defect in the client"));
    let cache = cache(&endpoint);
    assert!(cache.find(None, Some("k")).await.is_err());
    assert_eq!(
        cache.last_failure(&issuer()),
        Some(KeyFetchFailed::Abandoned)
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_not_a_key_set_leaves_the_old_keys_in_use() {
    let key = key();
    let (endpoint, cache) = filled(&key).await;
    let many = json!({"keys": vec![json!({}); 10_000]}).to_string();
    for (status, body, reason) in [
        (
            200,
            "<html>".to_owned(),
            KeyFetchFailed::Invalid(InvalidJwkSet::Malformed),
        ),
        (200, many, KeyFetchFailed::Invalid(InvalidJwkSet::TooMany)),
        (
            200,
            r#"{"keys":[]}"#.to_owned(),
            KeyFetchFailed::NoUsableKey { skipped: 0 },
        ),
        (
            302,
            String::new(),
            KeyFetchFailed::Redirect(StatusCode::FOUND),
        ),
        (
            404,
            String::new(),
            KeyFetchFailed::Status(StatusCode::NOT_FOUND),
        ),
    ] {
        endpoint.now_answers(status, body);
        passes(seconds(301)).await;
        assert!(knows(&cache, &key));
        passes(Duration::ZERO).await;
        assert_eq!(cache.last_failure(&issuer()), Some(reason));
        assert!(knows(&cache, &key));
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_one_issuer_does_not_touch_the_other() {
    let (a, b) = (key(), key());
    let second = Issuer::parse("https://second.example").unwrap();
    let body = document(&[&a]);
    let endpoint = Endpoint::new(move |request| {
        let (status, body) = match request.uri().host() {
            Some("as.example") => (200, body.clone()),
            _ => (503, String::new()),
        };
        Ok(http::Response::builder()
            .status(status)
            .body(body.into())
            .unwrap())
    });
    let sources = [
        (issuer(), KeySource::At(KEYS.into())),
        (
            second.clone(),
            KeySource::At("https://second.example/keys".into()),
        ),
    ];
    let cache = KeyCache::new(sources, endpoint.client(), KeyLimits::default());
    assert!(has(&cache, &a).await);
    assert!(cache.find(Some(&issuer()), Some(b.kid())).await.is_ok());
    assert!(cache.find(Some(&second), Some(b.kid())).await.is_err());
    // Whoever does not say whose key it is cannot be told that there is none.
    assert!(cache.find(None, Some(b.kid())).await.is_err());
    assert!(cache.current().keys_of(&second).is_none());
    let third = Issuer::parse("https://third.example").unwrap();
    assert!(cache.find(Some(&third), Some(a.kid())).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn each_end_of_a_fetch_is_reported() {
    let key = key();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let endpoint = Endpoint::answering(500, "");
    let sources = [(issuer(), KeySource::At(KEYS.into()))];
    let log = Arc::clone(&seen);
    let cache = KeyCache::reporting(
        sources,
        endpoint.client(),
        KeyLimits::default(),
        move |report| {
            let line = match report.outcome {
                Ok(keys) => format!("{}: {} keys", report.issuer, keys.keys().len()),
                Err(reason) => format!("{}: {reason}", report.issuer),
            };
            log.lock().unwrap().push(line);
        },
    );
    assert!(cache.find(None, None).await.is_err());
    endpoint.now_answers(200, document(&[&key]));
    passes(seconds(1)).await;
    assert!(has(&cache, &key).await);
    assert_eq!(
        *seen.lock().unwrap(),
        [
            "https://as.example: the key endpoint answered with status 500 Internal Server Error",
            "https://as.example: 1 keys",
        ],
    );
}

#[tokio::test(start_paused = true)]
async fn a_hundred_thousand_invented_key_ids_cause_no_fetch_beyond_the_limit() {
    let key = key();
    let (endpoint, cache) = filled(&key).await;
    assert!(cache.find(None, Some("first")).await.is_ok());
    let before = Instant::now();
    for n in 0..100_000_u32 {
        assert!(cache.find(None, Some(&n.to_string())).await.is_ok());
    }
    // All within one cool-down.
    assert_eq!(Instant::now(), before);
    assert_eq!((endpoint.count(), cache.fetches()), (2, 2));
}
