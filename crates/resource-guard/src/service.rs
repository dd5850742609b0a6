//! The service that stands in front of the protected one.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{Request, Response};
use http_body::Body;
use http_body_util::{Either, Full};
use tower_service::Service;

use crate::future::GuardFuture;
use crate::layer::Shared;
use crate::refused::Refused;

/// A service that lets through only requests with a valid token.
///
/// For each request, in this order:
///
/// 1. A CORS preflight is answered, since browsers send it without credentials.
/// 2. A request for the metadata document is answered.
/// 3. The token is checked ([`Guard::check`](crate::Guard::check)), and then whether it was
///    revoked. A refusal is answered, with the [`Refused`] in the response's extensions.
/// 4. The [`Principal`](crate::Principal) is put into the request's extensions, the
///    `Authorization` field is taken away, so that no handler can pass the token on, and the
///    request goes to the inner service.
///
/// Every answer that is not a preflight's gets the CORS fields, whoever made it.
///
/// Does not check: scopes, which an inner service asks for with
/// [`Guard::require`](crate::Guard::require); `Host`; request bodies.
#[derive(Clone)]
pub struct GuardService<S> {
    inner: S,
    shared: Arc<Shared>,
}

impl<S> GuardService<S> {
    pub(crate) fn new(inner: S, shared: Arc<Shared>) -> Self {
        Self { inner, shared }
    }
}

impl<S: fmt::Debug> fmt::Debug for GuardService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuardService")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}

impl<S, B, R> Service<Request<B>> for GuardService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: Body<Data = Bytes>,
    R::Error: Into<Box<dyn Error + Send + Sync>>,
{
    type Response = Response<Either<Full<Bytes>, R>>;
    type Error = S::Error;
    type Future = GuardFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let shared = &self.shared;
        let (mut parts, body) = request.into_parts();
        if let Some(answer) = shared.cors.preflight(&parts) {
            return GuardFuture::ready(answer);
        }
        let origin = shared.cors.allowed(&parts.headers);
        let metadata = shared.guard.metadata();
        if let Some(mut answer) = metadata.respond(&parts.method, parts.uri.path()) {
            shared.cors.decorate(origin.as_ref(), answer.headers_mut());
            return GuardFuture::ready(answer);
        }
        let keys = (shared.keys)();
        let decision = shared.guard.check(&parts, &keys, shared.clock.now());
        let decision = decision.into_result().and_then(|principal| {
            if (shared.revoked)(&principal) {
                Err(Refused::Revoked)
            } else {
                Ok(principal)
            }
        });
        match decision {
            Ok(principal) => {
                parts.extensions.insert(principal);
                parts.headers.remove(AUTHORIZATION);
                let inner = self.inner.call(Request::from_parts(parts, body));
                GuardFuture::inner(inner, Arc::clone(shared), origin)
            }
            Err(refused) => {
                let mut answer = shared.guard.response(&refused);
                shared.cors.decorate(origin.as_ref(), answer.headers_mut());
                GuardFuture::ready(answer)
            }
        }
    }
}
