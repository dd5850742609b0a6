//! The body of an answer: whole, cut off, or longer than anybody wants.

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

/// Bytes of a huge body: 100 MiB, far over what any client of the API should read.
pub(crate) const HUGE_BYTES: u64 = 100 * 1024 * 1024;
/// Bytes of one piece of a huge body.
const PIECE_BYTES: usize = 64 * 1024;
/// A huge body is one JSON object around one very long text.
const HUGE_START: &[u8] = b"{\"results\":[\"";
const HUGE_END: &[u8] = b"\"]}";

/// The body of an answer. It fails only where a fault was asked for that cuts it off.
#[derive(Debug)]
pub struct SandboxBody(State);

#[derive(Debug)]
enum State {
    /// What is left to give.
    Whole(Bytes),
    /// What is given before the body breaks off, and how long it was announced to be.
    Cut {
        piece: Option<Bytes>,
        announced: u64,
    },
    /// The next piece, the filling that repeats, and how much is left in all.
    Huge {
        next: Bytes,
        filling: Bytes,
        left: u64,
    },
}

/// The body was cut off, because a test asked for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CutOff;

impl fmt::Display for CutOff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the sandbox cut this body off, as it was asked to")
    }
}

impl std::error::Error for CutOff {}

impl From<Infallible> for CutOff {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl SandboxBody {
    pub(crate) fn whole(bytes: Bytes) -> Self {
        Self(State::Whole(bytes))
    }

    /// The first half of some bytes, announced as all of them.
    pub(crate) fn cut(bytes: &Bytes) -> Self {
        let piece = bytes.slice(..bytes.len() / 2);
        Self(State::Cut {
            piece: Some(piece),
            announced: bytes.len() as u64,
        })
    }

    /// [`HUGE_BYTES`] of JSON, made while it is read.
    pub(crate) fn huge() -> Self {
        Self(State::Huge {
            next: Bytes::from_static(HUGE_START),
            filling: Bytes::from(vec![b'a'; PIECE_BYTES]),
            left: HUGE_BYTES,
        })
    }
}

impl Body for SandboxBody {
    type Data = Bytes;
    type Error = CutOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, CutOff>>> {
        let frame = match &mut self.0 {
            State::Whole(bytes) if bytes.is_empty() => None,
            State::Whole(bytes) => Some(Ok(Frame::data(std::mem::take(bytes)))),
            State::Cut { piece, .. } => match piece.take() {
                Some(piece) if !piece.is_empty() => Some(Ok(Frame::data(piece))),
                _ => Some(Err(CutOff)),
            },
            State::Huge { left: 0, .. } => None,
            State::Huge {
                next,
                filling,
                left,
            } => {
                let piece = next.clone();
                *left = left.saturating_sub(piece.len() as u64);
                let end = HUGE_END.len() as u64;
                *next = match left.checked_sub(end) {
                    Some(0) | None => Bytes::from_static(HUGE_END),
                    Some(room) => {
                        let length = usize::try_from(room).unwrap_or(PIECE_BYTES);
                        filling.slice(..length.min(filling.len()))
                    }
                };
                Some(Ok(Frame::data(piece)))
            }
        };
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            State::Whole(bytes) => bytes.is_empty(),
            State::Cut { .. } => false,
            State::Huge { left, .. } => *left == 0,
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(match &self.0 {
            State::Whole(bytes) => bytes.len() as u64,
            State::Cut { announced, .. } => *announced,
            State::Huge { left, .. } => *left,
        })
    }
}
