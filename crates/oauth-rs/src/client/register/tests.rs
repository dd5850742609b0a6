//! What registration and its management send, and which answers are refused.

use super::*;
use crate::error_code::ErrorCode;
use crate::metadata::client::AuthMethod;
use crate::uri::RedirectUri;

const ENDPOINT: &str = "https://as.example/register";

fn metadata() -> ClientMetadata {
    let uri = RedirectUri::parse("http://127.0.0.1/callback").unwrap();
    ClientMetadata::native("CLI", vec![uri])
}

fn answer(status: u16, body: &str) -> Response<Vec<u8>> {
    let response = Response::builder().status(status);
    response.body(body.as_bytes().to_vec()).unwrap()
}

fn register(status: u16, body: &str) -> Result<Registration, ExchangeFailed> {
    response(&answer(status, body), ENDPOINT)
}

fn managed() -> (Registration, Management) {
    let body = r#"{"client_id":"c","client_secret":"s","client_secret_expires_at":0,"registration_client_uri":"https://as.example/register/c","registration_access_token":"rat"}"#;
    let registration = register(201, body).unwrap();
    let management = registration.management.clone().unwrap();
    (registration, management)
}

#[test]
fn what_a_command_line_sends() {
    let sent = request(ENDPOINT, &metadata(), None).unwrap();
    assert_eq!(sent.method(), Method::POST);
    assert_eq!(sent.headers()["content-type"], "application/json");
    assert!(!sent.headers().contains_key(header::AUTHORIZATION));
    assert_eq!(
        std::str::from_utf8(sent.body()).unwrap(),
        r#"{"client_name":"CLI","redirect_uris":["http://127.0.0.1/callback"],"token_endpoint_auth_method":"none","grant_types":["authorization_code","refresh_token"],"response_types":["code"],"application_type":"native"}"#
    );
    let token = Secret::new("initial");
    let allowed = request(ENDPOINT, &metadata(), Some(&token)).unwrap();
    let value = &allowed.headers()[header::AUTHORIZATION];
    assert!(value == "Bearer initial" && value.is_sensitive());
    let broken = request(ENDPOINT, &metadata(), Some(&Secret::new("a\nb")));
    assert_eq!(broken.unwrap_err(), AuthRefused::Token.into());
    let insecure = request("http://as.example/register", &metadata(), Some(&token));
    assert_eq!(insecure.unwrap_err(), ExchangeFailed::Address(WHAT));
}

#[test]
fn the_client_that_was_registered() {
    let public = r#"{"client_id":"c","token_endpoint_auth_method":"none"}"#;
    for status in [201, 200] {
        let own = client(&register(status, public).unwrap(), None).unwrap();
        assert_eq!(own.client_id, "c");
        assert_eq!(own.auth.method(), AuthMethod::None);
    }
    let secret = register(201, r#"{"client_id":"c","client_secret":"s"}"#).unwrap();
    let secret = client(&secret, None).unwrap();
    assert_eq!(secret.auth.method(), AuthMethod::ClientSecretBasic);
    assert!(secret.auth.secret().unwrap().ct_eq("s"));
    let keyed = r#"{"client_id":"c","token_endpoint_auth_method":"private_key_jwt"}"#;
    let keyed = register(201, keyed).unwrap();
    assert_eq!(client(&keyed, None).unwrap_err(), AuthRefused::KeyMissing);
    let key = Arc::new(SigningKey::generate_es256().unwrap());
    let own = client(&keyed, Some(key)).unwrap();
    assert_eq!(own.auth.method(), AuthMethod::PrivateKeyJwt);
    let shared =
        r#"{"client_id":"c","client_secret":"s","token_endpoint_auth_method":"client_secret_jwt"}"#;
    let shared = register(201, shared).unwrap();
    assert_eq!(client(&shared, None).unwrap_err(), AuthRefused::SecretJwt);
}

#[test]
fn each_refusal_of_a_registration() {
    for body in [
        "[]",
        r#"{"client_id":""}"#,
        r#"{"client_id":"c","client_id":"d"}"#,
        r#"{"client_id":"c","token_endpoint_auth_method":"new"}"#,
        r#"{"client_id":"c","registration_client_uri":"http://10.0.0.1/c","registration_access_token":"t"}"#,
    ] {
        let refused = register(201, body).unwrap_err();
        assert!(matches!(refused, ExchangeFailed::Registration(_)), "{body}");
    }
    let refused = register(400, r#"{"error":"invalid_redirect_uri"}"#).unwrap_err();
    assert!(refused.is(ErrorCode::InvalidRedirectUri));
    let status = register(401, "").unwrap_err();
    assert_eq!(status, ExchangeFailed::Status(StatusCode::UNAUTHORIZED));
}

#[test]
fn what_management_sends() {
    let (registration, management) = managed();
    for (sent, method, body) in [
        (read(&management), Method::GET, ""),
        (delete(&management), Method::DELETE, ""),
        (
            replace(&management, &registration, &metadata()),
            Method::PUT,
            r#"{"client_id":"c","client_secret":"s","client_name":"CLI","redirect_uris":["http://127.0.0.1/callback"],"token_endpoint_auth_method":"none","grant_types":["authorization_code","refresh_token"],"response_types":["code"],"application_type":"native"}"#,
        ),
    ] {
        let sent = sent.unwrap();
        assert_eq!(sent.method(), method);
        assert_eq!(sent.uri(), "https://as.example/register/c");
        let value = &sent.headers()[header::AUTHORIZATION];
        assert!(value == "Bearer rat" && value.is_sensitive());
        assert_eq!(std::str::from_utf8(sent.body()).unwrap(), body);
        let kind = sent.headers().contains_key(header::CONTENT_TYPE);
        assert_eq!(kind, !body.is_empty());
    }
}

#[test]
fn what_management_answers() {
    let (before, management) = managed();
    let now = |status, body: &str| current(&answer(status, body), &before, &management);
    let new = r#"{"client_id":"c","client_secret":"new","registration_client_uri":"https://as.example/register/c","registration_access_token":"next"}"#;
    let replaced = now(200, new).unwrap();
    assert!(replaced.client_secret.unwrap().ct_eq("new"));
    assert!(replaced.management.unwrap().access_token.ct_eq("next"));
    let other = now(200, r#"{"client_id":"d"}"#).unwrap_err();
    let reason = ExchangeFailed::Malformed("registration of another client");
    assert_eq!(other, reason);
    let gone = now(401, "").unwrap_err();
    assert_eq!(gone, ExchangeFailed::Status(StatusCode::UNAUTHORIZED));
    let created = now(201, new).unwrap_err();
    assert_eq!(created, ExchangeFailed::Status(StatusCode::CREATED));
    assert!(deleted(&answer(204, "")).is_ok());
    for status in [200, 401, 403, 405] {
        assert!(deleted(&answer(status, "")).is_err(), "{status}");
    }
}
