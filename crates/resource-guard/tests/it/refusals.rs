//! A valid request, one mutation, the exact reason, status, challenge and body.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Request;
use http::request::Parts;
use oauth_rs::error_code::ErrorCode;
use oauth_rs::jose::{BadSignature, InvalidJws, SigningKey};
use oauth_rs::scope::{InvalidScope, ScopeSet};
use oauth_rs::time::UnixSeconds;
use resource_guard::{Guard, Reason, Refused, Requirement};
use serde_json::{Value, json};

use crate::support::{
    METADATA, NOW, RESOURCE, World, claims, claims_with, config, encode, issuer, request,
};

/// The one answer for each code, written out.
fn assert_answer(guard: &Guard, refused: &Refused, error: Option<(u16, &str, &str)>, scope: &str) {
    let response = guard.response(refused);
    let challenge = response.headers()["www-authenticate"].to_str().unwrap();
    assert_eq!(response.headers()["cache-control"], "no-store");
    assert_eq!(
        response
            .headers()
            .get_all("www-authenticate")
            .iter()
            .count(),
        1
    );
    assert_eq!(response.extensions().get::<Refused>(), Some(refused));
    assert_eq!(refused.status(), response.status());
    match error {
        None => {
            assert_eq!(response.status(), 401);
            assert_eq!(
                challenge,
                format!("Bearer resource_metadata=\"{METADATA}\", scope=\"{scope}\"")
            );
            assert_eq!(response.body(), "");
            assert!(!response.headers().contains_key("content-type"));
            assert_eq!(refused.error(), None);
        }
        Some((status, error, description)) => {
            assert_eq!(response.status(), status);
            assert_eq!(
                challenge,
                format!(
                    "Bearer error=\"{error}\", error_description=\"{description}\", \
                     resource_metadata=\"{METADATA}\", scope=\"{scope}\""
                )
            );
            let body = format!("{{\"error\":\"{error}\",\"error_description\":\"{description}\"}}");
            assert_eq!(response.body(), &body);
            assert_eq!(response.headers()["content-type"], "application/json");
            assert_eq!(refused.error(), ErrorCode::parse(error));
        }
    }
}

fn refused(world: &World, parts: &Parts, now: UnixSeconds) -> Refused {
    world.principal(parts, now).unwrap_err()
}

/// Checks a token that must be refused as `invalid_token`.
fn invalid_token(world: &World, token: &str, reason: &Reason, description: &str) {
    invalid_token_at(world, token, NOW, reason, description);
}

fn invalid_token_at(
    world: &World,
    token: &str,
    now: UnixSeconds,
    reason: &Reason,
    description: &str,
) {
    let got = refused(world, &request(token), now);
    assert_eq!(got.reason(), reason);
    assert_answer(
        &world.guard,
        &got,
        Some((401, "invalid_token", description)),
        "a",
    );
    // What the log gets never holds the token.
    assert!(!format!("{got} {got:?}").contains(token));
}

fn parts(request: http::request::Builder) -> Parts {
    request.body(()).unwrap().into_parts().0
}

#[test]
fn the_valid_token_is_granted() {
    let world = World::new();
    let principal = world.principal(&request(&world.token()), NOW).unwrap();
    assert_eq!(principal.subject.named(), Some("user-1"));
    assert_eq!(principal.client_id.as_deref(), Some("client-1"));
    assert_eq!(principal.token_id.as_deref(), Some("token-1"));
    assert_eq!(principal.grant_id.as_deref(), Some("grant-1"));
    assert_eq!(principal.expires_at, Some(UnixSeconds(1600)));
    assert_eq!(principal.issuer, issuer());
    assert_eq!(principal.scopes.to_string(), "a");
}

#[test]
fn the_organisation_of_a_jwt_reaches_the_principal() {
    let world = World::new();
    let named = world.sign(&claims_with("organization_id", json!("o-1")));
    let principal = world.principal(&request(&named), NOW).unwrap();
    assert_eq!(principal.organization.as_deref(), Some("o-1"));
    let principal = world.principal(&request(&world.token()), NOW).unwrap();
    assert_eq!(principal.organization, None);
}

#[test]
fn harmless_variations_are_granted() {
    let world = World::new();
    for claims in [
        claims_with("aud", json!(["https://other.example", RESOURCE])),
        claims_with("scope", Value::Null),
        claims_with("grant_id", Value::Null),
        claims_with("nbf", json!(1100)),
        claims_with("exp", json!(1600.5)),
        claims_with("unknown", json!({"deep": [1, 2]})),
    ] {
        let got = world.principal(&request(&world.sign(&claims)), NOW);
        assert!(got.is_ok(), "{claims} {got:?}");
    }
    for typ in ["AT+JWT", "application/at+jwt"] {
        let token = world
            .key
            .sign(typ, claims().to_string().as_bytes())
            .unwrap();
        let got = world.principal(&request(&token), NOW);
        assert!(got.is_ok(), "{typ} {got:?}");
    }
}

#[test]
fn no_token() {
    let world = World::new();
    for builder in [
        Request::post(RESOURCE),
        Request::post(RESOURCE).header("authorization", "Basic dTpw"),
    ] {
        let got = refused(&world, &parts(builder), NOW);
        assert_eq!(got.reason(), &Reason::NoToken);
        assert_answer(&world.guard, &got, None, "a");
    }
}

#[test]
fn token_in_the_query() {
    let world = World::new();
    let token = world.token();
    let got = refused(
        &world,
        &parts(Request::post(format!("{RESOURCE}?access_token={token}"))),
        NOW,
    );
    assert_eq!(got.reason(), &Reason::TokenInQuery);
    assert_answer(&world.guard, &got, None, "a");
}

const TWICE: Option<(u16, &str, &str)> = Some((
    400,
    "invalid_request",
    "the request carries credentials in more than one place",
));

#[test]
fn token_in_the_query_and_in_the_field() {
    let world = World::new();
    let token = world.token();
    let builder = Request::post(format!("{RESOURCE}?access_token={token}"))
        .header("authorization", format!("Bearer {token}"));
    let got = refused(&world, &parts(builder), NOW);
    assert_eq!(got.reason(), &Reason::SeveralCredentials);
    assert_answer(&world.guard, &got, TWICE, "a");
}

#[test]
fn two_authorization_fields() {
    let world = World::new();
    let bearer = format!("Bearer {}", world.token());
    let builder = Request::post(RESOURCE)
        .header("authorization", &bearer)
        .header("authorization", &bearer);
    let got = refused(&world, &parts(builder), NOW);
    assert_eq!(got.reason(), &Reason::SeveralCredentials);
    assert_answer(&world.guard, &got, TWICE, "a");
}

#[test]
fn malformed_credentials() {
    let world = World::new();
    for field in ["Bearer", "Bearer a b", "Bearer {}"] {
        let got = refused(
            &world,
            &parts(Request::post(RESOURCE).header("authorization", field)),
            NOW,
        );
        assert_eq!(got.reason(), &Reason::MalformedCredentials, "{field}");
        let error = Some((
            400,
            "invalid_request",
            "the authorization header is malformed",
        ));
        assert_answer(&world.guard, &got, error, "a");
    }
}

#[test]
fn malformed_token() {
    let world = World::new();
    let valid = world.token();
    let (signing_input, signature) = valid.rsplit_once('.').unwrap();
    let (_, payload) = signing_input.split_once('.').unwrap();
    let critical = encode(r#"{"alg":"ES256","typ":"at+jwt","crit":["exp"],"exp":1}"#);
    let twice = encode(r#"{"alg":"ES256","alg":"ES256","typ":"at+jwt"}"#);
    for (token, reason) in [
        (format!("{valid}="), InvalidJws::Encoding),
        (format!("e30.{payload}.{signature}"), InvalidJws::Header),
        (
            format!("{}.{payload}.{signature}", encode("[]")),
            InvalidJws::Header,
        ),
        (format!("{twice}.{payload}.{signature}"), InvalidJws::Header),
        (
            format!("{critical}.{payload}.{signature}"),
            InvalidJws::Critical,
        ),
    ] {
        invalid_token(
            &world,
            &token,
            &Reason::Malformed { reason },
            "the access token is malformed",
        );
    }
}

#[test]
fn a_token_that_is_not_a_signed_jwt() {
    let world = World::new();
    let valid = world.token();
    let description = "the access token is malformed";
    for token in ["opaque", "a.b", &format!("{valid}.x")] {
        invalid_token(&world, token, &Reason::Opaque, description);
    }
    let encrypted = format!("{valid}.x.x");
    invalid_token(&world, &encrypted, &Reason::Encrypted, description);
}

#[test]
fn a_token_that_is_too_long() {
    let world = World::new();
    let bytes = 64 * 1024;
    let reason = Reason::TokenTooLong { bytes };
    let description = "the access token is too long";
    invalid_token(&world, &"a".repeat(bytes), &reason, description);
}

#[test]
fn algorithm_none() {
    let world = World::new();
    let payload = encode(claims().to_string());
    let valid = world.token();
    let signature = valid.rsplit_once('.').unwrap().1;
    for alg in ["none", "None", "NONE", "nOnE"] {
        let header =
            encode(json!({"alg": alg, "typ": "at+jwt", "kid": world.key.kid()}).to_string());
        for signature in ["", signature] {
            let token = format!("{header}.{payload}.{signature}");
            invalid_token(
                &world,
                &token,
                &Reason::Unsigned,
                "the access token is not signed",
            );
        }
    }
    // The signature cut off an otherwise valid token.
    let token = valid.strip_suffix(signature).unwrap();
    invalid_token(
        &world,
        token,
        &Reason::Unsigned,
        "the access token is not signed",
    );
}

#[test]
fn another_type() {
    let world = World::new();
    for typ in ["JWT", "dpop+jwt", "logout+jwt", "at+jwt2", "text/at+jwt"] {
        let token = world
            .key
            .sign(typ, claims().to_string().as_bytes())
            .unwrap();
        let reason = Reason::OtherType {
            typ: Some(typ.to_owned()),
        };
        invalid_token(&world, &token, &reason, "the token is not an access token");
    }
    let header = encode(json!({"alg": "ES256", "kid": world.key.kid()}).to_string());
    let token = format!("{header}.{}.{}", encode("{}"), encode([1; 64]));
    let reason = Reason::OtherType { typ: None };
    invalid_token(&world, &token, &reason, "the token is not an access token");
}

#[test]
fn hs256_signed_with_the_public_key() {
    let world = World::new();
    let jwk = serde_json::to_value(world.key.public_jwk()).unwrap();
    let mut point = vec![4];
    for coordinate in ["x", "y"] {
        point.extend(
            URL_SAFE_NO_PAD
                .decode(jwk[coordinate].as_str().unwrap())
                .unwrap(),
        );
    }
    let header = json!({"alg": "HS256", "typ": "at+jwt", "kid": world.key.kid()});
    let input = format!(
        "{}.{}",
        encode(header.to_string()),
        encode(claims().to_string())
    );
    // As the JSON text and as the raw point: whatever a confused verifier would take for the key.
    for secret in [jwk.to_string().into_bytes(), point] {
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &secret);
        let token = format!(
            "{input}.{}",
            encode(ring::hmac::sign(&key, input.as_bytes()))
        );
        let reason = Reason::Algorithm {
            issuer: issuer(),
            alg: "HS256".to_owned(),
        };
        invalid_token(
            &world,
            &token,
            &reason,
            "the access token is signed with an algorithm that is not allowed",
        );
    }
}

#[test]
fn an_algorithm_that_the_issuer_does_not_use() {
    let world = World::new();
    for alg in ["ES384", "RS512", "ES256K", "es256", ""] {
        let header = json!({"alg": alg, "typ": "at+jwt", "kid": world.key.kid()});
        let token = format!(
            "{}.{}.{}",
            encode(header.to_string()),
            encode(claims().to_string()),
            encode([1; 64])
        );
        let reason = Reason::Algorithm {
            issuer: issuer(),
            alg: alg.to_owned(),
        };
        invalid_token(
            &world,
            &token,
            &reason,
            "the access token is signed with an algorithm that is not allowed",
        );
    }
}

#[test]
fn unknown_key() {
    let world = World::new();
    let other = SigningKey::generate_es256().unwrap();
    let token = other
        .sign("at+jwt", claims().to_string().as_bytes())
        .unwrap();
    let reason = Reason::UnknownKey {
        issuer: issuer(),
        kid: Some(other.kid().to_owned()),
    };
    invalid_token(
        &world,
        &token,
        &reason,
        "the access token is signed with an unknown key",
    );
    // The id of our key, with an algorithm that this key is not for.
    let header = json!({"alg": "RS256", "typ": "at+jwt", "kid": world.key.kid()});
    let token = format!(
        "{}.{}.{}",
        encode(header.to_string()),
        encode(claims().to_string()),
        encode([1; 256])
    );
    let reason = Reason::UnknownKey {
        issuer: issuer(),
        kid: Some(world.key.kid().to_owned()),
    };
    invalid_token(
        &world,
        &token,
        &reason,
        "the access token is signed with an unknown key",
    );
}

#[test]
fn a_key_that_the_token_brings_along_is_ignored() {
    let world = World::new();
    let other = SigningKey::generate_es256().unwrap();
    let signed = other
        .sign("at+jwt", claims().to_string().as_bytes())
        .unwrap();
    let signature = signed.rsplit_once('.').unwrap().1;
    for member in ["jwk", "jku", "x5u"] {
        let value = if member == "jwk" {
            json!(other.public_jwk())
        } else {
            json!("https://evil.example/keys")
        };
        let mut header = json!({"alg": "ES256", "typ": "at+jwt", "kid": "evil"});
        header[member] = value;
        let token = format!(
            "{}.{}.{signature}",
            encode(header.to_string()),
            encode(claims().to_string())
        );
        let reason = Reason::UnknownKey {
            issuer: issuer(),
            kid: Some("evil".to_owned()),
        };
        invalid_token(
            &world,
            &token,
            &reason,
            "the access token is signed with an unknown key",
        );
    }
}

#[test]
fn wrong_signature() {
    let world = World::new();
    let valid = world.token();
    let (input, signature) = valid.rsplit_once('.').unwrap();
    let (header, _) = input.split_once('.').unwrap();
    let payload = encode(claims_with("sub", json!("admin")).to_string());
    let description = "the signature of the access token is invalid";
    let mismatch = Reason::Signature {
        reason: BadSignature::Mismatch,
    };
    // Another payload under the same signature.
    invalid_token(
        &world,
        &format!("{header}.{payload}.{signature}"),
        &mismatch,
        description,
    );
    // Another key under our key's id.
    let other = SigningKey::generate_es256().unwrap();
    let forged = other
        .sign("at+jwt", claims().to_string().as_bytes())
        .unwrap();
    let forged = forged.rsplit_once('.').unwrap().1;
    invalid_token(&world, &format!("{input}.{forged}"), &mismatch, description);
    // All zero.
    invalid_token(
        &world,
        &format!("{input}.{}", encode([0; 64])),
        &mismatch,
        description,
    );
    // Too short.
    let length = Reason::Signature {
        reason: BadSignature::Length,
    };
    invalid_token(
        &world,
        &format!("{input}.{}", encode([1; 63])),
        &length,
        description,
    );
}

#[test]
fn another_issuer() {
    let world = World::new();
    for iss in [
        "https://as.example/",
        "https://AS.example",
        "https://as.example.evil.example",
        "",
    ] {
        let token = world.sign(&claims_with("iss", json!(iss)));
        let reason = Reason::OtherIssuer {
            received: iss.to_owned(),
        };
        invalid_token(
            &world,
            &token,
            &reason,
            "the access token was issued by another authorization server",
        );
    }
}

#[test]
fn another_audience() {
    let world = World::new();
    for (aud, received) in [
        (
            json!("https://other.example/mcp"),
            "https://other.example/mcp",
        ),
        (
            json!("https://rs.example/mcp-other"),
            "https://rs.example/mcp-other",
        ),
        (json!("https://rs.example/mcp/"), "https://rs.example/mcp/"),
        (json!("https://rs.example/mc"), "https://rs.example/mc"),
        (json!("https://rs.example"), "https://rs.example"),
        (
            json!("https://rs.example/mcp https://x.example"),
            "https://rs.example/mcp https://x.example",
        ),
        (
            json!(["client-1", "https://rs.example/"]),
            "client-1 https://rs.example/",
        ),
    ] {
        let token = world.sign(&claims_with("aud", aud));
        let reason = Reason::OtherAudience {
            received: received.to_owned(),
        };
        invalid_token(
            &world,
            &token,
            &reason,
            "the access token was issued for another resource",
        );
    }
}

#[test]
fn expired() {
    let world = World::new();
    let token = world.token();
    // The last second within the skew of five, and the first one after it.
    assert!(world.principal(&request(&token), UnixSeconds(1604)).is_ok());
    let reason = Reason::Expired {
        ago: Duration::from_secs(5),
    };
    invalid_token_at(
        &world,
        &token,
        UnixSeconds(1605),
        &reason,
        "the access token has expired",
    );
}

#[test]
fn expired_without_skew() {
    let mut world = World::new();
    world.guard = Guard::new(config().skew(Duration::ZERO)).unwrap();
    let token = world.token();
    assert!(world.principal(&request(&token), UnixSeconds(1599)).is_ok());
    let reason = Reason::Expired {
        ago: Duration::ZERO,
    };
    invalid_token_at(
        &world,
        &token,
        UnixSeconds(1600),
        &reason,
        "the access token has expired",
    );
}

#[test]
fn not_yet_valid() {
    let world = World::new();
    let within = world.sign(&claims_with("nbf", json!(1105)));
    assert!(world.principal(&request(&within), NOW).is_ok());
    let token = world.sign(&claims_with("nbf", json!(1106)));
    let reason = Reason::NotYetValid {
        ahead: Duration::from_secs(6),
    };
    invalid_token(&world, &token, &reason, "the access token is not valid yet");
}

#[test]
fn malformed_claims() {
    let world = World::new();
    let mut mutations: Vec<Value> = ["iss", "aud", "sub", "client_id", "jti", "iat", "exp"]
        .into_iter()
        .map(|name| claims_with(name, Value::Null))
        .collect();
    for (name, value) in [
        ("exp", json!("1600")),
        ("exp", json!(-1)),
        ("exp", json!(1e300)),
        ("nbf", json!("1000")),
        ("iss", json!(["https://as.example"])),
        ("aud", json!({"0": RESOURCE})),
        ("aud", json!(1)),
        ("aud", json!([])),
        ("aud", json!([RESOURCE, 1])),
        ("sub", json!(1)),
        ("scope", json!(["a"])),
    ] {
        mutations.push(claims_with(name, value));
    }
    for claims in mutations {
        let got = refused(&world, &request(&world.sign(&claims)), NOW);
        assert!(
            matches!(got.reason(), Reason::Claims { .. }),
            "{claims}: {got:?}"
        );
        let description = "the claims of the access token are malformed";
        assert_answer(
            &world.guard,
            &got,
            Some((401, "invalid_token", description)),
            "a",
        );
    }
    // A member twice, which no JSON value can hold.
    let twice = claims().to_string().replacen('{', "{\"sub\":\"admin\",", 1);
    let token = world.key.sign("at+jwt", twice.as_bytes()).unwrap();
    assert!(matches!(
        refused(&world, &request(&token), NOW).reason(),
        Reason::Claims { .. }
    ));
}

#[test]
fn a_binding_that_cannot_be_checked() {
    let world = World::new();
    for bound in ["{}", "\"text\"", "null", r#"{"kid":"x"}"#, r#"{"jkt":"x"}"#] {
        let claims = claims()
            .to_string()
            .replacen('{', &format!("{{\"cnf\":{bound},"), 1);
        let token = world.key.sign("at+jwt", claims.as_bytes()).unwrap();
        let refused = refused(&world, &request(&token), NOW);
        assert!(matches!(refused.reason(), Reason::Claims { .. }), "{bound}");
        let description = "the claims of the access token are malformed";
        let error = Some((401, "invalid_token", description));
        assert_answer(&world.guard, &refused, error, "a");
    }
}

#[test]
fn empty_claims() {
    let world = World::new();
    for claim in ["sub", "client_id", "jti"] {
        let token = world.sign(&claims_with(claim, json!("")));
        let description = "the claims of the access token are malformed";
        invalid_token(&world, &token, &Reason::EmptyClaim { claim }, description);
    }
}

#[test]
fn malformed_scope() {
    let world = World::new();
    let token = world.sign(&claims_with("scope", json!("a  b")));
    let reason = Reason::Scope {
        reason: InvalidScope::Empty,
    };
    invalid_token(
        &world,
        &token,
        &reason,
        "the claims of the access token are malformed",
    );
}

#[test]
fn revoked() {
    let world = World::new();
    let granted = world.check(&request(&world.token()), NOW).into_result();
    let refused = granted.unwrap().revoked();
    assert_eq!(refused.reason(), &Reason::Revoked);
    let error = Some((401, "invalid_token", "the access token was revoked"));
    assert_answer(&world.guard, &refused, error, "a");
}

#[test]
fn missing_scope() {
    let world = World::new();
    let principal = world.principal(&request(&world.token()), NOW).unwrap();
    let allowed = Requirement::any_of(["x", "a"]).unwrap();
    assert_eq!(world.guard.require(&principal, &allowed), Ok(()));
    assert_eq!(
        world.guard.require(&principal, &Requirement::nothing()),
        Ok(())
    );

    let needed = Requirement::all_of(["a", "b"]).unwrap();
    let got = world.guard.require(&principal, &needed).unwrap_err();
    let expected = Reason::InsufficientScope {
        needed: ScopeSet::parse("a b").unwrap(),
        granted: ScopeSet::parse("a").unwrap(),
    };
    assert_eq!(got.reason(), &expected);
    let description = "the access token does not have the scope that this operation needs";
    assert_answer(
        &world.guard,
        &got,
        Some((403, "insufficient_scope", description)),
        "a b",
    );
}

#[test]
fn a_resource_without_scopes_leaves_the_parameter_out() {
    let config = config().challenge_scopes(ScopeSet::empty());
    let mut world = World::new();
    world.guard = Guard::new(config).unwrap();
    let refused = refused(&world, &parts(Request::post(RESOURCE)), NOW);
    let response = world.guard.response(&refused);
    let expected = format!("Bearer resource_metadata=\"{METADATA}\"");
    assert_eq!(response.headers()["www-authenticate"], expected);
}
