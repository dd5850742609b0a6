//! A resource, an authorization server and a person, on one clock.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response, header};
use tokio::sync::Notify;
use tower_layer::Layer as _;
use tower_service::Service;

use crate::client::Client;
use crate::client::flow::{FlowOptions, StoredGrant};
use crate::client::store::{MemoryStore, TokenStore, save};
use crate::params::{Params, encode};
use crate::scope::ScopeSet;
use crate::secret::Secret;
use crate::send::{
    Browser, CallFailed, Egress, Notice, Pending, Seams, SignInLayer, SignedIn, Visit, VisitWith,
};
use crate::time::UnixSeconds;
use crate::uri::{Issuer, RedirectUri, ResourceId};

pub(super) const URL: &str = "https://rs.example/mcp";
pub(super) const ISSUER: &str = "https://as.example";
pub(super) const REDIRECT: &str = "http://127.0.0.1:4000/callback";

/// What the servers do and what they were asked.
#[derive(Default)]
pub(super) struct Behaviour {
    pub(super) log: Vec<String>,
    /// The access tokens that the resource accepts end with this; none accepts everything.
    pub(super) accepts: Option<&'static str>,
    /// What the resource wants for any token.
    pub(super) lacks: Option<&'static str>,
    /// How the token endpoint answers the next requests; then with tokens.
    pub(super) answers: VecDeque<Answer>,
    /// How long an issued token lives.
    pub(super) life: u64,
    issued: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// The request is carried out and the answer does not arrive.
    Lost,
    /// Nothing at all comes back.
    Never,
    InvalidGrant,
    InvalidClient,
    Unavailable,
}

#[derive(Clone)]
pub(super) struct World {
    pub(super) behaviour: Arc<Mutex<Behaviour>>,
    pub(super) now: Arc<Mutex<u64>>,
    pub(super) store: Arc<dyn TokenStore>,
    /// Lets the token endpoint answer, where a test holds it back.
    pub(super) held_back: Option<Arc<Notify>>,
    pub(super) notices: Arc<Mutex<Vec<String>>>,
}

pub(super) fn grant(token: &str, expires_at: u64) -> StoredGrant {
    StoredGrant {
        resource: ResourceId::parse(URL).unwrap(),
        issuer: Issuer::parse(ISSUER).unwrap(),
        token_endpoint: format!("{ISSUER}/token"),
        revocation_endpoint: None,
        client: Client::public("known"),
        redirect_uri: RedirectUri::parse(REDIRECT).unwrap(),
        requested_scope: Some(ScopeSet::parse("a").unwrap()),
        granted_scope: None,
        access_token: Secret::new(token),
        refresh_token: Some(Secret::new(format!("refresh-{token}"))),
        expires_at: Some(UnixSeconds(expires_at)),
        dpop_jkt: None,
    }
}

impl World {
    pub(super) fn new() -> Self {
        Self {
            behaviour: Arc::new(Mutex::new(Behaviour {
                life: 300,
                accepts: Some("t1"),
                ..Behaviour::default()
            })),
            now: Arc::new(Mutex::new(1_000)),
            store: Arc::new(MemoryStore::new()),
            held_back: None,
            notices: Arc::default(),
        }
    }

    /// A world in which the store has this grant.
    pub(super) async fn with(grant: StoredGrant) -> Self {
        let world = Self::new();
        save(world.store.as_ref(), &grant).await.unwrap();
        world
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut self.behaviour.lock().unwrap());
    }

    pub(super) fn log(&self) -> Vec<String> {
        self.behaviour.lock().unwrap().log.clone()
    }

    pub(super) fn count(&self, start: &str) -> usize {
        self.log().iter().filter(|l| l.starts_with(start)).count()
    }

    pub(super) fn seams(&self) -> Seams {
        let now = Arc::clone(&self.now);
        let person = self.clone();
        let agrees = move || -> Pending<'static, Box<dyn Visit>> {
            let person = person.clone();
            let visit = VisitWith::new(
                RedirectUri::parse(REDIRECT).unwrap(),
                move |url, _| -> Pending<'static, Secret> { person.agrees(&url) },
            );
            Box::pin(async move { Ok(Box::new(visit) as Box<dyn Visit>) })
        };
        Seams {
            store: Arc::clone(&self.store),
            egress: Egress::new(AuthorizationServer(self.clone())),
            browser: Some(Arc::new(agrees) as Arc<dyn Browser>),
            clock: Arc::new(move || UnixSeconds(*now.lock().unwrap())),
            entropy: Arc::new(|dest: &mut [u8]| dest.fill(7)),
            spawn: Arc::new(|work| drop(tokio::spawn(work))),
        }
    }

    pub(super) fn layer_with(&self, seams: Seams) -> SignInLayer {
        let options = FlowOptions::new("test", RedirectUri::parse("http://127.0.0.1/x").unwrap());
        let notices = Arc::clone(&self.notices);
        SignInLayer::new(URL, options, seams)
            .unwrap()
            .with_notices(move |notice: Notice| {
                let text = format!("{notice:?}");
                notices.lock().unwrap().push(text);
            })
    }

    pub(super) fn layer(&self) -> SignInLayer {
        self.layer_with(self.seams())
    }

    pub(super) fn service(&self) -> SignedIn<Resource> {
        self.layer().layer(Resource(self.clone()))
    }

    /// The browser follows the redirect at once.
    fn agrees(&self, url: &str) -> Pending<'static, Secret> {
        let query = url.split_once('?').unwrap().1;
        let params = Params::parse_query(query, &[]).unwrap();
        let get = |name| params.get(name).unwrap_or_default();
        assert_eq!(get("redirect_uri"), REDIRECT);
        let line = format!("browser {} {}", get("client_id"), get("scope"));
        self.change(|b| b.log.push(line));
        let back = encode(&[("code", "c"), ("state", get("state")), ("iss", ISSUER)]);
        Box::pin(async move { Ok(Secret::new(back)) })
    }

    pub(super) async fn kept(&self) -> Option<StoredGrant> {
        let kept = self.store.find(URL).await.unwrap();
        kept.map(|kept| kept.grant)
    }
}

/// One call, and its status.
pub(super) async fn call(service: &SignedIn<Resource>) -> Result<u16, CallFailed> {
    let request = Request::post(URL).body(Bytes::new()).unwrap();
    let response = service.clone().call(request).await?;
    Ok(response.status().as_u16())
}

/// A body that no library knows.
#[derive(Debug)]
pub(super) struct Streamed;

/// The protected resource.
#[derive(Clone)]
pub(super) struct Resource(pub(super) World);

impl Service<Request<Bytes>> for Resource {
    type Response = Response<Streamed>;
    type Error = io::Error;
    type Future = std::future::Ready<io::Result<Response<Streamed>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let shown = request.headers().get(header::AUTHORIZATION);
        assert!(shown.is_none_or(http::HeaderValue::is_sensitive));
        let shown = shown.map_or("nothing", |value| value.to_str().unwrap());
        let mut behaviour = self.0.behaviour.lock().unwrap();
        behaviour
            .log
            .push(format!("call {} with {shown}", request.uri()));
        let accepted = behaviour
            .accepts
            .is_none_or(|end| shown.starts_with("Bearer ") && shown.ends_with(end));
        let (status, challenge) = match (accepted, behaviour.lacks) {
            (false, _) => (401, r#"Bearer scope="a b""#.to_owned()),
            (true, Some(scope)) if !scope.is_empty() => (
                403,
                format!(r#"Bearer error="insufficient_scope", scope="{scope}""#),
            ),
            (true, Some(_)) => (403, "Bearer".to_owned()),
            (true, None) => (200, String::new()),
        };
        let response = Response::builder()
            .status(status)
            .header(header::WWW_AUTHENTICATE, challenge)
            .body(Streamed)
            .unwrap();
        std::future::ready(Ok(response))
    }
}

/// The authorization server, and the metadata of the resource.
#[derive(Clone)]
struct AuthorizationServer(World);

impl Service<Request<Bytes>> for AuthorizationServer {
    type Response = Response<Bytes>;
    type Error = io::Error;
    type Future =
        std::pin::Pin<Box<dyn Future<Output = io::Result<Response<Bytes>>> + Send + 'static>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let world = self.0.clone();
        Box::pin(async move { world.answer(request).await })
    }
}

impl World {
    async fn answer(&self, request: Request<Bytes>) -> io::Result<Response<Bytes>> {
        let url = request.uri().to_string();
        let (status, body) = match url.as_str() {
            "https://rs.example/.well-known/oauth-protected-resource/mcp" => (
                200,
                format!(r#"{{"resource":"{URL}","authorization_servers":["{ISSUER}"]}}"#),
            ),
            "https://as.example/.well-known/oauth-authorization-server" => (
                200,
                format!(
                    r#"{{"issuer":"{ISSUER}","authorization_endpoint":"{ISSUER}/authorize",
                    "token_endpoint":"{ISSUER}/token","registration_endpoint":"{ISSUER}/register",
                    "response_types_supported":["code"],"code_challenge_methods_supported":["S256"],
                    "authorization_response_iss_parameter_supported":true}}"#
                ),
            ),
            "https://as.example/register" => (
                201,
                r#"{"client_id":"new","token_endpoint_auth_method":"none"}"#.to_owned(),
            ),
            "https://as.example/token" => return self.token(request.body()).await,
            other => panic!("nobody is to ask {other}"),
        };
        self.change(|b| b.log.push(url));
        let response = Response::builder().status(status).body(Bytes::from(body));
        Ok(response.unwrap())
    }

    async fn token(&self, body: &Bytes) -> io::Result<Response<Bytes>> {
        let form = Params::parse_form(body, &[]).unwrap();
        let what = form.get("refresh_token").or(form.get("code")).unwrap();
        self.change(|b| b.log.push(format!("token for {what}")));
        if let Some(held_back) = &self.held_back {
            held_back.notified().await;
        }
        let (status, body) = {
            let mut behaviour = self.behaviour.lock().unwrap();
            let error = |code: &str| format!(r#"{{"error":"{code}"}}"#);
            match behaviour.answers.pop_front() {
                Some(Answer::Lost) => return Err(io::Error::other("connection reset")),
                Some(Answer::Never) => (0, String::new()),
                Some(Answer::InvalidGrant) => (400, error("invalid_grant")),
                Some(Answer::InvalidClient) => (401, error("invalid_client")),
                Some(Answer::Unavailable) => (503, String::new()),
                None => {
                    behaviour.issued += 1;
                    let (number, life) = (behaviour.issued, behaviour.life);
                    let tokens = format!(
                        r#"{{"access_token":"t{number}","token_type":"Bearer","expires_in":{life},
                        "refresh_token":"r{number}"}}"#
                    );
                    (200, tokens)
                }
            }
        };
        if status == 0 {
            std::future::pending::<()>().await;
        }
        let response = Response::builder().status(status).body(Bytes::from(body));
        Ok(response.unwrap())
    }
}
