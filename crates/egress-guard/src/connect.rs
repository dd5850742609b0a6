//! The connector: look up, check every answer, connect to a checked address, TLS with the name.

use std::error::Error;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::Uri;
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, MaybeHttpsStream};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::crypto::ring::default_provider;
use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};
use tower_service::Service;

use crate::dial::{Dial, Duplex, Opened};
use crate::error::EgressError;
use crate::host::Host;
use crate::limits::{Limits, deadline, permits};
use crate::policy::{Policy, Target};
use crate::resolve::Resolve;

type Connecting<T> = Pin<Box<dyn Future<Output = Result<T, EgressError>> + Send>>;

/// Opens connections to checked addresses: TLS where the URL says `https`, and one limit over everything up to the
/// handshake's end.
#[derive(Clone)]
pub(crate) struct Connector {
    shared: Arc<Shared>,
    tls: Arc<Tls>,
}

/// What TLS connections are made with.
pub(crate) struct Tls {
    made: OnceCell<Option<Arc<ClientConfig>>>,
}

impl Tls {
    /// The roots of the operating system, read when somebody first needs them: that takes milliseconds and memory,
    /// and a program that comes up, or asks nobody over TLS, waits for neither.
    pub(crate) fn of_the_system() -> Self {
        Self {
            made: OnceCell::new(),
        }
    }

    /// This; without one `https` is refused and the rest works.
    #[cfg(test)]
    pub(crate) fn given(config: Option<ClientConfig>) -> Self {
        Self {
            made: OnceCell::new_with(Some(config.map(with_versions))),
        }
    }

    async fn config(&self) -> Option<Arc<ClientConfig>> {
        let read = async {
            // The roots are files, and whoever else works on this thread should not wait for them.
            let read = tokio::task::spawn_blocking(system_roots).await;
            read.ok().flatten().map(with_versions)
        };
        self.made.get_or_init(|| read).await.clone()
    }
}

fn with_versions(mut tls: ClientConfig) -> Arc<ClientConfig> {
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Arc::new(tls)
}

struct Shared {
    policy: Policy,
    limits: Limits,
    resolver: Box<dyn Resolve>,
    dial: Box<dyn Dial>,
    lookups: Arc<Semaphore>,
    connections: Arc<Semaphore>,
}

impl Connector {
    pub(crate) fn new(
        policy: Policy,
        limits: Limits,
        resolver: impl Resolve,
        dial: impl Dial,
        tls: Tls,
    ) -> Self {
        let shared = Shared {
            lookups: Arc::new(Semaphore::new(permits(limits.lookups))),
            connections: Arc::new(Semaphore::new(permits(limits.connections))),
            resolver: Box::new(resolver),
            dial: Box::new(dial),
            policy,
            limits,
        };
        Self {
            shared: Arc::new(shared),
            tls: Arc::new(tls),
        }
    }
}

impl Service<Uri> for Connector {
    type Response = MaybeHttpsStream<TokioIo<Opened>>;
    type Error = EgressError;
    type Future = Connecting<Self::Response>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let limit = self.shared.limits.connect;
        let end = deadline(limit);
        let mut plain = Checked {
            shared: Arc::clone(&self.shared),
            end,
        };
        let connecting: Connecting<Self::Response> = if uri.scheme_str() == Some("https") {
            let tls = Arc::clone(&self.tls);
            Box::pin(async move {
                let tls = tls.config().await.ok_or(EgressError::NoTrustRoots)?;
                // The name of the URL goes into the handshake, whatever address was found for it.
                let handshake = HttpsConnector::from((plain, tls)).call(uri);
                handshake.await.map_err(handshake_error)
            })
        } else {
            // Whether plain http may be used at all is the checked connector's to say.
            let plain = plain.call(uri);
            Box::pin(async move { Ok(MaybeHttpsStream::Http(plain.await?)) })
        };
        Box::pin(async move {
            match timeout_at(end, connecting).await {
                Ok(result) => result,
                Err(_) => Err(EgressError::ConnectTimeout { limit }),
            }
        })
    }
}

/// Opens one plain connection, to a checked address only.
#[derive(Clone)]
struct Checked {
    shared: Arc<Shared>,
    /// When connecting has to be over.
    end: Instant,
}

impl Checked {
    async fn connect(self, uri: Uri) -> Result<TokioIo<Opened>, EgressError> {
        let policy = &self.shared.policy;
        let target = policy.target(&uri)?;
        let answers = self.lookup(&target).await?;
        let admitted = policy.admit(&target, &answers)?;
        let place = self.place().await?;
        let io = self
            .first_that_answers(&target, taking_turns(admitted))
            .await?;
        let patience = self.shared.limits.total;
        Ok(TokioIo::new(Opened::new(io, patience, place)))
    }

    /// The addresses of the host; a literal is its own answer and never reaches the resolver.
    async fn lookup(&self, target: &Target) -> Result<Vec<IpAddr>, EgressError> {
        let name = match &target.host {
            Host::Address(address) => return Ok(vec![*address]),
            Host::Name(name) => name.clone(),
        };
        let Limits {
            resolve, lookups, ..
        } = self.shared.limits;
        let end = deadline(resolve);
        let waiting = Arc::clone(&self.shared.lookups).acquire_owned();
        let Ok(Ok(permit)) = timeout_at(end, waiting).await else {
            return Err(EgressError::TooManyLookups { limit: lookups });
        };
        // A task of its own: a lookup that nobody waits for any more goes on, and counts until it ends.
        let resolving = self.shared.resolver.resolve(name);
        let lookup = tokio::spawn(async move {
            let found = resolving.await;
            drop(permit);
            found
        });
        let host = || target.text.clone();
        match timeout_at(end, lookup).await {
            Ok(Ok(Ok(answers))) => Ok(answers),
            Ok(_) => Err(EgressError::NotFound { host: host() }),
            Err(_) => Err(EgressError::ResolveTimeout {
                host: host(),
                limit: resolve,
            }),
        }
    }

    /// A place for one more connection; idle ones give theirs back after seconds.
    async fn place(&self) -> Result<OwnedSemaphorePermit, EgressError> {
        let waiting = Arc::clone(&self.shared.connections).acquire_owned();
        match timeout_at(self.end, waiting).await {
            Ok(Ok(place)) => Ok(place),
            _ => Err(EgressError::TooManyConnections {
                limit: self.shared.limits.connections,
            }),
        }
    }

    /// Tries the addresses in turn; each gets an equal share of the time that is left, so that one that
    /// swallows packets does not keep the next from being tried.
    async fn first_that_answers(
        &self,
        target: &Target,
        admitted: Vec<SocketAddr>,
    ) -> Result<Box<dyn Duplex>, EgressError> {
        let mut kind = io::ErrorKind::NotFound;
        let attempts = admitted.len().min(MAX_ATTEMPTS);
        for (address, left) in admitted.into_iter().zip((1..=attempts).rev()) {
            let now = Instant::now();
            let share = self.end.saturating_duration_since(now) / u32::try_from(left).unwrap_or(1);
            match timeout_at(now + share, self.shared.dial.dial(address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(e)) => kind = e.kind(),
                Err(_) => kind = io::ErrorKind::TimedOut,
            }
        }
        Err(EgressError::Connect {
            host: target.text.clone(),
            kind,
        })
    }
}

impl Service<Uri> for Checked {
    type Response = TokioIo<Opened>;
    type Error = EgressError;
    type Future = Connecting<Self::Response>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(self.clone().connect(uri))
    }
}

/// The addresses in an order in which the families take turns, the first one's first, so that a family which leads
/// nowhere does not use up the attempts.
// RFC 8305 section 4.
fn taking_turns(admitted: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let is_v4 = admitted.first().is_some_and(SocketAddr::is_ipv4);
    let mut order = Vec::with_capacity(admitted.len());
    let (own, other): (Vec<_>, Vec<_>) = admitted.into_iter().partition(|a| a.is_ipv4() == is_v4);
    let (mut own, mut other) = (own.into_iter(), other.into_iter());
    loop {
        match (own.next(), other.next()) {
            (None, None) => return order,
            (one, another) => order.extend(one.into_iter().chain(another)),
        }
    }
}

/// Addresses of one name that are tried.
const MAX_ATTEMPTS: usize = 4;

/// Certificates are checked against the operating system's roots, if there are any.
fn system_roots() -> Option<ClientConfig> {
    // The provider is named: a process-wide one may be another, or missing.
    let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()));
    let builder = builder.with_safe_default_protocol_versions().ok()?;
    Some(builder.with_native_roots().ok()?.with_no_client_auth())
}

/// Our own refusals come back out of the TLS connector in a box; what else is in it is TLS's.
fn handshake_error(boxed: Box<dyn Error + Send + Sync>) -> EgressError {
    match boxed.downcast::<EgressError>() {
        Ok(ours) => *ours,
        Err(other) => EgressError::Tls {
            source: Arc::from(other),
        },
    }
}

#[cfg(test)]
mod tests;
