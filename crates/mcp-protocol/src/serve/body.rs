//! The body of a response: nothing, one JSON text, or a stream of events.

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

use super::exchange::EventStream;

/// The body of a response.
pub struct Body(Inner);

enum Inner {
    Whole(Bytes),
    Events(Box<EventStream>),
}

impl Body {
    pub(super) fn empty() -> Self {
        Body::default()
    }

    pub(super) fn whole(bytes: impl Into<Bytes>) -> Self {
        Body(Inner::Whole(bytes.into()))
    }

    pub(super) fn events(events: EventStream) -> Self {
        Body(Inner::Events(Box::new(events)))
    }
}

impl Default for Body {
    /// Nothing.
    fn default() -> Self {
        Body(Inner::Whole(Bytes::new()))
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match &mut self.get_mut().0 {
            Inner::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Inner::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Inner::Events(events) => events
                .poll_next(cx)
                .map(|event| event.map(|bytes| Ok(Frame::data(bytes)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(&self.0, Inner::Whole(bytes) if bytes.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Inner::Whole(bytes) => {
                SizeHint::with_exact(u64::try_from(bytes.len()).unwrap_or(u64::MAX))
            }
            Inner::Events(_) => SizeHint::default(),
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Inner::Whole(bytes) => write!(f, "Body({} bytes)", bytes.len()),
            Inner::Events(_) => f.write_str("Body(events)"),
        }
    }
}
