//! The body of an answer over a pipe.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame};

use super::board::Place;
use super::error::PipeError;
use super::{AnswerBody, Pipe};

/// The messages that belong to one request, as an event stream that ends with the response; or nothing.
///
/// Dropped before the response, it takes the request back.
pub struct PipeBody(Option<(Pipe, Place)>);

impl PipeBody {
    pub(super) fn new(pipe: Pipe, place: Place) -> Self {
        Self(Some((pipe, place)))
    }

    pub(super) fn empty() -> Self {
        Self(None)
    }
}

impl Body for PipeBody {
    type Data = Bytes;
    type Error = PipeError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, PipeError>>> {
        let Some((pipe, place)) = &self.0 else {
            return Poll::Ready(None);
        };
        let event = pipe.board.lock().poll(*place, context);
        event.map(|event| event.map(|event| event.map(Frame::data)))
    }
}

impl Drop for PipeBody {
    fn drop(&mut self) {
        if let Some((pipe, place)) = &self.0 {
            pipe.board.lock().leave(*place);
        }
    }
}

impl From<PipeBody> for AnswerBody {
    fn from(body: PipeBody) -> Self {
        match body.0 {
            Some(_) => Self::stream(body),
            None => Self::from(Bytes::new()),
        }
    }
}

impl fmt::Debug for PipeBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_stream = self.0.is_some();
        f.debug_struct("PipeBody")
            .field("is_stream", &is_stream)
            .finish()
    }
}
