//! One of several processes: this test binary, started again.

use std::io::{BufRead as _, Write as _};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use egress_guard::{Client, Limits, Policy};
use http::{HeaderValue, Request, Response};
use oauth_rs::client::flow::FlowOptions;
use oauth_rs::client::store::FileStore;
use oauth_rs::send::{CallFailed, Egress, Seams, SignInLayer, SignedIn, Waits};
use oauth_rs::time::UnixSeconds;
use oauth_rs::uri::RedirectUri;
use ring::rand::SecureRandom as _;
use tokio::task::JoinSet;
use tower_layer::Layer as _;
use tower_service::Service;

/// What a process is told in its environment.
pub(crate) const URL: &str = "REFRESH_TEST_URL";
pub(crate) const STORE: &str = "REFRESH_TEST_STORE";
pub(crate) const AHEAD: &str = "REFRESH_TEST_AHEAD";
pub(crate) const CALLS: &str = "REFRESH_TEST_CALLS";
pub(crate) const LEASE: &str = "REFRESH_TEST_LEASE";

/// In each request to the token endpoint: which process sends it.
pub(crate) const WHO: &str = "x-process";

/// A call whose answer the network loses is made again so often; there is one answer in ten that is.
const MAX_LOSSES: usize = 20;

/// The operating system's clock, so many seconds ahead.
pub(crate) fn now(ahead: u64) -> UnixSeconds {
    let since = SystemTime::UNIX_EPOCH.elapsed().unwrap();
    UnixSeconds(since.as_secs() + ahead)
}

/// The operating system's random source.
pub(crate) fn random(dest: &mut [u8]) {
    ring::rand::SystemRandom::new().fill(dest).unwrap();
}

/// The way out, with the number of this process on it.
#[derive(Clone)]
pub(crate) struct Named(Client);

impl Named {
    pub(crate) fn new() -> Self {
        let limits = Limits {
            total: Duration::from_secs(60),
            // All calls of a process are under way at the same time.
            in_flight: 128,
            in_flight_per_host: 128,
            connections: 128,
            ..Limits::default()
        };
        Self(Client::new(Policy::dangerous_allow_loopback(), limits))
    }
}

impl Service<Request<Bytes>> for Named {
    type Response = Response<Bytes>;
    type Error = <Client as Service<Request<Bytes>>>::Error;
    type Future = <Client as Service<Request<Bytes>>>::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Bytes>) -> Self::Future {
        let number = HeaderValue::from(std::process::id());
        request.headers_mut().insert(WHO, number);
        self.0.call(request)
    }
}

pub(crate) fn seams(store: FileStore, ahead: u64) -> Seams {
    Seams {
        store: Arc::new(store),
        egress: Egress::new(Named::new()),
        // Whoever is signed out finds nobody to ask, and the call fails.
        browser: None,
        clock: Arc::new(move || now(ahead)),
        entropy: Arc::new(random),
        spawn: Arc::new(|work| drop(tokio::spawn(work))),
    }
}

pub(crate) fn options() -> FlowOptions {
    let redirect_uri = RedirectUri::parse("http://127.0.0.1/callback").unwrap();
    FlowOptions::new("one of several", redirect_uri)
}

/// Does nothing unless it was started by [`crate::parent`].
#[test]
fn calls_of_one_process() {
    let Ok(url) = std::env::var(URL) else { return };
    let told = |name| std::env::var(name).unwrap();
    let number = |name| told(name).parse::<u64>().unwrap();
    let store = FileStore::open(told(STORE)).unwrap();
    let waits = Waits {
        lease: Duration::from_secs(number(LEASE)),
        ..Waits::default()
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let layer = SignInLayer::new(&url, options(), seams(store, number(AHEAD))).unwrap();
    let service = layer.with_waits(waits).layer(Named::new());

    // All begin together: when the parent says so.
    say("ready");
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).unwrap();
    let statuses = runtime.block_on(async {
        let mut running = JoinSet::new();
        for _ in 0..number(CALLS) {
            running.spawn(call(service.clone(), url.clone()));
        }
        running.join_all().await
    });
    for status in statuses {
        say(&format!("called: {status}"));
    }
}

/// The parent reads lines, and the test harness writes some of its own.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\n{line}").unwrap();
    out.flush().unwrap();
}

/// The status of a call, or why there is none.
async fn call(mut service: SignedIn<Named>, url: String) -> String {
    let mut lost = String::new();
    for _ in 0..MAX_LOSSES {
        let request = Request::get(&url).body(Bytes::new()).unwrap();
        match service.call(request).await {
            Ok(response) => return response.status().as_u16().to_string(),
            // The answer of the resource was lost; that is no matter of tokens.
            Err(CallFailed::Inner(reason)) => lost = reason.to_string(),
            Err(failed) => return failed.to_string(),
        }
    }
    lost
}
