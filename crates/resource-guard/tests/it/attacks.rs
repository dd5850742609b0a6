//! What attackers and broken clients send: for each the exact status, challenge and reason.
//!
//! `docs/security/attacks-on-a-resource.md` is the table of these.

use std::time::Duration;

use http::request::Parts;
use oauth_rs::certificate::Thumbprint;
use oauth_rs::challenge::Challenge;
use oauth_rs::error_code::ErrorCode;
use oauth_rs::jose::dpop::ProofRefused;
use oauth_rs::jose::{InvalidJwkSet, InvalidJws, JwkSet};
use resource_guard::{Decision, Evidence, Reason, Refused, ReplayWindow};
use serde_json::{Value, json};

use crate::dpop::Bound;
use crate::support::{NOW, RESOURCE, World, claims, claims_with, encode, request, with_fields};

/// What an answer says: the status, and the error of the challenge, or `-` for none.
type Wire = (u16, &'static str);

const NOBODY: Wire = (401, "-");
const BAD_REQUEST: Wire = (400, "invalid_request");
const BAD_TOKEN: Wire = (401, "invalid_token");
const BAD_PROOF: Wire = (401, "invalid_dpop_proof");

fn expect(world: &World, what: &str, refused: &Refused, wire: Wire, reason: &Reason) {
    assert_eq!(refused.reason(), reason, "{what}");
    let response = world.guard.response(refused);
    assert_eq!(response.status(), wire.0, "{what}");
    assert_eq!(response.headers()["cache-control"], "no-store", "{what}");
    let challenges = Challenge::all_of(response.headers());
    let used = challenges
        .iter()
        .find(|challenge| challenge.is_scheme(refused.scheme().as_str()))
        .unwrap();
    assert_eq!(
        used.error().map_or("-", ErrorCode::as_str),
        wire.1,
        "{what}"
    );
    assert!(used.resource_metadata().is_some(), "{what}");
}

fn refused_request(what: &str, parts: &Parts, wire: Wire, reason: &Reason) {
    let world = World::new();
    let refused = world.principal(parts, NOW).unwrap_err();
    expect(&world, what, &refused, wire, reason);
}

fn refused_token(world: &World, what: &str, token: &str, reason: &Reason) {
    let refused = world.principal(&request(token), NOW).unwrap_err();
    expect(world, what, &refused, BAD_TOKEN, reason);
}

/// The claims of a valid token, with this text in one of them.
fn with_claim(name: &str, text: &str) -> Value {
    let mut claims = claims();
    claims[name] = json!(text);
    claims
}

/// A token with this header and payload, and a signature that was never made.
fn unsigned(header: &Value, payload: &str) -> String {
    let header = encode(header.to_string());
    format!("{header}.{}.{}", encode(payload), encode([1; 64]))
}

#[test]
fn credentials_in_the_wrong_place() {
    let get = |uri: &str, fields: &[(&str, &str)]| with_fields("GET", uri, fields);
    let bearer = ("authorization", "Bearer abc");
    let in_query = format!("{RESOURCE}?access_token=abc");
    refused_request(
        "in the query",
        &get(&in_query, &[]),
        NOBODY,
        &Reason::TokenInQuery,
    );
    let several = Reason::SeveralCredentials;
    refused_request(
        "query and field",
        &get(&in_query, &[bearer]),
        BAD_REQUEST,
        &several,
    );
    refused_request(
        "two fields",
        &get(RESOURCE, &[bearer, bearer]),
        BAD_REQUEST,
        &several,
    );
    // A form body is never read, so a token in it is no token.
    let form = ("content-type", "application/x-www-form-urlencoded");
    let form = with_fields("POST", RESOURCE, &[form]);
    refused_request("in a form", &form, NOBODY, &Reason::NoToken);
    let cookie = get(RESOURCE, &[("cookie", "access_token=abc")]);
    refused_request("in a cookie", &cookie, NOBODY, &Reason::NoToken);
}

#[test]
fn the_authorization_field() {
    let world = World::new();
    let token = world.token();
    // RFC 9110 section 11.1: the case of the scheme makes no difference.
    for scheme in ["Bearer", "bearer", "BEARER", "bEaReR"] {
        let field = format!("{scheme} {token}");
        let parts = with_fields("POST", RESOURCE, &[("authorization", &field)]);
        assert!(world.principal(&parts, NOW).is_ok(), "{scheme}");
    }
    for (what, field, wire, reason) in [
        ("empty", "", NOBODY, Reason::NoToken),
        ("another scheme", "Basic dTpw", NOBODY, Reason::NoToken),
        ("no space", "Bearerabc", NOBODY, Reason::NoToken),
        (
            "no token",
            "Bearer",
            BAD_REQUEST,
            Reason::MalformedCredentials,
        ),
        (
            "spaces",
            "Bearer   ",
            BAD_REQUEST,
            Reason::MalformedCredentials,
        ),
        (
            "two tokens",
            "Bearer a b",
            BAD_REQUEST,
            Reason::MalformedCredentials,
        ),
        (
            "a list",
            "Bearer a, Basic b",
            BAD_REQUEST,
            Reason::MalformedCredentials,
        ),
        (
            "not ASCII",
            "Bearer caf\u{e9}",
            BAD_REQUEST,
            Reason::MalformedCredentials,
        ),
        (
            "a tab",
            "Bearer a\tb",
            BAD_REQUEST,
            Reason::MalformedCredentials,
        ),
    ] {
        let parts = with_fields("POST", RESOURCE, &[("authorization", field)]);
        refused_request(what, &parts, wire, &reason);
    }
    let bytes = 64 * 1024;
    let long = format!("Bearer {}", "a".repeat(bytes));
    let parts = with_fields("POST", RESOURCE, &[("authorization", &long)]);
    refused_request("64 KiB", &parts, BAD_TOKEN, &Reason::TokenTooLong { bytes });
}

#[test]
fn a_jwt_in_a_jwt_and_an_encrypted_one() {
    let world = World::new();
    let inner = world.token();
    // The payload of a nested token is a token, and no claims.
    let header = json!({"alg": "ES256", "typ": "at+jwt", "cty": "JWT", "kid": world.key.kid()});
    let nested = unsigned(&header, &inner);
    let refused = world.principal(&request(&nested), NOW).unwrap_err();
    assert!(
        matches!(refused.reason(), Reason::Claims { .. }),
        "{refused}"
    );
    assert_eq!(refused.status(), 401);
    let signed = world.key.sign("at+jwt", inner.as_bytes()).unwrap();
    let refused = world.principal(&request(&signed), NOW).unwrap_err();
    assert!(
        matches!(refused.reason(), Reason::Claims { .. }),
        "{refused}"
    );
    let header = encode(r#"{"alg":"RSA-OAEP","enc":"A256GCM"}"#);
    let encrypted = format!("{header}.a.b.c.d");
    refused_token(&world, "encrypted", &encrypted, &Reason::Encrypted);
}

#[test]
fn headers_that_ask_for_more() {
    let world = World::new();
    let other = World::new();
    let kid = world.key.kid();
    let malformed = |reason| Reason::Malformed { reason };
    let crit = json!({"alg": "ES256", "typ": "at+jwt", "kid": kid, "crit": ["exp"], "exp": 1});
    let token = unsigned(&crit, &claims().to_string());
    refused_token(&world, "crit", &token, &malformed(InvalidJws::Critical));
    let b64 = json!({"alg": "ES256", "typ": "at+jwt", "kid": kid, "b64": false});
    let token = unsigned(&b64, &claims().to_string());
    refused_token(&world, "b64", &token, &malformed(InvalidJws::Critical));
    // A key or an address of one that the token brings along is not looked at.
    let (header, signature) = {
        let token = other.token();
        let (input, signature) = token.rsplit_once('.').unwrap();
        (
            input.split_once('.').unwrap().0.to_owned(),
            signature.to_owned(),
        )
    };
    assert!(!header.is_empty());
    for (member, value) in [
        ("jwk", json!(other.key.public_jwk())),
        ("jku", json!("https://evil.example/keys")),
        ("x5u", json!("https://evil.example/chain")),
        ("x5c", json!(["MIIB"])),
    ] {
        let mut header = json!({"alg": "ES256", "typ": "at+jwt", "kid": "evil"});
        header[member] = value;
        let input = format!(
            "{}.{}",
            encode(header.to_string()),
            encode(claims().to_string())
        );
        let token = format!("{input}.{signature}");
        let issuer = crate::support::issuer();
        let kid = Some("evil".to_owned());
        refused_token(&world, member, &token, &Reason::UnknownKey { issuer, kid });
    }
}

#[test]
fn key_ids_are_text_and_lead_nowhere() {
    let world = World::new();
    for kid in [
        "../../../../dev/null",
        "/etc/passwd",
        "file:///etc/passwd",
        "https://evil.example/key",
        "' OR 1=1 --",
        "a\0b",
        "\u{202e}",
        "",
        &"k".repeat(1000),
    ] {
        let header = json!({"alg": "ES256", "typ": "at+jwt", "kid": kid});
        let token = unsigned(&header, &claims().to_string());
        let issuer = crate::support::issuer();
        // What the log gets of it is cut.
        let kid = Some(kid.chars().take(200).collect());
        refused_token(&world, "kid", &token, &Reason::UnknownKey { issuer, kid });
    }
    let header = json!({"alg": "ES256", "typ": "at+jwt", "kid": ["a"]});
    let token = unsigned(&header, &claims().to_string());
    let reason = InvalidJws::Header;
    refused_token(
        &world,
        "kid as a list",
        &token,
        &Reason::Malformed { reason },
    );
}

#[test]
fn claims_of_the_wrong_type_and_missing_ones() {
    let world = World::new();
    let wrong = [
        ("aud", json!({"0": RESOURCE})),
        ("aud", json!(1)),
        ("aud", json!([])),
        ("aud", json!([RESOURCE, 1])),
        ("exp", json!("1600")),
        ("exp", json!(-1)),
        ("exp", json!(1e300)),
        ("exp", json!(18_446_744_073_709_551_615_u64)),
        ("exp", json!([1600])),
        ("nbf", json!("1000")),
        ("iat", json!(true)),
        ("sub", json!(1)),
        ("scope", json!(["a"])),
        ("act", json!("admin")),
        ("cnf", json!({})),
        ("cnf", json!({"jkt": "short"})),
    ];
    let missing = ["iss", "aud", "sub", "client_id", "jti", "iat", "exp"];
    let missing = missing.map(|name| (name, Value::Null));
    for (name, value) in wrong.into_iter().chain(missing) {
        let mut claims = claims();
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value;
        }
        let token = world.sign(&claims);
        let refused = world.principal(&request(&token), NOW).unwrap_err();
        assert!(
            matches!(refused.reason(), Reason::Claims { .. }),
            "{claims} {refused}"
        );
        let reason = refused.reason().clone();
        expect(&world, name, &refused, BAD_TOKEN, &reason);
    }
    // A number with a fraction is one, and an array that names this resource does.
    let fraction = world.sign(&claims_with("exp", json!(1600.5)));
    assert!(world.principal(&request(&fraction), NOW).is_ok());
    let array = world.sign(&claims_with("aud", json!(["https://x.example", RESOURCE])));
    assert!(world.principal(&request(&array), NOW).is_ok());
}

#[test]
fn tokens_of_another_type() {
    let world = World::new();
    let payload = claims().to_string();
    for typ in [
        "JWT",
        "logout+jwt",
        "dpop+jwt",
        "secevent+jwt",
        "id_token+jwt",
        "oauth-id-jag+jwt",
    ] {
        let token = world.key.sign(typ, payload.as_bytes()).unwrap();
        let typ = Some(typ.to_owned());
        refused_token(&world, "type", &token, &Reason::OtherType { typ });
    }
}

#[test]
fn algorithm_confusion() {
    let world = World::new();
    let payload = claims().to_string();
    let kid = world.key.kid();
    let issuer = crate::support::issuer;
    for alg in ["HS256", "HS512", "ES256K", "RSA1_5", "es256", ""] {
        let token = unsigned(&json!({"alg": alg, "typ": "at+jwt", "kid": kid}), &payload);
        let alg = alg.to_owned();
        let issuer = issuer();
        refused_token(&world, "alg", &token, &Reason::Algorithm { issuer, alg });
    }
    // The id of an EC key with an RSA algorithm: a key has one algorithm.
    for alg in ["RS256", "PS256", "EdDSA"] {
        let token = unsigned(&json!({"alg": alg, "typ": "at+jwt", "kid": kid}), &payload);
        let kid = Some(kid.to_owned());
        let issuer = issuer();
        refused_token(&world, alg, &token, &Reason::UnknownKey { issuer, kid });
    }
    // HS256 with the public key as the secret, made as it would have to be.
    let header = json!({"alg": "HS256", "typ": "at+jwt", "kid": kid});
    let input = format!("{}.{}", encode(header.to_string()), encode(&payload));
    let secret = serde_json::to_vec(world.key.public_jwk()).unwrap();
    let secret = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &secret);
    let token = format!(
        "{input}.{}",
        encode(ring::hmac::sign(&secret, input.as_bytes()))
    );
    let alg = "HS256".to_owned();
    let issuer = issuer();
    refused_token(&world, "HS256", &token, &Reason::Algorithm { issuer, alg });
    for alg in ["none", "None", "nOnE"] {
        let token = unsigned(&json!({"alg": alg, "typ": "at+jwt", "kid": kid}), &payload);
        refused_token(&world, alg, &token, &Reason::Unsigned);
    }
}

#[test]
fn replayed_and_mutated_proofs() {
    let bound = Bound::new(|config| config);
    let world = &bound.world;
    let window = ReplayWindow::default();
    let spend = |parts: &Parts| {
        let granted = world.check(parts, NOW).into_result()?;
        granted.spend(&window, NOW)
    };
    let good = bound.with_proof(&bound.good_proof());
    assert!(spend(&good).is_ok());
    let again = spend(&good).unwrap_err();
    expect(world, "replayed", &again, BAD_PROOF, &Reason::Replayed);
    let age = Duration::from_secs(100);
    for (name, value, reason) in [
        ("htm", json!("GET"), ProofRefused::Method),
        ("htu", json!("https://rs.example/other"), ProofRefused::Uri),
        ("ath", json!("x"), ProofRefused::TokenHash),
        ("iat", json!(NOW.0 - 100), ProofRefused::TooOld { age }),
    ] {
        let parts = bound.with_proof(&bound.proof_but(name, value));
        let refused = spend(&parts).unwrap_err();
        expect(world, name, &refused, BAD_PROOF, &Reason::Proof { reason });
    }
    let stolen = spend(&request(&bound.token)).unwrap_err();
    expect(
        world,
        "as bearer",
        &stolen,
        BAD_TOKEN,
        &Reason::BoundAsBearer,
    );
}

#[test]
fn the_certificate_of_another_client() {
    let world = World::new();
    let mut claims = claims();
    claims["cnf"] = json!({"x5t#S256": Thumbprint::of_der(b"own").as_str()});
    let parts = request(&world.sign(&claims));
    let other = Thumbprint::of_der(b"other");
    let received = other.as_str().to_owned();
    for (certificate, reason) in [
        (None, Reason::NoCertificate),
        (Some(&other), Reason::OtherCertificate { received }),
    ] {
        let evidence = Evidence {
            certificate,
            ..Evidence::of(&world.keys)
        };
        match world.guard.check(&parts, &evidence, NOW) {
            Decision::Refused(refused) => {
                expect(&world, "certificate", &refused, BAD_TOKEN, &reason);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_key_set_with_ten_thousand_keys() {
    let key = json!({"kty": "EC", "crv": "P-256", "x": "", "y": ""});
    let many = json!({"keys": vec![key; 10_000]}).to_string();
    assert_eq!(
        JwkSet::parse(many.as_bytes()).unwrap_err(),
        InvalidJwkSet::TooLong
    );
    let short = json!({"keys": vec![1; 10_000]}).to_string();
    assert_eq!(
        JwkSet::parse(short.as_bytes()).unwrap_err(),
        InvalidJwkSet::TooMany
    );
}

/// What is refused is written to a log: one line, and a short one, whatever the sender made up.
#[test]
fn a_log_line_stays_one_short_line() {
    let world = World::new();
    let mut seen = 0;
    for made_up in [
        "x\n401 revoked\n".repeat(100),
        "\u{1b}[2J\u{2028}".repeat(300),
    ] {
        let made_up = made_up.as_str();
        let names = [
            "iss",
            "aud",
            "exp",
            "nbf",
            "scope",
            "cnf",
            "act",
            "auth_time",
        ];
        let tokens = names.map(|claim| world.sign(&with_claim(claim, made_up)));
        let headers = [
            json!({"alg": "ES256", "typ": made_up}),
            json!({"alg": made_up, "typ": "at+jwt"}),
            json!({"alg": "ES256", "typ": "at+jwt", "kid": made_up}),
            json!({"alg": "ES256", "typ": "at+jwt", "crit": [made_up]}),
        ];
        let payload = claims().to_string();
        let headers = headers.map(|header| unsigned(&header, &payload));
        for token in tokens.iter().chain(&headers) {
            let refused = world.principal(&request(token), NOW).unwrap_err();
            let line = refused.to_string();
            assert!(
                !line.contains(|c: char| c.is_control() || c == '\u{2028}'),
                "{line}"
            );
            // 200 characters of it, each of which may be written as eight.
            assert!(line.len() < 1800, "{line}");
            assert!(!line.contains(token.as_str()));
            seen += 1;
        }
    }
    assert_eq!(seen, 24);
}
