//! Sockets: loopback listeners, limits on every connection, draining.

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_http::timeout::TimeoutBody;
use tower_service::Service;

/// A request body that has to keep coming: a pause over [`Limits::body_idle`] is an error.
pub(crate) type RequestBody = TimeoutBody<Incoming>;

/// What one listener allows its peers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// From the first byte that could have come to the end of the header block.
    pub(crate) header_time: Duration,
    /// The longest pause between two parts of a body.
    pub(crate) body_idle: Duration,
    /// Bytes of one header block; hyper answers 431 beyond it.
    pub(crate) header_bytes: usize,
    /// Header fields of one request; hyper answers 431 beyond it.
    pub(crate) headers: usize,
    /// Connections open at once; further ones wait in the backlog of the system.
    pub(crate) connections: usize,
    /// How long open requests may take to finish once the program is asked to stop.
    pub(crate) drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // An honest client on loopback needs milliseconds. Kept-alive connections idle under the
            // same clock, and common clients drop theirs after five seconds.
            header_time: Duration::from_secs(15),
            body_idle: Duration::from_secs(10),
            // Room for a bearer token of 16 KiB, the largest that is read at all, and the rest.
            header_bytes: 32 * 1024,
            headers: 64,
            connections: 256,
            drain: Duration::from_secs(2),
        }
    }
}

/// A bound socket that only this machine can reach.
#[derive(Debug)]
pub(crate) struct LoopbackListener {
    socket: TcpListener,
    address: SocketAddr,
}

impl LoopbackListener {
    /// Binds `port` of 127.0.0.1; 0 takes any free port.
    pub(crate) async fn bind(port: u16) -> Result<Self, BindError> {
        Self::bind_to(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)).await
    }

    /// Binds `wanted` if it is a loopback address, and refuses it otherwise.
    async fn bind_to(wanted: SocketAddr) -> Result<Self, BindError> {
        // Sign-in without a password is for the person at this machine alone.
        if !wanted.ip().is_loopback() {
            return Err(BindError::NotLoopback(wanted));
        }
        let failed = |source| BindError::Socket { wanted, source };
        let socket = TcpListener::bind(wanted).await.map_err(failed)?;
        let address = socket.local_addr().map_err(failed)?;
        Ok(Self { socket, address })
    }

    /// Where it listens, the port included.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Why a listener could not be made.
#[derive(Debug)]
pub(crate) enum BindError {
    /// The address can be reached from other machines.
    NotLoopback(SocketAddr),
    /// The operating system refused.
    Socket {
        /// The address asked for.
        wanted: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },
}

impl std::fmt::Display for BindError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotLoopback(address) => write!(
                f,
                "{address} is not a loopback address: `dev` signs people in without a password \
                 and listens on 127.0.0.1 only"
            ),
            Self::Socket { wanted, source } if source.kind() == io::ErrorKind::AddrInUse => write!(
                f,
                "port {} is taken: stop what uses it, or choose another (0 takes any free port) \
                 with --mcp-port, --auth-port or --sandbox-port",
                wanted.port()
            ),
            Self::Socket { wanted, source } => write!(f, "cannot listen on {wanted}: {source}"),
        }
    }
}

impl std::error::Error for BindError {}

/// Serves `service` on `listener` until `stop`, then lets open requests finish within the drain time.
pub(crate) async fn serve<S, B>(
    listener: LoopbackListener,
    service: S,
    limits: Limits,
    stop: CancellationToken,
) where
    S: Service<Request<RequestBody>, Response = Response<B>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let open = TaskTracker::new();
    let room = Arc::new(Semaphore::new(limits.connections));
    loop {
        let next = async {
            // The semaphore is never closed, so a permit comes in time or not at all.
            let permit = Arc::clone(&room).acquire_owned().await.ok()?;
            Some((permit, listener.socket.accept().await))
        };
        let (permit, accepted) = tokio::select! {
            () = stop.cancelled() => break,
            next = next => match next {
                Some(next) => next,
                None => break,
            },
        };
        match accepted {
            Ok((socket, _)) => {
                // Answers are small and awaited; waiting to fill a segment only delays them.
                if let Err(error) = socket.set_nodelay(true) {
                    tracing::debug!(%error, "TCP_NODELAY not set");
                }
                let (service, stop) = (service.clone(), stop.clone());
                open.spawn(async move {
                    connection(socket, service, limits, stop).await;
                    drop(permit);
                });
            }
            Err(error) => {
                // Out of file descriptors, most likely: give the open connections time to end.
                tracing::warn!(%error, "a connection was not accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    open.close();
    if tokio::time::timeout(limits.drain, open.wait())
        .await
        .is_err()
    {
        tracing::warn!(open = open.len(), "stopped with requests still open");
    }
}

/// Speaks HTTP/1.1 on one connection until either side ends it.
async fn connection<I, S, B>(io: I, service: S, limits: Limits, stop: CancellationToken)
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Service<Request<RequestBody>, Response = Response<B>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let service = TowerToHyperService::new(service);
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let request = request.map(|body| TimeoutBody::new(limits.body_idle, body));
        hyper::service::Service::call(&service, request)
    });
    let connection = http1::Builder::new()
        // Without a timer hyper's header deadline does nothing.
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_time)
        .max_buf_size(limits.header_bytes)
        .max_headers(limits.headers)
        .serve_connection(TokioIo::new(io), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "connection ended early");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::{BodyExt, Full};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    /// Counts the bytes of the body, or says that it did not come.
    #[derive(Clone)]
    struct Counting;

    impl Service<Request<RequestBody>> for Counting {
        type Response = Response<Full<Bytes>>;
        type Error = Infallible;
        type Future = std::pin::Pin<
            Box<dyn Future<Output = Result<Response<Full<Bytes>>, Infallible>> + Send>,
        >;

        fn poll_ready(
            &mut self,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Result<(), Infallible>> {
            std::task::Poll::Ready(Ok(()))
        }

        fn call(&mut self, request: Request<RequestBody>) -> Self::Future {
            Box::pin(async move {
                let text = match request.into_body().collect().await {
                    Ok(body) => body.to_bytes().len().to_string(),
                    Err(_) => "the body did not come".to_owned(),
                };
                Ok(Response::new(Full::new(Bytes::from(text))))
            })
        }
    }

    /// Writes `sent` and reads until the server closes; also how long that took.
    async fn exchange(sent: &[u8]) -> (String, Duration) {
        let (mut here, there) = tokio::io::duplex(64 * 1024);
        let server = tokio::spawn(connection(
            there,
            Counting,
            Limits::default(),
            CancellationToken::new(),
        ));
        let begun = tokio::time::Instant::now();
        // A server that has refused already may have closed its side.
        here.write_all(sent).await.unwrap_or_default();
        let mut answer = Vec::new();
        here.read_to_end(&mut answer).await.unwrap();
        server.await.unwrap();
        (String::from_utf8(answer).unwrap(), begun.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn a_whole_request_is_answered() {
        let (answer, took) = exchange(
            b"POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 3\r\n\r\nabc",
        )
        .await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.ends_with("\r\n\r\n3"), "{answer}");
        assert_eq!(took, Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_header_that_does_not_end_is_cut_off_at_its_deadline() {
        for sent in [&b""[..], b"POST / HT", b"POST / HTTP/1.1\r\nhost: a\r\nx: "] {
            let (answer, took) = exchange(sent).await;
            assert_eq!(answer, "", "closed without an answer");
            let deadline = Limits::default().header_time;
            assert!(
                took >= deadline && took < deadline + Duration::from_secs(1),
                "{took:?}"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_stops_coming_is_an_error_of_the_body() {
        let (answer, took) = exchange(
            b"POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 3\r\n\r\nab",
        )
        .await;
        assert!(answer.ends_with("the body did not come"), "{answer}");
        let deadline = Limits::default().body_idle;
        assert!(
            took >= deadline && took < deadline + Duration::from_secs(1),
            "{took:?}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn headers_over_their_bounds_are_answered_431() {
        let many = "x: y\r\n".repeat(Limits::default().headers + 1);
        // Twice the bound: what arrived in the same read as the last allowed byte is looked at too.
        let long = format!("x: {}\r\n", "y".repeat(2 * Limits::default().header_bytes));
        for (what, headers) in [("many", many), ("long", long)] {
            let (answer, _) = exchange(format!("GET / HTTP/1.1\r\n{headers}\r\n").as_bytes()).await;
            assert!(answer.starts_with("HTTP/1.1 431 "), "{what}: {answer}");
        }
    }

    #[tokio::test]
    async fn only_loopback_addresses_are_bound() {
        let bound = LoopbackListener::bind(0).await.unwrap();
        assert!(bound.address().ip().is_loopback());
        for open in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
            let refused = LoopbackListener::bind_to(open.parse().unwrap())
                .await
                .unwrap_err();
            assert!(matches!(refused, BindError::NotLoopback(_)), "{refused}");
            assert!(refused.to_string().contains("127.0.0.1 only"));
        }
        let taken = LoopbackListener::bind(bound.address().port())
            .await
            .unwrap_err();
        assert!(taken.to_string().contains("is taken"), "{taken}");
    }
}
