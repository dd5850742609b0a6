//! The response to come: evidence is fetched, the decision made, and the inner service called.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::{AUTHORIZATION, CACHE_CONTROL};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Request, Response};
use http_body_util::{Either, Full};
use oauth_rs::certificate::Thumbprint;
use tower_service::Service;

use crate::answer::IssuerAnswer;
use crate::challenge::DPOP_NONCE;
use crate::evidence::{Evidence, Needs};
use crate::guard::Decision;
use crate::keys::KeySnapshot;
use crate::layer::Shared;
use crate::operation::Role;
use crate::passed::PassedToken;
use crate::principal::{Granted, Principal};
use crate::reason::Reason;
use crate::refused::{Refused, Scheme};
use crate::source::Fetching;

/// The future of a [`GuardService`](crate::GuardService).
pub struct GuardFuture<S: Service<Request<B>>, B> {
    state: State<S, B>,
}

enum State<S: Service<Request<B>>, B> {
    /// An answer of the guard.
    Ready(Box<Response<Bytes>>),
    /// Newer keys are on their way.
    Keys(Fetching<KeySnapshot>, Box<Waiting<S, B>>),
    /// The issuer is being asked.
    Introspection(Fetching<IssuerAnswer>, Box<Waiting<S, B>>),
    /// The inner service is at work.
    Inner(Pin<Box<S::Future>>, Afterwards),
    /// The response was handed out.
    Done,
}

/// A request that is not decided, with what is known so far.
struct Waiting<S, B> {
    inner: S,
    parts: Parts,
    body: B,
    keys: Arc<KeySnapshot>,
    keys_are_new: bool,
    introspection: Option<Arc<IssuerAnswer>>,
    certificate: Option<Thumbprint>,
    afterwards: Afterwards,
}

/// What is added to a response.
struct Afterwards {
    shared: Arc<Shared>,
    origin: Option<HeaderValue>,
    nonce: Option<HeaderValue>,
}

impl Afterwards {
    fn refused(&self, refused: &Refused) -> Box<Response<Bytes>> {
        let mut answer = self.shared.guard.response(refused);
        self.decorate(&mut answer);
        Box::new(answer)
    }

    fn decorate<T>(&self, response: &mut Response<T>) {
        let headers = response.headers_mut();
        self.shared.cors.decorate(self.origin.as_ref(), headers);
        if let Some(nonce) = &self.nonce {
            headers.insert(DPOP_NONCE, nonce.clone());
            // RFC 9449 section 8.2: an answer with a nonce should not be kept, and its nonce not served again.
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
    }
}

impl<S: Service<Request<B>>, B> GuardFuture<S, B> {
    pub(crate) fn ready(answer: Response<Bytes>) -> Self {
        Self {
            state: State::Ready(Box::new(answer)),
        }
    }

    /// Decides, and calls the inner service at once if nothing has to be fetched.
    pub(crate) fn guarded(inner: S, mut parts: Parts, body: B, shared: Arc<Shared>) -> Self {
        let afterwards = Afterwards {
            origin: shared.cors.allowed(&parts.headers),
            nonce: None,
            shared,
        };
        let shared = &afterwards.shared;
        // What another guard has left is about another token.
        parts.extensions.remove::<Principal>();
        parts.extensions.remove::<PassedToken>();
        let peer = parts.extensions.get().cloned();
        let certificate = match shared
            .proxies
            .certificate(peer.as_ref(), &mut parts.headers)
        {
            Ok(certificate) => certificate,
            Err(reason) => {
                let refused = Refused::of(Scheme::Bearer, reason);
                return Self {
                    state: State::Ready(afterwards.refused(&refused)),
                };
            }
        };
        let waiting = Waiting {
            keys: shared.source.keys(),
            keys_are_new: false,
            introspection: None,
            inner,
            parts,
            body,
            certificate,
            afterwards,
        };
        Self {
            state: waiting.decide(),
        }
    }
}

impl<S: Service<Request<B>>, B> Waiting<S, B> {
    fn decide(self) -> State<S, B> {
        let shared = &self.afterwards.shared;
        let now = shared.clock.now();
        let nonces = shared.nonces.as_ref().map(|newest| newest());
        let evidence = Evidence {
            keys: &self.keys,
            introspection: self.introspection.as_deref(),
            certificate: self.certificate.as_ref(),
            nonces: nonces.as_deref(),
        };
        match shared.guard.check(&self.parts, &evidence, now) {
            Decision::Granted(granted) => self.granted(granted),
            Decision::Refused(refused) => self.refused(&refused),
            Decision::Needs(Needs::Keys(needs)) if !self.keys_are_new => {
                let fetching = shared.source.newer_keys(needs);
                State::Keys(fetching, Box::new(self))
            }
            Decision::Needs(Needs::Introspection(needs)) => {
                let fetching = shared.source.introspect(needs);
                State::Introspection(fetching, Box::new(self))
            }
            Decision::Needs(needs) => self.refused(&needs.refused()),
        }
    }

    fn granted(mut self, granted: Granted) -> State<S, B> {
        let shared = &self.afterwards.shared;
        if (shared.revoked)(granted.principal()) {
            return self.refused(&granted.revoked());
        }
        let passed = granted.passed_token().cloned();
        let nonce = granted.next_nonce().map(HeaderValue::from_str);
        let nonce = nonce.and_then(Result::ok);
        match granted.spend(&shared.window, shared.clock.now()) {
            Ok(principal) => {
                self.afterwards.nonce = nonce;
                if let Err(refused) = self.permit(&principal) {
                    return self.refused(&refused);
                }
                self.parts.extensions.insert(principal);
                if let Some(token) = passed {
                    self.parts.extensions.insert(token);
                }
                self.pass()
            }
            Err(refused) => self.refused(&refused),
        }
    }

    /// Whether the operation of the request, if it has a name, is allowed by the token.
    fn permit(&self, principal: &Principal) -> Result<(), Refused> {
        let shared = &self.afterwards.shared;
        let operation = (shared.operation)(&self.parts);
        operation.map_or(Ok(()), |operation| {
            shared.guard.permit(principal, &operation, Role::Unlimited)
        })
    }

    fn refused(self, refused: &Refused) -> State<S, B> {
        let is_open = matches!(refused.reason(), Reason::NoToken)
            && (self.afterwards.shared.open)(&self.parts);
        if is_open {
            return self.pass();
        }
        State::Ready(self.afterwards.refused(refused))
    }

    fn pass(mut self) -> State<S, B> {
        self.parts.headers.remove(AUTHORIZATION);
        self.parts.headers.remove(HeaderName::from_static("dpop"));
        let request = Request::from_parts(self.parts, self.body);
        State::Inner(Box::pin(self.inner.call(request)), self.afterwards)
    }
}

impl<S: Service<Request<B>>, B> fmt::Debug for GuardFuture<S, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuardFuture").finish_non_exhaustive()
    }
}

impl<S, B, R> Future for GuardFuture<S, B>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Output = Result<Response<Either<Full<Bytes>, R>>, S::Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let next = match &mut self.state {
                State::Ready(_) => None,
                State::Keys(fetching, _) => Some(ready!(fetching.as_mut().poll(cx)).map(Got::Keys)),
                State::Introspection(fetching, _) => {
                    Some(ready!(fetching.as_mut().poll(cx)).map(Got::Introspection))
                }
                State::Inner(future, afterwards) => {
                    let mut response = ready!(future.as_mut().poll(cx))?;
                    afterwards.decorate(&mut response);
                    self.state = State::Done;
                    return Poll::Ready(Ok(response.map(Either::Right)));
                }
                // Polling again after the response is a mistake of the caller; there is nothing to come.
                State::Done => return Poll::Pending,
            };
            let state = std::mem::replace(&mut self.state, State::Done);
            match (state, next) {
                (State::Ready(answer), _) => {
                    let answer = answer.map(|body| Either::Left(Full::new(body)));
                    return Poll::Ready(Ok(answer));
                }
                (State::Keys(_, waiting) | State::Introspection(_, waiting), Some(got)) => {
                    self.state = waiting.resume(got);
                }
                // The other states were left above.
                _ => return Poll::Pending,
            }
        }
    }
}

/// What was fetched.
enum Got {
    Keys(Arc<KeySnapshot>),
    Introspection(Arc<IssuerAnswer>),
}

impl<S: Service<Request<B>>, B> Waiting<S, B> {
    fn resume(mut self, got: Result<Got, Refused>) -> State<S, B> {
        match got {
            Ok(Got::Keys(keys)) => {
                self.keys = keys;
                self.keys_are_new = true;
            }
            Ok(Got::Introspection(answer)) => self.introspection = Some(answer),
            Err(refused) => return self.refused(&refused),
        }
        self.decide()
    }
}
