//! The API in memory, with an issuer in memory behind it, which is found by its metadata or asked.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http::{Method, StatusCode, header};
use http_body_util::BodyExt as _;
use oauth_rs::client::{Client, ClientAuth};
use oauth_rs::jose::SigningKey;
use oauth_rs::secret::Secret;
use oauth_rs::uri::Issuer;
use resource_guard::Reason;
use resource_guard::fetch::HttpClient;
use serde_json::{Value, json};
use tower_service::Service;

use super::*;
use crate::issuer::now;

const RESOURCE: &str = "https://api.example/";
const ISSUER: &str = "https://issuer.example";

/// An authorization server: its metadata, its keys, and what it says of the token `opaque`.
#[derive(Clone)]
struct Server {
    key: Arc<SigningKey>,
}

impl Service<http::Request<Bytes>> for Server {
    type Response = http::Response<Bytes>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Bytes>) -> Self::Future {
        let document = match request.uri().path() {
            "/.well-known/oauth-authorization-server" => json!({
                "issuer": ISSUER,
                "authorization_endpoint": format!("{ISSUER}/authorize"),
                "token_endpoint": format!("{ISSUER}/token"),
                "response_types_supported": ["code"],
                "jwks_uri": format!("{ISSUER}/keys"),
            }),
            "/keys" => json!({ "keys": [self.key.public_jwk()] }),
            "/introspect" => answer(&request),
            other => panic!("{other}"),
        };
        let body = Bytes::from(document.to_string());
        let json = "application/json";
        let response = http::Response::builder().header(header::CONTENT_TYPE, json);
        ready(Ok(response.body(body).unwrap()))
    }
}

/// What is said of an opaque token, to the one who may know.
fn answer(request: &http::Request<Bytes>) -> Value {
    // api:secret
    assert_eq!(request.headers()["authorization"], "Basic YXBpOnNlY3JldA==");
    let asked = std::str::from_utf8(request.body()).unwrap();
    let (aud, scope) = match asked
        .split('&')
        .find_map(|pair| pair.strip_prefix("token="))
    {
        Some("reader") => (RESOURCE, "notes:read"),
        Some("writer") => (RESOURCE, "notes:read notes:write"),
        Some("elsewhere") => ("https://other.example/", "notes:read"),
        _ => return json!({ "active": false }),
    };
    json!({ "active": true, "sub": "ada", "client_id": "c", "aud": aud, "scope": scope })
}

struct Scene {
    server: Server,
    api: Router,
}

impl Scene {
    fn new(asked: bool) -> Self {
        let key = Arc::new(SigningKey::generate_es256().unwrap());
        let server = Server { key };
        let client = Client {
            client_id: "api".to_owned(),
            auth: ClientAuth::Basic(Secret::new("secret")),
        };
        let asked = asked.then(|| (format!("{ISSUER}/introspect"), client));
        let http = HttpClient::new(server.clone());
        let trust = issuer::trust(Issuer::parse(ISSUER).unwrap(), http, asked);
        let api = api(RESOURCE, trust);
        Self { server, api }
    }

    /// A token of Ada's, with one claim changed.
    fn token(&self, scope: &str, change: (&str, Value)) -> String {
        let mut claims = json!({
            "iss": ISSUER, "sub": "ada", "aud": RESOURCE, "client_id": "c", "jti": "t",
            "iat": now().0, "exp": now().0 + 60, "scope": scope,
        });
        claims[change.0] = change.1;
        let claims = claims.to_string();
        self.server.key.sign("at+jwt", claims.as_bytes()).unwrap()
    }

    async fn send(&mut self, method: Method, path: &str, token: Option<&str>) -> Response<Bytes> {
        let mut request = http::Request::builder().method(method).uri(path);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request = request.body(Body::empty()).unwrap();
        let (parts, body) = self.api.call(request).await.unwrap().into_parts();
        Response::from_parts(parts, body.collect().await.unwrap().to_bytes())
    }

    async fn text(&mut self, method: Method, token: &str) -> String {
        let answer = self.send(method, "/notes", Some(token)).await;
        assert_eq!(answer.status(), StatusCode::OK);
        String::from_utf8(answer.body().to_vec()).unwrap()
    }

    /// Status, and the reason that is logged.
    async fn refused(&mut self, method: Method, token: &str) -> (u16, Reason) {
        let answer = self.send(method, "/notes", Some(token)).await;
        let refused = answer.extensions().get::<Refused>().unwrap();
        (answer.status().as_u16(), refused.reason().clone())
    }
}

#[tokio::test]
async fn jwts_are_verified_with_the_keys_that_discovery_leads_to() {
    let mut scene = Scene::new(false);
    let same = || ("sub", json!("ada"));
    let reader = scene.token("notes:read", same());
    let writer = scene.token("notes:write", same());
    assert_eq!(
        scene.text(Method::GET, &reader).await,
        "ada may GET notes\n"
    );
    assert_eq!(
        scene.text(Method::POST, &writer).await,
        "ada may POST notes\n"
    );

    let lacks = scene.refused(Method::POST, &reader).await;
    assert!(
        matches!(lacks, (403, Reason::InsufficientScope { .. })),
        "{lacks:?}"
    );
    for (claim, value, expected) in [
        ("aud", json!("https://other.example/"), "aud is"),
        ("exp", json!(now().0 - 60), "expired"),
        ("iss", json!("https://other.example"), "iss is"),
        (
            "cnf",
            json!({"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}),
            "sent as Bearer",
        ),
    ] {
        let token = scene.token("notes:read", (claim, value));
        let (status, reason) = scene.refused(Method::GET, &token).await;
        assert_eq!(status, 401, "{claim}");
        assert!(reason.to_string().contains(expected), "{claim}: {reason}");
    }
}

#[tokio::test]
async fn the_issuer_is_asked_about_opaque_tokens() {
    let mut scene = Scene::new(true);
    assert_eq!(
        scene.text(Method::GET, "reader").await,
        "ada may GET notes\n"
    );
    assert_eq!(
        scene.text(Method::POST, "writer").await,
        "ada may POST notes\n"
    );
    let lacks = scene.refused(Method::POST, "reader").await;
    assert!(
        matches!(lacks, (403, Reason::InsufficientScope { .. })),
        "{lacks:?}"
    );
    let other = scene.refused(Method::GET, "elsewhere").await;
    assert!(
        matches!(other, (401, Reason::OtherAudience { .. })),
        "{other:?}"
    );
    let unknown = scene.refused(Method::GET, "revoked").await;
    assert!(
        matches!(unknown, (401, Reason::Inactive { .. })),
        "{unknown:?}"
    );
}

#[tokio::test]
async fn only_a_route_of_the_table_is_reached_and_the_challenge_says_where_to_go() {
    let mut scene = Scene::new(false);
    let nobody = scene.send(Method::GET, "/notes", None).await;
    assert_eq!(nobody.status(), 401);
    let metadata = "https://api.example/.well-known/oauth-protected-resource";
    let challenge = nobody.headers()["www-authenticate"].to_str().unwrap();
    assert!(
        challenge.contains(&format!("resource_metadata=\"{metadata}\"")),
        "{challenge}"
    );
    let document = scene.send(Method::GET, metadata, None).await;
    let document: Value = serde_json::from_slice(document.body()).unwrap();
    assert_eq!(document["resource"], RESOURCE);
    assert_eq!(document["authorization_servers"], json!([ISSUER]));

    let token = scene.token("notes:read notes:write", ("sub", json!("ada")));
    // axum would answer HEAD by the handler of GET; nobody has said what it needs.
    let head = scene.refused(Method::HEAD, &token).await;
    assert!(
        matches!(head, (403, Reason::UnknownOperation { .. })),
        "{head:?}"
    );
    let absent = scene.send(Method::GET, "/other", Some(&token)).await;
    assert_eq!(absent.status(), 404);
    assert_eq!(scene.send(Method::GET, "/other", None).await.status(), 401);
}

#[test]
fn it_is_short() {
    let lines = include_str!("main.rs").lines().count();
    assert!(lines < 60, "{lines}");
}

/// Each piece of Rust in the page is in the sources, line by line.
#[test]
fn the_page_shows_this_code() {
    let lines = |text: &str| -> Vec<String> {
        let lines = text.lines().map(|line| line.trim().to_owned());
        lines.filter(|line| !line.is_empty()).collect()
    };
    let page = include_str!("../../../docs/how-to/protect-an-api.md");
    let sources = [include_str!("main.rs"), include_str!("issuer.rs")].map(lines);
    let pieces = page.split("```rust,ignore\n").skip(1);
    let pieces: Vec<&str> = pieces
        .map(|piece| piece.split_once("```").unwrap().0)
        .collect();
    assert_eq!(pieces.len(), 5);
    for piece in pieces {
        let piece = lines(piece);
        let mut windows = sources
            .iter()
            .flat_map(|source| source.windows(piece.len()));
        assert!(windows.any(|window| window == piece), "{piece:#?}");
    }
}
