//! Reading a request body, up to a bound.

use bytes::Bytes;
use http::StatusCode;
use http_body_util::{BodyExt, LengthLimitError, Limited};

use super::service::BoxError;

/// Largest request body; a registration with sixteen long addresses is half of it.
pub(super) const MAX_BODY: usize = 64 * 1024;

/// Why a body was not read.
pub(super) enum Unread {
    /// It is longer than [`MAX_BODY`].
    TooLong,
    /// The connection failed.
    Broken,
}

impl Unread {
    pub(super) const fn status(&self) -> StatusCode {
        match self {
            Self::TooLong => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Broken => StatusCode::BAD_REQUEST,
        }
    }

    pub(super) const fn why(&self) -> &'static str {
        match self {
            Self::TooLong => "the body is longer than 65536 bytes",
            Self::Broken => "the body could not be read",
        }
    }
}

pub(super) async fn read<B>(body: B) -> Result<Bytes, Unread>
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    // A body that says how long it is need not be waited for.
    if body.size_hint().lower() > MAX_BODY as u64 {
        return Err(Unread::TooLong);
    }
    match Limited::new(Box::pin(body), MAX_BODY).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Unread::TooLong),
        Err(_) => Err(Unread::Broken),
    }
}
