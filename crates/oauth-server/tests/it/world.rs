//! A server in memory, a browser with cookies, and a client that does everything right.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use oauth_rs::hash::{HashKey, sha256};
use oauth_rs::jose::SigningKey;
use oauth_rs::params::encode;
use oauth_rs::time::UnixSeconds;
use oauth_rs::uri::{Issuer, ResourceId};
use oauth_server::document::ClientDocuments;
use oauth_server::event::Event;
use oauth_server::identity::{Identity, Person};
use oauth_server::router::Service;
use oauth_server::store::MemoryStore;
use oauth_server::{Config, Keys, Resource, Scope, Seams, Server};
use serde_json::Value;
use tower_service::Service as _;

pub(crate) const ISSUER: &str = "http://127.0.0.1:3001";
pub(crate) const RESOURCE: &str = "http://127.0.0.1:3000/mcp";
pub(crate) const OTHER_RESOURCE: &str = "http://127.0.0.1:3000/other";
pub(crate) const REDIRECT: &str = "http://127.0.0.1:4711/callback";
pub(crate) const START: u64 = 1_700_000_000;

// RFC 7636 appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.body))
    }

    pub(crate) fn error(&self) -> (u16, String) {
        let body = self.json();
        (
            self.status.as_u16(),
            body["error"].as_str().unwrap_or_default().to_owned(),
        )
    }

    /// The parameters of the address that the browser is sent to.
    pub(crate) fn sent(&self) -> HashMap<String, String> {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.body);
        let (_, query) = self.header("location").split_once('?').unwrap();
        let params = oauth_rs::params::Params::parse_query(query, &[]).unwrap();
        params
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }
}

#[derive(Clone)]
pub(crate) struct World {
    pub(crate) service: Service,
    pub(crate) events: Arc<Mutex<Vec<Event>>>,
    pub(crate) documents: Arc<Documents>,
    pub(crate) people: Arc<People>,
    now: Arc<AtomicU64>,
}

/// A picker of people who can leave.
pub(crate) struct People(pub(crate) Mutex<Vec<Person>>);

#[async_trait]
impl Identity for People {
    async fn people(&self) -> Vec<Person> {
        self.0.lock().unwrap().clone()
    }

    async fn person(&self, id: &str) -> Option<Person> {
        let people = self.0.lock().unwrap();
        people.iter().find(|person| person.id == id).cloned()
    }
}

/// Documents by address, and how often each was fetched.
#[derive(Default)]
pub(crate) struct Documents {
    pub(crate) answers: Mutex<HashMap<String, (u16, &'static str, String)>>,
    pub(crate) fetched: Mutex<Vec<String>>,
    /// No host answers any more.
    pub(crate) hangs: AtomicBool,
}

#[async_trait]
impl ClientDocuments for Documents {
    async fn fetch(
        &self,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, Box<dyn std::error::Error + Send + Sync>> {
        let url = request.uri().to_string();
        self.fetched.lock().unwrap().push(url.clone());
        if self.hangs.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        let answers = self.answers.lock().unwrap();
        let (status, kind, body) = answers.get(&url).ok_or("no such host")?;
        Ok(Response::builder()
            .status(*status)
            .header("content-type", *kind)
            .body(Bytes::from(body.clone()))?)
    }
}

fn scope(name: &str, title: &str) -> Scope {
    Scope {
        name: name.to_owned(),
        title: title.to_owned(),
        description: format!("Lets the application use {title}."),
    }
}

pub(crate) fn config() -> Config {
    configured(ISSUER)
}

pub(crate) fn configured(issuer: &str) -> Config {
    let resource = |id: &str, scopes: Vec<Scope>| Resource {
        id: ResourceId::parse(id).unwrap(),
        name: "the tools".to_owned(),
        scopes,
    };
    let keys = Keys {
        signing: SigningKey::generate_es256().unwrap(),
        hash: HashKey::new([7; 32]),
    };
    let scopes = vec![
        scope("didit:management", "Management"),
        scope("didit:verification", "Verification"),
    ];
    Config::new(
        Issuer::parse(issuer).unwrap(),
        keys,
        resource(RESOURCE, scopes),
    )
    .unwrap()
    .and_resource(resource(OTHER_RESOURCE, vec![scope("other", "Other")]))
    .unwrap()
    .dangerous_allow_loopback_documents()
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(config())
    }

    pub(crate) fn with(config: Config) -> Self {
        let now = Arc::new(AtomicU64::new(START));
        let events = Arc::new(Mutex::new(Vec::new()));
        let documents = Arc::new(Documents::default());
        let counter = AtomicU64::new(0);
        let person = |id: &str, name: &str, role: &str| Person {
            id: id.to_owned(),
            name: name.to_owned(),
            details: vec![format!("{id}@example.com"), role.to_owned()],
        };
        let people = Arc::new(People(Mutex::new(vec![
            person("ada", "Ada <Owner>", "OWNER"),
            person("bob", "Bob", "READER"),
        ])));
        let seams = Seams {
            store: Arc::new(MemoryStore::new()),
            identity: Arc::clone(&people) as Arc<dyn Identity>,
            documents: Some(Arc::clone(&documents) as Arc<dyn ClientDocuments>),
            events: {
                let events = Arc::clone(&events);
                Arc::new(move |event: &Event| events.lock().unwrap().push(event.clone()))
            },
            clock: {
                let now = Arc::clone(&now);
                Arc::new(move || UnixSeconds(now.load(Ordering::SeqCst)))
            },
            entropy: Arc::new(move |dest: &mut [u8]| {
                let count = counter.fetch_add(1, Ordering::SeqCst);
                let bytes = sha256(&count.to_be_bytes());
                for (to, from) in dest.iter_mut().zip(bytes) {
                    *to = from;
                }
            }),
        };
        let service = Service::new(Arc::new(Server::new(config, seams)));
        Self {
            service,
            events,
            documents,
            people,
            now,
        }
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.now.fetch_add(seconds, Ordering::SeqCst);
    }

    pub(crate) fn now(&self) -> UnixSeconds {
        UnixSeconds(self.now.load(Ordering::SeqCst))
    }

    pub(crate) fn told(&self) -> Vec<Event> {
        std::mem::take(&mut *self.events.lock().unwrap())
    }

    pub(crate) async fn call(&self, request: Request<Full<Bytes>>) -> Answer {
        let response = self.service.clone().call(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call(request("GET", path).body(Full::default()).unwrap())
            .await
    }

    pub(crate) async fn post_form(&self, path: &str, form: &str) -> Answer {
        let request = request("POST", path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Full::from(form.to_owned()))
            .unwrap();
        self.call(request).await
    }

    pub(crate) async fn post_json(&self, path: &str, json: &str) -> Answer {
        let request = request("POST", path)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::from(json.to_owned()))
            .unwrap();
        self.call(request).await
    }

    /// Registers a client with these redirect addresses and takes its identifier.
    pub(crate) async fn register(&self, uris: &[&str]) -> String {
        let body = serde_json::json!({
            "client_name": "A client",
            "redirect_uris": uris,
            "grant_types": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_method": "none",
        });
        let answer = self.post_json("/register", &body.to_string()).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
        answer.json()["client_id"].as_str().unwrap().to_owned()
    }

    /// A code for this client, allowed by Ada.
    pub(crate) async fn code(&self, client: &str) -> String {
        let mut browser = Browser::new(self);
        let answer = browser.allow(&authorization(client, &[]), "ada").await;
        answer.sent()["code"].clone()
    }

    /// The tokens of a sign-in of Ada: access token, refresh token.
    pub(crate) async fn tokens(&self, client: &str) -> (String, String) {
        let code = self.code(client).await;
        let answer = self
            .post_form("/token", &redemption(client, &code, &[]))
            .await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        pair(&answer)
    }

    pub(crate) async fn refresh(&self, client: &str, token: &str) -> Answer {
        self.post_form("/token", &refreshing(client, token, &[]))
            .await
    }
}

pub(crate) fn pair(answer: &Answer) -> (String, String) {
    let body = answer.json();
    let text = |name: &str| body[name].as_str().unwrap().to_owned();
    (text("access_token"), text("refresh_token"))
}

pub(crate) fn request(method: &str, path: &str) -> http::request::Builder {
    Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, "127.0.0.1:3001")
}

/// Pairs with some of them replaced, added, or (with `None`) left out.
fn changed(pairs: &[(&str, &str)], changes: &[(&str, Option<&str>)]) -> String {
    let mut kept: Vec<(&str, &str)> = pairs
        .iter()
        .filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name))
        .copied()
        .collect();
    kept.extend(
        changes
            .iter()
            .filter_map(|(name, value)| value.map(|value| (*name, value))),
    );
    encode(&kept)
}

pub(crate) fn authorization(client: &str, changes: &[(&str, Option<&str>)]) -> String {
    let pairs = [
        ("response_type", "code"),
        ("client_id", client),
        ("redirect_uri", REDIRECT),
        ("scope", "didit:management didit:verification"),
        ("state", "the state"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("resource", RESOURCE),
    ];
    changed(&pairs, changes)
}

pub(crate) fn redemption(client: &str, code: &str, changes: &[(&str, Option<&str>)]) -> String {
    let pairs = [
        ("grant_type", "authorization_code"),
        ("client_id", client),
        ("code", code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
        ("resource", RESOURCE),
    ];
    changed(&pairs, changes)
}

pub(crate) fn refreshing(client: &str, token: &str, changes: &[(&str, Option<&str>)]) -> String {
    let pairs = [
        ("grant_type", "refresh_token"),
        ("client_id", client),
        ("refresh_token", token),
    ];
    changed(&pairs, changes)
}

/// A browser: it keeps cookies, and follows redirects within the server.
#[derive(Clone)]
pub(crate) struct Browser {
    world: World,
    pub(crate) cookies: HashMap<String, String>,
}

impl Browser {
    pub(crate) fn new(world: &World) -> Self {
        Self {
            world: world.clone(),
            cookies: HashMap::new(),
        }
    }

    pub(crate) async fn send(&mut self, mut request: Request<Full<Bytes>>) -> Answer {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        if !cookies.is_empty() {
            request
                .headers_mut()
                .insert(header::COOKIE, cookies.join("; ").parse().unwrap());
        }
        let answer = self.world.call(request).await;
        for cookie in answer.headers.get_all(header::SET_COOKIE) {
            let (pair, _) = cookie.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        answer
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send(request("GET", path).body(Full::default()).unwrap())
            .await
    }

    pub(crate) async fn post(&mut self, path: &str, pairs: &[(&str, &str)]) -> Answer {
        let request = request("POST", path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ORIGIN, "null")
            .header("sec-fetch-site", "same-origin")
            .body(Full::from(encode(pairs)))
            .unwrap();
        self.send(request).await
    }

    /// From the authorization request to the consent page, signed in as `person`.
    pub(crate) async fn consent_page(&mut self, query: &str, person: &str) -> Answer {
        let answer = self.get(&format!("/authorize?{query}")).await;
        let page = self.get(answer.header("location")).await;
        let page = if page.status == StatusCode::SEE_OTHER {
            self.get(page.header("location")).await
        } else {
            page
        };
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        if page.body.contains("name=\"decision\"") {
            return page;
        }
        let (request, csrf) = (hidden(&page, "request"), hidden(&page, "csrf"));
        let fields = [
            ("request", request.as_str()),
            ("csrf", csrf.as_str()),
            ("person", person),
        ];
        let answer = self.post("/sign-in", &fields).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
        self.get(answer.header("location")).await
    }

    pub(crate) async fn decide(&mut self, page: &Answer, decision: &str) -> Answer {
        let (request, csrf) = (hidden(page, "request"), hidden(page, "csrf"));
        let fields = [
            ("request", request.as_str()),
            ("csrf", csrf.as_str()),
            ("decision", decision),
        ];
        self.post("/consent", &fields).await
    }

    pub(crate) async fn allow(&mut self, query: &str, person: &str) -> Answer {
        let page = self.consent_page(query, person).await;
        self.decide(&page, "allow").await
    }
}

/// The value of a hidden input.
pub(crate) fn hidden(page: &Answer, name: &str) -> String {
    let start = format!("<input type=\"hidden\" name=\"{name}\" value=\"");
    let (_, rest) = page
        .body
        .split_once(&start)
        .unwrap_or_else(|| panic!("{}", page.body));
    rest.split('"').next().unwrap().to_owned()
}
