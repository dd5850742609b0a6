//! The story against a resource and an authorization server in memory.

use oauth_rs::jose::{AlgSet, JwkSet, Jws, PublicJwk};
use oauth_rs::params::Params;

use super::*;

const URL: &str = "https://rs.example/mcp";
const ISSUER: &str = "https://as.example";

/// What the authorization server knows of its client.
enum Known {
    Key(PublicJwk),
    /// The whole `Authorization` header of `robot` with its secret `hush`.
    Secret,
}

impl Known {
    /// Whether the request comes from the client.
    fn believes(&self, request: &Request<Bytes>, form: &Params) -> bool {
        match self {
            // base64 of robot:hush
            Self::Secret => request
                .headers()
                .get(header::AUTHORIZATION)
                .is_some_and(|value| value == "Basic cm9ib3Q6aHVzaA=="),
            Self::Key(jwk) => form.get("client_assertion").is_some_and(|text| {
                let set = JwkSet::from_public([jwk]);
                let jws = Jws::parse(text).unwrap();
                let claims = jws.verify(&set.keys()[0], AlgSet::default()).unwrap();
                let claims: serde_json::Value = serde_json::from_slice(claims.payload()).unwrap();
                claims["iss"] == "robot" && claims["sub"] == "robot" && claims["aud"] == ISSUER
            }),
        }
    }
}

fn answer(status: u16, body: &str) -> Response<Bytes> {
    let body = Bytes::copy_from_slice(body.as_bytes());
    let response = Response::builder().status(status);
    response
        .header(header::WWW_AUTHENTICATE, r#"Bearer scope="tools""#)
        .body(body)
        .unwrap()
}

fn server(known: &Known, named: &str, request: &Request<Bytes>) -> Response<Bytes> {
    match request.uri().to_string().as_str() {
        URL => match request.headers().get(header::AUTHORIZATION) {
            Some(value) if value == "Bearer good" => answer(200, r#"{"tools":[]}"#),
            _ => answer(401, ""),
        },
        "https://rs.example/.well-known/oauth-protected-resource/mcp" => answer(
            200,
            &format!(r#"{{"resource":"{URL}","authorization_servers":["{named}"]}}"#),
        ),
        "https://as.example/.well-known/oauth-authorization-server" => answer(
            200,
            r#"{"issuer":"https://as.example","token_endpoint":"https://as.example/token","grant_types_supported":["client_credentials"],"token_endpoint_auth_methods_supported":["client_secret_basic","private_key_jwt"],"token_endpoint_auth_signing_alg_values_supported":["ES256"]}"#,
        ),
        "https://as.example/token" => {
            let form = Params::parse_form(request.body(), &[]).unwrap();
            assert_eq!(form.get("grant_type"), Some("client_credentials"));
            assert_eq!(form.get("resource"), Some(URL));
            assert_eq!(form.get("scope"), Some("tools"));
            if known.believes(request, &form) {
                answer(
                    200,
                    r#"{"access_token":"good","token_type":"Bearer","expires_in":60}"#,
                )
            } else {
                answer(401, r#"{"error":"invalid_client"}"#)
            }
        }
        other => panic!("nobody is at {other}"),
    }
}

async fn story(credential: Credential, known: Known, named: &str) -> (Vec<String>, Option<String>) {
    let mut told = Vec::new();
    let send = async |request| Ok(server(&known, named, &request));
    let tell = |line| told.push(line);
    let done = run(URL, ISSUER, "robot", credential, send, tell).await;
    (told, done.err().map(|error| error.to_string()))
}

fn secret(text: &str) -> Credential {
    Credential::Secret(Secret::new(text))
}

#[tokio::test]
async fn by_key_and_by_secret() {
    let key = Arc::new(SigningKey::generate_es256().unwrap());
    let public = key.public_jwk().clone();
    for (credential, known) in [
        (Credential::Key(key), Known::Key(public)),
        (secret("hush"), Known::Secret),
    ] {
        let (told, failed) = story(credential, known, ISSUER).await;
        assert_eq!(failed, None);
        assert_eq!(
            told,
            [
                "asked without a token: 401 Unauthorized",
                "GET https://rs.example/.well-known/oauth-protected-resource/mcp",
                "GET https://as.example/.well-known/oauth-authorization-server",
                "POST https://as.example/token",
                "asked with the token: 200 OK",
                r#"answer: "{\"tools\":[]}""#,
            ]
        );
    }
}

#[tokio::test]
async fn a_wrong_secret_is_tried_once() {
    let (told, failed) = story(secret("other"), Known::Secret, ISSUER).await;
    let reason = "the token request failed: the server refused: invalid_client";
    assert_eq!(failed.as_deref(), Some(reason));
    assert_eq!(
        told.iter().filter(|line| line.contains("/token")).count(),
        1
    );
}

#[tokio::test]
async fn a_server_that_names_another_issuer_gets_nothing() {
    let (told, failed) = story(secret("hush"), Known::Secret, "https://evil.example").await;
    assert!(failed.unwrap().contains("is for https://as.example"));
    assert_eq!(told.len(), 2);
}
