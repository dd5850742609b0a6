//! The layer, and the service that carries calls.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, header};
use tower_layer::Layer;
use tower_service::Service;

use super::browser::ProgramError;
use super::failed::{CallFailed, SignInFailed};
use super::options::{Notice, Seams, Waits};
use super::shared::{Held, Need, Refusal, Shared};
use crate::challenge::Challenge;
use crate::client::flow::{FlowOptions, StoredGrant, asks_for_nonce};
use crate::error_code::ErrorCode;
use crate::scope::ScopeSet;
use crate::uri::{InvalidUri, ResourceId};

/// Signs the calls to one server in.
///
/// All services made by one layer, and their clones, share the tokens and the work that gets them.
#[derive(Clone, Debug)]
pub struct SignInLayer {
    shared: Arc<Shared>,
}

impl SignInLayer {
    /// A layer for the server at this address; nothing is sent or read yet.
    ///
    /// The redirect address of `options` is replaced by that of each [`Visit`](super::Visit).
    ///
    /// # Errors
    /// The server's address is not one that a token may be sent to.
    pub fn new(server_url: &str, options: FlowOptions, seams: Seams) -> Result<Self, InvalidUri> {
        let server = ResourceId::parse(server_url)?;
        Ok(Self {
            shared: Arc::new(Shared::new(server, options, seams)),
        })
    }

    /// The same layer with other waits, if no service was made by it yet.
    #[must_use]
    pub fn with_waits(mut self, waits: Waits) -> Self {
        if let Some(shared) = Arc::get_mut(&mut self.shared) {
            shared.waits = waits;
        }
        self
    }

    /// The same layer with somebody who hears what happens on the way, if no service was made by it yet.
    ///
    /// It is called in the middle of the work, so it is quick.
    #[must_use]
    pub fn with_notices(mut self, hear: impl Fn(Notice) + Send + Sync + 'static) -> Self {
        if let Some(shared) = Arc::get_mut(&mut self.shared) {
            shared.notices = Some(Box::new(hear));
        }
        self
    }

    /// Has the person sign in with the next call that the server refuses, whatever the store has.
    pub fn sign_in_anew(&self) {
        self.shared.forget();
    }

    /// The grant that calls use now; none before the first call.
    pub fn grant(&self) -> Option<StoredGrant> {
        self.shared.held().map(|held| held.grant.as_ref().clone())
    }
}

impl<S> Layer<S> for SignInLayer {
    type Service = SignedIn<S>;

    fn layer(&self, inner: S) -> SignedIn<S> {
        SignedIn {
            inner,
            shared: Arc::clone(&self.shared),
        }
    }
}

/// A service that adds the token to each call, and gets one when it has to.
///
/// What it does, in this order, and each of 2 to 4 once for a call:
/// 1. A token that has ended is renewed before it is sent.
/// 2. After a 401 the token is renewed.
/// 3. After a 401 that this does not mend, a person signs in.
/// 4. After a 403 for want of scope a person is asked for more; once again where the next 403 names a scope that was
///    not asked for, since a call may have waited for somebody who asked for something else.
///
/// Where tokens are bound to a key (DPoP), each request carries a proof, with the nonce that the server wants.
/// A request that was refused is sent again; the answer to the last one is given back as it is.
/// A call waits for work that others have begun and begins none of its own beside it; dropping it breaks nothing off.
///
/// A request to an address that the server's does not cover is passed on as it is: no token leaves for anywhere else.
///
/// Does not check: how much the answer is and how long it takes; the service below limits that.
#[derive(Clone, Debug)]
pub struct SignedIn<S> {
    inner: S,
    shared: Arc<Shared>,
}

/// An answer that is on its way.
type Carried<B> = Pin<Box<dyn Future<Output = Result<Response<B>, CallFailed>> + Send>>;

impl<S, B> Service<Request<Bytes>> for SignedIn<S>
where
    S: Service<Request<Bytes>, Response = Response<B>> + Clone + Send + 'static,
    S::Error: Into<ProgramError>,
    S::Future: Send,
    B: Send + 'static,
{
    type Response = Response<B>;
    type Error = CallFailed;
    type Future = Carried<B>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), CallFailed>> {
        // The service below is asked for each request, of which there may be several.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Bytes>) -> Carried<B> {
        let (inner, shared) = (self.inner.clone(), Arc::clone(&self.shared));
        Box::pin(carry(inner, shared, request))
    }
}

/// What was done for a call already.
#[derive(Default)]
struct Tried {
    renewed: bool,
    signed_in: bool,
    stepped_up: bool,
    stepped_up_again: bool,
    nonce: bool,
}

async fn carry<S, B>(
    mut inner: S,
    shared: Arc<Shared>,
    request: Request<Bytes>,
) -> Result<Response<B>, CallFailed>
where
    S: Service<Request<Bytes>, Response = Response<B>>,
    S::Error: Into<ProgramError>,
{
    if !shared.server.covers(&request.uri().to_string()) {
        return send(&mut inner, request).await;
    }
    let mut tried = Tried::default();
    let mut held = shared.obtain(&Need::Any).await?;
    loop {
        let attempt = with_token(&shared, &request, held.as_ref())?;
        let response = send(&mut inner, attempt).await?;
        shared.note_nonce(&request.uri().to_string(), response.headers());
        let bound = held.as_ref().is_some_and(|h| h.grant.dpop_jkt.is_some());
        if bound && response.status() == StatusCode::UNAUTHORIZED {
            // RFC 9449 section 9: again with the nonce; one that changes with every answer ends it.
            // Another call may have learnt the same nonce a moment ago.
            if asks_for_nonce(response.status(), response.headers()) && !tried.nonce {
                tried.nonce = true;
                drop(response);
                continue;
            }
            // Another token would be refused with the same proofs.
            let of_proofs = [ErrorCode::UseDpopNonce, ErrorCode::InvalidDpopProof];
            if of_proofs
                .into_iter()
                .any(|code| says(response.headers(), code))
            {
                return Ok(response);
            }
        }
        let Some(need) = tried.next(held.as_ref(), response.status(), response.headers()) else {
            if held.is_some() && !is_refusal(response.status()) {
                shared.accepted();
            }
            return Ok(response);
        };
        let refusal = Refusal {
            status: response.status(),
            headers: response.headers().clone(),
        };
        // Its connection is free while a person takes their time.
        drop(response);
        held = match need {
            Next::Renew(seen) => match shared.obtain(&Need::Renewed(seen)).await? {
                Some(held) => Some(held),
                None => {
                    tried.signed_in = true;
                    let need = Need::SignedIn(seen, Box::new(refusal));
                    shared.obtain(&need).await?
                }
            },
            Next::SignIn(seen) => {
                let need = Need::SignedIn(seen, Box::new(refusal));
                shared.obtain(&need).await?
            }
        };
    }
}

/// What to do after a refusal of tokens of this generation.
enum Next {
    Renew(u64),
    SignIn(u64),
}

impl Tried {
    /// What to do after this answer, and nothing if it is the last.
    fn next(
        &mut self,
        held: Option<&Held>,
        status: StatusCode,
        headers: &HeaderMap,
    ) -> Option<Next> {
        let seen = held.map_or(0, |held| held.generation);
        match status {
            StatusCode::UNAUTHORIZED => {
                let renewable = held.is_some_and(|held| held.grant.refresh_token.is_some());
                // A token that a person has just agreed to is not renewed: the next one would be refused too.
                if renewable && !self.renewed && !self.signed_in && !self.stepped_up {
                    self.renewed = true;
                    return Some(Next::Renew(seen));
                }
                let first = !self.signed_in && !self.stepped_up;
                self.signed_in = true;
                first.then_some(Next::SignIn(seen))
            }
            // MCP 2026-07-28, authorization, step-up: only this error asks for more scope, and not again and again.
            StatusCode::FORBIDDEN
                if held.is_some() && says(headers, ErrorCode::InsufficientScope) =>
            {
                // The work waited for may have been somebody else's, who asked for another scope.
                let more =
                    !self.stepped_up_again && held.is_some_and(|held| lacks(headers, &held.grant));
                self.stepped_up_again = self.stepped_up;
                let again = !self.stepped_up || more;
                self.stepped_up = true;
                again.then_some(Next::SignIn(seen))
            }
            _ => None,
        }
    }
}

fn is_refusal(status: StatusCode) -> bool {
    matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
}

/// Whether a challenge names a scope that was not even asked for with these tokens.
fn lacks(headers: &HeaderMap, grant: &StoredGrant) -> bool {
    let asked = |token: &str| {
        let asked = grant.requested_scope.as_ref();
        asked.is_some_and(|scope| scope.contains(token))
    };
    challenges(headers)
        .filter_map(|challenge| ScopeSet::parse(challenge.get("scope")?).ok())
        .any(|scope| !scope.iter().all(asked))
}

/// Whether a challenge names this error.
// RFC 6750 section 3.1, RFC 9449 section 7.1.
fn says(headers: &HeaderMap, error: ErrorCode) -> bool {
    challenges(headers).any(|challenge| challenge.get("error") == Some(error.as_str()))
}

fn challenges(headers: &HeaderMap) -> impl Iterator<Item = Challenge> {
    headers
        .get_all(header::WWW_AUTHENTICATE)
        .iter()
        .filter_map(|value| Challenge::parse_all(value.to_str().ok()?).ok())
        .flatten()
}

/// The request as it is sent: each time with a proof of its own, where the token is bound to a key.
fn with_token(
    shared: &Shared,
    request: &Request<Bytes>,
    held: Option<&Held>,
) -> Result<Request<Bytes>, SignInFailed> {
    let mut request = request.clone();
    if let Some(held) = held {
        let headers = shared
            .headers(held, &request)
            .map_err(SignInFailed::Access)?;
        request.headers_mut().extend(headers);
    }
    Ok(request)
}

async fn send<S, B>(inner: &mut S, request: Request<Bytes>) -> Result<Response<B>, CallFailed>
where
    S: Service<Request<Bytes>, Response = Response<B>>,
    S::Error: Into<ProgramError>,
{
    poll_fn(|context| inner.poll_ready(context))
        .await
        .map_err(|error| CallFailed::Inner(error.into()))?;
    inner
        .call(request)
        .await
        .map_err(|error| CallFailed::Inner(error.into()))
}
