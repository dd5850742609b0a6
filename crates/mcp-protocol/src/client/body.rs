//! The body of an answer: all of it at once, or piece by piece as it arrives.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;

use bytes::{Bytes, BytesMut};
use http_body::Body;
use http_body_util::BodyExt as _;

use super::error::{BadAnswer, ClientError, TransportError};

/// The body of an answer, as the service that is handed in gives it.
///
/// [`Bytes`] is one by itself: the service has read everything already.
/// With [`AnswerBody::stream`] the client reads while the server writes; a server of the older era needs that where it
/// asks something in the middle of an answer and waits.
pub struct AnswerBody(Inner);

enum Inner {
    Whole(Bytes),
    Stream(Pin<Box<dyn Body<Data = Bytes, Error = TransportError> + Send>>),
}

impl AnswerBody {
    /// A body that is read as it arrives.
    ///
    /// Does not check: how long it takes; whoever made the body limits that.
    pub fn stream<B>(body: B) -> Self
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<TransportError>,
    {
        Self(Inner::Stream(Box::pin(body.map_err(Into::into))))
    }

    /// The next piece, or none at the end.
    pub(super) async fn piece(&mut self) -> Result<Option<Bytes>, TransportError> {
        match &mut self.0 {
            Inner::Whole(bytes) => {
                let bytes = std::mem::take(bytes);
                Ok(Some(bytes).filter(|bytes| !bytes.is_empty()))
            }
            Inner::Stream(body) => loop {
                match poll_fn(|context| body.as_mut().poll_frame(context)).await {
                    None => return Ok(None),
                    Some(Err(error)) => return Err(error),
                    Some(Ok(frame)) => match frame.into_data() {
                        Ok(data) if !data.is_empty() => return Ok(Some(data)),
                        // Trailers mean nothing here.
                        Ok(_) | Err(_) => {}
                    },
                }
            },
        }
    }

    /// Everything, within the limit.
    pub(super) async fn whole(mut self, limit: usize) -> Result<Bytes, ClientError> {
        let mut read = BytesMut::new();
        while let Some(piece) = self.piece().await.map_err(ClientError::Transport)? {
            if piece.len() > limit.saturating_sub(read.len()) {
                return Err(BadAnswer::TooLarge { limit }.into());
            }
            if read.is_empty() {
                // The usual case is one piece, which is not copied.
                match self.piece().await.map_err(ClientError::Transport)? {
                    None => return Ok(piece),
                    Some(next) => {
                        if next.len() > limit.saturating_sub(piece.len()) {
                            return Err(BadAnswer::TooLarge { limit }.into());
                        }
                        read.extend_from_slice(&piece);
                        read.extend_from_slice(&next);
                    }
                }
            } else {
                read.extend_from_slice(&piece);
            }
        }
        Ok(read.freeze())
    }
}

impl From<Bytes> for AnswerBody {
    fn from(bytes: Bytes) -> Self {
        Self(Inner::Whole(bytes))
    }
}

impl fmt::Debug for AnswerBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Inner::Whole(bytes) => write!(f, "AnswerBody({} bytes)", bytes.len()),
            Inner::Stream(_) => f.write_str("AnswerBody(..)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::io;
    use std::task::{Context, Poll};

    use http_body::Frame;

    use super::*;

    /// Gives these pieces, and an error where there is none.
    struct Pieces(VecDeque<Option<&'static str>>);

    impl Body for Pieces {
        type Data = Bytes;
        type Error = io::Error;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
            let next = self.0.pop_front();
            Poll::Ready(next.map(|piece| {
                piece
                    .map(|text| Frame::data(Bytes::from_static(text.as_bytes())))
                    .ok_or_else(|| io::Error::other("cut"))
            }))
        }
    }

    fn pieces(pieces: &[Option<&'static str>]) -> AnswerBody {
        AnswerBody::stream(Pieces(pieces.iter().copied().collect()))
    }

    #[tokio::test]
    async fn the_whole_is_put_together_up_to_the_limit() {
        let three = || pieces(&[Some("ab"), Some(""), Some("cd"), Some("e")]);
        assert_eq!(three().whole(5).await.unwrap(), "abcde");
        assert!(matches!(
            three().whole(4).await,
            Err(ClientError::Answer(BadAnswer::TooLarge { limit: 4 }))
        ));
        assert!(matches!(
            three().whole(3).await,
            Err(ClientError::Answer(BadAnswer::TooLarge { limit: 3 }))
        ));
        assert!(three().whole(1).await.is_err());
        let whole = AnswerBody::from(Bytes::from_static(b"abc"));
        assert_eq!(whole.whole(3).await.unwrap(), "abc");
        assert_eq!(pieces(&[]).whole(0).await.unwrap(), "");
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_is_not_a_short_one() {
        let broken = pieces(&[Some("ab"), None]).whole(9).await;
        assert!(matches!(broken, Err(ClientError::Transport(_))));
    }
}
