//! The stand-in: organisations as given, everything else by a function; it remembers what it was sent.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;
use didit_client::send::Sender;
use didit_client::{Api, Secret};
use didit_tools::{Credentials, DiditTools, Failure, Grants, NoCredential};
use http::{Extensions, HeaderMap, Request, Response};
use serde_json::{Value, json};

pub(crate) const NOW: u64 = 1_767_225_600; // 2026-01-01

/// A request as it was sent.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    /// With the base: `api` or `auth`, then the path.
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Seen {
    pub(crate) fn line(&self) -> String {
        let query: Vec<_> = self
            .query
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{} {}{mark}{}", self.method, self.path, query.join("&"))
    }
}

type Answer = dyn Fn(&Seen) -> (u16, Value) + Send + Sync;
/// Id, name, role and applications (id, name) of an organisation.
pub(crate) type Row = (
    &'static str,
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
);

pub(crate) const ONE: &[Row] = &[("o-1", "Harbour", "READER", &[("a-1", "Web")])];
pub(crate) const TWO: &[Row] = &[
    (
        "o-1",
        "Harbour",
        "READER",
        &[("a-1", "Web"), ("a-2", "App")],
    ),
    ("o-2", "Orchard", "ADMIN", &[("a-3", "Shop")]),
];

#[derive(Clone)]
pub(crate) struct Upstream {
    organizations: Arc<Vec<Value>>,
    applications: Arc<Vec<(String, Value)>>,
    answer: Arc<Answer>,
    seen: Arc<Mutex<Vec<Seen>>>,
    in_flight: Arc<AtomicUsize>,
    pub(crate) most: Arc<AtomicUsize>,
    pub(crate) now: Arc<AtomicU64>,
}

impl Upstream {
    pub(crate) fn new(
        rows: &[Row],
        answer: impl Fn(&Seen) -> (u16, Value) + Send + Sync + 'static,
    ) -> Self {
        let organizations = rows
            .iter()
            .map(|(id, name, role, _)| json!({"uuid": id, "name": name, "role": role}));
        let applications = rows.iter().map(|(id, _, _, applications)| {
            let rows: Vec<_> = applications
                .iter()
                .map(|(id, name)| json!({"uuid": id, "name": name, "mode": "live", "api_key": "0123456789abcdef"}))
                .collect();
            ((*id).to_owned(), json!(rows))
        });
        Self {
            organizations: Arc::new(organizations.collect()),
            applications: Arc::new(applications.collect()),
            answer: Arc::new(answer),
            seen: Arc::default(),
            in_flight: Arc::default(),
            most: Arc::default(),
            now: Arc::new(AtomicU64::new(NOW)),
        }
    }

    pub(crate) fn quiet(rows: &[Row]) -> Self {
        Self::new(rows, |_| (200, json!({"results": []})))
    }

    pub(crate) fn tools(&self) -> DiditTools<Self, Vault> {
        let api = Api::at("https://didit.test/auth", "https://didit.test/api").unwrap();
        let now = Arc::clone(&self.now);
        DiditTools::new(Sender::new(api, self.clone()), Vault, move || {
            now.load(Ordering::SeqCst)
        })
    }

    /// Runs a tool as Ada.
    pub(crate) async fn run(&self, tool: &str, arguments: Value) -> Result<Value, Failure> {
        self.tools()
            .call(&ada(), tool, arguments.as_object())
            .await
            .unwrap()
    }

    /// The error text of a tool that fails.
    pub(crate) async fn failure(&self, tool: &str, arguments: Value) -> String {
        self.run(tool, arguments).await.unwrap_err().text()
    }

    /// Everything that was sent.
    pub(crate) fn all(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// What was sent, without the reading of organisations and applications.
    pub(crate) fn sent(&self) -> Vec<Seen> {
        let is_map = |seen: &Seen| seen.path.starts_with("auth/organizations/me/");
        self.all()
            .into_iter()
            .filter(|seen| !is_map(seen))
            .collect()
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.sent().iter().map(Seen::line).collect()
    }

    fn reply(&self, seen: &Seen) -> (u16, Value) {
        let given = (self.answer)(seen);
        if given.0 != 200 {
            return given;
        }
        if seen.path == "auth/organizations/me/" {
            return (200, json!(*self.organizations));
        }
        let listed = self
            .applications
            .iter()
            .find(|(id, _)| seen.path == format!("auth/organizations/me/{id}/applications/"));
        listed.map_or(given, |(_, rows)| (200, rows.clone()))
    }
}

impl tower_service::Service<Request<Bytes>> for Upstream {
    type Response = Response<Bytes>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Bytes>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let this = self.clone();
        Box::pin(async move {
            let pairs = request
                .uri()
                .query()
                .unwrap_or_default()
                .split('&')
                .filter(|pair| !pair.is_empty());
            let seen = Seen {
                method: request.method().to_string(),
                path: request.uri().path().trim_start_matches('/').to_owned(),
                query: pairs
                    .map(|pair| pair.split_once('=').unwrap())
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .collect(),
                headers: request.headers().clone(),
                body: serde_json::from_slice(request.body()).unwrap_or_default(),
            };
            this.most.fetch_max(
                this.in_flight.fetch_add(1, Ordering::SeqCst) + 1,
                Ordering::SeqCst,
            );
            this.seen.lock().unwrap().push(seen.clone());
            tokio::task::yield_now().await;
            this.in_flight.fetch_sub(1, Ordering::SeqCst);
            let (status, body) = this.reply(&seen);
            let body = match body {
                _ if status == 204 => Bytes::new(),
                // A file, which is not JSON.
                Value::String(file) if file.starts_with("%PDF-") => Bytes::from(file),
                json => Bytes::from(json.to_string()),
            };
            Ok(Response::builder().status(status).body(body).unwrap())
        })
    }
}

/// Who is signed in, as the layer in front would say.
#[derive(Clone)]
pub(crate) struct Person(pub(crate) &'static str);

/// The organisation that the token is for, where it is for one.
#[derive(Clone)]
pub(crate) struct OfOrganization(pub(crate) &'static str);

/// The words of the token, where there is one.
#[derive(Clone)]
pub(crate) struct Words(pub(crate) &'static str);

pub(crate) fn ada() -> Extensions {
    let mut extensions = Extensions::new();
    extensions.insert(Person("ada"));
    extensions
}

pub(crate) struct Vault;

impl Credentials for Vault {
    async fn credential(&self, extensions: &Extensions) -> Result<Secret, NoCredential> {
        match extensions.get::<Person>() {
            Some(Person("down")) => Err(NoCredential::Unavailable),
            Some(Person(name)) => Ok(Secret::new(format!("didit-of-{name}"))),
            None => Err(NoCredential::Unknown),
        }
    }

    fn person(&self, extensions: &Extensions) -> Option<String> {
        extensions.get::<Person>().map(|person| person.0.to_owned())
    }

    fn grants(&self, extensions: &Extensions) -> Grants {
        match extensions.get::<Words>() {
            Some(Words(words)) => Grants::of(words.split(' ')),
            None => Grants::EVERYTHING,
        }
    }

    fn organization(&self, extensions: &Extensions) -> Option<String> {
        extensions
            .get::<OfOrganization>()
            .map(|own| own.0.to_owned())
    }
}
