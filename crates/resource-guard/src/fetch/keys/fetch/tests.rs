//! One fetch: each answer of an endpoint that is not a key set, and discovery.

use oauth_rs::client::discover::DiscoveryFailed;
use oauth_rs::jose::{MAX_KEYS, SigningKey};
use oauth_rs::metadata::server::InvalidServerMetadata;
use oauth_rs::uri::InvalidUri;

use super::*;

const KEYS: &str = "https://as.example/keys";

fn issuer() -> Issuer {
    Issuer::parse("https://as.example/t1").unwrap()
}

fn response(status: u16, body: impl Into<Vec<u8>>) -> Response<Vec<u8>> {
    let response = Response::builder().status(status).body(body.into());
    response.unwrap()
}

/// Plays a fetch: the addresses that were asked, and how it ended.
fn play(
    source: &KeySource,
    answers: impl IntoIterator<Item = Response<Vec<u8>>>,
) -> (Vec<String>, Result<Fetched, KeyFetchFailed>) {
    let mut answers = answers.into_iter();
    let mut asked = Vec::new();
    let (mut fetch, mut step) = Fetch::start(&issuer(), source);
    loop {
        match step {
            Step::Done(outcome) => return (asked, outcome),
            Step::Send(request) => {
                assert_eq!(request.method(), http::Method::GET);
                asked.push(request.uri().to_string());
                (fetch, step) = fetch.received(&answers.next().unwrap());
            }
        }
    }
}

fn key_answer(status: u16, body: impl Into<Vec<u8>>) -> Result<Fetched, KeyFetchFailed> {
    let (asked, outcome) = play(&KeySource::At(KEYS.into()), [response(status, body)]);
    assert_eq!(asked, [KEYS]);
    outcome
}

fn refused(status: u16, body: impl Into<Vec<u8>>) -> KeyFetchFailed {
    key_answer(status, body).unwrap_err()
}

fn good() -> String {
    let key = SigningKey::generate_es256().unwrap();
    serde_json::to_string(key.public_jwk()).unwrap()
}

fn set(keys: &[String]) -> String {
    format!(r#"{{"keys":[{}]}}"#, keys.join(","))
}

#[test]
fn a_key_set_is_read() {
    let fetched = key_answer(200, set(&[good(), good()])).unwrap();
    assert_eq!(fetched.keys.keys().len(), 2);
}

#[test]
fn each_poisoned_answer_has_its_reason() {
    for (status, reason) in [
        (301, KeyFetchFailed::Redirect(StatusCode::MOVED_PERMANENTLY)),
        (
            307,
            KeyFetchFailed::Redirect(StatusCode::TEMPORARY_REDIRECT),
        ),
        (204, KeyFetchFailed::Status(StatusCode::NO_CONTENT)),
        (404, KeyFetchFailed::Status(StatusCode::NOT_FOUND)),
        (
            500,
            KeyFetchFailed::Status(StatusCode::INTERNAL_SERVER_ERROR),
        ),
    ] {
        // Whatever the body says.
        assert_eq!(refused(status, set(&[good()])), reason);
    }
    let malformed = KeyFetchFailed::Invalid(InvalidJwkSet::Malformed);
    let good = good();
    for body in [
        "<!doctype html><title>Sign in</title>".to_owned(),
        String::new(),
        good.clone(),
        format!("[{good}]"),
        r#"{"keys":"none"}"#.to_owned(),
        format!(r#"{{"keys":{{"a":{good}}}}}"#),
        format!(r#"{{"keys":[{good}],"keys":[{good}]}}"#),
        format!("{}x", set(std::slice::from_ref(&good))),
        format!("\u{feff}{}", set(&[good])),
    ] {
        assert_eq!(refused(200, body.clone()), malformed, "{body}");
    }
    assert_eq!(refused(200, [0xff; 64]), malformed);
}

#[test]
fn a_huge_set_is_refused_by_its_bytes_and_by_its_keys() {
    let too_long = KeyFetchFailed::Invalid(InvalidJwkSet::TooLong);
    let padded = format!("{}{}", set(&[good()]), " ".repeat(MAX_JWK_SET_BYTES));
    assert_eq!(refused(200, padded), too_long);
    let too_many = KeyFetchFailed::Invalid(InvalidJwkSet::TooMany);
    assert_eq!(refused(200, set(&vec![good(); MAX_KEYS + 1])), too_many);
    // Ten thousand keys, as small as they get and as they come.
    assert_eq!(refused(200, set(&vec!["{}".to_owned(); 10_000])), too_many);
    assert_eq!(refused(200, set(&vec![good(); 10_000])), too_long);
}

#[test]
fn one_bad_key_does_not_hurt_the_others() {
    let keys = [
        r#"{"kty":"oct","k":"c2VjcmV0","kid":"hmac"}"#.to_owned(),
        good(),
        "7".to_owned(),
        r#"{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}"#.to_owned(),
        r#"{"kty":"OKP","crv":"Ed448","x":"AA"}"#.to_owned(),
        r#"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#.to_owned(),
        good(),
    ];
    let fetched = key_answer(200, set(&keys)).unwrap();
    assert_eq!(fetched.keys.keys().len(), 2);
    let skipped = fetched.keys.skipped().iter().map(|key| key.index);
    assert_eq!(skipped.collect::<Vec<_>>(), [0, 2, 3, 4, 5]);
}

#[test]
fn a_set_without_a_usable_key_is_a_failure() {
    let secret = r#"{"kty":"oct","k":"c2VjcmV0"}"#.to_owned();
    for (keys, skipped) in [(vec![], 0), (vec![secret.clone(), secret], 2)] {
        let reason = KeyFetchFailed::NoUsableKey { skipped };
        assert_eq!(refused(200, set(&keys)), reason);
    }
}

#[test]
fn use_and_key_ops_decide_and_a_key_has_one_algorithm() {
    let key = SigningKey::generate_es256().unwrap();
    let with = |member: &str, value: serde_json::Value| {
        let mut jwk = serde_json::to_value(key.public_jwk()).unwrap();
        jwk[member] = value;
        jwk.to_string()
    };
    for (member, value) in [
        ("use", serde_json::json!("enc")),
        ("key_ops", serde_json::json!(["sign"])),
        ("alg", serde_json::json!("RS256")),
    ] {
        let reason = KeyFetchFailed::NoUsableKey { skipped: 1 };
        assert_eq!(
            refused(200, set(&[with(member, value)])),
            reason,
            "{member}"
        );
    }
    use oauth_rs::jose::Alg;
    let fetched = key_answer(200, set(&[with("use", "sig".into())])).unwrap();
    for alg in Alg::ALL {
        let expected = usize::from(alg == Alg::Es256);
        assert_eq!(fetched.keys.find(None, alg).count(), expected, "{alg}");
    }
}

#[test]
fn two_keys_with_one_id_are_both_kept() {
    let named = |kid: &str| {
        let key = SigningKey::generate_es256().unwrap();
        let mut jwk = serde_json::to_value(key.public_jwk()).unwrap();
        jwk["kid"] = kid.into();
        jwk.to_string()
    };
    let fetched = key_answer(200, set(&[named("k"), named("k")])).unwrap();
    let found = fetched.keys.find(Some("k"), oauth_rs::jose::Alg::Es256);
    assert_eq!(found.count(), 2);
}

#[test]
fn an_address_without_tls_is_not_asked() {
    for url in ["http://as.example/keys", "file:///keys", "/keys", ""] {
        let (asked, outcome) = play(&KeySource::At(url.into()), []);
        assert!(asked.is_empty());
        assert_eq!(outcome.unwrap_err(), KeyFetchFailed::Address(url.into()));
    }
}

const DISCOVERY: [&str; 3] = [
    "https://as.example/.well-known/oauth-authorization-server/t1",
    "https://as.example/.well-known/openid-configuration/t1",
    "https://as.example/t1/.well-known/openid-configuration",
];

fn metadata(issuer: &str, jwks_uri: &str) -> Response<Vec<u8>> {
    response(
        200,
        format!(
            r#"{{"issuer":"{issuer}","authorization_endpoint":"https://as.example/authorize",
                "token_endpoint":"https://as.example/token",
                "response_types_supported":["code"]{jwks_uri}}}"#
        ),
    )
}

#[test]
fn the_address_is_discovered_from_the_metadata() {
    let jwks_uri = format!(r#","jwks_uri":"{KEYS}""#);
    let found = metadata("https://as.example/t1", &jwks_uri);
    let (asked, outcome) = play(
        &KeySource::Discovered,
        [found, response(200, set(&[good()]))],
    );
    assert!(outcome.is_ok());
    assert_eq!(asked, [DISCOVERY[0], KEYS]);

    let found = metadata("https://as.example/t1", &jwks_uri);
    let answers = [
        response(404, ""),
        response(200, "<html>"),
        found,
        response(200, set(&[good()])),
    ];
    let (asked, outcome) = play(&KeySource::Discovered, answers);
    assert!(outcome.is_ok());
    assert_eq!(asked, [DISCOVERY[0], DISCOVERY[1], DISCOVERY[2], KEYS]);
}

#[test]
fn a_document_of_another_issuer_ends_the_search() {
    let jwks_uri = format!(r#","jwks_uri":"{KEYS}""#);
    // To the last slash.
    for other in [
        "https://as.example/t1/",
        "https://as.example",
        "https://AS.example/t1",
        "https://evil.example/t1",
    ] {
        let (asked, outcome) = play(&KeySource::Discovered, [metadata(other, &jwks_uri)]);
        assert_eq!(asked, [DISCOVERY[0]]);
        let found = other.to_owned();
        let reason = DiscoveryFailed::Server(InvalidServerMetadata::Issuer { found });
        assert_eq!(outcome.unwrap_err(), KeyFetchFailed::Discovery(reason));
    }
}

#[test]
fn metadata_without_a_safe_address_of_keys_is_refused() {
    let own = "https://as.example/t1";
    let (_, outcome) = play(&KeySource::Discovered, [metadata(own, "")]);
    assert_eq!(outcome.unwrap_err(), KeyFetchFailed::NoJwksUri);
    for (url, reason) in [
        ("http://as.example/keys", InvalidUri::InsecureHttp),
        ("http://127.0.0.1/keys", InvalidUri::Loopback),
    ] {
        let jwks_uri = format!(r#","jwks_uri":"{url}""#);
        let (asked, outcome) = play(&KeySource::Discovered, [metadata(own, &jwks_uri)]);
        assert_eq!(asked.len(), 1);
        let reason = DiscoveryFailed::Server(InvalidServerMetadata::Endpoint {
            member: "jwks_uri",
            reason,
        });
        assert_eq!(outcome.unwrap_err(), KeyFetchFailed::Discovery(reason));
    }
}

#[test]
fn when_no_address_has_a_document_the_last_failure_is_the_reason() {
    let redirect = || response(302, "");
    let (asked, outcome) = play(
        &KeySource::Discovered,
        [redirect(), redirect(), response(404, "")],
    );
    assert_eq!(asked, DISCOVERY);
    let status = ExchangeFailed::Status(StatusCode::NOT_FOUND);
    assert_eq!(outcome.unwrap_err(), KeyFetchFailed::from(status));
}
