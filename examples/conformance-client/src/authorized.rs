//! A carrier that signs in when the server wants that, and sends the refused request again.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use egress_guard::Client as Egress;
use http::{HeaderMap, Request, Response, StatusCode, header};
use mcp_protocol::client::{AnswerBody, TransportError};
use oauth_rs::client::flow::{Access, Flow, FlowFailed, FlowOptions};
use oauth_rs::client::machine::Machine;
use oauth_rs::jose::SigningKey;
use oauth_rs::time::Clock as _;
use oauth_rs::uri::RedirectUri;
use tokio::sync::Mutex;
use tower_service::Service;

use crate::carrier::{Carried, Carrier};
use crate::environment::Environment;
use crate::failed::Failed;
use crate::system::{SystemClock, SystemEntropy};
use crate::way::{Next, Way};

/// The client ID metadata document that the suite wants to see used; nobody fetches it.
const DOCUMENT: &str = "https://conformance-test.local/client-metadata.json";

/// Where the suite's authorization server sends the browser; there is no browser, so nobody listens there.
const REDIRECT_URI: &str = "http://127.0.0.1/callback";

/// More steps than any sign-in has; one that takes more goes round in circles.
const MAX_STEPS: usize = 64;

/// A whole response that is on its way.
type Fetched = Pin<Box<dyn Future<Output = Result<Response<Bytes>, TransportError>> + Send>>;

/// The way to a token for one server, and the token once it is there.
pub(crate) struct SignIn {
    way: Way,
    access: Option<Access>,
    fetch: Box<dyn Fn(Request<Bytes>) -> Fetched + Send + Sync>,
}

impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignIn")
            .field("way", &self.way)
            .finish_non_exhaustive()
    }
}

impl SignIn {
    pub(crate) fn new(
        url: &str,
        environment: &Environment,
        egress: Egress,
    ) -> Result<Self, Failed> {
        Self::over(url, environment, move |request| {
            let egress = egress.clone();
            Box::pin(async move { Ok(egress.send(request).await?) })
        })
    }

    fn over(
        url: &str,
        environment: &Environment,
        fetch: impl Fn(Request<Bytes>) -> Fetched + Send + Sync + 'static,
    ) -> Result<Self, Failed> {
        let address = || Failed::Address(url.to_owned());
        if let Some(options) = environment.machine()? {
            let machine = Machine::new(url, options).map_err(|_| address())?;
            return Ok(Self::by(Way::Machine(Box::new(machine)), fetch));
        }
        let redirect_uri = RedirectUri::parse(REDIRECT_URI).map_err(|_| address())?;
        let mut options = FlowOptions::new("conformance-client", redirect_uri);
        options.client_id_document = Some(DOCUMENT.to_owned());
        options.profile = environment.profile();
        // Used where the server knows DPoP, and nowhere else.
        let key = SigningKey::generate_es256().map_err(|_| Failed::Key)?;
        options.dpop_key = Some(Arc::new(key));
        environment.context.register(&mut options)?;
        let flow = Flow::new(url, None, options).map_err(|_| address())?;
        Ok(Self::by(Way::Person(Box::new(flow)), fetch))
    }

    fn by(way: Way, fetch: impl Fn(Request<Bytes>) -> Fetched + Send + Sync + 'static) -> Self {
        Self {
            way,
            access: None,
            fetch: Box::new(fetch),
        }
    }

    /// Does what the flow says until there is a token, or none to be had.
    async fn obtain(&mut self) -> Result<Access, TransportError> {
        for _ in 0..MAX_STEPS {
            match self.way.next() {
                Next::Fetch(request) => match (self.fetch)(request.map(Bytes::from)).await {
                    Ok(response) => self.way.answered(&response.map(|body| body.to_vec())),
                    Err(error) => self.way.failed(&error.to_string()),
                },
                Next::OpenBrowser(url) => {
                    let query = self.consent(&url).await?;
                    self.way.came_back(&query);
                }
                Next::GoOn => {}
                Next::Done(access) => return Ok(access),
                Next::Failed(reason) => return Err(reason.into()),
            }
        }
        Err("the sign-in goes round in circles".into())
    }

    /// What this request carries, and whether there is a token in it.
    fn headers(&self, request: &Request<Bytes>) -> Result<(HeaderMap, bool), TransportError> {
        let Some(access) = &self.access else {
            return Ok((HeaderMap::new(), false));
        };
        let url = request.uri().to_string();
        let (nonces, now) = (self.way.nonces(), SystemClock.now());
        let headers = access.headers(request.method(), &url, &nonces, now, &SystemEntropy)?;
        Ok((headers, true))
    }

    /// What a browser would bring back: the suite's authorization server agrees at once, with a redirect.
    async fn consent(&self, url: &str) -> Result<String, TransportError> {
        let request = Request::get(url).body(Bytes::new())?;
        let response = (self.fetch)(request).await?;
        let location = response.headers().get(header::LOCATION);
        let location = location.and_then(|value| value.to_str().ok());
        let query = location
            .and_then(|location| location.strip_prefix(REDIRECT_URI)?.strip_prefix('?'))
            .ok_or("the authorization server sends the browser somewhere else")?;
        Ok(query.to_owned())
    }
}

/// A service that adds the token, and gets one when it has to.
#[derive(Clone, Debug)]
pub(crate) struct Authorized<S> {
    inner: S,
    sign_in: Arc<Mutex<SignIn>>,
}

impl<S> Authorized<S>
where
    S: Carrier + Send + 'static,
    S::Future: Send,
{
    pub(crate) fn new(inner: S, sign_in: SignIn) -> Self {
        Self {
            inner,
            sign_in: Arc::new(Mutex::new(sign_in)),
        }
    }

    /// Sends the request; after a refusal that a sign-in can mend, signs in and sends it again.
    ///
    /// The flow counts the sign-ins without success and ends this.
    async fn send(
        mut self,
        request: Request<Bytes>,
    ) -> Result<Response<AnswerBody>, TransportError> {
        loop {
            let (authorization, authorized) = self.sign_in.lock().await.headers(&request)?;
            let mut attempt = request.clone();
            attempt.headers_mut().extend(authorization);
            poll_fn(|context| self.inner.poll_ready(context)).await?;
            let response = self.inner.call(attempt).await?;
            let mut sign_in = self.sign_in.lock().await;
            let url = request.uri().to_string();
            sign_in.way.note_nonce(&url, response.headers());
            match response.status() {
                StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {}
                _ => {
                    if authorized {
                        sign_in.way.accepted();
                    }
                    return Ok(response);
                }
            }
            sign_in
                .way
                .handle_challenge(response.status(), response.headers());
            let error = match sign_in.obtain().await {
                Ok(access) => {
                    sign_in.access = Some(access);
                    continue;
                }
                Err(error) => error,
            };
            let reason = error.downcast_ref::<FlowFailed>();
            // A refusal of this one request says nothing against the token.
            if !matches!(reason, Some(FlowFailed::Forbidden(_))) {
                sign_in.access = None;
            }
            // The server's own words say more than that we gave up.
            return if is_final(&error) {
                Ok(response)
            } else {
                Err(error)
            };
        }
    }
}

/// Whether it is the server that ended it, and not the way to a token.
fn is_final(error: &TransportError) -> bool {
    matches!(
        error.downcast_ref::<FlowFailed>(),
        Some(FlowFailed::Forbidden(_) | FlowFailed::TooManyAttempts | FlowFailed::TokenRefused)
    )
}

impl<S> Service<Request<Bytes>> for Authorized<S>
where
    S: Carrier + Send + 'static,
    S::Future: Send,
{
    type Response = Response<AnswerBody>;
    type Error = TransportError;
    type Future = Carried;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Bytes>) -> Carried {
        Box::pin(self.clone().send(request))
    }
}

#[cfg(test)]
mod tests;
