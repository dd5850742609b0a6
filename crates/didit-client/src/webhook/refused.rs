//! Why a delivery was refused, and what its sender is told.

use http::StatusCode;

use super::canonical::NotCanonical;
use crate::model::InvalidModel;

/// Why a delivery was refused.
///
/// The reason is for your log; the sender is told [`Refused::status`] and nothing more.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// The body is larger than [`MAX_BODY`](super::MAX_BODY).
    #[error("the body is larger than 1 MiB")]
    BodyTooLarge,
    /// The event id is longer than [`MAX_EVENT_ID`](super::MAX_EVENT_ID).
    #[error("the event id is longer than 128 bytes")]
    EventId,
    /// It was delivered before; answering success ends the repeats.
    #[error("the event was delivered before")]
    Repeat,
    /// More events than the filter holds came within the window; the sender tries again.
    #[error("the filter of repeats is full")]
    RepeatsFull,
    /// There is no signature of the recipe that is accepted.
    #[error("the header {header} is missing")]
    SignatureMissing {
        /// The header that was looked for.
        header: &'static str,
    },
    /// The header is there more than once.
    #[error("the header {header} is there more than once")]
    SignatureTwice {
        /// The header that was looked for.
        header: &'static str,
    },
    /// The signature is not 64 lower-case hexadecimal digits.
    #[error("the signature is not 64 lower-case hexadecimal digits")]
    SignatureForm,
    /// The signature was made with none of the secrets, or over something else.
    #[error("the signature fits none of the secrets")]
    SignatureWrong,
    /// The body is not JSON, or has no agreed canonical form.
    #[error("the body cannot be checked: {0}")]
    NotCanonical(#[from] NotCanonical),
    /// The body lacks what every event has, or it has another type.
    #[error("the body is no event: {0}")]
    NotAnEvent(#[from] InvalidModel),
    /// The signed time is longer ago than the window.
    #[error("the event is {by} s too old")]
    TooOld {
        /// Seconds beyond the window.
        by: u64,
    },
    /// The signed time is further ahead than the window.
    #[error("the event is {by} s too far in the future")]
    TooEarly {
        /// Seconds beyond the window.
        by: u64,
    },
}

impl Refused {
    /// The status to answer with.
    ///
    /// Everything about signature and time is one status, so that nothing can be learnt by trying.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Repeat => StatusCode::OK,
            Self::RepeatsFull => StatusCode::SERVICE_UNAVAILABLE,
            Self::EventId | Self::NotCanonical(_) | Self::NotAnEvent(_) => StatusCode::BAD_REQUEST,
            Self::SignatureMissing { .. }
            | Self::SignatureTwice { .. }
            | Self::SignatureForm
            | Self::SignatureWrong
            | Self::TooOld { .. }
            | Self::TooEarly { .. } => StatusCode::UNAUTHORIZED,
        }
    }
}
