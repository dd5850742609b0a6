//! Where the browser comes back to: a listener on this machine that knows one request from all others.

use std::convert::Infallible;
use std::error::Error;
use std::net::Ipv4Addr;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use oauth_rs::params::Params;
use oauth_rs::secret::Secret;
use oauth_rs::uri::RedirectUri;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// The listener, and its address as the authorization server is told it.
pub(crate) struct Callback {
    listener: TcpListener,
    redirect_uri: RedirectUri,
}

impl Callback {
    /// Any free port: a server accepts every port of a loopback address.
    // RFC 8252 section 7.3.
    pub(crate) async fn bind() -> Result<Self, Box<dyn Error>> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let redirect_uri = RedirectUri::parse(&format!("http://{address}/callback"))?;
        Ok(Self {
            listener,
            redirect_uri,
        })
    }

    pub(crate) fn redirect_uri(&self) -> &RedirectUri {
        &self.redirect_uri
    }

    /// The query of the request that brings this `state`; everything else is turned away.
    pub(crate) async fn wait(&self, state: &Secret) -> Result<String, Box<dyn Error>> {
        let (found, mut queries) = mpsc::channel(1);
        loop {
            tokio::select! {
                accepted = self.listener.accept() => {
                    // A browser may open connections that it does not use, so none is waited for.
                    tokio::spawn(connection(accepted?.0, state.clone(), found.clone()));
                }
                Some(query) = queries.recv() => return Ok(query),
            }
        }
    }
}

async fn connection(stream: TcpStream, state: Secret, found: mpsc::Sender<String>) {
    let service = service_fn(|request: Request<Incoming>| {
        let (status, text) = match brought(&request, &state) {
            // A second one of the same kind finds the channel full or closed, and changes nothing.
            Some(query) if found.try_send(query.to_owned()).is_ok() => {
                (StatusCode::OK, "Go back to the terminal.\n")
            }
            _ => (StatusCode::NOT_FOUND, "Nothing is here.\n"),
        };
        let mut response = Response::new(Full::new(Bytes::from(text)));
        *response.status_mut() = status;
        async { Ok::<_, Infallible>(response) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    // A browser that goes away in the middle is its own business.
    drop(connection.await);
}

/// The query of a request that has the right `state`.
fn brought<'a>(request: &'a Request<Incoming>, state: &Secret) -> Option<&'a str> {
    let query = request.uri().query()?;
    let params = Params::parse_query(query, &[]).ok()?;
    let matches = params.get("state").is_some_and(|sent| state.ct_eq(sent));
    (request.uri().path() == "/callback" && matches).then_some(query)
}
