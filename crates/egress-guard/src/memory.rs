//! Tests over a network in memory: a resolver with a script, addresses where something answers or nothing does, and time that moves only when everybody waits.

mod addresses;
mod answers;
mod connecting;
mod documents;
mod holding;
mod http2;

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio_rustls::TlsAcceptor;

use crate::client::Client;
use crate::connect::{Connector, Tls};
use crate::dial::{Dial, Dialing, Duplex};
use crate::limits::Limits;
use crate::policy::Policy;
use crate::resolve::{Resolve, Resolving};

/// The name of the certificate that every server here shows.
pub(crate) const NAME: &str = "named.example";
/// A public address.
pub(crate) const PUBLIC: &str = "93.184.216.34";
const CERTIFICATE: &[u8] = include_bytes!("connect/named.example.cert.der");
const KEY: &[u8] = include_bytes!("connect/named.example.key.der");

/// What a server does after it has read a request.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Send(Vec<u8>),
    Wait(Duration),
    Close,
}

/// What there is at an address; where nothing was put a connection is refused.
#[derive(Clone)]
pub(crate) enum At {
    /// A connection is never made and never refused.
    Silence,
    /// TLS, and these steps for every request.
    Https(Vec<Step>),
    /// No TLS, and these steps for every request.
    Http(Vec<Step>),
    /// TLS, and whatever the function does with the connection.
    Tls(fn(Box<dyn Duplex>)),
}

/// A network in memory; clones are the same network.
#[derive(Clone, Default)]
pub(crate) struct Network(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    names: HashMap<String, Vec<Vec<IpAddr>>>,
    places: HashMap<SocketAddr, At>,
    lookups: Vec<String>,
    dialed: Vec<SocketAddr>,
    requests: Vec<String>,
}

impl Network {
    /// The nth lookup of the name gets the nth list, every one after the last gets the last.
    pub(crate) fn name(self, name: &str, answers: &[&[&str]]) -> Self {
        let parse = |list: &&[&str]| list.iter().map(|a| a.parse().unwrap()).collect();
        let answers = answers.iter().map(parse).collect();
        self.0
            .lock()
            .unwrap()
            .names
            .insert(name.to_owned(), answers);
        self
    }

    /// Puts something at an address.
    pub(crate) fn at(self, address: &str, what: At) -> Self {
        let address = address.parse().unwrap();
        self.0.lock().unwrap().places.insert(address, what);
        self
    }

    /// `NAME` at `PUBLIC`, with these steps for every request.
    pub(crate) fn public(steps: Vec<Step>) -> Self {
        Self::default()
            .name(NAME, &[&[PUBLIC]])
            .at(&format!("{PUBLIC}:443"), At::Https(steps))
    }

    /// A client on this network that trusts the one certificate there is.
    pub(crate) fn client(&self, policy: Policy, limits: Limits) -> Client {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(CERTIFICATE)).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let (resolver, dial) = (self.clone(), self.clone());
        let tls = Tls::given(Some(tls));
        let connector = Connector::new(policy.clone(), limits.clone(), resolver, dial, tls);
        Client::over(connector, policy, limits)
    }

    pub(crate) fn strict(&self) -> Client {
        self.client(Policy::strict(), Limits::default())
    }

    pub(crate) fn lookups(&self) -> Vec<String> {
        self.0.lock().unwrap().lookups.clone()
    }

    pub(crate) fn dialed(&self) -> Vec<String> {
        let state = self.0.lock().unwrap();
        state.dialed.iter().map(ToString::to_string).collect()
    }

    /// The heads of the requests that were read, in order.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.0.lock().unwrap().requests.clone()
    }

    async fn serve<T: Duplex>(self, mut stream: T, steps: Vec<Step>) {
        loop {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                match stream.read_u8().await {
                    Ok(byte) => head.push(byte),
                    Err(_) => return,
                }
            }
            let head = String::from_utf8(head).unwrap();
            self.0.lock().unwrap().requests.push(head);
            for step in &steps {
                let done = match step {
                    Step::Send(bytes) => stream.write_all(bytes).await,
                    Step::Wait(time) => {
                        tokio::time::sleep(*time).await;
                        Ok(())
                    }
                    Step::Close => stream.shutdown().await,
                };
                if done.is_err() || matches!(step, Step::Close) {
                    return;
                }
            }
        }
    }

    async fn accept(self, stream: DuplexStream, what: At) {
        match what {
            At::Silence => {}
            At::Http(steps) => self.serve(stream, steps).await,
            At::Https(steps) => {
                if let Ok(tls) = acceptor(b"http/1.1").accept(stream).await {
                    self.serve(tls, steps).await;
                }
            }
            At::Tls(serve) => {
                if let Ok(tls) = acceptor(b"h2").accept(stream).await {
                    serve(Box::new(tls));
                }
            }
        }
    }
}

fn acceptor(protocol: &[u8]) -> TlsAcceptor {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(KEY));
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![CertificateDer::from(CERTIFICATE)], key)
        .unwrap();
    config.alpn_protocols = vec![protocol.to_vec()];
    TlsAcceptor::from(Arc::new(config))
}

impl Resolve for Network {
    fn resolve(&self, name: String) -> Resolving {
        let mut state = self.0.lock().unwrap();
        let nth = state.lookups.iter().filter(|known| **known == name).count();
        let answers = state.names.get(&name);
        let answer = answers.and_then(|all| all.get(nth).or(all.last())).cloned();
        state.lookups.push(name);
        Box::pin(async move { answer.ok_or_else(|| io::Error::other("no such name")) })
    }
}

impl Dial for Network {
    fn dial(&self, address: SocketAddr) -> Dialing {
        let mut state = self.0.lock().unwrap();
        state.dialed.push(address);
        let what = state.places.get(&address).cloned();
        let network = self.clone();
        Box::pin(async move {
            match what {
                None => Err(io::ErrorKind::ConnectionRefused.into()),
                Some(At::Silence) => std::future::pending().await,
                Some(what) => {
                    let (ours, theirs) = duplex(64 * 1024);
                    drop(tokio::spawn(network.accept(theirs, what)));
                    Ok(Box::new(ours) as Box<dyn Duplex>)
                }
            }
        })
    }
}

pub(crate) fn get(url: &str) -> Request<Bytes> {
    Request::get(url).body(Bytes::new()).unwrap()
}

pub(crate) fn send(text: &str) -> Step {
    Step::Send(text.as_bytes().to_vec())
}

/// A whole answer with this body.
pub(crate) fn ok(body: &str) -> Vec<Step> {
    let length = body.len();
    vec![send(&format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}"
    ))]
}

pub(crate) const fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}
