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
use tokio::time::timeout_at;
use tower_service::Service;

use crate::connect::{Connector, Tls};
use crate::dial::Tcp;
use crate::error::EgressError;
use crate::in_flight::InFlight;
use crate::limits::{Limits, NEVER, deadline};
use crate::policy::Policy;
use crate::resolve::{Resolve, SystemResolver};
use crate::stream::{StreamedBody, Streaming};

/// An HTTP client that may be pointed at URLs from strangers.
///
/// For each request, in this order:
///
/// 1. The URL is checked: scheme, credentials, host, port.
/// 2. A place is taken, in total and for the host; without one the request is refused at once.
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
/// Does not check: the status, the media type, the content. Does not cache: [`Documents`](crate::Documents) does.
/// Interim answers (`103 Early Hints` and its kin) are thrown away and bounded by time alone.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    policy: Policy,
    limits: Limits,
    in_flight: InFlight,
    http: legacy::Client<Connector, Full<Bytes>>,
}

impl Client {
    /// A client with the operating system's resolver and trust roots, which are read before the first `https` request.
    ///
    /// On a machine without trust roots it is made all the same, and every `https` request fails
    /// with [`EgressError::NoTrustRoots`].
    pub fn new(policy: Policy, limits: Limits) -> Self {
        Self::with_resolver(policy, limits, SystemResolver)
    }

    /// A client with a resolver of the caller's; what it answers is checked like any answer.
    pub fn with_resolver(policy: Policy, limits: Limits, resolver: impl Resolve) -> Self {
        let tls = Tls::of_the_system();
        let connector = Connector::new(policy.clone(), limits.clone(), resolver, Tcp, tls);
        Self::over(connector, policy, limits)
    }

    /// A client with a pool of its own over this connector.
    pub(crate) fn over(connector: Connector, policy: Policy, limits: Limits) -> Self {
        // A peer may send as much as the window of a stream before anybody looks at it.
        let window = limits.body_bytes.clamp(SMALLEST_WINDOW, LARGEST_WINDOW);
        let window = u32::try_from(window).ok();
        let http = legacy::Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(POOL_IDLE)
            .pool_max_idle_per_host(limits.in_flight_per_host.div_ceil(IDLE_SHARE))
            .http1_max_headers(limits.header_count.min(MOST_FIELDS))
            .http1_max_buf_size(head_size(&limits))
            .http2_max_header_list_size(list_size(&limits))
            .http2_initial_stream_window_size(window)
            .http2_keep_alive_interval(PING_AFTER)
            .http2_keep_alive_timeout(limits.total.min(NEVER))
            .build(connector);
        Self {
            inner: Arc::new(Inner {
                in_flight: InFlight::new(&limits),
                policy,
                limits,
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
        let limits = &inner.limits;
        // The connector asks again; asking here keeps a refused URL from using a place.
        let target = inner.policy.target(request.uri())?;
        let place = inner.in_flight.enter(&target)?;
        let end = deadline(limits.total);
        let by = end.min(deadline(limits.headers));
        let mut response = match timeout_at(by, inner.head(request)).await {
            Ok(response) => response?,
            Err(_) if by < end => {
                let limit = limits.headers;
                return Err(EgressError::HeadersTimeout { limit });
            }
            Err(_) => {
                let limit = limits.total;
                return Err(EgressError::Deadline { limit });
            }
        };
        // The bare connection of a 101, which no cap holds for, and which would be open for as long as the response is kept.
        response.extensions_mut().clear();
        let limit = limits.body_bytes;
        let body = response.body();
        // A length announced beyond the limit is refused before any of it is read; to a HEAD it may be any.
        if body.is_end_stream()
            || usize::try_from(body.size_hint().lower()).is_ok_and(|least| least <= limit)
        {
            return Ok(response.map(|body| StreamedBody::new(body, limits, end, place)));
        }
        Err(EgressError::BodyTooLarge { limit })
    }

    /// Sends one request and reads the whole response.
    ///
    /// # Errors
    ///
    /// [`EgressError`] says what was refused or what failed.
    pub async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, EgressError> {
        let (parts, mut body) = self.open(request).await?.into_parts();
        let mut read = BytesMut::new();
        while let Some(frame) = body.frame().await {
            if let Ok(data) = frame?.into_data() {
                read.extend_from_slice(&data);
            }
        }
        Ok(Response::from_parts(parts, read.freeze()))
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

/// How many bytes HTTP/1 reads in search of the end of the header fields: as many as there may be, and what stands around
/// their names and values.
// RFC 9112 sections 4 and 5: a status line, and a colon, a space and a line's end with each field.
fn head_size(limits: &Limits) -> usize {
    let around = limits.header_count.saturating_mul(4);
    let fields = limits.header_bytes.saturating_add(around);
    fields.saturating_add(STATUS_LINE).max(SMALLEST_BUFFER)
}

/// How long a list of header fields HTTP/2 reads before it resets the stream, without a word about the reason: twice what
/// is allowed, so that what is somewhat too long is refused by [`check_headers`], which says so.
// RFC 9113 section 6.5.2: each field counts 32 bytes more than its name and value.
fn list_size(limits: &Limits) -> u32 {
    let overhead = limits.header_count.saturating_mul(32);
    let allowed = limits.header_bytes.saturating_add(overhead);
    u32::try_from(allowed.saturating_mul(2)).unwrap_or(u32::MAX)
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

/// How long an idle connection is kept: long enough for the requests that a sign-in makes in a row, and
/// shorter than the five seconds after which common servers close one (Node, Apache), because a POST that
/// is written at that moment is lost.
const POOL_IDLE: Duration = Duration::from_secs(4);

/// Idle connections kept for one host, as a share of the exchanges that it may have at once: 4 by default, and more for a
/// client that nearly always asks the same host, which would else connect anew for most of its requests.
const IDLE_SHARE: usize = 4;

/// How long an HTTP/2 connection in use may be silent before it is asked for a sign of life; it has as long as an exchange may last
/// to give one. One that is dead, without a word that it is, would be used by every request that comes before it was idle
/// for long enough: all of them would fail until the operating system notices, which takes a quarter of an hour.
const PING_AFTER: Duration = Duration::from_secs(10);

/// Bytes of an HTTP/1 status line and the empty line at the end; a reason that is longer takes from the header fields.
const STATUS_LINE: usize = 256;

/// Header fields that HTTP/1 makes room for, whatever the limit says: the room is taken for every response, and a map
/// holds no more than 24576.
const MOST_FIELDS: usize = 4096;

/// The smallest read buffer that hyper accepts, in bytes.
const SMALLEST_BUFFER: usize = 8192;

/// The window of one HTTP/2 stream, in bytes: no less than where every connection begins (RFC 9113 section 6.9.2), and no more than
/// a megabyte, which a long body refills as it is read.
const SMALLEST_WINDOW: usize = 65_535;
const LARGEST_WINDOW: usize = 1024 * 1024;
