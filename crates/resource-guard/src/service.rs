//! The service that stands in front of the protected one.

use std::error::Error;
use std::fmt;
use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::{Either, Full};
use tower_service::Service;

use crate::future::GuardFuture;
use crate::layer::Shared;

/// A service that lets through only requests with a valid token.
///
/// For each request, in this order:
///
/// 1. A CORS preflight is answered, since browsers send it without credentials.
/// 2. A request for the metadata document is answered.
/// 3. The client certificate is taken from the connection, or from a trusted proxy's field, and the
///    field is taken away ([`Proxies`](crate::Proxies)).
/// 4. The token is checked ([`Guard::check`](crate::Guard::check)); keys or the issuer's answer are
///    fetched, at most once each, if they are needed. A request without a token goes on if it is
///    open.
/// 5. Whether the token was revoked, and then whether its proof was used before: the proof is spent.
/// 6. Whether the token allows the operation of the request, if one is
///    [named](crate::GuardLayer::operation).
/// 7. A refusal is answered, with the [`Refused`](crate::Refused) in the response's extensions.
/// 8. The [`Principal`](crate::Principal) is put into the request's extensions, in place of what
///    another guard has left there, the fields `Authorization` and `DPoP` are taken away, so that no
///    handler can pass the token on (but for [`PassedToken`](crate::PassedToken), where that is
///    configured), and the request goes to the inner service. If the client should have a new
///    nonce, its response gets it, and is not to be cached.
///
/// Every answer that is not a preflight's gets the CORS fields, whoever made it.
///
/// Does not check: scopes of requests whose operation is not named, which an inner service asks for
/// with [`Guard::require`](crate::Guard::require); `Host`; request bodies.
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
    S: Service<Request<B>, Response = Response<R>> + Clone,
    R: Body<Data = Bytes>,
    R::Error: Into<Box<dyn Error + Send + Sync>>,
{
    type Response = Response<Either<Full<Bytes>, R>>;
    type Error = S::Error;
    type Future = GuardFuture<S, B>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let shared = &self.shared;
        let (parts, body) = request.into_parts();
        if let Some(answer) = shared.cors.preflight(&parts) {
            return GuardFuture::ready(answer);
        }
        let metadata = shared.guard.metadata();
        if let Some(mut answer) = metadata.respond(&parts.method, parts.uri.path()) {
            let origin = shared.cors.allowed(&parts.headers);
            shared.cors.decorate(origin.as_ref(), answer.headers_mut());
            return GuardFuture::ready(answer);
        }
        // The one that was made ready is called, perhaps later; the clone is made ready by itself.
        let clone = self.inner.clone();
        let inner = mem::replace(&mut self.inner, clone);
        GuardFuture::guarded(inner, parts, body, Arc::clone(shared))
    }
}
