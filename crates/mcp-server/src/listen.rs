//! Sockets: listeners, limits on every connection, draining.

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

use crate::write_timeout::WriteTimeout;

/// A request body that has to keep coming: a pause over [`Limits::body_idle`] is an error.
pub(crate) type RequestBody = TimeoutBody<Incoming>;

/// What one listener allows its peers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// From the first byte that could have come to the end of the header block.
    pub(crate) header_time: Duration,
    /// The longest pause between two parts of a body.
    pub(crate) body_idle: Duration,
    /// The longest time that a peer may not read what is written to it.
    pub(crate) write_idle: Duration,
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
            // A reader that stands still for so long is gone; a slow one makes progress.
            write_idle: Duration::from_secs(30),
            // Room for a bearer token of 16 KiB, the largest that is read at all, and the rest.
            header_bytes: 32 * 1024,
            headers: 64,
            connections: 256,
            drain: Duration::from_secs(2),
        }
    }
}

/// A bound socket.
#[derive(Debug)]
pub(crate) struct Listener {
    socket: TcpListener,
    address: SocketAddr,
}

impl Listener {
    /// Binds `port` of 127.0.0.1, which only this machine can reach; 0 takes any free port.
    pub(crate) async fn loopback(port: u16, remedy: &'static str) -> Result<Self, BindError> {
        Self::at(
            SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port),
            remedy,
        )
        .await
    }

    /// Binds this address; `remedy` says how to choose another.
    pub(crate) async fn at(wanted: SocketAddr, remedy: &'static str) -> Result<Self, BindError> {
        let failed = |source| BindError {
            wanted,
            source,
            remedy,
        };
        let socket = TcpListener::bind(wanted).await.map_err(failed)?;
        let address = socket.local_addr().map_err(failed)?;
        Ok(Self { socket, address })
    }

    /// Where it listens, the port included.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Why a listener could not be made: the operating system refused.
#[derive(Debug)]
pub(crate) struct BindError {
    /// The address asked for.
    wanted: SocketAddr,
    /// What the operating system said.
    source: io::Error,
    /// How to choose another.
    remedy: &'static str,
}

impl std::fmt::Display for BindError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            wanted,
            source,
            remedy,
        } = self;
        if source.kind() == io::ErrorKind::AddrInUse {
            let port = wanted.port();
            write!(
                f,
                "port {port} is taken: stop what uses it, or choose another (0 takes any free port) with {remedy}"
            )
        } else {
            write!(f, "cannot listen on {wanted}: {source}")
        }
    }
}

impl std::error::Error for BindError {}

/// Serves `service` on `listener` until `stop`, then lets open requests finish within the drain time.
pub(crate) async fn serve<S, B>(
    listener: Listener,
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
        .serve_connection(
            TokioIo::new(WriteTimeout::new(io, limits.write_idle)),
            service,
        );
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

    /// Answers with more than fits into a connection that nobody reads.
    #[derive(Clone)]
    struct Large;

    impl Service<Request<RequestBody>> for Large {
        type Response = Response<Full<Bytes>>;
        type Error = Infallible;
        type Future = std::future::Ready<Result<Response<Full<Bytes>>, Infallible>>;

        fn poll_ready(
            &mut self,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Result<(), Infallible>> {
            std::task::Poll::Ready(Ok(()))
        }

        fn call(&mut self, _: Request<RequestBody>) -> Self::Future {
            std::future::ready(Ok(Response::new(Full::new(vec![7; 1 << 20].into()))))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_does_not_read_its_answer_is_given_up() {
        let (mut here, there) = tokio::io::duplex(64 * 1024);
        let limits = Limits::default();
        let server = tokio::spawn(connection(there, Large, limits, CancellationToken::new()));
        let begun = tokio::time::Instant::now();
        here.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            .await
            .unwrap();
        server.await.unwrap();
        let took = begun.elapsed();
        let limit = limits.write_idle;
        assert!(
            took >= limit && took < limit + Duration::from_secs(1),
            "{took:?}"
        );
    }

    /// Says that a request is there, and never answers it.
    #[derive(Clone)]
    struct Stuck(Arc<tokio::sync::Notify>);

    impl Service<Request<RequestBody>> for Stuck {
        type Response = Response<Full<Bytes>>;
        type Error = Infallible;
        type Future = std::future::Pending<Result<Response<Full<Bytes>>, Infallible>>;

        fn poll_ready(
            &mut self,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Result<(), Infallible>> {
            std::task::Poll::Ready(Ok(()))
        }

        fn call(&mut self, _: Request<RequestBody>) -> Self::Future {
            self.0.notify_one();
            std::future::pending()
        }
    }

    #[tokio::test]
    async fn a_request_that_does_not_end_holds_the_end_up_for_the_drain_time_at_most() {
        let listener = Listener::loopback(0, "--port").await.unwrap();
        let address = listener.address();
        let (came, stop) = (
            Arc::new(tokio::sync::Notify::new()),
            CancellationToken::new(),
        );
        let limits = Limits {
            drain: Duration::ZERO,
            ..Limits::default()
        };
        let stuck = Stuck(Arc::clone(&came));
        let server = tokio::spawn(serve(listener, stuck, limits, stop.clone()));
        let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
        socket
            .write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            .await
            .unwrap();
        came.notified().await;
        assert!(!server.is_finished());
        stop.cancel();
        server.await.unwrap();
    }

    #[tokio::test]
    async fn loopback_is_this_machine_and_a_taken_port_is_told() {
        let bound = Listener::loopback(0, "--port").await.unwrap();
        assert!(bound.address().ip().is_loopback());
        let port = bound.address().port();
        let taken = Listener::loopback(port, "--port").await.unwrap_err();
        assert_eq!(
            taken.to_string(),
            format!(
                "port {port} is taken: stop what uses it, or choose another (0 takes any free port) with --port"
            )
        );
    }
}
