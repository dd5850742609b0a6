//! What `mcp-server serve` is measured against: a stand-in for Didit, and a bare reverse proxy.
//!
//! `bench-didit upstream APPLICATIONS DELAY` answers as Didit's APIs do for a person with one
//! organisation and so many applications, and says of every token that it is active; a list of
//! workflows takes so many milliseconds. `GET /asked` says how often it was asked about tokens, and how
//! often for anything else. `bench-didit proxy PORT PATH` asks `PATH` of that port for each request and
//! answers with what it gets, by hyper's server and hyper's client alone. Each prints its port and serves
//! until it is killed.

#![expect(
    clippy::unwrap_used,
    reason = "a program for measuring stops at the first surprise"
)]
#![expect(clippy::print_stdout, reason = "the port is its only output")]

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bench_server::accept::serve;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response, Uri};
use http_body_util::{BodyExt as _, Empty, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

/// How many sessions a list has: a page of the default length.
const SESSIONS: usize = 20;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["upstream", applications, delay] => {
            let delay = Duration::from_millis(delay.parse().unwrap());
            let upstream = Arc::new(Upstream::new(applications.parse().unwrap(), delay));
            serve(service_fn(move |request| {
                Arc::clone(&upstream).answer(request)
            }))
            .await;
        }
        ["proxy", port, path] => {
            let uri: Uri = format!("http://127.0.0.1:{port}{path}").parse().unwrap();
            let mut connector = HttpConnector::new();
            connector.set_nodelay(true);
            let client = Client::builder(TokioExecutor::new()).build(connector);
            serve(service_fn(move |request| {
                proxied(client.clone(), uri.clone(), request)
            }))
            .await;
        }
        _ => println!("usage: bench-didit upstream APPLICATIONS DELAY | proxy PORT PATH"),
    }
}

/// Reads the request, asks for the page, reads it, and answers with it.
async fn proxied(
    client: Client<HttpConnector, Empty<Bytes>>,
    uri: Uri,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    request.into_body().collect().await?;
    let asked = client.get(uri).await.unwrap();
    let body = asked.into_body().collect().await?.to_bytes();
    Ok(answer(body))
}

/// The answers of the stand-in, written once.
struct Upstream {
    organizations: Bytes,
    applications: Bytes,
    sessions: Bytes,
    workflows: Bytes,
    delay: Duration,
    about_tokens: AtomicU64,
    otherwise: AtomicU64,
}

impl Upstream {
    fn new(applications: usize, delay: Duration) -> Self {
        let organizations = json!([
            { "uuid": "org-1", "name": "An organisation", "role": "OWNER" },
        ]);
        let applications: Vec<Value> = (0..applications)
            .map(|number| {
                json!({
                    "uuid": format!("app-{number}"),
                    "name": format!("Application {number}"),
                    "mode": "live",
                })
            })
            .collect();
        let sessions: Vec<Value> = (0..SESSIONS).map(session).collect();
        let sessions =
            json!({ "count": SESSIONS, "next": null, "previous": null, "results": sessions });
        let workflows = json!({ "results": [{
            "uuid": "0b1c7e52-52a5-4a4e-9a3f-6a5c3b4f0d11",
            "workflow_label": "Identity and liveness",
            "workflow_type": "kyc",
            "is_default": true,
            "created_at": "2026-02-01T09:30:00Z",
        }] });
        Self {
            organizations: organizations.to_string().into(),
            applications: Value::from(applications).to_string().into(),
            sessions: sessions.to_string().into(),
            workflows: workflows.to_string().into(),
            delay,
            about_tokens: AtomicU64::new(0),
            otherwise: AtomicU64::new(0),
        }
    }

    async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, Infallible> {
        let path = request.uri().path().to_owned();
        if path == "/asked" {
            let counts = format!(
                "{} {}",
                self.about_tokens.load(Ordering::Relaxed),
                self.otherwise.load(Ordering::Relaxed),
            );
            return Ok(answer(counts.into()));
        }
        if path.starts_with("/introspect") {
            self.about_tokens.fetch_add(1, Ordering::Relaxed);
            let body = request.into_body().collect().await.unwrap().to_bytes();
            return Ok(answer(active(&body)));
        }
        self.otherwise.fetch_add(1, Ordering::Relaxed);
        let body = if path.ends_with("/sessions/") {
            &self.sessions
        } else if path.ends_with("/applications/") {
            &self.applications
        } else if path.ends_with("/organizations/me/") {
            &self.organizations
        } else {
            tokio::time::sleep(self.delay).await;
            &self.workflows
        };
        Ok(answer(body.clone()))
    }
}

/// What is said of every token: whose it is follows from it.
fn active(question: &[u8]) -> Bytes {
    let question: Value = serde_json::from_slice(question).unwrap();
    let token = question.get("token").and_then(Value::as_str).unwrap();
    json!({
        "active": true,
        "user_id": format!("user of {token}"),
        "client_id": "bench",
        "aud": ["http://localhost/mcp", "https://didit.example"],
        "exp": 4_102_444_800_u64,
        "scope": "didit:management didit:verification",
    })
    .to_string()
    .into()
}

fn session(number: usize) -> Value {
    json!({
        "session_id": format!("5f0c2a9e-1d53-4c0f-8d7e-{number:012}"),
        "session_number": number,
        "status": "Approved",
        "workflow_id": "0b1c7e52-52a5-4a4e-9a3f-6a5c3b4f0d11",
        "workflow_label": "Identity and liveness",
        "vendor_data": format!("customer-{number}"),
        "full_name": "Ada Example",
        "country": "ESP",
        "document_type": "Identity Card",
        "features": ["ID_VERIFICATION", "LIVENESS", "FACE_MATCH"],
        "created_at": "2026-02-01T09:30:00Z",
    })
}

fn answer(body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}
