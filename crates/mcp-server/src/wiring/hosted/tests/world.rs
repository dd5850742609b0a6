//! The stack of `serve` under test, with an issuer that says what a test wants.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;
use didit_sandbox::{Sandbox, SandboxService};
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use oauth_rs::secret::Secret;
use oauth_rs::time::UnixSeconds;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tower_service::Service as _;

use crate::config::Serve;
use crate::config::source::Sources;
use crate::system::SystemEntropy;
use crate::wiring::hosted::acting::{Acting, supplied};
use crate::wiring::hosted::{Hosted, Outside, Service, assemble};

pub(super) const RESOURCE: &str = "https://mcp.example/mcp";
pub(super) const API: &str = "https://api.didit.example";
pub(super) const NOW: u64 = 1_800_000_000;

/// What the stub of the issuer answers.
#[derive(Clone)]
pub(super) enum Issuer {
    /// Tokens are people's credentials of the sandbox, with this audience and these scopes.
    Knows { aud: Value, scope: String },
    /// Nobody's.
    Inactive,
    /// This status, with a body that is no answer.
    Fails(u16),
    /// Nothing, ever.
    Silent,
}

impl Issuer {
    pub(super) fn of(aud: Value) -> Self {
        Self::Knows {
            aud,
            scope: "didit:management didit:verification".to_owned(),
        }
    }

    pub(super) fn with_scope(scope: &str) -> Self {
        Self::Knows {
            aud: json!([RESOURCE, API]),
            scope: scope.to_owned(),
        }
    }
}

/// A request that went out.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) url: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Value,
}

/// The issuer and the Didit API behind one client.
#[derive(Clone)]
pub(super) struct Outer {
    sandbox: SandboxService,
    issuer: Arc<Mutex<Issuer>>,
    /// The metadata document, or a status.
    pub(super) metadata: Arc<Mutex<Result<Value, u16>>>,
    pub(super) sent: Arc<Mutex<Vec<Sent>>>,
    /// The person whose credential each is.
    people: Arc<BTreeMap<String, String>>,
    asked: Arc<AtomicUsize>,
    /// The organisation that tokens are for.
    pub(super) organization: Arc<Mutex<Option<String>>>,
}

fn answered(status: u16, body: &Value) -> Response<Bytes> {
    let response = Response::builder().status(status);
    response.body(Bytes::from(body.to_string())).unwrap()
}

impl Outer {
    async fn introspect(self, body: Value) -> Response<Bytes> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let issuer = self.issuer.lock().unwrap().clone();
        let person = self.people.get(body["token"].as_str().unwrap());
        match (issuer, person) {
            (Issuer::Silent, _) => std::future::pending().await,
            (Issuer::Fails(status), _) => answered(status, &json!("<html>")),
            (Issuer::Knows { aud, scope }, Some(person)) => answered(
                200,
                &json!({"active": true, "user_id": person, "client_id": "client-1", "aud": aud,
                        "exp": NOW + 600, "scope": scope,
                        "organization_id": *self.organization.lock().unwrap()}),
            ),
            (Issuer::Knows { .. } | Issuer::Inactive, _) => {
                answered(200, &json!({"active": false}))
            }
        }
    }

    async fn answer(self, request: Request<Bytes>) -> Response<Bytes> {
        let url = request.uri().to_string();
        let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
        self.sent.lock().unwrap().push(Sent {
            url: url.clone(),
            headers: request.headers().clone(),
            body: body.clone(),
        });
        if url.starts_with("https://as.example/introspect/") {
            return self.introspect(body).await;
        }
        if url.starts_with("https://as.example/.well-known/") {
            let document = self.metadata.lock().unwrap().clone();
            return match document {
                Ok(document) => answered(200, &document),
                Err(status) => answered(status, &json!("<html>")),
            };
        }
        if url.starts_with("https://as.example/") {
            return answered(500, &json!("<html>"));
        }
        let mut sandbox = self.sandbox.clone();
        let Ok(answer) = sandbox.call(request.map(Full::new)).await;
        let (parts, body) = answer.into_parts();
        Response::from_parts(parts, body.collect().await.unwrap().to_bytes())
    }
}

impl tower_service::Service<Request<Bytes>> for Outer {
    type Response = Response<Bytes>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Bytes>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let this = self.clone();
        Box::pin(async move { Ok(this.answer(request).await) })
    }
}

/// An answer with its body read.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {}", self.text))
    }

    pub(super) fn header(&self, name: impl header::AsHeaderName) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }

    /// The result of a call that was made.
    pub(super) fn result(&self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{}", self.text);
        self.json()["result"].clone()
    }

    /// The text of a tool's error.
    pub(super) fn error(&self) -> String {
        let result = self.result();
        assert_eq!(result["isError"], true, "{result}");
        result["content"][0]["text"].as_str().unwrap().to_owned()
    }
}

/// The server, and the world around it.
pub(super) struct World {
    pub(super) sandbox: Sandbox,
    pub(super) outer: Outer,
    pub(super) stop: CancellationToken,
    service: Service<Outer>,
}

impl World {
    pub(super) fn new() -> Self {
        Self::with(Issuer::of(json!([RESOURCE, API])), &[])
    }

    /// The server with these settings over those of a test.
    pub(super) fn with(issuer: Issuer, flags: &[&str]) -> Self {
        Self::acting(issuer, flags, Acting::CallersToken)
    }

    /// One whose file has a credential for everybody but this person, who has another one's.
    pub(super) fn supplied(person: &str, anothers: &str) -> Self {
        let sandbox = Sandbox::new(Arc::new(|| NOW));
        let credential = sandbox.credential(anothers).unwrap();
        let file = json!({person: credential}).to_string();
        let flags = ["didit.credential=file", "didit.credentials_file=/x"];
        let issuer = Issuer::of(json!(RESOURCE));
        Self::acting(issuer, &flags, supplied(&file).unwrap())
    }

    fn acting(issuer: Issuer, flags: &[&str], acting: Acting) -> Self {
        let sandbox = Sandbox::new(Arc::new(|| NOW));
        let people = sandbox.people().into_iter();
        let people = people.filter_map(|person| Some((sandbox.credential(&person.id)?, person.id)));
        let outer = Outer {
            sandbox: sandbox.service(),
            issuer: Arc::new(Mutex::new(issuer)),
            metadata: Arc::new(Mutex::new(Ok(json!({
                "issuer": "https://as.example",
                "token_endpoint": "https://as.example/fetched",
                "more": true,
            })))),
            sent: Arc::default(),
            people: Arc::new(people.collect()),
            asked: Arc::default(),
            organization: Arc::default(),
        };
        let stop = CancellationToken::new();
        let outside = Outside {
            clock: Arc::new(|| UnixSeconds(NOW)),
            entropy: Arc::new(SystemEntropy::new()),
            client: outer.clone(),
            acting,
            stop: stop.clone(),
        };
        let Hosted { service, .. } = assemble(&config(flags), outside).unwrap();
        Self {
            sandbox,
            outer,
            stop,
            service,
        }
    }

    pub(super) fn token(&self, person: &str) -> String {
        self.sandbox.credential(person).unwrap()
    }

    /// How often the issuer was asked about a token.
    pub(super) fn asked(&self) -> usize {
        self.outer.asked.load(Ordering::SeqCst)
    }

    pub(super) fn issuer_is(&self, issuer: Issuer) {
        *self.outer.issuer.lock().unwrap() = issuer;
    }

    pub(super) async fn send(
        &self,
        request: http::request::Builder,
        body: impl Into<Bytes>,
    ) -> Answer {
        let mut request = request.body(Full::new(body.into())).unwrap();
        let host = header::HeaderValue::from_static("mcp.example");
        request.headers_mut().entry(header::HOST).or_insert(host);
        let Ok(answer) = self.service.clone().call(request).await;
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path), "").await
    }

    /// A 2026-07-28 request.
    pub(super) async fn modern(
        &self,
        token: Option<&str>,
        method: &str,
        mut params: Value,
    ) -> Answer {
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        let mut request = Request::builder()
            .method(Method::POST)
            .uri("/mcp")
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "application/json, text/event-stream")
            .header("mcp-protocol-version", "2026-07-28")
            .header("mcp-method", method);
        if let Some(name) = params["name"].as_str() {
            request = request.header("mcp-name", name);
        }
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        self.send(request, body.to_string()).await
    }

    /// A call of a tool by a person.
    pub(super) async fn call(&self, person: &str, tool: &str, arguments: Value) -> Answer {
        let params = json!({"name": tool, "arguments": arguments});
        let token = self.token(person);
        self.modern(Some(&token), "tools/call", params).await
    }

    /// What went to the Didit API.
    pub(super) fn to_didit(&self) -> Vec<Sent> {
        let sent = self.outer.sent.lock().unwrap().clone();
        let is_didit = |sent: &Sent| sent.url.starts_with("http://127.0.0.1:3002/");
        sent.into_iter().filter(is_didit).collect()
    }
}

/// The settings of a test, and these over them.
fn config(flags: &[&str]) -> Serve {
    let environment = BTreeMap::from([
        ("MCP_OAUTH_CLIENT_ID".to_owned(), "rs-1".to_owned()),
        ("MCP_OAUTH_CLIENT_SECRET".to_owned(), "rs-secret".to_owned()),
    ]);
    let base = [
        "resource.uri=https://mcp.example/mcp",
        "issuer.origin=https://as.example",
        "tokens.introspection_url=https://as.example/introspect/",
        "issuer.jwks_url=https://as.example/jwks",
        "didit.auth_base_url=http://127.0.0.1:3002/auth/v2",
        "didit.api_base_url=http://127.0.0.1:3002/v3",
        "didit.audience=https://api.didit.example",
    ];
    let flags = base.iter().chain(flags);
    let flags: Vec<String> = flags.map(|flag| (*flag).to_owned()).collect();
    let sources = Sources {
        file: None,
        environment: &environment,
        flags: &flags,
        read_secret: &|_| Ok(Secret::new("s")),
    };
    Serve::read(&sources).unwrap().0
}
