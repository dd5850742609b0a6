//! The stack under test, and a client that knows each step by heart.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use didit_sandbox::{Sandbox, SandboxService};
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use oauth_rs::jose::SigningKey;
use oauth_rs::params::{Params, encode};
use oauth_rs::pkce::CodeVerifier;
use oauth_rs::time::UnixSeconds;
use oauth_server::store::MemoryStore;
use resource_guard::Refused;
use resource_guard::fetch::VerifiedTokens;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tower_service::Service;

use crate::system::SystemEntropy;
use crate::wiring::{Addresses, Outside, Secrets, Settings, assemble};

pub(super) const MCP_URL: &str = "http://127.0.0.1:3000/mcp";
pub(super) const ISSUER: &str = "http://127.0.0.1:3001";
pub(super) const CALLBACK: &str = "http://127.0.0.1:4711/callback";
pub(super) const BOTH_SCOPES: &str = "didit:management didit:verification";
pub(super) const ACCESS_TOKEN_LIFE: Duration = Duration::from_secs(300);

/// A token answer, as a client keeps it.
pub(super) struct Tokens {
    pub(super) access: String,
    pub(super) refresh: String,
    pub(super) body: Value,
}

/// An answer with its body read.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// Why the guard refused, as the log says it.
    pub(super) reason: Option<String>,
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.text()))
    }

    pub(super) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(super) fn header(&self, name: impl header::AsHeaderName) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// The parameters of the redirect target.
    pub(super) fn redirected(&self) -> Params {
        let (_, query) = self
            .header(header::LOCATION)
            .split_once('?')
            .expect("a redirect");
        Params::parse_query(query, &[]).unwrap()
    }
}

type Answering =
    Box<dyn FnMut(Request<Full<Bytes>>) -> Pin<Box<dyn Future<Output = Answer> + Send>> + Send>;

/// Authorization server, MCP endpoint and sandbox, on one clock.
pub(super) struct World {
    pub(super) entropy: SystemEntropy,
    pub(super) signing: Vec<u8>,
    pub(super) sandbox: Sandbox,
    /// The authorization server itself.
    pub(super) issuer: Arc<oauth_server::Server>,
    /// The tokens that the guard has verified.
    pub(super) verified: VerifiedTokens,
    store: Arc<MemoryStore>,
    auto_consent: Option<String>,
    clock: Arc<AtomicU64>,
    sent: Arc<AtomicU64>,
    auth: Mutex<Answering>,
    mcp: Mutex<Answering>,
}

fn answering<S, B>(service: S) -> Mutex<Answering>
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>> + std::fmt::Debug,
{
    Mutex::new(Box::new(move |request| {
        let mut service = service.clone();
        Box::pin(async move {
            let Ok(response) = service.call(request).await;
            let (parts, body) = response.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            let refused = parts.extensions.get::<Refused>();
            Answer {
                reason: refused.map(ToString::to_string),
                status: parts.status,
                headers: parts.headers,
                body,
            }
        })
    }))
}

impl World {
    /// People pick themselves and consent on pages.
    pub(super) fn new() -> Self {
        Self::with(None, false)
    }

    /// `person` is signed in and consents without pages.
    pub(super) fn as_person(person: &str) -> Self {
        Self::with(Some(person.to_owned()), false)
    }

    /// The same, and each proof has to carry a nonce.
    pub(super) fn asking_for_nonces(person: &str) -> Self {
        Self::with(Some(person.to_owned()), true)
    }

    fn with(auto_consent: Option<String>, dpop_nonces: bool) -> Self {
        let signing = SigningKey::generate_es256().unwrap().to_pkcs8().to_vec();
        let clock = Arc::new(AtomicU64::new(1_800_000_000));
        let store = Arc::new(MemoryStore::new());
        Self::on(store, signing, clock, auto_consent, dpop_nonces)
    }

    /// The same keys and records, and nothing else that the process knew.
    pub(super) fn restarted(&self) -> Self {
        let (store, clock) = (Arc::clone(&self.store), Arc::clone(&self.clock));
        let (signing, person) = (self.signing.clone(), self.auto_consent.clone());
        Self::on(store, signing, clock, person, false)
    }

    fn on(
        store: Arc<MemoryStore>,
        signing: Vec<u8>,
        clock: Arc<AtomicU64>,
        auto_consent: Option<String>,
        dpop_nonces: bool,
    ) -> Self {
        let now = {
            let clock = Arc::clone(&clock);
            move || clock.load(Ordering::SeqCst)
        };
        let sandbox = Sandbox::new(Arc::new(now.clone()));
        let sent = Arc::new(AtomicU64::new(0));
        let entropy = SystemEntropy::new();
        let addresses = Addresses {
            mcp_url: MCP_URL.to_owned(),
            issuer: ISSUER.to_owned(),
            sandbox_url: "http://127.0.0.1:3002".to_owned(),
        };
        let settings = Settings {
            access_token_life: ACCESS_TOKEN_LIFE,
            auto_consent: auto_consent.clone(),
            dpop_nonces,
        };
        let verified = VerifiedTokens::new();
        let secrets = Secrets {
            signing: SigningKey::from_pkcs8(&signing).unwrap(),
            hash: [7; 32],
        };
        let outside = Outside {
            store: Arc::clone(&store) as _,
            clock: Arc::new(move || UnixSeconds(now())),
            entropy: Arc::new(entropy.clone()),
            verified: verified.clone(),
            documents: None,
            didit: InMemory(sandbox.service(), Arc::clone(&sent)),
        };
        let stack = assemble(&addresses, settings, secrets, outside, &sandbox).unwrap();
        Self {
            entropy,
            signing,
            sandbox,
            issuer: Arc::clone(stack.auth.server()),
            verified,
            store,
            auto_consent,
            clock,
            sent,
            auth: answering(stack.auth),
            mcp: answering(stack.mcp),
        }
    }

    pub(super) fn now(&self) -> u64 {
        self.clock.load(Ordering::SeqCst)
    }

    pub(super) fn advance(&self, by: Duration) {
        self.clock.fetch_add(by.as_secs(), Ordering::SeqCst);
    }

    /// How many requests the tools have sent to the sandbox.
    pub(super) fn sent(&self) -> u64 {
        self.sent.load(Ordering::SeqCst)
    }

    /// What the sandbox itself shows a person, past the tools.
    pub(super) async fn didit(&self, person: &str, path: &str) -> Value {
        let credential = self.sandbox.credential(person).unwrap();
        let request = Request::get(format!("http://127.0.0.1:3002{path}"))
            .header(header::AUTHORIZATION, format!("Bearer {credential}"))
            .body(Full::new(Bytes::new()))
            .unwrap();
        let Ok(response) = self.sandbox.service().call(request).await;
        let body = response.into_body().collect().await.unwrap().to_bytes();
        serde_json::from_slice(&body).unwrap()
    }

    /// One request to the authorization server.
    pub(super) async fn auth(
        &self,
        request: http::request::Builder,
        body: impl Into<Bytes>,
    ) -> Answer {
        let request = request.body(Full::new(body.into())).unwrap();
        let answer = (self.auth.lock().await)(with_host(request, "127.0.0.1:3001"));
        answer.await
    }

    /// One request to the listener of the MCP endpoint.
    pub(super) async fn mcp(
        &self,
        request: http::request::Builder,
        body: impl Into<Bytes>,
    ) -> Answer {
        let request = request.body(Full::new(body.into())).unwrap();
        let answer = (self.mcp.lock().await)(with_host(request, "127.0.0.1:3000"));
        answer.await
    }

    /// One request as a client sends it, to whichever of the two its address names.
    pub(super) async fn exchange(&self, request: Request<Bytes>) -> Answer {
        let (parts, body) = request.into_parts();
        let request = Request::from_parts(parts, Full::new(body));
        let (service, host) = match request.uri().port_u16() {
            Some(3000) => (&self.mcp, "127.0.0.1:3000"),
            Some(3001) => (&self.auth, "127.0.0.1:3001"),
            _ => panic!("nobody is to ask {}", request.uri()),
        };
        let answer = (service.lock().await)(with_host(request, host));
        answer.await
    }

    pub(super) async fn auth_get(&self, path: &str) -> Answer {
        self.auth(Request::get(path), "").await
    }

    pub(super) async fn mcp_get(&self, path: &str) -> Answer {
        self.mcp(Request::get(path), "").await
    }

    pub(super) async fn token(&self, form: &[(&str, &str)]) -> Answer {
        self.auth(form_post("/token"), encode(form)).await
    }

    /// Registers a public client with [`CALLBACK`]; its id.
    pub(super) async fn register(&self) -> String {
        let metadata = json!({
            "client_name": "A test",
            "redirect_uris": [CALLBACK],
            "token_endpoint_auth_method": "none",
            "grant_types": ["authorization_code", "refresh_token"],
            "application_type": "native",
        });
        let answer = self
            .auth(
                Request::post("/register").header(header::CONTENT_TYPE, "application/json"),
                metadata.to_string(),
            )
            .await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
        answer.json()["client_id"].as_str().unwrap().to_owned()
    }

    /// An authorization request that is right in every respect.
    pub(super) fn authorization(
        &self,
        client: &str,
        verifier: &CodeVerifier,
    ) -> Vec<(String, String)> {
        [
            ("response_type", "code"),
            ("client_id", client),
            ("redirect_uri", CALLBACK),
            ("code_challenge", verifier.challenge().as_str()),
            ("code_challenge_method", "S256"),
            ("scope", BOTH_SCOPES),
            ("state", "st-1"),
            ("resource", MCP_URL),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }

    /// Sends an authorization request; with auto-consent the answer is the redirect to the client.
    pub(super) async fn authorize(&self, request: &[(String, String)]) -> Answer {
        let pairs: Vec<(&str, &str)> = request
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        self.auth_get(&format!("/authorize?{}", encode(&pairs)))
            .await
    }

    /// A code for a fresh client, with what is needed to redeem it.
    pub(super) async fn code(&self, scope: &str) -> (String, String, CodeVerifier) {
        let client = self.register().await;
        let verifier = CodeVerifier::generate(&self.entropy);
        let mut request = self.authorization(&client, &verifier);
        set(&mut request, "scope", scope);
        let answer = self.authorize(&request).await;
        assert!(
            answer.status.is_redirection(),
            "{}: {}",
            answer.status,
            answer.text()
        );
        let code = answer.redirected().get("code").expect("a code").to_owned();
        (client, code, verifier)
    }

    /// Redeems a code.
    pub(super) async fn redeem(&self, client: &str, code: &str, verifier: &CodeVerifier) -> Answer {
        self.token(&[
            ("grant_type", "authorization_code"),
            ("client_id", client),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", verifier.expose()),
            ("resource", MCP_URL),
        ])
        .await
    }

    /// The whole way to tokens; also the client's id.
    pub(super) async fn signed_in(&self, scope: &str) -> (String, Tokens) {
        let (client, code, verifier) = self.code(scope).await;
        let answer = self.redeem(&client, &code, &verifier).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        (client, tokens(&answer))
    }

    /// A 2026-07-28 request to the MCP endpoint.
    pub(super) async fn modern(&self, token: Option<&str>, method: &str, params: Value) -> Answer {
        self.mcp(
            modern_head(token, method, &params),
            modern_body(method, params),
        )
        .await
    }

    /// Calls a tool and returns its result object; the call itself must succeed.
    pub(super) async fn call(&self, token: &str, tool: &str, arguments: Value) -> Value {
        let answer = self
            .modern(
                Some(token),
                "tools/call",
                json!({"name": tool, "arguments": arguments}),
            )
            .await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        answer.json()["result"].clone()
    }

    /// An access token as the authorization server makes them, after `change`, signed by its key.
    pub(super) fn minted(&self, typ: &str, change: impl FnOnce(&mut Value)) -> String {
        let mut claims = json!({
            "iss": ISSUER, "sub": "olivia", "aud": MCP_URL, "client_id": "a-client",
            "exp": self.now() + 60, "iat": self.now(), "jti": "token-1", "scope": BOTH_SCOPES,
        });
        change(&mut claims);
        let key = SigningKey::from_pkcs8(&self.signing).unwrap();
        key.sign(typ, claims.to_string().as_bytes()).unwrap()
    }
}

/// The head of a 2026-07-28 request, with its mirrored headers.
pub(super) fn modern_head(
    token: Option<&str>,
    method: &str,
    params: &Value,
) -> http::request::Builder {
    let mut request = json_post("/mcp")
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", method);
    if let Some(name) = params.get("name").and_then(Value::as_str) {
        request = request.header("mcp-name", name);
    }
    match token {
        Some(token) => request.header(header::AUTHORIZATION, format!("Bearer {token}")),
        None => request,
    }
}

/// The body of a 2026-07-28 request, with its metadata.
pub(super) fn modern_body(method: &str, mut params: Value) -> String {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
    });
    json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string()
}

pub(super) fn json_post(path: &str) -> http::request::Builder {
    Request::builder()
        .method(Method::POST)
        .uri(path)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ACCEPT, "application/json, text/event-stream")
}

pub(super) fn form_post(path: &str) -> http::request::Builder {
    Request::builder()
        .method(Method::POST)
        .uri(path)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
}

pub(super) fn tokens(answer: &Answer) -> Tokens {
    let body = answer.json();
    Tokens {
        access: body["access_token"].as_str().unwrap().to_owned(),
        refresh: body["refresh_token"].as_str().unwrap().to_owned(),
        body,
    }
}

/// Changes one parameter of a request.
pub(super) fn set(request: &mut [(String, String)], name: &str, value: &str) {
    let found = request
        .iter_mut()
        .find(|(known, _)| known == name)
        .expect("a known parameter");
    value.clone_into(&mut found.1);
}

/// Leaves one parameter of a request out.
pub(super) fn without(request: &mut Vec<(String, String)>, name: &str) {
    request.retain(|(known, _)| known != name);
}

fn with_host(mut request: Request<Full<Bytes>>, host: &'static str) -> Request<Full<Bytes>> {
    request
        .headers_mut()
        .entry(header::HOST)
        .or_insert(header::HeaderValue::from_static(host));
    request
}

/// The sandbox as an HTTP client of whole bodies, with a count of what was sent.
#[derive(Clone)]
struct InMemory(SandboxService, Arc<AtomicU64>);

impl Service<Request<Bytes>> for InMemory {
    type Response = Response<Bytes>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Bytes>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        self.1.fetch_add(1, Ordering::SeqCst);
        let answer = self.0.call(request.map(Full::new));
        Box::pin(async move {
            let Ok(response) = answer.await;
            let (parts, body) = response.into_parts();
            Ok(Response::from_parts(
                parts,
                body.collect().await.unwrap().to_bytes(),
            ))
        })
    }
}
