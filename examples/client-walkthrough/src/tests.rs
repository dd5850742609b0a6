//! The walk over real connections, against a guarded server and an authorization server in this process.

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::Arc;

use http::Response;
use http_body_util::Full;
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use oauth_rs::hash::HashKey;
use oauth_rs::jose::{JwkSet, SigningKey};
use oauth_rs::params::{Params, encode};
use oauth_rs::scope::ScopeSet;
use oauth_rs::uri::{Issuer, ResourceId};
use oauth_server::identity::{DangerousPicker, Person};
use oauth_server::store::MemoryStore;
use oauth_server::{Config, Keys, Resource, Scope, Seams, Server, router};
use resource_guard::{Guard, GuardConfig, GuardLayer, KeySnapshot, Principal, TrustedIssuer};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tower_layer::Layer as _;
use tower_service::Service;

use super::*;

/// Says who asks.
#[derive(Clone)]
struct Hello;

impl Service<Request<Incoming>> for Hello {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(
        &mut self,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), Infallible>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Incoming>) -> Self::Future {
        let principal = request.extensions().get::<Principal>().unwrap();
        let body = format!(
            r#"{{"scope":"{} has {}"}}"#,
            principal.subject, principal.scopes
        );
        std::future::ready(Ok(Response::new(Full::from(body))))
    }
}

async fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    (listener, origin)
}

fn serve<S, B>(listener: TcpListener, service: S)
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let service = TowerToHyperService::new(service.clone());
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
}

/// Starts both servers; the guard takes itself for what is at `own_path`.
///
/// Ada allows whatever she is asked for, without pages.
async fn world(own_path: &str) -> (String, String) {
    let (resource_listener, origin) = listener().await;
    let (issuer_listener, issuer_url) = listener().await;
    let resource = ResourceId::parse(&format!("{origin}{own_path}")).unwrap();
    let issuer = Issuer::parse(&issuer_url).unwrap();
    let signing = SigningKey::generate_es256().unwrap();

    let config = GuardConfig::new(resource.clone(), TrustedIssuer::new(issuer.clone()))
        .challenge_scopes(ScopeSet::parse("hello").unwrap());
    let keys = JwkSet::from_public([signing.public_jwk()]);
    let layer = GuardLayer::new(
        Arc::new(Guard::new(config).unwrap()),
        KeySnapshot::new(issuer.clone(), keys).fixed(),
        Arc::new(now),
    );
    serve(resource_listener, layer.layer(Hello));

    let keys = Keys {
        signing,
        hash: HashKey::new([7; 32]),
    };
    let resource = Resource {
        id: resource,
        name: "Hello".to_owned(),
        scopes: vec![Scope {
            name: "hello".to_owned(),
            title: "Say hello".to_owned(),
            description: "Be greeted by name.".to_owned(),
        }],
    };
    let ada = Person {
        id: "ada".to_owned(),
        name: "Ada".to_owned(),
        details: vec![],
    };
    let config = Config::new(issuer, keys, resource).unwrap();
    let seams = Seams {
        store: Arc::new(MemoryStore::new()),
        identity: Arc::new(DangerousPicker::new([ada])),
        documents: None,
        events: Arc::new(|_: &oauth_server::event::Event| {}),
        clock: Arc::new(now),
        entropy: Arc::new(random),
    };
    let server = Server::new(config.dangerous_auto_consent("ada"), seams);
    serve(issuer_listener, router::Service::new(Arc::new(server)));
    (format!("{origin}/hello"), issuer_url)
}

/// A browser: it goes where it is sent, until it is sent nowhere.
fn browser(url: &str) {
    let http = Client::new(Policy::dangerous_allow_loopback(), Limits::default());
    let mut url = Some(url.to_owned());
    tokio::spawn(async move {
        while let Some(next) = url {
            let answer = http.send(Request::get(next).body(Bytes::new()).unwrap());
            let answer = answer.await.unwrap();
            let location = answer.headers().get(http::header::LOCATION);
            url = location.map(|value| value.to_str().unwrap().to_owned());
        }
    });
}

/// How the walk ended, and what was told.
async fn walked(url: &str) -> (Result<(), String>, Vec<String>) {
    walked_with(url, browser).await
}

async fn walked_with(url: &str, open: impl Fn(&str)) -> (Result<(), String>, Vec<String>) {
    let mut lines = Vec::new();
    let end = walk(url, open, |line| lines.push(line)).await;
    (end.map_err(|error| error.to_string()), lines)
}

/// Where the requests went.
fn requests(lines: &[String]) -> Vec<&str> {
    let sent = lines.iter().filter_map(|line| line.strip_prefix("-> "));
    sent.map(|line| line.split(['\n', '?']).next().unwrap())
        .collect()
}

#[tokio::test]
async fn the_walk_leads_from_a_refusal_to_an_accepted_token() {
    let (url, issuer) = world("/hello").await;
    let origin = url.strip_suffix("/hello").unwrap();
    let (end, lines) = walked(&url).await;
    end.unwrap();
    assert_eq!(
        requests(&lines),
        [
            format!("GET {url}"),
            format!("GET {origin}/.well-known/oauth-protected-resource/hello"),
            format!("GET {issuer}/.well-known/oauth-authorization-server"),
            format!("POST {issuer}/register"),
            format!("the browser: {issuer}/authorize"),
            format!("POST {issuer}/token"),
            format!("GET {url}"),
        ],
        "{lines:#?}",
    );
    let last: Vec<&str> = lines.iter().rev().take(3).map(String::as_str).collect();
    assert_eq!(
        last,
        [
            "The token is accepted.",
            "   scope: \"ada has hello\"",
            "<- 200 OK"
        ],
    );
}

#[tokio::test]
async fn no_secret_is_told() {
    let (url, _) = world("/hello").await;
    let (_, lines) = walked(&url).await;
    let text = lines.join("\n");
    assert!(
        text.contains("code_verifier: ...") && text.contains("\n   code: ..."),
        "{text}"
    );
    assert!(text.contains("an access token, a refresh token"), "{text}");
    // An ES256 token starts with its header, which begins with a brace.
    assert!(
        !text.contains("eyJ") && !text.contains("refresh_token:"),
        "{text}"
    );
}

#[tokio::test]
async fn metadata_about_something_else_ends_the_walk() {
    let (url, issuer) = world("/other").await;
    let (end, lines) = walked(&url).await;
    let reason = end.unwrap_err();
    assert!(reason.contains("/other"), "{reason}");
    assert!(
        requests(&lines).iter().all(|line| !line.contains(&issuer)),
        "{lines:#?}"
    );
}

#[tokio::test]
async fn a_person_who_says_no_ends_the_walk_and_a_stranger_does_not() {
    let (url, issuer) = world("/hello").await;
    let http = Client::new(Policy::dangerous_allow_loopback(), Limits::default());
    let (told, mut statuses) = mpsc::unbounded_channel();
    let refusing = |address: &str| {
        let (_, query) = address.split_once('?').unwrap();
        let asked = Params::parse_query(query, &[]).unwrap();
        let callback = asked.get("redirect_uri").unwrap();
        let state = asked.get("state").unwrap();
        let denied = [
            ("error", "access_denied"),
            ("state", state),
            ("iss", &issuer),
        ];
        let visits = [
            format!("{callback}?code=stolen&state=guessed"),
            format!("{callback}?code=stolen"),
            format!("{callback}?{}", encode(&denied)),
        ];
        let (http, told) = (http.clone(), told.clone());
        tokio::spawn(async move {
            for visit in visits {
                let visit = Request::get(visit).body(Bytes::new()).unwrap();
                told.send(http.send(visit).await.unwrap().status()).unwrap();
            }
        });
    };
    let (end, lines) = walked_with(&url, refusing).await;
    let reason = end.unwrap_err();
    assert!(reason.contains("access_denied"), "{reason}");
    assert!(!requests(&lines).iter().any(|line| line.ends_with("/token")));
    for expected in [404, 404, 200] {
        assert_eq!(statuses.recv().await.unwrap(), expected);
    }
}

#[tokio::test]
async fn a_server_that_asks_for_nothing_needs_no_walk() {
    let (listener, origin) = listener().await;
    drop(listener);
    // Nobody is there at all.
    let (end, _) = walked(&format!("{origin}/hello")).await;
    assert!(end.is_err());

    // Public metadata is given to everybody.
    let (url, _) = world("/hello").await;
    let metadata = url.replace("/hello", "/.well-known/oauth-protected-resource/hello");
    let (end, lines) = walked(&metadata).await;
    assert_eq!(end.unwrap_err(), "it did not ask for a token");
    assert_eq!(requests(&lines).len(), 1);
}
