//! The API: two routes that need different scopes, on plain `http` types.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use resource_guard::{Guard, Principal, Requirement};
use tower_service::Service;

/// Notes that are not kept; it knows who asks, because the guard in front says so.
#[derive(Clone)]
pub(crate) struct Notes {
    pub(crate) guard: Arc<Guard>,
}

impl Notes {
    fn answer<B>(&self, request: &Request<B>) -> Response<Full<Bytes>> {
        let (scope, may) = match (request.method(), request.uri().path()) {
            (&Method::GET, "/notes") => ("notes:read", "may read notes"),
            (&Method::POST, "/notes") => ("notes:write", "may write notes"),
            _ => return text(StatusCode::NOT_FOUND, "no such route\n"),
        };
        // The layer lets nothing through without a principal.
        let principal = request.extensions().get::<Principal>().unwrap();
        let needed = Requirement::any_of([scope]).unwrap();
        match self.guard.require(principal, &needed) {
            Ok(()) => text(StatusCode::OK, format!("{} {may}\n", principal.subject)),
            // 403, with the missing scope in the challenge.
            Err(refused) => self.guard.response(&refused).map(Full::new),
        }
    }
}

fn text(status: StatusCode, text: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(text.into()));
    *response.status_mut() = status;
    response
}

impl<B> Service<Request<B>> for Notes {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        ready(Ok(self.answer(&request)))
    }
}
