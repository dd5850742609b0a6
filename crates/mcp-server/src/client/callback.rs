//! The loopback address that the browser comes back to after sign-in.

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use std::{fmt, io};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use oauth_rs::params::Params;
use oauth_rs::secret::Secret;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

/// The one path that is answered.
pub(crate) const PATH: &str = "/callback";

/// How long a person has to sign in and agree: long enough to find a password, short enough not to be forgotten.
pub(crate) const WAIT: Duration = Duration::from_secs(300);

/// How long one connection may take in all. A browser on the same machine needs a fraction of a second.
const CONNECTION_TIME: Duration = Duration::from_secs(10);

/// Request line and headers of one request. A code, a state and an issuer are far below it.
const MAX_HEAD_BYTES: usize = 16 * 1024;

/// Connections at one time. Browsers open a few ahead of need; more than this is somebody else.
const MAX_CONNECTIONS: usize = 16;

/// Why no answer came back.
#[derive(Debug)]
pub(crate) enum CallbackError {
    /// The port could not be listened on, or listening failed.
    Listen(io::Error),
    /// Nobody came back in time.
    TooLate,
}

impl fmt::Display for CallbackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listen(error) => {
                write!(f, "cannot listen for the browser on 127.0.0.1: {error}")
            }
            Self::TooLate => write!(
                f,
                "nobody finished signing in within {} minutes; start again when you are ready",
                WAIT.as_secs() / 60
            ),
        }
    }
}

impl std::error::Error for CallbackError {}

/// A bound loopback port, not answering yet.
#[derive(Debug)]
pub(crate) struct Listener {
    socket: TcpListener,
    authority: String,
}

impl Listener {
    /// Binds `port` of 127.0.0.1, or any free one for 0. No other address is ever bound.
    ///
    /// # Errors
    ///
    /// When the port is taken or may not be used.
    pub(crate) async fn bind(port: u16) -> Result<Self, CallbackError> {
        // RFC 8252 section 8.3: the address itself rather than `localhost`, which may resolve to something else.
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .await
            .map_err(CallbackError::Listen)?;
        let address = socket.local_addr().map_err(CallbackError::Listen)?;
        Ok(Self {
            socket,
            authority: address.to_string(),
        })
    }

    /// The redirect address to name in the authorization request.
    pub(crate) fn redirect_uri(&self) -> String {
        format!("http://{}{PATH}", self.authority)
    }

    /// Waits for the one answer that carries `state`, and returns its query.
    ///
    /// Everything else that connects gets a refusal and changes nothing.
    ///
    /// # Errors
    ///
    /// [`CallbackError::TooLate`] after [`WAIT`].
    pub(crate) async fn wait(&self, state: Secret) -> Result<Secret, CallbackError> {
        let deadline = Instant::now() + WAIT;
        let (answers, mut answer) = mpsc::channel(1);
        let gate = Arc::new(Gate::new(self.authority.clone(), state, answers));
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = self.socket.accept(), if connections.len() < MAX_CONNECTIONS => {
                    match accepted {
                        Ok((stream, _)) => {
                            connections.spawn(serve(stream, Arc::clone(&gate)));
                        }
                        // The other side gave up before we came to it. Anything else that fails here fails again.
                        Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                        Err(error) => return Err(CallbackError::Listen(error)),
                    }
                }
                // A connection ends after its page has been written, so the person sees it before we move on.
                Some(_) = connections.join_next() => {
                    if let Ok(query) = answer.try_recv() {
                        return Ok(query);
                    }
                }
                () = sleep_until(deadline) => return Err(CallbackError::TooLate),
            }
        }
    }
}

/// Serves one connection: one request, one page, closed.
async fn serve<IO>(stream: IO, gate: Arc<Gate>)
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    let service = service_fn(move |request: Request<hyper::body::Incoming>| {
        let page = gate.receive(&request).page();
        async move { Ok::<_, Infallible>(page) }
    });
    let connection = http1::Builder::new()
        .keep_alive(false)
        .timer(TokioTimer::new())
        .header_read_timeout(CONNECTION_TIME)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    match timeout(CONNECTION_TIME, connection).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a connection to the callback address failed"),
        Err(_) => tracing::debug!("a connection to the callback address took too long"),
    }
}

/// What decides about a request, and remembers that the answer has been given.
struct Gate {
    authority: String,
    state: Secret,
    taken: AtomicBool,
    answers: mpsc::Sender<Secret>,
}

impl Gate {
    fn new(authority: String, state: Secret, answers: mpsc::Sender<Secret>) -> Self {
        Self {
            authority,
            state,
            taken: AtomicBool::new(false),
            answers,
        }
    }

    /// Takes the answer if this request is the one, or says why it is not.
    fn receive<B>(&self, request: &Request<B>) -> Reply {
        match self.check(request) {
            Ok(query) => {
                // The channel holds one, and only the first to arrive here sends.
                if self.taken.swap(true, Ordering::SeqCst) || self.answers.try_send(query).is_err()
                {
                    return Reply::AlreadyAnswered;
                }
                Reply::Taken
            }
            Err(refusal) => refusal,
        }
    }

    fn check<B>(&self, request: &Request<B>) -> Result<Secret, Reply> {
        // A page elsewhere may have its own name resolve to this machine; such a request carries that name.
        let host = request
            .headers()
            .get(header::HOST)
            .and_then(|host| host.to_str().ok());
        if host != Some(self.authority.as_str()) {
            return Err(Reply::WrongHost);
        }
        if request.uri().path() != PATH {
            return Err(Reply::NotFound);
        }
        if request.method() != Method::GET {
            return Err(Reply::WrongMethod);
        }
        let query = request.uri().query().unwrap_or_default();
        let params = Params::parse_query(query, &[]).map_err(|_| Reply::Malformed)?;
        // RFC 6749 section 10.12: an answer without the value we sent is not the answer to our request.
        match params.get("state") {
            Some(state) if self.state.ct_eq(state) => Ok(Secret::new(query)),
            _ => Err(Reply::WrongState),
        }
    }
}

/// What the browser is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reply {
    Taken,
    AlreadyAnswered,
    WrongHost,
    NotFound,
    WrongMethod,
    Malformed,
    WrongState,
}

impl Reply {
    fn status(self) -> StatusCode {
        match self {
            Self::Taken => StatusCode::OK,
            Self::AlreadyAnswered => StatusCode::CONFLICT,
            Self::WrongHost => StatusCode::MISDIRECTED_REQUEST,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::Malformed | Self::WrongState => StatusCode::BAD_REQUEST,
        }
    }

    /// Fixed text: nothing from the request is shown, least of all before the issuer has been compared.
    fn text(self) -> &'static str {
        match self {
            Self::Taken => {
                "The answer has arrived. You can close this window and go back to the terminal."
            }
            Self::AlreadyAnswered => "An answer was received already. Go back to the terminal.",
            Self::WrongHost => "This address is not served here.",
            Self::NotFound => "There is nothing at this address.",
            Self::WrongMethod => {
                "This address is opened by a browser that comes back from sign-in."
            }
            Self::Malformed => "This answer could not be read. Start again from the terminal.",
            Self::WrongState => {
                "This answer does not belong to the sign-in that is waiting. Start again from the terminal."
            }
        }
    }

    fn page(self) -> Response<Full<Bytes>> {
        let text = self.text();
        let html = format!(
            "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>Sign-in</title></head>\n\
             <body><p>{text}</p></body>\n</html>\n"
        );
        let mut response = Response::new(Full::new(Bytes::from(html)));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        for (name, value) in PAGE_HEADERS {
            headers.insert(name, HeaderValue::from_static(value));
        }
        if self == Self::WrongMethod {
            headers.insert(header::ALLOW, HeaderValue::from_static("GET"));
        }
        response
    }
}

/// No script, no frame, no cache, and the address with the code in it is not passed on.
const PAGE_HEADERS: [(header::HeaderName, &str); 7] = [
    (header::CONTENT_TYPE, "text/html; charset=utf-8"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (header::CONNECTION, "close"),
];

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    const AUTHORITY: &str = "127.0.0.1:4000";

    fn gate() -> (Arc<Gate>, mpsc::Receiver<Secret>) {
        let (sender, receiver) = mpsc::channel(1);
        (
            Arc::new(Gate::new(
                AUTHORITY.to_owned(),
                Secret::new("right"),
                sender,
            )),
            receiver,
        )
    }

    fn request(method: &str, target: &str) -> String {
        format!("{method} {target} HTTP/1.1\r\nHost: {AUTHORITY}\r\n\r\n")
    }

    /// Sends `text` on a connection of its own and returns all that comes back.
    async fn exchange(gate: &Arc<Gate>, text: &str) -> String {
        let (mut browser, server) = duplex(64 * 1024);
        let serving = tokio::spawn(serve(server, Arc::clone(gate)));
        browser.write_all(text.as_bytes()).await.unwrap();
        let mut answer = String::new();
        browser.read_to_string(&mut answer).await.unwrap();
        serving.await.unwrap();
        answer
    }

    fn status(answer: &str) -> &str {
        answer.split(' ').nth(1).unwrap_or("none")
    }

    #[tokio::test(start_paused = true)]
    async fn the_right_answer_is_taken_once() {
        let (gate, mut answers) = gate();
        let page = exchange(&gate, &request("GET", "/callback?code=abc&state=right")).await;
        assert_eq!(status(&page), "200", "{page}");
        assert_eq!(answers.try_recv().unwrap().expose(), "code=abc&state=right");

        let again = exchange(&gate, &request("GET", "/callback?code=other&state=right")).await;
        assert_eq!(status(&again), "409");
        assert!(answers.try_recv().is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_with_the_right_state_is_an_answer_too() {
        let (gate, mut answers) = gate();
        let page = exchange(
            &gate,
            &request("GET", "/callback?error=access_denied&state=right"),
        )
        .await;
        assert_eq!(status(&page), "200");
        assert!(!page.contains("access_denied"));
        assert!(
            answers
                .try_recv()
                .unwrap()
                .expose()
                .starts_with("error=access_denied")
        );
    }

    #[tokio::test(start_paused = true)]
    async fn every_page_is_safe_to_show() {
        let (gate, _answers) = gate();
        for target in [
            "/callback?code=abc&state=right",
            "/callback?state=wrong",
            "/elsewhere",
        ] {
            let page = exchange(&gate, &request("GET", target))
                .await
                .to_lowercase();
            for header in [
                "content-security-policy: default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
                "x-frame-options: deny",
                "x-content-type-options: nosniff",
                "referrer-policy: no-referrer",
                "cache-control: no-store",
            ] {
                assert!(page.contains(header), "{target}: {header}");
            }
            assert!(!page.contains("<script"));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_the_answer_changes_nothing() {
        let (gate, mut answers) = gate();
        let cases = [
            (request("GET", "/callback?code=abc&state=wrong"), "400"),
            (request("GET", "/callback?code=abc"), "400"),
            (request("GET", "/callback"), "400"),
            (
                request("GET", "/callback?state=right&state=right&code=abc"),
                "400",
            ),
            (request("GET", "/callback/?state=right&code=abc"), "404"),
            (request("GET", "/favicon.ico"), "404"),
            (request("HEAD", "/callback?state=right&code=abc"), "405"),
            (request("POST", "/callback?state=right&code=abc"), "405"),
            (
                "GET /callback?state=right&code=abc HTTP/1.1\r\nHost: evil.example\r\n\r\n"
                    .to_owned(),
                "421",
            ),
            (
                "GET /callback?state=right&code=abc HTTP/1.1\r\n\r\n".to_owned(),
                "421",
            ),
            ("nonsense\r\n\r\n".to_owned(), "400"),
        ];
        for (text, expected) in cases {
            let page = exchange(&gate, &text).await;
            assert_eq!(status(&page), expected, "{text}");
            assert!(answers.try_recv().is_err(), "{text}");
        }
        // And the sign-in that is waiting still succeeds.
        let page = exchange(&gate, &request("GET", "/callback?code=abc&state=right")).await;
        assert_eq!(status(&page), "200");
        assert!(answers.try_recv().is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_over_the_limit_is_refused() {
        let (gate, mut answers) = gate();
        let padding = "x".repeat(2 * MAX_HEAD_BYTES);
        let page = exchange(
            &gate,
            &format!(
                "GET /callback?state=right&code=abc HTTP/1.1\r\nHost: {AUTHORITY}\r\nX-Long: {padding}\r\n\r\n"
            ),
        )
        .await;
        assert_eq!(status(&page), "431");
        assert!(answers.try_recv().is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_says_nothing_is_closed() {
        let (gate, _answers) = gate();
        let (mut browser, server) = duplex(1024);
        let before = Instant::now();
        let serving = tokio::spawn(serve(server, gate));
        let mut answer = Vec::new();
        browser.read_to_end(&mut answer).await.unwrap();
        serving.await.unwrap();
        assert!(before.elapsed() >= CONNECTION_TIME);
        assert!(before.elapsed() < CONNECTION_TIME * 2);
    }

    #[tokio::test]
    async fn only_loopback_is_bound() {
        let listener = Listener::bind(0).await.unwrap();
        let address = listener.socket.local_addr().unwrap();
        assert_eq!(address.ip(), Ipv4Addr::LOCALHOST);
        assert_eq!(
            listener.redirect_uri(),
            format!("http://127.0.0.1:{}/callback", address.port())
        );
        // A port that is taken is told, not changed.
        let taken = Listener::bind(address.port()).await.unwrap_err();
        assert!(matches!(taken, CallbackError::Listen(_)));
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_ends() {
        let listener = Listener::bind(0).await.unwrap();
        let before = Instant::now();
        let outcome = listener.wait(Secret::new("right")).await;
        assert!(matches!(outcome, Err(CallbackError::TooLate)));
        assert!(before.elapsed() >= WAIT);
    }
}
