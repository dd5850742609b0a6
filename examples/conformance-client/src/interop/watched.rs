//! A carrier that remembers the session, so that its end can be looked at.

use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use mcp_protocol::client::{AnswerBody, TransportError};
use mcp_protocol::http::SESSION_ID;
use tower_service::Service;

use crate::carrier::{Carried, Carrier};

/// A carrier and what was seen on it.
#[derive(Clone, Debug)]
pub(crate) struct Watched<C> {
    inner: C,
    seen: Arc<Mutex<Seen>>,
}

/// What was seen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// The session that the server has opened.
    pub(crate) session: Option<HeaderValue>,
    /// How the server answered when the client ended it.
    pub(crate) ended: Option<StatusCode>,
}

impl<C> Watched<C> {
    pub(crate) fn new(inner: C) -> Self {
        Self {
            inner,
            seen: Arc::default(),
        }
    }

    pub(crate) fn seen(&self) -> Seen {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl<C: Carrier<Future = Carried>> Service<Request<Bytes>> for Watched<C> {
    type Response = Response<AnswerBody>;
    type Error = TransportError;
    type Future = Carried;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Bytes>) -> Carried {
        let ends = request.method() == Method::DELETE;
        let response = self.inner.call(request);
        let seen = Arc::clone(&self.seen);
        Box::pin(async move {
            let response = response.await?;
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            if ends {
                seen.ended = Some(response.status());
            } else if let Some(session) = response.headers().get(SESSION_ID) {
                seen.session = Some(session.clone());
            }
            drop(seen);
            Ok(response)
        })
    }
}
