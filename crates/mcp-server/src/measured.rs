//! An HTTP client whose exchanges are timed.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use tokio::time::Instant;
use tower_service::Service;

use crate::metrics::{Metrics, class};

/// A client, and where its times are written down.
#[derive(Clone, Debug)]
pub(crate) struct Measured<S> {
    inner: S,
    metrics: Arc<Metrics>,
    /// What the address of the account API begins with, to tell it from the other one.
    auth: Arc<str>,
    /// Set for a client that asks somebody else altogether.
    whom: Option<&'static str>,
}

impl<S> Measured<S> {
    /// A client of the Didit API whose account routes are below `auth`.
    pub(crate) fn of_didit(inner: S, metrics: &Arc<Metrics>, auth: &str) -> Self {
        Self {
            inner,
            metrics: Arc::clone(metrics),
            auth: auth.into(),
            whom: None,
        }
    }

    /// A client that asks the issuer.
    pub(crate) fn of_issuer(inner: S, metrics: &Arc<Metrics>) -> Self {
        Self {
            inner,
            metrics: Arc::clone(metrics),
            auth: "".into(),
            whom: Some("issuer"),
        }
    }
}

impl<S> Service<Request<Bytes>> for Measured<S>
where
    S: Service<Request<Bytes>, Response = Response<Bytes>>,
    S::Future: Send + 'static,
{
    type Response = Response<Bytes>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Bytes>, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let whom =
            self.whom.unwrap_or_else(
                || match request.uri().to_string().starts_with(&*self.auth) {
                    true => "auth",
                    false => "api",
                },
            );
        let metrics = Arc::clone(&self.metrics);
        let begun = Instant::now();
        let answer = self.inner.call(request);
        Box::pin(async move {
            let answer = answer.await;
            let status = answer
                .as_ref()
                .map_or("none", |answer| class(answer.status()));
            metrics.asked(whom, status, begun.elapsed());
            answer
        })
    }
}
