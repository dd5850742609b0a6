//! The servers, the person who signs in, and the start of the processes.

use std::convert::Infallible;
use std::error::Error;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::Full;
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use oauth_rs::client::store::FileStore;
use oauth_rs::hash::HashKey;
use oauth_rs::jose::{JwkSet, SigningKey};
use oauth_rs::scope::ScopeSet;
use oauth_rs::secret::Secret;
use oauth_rs::send::{Browser, Pending, SignInLayer, Visit, VisitWith};
use oauth_rs::uri::{Issuer, RedirectUri, ResourceId};
use oauth_server::event::Event;
use oauth_server::identity::{DangerousPicker, Person};
use oauth_server::store::MemoryStore;
use oauth_server::{Config, Keys, Resource, Scope, Server, router};
use resource_guard::{Guard, GuardConfig, GuardLayer, KeySnapshot, TrustedIssuer};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tower_layer::Layer as _;
use tower_service::Service;

use crate::child::{self, Named};

/// What goes wrong on the way back to the clients.
#[derive(Default)]
pub(crate) struct Network {
    /// Every tenth answer of each server is lost, beginning with the first.
    pub(crate) loses: AtomicBool,
    resource: AtomicUsize,
    issuer: AtomicUsize,
    /// The process that sends the next token request dies when the server has carried it out.
    pub(crate) kills: AtomicBool,
    pub(crate) children: Mutex<Vec<Child>>,
}

impl Network {
    fn loses(&self, count: &AtomicUsize) -> bool {
        let number = count.fetch_add(1, Ordering::SeqCst);
        self.loses.load(Ordering::SeqCst) && number.is_multiple_of(10)
    }

    fn kill(&self, number: u32) {
        let mut children = self.children.lock().unwrap();
        let sender = children.iter_mut().find(|child| child.id() == Some(number));
        sender.unwrap().start_kill().unwrap();
    }
}

/// An authorization server, a resource that trusts it, and what they tell.
pub(crate) struct Servers {
    pub(crate) url: String,
    pub(crate) ahead: Arc<AtomicU64>,
    pub(crate) events: Arc<Mutex<Vec<Event>>>,
    pub(crate) network: Arc<Network>,
    folder: PathBuf,
}

impl Drop for Servers {
    fn drop(&mut self) {
        // Nothing depends on whether the folder could be removed.
        let _removed = std::fs::remove_dir_all(&self.folder);
    }
}

impl Servers {
    /// Starts them; a person has signed in, and the grant is in the store.
    pub(crate) async fn start() -> Self {
        let ahead = Arc::new(AtomicU64::new(0));
        let events = Arc::new(Mutex::new(Vec::new()));
        let network = Arc::new(Network::default());
        let (resource_listener, origin) = listener().await;
        let (issuer_listener, issuer) = listener().await;
        let resource = ResourceId::parse(&format!("{origin}/hello")).unwrap();
        let issuer = Issuer::parse(&issuer).unwrap();
        let signing = SigningKey::generate_es256().unwrap();
        let clock = {
            let ahead = Arc::clone(&ahead);
            move || child::now(ahead.load(Ordering::SeqCst))
        };

        let config = GuardConfig::new(resource.clone(), TrustedIssuer::new(issuer.clone()))
            .challenge_scopes(ScopeSet::parse("hello").unwrap());
        let keys = JwkSet::from_public([signing.public_jwk()]);
        let layer = GuardLayer::new(
            Arc::new(Guard::new(config).unwrap()),
            KeySnapshot::new(issuer.clone(), keys).fixed(),
            Arc::new(clock.clone()),
        );
        let loses = Arc::clone(&network);
        serve(
            resource_listener,
            Lossy::new(layer.layer(Hello), move |_: &Head| {
                loses.loses(&loses.resource)
            }),
        );

        let told = Arc::clone(&events);
        let seams = oauth_server::Seams {
            store: Arc::new(MemoryStore::new()),
            identity: Arc::new(DangerousPicker::new([Person {
                id: "ada".to_owned(),
                name: "Ada".to_owned(),
                details: vec![],
            }])),
            documents: None,
            events: Arc::new(move |event: &Event| told.lock().unwrap().push(event.clone())),
            clock: Arc::new(clock),
            entropy: Arc::new(child::random),
        };
        let keys = Keys {
            signing,
            hash: HashKey::new([7; 32]),
        };
        let described = Resource {
            id: resource.clone(),
            name: "Hello".to_owned(),
            scopes: vec![Scope {
                name: "hello".to_owned(),
                title: "Say hello".to_owned(),
                description: "Be greeted.".to_owned(),
            }],
        };
        let config = Config::new(issuer, keys, described).unwrap();
        let server = Server::new(config.dangerous_auto_consent("ada"), seams);
        let service = router::Service::new(Arc::new(server));
        let loses = Arc::clone(&network);
        serve(
            issuer_listener,
            Lossy::new(service, move |request: &Head| {
                if request.uri().path() != "/token" {
                    return false;
                }
                let kills = loses.kills.swap(false, Ordering::SeqCst);
                if kills {
                    let sender = request.headers()[child::WHO].to_str().unwrap();
                    loses.kill(sender.parse().unwrap());
                }
                kills || loses.loses(&loses.issuer)
            }),
        );

        let name = format!("refresh-processes-{}-{}", std::process::id(), resource);
        let name = name.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
        let servers = Self {
            url: resource.to_string(),
            ahead,
            events,
            network,
            folder: std::env::temp_dir().join(name),
        };
        servers.sign_in().await;
        servers
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.folder.join("grants.json")
    }

    /// A person signs in, in this process.
    async fn sign_in(&self) {
        let mut seams = child::seams(FileStore::open(self.store()).unwrap(), 0);
        seams.browser = Some(Arc::new(agreeing) as Arc<dyn Browser>);
        let layer = SignInLayer::new(&self.url, child::options(), seams).unwrap();
        let request = Request::get(&self.url).body(Bytes::new()).unwrap();
        let response = layer.layer(Named::new()).call(request).await.unwrap();
        assert_eq!(response.status(), 200);
    }

    /// The access token that there is ends.
    pub(crate) fn expire(&self) {
        self.ahead.fetch_add(24 * 60 * 60, Ordering::SeqCst);
        self.network.issuer.store(0, Ordering::SeqCst);
        self.network.resource.store(0, Ordering::SeqCst);
        self.events.lock().unwrap().clear();
    }

    /// How each call of so many processes, which begin at the same time, ended; none for a process that died.
    pub(crate) async fn run(&self, processes: usize, calls: usize, lease: u64) -> Vec<Vec<String>> {
        let mut talks = Vec::new();
        for _ in 0..processes {
            let mut process = self.process(&self.store(), calls, lease);
            let input = process.stdin.take().unwrap();
            let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
            while lines.next_line().await.unwrap().unwrap() != "ready" {}
            self.network.children.lock().unwrap().push(process);
            talks.push((input, lines));
        }
        for (input, _) in &mut talks {
            input.write_all(b"go\n").await.unwrap();
        }
        let mut ends = Vec::new();
        for (_input, mut lines) in talks {
            let mut statuses = Vec::new();
            while let Ok(Some(line)) = lines.next_line().await {
                statuses.extend(line.strip_prefix("called: ").map(str::to_owned));
            }
            ends.push(statuses);
        }
        let children = std::mem::take(&mut *self.network.children.lock().unwrap());
        for mut process in children {
            process.wait().await.unwrap();
        }
        ends
    }

    fn process(&self, store: &Path, calls: usize, lease: u64) -> Child {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child::calls_of_one_process", "--nocapture"])
            .env(child::URL, &self.url)
            .env(child::STORE, store)
            .env(child::AHEAD, self.ahead.load(Ordering::SeqCst).to_string())
            .env(child::CALLS, calls.to_string())
            .env(child::LEASE, lease.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap()
    }

    /// How many events of the authorization server are of this kind.
    pub(crate) fn count(&self, kind: fn(&Event) -> bool) -> usize {
        let events = self.events.lock().unwrap();
        events.iter().filter(|event| kind(event)).count()
    }
}

/// A person who agrees: the authorization server sends the browser back at once.
fn agreeing() -> Pending<'static, Box<dyn Visit>> {
    let redirect_uri = RedirectUri::parse("http://127.0.0.1:4000/callback").unwrap();
    let visit = VisitWith::new(redirect_uri, |url, _| -> Pending<'static, Secret> {
        Box::pin(async move {
            let request = Request::get(url).body(Bytes::new()).unwrap();
            let response = Named::new().call(request).await.unwrap();
            let location = response.headers()[header::LOCATION].to_str().unwrap();
            Ok(Secret::new(location.split_once('?').unwrap().1))
        })
    });
    Box::pin(async move { Ok(Box::new(visit) as Box<dyn Visit>) })
}

/// What is behind the guard.
#[derive(Clone)]
struct Hello;

impl Service<Request<Incoming>> for Hello {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Incoming>) -> Self::Future {
        std::future::ready(Ok(Response::new(Full::from("hello"))))
    }
}

/// A server whose answers the network loses when it is told so; the request was carried out.
#[derive(Clone)]
struct Lossy<S, F> {
    inner: S,
    loses: Arc<F>,
}

impl<S, F> Lossy<S, F> {
    fn new(inner: S, loses: F) -> Self
    where
        F: Fn(&Head) -> bool,
    {
        Self {
            inner,
            loses: Arc::new(loses),
        }
    }
}

/// What is known of a request after it was carried out.
type Head = Request<()>;

impl<S, F, B> Service<Request<Incoming>> for Lossy<S, F>
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
    S::Future: Send + 'static,
    F: Fn(&Head) -> bool + Send + Sync + 'static,
    B: Send + 'static,
{
    type Response = Response<B>;
    type Error = std::io::Error;
    type Future = Pin<Box<dyn Future<Output = std::io::Result<Response<B>>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        self.inner
            .poll_ready(context)
            .map_err(|never| match never {})
    }

    fn call(&mut self, request: Request<Incoming>) -> Self::Future {
        let (parts, body) = request.into_parts();
        let head = Request::from_parts(parts.clone(), ());
        let answer = self.inner.call(Request::from_parts(parts, body));
        let loses = Arc::clone(&self.loses);
        Box::pin(async move {
            let Ok(answer) = answer.await;
            if loses(&head) {
                // The connection is closed in place of an answer.
                return Err(std::io::Error::other("lost"));
            }
            Ok(answer)
        })
    }
}

async fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    (listener, origin)
}

fn serve<S, B>(listener: TcpListener, service: S)
where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>> + Send + Sync,
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
