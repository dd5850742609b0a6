//! The response to come: the guard's own, or the inner service's with CORS fields added.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderValue, Response};
use http_body_util::{Either, Full};

use crate::layer::Shared;

/// The future of a [`GuardService`](crate::GuardService).
pub struct GuardFuture<F> {
    state: State<F>,
}

enum State<F> {
    /// An answer of the guard; `None` once it was handed out.
    Ready(Option<Box<Response<Bytes>>>),
    /// The inner service is at work.
    Inner {
        future: Pin<Box<F>>,
        shared: Arc<Shared>,
        origin: Option<HeaderValue>,
    },
}

impl<F> GuardFuture<F> {
    pub(crate) fn ready(answer: Response<Bytes>) -> Self {
        Self {
            state: State::Ready(Some(Box::new(answer))),
        }
    }

    pub(crate) fn inner(future: F, shared: Arc<Shared>, origin: Option<HeaderValue>) -> Self {
        Self {
            state: State::Inner {
                future: Box::pin(future),
                shared,
                origin,
            },
        }
    }
}

impl<F> fmt::Debug for GuardFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuardFuture").finish_non_exhaustive()
    }
}

impl<F, R, E> Future for GuardFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = Result<Response<Either<Full<Bytes>, R>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.get_mut().state {
            State::Ready(answer) => match answer.take() {
                Some(answer) => Poll::Ready(Ok(answer.map(|body| Either::Left(Full::new(body))))),
                // Polled again after its end, which no caller may do; there is nothing to come.
                None => Poll::Pending,
            },
            State::Inner {
                future,
                shared,
                origin,
            } => future.as_mut().poll(cx).map_ok(|mut response| {
                shared
                    .cors
                    .decorate(origin.as_ref(), response.headers_mut());
                response.map(Either::Right)
            }),
        }
    }
}
