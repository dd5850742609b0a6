//! The client: one exchange, with every cap applied, as a tower service.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::HOST;
use http::{HeaderMap, Request, Response};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout, timeout_at};
use tower_service::Service;

use crate::connect::{CheckedConnector, Connector};
use crate::error::EgressError;
use crate::limits::Limits;
use crate::policy::Policy;
use crate::resolve::{Resolve, SystemResolver};
use crate::stream::{StreamedBody, Streaming};

/// An HTTP client that may be pointed at URLs from strangers.
///
/// For each request, in this order:
///
/// 1. The URL is checked: scheme, credentials, host, port.
/// 2. A permit is taken; without one the request is refused at once.
/// 3. The host is looked up unless it is a literal; every answer is checked against the
///    [table](crate::address); the connection is made to a checked address, with the name used
///    for TLS only. A connection that is open already was checked when it was made.
/// 4. The request is sent, with a `Host` made from the URL, whatever the caller set.
/// 5. Header fields and body are read up to the limits, all of it before one deadline.
///
/// A redirect is a response like any other. No proxy is used, from the environment or otherwise.
/// Nothing is decompressed. Nothing is tried twice, except on an open connection that turns out
/// to be closed before anything was sent on it, and a request that only reads (GET, HEAD), once, whose
/// connection is closed before the response began: a server may close an idle one at that very moment.
///
/// Clones share the connections and the limits. Must be called inside a tokio runtime.
///
/// Does not check: the status, the media type, the content. Does not cache.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    policy: Policy,
    limits: Limits,
    in_flight: Arc<Semaphore>,
    http: legacy::Client<Connector, Full<Bytes>>,
}

impl Client {
    /// A client with the operating system's resolver and trust roots.
    ///
    /// On a machine without trust roots it is made all the same, and every `https` request fails
    /// with [`EgressError::NoTrustRoots`].
    pub fn new(policy: Policy, limits: Limits) -> Self {
        let resolver = SystemResolver::new(limits.lookups);
        Self::with_resolver(policy, limits, resolver)
    }

    /// A client with a resolver of the caller's; what it answers is checked like any answer.
    pub fn with_resolver(policy: Policy, limits: Limits, resolver: impl Resolve) -> Self {
        let plain = CheckedConnector::new(policy.clone(), Arc::new(resolver), &limits);
        let connector = Connector::new(plain, &limits);
        let http = legacy::Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(POOL_IDLE)
            .pool_max_idle_per_host(POOL_IDLE_PER_HOST)
            .http1_max_headers(limits.header_count)
            .http1_max_buf_size(limits.header_bytes.max(SMALLEST_BUFFER))
            .http2_max_header_list_size(u32::try_from(limits.header_bytes).unwrap_or(u32::MAX))
            .build(connector);
        let permits = limits.in_flight.min(Semaphore::MAX_PERMITS);
        Self {
            inner: Arc::new(Inner {
                policy,
                limits,
                in_flight: Arc::new(Semaphore::new(permits)),
                http,
            }),
        }
    }

    /// The same client with bodies that are handed on as they arrive, for event streams.
    pub fn streaming(&self) -> Streaming {
        Streaming(self.clone())
    }

    /// Sends one request and returns when the response begins; its body still counts against the same limits.
    pub(crate) async fn open(
        &self,
        request: Request<Bytes>,
    ) -> Result<Response<StreamedBody>, EgressError> {
        let inner = &self.inner;
        inner.policy.target(request.uri())?;
        let limits = &inner.limits;
        let Ok(permit) = Arc::clone(&inner.in_flight).try_acquire_owned() else {
            let limit = limits.in_flight;
            return Err(EgressError::TooManyInFlight { limit });
        };
        let limit = limits.total;
        // A limit past the end of the clock is none.
        let now = Instant::now();
        let end = now.checked_add(limit).unwrap_or(now + NEVER);
        let Ok(response) = timeout_at(end, inner.head(request)).await else {
            return Err(EgressError::Deadline { limit });
        };
        Ok(response?.map(|body| StreamedBody::new(body, limits, end, permit)))
    }

    /// Sends one request and reads the whole response.
    ///
    /// # Errors
    ///
    /// [`EgressError`] says what was refused or what failed.
    pub async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, EgressError> {
        let inner = &self.inner;
        // The connector asks again; asking here keeps a refused URL from using a permit.
        inner.policy.target(request.uri())?;
        let limit = inner.limits.in_flight;
        let Ok(_permit) = inner.in_flight.try_acquire() else {
            return Err(EgressError::TooManyInFlight { limit });
        };
        let limit = inner.limits.total;
        match timeout(limit, inner.exchange(request)).await {
            Ok(result) => result,
            Err(_) => Err(EgressError::Deadline { limit }),
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("policy", &self.inner.policy)
            .field("limits", &self.inner.limits)
            .finish_non_exhaustive()
    }
}

impl Inner {
    async fn exchange(&self, request: Request<Bytes>) -> Result<Response<Bytes>, EgressError> {
        let (parts, body) = self.head(request).await?.into_parts();
        let body = read_body(body, self.limits.body_bytes).await?;
        Ok(Response::from_parts(parts, body))
    }

    /// Sends the request and reads up to the start of the body.
    async fn head(&self, request: Request<Bytes>) -> Result<Response<Incoming>, EgressError> {
        let mut request = request.map(Full::new);
        // The name that TLS proved is the name that is asked for.
        request.headers_mut().remove(HOST);
        // RFC 9110 section 9.2.2: what only reads may be sent again where the connection was closed.
        let again = request.method().is_safe().then(|| request.clone());
        let response = match (self.http.request(request).await, again) {
            (Err(error), Some(again)) if is_closed(&error) => self.http.request(again).await,
            (outcome, _) => outcome,
        };
        let response = response.map_err(exchange_error)?;
        check_headers(response.headers(), &self.limits)?;
        Ok(response)
    }
}

/// Counts the header fields, for both versions of HTTP alike.
fn check_headers(headers: &HeaderMap, limits: &Limits) -> Result<(), EgressError> {
    let bytes: usize = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum();
    if headers.len() > limits.header_count || bytes > limits.header_bytes {
        return Err(EgressError::HeadersTooLarge);
    }
    Ok(())
}

/// Reads a body to its end, or stops at the first byte too many.
async fn read_body<B>(mut body: B, limit: usize) -> Result<Bytes, EgressError>
where
    B: Body<Data = Bytes, Error = hyper::Error> + Unpin,
{
    let too_large = EgressError::BodyTooLarge { limit };
    // A length announced beyond the limit is refused before any of it is read.
    if body.size_hint().lower() > limit as u64 {
        return Err(too_large);
    }
    let mut read = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(broken)?;
        if let Ok(data) = frame.into_data() {
            if data.len() > limit - read.len() {
                return Err(too_large);
            }
            read.extend_from_slice(&data);
        }
    }
    Ok(read.freeze())
}

/// Finds our own refusal, or the header limit, behind what the HTTP library reports.
fn exchange_error(error: legacy::Error) -> EgressError {
    let mut cause: Option<&(dyn Error + 'static)> = error.source();
    while let Some(current) = cause {
        if let Some(ours) = current.downcast_ref::<EgressError>() {
            return ours.clone();
        }
        if let Some(hyper) = current.downcast_ref::<hyper::Error>()
            && hyper.is_parse_too_large()
        {
            return EgressError::HeadersTooLarge;
        }
        cause = current.source();
    }
    broken(error)
}

/// Whether the connection was closed before the response was there.
fn is_closed(error: &legacy::Error) -> bool {
    let mut cause: Option<&(dyn Error + 'static)> = error.source();
    while let Some(current) = cause {
        if let Some(hyper) = current.downcast_ref::<hyper::Error>()
            && hyper.is_incomplete_message()
        {
            return true;
        }
        if let Some(io) = current.downcast_ref::<io::Error>() {
            return matches!(
                io.kind(),
                io::ErrorKind::ConnectionReset
                    | io::ErrorKind::ConnectionAborted
                    | io::ErrorKind::BrokenPipe
            );
        }
        cause = current.source();
    }
    false
}

pub(crate) fn broken(error: impl Error + Send + Sync + 'static) -> EgressError {
    EgressError::Broken {
        source: Arc::new(error),
    }
}

impl Service<Request<Bytes>> for Client {
    type Response = Response<Bytes>;
    type Error = EgressError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Bytes>, EgressError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let client = self.clone();
        Box::pin(async move { client.send(request).await })
    }
}

/// Thirty years: longer than any exchange, and within what every clock can count.
const NEVER: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);

/// How long an idle connection is kept: long enough for the requests that a sign-in makes in a row, and
/// shorter than the five seconds after which common servers close one (Node, Apache), because a POST that
/// is written at that moment is lost.
const POOL_IDLE: Duration = Duration::from_secs(4);

/// Idle connections kept for one host.
const POOL_IDLE_PER_HOST: usize = 4;

/// The smallest read buffer that hyper accepts, in bytes.
const SMALLEST_BUFFER: usize = 8192;
