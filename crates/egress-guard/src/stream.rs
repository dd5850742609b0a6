//! The same exchanges with bodies that are handed on as they arrive, each under the same caps.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep, sleep_until};
use tower_service::Service;

use crate::client::{Client, broken};
use crate::error::EgressError;
use crate::in_flight::Place;
use crate::limits::Limits;

/// A [`Client`] whose responses have a [`StreamedBody`]; made by [`Client::streaming`].
///
/// Everything that the client checks before and while it connects is checked here too.
///
/// Does not check: the status, the media type, the content.
#[derive(Clone, Debug)]
pub struct Streaming(pub(crate) Client);

impl Service<Request<Bytes>> for Streaming {
    type Response = Response<StreamedBody>;
    type Error = EgressError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, EgressError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), EgressError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let client = self.0.clone();
        Box::pin(async move { client.open(request).await })
    }
}

/// A response body as it arrives.
///
/// It ends with [`EgressError::BodyTooLarge`] at the first byte over the cap, and with [`EgressError::Deadline`] when the
/// whole exchange has taken its time. It counts as an exchange in flight until it is dropped.
pub struct StreamedBody {
    inner: Incoming,
    limit: usize,
    read: usize,
    total: Duration,
    end: Pin<Box<Sleep>>,
    _place: Place,
}

impl StreamedBody {
    pub(crate) fn new(inner: Incoming, limits: &Limits, end: Instant, place: Place) -> Self {
        Self {
            inner,
            limit: limits.body_bytes,
            read: 0,
            total: limits.total,
            end: Box::pin(sleep_until(end)),
            _place: place,
        }
    }
}

impl fmt::Debug for StreamedBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamedBody")
            .field("read", &self.read)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

impl Body for StreamedBody {
    type Data = Bytes;
    type Error = EgressError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, EgressError>>> {
        // Before the next piece: a body that never stops arriving has to end as well.
        if self.end.as_mut().poll(context).is_ready() {
            let limit = self.total;
            return Poll::Ready(Some(Err(EgressError::Deadline { limit })));
        }
        let frame = match Pin::new(&mut self.inner).poll_frame(context) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(None) => return Poll::Ready(None),
            Poll::Ready(Some(frame)) => frame.map_err(broken),
        };
        if let Ok(frame) = &frame
            && let Some(data) = frame.data_ref()
        {
            self.read = self.read.saturating_add(data.len());
            if self.read > self.limit {
                let limit = self.limit;
                return Poll::Ready(Some(Err(EgressError::BodyTooLarge { limit })));
            }
        }
        Poll::Ready(Some(frame))
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }
}
