//! The connector: look up, check every answer, connect to a checked address, TLS with the name.

use std::error::Error;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::crypto::ring::default_provider;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tower_service::Service;

use crate::error::EgressError;
use crate::host::Host;
use crate::limits::Limits;
use crate::policy::{Policy, Target};
use crate::resolve::Resolve;

type Connecting<T> = Pin<Box<dyn Future<Output = Result<T, EgressError>> + Send>>;

/// Opens plain connections, to checked addresses only.
#[derive(Clone)]
pub(crate) struct CheckedConnector {
    policy: Policy,
    resolver: Arc<dyn Resolve>,
    resolve_limit: Duration,
    connect_limit: Duration,
}

impl CheckedConnector {
    pub(crate) fn new(policy: Policy, resolver: Arc<dyn Resolve>, limits: &Limits) -> Self {
        Self {
            policy,
            resolver,
            resolve_limit: limits.resolve,
            connect_limit: limits.connect,
        }
    }

    async fn connect(self, uri: Uri) -> Result<TokioIo<TcpStream>, EgressError> {
        let target = self.policy.target(&uri)?;
        let answers = self.lookup(&target).await?;
        let admitted = self.policy.admit(&target, &answers)?;
        let stream = self.first_that_answers(&target, &admitted).await?;
        Ok(TokioIo::new(stream))
    }

    /// The addresses of the host; a literal is its own answer and never reaches the resolver.
    async fn lookup(&self, target: &Target) -> Result<Vec<IpAddr>, EgressError> {
        let name = match &target.host {
            Host::Address(address) => return Ok(vec![*address]),
            Host::Name(name) => name.clone(),
        };
        let limit = self.resolve_limit;
        let host = || target.text.clone();
        match timeout(limit, self.resolver.resolve(name)).await {
            Ok(Ok(answers)) => Ok(answers),
            Ok(Err(_)) => Err(EgressError::NotFound { host: host() }),
            Err(_) => Err(EgressError::ResolveTimeout {
                host: host(),
                limit,
            }),
        }
    }

    /// Tries the addresses in turn; each gets an equal share of the time, so that one that
    /// swallows packets does not keep the next from being tried.
    async fn first_that_answers(
        &self,
        target: &Target,
        admitted: &[SocketAddr],
    ) -> Result<TcpStream, EgressError> {
        let attempts = admitted.len().clamp(1, MAX_ATTEMPTS);
        let share = self.connect_limit / u32::try_from(attempts).unwrap_or(1);
        let mut kind = io::ErrorKind::NotFound;
        for address in admitted.iter().take(attempts) {
            match timeout(share, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    // A small document is one packet each way; waiting for more delays it.
                    return match stream.set_nodelay(true) {
                        Ok(()) => Ok(stream),
                        Err(e) => Err(failed(target, e.kind())),
                    };
                }
                Ok(Err(e)) => kind = e.kind(),
                Err(_) => kind = io::ErrorKind::TimedOut,
            }
        }
        Err(failed(target, kind))
    }
}

fn failed(target: &Target, kind: io::ErrorKind) -> EgressError {
    EgressError::Connect {
        host: target.text.clone(),
        kind,
    }
}

/// Addresses of one name that are tried.
const MAX_ATTEMPTS: usize = 4;

impl Service<Uri> for CheckedConnector {
    type Response = TokioIo<TcpStream>;
    type Error = EgressError;
    type Future = Connecting<Self::Response>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(self.clone().connect(uri))
    }
}

/// Adds TLS where the URL says `https`, and one limit over everything up to the handshake's end.
#[derive(Clone)]
pub(crate) struct Connector {
    plain: CheckedConnector,
    tls: Option<HttpsConnector<CheckedConnector>>,
    limit: Duration,
}

impl Connector {
    /// Trusts the operating system's roots; where it has none, `https` is refused and the rest works.
    pub(crate) fn new(plain: CheckedConnector, limits: &Limits) -> Self {
        Self::with_tls(plain, system_roots(), limits)
    }

    fn with_tls(plain: CheckedConnector, config: Option<ClientConfig>, limits: &Limits) -> Self {
        let tls = config.map(|config| {
            HttpsConnectorBuilder::new()
                .with_tls_config(config)
                .https_only()
                .enable_http1()
                .enable_http2()
                .wrap_connector(plain.clone())
        });
        Self {
            plain,
            tls,
            limit: limits.connect,
        }
    }
}

/// Certificates are checked against the operating system's roots, if there are any.
fn system_roots() -> Option<ClientConfig> {
    // The provider is named: a process-wide one may be another, or missing.
    let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()));
    let builder = builder.with_safe_default_protocol_versions().ok()?;
    Some(builder.with_native_roots().ok()?.with_no_client_auth())
}

impl Service<Uri> for Connector {
    type Response = MaybeHttpsStream<TokioIo<TcpStream>>;
    type Error = EgressError;
    type Future = Connecting<Self::Response>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let limit = self.limit;
        let connecting: Connecting<Self::Response> = match (uri.scheme_str(), &mut self.tls) {
            (Some("https"), Some(tls)) => {
                let handshake = tls.call(uri);
                Box::pin(async move { handshake.await.map_err(handshake_error) })
            }
            (Some("https"), None) => Box::pin(async { Err(EgressError::NoTrustRoots) }),
            // Whether plain http may be used at all is the checked connector's to say.
            _ => {
                let plain = self.plain.call(uri);
                Box::pin(async move { Ok(MaybeHttpsStream::Http(plain.await?)) })
            }
        };
        Box::pin(async move {
            match timeout(limit, connecting).await {
                Ok(result) => result,
                Err(_) => Err(EgressError::ConnectTimeout { limit }),
            }
        })
    }
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
