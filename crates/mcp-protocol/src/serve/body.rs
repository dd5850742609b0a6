//! The body of a response: nothing, one JSON text with its shared parts, or a stream of events.

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use serde_json::value::RawValue;

use super::exchange::EventStream;
use crate::jsonrpc::Text;

/// The body of a response.
pub struct Body(Inner);

enum Inner {
    /// One after the other; empty ones are left out.
    Pieces([Bytes; 3]),
    Events(Box<EventStream>),
}

impl Body {
    pub(super) fn empty() -> Self {
        Body::default()
    }

    pub(super) fn whole(bytes: impl Into<Bytes>) -> Self {
        Body(Inner::Pieces([bytes.into(), Bytes::new(), Bytes::new()]))
    }

    /// A text; the list in it goes out as it is, shared by all responses that have it.
    pub(super) fn text(text: Text) -> Self {
        let (written, list) = text.into_parts();
        let Some((at, list)) = list else {
            return Body::whole(written);
        };
        let mut before = Bytes::from(written);
        let after = before.split_off(at.min(before.len()));
        let list = Bytes::from_owner(List(list));
        Body(Inner::Pieces([before, list, after]))
    }

    pub(super) fn events(events: EventStream) -> Self {
        Body(Inner::Events(Box::new(events)))
    }
}

/// The bytes of a list that is written already.
struct List(Arc<RawValue>);

impl AsRef<[u8]> for List {
    fn as_ref(&self) -> &[u8] {
        self.0.get().as_bytes()
    }
}

fn length(pieces: &[Bytes]) -> u64 {
    let bytes = pieces.iter().map(Bytes::len).sum::<usize>();
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

impl Default for Body {
    /// Nothing.
    fn default() -> Self {
        Body(Inner::Pieces(Default::default()))
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
            Inner::Pieces(pieces) => Poll::Ready(
                pieces
                    .iter_mut()
                    .find(|piece| !piece.is_empty())
                    .map(|piece| Ok(Frame::data(std::mem::take(piece)))),
            ),
            Inner::Events(events) => events
                .poll_next(cx)
                .map(|event| event.map(|bytes| Ok(Frame::data(bytes)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(&self.0, Inner::Pieces(pieces) if pieces.iter().all(Bytes::is_empty))
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Inner::Pieces(pieces) => SizeHint::with_exact(length(pieces)),
            Inner::Events(_) => SizeHint::default(),
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Inner::Pieces(pieces) => write!(f, "Body({} bytes)", length(pieces)),
            Inner::Events(_) => f.write_str("Body(events)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use http_body::Body as _;
    use http_body_util::BodyExt as _;
    use serde_json::value::to_raw_value;

    use super::*;
    use crate::jsonrpc::Id;
    use crate::revision::Era;
    use crate::stateless::{Envelope, response};
    use crate::types::{Implementation, Items, Tool, ToolList};

    #[tokio::test]
    async fn a_list_goes_out_as_it_is_with_an_exact_length() {
        let tool = Tool::new("a", "b", &serde_json::json!({ "type": "object" })).unwrap();
        let tools = Items::render(&[tool]).unwrap();
        let list = tools.rendered().unwrap().clone();
        let envelope = Envelope {
            era: Era::Modern,
            server_info: &to_raw_value(&Implementation::new("s", "1")).unwrap(),
            cache: None,
            result_type: "complete",
        };
        let text = response(&Id::Integer(1), ToolList::new(tools), envelope).unwrap();
        let mut body = Body::text(text.clone());
        let whole = text.into_string();
        assert_eq!(
            body.size_hint().exact(),
            Some(u64::try_from(whole.len()).unwrap())
        );
        let mut pieces = Vec::new();
        while let Some(Ok(frame)) = body.frame().await {
            pieces.push(frame.into_data().unwrap());
        }
        assert!(body.is_end_stream());
        assert_eq!(pieces.concat(), whole.as_bytes());
        let shared = |piece: &Bytes| std::ptr::eq(&**piece, list.get().as_bytes());
        assert_eq!(pieces.iter().filter(|piece| shared(piece)).count(), 1);
    }
}
