//! The tower service: any body in, bounded; one table of routes; a response out.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;

use super::{body, front};
use crate::server::Server;

/// The body of every response: bytes, all at once.
pub type ResponseBody = Full<Bytes>;

/// Any error of a request body.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What a call of [`Service`] returns; it never fails.
pub type ResponseFuture =
    Pin<Box<dyn Future<Output = Result<Response<ResponseBody>, Infallible>> + Send>>;

/// An authorization server as a tower service; clones share everything.
///
/// It serves, under the path of the issuer: `/.well-known/oauth-authorization-server`, `/.well-known/openid-configuration`, `/jwks`, `/register`, `/authorize`, `/sign-in`, `/consent`, `/token` and `/revoke`.
/// Everything else is answered with 404.
///
/// 1. A `Host` that is not the issuer's is answered with 403.
/// 2. A body above 64 KiB is answered with 413.
/// 3. A body of another media type than the endpoint reads is answered with 415.
/// 4. A method that a path does not have is answered with 405 and `Allow`.
///
/// Does not check: TLS, how slowly a request arrives, how many requests come from where; the server around it does.
///
/// Specification: RFC 6749; RFC 7009; RFC 7591; RFC 7636; RFC 8414; RFC 8707; RFC 9068; RFC 9207.
#[derive(Clone, Debug)]
pub struct Service(Arc<Server>);

impl Service {
    /// The service of this server.
    #[must_use]
    pub const fn new(server: Arc<Server>) -> Self {
        Self(server)
    }

    /// The server behind it.
    #[must_use]
    pub const fn server(&self) -> &Arc<Server> {
        &self.0
    }
}

impl<B> tower_service::Service<Request<B>> for Service
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<ResponseBody>;
    type Error = Infallible;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> ResponseFuture {
        let server = Arc::clone(&self.0);
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let response = match front::route(&server, &parts) {
                Err(response) => *response,
                Ok(route) => match body::read(body).await {
                    Ok(body) => front::serve(&server, route, &parts, body).await,
                    Err(refused) => front::without_body(&parts, route, &refused),
                },
            };
            Ok(response.map(Full::new))
        })
    }
}
